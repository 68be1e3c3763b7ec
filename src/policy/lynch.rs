//! The modules of 2003: Rusty Lynch proposed that whoever wants another answer to memory shortage
//! registers a handler. Panic, the parent of fork-happy children, always the same program, and who is
//! trusted least.

use super::badness::{Reason, Unit, Verdict};
use super::family::likely_sharers;
use super::linux::{held, spared};
use super::{Act, Armed, Cite, LINUX_2_6_0, Off, Policy, Sway, Tie};
use crate::model::{
    Capabilities, Capability, Kill, Needs, ProcId, Process, Reading, Scene, Scores, Signal,
    unescape,
};
use crate::units::{Millis, Pages};

const CITE: &str = "linux-kernel, [RFC] Enabling other oom schemes";

/// `CONFIG_OOM_PANIC`: the machine stops.
#[derive(Debug)]
pub struct Panic;

/// The one there is.
pub static PANIC: Panic = Panic;

impl Policy for Panic {
    fn id(&self) -> &'static str {
        "panic"
    }

    fn title(&self) -> &'static str {
        "panic: the machine stops"
    }

    fn about(&self) -> &'static str {
        "Names nobody: at the first shortage the kernel panics, and whoever watches it takes over. \
         Today's vm.panic_on_oom."
    }

    fn cites(&self) -> &'static [Cite] {
        &[Cite { place: CITE, at: "11 Sep 2003, CONFIG_OOM_PANIC" }]
    }

    fn needs(&self) -> Needs {
        Needs::default()
    }

    fn unit(&self) -> Unit {
        Unit::Bare
    }

    fn armed(&self, _: &Scene) -> Armed {
        Armed::simply(true, "at the first failure, without waiting")
    }

    fn off(&self, _: &Scene) -> Option<Off> {
        Some(Off::Panic)
    }

    fn judge(&self, process: &Process, _: &Scene) -> Verdict {
        let kernel = process.is_kernel_thread();
        Verdict::Spared(if kernel { Reason::Kernel } else { Reason::Unnamed })
    }

    fn sway(&self, _: &Process, _: &Scene) -> Sway {
        Sway::default()
    }

    fn tie(&self, _: &Scene) -> Tie {
        Tie::Oldest
    }

    fn company<'a>(&self, _: &Process, _: &'a Scene) -> Vec<&'a Process> {
        Vec::new()
    }

    fn act(&self, _: &Process) -> Act {
        Act { signal: Signal::KILL, why: "nobody is killed: the machine stops" }
    }
}

/// `CONFIG_OOM_KPPID`: the standard killer, which kills the parent of children that keep being chosen.
#[derive(Debug)]
pub struct KillParent;

/// The one there is.
pub static KILL_PARENT: KillParent = KillParent;

/// The black list of parents: at most [`ParentList::ROOM`] of them.
#[derive(Clone, Debug, Default)]
struct ParentList {
    records: Vec<Record>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Record {
    parent: ProcId,
    last_kill: Millis,
    value: u32,
}

impl ParentList {
    /// Entries.
    const ROOM: usize = 32;
    /// `vm.oom_parent_expire`: a record this old is forgotten.
    const EXPIRE: Millis = Millis(300_000);
    /// `vm.oom_parent_max`: from so many on the parent dies in its child's place.
    const MOST: u32 = 10;

    /// A child of this parent was chosen at this time. Whether the parent dies in its place.
    fn strike(&mut self, parent: ProcId, now: Millis) -> bool {
        self.records.retain(|record| now.saturating_sub(record.last_kill) <= Self::EXPIRE);
        let Some(at) = self.records.iter().position(|record| record.parent == parent) else {
            if self.records.len() < Self::ROOM {
                self.records.push(Record { parent, last_kill: now, value: 0 });
            }
            return false;
        };
        let record = &mut self.records[at];
        if record.value >= Self::MOST {
            self.records.swap_remove(at);
            return true;
        }
        *record = Record { value: record.value + 1, last_kill: now, ..*record };
        false
    }

    /// As it stands after these kills.
    fn after(kills: &[Kill]) -> Self {
        let mut list = Self::default();
        for kill in kills {
            if let Some(parent) = kill.parent.filter(|parent| parent.pid != 1) {
                list.strike(parent, kill.at);
            }
        }
        list
    }
}

impl Policy for KillParent {
    fn id(&self) -> &'static str {
        "kill-parent"
    }

    fn title(&self) -> &'static str {
        "kill the parent of fork-happy children"
    }

    fn about(&self) -> &'static str {
        "The badness of 2.6.0. Each time a child is chosen its parent gets a mark; after the tenth within \
         five minutes of each other the parent dies in the child's place. Marks are kept for 32 parents, \
         never for init, from the kills that doomtop saw itself."
    }

    fn cites(&self) -> &'static [Cite] {
        &[Cite { place: CITE, at: "12 Sep 2003, mm/oom_kill_parent.c" }]
    }

    fn needs(&self) -> Needs {
        LINUX_2_6_0.needs()
    }

    fn unit(&self) -> Unit {
        Unit::Bare
    }

    fn armed(&self, scene: &Scene) -> Armed {
        let kills = scene.kills().len();
        let seen = if kills == 1 { "1 kill".to_owned() } else { format!("{kills} kills") };
        let base = LINUX_2_6_0.armed(scene);
        Armed { why: format!("{}; {seen} seen so far", base.why), ..base }
    }

    fn judge(&self, process: &Process, scene: &Scene) -> Verdict {
        LINUX_2_6_0.judge(process, scene)
    }

    fn sway(&self, process: &Process, scene: &Scene) -> Sway {
        LINUX_2_6_0.sway(process, scene)
    }

    fn tie(&self, scene: &Scene) -> Tie {
        LINUX_2_6_0.tie(scene)
    }

    fn instead<'a>(
        &self,
        chosen: &Process,
        scene: &'a Scene,
    ) -> Option<(&'a Process, &'static str)> {
        let now = scene.now();
        let parent = now.position(chosen.parent).map(|at| &now.processes[at])?;
        let dies = ParentList::after(scene.kills()).strike(parent.id, now.clock.monotonic_ms);
        (dies && parent.id.pid != 1)
            .then_some((parent, "its children were chosen ten times before: the parent dies"))
    }

    fn company<'a>(&self, victim: &Process, scene: &'a Scene) -> Vec<&'a Process> {
        LINUX_2_6_0.company(victim, scene)
    }

    fn act(&self, victim: &Process) -> Act {
        LINUX_2_6_0.act(victim)
    }
}

/// Always the program with one name, and nobody else.
#[derive(Debug)]
pub struct Blame {
    id: &'static str,
    name: Vec<u8>,
    title: &'static str,
}

/// The policy that blames a program. It lives as long as doomtop does. `None` without a name.
#[must_use]
pub fn blame(name: &str) -> Option<&'static dyn Policy> {
    if name.is_empty() {
        return None;
    }
    let blame = Blame {
        id: format!("blame:{name}").leak(),
        name: unescape(name),
        title: format!("always {name}, and nobody else").leak(),
    };
    Some(Box::leak(Box::new(blame)))
}

impl Policy for Blame {
    fn id(&self) -> &'static str {
        self.id
    }

    fn title(&self) -> &'static str {
        self.title
    }

    fn about(&self) -> &'static str {
        "The largest process with this name: resident memory, swap and page tables. Whoever has another \
         name is never chosen; where there is none of that name, nobody is."
    }

    fn cites(&self) -> &'static [Cite] {
        &[Cite { place: CITE, at: "11 Sep 2003, the set-top box" }]
    }

    fn needs(&self) -> Needs {
        Needs { status: true, ..Needs::default() }
    }

    fn armed(&self, _: &Scene) -> Armed {
        Armed::simply(true, "at the first failure, without waiting")
    }

    fn judge(&self, process: &Process, scene: &Scene) -> Verdict {
        match spared(process, scene) {
            Err(reason) if reason != Reason::Never => Verdict::Spared(reason),
            _ if process.comm.bytes() == self.name => Verdict::Scored(held(process, scene)),
            _ => Verdict::Spared(Reason::Unnamed),
        }
    }

    fn sway(&self, process: &Process, scene: &Scene) -> Sway {
        super::LINUX.sway(process, scene)
    }

    fn reach(&self, scene: &Scene) -> Pages {
        super::LINUX.reach(scene)
    }

    fn tie(&self, scene: &Scene) -> Tie {
        super::LINUX.tie(scene)
    }

    fn company<'a>(&self, victim: &Process, scene: &'a Scene) -> Vec<&'a Process> {
        likely_sharers(victim, scene)
    }

    fn act(&self, _: &Process) -> Act {
        Act { signal: Signal::KILL, why: "no mercy was asked for" }
    }
}

/// Who is trusted least dies first.
#[derive(Debug)]
pub struct Security;

/// The one there is.
pub static SECURITY: Security = Security;

/// The first user id of a person (`UID_MIN` of `login.defs`).
const FIRST_PERSON: u32 = 1000;

/// How little a process is trusted: the larger, the sooner it dies.
fn distrust(process: &Process) -> i8 {
    let caps = process.caps.value().unwrap_or(Capabilities(0));
    let euid = process.ids.value().map(|ids| ids.euid);
    let by_user = match euid {
        Some(0) => 0,
        Some(id) if id < FIRST_PERSON => 1,
        _ => 2,
    };
    // Whoever administers the machine or drives hardware is trusted beyond any user id.
    let trusted = [Capability::SysAdmin, Capability::SysRawio].iter().any(|&it| caps.has(it));
    let by_caps = if trusted { -2 } else { 0 };
    let by_cgroup = match &process.cgroup {
        Reading::Value(path) if path.as_str().starts_with("/user.slice") => 1,
        Reading::Value(path) if path.as_str().starts_with("/system.slice") => -1,
        _ => 0,
    };
    by_user + by_caps + by_cgroup
}

impl Policy for Security {
    fn id(&self) -> &'static str {
        "security"
    }

    fn title(&self) -> &'static str {
        "security: the least trusted first"
    }

    fn about(&self) -> &'static str {
        "First by trust: people before the users of services before root; sessions (user.slice) before \
         services (system.slice); holders of CAP_SYS_ADMIN or CAP_SYS_RAWIO last. Among equally trusted \
         the largest. oom_score_adj -1000 and init are respected."
    }

    fn cites(&self) -> &'static [Cite] {
        &[Cite { place: CITE, at: "Sep 2003, as reported: a security module" }]
    }

    fn needs(&self) -> Needs {
        Needs { status: true, cgroup: true, scores: Scores::Nobody, ..Needs::default() }
    }

    fn armed(&self, _: &Scene) -> Armed {
        Armed::simply(true, "at the first failure, without waiting")
    }

    fn judge(&self, process: &Process, scene: &Scene) -> Verdict {
        match spared(process, scene) {
            Err(reason) => Verdict::Spared(reason),
            Ok(_) => Verdict::Scored(held(process, scene).of_class(distrust(process))),
        }
    }

    fn sway(&self, process: &Process, scene: &Scene) -> Sway {
        super::LINUX.sway(process, scene)
    }

    fn reach(&self, scene: &Scene) -> Pages {
        super::LINUX.reach(scene)
    }

    fn tie(&self, scene: &Scene) -> Tie {
        super::LINUX.tie(scene)
    }

    fn company<'a>(&self, victim: &Process, scene: &'a Scene) -> Vec<&'a Process> {
        likely_sharers(victim, scene)
    }

    fn act(&self, victim: &Process) -> Act {
        let sacrifice = super::sacrifice(victim);
        Act { signal: sacrifice.signal, why: sacrifice.why }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Ticks;

    fn parent(pid: i32) -> ProcId {
        ProcId { pid, born: Ticks(1) }
    }

    #[test]
    fn the_eleventh_mark_is_the_parents() {
        let mut list = ParentList::default();
        for strike in 0..=ParentList::MOST {
            assert!(!list.strike(parent(7), Millis(u64::from(strike) * 1000)), "{strike}");
        }
        assert!(list.strike(parent(7), Millis(12_000)));
        assert!(!list.strike(parent(7), Millis(13_000)), "its record is dropped");
    }

    #[test]
    fn marks_are_forgotten_and_few() {
        let mut list = ParentList::default();
        for strike in 0..=ParentList::MOST {
            list.strike(parent(7), Millis(u64::from(strike)));
        }
        let late = Millis(ParentList::EXPIRE.0 + 11);
        assert!(!list.clone().strike(parent(7), late), "expired");
        for pid in 10..60 {
            list.strike(parent(pid), Millis(20));
        }
        assert_eq!(list.records.len(), ParentList::ROOM);
        assert!(list.strike(parent(7), Millis(21)), "the old ones stay");
    }
}

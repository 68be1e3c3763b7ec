//! OPINIONS: one file per killer. Pure functions from facts to verdicts.
//!
//! A policy = one file + one row in [`POLICIES`]. Not here: reading facts (`sample`), ordering
//! the verdicts (`rank`), acting on them (`effects`).

mod badness;
pub mod daemon;
pub mod kernel;
pub mod proposal;
pub mod site;

use std::cmp::Ordering;

use crate::model::{Needs, ProcId, Process, Scene, Signal};
use crate::units::Pages;

pub use crate::policy::daemon::bustd::BUSTD;
pub use crate::policy::daemon::earlyoom::{EARLYOOM, EARLYOOM_RSS};
pub use crate::policy::daemon::kubelet::KUBELET;
pub use crate::policy::daemon::lmkd::LMKD;
pub use crate::policy::daemon::nohang::{NOHANG, NOHANG_DESKTOP};
pub use crate::policy::daemon::oomd::{OOMD_IO, OOMD_PGSCAN, OOMD_PRESSURE, OOMD_SIZE, OOMD_SWAP};
pub use crate::policy::daemon::systemd_oomd::{SYSTEMD_OOMD_PRESSURE, SYSTEMD_OOMD_SWAP};
pub use crate::policy::kernel::linux::{
    LINUX, LINUX_3_5, LINUX_3_14, LINUX_4_17, LINUX_5_1, LINUX_5_3, LINUX_5_9, kernel_skips,
    running, swap_counter_bound,
};
pub use crate::policy::kernel::linux_2_4::{
    LINUX_2_4, LINUX_2_4_19_AKPM, LINUX_2_4_22, int_sqrt_24,
};
pub use crate::policy::kernel::linux_2_6::{
    LINUX_2_6_0, LINUX_2_6_11, LINUX_2_6_12, LINUX_2_6_16, LINUX_2_6_19, LINUX_2_6_20,
    LINUX_2_6_22, LINUX_2_6_24, LINUX_2_6_25, LINUX_2_6_32,
};
pub use crate::policy::kernel::linux_2_6_36::{LINUX_2_6_36, LINUX_2_6_39, LINUX_3_3};
pub use crate::policy::kernel::no_killer::LINUX_2_4_23;
pub use crate::policy::kernel::oom_score::{
    ScoreComparison, agreement, compare, comparisons, kernel_score,
};
pub use crate::policy::kernel::overrides::Override;
pub use crate::policy::kernel::relatives::likely_sharers;
pub use crate::policy::proposal::blame::blame;
pub use crate::policy::proposal::kill_parent::KILL_PARENT;
pub use crate::policy::proposal::panic::PANIC;
pub use crate::policy::proposal::rss::{RSS, RSS_SWAP};
pub use crate::policy::proposal::sacrifice_signal::{Sacrifice, sacrifice};
pub use crate::policy::proposal::security::SECURITY;
pub use badness::{Badness, BadnessUnit, SparedReason, Term, TermNote, Terms, Verdict};

/// Where the modules of 2003 were proposed: whoever wants another answer to memory shortage registers a
/// handler.
const RFC_2003: &str = "linux-kernel, [RFC] Enabling other oom schemes";

/// Where a rule can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cite {
    /// File and function.
    pub place: &'static str,
    /// At which version.
    pub at: &'static str,
}

/// Which of two equals dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TieBreak {
    /// The one created first: the order of the kernel's task list is that of creation.
    Oldest,
    /// The one with the lowest pid: the order in which `/proc` is listed.
    LowestPid,
    /// The one created last.
    Youngest,
    /// Nobody can tell: the order inside a memory cgroup is that of joining it, which no file shows.
    Unseen,
}

impl TieBreak {
    /// Who of two equals dies first. Where nobody can tell, the younger stands first on the screen.
    #[must_use]
    pub fn order(self, a: ProcId, b: ProcId) -> Ordering {
        // Creation order: start time, then pid within the same tick.
        let age = |id: ProcId| (id.born, id.pid);
        match self {
            Self::Oldest => age(a).cmp(&age(b)),
            Self::LowestPid => a.pid.cmp(&b.pid),
            Self::Youngest | Self::Unseen => age(b).cmp(&age(a)),
        }
    }
}

/// How far a verdict may be off by the time of the kill.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drift {
    /// It may be this much higher.
    pub up: Pages,
    /// It may be this much lower.
    pub down: Pages,
}

/// One condition that a killer waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// What is looked at: `MemAvailable`.
    pub what: &'static str,
    /// As it is: `16.9%`.
    pub now: String,
    /// As it must be: `<= 10%`.
    pub wants: String,
    /// Whether it is; nothing where it cannot be seen.
    pub met: Option<bool>,
}

/// Whether a killer is about to act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriggerState {
    /// Nothing that can be seen holds it back.
    pub ready: bool,
    /// In words: what it waits for, or what holds it back.
    pub why: String,
    /// Its conditions one by one, where it has any that can be told apart.
    pub triggers: Vec<Trigger>,
}

impl TriggerState {
    /// Without conditions that can be told apart.
    #[must_use]
    pub fn simply(ready: bool, why: impl Into<String>) -> Self {
        Self { ready, why: why.into(), triggers: Vec::new() }
    }
}

/// What a killer does to its victim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyAction {
    /// The signal it sends.
    pub signal: Signal,
    /// Why this one.
    pub why: &'static str,
}

/// A killer's rule.
pub trait Policy: Send + Sync {
    /// The name that `--policy` takes.
    fn id(&self) -> &'static str;
    /// One line.
    fn title(&self) -> &'static str;
    /// What it weighs, in a few sentences.
    fn about(&self) -> &'static str;
    /// Where the rule can be read.
    fn cites(&self) -> &'static [Cite];
    /// The facts it judges by.
    fn needs(&self) -> Needs;
    /// The unit of its points.
    fn unit(&self) -> BadnessUnit {
        BadnessUnit::Pages
    }
    /// Whether it is about to act.
    fn trigger_state(&self, scene: &Scene) -> TriggerState;
    /// What overrules its ranking at this moment, if anything.
    fn overridden(&self, _scene: &Scene) -> Option<Override> {
        None
    }
    /// Whether it looks at a process at all: at whoever the OOM is confined to.
    fn looks_at(&self, process: &Process, scene: &Scene) -> bool {
        scene.domain().contains(process)
    }
    /// Its opinion of one process.
    fn judge(&self, process: &Process, scene: &Scene) -> Verdict;
    /// Why it has no opinion of a process, where the rule itself went wrong: a fact that is absent, a
    /// number out of range.
    fn rule_error(&self, _process: &Process, _scene: &Scene) -> Option<String> {
        None
    }
    /// How far that opinion may be off by the time of the kill.
    fn drift(&self, process: &Process, scene: &Scene) -> Drift;
    /// Nobody's [`Drift::up`] is more than this: most processes are ruled out by it alone.
    fn counter_error(&self, _scene: &Scene) -> Pages {
        Pages::ZERO
    }
    /// Which of two equals dies.
    fn tie_break(&self, scene: &Scene) -> TieBreak;
    /// Who dies in the place of the one that was chosen, and why: some kernels sacrifice a child.
    fn killed_instead<'a>(
        &self,
        _chosen: &Process,
        _scene: &'a Scene,
    ) -> Option<(&'a Process, &'static str)> {
        None
    }
    /// Whether it is a kernel's own killer: it panics where it finds nobody in an OOM of the machine.
    fn is_kernel(&self) -> bool {
        false
    }
    /// Whether `memory.oom.group` makes it kill a whole cgroup.
    fn kills_groups(&self, _scene: &Scene) -> bool {
        false
    }
    /// Whether its signal goes to the victim's whole process group.
    fn signals_groups(&self, _scene: &Scene) -> bool {
        false
    }
    /// Whether it chooses whole cgroups, and everybody in one dies.
    fn chooses_groups(&self) -> bool {
        false
    }
    /// Whether `oom_score_adj` counts in it, whatever its points are counted in.
    fn knows_adj(&self) -> bool {
        false
    }
    /// Whether a higher `oom_score_adj` never makes anybody die later by it.
    fn rises_with_adj(&self, _scene: &Scene) -> bool {
        true
    }
    /// Whether its comparison is no order at all, so that [`Policy::scan`] must be asked.
    fn scans(&self) -> bool {
        false
    }
    /// Whom its own scan over these positions, in the order of their pids, ends with.
    fn scan(&self, _scene: &Scene, _among: &[u32]) -> Option<ProcId> {
        None
    }
    /// Who dies with the victim, beside its own threads.
    fn also_killed<'a>(&self, victim: &Process, scene: &'a Scene) -> Vec<&'a Process>;
    /// What it does to its victim.
    fn action(&self, victim: &Process) -> PolicyAction;
}

/// Every policy there is; the first one is the default. Then those that may run here beside the kernel,
/// then the kernels before, the latest first, and the modules of 2003.
pub static POLICIES: &[&dyn Policy] = &[
    &LINUX,
    &EARLYOOM,
    &EARLYOOM_RSS,
    &NOHANG,
    &NOHANG_DESKTOP,
    &SYSTEMD_OOMD_SWAP,
    &SYSTEMD_OOMD_PRESSURE,
    &OOMD_SIZE,
    &OOMD_SWAP,
    &OOMD_PRESSURE,
    &OOMD_PGSCAN,
    &OOMD_IO,
    &KUBELET,
    &BUSTD,
    &LMKD,
    &RSS,
    &RSS_SWAP,
    &LINUX_5_9,
    &LINUX_5_3,
    &LINUX_5_1,
    &LINUX_4_17,
    &LINUX_3_14,
    &LINUX_3_5,
    &LINUX_3_3,
    &LINUX_2_6_39,
    &LINUX_2_6_36,
    &LINUX_2_6_32,
    &LINUX_2_6_25,
    &LINUX_2_6_24,
    &LINUX_2_6_22,
    &LINUX_2_6_20,
    &LINUX_2_6_19,
    &LINUX_2_6_16,
    &LINUX_2_6_12,
    &LINUX_2_6_11,
    &LINUX_2_6_0,
    &LINUX_2_4_23,
    &LINUX_2_4_22,
    &LINUX_2_4,
    &LINUX_2_4_19_AKPM,
    &PANIC,
    &KILL_PARENT,
    &SECURITY,
];

/// What `--policy` takes beside the names of [`POLICIES`].
pub const PATTERNS: &[(&str, &str)] = &[
    ("linux-2.6:2.6.N", "the era of any 2.6.N up to 2.6.35"),
    ("blame:NAME", "always the program with this name, and nobody else"),
    ("site:FILE", "a rule of your own (`doomtop policy check FILE` checks it)"),
];

/// The policy with this name, or of this pattern.
#[must_use]
pub fn by_id(id: &str) -> Option<&'static dyn Policy> {
    if let Some(name) = id.strip_prefix("blame:") {
        return blame(name);
    }
    let exact = POLICIES.iter().copied().find(|policy| policy.id() == id);
    exact.or_else(|| crate::policy::kernel::linux_2_6::era(id))
}

/// The rule of the kernel with this release (`uname -r`), as far as it can be told from the number.
#[must_use]
pub fn of_kernel(release: &str) -> &'static dyn Policy {
    let mut numbers =
        release.split(|c: char| !c.is_ascii_digit()).map(|it| it.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0_u32);
    let (major, minor, patch) = (next(), next(), next());
    let known = match (major, minor) {
        (2, 0..=5) => by_id("linux-2.4"),
        (2, _) if patch < 36 => by_id(&format!("linux-2.6:2.6.{patch}")),
        (2, _) | (3, 0..=4) => by_id("linux-2.6.36"),
        _ => None,
    };
    known.unwrap_or(&LINUX)
}

/// Those that may be at work here: the running kernel's killer and the daemons. They stand first in
/// [`POLICIES`].
pub fn killers() -> impl Iterator<Item = &'static dyn Policy> {
    POLICIES.iter().copied().take_while(|policy| policy.id() != RSS.id())
}

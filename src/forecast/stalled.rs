//! Processes that wait and are not killed: throttled at `memory.high`, frozen, at a limit where the killer is
//! switched off, or in uninterruptible sleep.

use std::sync::Arc;

use crate::forecast::next_death::{StallReason, stall};
use crate::model::{Cgroup, Process, Reading, Scene, Text};
use crate::units::{Bytes, Millis};

/// A process that has slept for this long without running counts as blocked.
pub const BLOCKED: Millis = Millis(5_000);

/// Why a process waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProcessStall {
    /// Its cgroup stalls, or one above it.
    Cgroup(StallReason, Arc<Text>),
    /// Its main thread has been in uninterruptible sleep (D) for this long.
    Blocked(Millis),
}

impl ProcessStall {
    /// Why a process waits; nothing for most.
    #[must_use]
    pub fn of(process: &Process, scene: &Scene) -> Option<Self> {
        let path = process.cgroup.as_ref().value();
        let groups = path.into_iter().flat_map(|path| scene.now().cgroups.upwards(path.as_str()));
        let stalls = |group: &Cgroup| {
            let reason = stall(group).filter(|reason| waits(*reason, group))?;
            Some(Self::Cgroup(reason, Arc::clone(&group.path)))
        };
        let blocked = || {
            let long = scene.blocked_for(process.id).filter(|long| *long >= BLOCKED);
            long.map(Self::Blocked)
        };
        groups.map(stalls).find(Option::is_some).flatten().or_else(blocked)
    }

    /// The reason as a sentence: `/a: throttled at memory.high: stalled, no process is killed`.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Cgroup(reason, path) => format!("{path}: {}", reason.words()),
            Self::Blocked(long) => format!(
                "in uninterruptible sleep (D) for {} s without running: no signal reaches it before it wakes",
                long.0 / 1000
            ),
        }
    }
}

/// Whether tasks of the cgroup wait now. With `oom_kill_disable` they do at the limit only.
fn waits(reason: StallReason, group: &Cgroup) -> bool {
    match reason {
        StallReason::Throttled | StallReason::Frozen => true,
        StallReason::OomKillDisabled => match (group.under_oom, group.effective_limit()) {
            (Reading::Value(under_oom), _) => under_oom,
            (_, Some(Bytes(limit))) => {
                let usage = group.used().value().unwrap_or_default().0;
                usage >= limit.saturating_sub(limit / 64)
            }
            _ => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Cgroups, Limit, ProcId, RunState, Snapshot};
    use crate::units::Ticks;

    fn bytes(mib: u64) -> Bytes {
        Bytes(mib << 20)
    }

    fn group(path: &str) -> Cgroup {
        Cgroup {
            path: Arc::new(Text::new(path.as_bytes())),
            usage: Reading::Value(bytes(100)),
            ..Cgroup::default()
        }
    }

    fn sleeper(state: char, cpu: u64) -> Process {
        Process {
            id: ProcId { pid: 7, born: Ticks(1) },
            state: RunState(state),
            cpu: Ticks(cpu),
            has_mm: true,
            cgroup: Reading::Value(Arc::new(Text::new(b"/a/b"))),
            ..Process::default()
        }
    }

    fn sample(second: u64, groups: Vec<Cgroup>, process: Process) -> Arc<Snapshot> {
        let mut sample = Snapshot::default();
        sample.clock.monotonic_ms = Millis(second * 1000);
        sample.cgroups = Arc::new(Cgroups { list: groups, ..Cgroups::default() });
        sample.processes = vec![process];
        Arc::new(sample)
    }

    fn stall_in(group: Cgroup) -> Option<ProcessStall> {
        let scene = Scene::new(sample(1, vec![group], sleeper('S', 0)), None);
        ProcessStall::of(&sleeper('S', 0), &scene)
    }

    #[test]
    fn a_cgroup_above_that_stalls_is_named() {
        let high = |mib| Reading::Value(Limit::At(bytes(mib)));
        let throttled = Cgroup { high: high(90), ..group("/a") };
        let stall = stall_in(throttled.clone()).expect("it is throttled without any limit");
        assert_eq!(stall.words(), "/a: throttled at memory.high: stalled, no process is killed");
        assert_eq!(stall_in(Cgroup { high: high(900), ..throttled.clone() }), None);
        let cached = Cgroup { reclaimable: Reading::Value(bytes(50)), ..throttled };
        assert_eq!(stall_in(cached), None, "a page cache that fills it is reclaimed");
        let frozen = Cgroup { frozen: Reading::Value(true), ..group("/a/b") };
        assert!(stall_in(frozen).is_some_and(|it| it.words().contains("until it is thawed")));
        assert_eq!(stall_in(Cgroup { frozen: Reading::Missing, ..group("/a/b") }), None);
        assert_eq!(stall_in(Cgroup { high: high(9), ..group("/other") }), None);
    }

    #[test]
    fn where_the_killer_is_off_tasks_wait_at_the_limit_only() {
        let off = Cgroup {
            oom_kill_disabled: Reading::Value(true),
            limit: Reading::Value(Limit::At(bytes(200))),
            ..group("/a")
        };
        assert_eq!(stall_in(off.clone()), None);
        assert!(stall_in(Cgroup { usage: Reading::Value(bytes(199)), ..off.clone() }).is_some());
        let told = Cgroup { under_oom: Reading::Value(true), ..off };
        assert!(stall_in(told).is_some(), "the kernel says so");
    }

    #[test]
    fn a_process_is_blocked_while_it_sleeps_and_does_not_run() {
        let mut scene = Scene::new(sample(0, Vec::new(), sleeper('D', 5)), None);
        let mut after = |second, state, cpu| {
            scene.advance(sample(second, Vec::new(), sleeper(state, cpu)));
            let found = ProcessStall::of(&sleeper(state, cpu), &scene);
            (found, scene.longest_blocked().map(|it| it.1))
        };
        assert_eq!(after(4, 'D', 5), (None, Some(Millis(4000))), "not for long yet");
        assert_eq!(after(6, 'D', 5).0, Some(ProcessStall::Blocked(Millis(6000))));
        assert_eq!(after(8, 'D', 6), (None, Some(Millis(0))), "it ran in between");
        assert_eq!(after(9, 'S', 6), (None, None));
    }
}

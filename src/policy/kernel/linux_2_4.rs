//! Linux 2.4.20 (`mm/oom_kill.c` `badness`): virtual size, divided by roots of CPU time and run time,
//! doubled for a positive nice value, divided by 4 for root and again by 4 for raw I/O.
//!
//! Its integer square root is rough and not monotonic; it is reproduced exactly. Jiffies are those of
//! i386 (HZ = 100), which equal the ticks of `/proc` today.

use crate::model::{Capability, Needs, Process, Reading, Scene};
use crate::policy::badness::{Badness, BadnessUnit, SparedReason, TermNote, Verdict};
use crate::policy::{
    Cite, Drift, Policy, PolicyAction, PolicyInfo, PolicyKind, PolicyTraits, TieBreak, Trigger,
    TriggerKind, TriggerState,
};
use crate::units::Points;

/// A rule of 2.4.
#[derive(Debug)]
pub struct Linux24 {
    info: PolicyInfo,
    /// With Andrew Morton's patch to 2.4.19-pre6, which spares init.
    patched: bool,
    /// Skips processes that were killed already.
    skips_dying: bool,
}

/// 2.4.22.
pub static LINUX_2_4_22: Linux24 = Linux24 {
    info: PolicyInfo {
        id: "linux-2.4:2.4.22",
        title: "Linux 2.4.22",
        about: "As 2.4.20, but a process that was killed already is skipped, and the next one dies.",
        cites: &[Cite { place: "mm/oom_kill.c badness(), PF_MEMDIE", at: "2.4.22" }],
        unit: BadnessUnit::Bare,
        kind: PolicyKind::Kernel,
    },
    patched: false,
    skips_dying: true,
};

/// 2.4.20.
pub static LINUX_2_4: Linux24 = Linux24 {
    info: PolicyInfo {
        id: "linux-2.4",
        title: "Linux 2.4.20",
        about: "Virtual size in pages, divided by the square root of the CPU time and by the fourth root \
                of the run time; doubled for a positive nice value; divided by 4 for root, and by 4 \
                again for raw I/O. oom_score_adj does not exist, and init can be chosen. A victim with \
                raw I/O gets SIGTERM, any other SIGKILL.",
        cites: &[
            Cite { place: "mm/oom_kill.c badness(), int_sqrt(), oom_kill_task()", at: "2.4.20" },
            Cite { place: "include/linux/timex.h SHIFT_HZ", at: "2.4.20" },
        ],
        unit: BadnessUnit::Bare,
        kind: PolicyKind::Kernel,
    },
    patched: false,
    skips_dying: false,
};

/// The patch to 2.4.19-pre6 (`aa-122-oom_kill`, 5 April 2002).
pub static LINUX_2_4_19_AKPM: Linux24 = Linux24 {
    info: PolicyInfo {
        id: "linux-2.4.19-akpm",
        title: "Linux 2.4.19-pre6 with the -akpm patch",
        about: "The badness of 2.4.20, but init and daemonised kernel tasks are never chosen, and the \
                killer waits until three full passes of reclaim have failed (vm.oom_kill_passes). It \
                does not pause after a kill.",
        cites: &[Cite { place: "aa-122-oom_kill: mm/oom_kill.c, mm/vmscan.c", at: "2.4.19-pre6" }],
        unit: BadnessUnit::Bare,
        kind: PolicyKind::Kernel,
    },
    patched: true,
    skips_dying: false,
};

/// `int_sqrt()` of 2.4's `mm/oom_kill.c`: halves the value once for every two bits that it drops, then
/// subtracts a quarter if a bit is left. Never returns zero.
#[must_use]
pub fn int_sqrt_24(value: u32) -> u32 {
    let mut rest = value;
    let mut root = value;
    while rest > 1 {
        rest >>= 2;
        root >>= 1;
    }
    if rest == 1 {
        root -= root >> 2;
    }
    root.max(1)
}

/// HZ = 100 gives SHIFT_HZ = 7 (`include/linux/timex.h`): CPU time counts in units of 2^10 ticks
/// (10.24 s), run time in units of 2^17 (21.8 min).
const CPU_SHIFT: u32 = 7 + 3;
const RUN_SHIFT: u32 = 7 + 10;

impl Policy for Linux24 {
    fn info(&self) -> &PolicyInfo {
        &self.info
    }

    fn needs(&self) -> Needs {
        Needs { status: true, ..Needs::default() }
    }

    fn traits(&self, _: &Scene) -> PolicyTraits {
        PolicyTraits { tie_break: TieBreak::Oldest, ..PolicyTraits::default() }
    }

    fn trigger_state(&self, scene: &Scene) -> TriggerState {
        let free = scene.now().swap.free_kib;
        let swap = Trigger {
            kind: TriggerKind::Measured,
            what: "free swap",
            now: format!("{} KiB", free.0),
            wants: "none".to_owned(),
            met: Some(free.0 == 0),
        };
        // The kernel counts failures internally; no file shows them.
        let unseen = |kind, what, wants: &str| Trigger {
            kind,
            what,
            now: "not visible from outside".to_owned(),
            wants: wants.to_owned(),
            met: None,
        };
        let mut triggers = vec![swap];
        if self.patched {
            triggers.push(unseen(
                TriggerKind::ReclaimFailures,
                "failed passes of reclaim",
                "3 (vm.oom_kill_passes)",
            ));
        }
        triggers.push(unseen(TriggerKind::ReclaimFailures, "last failure", "at most 5 s ago"));
        triggers.push(unseen(TriggerKind::ReclaimFailures, "first failure", "at least 1 s ago"));
        triggers.push(unseen(TriggerKind::ReclaimFailures, "failures counted", "at least 10"));
        if !self.patched {
            triggers.push(unseen(TriggerKind::LastKill, "last kill", "at least 5 s ago"));
        }
        let (ready, why) = if free.0 > 0 {
            (false, format!("waits until swap is full: {} KiB free", free.0))
        } else {
            (true, "no free swap: acts after 10 failed reclaims within seconds".to_owned())
        };
        TriggerState { ready, why, triggers }
    }

    fn judge(&self, process: &Process, scene: &Scene) -> Verdict {
        if process.is_kernel_thread() {
            return Verdict::Spared(SparedReason::Kernel);
        }
        if self.patched && scene.is_global_init(process) {
            return Verdict::Spared(SparedReason::Init);
        }
        if !process.has_mm {
            return Verdict::Spared(SparedReason::NoMm);
        }
        if self.skips_dying && process.dying {
            return Verdict::Spared(SparedReason::Dying);
        }
        let (Reading::Value(ids), Reading::Value(caps)) = (process.ids, process.caps) else {
            return Verdict::Spared(SparedReason::Unreadable);
        };
        // All values are `int` in 2.4, only the roots are unsigned. The times are `unsigned long` and
        // become `int` after the shift.
        let int = |wide: u64| i32::try_from(wide).unwrap_or(i32::MAX);
        let cpu = int(process.cpu.0 >> CPU_SHIFT);
        let ran = scene.now().clock.uptime_ticks.saturating_sub(process.id.born);
        let run = int(ran.0 >> RUN_SHIFT);
        let mut points = int(process.total_vm(scene.machine().page_size).0);
        let mut badness =
            Badness::default().plus("total_vm", Points(points.into()), TermNote::Fact);
        let divide = |badness: Badness, points: &mut i32, name, by: u32, because| {
            if by == 1 {
                return badness;
            }
            *points = (points.cast_unsigned() / by).cast_signed();
            badness.becoming(
                name,
                Points((*points).into()),
                TermNote::Divided { by: by.into(), because },
            )
        };
        let cpu_root = int_sqrt_24(cpu.cast_unsigned());
        badness = divide(badness, &mut points, "cpu time", cpu_root, "root of the CPU time");
        let run_root = int_sqrt_24(int_sqrt_24(run.cast_unsigned()));
        badness = divide(badness, &mut points, "run time", run_root, "root of the run time");
        if process.nice > 0 {
            // In 2.4 a process has at most 3 GiB, so doubling fits an `int`. Saturating keeps a process
            // of 4 TiB today from wrapping around to a negative value.
            points = points.saturating_mul(2);
            badness = badness.becoming(
                "nice",
                Points(points.into()),
                TermNote::Doubled { because: "positive nice value" },
            );
        }
        if caps.has(Capability::SysAdmin) || ids.uid == 0 || ids.euid == 0 {
            points /= 4;
            badness = badness.becoming(
                "root",
                Points(points.into()),
                TermNote::Divided { by: 4, because: "root or CAP_SYS_ADMIN" },
            );
        }
        if caps.has(Capability::SysRawio) {
            points /= 4;
            badness = badness.becoming(
                "raw I/O",
                Points(points.into()),
                TermNote::Divided { by: 4, because: "CAP_SYS_RAWIO: may be driving hardware" },
            );
        }
        if points <= 0 { Verdict::Spared(SparedReason::Zero) } else { Verdict::Scored(badness) }
    }

    fn drift(&self, _: &Process, _: &Scene) -> Drift {
        Drift::default()
    }

    fn also_killed<'a>(&self, victim: &Process, scene: &'a Scene) -> Vec<&'a Process> {
        crate::policy::likely_sharers(victim, scene)
    }

    fn action(&self, victim: &Process) -> PolicyAction {
        let sacrifice = crate::policy::sacrifice(victim);
        PolicyAction { signal: sacrifice.signal, why: sacrifice.why }
    }
}

//! Linux 2.6.0 to 2.6.35 (`mm/oom_kill.c` `badness`): virtual size and that of the children, divided by
//! roots of CPU time and run time, doubled for a positive nice value, divided by 4 for root and for raw
//! I/O, shifted by `oom_adj`.
//!
//! It is one rule with the era as a parameter; each era changed one thing. Up to 2.6.31 the kernel judged
//! threads, with the CPU time of each; here a process stands for its main thread, with the CPU time of all
//! threads. Jiffies of HZ 1000 and of HZ 250 give the same unit of CPU time, 8.192 s.

use crate::model::{Capabilities, Capability, DomainKind, Needs, Process, Reading, Scene, Signal};
use crate::policy::badness::{Badness, BadnessUnit, SparedReason, TermNote, Verdict};
use crate::policy::kernel::active_override::{WaitsFor, active_override};
use crate::policy::kernel::relatives::{children_apart, likely_sharers};
use crate::policy::{
    AdjEffect, Cite, Drift, Override, Policy, PolicyAction, PolicyInfo, PolicyKind, PolicyTraits,
    TieBreak, TriggerState,
};
use crate::units::{Adj, LegacyAdj, Points, TickRate};

/// A kernel 2.6.x, up to 2.6.35.
#[derive(Debug)]
pub struct Linux26 {
    info: PolicyInfo,
    /// The first x of 2.6.x in this era.
    since: u32,
}

macro_rules! era {
    ($(#[$doc:meta])* $name:ident, $since:literal, $title:literal, $about:literal) => {
        $(#[$doc])*
        pub static $name: Linux26 = Linux26 {
            info: PolicyInfo {
                id: concat!("linux-2.6:2.6.", $since),
                title: $title,
                about: $about,
                cites: &[Cite {
                    place: "mm/oom_kill.c badness(), select_bad_process(), oom_kill_process()",
                    at: concat!("2.6.", $since),
                }],
                unit: BadnessUnit::Bare,
                kind: PolicyKind::Kernel,
            },
            since: $since,
        };
    };
}

era!(
    /// 2.6.0 to 2.6.9.
    LINUX_2_6_0, 0, "Linux 2.6.0 to 2.6.9",
    "Virtual size in pages, divided by the square root of the CPU time and by the fourth root of the run \
     time; doubled for a positive nice value; divided by 4 for root, and by 4 again for raw I/O. oom_adj \
     does not exist, and children do not count. Waits for ten failures within seconds. A victim with raw \
     I/O gets SIGTERM, any other SIGKILL."
);
era!(
    /// 2.6.11 (and 2.6.10).
    LINUX_2_6_11, 11, "Linux 2.6.11",
    "As 2.6.0, plus the full virtual size of each child that has memory of its own; shifted left or right \
     by oom_adj. The oldest child dies in place of the chosen process, always by SIGKILL. While a \
     killed process is exiting, the killer waits."
);
era!(
    /// 2.6.12 to 2.6.15.
    LINUX_2_6_12, 12, "Linux 2.6.12 to 2.6.15",
    "As 2.6.11; a process with oom_adj -17 cannot be chosen."
);
era!(
    /// 2.6.16 to 2.6.18.
    LINUX_2_6_16, 16, "Linux 2.6.16 to 2.6.18",
    "As 2.6.12, but a child counts with half its size and a page. In an OOM confined to memory nodes \
     there is no choice: the process that asks for memory dies."
);
era!(
    /// 2.6.19.
    LINUX_2_6_19, 19, "Linux 2.6.19",
    "As 2.6.16; processes of other cpusets count with an eighth of their points."
);
era!(
    /// 2.6.20 and 2.6.21.
    LINUX_2_6_20, 20, "Linux 2.6.20 and 2.6.21",
    "As 2.6.19; a process is not killed if it shares memory with one that has oom_adj -17."
);
era!(
    /// 2.6.22 and 2.6.23.
    LINUX_2_6_22, 22, "Linux 2.6.22 and 2.6.23",
    "As 2.6.20; zero points become one before a positive oom_adj shifts them."
);
era!(
    /// 2.6.24.
    LINUX_2_6_24, 24, "Linux 2.6.24",
    "As 2.6.22; vm.oom_kill_allocating_task exists, and an OOM confined to memory nodes chooses a victim \
     too."
);
era!(
    /// 2.6.25 to 2.6.31.
    LINUX_2_6_25, 25, "Linux 2.6.25 to 2.6.31",
    "As 2.6.24; root means CAP_SYS_ADMIN or CAP_SYS_RESOURCE, regardless of the user id."
);
era!(
    /// 2.6.32 to 2.6.35.
    LINUX_2_6_32, 32, "Linux 2.6.32 to 2.6.35",
    "As 2.6.25; judges whole processes, and oom_adj -17 gives zero points. Processes that share the \
     victim's memory are not killed with it."
);

/// All eras, the latest first.
static ERAS: &[&Linux26] = &[
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
];

/// The rule of the kernel 2.6.`minor`. `None` from 2.6.36 on, which is a rule of its own.
pub fn era(minor: u32) -> Option<&'static dyn Policy> {
    // Children count, and SIGKILL is always sent, since 2.6.10 or 2.6.11.
    let minor = if minor == 10 { 11 } else { minor };
    let era = ERAS.iter().find(|era| era.since <= minor).filter(|_| minor < 36)?;
    Some(*era)
}

/// The facts that the formula uses.
#[derive(Clone, Debug, Default)]
struct Facts<'a> {
    total_vm: u64,
    /// `total_vm` of each child with memory of its own.
    children: &'a [u64],
    /// CPU time in units of about 8 seconds.
    cpu_units: u64,
    /// Seconds since its start.
    run_seconds: u64,
    nice: i8,
    uid: u32,
    euid: u32,
    caps: Capabilities,
    adj: LegacyAdj,
    /// It switches swap off.
    switches_swap_off: bool,
    /// The OOM is confined to memory nodes that it may not use.
    elsewhere: bool,
}

/// Whether a process switches swap off (`PF_SWAPOFF`, from 2.6.32 on `PF_OOM_ORIGIN`). Later kernels use
/// this bit for something else.
pub(crate) fn switches_swap_off(process: &Process, scene: &Scene) -> bool {
    const PF_SWAPOFF: u32 = 0x0008_0000;
    scene.machine().kernel_version() == (2, 6) && process.flags & PF_SWAPOFF != 0
}

/// The points, and their terms. The kernel computes in `unsigned long`.
fn points(facts: &Facts<'_>, era: u32) -> (u64, Badness) {
    let signed = |points: u64| Points(i64::try_from(points).unwrap_or(i64::MAX));
    if era >= 11 && facts.switches_swap_off {
        let most = TermNote::Because("it switches swap off and dies first");
        return (u64::MAX, Badness::default().plus("swapoff", signed(u64::MAX), most));
    }
    let mut points = facts.total_vm;
    let mut badness = Badness::default().plus("total_vm", signed(points), TermNote::Fact);
    if era >= 11 && !facts.children.is_empty() {
        let child = |vm: &u64| if era >= 16 { vm / 2 + 1 } else { *vm };
        let more = facts.children.iter().map(child).fold(0, u64::saturating_add);
        points = points.saturating_add(more);
        let note = if era >= 16 { "half the size of each child" } else { "size of its children" };
        badness = badness.becoming("children", signed(points), TermNote::Because(note));
    }
    let mut divide = |points: u64, name, by: u64, because| {
        if by <= 1 {
            return points;
        }
        badness = badness.becoming(name, signed(points / by), TermNote::Divided { by, because });
        points / by
    };
    points = divide(points, "cpu time", facts.cpu_units.isqrt(), "root of the CPU time");
    let run = (facts.run_seconds >> 10).isqrt().isqrt();
    points = divide(points, "run time", run, "root of the run time");
    if facts.nice > 0 {
        points = points.saturating_mul(2);
        badness = badness.becoming(
            "nice",
            signed(points),
            TermNote::Doubled { because: "positive nice value" },
        );
    }
    let has = |capability| facts.caps.has(capability);
    let root = if era >= 25 {
        has(Capability::SysAdmin) || has(Capability::SysResource)
    } else {
        has(Capability::SysAdmin) || facts.uid == 0 || facts.euid == 0
    };
    let mut quarter = |points: u64, is: bool, name, because| {
        if !is {
            return points;
        }
        badness = badness.becoming(name, signed(points / 4), TermNote::Divided { by: 4, because });
        points / 4
    };
    points = quarter(points, root, "root", "root or its capabilities");
    let raw = has(Capability::SysRawio);
    points = quarter(points, raw, "raw I/O", "CAP_SYS_RAWIO: may be driving hardware");
    if era >= 19 && facts.elsewhere {
        points /= 8;
        let because = "it may not use these memory nodes";
        badness = badness.becoming("nodes", signed(points), TermNote::Divided { by: 8, because });
    }
    if era >= 11 && facts.adj.0 != 0 {
        points = if facts.adj.0 > 0 {
            let base = if era >= 22 { points.max(1) } else { points };
            base.wrapping_shl(u32::from(facts.adj.0.unsigned_abs()))
        } else {
            points.wrapping_shr(u32::from(facts.adj.0.unsigned_abs()))
        };
        badness = badness.becoming("oom_adj", signed(points), TermNote::Shifted { by: facts.adj });
    }
    (points, badness)
}

impl Linux26 {
    /// The `oom_adj` that corresponds to an `oom_score_adj`: the nearest value, while `/proc/PID/oom_adj`
    /// today rounds toward zero.
    fn adj(process: &Process) -> LegacyAdj {
        match process.adj.value().unwrap_or(Adj::ZERO) {
            Adj::MIN => LegacyAdj::DISABLE,
            Adj(adj) => {
                let half = if adj < 0 { -500 } else { 500 };
                LegacyAdj(((i32::from(adj) * 17 + half) / 1000).clamp(-16, 15) as i8)
            }
        }
    }

    /// Whether the kernel refuses to kill a process that it chose (`oom_kill_task`).
    fn refuses(&self, process: &Process, scene: &Scene) -> bool {
        let disabled = |process: &Process| Self::adj(process) == LegacyAdj::DISABLE;
        match self.since {
            32.. => disabled(process),
            20.. => disabled(process) || likely_sharers(process, scene).into_iter().any(disabled),
            _ => false,
        }
    }
}

/// CPU time in the unit of the rule: 8192 jiffies of a millisecond.
fn cpu_units(ticks: u64, rate: TickRate) -> u64 {
    let jiffies = u128::from(ticks) * 1000 / u128::from(rate.0.max(1));
    u64::try_from(jiffies >> 13).unwrap_or(u64::MAX)
}

impl Policy for Linux26 {
    fn info(&self) -> &PolicyInfo {
        &self.info
    }

    fn needs(&self) -> Needs {
        Needs { status: true, ..Needs::default() }
    }

    fn traits(&self, _: &Scene) -> PolicyTraits {
        PolicyTraits {
            tie_break: TieBreak::Oldest,
            adj: if self.since >= 11 { AdjEffect::Rising } else { AdjEffect::Ignored },
            ..PolicyTraits::default()
        }
    }

    fn trigger_state(&self, _: &Scene) -> TriggerState {
        TriggerState::simply(
            true,
            if self.since < 11 {
                "acts after ten failed reclaims within seconds, the first at least one second ago"
            } else {
                "acts when reclaim and swap can free no more memory"
            },
        )
    }

    fn overridden(&self, scene: &Scene) -> Option<Override> {
        // panic_on_oom exists since 2.6.18 (for an OOM confined to nodes since 2.6.22), the setting for the
        // allocating task since 2.6.24. From 2.6.16 to 2.6.23 the allocating task dies in an OOM confined
        // to nodes.
        let confined = matches!(scene.domain().kind, DomainKind::Nodes(_));
        match active_override(scene, WaitsFor::AnyExiting, &|process| self.key(process, scene)) {
            Some(Override::Panic) if (22..24).contains(&self.since) => Some(Override::Panic),
            _ if confined && (16..24).contains(&self.since) => Some(Override::Confined),
            Some(Override::Panic) if self.since < 19 => None,
            Some(Override::AllocatingTask) if self.since < 24 => None,
            Some(Override::Dying(_)) if self.since < 11 => None,
            Some(Override::Swapoff(_)) if self.since < 11 => None,
            off => off,
        }
    }

    fn looks_at(&self, process: &Process, scene: &Scene) -> bool {
        let confined = matches!(scene.domain().kind, DomainKind::Nodes(_));
        (confined && self.since >= 19) || scene.domain().contains(process)
    }

    fn judge(&self, process: &Process, scene: &Scene) -> Verdict {
        if process.is_kernel_thread() {
            return Verdict::Spared(SparedReason::Kernel);
        }
        if self.since >= 11 && scene.is_global_init(process) {
            return Verdict::Spared(SparedReason::Init);
        }
        if !process.has_mm {
            return Verdict::Spared(SparedReason::NoMm);
        }
        if self.since < 11 && process.dying {
            return Verdict::Spared(SparedReason::Dying);
        }
        let adj = Self::adj(process);
        if self.since >= 12 && adj == LegacyAdj::DISABLE {
            return Verdict::Spared(SparedReason::Never);
        }
        let (Reading::Value(ids), Reading::Value(caps)) = (process.ids, process.caps) else {
            return Verdict::Spared(SparedReason::Unreadable);
        };
        let machine = scene.machine();
        let page = machine.page_size;
        let children: Vec<u64> = if self.since >= 11 {
            children_apart(process, scene).map(|child| child.total_vm(page).0).collect()
        } else {
            Vec::new()
        };
        let ran = scene.now().clock.uptime_ticks.saturating_sub(process.id.born);
        let facts = Facts {
            total_vm: process.total_vm(page).0,
            children: &children,
            cpu_units: cpu_units(process.cpu.0, machine.tick_rate),
            run_seconds: ran.seconds(machine.tick_rate),
            nice: process.nice,
            uid: ids.uid,
            euid: ids.euid,
            caps,
            adj,
            switches_swap_off: switches_swap_off(process, scene),
            // A process whose nodes are unknown counts as allowed to use these.
            elsewhere: matches!(scene.domain().kind, DomainKind::Nodes(_))
                && !scene.domain().contains(process),
        };
        let (points, badness) = points(&facts, self.since);
        // `points > maxpoints`, which begins at 0; since 2.6.10 the first process counts in any case.
        if self.since < 11 && points == 0 {
            return Verdict::Spared(SparedReason::Zero);
        }
        Verdict::Scored(badness)
    }

    fn drift(&self, _: &Process, _: &Scene) -> Drift {
        Drift::default()
    }

    fn killed_instead<'a>(
        &self,
        chosen: &Process,
        scene: &'a Scene,
    ) -> Option<(&'a Process, &'static str)> {
        if self.since < 11 {
            return None;
        }
        let child = children_apart(chosen, scene).find(|child| !self.refuses(child, scene))?;
        Some((child, "the oldest child dies in place of the chosen process"))
    }

    fn also_killed<'a>(&self, victim: &Process, scene: &'a Scene) -> Vec<&'a Process> {
        if self.since >= 32 { Vec::new() } else { likely_sharers(victim, scene) }
    }

    fn action(&self, victim: &Process) -> PolicyAction {
        if self.since >= 11 {
            return PolicyAction {
                signal: Signal::KILL,
                why: "kernels since 2.6.10 always send SIGKILL",
            };
        }
        let sacrifice = crate::policy::sacrifice(victim);
        PolicyAction { signal: sacrifice.signal, why: sacrifice.why }
    }
}

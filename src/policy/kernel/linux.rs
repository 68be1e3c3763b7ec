//! The kernel's own rule since 3.5 (`mm/oom_kill.c` `oom_badness`).
//!
//! points = rss + swap + page tables + adj x (total / 1000), the division first and integer. Up to
//! 5.8 the result is at least 1; since 5.9 it is signed. Up to 4.16 root was favoured. Whatever the
//! running kernel does is measured against `/proc/PID/oom_score` all the time, see `score`.

use crate::model::{
    Capability, GrowthBound, Machine, Needs, Process, Reading, Scene, ScoreScale, Scores, Signal,
};
use crate::policy::badness::{Badness, BadnessUnit, SparedReason, TermNote, Verdict};
use crate::policy::kernel::active_override::active_override;
use crate::policy::kernel::relatives::{likely_sharers, worst_child};
use crate::policy::kernel::skipped::kernel_skips;
use crate::policy::{
    AdjEffect, Cite, Drift, KillScope, Override, Policy, PolicyAction, PolicyInfo, PolicyKind,
    PolicyTraits, TieBreak, TriggerState,
};
use crate::units::{Adj, Kib, Pages, Points};

/// How root is favoured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Root {
    /// Its adj counts as 30 less (up to 3.13).
    Adj,
    /// 3 % of its own points are taken off (3.14 to 4.16).
    Share,
    /// Not at all (4.17 and later).
    No,
}

/// What changed between the generations.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KernelEra {
    root: Root,
    /// Points are at least 1.
    floored: bool,
    /// A child dies in the place of the one that was chosen.
    sacrifices: bool,
    /// Which of two equals dies in an OOM of the whole machine.
    tie: TieBreak,
}

/// A kernel from 3.5 on.
#[derive(Debug)]
pub struct Linux {
    info: PolicyInfo,
    /// Major and minor number; nothing for the running kernel.
    version: Option<(u32, u32)>,
}

/// The running kernel.
pub static LINUX: Linux = Linux {
    info: PolicyInfo {
        id: "linux",
        title: "the running kernel",
        about: "Resident memory + swap + page tables, in pages, plus oom_score_adj x (total / 1000). \
                The highest dies. Which of the two modern scales holds is found by comparing with \
                /proc/PID/oom_score, not by version.",
        cites: &[Cite { place: "mm/oom_kill.c oom_badness()", at: "3.5 to today" }],
        unit: BadnessUnit::Pages,
        kind: PolicyKind::RunningKernel,
    },
    version: None,
};

/// 5.9 and later.
pub static LINUX_5_9: Linux = Linux {
    info: PolicyInfo {
        id: "linux-5.9",
        title: "Linux 5.9 and later",
        about: "Resident memory + swap + page tables, in pages, plus oom_score_adj x (total / 1000). \
                The result is signed: a process far below zero is still chosen when nobody is above it. \
                Of equals the youngest dies.",
        cites: &[
            Cite { place: "mm/oom_kill.c oom_badness()", at: "5.9" },
            Cite { place: "fs/proc/base.c proc_oom_score()", at: "5.9" },
        ],
        unit: BadnessUnit::Pages,
        kind: PolicyKind::Kernel,
    },
    version: Some((5, 9)),
};

/// 5.3 to 5.8.
pub static LINUX_5_3: Linux = Linux {
    info: PolicyInfo {
        id: "linux-4.17:5.3",
        title: "Linux 5.3 to 5.8",
        about: "As 5.9, but nothing falls below 1 point: all the well-protected are equals, and of equals \
                the youngest dies.",
        cites: &[Cite { place: "mm/oom_kill.c oom_badness(), oom_evaluate_task()", at: "5.3" }],
        unit: BadnessUnit::Pages,
        kind: PolicyKind::Kernel,
    },
    version: Some((5, 3)),
};

/// 5.1 and 5.2.
pub static LINUX_5_1: Linux = Linux {
    info: PolicyInfo {
        id: "linux-4.17:5.1",
        title: "Linux 5.1 and 5.2",
        about: "As 4.17, but the one that is chosen dies itself, not a child of it.",
        cites: &[Cite { place: "mm/oom_kill.c oom_badness(), oom_kill_process()", at: "5.2" }],
        unit: BadnessUnit::Pages,
        kind: PolicyKind::Kernel,
    },
    version: Some((5, 1)),
};

/// 4.17 to 5.0.
pub static LINUX_4_17: Linux = Linux {
    info: PolicyInfo {
        id: "linux-4.17",
        title: "Linux 4.17 to 5.0",
        about: "As 5.9, but nothing falls below 1 point: all the well-protected are equals, and of equals \
                the oldest is chosen. A child of it that could be chosen too dies in its place.",
        cites: &[
            Cite { place: "mm/oom_kill.c oom_badness(), oom_kill_process()", at: "4.18" },
            Cite { place: "fs/proc/base.c proc_oom_score()", at: "4.18" },
        ],
        unit: BadnessUnit::Pages,
        kind: PolicyKind::Kernel,
    },
    version: Some((4, 17)),
};

/// 3.14 to 4.16.
pub static LINUX_3_14: Linux = Linux {
    info: PolicyInfo {
        id: "linux-3.14",
        title: "Linux 3.14 to 4.16",
        about: "As 4.17, but 3 % of the own points are taken off a process with CAP_SYS_ADMIN, before adj \
                is added. Up to 3.19 only the lowest level of page tables counted, which today's /proc \
                no longer tells apart.",
        cites: &[Cite { place: "mm/oom_kill.c oom_badness(), oom_kill_process()", at: "3.14" }],
        unit: BadnessUnit::Pages,
        kind: PolicyKind::Kernel,
    },
    version: Some((3, 14)),
};

/// 3.5 to 3.13.
pub static LINUX_3_5: Linux = Linux {
    info: PolicyInfo {
        id: "linux-3.5",
        title: "Linux 3.5 to 3.13",
        about: "As 4.17, but adj counts as 30 less for a process with CAP_SYS_ADMIN: 3 % of all memory.",
        cites: &[Cite { place: "mm/oom_kill.c oom_badness(), oom_kill_process()", at: "3.5" }],
        unit: BadnessUnit::Pages,
        kind: PolicyKind::Kernel,
    },
    version: Some((3, 5)),
};

/// The generation that the running kernel belongs to: by its version, and by the scale that its
/// `oom_score` was found to have.
#[must_use]
pub fn running(machine: &Machine) -> &'static Linux {
    let generations = [&LINUX_5_3, &LINUX_5_1, &LINUX_4_17, &LINUX_3_14];
    match machine.score_scale {
        ScoreScale::Signed => &LINUX_5_9,
        ScoreScale::Floored => generations
            .into_iter()
            .find(|generation| generation.version.is_some_and(|it| it <= machine.kernel_version()))
            .unwrap_or(&LINUX_3_5),
    }
}

impl Linux {
    pub(crate) fn rules(&self, machine: &Machine) -> KernelEra {
        let version = self.version.unwrap_or_else(|| machine.kernel_version());
        KernelEra {
            root: if version < (3, 14) {
                Root::Adj
            } else if version < (4, 17) {
                Root::Share
            } else {
                Root::No
            },
            // Late 5.4 kernels got the signed scale too: what runs here is measured.
            floored: match self.version {
                Some(version) => version < (5, 9),
                None => machine.score_scale == ScoreScale::Floored,
            },
            sacrifices: version < (5, 1),
            tie: if version < (5, 3) { TieBreak::Oldest } else { TieBreak::Youngest },
        }
    }
}

/// What each CPU may hold back of the swap counter, where no file shows what the killer reads: from
/// 6.16 (and in 6.12 by backport, proven in 6.12.95) `VmSwap` is the exact sum, while the killer up to
/// 6.19 reads the approximation. From 6.2 on before that `VmSwap` is the same approximation as the
/// killer's, and from 7.0 on the killer sums exactly too. Which 6.12 to 6.15 has the backport the
/// version does not tell, so they all count as doubtful. At most a batch of max(32, 2 x CPUs) less one
/// on each CPU (`include/linux/percpu_counter.h`); a counter that was never touched is zero on all.
#[must_use]
pub fn swap_counter_bound(machine: &Machine) -> Pages {
    if !((6, 12)..(7, 0)).contains(&machine.kernel_version()) {
        return Pages::ZERO;
    }
    // A recording may name any number of CPUs.
    let cpus = u64::from(machine.cpus.max(1));
    let batch = cpus.saturating_mul(2).max(32);
    Pages(cpus.saturating_mul(batch - 1))
}

/// The same of one process, while anything at all is swapped: what went out on one CPU and came back on
/// another leaves an exact zero beside an approximation that is none.
fn unseen_swap(process: &Process, scene: &Scene) -> Pages {
    let swaps = scene.now().swap.used() > Kib::ZERO;
    let seen = process.swap.value().is_some_and(|swap| swap > Pages::ZERO);
    if swaps || seen { swap_counter_bound(scene.machine()) } else { Pages::ZERO }
}

/// Why nothing that the kernel weighs can make it choose a process; else its adj.
pub(crate) fn spared(process: &Process, scene: &Scene) -> Result<Adj, SparedReason> {
    if process.is_kernel_thread() {
        return Err(SparedReason::Kernel);
    }
    if scene.is_global_init(process) {
        return Err(SparedReason::Init);
    }
    if !process.has_mm {
        return Err(SparedReason::NoMm);
    }
    match process.adj {
        Reading::Value(Adj::MIN) => Err(SparedReason::Never),
        Reading::Value(adj) => Ok(adj),
        Reading::Denied | Reading::Missing => Err(SparedReason::Unreadable),
        Reading::NotAsked => Ok(Adj::ZERO),
    }
}

/// The term of page tables.
pub(crate) const TABLES: &str = "pgtables";

/// Resident memory, swap and page tables.
pub(crate) fn held(process: &Process, scene: &Scene) -> Badness {
    let optional = |reading: Reading<Pages>| match reading {
        Reading::Value(pages) => (pages.points(), TermNote::Fact),
        _ => (Points(0), TermNote::Unread),
    };
    let (swap, swap_note) = optional(process.swap);
    let (tables, tables_note) = optional(process.pgtables);
    Badness::default()
        .plus("rss", scene.rss(process).points(), TermNote::Fact)
        .plus("swap", swap, swap_note)
        .plus(TABLES, tables, tables_note)
}

/// Whether it has CAP_SYS_ADMIN in effect. (The kernel asks for the initial user namespace, which
/// `/proc` does not tell apart.)
pub(crate) fn is_admin(process: &Process) -> bool {
    process.caps.value().is_some_and(|caps| caps.has(Capability::SysAdmin))
}

/// The formula itself, without what only the kernel's own score reveals.
pub(crate) fn judge_facts(
    process: &Process,
    scene: &Scene,
    rules: KernelEra,
    total: Pages,
) -> Verdict {
    let adj = match spared(process, scene) {
        Ok(adj) => adj,
        Err(reason) => return Verdict::Spared(reason),
    };
    let step = Pages(total.0 / 1000);
    let weigh = |adj: i64| Points(adj.saturating_mul(step.points().0));
    let mut badness = held(process, scene);
    match rules.root {
        Root::Share if is_admin(process) => {
            let share = badness.points.0.saturating_mul(3) / 100;
            badness = badness.plus(
                "root",
                Points(-share),
                TermNote::Because("3 % off for CAP_SYS_ADMIN"),
            );
        }
        Root::Adj if is_admin(process) => {
            let note = TermNote::Because("adj counts as 30 less with CAP_SYS_ADMIN");
            badness = badness.plus("root", weigh(-30), note);
        }
        _ => {}
    }
    let badness = badness.plus("adj", weigh(i64::from(adj.0)), TermNote::Adj { adj, step });
    Verdict::Scored(if rules.floored && badness.points.0 < 1 {
        badness.becoming("floor", Points(1), TermNote::Floor)
    } else {
        badness
    })
}

impl Policy for Linux {
    fn info(&self) -> &PolicyInfo {
        &self.info
    }

    fn needs(&self) -> Needs {
        Needs { status: true, scores: Scores::Some(Vec::new()), ..Needs::default() }
    }

    fn traits(&self, scene: &Scene) -> PolicyTraits {
        let version = self.version.unwrap_or_else(|| scene.machine().kernel_version());
        let memcg = scene.domain().is_memcg();
        PolicyTraits {
            tie_break: if memcg { TieBreak::Unseen } else { self.rules(scene.machine()).tie },
            kill_scope: if version >= (4, 19) { KillScope::OomGroup } else { KillScope::Process },
            adj: AdjEffect::Rising,
            scans: false,
        }
    }

    fn trigger_state(&self, scene: &Scene) -> TriggerState {
        let swap = scene.now().swap;
        let why = if swap.total_kib.0 == 0 {
            "acts when reclaim fails; no swap, so it comes without much warning".to_owned()
        } else {
            "acts when reclaim and swap can give nothing more".to_owned()
        };
        TriggerState::simply(true, why)
    }

    fn overridden(&self, scene: &Scene) -> Option<Override> {
        active_override(scene)
    }

    fn judge(&self, process: &Process, scene: &Scene) -> Verdict {
        match judge_facts(process, scene, self.rules(scene.machine()), scene.domain().pages) {
            Verdict::Scored(_) if kernel_skips(process, scene) => {
                Verdict::Spared(SparedReason::Skipped)
            }
            verdict => verdict,
        }
    }

    fn drift(&self, process: &Process, scene: &Scene) -> Drift {
        let counter = unseen_swap(process, scene);
        // The killer's counter is never below zero, so it can miss no more than there is.
        let missed = counter.min(process.swap.value().unwrap_or_default());
        let GrowthBound { rise, fall } = scene.growth_bound(process.id);
        // Until the next look comes, a refresh and the time that looking takes may pass.
        Drift { up: counter + rise + rise, down: missed + fall + fall }
    }

    fn max_drift_up(&self, scene: &Scene) -> Pages {
        let rise = scene.greatest_rise();
        swap_counter_bound(scene.machine()) + rise + rise
    }

    fn killed_instead<'a>(
        &self,
        chosen: &Process,
        scene: &'a Scene,
    ) -> Option<(&'a Process, &'static str)> {
        if !self.rules(scene.machine()).sacrifices {
            return None;
        }
        let child = worst_child(self, chosen, scene)?;
        Some((child, "up to 5.0 the worst child dies in the place of the one that was chosen"))
    }

    fn also_killed<'a>(&self, victim: &Process, scene: &'a Scene) -> Vec<&'a Process> {
        likely_sharers(victim, scene)
    }

    fn action(&self, _: &Process) -> PolicyAction {
        PolicyAction { signal: Signal::KILL, why: "the kernel of today always kills" }
    }
}

//! The kernel's own rule since 3.5 (`mm/oom_kill.c` `oom_badness`).
//!
//! points = rss + swap + page tables + adj x (total / 1000); the division comes first and is integer. Up
//! to 5.8 the result is at least 1; since 5.9 it is signed. Up to 4.16 root was favoured. The result for
//! the running kernel is compared with `/proc/PID/oom_score` in every sample, see `oom_score`.

use crate::model::{
    Capability, GrowthBound, Machine, Needs, Process, Reading, RssSource, Scene, ScoreScale,
    Scores, Signal,
};
use crate::policy::badness::{Badness, BadnessKey, BadnessUnit, SparedReason, TermNote, Verdict};
use crate::policy::kernel::active_override::{WaitsFor, active_override};
use crate::policy::kernel::relatives::{likely_sharers, worst_child};
use crate::policy::kernel::skipped::kernel_skips;
use crate::policy::{
    AdjEffect, Cite, Drift, KillScope, Override, Policy, PolicyAction, PolicyInfo, PolicyKind,
    PolicyTraits, TieBreak, TriggerState, bpf_policy,
};
use crate::units::{Adj, Kib, Pages, Points};

/// How processes of root are favoured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Root {
    /// adj counts as 30 less (up to 3.13).
    Adj,
    /// The points without adj are reduced by 3 % (3.14 to 4.16).
    Share,
    /// Not at all (4.17 and later).
    No,
}

/// What differs between the versions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KernelEra {
    root: Root,
    /// Points are at least 1.
    floored: bool,
    /// A child dies in place of the chosen process.
    kills_child: bool,
    /// Which of two equals dies in an OOM of the machine.
    tie: TieBreak,
}

/// A kernel from 3.5 on.
#[derive(Debug)]
pub struct Linux {
    info: PolicyInfo,
    /// Major and minor number; `None` for the running kernel.
    version: Option<(u32, u32)>,
}

/// The running kernel.
pub static LINUX: Linux = Linux {
    info: PolicyInfo {
        id: "linux",
        title: "the running kernel",
        about: "Resident memory + swap + page tables, in pages, plus oom_score_adj x (total / 1000). \
                The highest dies. Which of the two modern scales applies is found by comparing with \
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
                The result is signed: a process far below zero is still chosen if no other is above it. \
                Among equals the youngest dies.",
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
        about: "As 5.9, but the minimum is 1 point, so all well protected processes are equal. Among \
                equals the youngest dies.",
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
        about: "As 4.17, but the chosen process dies itself, not one of its children.",
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
        about: "As 5.9, but the minimum is 1 point, so all well protected processes are equal. Among \
                equals the oldest is chosen. If it has children that could be chosen, one of them dies \
                in its place.",
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
        about: "As 4.17, but a process with CAP_SYS_ADMIN has 3 % fewer points, before adj is added. Up to \
                3.19 only the lowest level of page tables counted, which /proc no longer shows separately.",
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
        about: "As 4.17, but for a process with CAP_SYS_ADMIN adj counts as 30 less: 3 % of all memory.",
        cites: &[Cite { place: "mm/oom_kill.c oom_badness(), oom_kill_process()", at: "3.5" }],
        unit: BadnessUnit::Pages,
        kind: PolicyKind::Kernel,
    },
    version: Some((3, 5)),
};

/// The rule of the running kernel: by its version, and by the scale that was measured in its
/// `oom_score`.
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
    /// Decides between equals by the order of the kernel's scan, where that is known: the highest dies. It
    /// is not the order of the list in an OOM of a memory cgroup.
    fn order(process: &Process, scene: &Scene, rules: KernelEra) -> i64 {
        let position = process.task.map_or(0, |task| i64::from(task.position));
        match rules.tie {
            _ if scene.domain().is_memcg() => 0,
            TieBreak::Oldest => -position,
            _ => position,
        }
    }

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
            // Late 5.4 kernels have the signed scale too, so the running kernel is measured.
            floored: match self.version {
                Some(version) => version < (5, 9),
                None => machine.score_scale == ScoreScale::Floored,
            },
            kills_child: version < (5, 1),
            tie: if version < (5, 3) { TieBreak::Oldest } else { TieBreak::Youngest },
        }
    }
}

/// The maximum error of the swap counter that the killer reads, which no file shows. From 6.16 (and in
/// 6.12 by backport, seen in 6.12.95) `VmSwap` is the exact sum, while the killer up to 6.19 reads an
/// approximation. From 6.2 until then `VmSwap` is the same approximation, and from 7.0 on the killer reads
/// the exact sum too. The version does not show which of 6.12 to 6.15 have the backport, so all of them
/// count as uncertain. The error is at most max(32, 2 x CPUs) - 1 on each CPU
/// (`include/linux/percpu_counter.h`); a counter that was never used is zero on all CPUs.
#[must_use]
pub fn swap_counter_bound(machine: &Machine) -> Pages {
    if !((6, 12)..(7, 0)).contains(&machine.kernel_version()) {
        return Pages::ZERO;
    }
    // A recording may contain any number of CPUs.
    let cpus = u64::from(machine.cpus.max(1));
    let batch = cpus.saturating_mul(2).max(32);
    Pages(cpus.saturating_mul(batch - 1))
}

/// The maximum error of the swap counter of one process. It applies as soon as the machine swaps at all:
/// pages swapped out on one CPU and in on another leave an exact sum of zero and another approximation.
fn swap_error(process: &Process, scene: &Scene) -> Pages {
    if process.task.is_some() {
        return Pages::ZERO; // both counters are known
    }
    let swaps = scene.now().swap.used() > Kib::ZERO;
    let seen = process.swap.value().is_some_and(|swap| swap > Pages::ZERO);
    if swaps || seen { swap_counter_bound(scene.machine()) } else { Pages::ZERO }
}

/// The adj of a process that the kernel can choose, or why it cannot choose it.
pub(crate) fn eligible_adj(process: &Process, scene: &Scene) -> Result<Adj, SparedReason> {
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

/// A term that counts as zero if it could not be read.
fn optional(reading: Reading<Pages>) -> (Points, TermNote) {
    match reading {
        Reading::Value(pages) => (pages.points(), TermNote::Fact),
        _ => (Points(0), TermNote::Unread),
    }
}

/// Swapped-out pages by the counter that the killer reads, if the process was read from the kernel's task
/// list; otherwise `VmSwap`.
fn swapped(process: &Process, machine: &Machine) -> (Points, TermNote) {
    match process.task {
        Some(task) if machine.rss_source == RssSource::Stat && process.has_mm => {
            let differs = process.swap != Reading::Value(task.swap_counter);
            let note = TermNote::Because("by the counter that the killer reads");
            (task.swap_counter.points(), if differs { note } else { TermNote::Fact })
        }
        _ => optional(process.swap),
    }
}

/// Resident memory and swap.
pub(crate) fn resident_and_swap(process: &Process, scene: &Scene) -> Badness {
    let (swap, note) = swapped(process, scene.machine());
    let rss = Badness::default().plus("rss", scene.rss(process).points(), TermNote::Fact);
    rss.plus("swap", swap, note)
}

/// The badness without adj: resident memory, swap and page tables.
pub(crate) fn usage_badness(process: &Process, scene: &Scene) -> Badness {
    let (tables, note) = optional(process.pgtables);
    resident_and_swap(process, scene).plus("pgtables", tables, note)
}

/// Whether CAP_SYS_ADMIN is effective. (The kernel requires it in the initial user namespace, which `/proc`
/// does not show.)
pub(crate) fn is_admin(process: &Process) -> bool {
    process.caps.value().is_some_and(|caps| caps.has(Capability::SysAdmin))
}

/// The formula alone, without what only the `oom_score` of the kernel shows.
pub(crate) fn judge_facts(
    process: &Process,
    scene: &Scene,
    rules: KernelEra,
    total: Pages,
) -> Verdict {
    let adj = match eligible_adj(process, scene) {
        Ok(adj) => adj,
        Err(reason) => return Verdict::Spared(reason),
    };
    let step = Pages(total.0 / 1000);
    let weight = |adj: i64| Points(adj.saturating_mul(step.points().0));
    let mut badness = usage_badness(process, scene);
    match rules.root {
        Root::Share if is_admin(process) => {
            let share = badness.points.0.saturating_mul(3) / 100;
            badness = badness.plus(
                "root",
                Points(-share),
                TermNote::Because("3 % less for CAP_SYS_ADMIN"),
            );
        }
        Root::Adj if is_admin(process) => {
            let note = TermNote::Because("adj counts as 30 less with CAP_SYS_ADMIN");
            badness = badness.plus("root", weight(-30), note);
        }
        _ => {}
    }
    let badness = badness.plus("adj", weight(i64::from(adj.0)), TermNote::Adj { adj, step });
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
            "acts when reclaim fails; without swap there is little warning".to_owned()
        } else {
            "acts when reclaim and swap can free no more memory".to_owned()
        };
        TriggerState::simply(true, why)
    }

    fn overridden(&self, scene: &Scene) -> Option<Override> {
        let version = self.version.unwrap_or_else(|| scene.machine().kernel_version());
        let waits = if version >= (4, 8) { WaitsFor::OwnVictims } else { WaitsFor::AnyExiting };
        let found = active_override(scene, waits, &|process| self.key(process, scene));
        // It is asked after these settings, and before the kernel chooses (`out_of_memory()` of the patches).
        let is_before = |it: &Override| {
            matches!(it, Override::Waits | Override::Panic | Override::AllocatingTask)
        };
        let runs_here = self.version.is_none();
        if runs_here && !found.as_ref().is_some_and(is_before) && bpf_policy(scene).is_some() {
            return Some(Override::BpfPolicy);
        }
        found
    }

    fn judge(&self, process: &Process, scene: &Scene) -> Verdict {
        let rules = self.rules(scene.machine());
        match judge_facts(process, scene, rules, scene.domain().pages) {
            Verdict::Scored(_) if kernel_skips(process, scene) => {
                Verdict::Spared(SparedReason::Skipped)
            }
            Verdict::Scored(badness) => {
                Verdict::Scored(badness.then_by(Self::order(process, scene, rules)))
            }
            verdict => verdict,
        }
    }

    fn key(&self, process: &Process, scene: &Scene) -> Result<BadnessKey, SparedReason> {
        let rules = self.rules(scene.machine());
        if rules.root != Root::No {
            return self.judge(process, scene).key();
        }
        let adj = eligible_adj(process, scene)?;
        if kernel_skips(process, scene) {
            return Err(SparedReason::Skipped);
        }
        let step = Pages(scene.domain().pages.0 / 1000).points().0;
        let mut points = scene.rss(process).points();
        points += swapped(process, scene.machine()).0;
        points += optional(process.pgtables).0;
        points += Points(i64::from(adj.0).saturating_mul(step));
        if rules.floored {
            points = points.max(Points(1));
        }
        Ok(BadnessKey { class: 0, points, second: Self::order(process, scene, rules) })
    }

    fn drift(&self, process: &Process, scene: &Scene) -> Drift {
        let counter = swap_error(process, scene);
        // The counter is never below zero, so the error downwards is at most its value.
        let missed = counter.min(process.swap.value().unwrap_or_default());
        let GrowthBound { rise, fall } = scene.growth_bound(process.id);
        // Until the next sample, a refresh interval and the time of sampling may pass: growth counts twice.
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
        if !self.rules(scene.machine()).kills_child {
            return None;
        }
        let child = worst_child(self, chosen, scene)?;
        Some((
            child,
            "up to 5.0, the child with the highest badness dies in place of the chosen process",
        ))
    }

    fn also_killed<'a>(&self, victim: &Process, scene: &'a Scene) -> Vec<&'a Process> {
        likely_sharers(victim, scene)
    }

    fn action(&self, _: &Process) -> PolicyAction {
        PolicyAction { signal: Signal::KILL, why: "current kernels always send SIGKILL" }
    }
}

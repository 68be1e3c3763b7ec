//! Linux 2.6.36 to 3.4 (`mm/oom_kill.c` `oom_badness`): per mille of all memory, 30 less for root, plus
//! `oom_score_adj`, between 1 and 1000. Ties are common; the oldest is chosen.

use crate::model::{GrowthBound, Needs, Process, Scene, Scores, Signal};
use crate::policy::badness::{Badness, BadnessUnit, TermNote, Verdict};
use crate::policy::kernel::active_override::{WaitsFor, active_override};
use crate::policy::kernel::linux::{eligible_adj, is_admin, resident_and_swap, usage_badness};
use crate::policy::kernel::linux_2_6::switches_swap_off;
use crate::policy::kernel::relatives::{likely_sharers, worst_child};
use crate::policy::{
    AdjEffect, Cite, Drift, Override, Policy, PolicyAction, PolicyInfo, PolicyKind, PolicyTraits,
    TieBreak, TriggerState,
};
use crate::units::{Pages, Points};

/// The versions with different formulas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Era {
    /// 2.6.36 to 2.6.38: page tables do not count.
    First,
    /// 2.6.39 to 3.2: page tables count; the product is computed in 32 bits.
    Overflowing,
    /// 3.3 and 3.4.
    Last,
}

/// The rule of 2.6.36 to 3.4.
#[derive(Debug)]
pub struct Linux2636 {
    info: PolicyInfo,
    era: Era,
}

/// 2.6.36 to 2.6.38.
pub static LINUX_2_6_36: Linux2636 = Linux2636 {
    info: PolicyInfo {
        id: "linux-2.6.36",
        title: "Linux 2.6.36 to 2.6.38",
        about: "Resident memory + swap in per mille of all memory, 30 less for a process with \
                CAP_SYS_ADMIN, plus oom_score_adj; at least 1, at most 1000. Among equals the oldest is \
                chosen. If it has children that could be chosen, one of them dies in its place.",
        cites: &[Cite { place: "mm/oom_kill.c oom_badness(), oom_kill_process()", at: "2.6.36" }],
        unit: BadnessUnit::Bare,
        kind: PolicyKind::Kernel,
    },
    era: Era::First,
};

/// 2.6.39 to 3.2.
pub static LINUX_2_6_39: Linux2636 = Linux2636 {
    info: PolicyInfo {
        id: "linux-2.6.36:2.6.39",
        title: "Linux 2.6.39 to 3.2",
        about: "As 2.6.36, but page tables count too, and an overflow in 32 bits gives processes with more \
                than 8.2 GiB arbitrary points.",
        cites: &[Cite { place: "mm/oom_kill.c oom_badness(), oom_kill_process()", at: "2.6.39" }],
        unit: BadnessUnit::Bare,
        kind: PolicyKind::Kernel,
    },
    era: Era::Overflowing,
};

/// 3.3 and 3.4.
pub static LINUX_3_3: Linux2636 = Linux2636 {
    info: PolicyInfo {
        id: "linux-2.6.36:3.3",
        title: "Linux 3.3 and 3.4",
        about: "As 2.6.39, without the overflow.",
        cites: &[Cite { place: "mm/oom_kill.c oom_badness(), oom_kill_process()", at: "3.4" }],
        unit: BadnessUnit::Bare,
        kind: PolicyKind::Kernel,
    },
    era: Era::Last,
};

/// Per mille of `total`, computed as in 2.6.39 to 3.2: the product is an `int` and overflows from 8.2 GiB
/// on, the division is unsigned, and its result is an `int` again.
fn overflowing_permille(held: Points, total: Pages) -> Points {
    let product = (held.0 as i32).wrapping_mul(1000);
    let share = i64::from(product).cast_unsigned() / total.0.max(1);
    Points(i64::from(share as i32))
}

/// Per mille of `total`.
fn permille(held: Points, total: Pages) -> Points {
    let share = i128::from(held.0) * 1000 / i128::from(total.0.max(1));
    Points(i64::try_from(share).unwrap_or(i64::MAX))
}

/// The change in points if a process grows or shrinks by twice these pages until the next sample.
fn points_of(pages: Pages, scene: &Scene) -> Pages {
    let moved = permille((pages + pages).points(), scene.domain().pages).0;
    // Rounding may add one more point.
    Pages(u64::try_from(moved).unwrap_or(0) + u64::from(pages.0 > 0))
}

impl Policy for Linux2636 {
    fn info(&self) -> &PolicyInfo {
        &self.info
    }

    fn needs(&self) -> Needs {
        Needs { status: true, scores: Scores::None, ..Needs::default() }
    }

    fn traits(&self, scene: &Scene) -> PolicyTraits {
        let memcg = scene.domain().is_memcg();
        PolicyTraits {
            tie_break: if memcg { TieBreak::Unseen } else { TieBreak::Oldest },
            adj: AdjEffect::Rising,
            ..PolicyTraits::default()
        }
    }

    fn trigger_state(&self, _: &Scene) -> TriggerState {
        TriggerState::simply(true, "acts when reclaim and swap can free no more memory")
    }

    fn overridden(&self, scene: &Scene) -> Option<Override> {
        active_override(scene, WaitsFor::AnyExiting, &|process| self.key(process, scene))
    }

    fn judge(&self, process: &Process, scene: &Scene) -> Verdict {
        let adj = match eligible_adj(process, scene) {
            Ok(adj) => adj,
            Err(reason) => return Verdict::Spared(reason),
        };
        if self.era < Era::Last && switches_swap_off(process, scene) {
            let most = TermNote::Because("it switches swap off and dies first");
            return Verdict::Scored(Badness::default().plus("swapoff", Points(1000), most));
        }
        let total = scene.domain().pages;
        let mut badness = match self.era {
            Era::First => resident_and_swap(process, scene),
            Era::Overflowing | Era::Last => usage_badness(process, scene),
        };
        let share = match self.era {
            Era::Overflowing => overflowing_permille(badness.points, total),
            Era::First | Era::Last => permille(badness.points, total),
        };
        badness = badness.becoming("share", share, TermNote::Because("per mille of all memory"));
        if is_admin(process) {
            badness = badness.plus("root", Points(-30), TermNote::Because("CAP_SYS_ADMIN"));
        }
        let weight = Points(i64::from(adj.0));
        badness = badness.plus("adj", weight, TermNote::Because("oom_score_adj unchanged"));
        let clamped = Points(badness.points.0.clamp(1, 1000));
        Verdict::Scored(if clamped == badness.points {
            badness
        } else {
            badness.becoming("limit", clamped, TermNote::Because("at least 1, at most 1000"))
        })
    }

    fn drift(&self, process: &Process, scene: &Scene) -> Drift {
        let GrowthBound { rise, fall } = scene.growth_bound(process.id);
        Drift { up: points_of(rise, scene), down: points_of(fall, scene) }
    }

    fn max_drift_up(&self, scene: &Scene) -> Pages {
        points_of(scene.greatest_rise(), scene)
    }

    fn killed_instead<'a>(
        &self,
        chosen: &Process,
        scene: &'a Scene,
    ) -> Option<(&'a Process, &'static str)> {
        let child = worst_child(self, chosen, scene)?;
        Some((child, "the child with the highest badness dies in place of the chosen process"))
    }

    fn also_killed<'a>(&self, victim: &Process, scene: &'a Scene) -> Vec<&'a Process> {
        likely_sharers(victim, scene)
    }

    fn action(&self, _: &Process) -> PolicyAction {
        PolicyAction { signal: Signal::KILL, why: "kernels since 2.6.10 always send SIGKILL" }
    }
}

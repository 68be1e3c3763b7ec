//! Linux 2.6.36 to 3.4 (`mm/oom_kill.c` `oom_badness`): per-mille of all memory, 30 off for root, plus
//! `oom_score_adj`, between 1 and 1000. Ties are common, and the oldest is chosen.

use crate::model::{GrowthBound, Needs, Process, Scene, Scores, Signal};
use crate::policy::badness::{Badness, BadnessUnit, TermNote, Verdict};
use crate::policy::kernel::active_override::active_override;
use crate::policy::kernel::linux::{TABLES, held, is_admin, spared};
use crate::policy::kernel::linux_2_6::is_origin;
use crate::policy::kernel::relatives::{likely_sharers, worst_child};
use crate::policy::{
    AdjEffect, Cite, Drift, Override, Policy, PolicyAction, PolicyInfo, PolicyKind, PolicyTraits,
    TieBreak, TriggerState,
};
use crate::units::{Pages, Points};

/// When.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Era {
    /// 2.6.36 to 2.6.38: without page tables.
    First,
    /// 2.6.39 to 3.2: with them, in 32 bits.
    Narrow,
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
        about: "Resident memory + swap as per-mille of all memory, 30 less for a process with \
                CAP_SYS_ADMIN, plus oom_score_adj; at least 1, at most 1000. Of equals the oldest is \
                chosen. A child of it that could be chosen too dies in its place.",
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
        about: "As 2.6.36, with page tables; but computed in 32 bits, so that whoever holds more than \
                8.2 GiB may come out with any number of points.",
        cites: &[Cite { place: "mm/oom_kill.c oom_badness(), oom_kill_process()", at: "2.6.39" }],
        unit: BadnessUnit::Bare,
        kind: PolicyKind::Kernel,
    },
    era: Era::Narrow,
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

/// The same in the 32 bits of 2.6.39 to 3.2, which overflow from 8.2 GiB on: the product is an `int`,
/// the division that of an `unsigned long`, and its result an `int` again.
fn narrow(held: Points, total: Pages) -> Points {
    let product = (held.0 as i32).wrapping_mul(1000);
    let share = i64::from(product).cast_unsigned() / total.0.max(1);
    Points(i64::from(share as i32))
}

/// Points of a process that holds so many pages of `total`: per-mille.
fn permille(held: Points, total: Pages) -> Points {
    let share = i128::from(held.0) * 1000 / i128::from(total.0.max(1));
    Points(i64::try_from(share).unwrap_or(i64::MAX))
}

/// By how many points a process may move until the next look, if it moves twice as far as lately.
fn shift(pages: Pages, scene: &Scene) -> Pages {
    let moved = permille((pages + pages).points(), scene.domain().pages).0;
    // What is left of a division may tip over.
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
        TriggerState::simply(true, "acts when reclaim and swap can give nothing more")
    }

    fn overridden(&self, scene: &Scene) -> Option<Override> {
        active_override(scene)
    }

    fn judge(&self, process: &Process, scene: &Scene) -> Verdict {
        let adj = match spared(process, scene) {
            Ok(adj) => adj,
            Err(reason) => return Verdict::Spared(reason),
        };
        if self.era < Era::Last && is_origin(process, scene) {
            let most = TermNote::Because("it switches swap off, and dies first");
            return Verdict::Scored(Badness::default().plus("swapoff", Points(1000), most));
        }
        let total = scene.domain().pages;
        let mut badness = Badness::default();
        for term in held(process, scene).terms.as_slice() {
            if self.era > Era::First || term.name != TABLES {
                badness = badness.plus(term.name, term.points, term.note);
            }
        }
        let share = match self.era {
            Era::Narrow => narrow(badness.points, total),
            Era::First | Era::Last => permille(badness.points, total),
        };
        badness = badness.becoming("share", share, TermNote::Because("per-mille of all memory"));
        if is_admin(process) {
            badness = badness.plus("root", Points(-30), TermNote::Because("CAP_SYS_ADMIN"));
        }
        let weight = Points(i64::from(adj.0));
        badness = badness.plus("adj", weight, TermNote::Because("oom_score_adj as it is"));
        let clamped = Points(badness.points.0.clamp(1, 1000));
        Verdict::Scored(if clamped == badness.points {
            badness
        } else {
            badness.becoming("limit", clamped, TermNote::Because("at least 1, at most 1000"))
        })
    }

    fn drift(&self, process: &Process, scene: &Scene) -> Drift {
        let GrowthBound { rise, fall } = scene.growth_bound(process.id);
        Drift { up: shift(rise, scene), down: shift(fall, scene) }
    }

    fn max_drift_up(&self, scene: &Scene) -> Pages {
        shift(scene.greatest_rise(), scene)
    }

    fn killed_instead<'a>(
        &self,
        chosen: &Process,
        scene: &'a Scene,
    ) -> Option<(&'a Process, &'static str)> {
        let child = worst_child(self, chosen, scene)?;
        Some((child, "the worst child dies in the place of the one that was chosen"))
    }

    fn also_killed<'a>(&self, victim: &Process, scene: &'a Scene) -> Vec<&'a Process> {
        likely_sharers(victim, scene)
    }

    fn action(&self, _: &Process) -> PolicyAction {
        PolicyAction { signal: Signal::KILL, why: "kernels from 2.6.10 on always kill" }
    }
}

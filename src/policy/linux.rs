//! The kernel's own rule: 4.17 to 5.8, and 5.9 and later (`mm/oom_kill.c` `oom_badness`).
//!
//! points = rss + swap + page tables + adj x (total / 1000), the division first and integer. Up to
//! 5.8 the result is at least 1; since 5.9 it is signed. Both are measured against
//! `/proc/PID/oom_score` all the time, see `app::check`.

use super::badness::{Badness, Note, Reason, Unit, Verdict};
use super::{Act, Armed, Cite, Off, Policy, Sway, Tie};
use crate::model::{Machine, Needs, Process, Reading, Scene, ScoreScale, Scores, Signal};
use crate::units::{Adj, Pages, Points};

/// Which of the two rules.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rule {
    /// Whichever the running kernel's `oom_score` follows.
    Running,
    /// At least 1.
    Floored,
    /// Signed.
    Signed,
}

/// A kernel from 4.17 on.
#[derive(Debug)]
pub struct Linux {
    id: &'static str,
    title: &'static str,
    about: &'static str,
    cites: &'static [Cite],
    pub(super) rule: Rule,
}

/// The running kernel.
pub static LINUX: Linux = Linux {
    id: "linux",
    title: "the running kernel",
    about: "Resident memory + swap + page tables, in pages, plus oom_score_adj x (total / 1000). \
            The highest dies. Which of the two modern scales holds is found by comparing with \
            /proc/PID/oom_score, not by version.",
    cites: &[Cite { place: "mm/oom_kill.c oom_badness()", at: "4.17 to today" }],
    rule: Rule::Running,
};

/// 5.9 and later.
pub static LINUX_5_9: Linux = Linux {
    id: "linux-5.9",
    title: "Linux 5.9 and later",
    about: "Resident memory + swap + page tables, in pages, plus oom_score_adj x (total / 1000). \
            The result is signed: a process far below zero is still chosen when nobody is above it.",
    cites: &[
        Cite { place: "mm/oom_kill.c oom_badness()", at: "5.9" },
        Cite { place: "fs/proc/base.c proc_oom_score()", at: "5.9" },
    ],
    rule: Rule::Signed,
};

/// 4.17 to 5.8.
pub static LINUX_4_17: Linux = Linux {
    id: "linux-4.17",
    title: "Linux 4.17 to 5.8",
    about: "As 5.9, but nothing falls below 1 point: all the well-protected are equals.",
    cites: &[
        Cite { place: "mm/oom_kill.c oom_badness()", at: "4.18" },
        Cite { place: "fs/proc/base.c proc_oom_score()", at: "4.18" },
    ],
    rule: Rule::Floored,
};

/// The kernel policy whose numbers the running kernel's `oom_score` follows.
#[must_use]
pub fn running(scale: ScoreScale) -> &'static Linux {
    match scale {
        ScoreScale::Signed => &LINUX_5_9,
        ScoreScale::Floored => &LINUX_4_17,
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

/// The same of one process: nothing where it has no swap.
fn unseen_swap(process: &Process, scene: &Scene) -> Pages {
    let swapped = process.swap.value().is_some_and(|swap| swap.0 > 0);
    if swapped { swap_counter_bound(scene.machine()) } else { Pages::ZERO }
}

/// The formula itself, without what only the kernel's own score reveals.
pub(super) fn judge_facts(process: &Process, scene: &Scene, rule: Rule, total: Pages) -> Verdict {
    if process.is_kernel_thread() {
        return Verdict::Spared(Reason::Kernel);
    }
    if scene.is_global_init(process) {
        return Verdict::Spared(Reason::Init);
    }
    if !process.has_mm {
        return Verdict::Spared(Reason::NoMm);
    }
    let adj = match process.adj {
        Reading::Value(Adj::MIN) => return Verdict::Spared(Reason::Never),
        Reading::Value(adj) => adj,
        Reading::Denied | Reading::Missing => return Verdict::Spared(Reason::Unreadable),
        Reading::NotAsked => Adj::ZERO,
    };
    let optional = |reading: Reading<Pages>| match reading {
        Reading::Value(pages) => (pages.points(), Note::Fact),
        _ => (Points(0), Note::Unread),
    };
    let (swap, swap_note) = optional(process.swap);
    let (tables, tables_note) = optional(process.pgtables);
    let step = Pages(total.0 / 1000);
    let weight = Points(i64::from(adj.0).saturating_mul(step.points().0));
    let badness = Badness::default()
        .plus("rss", scene.rss(process).points(), Note::Fact)
        .plus("swap", swap, swap_note)
        .plus("pgtables", tables, tables_note)
        .plus("adj", weight, Note::Adj { adj, step });
    let floored = match rule {
        Rule::Floored => true,
        Rule::Signed => false,
        Rule::Running => scene.machine().score_scale == ScoreScale::Floored,
    };
    Verdict::Scored(if floored && badness.points.0 < 1 {
        badness.becoming("floor", Points(1), Note::Floor)
    } else {
        badness
    })
}

/// On the signed scale the formula cannot give 0 above adj -997, so a 0 from the kernel means that
/// it skips the process: in vfork, or already reaped (facts of `fs/proc/base.c`, 5.9). Only a score
/// read beside the sizes tells: a remembered 0 may be of a time before exec, or before adj rose.
#[must_use]
pub fn kernel_skips(process: &Process, scene: &Scene) -> bool {
    scene.machine().score_scale == ScoreScale::Signed
        && process.score_fresh
        && process.score.value() == Some(0)
        && process.adj.value().is_some_and(|adj| adj.0 >= -997)
        && process.has_mm
        && !process.is_kernel_thread()
        && !scene.is_global_init(process)
}

/// Processes that seem to live in the victim's memory: its parent or children with sizes equal to
/// the page. The kernel kills all who share the memory; only the sizes tell without extra rights.
/// (Siblings with equal sizes are nearly always forked twins with memory of their own.)
#[must_use]
pub fn likely_sharers<'a>(victim: &Process, scene: &'a Scene) -> Vec<&'a Process> {
    let sizes = |process: &Process| {
        (process.vsize, process.rss_stat, process.rss_exact, process.pgtables, process.swap)
    };
    scene
        .now()
        .processes
        .iter()
        .filter(|other| other.parent == victim.id.pid || victim.parent == other.id.pid)
        .filter(|other| other.has_mm && victim.has_mm && sizes(other) == sizes(victim))
        .collect()
}

impl Policy for Linux {
    fn id(&self) -> &'static str {
        self.id
    }

    fn title(&self) -> &'static str {
        self.title
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn cites(&self) -> &'static [Cite] {
        self.cites
    }

    fn needs(&self) -> Needs {
        Needs { status: true, scores: Scores::Some(Vec::new()), ..Needs::default() }
    }

    fn unit(&self) -> Unit {
        Unit::Pages
    }

    fn armed(&self, scene: &Scene) -> Armed {
        let swap = scene.now().swap;
        let why = if swap.total_kib.0 == 0 {
            "acts when reclaim fails; no swap, so it comes without much warning".to_owned()
        } else {
            "acts when reclaim and swap can give nothing more".to_owned()
        };
        Armed::simply(true, why)
    }

    fn off(&self, scene: &Scene) -> Option<Off> {
        super::off::off(scene)
    }

    fn judge(&self, process: &Process, scene: &Scene) -> Verdict {
        match judge_facts(process, scene, self.rule, scene.domain().pages) {
            Verdict::Scored(_) if kernel_skips(process, scene) => Verdict::Spared(Reason::Skipped),
            verdict => verdict,
        }
    }

    fn sway(&self, process: &Process, scene: &Scene) -> Sway {
        let counter = unseen_swap(process, scene);
        // The killer's counter is never below zero, so it can miss no more than there is.
        let missed = counter.min(process.swap.value().unwrap_or_default());
        let grown = scene.growth(process).map_or(0, |growth| growth.pages.0);
        let pages = |count: i64| Pages(u64::try_from(count).unwrap_or(0));
        Sway { up: counter + pages(grown), down: missed + pages(grown.saturating_neg()) }
    }

    fn reach(&self, process: &Process, scene: &Scene) -> Pages {
        // Nobody can have gained more than it has. Which of the two counters growth is measured by
        // depends on the look before, so the larger one bounds it.
        let rss = process.rss_stat.max(scene.rss(process));
        let swap = process.swap.value().unwrap_or_default();
        let tables = process.pgtables.value().unwrap_or_default();
        rss + swap + tables + unseen_swap(process, scene)
    }

    fn tie(&self, scene: &Scene) -> Tie {
        // 5.3 and later keep the last one scanned, earlier ones the first thread-group leader.
        match self.rule {
            _ if scene.domain().is_memcg() => Tie::Unseen,
            Rule::Signed => Tie::Youngest,
            _ if scene.machine().kernel_version() >= (5, 3) => Tie::Youngest,
            _ => Tie::Oldest,
        }
    }

    fn company<'a>(&self, victim: &Process, scene: &'a Scene) -> Vec<&'a Process> {
        likely_sharers(victim, scene)
    }

    fn act(&self, _: &Process) -> Act {
        Act { signal: Signal::KILL, why: "the kernel of today always kills" }
    }
}

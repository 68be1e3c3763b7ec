//! How this kernel computes `oom_score`, found by comparing: the scale of the score, and which
//! counter of resident pages goes into it.

use crate::model::{Machine, Process, Reading, RssSource, ScoreScale};
use crate::sample::file_buffer::FileBuffer;
use crate::sample::parse;
use crate::sample::proc_root::ProcRoot;
use crate::units::{Adj, Pages};

/// Our own score tells at once: an adj of 0 shows 600 and more on the signed scale, for which a
/// process would have to hold three fifths of the machine on the other. `None` when our adj is
/// not 0, the tree has no `self`, or the score is low, which [`calibrate`] then looks into.
#[must_use]
pub fn own_scale(root: &ProcRoot) -> Option<ScoreScale> {
    let mut buffer = FileBuffer::new();
    let adj = buffer.read(root, c"self/oom_score_adj").ok()?;
    let adj = parse::oom_score_adj(adj).ok()?;
    let score = buffer.read(root, c"self/oom_score").ok()?;
    let score = parse::oom_score(score).ok()?;
    (adj.0 == 0 && score >= 600).then_some(ScoreScale::Signed)
}

/// What `oom_score` shows for so many points on a scale (`fs/proc/base.c` `proc_oom_score` of 5.9
/// and of 4.17).
fn score_of(points: i64, total: i64, scale: ScoreScale) -> i64 {
    match scale {
        ScoreScale::Signed => (1000 + points * 1000 / total) * 2 / 3,
        ScoreScale::Floored => points.max(1) * 1000 / total,
    }
}

/// The numbers of a process that a score is compared by: what it holds beside its resident memory, its
/// adj, its score. `None` where one is missing, or where the kernel's score is 0 by rule.
fn comparable(process: &Process, machine: &Machine) -> Option<(Pages, Adj, u32)> {
    // Swap and page tables count; without them the comparison says nothing.
    let (adj, score) = (process.adj.value()?, process.score.value()?);
    let tables = process.pgtables.value()?;
    let init = process.id.pid == 1 && machine.initial_pid_namespace;
    if init || process.is_kernel_thread() || !process.has_mm || adj.0 <= -900 {
        return None;
    }
    Some((process.swap.value().unwrap_or(Pages::ZERO) + tables, adj, score))
}

/// A number of pages that the products of [`score_of`] have room for; no machine has more.
fn sane(pages: Pages) -> Option<i64> {
    i64::try_from(pages.0).ok().filter(|&pages| pages < 1 << 50)
}

/// The points of a process that holds so much.
fn points_of(held: Pages, adj: Adj, total: i64) -> Option<i64> {
    Some(sane(held)? + i64::from(adj.0) * (total / 1000))
}

/// Finds the scale of `oom_score`: the one that gives more processes exactly the score that the
/// kernel shows. `None` when there is nobody to compare, or no difference.
#[must_use]
pub fn calibrate(processes: &[Process], machine: &Machine, total: Pages) -> Option<ScoreScale> {
    let total = sane(total).filter(|&total| total > 0)?;
    let mut matches = [0_u32; 2];
    for process in processes {
        let rss = match (machine.rss_source, process.rss_exact) {
            (RssSource::Status, Reading::Value(rss)) => rss,
            _ => process.rss_stat,
        };
        let Some((beside, adj, score)) = comparable(process, machine) else { continue };
        let Some(points) = points_of(rss + beside, adj, total) else { continue };
        for (hits, scale) in matches.iter_mut().zip([ScoreScale::Signed, ScoreScale::Floored]) {
            *hits += u32::from(score_of(points, total, scale) == i64::from(score));
        }
    }
    match matches {
        [signed, floored] if signed > floored => Some(ScoreScale::Signed),
        [signed, floored] if floored > signed => Some(ScoreScale::Floored),
        _ => None,
    }
}

/// Which of the two files the kernel's own scores fit, where they fit only one: the OOM killer and
/// `oom_score` go by the same counter. Versions tell the same, but a distributor may have taken the
/// change of 7.0 back to an older kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SourceEvidence {
    stat: u64,
    status: u64,
}

impl SourceEvidence {
    /// So many more scores must speak for a file, and eight times as many as against it, before it is
    /// believed against the version: a process that grew between two files speaks for either.
    const ENOUGH: u64 = 8;

    /// Takes the scores of a look that were read beside the sizes.
    pub fn weigh(&mut self, processes: &[Process], machine: &Machine, total: Pages) {
        let Some(total) = sane(total).filter(|&total| total > 0) else { return };
        for process in processes.iter().filter(|process| process.score_fresh) {
            let Reading::Value(exact) = process.rss_exact else { continue };
            if exact == process.rss_stat {
                continue;
            }
            let Some((beside, adj, score)) = comparable(process, machine) else { continue };
            let fits = |rss: Pages| {
                points_of(rss + beside, adj, total)
                    .is_some_and(|p| score_of(p, total, machine.score_scale) == i64::from(score))
            };
            match (fits(process.rss_stat), fits(exact)) {
                (true, false) => self.stat += 1,
                (false, true) => self.status += 1,
                _ => {}
            }
        }
    }

    /// How many scores fit only this file, and how many only the other one.
    #[must_use]
    pub const fn for_and_against(&self, source: RssSource) -> (u64, u64) {
        match source {
            RssSource::Stat => (self.stat, self.status),
            RssSource::Status => (self.status, self.stat),
        }
    }

    /// The file to trust, where the version says this one.
    #[must_use]
    pub fn verdict(&self, by_version: RssSource) -> RssSource {
        let other = match by_version {
            RssSource::Stat => RssSource::Status,
            RssSource::Status => RssSource::Stat,
        };
        let (other_wise, this_wise) = self.for_and_against(other);
        if other_wise >= Self::ENOUGH && other_wise > this_wise.saturating_mul(8) {
            other
        } else {
            by_version
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOTAL: Pages = Pages(6_000_000);

    fn shows(held: u64, adj: i16, score: u32) -> Process {
        Process {
            rss_stat: Pages(held),
            pgtables: Reading::Value(Pages(0)),
            swap: Reading::Value(Pages(0)),
            adj: Reading::Value(Adj(adj)),
            score: Reading::Value(score),
            has_mm: true,
            ..Process::default()
        }
    }

    #[test]
    fn the_scale_is_found_by_comparing() {
        let machine = Machine::default();
        let found = |rows: &[Process]| calibrate(rows, &machine, TOTAL);
        assert_eq!(found(&[shows(400, 0, 666)]), Some(ScoreScale::Signed));
        assert_eq!(found(&[shows(400, 0, 0)]), Some(ScoreScale::Floored));
        assert_eq!(found(&[shows(600_000, 100, 200)]), Some(ScoreScale::Floored));
        assert_eq!(found(&[shows(600_000, 100, 800)]), Some(ScoreScale::Signed));
        assert_eq!(found(&[shows(400, 0, 123)]), None, "neither fits");
        assert_eq!(found(&[shows(400, 0, 666), shows(400, 0, 0)]), None, "a draw");
        assert_eq!(found(&[]), None);
    }

    #[test]
    fn who_cannot_be_compared_is_left_out() {
        let machine = Machine { initial_pid_namespace: true, ..Machine::default() };
        let mut init = shows(400, 0, 0);
        init.id.pid = 1;
        let mut kernel = shows(400, 0, 0);
        kernel.flags = Process::PF_KTHREAD;
        let mut ended = shows(400, 0, 0);
        ended.has_mm = false;
        let mut unread = shows(400, 0, 0);
        unread.score = Reading::NotAsked;
        let spared = shows(400, -950, 0);
        assert_eq!(calibrate(&[init, kernel, ended, unread, spared], &machine, TOTAL), None);
        assert_eq!(calibrate(&[shows(400, 0, 666)], &machine, Pages(0)), None);
    }

    #[test]
    fn scores_that_fit_one_file_only_outvote_the_version() {
        let machine = Machine::default();
        // At 12,000 pages the score steps from 667 to 668: the two counters stand on either side of one.
        let torn = |score| Process {
            rss_exact: Reading::Value(Pages(12_020)),
            score_fresh: true,
            ..shows(11_990, 0, score)
        };
        let by = |pages| u32::try_from(score_of(pages, 6_000_000, ScoreScale::Signed)).unwrap();
        let (low, high) = (by(11_990), by(12_020));
        assert_ne!(low, high);
        let weigh = |scores: &[u32]| {
            let mut evidence = SourceEvidence::default();
            let rows: Vec<Process> = scores.iter().map(|&score| torn(score)).collect();
            evidence.weigh(&rows, &machine, TOTAL);
            evidence
        };
        assert_eq!(weigh(&[high; 8]).verdict(RssSource::Stat), RssSource::Status);
        assert_eq!(weigh(&[high; 7]).verdict(RssSource::Stat), RssSource::Stat, "too few");
        assert_eq!(weigh(&[low; 9]).verdict(RssSource::Status), RssSource::Stat);
        let mixed: Vec<u32> = [[high; 9], [low; 9]].concat();
        assert_eq!(weigh(&mixed).verdict(RssSource::Stat), RssSource::Stat, "growing processes");
        assert_eq!(weigh(&mixed).for_and_against(RssSource::Stat), (9, 9));
        let stale = Process { score_fresh: false, ..torn(high) };
        let mut evidence = SourceEvidence::default();
        evidence.weigh(&[stale], &machine, TOTAL);
        assert_eq!(evidence, SourceEvidence::default());
    }
}

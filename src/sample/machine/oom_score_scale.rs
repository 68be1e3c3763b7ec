//! Finds by comparison how this kernel computes `oom_score`: the scale of the score, and which
//! counter of resident pages it uses.

use crate::model::{Machine, Process, Reading, RssSource, ScoreScale};
use crate::sample::file_buffer::FileBuffer;
use crate::sample::parse;
use crate::sample::proc_root::ProcRoot;
use crate::units::{Adj, Pages};

/// The scale, from doomtop's own score: with an adj of 0, the signed scale shows 600 and more, for
/// which a process would have to use three fifths of the machine on the other scale. `None` if its
/// adj is not 0, if the tree has no `self`, or if the score is lower; then [`calibrate`] can tell.
#[must_use]
pub fn own_scale(root: &ProcRoot) -> Option<ScoreScale> {
    let mut buffer = FileBuffer::new();
    let adj = buffer.read(root, c"self/oom_score_adj").ok()?;
    let adj = parse::oom_score_adj(adj).ok()?;
    let score = buffer.read(root, c"self/oom_score").ok()?;
    let score = parse::oom_score(score).ok()?;
    (adj.0 == 0 && score >= 600).then_some(ScoreScale::Signed)
}

/// The `oom_score` of a badness on a scale (`fs/proc/base.c` `proc_oom_score` of 5.9 and of 4.17).
fn score_of(points: i64, total: i64, scale: ScoreScale) -> i64 {
    match scale {
        ScoreScale::Signed => (1000 + points * 1000 / total) * 2 / 3,
        ScoreScale::Floored => points.max(1) * 1000 / total,
    }
}

/// The numbers of a process with which a score can be compared: swap and page tables, adj, score.
/// `None` if one is missing, or if the kernel shows a score of 0 by rule.
fn comparable(process: &Process, machine: &Machine) -> Option<(Pages, Adj, u32)> {
    // Without page tables the sum is not the badness.
    let (adj, score) = (process.adj.value()?, process.score.value()?);
    let tables = process.pgtables.value()?;
    let init = process.id.pid == 1 && machine.initial_pid_namespace;
    if init || process.is_kernel_thread() || !process.has_mm || adj.0 <= -900 {
        return None;
    }
    Some((process.swap.value().unwrap_or(Pages::ZERO) + tables, adj, score))
}

/// The number of pages, if the products in [`score_of`] cannot overflow. No machine has more.
fn checked(pages: Pages) -> Option<i64> {
    i64::try_from(pages.0).ok().filter(|&pages| pages < 1 << 50)
}

/// The badness of a process that uses `held` pages.
fn points_of(held: Pages, adj: Adj, total: i64) -> Option<i64> {
    Some(checked(held)? + i64::from(adj.0) * (total / 1000))
}

/// Finds the scale of `oom_score`: the one that gives exactly the kernel's score for more
/// processes. `None` if no process can be compared, or if both give equally many.
#[must_use]
pub fn calibrate(processes: &[Process], machine: &Machine, total: Pages) -> Option<ScoreScale> {
    let total = checked(total).filter(|&total| total > 0)?;
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

/// Counts which of the two files agrees with the kernel's own scores, if only one does: the OOM
/// killer and `oom_score` use the same counter. The kernel version says the same, but a distributor
/// may have ported the change of 7.0 to an older kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SourceEvidence {
    stat: u64,
    status: u64,
}

impl SourceEvidence {
    /// Minimum number of scores for a file, which must also be more than eight times the number
    /// against it, to overrule the version: a process that grew while its files were read counts
    /// for either.
    const ENOUGH: u64 = 8;

    /// Counts the scores of a sample that were read together with the sizes.
    pub fn weigh(&mut self, processes: &[Process], machine: &Machine, total: Pages) {
        let Some(total) = checked(total).filter(|&total| total > 0) else { return };
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

    /// Number of scores that fit only this file, and number of those that fit only the other.
    #[must_use]
    pub const fn for_and_against(&self, source: RssSource) -> (u64, u64) {
        match source {
            RssSource::Stat => (self.stat, self.status),
            RssSource::Status => (self.status, self.stat),
        }
    }

    /// The file to use, if the kernel version says `by_version`.
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
    fn processes_that_cannot_be_compared_are_left_out() {
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
    fn scores_that_fit_only_one_file_overrule_the_version() {
        let machine = Machine::default();
        // At 12,000 pages the score steps from 667 to 668, between the two counters.
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

//! What was predicted lately, so that a kill can be compared with it: since when without interruption was the
//! victim named, or among the candidates?

use std::sync::Arc;

use crate::model::{Comm, ForecastResult, ProcId, Scene, Text};
use crate::units::Millis;

use super::Deaths;

/// What is past is kept for this long, in milliseconds: a log line may come late.
const KEPT: i64 = 120_000;
/// Maximum number of runs that are over and kept.
const MAX_RUNS: usize = 256;
/// Maximum number of phases of one run that are kept.
const MAX_PHASES: usize = 64;
/// The time of a log line may be so much later than the kill, in milliseconds.
const CLOCK_SKEW: i64 = 1500;

/// One process that was predicted to die in one domain, without interruption. Times are in milliseconds since
/// 1970, UTC.
#[derive(Clone, Debug)]
struct PredictionRun {
    by: &'static str,
    domain: Arc<Text>,
    id: ProcId,
    comm: Comm,
    since: i64,
    /// How many candidates there were from which time on, the oldest first. One: it was named.
    phases: Vec<(i64, u32)>,
    ended: Option<i64>,
    /// It ended because the process did.
    by_death: bool,
}

/// A process that was killed.
#[derive(Clone, Copy, Debug)]
pub struct PredictedKill<'a> {
    /// When, in milliseconds since 1970, UTC; the earliest time where it is not known exactly.
    pub unix_ms: i64,
    /// Its pid.
    pub pid: i32,
    /// Its name.
    pub comm: Comm,
    /// The domain that ran out of memory; `None`: not known.
    pub domain: Option<&'a str>,
    /// The killer: `kernel`, or how the ids of a daemon's policies begin.
    pub by: &'a str,
}

/// The predictions of the last two minutes.
#[derive(Clone, Debug, Default)]
pub struct PredictionLog {
    runs: Vec<PredictionRun>,
    /// The time of the first prediction.
    since: Option<i64>,
    /// The time of the newest sample.
    sampled: Option<i64>,
}

impl PredictionLog {
    /// Takes what is predicted at this time.
    pub fn note(&mut self, at: i64, deaths: &Deaths) {
        self.since.get_or_insert(at);
        let mut open: Vec<PredictionRun> = Vec::new();
        for death in deaths.list.iter().chain(&deaths.next) {
            let count = u32::try_from(death.candidates.len()).unwrap_or(u32::MAX);
            for candidate in &death.candidates {
                let same = |it: &PredictionRun| {
                    it.id == candidate.id && it.by == death.by && it.domain == death.domain
                };
                if open.iter().any(same) {
                    continue;
                }
                let known = self.runs.iter().position(|it| it.ended.is_none() && same(it));
                let mut run = match known {
                    Some(known) => self.runs.remove(known),
                    None => PredictionRun {
                        by: death.by,
                        domain: Arc::clone(&death.domain),
                        id: candidate.id,
                        comm: candidate.comm,
                        since: at,
                        phases: Vec::new(),
                        ended: None,
                        by_death: false,
                    },
                };
                run.enter(at, count);
                open.push(run);
            }
        }
        for over in self.runs.iter_mut().filter(|it| it.ended.is_none()) {
            over.ended = Some(at);
        }
        self.runs.retain(|it| it.ended.is_none_or(|ended| ended > at.saturating_sub(KEPT)));
        let surplus = self.runs.len().saturating_sub(MAX_RUNS);
        self.runs.drain(..surplus);
        self.runs.append(&mut open);
    }

    /// Takes what is predicted at a sample, which also shows who is dead by now.
    pub fn note_sample(&mut self, at: i64, deaths: &Deaths, scene: &Scene) {
        self.note(at, deaths);
        let since = self.sampled.replace(at).unwrap_or(at);
        let is_dead = |id| scene.find(id).is_none_or(|it| it.dying || !it.has_mm);
        for run in self.runs.iter_mut().filter(|it| it.ended.is_some_and(|ended| ended >= since)) {
            run.by_death |= is_dead(run.id);
        }
    }

    /// What was predicted of the victim of a kill.
    #[must_use]
    pub fn result(&self, kill: &PredictedKill<'_>) -> ForecastResult {
        if self.since.is_none_or(|since| since > kill.unix_ms) {
            return ForecastResult::NotMade;
        }
        let fits = |it: &&PredictionRun| {
            it.id.pid == kill.pid
                && it.comm == kill.comm
                && kill.domain.is_none_or(|domain| it.domain.as_str() == domain)
                && it.by.starts_with(kill.by)
        };
        let results = self.runs.iter().filter(fits).filter_map(|it| it.at(kill.unix_ms));
        results.max_by_key(|it| it.weight()).unwrap_or(ForecastResult::NotPredicted)
    }
}

impl PredictionRun {
    /// From this time on there are so many candidates.
    fn enter(&mut self, at: i64, candidates: u32) {
        if self.phases.last().is_none_or(|last| last.1 != candidates) {
            self.phases.push((at, candidates));
            if self.phases.len() > MAX_PHASES {
                self.phases.remove(0);
            }
        }
    }

    /// What was predicted at this time; nothing where the run did not last until then.
    fn at(&self, unix_ms: i64) -> Option<ForecastResult> {
        let skew = if self.by_death { CLOCK_SKEW } else { 0 };
        let lasts = self.ended.is_none_or(|ended| ended > unix_ms.saturating_sub(skew));
        let phase = self.phases.iter().rev().find(|it| it.0 <= unix_ms).filter(|_| lasts)?;
        let lead = |since: i64| Millis(u64::try_from(unix_ms.saturating_sub(since)).unwrap_or(0));
        Some(match *phase {
            (since, 1) => ForecastResult::Named { lead: lead(since) },
            (_, candidates) => ForecastResult::Among { candidates, lead: lead(self.since) },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecast::next_death::{Candidate, DeathCertainty, NextDeath, TimeSpan};
    use crate::model::{Process, Snapshot};
    use crate::units::{Bytes, Ticks};

    fn id(pid: i32) -> ProcId {
        ProcId { pid, born: Ticks(1) }
    }

    fn comm(pid: i32) -> Comm {
        Comm::new(format!("p{pid}").as_bytes())
    }

    /// The death of one of these in a domain.
    fn death(domain: &str, pids: &[i32]) -> NextDeath {
        let candidate =
            |&pid: &i32| Candidate { id: id(pid), comm: comm(pid), from: Millis(0), to: Millis(0) };
        let named = pids.len() == 1;
        NextDeath {
            by: "kernel",
            domain: Arc::new(Text::new(domain.as_bytes())),
            when: Some(TimeSpan { low: Millis(0), middle: Millis(0), high: Millis(0) }),
            certainty: if named { DeathCertainty::Named } else { DeathCertainty::TooClose },
            candidates: pids.iter().map(candidate).collect(),
            saved: None,
            gains: Vec::new(),
            left: Bytes(1),
            limit: Bytes(2),
            rate: 1.0,
            trigger: None,
            stalled: None,
        }
    }

    /// What was said at these times, in seconds.
    fn log(said: &[(i64, &[NextDeath])]) -> PredictionLog {
        let mut log = PredictionLog::default();
        for (at, list) in said {
            let deaths = Deaths { next: list.first().cloned(), list: list.to_vec() };
            log.note(at * 1000, &deaths);
        }
        log
    }

    fn kill(at: i64, pid: i32) -> PredictedKill<'static> {
        let domain = Some("/a");
        PredictedKill { unix_ms: at * 1000, pid, comm: comm(pid), domain, by: "kernel" }
    }

    fn named(seconds: u64) -> ForecastResult {
        ForecastResult::Named { lead: Millis(seconds * 1000) }
    }

    #[test]
    fn a_victim_was_predicted_since_it_was_named_without_interruption() {
        let a = [death("/a", &[7])];
        let log = log(&[(0, &[]), (2, &a), (4, &[]), (6, &a), (8, &a), (14, &a)]);
        assert_eq!(log.result(&kill(20, 7)), named(14));
        assert_eq!(log.result(&kill(7, 7)), named(1), "as it was then");
        assert_eq!(log.result(&kill(5, 7)), ForecastResult::NotPredicted, "in between");
        assert_eq!(log.result(&kill(20, 8)), ForecastResult::NotPredicted);
    }

    #[test]
    fn one_of_several_counts_from_when_it_was_one_of_them() {
        let (one, three) = ([death("/a", &[7])], [death("/a", &[8, 7, 9])]);
        let log = log(&[(0, &one), (6, &three), (8, &three), (10, &one)]);
        let among = ForecastResult::Among { candidates: 3, lead: Millis(9000) };
        assert_eq!(log.result(&kill(9, 7)), among);
        assert_eq!(log.result(&kill(12, 7)), named(2), "it was named anew at 10");
        let other = ForecastResult::Among { candidates: 3, lead: Millis(3000) };
        assert_eq!(log.result(&kill(9, 9)), other);
    }

    #[test]
    fn another_domain_killer_or_program_does_not_count() {
        let both = [death("/b", &[7]), death("/a", &[8])];
        let log = log(&[(0, &both), (4, &both)]);
        assert_eq!(log.result(&kill(5, 8)), named(5), "also where the headline is about another");
        assert_eq!(log.result(&kill(5, 7)), ForecastResult::NotPredicted, "it died in /a");
        let unknown = PredictedKill { domain: None, ..kill(5, 7) };
        assert_eq!(log.result(&unknown), named(5));
        let other = PredictedKill { by: "earlyoom", ..kill(5, 8) };
        assert_eq!(log.result(&other), ForecastResult::NotPredicted);
        let other = PredictedKill { comm: comm(1), ..kill(5, 8) };
        assert_eq!(log.result(&other), ForecastResult::NotPredicted);
    }

    #[test]
    fn nothing_is_said_of_kills_before_the_first_prediction() {
        assert_eq!(log(&[]).result(&kill(5, 7)), ForecastResult::NotMade);
        let log = log(&[(10, &[death("/a", &[7])])]);
        assert_eq!(log.result(&kill(5, 7)), ForecastResult::NotMade);
    }

    #[test]
    fn a_prediction_that_its_victim_ended_counts_for_a_log_line_that_is_late() {
        let a = [death("/a", &[7])];
        for (dies, result) in [(true, named(11)), (false, ForecastResult::NotPredicted)] {
            let mut log = log(&[(0, &a), (8, &a)]);
            let alive = Process { id: id(7), has_mm: true, ..Process::default() };
            let processes = if dies { Vec::new() } else { vec![alive] };
            let scene = Scene::new(Arc::new(Snapshot { processes, ..Snapshot::default() }), None);
            log.note_sample(10_000, &Deaths::default(), &scene);
            assert_eq!(log.result(&kill(11, 7)), result);
            assert_eq!(log.result(&kill(12, 7)), ForecastResult::NotPredicted, "too late");
        }
    }

    #[test]
    fn what_is_long_past_is_forgotten() {
        let mut log = PredictionLog::default();
        for at in 0..2000 {
            let list = vec![death("/a", &[at as i32])];
            log.note(at * 100, &Deaths { next: None, list });
        }
        assert!(log.runs.len() <= MAX_RUNS + 1);
        log.note(1_000_000, &Deaths::default());
        log.note(1_500_000, &Deaths::default());
        assert!(log.runs.is_empty());
    }
}

//! The race for the next kill: the badness of the processes that lead in a domain over the last minutes, and
//! how fast each gains. It shows an overtaking before it happens.

use std::sync::Arc;

use crate::forecast::next_death::slope::{self, SlopePoint};
use crate::forecast::next_death::{NextDeath, Reclaim};
use crate::model::{Comm, ProcId, Process, SampleHistory, Scene, Scope, Text};
use crate::policy::{LINUX, Policy};
use crate::units::{Adj, Millis};

/// Number of processes that take part.
pub const RUNNERS: usize = 3;
/// How far back their badness is told.
pub const SPAN: Millis = Millis(180_000);
/// The time over which the rate is measured, in seconds.
const WINDOW: f64 = 20.0;
/// Badness changes by less than this share of itself a second: no growth worth telling.
const STEADY: f64 = 0.0005;

/// A process of the race.
#[derive(Clone, Debug, PartialEq)]
pub struct RaceRunner {
    /// The process.
    pub id: ProcId,
    /// Its name.
    pub comm: Comm,
    /// Its `oom_score_adj`, if known.
    pub adj: Option<Adj>,
    /// Its badness in pages, the oldest first.
    pub track: Vec<(Millis, f64)>,
    /// Its badness now, in pages.
    pub now: f64,
    /// What it gains, in pages a second, as the prediction has it where a death is near; 0 without a clear trend.
    pub rate: f64,
}

impl RaceRunner {
    /// Its badness so much later, in pages, if it goes on like this.
    #[must_use]
    pub fn after(&self, time: Millis) -> f64 {
        self.now + self.rate * time.0 as f64 / 1000.0
    }
}

/// Who leads in a domain, and how it came about.
#[derive(Clone, Debug, PartialEq)]
pub struct Race {
    /// `global`, or the path of the cgroup.
    pub domain: Arc<Text>,
    /// The time of the sample.
    pub at: Millis,
    /// The leaders by badness now, the highest first. Candidates of a predicted death are among them.
    pub runners: Vec<RaceRunner>,
    /// Number of processes in the domain that can be chosen.
    pub eligible: usize,
    /// The weight of one step of adj, in pages.
    pub step: f64,
    /// What reclaim takes back before the limit is left out, as the prediction does.
    pub at_limit: bool,
}

impl Race {
    /// The race in the domain of a predicted death, or in that of the scene. The rule is always that of the
    /// running kernel. `before` is the race at an earlier sample: whoever took part in it at the sample just
    /// before, in the same domain and by the same measure, goes on from there; everybody else's history is
    /// looked up, which costs more.
    #[must_use]
    pub fn of(
        scene: &Scene,
        past: &SampleHistory,
        death: Option<&NextDeath>,
        before: Option<Self>,
    ) -> Self {
        // A scene is not small, so it is copied only for another domain.
        let other = death.map(scope_of).map(|scope| scene.within(scope));
        let inside = other.as_ref().unwrap_or(scene);
        let contained =
            || inside.now().processes.iter().filter(|process| inside.domain().contains(process));
        let reclaim = death.map(|_| Reclaim::of(inside).among(contained()));
        let judge = |process: &Process| badness(process, inside, reclaim);
        let ranked: Vec<(f64, &Process)> =
            contained().filter_map(|process| Some((judge(process)?, process))).collect();
        let eligible = ranked.len();
        let named = death.map_or(&[][..], |death| &death.candidates[..]);
        let is_candidate = |id: ProcId| named.iter().any(|it| it.id == id);
        let order = |&(points, process): &(f64, &Process)| (is_candidate(process.id), points);
        // Only the first few are needed. Equals stay in the order of the processes.
        let mut leaders: Vec<(f64, &Process)> = Vec::with_capacity(RUNNERS + 1);
        for entry in ranked {
            let before = |a: &(f64, &Process), b: &(f64, &Process)| {
                let ((a_named, a), (b_named, b)) = (order(a), order(b));
                b_named.cmp(&a_named).then(b.total_cmp(&a))
            };
            let place = leaders.partition_point(|it| before(it, &entry).is_le());
            if place < RUNNERS {
                leaders.insert(place, entry);
                leaders.truncate(RUNNERS);
            }
        }
        let mut ranked = leaders;
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
        let at = inside.now().clock.monotonic_ms;
        let from = at.saturating_sub(SPAN);
        let (domain, step) =
            (Arc::clone(&inside.domain().name), (inside.domain().pages.0 / 1000) as f64);
        let last = past.at(at.saturating_sub(Millis(1))).and_then(|nth| past.time(nth));
        let mut before = before.filter(|race| {
            Some(race.at) == last
                && race.domain == domain
                && race.step.to_bits() == step.to_bits()
                && race.at_limit == death.is_some()
        });
        let mut continued = |id: ProcId| {
            let mut runners = before.as_mut()?.runners.iter_mut();
            let mut track = std::mem::take(&mut runners.find(|it| it.id == id)?.track);
            track.retain(|(time, _)| *time >= from);
            Some(track)
        };
        let looked_up = |id: ProcId| -> Vec<(Millis, f64)> {
            let history = past.process_history(id, (from, at));
            history.iter().filter_map(|(time, then)| Some((*time, judge(then)?))).collect()
        };
        let runner = |&(now, process): &(f64, &Process)| {
            let mut track = continued(process.id).unwrap_or_else(|| looked_up(process.id));
            if track.last().is_none_or(|last| last.0 < at) {
                track.push((at, now));
            }
            // On the way to a limit it is what the prediction goes by.
            let predicted = death.filter(|death| death.when.is_some());
            let rate = predicted.map_or_else(|| rate(&track), |death| death.gain_of(process.id));
            let adj = process.adj.value();
            RaceRunner { id: process.id, comm: process.comm, adj, track, now, rate }
        };
        let runners = ranked.iter().map(runner).collect();
        Self { domain, at, runners, eligible, step, at_limit: death.is_some() }
    }

    /// A process of the race.
    #[must_use]
    pub fn find(&self, id: ProcId) -> Option<&RaceRunner> {
        self.runners.iter().find(|it| it.id == id)
    }

    /// The other process with the highest badness so much later.
    #[must_use]
    pub fn rival(&self, of: ProcId, time: Millis) -> Option<&RaceRunner> {
        let others = self.runners.iter().filter(|it| it.id != of);
        others.max_by(|a, b| a.after(time).total_cmp(&b.after(time)))
    }
}

/// The scope of the domain in which a death is predicted.
#[must_use]
pub fn scope_of(death: &NextDeath) -> Scope {
    if death.domain.as_str() == Scope::GLOBAL {
        Scope::Global
    } else {
        Scope::Memcg(Arc::clone(&death.domain))
    }
}

/// The badness of a process, in pages. An earlier state of a process is judged in the scene of now.
fn badness(process: &Process, scene: &Scene, reclaim: Option<Reclaim>) -> Option<f64> {
    if !LINUX.looks_at(process, scene) {
        return None;
    }
    let points = LINUX.key(process, scene).ok()?.points;
    let gone = reclaim.map_or(0, |it| it.from(process, scene).likely.0);
    Some(points.0 as f64 - gone as f64)
}

/// The rate at the end of a track, in pages a second; 0 without a clear trend.
fn rate(track: &[(Millis, f64)]) -> f64 {
    let Some(&(now, last)) = track.last() else { return 0.0 };
    let ago = |at: Millis| now.saturating_sub(at).0 as f64 / 1000.0;
    let points = |sign: f64| -> Vec<SlopePoint> {
        let recent = track.iter().rev().take_while(|it| ago(it.0) <= WINDOW);
        recent.map(|it| (-ago(it.0), it.1 * sign)).collect()
    };
    let trend = |sign: f64| slope::falling(&points(sign)).map(|line| line.rate.best * -sign);
    let found = trend(-1.0).or_else(|| trend(1.0)).unwrap_or(0.0);
    if found.abs() < last.abs() * STEADY { 0.0 } else { found }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Reading, Snapshot};
    use crate::units::{Kib, Pages, Ticks};

    fn id(pid: i32) -> ProcId {
        ProcId { pid, born: Ticks(1) }
    }

    /// Two processes on a machine of 4 GiB: the first stays, the second grows by 1000 pages a second.
    fn sample(second: u64) -> Arc<Snapshot> {
        let mut sample = Snapshot::default();
        sample.clock.monotonic_ms = Millis(second * 1000);
        sample.memory.total_kib = Kib(4 << 20);
        sample.processes = [(7, 50_000), (8, 20_000 + second * 1000), (9, 10)]
            .map(|(pid, size)| Process {
                id: id(pid),
                has_mm: true,
                adj: Reading::Value(Adj(0)),
                rss_stat: Pages(size),
                rss_exact: Reading::Value(Pages(size)),
                ..Process::default()
            })
            .to_vec();
        Arc::new(sample)
    }

    fn race(until: u64) -> Race {
        let mut past = SampleHistory::new(Millis(300_000), usize::MAX);
        (1..=until).for_each(|second| _ = past.push(sample(second)));
        Race::of(&Scene::new(sample(until), None), &past, None, None)
    }

    #[test]
    fn the_leaders_stand_in_the_order_of_their_badness_with_what_they_were() {
        let race = race(10);
        let pids: Vec<i32> = race.runners.iter().map(|it| it.id.pid).collect();
        assert_eq!((pids, race.eligible), (vec![7, 8, 9], 3));
        let second = race.find(id(8)).unwrap();
        assert_eq!(second.track.first(), Some(&(Millis(1000), 21_000.0)));
        assert_eq!(second.track.last(), Some(&(Millis(10_000), 30_000.0)));
        assert_eq!(race.find(id(7)).unwrap().rate, 0.0);
        assert!((second.rate - 1000.0).abs() < 1.0, "{}", second.rate);
    }

    #[test]
    fn an_overtaking_is_foreseen() {
        let race = race(10);
        let later = |seconds: u64| race.rival(id(9), Millis(seconds * 1000)).unwrap().id.pid;
        assert_eq!((later(0), later(19), later(21)), (7, 7, 8));
    }

    #[test]
    fn a_race_that_goes_on_is_the_one_that_is_looked_up() {
        let mut past = SampleHistory::new(Millis(300_000), usize::MAX);
        let mut on = None;
        for second in 1..=200 {
            past.push(sample(second));
            // Every seventh sample is not shown.
            if second % 7 > 0 {
                let scene = Scene::new(sample(second), None);
                on = Some(Race::of(&scene, &past, None, on));
                assert_eq!(on, Some(Race::of(&scene, &past, None, None)), "at {second} s");
            }
        }
    }

    #[test]
    fn one_sample_has_no_rate() {
        let race = race(1);
        assert!(race.runners.iter().all(|it| it.rate == 0.0 && it.track.len() == 1));
    }
}

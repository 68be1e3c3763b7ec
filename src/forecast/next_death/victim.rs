//! Who dies when a limit is reached: badness at that time, without what reclaim takes back before.

use crate::model::{ProcId, Scene};
use crate::policy::{AdjEffect, BadnessUnit, KillScope, Policy, TieBreak};
use crate::units::{Adj, Millis, Pages};

use super::growth::{GrowthTracks, ProcessGrowth};
use super::room_history::COUNT;
use super::unreclaimable::{Reclaim, lasting};
use super::{Candidate, DeathCertainty, SavingAdj, TimeSpan};

/// Maximum number of processes that are followed to the limit: the leaders now, and those that grow.
const FOLLOWED: usize = 48;
/// Times between the low and the high end at which the leader is looked for.
const STEPS: u32 = 8;
/// Maximum number of candidates that are told.
pub const MAX_CANDIDATES: usize = 8;
/// ProcessGrowth until the limit is known no better than this share of it.
const GROWTH_UNCERTAINTY: f64 = 0.1;

/// How a domain goes to its limit.
#[derive(Clone, Copy, Debug)]
pub struct Course {
    /// When the limit is reached, from the sample on.
    pub when: TimeSpan,
    /// The times over which growth is compared.
    pub over: [Millis; COUNT],
    /// How many times what the domain lost in each of these times is left; `None` where it lost nothing.
    pub times: [Option<f64>; COUNT],
    /// The time by which growth counts most.
    pub window: usize,
    /// The limit is reached at the peak of a saw tooth.
    pub at_peak: bool,
}

/// A process on its way to the limit.
struct Runner {
    at: u32,
    id: ProcId,
    class: i8,
    second: i64,
    /// Badness at the limit without growth, in the points of the policy.
    base: f64,
    /// The same, if reclaim takes as many of its file pages as it can, and if it takes none.
    other_bases: [f64; 2],
    /// It cannot shrink by more than this, in pages.
    size: f64,
    growth: ProcessGrowth,
    /// Points for each page that it gains.
    per_page: f64,
    /// How far badness may be off without any growth: errors of the kernel's counters.
    error: f64,
}

impl Runner {
    /// What it gains, in pages, if growth goes on for so many times the time of this window, in seconds.
    fn gain(&self, window: Window, times: f64) -> f64 {
        let most = self.growth.reach / window.seconds.max(0.1);
        (self.growth.gains[window.nth] * times.min(most)).max(-self.size)
    }

    fn points(&self, window: Window, times: f64) -> f64 {
        self.base + self.gain(window, times) * self.per_page
    }

    /// The points by another view of what reclaim takes.
    fn points_by(&self, other: usize, window: Window, times: f64) -> f64 {
        self.points(window, times) - self.base + self.other_bases[other]
    }

    /// How far these points may be off.
    fn doubt(&self, window: Window, times: f64) -> f64 {
        self.error + self.gain(window, times).abs() * self.per_page * GROWTH_UNCERTAINTY
    }
}

/// A time over which growth was measured.
#[derive(Clone, Copy, Debug)]
struct Window {
    nth: usize,
    seconds: f64,
}

impl Course {
    fn window(&self, nth: usize) -> Window {
        Window { nth, seconds: self.over[nth].0 as f64 / 1000.0 }
    }

    /// How many times the time of this window passes until the limit is reached.
    fn times(&self, window: Window) -> f64 {
        let middle = self.when.middle.0 as f64 / 1000.0;
        self.times[window.nth].unwrap_or(middle / window.seconds.max(0.1))
    }
}

/// The candidates of a domain, and how certain they are.
pub struct Victims {
    pub certainty: DeathCertainty,
    pub candidates: Vec<Candidate>,
    /// What saves the named one.
    pub saved: Option<SavingAdj>,
    /// What each process gains on the way to the limit, in pages a second; not those that stay as they are.
    pub gains: Vec<(ProcId, f64)>,
}

/// Ranks the members of the scene's domain at the end of this course, by this policy. The times of the
/// candidates count from the sample on.
pub fn victims(
    policy: &dyn Policy,
    inside: &Scene,
    members: impl Iterator<Item = u32>,
    growth: &GrowthTracks,
    course: &Course,
) -> Victims {
    let (mut runners, gains) = runners(policy, inside, members, growth, course);
    let Some(class) = runners.iter().map(|it| it.class).max() else {
        let certainty = DeathCertainty::Nobody;
        return Victims { certainty, candidates: Vec::new(), saved: None, gains };
    };
    runners.retain(|it| it.class == class);
    let tie = policy.traits(inside).tie_break;
    let race = Race { runners, tie };
    let mut candidates = race.candidates(inside, course);
    let named = candidates.first().map(|it| it.id).filter(|_| candidates.len() == 1);
    replace_chosen(&mut candidates, policy, inside);
    let certainty =
        if candidates.len() > 1 { DeathCertainty::TooClose } else { DeathCertainty::Named };
    // Every step of adj weighs the same only in the rules of kernels.
    let by_steps =
        policy.info().unit == BadnessUnit::Pages && policy.traits(inside).adj == AdjEffect::Rising;
    let dies = |id: &ProcId| by_steps && candidates.first().is_some_and(|it| it.id == *id);
    let saved = named.filter(dies).and_then(|id| race.saving(id, inside, course));
    Victims { certainty, candidates, saved, gains }
}

fn runners(
    policy: &dyn Policy,
    inside: &Scene,
    members: impl Iterator<Item = u32>,
    growth: &GrowthTracks,
    course: &Course,
) -> (Vec<Runner>, Vec<(ProcId, f64)>) {
    let processes = &inside.now().processes;
    let pages = policy.info().unit == BadnessUnit::Pages;
    let per_page = policy.points_per_page(inside);
    let reclaim = Some(Reclaim::of(inside)).filter(|_| policy.info().kind.is_kernel() && pages);
    let members: Vec<u32> = members.collect();
    let rows = members.iter().filter_map(|&at| processes.get(at as usize));
    let reclaim = reclaim.map(|it| it.among(rows.filter(|it| policy.looks_at(it, inside))));
    let judge = |at: u32| {
        let process = processes.get(at as usize)?;
        if !policy.looks_at(process, inside) || process.dying {
            return None;
        }
        let badness = policy.key_when_acting(process, inside).ok()?;
        let gone = reclaim.map(|it| it.from(process, inside)).unwrap_or_default();
        let growth = if per_page > 0.0 {
            growth.of(process.id, course.over)
        } else {
            ProcessGrowth::default()
        };
        let peak = if course.at_peak { growth.peak } else { 0.0 };
        let base = |gone: Pages| badness.points.0 as f64 - gone.0 as f64 + peak * per_page;
        Some(Runner {
            at,
            id: process.id,
            class: badness.class,
            second: badness.second,
            base: base(gone.likely),
            other_bases: [base(gone.most), base(gone.least)],
            size: lasting(process, inside) as f64,
            growth,
            per_page,
            error: 0.0,
        })
    };
    let mut runners: Vec<Runner> = members.into_iter().filter_map(judge).collect();
    let gains = gains(&runners, course);
    if policy.traits(inside).kill_scope == KillScope::Cgroup {
        join_groups(&mut runners);
    }
    if runners.len() > FOLLOWED {
        runners = foremost(runners, course);
    }
    let doubt = policy.doubt_when_acting();
    for runner in &mut runners {
        // Only what the counters themselves may be off: growth is projected.
        let process = &processes[runner.at as usize];
        let moved = inside.growth_bound(process.id);
        let drift = policy.drift(process, inside);
        let growth = moved.rise.0.max(moved.fall.0).saturating_mul(2);
        let counters = drift.up.0.max(drift.down.0).saturating_sub(growth) as f64;
        // Points that are not pages are whole numbers: a step of one is not known better.
        runner.error = if pages || per_page == 0.0 { counters } else { counters + 1.0 };
        runner.error += runner.base * doubt;
    }
    (runners, gains)
}

/// What each of them gains in pages a second, over the time by which the growth of the domain is told.
fn gains(runners: &[Runner], course: &Course) -> Vec<(ProcId, f64)> {
    let window = course.window(course.window);
    let per_second = |it: &Runner| it.gain(window, 1.0) / window.seconds.max(0.1);
    let rates = runners.iter().map(|it| (it.id, per_second(it)));
    rates.filter(|(_, rate)| *rate != 0.0).collect()
}

/// Those who lead now, or would lead by their fastest growth; of equals the first.
fn foremost(runners: Vec<Runner>, course: &Course) -> Vec<Runner> {
    let windows = std::array::from_fn::<Window, COUNT, _>(|nth| course.window(nth));
    let reach = |it: &Runner| {
        let points = windows.map(|window| it.points(window, course.times(window)));
        points.iter().fold(it.base, |most, &it| most.max(it))
    };
    let mut reaching: Vec<(f64, Runner)> = runners.into_iter().map(|it| (reach(&it), it)).collect();
    let order = |(reach, a): &(f64, Runner), (other, b): &(f64, Runner)| {
        b.class.cmp(&a.class).then(other.total_cmp(reach)).then(a.at.cmp(&b.at))
    };
    if reaching.len() > FOLLOWED {
        // To order all of them would cost more than everything else here.
        reaching.select_nth_unstable_by(FOLLOWED, order);
        reaching.truncate(FOLLOWED);
    }
    reaching.sort_unstable_by(order);
    reaching.into_iter().map(|(_, it)| it).collect()
}

/// Of a killer of whole cgroups: the largest process stands for all that share the points of one cgroup, and
/// grows as all of them together.
fn join_groups(runners: &mut Vec<Runner>) {
    let key = |it: &Runner| (it.class, it.base.to_bits(), it.second);
    runners.sort_by(|a, b| key(a).cmp(&key(b)).then(b.size.total_cmp(&a.size)));
    runners.dedup_by(|other, first| {
        let same = key(other) == key(first);
        if same {
            first.growth = first.growth.and(other.growth);
            first.size += other.size;
        }
        same
    });
}

/// All who may be chosen.
struct Race {
    runners: Vec<Runner>,
    tie: TieBreak,
}

/// One who leads in some courses.
struct Leader {
    index: usize,
    weight: u32,
    from: f64,
    to: f64,
}

impl Race {
    /// The leader, if growth goes on for so many times the time of this window.
    fn leader(&self, window: Window, times: f64) -> Option<usize> {
        self.leader_but(None, window, times)
    }

    /// The leader of all but one.
    fn leader_but(&self, one: Option<usize>, window: Window, times: f64) -> Option<usize> {
        self.leader_by(one, |it| it.points(window, times))
    }

    /// The leader of all but one, by these points.
    fn leader_by(&self, one: Option<usize>, points: impl Fn(&Runner) -> f64) -> Option<usize> {
        (0..self.runners.len()).filter(|it| Some(*it) != one).min_by(|&a, &b| {
            let (a, b) = (&self.runners[a], &self.runners[b]);
            let points = |it: &Runner| points(it).round();
            let by_points = points(b).total_cmp(&points(a)).then(b.second.cmp(&a.second));
            by_points.then_with(|| self.tie.order(a.id, b.id))
        })
    }

    /// Those who lead in one course or another, the most likely first, then those too near to call.
    fn leaders(&self, course: &Course) -> Vec<Leader> {
        let mut found: Vec<Leader> = Vec::new();
        let mut add = |index: Option<usize>, weight: u32, from: f64, to: f64| {
            let Some(index) = index else { return };
            match found.iter_mut().find(|it| it.index == index) {
                Some(known) => {
                    known.weight += weight;
                    (known.from, known.to) = (known.from.min(from), known.to.max(to));
                }
                None => found.push(Leader { index, weight, from, to }),
            }
        };
        let [low, middle, high] = [course.when.low, course.when.middle, course.when.high]
            .map(|time| time.0 as f64 / 1000.0);
        let window = course.window(course.window);
        // What a process gains is its share of what the domain loses until nothing is left: that is known
        // better than the time it takes.
        let until_full = course.times(window);
        let step = (high - low) / f64::from(STEPS);
        for nth in 0..=STEPS {
            let time = low + step * f64::from(nth);
            let (from, to) = ((time - step / 2.0).max(low), (time + step / 2.0).min(high));
            let share = if middle > 0.0 { time / middle } else { 1.0 };
            add(self.leader(window, until_full * share), 2, from, to);
        }
        add(self.leader(window, until_full), 2 * STEPS, middle, middle);
        for other in
            (0..COUNT).filter(|other| *other != course.window && course.times[*other].is_some())
        {
            let other = course.window(other);
            add(self.leader(other, course.times(other)), 1, low, high);
        }
        for other in 0..2 {
            let points = |it: &Runner| it.points_by(other, window, until_full);
            add(self.leader_by(None, points), 1, low, high);
        }
        found.sort_by_key(|it| std::cmp::Reverse(it.weight));
        for index in self.near(window, until_full) {
            if found.iter().all(|it| it.index != index) {
                found.push(Leader { index, weight: 0, from: low, to: high });
            }
        }
        found
    }

    /// Those who are as near to the leader as their growth and the counters are uncertain.
    fn near(&self, window: Window, times: f64) -> Vec<usize> {
        let Some(first) = self.leader(window, times) else { return Vec::new() };
        let points = |it: &Runner| it.points(window, times);
        let doubt = |it: &Runner| it.doubt(window, times);
        let top = &self.runners[first];
        let unseen = self.tie == TieBreak::Unseen;
        let mut near: Vec<usize> = (0..self.runners.len())
            .filter(|&it| it != first)
            .filter(|&it| {
                let it = &self.runners[it];
                let slack = doubt(it) + doubt(top);
                (unseen || slack > 0.0) && points(it) + slack >= points(top)
            })
            .collect();
        let by_points =
            |&a: &usize, &b: &usize| points(&self.runners[b]).total_cmp(&points(&self.runners[a]));
        near.sort_by(by_points);
        near
    }

    /// The highest adj at which this process leads in none of the courses, and is not too near to call either;
    /// -1000, which takes it out of the race, where no other is low enough.
    fn saving(&self, id: ProcId, inside: &Scene, course: &Course) -> Option<SavingAdj> {
        let own = self.runners.iter().position(|it| it.id == id)?;
        let processes = &inside.now().processes;
        let adj = processes.get(self.runners[own].at as usize)?.adj.value()?;
        let main = course.window(course.window);
        let until_full = course.times(main);
        let instead = self.leader_but(Some(own), main, until_full);
        let behind = |other: usize, window: Window, times: f64| {
            let points = |it: usize| self.runners[it].points(window, times);
            points(own) - points(other)
        };
        let lead = instead.and_then(|other| {
            let [low, middle, high] = [course.when.low, course.when.middle, course.when.high]
                .map(|time| time.0 as f64 / 1000.0);
            let shares = (0..=STEPS).filter(|_| middle > 0.0).map(|nth| {
                (
                    main,
                    until_full * (low + (high - low) * f64::from(nth) / f64::from(STEPS)) / middle,
                )
            });
            let others = (0..COUNT).filter(|it| course.times[*it].is_some()).map(|nth| {
                let window = course.window(nth);
                (window, course.times(window))
            });
            let leads = shares.chain(others).chain([(main, until_full)]).map(|(window, times)| {
                let other = self.leader_but(Some(own), window, times)?;
                Some(behind(other, window, times))
            });
            let doubt = |it: usize| self.runners[it].doubt(main, until_full);
            let near = behind(other, main, until_full) + doubt(own) + doubt(other);
            let by_reclaim = (0..2).map(|view| {
                let points = |it: &Runner| it.points_by(view, main, until_full);
                let other = self.leader_by(Some(own), points)?;
                Some(points(&self.runners[own]) - points(&self.runners[other]))
            });
            leads
                .chain(by_reclaim)
                .chain([Some(near)])
                .try_fold(f64::MIN, |most, it| Some(most.max(it?)))
        });
        let step = (inside.domain().pages.0 / 1000) as f64;
        // A whole point behind: the order of equals is not known everywhere.
        let steps = lead.filter(|_| step > 0.0).map(|lead| ((lead.floor() + 1.0) / step).ceil());
        let lower = steps.map(|steps| f64::from(adj.0) - steps.max(1.0));
        let adj =
            lower.filter(|it| *it > f64::from(Adj::MIN.0)).map_or(Adj::MIN, |it| Adj(it as i16));
        let named = |at: usize| {
            let process = &processes[self.runners[at].at as usize];
            (process.id, process.comm)
        };
        Some(SavingAdj { adj, instead: instead.map(named) })
    }

    fn candidates(&self, inside: &Scene, course: &Course) -> Vec<Candidate> {
        let processes = &inside.now().processes;
        let millis = |seconds: f64| Millis((seconds.clamp(0.0, 1e9) * 1000.0) as u64);
        let candidate = |it: &Leader| {
            let process = &processes[self.runners[it.index].at as usize];
            let (from, to) = (millis(it.from), millis(it.to));
            Candidate { id: process.id, comm: process.comm, from, to }
        };
        self.leaders(course).iter().take(MAX_CANDIDATES).map(candidate).collect()
    }
}

/// Old kernels kill a child in the place of the process that is chosen.
fn replace_chosen(candidates: &mut Vec<Candidate>, policy: &dyn Policy, inside: &Scene) {
    for candidate in candidates.iter_mut() {
        let chosen = inside.find(candidate.id);
        let other = chosen.and_then(|chosen| policy.killed_instead(chosen, inside));
        if let Some((other, _)) = other {
            (candidate.id, candidate.comm) = (other.id, other.comm);
        }
    }
    let mut seen: Vec<ProcId> = Vec::new();
    candidates.retain(|it| {
        let new = !seen.contains(&it.id);
        seen.push(it.id);
        new
    });
}

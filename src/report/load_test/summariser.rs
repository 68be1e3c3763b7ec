//! Takes the samples of a load test, one after the other.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::counters::LoadCounters;
use super::kills::LoadKills;
use super::level::ScopeLevel;
use super::series::{RecentSizes, SizeSeries};
use super::summary::{GrowingProcess, LoadPeak, LoadSummary};
use crate::forecast::next_death::{Deaths, TimeSpan, lasting};
use crate::forecast::steady_growth::{SteadyGrowth, steady_growth};
use crate::model::{Comm, Killer, ProcId, Scene, Scope, Snapshot};
use crate::units::{Bytes, Millis, Pages};

/// Maximum number of processes whose sizes are kept.
const MAX_PROCESSES: usize = 4096;
/// A process that ended with fewer sizes than this tells nothing of growth.
const MIN_SIZES: usize = 8;

/// The sizes of one process.
struct ProcessSizes {
    comm: Comm,
    sizes: SizeSeries,
}

/// Takes the samples of a load test and keeps what its summary needs.
pub struct LoadSummariser {
    scope: Scope,
    scene: Option<Scene>,
    /// The clock of the first sample.
    began: Option<(i64, Millis)>,
    samples: u64,
    /// Whether the scope was in the sample before.
    was_there: bool,
    level: Option<ScopeLevel>,
    peak: Option<LoadPeak>,
    needed: Option<Bytes>,
    near_limit: Millis,
    has_limit: bool,
    swap_peak: Option<Bytes>,
    counters: LoadCounters,
    total: SizeSeries,
    recent: RecentSizes,
    processes: BTreeMap<ProcId, ProcessSizes>,
    kills: LoadKills,
}

impl LoadSummariser {
    /// Nothing is known yet. The scope is a memory cgroup with everything below it, or the machine.
    #[must_use]
    pub fn new(scope: Scope) -> Self {
        Self {
            scope,
            scene: None,
            began: None,
            samples: 0,
            was_there: false,
            level: None,
            peak: None,
            needed: None,
            near_limit: Millis::ZERO,
            has_limit: false,
            swap_peak: None,
            counters: LoadCounters::default(),
            total: SizeSeries::default(),
            recent: RecentSizes::default(),
            processes: BTreeMap::new(),
            kills: LoadKills::default(),
        }
    }

    /// Sets the scope of the next samples, where it became known only after the first ones: it was not in them.
    pub fn set_scope(&mut self, scope: Scope) {
        if let Some(scene) = &mut self.scene {
            scene.set_scope(scope.clone());
        }
        self.scope = scope;
    }

    /// Takes the next sample. It should hold all cgroups, as those of recordings do. Returns a sample that is no
    /// longer needed.
    pub fn take(&mut self, sample: Arc<Snapshot>) -> Option<Arc<Snapshot>> {
        let spent = if let Some(scene) = &mut self.scene {
            scene.advance(sample)
        } else {
            self.scene = Some(Scene::scoped(sample, None, self.scope.clone()));
            None
        };
        let Some(scene) = self.scene.take() else { return spent };
        let clock = scene.now().clock;
        self.began.get_or_insert((clock.unix_ms, clock.monotonic_ms));
        self.take_level(&scene);
        self.kills.take(&scene);
        self.take_sizes(&scene);
        self.scene = Some(scene);
        spent
    }

    /// What is predicted at the newest sample.
    #[must_use]
    pub const fn deaths(&self) -> &Deaths {
        self.kills.deaths()
    }

    /// The newest sample and the one before it, in the scope.
    #[must_use]
    pub const fn scene(&self) -> Option<&Scene> {
        self.scene.as_ref()
    }

    /// What could not be reclaimed at the newest sample, swap included.
    #[must_use]
    pub const fn needed_now(&self) -> Option<Bytes> {
        match self.total.last() {
            Some((_, size)) => Some(size),
            None => None,
        }
    }

    /// The sizes of the scope so far, thinned out: what could not be reclaimed, swap included.
    #[must_use]
    pub fn sizes(&self) -> &[(Millis, Bytes)] {
        self.total.sizes()
    }

    /// Keeps the sizes of a window of time besides.
    pub const fn keep_window(&mut self, window: Millis) {
        self.recent.set_window(window);
    }

    /// The sizes of that window and the one before it, of what could not be reclaimed, swap included.
    #[must_use]
    pub fn recent_sizes(&self) -> &[(Millis, Bytes)] {
        self.recent.sizes()
    }

    fn take_level(&mut self, scene: &Scene) {
        let now = scene.now();
        let before = scene.before();
        if before.is_some_and(|before| !now.continues(before)) {
            self.counters.restart();
        }
        let group = (!scene.domain().is_global())
            .then(|| now.cgroups.find(scene.domain().name.as_str()))
            .flatten();
        let is_new = !self.was_there && before.is_some_and(|it| !it.cgroups.list.is_empty());
        self.counters.take(now, group, is_new);
        let level = if scene.domain().is_global() {
            Some(ScopeLevel::of_machine(now))
        } else {
            let hierarchy = now.cgroups.hierarchy.value();
            group.and_then(|group| ScopeLevel::of_cgroup(group, hierarchy, now))
        };
        self.was_there = group.is_some();
        // A sample repeats its cgroups where they could not be read in time.
        let is_repeated = group.is_some()
            && before.is_some_and(|before| before.cgroups.read_ms == now.cgroups.read_ms);
        let Some(level) = level.filter(|_| !is_repeated) else { return };
        self.samples += 1;
        self.has_limit |= level.limit.is_some();
        if level.is_near_limit() && self.level.is_some() {
            let step = before.map_or(Millis::ZERO, |before| {
                now.clock.monotonic_ms.saturating_sub(before.clock.monotonic_ms)
            });
            self.near_limit += step;
        }
        self.raise(scene, level, is_new);
        if let Some(needed) = level.needed() {
            self.total.push(now.clock.monotonic_ms, needed);
            self.recent.push(now.clock.monotonic_ms, needed);
        }
        self.level = Some(level);
    }

    /// Raises what is highest. The kernel's own mark counts where it rose since the sample before: usage may have
    /// been higher between two samples.
    fn raise(&mut self, scene: &Scene, level: ScopeLevel, is_new: bool) {
        let clock = scene.now().clock;
        let marked_before = match self.level {
            Some(before) => before.highest,
            None => is_new.then_some(Bytes::ZERO),
        };
        let marked = level.highest.zip(marked_before).filter(|(now, then)| now > then);
        let highest = marked.map_or(level.usage, |(now, _)| now.max(level.usage));
        if self.peak.is_none_or(|peak| highest > peak.bytes) {
            let began = self.began.map_or(clock.monotonic_ms, |it| it.1);
            let after = clock.monotonic_ms.saturating_sub(began);
            self.peak = Some(LoadPeak { bytes: highest, unix_ms: clock.unix_ms, after });
        }
        // Between two samples there was about as much to reclaim as in the one that has more of it.
        let before = self.level.unwrap_or_default();
        let between = marked.zip(level.reclaimable).map(|((marked, _), now)| {
            let reclaimable = now.max(before.reclaimable.unwrap_or_default());
            marked.saturating_sub(reclaimable) + level.swap.min(before.swap)
        });
        self.needed = [self.needed, level.needed(), between].into_iter().flatten().max();
        self.swap_peak = self.swap_peak.max(Some(level.swap));
    }

    fn take_sizes(&mut self, scene: &Scene) {
        let now = scene.now();
        let (at, page) = (now.clock.monotonic_ms, now.machine.page_size);
        let members = now.processes.iter().filter(|it| it.has_mm && scene.domain().contains(it));
        for process in members {
            let size = Pages(lasting(process, scene)).bytes(page);
            let has_room = self.processes.len() < MAX_PROCESSES;
            if let Some(known) = self.processes.get_mut(&process.id) {
                known.sizes.push(at, size);
                known.comm = process.comm;
            } else if has_room {
                let mut sizes = SizeSeries::default();
                sizes.push(at, size);
                self.processes.insert(process.id, ProcessSizes { comm: process.comm, sizes });
            }
        }
        let is_useful = |id: &ProcId, it: &mut ProcessSizes| {
            it.sizes.sizes().len() >= MIN_SIZES || now.find(*id).is_some()
        };
        self.processes.retain(is_useful);
    }

    /// What is known so far. `None` before the first sample.
    #[must_use]
    pub fn summary(&self) -> Option<LoadSummary> {
        let (scene, (began, first)) = (self.scene.as_ref()?, self.began?);
        let clock = scene.now().clock;
        let kills = self.kills.all(scene, began);
        let growth = steady_growth(self.total.sizes());
        let left = self.level.and_then(|level| level.left);
        let needed_is_least = !kills.is_empty();
        let limit = self.level.and_then(|level| level.limit);
        // Where the kernel killed at the limit, nothing below it could be reclaimed.
        let is_full = limit.filter(|it| self.peak.is_some_and(|at| is_reached(at.bytes, *it)));
        let at_limit = kills.iter().any(|it| matches!(it.event.by, Killer::Memcg | Killer::Group));
        let full = is_full.filter(|_| at_limit);
        let mut reclaim = self.counters.reclaim();
        if full.is_some() && reclaim.limit_hits == Some(0) {
            // Version 1 does not count every limit of memory and swap that is reached.
            reclaim.limit_hits = None;
        }
        let kills_known = self.kills.are_known(scene);
        Some(LoadSummary {
            scope: Arc::clone(&scene.domain().name),
            unix_ms: (began, clock.unix_ms),
            over: clock.monotonic_ms.saturating_sub(first),
            samples: self.samples,
            limit,
            peak: self.peak,
            needed: self.needed.max(full),
            needed_is_least,
            near_limit: self.has_limit.then_some(self.near_limit),
            pressure: self.counters.pressure(),
            reclaim,
            swap_peak: self.swap_peak,
            growth,
            growing: self.growing(),
            lasts: left.zip(growth.steady()).map(|(left, growth)| lasts(left, growth)),
            kills,
            kills_known,
        })
    }

    fn growing(&self) -> Vec<GrowingProcess> {
        let grows = |(id, it): (&ProcId, &ProcessSizes)| {
            let growth = steady_growth(it.sizes.sizes());
            let (_, bytes) = it.sizes.last()?;
            growth.steady()?;
            Some(GrowingProcess { id: *id, comm: it.comm, bytes, growth })
        };
        let mut growing: Vec<GrowingProcess> = self.processes.iter().filter_map(grows).collect();
        let rate = |it: &GrowingProcess| it.growth.steady().map_or(0.0, |growth| growth.best);
        growing.sort_by(|a, b| rate(b).total_cmp(&rate(a)));
        growing
    }
}

/// Whether usage was at a limit: what processes charge at once is less than a hundredth of it.
const fn is_reached(usage: Bytes, limit: Bytes) -> bool {
    usage.0 >= limit.0 - limit.0 / 100
}

/// When nothing is left at these rates.
fn lasts(left: Bytes, growth: SteadyGrowth) -> TimeSpan {
    let at = |rate: f64| Millis((left.0 as f64 * 1000.0 / rate.max(1.0)) as u64);
    TimeSpan { low: at(growth.high), middle: at(growth.best), high: at(growth.low) }
}

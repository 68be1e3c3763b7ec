//! Now, before, and what follows from both. Built once a look; everything that judges or shows
//! asks the scene.

use std::sync::Arc;

use super::{Domain, Forecast, Machine, ProcId, Process, Reading, RssSource, Scope, Snapshot};
use crate::model::history::growth_window::{GrowthWindow, SizeThen, Then};
use crate::units::{Adj, Millis, Pages, Points};

/// How a process grew between two looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Growth {
    /// Resident pages, swap and page tables gained (lost, when negative).
    pub pages: Points,
    /// In this time.
    pub over: Millis,
}

impl Growth {
    /// Pages a minute.
    #[must_use]
    pub fn per_minute(self) -> Points {
        let over = i64::try_from(self.over.0).unwrap_or(i64::MAX).max(1);
        Points(self.pages.0.saturating_mul(60_000) / over)
    }
}

/// How far a process moved in one refresh lately, at most: growth comes in jerks, so the last refresh
/// alone says too little.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GrowthBound {
    /// Upwards.
    pub rise: Pages,
    /// Downwards.
    pub fall: Pages,
}

/// The same, with how many looks ago that was.
#[derive(Clone, Copy, Debug)]
struct Aged {
    id: ProcId,
    growth_bound: GrowthBound,
    rise_age: u8,
    fall_age: u8,
}

/// So many looks a surge is remembered.
const RECENT: u8 = 10;

/// So many looks the size that a process was found with: it was no growth that could be watched.
const NEWBORN: u8 = 1;

/// A kill that happened between two looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KillSeen {
    /// Who went.
    pub victim: ProcId,
    /// Its parent, if it was there.
    pub parent: Option<ProcId>,
    /// When it was found out, on the snapshots' monotonic clock.
    pub at: Millis,
}

/// So many kills are remembered.
const KILLS: usize = 512;

/// What is known at one moment.
#[derive(Clone, Debug)]
pub struct Scene {
    now: Arc<Snapshot>,
    before: Option<Arc<Snapshot>>,
    scope: Scope,
    domain: Domain,
    /// Positions in `now.processes`, sorted by parent, then pid.
    by_parent: Vec<u32>,
    /// What the OOM killer did since the first look, the oldest first.
    kills: Vec<KillSeen>,
    /// Who moved lately, sorted by pid.
    surges: Vec<Aged>,
    /// The list of the look before, kept for its room.
    past_surges: Vec<Aged>,
    greatest_rise: Pages,
    forecast: Arc<Forecast>,
    /// Shared by all that look at this moment.
    minute: Arc<GrowthWindow>,
}

impl Scene {
    /// Takes a look, and the one before it: the domain that matters by itself.
    #[must_use]
    pub fn new(now: Arc<Snapshot>, before: Option<Arc<Snapshot>>) -> Self {
        Self::scoped(now, before, Scope::Auto)
    }

    /// The same for the domain that was asked for.
    #[must_use]
    pub fn scoped(now: Arc<Snapshot>, before: Option<Arc<Snapshot>>, scope: Scope) -> Self {
        let domain = Domain::of(&scope, &now);
        let mut scene = Self {
            now,
            before,
            scope,
            domain,
            by_parent: Vec::new(),
            kills: Vec::new(),
            surges: Vec::new(),
            past_surges: Vec::new(),
            greatest_rise: Pages::ZERO,
            forecast: Arc::default(),
            minute: Arc::default(),
        };
        scene.relate();
        scene.measure();
        if let Some(before) = scene.before.clone() {
            Arc::make_mut(&mut scene.minute).keep(&before);
        }
        Arc::make_mut(&mut scene.minute).keep(&scene.now);
        scene
    }

    /// The same moment in another domain.
    #[must_use]
    pub fn within(&self, scope: Scope) -> Self {
        let domain = Domain::of(&scope, &self.now);
        Self { scope, domain, ..self.clone() }
    }

    /// The same moment, had some processes another adj. What the kernel said of them says nothing then.
    #[must_use]
    pub fn with_adj(&self, adj: impl Fn(&Process) -> Option<Adj>) -> Self {
        let mut now = Snapshot::clone(&self.now);
        for process in &mut now.processes {
            if let Some(adj) = adj(process) {
                process.adj = Reading::Value(adj);
                process.score = Reading::NotAsked;
                process.score_fresh = false;
            }
        }
        Self { now: Arc::new(now), ..self.clone() }
    }

    /// Looks at another domain from now on.
    pub fn set_scope(&mut self, scope: Scope) {
        self.domain = Domain::of(&scope, &self.now);
        self.scope = scope;
    }

    /// The domain that was asked for.
    #[must_use]
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The next look: `now` becomes `before`. Gives back the look that nobody needs any more.
    pub fn advance(&mut self, next: Arc<Snapshot>) -> Option<Arc<Snapshot>> {
        let past = self.before.replace(std::mem::replace(&mut self.now, next));
        self.domain = Domain::of(&self.scope, &self.now);
        self.forecast = Arc::default();
        self.relate();
        self.measure();
        self.count_kills();
        Arc::make_mut(&mut self.minute).keep(&self.now);
        past
    }

    /// What was foreseen at this look; nothing, where nobody did.
    #[must_use]
    pub fn forecast(&self) -> &Forecast {
        &self.forecast
    }

    /// Takes what is foreseen at this look.
    pub fn set_forecast(&mut self, forecast: Forecast) {
        self.forecast = Arc::new(forecast);
    }

    /// How far a process moved in one refresh lately, at most.
    #[must_use]
    pub fn growth_bound(&self, id: ProcId) -> GrowthBound {
        let found = self.surges.binary_search_by_key(&id.pid, |aged| aged.id.pid);
        found.map_or_else(|_| GrowthBound::default(), |at| self.surges[at].growth_bound)
    }

    /// The greatest [`GrowthBound::rise`] of all.
    #[must_use]
    pub const fn greatest_rise(&self) -> Pages {
        self.greatest_rise
    }

    /// Takes how everybody moved since the look before. All three lists are in the order of the pids,
    /// so one walk does it.
    fn measure(&mut self) {
        let Some(before) = self.before.as_deref() else { return };
        std::mem::swap(&mut self.surges, &mut self.past_surges);
        self.surges.clear();
        self.greatest_rise = Pages::ZERO;
        let mut then = before.processes.iter().peekable();
        let mut past = self.past_surges.iter().peekable();
        for process in &self.now.processes {
            let pid = process.id.pid;
            while then.next_if(|other| other.id.pid < pid).is_some() {}
            while past.next_if(|aged| aged.id.pid < pid).is_some() {}
            let was = then.next_if(|other| other.id == process.id);
            let moved = self.moved(process, was, before).map_or(0, |pages| pages.0);
            let pages = |count: i64| Pages(u64::try_from(count).unwrap_or(0));
            let mut aged = Aged {
                id: process.id,
                growth_bound: GrowthBound {
                    rise: pages(moved),
                    fall: pages(moved.saturating_neg()),
                },
                rise_age: if was.is_none() { RECENT - NEWBORN } else { 0 },
                fall_age: 0,
            };
            if let Some(old) = past.next_if(|old| old.id == process.id) {
                if old.growth_bound.rise > aged.growth_bound.rise && old.rise_age < RECENT {
                    (aged.growth_bound.rise, aged.rise_age) =
                        (old.growth_bound.rise, old.rise_age + 1);
                }
                if old.growth_bound.fall > aged.growth_bound.fall && old.fall_age < RECENT {
                    (aged.growth_bound.fall, aged.fall_age) =
                        (old.growth_bound.fall, old.fall_age + 1);
                }
            }
            if aged.growth_bound != GrowthBound::default() {
                self.greatest_rise = self.greatest_rise.max(aged.growth_bound.rise);
                self.surges.push(aged);
            }
        }
    }

    /// What the OOM killer did since the first look, the oldest first, as far as it can be told.
    #[must_use]
    pub fn kills(&self) -> &[KillSeen] {
        &self.kills
    }

    /// The kernel counts its kills, but not whom: of those who fell since the look before, the largest
    /// are taken for its victims, as many as were counted.
    fn count_kills(&mut self) {
        let Some(before) = self.before.as_deref() else { return };
        let counted = |sample: &Snapshot| sample.traffic.oom_kills.value();
        let (Some(then), Some(now)) = (counted(before), counted(&self.now)) else { return };
        let Some(count) = now.checked_sub(then).filter(|&count| count > 0) else { return };
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        for victim in before.killed_until(&self.now).into_iter().take(count) {
            let parent = before.position(victim.parent).map(|at| before.processes[at].id);
            let at = self.now.clock.monotonic_ms;
            self.kills.push(KillSeen { victim: victim.id, parent, at });
        }
        let past = self.kills.len().saturating_sub(KILLS);
        self.kills.drain(..past);
    }

    fn relate(&mut self) {
        let processes = &self.now.processes;
        self.by_parent.clear();
        self.by_parent.extend(0..processes.len() as u32);
        self.by_parent.sort_unstable_by_key(|&at| {
            let process = &processes[at as usize];
            (process.parent, process.id.pid)
        });
    }

    /// The latest look.
    #[must_use]
    pub fn now(&self) -> &Snapshot {
        &self.now
    }

    /// The latest look, to share.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.now)
    }

    /// The look before it.
    #[must_use]
    pub fn before(&self) -> Option<&Snapshot> {
        self.before.as_deref()
    }

    /// The machine's own constants.
    #[must_use]
    pub fn machine(&self) -> &Machine {
        &self.now.machine
    }

    /// What the OOM is confined to.
    #[must_use]
    pub const fn domain(&self) -> &Domain {
        &self.domain
    }

    /// The process, if it still is the same one.
    #[must_use]
    pub fn find(&self, id: ProcId) -> Option<&Process> {
        self.now.find(id)
    }

    /// The children of a pid, oldest pid first.
    pub fn children(&self, pid: i32) -> impl Iterator<Item = &Process> {
        let processes = &self.now.processes;
        let parent = |at: &u32| processes[*at as usize].parent;
        let from = self.by_parent.partition_point(|at| parent(at) < pid);
        self.by_parent[from..]
            .iter()
            .take_while(move |at| parent(at) == pid)
            .map(move |&at| &processes[at as usize])
    }

    /// Whether `process` is the machine's init, which no OOM killer since 2.6 chooses. Pid 1 of a
    /// container is not.
    #[must_use]
    pub fn is_global_init(&self, process: &Process) -> bool {
        process.id.pid == 1 && self.now.machine.initial_pid_namespace
    }

    /// Resident pages by the counter that this kernel's OOM killer reads. Falls back to the other
    /// one where the right one could not be read.
    #[must_use]
    pub fn rss(&self, process: &Process) -> Pages {
        match self.now.machine.rss_source {
            RssSource::Stat => process.rss_stat,
            RssSource::Status => process.rss_exact.value().unwrap_or(process.rss_stat),
        }
    }

    /// Growth since the look before, by the counters that the OOM killer adds up: resident pages,
    /// swap and page tables. What only one of the two looks knows is not compared. A process that was
    /// born between the two has grown by all that it has. `None` without a look before.
    #[must_use]
    pub fn growth(&self, process: &Process) -> Option<Growth> {
        let before = self.before()?;
        let over = self.now.clock.monotonic_ms.saturating_sub(before.clock.monotonic_ms);
        let pages = self.moved(process, before.find(process.id), before)?;
        Some(Growth { pages, over })
    }

    /// Growth over about the last minute, by the same counters: since a look that is a minute to 75
    /// seconds old, or the first one. A process that was born since has grown by all that it has.
    /// `None` at the first look.
    #[must_use]
    pub fn growth_lately(&self, process: &Process) -> Option<Growth> {
        let now = self.now.clock.monotonic_ms;
        let Some((then, at)) = self.minute.then(process, now) else { return self.growth(process) };
        let pages = match then {
            Then::Was(size) => self.gained(process, &size),
            Then::Unborn => self.all_of(process),
        };
        Some(Growth { pages, over: now.saturating_sub(at) })
    }

    /// Compares with this earlier look, too: where looks were left out.
    pub fn set_growth_baseline(&mut self, sample: &Snapshot) {
        let mut minute = GrowthWindow::default();
        minute.keep(sample);
        minute.keep(&self.now);
        self.minute = Arc::new(minute);
    }

    fn all_of(&self, process: &Process) -> Points {
        let known = |size: Reading<Pages>| size.value().unwrap_or_default();
        (self.rss(process) + known(process.swap) + known(process.pgtables)).points()
    }

    /// What a process gained since the look before, in which it was `then`.
    fn moved(
        &self,
        process: &Process,
        then: Option<&Process>,
        before: &Snapshot,
    ) -> Option<Points> {
        let Some(then) = then else {
            // Whoever is older was hidden then, or could not be read: nothing is known of it.
            let is_new = process.id.born > before.clock.uptime_ticks;
            return is_new.then(|| self.all_of(process));
        };
        Some(self.gained(process, &SizeThen::of(then)))
    }

    /// What a process gained since it was so big.
    fn gained(&self, process: &Process, then: &SizeThen) -> Points {
        let exact = match self.now.machine.rss_source {
            RssSource::Stat => None,
            RssSource::Status => process.rss_exact.value().zip(then.rss_exact.value()),
        };
        let both = |now: Reading<Pages>, then: Reading<Pages>| {
            now.value().zip(then.value()).unwrap_or_default()
        };
        let (rss_now, rss_then) = exact.unwrap_or((process.rss_stat, then.rss_stat));
        let (swap_now, swap_then) = both(process.swap, then.swap);
        let (tables_now, tables_then) = both(process.pgtables, then.pgtables);
        (rss_now + swap_now + tables_now).points() - (rss_then + swap_then + tables_then).points()
    }
}

//! The current snapshot, the one before it, and what follows from both. Built once per sample;
//! everything that judges or shows a process asks the scene.

use std::sync::Arc;

use super::{Domain, Forecast, Machine, ProcId, Process, Reading, RssSource, Scope, Snapshot};
use crate::model::history::growth_bounds::{GrowthBound, GrowthBounds};
use crate::model::history::size_history::{Baseline, GrowthWindow, SizeThen};
use crate::units::{Adj, Millis, Pages, Points, Ticks};

/// How much a process grew between two samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Growth {
    /// Growth of resident pages, swap and page tables; negative if it shrank.
    pub pages: Points,
    /// The time between the samples.
    pub over: Millis,
}

impl Growth {
    /// Growth per minute, in pages.
    #[must_use]
    pub fn per_minute(self) -> Points {
        let over = i64::try_from(self.over.0).unwrap_or(i64::MAX).max(1);
        Points(self.pages.0.saturating_mul(60_000) / over)
    }
}

/// A kill that happened between two samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KillSeen {
    /// The process that was killed.
    pub victim: ProcId,
    /// Its parent, if it had one in the sample before.
    pub parent: Option<ProcId>,
    /// When it was noticed, on the monotonic clock of the snapshots.
    pub at: Millis,
}

/// A process that was killed or is exiting, and is not gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ExitSeen {
    who: ProcId,
    /// The first sample in which it was dying, on the monotonic clock of the snapshots.
    since: Millis,
    /// Whether the kernel counted an OOM kill when it began to die.
    counted: bool,
}

/// A process in uninterruptible sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct BlockedSeen {
    who: ProcId,
    /// The first sample in which it was, on the monotonic clock of the snapshots.
    since: Millis,
    /// Its CPU time then: if it ran since, it was another sleep.
    cpu: Ticks,
}

/// Maximum number of kills that are remembered.
const KILLS_MAX: usize = 512;

/// What is known at one moment.
#[derive(Clone, Debug)]
pub struct Scene {
    now: Arc<Snapshot>,
    before: Option<Arc<Snapshot>>,
    scope: Scope,
    domain: Domain,
    /// Indices in `now.processes`, sorted by parent, then by pid.
    by_parent: Vec<u32>,
    /// Kills since the first sample, oldest first.
    kills: Vec<KillSeen>,
    /// Sorted by id.
    exits: Vec<ExitSeen>,
    /// Sorted by id.
    blocked: Vec<BlockedSeen>,
    growth_bounds: GrowthBounds,
    /// Sorted by pid.
    resized: Vec<ProcId>,
    forecast: Arc<Forecast>,
    /// Shared by all clones of this moment.
    growth_window: Arc<GrowthWindow>,
}

impl Scene {
    /// A scene of two consecutive snapshots in the default domain ([`Scope::Auto`]).
    #[must_use]
    pub fn new(now: Arc<Snapshot>, before: Option<Arc<Snapshot>>) -> Self {
        Self::scoped(now, before, Scope::Auto)
    }

    /// A scene of two consecutive snapshots in a given domain.
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
            exits: Vec::new(),
            blocked: Vec::new(),
            growth_bounds: GrowthBounds::default(),
            resized: Vec::new(),
            forecast: Arc::default(),
            growth_window: Arc::default(),
        };
        scene.relate();
        scene.measure();
        scene.follow_exits();
        scene.follow_blocked();
        if let Some(before) = scene.before.clone() {
            Arc::make_mut(&mut scene.growth_window).push(&before);
        }
        Arc::make_mut(&mut scene.growth_window).push(&scene.now);
        scene
    }

    /// The same moment in another domain.
    #[must_use]
    pub fn within(&self, scope: Scope) -> Self {
        let domain = Domain::of(&scope, &self.now);
        Self { scope, domain, ..self.clone() }
    }

    /// The same moment with other values of adj: `adj` returns the new value of a process, or
    /// `None` to push the old one. The scores that the kernel showed are dropped, because they
    /// belong to the old values.
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

    /// Changes this moment, for what-if questions: other sizes, and processes that come or go, but none in the
    /// place of another.
    pub fn suppose(&mut self, change: impl FnOnce(&mut Snapshot)) {
        let count = self.now.processes.len();
        change(Arc::make_mut(&mut self.now));
        self.domain = Domain::of(&self.scope, &self.now);
        if self.now.processes.len() != count {
            self.relate();
        }
    }

    /// How long a process has been on its way out, as far as samples tell; nothing where it is not.
    #[must_use]
    pub fn dying_for(&self, who: ProcId) -> Option<Millis> {
        let found = self.exits.binary_search_by_key(&who, |exit| exit.who).ok()?;
        let since = self.exits.get(found)?.since;
        Some(self.now.clock.monotonic_ms.saturating_sub(since))
    }

    /// Changes the domain of this and the following samples.
    pub fn set_scope(&mut self, scope: Scope) {
        self.domain = Domain::of(&scope, &self.now);
        self.scope = scope;
    }

    /// The domain that was asked for.
    #[must_use]
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Takes the next snapshot: `now` becomes `before`. Returns the snapshot that is no longer
    /// needed.
    pub fn advance(&mut self, next: Arc<Snapshot>) -> Option<Arc<Snapshot>> {
        let past = self.before.replace(std::mem::replace(&mut self.now, next));
        self.domain = Domain::of(&self.scope, &self.now);
        self.forecast = Arc::default();
        self.relate();
        self.measure();
        self.follow_exits();
        self.follow_blocked();
        self.count_kills();
        Arc::make_mut(&mut self.growth_window).push(&self.now);
        past
    }

    /// The forecast at this sample; empty if none was made.
    #[must_use]
    pub fn forecast(&self) -> &Forecast {
        &self.forecast
    }

    /// Sets the forecast at this sample.
    pub fn set_forecast(&mut self, forecast: Forecast) {
        self.forecast = Arc::new(forecast);
    }

    /// The largest change of a process in the last samples.
    #[must_use]
    pub fn growth_bound(&self, id: ProcId) -> GrowthBound {
        self.growth_bounds.get(id)
    }

    /// The largest [`GrowthBound::rise`] of all processes.
    #[must_use]
    pub const fn greatest_rise(&self) -> Pages {
        self.growth_bounds.greatest_rise()
    }

    /// The processes of both samples whose memory changed between them, in the order of pids.
    #[must_use]
    pub fn resized(&self) -> &[ProcId] {
        &self.resized
    }

    /// Updates the growth bounds of all processes, and finds those that changed.
    fn measure(&mut self) {
        let Some(before) = self.before.clone() else { return };
        let mut bounds = std::mem::take(&mut self.growth_bounds);
        let mut resized = std::mem::take(&mut self.resized);
        resized.clear();
        bounds.update(&self.now.processes, &before.processes, |process, then| {
            if then.is_some_and(|then| process.is_resized(then)) {
                resized.push(process.id);
            }
            self.moved(process, then, &before).unwrap_or_default()
        });
        (self.growth_bounds, self.resized) = (bounds, resized);
    }

    /// Kills since the first sample, oldest first, as far as they are known.
    #[must_use]
    pub fn kills(&self) -> &[KillSeen] {
        &self.kills
    }

    /// Finds the victims of new kills. The kernel counts its kills but does not name the victims in
    /// `/proc`: of the processes that ended since the sample before, the largest ones count as
    /// victims, as many as kills were counted.
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
        let past = self.kills.len().saturating_sub(KILLS_MAX);
        self.kills.drain(..past);
    }

    /// Whether an OOM kill was counted when this process began to die, and that was seen less than so long ago.
    #[must_use]
    pub fn was_killed_within(&self, who: ProcId, age: Millis) -> bool {
        let found = self.exits.binary_search_by_key(&who, |exit| exit.who);
        let exit = found.ok().and_then(|at| self.exits.get(at));
        let now = self.now.clock.monotonic_ms;
        exit.is_some_and(|it| it.counted && now.saturating_sub(it.since) < age)
    }

    /// Updates which processes are dying, and since when.
    fn follow_exits(&mut self) {
        let past = std::mem::take(&mut self.exits);
        let since = self.now.clock.monotonic_ms;
        let counted = |sample: &Snapshot| sample.traffic.oom_kills.value();
        let counts = self.before.as_deref().and_then(counted).zip(counted(&self.now));
        let counted = counts.is_some_and(|(then, now)| now > then);
        let last = self.before.as_ref().map(|before| before.clock.monotonic_ms);
        let dying = self.now.processes.iter().filter(|it| it.dying && !it.is_kernel_thread());
        self.exits.extend(dying.map(|process| {
            let known = past.binary_search_by_key(&process.id, |exit| exit.who);
            match known.ok().and_then(|at| past.get(at)) {
                // The counter of the sample before may have been read before the kill.
                Some(exit) if Some(exit.since) == last => {
                    ExitSeen { counted: exit.counted || counted, ..*exit }
                }
                Some(exit) => *exit,
                None => ExitSeen { who: process.id, since, counted },
            }
        }));
        self.exits.sort_unstable_by_key(|exit| exit.who);
    }

    /// How long the main thread of a process has been in uninterruptible sleep (D) without running, as far as
    /// samples tell; nothing where it is not.
    #[must_use]
    pub fn blocked_for(&self, who: ProcId) -> Option<Millis> {
        let found = self.blocked.binary_search_by_key(&who, |it| it.who).ok()?;
        let since = self.blocked.get(found)?.since;
        Some(self.now.clock.monotonic_ms.saturating_sub(since))
    }

    /// The process that has been so for the longest time.
    #[must_use]
    pub fn longest_blocked(&self) -> Option<(ProcId, Millis)> {
        let first = self.blocked.iter().min_by_key(|it| it.since)?;
        Some((first.who, self.now.clock.monotonic_ms.saturating_sub(first.since)))
    }

    /// Updates which processes are in uninterruptible sleep, and since when.
    fn follow_blocked(&mut self) {
        let past = std::mem::take(&mut self.blocked);
        let since = self.now.clock.monotonic_ms;
        let sleeps = |it: &&Process| it.state.0 == 'D' && !it.is_kernel_thread();
        self.blocked.extend(self.now.processes.iter().filter(sleeps).map(|process| {
            let known = past.binary_search_by_key(&process.id, |it| it.who);
            let known = known.ok().and_then(|at| past.get(at));
            let same = known.filter(|it| it.cpu == process.cpu && it.since <= since);
            same.copied().unwrap_or(BlockedSeen { who: process.id, since, cpu: process.cpu })
        }));
        self.blocked.sort_unstable_by_key(|it| it.who);
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

    /// The newest snapshot.
    #[must_use]
    pub fn now(&self) -> &Snapshot {
        &self.now
    }

    /// The newest snapshot, shared.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.now)
    }

    /// The snapshot before the newest.
    #[must_use]
    pub fn before(&self) -> Option<&Snapshot> {
        self.before.as_deref()
    }

    /// Facts that do not change while the machine runs.
    #[must_use]
    pub fn machine(&self) -> &Machine {
        &self.now.machine
    }

    /// The set of processes among which an OOM chooses.
    #[must_use]
    pub const fn domain(&self) -> &Domain {
        &self.domain
    }

    /// The process with this id in the newest snapshot.
    #[must_use]
    pub fn find(&self, id: ProcId) -> Option<&Process> {
        self.now.find(id)
    }

    /// The children of a pid, in the order of their pids.
    pub fn children(&self, pid: i32) -> impl Iterator<Item = &Process> {
        let processes = &self.now.processes;
        let parent = |at: &u32| processes[*at as usize].parent;
        let from = self.by_parent.partition_point(|at| parent(at) < pid);
        self.by_parent[from..]
            .iter()
            .take_while(move |at| parent(at) == pid)
            .map(move |&at| &processes[at as usize])
    }

    /// Whether `process` is the init of the machine, which no kernel since 2.6 chooses. Pid 1 of a
    /// container is not.
    #[must_use]
    pub fn is_global_init(&self, process: &Process) -> bool {
        process.id.pid == 1 && self.now.machine.initial_pid_namespace
    }

    /// Resident pages by the counter that this kernel's OOM killer reads, or by the other one if
    /// that one could not be read.
    #[must_use]
    pub fn rss(&self, process: &Process) -> Pages {
        match self.now.machine.rss_source {
            RssSource::Stat => process.rss_stat,
            RssSource::Status => process.rss_exact.value().unwrap_or(process.rss_stat),
        }
    }

    /// Growth since the sample before, by the counters that make up badness: resident pages, swap
    /// and page tables. A counter that only one of the samples has is left out. A process that
    /// started between the two grew by all that it has. `None` without a sample before.
    #[must_use]
    pub fn growth(&self, process: &Process) -> Option<Growth> {
        let before = self.before()?;
        let over = self.now.clock.monotonic_ms.saturating_sub(before.clock.monotonic_ms);
        let pages = self.moved(process, before.find(process.id), before)?;
        Some(Growth { pages, over })
    }

    /// Growth over about the last minute, by the same counters: since a sample that is 60 to 75
    /// seconds old, or since the first one. A process that started since then grew by all that it
    /// has. `None` at the first sample.
    #[must_use]
    pub fn growth_lately(&self, process: &Process) -> Option<Growth> {
        let now = self.now.clock.monotonic_ms;
        let Some((then, at)) = self.growth_window.baseline(process, now) else {
            return self.growth(process);
        };
        let pages = match then {
            Baseline::Size(size) => self.gained(process, &size),
            Baseline::NotStarted => self.all_of(process),
        };
        Some(Growth { pages, over: now.saturating_sub(at) })
    }

    /// [`Self::growth_lately`] of all processes, in the order of their pids: one pass over both lists.
    pub fn growths_lately(&self) -> impl Iterator<Item = (&Process, Option<Growth>)> {
        let now = self.now.clock.monotonic_ms;
        let (sizes, at) = self.growth_window.oldest(now).unwrap_or_default();
        let mut sizes = sizes.iter().peekable();
        self.now.processes.iter().map(move |process| {
            while sizes.next_if(|size| size.id.pid < process.id.pid).is_some() {}
            let growth = match sizes.next_if(|size| size.id == process.id) {
                Some(size) => {
                    let pages = self.gained(process, &size.size());
                    Some(Growth { pages, over: now.saturating_sub(at) })
                }
                None => self.growth_lately(process),
            };
            (process, growth)
        })
    }

    /// Compares growth with this earlier sample, too; for a scene that skipped the samples in
    /// between.
    pub fn set_growth_baseline(&mut self, sample: &Snapshot) {
        let mut growth_window = GrowthWindow::default();
        growth_window.push(sample);
        growth_window.push(&self.now);
        self.growth_window = Arc::new(growth_window);
    }

    fn all_of(&self, process: &Process) -> Points {
        let known = |size: Reading<Pages>| size.value().unwrap_or_default();
        (self.rss(process) + known(process.swap) + known(process.pgtables)).points()
    }

    /// Growth since the sample before, in which the process was `then`. `None` if nothing is known
    /// of it.
    fn moved(
        &self,
        process: &Process,
        then: Option<&Process>,
        before: &Snapshot,
    ) -> Option<Points> {
        let Some(then) = then else {
            // An older process was hidden or could not be read: its size then is not known.
            let is_new = process.id.born > before.clock.uptime_ticks;
            return is_new.then(|| self.all_of(process));
        };
        Some(self.gained(process, &SizeThen::of(then)))
    }

    /// Growth since the process had the sizes `then`.
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

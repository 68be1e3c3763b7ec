//! Now, before, and what follows from both. Built once a look; everything that judges or shows
//! asks the scene.

use std::sync::Arc;

use super::{Domain, Machine, ProcId, Process, Reading, RssSource, Scope, Snapshot};
use crate::units::{Millis, Pages, Points};

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

/// What is known at one moment.
#[derive(Clone, Debug)]
pub struct Scene {
    now: Arc<Snapshot>,
    before: Option<Arc<Snapshot>>,
    scope: Scope,
    domain: Domain,
    /// Positions in `now.processes`, sorted by parent, then pid.
    by_parent: Vec<u32>,
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
        let mut scene = Self { now, before, scope, domain, by_parent: Vec::new() };
        scene.relate();
        scene
    }

    /// The same moment in another domain.
    #[must_use]
    pub fn within(&self, scope: Scope) -> Self {
        let domain = Domain::of(&scope, &self.now);
        Self { scope, domain, ..self.clone() }
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
        self.relate();
        past
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
        let Some(then) = before.find(process.id) else {
            // Whoever is older was hidden then, or could not be read: nothing is known of it.
            let known = |size: Reading<Pages>| size.value().unwrap_or_default();
            let all = self.rss(process) + known(process.swap) + known(process.pgtables);
            let is_new = process.id.born > before.clock.uptime_ticks;
            return is_new.then_some(Growth { pages: all.points(), over });
        };
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
        let pages = (rss_now + swap_now + tables_now).points()
            - (rss_then + swap_then + tables_then).points();
        Some(Growth { pages, over })
    }
}

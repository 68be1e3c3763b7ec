//! Takes every sample, keeps what the prediction needs, and answers who dies next.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::model::{
    Cgroup, ProcId, Process, Reading, Scene, Scope, Snapshot, Text, UsageReading, is_within,
    machine_usage, tree_order,
};
use crate::policy::{LINUX, Override, Policy};
use crate::rank::also_killed::GroupCensus;
use crate::units::{Bytes, Millis, Pages};

use super::approach::Approach;
use super::domain_age::DomainAges;
use super::growth::GrowthTracks;
use super::headline::Headline;
use super::killers::KillerRules;
use super::room::{self, Room};
use super::room_history::{Basis, COUNT, Estimate, Kind, Loss, RoomHistory, WINDOWS};
use super::unreclaimable::lasting;
use super::usage_scale::UsageScale;
use super::victim::{Course, Victims, victims};
use super::{DeathCertainty, Deaths, LIST_HORIZON, MAX_DEATHS, NextDeath, StallReason, TimeSpan};

/// A domain that is fuller than this, in per-mille, is read between samples.
const NEARLY_FULL: u64 = 800;
/// So is one that will be full sooner than this.
const NEAR: Millis = Millis(30_000);
/// Maximum number of domains that are read between samples.
const MAX_NEAR: usize = 8;
/// What a process holds that is on its way out counts as free for this long: then it may be stuck.
const EXITING: Millis = Millis(5_000);
/// ProcessGrowth is foreseen for this many times as long as it has been seen, by the use of the domain in per-mille.
const REACH: [(u64, f64); 3] = [(750, 2.0), (500, 0.9), (0, 0.6)];
/// The same where it follows from the levels of a restless domain: these are known from a few points.
const LEVELS_REACH: [(u64, f64); 3] = [(750, 1.0), (500, 0.6), (0, 0.3)];
/// Levels whose time may be longer by more than this factor tell nothing of a domain that is not nearly full.
const VAGUE: f64 = 2.0;
/// Sudden growth is foreseen from this use of the domain on, in per-mille.
const HALF_FULL: u64 = 500;
/// A domain that has been at work for less than this may just be starting: its growth is foreseen for half as
/// long, unless it is steady.
const START: Millis = Millis(30_000);
/// ProcessGrowth that has been seen for longer is foreseen for ten minutes, and for an hour.
const LASTING: [Millis; 2] = [Millis(60_000), Millis(100_000)];
/// A kill that frees more than this part of a limit begins a history anew.
const MUCH: u64 = 33;
/// A reading may be so much later than the sample after it.
const AHEAD: Millis = Millis(2_000);
/// Readings that are further from the newest sample are left out.
const LATEST: Millis = Millis(600_000);
/// A usage reading tells what is left where usage and room changed alike between samples, up to this share.
const ALIKE: f64 = 0.25;
/// The same as a share of the limit.
const ALIKE_OF_LIMIT: f64 = 0.005;

/// The room of one cgroup, and what usage readings need.
#[derive(Clone, Debug)]
struct GroupRoom {
    path: Arc<Text>,
    history: RoomHistory,
    limit: Bytes,
    /// What was left at the newest sample.
    left: Bytes,
    /// The usage that belongs to the newest room.
    usage: Bytes,
    /// The usage of the newest sample.
    sampled: Bytes,
    /// When that was read.
    read: Option<Millis>,
    /// When it was seen first, and for how long its oldest process had been there.
    first: (Millis, Millis),
    /// Whether a change of usage is a change of room, and not of the page cache.
    tells: bool,
    /// Kills in it, and when they were counted.
    kills: Option<(u64, Millis)>,
    stalled: Option<StallReason>,
}

/// The state of the prediction between samples.
#[derive(Clone, Debug)]
pub struct DeathForecaster {
    global: Arc<Text>,
    machine: RoomHistory,
    machine_limit: Bytes,
    /// How its room follows its usage.
    machine_scale: UsageScale,
    /// Limited cgroups in the order of the tree.
    groups: Vec<GroupRoom>,
    /// The userspace killers that run here.
    killers: KillerRules,
    growth: GrowthTracks,
    /// Processes on their way out, and since when.
    exiting: Vec<(ProcId, Millis)>,
    headline: Headline,
    /// When the newest sample was taken.
    sampled: Option<Millis>,
    /// When the newest reading of all was taken.
    now: Millis,
    /// How many readings were taken since the newest sample.
    readings: usize,
}

impl Default for DeathForecaster {
    fn default() -> Self {
        Self {
            global: Arc::new(Text::new(Scope::GLOBAL.as_bytes())),
            machine: RoomHistory::default(),
            machine_limit: Bytes::ZERO,
            machine_scale: UsageScale::default(),
            groups: Vec::new(),
            killers: KillerRules::default(),
            growth: GrowthTracks::default(),
            exiting: Vec::new(),
            headline: Headline::default(),
            sampled: None,
            now: Millis::ZERO,
            readings: 0,
        }
    }
}

/// Memory that a process on its way out holds, and where.
struct Leaving<'a> {
    cgroup: Option<&'a str>,
    bytes: Bytes,
}

impl<'a> Leaving<'a> {
    fn of(process: &'a Process, scene: &Scene) -> Self {
        let cgroup = match &process.cgroup {
            Reading::Value(path) => Some(path.as_str()),
            _ => None,
        };
        let bytes = Pages(lasting(process, scene)).bytes(scene.machine().page_size);
        Self { cgroup, bytes }
    }

    fn is_in(&self, group: &str) -> bool {
        self.cgroup.is_some_and(|path| is_within(path, group))
    }
}

fn sum<'a>(leaving: impl Iterator<Item = &'a Leaving<'a>>) -> Bytes {
    leaving.fold(Bytes::ZERO, |sum, it| sum + it.bytes)
}

impl DeathForecaster {
    /// Takes a sample: the newest one of the scene, with the readings before it that were not taken yet. A
    /// sample that is earlier than the one before, or of another boot, begins anew; the same sample again
    /// changes nothing.
    pub fn observe(&mut self, scene: &Scene) {
        let now = scene.now();
        let at = now.clock.monotonic_ms;
        let goes_on = scene.before().is_some_and(|before| now.continues(before));
        match self.sampled {
            Some(last) if last == at && goes_on => return,
            Some(last) if last < at && goes_on => {
                let taken = self.readings.min(now.usage_readings.len());
                self.observe_readings(&now.usage_readings[taken..]);
            }
            _ => *self = Self::default(),
        }
        self.readings = 0;
        self.sampled = Some(at);
        // A reading may have been a little later than the clock of this sample.
        if self.now < at || self.now.saturating_sub(at) > AHEAD {
            self.now = at;
        }
        let exits = Exits { leaving: self.leaving(scene), killed: killed(scene) };
        let room = room::of_machine(now);
        let leaving = sum(exits.leaving.iter());
        let left = (room.left + leaving).min(room.limit);
        self.machine_limit = room.limit;
        let usage = machine_usage(&now.memory, &now.swap);
        self.machine_scale.sample(left, usage, room.limit);
        let by_killers = self.killers.observe(scene, &self.global, leaving, usage);
        let by_kernel = sum(exits.killed.iter());
        if is_much(by_killers, room.limit) || is_much(by_kernel, room.limit) {
            // What grew is gone, and what was given back was no decision of a program.
            self.machine.forget();
            self.killers.forget();
        } else {
            self.machine.push(Kind::Sample, at, left, room.limit);
        }
        self.observe_groups(now, &exits);
        self.growth.observe(scene);
        self.choose();
    }

    /// What processes on their way out still hold: it is as good as free, and nobody else is killed before.
    fn leaving<'a>(&mut self, scene: &'a Scene) -> Vec<Leaving<'a>> {
        let at = scene.now().clock.monotonic_ms;
        let old = std::mem::take(&mut self.exiting);
        let mut leaving = Vec::new();
        for process in scene.now().processes.iter().filter(|it| it.dying && it.has_mm) {
            let known = old.iter().find(|it| it.0 == process.id).map(|it| it.1);
            let since = known.unwrap_or(at);
            self.exiting.push((process.id, since));
            if at.saturating_sub(since) <= EXITING {
                leaving.push(Leaving::of(process, scene));
            }
        }
        leaving
    }

    fn observe_groups(&mut self, now: &Snapshot, exits: &Exits<'_>) {
        let read = now.cgroups.read_ms;
        let at = if read == Millis::ZERO { now.clock.monotonic_ms } else { read };
        let mut old = std::mem::take(&mut self.groups).into_iter().peekable();
        let mut ages: Option<DomainAges<'_>> = None;
        for group in &now.cgroups.list {
            let Some(room) = room::of_cgroup(group, now) else { continue };
            let before = |it: &GroupRoom| tree_order(it.path.as_str(), group.path.as_str());
            while old.next_if(|it| before(it) == Ordering::Less).is_some() {}
            let known = old.next_if(|it| before(it) == Ordering::Equal);
            let inside = |it: &&Leaving<'_>| it.is_in(group.path.as_str());
            let freed = sum(exits.leaving.iter().filter(inside));
            let room = Room { left: (room.left + freed).min(room.limit), ..room };
            let mut next = known.unwrap_or_else(|| {
                let age = ages.get_or_insert_with(|| DomainAges::new(now)).of(group.path.as_str());
                GroupRoom::new(group, room, (at, age))
            });
            let killed = is_much(sum(exits.killed.iter().filter(inside)), room.limit);
            next.observe(group, room, at, killed);
            self.groups.push(next);
        }
    }

    /// Takes readings between two samples. The next sample holds them as well, and does not count them again.
    pub fn observe_readings(&mut self, readings: &[UsageReading]) {
        for reading in readings {
            self.observe_usage(reading.domain.as_str(), reading.read_ms, reading.usage);
        }
        self.readings += readings.len();
    }

    /// Takes a reading of the usage of a cgroup or of the machine between two samples.
    pub fn observe_usage(&mut self, domain: &str, at: Millis, usage: Bytes) {
        // What belongs to no time near the sample is an error.
        let sampled = self.sampled.unwrap_or_default();
        if sampled.0.abs_diff(at.0) > LATEST.0 {
            return;
        }
        if domain == Scope::GLOBAL {
            self.observe_machine_usage(at, usage);
        } else {
            let found = self.groups.binary_search_by(|it| tree_order(it.path.as_str(), domain));
            let Some(group) = found.ok().and_then(|at| self.groups.get_mut(at)) else { return };
            group.observe_usage(at, usage);
        }
        self.now = self.now.max(at);
        self.choose();
    }

    fn observe_machine_usage(&mut self, at: Millis, usage: Bytes) {
        self.killers.observe_usage(at, usage);
        let Some(left) = self.machine.left() else { return };
        let left = self.machine_scale.left(left, usage);
        self.machine.push(Kind::Reading, at, left, self.machine_limit);
    }

    /// The domains whose usage should be read between samples: those that are nearly full, and those that
    /// will be within half a minute. At most eight, the nearest first.
    #[must_use]
    pub fn near(&self) -> Vec<Arc<Text>> {
        let near = |domain: &Arc<Text>, history: &RoomHistory, limit: Bytes| {
            let full = Room { left: history.left()?, limit }.used_permille();
            let time = history.earliest().filter(|it| *it < NEAR);
            let is_near = time.is_some() || full >= NEARLY_FULL;
            let key = (time.unwrap_or(Millis(u64::MAX)), std::cmp::Reverse(full));
            is_near.then(|| (key, Arc::clone(domain)))
        };
        let machine = near(&self.global, &self.machine, self.machine_limit).or_else(|| {
            // A userspace killer acts while the kernel still has room.
            let time = self.killers.earliest().filter(|it| *it < NEAR)?;
            Some(((time, std::cmp::Reverse(0)), Arc::clone(&self.global)))
        });
        let groups = self.groups.iter().filter_map(|it| near(&it.path, &it.history, it.limit));
        let mut all: Vec<_> = machine.into_iter().chain(groups).collect();
        all.sort_by_key(|it| it.0);
        all.into_iter().take(MAX_NEAR).map(|it| it.1).collect()
    }

    /// Whether a domain that is half full would be full within half a minute, if it went on as in the last seconds:
    /// too little to tell of it, and enough to look at it again.
    #[must_use]
    pub fn is_filling(&self) -> bool {
        let is_filling = |history: &RoomHistory, limit: Bytes| {
            let Some(left) = history.left() else { return false };
            let ([Loss { bytes, over }, ..], _) = history.losses(self.now);
            let used = Room { left, limit }.used_permille();
            used >= HALF_FULL && bytes * NEAR.seconds() >= left.0 as f64 * over.seconds().max(0.1)
        };
        let mut groups = self.groups.iter();
        is_filling(&self.machine, self.machine_limit)
            || groups.any(|it| is_filling(&it.history, it.limit))
    }

    /// When the newest sample or reading was taken.
    #[must_use]
    pub const fn now(&self) -> Millis {
        self.now
    }

    fn choose(&mut self) {
        let list = self.approaching();
        let mut headline = std::mem::take(&mut self.headline);
        headline.choose(self.now, &list, |it| {
            let history = self.history(it)?;
            Some((history.generation(), history.left()?))
        });
        self.headline = headline;
    }

    fn history(&self, approach: &Approach) -> Option<&RoomHistory> {
        let domain = &approach.domain;
        if let Some(killer) = &approach.killer {
            return self.killers.history(killer, domain);
        }
        if domain.as_str() == Scope::GLOBAL {
            return Some(&self.machine);
        }
        let order = |it: &GroupRoom| tree_order(it.path.as_str(), domain.as_str());
        self.groups.binary_search_by(order).ok().map(|at| &self.groups[at].history)
    }

    /// The domains that approach their limits, or stall.
    fn approaching(&self) -> Vec<Approach> {
        let approach = |domain: &Arc<Text>,
                        history: &RoomHistory,
                        limit,
                        age,
                        stalled: Option<StallReason>| {
            let room = Room { left: history.left()?, limit };
            let age = history.age().max(age);
            let estimate = history.estimate().filter(|it| is_supported(it, room, age));
            let passed = self.now.saturating_sub(history.read_at()?);
            let when = estimate.map(|it| it.when.after(passed));
            let when = when.filter(|when: &TimeSpan| when.middle <= LIST_HORIZON);
            let stalls = stalled.is_some_and(|reason| acts_at(reason, room));
            (stalls || stalled.is_none() && when.is_some()).then(|| Approach {
                killer: None,
                domain: Arc::clone(domain),
                when: when.filter(|_| stalled.is_none()),
                room,
                rate: estimate.map_or(0.0, |it| it.rate),
                basis: estimate.map_or(Basis::Window(2), |it| it.basis),
                stalled,
                generation: history.generation(),
            })
        };
        let machine = approach(&self.global, &self.machine, self.machine_limit, Millis::ZERO, None);
        let groups = self.groups.iter().filter_map(|it| {
            let (first, age) = it.first;
            let age = self.now.saturating_sub(first) + age;
            approach(&it.path, &it.history, it.limit, age, it.stalled)
        });
        let killers = self.killers.approaching(self.now, is_supported);
        let near = |it: &Approach| it.when.is_some_and(|when| when.middle <= LIST_HORIZON);
        machine.into_iter().chain(groups).chain(killers.into_iter().filter(near)).collect()
    }

    /// The same as [`deaths`](Self::deaths), without a census where no domain approaches its limit.
    #[must_use]
    pub fn predict(&self, scene: &Scene) -> Deaths {
        if self.headline.shown().is_none() && self.approaching().is_empty() {
            return Deaths::default();
        }
        self.deaths(scene, &GroupCensus::new(scene))
    }

    /// Who dies next, by the newest sample and the readings since. `scene` is the one that was observed last;
    /// `census` counts the members of its cgroups.
    #[must_use]
    pub fn deaths(&self, scene: &Scene, census: &GroupCensus<'_>) -> Deaths {
        let shown = self.headline.shown().map(|it| {
            let shown = it.at(self.now);
            // Where its time only goes on, what is left is known all the same.
            let is_room = shown.killer.is_none();
            let left = self.history(&shown).filter(|_| is_room).and_then(RoomHistory::left);
            let room = Room { left: left.unwrap_or(shown.room.left), ..shown.room };
            Approach { room, ..shown }
        });
        let mut list = self.approaching();
        // What the headline keeps for a moment belongs to the list as well.
        if let Some(shown) = &shown
            && !list.iter().any(|it| it.is_of(shown) && it.when.is_some())
        {
            list.retain(|it| !it.is_of(shown));
            list.push(shown.clone());
        }
        list.sort_by_key(|it| it.when.map_or(Millis(u64::MAX), |when| when.middle));
        list.truncate(MAX_DEATHS);
        let mut inside = scene.clone();
        let list: Vec<NextDeath> =
            list.iter().map(|it| self.death(it, &mut inside, census)).collect();
        let is_shown = |it: &&NextDeath| {
            shown.as_ref().is_some_and(|shown| it.by == shown.by() && it.domain == shown.domain)
        };
        let next = match &shown {
            Some(_) => list.iter().find(is_shown).cloned(),
            // A stall is told where nobody dies.
            None => list.iter().find(|it| it.stalled.is_some()).cloned(),
        };
        Deaths { next, list }
    }

    fn death(
        &self,
        approach: &Approach,
        inside: &mut Scene,
        census: &GroupCensus<'_>,
    ) -> NextDeath {
        let mut death = NextDeath {
            by: approach.by(),
            domain: Arc::clone(&approach.domain),
            when: approach.when,
            certainty: DeathCertainty::Nobody,
            candidates: Vec::new(),
            saved: None,
            gains: Vec::new(),
            left: approach.room.left,
            limit: approach.room.limit,
            rate: approach.rate,
            trigger: approach.killer.as_ref().map(|it| Arc::clone(&it.rule)),
            stalled: approach.stalled,
        };
        let Some(when) = approach.when else { return death };
        // A userspace killer looks at the whole machine, and its rule at what it watches.
        let is_machine = approach.domain == self.global || approach.killer.is_some();
        inside.set_scope(if is_machine {
            Scope::Global
        } else {
            Scope::Memcg(Arc::clone(&approach.domain))
        });
        let policy = approach.killer.as_ref().map(|it| it.policy);
        let policy: &dyn Policy =
            policy.filter(|it| !it.lets_kernel_choose(inside)).unwrap_or(&LINUX);
        // A process that is being killed now does not decide who dies then.
        let remains = |it: &Override| !matches!(it, Override::Dying(_));
        if let Some(found) = policy.overridden(inside).filter(remains) {
            death.certainty = DeathCertainty::Overridden(found);
            return death;
        }
        let sampled = inside.now().clock.monotonic_ms;
        let passed = self.now.saturating_sub(sampled);
        let course = self.course(approach, when, sampled, passed);
        let Victims { certainty, mut candidates, saved, gains } = if is_machine {
            let all = 0..inside.now().processes.len() as u32;
            victims(policy, inside, all, &self.growth, &course)
        } else {
            let members = census.members(death.domain.as_str());
            victims(policy, inside, members, &self.growth, &course)
        };
        for candidate in &mut candidates {
            candidate.from = candidate.from.saturating_sub(passed);
            candidate.to = candidate.to.saturating_sub(passed);
        }
        (death.certainty, death.candidates) = (certainty, candidates);
        (death.saved, death.gains) = (saved, gains);
        death
    }

    /// How a domain goes to its limit, from the sample on: since then so much time has passed.
    fn course(
        &self,
        approach: &Approach,
        when: TimeSpan,
        sampled: Millis,
        passed: Millis,
    ) -> Course {
        let (losses, left) = self
            .history(approach)
            .map_or(([Loss::default(); COUNT], 0.0), |history| history.losses(sampled));
        let (window, at_peak) = match approach.basis {
            Basis::Window(window) => (window, false),
            Basis::Levels => (COUNT - 1, true),
        };
        let times = |loss: Loss| (loss.bytes > 0.0 && !at_peak).then(|| left / loss.bytes);
        Course {
            when: TimeSpan {
                low: when.low + passed,
                middle: when.middle + passed,
                high: when.high + passed,
            },
            over: if at_peak { WINDOWS } else { losses.map(|loss| loss.over) },
            times: losses.map(times),
            window,
            at_peak,
        }
    }
}

impl GroupRoom {
    fn new(group: &Cgroup, room: Room, first: (Millis, Millis)) -> Self {
        Self {
            path: Arc::clone(&group.path),
            history: RoomHistory::default(),
            limit: room.limit,
            left: room.left,
            usage: Bytes::ZERO,
            sampled: group.usage.value().unwrap_or_default(),
            read: None,
            first,
            tells: true,
            kills: None,
            stalled: None,
        }
    }

    fn observe(&mut self, group: &Cgroup, room: Room, at: Millis, killed: bool) {
        self.stalled = room::stall(group);
        // A sample repeats its cgroups where they could not be read in time.
        if self.read.is_some_and(|read| at <= read) {
            if killed && self.history.was_full() {
                self.history.forget();
            }
            return;
        }
        self.read = Some(at);
        let usage = group.usage.value().unwrap_or_default();
        let taken = self.left.0 as f64 - room.left.0 as f64;
        let charged = usage.0 as f64 - self.sampled.0 as f64;
        let most =
            (taken.abs().max(charged.abs()) * ALIKE).max(room.limit.0 as f64 * ALIKE_OF_LIMIT);
        self.tells = (taken - charged).abs() <= most;
        if killed && self.history.was_full() {
            self.history.forget();
        } else {
            self.history.push(Kind::Sample, at, room.left, room.limit);
        }
        if let Some(count) = group.events.oom_kill.value() {
            if let Some((_, since)) = self.kills.filter(|(before, _)| count > *before) {
                self.history.killed(since);
            }
            self.kills = Some((count, at));
        }
        (self.limit, self.left, self.sampled) = (room.limit, room.left, usage);
        // A late sample may be older than the last reading.
        if self.history.read_at().is_none_or(|newest| newest <= at) {
            self.usage = usage;
        }
    }

    fn observe_usage(&mut self, at: Millis, usage: Bytes) {
        let Some(left) = self.history.left() else { return };
        let freed = self.usage.saturating_sub(usage);
        if self.tells {
            let left = left.0.saturating_add(self.usage.0).saturating_sub(usage.0);
            self.history.push(Kind::Reading, at, Bytes(left), self.limit);
        } else if freed.0 > self.limit.0 / 4 {
            // That was no page cache.
            self.history.forget();
        }
        self.usage = usage;
    }
}

/// Processes that are on their way out, or were killed since the sample before.
struct Exits<'a> {
    leaving: Vec<Leaving<'a>>,
    killed: Vec<Leaving<'a>>,
}

/// Those who may have been killed since the sample before, with what they held then: that may not be free yet.
/// The kernel counts its kills, but not whom.
fn killed(scene: &Scene) -> Vec<Leaving<'_>> {
    let Some(before) = scene.before() else { return Vec::new() };
    let count = |sample: &Snapshot| sample.traffic.oom_kills.value();
    if count(scene.now()) <= count(before) {
        return Vec::new();
    }
    before.killed_until(scene.now()).into_iter().map(|it| Leaving::of(it, scene)).collect()
}

/// Whether tasks wait for memory when this room is left: `oom_kill_disable` acts at the limit only, and a frozen
/// cgroup is in no need of memory elsewhere.
const fn acts_at(reason: StallReason, room: Room) -> bool {
    match reason {
        StallReason::Throttled => true,
        StallReason::OomKillDisabled | StallReason::Frozen => room.left.0 <= room.limit.0 / 64,
    }
}

/// Whether what a kill frees is a good part of a limit.
fn is_much(bytes: Bytes, limit: Bytes) -> bool {
    bytes.0 > limit.0 / MUCH
}

/// Whether growth has been seen for long enough to be foreseen for so long.
fn is_supported(estimate: &Estimate, room: Room, age: Millis) -> bool {
    let Estimate { when, seen, sudden, steady, basis, .. } = estimate;
    let used = room.used_permille();
    let by_levels = *basis == Basis::Levels;
    let is_vague = when.high.0 as f64 > when.middle.0 as f64 * VAGUE;
    if by_levels && is_vague && used < LEVELS_REACH[0].0 {
        return false;
    }
    let reaches = if by_levels { &LEVELS_REACH } else { &REACH };
    let reach = reaches.iter().find(|it| used >= it.0).map_or(0.0, |it| it.1);
    let reach = if age < START && !steady { reach / 2.0 } else { reach };
    let far = if *seen >= LASTING[1] {
        LIST_HORIZON
    } else if *seen >= LASTING[0] {
        super::HEADLINE_HORIZON
    } else {
        Millis((seen.0 as f64 * reach) as u64)
    };
    // A program that starts takes much at once as well, and mostly less than half.
    *sudden && used >= HALF_FULL || when.middle <= far
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vague_levels_tell_nothing_of_a_domain_that_is_not_nearly_full() {
        let told = |basis, high: u64, left: u64| {
            let seconds = |it: u64| Millis(it * 1000);
            let when = TimeSpan { low: seconds(18), middle: seconds(32), high: seconds(high) };
            let estimate =
                Estimate { when, rate: 1.0, seen: seconds(65), sudden: false, steady: true, basis };
            let room = Room { left: Bytes(left), limit: Bytes(100) };
            is_supported(&estimate, room, seconds(70))
        };
        assert!(!told(Basis::Levels, 109, 55));
        assert!(told(Basis::Levels, 109, 20), "it is nearly full");
        assert!(told(Basis::Levels, 60, 55), "they fall clearly");
        assert!(told(Basis::Window(2), 109, 55), "it is a ramp");
    }

    #[test]
    fn sudden_growth_of_a_domain_that_is_mostly_free_tells_nothing() {
        let told = |left: u64| {
            let seconds = |it: u64| Millis(it * 1000);
            let when = TimeSpan { low: seconds(8), middle: seconds(9), high: seconds(11) };
            let basis = Basis::Window(0);
            let estimate =
                Estimate { when, rate: 6.0, seen: seconds(3), sudden: true, steady: false, basis };
            is_supported(&estimate, Room { left: Bytes(left), limit: Bytes(100) }, seconds(70))
        };
        assert_eq!((told(55), told(45)), (false, true));
    }
}

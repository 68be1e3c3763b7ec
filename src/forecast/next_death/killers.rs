//! The userspace killers that run here, and how far each of their rules is from acting.
//!
//! A rule acts when all of its conditions hold. Amounts (available memory, free swap) are added up: what must
//! at least be used until the last of them is met is the room of the rule, and its time follows from the
//! trend as that of any limit. Pressure is not foreseen: a rule with pressure has a time from when the
//! pressure is beyond its threshold, because it must stay there for long.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::{CgroupNeeds, KillerPresence, Process, Reading, Scene, Scope, Text, is_within};
use crate::policy::{
    Policy, PolicyKind, TriggerLevel, TriggerQuantity, TriggerRule, killers as killer_policies,
};
use crate::units::{Bytes, Kib, Millis, Pages};

use super::TimeSpan;
use super::approach::{ActingKiller, Approach};
use super::room::Room;
use super::room_history::{Basis, Estimate, Kind, RoomHistory};
use super::unreclaimable::lasting;
use super::usage_scale::UsageScale;

/// A killer whose conditions are met acts within this time, or it does not act at all: it found no victim, or
/// the victim does not die.
const OVERDUE: Millis = Millis(12_000);
/// systemd-oomd asks for reclaim in this time (`RECLAIM_DURATION_USEC`).
const RECLAIM: Millis = Millis(30_000);
/// A killer that is due within this time may have acted.
const DUE: Millis = Millis(1000);
/// What a killer kills holds more than one of so many parts of all that it may kill.
const KILLED_PARTS: u64 = 16;
/// The time of a rule that only waits for a duration to pass is known to this share.
const PATIENCE_UNCERTAINTY: f64 = 0.3;

/// One rule of a killer that runs here.
#[derive(Clone, Debug)]
struct KillerRule {
    killer: ActingKiller,
    /// Its place among the rules of the killer.
    nth: usize,
    /// The machine, or the cgroup whose pressure is watched.
    domain: Arc<Text>,
    history: RoomHistory,
    room: Room,
    /// How the room follows the usage of the machine.
    scale: UsageScale,
    /// Since when the pressure is beyond its threshold.
    pressed: Option<Millis>,
    /// The pressure of the newest sample, and when it is back at its threshold if it falls on as it does.
    pressure: Option<(Millis, f64)>,
    below_at: Option<Millis>,
    /// When reclaim was seen last in a cgroup where the killer asks for that.
    reclaimed: Option<Millis>,
    /// Since when all conditions hold.
    met: Option<Millis>,
    /// When it acted last, as far as that is seen: it was due, and what it may kill was gone.
    acted: Option<Millis>,
    /// Whether the killer could choose anybody.
    has_victim: bool,
}

/// All rules of the killers that run here.
#[derive(Clone, Debug, Default)]
pub struct KillerRules {
    rules: Vec<KillerRule>,
    /// The processes of killers that were in a sample.
    seen: BTreeSet<i32>,
}

/// Whether a quantity is an amount of memory, which the trend foretells.
const fn is_amount(quantity: TriggerQuantity) -> bool {
    use TriggerQuantity::{AvailableMemory, FreeSwap, Zram};
    matches!(quantity, AvailableMemory | FreeSwap | Zram)
}

/// Whether a quantity is one that must be seen beyond its threshold before there is a time.
const fn is_pressure(quantity: TriggerQuantity) -> bool {
    matches!(quantity, TriggerQuantity::Pressure | TriggerQuantity::FreeMemory)
}

/// Whether a rule acts by amounts of memory alone, so that its time is known without pressure.
pub(crate) fn is_by_amounts(rule: &TriggerRule) -> bool {
    rule.levels.iter().all(|level| is_amount(level.quantity))
}

/// What must at least be used until all amounts of a rule are beyond their thresholds. `None` where one of its
/// conditions cannot be seen.
pub(crate) fn left(rule: &TriggerRule) -> Option<Bytes> {
    let mut sum = 0.0;
    for level in &rule.levels {
        let distance = level.distance()?;
        if is_amount(level.quantity) {
            sum += distance;
        }
    }
    // Without swap a rule that asks for less free swap than none is never met.
    let never = rule.levels.iter().any(|level| {
        is_amount(level.quantity)
            && level.distance() == Some(0.0)
            && level.met() == Some(false)
            && level.present == Some(0.0)
    });
    (!never).then(|| Kib(sum.ceil() as u64).bytes())
}

impl KillerRules {
    /// Takes the newest sample of the scene. `leaving` is what processes on their way out still hold, `usage` that of
    /// the machine. Returns how much those held that one of the killers has killed since the sample before.
    pub fn observe(
        &mut self,
        scene: &Scene,
        global: &Arc<Text>,
        leaving: Bytes,
        usage: Bytes,
    ) -> Bytes {
        let now = scene.now();
        let mut killed = Bytes::ZERO;
        let at = now.clock.monotonic_ms;
        let limit = (now.memory.total_kib + now.swap.lasting()).bytes();
        let mut old = std::mem::take(&mut self.rules);
        for policy in killer_policies().filter(|it| is_userspace(*it) && it.acts_here(scene)) {
            if self.has_ended(policy, scene) {
                continue;
            }
            for (nth, rule) in policy.trigger_rules(scene).into_iter().enumerate() {
                let Some(left) = left(&rule) else { continue };
                let cgroup = rule.levels.iter().find_map(|level| level.cgroup.clone());
                let domain = cgroup.unwrap_or_else(|| Arc::clone(global));
                let known = old.iter().position(|it| {
                    it.nth == nth && it.domain == domain && it.killer.policy.id() == policy.id()
                });
                let by_it = known
                    .filter(|&known| old[known].is_due(at))
                    .map_or(Bytes::ZERO, |_| killed_in(scene, &domain, global));
                killed = killed.max(by_it);
                let killer = ActingKiller { policy, rule: Arc::new(rule) };
                let room = Room { left: (left + leaving).min(limit), limit };
                let mut next = match known {
                    Some(known) => KillerRule { killer, room, ..old.swap_remove(known) },
                    None => KillerRule::new(killer, nth, domain, room),
                };
                if by_it > Bytes::ZERO {
                    next.acted = Some(at);
                }
                next.observe(at, usage);
                next.has_victim =
                    next.when(at).is_some() && could_kill(policy, scene, &next.domain, global);
                self.rules.push(next);
            }
        }
        killed
    }

    /// Whether the process of a killer that was found running has ended since. Where it never was in a sample, as in a
    /// container or where processes of others are hidden, nobody knows.
    fn has_ended(&mut self, policy: &dyn Policy, scene: &Scene) -> bool {
        let KillerPresence::Running(pid) = presence(policy, scene) else { return false };
        if scene.now().position(pid).is_some() {
            self.seen.insert(pid);
            return false;
        }
        self.seen.contains(&pid)
    }

    /// Takes a reading of the usage of the machine between two samples.
    pub fn observe_usage(&mut self, at: Millis, usage: Bytes) {
        let amounts = |it: &&mut KillerRule| {
            it.killer.rule.levels.iter().any(|level| is_amount(level.quantity))
        };
        for rule in self.rules.iter_mut().filter(amounts) {
            rule.room.left = rule.scale.left(rule.room.left, usage);
            rule.history.push(Kind::Reading, at, rule.room.left, rule.room.limit);
        }
    }

    /// The earliest time at which any of them acts by the trend of an amount.
    pub fn earliest(&self) -> Option<Millis> {
        let rules = self.rules.iter().filter(|it| it.has_victim && it.met.is_none());
        rules.filter_map(|it| it.history.earliest()).min()
    }

    /// A kill freed much: what comes now has another cause.
    pub fn forget(&mut self) {
        self.rules.iter_mut().for_each(|it| it.history.forget());
    }

    /// The rules that come near to acting: of each killer and domain the one that acts first. `supported` tells
    /// whether a trend has been seen for long enough.
    pub fn approaching(
        &self,
        now: Millis,
        supported: impl Fn(&Estimate, Room, Millis) -> bool,
    ) -> Vec<Approach> {
        let mut found: Vec<Approach> = Vec::new();
        for rule in self.rules.iter().filter(|it| it.has_victim) {
            let Some((when, estimate)) = rule.when(now) else { continue };
            if estimate.is_some_and(|it| !supported(&it, rule.room, rule.history.age())) {
                continue;
            }
            let approach = Approach {
                killer: Some(rule.killer.clone()),
                domain: Arc::clone(&rule.domain),
                when: Some(when),
                room: rule.room,
                rate: estimate.map_or(0.0, |it| it.rate),
                basis: estimate.map_or(Basis::Window(0), |it| it.basis),
                stalled: None,
                generation: rule.history.generation(),
            };
            match found.iter_mut().find(|it| it.is_of(&approach)) {
                Some(earlier) if earlier.when.is_some_and(|it| it.middle <= when.middle) => {}
                Some(later) => *later = approach,
                None => found.push(approach),
            }
        }
        found
    }

    /// The history on which an approach rests.
    pub fn history(&self, killer: &ActingKiller, domain: &Text) -> Option<&RoomHistory> {
        let same =
            |it: &&KillerRule| it.killer.policy.id() == killer.policy.id() && *it.domain == *domain;
        let mut rules = self.rules.iter().filter(same);
        let first = rules.clone().find(|it| Arc::ptr_eq(&it.killer.rule, &killer.rule));
        first.or_else(|| rules.next()).map(|it| &it.history)
    }
}

/// How much of the cgroups a sample must hold for the killers that run here.
#[must_use]
pub fn needed_cgroups(scene: &Scene) -> CgroupNeeds {
    let acting = killer_policies().filter(|it| is_userspace(*it) && it.acts_here(scene));
    acting.map(|policy| policy.needs().cgroups).max().unwrap_or_default()
}

pub(crate) fn is_userspace(policy: &dyn Policy) -> bool {
    policy.info().kind == PolicyKind::Daemon
}

/// Whether the killer of a policy was found when killers were looked for last, which is seldom.
pub(crate) fn presence(policy: &dyn Policy, scene: &Scene) -> KillerPresence {
    let killers = &scene.now().killers;
    match policy.id() {
        id if id.starts_with("earlyoom") => killers.earlyoom.found,
        "nohang-desktop" => killers.nohang_desktop.found,
        id if id.starts_with("nohang") => killers.nohang.found,
        id if id.starts_with("systemd-oomd") => killers.systemd_oomd.found,
        id if id.starts_with("oomd") => killers.oomd.found,
        "kubelet" => killers.kubelet.found,
        _ => KillerPresence::Absent,
    }
}

/// Whether a killer would find a victim at all, of a watched cgroup in it.
fn could_kill(policy: &dyn Policy, scene: &Scene, domain: &Text, global: &Text) -> bool {
    let whole = scene.within(Scope::Global);
    let scored = |process: &Process| {
        is_in(process, domain, global) && policy.key_when_acting(process, &whole).is_ok()
    };
    policy.lets_kernel_choose(scene) || scene.now().processes.iter().any(scored)
}

/// When a pressure that fell from one sample to the next is back at its threshold: an average falls by the same share in
/// each second (`kernel/sched/psi.c` `calc_avgs()`). `None` where it does not fall, or is not beyond it.
fn back_at_threshold(before: (Millis, f64), now: (Millis, f64), threshold: f64) -> Option<Millis> {
    let passed = now.0.saturating_sub(before.0).0 as f64;
    if now.1 >= before.1 || now.1 <= threshold || threshold <= 0.0 || passed <= 0.0 {
        return None;
    }
    let left = passed * (threshold / now.1).ln() / (now.1 / before.1).ln();
    Some(now.0 + Millis(left as u64))
}

fn is_in(process: &Process, domain: &Text, global: &Text) -> bool {
    let within = |path: &Arc<Text>| is_within(path.as_str(), domain.as_str());
    domain == global || matches!(&process.cgroup, Reading::Value(path) if within(path))
}

/// What those held that are gone or on their way out since the sample before, in a domain; nothing where that is not
/// much of it: then they ended by themselves.
fn killed_in(scene: &Scene, domain: &Text, global: &Text) -> Bytes {
    let Some(before) = scene.before() else { return Bytes::ZERO };
    let page = scene.machine().page_size;
    let held = |process: &Process| Pages(lasting(process, scene)).bytes(page);
    let sum = |all: &mut dyn Iterator<Item = &Process>| {
        all.filter(|it| is_in(it, domain, global)).fold(Bytes::ZERO, |sum, it| sum + held(it))
    };
    let gone = sum(&mut before.killed_until(scene.now()).into_iter());
    let all = sum(&mut before.processes.iter());
    if gone.0 > all.0 / KILLED_PARTS { gone } else { Bytes::ZERO }
}

impl KillerRule {
    fn new(killer: ActingKiller, nth: usize, domain: Arc<Text>, room: Room) -> Self {
        let history = RoomHistory::default();
        Self {
            killer,
            nth,
            domain,
            history,
            room,
            scale: UsageScale::default(),
            pressed: None,
            pressure: None,
            below_at: None,
            reclaimed: None,
            met: None,
            acted: None,
            has_victim: false,
        }
    }

    fn observe(&mut self, at: Millis, usage: Bytes) {
        self.scale.sample(self.room.left, usage, self.room.limit);
        let levels = &self.killer.rule.levels;
        let met = |it: &TriggerLevel| it.met() == Some(true);
        let mut reclaim = levels.iter().filter(|it| it.quantity == TriggerQuantity::Reclaim);
        if reclaim.clone().any(met) {
            self.reclaimed = Some(at);
        }
        let recently = |seen: Millis| at.saturating_sub(seen) <= RECLAIM;
        let reclaims = reclaim.next().is_none() || self.reclaimed.is_some_and(recently);
        let before = self.pressure.take();
        let stall = levels.iter().find(|it| it.quantity == TriggerQuantity::Pressure);
        self.below_at = None;
        if let Some((now, threshold)) = stall.and_then(|it| Some((it.present?, it.acts_at))) {
            self.pressure = Some((at, now));
            self.below_at =
                before.and_then(|before| back_at_threshold(before, (at, now), threshold));
        }
        let mut pressure = levels.iter().filter(|it| is_pressure(it.quantity)).peekable();
        let holds = pressure.peek().is_some() && pressure.all(met) && reclaims;
        self.pressed = holds.then(|| self.pressed.unwrap_or(at));
        let met =
            levels.iter().filter(|it| it.quantity != TriggerQuantity::Reclaim).all(met) && reclaims;
        self.met = met.then(|| self.met.unwrap_or(at));
        self.history.push(Kind::Sample, at, self.room.left, self.room.limit);
    }

    /// Whether it was to act by now, or a moment later.
    fn is_due(&self, now: Millis) -> bool {
        self.has_victim && self.when(now).is_some_and(|(when, _)| when.low <= DUE)
    }

    /// When it acts, from `now` on, and the trend by which that is known.
    fn when(&self, now: Millis) -> Option<(TimeSpan, Option<Estimate>)> {
        let rule = &self.killer.rule;
        let by_pressure = rule.levels.iter().any(|it| is_pressure(it.quantity));
        let may_act = self.acted.map_or(Millis::ZERO, |acted| acted + rule.pause);
        let due = |since: Millis| (since + rule.lasting).max(may_act);
        let remaining = |since: Millis| due(since).saturating_sub(now);
        let wait = |time: Millis| TimeSpan {
            low: time,
            middle: time,
            high: Millis((time.0 as f64 * (1.0 + PATIENCE_UNCERTAINTY)) as u64),
        };
        // A rule with pressure counts from when the pressure is high.
        let pressed = match (by_pressure, self.pressed) {
            (true, None) => return None,
            (true, Some(since)) => Some(remaining(since)),
            (false, _) => None,
        };
        // It must still be high when the time is over.
        if self.below_at.zip(self.pressed).is_some_and(|(below_at, since)| below_at < due(since)) {
            return None;
        }
        if let Some(since) = self.met {
            let overdue = now.saturating_sub(due(since)) > OVERDUE;
            return (!overdue).then(|| (wait(pressed.unwrap_or_else(|| remaining(since))), None));
        }
        let estimate = self.history.estimate()?;
        let passed = now.saturating_sub(self.history.read_at()?);
        let after = estimate.when.after(passed);
        let least = pressed.unwrap_or(Millis::ZERO);
        let more = if by_pressure { Millis::ZERO } else { rule.lasting };
        let until = |time: Millis| Millis(time.max(least).0.saturating_add(more.0));
        let when = TimeSpan {
            low: until(after.low),
            middle: until(after.middle),
            high: until(after.high),
        };
        Some((when, Some(estimate)))
    }
}

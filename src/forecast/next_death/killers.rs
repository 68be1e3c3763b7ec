//! The userspace killers that run here, and how far each of their rules is from acting.
//!
//! A rule acts when all of its conditions hold. Amounts (available memory, free swap) are added up: what must
//! at least be used until the last of them is met is the room of the rule, and its time follows from the
//! trend as that of any limit. Pressure is not foreseen: a rule with pressure has a time from when the
//! pressure is beyond its threshold, because it must stay there for long.

use std::sync::Arc;

use crate::model::{CgroupNeeds, Scene, Scope, Text};
use crate::policy::{
    Policy, PolicyKind, TriggerLevel, TriggerQuantity, TriggerRule, Verdict,
    killers as killer_policies,
};
use crate::units::{Bytes, Kib, Millis};

use super::TimeSpan;
use super::approach::{ActingKiller, Approach};
use super::history::{Basis, Estimate, Kind, RoomHistory, is_at_limit, is_release};
use super::room::Room;
use super::usage_scale::UsageScale;

/// A killer whose conditions are met acts within this time, or it does not act at all: it found no victim, or
/// the victim does not die.
const OVERDUE: Millis = Millis(12_000);
/// systemd-oomd asks for reclaim in this time (`RECLAIM_DURATION_USEC`).
const RECLAIM: Millis = Millis(30_000);
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
    /// When reclaim was seen last in a cgroup where the killer asks for that.
    reclaimed: Option<Millis>,
    /// Since when all conditions hold.
    met: Option<Millis>,
    /// Whether the killer could choose anybody.
    has_victim: bool,
}

/// All rules of the killers that run here.
#[derive(Clone, Debug, Default)]
pub struct KillerRules {
    rules: Vec<KillerRule>,
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
    /// the machine. Returns whether one of the killers has acted since the sample before.
    pub fn observe(
        &mut self,
        scene: &Scene,
        global: &Arc<Text>,
        leaving: Bytes,
        usage: Bytes,
    ) -> bool {
        let now = scene.now();
        let at = now.clock.monotonic_ms;
        let limit = (now.memory.total_kib + now.swap.lasting()).bytes();
        let mut old = std::mem::take(&mut self.rules);
        let mut acted = false;
        for policy in killer_policies().filter(|it| is_userspace(*it) && it.acts_here(scene)) {
            for (nth, rule) in policy.trigger_rules(scene).into_iter().enumerate() {
                let Some(left) = left(&rule) else { continue };
                let cgroup = rule.levels.iter().find_map(|level| level.cgroup.clone());
                let domain = cgroup.unwrap_or_else(|| Arc::clone(global));
                let known = old.iter().position(|it| {
                    it.nth == nth && it.domain == domain && it.killer.policy.id() == policy.id()
                });
                let killer = ActingKiller { policy, rule: Arc::new(rule) };
                let room = Room { left: (left + leaving).min(limit), limit };
                let mut next = match known {
                    Some(known) => {
                        let known = old.swap_remove(known);
                        acted |= known.has_acted(room);
                        KillerRule { killer, room, ..known }
                    }
                    None => KillerRule::new(killer, nth, domain, room),
                };
                next.observe(at, usage);
                next.has_victim = next.when(at).is_some() && could_kill(policy, scene);
                self.rules.push(next);
            }
        }
        acted
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

/// Whether a killer would find a victim at all.
fn could_kill(policy: &dyn Policy, scene: &Scene) -> bool {
    let whole = scene.within(Scope::Global);
    let scored = |process| matches!(policy.judge(process, &whole), Verdict::Scored(_));
    policy.lets_kernel_choose(scene) || scene.now().processes.iter().any(scored)
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
            reclaimed: None,
            met: None,
            has_victim: false,
        }
    }

    /// Whether its kill is what brings this room back: the amounts were at their thresholds.
    fn has_acted(&self, room: Room) -> bool {
        let before = match self.met {
            Some(_) => self.history.left(),
            None => self.history.left().filter(|it| is_at_limit(*it, room.limit)),
        };
        let freed = |before| room.left.saturating_sub(before);
        is_by_amounts(&self.killer.rule)
            && before.is_some_and(|before| is_release(freed(before), room.limit))
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
        let mut pressure = levels.iter().filter(|it| is_pressure(it.quantity)).peekable();
        let holds = pressure.peek().is_some() && pressure.all(met) && reclaims;
        self.pressed = holds.then(|| self.pressed.unwrap_or(at));
        let met =
            levels.iter().filter(|it| it.quantity != TriggerQuantity::Reclaim).all(met) && reclaims;
        self.met = met.then(|| self.met.unwrap_or(at));
        self.history.push(Kind::Sample, at, self.room.left, self.room.limit);
    }

    /// When it acts, from `now` on, and the trend by which that is known.
    fn when(&self, now: Millis) -> Option<(TimeSpan, Option<Estimate>)> {
        let rule = &self.killer.rule;
        let by_pressure = rule.levels.iter().any(|it| is_pressure(it.quantity));
        let remaining = |since: Millis| rule.lasting.saturating_sub(now.saturating_sub(since));
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
        if let Some(since) = self.met {
            let overdue = now.saturating_sub(since).saturating_sub(rule.lasting) > OVERDUE;
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

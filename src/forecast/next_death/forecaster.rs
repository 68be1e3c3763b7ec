//! Takes every sample, keeps what the prediction needs, and answers who dies next.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::model::{Cgroup, Scene, Scope, Snapshot, Text, tree_order};
use crate::policy::{LINUX, Override, Policy};
use crate::rank::also_killed::GroupCensus;
use crate::units::{Bytes, Millis};

use super::growth::GrowthTracks;
use super::rate::{Rate, RoomHistory};
use super::room::{self, Room};
use super::victim::{Victims, victims};
use super::{
    DeathCertainty, Deaths, HEADLINE_HORIZON, LIST_HORIZON, MAX_DEATHS, NextDeath, StallReason,
    TimeSpan,
};

/// The name of the kernel as a killer.
const KERNEL: &str = "kernel";
/// Below this use, in per-mille, a limit is only told where it is nearer than [`SOON`].
const HALF_FULL: u64 = 500;
/// See [`HALF_FULL`].
const SOON: Millis = Millis(60_000);
/// So many evaluations in a row another place must be earlier to take over the headline.
const PATIENCE: u32 = 3;
/// So many evaluations in a row the present place may be missing before it is dropped.
const GRACE: u32 = 1;

/// The room of one cgroup, and what fast readings need.
#[derive(Clone, Debug)]
struct GroupRoom {
    path: Arc<Text>,
    history: RoomHistory,
    limit: Bytes,
    /// The usage that belongs to the newest room.
    usage: Bytes,
    kills: Option<u64>,
}

/// The state of the prediction between samples.
#[derive(Clone, Debug, Default)]
pub struct DeathForecaster {
    machine: RoomHistory,
    /// Limited cgroups in the order of the tree.
    groups: Vec<GroupRoom>,
    growth: GrowthTracks,
    kills: Option<u64>,
    headline: Headline,
}

/// Which place the headline shows, and for how long another one has been earlier.
#[derive(Clone, Debug, Default)]
struct Headline {
    shown: Option<NextDeath>,
    missing: u32,
    challenger: Option<(&'static str, Arc<Text>)>,
    challenged: u32,
}

impl DeathForecaster {
    /// Takes a sample: the newest one of the scene. A sample that is not later than the one before, or of
    /// another boot, begins anew.
    pub fn observe(&mut self, scene: &Scene) {
        let now = scene.now();
        if scene.before().is_none_or(|before| !now.goes_on_from(before)) {
            *self = Self::default();
        }
        let at = now.clock.monotonic_ms;
        let kills = now.traffic.oom_kills.value();
        let killed = rose(self.kills, kills);
        self.kills = kills;
        let room = room::of_machine(now);
        self.machine.push(at, room.left, room.limit, killed);
        self.observe_groups(now);
        self.growth.observe(scene);
    }

    fn observe_groups(&mut self, now: &Snapshot) {
        let at = if now.cgroups.read_ms == Millis::ZERO {
            now.clock.monotonic_ms
        } else {
            now.cgroups.read_ms
        };
        let mut old = std::mem::take(&mut self.groups).into_iter().peekable();
        for group in now.cgroups.limited() {
            let Some(room) = room::of_cgroup(group, now) else { continue };
            let before = |it: &GroupRoom| tree_order(it.path.as_str(), group.path.as_str());
            while old.next_if(|it| before(it) == Ordering::Less).is_some() {}
            let known = old.next_if(|it| before(it) == Ordering::Equal);
            let mut known = known.unwrap_or_else(|| GroupRoom {
                path: Arc::clone(&group.path),
                history: RoomHistory::default(),
                limit: room.limit,
                usage: Bytes(0),
                kills: None,
            });
            let kills = group.events.oom_kill.value();
            known.history.push(at, room.left, room.limit, rose(known.kills, kills));
            (known.kills, known.limit) = (kills, room.limit);
            known.usage = group.usage.value().unwrap_or_default();
            self.groups.push(known);
        }
    }

    /// Takes a reading of a cgroup's usage between two samples.
    pub fn observe_usage(&mut self, path: &str, at: Millis, usage: Bytes) {
        let found = self.groups.binary_search_by(|it| tree_order(it.path.as_str(), path));
        let Some(group) = found.ok().and_then(|at| self.groups.get_mut(at)) else { return };
        let Some(left) = group.history.left() else { return };
        let left = left.0.saturating_add(group.usage.0).saturating_sub(usage.0);
        group.history.push(at, Bytes(left), group.limit, false);
        group.usage = usage;
    }

    /// The cgroups whose usage should be read between samples: those that are nearly full, and those that
    /// will be within half a minute.
    #[must_use]
    pub fn near(&self) -> Vec<Arc<Text>> {
        let is_near = |it: &&GroupRoom| {
            let Some(left) = it.history.left() else { return false };
            let full = Room { left, limit: it.limit }.used_permille() >= 800;
            full || it.history.rate().is_some_and(|rate| rate.time(left).middle < Millis(30_000))
        };
        self.groups.iter().filter(is_near).map(|it| Arc::clone(&it.path)).collect()
    }

    /// Who dies next. `census` counts the members of the scene's cgroups.
    pub fn deaths(&mut self, scene: &Scene, census: &GroupCensus<'_>) -> Deaths {
        let policy: &dyn Policy = &LINUX;
        let mut list = self.approaching(scene);
        list.sort_by_key(NextDeath::middle);
        list.truncate(MAX_DEATHS);
        let mut inside = scene.clone();
        for death in &mut list {
            if death.stalled.is_none() {
                name_victims(death, policy, &mut inside, census, &self.growth);
            }
        }
        let next = self.headline.choose(&list);
        Deaths { next, list }
    }

    /// The domains whose room shrinks or that stall, without their victims.
    fn approaching(&self, scene: &Scene) -> Vec<NextDeath> {
        let now = scene.now();
        let global = Arc::new(Text::new(Scope::GLOBAL.as_bytes()));
        let room = room::of_machine(now);
        let left = self.machine.left().unwrap_or(room.left);
        let machine = death(&global, Room { left, ..room }, self.machine.rate(), None);
        let groups = self.groups.iter().filter_map(|it| {
            let group: &Cgroup = now.cgroups.find(it.path.as_str())?;
            let room = Room { left: it.history.left()?, limit: it.limit };
            death(&it.path, room, it.history.rate(), room::stall(group))
        });
        machine.into_iter().chain(groups).collect()
    }
}

fn rose(before: Option<u64>, now: Option<u64>) -> bool {
    before.zip(now).is_some_and(|(before, now)| now > before)
}

/// A death in a domain, if it approaches its limit within [`LIST_HORIZON`] or stalls.
fn death(
    domain: &Arc<Text>,
    room: Room,
    rate: Option<Rate>,
    stalled: Option<StallReason>,
) -> Option<NextDeath> {
    let when = rate.map(|rate| rate.time(room.left)).filter(|when| when.middle <= LIST_HORIZON);
    if stalled.is_none() && when.is_none() {
        return None;
    }
    Some(NextDeath {
        by: KERNEL,
        domain: Arc::clone(domain),
        when: when.filter(|_| stalled.is_none()),
        certainty: DeathCertainty::Nobody,
        candidates: Vec::new(),
        left: room.left,
        limit: room.limit,
        rate: rate.map_or(0.0, |rate| rate.best),
        stalled,
    })
}

fn name_victims(
    death: &mut NextDeath,
    policy: &dyn Policy,
    inside: &mut Scene,
    census: &GroupCensus<'_>,
    growth: &GrowthTracks,
) {
    let Some(when) = death.when else { return };
    let is_machine = death.domain.as_str() == Scope::GLOBAL;
    inside.set_scope(if is_machine {
        Scope::Global
    } else {
        Scope::Memcg(Arc::clone(&death.domain))
    });
    // A process that is being killed now does not decide who dies then.
    let lasting = |it: &Override| !matches!(it, Override::Dying(_));
    if let Some(found) = policy.overridden(inside).filter(lasting) {
        death.certainty = DeathCertainty::Overridden(found);
        return;
    }
    let Victims { certainty, candidates } = if is_machine {
        let all = 0..inside.now().processes.len() as u32;
        victims(policy, inside, all, growth, when)
    } else {
        let members = census.members(death.domain.as_str());
        victims(policy, inside, members, growth, when)
    };
    (death.certainty, death.candidates) = (certainty, candidates);
}

/// Whether the headline may speak of a death.
fn is_worth_telling(death: &NextDeath) -> bool {
    let Some(TimeSpan { middle, .. }) = death.when else { return death.stalled.is_some() };
    let used = Room { left: death.left, limit: death.limit }.used_permille();
    middle <= HEADLINE_HORIZON && (used >= HALF_FULL || middle <= SOON)
}

impl Headline {
    /// The death to show: the present place as long as it is among the deaths, unless another one is
    /// clearly earlier, or earlier several times in a row.
    fn choose(&mut self, list: &[NextDeath]) -> Option<NextDeath> {
        let first = list.iter().find(|it| is_worth_telling(it));
        let same = |shown: &NextDeath| list.iter().find(|it| it.is_same_place(shown));
        let present = self.shown.as_ref().and_then(same).filter(|it| is_worth_telling(it));
        let chosen = match (present, first) {
            (None, None) => self.missed(),
            (None, Some(first)) => self.missed().or_else(|| Some(first.clone())),
            (Some(present), Some(first)) if self.takes_over(first, present) => Some(first.clone()),
            (Some(present), _) => {
                self.missing = 0;
                Some(present.clone())
            }
        };
        if chosen
            .as_ref()
            .is_none_or(|it| self.shown.as_ref().is_none_or(|was| !was.is_same_place(it)))
        {
            (self.missing, self.challenger, self.challenged) = (0, None, 0);
        }
        self.shown.clone_from(&chosen);
        chosen
    }

    /// The place shown is not among the deaths: it is kept for a moment, while its time has not come.
    fn missed(&mut self) -> Option<NextDeath> {
        self.missing += 1;
        let far = |it: &NextDeath| it.when.is_some_and(|when| when.high > Millis(2_000));
        self.shown.clone().filter(|it| self.missing <= GRACE && far(it))
    }

    fn takes_over(&mut self, first: &NextDeath, present: &NextDeath) -> bool {
        if first.is_same_place(present) {
            (self.challenger, self.challenged) = (None, 0);
            return false;
        }
        let ends = |it: &NextDeath| it.when.map_or(Millis::ZERO, |when| when.high);
        let begins = |it: &NextDeath| it.when.map_or(Millis::ZERO, |when| when.low);
        if ends(first) < begins(present) {
            return true;
        }
        let name = (first.by, Arc::clone(&first.domain));
        if self.challenger.as_ref() == Some(&name) {
            self.challenged += 1;
        } else {
            (self.challenger, self.challenged) = (Some(name), 1);
        }
        self.challenged >= PATIENCE
    }
}

//! The alarms of this run: which are beyond their threshold, and when each is raised.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::alarm::quantity::{AlarmInput, AlarmUnit, Found, Reads, ThresholdSide};
use crate::alarm::raised::RaisedAlarm;
use crate::alarm::threshold::{Alarm, trimmed};
use crate::model::{ProcId, Text};
use crate::units::Millis;

/// An event counts as beyond the threshold for this long.
const STANDS: Millis = Millis(30_000);

/// The line of a new alarm flashes for this long.
const FLASH: Millis = Millis(5000);

/// The state of one alarm.
#[derive(Clone, Debug, Default, PartialEq)]
enum AlarmState {
    /// Not beyond its threshold, or not computed yet.
    #[default]
    Quiet,
    /// Beyond its threshold since then, with the last value in words.
    Stands(Millis, String),
    /// It was beyond its threshold from then until then. Now there is nothing to measure.
    Fades(Millis, Millis, String),
    /// Its quantity cannot be read here.
    Unreadable,
}

impl AlarmState {
    /// Takes a value that was read, or could not be. Returns it where it crosses the threshold.
    fn found(&mut self, alarm: &Alarm, found: Option<Found>, now: Millis) -> Option<Option<Found>> {
        let (since, last) = match self {
            Self::Stands(since, _) => (Some(*since), now),
            Self::Fades(since, last, _) => (Some(*since), *last),
            _ => (None, now),
        };
        let Some((value, wall)) = found else {
            *self = Self::Unreadable;
            return None;
        };
        // A limit that is not approached in one sample may be approached in the next.
        let unsure = value.is_infinite() && now.0 < last.0.saturating_add(STANDS.0);
        if let Some(since) = since.filter(|_| unsure) {
            if let Self::Stands(_, words) = self {
                *self = Self::Fades(since, now, std::mem::take(words));
            }
            return None;
        }
        if !alarm.is_over(value) && (since.is_none() || alarm.is_back(value)) {
            *self = Self::Quiet;
            return None;
        }
        *self = Self::Stands(since.unwrap_or(now), words(alarm, value, wall.as_deref()));
        since.is_none().then_some(Some((value, wall)))
    }

    /// Takes whether the event happened. It counts for a while, and each time raises the alarm.
    fn happened(
        &mut self,
        happened: bool,
        now: Millis,
        words: impl FnOnce() -> String,
    ) -> Option<Option<Found>> {
        if happened {
            *self = Self::Stands(now, words());
        } else if !matches!(self, Self::Stands(at, _) if now.0 < at.0.saturating_add(STANDS.0)) {
            *self = Self::Quiet;
        }
        happened.then_some(None)
    }
}

#[derive(Clone, Debug)]
struct ActiveAlarm {
    alarm: Alarm,
    state: AlarmState,
}

/// The alarms of this run.
#[derive(Clone, Debug, Default)]
pub struct Alarms {
    list: Vec<ActiveAlarm>,
    /// `--bell`: the terminal's bell rings.
    pub bell: bool,
    /// `--on-alarm`: a command is run.
    pub command: bool,
    /// The policy, the domain and the victim that it predicted last.
    victim: Option<(&'static str, Arc<Text>, ProcId)>,
    /// The kernel's count of kills in the last sample.
    kills: Option<u64>,
    flash_until: Option<Millis>,
}

impl Alarms {
    /// These alarms, none of them raised yet.
    #[must_use]
    pub fn new(list: Vec<Alarm>, bell: bool, command: bool) -> Self {
        let quiet = |alarm| ActiveAlarm { alarm, state: AlarmState::Quiet };
        Self { list: list.into_iter().map(quiet).collect(), bell, command, ..Self::default() }
    }

    /// The number of alarms.
    #[must_use]
    pub fn count(&self) -> usize {
        self.list.len()
    }

    /// The alarms beyond their threshold, in words: `psi-some 34% > 20%`.
    pub fn standing(&self) -> impl Iterator<Item = String> {
        self.list.iter().filter_map(|it| match &it.state {
            AlarmState::Stands(_, text) => Some(text.clone()),
            _ => None,
        })
    }

    /// The alarms whose quantity cannot be read here.
    pub fn unreadable(&self) -> impl Iterator<Item = &Alarm> {
        self.list.iter().filter(|it| it.state == AlarmState::Unreadable).map(|it| &it.alarm)
    }

    /// Whether an alarm was raised just now.
    #[must_use]
    pub const fn flashes(&self) -> bool {
        self.flash_until.is_some()
    }

    /// Whether the flash has ended by now.
    #[must_use]
    pub fn flash_ends(&self, now: Millis) -> bool {
        self.flash_until.is_some_and(|until| until <= now)
    }

    /// Ends the flash when its time is over.
    pub fn tick(&mut self, now: Millis) {
        if self.flash_ends(now) {
            self.flash_until = None;
        }
    }

    /// Takes a new sample. Returns the alarms that are raised by it.
    pub fn sample(&mut self, seen: &AlarmInput<'_>, now: Millis) -> Vec<RaisedAlarm> {
        if self.list.is_empty() {
            return Vec::new();
        }
        let changed = self.victim_changed(seen);
        let kills = seen.scene.now().traffic.oom_kills.value();
        let before = self.kills;
        self.kills = kills.or(before);
        let mut raised = Vec::new();
        for ActiveAlarm { alarm, state } in &mut self.list {
            let came = match alarm.quantity.reads {
                Reads::Value(read) => state.found(alarm, read(seen, alarm.unit), now),
                Reads::Victim => state.happened(changed, now, || victim_now(seen)),
                Reads::Kills if kills.is_none() => {
                    *state = AlarmState::Unreadable;
                    None
                }
                Reads::Kills => state.happened(kills > before && before.is_some(), now, || {
                    format!("oom-kill: {} since boot", kills.unwrap_or_default())
                }),
            };
            raised.extend(came.map(|found| raise(alarm, seen, found)));
        }
        if !raised.is_empty() {
            self.flash_until = Some(Millis(now.0.saturating_add(FLASH.0)));
        }
        raised
    }

    /// Whether another process became the predicted victim. It did not where the first ones are too close to
    /// call, or where the policy or the domain changed.
    fn victim_changed(&mut self, seen: &AlarmInput<'_>) -> bool {
        let Some(victim) = seen.ranking.dies().filter(|_| !seen.ranking.too_close()) else {
            return false;
        };
        let domain = &seen.scene.domain().name;
        let before = self.victim.replace((seen.policy, Arc::clone(domain), victim));
        before.is_some_and(|(policy, name, who)| {
            policy == seen.policy && name == *domain && who != victim
        })
    }
}

/// `psi-some 34% > 20%`, `wall /batch.slice 3% < 5%`.
fn words(alarm: &Alarm, value: f64, wall: Option<&Text>) -> String {
    let sign = if alarm.quantity.side == ThresholdSide::Over { '>' } else { '<' };
    let mut text = alarm.what().to_owned();
    if let Some(wall) = wall {
        let _ = write!(text, " {wall}");
    }
    let _ = write!(text, " {} {sign} {}", alarm.shown(value), alarm.shown(alarm.level));
    text
}

fn victim_now(seen: &AlarmInput<'_>) -> String {
    victim(seen)
        .map_or_else(|| "victim: none".to_owned(), |(who, name)| format!("victim now {who} {name}"))
}

fn victim(seen: &AlarmInput<'_>) -> Option<(ProcId, String)> {
    let found = seen.scene.find(seen.ranking.dies()?)?;
    Some((found.id, found.comm.to_string()))
}

fn raise(alarm: &Alarm, seen: &AlarmInput<'_>, found: Option<Found>) -> RaisedAlarm {
    let (value, wall) = match found {
        Some((value, wall)) => {
            let number =
                if alarm.unit == AlarmUnit::Kib { format!("{value:.0}") } else { trimmed(value) };
            (Some((number, alarm.unit.word())), wall)
        }
        None => (None, None),
    };
    RaisedAlarm {
        alarm: alarm.to_string(),
        what: alarm.what(),
        value,
        wall,
        victim: victim(seen),
        policy: seen.policy,
        domain: Arc::clone(&seen.scene.domain().name),
    }
}

//! The alarms of this run: which are beyond their threshold, and when each is raised.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::alarm::quantity::{AlarmInput, AlarmUnit, Found, KilledProcess, Reads, ThresholdSide};
use crate::alarm::raised::{AlarmIncident, RaisedAlarm};
use crate::alarm::threshold::{Alarm, trimmed};
use crate::forecast::next_death::{KERNEL, NextDeath};
use crate::model::{ProcId, Scene, Text};
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
        let Some((value, limit)) = found else {
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
        *self = Self::Stands(since.unwrap_or(now), words(alarm, value, limit.as_deref()));
        since.is_none().then_some(Some((value, limit)))
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
    /// The predicted death that it was raised for.
    death: Option<AlarmedDeath>,
    /// Whether it is watched.
    on: bool,
    /// The value in the last sample, if it has one.
    present: Option<f64>,
}

impl ActiveAlarm {
    const fn new(alarm: Alarm) -> Self {
        Self { alarm, state: AlarmState::Quiet, death: None, on: true, present: None }
    }
}

/// The state of an alarm, as it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlarmStatus {
    /// It is not watched.
    Off,
    /// Not beyond its threshold, or not computed yet.
    Quiet,
    /// Beyond its threshold since then.
    Raised(Millis),
    /// Its quantity cannot be read here.
    Unreadable,
}

/// An alarm with its present value and its state.
#[derive(Clone, Debug)]
pub struct AlarmEntry<'a> {
    /// The alarm.
    pub alarm: &'a Alarm,
    /// The value in the last sample, in its unit. `None` for an event, and where it could not be read.
    pub present: Option<String>,
    /// Its state.
    pub status: AlarmStatus,
}

/// The domain and the process of a predicted death.
#[derive(Clone, Debug, PartialEq, Eq)]
struct AlarmedDeath {
    domain: Arc<Text>,
    victim: Option<ProcId>,
}

impl AlarmedDeath {
    fn of(death: &NextDeath) -> Self {
        Self { domain: Arc::clone(&death.domain), victim: death.victim().map(|it| it.id) }
    }

    /// Whether it is over: its process is dead, or what is predicted now is another domain's death.
    fn is_over(&self, death: Option<&NextDeath>, scene: &Scene) -> bool {
        let is_dead = |id| scene.find(id).is_none_or(|it| it.dying || !it.has_mm);
        self.victim.is_some_and(is_dead) || death.is_some_and(|it| it.domain != self.domain)
    }
}

/// The alarms of this run.
#[derive(Clone, Debug, Default)]
pub struct Alarms {
    list: Vec<ActiveAlarm>,
    /// `--bell`: the terminal's bell rings.
    pub bell: bool,
    /// `--on-alarm`: a command is run.
    pub command: bool,
    /// Whether there is a command that can be run.
    has_command: bool,
    /// The policy, the domain and the victim that it predicted last.
    victim: Option<(&'static str, Arc<Text>, ProcId)>,
    /// The kernel's count of kills in the last sample.
    kills: Option<u64>,
    flash_until: Option<Millis>,
    /// The domains that stall, and when they did last.
    stalled: Vec<(Arc<Text>, Millis)>,
}

impl Alarms {
    /// These alarms, none of them raised yet.
    #[must_use]
    pub fn new(list: Vec<Alarm>, bell: bool, command: bool) -> Self {
        let list = list.into_iter().map(ActiveAlarm::new).collect();
        Self { list, bell, command, has_command: command, ..Self::default() }
    }

    /// Whether there is a command that can be run.
    #[must_use]
    pub const fn has_command(&self) -> bool {
        self.has_command
    }

    /// The alarms with their values and states, in the order in which they were set.
    pub fn entries(&self) -> impl Iterator<Item = AlarmEntry<'_>> {
        self.list.iter().map(|it| AlarmEntry {
            alarm: &it.alarm,
            present: it
                .present
                .filter(|value| value.is_finite())
                .map(|it_is| it.alarm.shown(it_is)),
            status: match &it.state {
                _ if !it.on => AlarmStatus::Off,
                AlarmState::Quiet => AlarmStatus::Quiet,
                AlarmState::Stands(since, _) | AlarmState::Fades(since, ..) => {
                    AlarmStatus::Raised(*since)
                }
                AlarmState::Unreadable => AlarmStatus::Unreadable,
            },
        })
    }

    /// Sets an alarm: a new one, or in place of the one of this number. Returns its number.
    pub fn set(&mut self, replaces: Option<usize>, alarm: Alarm) -> usize {
        match replaces.and_then(|nth| self.list.get_mut(nth).zip(Some(nth))) {
            Some((old, nth)) => {
                *old = ActiveAlarm::new(alarm);
                nth
            }
            None => {
                self.list.push(ActiveAlarm::new(alarm));
                self.list.len() - 1
            }
        }
    }

    /// Removes the alarm of this number.
    pub fn remove(&mut self, nth: usize) {
        if nth < self.list.len() {
            self.list.remove(nth);
        }
    }

    /// Switches the alarm of this number off, or on again.
    pub fn switch(&mut self, nth: usize) {
        if let Some(active) = self.list.get_mut(nth) {
            active.on = !active.on;
            (active.state, active.present, active.death) = (AlarmState::Quiet, None, None);
        }
    }

    /// The flags that set the alarms which are on.
    #[must_use]
    pub fn flags(&self) -> String {
        let on = self.list.iter().filter(|it| it.on);
        let mut flags: Vec<String> = on.map(|it| format!("--alarm '{}'", it.alarm)).collect();
        if self.bell && !flags.is_empty() {
            flags.push("--bell".to_owned());
        }
        flags.join(" ")
    }

    /// The alarms that are on, as the user writes them, and whether they ring the bell.
    #[must_use]
    pub fn settings(&self) -> (Vec<String>, bool) {
        let on = self.list.iter().filter(|it| it.on);
        (on.map(|it| it.alarm.to_string()).collect(), self.bell)
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
        let stalls = self.new_stalls(seen, now);
        let mut raised = Vec::new();
        for active in self.list.iter_mut().filter(|it| it.on) {
            let ActiveAlarm { alarm, state, present, .. } = active;
            let came = match alarm.quantity.reads {
                Reads::Value(read) => {
                    let found = read(seen, alarm.unit);
                    *present = found.as_ref().map(|found| found.0);
                    state.found(alarm, found, now)
                }
                Reads::Victim => state.happened(changed, now, || victim_now(seen)),
                Reads::Kills if kills.is_none() => {
                    *state = AlarmState::Unreadable;
                    None
                }
                Reads::Death => {
                    raised.extend(active.predict(seen, now));
                    continue;
                }
                Reads::Stalls => {
                    let standing: Vec<_> = self.stalled.iter().map(|it| it.0.clone()).collect();
                    let stands = !standing.is_empty();
                    let new = !stalls.is_empty();
                    state.happened(stands, now, || stall_words(&standing)).filter(|_| new)
                }
                Reads::Kills => state.happened(kills > before && before.is_some(), now, || {
                    kill_words(seen.killed, kills)
                }),
            };
            match (alarm.quantity.reads, came) {
                (_, None) => {}
                (Reads::Kills, Some(_)) if !seen.killed.is_empty() => {
                    raised.extend(seen.killed.iter().map(|it| raise_kill(alarm, seen, it)));
                }
                (Reads::Stalls, Some(_)) => {
                    raised.extend(stalls.iter().map(|it| raise_stall(alarm, seen, it)));
                }
                (_, Some(found)) => raised.push(raise(alarm, seen, found)),
            }
        }
        self.flash(&raised, now);
        raised
    }

    /// Takes what is predicted between two samples. Returns the alarms about a death that are raised by it.
    pub fn predict(&mut self, seen: &AlarmInput<'_>, now: Millis) -> Vec<RaisedAlarm> {
        let is_death =
            |it: &&mut ActiveAlarm| it.on && matches!(it.alarm.quantity.reads, Reads::Death);
        let deaths = self.list.iter_mut().filter(is_death);
        let raised: Vec<RaisedAlarm> = deaths.filter_map(|it| it.predict(seen, now)).collect();
        self.flash(&raised, now);
        raised
    }

    fn flash(&mut self, raised: &[RaisedAlarm], now: Millis) {
        if !raised.is_empty() {
            self.flash_until = Some(Millis(now.0.saturating_add(FLASH.0)));
        }
    }

    /// The domains that stall now and did not for a while.
    fn new_stalls(&mut self, seen: &AlarmInput<'_>, now: Millis) -> Vec<Arc<Text>> {
        let mut new = Vec::new();
        for death in seen.deaths.list.iter().filter(|it| it.stalled.is_some()) {
            match self.stalled.iter_mut().find(|it| it.0 == death.domain) {
                Some(known) => known.1 = now,
                None => {
                    self.stalled.push((Arc::clone(&death.domain), now));
                    new.push(Arc::clone(&death.domain));
                }
            }
        }
        self.stalled.retain(|it| now.0 < it.1.0.saturating_add(STANDS.0));
        new
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

impl ActiveAlarm {
    /// Takes the predicted death. A flickering prediction raises the alarm once: again only after the time was
    /// half as long again as the threshold, or for half a minute there was none; or for another domain, and
    /// after the process is dead.
    fn predict(&mut self, seen: &AlarmInput<'_>, now: Millis) -> Option<RaisedAlarm> {
        let death = seen.death();
        if self.death.as_ref().is_some_and(|it| it.is_over(death, seen.scene)) {
            (self.death, self.state) = (None, AlarmState::Quiet);
        }
        let time = death.and_then(|it| it.when).map_or(f64::INFINITY, |it| it.middle.seconds());
        let domain = death.map(|it| Arc::clone(&it.domain));
        let found = self.state.found(&self.alarm, Some((time, domain)), now)??;
        let death = death?;
        self.death = Some(AlarmedDeath::of(death));
        let victim = death.victim();
        let incident = AlarmIncident {
            pid: victim.map(|it| it.id.pid),
            comm: victim.map(|it| it.comm.to_string()),
            domain: Some(Arc::clone(&death.domain)),
            by: Some(death.by),
            guessed: false,
            seconds: Some(trimmed(time)),
        };
        let raised = raise(&self.alarm, seen, Some(found));
        Some(RaisedAlarm { incident: Some(incident), ..raised })
    }
}

fn stall_words(stalls: &[Arc<Text>]) -> String {
    let names: Vec<&str> = stalls.iter().map(|it| it.as_str()).collect();
    format!("stalled: {}", names.join(", "))
}

/// `oom-kill: 208 node`, or the count where nobody is known.
fn kill_words(killed: &[KilledProcess], count: Option<u64>) -> String {
    let name = |it: &KilledProcess| match it.pid {
        Some(pid) => format!("{pid} {}{}", it.comm, if it.guessed { "?" } else { "" }),
        None => it.comm.clone(),
    };
    match killed.iter().map(name).collect::<Vec<_>>() {
        names if names.is_empty() => format!("oom-kill: {} since boot", count.unwrap_or_default()),
        names => format!("oom-kill: {}", names.join(", ")),
    }
}

fn raise_kill(alarm: &Alarm, seen: &AlarmInput<'_>, killed: &KilledProcess) -> RaisedAlarm {
    let KilledProcess { pid, comm, domain, guessed } = killed.clone();
    let by = Some(KERNEL);
    let incident = AlarmIncident { pid, comm: Some(comm), domain, by, guessed, seconds: None };
    RaisedAlarm { incident: Some(incident), ..raise(alarm, seen, None) }
}

fn raise_stall(alarm: &Alarm, seen: &AlarmInput<'_>, domain: &Arc<Text>) -> RaisedAlarm {
    let incident = AlarmIncident { domain: Some(Arc::clone(domain)), ..AlarmIncident::default() };
    RaisedAlarm { incident: Some(incident), ..raise(alarm, seen, None) }
}

/// `psi-some 34% > 20%`, `limit /batch.slice 3% < 5%`.
fn words(alarm: &Alarm, value: f64, limit: Option<&Text>) -> String {
    let sign = if alarm.quantity.side == ThresholdSide::Over { '>' } else { '<' };
    let mut text = alarm.what().to_owned();
    if let Some(limit) = limit {
        let _ = write!(text, " {limit}");
    }
    let _ = write!(text, " {} {sign} {}", alarm.shown(value), alarm.shown(alarm.level));
    text
}

fn victim_now(seen: &AlarmInput<'_>) -> String {
    victim(seen).map_or_else(
        || "victim: none".to_owned(),
        |(who, name)| format!("victim became {who} {name}"),
    )
}

fn victim(seen: &AlarmInput<'_>) -> Option<(ProcId, String)> {
    let found = seen.scene.find(seen.ranking.dies()?)?;
    Some((found.id, found.comm.to_string()))
}

fn raise(alarm: &Alarm, seen: &AlarmInput<'_>, found: Option<Found>) -> RaisedAlarm {
    let (value, limit) = match found {
        Some((value, limit)) => {
            let number =
                if alarm.unit == AlarmUnit::Kib { format!("{value:.0}") } else { trimmed(value) };
            (Some((number, alarm.unit.word())), limit)
        }
        None => (None, None),
    };
    RaisedAlarm {
        alarm: alarm.to_string(),
        what: alarm.what(),
        value,
        incident: None,
        limit,
        victim: victim(seen),
        policy: seen.policy,
        domain: Arc::clone(&seen.scene.domain().name),
    }
}

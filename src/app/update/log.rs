//! Takes in what the log sources and the kernel's kill counter tell.

use std::sync::Arc;

use crate::app::App;
use crate::app::incident::event_text::victim_text;
use crate::app::incident::predicted_victim::{
    MAX_LOOKUPS, guess_victims, predicted_before, victim_of,
};
use crate::app::refresh::next_death_forecasters::log_before;
use crate::app::session::notice::NoticeLevel;
use crate::app::view::kind::ViewKind;
use crate::columns::cgroup_leaf;
use crate::events::LogUpdate;
use crate::events::report_events;
use crate::events::{DaemonKill, OomReport};
use crate::forecast::next_death::{KERNEL, PredictedKill, PredictionLog};
use crate::model::{
    EventTime, ForecastResult, Killer, MarkedVictim, OomEvent, PredictionResult, Reading,
    SampleIndex, Scope, Snapshot, Text, Victim,
};
use crate::units::Millis;

/// A counted kill waits this long for a line of the log.
const LINE_WAIT: Millis = Millis(3000);

/// Two logs tell of the same kill by a daemon within this time, in milliseconds: syslog has whole seconds,
/// and SIGTERM may be followed by SIGKILL.
const SAME_KILL: i64 = 15_000;

impl App {
    /// Takes what logs told before a sample of a recording, and the kills that the kernel counted.
    pub(crate) fn take_recorded_log(&mut self, nth: SampleIndex, sample: &Snapshot) {
        let updates = self.incidents.recorded.take(&sample.log);
        if !updates.is_empty() {
            self.take_log(updates);
        }
        self.note_counted_kills(nth, sample);
    }

    /// Whether events are compared with samples: not where there are only reports of a file.
    const fn has_samples(&self) -> bool {
        self.start.live || self.playback.recorded
    }

    /// Takes what the log sources deliver.
    pub(crate) fn take_log(&mut self, updates: Vec<LogUpdate>) {
        let (mut new, mut lookups) = (Vec::new(), MAX_LOOKUPS);
        for update in updates {
            match update {
                LogUpdate::Source(source, state) => {
                    self.incidents.timeline.set_source(source, state);
                }
                LogUpdate::Report { number, unix_ms, told, report } => {
                    let added = self.take_report(number, (unix_ms, told), report, &mut lookups);
                    new.extend(added.into_iter().filter(|_| told == EventTime::Live));
                }
                LogUpdate::Marked { unix_ms, marked } => {
                    new.extend(self.take_marked_victim(unix_ms, &marked));
                }
                LogUpdate::Daemon { unix_ms, told, heard, proven } => {
                    let added = self.take_daemon_kill(unix_ms, told, heard, proven);
                    new.extend(added.filter(|_| told == EventTime::Live));
                }
            }
        }
        self.settle_counted();
        self.forget_untold();
        self.announce(&new);
        self.arrange_events();
    }

    /// Takes a report of the kernel. Returns the numbers of the events that are new; `lookups` victims may
    /// still be looked up in earlier samples.
    fn take_report(
        &mut self,
        number: u64,
        (unix_ms, time): (i64, EventTime),
        report: Arc<OomReport>,
        lookups: &mut usize,
    ) -> Vec<u64> {
        let events = report_events(number, unix_ms, time, &report);
        self.incidents.timeline.keep(number, report);
        let mut added = Vec::new();
        let has_samples = self.has_samples();
        for mut event in events {
            let pid = event.victim.and_then(|victim| victim.pid);
            let mut replaced = None;
            let timeline = &mut self.incidents.timeline;
            let mut of_report = timeline.all().iter().filter(|it| it.report == Some(number));
            if of_report.any(|it| it.victim.and_then(|victim| victim.pid) == pid) {
                continue;
            }
            if has_samples {
                let marked = timeline.take_marked(unix_ms, pid);
                let matched = || pid.and_then(|_| timeline.match_line(unix_ms, pid));
                replaced = marked.or_else(matched);
                if *lookups > 0 {
                    *lookups -= 1;
                    self.look_up(&mut event);
                }
            }
            let nth = self.incidents.timeline.add(event);
            // A kill that was told as a guess is not told again.
            match replaced {
                Some(guess) => self.retell_kill(guess, nth),
                None => added.push(nth),
            }
        }
        added
    }

    /// Takes a victim that the kernel marked. Returns the number of its event, unless it was told before.
    fn take_marked_victim(&mut self, unix_ms: i64, marked: &MarkedVictim) -> Option<u64> {
        let mut victim = marked.victim;
        let pid = victim.pid?;
        let timeline = &mut self.incidents.timeline;
        if timeline.knows_kill(unix_ms, pid) {
            return None; // the log was faster
        }
        if victim.id.is_none() {
            // Only the pid is known.
            let past = &self.playback.past;
            let newest = past.newest().and_then(|nth| past.sample(nth))?;
            let process = newest.processes.get(newest.position(pid)?)?;
            victim = victim_of(process, newest.machine.page_size);
        }
        // It is counted as a line of the log would be, and that line replaces it.
        let guess = timeline.match_line(unix_ms, Some(pid));
        let asker = match marked.asker {
            (Some(asker), name) => format!("{asker} {name} asked for memory"),
            (None, name) => format!("{name} asked for memory"),
        };
        let mut event = OomEvent {
            victim: Some(victim),
            said: Some(Text::new(asker.as_bytes())),
            ..OomEvent::new(Killer::Marked, unix_ms, EventTime::Live)
        };
        self.look_up(&mut event);
        let nth = self.incidents.timeline.add(event);
        match guess {
            Some(guess) => {
                self.retell_kill(guess, nth);
                None
            }
            None => Some(nth),
        }
    }

    /// Takes a kill by a daemon. Returns its number, unless another log told of it already. An unproven
    /// line can only retract an unproven event.
    fn take_daemon_kill(
        &mut self,
        unix_ms: i64,
        time: EventTime,
        kill: DaemonKill,
        proven: bool,
    ) -> Option<u64> {
        let timeline = &mut self.incidents.timeline;
        let near = |it: &OomEvent| it.by == kill.by && (it.unix_ms - unix_ms).abs() <= SAME_KILL;
        if kill.undone {
            let may = |it: &&OomEvent| near(it) && (proven || timeline.is_unproven(it.nth));
            if let Some(last) = timeline.all().iter().rev().find(may).map(|it| it.nth) {
                timeline.remove(last);
            }
            return None;
        }
        let mut events = timeline.all().iter();
        if let Some(known) = events.find(|it| near(it) && is_same(it, &kill)).map(|it| it.nth) {
            if proven {
                timeline.unproven.remove(&known);
            }
            return None;
        }
        let mut event = daemon_event(unix_ms, time, kill);
        if self.has_samples() {
            self.look_up(&mut event);
        }
        let timeline = &mut self.incidents.timeline;
        Some(if proven { timeline.add(event) } else { timeline.add_unproven(event) })
    }

    /// The last sample before a time in milliseconds since 1970.
    fn sample_before(&self, unix_ms: i64) -> Option<SampleIndex> {
        let past = &self.playback.past;
        let newest = past.facts(past.newest()?)?.clock;
        let ago = u64::try_from(newest.unix_ms.saturating_sub(unix_ms)).unwrap_or(0);
        let nth = past.at(Millis(newest.monotonic_ms.0.checked_sub(ago)?))?;
        let is_before = past.facts(nth)?.clock.unix_ms <= unix_ms;
        if is_before { Some(nth) } else { nth.0.checked_sub(1).map(SampleIndex) }
    }

    /// The last sample before a kill. Where only a counter tells of it, the last one that had not counted
    /// it.
    pub(crate) fn sample_before_kill(&self, event: &OomEvent) -> Option<SampleIndex> {
        let EventTime::Within(span) = event.time else {
            return self.sample_before(event.unix_ms);
        };
        let from = event.unix_ms.saturating_sub_unsigned(span.0);
        let past = &self.playback.past;
        let was = |nth: &SampleIndex| past.facts(*nth).is_some_and(|it| it.clock.unix_ms <= from);
        (past.oldest()?.0..=past.newest()?.0).rev().map(SampleIndex).find(was)
    }

    /// Adds what the sample before a kill tells of its victim: its identity, its sizes, and the rank that
    /// the policy gave it.
    fn look_up(&mut self, event: &mut OomEvent) {
        if event.prediction == PredictionResult::AlsoKilled {
            return;
        }
        event.forecast = self.forecast_of(event);
        let Some(pid) = event.victim.and_then(|victim| victim.pid) else { return };
        let Some(nth) = self.sample_before(event.unix_ms) else { return };
        let Some(sample) = self.playback.past.sample(nth) else { return };
        event.prediction = predicted_before(self.settings.policy, &sample, pid, event);
        let process = sample.position(pid).and_then(|at| sample.processes.get(at));
        let (Some(process), Some(victim)) = (process, &mut event.victim) else { return };
        if victim.comm != process.comm {
            return;
        }
        let seen = victim_of(process, sample.machine.page_size);
        *victim = Victim {
            id: seen.id,
            uid: victim.uid.or(seen.uid),
            rss: victim.rss.or(seen.rss),
            swap: victim.swap.or(seen.swap),
            adj: victim.adj.or(seen.adj),
            ..*victim
        };
        if let (None, Reading::Value(path)) = (&event.cgroup, &process.cgroup) {
            event.cgroup = Some(Text::clone(path));
        }
    }

    /// What was predicted of the victim of an event; in a recording by the samples before it.
    fn forecast_of(&mut self, event: &OomEvent) -> ForecastResult {
        if self.start.live && !self.playback.recorded {
            return self.forecast_result(&self.refresh.deaths.log, event, event.unix_ms);
        }
        let Some(before) = self.sample_before(event.unix_ms) else {
            return ForecastResult::NotMade;
        };
        let known = self.refresh.deaths.replayed_log.take().filter(|it| it.0 == before);
        let log = known.map_or_else(|| log_before(&self.playback.past, before), |it| it.1);
        let result = self.forecast_result(&log, event, event.unix_ms);
        self.refresh.deaths.replayed_log = Some((before, log));
        result
    }

    /// What was predicted of the victim of an event at this time.
    fn forecast_result(
        &self,
        log: &PredictionLog,
        event: &OomEvent,
        unix_ms: i64,
    ) -> ForecastResult {
        let Some(victim) = event.victim.filter(|_| event.by != Killer::Sysrq) else {
            return ForecastResult::NotMade;
        };
        let Some(pid) = victim.pid else { return ForecastResult::NotMade };
        let newest = self.playback.past.newest().and_then(|nth| self.playback.past.sample(nth));
        let is_known =
            |path: &&str| newest.as_ref().is_some_and(|it| it.cgroups.find(path).is_some());
        let domain = match (event.by, &event.domain) {
            (Killer::Machine, _) => Some(Scope::GLOBAL),
            // A cgroup counts the kills of its processes, whatever ran out of memory.
            (Killer::Counted | Killer::Marked, _) => None,
            (_, path) => path.as_ref().map(Text::as_str).filter(is_known),
        };
        let by = if event.by.is_kernel() { KERNEL } else { event.by.word() };
        log.result(&PredictedKill { unix_ms, pid, comm: victim.comm, domain, by })
    }

    /// Takes the kills that the kernel counted between a sample and the one before it.
    pub(crate) fn note_counted_kills(&mut self, nth: SampleIndex, sample: &Snapshot) {
        self.incidents.timeline.since.get_or_insert(sample.clock.unix_ms);
        let past = &self.playback.past;
        let before = nth.0.checked_sub(1).map(SampleIndex);
        let Some((before, facts)) = before.and_then(|nth| Some((nth, past.facts(nth)?))) else {
            return;
        };
        let kills = |sample: &Snapshot| sample.traffic.oom_kills.value();
        let count = match (kills(facts), kills(sample)) {
            (Some(then), Some(now)) if sample.continues(facts) => now.saturating_sub(then),
            _ => 0,
        };
        if count > 0 {
            let span = (facts.clock.unix_ms, sample.clock.unix_ms);
            let mut guesses = match past.sample(before) {
                Some(then) => guess_victims(self.settings.policy, &then, sample, count),
                None => Vec::new(),
            };
            let is_live = self.start.live && !self.playback.recorded;
            let replayed = (!is_live).then(|| log_before(past, before));
            let log = replayed.as_ref().unwrap_or(&self.refresh.deaths.log);
            for guess in &mut guesses {
                guess.forecast = self.forecast_result(log, guess, span.0);
            }
            let due = Millis(self.now.0.saturating_add(LINE_WAIT.0));
            self.incidents.timeline.count(span, count, guesses, due);
        }
        self.settle_counted();
    }

    /// Makes events of the counted kills that waited long enough for a log line.
    fn settle_counted(&mut self) {
        let timeline = &mut self.incidents.timeline;
        // Until its state is known, the kernel log may still be opened.
        let may_open = timeline.sources.is_empty() || timeline.reads_kernel_log();
        let at_once = !(self.start.live && may_open);
        let new = timeline.settle(self.now, at_once);
        if !new.is_empty() {
            self.announce(&new);
            self.arrange_events();
        }
    }

    /// Tells of new events: of kills in the banner, of a report without one on the bottom line.
    fn announce(&mut self, new: &[u64]) {
        let Some(&last) = new.last() else { return };
        // A recording tells of a kill when the screen has come to its time.
        if !self.start.live {
            return;
        }
        let is_shown = self.views.kind == ViewKind::Events;
        if !is_shown {
            self.views.events.unseen += new.len();
        }
        if self.tell_kills(new) {
            return;
        }
        let timeline = &self.incidents.timeline;
        let Some(event) = timeline.find(last) else { return };
        let mut text = event.said.as_ref().map_or_else(|| victim_text(event), ToString::to_string);
        if !is_shown {
            text.push_str(": Alt-5");
        }
        self.say(NoticeLevel::Warn, text);
    }
}

/// Whether a line of a daemon tells of the victim of this event.
fn is_same(event: &OomEvent, kill: &DaemonKill) -> bool {
    let leaf = |path: &Option<Text>| path.as_ref().map(|it| cgroup_leaf(it.as_str()).to_owned());
    let victim = event.victim.map(|victim| (victim.pid, victim.comm));
    let same_victim = match (victim, kill.pid, kill.comm) {
        (Some((Some(theirs), _)), Some(pid), _) => theirs == pid,
        (Some((_, theirs)), _, Some(comm)) => theirs == comm,
        (None, None, None) => true,
        _ => false,
    };
    same_victim && (kill.pid.is_some() || leaf(&event.domain) == leaf(&kill.cgroup))
}

fn daemon_event(unix_ms: i64, time: EventTime, kill: DaemonKill) -> OomEvent {
    let victim = kill.comm.map(|comm| Victim {
        pid: kill.pid,
        comm,
        uid: kill.uid,
        rss: kill.rss,
        adj: kill.adj,
        ..Victim::default()
    });
    OomEvent {
        victim,
        domain: kill.cgroup.clone(),
        cgroup: kill.cgroup,
        said: Some(kill.said),
        ..OomEvent::new(kill.by, unix_ms, time)
    }
}

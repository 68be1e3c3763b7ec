//! Takes in what the logs and the kernel's kill counter tell, and compares each kill with the samples before it.

use std::cell::RefCell;
use std::sync::Arc;

use crate::columns::cgroup_leaf;
use crate::events::{DaemonKill, LogUpdate, OomReport, report_events};
use crate::forecast::next_death::{KERNEL, PredictedKill, PredictionLog};
use crate::kills::predicted_victim::{MAX_LOOKUPS, guess_victims, predicted_before, victim_of};
use crate::kills::timeline::{CLOCK_SKEW, Timeline};
use crate::model::{
    EventTime, ForecastResult, Killer, MarkedVictim, OomEvent, PredictionResult, Reading,
    SampleHistory, SampleIndex, Scope, Snapshot, Text, Victim,
};
use crate::policy::Policy;
use crate::units::Millis;

/// Two logs tell of the same kill by a daemon within this time, in milliseconds: syslog has whole seconds,
/// and SIGTERM may be followed by SIGKILL.
const SAME_KILL: i64 = 15_000;

/// What kills are compared with.
#[derive(Clone, Copy)]
pub struct KillContext<'a> {
    /// The samples so far.
    pub past: &'a SampleHistory,
    /// The policy that ranks.
    pub policy: &'a dyn Policy,
    /// What was predicted lately.
    pub predictions: &'a PredictionLog,
    /// Whether there are samples to compare with: not where there are only reports of a file.
    pub has_samples: bool,
}

/// The kills that became known.
#[derive(Clone, Debug, Default)]
pub struct NewKills {
    /// The numbers of the events that were told as they happened.
    pub found: Vec<u64>,
    /// What became known of earlier events.
    pub changed: Vec<KillChange>,
}

/// A log tells more of a kill than was known, or takes it back.
#[derive(Clone, Debug, PartialEq)]
pub struct KillChange {
    /// What was known.
    pub before: OomEvent,
    /// The number of the event that took its place; `None`: it was no kill.
    pub now: Option<u64>,
}

impl NewKills {
    /// Notes that an event took the place of another one. Where that was found at the same time, the other one is
    /// found in its place.
    fn change(&mut self, before: OomEvent, now: Option<u64>) {
        let found = self.found.iter().position(|&nth| nth == before.nth);
        match (found, now) {
            (Some(at), Some(now)) => self.found[at] = now,
            (Some(at), None) => _ = self.found.remove(at),
            (None, _) => self.changed.push(KillChange { before, now }),
        }
    }
}

impl Timeline {
    /// Takes what logs tell.
    pub fn take_log(&mut self, updates: Vec<LogUpdate>, context: KillContext<'_>) -> NewKills {
        let (mut new, mut lookups) = (NewKills::default(), MAX_LOOKUPS);
        let context = &KillLookup::new(context);
        for update in updates {
            match update {
                LogUpdate::Source(source, state) => self.set_source(source, state),
                LogUpdate::Report { number, unix_ms, told, report } => {
                    let at = (unix_ms, told);
                    self.take_report(number, at, report, &mut lookups, context, &mut new);
                }
                LogUpdate::Marked { unix_ms, marked } => {
                    self.take_marked_victim(unix_ms, &marked, context, &mut new);
                }
                LogUpdate::Daemon { unix_ms, told, heard, proven } => {
                    self.take_daemon_kill((unix_ms, told), heard, proven, context, &mut new);
                }
            }
        }
        new
    }

    /// Takes a report of the kernel; `lookups` victims may still be looked up in earlier samples.
    fn take_report(
        &mut self,
        number: u64,
        (unix_ms, time): (i64, EventTime),
        report: Arc<OomReport>,
        lookups: &mut usize,
        context: &KillLookup<'_>,
        new: &mut NewKills,
    ) {
        let events = report_events(number, unix_ms, time, &report);
        self.keep(number, report);
        for mut event in events {
            let pid = event.victim.and_then(|victim| victim.pid);
            let mut replaced = None;
            let mut of_report = self.all().iter().filter(|it| it.report == Some(number));
            if of_report.any(|it| it.victim.and_then(|victim| victim.pid) == pid) {
                continue;
            }
            if context.context.has_samples {
                let marked = self.take_marked(unix_ms, pid);
                replaced = marked.or_else(|| pid.and_then(|_| self.match_line(unix_ms, pid)));
                if *lookups > 0 {
                    *lookups -= 1;
                    context.look_up(&mut event);
                }
            }
            let nth = self.add(event);
            // A kill that was told as a guess is not told again.
            match replaced {
                Some(guess) => new.change(guess, Some(nth)),
                None if time == EventTime::Live => new.found.push(nth),
                None => {}
            }
        }
    }

    /// Takes a victim that the kernel marked, unless a log told of it before.
    fn take_marked_victim(
        &mut self,
        unix_ms: i64,
        marked: &MarkedVictim,
        context: &KillLookup<'_>,
        new: &mut NewKills,
    ) {
        let mut victim = marked.victim;
        let Some(pid) = victim.pid else { return };
        if self.knows_kill(unix_ms, pid) {
            return; // the log was faster
        }
        if victim.id.is_none() {
            // Only the pid is known.
            let Some(known) = context.newest_as_victim(pid) else { return };
            victim = known;
        }
        // It is counted as a line of the log would be, and that line replaces it.
        let guess = self.match_line(unix_ms, Some(pid));
        let asker = match marked.asker {
            (Some(asker), name) => format!("{asker} {name} asked for memory"),
            (None, name) => format!("{name} asked for memory"),
        };
        let mut event = OomEvent {
            victim: Some(victim),
            said: Some(Text::new(asker.as_bytes())),
            ..OomEvent::new(Killer::Marked, unix_ms, EventTime::Live)
        };
        context.look_up(&mut event);
        let nth = self.add(event);
        match guess {
            Some(guess) => new.change(guess, Some(nth)),
            None => new.found.push(nth),
        }
    }

    /// Takes a kill by a daemon, unless another log told of it already. An unproven line can only retract an
    /// unproven event, and a proven one replaces it.
    fn take_daemon_kill(
        &mut self,
        (unix_ms, time): (i64, EventTime),
        kill: DaemonKill,
        proven: bool,
        context: &KillLookup<'_>,
        new: &mut NewKills,
    ) {
        let near = |it: &OomEvent| it.by == kill.by && (it.unix_ms - unix_ms).abs() <= SAME_KILL;
        if kill.undone {
            let may = |it: &&OomEvent| near(it) && (proven || self.is_unproven(it.nth));
            let last = self.all().iter().rev().find(may).map(|it| it.nth);
            if let Some(last) = last.and_then(|nth| self.remove(nth)) {
                new.change(last, None);
            }
            return;
        }
        let is_known = |it: &&OomEvent| near(it) && is_same(it, &kill);
        let mut known = self.all().iter().filter(is_known);
        // Whoever wrote the other line may have made up all of it.
        let unproven = match known.clone().all(|it| it.unproven) {
            true if proven => known.next().map(|it| it.nth),
            true if known.next().is_none() => None,
            _ => return,
        };
        let mut event = daemon_event(unix_ms, time, kill);
        event.unproven = !proven;
        if context.context.has_samples {
            context.look_up(&mut event);
        }
        if let Some(before) = unproven.and_then(|nth| self.remove(nth)) {
            let nth = self.insert(OomEvent { nth: before.nth, ..event });
            new.change(before, Some(nth));
            return;
        }
        let nth = self.add(event);
        if time == EventTime::Live {
            new.found.push(nth);
        }
    }

    /// Takes the kills that the kernel counted between a sample, which the history has, and the one before it. They
    /// wait for a line of the log until [`Self::settle`] is called at the time `due`.
    pub(crate) fn take_counters(
        &mut self,
        nth: SampleIndex,
        sample: &Snapshot,
        due: Millis,
        context: KillContext<'_>,
    ) {
        self.since.get_or_insert(sample.clock.unix_ms);
        let context = &KillLookup::new(context);
        let before = nth.0.checked_sub(1).map(SampleIndex);
        let facts = before.and_then(|nth| Some((nth, context.context.past.facts(nth)?)));
        let Some((before, facts)) = facts else { return };
        let kills = |sample: &Snapshot| sample.traffic.oom_kills.value();
        let count = match (kills(facts), kills(sample)) {
            (Some(then), Some(now)) if sample.continues(facts) => now.saturating_sub(then),
            _ => 0,
        };
        if count == 0 {
            return;
        }
        let span = (facts.clock.unix_ms, sample.clock.unix_ms);
        let mut guesses = match context.sample(before) {
            Some(then) => guess_victims(context.context.policy, &then, sample, count),
            None => Vec::new(),
        };
        for guess in &mut guesses {
            guess.forecast = context.forecast(guess, span.0);
        }
        self.count(span, count, guesses, due);
    }
}

/// Maximum number of restored samples that are kept while kills are looked up.
const MAX_RESTORED: usize = 4;

/// Looks kills up in the samples before them. Kills that become known together were mostly at one time: a sample is
/// restored once for all of them.
struct KillLookup<'a> {
    context: KillContext<'a>,
    /// The samples that were restored, the newest use last.
    restored: RefCell<Vec<(SampleIndex, Arc<Snapshot>)>>,
}

impl<'a> KillLookup<'a> {
    const fn new(context: KillContext<'a>) -> Self {
        Self { context, restored: RefCell::new(Vec::new()) }
    }

    /// Restores a sample.
    fn sample(&self, nth: SampleIndex) -> Option<Arc<Snapshot>> {
        let mut restored = self.restored.borrow_mut();
        let known = restored.iter().position(|it| it.0 == nth).map(|at| restored.remove(at).1);
        let sample = known.or_else(|| self.context.past.sample(nth))?;
        if restored.len() >= MAX_RESTORED {
            restored.remove(0);
        }
        restored.push((nth, Arc::clone(&sample)));
        Some(sample)
    }

    /// The process of this pid in the newest sample, as a victim.
    fn newest_as_victim(&self, pid: i32) -> Option<Victim> {
        let newest = self.context.past.newest().and_then(|nth| self.sample(nth))?;
        let process = newest.processes.get(newest.position(pid)?)?;
        Some(victim_of(process, newest.machine.page_size))
    }

    /// Adds what the sample before a kill tells of its victim: its identity, its sizes, and the rank that
    /// the policy gave it.
    fn look_up(&self, event: &mut OomEvent) {
        if event.prediction == PredictionResult::AlsoKilled {
            return;
        }
        event.forecast = self.forecast(event, event.unix_ms);
        let Some(pid) = event.victim.and_then(|victim| victim.pid) else { return };
        let Some(sample) = self.last_sample_of(pid, event) else { return };
        event.prediction = predicted_before(self.context.policy, &sample, pid, event);
        let process = sample.position(pid).and_then(|at| sample.processes.get(at));
        let (Some(process), Some(victim)) = (process, &mut event.victim) else { return };
        if victim.comm != process.comm {
            return;
        }
        let seen = victim_of(process, sample.machine.page_size);
        event.last_seen = Some(sample.clock.unix_ms);
        *victim = Victim {
            id: seen.id,
            uid: victim.uid.or(seen.uid),
            rss: victim.rss.or(seen.rss),
            file: victim.file.or(seen.file),
            swap: victim.swap.or(seen.swap),
            adj: victim.adj.or(seen.adj),
            ..*victim
        };
        if let (None, Reading::Value(path)) = (&event.cgroup, &process.cgroup) {
            event.cgroup = Some(Text::clone(path));
        }
    }

    /// The last sample before a kill in which its victim lived. The line of a log is read a moment after the kill: the
    /// last sample before its time may show the process dead, or not at all.
    fn last_sample_of(&self, pid: i32, event: &OomEvent) -> Option<Arc<Snapshot>> {
        let past = self.context.past;
        let first = sample_before(past, event.unix_ms)?;
        let lives = |sample: &Snapshot| {
            let process = sample.position(pid).and_then(|at| sample.processes.get(at));
            let same = process.filter(|it| Some(it.comm) == event.victim.map(|it| it.comm));
            same.is_some_and(|it| it.has_mm && !it.dying)
        };
        let mut nth = first;
        loop {
            let sample = self.sample(nth)?;
            if lives(&sample) {
                return Some(sample);
            }
            let is_near = sample.clock.unix_ms > event.unix_ms - CLOCK_SKEW;
            match nth.0.checked_sub(1).filter(|_| is_near) {
                Some(before) if past.oldest().is_some_and(|it| before >= it.0) => {
                    nth = SampleIndex(before);
                }
                _ => return self.sample(first),
            }
        }
    }

    /// What was predicted of the victim of an event at this time.
    fn forecast(&self, event: &OomEvent, unix_ms: i64) -> ForecastResult {
        let Some(victim) = event.victim.filter(|_| event.by != Killer::Sysrq) else {
            return ForecastResult::NotMade;
        };
        let Some(pid) = victim.pid else { return ForecastResult::NotMade };
        let newest = self.context.past.newest().and_then(|nth| self.sample(nth));
        // In a cgroup namespace the kernel names a cgroup by another path.
        let is_known =
            |path: &&str| newest.as_ref().is_some_and(|it| it.cgroups.find(path).is_some());
        let domain = match (event.by, &event.domain) {
            (Killer::Machine, _) => Some(Scope::GLOBAL),
            // A cgroup counts the kills of its processes, whatever ran out of memory.
            (Killer::Counted | Killer::Marked, _) => None,
            (_, path) => path.as_ref().map(Text::as_str).filter(is_known),
        };
        let by = if event.by.is_kernel() { KERNEL } else { event.by.word() };
        self.context.predictions.result(&PredictedKill {
            unix_ms,
            pid,
            comm: victim.comm,
            domain,
            by,
        })
    }
}

/// The last sample before a time in milliseconds since 1970.
fn sample_before(past: &SampleHistory, unix_ms: i64) -> Option<SampleIndex> {
    let newest = past.facts(past.newest()?)?.clock;
    let ago = u64::try_from(newest.unix_ms.saturating_sub(unix_ms)).unwrap_or(0);
    let nth = past.at(Millis(newest.monotonic_ms.0.checked_sub(ago)?))?;
    // The two clocks are not read at the very same moment.
    let is_before =
        |nth: u64| past.facts(SampleIndex(nth)).is_some_and(|facts| facts.clock.unix_ms <= unix_ms);
    match nth.0 {
        nth if is_before(nth + 1) => Some(SampleIndex(nth + 1)),
        nth if is_before(nth) => Some(SampleIndex(nth)),
        nth => nth.checked_sub(1).map(SampleIndex),
    }
}

/// The last sample before a kill: the last one with the victim. Where only a counter tells of it, the last one that had
/// not counted it.
#[must_use]
pub fn sample_before_kill(past: &SampleHistory, event: &OomEvent) -> Option<SampleIndex> {
    if let Some(last_seen) = event.last_seen.filter(|at| *at <= event.unix_ms) {
        return sample_before(past, last_seen);
    }
    let EventTime::Within(span) = event.time else {
        return sample_before(past, event.unix_ms);
    };
    let from = event.unix_ms.saturating_sub_unsigned(span.0);
    let was = |nth: &SampleIndex| past.facts(*nth).is_some_and(|it| it.clock.unix_ms <= from);
    (past.oldest()?.0..=past.newest()?.0).rev().map(SampleIndex).find(was)
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

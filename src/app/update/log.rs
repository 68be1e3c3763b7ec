//! Takes in what the log sources and the kernel's kill counter tell.

use std::sync::Arc;

use crate::app::App;
use crate::app::incident::event_text::whom;
use crate::app::incident::log_update::LogUpdate;
use crate::app::incident::prediction::{STORM, foresee, guess, victim_of};
use crate::app::incident::report_events::tell;
use crate::app::incident::timeline::Timeline;
use crate::app::session::notice::NoticeLevel;
use crate::app::view::kind::ViewKind;
use crate::columns::cgroup_leaf;
use crate::events;
use crate::model::{
    EventTime, OomEvent, PredictionResult, Reading, SampleIndex, Snapshot, Text, Victim,
};
use crate::units::Millis;

/// A counted kill waits so long for a line of the log.
const GRACE: Millis = Millis(3000);

/// What two logs say of one kill by a daemon is said within so long, in milliseconds: syslog tells
/// whole seconds, and SIGTERM may be followed by SIGKILL.
const SAME: i64 = 15_000;

impl App {
    /// Takes in what the ears brought.
    pub(crate) fn hear(&mut self, all: Vec<LogUpdate>) {
        let (mut new, mut looked) = (Vec::new(), 0);
        for news in all {
            match news {
                LogUpdate::Ear(ear, hearing) => self.timeline.hear(ear, hearing),
                LogUpdate::Report { number, unix_ms, told, report } => {
                    let known = |pid: Option<i32>, timeline: &Timeline| {
                        timeline.events.iter().any(|it| {
                            it.report == Some(number)
                                && (it.victim.and_then(|victim| victim.pid) == pid)
                        })
                    };
                    self.timeline.keep(number, Arc::clone(&report));
                    for mut happening in tell(number, unix_ms, told, &report) {
                        let pid = happening.victim.and_then(|victim| victim.pid);
                        if known(pid, &self.timeline) {
                            continue;
                        }
                        if pid.is_some() && self.setup.live {
                            self.timeline.told_at(unix_ms, pid);
                        }
                        if self.setup.live && looked < STORM {
                            looked += 1;
                            self.recall(&mut happening);
                        }
                        let nth = self.timeline.add(happening);
                        new.extend((told == EventTime::Live).then_some(nth));
                    }
                }
                LogUpdate::Daemon { unix_ms, told, heard, proven } => {
                    if let Some(nth) = self.hear_daemon(unix_ms, told, heard, proven) {
                        new.extend((told == EventTime::Live).then_some(nth));
                    }
                }
            }
        }
        self.settle_counted();
        self.announce(&new);
        self.arrange_events();
    }

    /// A kill by a daemon, unless another log told of it already. What anybody may have written takes
    /// nothing back but what anybody may have written.
    fn hear_daemon(
        &mut self,
        unix_ms: i64,
        told: EventTime,
        heard: events::DaemonKill,
        proven: bool,
    ) -> Option<u64> {
        let near = |it: &OomEvent| it.by == heard.by && (it.unix_ms - unix_ms).abs() <= SAME;
        if heard.undone {
            let may = |it: &&OomEvent| near(it) && (proven || self.timeline.is_unproven(it.nth));
            let last = self.timeline.events.iter().rev().find(may).map(|it| it.nth);
            self.timeline.events.retain(|it| Some(it.nth) != last);
            return None;
        }
        let leaf =
            |path: &Option<Text>| path.as_ref().map(|it| cgroup_leaf(it.as_str()).to_owned());
        let same = |it: &OomEvent| {
            let theirs = it.victim.map(|victim| (victim.pid, victim.comm));
            let whom = match (theirs, heard.pid, heard.comm) {
                (Some((Some(theirs), _)), Some(pid), _) => theirs == pid,
                (Some((_, theirs)), _, Some(comm)) => theirs == comm,
                (None, None, None) => true,
                _ => false,
            };
            near(it) && whom && (heard.pid.is_some() || leaf(&it.domain) == leaf(&heard.cgroup))
        };
        if let Some(known) = self.timeline.events.iter().find(|it| same(it)).map(|it| it.nth) {
            if proven {
                self.timeline.unproven.remove(&known);
            }
            return None;
        }
        let victim = heard.comm.map(|comm| Victim {
            pid: heard.pid,
            comm,
            uid: heard.uid,
            rss: heard.rss,
            adj: heard.adj,
            ..Victim::default()
        });
        let mut happening = OomEvent {
            nth: 0,
            unix_ms,
            time: told,
            by: heard.by,
            victim,
            guessed: false,
            domain: heard.cgroup.clone(),
            cgroup: heard.cgroup,
            prediction: PredictionResult::NoSample,
            report: None,
            said: Some(heard.said),
        };
        if self.setup.live {
            self.recall(&mut happening);
        }
        let nth = self.timeline.add(happening);
        if !proven {
            self.timeline.unproven.insert(nth);
        }
        Some(nth)
    }

    /// The look that was on the screen just before a time.
    pub(crate) fn sample_before(&self, unix_ms: i64) -> Option<SampleIndex> {
        let past = &self.playback.past;
        let newest = past.facts(past.newest()?)?.clock;
        let ago = u64::try_from(newest.unix_ms.saturating_sub(unix_ms)).unwrap_or(0);
        let nth = past.at(Millis(newest.monotonic_ms.0.checked_sub(ago)?))?;
        let is_before = past.facts(nth)?.clock.unix_ms <= unix_ms;
        if is_before { Some(nth) } else { nth.0.checked_sub(1).map(SampleIndex) }
    }

    /// The look before a kill: of one that was only counted, the look that had not counted it yet.
    pub(crate) fn sample_before_kill(&self, happening: &OomEvent) -> Option<SampleIndex> {
        let EventTime::Within(span) = happening.time else {
            return self.sample_before(happening.unix_ms);
        };
        let from = happening.unix_ms.saturating_sub_unsigned(span.0);
        let past = &self.playback.past;
        let was = |nth: &SampleIndex| past.facts(*nth).is_some_and(|it| it.clock.unix_ms <= from);
        (past.oldest()?.0..=past.newest()?.0).rev().map(SampleIndex).find(was)
    }

    /// What the look before a kill knew of its victim: who it was, and its place in the order of death of
    /// that domain, by the policy that ranks now.
    pub(crate) fn recall(&self, happening: &mut OomEvent) {
        if happening.prediction == PredictionResult::AlsoKilled {
            return;
        }
        let Some(pid) = happening.victim.and_then(|victim| victim.pid) else { return };
        let Some(nth) = self.sample_before(happening.unix_ms) else { return };
        // It may have ended before the look that came last: then it stands in one before.
        let Some(sample) = self.playback.past.sample(nth) else { return };
        happening.prediction = foresee(self.of_now().0, &sample, pid, happening);
        if let Some(process) = sample.position(pid).and_then(|at| sample.processes.get(at)) {
            let same = happening.victim.is_some_and(|victim| victim.comm == process.comm);
            if let Some(victim) = happening.victim.as_mut().filter(|_| same) {
                let page = sample.machine.page_size;
                let seen = victim_of(process, page);
                *victim = Victim {
                    id: seen.id,
                    uid: victim.uid.or(seen.uid),
                    rss: victim.rss.or(seen.rss),
                    swap: victim.swap.or(seen.swap),
                    adj: victim.adj.or(seen.adj),
                    ..*victim
                };
                if happening.cgroup.is_none()
                    && let Reading::Value(path) = &process.cgroup
                {
                    happening.cgroup = Some(Text::clone(path));
                }
            }
        }
    }

    /// Compares what the kernel counted in a look with the look before it.
    pub(crate) fn note_counted_kills(&mut self, nth: SampleIndex, sample: &Snapshot) {
        self.timeline.since.get_or_insert(sample.clock.unix_ms);
        let past = &self.playback.past;
        let before = nth.0.checked_sub(1).map(SampleIndex);
        let Some((before, facts)) = before.and_then(|nth| Some((nth, past.facts(nth)?))) else {
            return;
        };
        let counted = |sample: &Snapshot| sample.traffic.oom_kills.value();
        let count = match (counted(facts), counted(sample)) {
            (Some(then), Some(now)) if sample.continues(facts) => now.saturating_sub(then),
            _ => 0,
        };
        if count > 0 {
            let from = facts.clock.unix_ms;
            let guesses = match past.sample(before) {
                Some(then) => guess(self.of_now().0, &then, sample, count),
                None => Vec::new(),
            };
            let due = Millis(self.now.0.saturating_add(GRACE.0));
            self.timeline.count(from, sample.clock.unix_ms, count, guesses, due);
        }
        self.settle_counted();
    }

    /// What waited long enough for a line is told without one.
    fn settle_counted(&mut self) {
        let at_once = !self.setup.live || !self.timeline.hears_kernel();
        // Before anything is known of the kernel's log, it may still be opened: but not for long.
        let at_once = at_once && (!self.setup.live || !self.timeline.sources.is_empty());
        let new = self.timeline.settle(self.now, at_once);
        if !new.is_empty() {
            self.announce(&new);
            self.arrange_events();
        }
    }

    /// Says that somebody was killed just now.
    fn announce(&mut self, new: &[u64]) {
        let Some(&last) = new.last() else { return };
        if self.screen != ViewKind::Events {
            self.timeline.unseen += new.len();
        }
        if !self.setup.live {
            return;
        }
        let Some(happening) = self.timeline.find(last) else { return };
        let mut text = format!("{} killed {}", happening.by.name(), whom(happening));
        if let Some(path) = happening.domain.as_ref().filter(|_| happening.victim.is_some()) {
            text.push_str(&format!(" in {}", cgroup_leaf(path.as_str())));
        }
        if self.timeline.is_unproven(last) {
            text.push_str(" (by a log file)");
        }
        if new.len() > 1 {
            text.push_str(&format!(", and {} more", new.len() - 1));
        }
        if self.screen != ViewKind::Events {
            text.push_str(": Alt-5");
        }
        self.say(NoticeLevel::Warn, text);
    }
}

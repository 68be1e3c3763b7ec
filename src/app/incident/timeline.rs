//! Every kill that was heard of, one line each: what the logs tell, what the counters tell where no log
//! does, and never the same kill twice.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::app::dialog::mode::ViewKind;
use crate::app::{App, NoticeLevel};
use crate::columns::cgroup_leaf;
use crate::events::{self, OomReport, page_size};
use crate::model::{
    Comm, EventTime, Killer, LogSource, OomEvent, PredictionResult, Process, Reading, SampleIndex,
    Scene, Scope, Snapshot, SourceState, Text, Victim, is_within, unescape,
};
use crate::rank::{Placement, Ranking};
use crate::units::{Kib, Millis};
use crate::words::incident::DumpContext;

/// What the ears brought.
#[derive(Clone, Debug)]
pub enum LogUpdate {
    /// A report of the kernel's; one of the same number takes the place of what was known of it.
    Report {
        /// Its number: of two with the same one the later is more complete.
        number: u64,
        /// When it was written, milliseconds since 1970, UTC.
        unix_ms: i64,
        /// How well that is known.
        told: EventTime,
        /// It.
        report: Arc<OomReport>,
    },
    /// A kill by a daemon.
    Daemon {
        /// When, milliseconds since 1970, UTC.
        unix_ms: i64,
        /// How well that is known.
        told: EventTime,
        /// What it said.
        heard: events::DaemonKill,
        /// Whether that it was the daemon who said so is sure: to a syslog file anybody may write.
        proven: bool,
    },
    /// How an ear hears.
    Ear(LogSource, SourceState),
}

/// Kills that the kernel counted between two looks, and no line told of yet.
#[derive(Clone, Debug)]
struct CountedKills {
    /// Between these two times, milliseconds since 1970, UTC.
    from: i64,
    to: i64,
    /// So many are not told of.
    left: u64,
    /// Who that may have been, the likeliest first.
    guesses: Vec<VictimGuess>,
    /// Then they are told without a line.
    due: Millis,
}

#[derive(Clone, Debug)]
struct VictimGuess {
    victim: Victim,
    domain: Option<Text>,
    cgroup: Option<Text>,
    foreseen: PredictionResult,
}

/// What is known of one ear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSourceStatus {
    /// Which.
    pub source: LogSource,
    /// Whether and what it hears.
    pub state: SourceState,
    /// So many lines were lost.
    pub lost: u64,
}

/// The kills, the oldest first, and where the view of them stands.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// Every one.
    pub events: Vec<OomEvent>,
    /// Where they are heard of.
    pub sources: Vec<LogSourceStatus>,
    /// Only kills, and not what was done from here.
    pub kills_only: bool,
    /// The cursor's line.
    pub cursor: usize,
    /// The first line on the screen.
    pub top: usize,
    /// The line that the cursor holds to; nothing: the newest.
    pub(crate) held: Option<TimelineEntry>,
    /// Since the view was on the screen so many are new.
    pub unseen: usize,
    /// Those that only a log file tells of, where anybody may write.
    unproven: BTreeSet<u64>,
    reports: BTreeMap<u64, Arc<OomReport>>,
    counted: Vec<CountedKills>,
    /// Times of the kernel's kills that were heard of, and not counted yet.
    early: VecDeque<i64>,
    /// The time of the first look: what is older was counted before.
    since: Option<i64>,
    next: u64,
}

/// A line of the view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimelineEntry {
    /// The happening of this number.
    Kill(u64),
    /// A line of the session's journal, by its place.
    Act(usize),
}

/// So many are kept.
const MOST: usize = 4096;
/// So many rows of dumps are kept; the oldest reports go first.
const ROWS: usize = 200_000;
/// A counted kill waits so long for a line of the log.
const GRACE: Millis = Millis(3000);
/// Clocks of lines and looks differ by so much at most, in milliseconds.
const SLACK: i64 = 1500;
/// What two logs say of one kill by a daemon is said within so long, in milliseconds: syslog tells
/// whole seconds, and SIGTERM may be followed by SIGKILL.
const SAME: i64 = 15_000;
/// So many kills at once are looked up in earlier looks; a storm is told without.
const STORM: usize = 64;

impl Timeline {
    /// The report of this number.
    #[must_use]
    pub fn report(&self, number: u64) -> Option<&Arc<OomReport>> {
        self.reports.get(&number)
    }

    /// What the reports tell together.
    #[must_use]
    pub fn common(&self) -> DumpContext {
        DumpContext {
            kernel: self.reports.values().find_map(|report| report.kernel.clone()),
            swap: self.reports.values().find_map(|report| report.swap_total),
        }
    }

    /// The happening of this number.
    #[must_use]
    pub fn find(&self, nth: u64) -> Option<&OomEvent> {
        self.events.iter().find(|it| it.nth == nth)
    }

    /// Whether this one is told of only where anybody may write.
    #[must_use]
    pub fn is_unproven(&self, nth: u64) -> bool {
        self.unproven.contains(&nth)
    }

    /// Whether the kernel's log is heard.
    #[must_use]
    pub fn hears_kernel(&self) -> bool {
        self.sources
            .iter()
            .any(|it| it.source == LogSource::KernelLog && matches!(it.state, SourceState::Open(_)))
    }

    /// Whether somebody was killed since doomtop began.
    #[must_use]
    pub fn has_new(&self) -> bool {
        self.events.iter().any(|it| matches!(it.time, EventTime::Live | EventTime::Within(_)))
    }

    /// Adds one, in the order of time.
    fn add(&mut self, mut happening: OomEvent) -> u64 {
        self.next += 1;
        happening.nth = self.next;
        let nth = happening.nth;
        let at = self.events.partition_point(|it| it.unix_ms <= happening.unix_ms);
        self.events.insert(at, happening);
        if self.events.len() > MOST {
            self.events.remove(0);
        }
        nth
    }

    /// Keeps a report; dumps that are too many go, the oldest first.
    fn keep(&mut self, number: u64, report: Arc<OomReport>) {
        self.reports.insert(number, report);
        let mut rows: usize = self.reports.values().map(|report| report.tasks.len() + 1).sum();
        while rows > ROWS && self.reports.len() > 1 {
            let Some((oldest, report)) = self.reports.pop_first() else { return };
            rows -= report.tasks.len() + 1;
            for it in self.events.iter_mut().filter(|it| it.report == Some(oldest)) {
                it.report = None;
                it.said = Some(Text::new(b"its report is no longer kept"));
            }
        }
    }

    /// Takes in how an ear hears.
    fn hear(&mut self, ear: LogSource, hearing: SourceState) {
        match (self.sources.iter_mut().find(|it| it.source == ear), hearing) {
            (Some(source), SourceState::Lost(more)) => {
                source.lost = source.lost.saturating_add(more)
            }
            (Some(source), hearing) => source.state = hearing,
            (None, SourceState::Lost(lost)) => {
                self.sources.push(LogSourceStatus {
                    source: ear,
                    state: SourceState::Open(String::new()),
                    lost,
                });
            }
            (None, hearing) => {
                self.sources.push(LogSourceStatus { source: ear, state: hearing, lost: 0 })
            }
        }
        self.sources.sort_by_key(|it| it.source);
    }

    /// A line of the kernel's told of a kill at this time: one that was counted, or will be.
    fn told_at(&mut self, unix_ms: i64, pid: Option<i32>) {
        if self.since.is_none_or(|since| unix_ms < since - SLACK) {
            return;
        }
        let fits = |from: i64, to: i64| unix_ms >= from - SLACK && unix_ms <= to + SLACK;
        if let Some(counted) =
            self.counted.iter_mut().find(|it| it.left > 0 && fits(it.from, it.to))
        {
            counted.left -= 1;
            return;
        }
        // It came later than the grace lasted: what was guessed meanwhile gives way.
        let guessed = |it: &&OomEvent| {
            let EventTime::Within(span) = it.time else { return false };
            it.by == Killer::Counted && fits(it.unix_ms - span.0.cast_signed(), it.unix_ms)
        };
        let same = |it: &&OomEvent| it.victim.is_some_and(|victim| victim.pid == pid);
        let found = self.events.iter().filter(guessed).find(same);
        let found = found.or_else(|| self.events.iter().find(guessed)).map(|it| it.nth);
        match found {
            Some(nth) => self.events.retain(|it| it.nth != nth),
            None => {
                self.early.push_back(unix_ms);
                if self.early.len() > MOST {
                    self.early.pop_front();
                }
            }
        }
    }

    /// So many kills were counted between two times, and who may have been killed.
    fn count(&mut self, from: i64, to: i64, count: u64, guesses: Vec<VictimGuess>, due: Millis) {
        let mut left = count;
        self.early.retain(|&told| {
            let is_it = left > 0 && told >= from - SLACK && told <= to + SLACK;
            left -= u64::from(is_it);
            // What no count ever claims is forgotten.
            !is_it && told > to - 60_000
        });
        if left > 0 {
            self.counted.push(CountedKills { from, to, left, guesses, due });
        }
    }

    /// What was counted and waited long enough becomes a line; their numbers come back.
    fn settle(&mut self, now: Millis, at_once: bool) -> Vec<u64> {
        let mut told = Vec::new();
        let (due, later): (Vec<CountedKills>, Vec<CountedKills>) =
            self.counted.drain(..).partition(|it| it.left == 0 || at_once || it.due <= now);
        self.counted = later;
        for counted in due {
            let known = |guess: &VictimGuess| {
                self.events.iter().any(|it| {
                    it.unix_ms >= counted.from - SLACK
                        && it.unix_ms <= counted.to + SLACK
                        && it.victim.is_some_and(|victim| victim.pid == guess.victim.pid)
                })
            };
            let free: Vec<VictimGuess> =
                counted.guesses.iter().filter(|guess| !known(guess)).cloned().collect();
            let mut guesses = free.into_iter();
            for _ in 0..counted.left.min(STORM as u64) {
                let guess = guesses.next();
                let span = u64::try_from(counted.to - counted.from).unwrap_or(0);
                let happening = OomEvent {
                    nth: 0,
                    unix_ms: counted.to,
                    time: EventTime::Within(Millis(span)),
                    by: Killer::Counted,
                    victim: guess.as_ref().map(|it| it.victim),
                    guessed: guess.is_some(),
                    domain: guess.as_ref().and_then(|it| it.domain.clone()),
                    cgroup: guess.as_ref().and_then(|it| it.cgroup.clone()),
                    prediction: guess.map_or(PredictionResult::NoSample, |it| it.foreseen),
                    report: None,
                    said: None,
                };
                told.push(self.add(happening));
            }
        }
        told
    }
}

/// What a process was, as a victim.
fn victim_of(process: &Process, page: crate::units::PageSize) -> Victim {
    let kib = |pages: crate::units::Pages| Kib(pages.bytes(page).0 / 1024);
    Victim {
        pid: Some(process.id.pid),
        id: Some(process.id),
        comm: process.comm,
        uid: process.ids.value().map(|ids| ids.uid),
        rss: Some(kib(process.rss_stat)),
        swap: process.swap.value().map(kib),
        adj: process.adj.value(),
    }
}

/// The happenings of a report: one for each that was killed, and one where nobody was.
fn tell(number: u64, unix_ms: i64, told: EventTime, report: &OomReport) -> Vec<OomEvent> {
    let by = if report.is_asked_for() {
        Killer::Sysrq
    } else if report.is_memcg() {
        Killer::Memcg
    } else {
        Killer::Machine
    };
    let path = |path: &Option<String>| path.as_ref().map(|path| Text::new(&unescape(path)));
    let page = page_size(report);
    let first = OomEvent {
        nth: 0,
        unix_ms,
        time: told,
        by,
        victim: None,
        guessed: false,
        domain: path(&report.domain),
        cgroup: path(&report.cgroup),
        prediction: PredictionResult::NoSample,
        report: Some(number),
        said: None,
    };
    if report.killed.is_empty() {
        let said = if let Some(why) = &report.panic {
            format!("the machine stopped: {why}")
        } else if let Some(pid) = report.exiting {
            format!("nobody was killed: {pid} was on its way out already")
        } else if report.nobody {
            "nobody could be killed".to_owned()
        } else {
            "the log does not tell who was killed".to_owned()
        };
        // Its words were made harmless where the line was read.
        return vec![OomEvent { said: Some(Text::new(&unescape(&said))), ..first }];
    }
    let killed = report.killed.iter().zip(0_usize..);
    killed
        .map(|(killed, nth)| {
            let row = report.tasks.iter().find(|task| task.pid == killed.pid);
            let parts = [killed.anon, killed.file, killed.shmem];
            let swap = row.and_then(|row| row.swap);
            let victim = Victim {
                pid: Some(killed.pid),
                id: None,
                comm: Comm::new(&unescape(&killed.name)),
                uid: killed.uid.or(row.map(|row| row.uid)),
                rss: killed.anon.map(|_| parts.into_iter().flatten().fold(Kib(0), |a, b| a + b)),
                swap: swap.map(|pages| Kib(pages.bytes(page).0 / 1024)),
                adj: killed.adj.or(row.and_then(|row| row.adj)),
            };
            let along = nth > 0 && report.group.is_some();
            OomEvent {
                by: if along { Killer::Group } else { by },
                victim: Some(victim),
                cgroup: if along { path(&report.group) } else { first.cgroup.clone() },
                prediction: if along {
                    PredictionResult::AlsoKilled
                } else {
                    PredictionResult::NoSample
                },
                ..first.clone()
            }
        })
        .collect()
}

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
    fn recall(&self, happening: &mut OomEvent) {
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

/// Who was killed, in words.
#[must_use]
pub fn whom(happening: &OomEvent) -> String {
    let likely = if happening.guessed { "likely " } else { "" };
    match (&happening.victim, &happening.domain) {
        (Some(Victim { pid: Some(pid), comm, .. }), _) => format!("{likely}{pid} {comm}"),
        (Some(Victim { comm, .. }), _) => format!("{likely}{comm}"),
        (None, Some(path)) if !happening.by.is_kernel() => {
            format!("all of {}", cgroup_leaf(path.as_str()))
        }
        (None, _) if happening.by == Killer::Counted => "somebody".to_owned(),
        (None, _) => "nobody".to_owned(),
    }
}

/// The place of a process in the order of death of the domain that ran out.
fn foresee(
    policy: &dyn crate::policy::Policy,
    sample: &Arc<Snapshot>,
    pid: i32,
    happening: &OomEvent,
) -> PredictionResult {
    let Some(at) = sample.position(pid) else { return PredictionResult::NotSeen };
    let same = |victim: Victim| sample.processes.get(at).is_some_and(|it| it.comm == victim.comm);
    // Another one has the pid, or it ran another program then.
    if !happening.victim.is_some_and(same) {
        return PredictionResult::NotSeen;
    }
    let domain = happening.domain.as_ref().filter(|_| happening.by.is_kernel());
    let found = domain.filter(|path| sample.cgroups.find(path.as_str()).is_some());
    let scope = match (domain, found) {
        (Some(path), Some(_)) => Scope::Memcg(Arc::new(path.clone())),
        // In which order they stood there, nobody looked.
        (Some(_), None) if happening.by == Killer::Memcg => return PredictionResult::NoSample,
        _ => Scope::Global,
    };
    let scene = Scene::scoped(Arc::clone(sample), None, scope);
    let ranking = Ranking::new(policy, &scene);
    match ranking.place(at) {
        Some((_, row)) if matches!(row.placement, Placement::Spared(_)) => PredictionResult::Spared,
        Some((place, row)) => {
            let place = u32::try_from(place).unwrap_or(u32::MAX).saturating_add(1);
            if ranking.too_close() && ranking.candidates().contains(&row.id) {
                PredictionResult::Candidate(place)
            } else {
                PredictionResult::Rank(place)
            }
        }
        None => PredictionResult::NotSeen,
    }
}

/// Who may have been killed: of those who went between two looks the largest, and first of all those in
/// a cgroup that counted a kill.
fn guess(
    policy: &dyn crate::policy::Policy,
    then: &Arc<Snapshot>,
    now: &Snapshot,
    count: u64,
) -> Vec<VictimGuess> {
    // The counters are hierarchical: the deepest that rose says where. A leaf may be gone with its kill.
    let rose = |path: &str| {
        let events = |sample: &Snapshot| sample.cgroups.find(path)?.events.oom_kill.value();
        events(then).zip(events(now)).is_some_and(|(then, now)| now > then)
    };
    let walls: Vec<&Arc<Text>> =
        now.cgroups.list.iter().map(|it| &it.path).filter(|path| rose(path.as_str())).collect();
    let wall_of = |process: &Process| {
        let Reading::Value(path) = &process.cgroup else { return None };
        let above = walls.iter().filter(|wall| is_within(path.as_str(), wall.as_str()));
        above.max_by_key(|wall| wall.as_str().len()).copied()
    };
    let mut gone: Vec<(Option<&Arc<Text>>, &Process)> =
        then.killed_until(now).into_iter().map(|process| (wall_of(process), process)).collect();
    // Those behind a wall that killed come first; the largest of each stay in front.
    gone.sort_by_key(|(wall, _)| wall.is_none());
    let count = usize::try_from(count).unwrap_or(STORM).min(STORM);
    gone.into_iter()
        .take(count)
        .map(|(wall, process)| {
            let cgroup = match &process.cgroup {
                Reading::Value(path) => Some(Text::clone(path)),
                _ => None,
            };
            let victim = victim_of(process, then.machine.page_size);
            let mut guess = OomEvent {
                nth: 0,
                unix_ms: 0,
                time: EventTime::Order,
                by: Killer::Counted,
                victim: Some(victim),
                guessed: true,
                domain: wall.map(|wall| Text::clone(wall)),
                cgroup,
                prediction: PredictionResult::NoSample,
                report: None,
                said: None,
            };
            // Behind which wall it was is not known: then neither is the order there.
            let walled = |path: &Text| {
                let mut limited = then.cgroups.limited();
                limited.any(|wall| is_within(path.as_str(), wall.path.as_str()))
            };
            if wall.is_some() || !guess.cgroup.as_ref().is_some_and(walled) {
                guess.prediction = foresee(policy, then, process.id.pid, &guess);
            }
            VictimGuess {
                victim,
                domain: guess.domain,
                cgroup: guess.cgroup,
                foreseen: guess.prediction,
            }
        })
        .collect()
}

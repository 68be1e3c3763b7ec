//! `--plain`: one line for each thing that changes, for screen readers and serial consoles. It is the screen
//! without a screen: the same state, fed with the same messages.

use std::collections::VecDeque;
use std::io::{self, BufWriter, Stdout, Write};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::cli::Cli;
use super::headless::{self, AfterSample, EndFlag, SampleConsumer, SamplePace};
use super::invocation::Invocation;
use crate::alarm::Alarms;
use crate::app::incident::kill_text::kill_news_line;
use crate::app::{App, Msg, NoticeLevel, Request};
use crate::forecast::next_death::{DeathCertainty, NextDeath};
use crate::kills::KillNews;
use crate::model::{CgroupNeeds, Killer, Needs, Snapshot};
use crate::sample::proc_root::LiveRoot;
use crate::shell::command_error::CommandError;
use crate::shell::event::{Event, Inbox};
use crate::shell::exit_status::ExitStatus;
use crate::shell::stdio;
use crate::shell::worker::alarm_command::{self, AlarmCommandWorker};
use crate::shell::worker::log_sources::LogSources;
use crate::source::Source;
use crate::units::Millis;
use crate::words::next_death::forms;
use crate::words::next_victim::sentence;

/// Times until a death at which it is told again, in milliseconds.
const STEPS: [u64; 5] = [10_000, 60_000, 300_000, 900_000, 3_600_000];

/// Maximum time that the end waits for the line of a log about a kill that was counted.
const LAST_WAIT: Duration = Duration::from_millis(500);

/// Maximum number of kills whose corrections are told.
const MAX_TOLD: usize = 512;

/// Prints until the count is reached, the source ends, or the reader closes the pipe.
///
/// # Errors
/// What could not be read or written.
pub(crate) fn run(cli: &Cli, invocation: Invocation) -> Result<ExitStatus, CommandError> {
    let delay = invocation.headless_delay();
    let pace = SamplePace { delay, count: cli.iterations, end: EndFlag::default_action() };
    let live = invocation.setup.live;
    let root = invocation.input.root()?.filter(|_| cli.redact.is_none());
    let is_own = root.is_some_and(|root| LiveRoot::prove(root).is_ok());
    let (inbox, events) = Inbox::new();
    let mut app = App::new(invocation.setup);
    let commands = cli.alarm_commands();
    let has_command = live && !commands.is_empty();
    app.refresh.alarms = Alarms::new(cli.alarm.clone(), cli.bell, has_command);
    app.update(Msg::Users(Arc::new(invocation.input.user_names())));
    let mut plain = Plain {
        app,
        out: BufWriter::new(io::stdout()),
        events,
        // The logs of this machine belong to no other tree.
        logs: is_own.then(|| LogSources::start(&inbox)),
        command: if has_command { alarm_command::start(commands, inbox.clone()) } else { None },
        reported: Reported::default(),
        begun: Instant::now(),
        first: None,
    };
    drop(inbox);
    let mut source = invocation.input.source;
    headless::run(source.as_mut(), &mut plain, &pace)?;
    plain.end()?;
    Ok(ExitStatus::Success)
}

/// What was told last.
#[derive(Debug, Default)]
struct Reported {
    /// The death; the outer `None` before the first line.
    death: Option<Option<DeathKey>>,
    /// Another death, seen once: it is told if the next sample shows it as well.
    seen: Option<DeathKey>,
    /// The sentence about it.
    sentence: Option<String>,
    /// The alarms beyond their threshold.
    alarms: Vec<String>,
    /// The notice.
    notice: Option<String>,
    /// Kills that the kernel only marked when the last lines were written.
    marked: Vec<u64>,
    /// The kills, the last ones.
    kills: VecDeque<u64>,
}

/// What makes a death another one for a reader.
#[derive(Debug, PartialEq, Eq)]
struct DeathKey {
    by: &'static str,
    domain: String,
    victim: Option<i32>,
    certainty: &'static str,
    /// How many of [`STEPS`] are nearer than the death.
    step: usize,
}

impl DeathKey {
    fn of(death: &NextDeath) -> Self {
        let certainty = match death.certainty {
            _ if death.stalled.is_some() => "stalled",
            DeathCertainty::Named => "named",
            DeathCertainty::TooClose => "too close",
            DeathCertainty::Nobody => "nobody",
            DeathCertainty::Overridden(_) => "overridden",
        };
        Self {
            by: death.by,
            domain: death.domain.as_str().to_owned(),
            victim: death.candidates.first().map(|it| it.id.pid),
            certainty,
            step: STEPS.iter().filter(|step| death.middle().0 > **step).count(),
        }
    }

    /// Whether it is told after the other: another death, or the same one nearer by a step. One that only
    /// becomes later is no news.
    fn is_news_after(&self, other: &Self) -> bool {
        !self.is_same(other) || self.step < other.step
    }

    /// Whether it is the same death, however near.
    fn is_same(&self, other: &Self) -> bool {
        (self.by, &self.domain, self.victim, self.certainty)
            == (other.by, &other.domain, other.victim, other.certainty)
    }
}

struct Plain {
    app: App,
    out: BufWriter<Stdout>,
    events: Receiver<Event>,
    logs: Option<LogSources>,
    command: Option<AlarmCommandWorker>,
    reported: Reported,
    begun: Instant,
    /// When the first sample of a recording was taken.
    first: Option<Millis>,
}

impl SampleConsumer for Plain {
    fn needs(&mut self) -> Needs {
        let mut needs = self.app.needs();
        needs.cgroups = needs.cgroups.max(CgroupNeeds::Limits);
        needs
    }

    fn consume(
        &mut self,
        sample: Arc<Snapshot>,
        _: &mut dyn Source,
        _: Instant,
    ) -> Result<AfterSample, CommandError> {
        if let Some(logs) = &mut self.logs {
            logs.sample();
            logs.follow(&sample);
        }
        let mut asked = Vec::new();
        if self.app.start.live {
            let now = Millis(u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX));
            asked = self.app.update(Msg::Tick(now));
        }
        let waiting: Vec<Event> = self.events.try_iter().collect();
        for event in waiting {
            if let Event::Message(message) = event {
                asked.extend(self.app.update(message));
            }
        }
        let taken = sample.clock.monotonic_ms;
        if self.app.start.live {
            asked.extend(self.app.update(Msg::Sampled(sample)));
        } else {
            // A recording is played at the pace at which it is read.
            let first = *self.first.get_or_insert(taken);
            self.app.update(Msg::Played(sample));
            self.app.update(Msg::Tick(taken.saturating_sub(first)));
        }
        let lines = self.lines();
        let is_ringing = asked.iter().any(|request| matches!(request, Request::Bell));
        for request in asked {
            if let (Request::RunAlarm(raised), Some(worker)) = (request, &self.command)
                && let Some(notice) = worker.run(raised)
            {
                self.app.update(notice);
            }
        }
        match self.write(&lines, is_ringing) {
            Ok(()) => Ok(AfterSample::Continue(self.app.take_spent())),
            Err(error) => stdio::written(Err(error)).map(|()| AfterSample::Stop),
        }
    }
}

impl Plain {
    /// No more samples come: tells of kills that waited for a line of the log.
    fn end(&mut self) -> Result<(), CommandError> {
        let until = Instant::now() + LAST_WAIT;
        while self.app.start.live && self.app.awaits_log() {
            let left = until.saturating_duration_since(Instant::now());
            match self.events.recv_timeout(left) {
                Ok(Event::Message(message)) => drop(self.app.update(message)),
                Ok(_) => {}
                Err(_) => break,
            }
        }
        self.app.end_kills();
        let mut lines = self.kills();
        // What was only marked waits no longer.
        lines.extend(self.kills());
        stdio::written(self.write(&lines, false))
    }

    /// Writes lines, each with its time in milliseconds since 1970.
    fn write(&mut self, lines: &[(i64, String)], is_ringing: bool) -> io::Result<()> {
        for (unix_ms, line) in lines {
            let time = Timestamp::from_millisecond(*unix_ms).unwrap_or_default();
            let clock = time.to_zoned(TimeZone::system()).strftime("%H:%M:%S").to_string();
            writeln!(self.out, "{clock} {}", crate::model::printable(line))?;
        }
        if is_ringing {
            self.out.write_all(b"\x07")?;
        }
        self.out.flush()
    }

    /// What has changed since the sample before, the most important first.
    fn lines(&mut self) -> Vec<(i64, String)> {
        let mut lines = self.kills();
        let now = self.app.scene.as_ref().map_or(0, |scene| scene.now().clock.unix_ms);
        let others = self.death().into_iter().chain(self.alarms());
        let others: Vec<String> = others.chain(self.notice()).collect();
        lines.extend(others.into_iter().map(|line| (now, line)));
        lines
    }

    /// The kills that became known, each at its own time.
    fn kills(&mut self) -> Vec<(i64, String)> {
        let told = take_kills(&mut self.app, &mut self.reported.marked);
        let changes = self.app.incidents.take_changes();
        let (timeline, scene) = (self.app.timeline(), self.app.scene.as_ref());
        let find = |nth: u64| timeline.find(nth).cloned();
        let kills = &mut self.reported.kills;
        let mut news = Vec::new();
        for change in changes {
            let Some(at) = kills.iter().position(|&nth| nth == change.before.nth) else { continue };
            kills.remove(at);
            news.extend(match change.now {
                None => Some(KillNews::Retracted(change.before)),
                Some(nth) => {
                    kills.push_back(nth);
                    find(nth)
                        .map(|now| KillNews::Corrected { before: Box::new(change.before), now })
                }
            });
        }
        for nth in told {
            // A correction has told of it.
            if !kills.contains(&nth) {
                kills.push_back(nth);
                news.extend(find(nth).map(KillNews::Kill));
            }
        }
        let over = kills.len().saturating_sub(MAX_TOLD);
        kills.drain(..over);
        let line = |news: &KillNews| {
            let (word, text) = kill_news_line(scene, news);
            (news.event().unix_ms, format!("{word}: {text}"))
        };
        news.iter().map(line).collect()
    }

    /// The next death, where it is another one or nearer than what was told.
    fn death(&mut self) -> Option<String> {
        let context = self.app.context()?;
        let death = self.app.deaths.next.as_ref();
        let key = death.map(DeathKey::of);
        let is_news = match (&self.reported.death, &key) {
            (None, _) | (Some(Some(_)), None) | (Some(None), Some(_)) => true,
            (Some(None), None) => false,
            (Some(Some(before)), Some(key)) => {
                // Two that are about as near take turns; a death within seconds is told at once.
                let is_settled = key.step == 0
                    || key.is_same(before)
                    || self.reported.seen.as_ref().is_some_and(|seen| key.is_same(seen));
                key.is_news_after(before) && is_settled
            }
        };
        let line = match death {
            Some(death) => forms(&context, death).into_iter().next().map(|form| form.text()),
            None => Some(format!("nothing near; {}", sentence(&context).whole())),
        };
        if !is_news {
            self.reported.seen = key;
            return None;
        }
        (self.reported.death, self.reported.seen) = (Some(key), None);
        // On both sides of a step the words may be the same.
        let line = line.filter(|line| self.reported.sentence.as_ref() != Some(line))?;
        self.reported.sentence = Some(line.clone());
        Some(line)
    }

    /// The alarms that were raised, and those that are over.
    fn alarms(&mut self) -> Vec<String> {
        let now: Vec<String> = self.app.refresh.alarms.standing().collect();
        let name = |text: &String| text.split_whitespace().next().unwrap_or_default().to_owned();
        let (before, after): (Vec<String>, Vec<String>) =
            (self.reported.alarms.iter().map(name).collect(), now.iter().map(name).collect());
        let raised = now.iter().filter(|text| !before.contains(&name(text)));
        let mut lines: Vec<String> = raised.map(|text| format!("ALARM: {text}")).collect();
        let over = before.iter().filter(|name| !after.contains(name));
        lines.extend(over.map(|name| format!("alarm over: {name}")));
        self.reported.alarms = now;
        lines
    }

    /// A warning of the app.
    fn notice(&mut self) -> Option<String> {
        let notice = self.app.display.notice.as_ref();
        let text = notice.filter(|it| it.level == NoticeLevel::Warn).map(|it| it.text.clone());
        let is_news = text.is_some() && text != self.reported.notice;
        self.reported.notice = text.clone();
        text.filter(|_| is_news)
    }
}

/// Takes out of the banner the kills that are told now. A victim that the kernel only marked waits for the next sample:
/// the log, which says where it was and why, is a moment later. `marked`: those that have waited.
fn take_kills(app: &mut App, marked: &mut Vec<u64>) -> Vec<u64> {
    let waited = std::mem::take(marked);
    let Some(mut banner) = app.display.banner.take() else { return Vec::new() };
    let timeline = app.timeline();
    let waits = |nth: &u64| {
        let is_marked = timeline.find(*nth).is_some_and(|event| event.by == Killer::Marked);
        is_marked && !waited.contains(nth)
    };
    let (early, told): (Vec<u64>, Vec<u64>) = banner.events.iter().copied().partition(waits);
    if !early.is_empty() {
        marked.clone_from(&early);
        banner.events = early;
        app.display.banner = Some(banner);
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::{ActingMode, Setup};
    use crate::events::{KernelLogReader, LogUpdate};
    use crate::model::{Comm, EventTime, MarkedVictim, ProcId, Scope, Victim};
    use crate::policy::LINUX;
    use crate::rows::filter::Filter;

    /// doomtop, before its first sample.
    fn app() -> App {
        App::new(Setup {
            own: ProcId::default(),
            acting: ActingMode::Free,
            policy: &LINUX,
            scope: Scope::default(),
            columns: None,
            filter: Filter::default(),
            sort: None,
            delay: Millis(2000),
            utc_offset: 0,
            live: true,
        })
    }

    fn sample(ms: u64) -> Msg {
        let mut sample = Snapshot::default();
        sample.clock.monotonic_ms = Millis(ms);
        sample.clock.unix_ms = ms.cast_signed();
        Msg::Sampled(Arc::new(sample))
    }

    fn marks(pid: i32, unix_ms: i64) -> Msg {
        let victim = Victim {
            pid: Some(pid),
            id: Some(ProcId { pid, ..ProcId::default() }),
            comm: Comm::new(b"java"),
            ..Victim::default()
        };
        let asker = (None, Comm::new(b"java"));
        let marked = Box::new(MarkedVictim { victim, asker, ago: Millis(0) });
        Msg::Log(vec![LogUpdate::Marked { unix_ms, marked }])
    }

    #[test]
    fn a_victim_that_was_only_marked_waits_for_its_report_and_not_for_long() {
        let (mut app, mut marked) = (app(), Vec::new());
        app.update(sample(1000));
        app.update(marks(600, 1500));
        app.update(marks(700, 1600));
        assert!(take_kills(&mut app, &mut marked).is_empty(), "a line may follow");
        let log = "[   12.000001] java invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n\
                   [   12.000006] Out of memory: Killed process 600 (java) total-vm:4kB, anon-rss:2kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:4kB oom_score_adj:0\n";
        let report = Arc::new(KernelLogReader::read(log).remove(0));
        let told = EventTime::Live;
        app.update(Msg::Log(vec![LogUpdate::Report { number: 1, unix_ms: 1500, told, report }]));
        let by = |app: &App, told: &[u64]| -> Vec<Killer> {
            told.iter().filter_map(|&nth| Some(app.timeline().find(nth)?.by)).collect()
        };
        let told = take_kills(&mut app, &mut marked);
        assert_eq!(by(&app, &told), [Killer::Machine, Killer::Marked], "each once");
        assert!(take_kills(&mut app, &mut marked).is_empty());
    }

    fn key(domain: &str, victim: i32, step: usize) -> DeathKey {
        let domain = domain.to_owned();
        DeathKey { by: "kernel", domain, victim: Some(victim), certainty: "named", step }
    }

    #[test]
    fn a_death_is_told_again_when_it_is_another_one_or_nearer() {
        let before = key("/a", 7, 2);
        assert!(!key("/a", 7, 2).is_news_after(&before));
        assert!(!key("/a", 7, 3).is_news_after(&before), "later is no news");
        assert!(key("/a", 7, 1).is_news_after(&before), "nearer");
        assert!(key("/a", 8, 3).is_news_after(&before) && key("/b", 7, 3).is_news_after(&before));
    }
}

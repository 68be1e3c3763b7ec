//! The lines of logs in a recording: a replay names who was killed, shows nothing before its time, and
//! redaction leaves no name in them.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use doomtop::app::incident::event_text::victim_text;
use doomtop::app::keymap::bindings::{Key, KeyCode};
use doomtop::app::{App, Msg, Setup};
use doomtop::events::{KernelLogReader, LineRenamer, NewNames, OomReport, renamed_daemon_line};
use doomtop::model::{
    EventTime, Killer, LogLine, LogWriter, Needs, PredictionResult, Reading, Snapshot, Text,
};
use doomtop::source::{
    Recorder, Recording, RedactExtent, RedactedSource, Redactor, Source, SourceError,
};
use doomtop::ui::Theme;
use doomtop::units::Millis;
use proptest::prelude::*;

use crate::fixtures::{paint, text};
use crate::stage::{Player, setup, usual};

const BEGIN: i64 = 1_763_726_400_000;
const FULL: Theme = crate::fixtures::theme(true, true);

fn line(by: LogWriter, unix_ms: i64, text: &str) -> LogLine {
    let uptime_us = (by == LogWriter::Kernel).then(|| (unix_ms - BEGIN).unsigned_abs() * 1000);
    LogLine { unix_ms, by, uptime_us, unproven: false, text: Text::new(text.as_bytes()) }
}

/// Ten seconds: the kernel kills java (600) in the fourth, earlyoom kills chrome (500) in the eighth. The
/// kernel's report goes on in the next sample.
fn film() -> Vec<Snapshot> {
    let kernel = |ms: i64, text: &str| line(LogWriter::Kernel, BEGIN + ms, text);
    let before = [
        "java invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
        "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name",
        "[    500]  1000   500   270000    90000    40960        0             0 chrome",
        "[    600]  1000   600   600000   200000    40960        0             0 java",
        "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/a.service,task=java,pid=600,uid=1000",
        "Out of memory: Killed process 600 (java) total-vm:2400000kB, anon-rss:800000kB, file-rss:0kB, shmem-rss:0kB, UID:1000 pgtables:40kB oom_score_adj:0",
    ];
    let reaped =
        "oom_reaper: reaped process 600 (java), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB";
    let earlyoom = r#"sending SIGTERM to process 500 uid 1000 "chrome": oom_score 900, oom_score_adj 300, VmRSS 351 MiB"#;
    (0..10_u64)
        .map(|second| {
            let mut sample = usual();
            sample.clock.monotonic_ms = Millis(1000 + second * 1000);
            sample.clock.unix_ms = BEGIN + 1000 * second as i64;
            sample.traffic.oom_kills = Reading::Value(u64::from(second >= 4) + 7);
            let dead = |pid: i32| match pid {
                600 => second >= 4,
                500 => second >= 8,
                _ => false,
            };
            sample.processes.retain(|process| !dead(process.id.pid));
            sample.log = Arc::new(match second {
                4 => before.iter().map(|text| kernel(3400, text)).collect(),
                5 => vec![kernel(3450, reaped)],
                8 => vec![
                    line(LogWriter::Note, BEGIN + 8000, "The browser is gone."),
                    line(LogWriter::Unknown, BEGIN + 7000, "nothing of this version"),
                    line(LogWriter::Earlyoom, BEGIN + 7600, earlyoom),
                ],
                _ => Vec::new(),
            });
            sample
        })
        .collect()
}

/// The samples as a recording brings them back.
fn recorded(samples: &[Snapshot]) -> Vec<Arc<Snapshot>> {
    let mut tape = Recorder::new(Vec::new());
    samples.iter().for_each(|sample| tape.write(sample).expect("a vector takes everything"));
    let bytes = tape.finish().expect("a vector takes everything");
    let reader = std::io::BufReader::new(std::io::Cursor::new(bytes));
    let mut recording = Recording::open(Box::new(reader), "tape");
    std::iter::from_fn(|| recording.sample(&Needs::default(), None).ok()).collect()
}

/// A replay, stopped at its first sample.
fn replay(samples: &[Arc<Snapshot>]) -> Player {
    let app = App::new(Setup { live: false, ..setup() });
    let mut player = Player { app, now: 10_000, asked: Vec::new() };
    for sample in samples {
        player.app.update(Msg::Played(Arc::clone(sample)));
    }
    player.app.update(Msg::AllPlayed);
    player.key(Key::char('z'));
    player
}

fn shown(app: &App) -> Vec<(Killer, String)> {
    app.shown_kills().iter().map(|it| (it.by, victim_text(it))).collect()
}

/// The second on the screen.
fn second(app: &App) -> i64 {
    let scene = app.scene.as_ref().expect("a sample");
    (scene.now().clock.unix_ms - BEGIN) / 1000
}

#[test]
fn a_replay_names_the_dead_when_they_die() {
    let mut player = replay(&recorded(&film()));
    let java = (Killer::Machine, "600 java".to_owned());
    let chrome = (Killer::Earlyoom, "500 chrome".to_owned());
    for step in 0..10 {
        let wanted = match step {
            0..4 => Vec::new(),
            4..8 => vec![java.clone()],
            _ => vec![java.clone(), chrome.clone()],
        };
        assert_eq!((second(&player.app), shown(&player.app)), (step, wanted));
        player.key(Key::char(')'));
    }
    let first = &player.app.shown_kills()[0];
    assert_eq!((first.time, first.unix_ms), (EventTime::Live, BEGIN + 3400), "by its first line");
    assert_eq!(first.prediction, PredictionResult::Rank(2), "compared with the sample before");
    let report = player.app.timeline().report(first.report.expect("a report"));
    assert_eq!(report.map(|report| (report.tasks.len(), report.reaped.len())), Some((2, 1)));
    for step in (0..9).rev() {
        player.key(Key::char('('));
        assert_eq!(shown(&player.app).len(), usize::from(step >= 4) + usize::from(step >= 8));
    }
}

#[test]
fn braces_stop_at_the_sample_before_each_kill_and_say_whose() {
    let mut player = replay(&recorded(&film()));
    let mut stops = Vec::new();
    for key in ['}', '}', '}', '{', '{'] {
        player.key(Key::char(key));
        stops.push((second(&player.app), player.notice().to_owned()));
    }
    let (first, last) =
        ("just before kill 1 of 2: 600 java", "just before kill 2 of 2: 500 chrome");
    let none = |word: &str| format!("there is no {word} kill in the samples in memory");
    assert_eq!(
        stops,
        [
            (3, first.to_owned()),
            (7, last.to_owned()),
            (7, none("later")),
            (3, first.to_owned()),
            (3, none("earlier")),
        ]
    );
}

#[test]
fn what_is_said_of_the_sample_before_a_kill_goes_with_it() {
    let mut player = replay(&recorded(&film()));
    player.key(Key::char('}'));
    assert_eq!(player.notice(), "just before kill 1 of 2: 600 java");
    player.key(Key::char(')'));
    let notice = player.app.display.notice.as_ref().map(|it| it.text.clone()).unwrap_or_default();
    assert!(!notice.contains("just before"), "{notice}");
}

#[test]
fn an_old_recording_is_read_and_its_victims_are_guessed() {
    let mut samples = film();
    samples.iter_mut().for_each(|sample| sample.log = Arc::default());
    let mut player = replay(&recorded(&samples));
    player.key(Key::char('}'));
    assert_eq!(player.notice(), "just before kill 1 of 1: likely 600 java");
    assert!(shown(&player.app).is_empty());
    player.key(Key::char(')'));
    assert_eq!(shown(&player.app), [(Killer::Counted, "likely 600 java".to_owned())]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Wherever in the recording the screen is, and however it came there.
    #[test]
    fn nothing_is_shown_before_its_time(keys in proptest::collection::vec(0..9_usize, 1..24)) {
        let mut player = replay(&recorded(&film()));
        let to_events = Key::alt('5');
        player.key(to_events);
        for key in keys {
            let key = [
                Key::char('('),
                Key::char(')'),
                Key::char('{'),
                Key::char('}'),
                Key::char('l'),
                Key::shift(KeyCode::Left),
                Key::shift(KeyCode::Right),
                Key::char('z'),
                Key::plain(KeyCode::Up),
            ][key];
            player.key(key);
            player.wait(700);
            let now = player.app.scene.as_ref().expect("a sample").now().clock.unix_ms;
            for event in player.app.shown_kills() {
                prop_assert!(event.unix_ms <= now);
            }
            player.app.display.notice = None;
            let events = text(&paint(&mut player.app, FULL, 120, 40).0);
            let list = events.split_once("KILLED").map_or("", |(_, list)| list);
            let told = |who: &str| list.contains(who);
            prop_assert_eq!(told("java"), now >= BEGIN + 4000, "{}", events);
            prop_assert_eq!(told("chrome"), now >= BEGIN + 8000, "{}", events);
        }
    }
}

/// Names as they were.
struct Same;

impl NewNames for Same {
    fn comm(&self, name: &str) -> String {
        name.to_owned()
    }

    fn cgroup(&self, path: &str) -> String {
        path.to_owned()
    }
}

/// What is compared of a report: all but what a renamed line leaves out.
fn told(report: &OomReport) -> OomReport {
    OomReport { lines: (0, 0), ..report.clone() }
}

#[test]
fn lines_written_anew_say_the_same() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/kmsg");
    let mut seen = 0;
    for entry in fs::read_dir(folder).expect("logs") {
        let path = entry.expect("a log").path();
        if path.extension().is_none_or(|ext| ext != "txt") {
            continue;
        }
        let log = fs::read_to_string(&path).expect("text");
        let mut reader = KernelLogReader::that_keeps_lines();
        log.lines().for_each(|line| reader.take(line));
        let lines = reader.take_kept();
        let reports = reader.finish();
        let mut renamer = LineRenamer::default();
        let mut again = KernelLogReader::default();
        for mut line in lines {
            line.text = renamer.kernel(&line.text, &Same).expect("every kept line is understood");
            again.take_framed(&line);
        }
        let again = again.finish();
        assert_eq!(reports.len(), again.len(), "{}", path.display());
        for (one, other) in reports.iter().zip(&again) {
            assert_eq!(told(one), told(other), "{}", path.display());
        }
        seen += reports.len();
    }
    assert!(seen > 5, "{seen} reports");
}

/// A machine whose samples have these lines, behind a redactor.
struct Lines(Vec<LogLine>);

impl Source for Lines {
    fn sample(
        &mut self,
        _: &Needs,
        _: Option<Arc<Snapshot>>,
    ) -> Result<Arc<Snapshot>, SourceError> {
        let log = Arc::new(std::mem::take(&mut self.0));
        Ok(Arc::new(Snapshot { log, ..usual() }))
    }
}

#[test]
fn no_name_is_left_in_redacted_lines() {
    let kernel = [
        "zqcomm invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
        "CPU: 1 UID: 0 PID: 600 Comm: zqcomm Not tainted 6.18.1 #1 zqbuild",
        "memory: usage 194560kB, limit 194560kB, failcnt 31",
        "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name",
        "[    600]  1000   600   600000   200000    40960        0             0 zqcomm",
        "[    601]  1000   601   600000   200000    40960        0             0 12 3 zqcomm",
        "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=zqset,mems_allowed=0,oom_memcg=/zqtop.slice,task_memcg=/zqtop.slice/zq.service,task=zqcomm,pid=600,uid=1000",
        "Memory cgroup out of memory: Killed process 600 (zqcomm) total-vm:2400000kB, anon-rss:800000kB, file-rss:0kB, shmem-rss:0kB, UID:1000 pgtables:40kB oom_score_adj:0",
        "Tasks in /zqtop.slice/zq.service are going to be killed due to memory.oom.group set",
        "oom_reaper: reaped process 600 (zqcomm), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB",
        "Memory cgroup out of memory: OOM victim 600 (zqcomm) is already exiting. Skip killing the task",
        "Task in /zqtop.slice/zq.service killed as a result of limit of /zqtop.slice",
        "Kernel panic - not syncing: Out of memory: compulsory panic_on_oom is enabled zqhost",
        "Out of memory: Kill process 600 (zqcomm) score 900 or sacrifice child",
        "zq: a line about something else",
    ];
    let daemons = [
        (
            LogWriter::SystemdOomd,
            "Killed /zqa/zqb.scope due to memory pressure for /zqa being zq being 59.83% > 50.00%",
        ),
        (LogWriter::SystemdOomd, "zqb.scope: systemd-oomd killed 147 process(es) in this unit."),
        (
            LogWriter::Earlyoom,
            r#"sending SIGTERM to process 600 uid 1000 "zqcomm": oom_score 900, oom_score_adj 300, VmRSS 351 MiB, cmdline "zqcomm --password=zq""#,
        ),
        (LogWriter::Earlyoom, "Killing process 600 zqcomm"),
        (LogWriter::Earlyoom, "dryrun, not actually sending any signal zq"),
        (
            LogWriter::Nohang,
            "  PID:       600, name: zqcomm, state: R (zq), EUID: 1000, SID: 3 (zqsh)",
        ),
        (LogWriter::Nohang, "  cgroup_v2: /zqa/zqb.scope"),
        (LogWriter::Nohang, "[ OK ] Sending SIGTERM to zqcomm; zq"),
        (
            LogWriter::Oomd,
            "oomd kill: 81.28 80.05 42.78 zqa/zqb.service 123456 ruleset:[zqrule] killer:[zq]",
        ),
        (LogWriter::Note, "zq was restarted"),
        (LogWriter::Unknown, "zq"),
    ];
    let mut lines: Vec<LogLine> =
        kernel.iter().map(|text| line(LogWriter::Kernel, BEGIN, text)).collect();
    lines.extend(daemons.iter().map(|(by, text)| line(*by, BEGIN, text)));
    for extent in [RedactExtent::Names, RedactExtent::All] {
        let source = Box::new(Lines(lines.clone()));
        let mut redacted = RedactedSource::new(source, Redactor::new(extent));
        let sample = redacted.sample(&Needs::default(), None).expect("a sample");
        // All but the line about something else, the note, and the writer that is not known.
        assert_eq!(sample.log.len(), lines.len() - 3, "{:#?}", sample.log);
        for line in sample.log.iter() {
            let text = line.text.as_str().replace("zqcomm", "");
            assert!(!text.contains("zq"), "{extent:?}: {text}");
            let named = line.text.as_str().contains("zqcomm");
            assert!(extent == RedactExtent::Names || !named, "{}", line.text);
        }
        // They still tell the same kills.
        let mut reader = KernelLogReader::default();
        for line in sample.log.iter().filter(|line| line.by == LogWriter::Kernel) {
            reader.take(line.text.as_str());
        }
        let reports = reader.finish();
        assert!(reports.iter().any(|report| report.victim() == Some(600)), "{reports:#?}");
    }
    let odd = renamed_daemon_line(Killer::Nohang, "zq", &Same);
    assert_eq!(odd, None);
}

#[test]
fn a_writer_of_a_later_version_is_no_error() {
    let text = r#"{"unix_ms":1,"by":"somebody-new","text":"x\u001b[2J"}"#;
    let read: LogLine = serde_json::from_str(text).expect("a line");
    assert_eq!((read.by, read.text.as_str()), (LogWriter::Unknown, "x\\x1b[2J"));
    let kept = LogLine { uptime_us: None, ..line(LogWriter::SystemdOomd, 1, "a") };
    let json = serde_json::to_string(&kept).expect("JSON");
    assert_eq!(json, r#"{"unix_ms":1,"by":"systemd-oomd","text":"a"}"#);
    assert_eq!(serde_json::from_str::<LogLine>(&json).expect("the same"), kept);
}

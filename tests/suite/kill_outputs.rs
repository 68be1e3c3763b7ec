//! Every output tells of a kill alike: one victim, one amount, one time, one prediction. And none tells of what comes
//! later in a recording.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::sync::Arc;

use doomtop::app::incident::event_text::victim_text;
use doomtop::app::{App, Msg, Setup};
use doomtop::columns::human_size;
use doomtop::kills::{KillFollower, KillNews};
use doomtop::model::{
    EventTime, Killer, LogLine, LogWriter, OomEvent, Reading, Scene, Scope, Snapshot, Text,
};
use doomtop::policy::LINUX;
use doomtop::report::load_test::LoadSummariser;
use doomtop::report::load_test::summary::LoadSummary;
use doomtop::source::Recorder;
use doomtop::units::Millis;
use doomtop::words::next_death::forecast_sentence;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::demo::{BATCH, SAMPLES, Show};
use crate::fixtures::{paint, text};
use crate::stage::{Player, setup, usual};
use crate::wait::until;

const BEGIN: i64 = 1_763_726_400_000;
const FULL: doomtop::ui::Theme = crate::fixtures::theme(true, true);

fn printed(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doomtop"));
    command.args(arguments).stdin(Stdio::null()).env("XDG_CONFIG_HOME", "/nonexistent");
    let output = command.env("TZ", "UTC").output().expect("doomtop runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// What the screen knows at the end of these samples.
fn on_screen(samples: &[Arc<Snapshot>]) -> Vec<OomEvent> {
    let mut app = App::new(Setup { live: false, ..setup() });
    for sample in samples {
        app.update(Msg::Played(Arc::clone(sample)));
    }
    app.update(Msg::AllPlayed);
    let start = samples[0].clock.monotonic_ms;
    for sample in samples {
        app.update(Msg::Tick(sample.clock.monotonic_ms.saturating_sub(start)));
    }
    app.shown_kills().iter().filter(|it| it.is_kill()).cloned().collect()
}

/// What is known without a screen, and what was told at which sample.
fn followed(samples: &[Arc<Snapshot>]) -> (Vec<OomEvent>, Vec<(usize, String)>) {
    let (mut follower, mut scene) = (KillFollower::default(), None::<Scene>);
    let mut told = Vec::new();
    for (nth, sample) in samples.iter().enumerate() {
        let scene = match &mut scene {
            Some(scene) => {
                scene.advance(Arc::clone(sample));
                scene
            }
            none => none.insert(Scene::new(Arc::clone(sample), None)),
        };
        let kills = follower.take(scene, &LINUX, true);
        told.extend(kills.iter().map(|it| (nth, news_text(it))));
    }
    told.extend(follower.finish().iter().map(|it| (samples.len(), news_text(it))));
    let kills = follower.timeline().all().iter().filter(|it| it.is_kill()).cloned();
    (kills.collect(), told)
}

fn news_text(news: &KillNews) -> String {
    match news {
        KillNews::Kill(event) => victim_text(event),
        KillNews::Corrected { before, now } => {
            format!("{} for {}", victim_text(now), victim_text(before))
        }
        KillNews::Retracted(event) => format!("not {}", victim_text(event)),
    }
}

fn summed_up(samples: &[Arc<Snapshot>]) -> LoadSummary {
    let mut summariser = LoadSummariser::new(Scope::Global);
    for sample in samples {
        summariser.take(Arc::clone(sample));
    }
    summariser.summary().expect("samples")
}

/// What an output tells of a kill: `208 node`, its amount, when, and what was predicted.
type Told = (String, String, i64, String);

fn told(event: &OomEvent) -> Told {
    let size = event.victim.and_then(|it| it.freed()).map(|it| human_size(it.bytes()));
    let forecast = forecast_sentence(event.forecast).unwrap_or_default();
    (victim_text(event), size.unwrap_or_default(), event.unix_ms, forecast)
}

fn all_told(events: &[OomEvent]) -> Vec<Told> {
    events.iter().map(told).collect()
}

#[test]
fn every_output_tells_the_same_of_each_kill_of_the_demo() {
    let events = on_screen(&SAMPLES);
    let wanted = all_told(&events);
    assert_eq!(wanted.len(), 4, "{wanted:?}");
    assert!(events.iter().all(|it| !it.guessed), "the tape carries the lines of each: {wanted:?}");
    assert_eq!(all_told(&followed(&SAMPLES).0), wanted);
    let tested: Vec<OomEvent> = summed_up(&SAMPLES).kills.into_iter().map(|it| it.event).collect();
    assert_eq!(all_told(&tested), wanted);

    let plain = printed(&["--demo", "--plain"]);
    let plain: Vec<&str> = plain.lines().filter(|it| it.contains(" KILLED: ")).collect();
    let batch: Vec<&str> = BATCH.lines().filter(|it| it.starts_with("KILLED ")).collect();
    let json = printed(&["--demo", "--json"]);
    let json: Vec<Value> = json
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
        .flat_map(|line| line["kills"].as_array().expect("a list").clone())
        .collect();
    assert_eq!((plain.len(), batch.len(), json.len()), (4, 4, 4), "{plain:#?} {batch:#?}");
    for (nth, (who, size, unix_ms, forecast)) in wanted.iter().enumerate() {
        for line in [plain[nth], batch[nth]] {
            assert!(line.contains(&format!("killed {who} ({size}")), "{line}");
            assert!(line.ends_with(forecast), "{line}: {forecast}");
        }
        let time = jiff::Timestamp::from_millisecond(*unix_ms).expect("a time");
        let clock = time.strftime("%H:%M:%S").to_string();
        assert!(plain[nth].starts_with(&clock), "{}: {clock}", plain[nth]);
        assert!(batch[nth].starts_with(&format!("KILLED {time}: ")), "{}", batch[nth]);
        let kill = &json[nth];
        let event = &events[nth];
        let victim = event.victim.expect("a victim");
        assert_eq!(kill["when"], time.to_string());
        assert_eq!(kill["pid"], victim.pid.expect("a pid"));
        assert_eq!(kill["comm"], victim.comm.to_string());
        assert_eq!(kill["guessed"], false);
        let lead = event.forecast.lead().map(|lead| lead.seconds());
        assert_eq!(kill["predicted_s"].as_f64(), lead);
        let bytes = victim.freed().map(|size| size.bytes().0);
        assert_eq!(kill["freed_bytes"].as_u64(), bytes);
    }
}

#[test]
fn the_end_of_the_demo_says_what_the_banner_said() {
    let mut show = Show::new();
    show.app.update(Msg::AllPlayed);
    let last = SAMPLES.last().expect("samples").clock.monotonic_ms;
    let first = SAMPLES[0].clock.monotonic_ms;
    let mut said = Vec::new();
    for sample in SAMPLES.iter() {
        show.app.update(Msg::Tick(sample.clock.monotonic_ms.saturating_sub(first)));
        if let Some(banner) = show.app.display.banner.take() {
            let timeline = show.app.timeline();
            let kill = timeline.find(*banner.events.last().expect("a kill")).expect("it");
            said.push((victim_text(kill), forecast_sentence(kill.forecast).expect("a forecast")));
        }
    }
    show.app.update(Msg::Tick(Millis(last.saturating_sub(first).0 + 1000)));
    let shown = text(&paint(&mut show.app, FULL, 120, 36).0);
    assert!(shown.contains("What you saw"), "{shown}");
    assert_eq!(said.len(), 4, "{said:?}");
    for (who, forecast) in said {
        assert!(shown.contains(&format!("killed {who}: {forecast}")), "{who} {forecast}\n{shown}");
    }
}

fn line(by: LogWriter, ms: i64, text: &str) -> LogLine {
    let uptime_us = (by == LogWriter::Kernel).then_some(ms.unsigned_abs() * 1000);
    LogLine {
        unix_ms: BEGIN + ms,
        by,
        uptime_us,
        unproven: false,
        text: Text::new(text.as_bytes()),
    }
}

/// Ten seconds: java (600) is killed in the fourth, and earlyoom kills chrome (500) in the eighth. The kernel's report
/// begins in the sample that counts the kill; the line that names the victim is in the next one. `log`: whether lines
/// of a log are in it.
fn film(log: bool) -> Vec<Arc<Snapshot>> {
    let begin = "java invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0";
    let chosen = "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,\
                  task_memcg=/a.service,task=java,pid=600,uid=1000";
    let killed = "Out of memory: Killed process 600 (java) total-vm:2400000kB, anon-rss:700000kB, \
                  file-rss:100000kB, shmem-rss:50000kB, UID:1000 pgtables:40kB oom_score_adj:0";
    let earlyoom = r#"sending SIGTERM to process 500 uid 1000 "chrome": oom_score 900, oom_score_adj 300, VmRSS 351 MiB"#;
    let sample = |second: u64| {
        let mut sample = usual();
        sample.clock.monotonic_ms = Millis(1000 + second * 1000);
        sample.clock.unix_ms = BEGIN + 1000 * second as i64;
        sample.traffic.oom_kills = Reading::Value(u64::from(second >= 4) + 7);
        sample.processes.retain(|it| match it.id.pid {
            // A larger process ends by itself at the same time: a guess takes it for the victim.
            500 => second < 8,
            600 => second < 4,
            _ => true,
        });
        let lines = match second {
            4 => vec![line(LogWriter::Kernel, 3900, begin), line(LogWriter::Kernel, 3901, chosen)],
            5 => vec![line(LogWriter::Kernel, 3990, killed)],
            8 => vec![line(LogWriter::Earlyoom, 7600, earlyoom)],
            _ => Vec::new(),
        };
        sample.log = Arc::new(if log { lines } else { Vec::new() });
        Arc::new(sample)
    };
    (0..10).map(sample).collect()
}

#[test]
fn a_report_that_spans_two_samples_is_no_guess() {
    let samples = film(true);
    let (kills, when) = followed(&samples);
    let seen: Vec<(Killer, String, bool)> =
        kills.iter().map(|it| (it.by, victim_text(it), it.guessed)).collect();
    let wanted = [
        (Killer::Machine, "600 java".to_owned(), false),
        (Killer::Earlyoom, "500 chrome".to_owned(), false),
    ];
    assert_eq!(seen, wanted);
    assert_eq!(when, [(5, "600 java".to_owned()), (8, "500 chrome".to_owned())]);
    assert_eq!(all_told(&on_screen(&samples)), all_told(&kills));

    // The screen shows each sample before the next one is read, as --plain does.
    let mut app = App::new(Setup { live: false, ..setup() });
    let mut banners = Vec::new();
    for (nth, sample) in samples.iter().enumerate() {
        app.update(Msg::Played(Arc::clone(sample)));
        app.update(Msg::Tick(Millis(nth as u64 * 1000)));
        if let Some(banner) = app.display.banner.take() {
            let names = banner.events.iter().filter_map(|&nth| app.timeline().find(nth));
            banners.push((nth, names.map(victim_text).collect::<Vec<_>>()));
        }
    }
    let told = [(5, vec!["600 java".to_owned()]), (8, vec!["500 chrome".to_owned()])];
    assert_eq!(banners, told);
    assert_eq!((app.event_entries().len(), app.views.events.unseen), (2, 2), "each counts once");
    // Where the recording ends before the report does, the kill is told all the same.
    let (_, when) = followed(&samples[..5]);
    assert_eq!(when, [(5, "likely 600 java".to_owned())]);
}

#[test]
fn a_kill_is_compared_with_the_sample_before_it_however_long_ago_that_was() {
    let slow: Vec<Arc<Snapshot>> = film(false)
        .into_iter()
        .zip(0..)
        .map(|(sample, nth)| {
            let mut sample = Snapshot::clone(&sample);
            // A minute, and now and then a bit more.
            let ms = nth * 60_000 + nth % 3 * 20;
            sample.clock.monotonic_ms = Millis(1000 + ms);
            sample.clock.unix_ms = BEGIN + ms.cast_signed();
            Arc::new(sample)
        })
        .collect();
    let (kills, when) = followed(&slow);
    assert_eq!(when, [(5, "likely 600 java".to_owned())]);
    assert!(kills[0].last_seen.is_some(), "{kills:?}");
}

#[test]
fn a_kill_without_a_line_is_told_one_sample_later_as_a_guess() {
    let samples = film(false);
    let (kills, when) = followed(&samples);
    assert_eq!(when, [(5, "likely 600 java".to_owned())]);
    assert_eq!(kills[0].time, EventTime::Within(Millis(1000)));
    assert_eq!(all_told(&on_screen(&samples)), all_told(&kills));
    let (_, when) = followed(&samples[..5]);
    assert_eq!(
        when,
        [(5, "likely 600 java".to_owned())],
        "at the end of the recording at the latest"
    );
}

/// The samples as a recording in a folder that must live on, and its path.
fn recorded(samples: &[Arc<Snapshot>]) -> (tempfile::TempDir, String) {
    let mut tape = Recorder::new(Vec::new());
    samples.iter().for_each(|sample| tape.write(sample).expect("a vector takes everything"));
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("film.tape");
    fs::write(&path, tape.finish().expect("a vector takes everything")).expect("written");
    let name = path.to_str().expect("UTF-8").to_owned();
    (folder, name)
}

/// The lines of text about kills.
fn kill_lines(arguments: &[&str]) -> Vec<String> {
    let text = printed(arguments);
    let is_one = |line: &&str| line.contains("KILLED") || line.contains("CORRECTED");
    text.lines().filter(is_one).map(str::to_owned).collect()
}

/// What is said beside the output.
fn complaints(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doomtop"));
    command.args(arguments).stdin(Stdio::null()).env("XDG_CONFIG_HOME", "/nonexistent");
    let output = command.output().expect("doomtop runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stderr).expect("text")
}

/// What each line of JSON tells of kills.
fn kills_of_lines(arguments: &[&str]) -> Vec<Vec<Value>> {
    let text = printed(arguments);
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    lines.map(|line| line["kills"].as_array().expect("a list").clone()).collect()
}

#[test]
fn the_last_line_of_json_has_the_kills_that_wait_for_a_line_of_the_log() {
    let (_folder, whole) = recorded(&film(true));
    let (_other, cut) = recorded(&film(true)[..5]);
    for arguments in [&["--json", "--from", &cut][..], &["--json", "-n", "5", "--from", &whole]] {
        let kills = kills_of_lines(arguments);
        let pids: Vec<Vec<i64>> = kills
            .iter()
            .map(|line| line.iter().filter_map(|kill| kill["pid"].as_i64()).collect())
            .collect();
        let none = Vec::new;
        assert_eq!(pids, [none(), none(), none(), none(), vec![600]], "no sample is repeated");
    }
}

#[test]
fn a_signal_does_not_take_the_last_line_of_json() {
    let (_folder, cut) = recorded(&film(true)[..5]);
    // The lines of JSON are a recording, too, but without the log: the kill is counted, and waits for its line.
    let lines = printed(&["--json", "--from", &cut]);
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_doomtop"));
        command.args(["--json", "--from", "-"]).env("XDG_CONFIG_HOME", "/nonexistent");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("doomtop runs");
        let mut input = child.stdin.take().expect("a pipe");
        input.write_all(lines.as_bytes()).expect("it reads");
        let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut told = String::new();
        for _ in 0..4 {
            output.read_line(&mut told).expect("it writes");
        }
        // It has taken all, and waits for more.
        until("it waits for the next line", || {
            let unread = rustix::io::ioctl_fionread(&input).expect("a pipe");
            let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).expect("it runs");
            (unread == 0 && stat.contains(") S ")).then_some(())
        });
        kill_process(Pid::from_child(&child), signal).expect("it runs");
        output.read_to_string(&mut told).expect("its end");
        let status = child.wait().expect("it ends");
        assert_eq!(status.signal(), Some(signal.as_raw()), "as by default");
        let last: Value = serde_json::from_str(told.lines().last().expect("lines")).expect("JSON");
        assert_eq!((told.lines().count(), last["kills"].as_array().map(Vec::len)), (5, Some(1)));
    }
}

#[test]
fn a_single_sample_tells_of_the_kills_in_those_before_it() {
    // The printed sample is the fifth; the kill is in the third, and its line in the fourth.
    let (_folder, name) = recorded(&film(true)[2..]);
    let text = printed(&["-b", "-n", "1", "--from", &name]);
    assert!(text.contains("the kernel killed 600 java"), "{text}");
    let kills = kills_of_lines(&["--json", "-n", "1", "--from", &name]);
    assert_eq!(kills.len(), 1);
    assert_eq!(kills[0].iter().map(|it| &it["pid"]).collect::<Vec<_>>(), [600]);
    // The kill is in the printed sample itself.
    let kills = kills_of_lines(&["--json", "-n", "1", "--from", &recorded(&film(true)).1]);
    assert_eq!(kills[0].iter().map(|it| &it["pid"]).collect::<Vec<_>>(), [600]);
}

/// The film with the line of earlyoom as any user could have written it, and with more such lines, each in a sample.
fn with_daemon_lines(lines: &[(usize, bool, &str)]) -> Vec<Arc<Snapshot>> {
    let mut samples = film(true);
    for sample in &mut samples {
        let sample = Arc::make_mut(sample);
        Arc::make_mut(&mut sample.log).retain(|line| line.by == LogWriter::Kernel);
    }
    for &(nth, unproven, text) in lines {
        let sample = Arc::make_mut(&mut samples[nth]);
        let line = line(LogWriter::Earlyoom, 1000 * nth as i64 - 400, text);
        Arc::make_mut(&mut sample.log).push(LogLine { unproven, ..line });
    }
    samples
}

const SIGTERM: &str = r#"sending SIGTERM to process 500 uid 1000 "chrome": oom_score 900, oom_score_adj 300, VmRSS 351 MiB"#;

#[test]
fn a_line_that_any_user_can_write_is_told_as_such_until_a_proven_one_comes() {
    let forged = SIGTERM.replace("351", "9").replace("1000", "0");
    let (_folder, name) = recorded(&with_daemon_lines(&[(7, true, &forged), (8, false, SIGTERM)]));
    for arguments in [["-b", "--from", &name], ["--plain", "--from", &name]] {
        let lines = kill_lines(&arguments);
        let [java, forged, proven] = &lines[..] else { panic!("{lines:#?}") };
        assert!(!java.contains("any user"), "{java}");
        assert!(forged.contains("killed 500 chrome (9M"), "{forged}");
        assert!(
            forged.contains("(unproven: by a log file, to which any user can write)"),
            "{forged}"
        );
        assert!(proven.contains("CORRECTED") && proven.contains("500 chrome (351M"), "{proven}");
        assert!(!proven.contains("any user"), "{proven}");
    }
    let kills = kills_of_lines(&["--json", "--from", &name]).concat();
    let told: Vec<(&Value, &Value)> =
        kills.iter().map(|it| (&it["unproven"], &it["corrects"]["pid"])).collect();
    assert_eq!(
        told,
        [(&false.into(), &Value::Null), (&true.into(), &Value::Null), (&false.into(), &500.into())]
    );
    // The other way round it proves nothing, and changes nothing.
    let samples = with_daemon_lines(&[(7, false, SIGTERM), (8, true, &forged)]);
    let (kills, when) = followed(&samples);
    assert_eq!(when, [(5, "600 java".to_owned()), (7, "500 chrome".to_owned())]);
    assert!(kills.iter().all(|it| !it.unproven), "{kills:?}");
}

#[test]
fn a_kill_that_a_log_takes_back_is_taken_back_once_and_by_nobody_else() {
    let undone = "dryrun, not actually sending any signal";
    let samples = with_daemon_lines(&[(7, false, SIGTERM), (8, false, undone)]);
    let told = [(5, "600 java"), (7, "500 chrome"), (8, "not 500 chrome")];
    let told = told.map(|(nth, who)| (nth, who.to_owned()));
    assert_eq!(followed(&samples).1, told);
    assert_eq!(all_told(&on_screen(&samples)).len(), 1, "the screen forgets it");
    let (folder, name) = recorded(&samples);
    let copy = folder.path().join("copy.tape");
    let said = complaints(&["--from", &name, "record", copy.to_str().expect("UTF-8")]);
    assert!(said.contains(", 1 kill, in ") && said.contains(": 600 java\n"), "{said}");
    for arguments in [["-b", "--from", &name], ["--plain", "--from", &name]] {
        let lines = kill_lines(&arguments);
        assert_eq!(lines.len(), 3, "{lines:#?}");
        assert!(lines[2].contains("NOT KILLED"), "{}", lines[2]);
        assert!(lines[2].ends_with("; the log takes that back"), "{}", lines[2]);
    }
    let kills = kills_of_lines(&["--json", "--from", &name]).concat();
    let retracted: Vec<&Value> = kills.iter().map(|it| &it["retracted"]).collect();
    assert_eq!(retracted, [&Value::Bool(false), &Value::Bool(false), &Value::Bool(true)]);
    // Any user can write that line, too.
    let samples = with_daemon_lines(&[(7, false, SIGTERM), (8, true, undone)]);
    assert_eq!(followed(&samples).1, told[..2]);
    // In one sample nothing is told.
    let samples = with_daemon_lines(&[(7, false, SIGTERM), (7, false, undone)]);
    assert_eq!(followed(&samples).1, told[..1]);
}

#[test]
fn a_guess_that_the_log_corrects_later_is_corrected_once() {
    // The report comes two samples late: the guess was told by then.
    let mut samples = film(true);
    let mut report: Vec<LogLine> = Vec::new();
    for nth in [4, 5] {
        report.append(Arc::make_mut(&mut Arc::make_mut(&mut samples[nth]).log));
    }
    let right = report.clone();
    Arc::make_mut(&mut Arc::make_mut(&mut samples[6]).log).extend(report);
    let told = followed(&samples).1;
    let wanted = [(5, "likely 600 java"), (6, "600 java for likely 600 java"), (8, "500 chrome")];
    assert_eq!(told, wanted.map(|(nth, who)| (nth, who.to_owned())));
    let (_folder, name) = recorded(&samples);
    for arguments in [["-b", "--from", &name], ["--plain", "--from", &name]] {
        let lines = kill_lines(&arguments);
        let [guess, right, _] = &lines[..] else { panic!("{lines:#?}") };
        assert!(guess.contains("victim guessed"), "{guess}");
        assert!(right.contains("CORRECTED") && right.ends_with("; that was a guess so far"));
    }
    // The guess was wrong: another process had ended by itself.
    for (nth, sample) in samples.iter_mut().enumerate() {
        let sample = Arc::make_mut(sample);
        let log = Arc::make_mut(&mut sample.log);
        log.retain(|line| line.by != LogWriter::Earlyoom);
        if nth == 6 {
            log.clone_from(&right);
            for line in log {
                let text = line.text.as_str().replace("600 (java)", "500 (chrome)");
                let text = text.replace("task=java,pid=600", "task=chrome,pid=500");
                line.text = Text::new(text.as_bytes());
            }
        }
    }
    let (_folder, name) = recorded(&samples);
    for arguments in [["-b", "--from", &name], ["--plain", "--from", &name]] {
        let lines = kill_lines(&arguments);
        let [_, right] = &lines[..] else { panic!("{lines:#?}") };
        assert!(right.contains("CORRECTED") && right.contains("killed 500 chrome"), "{right}");
        assert!(right.ends_with("; not 600 java, as was told before"), "{right}");
    }
    let kills = kills_of_lines(&["--json", "--from", &name]).concat();
    let told: Vec<(&Value, &Value)> =
        kills.iter().map(|it| (&it["pid"], &it["corrects"]["pid"])).collect();
    assert_eq!(told, [(&600.into(), &Value::Null), (&500.into(), &600.into())]);
}

#[test]
fn the_batch_output_of_a_recording_names_who_the_log_names_and_daemons_too() {
    let (_folder, name) = recorded(&film(true));
    for arguments in [&["-b", "--from", &name][..], &["--plain", "--from", &name]] {
        let text = printed(arguments);
        let lines: Vec<&str> =
            text.lines().filter(|it| it.contains("KILLED ") || it.contains("KILLED:")).collect();
        let [java, chrome] = lines[..] else { panic!("{lines:#?}\n{text}") };
        assert!(java.contains("the kernel killed 600 java (732M and 98M of files)"), "{java}");
        assert!(chrome.contains("earlyoom killed 500 chrome (351M"), "{chrome}");
    }
    // The lines come where no sample follows, too.
    let text = printed(&["-b", "-n", "5", "--from", &name]);
    assert!(text.lines().last().is_some_and(|it| it.contains("KILLED ")), "{text}");
}

#[test]
fn the_charts_mark_the_kills_of_daemons_too_and_none_before_its_time() {
    let mut app = App::new(Setup { live: false, ..setup() });
    let samples = film(true);
    for sample in &samples {
        app.update(Msg::Played(Arc::clone(sample)));
    }
    app.update(Msg::AllPlayed);
    let mut player = Player { app, now: 0, asked: Vec::new() };
    let mut marks = Vec::new();
    for (nth, sample) in samples.iter().enumerate() {
        player.app.update(Msg::Tick(Millis(nth as u64 * 1000)));
        let now = sample.clock.monotonic_ms;
        let times = player.app.charted_kills();
        assert!(times.iter().all(|at| *at <= now), "{nth}: {times:?}");
        marks.push(times.len());
    }
    assert_eq!(marks, [0, 0, 0, 0, 1, 1, 1, 1, 2, 2]);
    player.play("<A-4>");
    let shown = text(&paint(&mut player.app, FULL, 120, 40).0);
    let axis = shown.lines().find(|line| line.contains('━')).expect("an axis");
    assert_eq!(axis.matches('✗').count(), 2, "{shown}");
}

/// What a view shows of a recording of which only so many samples were read.
fn shown_of(samples: &[Arc<Snapshot>], at: usize, view: &str) -> String {
    let mut app = App::new(Setup { live: false, ..setup() });
    for sample in samples {
        app.update(Msg::Played(Arc::clone(sample)));
    }
    let mut player = Player { app, now: 0, asked: Vec::new() };
    for nth in 1..=at {
        player.app.update(Msg::Tick(Millis(nth as u64 * 1000)));
    }
    player.play(view);
    text(&paint(&mut player.app, FULL, 200, 60).0)
}

/// The same, so that the last two samples are those of another day.
fn around_midnight(samples: &[Arc<Snapshot>]) -> Vec<Arc<Snapshot>> {
    let later = 12 * 3_600_000 - 7500;
    let samples = samples.iter().map(|sample| {
        let mut sample = Snapshot::clone(sample);
        sample.clock.unix_ms += later;
        Arc::make_mut(&mut sample.log).iter_mut().for_each(|line| line.unix_ms += later);
        Arc::new(sample)
    });
    samples.collect()
}

#[test]
fn no_view_shows_what_comes_later_in_a_recording() {
    for samples in [film(true), around_midnight(&film(true))] {
        for at in [0, 2, 3, 5, 7] {
            // The line that names the victim may be in the sample after.
            let known = &samples[..(at + 2).min(samples.len())];
            for view in ["<A-1>", "<A-2>", "<A-3>", "<A-4>", "<A-5>", "<Enter>"] {
                let (few, all) = (shown_of(known, at, view), shown_of(&samples, at, view));
                for (few, all) in few.lines().zip(all.lines()) {
                    assert_eq!(few, all, "view {view} at {at}");
                }
            }
        }
    }
}

#[test]
fn one_look_at_a_recording_comes_after_enough_samples_to_predict_a_death() {
    let folder = tempfile::tempdir().expect("a directory");
    let write = |name: &str, samples: &[Arc<Snapshot>]| {
        let mut tape = Recorder::new(Vec::new());
        samples.iter().for_each(|sample| tape.write(sample).expect("a vector takes everything"));
        let path = folder.path().join(name);
        fs::write(&path, tape.finish().expect("a vector takes everything")).expect("written");
        path.to_str().expect("UTF-8").to_owned()
    };
    // The third kill of the kernel is four seconds away when enough is known.
    let eve = crate::demo::eves(&SAMPLES)[2];
    let near = write("near.tape", &SAMPLES[eve - 6..eve]);
    let text = printed(&["--from", &near, "metrics"]);
    assert_eq!(text.matches("# EOF\n").count(), 1, "once");
    assert!(text.contains("\ndoomtop_predicted_death_seconds{"), "{text}");
    let text = printed(&["-b", "-n", "1", "--from", &near]);
    assert_eq!(text.matches("doomtop ").count(), 1, "one header: {text}");
    assert!(text.contains("NEXT") && text.contains("python3"), "{text}");
    let json = printed(&["--json", "-n", "1", "--from", &near]);
    let line: Value = serde_json::from_str(&json).expect("one line");
    assert_eq!(line["next_death"]["comm"], "python3");
    // A recording that is shorter is told by its last sample.
    let short = write("short.tape", &SAMPLES[eve - 6..eve - 4]);
    for arguments in [&["metrics"][..], &["-b", "-n", "1"], &["--json", "-n", "1"]] {
        let text = printed(&[&["--from", &short][..], arguments].concat());
        assert!(!text.is_empty(), "{arguments:?}");
    }
    // Metrics are those of the end, and not of what was four seconds after the beginning.
    let died = write("died.tape", &SAMPLES[eve - 6..]);
    let text = printed(&["--from", &died, "metrics"]);
    assert_eq!(text.matches("# EOF\n").count(), 1, "once");
    assert!(!text.contains("\ndoomtop_predicted_death_seconds{"), "{text}");
    // Who gives a pace gets each sample.
    let text = printed(&["--from", &near, "metrics", "-n", "2", "-d", "0.1"]);
    assert_eq!(text.matches("# EOF\n").count(), 2);
}

//! The timeline: no kill twice, none lost, each attributed; and a report on the screen.

use std::path::Path;
use std::sync::Arc;

use doomtop::alarm::{Alarm, Alarms};
use doomtop::app::incident::entry::TimelineEntry;
use doomtop::app::incident::event_text::victim_text;
use doomtop::app::keymap::bindings::{Key, KeyCode};
use doomtop::app::mode::Mode;
use doomtop::app::view::kind::ViewKind;
use doomtop::app::{App, Msg, Request, Setup};
use doomtop::events::LogUpdate;
use doomtop::events::{DaemonLogReader, KernelLogReader, OomReport};
use doomtop::model::{
    Comm, EventTime, Killer, LogSource, MarkedVictim, PredictionResult, Reading, SampleIndex,
    Scope, Snapshot, SourceState, Victim,
};
use doomtop::ui;
use doomtop::units::Millis;
use doomtop::words::incident::line::IncidentTopic;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::fixtures::text;
use crate::stage::{Player, setup, usual};

const BEGIN: i64 = 1_763_726_400_000;

/// The usual machine, so many seconds later, with so many kills counted and java gone or not.
fn later(seconds: u64, kills: u64, java: bool) -> Snapshot {
    let mut sample = usual();
    sample.clock.monotonic_ms = Millis(1000 + seconds * 1000);
    sample.clock.unix_ms = BEGIN + 1000 * seconds as i64;
    sample.traffic.oom_kills = Reading::Value(kills);
    if !java {
        sample.processes.retain(|process| process.id.pid != 600);
    }
    sample
}

/// A report of the whole machine that killed this one, with a dump.
fn report(pid: i32, name: &str) -> OomReport {
    let log = format!(
        "[   12.000001] {name} invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n\
         [   12.000002] [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name\n\
         [   12.000003] [    500]  1000   500   270000    90000    40960        0             0 chrome\n\
         [   12.000004] [    {pid}]  1000   {pid}   600000   200000    40960        0             0 {name}\n\
         [   12.000005] oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/a.service,task={name},pid={pid},uid=1000\n\
         [   12.000006] Out of memory: Killed process {pid} ({name}) total-vm:2400000kB, anon-rss:800000kB, file-rss:0kB, shmem-rss:0kB, UID:1000 pgtables:40kB oom_score_adj:0\n"
    );
    KernelLogReader::read(&log).remove(0)
}

fn live(number: u64, seconds: i64, report: OomReport) -> Msg {
    let unix_ms = BEGIN + seconds * 1000;
    let report = Arc::new(report);
    Msg::Log(vec![LogUpdate::Report { number, unix_ms, told: EventTime::Live, report }])
}

fn ear(hearing: SourceState) -> Msg {
    Msg::Log(vec![LogUpdate::Source(LogSource::KernelLog, hearing)])
}

fn heard(player: &Player) -> Vec<(Killer, String, PredictionResult)> {
    let all = player.app.shown_kills().iter();
    all.map(|it| (it.by, victim_text(it), it.prediction)).collect()
}

/// With the kernel's log open and one look taken.
fn listening() -> Player {
    let mut player = Player::on(later(0, 3, true));
    player.app.update(ear(SourceState::Open("followed".to_owned())));
    player
}

#[test]
fn a_kill_is_told_once_whether_the_line_or_the_count_comes_first() {
    // By the usual cast chrome (+300) is first and java the runner-up.
    let java = (Killer::Machine, "600 java".to_owned(), PredictionResult::Rank(2));
    let mut player = listening();
    player.app.update(live(1, 1, report(600, "java")));
    assert_eq!(heard(&player), std::slice::from_ref(&java), "at once");
    player.sample(later(2, 4, false));
    player.wait(60_000);
    player.sample(later(4, 4, false));
    assert_eq!(heard(&player), std::slice::from_ref(&java), "the count is its own");
    let mut player = listening();
    player.sample(later(2, 4, false));
    assert!(heard(&player).is_empty(), "a line may come");
    player.app.update(live(1, 1, report(600, "java")));
    player.wait(60_000);
    player.sample(later(4, 4, false));
    assert_eq!(heard(&player), [java]);
    assert!(player.app.views.events.unseen == 1 && player.notice().is_empty());
}

/// The kernel marks java at this second.
fn mark(seconds: i64) -> Msg {
    let victim = Victim { pid: Some(600), ..Victim::default() };
    let asker = (Some(500), Comm::new(b"chrome"));
    let marked = Box::new(MarkedVictim { victim, asker, ago: Millis(2) });
    Msg::Log(vec![LogUpdate::Marked { unix_ms: BEGIN + seconds * 1000, marked }])
}

#[test]
fn a_victim_that_the_kernel_marked_is_told_at_once_and_only_once() {
    let java = |by, rank| (by, "600 java".to_owned(), PredictionResult::Rank(rank));
    // The mark, the line of the log, the count: in every order it is one kill, and the line says why.
    for order in ["mark line count", "line mark count", "count mark line", "mark count line"] {
        let mut player = listening();
        let mut is_told = 0;
        for (step, what) in order.split(' ').enumerate() {
            match what {
                "mark" => _ = player.app.update(mark(1)),
                "line" => _ = player.app.update(live(1, 1, report(600, "java"))),
                _ => player.sample(later(2, 4, false)),
            }
            is_told += usize::from(step == 0 && what != "count" && !player.banner().is_empty());
        }
        player.wait(60_000);
        player.sample(later(4, 4, false));
        assert_eq!(heard(&player), [java(Killer::Machine, 2)], "{order}");
        assert_eq!(player.app.views.events.unseen, 1, "{order}");
        assert_eq!(is_told, usize::from(!order.starts_with("count")), "{order}");
    }
    // Where the log cannot be read, the mark is all there is, and no guess stands beside it.
    let mut player = Player::on(later(0, 3, true));
    player.app.update(ear(SourceState::Closed("not readable".to_owned())));
    player.app.update(mark(1));
    assert!(player.banner().contains("600 java"), "{}", player.banner());
    player.sample(later(2, 4, false));
    assert_eq!(heard(&player), [java(Killer::Marked, 2)]);
    let said = player.app.shown_kills()[0].said.as_ref();
    assert_eq!(said.map(ToString::to_string).as_deref(), Some("500 chrome asked for memory"));
    // A pid alone is enough where a sample knows it.
    assert!(player.app.shown_kills()[0].victim.is_some_and(|it| it.id.is_some()));
}

#[test]
fn what_is_only_counted_is_a_guess_until_a_line_comes() {
    let mut player = listening();
    player.sample(later(2, 4, false));
    player.wait(4000);
    player.sample(later(4, 4, false));
    let guess = (Killer::Counted, "likely 600 java".to_owned(), PredictionResult::Rank(2));
    assert_eq!(heard(&player), std::slice::from_ref(&guess));
    assert!(player.banner().contains("600 java (781M, victim guessed)"), "{}", player.banner());
    player.app.update(live(1, 1, report(600, "java")));
    assert!(!player.banner().contains("guessed"), "{}", player.banner());
    assert_eq!(heard(&player)[0].0, Killer::Machine, "the line takes its place");
    assert_eq!(heard(&player).len(), 1);
    // Where no log can be read there is nothing to wait for.
    let mut player = Player::on(later(0, 3, true));
    player.app.update(ear(SourceState::Closed("not readable".to_owned())));
    player.sample(later(2, 5, false));
    let second = (Killer::Counted, "somebody".to_owned(), PredictionResult::NoSample);
    assert_eq!(heard(&player), [guess, second], "two were counted, one is gone");
}

#[test]
fn where_no_log_is_listened_to_a_counted_kill_is_told_all_the_same() {
    let mut player = Player::on(later(0, 3, true));
    player.sample(later(2, 4, false));
    player.wait(4000);
    player.sample(later(4, 4, false));
    assert_eq!(heard(&player)[0].1, "likely 600 java");
}

#[test]
fn alarms_go_by_the_machine_and_not_by_the_report_on_the_screen() {
    let mut player = listening();
    player.app.refresh.alarms = Alarms::new(vec![Alarm::parse("oom-kill").unwrap()], false, true);
    player.sample(later(1, 3, true));
    let log = include_str!("../fixtures/kmsg/6.18-memcg-v1.txt");
    let report = KernelLogReader::read(log).into_iter().find(|it| !it.tasks.is_empty()).unwrap();
    player.app.update(live(1, 1, report));
    player.play("<A-5><Enter><Esc>");
    assert!(player.app.incidents.report.is_some());
    let scene = player.app.scene.as_ref().unwrap();
    assert!(!scene.domain().is_global(), "a cgroup's report is on the screen");
    player.app.update(Msg::Sampled(Arc::new(later(4, 3, true))));
    let asked = player.app.update(Msg::Sampled(Arc::new(later(6, 4, true))));
    let [Request::RunAlarm(rung)] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!((rung.policy, rung.domain.as_str()), ("linux", "global"));
    assert_eq!(rung.victim.as_ref().map(|(who, _)| who.pid), Some(500));
}

#[test]
fn a_report_of_before_the_first_look_claims_no_count() {
    let mut player = listening();
    let old = LogUpdate::Report {
        number: 1,
        unix_ms: BEGIN - 60_000,
        told: EventTime::Stamp,
        report: Arc::new(report(77, "old")),
    };
    player.app.update(Msg::Log(vec![old]));
    assert!(player.notice().is_empty(), "old news are no news");
    player.sample(later(2, 4, false));
    player.wait(4000);
    player.sample(later(4, 4, false));
    let by: Vec<Killer> = heard(&player).iter().map(|it| it.0).collect();
    assert_eq!(by, [Killer::Machine, Killer::Counted]);
}

#[test]
fn two_logs_of_one_daemon_tell_of_one_kill() {
    let mut player = listening();
    let mut daemons = DaemonLogReader::default();
    let mut say = |line: &str, seconds: i64, player: &mut Player| {
        let heard = daemons.take(Killer::Earlyoom, line).expect("a kill");
        let unix_ms = BEGIN + seconds * 1000;
        player.app.update(Msg::Log(vec![LogUpdate::Daemon {
            unix_ms,
            told: EventTime::Live,
            heard,
            proven: true,
        }]));
    };
    let term = r#"sending SIGTERM to process 600 uid 1000 "java": oom_score 900, VmRSS 800 MiB"#;
    let kill = r#"sending SIGKILL to process 600 uid 1000 "java": oom_score 900, VmRSS 800 MiB"#;
    say(term, 1, &mut player);
    assert!(player.banner().contains("earlyoom killed 600 java"), "{}", player.banner());
    say(term, 0, &mut player);
    say(kill, 5, &mut player);
    let java = (Killer::Earlyoom, "600 java".to_owned(), PredictionResult::Rank(2));
    assert_eq!(heard(&player), std::slice::from_ref(&java));
    say(kill, 60, &mut player);
    assert_eq!(heard(&player).len(), 2, "a minute later it is another one");
    say("dryrun, not actually sending any signal", 60, &mut player);
    assert_eq!(heard(&player), [java], "nothing was done");
}

#[test]
fn what_anybody_may_have_written_is_marked_and_takes_nothing_back() {
    let mut player = listening();
    let mut daemons = DaemonLogReader::default();
    let mut say = |line: &str, proven: bool, player: &mut Player| {
        let heard = daemons.take(Killer::Earlyoom, line).expect("a kill");
        let (unix_ms, told) = (BEGIN + 1000, EventTime::Live);
        player.app.update(Msg::Log(vec![LogUpdate::Daemon { unix_ms, told, heard, proven }]));
    };
    let java = r#"sending SIGTERM to process 600 uid 1000 "java": oom_score 900, VmRSS 800 MiB"#;
    let other = r#"sending SIGTERM to process 500 uid 1000 "chrome": oom_score 9, VmRSS 8 MiB"#;
    let undone = "dryrun, not actually sending any signal";
    say(java, true, &mut player);
    assert!(!player.banner().contains("log file"), "{}", player.banner());
    say(undone, false, &mut player);
    assert_eq!(heard(&player).len(), 1, "a real one stays");
    say(other, false, &mut player);
    assert!(player.banner().contains("500 chrome") && player.banner().contains("(by a log file)"));
    player.play("<A-5><Enter>");
    let Mode::Incident(page) = &player.app.mode else { panic!("a page") };
    assert!(page.lines.iter().any(|it| it.topic == IncidentTopic::Proof), "{:?}", page.lines);
    say(undone, false, &mut player);
    assert_eq!(heard(&player).len(), 1, "that one goes");
    say(other, false, &mut player);
    say(other, true, &mut player);
    say(undone, false, &mut player);
    assert_eq!(heard(&player).len(), 2, "the journal told of it, too");
}

#[test]
fn a_report_stands_on_the_screen_and_nothing_in_it_can_be_acted_on() {
    let mut player = listening();
    player.app.update(live(1, 1, report(600, "java")));
    player.sample(later(2, 4, false));
    player.play("<A-5><Enter>");
    assert!(matches!(&player.app.mode, Mode::Incident(page) if page.title.contains("600 java")));
    player.play("<Esc>");
    assert_eq!((player.app.views.kind, player.pids()), (ViewKind::Processes, vec![600, 500]));
    assert_eq!(player.cursor(), Some(600));
    for key in ['a', 'X', 'k', 'r', ']', '['] {
        assert_eq!(player.key(Key::char(key)), [] as [Request; 0], "{key}");
        let said = player.notice().to_owned();
        assert!(player.app.mode_is_browse() && said.contains("report"), "{key}: {said}");
    }
    player.sample(later(4, 4, false));
    assert_eq!(player.pids(), [600, 500], "looks come, and the report stands");
    player.play("w");
    assert!(matches!(&player.app.mode, Mode::Incident(_)));
    player.play("<Esc><Esc>");
    assert!(player.app.incidents.report.is_none() && !player.app.is_past());
    assert_eq!(player.app.views.kind, ViewKind::Events);
    let alive = player.app.table.lines.iter().filter(|line| line.at.is_some());
    let alive: Vec<i32> = alive.map(|line| line.id.pid).collect();
    assert!(alive.len() > 3 && !alive.contains(&600), "{alive:?}");
    // The look before it is still kept.
    player.play("p");
    assert!(player.app.is_past() && player.pids().contains(&600));
    assert_eq!(player.cursor(), Some(600));
}

fn painted(app: &mut App, width: u16, height: u16) -> String {
    let area = Rect::new(0, 0, width, height);
    let sample = crate::fixtures::theme(true, true);
    let mut buffer = Buffer::empty(area);
    for _ in 0..2 {
        let viewport = ui::paint(app, &sample, area, &mut buffer);
        app.update(Msg::Drawn(viewport, Millis(10_000)));
    }
    text(&buffer)
}

/// The screen of `doomtop explain --screen` for a capture.
fn of_file(name: &str) -> App {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/kmsg").join(name);
    let reports = KernelLogReader::read(&std::fs::read_to_string(path).expect("a capture"));
    let mut app = App::new(Setup {
        live: false,
        acting: doomtop::app::ActingMode::NotReal,
        scope: Scope::Global,
        ..setup()
    });
    let news = (1..).zip(reports).map(|(number, report)| LogUpdate::Report {
        number,
        unix_ms: number as i64,
        told: EventTime::Order,
        report: Arc::new(report),
    });
    app.begin_with(news.collect());
    app
}

fn key(app: &mut App, key: Key) {
    app.update(Msg::Key(key, Millis(20_000)));
}

#[test]
fn the_reports_of_a_file_are_moments_to_step_through() {
    for name in ["global-6.18.txt", "v2-oom-group-6.18.txt", "6.18-memcg-v1.txt", "sysrq-6.18.txt"]
    {
        let mut app = of_file(name);
        let all = app.incidents.report.as_ref().expect("a report is shown").place.1;
        insta::assert_snapshot!(format!("reports {name}"), painted(&mut app, 100, 24));
        let mut seen = vec![app.incidents.report.as_ref().map(|it| it.number)];
        for _ in 1..all {
            key(&mut app, Key::char('{'));
            seen.push(app.incidents.report.as_ref().map(|it| it.number));
        }
        assert!(seen.windows(2).all(|pair| pair[1] < pair[0]), "{seen:?}");
        key(&mut app, Key::char('{'));
        assert!(app.display.notice.as_ref().is_some_and(|it| it.text.contains("first report")));
        key(&mut app, Key::plain(KeyCode::Enter));
        insta::assert_snapshot!(format!("explained {name}"), painted(&mut app, 120, 30));
        key(&mut app, Key::plain(KeyCode::Esc));
        insta::assert_snapshot!(format!("dump {name}"), painted(&mut app, 100, 24));
        key(&mut app, Key::char('l'));
        assert!(app.incidents.report.is_some() && app.scene.is_some(), "there is no now");
        key(&mut app, Key::plain(KeyCode::Esc));
        assert_eq!(app.views.kind, ViewKind::Events);
    }
}

#[test]
fn what_a_report_does_not_tell_is_no_zero_and_what_it_cannot_do_is_said() {
    let mut app = of_file("v2-memcg-6.18.txt");
    let screen = painted(&mut app, 160, 30);
    assert!(!screen.contains("0:00.0"), "{screen}");
    assert!(!screen.contains("adjust") && !screen.contains("sacrifice"), "{screen}");
    assert!(!screen.contains("0 CPUs") && screen.contains("[report]"), "{screen}");
    let notice =
        |app: &App| app.display.notice.as_ref().map_or_else(String::new, |it| it.text.clone());
    key(&mut app, Key::char('z'));
    assert!(!app.playback.paused && notice(&app).contains("a single moment"), "{}", notice(&app));
    key(&mut app, Key::char('b'));
    assert!(matches!(app.mode, Mode::Browse) && notice(&app).contains("without samples"));
    app.views.kind = ViewKind::Memory;
    let screen = painted(&mut app, 100, 24);
    assert!(screen.contains("a report is a single moment") && !screen.contains("zoom"), "{screen}");
    key(&mut app, Key::plain(KeyCode::Esc));
    key(&mut app, Key::plain(KeyCode::Tab));
    assert_eq!(app.views.kind, ViewKind::Cgroups);
    let screen = painted(&mut app, 140, 24);
    let is_machine = |line: &&str| line.trim_start_matches(['>', ' ']).starts_with("global ");
    let machine = screen.lines().find(is_machine).expect("the machine");
    assert!(!machine.contains("100%") && machine.contains('-'), "{machine}");
}

#[test]
fn every_size_shows_the_view() {
    let mut player = listening();
    player.app.update(live(1, -90_000, report(77, "old")));
    player.app.update(live(2, 1, report(600, "java")));
    player.app.update(ear(SourceState::Lost(17)));
    player.sample(later(2, 4, false));
    player.play("<A-5>");
    insta::assert_snapshot!("events 120x40", painted(&mut player.app, 120, 40));
    insta::assert_snapshot!("events 80x24", painted(&mut player.app, 80, 24));
    player.play("<Esc>");
    insta::assert_snapshot!("events panel 120x40", painted(&mut player.app, 120, 40));
    for (width, height) in [(40, 6), (59, 17), (200, 60)] {
        player.play("<A-5>");
        painted(&mut player.app, width, height);
        player.play("<Enter>");
        painted(&mut player.app, width, height);
        player.play("<Esc><Esc><Esc><Esc>");
    }
}

#[test]
fn the_look_before_a_counted_kill_still_has_its_victim() {
    let mut player = Player::on(later(0, 0, true));
    player.app = App::new(Setup { live: false, ..setup() });
    for second in 0..6 {
        let killed = second >= 3;
        let sample = later(second * 2, u64::from(killed), !killed);
        player.app.update(Msg::Played(Arc::new(sample)));
    }
    player.app.update(Msg::AllPlayed);
    player.play("l<A-5><Home>p");
    assert_eq!(player.app.playback.at(), Some(SampleIndex(2)), "{}", player.notice());
    assert_eq!(player.cursor(), Some(600));
}

/// A kill of java by the machine at each of these seconds, the pids from 600 on.
fn storm(player: &mut Player, seconds: &[i64]) {
    for (nth, &second) in (1..).zip(seconds) {
        player.app.update(live(nth, second, report(600 + i32::try_from(nth).unwrap(), "java")));
    }
}

fn rows(player: &Player) -> Vec<String> {
    let entries = player.app.event_entries();
    let words = |entry: &TimelineEntry| match entry {
        TimelineEntry::Kill(nth) => victim_text(player.app.timeline().find(*nth).unwrap()),
        TimelineEntry::Storm(storm) => format!("x{}", storm.count),
        TimelineEntry::Act(_) => "act".to_owned(),
    };
    entries.iter().map(words).collect()
}

#[test]
fn kills_of_one_kind_shortly_after_each_other_are_one_row() {
    let mut player = listening();
    storm(&mut player, &[1, 2, 4, 30]);
    assert_eq!(rows(&player), ["x3", "604 java"], "the last came too late");
    player.play("<A-5><Home>");
    let shown = painted(&mut player.app, 100, 24);
    assert!(shown.contains("×3 java") && shown.contains("in 3s"), "{shown}");
    // The header counts those before doomtop started as well, of which no log tells.
    assert!(shown.contains("kills 7 (+4)") && shown.contains("4 of 7 kills"), "{shown}");
    player.play("<Enter>");
    assert_eq!(rows(&player), ["x3", "601 java", "602 java", "603 java", "604 java"]);
    player.play("<Down><Down>-");
    assert_eq!(rows(&player), ["x3", "604 java"]);
    assert_eq!(player.app.views.events.cursor.at, 0, "the cursor is on the line that closed");
    // Two are not a storm.
    let mut player = listening();
    storm(&mut player, &[1, 2]);
    assert_eq!(rows(&player), ["601 java", "602 java"]);
}

#[test]
fn the_cursor_stays_on_its_storm_while_more_arrive() {
    let mut player = listening();
    storm(&mut player, &[1, 2]);
    player.play("<A-5><Home>");
    player.app.update(live(3, 3, report(603, "java")));
    player.app.update(live(4, 5, report(500, "chrome")));
    assert_eq!(rows(&player), ["x3", "500 chrome"]);
    assert_eq!(player.app.views.events.cursor.at, 0, "the kill under the cursor is in it");
    player.app.update(live(5, 8, report(605, "java")));
    assert_eq!(rows(&player), ["500 chrome", "x4"], "it is where its last kill is");
    player.play("<Home><Down>");
    player.app.update(live(6, 9, report(501, "chrome")));
    assert_eq!(rows(&player), ["500 chrome", "x4", "501 chrome"]);
}

#[test]
fn daemons_make_storms_too() {
    let mut player = listening();
    let mut daemons = DaemonLogReader::default();
    for (nth, pid) in (0..4).zip(600..) {
        let line = format!(
            r#"sending SIGTERM to process {pid} uid 1000 "java": oom_score 900, VmRSS 800 MiB"#
        );
        let heard = daemons.take(Killer::Earlyoom, &line).expect("a kill");
        let unix_ms = BEGIN + nth * 1000;
        let told = EventTime::Live;
        let update = LogUpdate::Daemon { unix_ms, told, heard, proven: true };
        player.app.update(Msg::Log(vec![update]));
    }
    assert_eq!(rows(&player), ["x4"]);
}

#[test]
fn events_are_found_and_filtered() {
    let mut player = listening();
    storm(&mut player, &[1, 2, 4]);
    player.app.update(live(9, 5, report(500, "chrome")));
    player.play("<A-5>/java");
    assert_eq!(player.app.views.events.cursor.at, 0, "the search jumps while it is typed");
    player.play("<Enter>\\CHROME a.service<Enter>");
    assert_eq!(rows(&player), ["500 chrome"], "words in any case, also of the cgroup");
    player.play("<Esc><Esc>");
    assert_eq!(rows(&player), ["x3", "500 chrome"], "Esc clears the search, then the filter");
    assert_eq!(player.app.views.kind, ViewKind::Events);
    player.play("<Esc>");
    assert_eq!(player.app.views.kind, ViewKind::Processes);
}

#[test]
fn a_digit_makes_the_change_of_its_line() {
    let mut player = listening();
    player.app.update(live(1, 1, report(600, "java")));
    player.sample(later(2, 4, false));
    player.play("<A-5><Enter>");
    let Mode::Incident(page) = &player.app.mode else { panic!("a page") };
    let first = page.remedies.first().expect("a change").clone();
    assert!(first.text.starts_with("protect 600 java"), "{first:?}");
    let asked = player.play("1");
    assert!(
        matches!(&asked[..], [Request::Copy(text)] if text.starts_with("OOMScoreAdjust=-")),
        "{asked:?}"
    );
    assert!(player.notice().contains("no java runs here now"), "{}", player.notice());
    player.play("9");
    assert!(player.notice().contains("no change of that number"), "{}", player.notice());
    // It runs again: the page of the ways to keep the value opens for the new process.
    player.sample(later(4, 4, true));
    player.play("1");
    assert!(matches!(&player.app.mode, Mode::Persist(page) if page.who.pid == 600));
    assert!(player.app.incidents.report.is_none() && !player.app.is_past());
}

//! A kill is an event that nobody can miss: the banner, its keys, the struck row, and no list that knows the
//! future of a recording.

use std::sync::Arc;

use doomtop::alarm::{Alarm, Alarms};
use doomtop::app::mode::Mode;
use doomtop::app::view::table::CursorAnchor;
use doomtop::app::{App, Msg, Request};
use doomtop::events::LogUpdate;
use doomtop::events::{KernelLogReader, OomReport};
use doomtop::model::{
    EventTime, Killer, LogSource, OomEvent, PredictionResult, Reading, RunState, Snapshot,
    SourceState,
};
use doomtop::ui::Theme;
use doomtop::units::{Millis, Pages};
use doomtop::words::numbers_and_names::short_cgroup;
use ratatui::style::Modifier;

use crate::demo::{app_before, app_of_demo, eves};
use crate::fixtures::{paint, text};
use crate::stage::{Player, keys, usual};

const FULL: Theme = crate::fixtures::theme(true, true);
const ASCII: Theme = crate::fixtures::theme(true, false);
const MONO: Theme = crate::fixtures::theme(false, false);

const BEGIN: i64 = 1_763_726_400_000;

/// The usual machine so many seconds later, with so many kills counted, without these.
fn later(seconds: u64, kills: u64, gone: &[i32]) -> Snapshot {
    let mut sample = usual();
    sample.clock.monotonic_ms = Millis(1000 + seconds * 1000);
    sample.clock.unix_ms = BEGIN + 1000 * seconds as i64;
    sample.traffic.oom_kills = Reading::Value(kills);
    sample.processes.retain(|process| !gone.contains(&process.id.pid));
    sample
}

fn report(pid: i32, name: &str) -> OomReport {
    let log = format!(
        "[   12.000001] {name} invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n\
         [   12.000005] oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/a.service,task={name},pid={pid},uid=1000\n\
         [   12.000006] Out of memory: Killed process {pid} ({name}) total-vm:2400000kB, anon-rss:800000kB, file-rss:0kB, shmem-rss:0kB, UID:1000 pgtables:40kB oom_score_adj:0\n"
    );
    KernelLogReader::read(&log).remove(0)
}

fn live(number: u64, seconds: i64, pid: i32, name: &str) -> Msg {
    let unix_ms = BEGIN + seconds * 1000;
    let report = Arc::new(report(pid, name));
    Msg::Log(vec![LogUpdate::Report { number, unix_ms, told: EventTime::Live, report }])
}

/// With the kernel log open, and java killed a second after the only sample.
fn killed() -> Player {
    let mut player = Player::on(later(0, 3, &[]));
    let open = SourceState::Open("followed".to_owned());
    player.app.update(Msg::Log(vec![LogUpdate::Source(LogSource::KernelLog, open)]));
    player.app.update(live(1, 1, 600, "java"));
    player.draw();
    player
}

#[test]
fn the_banner_says_who_where_and_why_and_stays() {
    let mut player = killed();
    let banner = player.banner();
    assert!(
        banner
            .contains("12:00:01 the kernel killed 600 java (781M): the machine was out of memory."),
        "{banner}"
    );
    assert!(banner.contains("Enter why, p just before"), "{banner}");
    player.sample(later(2, 4, &[600]));
    player.wait(600_000);
    player.sample(later(600, 4, &[600]));
    assert_eq!(player.banner(), banner, "until a key is pressed");
    player.play("<Esc>");
    assert_eq!(player.banner(), "");
}

#[test]
fn enter_explains_the_kill_and_p_shows_the_sample_before() {
    let mut player = killed();
    player.sample(later(2, 4, &[600]));
    player.play("<Enter>");
    let Mode::Incident(page) = &player.app.mode else { panic!("the page of the kill") };
    assert!(page.title.contains("600 java"), "{}", page.title);
    player.play("<Esc>");
    assert_eq!(player.banner(), "", "once");

    let mut player = killed();
    player.sample(later(2, 4, &[600]));
    player.play("p");
    assert!(player.app.is_past() && player.cursor() == Some(600), "{:?}", player.cursor());
    assert_eq!(player.banner(), "");
}

#[test]
fn any_other_key_closes_it_and_does_what_it_always_does() {
    let mut player = killed();
    player.play("<Down>");
    assert_eq!((player.banner().as_str(), player.cursor()), ("", Some(600)));
    for (key, is_open) in [
        ("X", (|mode: &Mode| matches!(mode, Mode::Signal(_))) as fn(&Mode) -> bool),
        ("a", |mode| matches!(mode, Mode::Adjust(_))),
        ("k", |mode| matches!(mode, Mode::Menu(_))),
        ("?", |mode| matches!(mode, Mode::Help { .. })),
    ] {
        let mut player = killed();
        let asked = player.play(key);
        assert!(is_open(&player.app.mode) && asked.is_empty(), "{key}: {asked:?}");
        assert!(player.app.display.banner.is_none(), "{key}");
    }
    let mut player = killed();
    assert_eq!(player.play("q"), [Request::Quit { keep: false }]);
}

#[test]
fn a_key_that_was_meant_for_the_table_is_not_swallowed() {
    for (key, is_open) in [
        ("<Enter>", (|mode: &Mode| matches!(mode, Mode::Explain(_))) as fn(&Mode) -> bool),
        ("X", |mode| matches!(mode, Mode::Signal(_))),
    ] {
        let mut player = killed();
        // The banner came 100 ms ago.
        player.key_at(keys(key)[0], player.now + 100);
        assert!(is_open(&player.app.mode), "{key} keeps its own meaning");
        assert!(player.app.display.banner.is_some(), "nobody saw the banner yet");
    }
    // An arrow key that repeats is no answer.
    let mut player = killed();
    for nth in 0..40 {
        player.key_at(keys("<Down>")[0], player.now + 30 * nth);
    }
    assert!(player.app.display.banner.is_some());
}

#[test]
fn keys_of_a_dialog_stay_those_of_the_dialog() {
    let mut player = Player::on(later(0, 3, &[]));
    player.play("X");
    player.app.update(live(1, 1, 600, "java"));
    player.draw();
    let Mode::Signal(_) = &player.app.mode else { panic!("it stays open") };
    assert_eq!(player.play("<Enter>"), [], "Enter still confirms nothing, and explains nothing");
    assert!(!matches!(player.app.mode, Mode::Incident(_)));
    assert!(player.app.display.banner.is_some(), "it waits until the dialog is closed");
}

#[test]
fn several_kills_are_told_as_one_event() {
    let mut player = killed();
    player.app.update(live(2, 2, 500, "chrome"));
    player.app.update(live(3, 3, 601, "java-helper"));
    let banner = player.banner();
    assert!(banner.contains("12:00:03 3 kills in 2s, last: the kernel killed 601"), "{banner}");
    player.draw();
    player.play("<Enter>");
    assert!(matches!(&player.app.mode, Mode::Incident(page) if page.title.contains("601")));
}

#[test]
fn the_row_of_the_killed_process_is_struck_through_for_ten_seconds() {
    let mut player = killed();
    let place = player.pids().iter().position(|pid| *pid == 600);
    player.wait(5000);
    player.sample(later(2, 4, &[600]));
    assert_eq!(player.pids().iter().position(|pid| *pid == 600), place, "at its old place");
    for (theme, glyph) in [(FULL, "✗"), (ASCII, "x"), (MONO, "x")] {
        let (buffer, _) = paint(&mut player.app, theme, 120, 40);
        let screen = text(&buffer);
        let y = screen
            .lines()
            .position(|line| {
                line.starts_with("  - ") && line.contains("java ")
                    || line.starts_with(&format!("  - {glyph}"))
            })
            .unwrap_or_else(|| panic!("{screen}"));
        let line = screen.lines().nth(y).unwrap();
        assert!(line.contains("600") && line.contains("781M"), "{line}");
        let x = line.chars().position(|c| c == '6').unwrap();
        let cell = &buffer[(x as u16, y as u16)];
        assert!(cell.modifier.contains(Modifier::CROSSED_OUT), "{line}");
        assert!(screen.contains("7 of 8 tasks") || screen.contains("7 tasks"), "{screen}");
    }
    player.play("<Down>");
    let on_it = player.app.table.line().map(|line| line.id.pid);
    assert_eq!(on_it, Some(600));
    for key in ["X", "a", "k", "]", " "] {
        assert_eq!(player.play(key), [], "{key}");
        assert!(player.app.mode_is_browse() || key == "k", "{key}");
        if player.app.mode_is_browse() {
            assert!(player.notice().contains("already gone"), "{key}: {}", player.notice());
        }
        player.app.mode = Mode::Browse;
    }
    assert!(player.app.table.tags.is_empty());
    player.wait(5000);
    player.sample(later(12, 4, &[600]));
    assert!(player.pids().contains(&600), "ten seconds after the first sample without it");
    player.wait(5000);
    player.sample(later(14, 4, &[600]));
    player.wait(5000);
    assert!(!player.pids().contains(&600), "{:?}", player.pids());
}

#[test]
fn a_kill_that_is_told_after_the_next_sample_strikes_its_row_through_as_well() {
    let mut player = Player::on(later(0, 3, &[]));
    let open = SourceState::Open("followed".to_owned());
    player.app.update(Msg::Log(vec![LogUpdate::Source(LogSource::KernelLog, open)]));
    let place = player.pids().iter().position(|pid| *pid == 600);
    player.sample(later(2, 4, &[600]));
    assert!(!player.pids().contains(&600), "nobody knows yet who was killed");
    // The line was read a moment after the sample, and that is its time.
    let report = Arc::new(report(600, "java"));
    let unix_ms = BEGIN + 2300;
    let told = EventTime::Live;
    player.app.update(Msg::Log(vec![LogUpdate::Report { number: 1, unix_ms, told, report }]));
    player.wait(5000);
    player.sample(later(4, 4, &[600]));
    assert_eq!(player.pids().iter().position(|pid| *pid == 600), place, "{:?}", player.pids());
    let kill = player.app.shown_kills().last().expect("it");
    assert_eq!(kill.last_seen, Some(BEGIN), "the last sample with it");
    assert_ne!(kill.prediction, PredictionResult::NotSeen);
    player.play("p");
    assert_eq!(player.cursor(), Some(600), "and just before is where it lived");
}

#[test]
fn a_killed_process_that_nobody_waited_for_is_struck_through_at_its_old_place() {
    let mut player = killed();
    let place = player.pids().iter().position(|pid| *pid == 600);
    player.wait(5000);
    let mut sample = later(2, 4, &[]);
    let java = sample.processes.iter_mut().find(|it| it.id.pid == 600).expect("java");
    (java.has_mm, java.rss_stat) = (false, Pages::ZERO);
    java.state = RunState('Z');
    player.sample(sample);
    let at: Vec<usize> = player
        .pids()
        .iter()
        .enumerate()
        .filter(|(_, pid)| **pid == 600)
        .map(|(at, _)| at)
        .collect();
    assert_eq!(at, Vec::from_iter(place), "once, and not among those without memory");
    assert!(player.app.table.struck.iter().any(|row| row.id.pid == 600));
}

#[test]
fn the_bell_rings_as_before() {
    let mut player = killed();
    player.app.refresh.alarms = Alarms::new(vec![Alarm::parse("oom-kill").unwrap()], true, false);
    player.app.update(Msg::Sampled(Arc::new(later(2, 3, &[]))));
    let asked = player.app.update(Msg::Sampled(Arc::new(later(4, 4, &[600]))));
    assert_eq!(asked, [Request::Bell]);
    assert!(player.banner().contains("600 java"));
}

#[test]
fn a_replay_tells_of_a_kill_when_it_happens_and_never_before() {
    let (mut app, samples) = app_of_demo();
    let start = samples[0].clock.monotonic_ms;
    let told = |app: &App| app.display.banner.as_ref().map_or(0, |banner| banner.events.len());
    let mut counts = Vec::new();
    for (nth, sample) in samples.iter().enumerate() {
        app.update(Msg::Tick(sample.clock.monotonic_ms.saturating_sub(start)));
        let known = app.event_entries().len();
        assert_eq!(told(&app), known, "the banner at sample {nth}");
        assert_eq!(app.views.events.unseen, known, "the number beside the view at sample {nth}");
        assert_eq!(app.shown_until(), Some(sample.clock.unix_ms));
        assert!(app.shown_kills().iter().all(|kill| kill.unix_ms <= sample.clock.unix_ms));
        if counts.last().is_some_and(|&before| known > before) {
            let victim = app.shown_kills().last().unwrap().victim.unwrap();
            let alive = app.scene.as_ref().unwrap().now().position(victim.pid.unwrap()).is_some();
            let row = app.table.struck.iter().any(|row| Some(row.id.pid) == victim.pid);
            assert!(row || alive, "its row is struck through at sample {nth}");
        }
        counts.push(known);
    }
    let all: Vec<i64> = app.shown_kills().iter().map(|kill| kill.unix_ms).collect();
    assert!(all.len() >= eves(&samples).len() && all.len() >= 2, "{all:?}");
    for (sample, known) in samples.iter().zip(counts) {
        let happened = all.iter().filter(|at| **at <= sample.clock.unix_ms).count();
        assert_eq!(known, happened, "each at its time");
    }
}

/// The app of the demo in the first sample after its kill `nth`, by the kernel or by another killer, and that kill.
fn after_kill(nth: usize) -> (App, OomEvent) {
    let (mut app, samples) = app_of_demo();
    let start = samples[0].clock.monotonic_ms;
    for sample in &samples {
        app.update(Msg::Tick(sample.clock.monotonic_ms.saturating_sub(start)));
        if let Some(kill) = app.shown_kills().get(nth).cloned() {
            return (app, kill);
        }
        if nth == 3 && app.shown_kills().len() == 2 {
            // The user has taken notice of the first two.
            app.display.banner = None;
        }
    }
    panic!("the demo has no kill {nth}");
}

/// `225 node`.
fn dead(kill: &OomEvent) -> (i32, String) {
    let victim = kill.victim.expect("a victim");
    (victim.pid.expect("a pid"), victim.comm.to_string())
}

#[test]
fn the_row_of_the_killed_process_is_on_the_screen_wherever_its_place_is() {
    for nth in 0..4 {
        let (mut app, kill) = after_kill(nth);
        let (pid, comm) = dead(&kill);
        for (width, height) in [(80, 24), (120, 40), (200, 60), (60, 16)] {
            let screen = text(&paint(&mut app, FULL, width, height).0);
            let pid = format!(" {pid} ");
            let row = screen.lines().find(|line| line.contains("- ✗") && line.contains(&pid));
            let is_it = row.is_some_and(|it| it.contains(&comm));
            assert!(is_it, "{width}x{height}: {pid}{comm} in\n{screen}");
        }
    }
}

#[test]
fn the_cursor_on_a_killed_process_is_told_what_happened() {
    for nth in 0..4 {
        let (mut app, kill) = after_kill(nth);
        let (pid, comm) = dead(&kill);
        app.display.banner = None;
        let at = app.table.lines.iter().position(|line| line.id.pid == pid && line.at.is_none());
        app.table.cursor.at = at.expect("its row");
        app.table.anchor = CursorAnchor::Row(app.table.cursor.at);
        let screen = text(&paint(&mut app, FULL, 120, 40).0);
        assert!(screen.contains(&format!("Killed: {pid} {comm}")), "{screen}");
        assert!(screen.contains(&format!("{} killed {pid} {comm}", kill.by.name())), "{screen}");
        assert!(screen.contains("just before badness"), "{screen}");
        assert!(!screen.contains("that process is gone"), "{screen}");
        crate::fixtures::press(&mut app, &["Enter"]);
        let Mode::Incident(page) = &app.mode else { panic!("the page of the kill") };
        assert!(page.title.contains(&format!("{pid} {comm}")), "{}", page.title);
    }
}

#[test]
fn kills_are_counted_alike_in_the_banner_the_header_and_the_view() {
    for (nth, told) in [(0, "✗ 09:33:57 the "), (1, "2 kills in 1m"), (3, "2 more kills in 1m")] {
        let (mut app, kill) = after_kill(nth);
        let screen = text(&paint(&mut app, FULL, 120, 40).0);
        let all = nth + 1;
        assert!(screen.contains(&format!("  kills {all}\n")), "{screen}");
        assert!(screen.contains(told), "{screen}");
        // Where it was is told at every size.
        let place = kill.cgroup.as_ref().filter(|_| kill.by != Killer::Machine);
        let place = place.map_or("machine".to_owned(), |path| short_cgroup(path.as_str()));
        let small = text(&paint(&mut app, FULL, 80, 24).0);
        let banner = small.lines().skip_while(|it| !it.starts_with('✗')).take(2);
        let banner = banner.map(str::trim).collect::<Vec<_>>().join(" ");
        assert!(banner.contains(&place), "{place} in {banner}");
        crate::fixtures::press(&mut app, &["Alt-5"]);
        let screen = text(&paint(&mut app, FULL, 120, 40).0);
        let word = if all == 1 { "1 kill " } else { &format!("{all} kills ") };
        assert!(screen.contains(word), "{screen}");
    }
}

#[test]
fn a_kill_asks_for_a_sample_without_the_dead() {
    let mut player = Player::on(later(0, 3, &[]));
    let open = SourceState::Open("followed".to_owned());
    player.app.update(Msg::Log(vec![LogUpdate::Source(LogSource::KernelLog, open)]));
    assert_eq!(player.app.update(live(1, 1, 4711, "other")), [], "no sample has it");
    assert_eq!(player.app.update(live(2, 1, 600, "java")), [Request::SampleNow]);
    assert_eq!(player.app.update(live(3, 1, 500, "chrome")), [], "not again and again");
    player.wait(1000);
    assert_eq!(player.app.update(live(4, 2, 400, "Xorg")), [Request::SampleNow]);
}

#[test]
fn going_back_before_a_kill_takes_the_banner_away() {
    let mut app = app_before(0, 0);
    paint(&mut app, FULL, 120, 40);
    assert!(app.display.banner.is_some(), "the sample after the kill");
    let kills = app.event_entries().len();
    let press = |app: &mut App, key: &str| {
        paint(app, FULL, 120, 40);
        let at = Millis(app.clock().0 + 1000);
        app.update(Msg::Key(keys(key)[0], at));
        paint(app, FULL, 120, 40);
    };
    press(&mut app, "p");
    assert!(app.display.banner.is_none() && app.event_entries().len() < kills);
    press(&mut app, ")");
    assert!(app.display.banner.is_some(), "and forward it is told again");
    assert_eq!(app.event_entries().len(), kills);
}

#[test]
fn the_banner_at_every_size() {
    let mut app = app_before(0, 0);
    for (width, height) in [(40, 10), (80, 24), (120, 40), (200, 60)] {
        let (buffer, _) = paint(&mut app, FULL, width, height);
        insta::assert_snapshot!(format!("kill-{width}x{height}"), crate::screens::styled(&buffer));
    }
    let (buffer, _) = paint(&mut app, ASCII, 80, 24);
    insta::assert_snapshot!("kill-ascii", crate::screens::styled(&buffer));
    let (buffer, _) = paint(&mut app, MONO, 80, 24);
    insta::assert_snapshot!("kill-mono", crate::screens::styled(&buffer));
    for (width, height) in [(40, 6), (41, 7), (60, 9), (250, 6)] {
        let (buffer, _) = paint(&mut app, FULL, width, height);
        let screen = text(&buffer);
        assert!(screen.lines().count() == usize::from(height), "{screen}");
    }
}

#[test]
fn w_shows_the_whole_command_line_of_the_process() {
    let mut app = crate::fixtures::app("db-03.jsonl");
    paint(&mut app, FULL, 80, 24);
    crate::fixtures::press(&mut app, &["w"]);
    assert!(matches!(app.mode, Mode::CommandLine(0)));
    let line = app.selected().map(|it| app.names.command(it).unwrap_or_default().to_owned());
    let line = line.expect("a process");
    assert!(line.len() > 48, "longer than a row: {line}");
    let screen = text(&paint(&mut app, FULL, 48, 24).0);
    let words = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
    assert!(words(&screen).contains(&words(&line)), "{line} in\n{screen}");
    crate::fixtures::press(&mut app, &["Esc"]);
    assert!(matches!(app.mode, Mode::Browse));
    let mut player = killed();
    player.play("<Esc>w");
    assert!(matches!(player.app.mode, Mode::CommandLine(_)), "without a report on the screen");
}

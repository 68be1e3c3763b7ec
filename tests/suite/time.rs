//! Looking back: the screen shows an earlier look as it was shown then, and nothing acts on it.

use std::sync::Arc;

use doomtop::app::keymap::bindings::{Key, KeyCode};
use doomtop::app::{App, Msg, Request};
use doomtop::model::{Reading, SampleHistory, SampleIndex, Snapshot, Text};
use doomtop::units::{Millis, Pages};

use crate::stage::{Player, setup, usual};

/// The usual machine, so many seconds later; chrome grows by a thousand pages a second.
fn later(seconds: u64) -> Snapshot {
    let mut sample = usual();
    sample.clock.monotonic_ms = Millis(1000 + seconds * 1000);
    sample.clock.unix_ms += 1000 * seconds as i64;
    sample.traffic.oom_kills = Reading::Value(if seconds >= 4 { 1 } else { 0 });
    let chrome = sample.processes.iter_mut().find(|process| process.id.pid == 500).expect("chrome");
    chrome.rss_stat = Pages(90_000 + 1000 * seconds);
    chrome.rss_exact = Reading::Value(chrome.rss_stat);
    if seconds >= 4 {
        sample.processes.retain(|process| process.id.pid != 600);
    }
    sample
}

fn chrome(player: &Player) -> u64 {
    let scene = player.app.scene.as_ref().expect("a look");
    scene.now().processes.iter().find(|process| process.id.pid == 500).expect("chrome").rss_stat.0
}

fn seen(player: &Player) -> Vec<i32> {
    player.app.table.lines.iter().map(|line| line.id.pid).collect()
}

fn played(seconds: u64) -> Player {
    let mut player = Player::on(later(0));
    for second in 1..=seconds {
        player.app.update(Msg::Sampled(Arc::new(later(second))));
    }
    player
}

#[test]
fn the_whole_screen_follows_the_cursor_back() {
    let mut then = played(2);
    then.app.update(Msg::Tick(Millis(60_000)));
    let (rows, ranking) = (seen(&then), then.app.ranking.victim().map(|row| row.id));
    let mut player = played(6);
    assert_eq!(chrome(&player), 96_000);
    for _ in 0..4 {
        player.key(Key::char('('));
    }
    assert!(player.app.is_past());
    assert_eq!(chrome(&player), 92_000);
    assert_eq!(seen(&player), rows, "who was killed since is there again");
    assert_eq!(player.app.ranking.victim().map(|row| row.id), ranking);
    let scene = player.app.scene.as_ref().expect("a look");
    let process = scene.now().processes.iter().find(|it| it.id.pid == 500).expect("chrome");
    assert_eq!(scene.growth(process).map(|growth| growth.pages.0), Some(1000));
    player.app.update(Msg::Sampled(Arc::new(later(7))));
    assert_eq!(chrome(&player), 92_000, "new looks come, and the screen stands");
    player.key(Key::char(')'));
    assert_eq!(chrome(&player), 93_000);
    player.key(Key::char('l'));
    assert_eq!(chrome(&player), 97_000);
    assert!(!player.app.is_past());
    player.app.update(Msg::Sampled(Arc::new(later(8))));
    assert_eq!(chrome(&player), 98_000, "and goes on");
}

#[test]
fn nothing_acts_on_the_past() {
    let mut player = played(6);
    player.key(Key::char('('));
    for key in ['a', 'X', 'k', 'r', ']', '['] {
        assert_eq!(player.key(Key::char(key)), [], "{key}");
        let said = player.notice().to_owned();
        assert!(player.app.mode_is_browse() && said.contains("past"), "{key}: {said}");
    }
    player.key(Key::char('l'));
    player.key(Key::char('X'));
    assert!(!player.app.mode_is_browse(), "now it can be acted on");
}

#[test]
fn kills_are_gone_to() {
    let mut player = played(6);
    player.key(Key::char('{'));
    assert_eq!(chrome(&player), 93_000, "the sample before the kill");
    assert_eq!(player.notice(), "just before kill 1 of 1: somebody", "only counted so far");
    player.key(Key::char('{'));
    assert_eq!(chrome(&player), 93_000, "there is none before");
    assert_eq!(player.notice(), "there is no earlier kill in the samples in memory");
    player.key(Key::plain(KeyCode::Home));
    player.key(Key::shift(KeyCode::Left));
    assert_eq!(chrome(&player), 90_000);
    player.key(Key::char('}'));
    assert_eq!(chrome(&player), 93_000);
    player.key(Key::char('}'));
    assert_eq!(player.notice(), "there is no later kill in the samples in memory");
}

#[test]
fn a_time_is_gone_to() {
    let mut player = played(6);
    player.key(Key::char('b'));
    player.play("3s");
    player.key(Key::plain(KeyCode::Enter));
    assert_eq!(chrome(&player), 93_000);
    player.key(Key::char('b'));
    player.play("soon");
    player.key(Key::plain(KeyCode::Enter));
    assert!(!player.app.mode_is_browse(), "what is no time stays open");
    player.key(Key::plain(KeyCode::Esc));
    assert_eq!(chrome(&player), 93_000);
}

#[test]
fn a_pause_loses_no_look() {
    let mut player = played(2);
    player.key(Key::char('z'));
    for second in 3..=5 {
        player.app.update(Msg::Sampled(Arc::new(later(second))));
    }
    assert_eq!(chrome(&player), 92_000);
    assert_eq!(player.key(Key::char('z')), [Request::SampleNow]);
    player.app.update(Msg::Sampled(Arc::new(later(6))));
    assert_eq!(chrome(&player), 96_000);
    player.key(Key::char('('));
    assert_eq!(chrome(&player), 95_000, "what came meanwhile was kept");
}

#[test]
fn a_film_is_played_at_its_pace() {
    let mut player = Player::on(later(0));
    for second in 1..=6 {
        player.app.update(Msg::Played(Arc::new(later(second))));
    }
    assert_eq!(chrome(&player), 90_000);
    player.key(Key::char('z'));
    let begun = player.now;
    let mut at = |ms: u64| {
        player.app.update(Msg::Tick(Millis(begun + ms)));
        chrome(&player)
    };
    assert_eq!([at(900), at(1000), at(2500), at(60_000)], [90_000, 91_000, 92_000, 96_000]);
    player.now = begun + 60_000;
    player.key(Key::plain(KeyCode::Home));
    player.key(Key::shift(KeyCode::Left));
    player.key(Key::alt('.'));
    player.key(Key::char('z'));
    let begun = player.now;
    player.app.update(Msg::Tick(Millis(begun + 1000)));
    assert_eq!(chrome(&player), 92_000, "twice as fast");
    player.app.update(Msg::AllPlayed);
    player.app.update(Msg::Tick(Millis(begun + 60_000)));
    assert_eq!(chrome(&player), 96_000);
    player.app.update(Msg::Tick(Millis(begun + 60_001)));
    assert!(!player.app.playback.is_playing(), "it stands at its end");
    player.key(Key::char('z'));
    assert_eq!(chrome(&player), 90_000, "and begins anew");
}

#[test]
fn two_runs_in_one_recording_are_both_there() {
    let mut player = Player::on(later(0));
    player.app = App::new(setup());
    player.app.playback.past = SampleHistory::new(Millis(u64::MAX), usize::MAX);
    let hour = 3_600_000;
    for (run, second) in [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)] {
        let mut sample = later(second);
        // The second began an hour after the first, and counts from its own start.
        sample.clock.unix_ms += run * hour;
        Arc::make_mut(&mut sample.cgroups).read_ms = sample.clock.monotonic_ms;
        player.app.update(Msg::Played(Arc::new(sample)));
    }
    player.app.update(Msg::AllPlayed);
    let past = &player.app.playback.past;
    assert_eq!((past.len(), player.app.playback.history.len()), (6, 6));
    let at = |nth: u64| past.facts(SampleIndex(nth)).expect("a look").clock;
    let apart = |a: u64, b: u64| at(b).monotonic_ms.saturating_sub(at(a).monotonic_ms).0;
    assert_eq!((apart(0, 2), apart(0, 3), apart(3, 5)), (2000, 3_600_000, 2000));
    let group = past.sample(SampleIndex(5)).expect("a look").cgroups.read_ms;
    assert_eq!(group, at(5).monotonic_ms, "cgroups are read on the same clock");
    // Nobody waits for an hour.
    (1..40).for_each(|tick| _ = player.app.update(Msg::Tick(Millis(tick * 250))));
    assert_eq!(player.app.playback.at(), Some(SampleIndex(5)));
    // Another machine's count is no kill here.
    let mut other = later(9);
    other.clock.monotonic_ms = Millis(1);
    other.traffic.oom_kills = Reading::Value(7);
    Arc::make_mut(&mut other.machine).name = Text::new(b"another");
    player.app.update(Msg::Played(Arc::new(other)));
    assert_eq!(player.app.playback.past.len(), 7);
    assert!(
        player.app.shown_kills().is_empty() && !player.app.playback.past.has_kill(SampleIndex(6))
    );
}

//! Which keys the screen offers: those that do something where they are shown, and those of a text while one is typed.

use doomtop::app::{ActingMode, Request, Setup};
use doomtop::ui::Theme;

use crate::demo::app_before;
use crate::fixtures::{app, paint, press, text};
use crate::stage::{Player, keys, setup, usual};

const PLAIN: Theme = crate::fixtures::theme(false, true);

/// The last two lines of the screen at 120x40: what the status line says, and the function bar.
fn last_lines(player: &mut Player) -> [String; 2] {
    let screen = text(&paint(&mut player.app, PLAIN, 120, 40).0);
    let mut lines = screen.lines().rev().map(str::to_owned);
    let (bar, status) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    [status, bar]
}

#[test]
fn without_a_kill_nothing_about_kills_is_offered() {
    let mut player = Player::on(usual());
    player.play("<A-5>");
    let [status, bar] = last_lines(&mut player);
    assert!(status.contains("0 kills"), "{status}");
    for word in ["explain", "find", "the sample before"] {
        assert!(!status.contains(word), "{word}: {status}");
    }
    assert!(!bar.contains("Find") && !bar.contains("Filter") && bar.contains("Quit"), "{bar}");
    player.play("<A-4>");
    assert!(!last_lines(&mut player)[0].contains("kills"), "there is none to go to");
    player.play("<A-2>w");
    assert!(player.notice().contains("no kill is known"), "{}", player.notice());
    let mut demo = app_before(1, 0);
    press(&mut demo, &["Alt-5"]);
    let screen = text(&paint(&mut demo, PLAIN, 120, 40).0);
    assert!(screen.contains("Enter explain") && screen.contains("F3 find"), "{screen}");
}

#[test]
fn what_may_not_be_acted_on_has_no_keys_that_act() {
    for acting in [ActingMode::ReadOnly, ActingMode::NotReal, ActingMode::Elsewhere] {
        let mut player = Player::with(Setup { acting, ..setup() }, usual());
        for page in ["", "<Enter>"] {
            player.play(page);
            let screen = text(&paint(&mut player.app, PLAIN, 120, 40).0);
            for word in ["Adj-", "Adj+", "Signal", "Sacrifice", "a adjust", "[X]", "[a]"] {
                assert!(!screen.contains(word), "{word} is offered in {acting:?}:\n{screen}");
            }
        }
    }
    let mut free = Player::on(usual());
    let [status, bar] = last_lines(&mut free);
    assert!(bar.contains("Adj-") && bar.contains("Signal") && status.contains("a adjust"), "{bar}");
}

#[test]
fn pages_offer_only_what_their_lines_can_do() {
    let mut player = Player::on(usual());
    player.play("J");
    let [_, bar] = last_lines(&mut player);
    assert!(!bar.contains("Write") && !bar.contains("Copy") && bar.contains("Close"), "{bar}");
    player.play("<Esc>!");
    let [_, bar] = last_lines(&mut player);
    assert!(!bar.contains("OnOff") && !bar.contains("Remove") && bar.contains("Set"), "{bar}");
    player.play("<Esc>?");
    let [_, bar] = last_lines(&mut player);
    assert!(bar.contains("Find") && !bar.contains("Next"), "{bar}");
}

#[test]
fn what_is_typed_is_on_the_narrowest_screen_whole_and_the_bar_shows_the_keys_of_the_prompt() {
    for (opens, typed, key) in [
        ("/", "systemd-journal", "F3"),
        ("\\", "user:root cgroup", "Enter"),
        ("b", "14:03:22", "Enter"),
        ("d", "0.5", "Enter"),
        ("<A-f>", "2048M", "Enter"),
    ] {
        let mut player = Player::on(usual());
        player.play(opens);
        keys(typed).into_iter().for_each(|key| _ = player.key(key));
        for (width, height) in [(40, 10), (80, 24)] {
            let screen = text(&paint(&mut player.app, PLAIN, width, height).0);
            let lines: Vec<&str> = screen.lines().rev().take(2).collect();
            assert!(lines[1].contains(typed), "{opens} at {width}:\n{screen}");
            assert!(lines[0].contains(key) && lines[0].contains("Esc"), "{screen}");
            assert!(!lines[0].contains("Sort"), "{screen}");
        }
    }
    // The end of a text that is too long, where the cursor is; and an error takes none of its last cells.
    let mut player = Player::on(usual());
    player.play("b");
    keys("a time that nobody can read").into_iter().for_each(|key| _ = player.key(key));
    player.play("<Enter>");
    let screen = text(&paint(&mut player.app, PLAIN, 40, 10).0);
    let status = screen.lines().rev().nth(1).unwrap_or_default().to_owned();
    assert!(status.contains("can read") && status.contains("! "), "{screen}");
    for opens in [":", "u"] {
        let mut player = Player::on(usual());
        player.play(opens);
        keys("no such entry").into_iter().for_each(|key| _ = player.key(key));
        let screen = text(&paint(&mut player.app, PLAIN, 40, 10).0);
        assert!(screen.contains("no such entry"), "{opens}:\n{screen}");
    }
}

#[test]
fn a_copy_is_sent_and_not_promised() {
    let mut app = app("db-03.jsonl");
    let asked = press(&mut app, &["y", "Enter"]);
    let [Request::Copy(text)] = asked.as_slice() else { panic!("{asked:?}") };
    let notice = app.display.notice.as_ref().map(|it| it.text.clone()).unwrap_or_default();
    assert_eq!(notice, format!("sent to the terminal's clipboard: {text}"));
}

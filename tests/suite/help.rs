//! The help: what it opens on, how it is searched, and what F1 says in a dialog.

use doomtop::alarm::QUANTITIES;
use doomtop::app::Request;
use doomtop::app::keymap::bindings::{Key, KeyCode};
use doomtop::app::mode::Mode;
use doomtop::app::setup::ThemeName;
use doomtop::ui::Theme;
use doomtop::words::terms::TERMS;

use crate::fixtures::{app, paint, press, text};
use crate::stage::{Player, usual};

const FULL: Theme = crate::fixtures::theme(true, true);

/// The screen after these keys.
fn shown(script: &[&str], width: u16, height: u16) -> String {
    let mut app = app("db-03.jsonl");
    paint(&mut app, FULL, width, height);
    press(&mut app, script);
    paint(&mut app, FULL, width, height);
    text(&paint(&mut app, FULL, width, height).0)
}

#[test]
fn it_opens_on_the_keys_that_matter_and_then_explains_the_words() {
    let first = shown(&["?"], 80, 24);
    for part in ["The keys to begin with", "Enter", "adjust oom_score_adj", "every action by name"]
    {
        assert!(first.contains(part), "{part} in\n{first}");
    }
    let small = shown(&["?"], 40, 10);
    assert!(small.contains("The keys to begin with"), "{small}");
    let words = shown(&["?"], 120, 60);
    for (word, _) in TERMS.iter().take(8) {
        assert!(words.contains(word), "{word} in\n{words}");
    }
}

#[test]
fn it_lists_everything_that_an_alarm_can_watch_in_the_words_of_the_page_and_the_documents() {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    for (place, script) in
        [("the help", &["?"][..]), ("F1 on the page", &["!", "F1"]), ("the page", &["!"])]
    {
        let screen = words(&shown(script, 200, 1000).replace('│', " "));
        for row in QUANTITIES {
            let line = words(&format!("{} {}", row.example, row.about));
            assert!(screen.contains(&line), "{line} in {place}:\n{screen}");
        }
    }
}

#[test]
fn theme_and_mouse_are_found_by_f2_and_in_the_help() {
    let help = shown(&["?"], 160, 1000);
    for name in ThemeName::ALL {
        assert!(help.contains(&format!("{:<20}{}", name.name(), name.about())), "{name:?}");
    }
    let mut player = Player::on(usual());
    let setup = Key::plain(KeyCode::F(2));
    player.key(setup);
    let screen = text(&paint(&mut player.app, FULL, 80, 24).0);
    assert!(screen.contains("theme") && screen.contains("Alt-t: now default"), "{screen}");
    assert!(screen.contains("mouse") && screen.contains("Alt-m"), "{screen}");
    let was = player.app.display.mouse;
    player.play("<Up> <Esc>");
    assert_eq!(player.app.display.mouse, !was, "Space on the line of the mouse");
    player.key(setup);
    player.play("<Up><Up><Enter>");
    let screen = text(&paint(&mut player.app, FULL, 80, 24).0);
    assert!(screen.contains("─ Theme ─"), "{screen}");
}

#[test]
fn it_is_searched_as_the_text_is_typed() {
    let found = shown(&["?", "/", "uncertainty"], 80, 24);
    assert!(found.contains("Find: uncertainty_") && found.contains("match 1 of"), "{found}");
    assert!(found.contains("how far a number may be off"), "{found}");
    let next = shown(&["?", "/", "limit", "Enter", "n"], 80, 24);
    assert!(next.contains("match 2 of"), "{next}");
    let back = shown(&["?", "/", "limit", "Enter", "n", "N", "N"], 80, 24);
    let count = |shown: &str| {
        let (_, rest) = shown.split_once("match ").expect("a match");
        let (at, rest) = rest.split_once(" of ").expect("a count");
        let end = rest.find(|c: char| !c.is_ascii_digit()).expect("an end");
        (at.to_owned(), rest[..end].to_owned())
    };
    let (at, all) = count(&back);
    assert_eq!(at, all, "before the first is the last");
    let none = shown(&["?", "/", "xyzzy"], 80, 24);
    assert!(none.contains("no match for xyzzy"), "{none}");
    let ended = shown(&["?", "/", "xyzzy", "Esc"], 80, 24);
    assert!(ended.contains("/ finds, Esc closes"), "{ended}");
}

#[test]
fn f1_explains_the_dialog_and_goes_back_to_it() {
    for (keys, title, undo) in [
        ("a", "The editor of oom_score_adj", "the journal"),
        ("X", "The question before a signal", "cannot be taken back"),
        ("k", "A list to choose from", "Esc leaves everything"),
        ("<A-o>", "The editor of the vm sysctls", "r proposes the value"),
        ("<Enter>", "The page that explains a process", "Nothing is changed"),
        ("J", "The journal", "cannot be taken back"),
        ("C", "The page of commitments", "Nothing is changed"),
        ("W", "The ways to make a value persistent", "never over an existing one"),
    ] {
        let mut player = Player::on(usual());
        player.play(keys);
        let before = std::mem::discriminant(&player.app.mode);
        player.play("<F1>");
        let Mode::Help { page, below: Some(_) } = &player.app.mode else {
            panic!("{keys}: {:?}", player.app.mode)
        };
        let topic = page.topic.expect("it is about the dialog");
        assert_eq!(topic.title, title);
        assert!(topic.undo.contains(undo), "{keys}: {}", topic.undo);
        let screen = text(&paint(&mut player.app, FULL, 120, 40).0);
        assert!(screen.contains(title) && screen.contains("Can it be undone?"), "{screen}");
        player.play("<Esc>");
        assert_eq!(std::mem::discriminant(&player.app.mode), before, "{keys}: back to it");
    }
}

#[test]
fn a_dialog_must_be_seen_again_after_its_help() {
    let mut player = Player::on(usual());
    player.play("X<F1>");
    assert_eq!(player.play("y"), [], "y means nothing in the help");
    player.play("<Esc>");
    let now = player.now;
    assert_eq!(player.key_at(Key::char('y'), now + 100), [], "typed before it was seen");
    assert!(matches!(player.app.mode, Mode::Signal(_)), "{:?}", player.app.mode);
    let asked = player.play("y");
    assert!(matches!(asked[..], [Request::Act(_)]), "{asked:?}");
}

#[test]
fn letters_that_narrow_a_list_do_not_open_the_help() {
    let mut player = Player::on(usual());
    player.play(":h?");
    assert!(matches!(&player.app.mode, Mode::Menu(menu) if menu.typed == "h?"));
    player.key(Key::plain(KeyCode::F(1)));
    assert!(matches!(player.app.mode, Mode::Help { .. }));
}

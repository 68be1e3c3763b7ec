//! Dialogs on terminals of any size: what warns is read before a key confirms, and text uses the room there is.

use doomtop::app::mode::Mode;
use doomtop::app::{ActingMode, Request, Setup};
use doomtop::ui::Theme;

use crate::demo::show_before;
use crate::fixtures::{app, paint, press, text};
use crate::stage::{Player, setup, usual};

const PLAIN: Theme = crate::fixtures::theme(false, true);

/// The lines inside the box of the dialog.
fn inside(screen: &str, title: &str) -> Vec<String> {
    let lines = screen.lines().skip_while(|line| !line.contains(title)).skip(1);
    let inner = |line: &str| {
        let begin = line.find("│ ").map(|at| at + "│ ".len());
        begin.and_then(|at| line[at..].split('│').next()).unwrap_or_default().trim().to_owned()
    };
    lines.take_while(|line| !line.contains('╰')).map(inner).collect()
}

#[test]
fn a_warning_is_on_the_screen_before_the_key_that_confirms_acts() {
    for (width, height) in [(40, 10), (40, 6), (60, 9), (80, 12)] {
        let mut app = app("db-03.jsonl");
        paint(&mut app, PLAIN, width, height);
        press(&mut app, &["4411", "Esc", "X"]);
        let mut seen = String::new();
        for step in 0..30 {
            let screen = text(&paint(&mut app, PLAIN, width, height).0);
            seen.push_str(&screen.replace(['│', '\n'], " "));
            if screen.contains("y = do it") {
                break;
            }
            assert!(screen.contains("Down"), "{width}x{height}: a sign of more in\n{screen}");
            assert_eq!(press(&mut app, &["y"]), [], "{width}x{height}, step {step}\n{screen}");
            assert!(matches!(app.mode, Mode::Signal(_)));
            press(&mut app, &["Down"]);
        }
        let words = seen.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in
            ["SIGKILL", "NOT the", "predicted victim", "that is 20731", "frees", "its 81 threads"]
        {
            assert!(words.contains(part), "{width}x{height}: {part} in {words}");
        }
        let asked = press(&mut app, &["y"]);
        assert!(matches!(asked[..], [Request::Act(_)]), "{width}x{height}: {asked:?}");
    }
}

#[test]
fn the_other_signal_is_read_from_the_first_line_before_it_is_confirmed() {
    for (width, height) in [(40, 10), (60, 9)] {
        let mut app = app("db-03.jsonl");
        paint(&mut app, PLAIN, width, height);
        press(&mut app, &["4411", "Esc", "X"]);
        let to_the_end = |app: &mut _| {
            for _ in 0..30 {
                if text(&paint(app, PLAIN, width, height).0).contains("y = do it") {
                    return;
                }
                press(app, &["Down"]);
            }
            panic!("{width}x{height}: no end");
        };
        to_the_end(&mut app);
        assert_eq!(press(&mut app, &["s"]), []);
        let screen = text(&paint(&mut app, PLAIN, width, height).0);
        assert!(screen.contains("SIGTERM:"), "{width}x{height}: the signal in\n{screen}");
        // It may be shorter.
        if !screen.contains("y = do it") {
            assert_eq!(press(&mut app, &["y"]), [], "{width}x{height}\n{screen}");
            to_the_end(&mut app);
        }
        let asked = press(&mut app, &["y"]);
        assert!(matches!(asked[..], [Request::Act(_)]), "{width}x{height}: {asked:?}");
    }
}

#[test]
fn a_dialog_that_cannot_scroll_says_what_it_needs_and_confirms_nothing() {
    let mut app = app("db-03.jsonl");
    paint(&mut app, PLAIN, 40, 6);
    // Its warnings and its keys take more than four lines.
    press(&mut app, &["1203", "Esc", "a", "-900"]);
    let screen = text(&paint(&mut app, PLAIN, 40, 6).0);
    let whole = screen.contains("Esc") && screen.contains("Enter");
    assert_eq!(!whole, screen.contains("needs "), "{screen}");
    let asked = press(&mut app, &["Enter"]);
    assert_eq!(asked.is_empty(), !whole, "{asked:?}\n{screen}");
}

#[test]
fn the_first_line_of_a_sacrifice_is_the_choice_of_the_signal() {
    let mut player = Player::on(usual());
    player.play("600X");
    for (width, height) in [(80, 24), (120, 40)] {
        let screen = text(&paint(&mut player.app, PLAIN, width, height).0);
        let first = inside(&screen, "Sacrifice 600 java?")[0].clone();
        assert_eq!(first, "SIGKILL: no raw-I/O capability   s = SIGTERM instead", "{screen}");
    }
    player.play("s");
    let screen = text(&paint(&mut player.app, PLAIN, 80, 24).0);
    let first = inside(&screen, "Sacrifice 600 java?")[0].clone();
    assert_eq!(first, "SIGTERM: your choice, not the rule's   s = SIGKILL instead");
}

#[test]
fn the_predicted_victim_is_offered_where_it_is_another_one_and_by_its_name() {
    let mut player = Player::on(usual());
    player.play("X");
    let screen = text(&paint(&mut player.app, PLAIN, 120, 40).0);
    assert!(screen.contains("Sacrifice 500") && !screen.contains("v ="), "{screen}");
    player.play("<Esc>600X");
    let screen = text(&paint(&mut player.app, PLAIN, 120, 40).0);
    assert!(screen.contains("v = 500 chrome instead, the predicted victim"), "{screen}");
    player.play("v");
    assert!(matches!(&player.app.mode, Mode::Signal(it) if it.plan.who.pid == 500));
}

#[test]
fn where_nothing_is_done_no_dialog_says_do_it() {
    for (acting, word) in [
        (ActingMode::Demo, "this is the demo: nothing is signalled or written"),
        (ActingMode::Rehearsal, "dry run: it is checked, and nothing is done"),
    ] {
        for keys in ["X", "k<Enter>", "a5", "400 600 X", "o"] {
            let mut player = Player::with(Setup { acting, ..setup() }, usual());
            player.play(keys);
            if player.app.mode_is_browse() {
                continue;
            }
            let screen = text(&paint(&mut player.app, PLAIN, 120, 40).0);
            let asks = player.app.mode.asks();
            assert!(!asks || screen.contains(word), "{acting:?} {keys}:\n{screen}");
            assert!(!screen.contains("do it "), "{acting:?} {keys}:\n{screen}");
        }
    }
    let mut free = Player::on(usual());
    free.play("X");
    let screen = text(&paint(&mut free.app, PLAIN, 120, 40).0);
    assert!(screen.contains("y = do it") && !screen.contains("nothing is done"), "{screen}");
}

#[test]
fn a_path_is_broken_between_its_names_and_only_where_the_screen_is_too_narrow() {
    let mut show = show_before(0, 4);
    press(&mut show.app, &["Down"]);
    let chrome = show.app.scene.as_ref().unwrap().now().processes.iter();
    let chrome = chrome.filter(|it| it.comm.to_string() == "chrome").map(|it| it.id.pid).min();
    let pid = chrome.expect("a browser").to_string();
    paint(&mut show.app, PLAIN, 120, 40);
    press(&mut show.app, &[&pid, "Esc", "X"]);
    let path = "/user.slice/user-1000.slice/user@1000.service/app.slice/app-chromium.scope";
    for (width, height, lines_of_it) in [(120, 40, 1), (80, 24, 1), (60, 30, 2)] {
        let screen = text(&paint(&mut show.app, PLAIN, width, height).0);
        let lines = inside(&screen, "Sacrifice ");
        let begin = lines.iter().position(|it| it.contains("/user.slice/"));
        let begin = begin.unwrap_or_else(|| panic!("no path in\n{screen}"));
        let of_it = &lines[begin..begin + lines_of_it];
        assert!(of_it.concat().contains(path), "{width}:\n{screen}");
        let broken = &of_it[..lines_of_it - 1];
        assert!(broken.iter().all(|line| line.ends_with('/')), "{width}:\n{screen}");
    }
}

#[test]
fn a_menu_uses_the_width_of_the_terminal() {
    let mut app = app("db-03.jsonl");
    for keys in ["f", ":"] {
        paint(&mut app, PLAIN, 120, 40);
        press(&mut app, &[keys]);
        let screen = text(&paint(&mut app, PLAIN, 120, 40).0);
        let cut = |line: &str| line.split('│').nth(1).is_some_and(|inner| inner.contains('…'));
        let lines: Vec<&str> = screen.lines().filter(|line| cut(line)).collect();
        assert_eq!(lines, [""; 0], "{keys}");
        press(&mut app, &["Esc"]);
    }
}

//! Keys that nobody pressed, or not alone: they confirm nothing.

use crate::terminal::Terminal;
use crate::{Own, only};

/// Opens the dialog that kills a child of our own, waits until an answer would count, and sends this.
/// Returns the screen once doomtop has read it, and whether the child is alive.
fn answered(bytes: &str) -> (String, bool) {
    let mut child = Own::sleeper();
    let mut terminal = Terminal::run(120, 40, &[&only(child.pid())]);
    terminal.wait_for("the child", |text| text.contains(&child.pid().to_string()));
    terminal.send("X");
    terminal.wait_for("the dialog", |text| text.contains("y = do it"));
    // Longer than a dialog must be in view.
    terminal.wait_for_looks(4);
    terminal.send(bytes);
    terminal.wait_for_looks(3);
    let alive = child.0.try_wait().expect("a status").is_none();
    let text = terminal.text();
    // The dialog may be open still: the end of the terminal ends the program.
    drop(terminal);
    (text, alive)
}

#[test]
fn a_key_right_behind_what_is_no_key_confirms_nothing() {
    let (text, alive) = answered("y");
    assert!(!alive, "pressed alone, it counts:\n{text}");
    for (what, bytes) in [
        ("a paste", "\x1b[200~hello\x1b[201~y"),
        ("a change of focus", "\x1b[Iy"),
        ("an unknown sequence", "\x1b[?997;1ny"),
        ("an answer about the keyboard", "\x1b[?0uy"),
        ("an answer about the terminal", "\x1b[?62;4cy"),
        ("an arrow", "\x1b[Ay"),
    ] {
        let (text, alive) = answered(bytes);
        assert!(alive, "behind {what}:\n{text}");
    }
}

#[test]
fn keys_count_again_behind_an_answer_that_is_not_known() {
    let mut terminal = Terminal::run(100, 30, &[]);
    terminal.wait_for("the table", |text| text.contains("tasks"));
    assert_eq!(terminal.asked(), 0);
    // The colour scheme has changed: without an answer that ends with c, all keys would be taken for its rest.
    terminal.send("\x1b[?997;1n");
    terminal.wait_until("a question", |it| it.asked() == 1);
    terminal.send("\x1b[?62;4c");
    terminal.wait_for_looks(1);
    terminal.send("?");
    terminal.wait_for("the help page", |text| text.contains("/ finds"));
    terminal.send("\x1b");
    terminal.wait_for("the table", |text| text.contains("tasks"));
    assert_eq!(terminal.asked(), 1, "its answer is no reason to ask again");
    assert_eq!(terminal.quit(), 0);
}

#[test]
fn a_key_that_was_typed_while_doomtop_was_stopped_confirms_nothing() {
    let mut child = Own::sleeper();
    let mut terminal = Terminal::run(120, 40, &[&only(child.pid())]);
    terminal.wait_for("the child", |text| text.contains(&child.pid().to_string()));
    for _ in 0..5 {
        terminal.send("X");
        terminal.wait_for("the dialog", |text| text.contains("y = do it"));
        terminal.wait_for_looks(3);
        terminal.signal("STOP");
        terminal.wait_for_state('T');
        terminal.send("y");
        terminal.signal("CONT");
        terminal.wait_for_looks(3);
        assert!(child.0.try_wait().expect("a status").is_none(), "{}", terminal.text());
        // It closed the dialog, or was not read at all.
        if terminal.text().contains("y = do it") {
            terminal.send("\x1b");
            terminal.wait_for("the table", |text| !text.contains("y = do it"));
        }
        // Together with the next key, Esc would be Alt.
        terminal.wait_for_looks(1);
    }
    assert_eq!(terminal.quit(), 0);
}

//! Keys of full-screen pages.

use crate::app::keymap::action::Action;
use crate::app::keymap::key::{Key, KeyCode};
use crate::app::keymap::row::{JOURNAL, KeyBinding, LISTS, PAGE, PERSIST, c, k, row};

pub(in crate::app::keymap) const ROWS: &[KeyBinding] = &[
    row(PAGE, &[k(KeyCode::Up)], Action::Up, "", "a line up"),
    row(PAGE, &[k(KeyCode::Down)], Action::Down, "", "a line down"),
    row(PAGE, &[k(KeyCode::PageUp), Key::ctrl('b')], Action::PageUp, "", "a page up"),
    row(
        PAGE,
        &[k(KeyCode::PageDown), Key::ctrl('f'), c(' ')],
        Action::PageDown,
        "Page",
        "a page down",
    ),
    row(PAGE, &[k(KeyCode::Home), c('g')], Action::First, "", "begin"),
    row(PAGE, &[k(KeyCode::End), c('G')], Action::Last, "", "end"),
    row(PAGE, &[c('a')], Action::Adjust, "", "adjust the explained process"),
    row(PAGE, &[c('k'), k(KeyCode::F(9))], Action::SignalMenu, "", "signal the explained process"),
    row(PAGE, &[c('X')], Action::Sacrifice, "", "sacrifice the explained process"),
    row(PAGE, &[c('r')], Action::Revert, "", "revert the last change of adj; asks first"),
    row(PAGE, &[c('J')], Action::Journal, "", "the journal of the session"),
    row(
        PAGE,
        &[c('W')],
        Action::Persist,
        "",
        "how to make the adj of the explained process persistent",
    ),
    row(PAGE, &[c('y')], Action::Copy, "", "copy from the explained process"),
    row(
        PAGE,
        &[k(KeyCode::Esc), k(KeyCode::Enter), c('q'), k(KeyCode::F(1)), c('?'), c('h')],
        Action::Back,
        "Close",
        "close",
    ),
    row(PAGE, &[k(KeyCode::F(10)), Key::ctrl('c')], Action::Quit, "", "quit"),
    row(PAGE, &[Key::ctrl('z')], Action::Suspend, "", "suspend"),
    row(LISTS, &[k(KeyCode::Up)], Action::Up, "", "move up"),
    row(LISTS, &[k(KeyCode::Down)], Action::Down, "", "move down"),
    row(LISTS, &[k(KeyCode::PageUp), Key::ctrl('b')], Action::PageUp, "", "a page up"),
    row(LISTS, &[k(KeyCode::PageDown), Key::ctrl('f')], Action::PageDown, "", "a page down"),
    row(LISTS, &[k(KeyCode::Home), c('g')], Action::First, "", "first"),
    row(LISTS, &[k(KeyCode::End), c('G')], Action::Last, "", "last"),
    row(
        JOURNAL,
        &[k(KeyCode::Enter), c('r')],
        Action::PutBack,
        "",
        "revert this change, or make it again; asks first",
    ),
    row(JOURNAL, &[c('w')], Action::Write, "Write", "write the journal to a new file"),
    row(
        PERSIST,
        &[c('w')],
        Action::Write,
        "",
        "write the selected file: asks for a path, never overwrites",
    ),
    row(LISTS, &[c('y')], Action::Copy, "Copy", "copy the selected entry"),
    row(JOURNAL, &[k(KeyCode::Esc), c('q'), c('J')], Action::Back, "Close", "close"),
    row(PERSIST, &[k(KeyCode::Esc), c('q'), c('W')], Action::Back, "Close", "close"),
    row(LISTS, &[k(KeyCode::F(10)), Key::ctrl('c')], Action::Quit, "", "quit"),
    row(LISTS, &[Key::ctrl('z')], Action::Suspend, "", "suspend"),
];

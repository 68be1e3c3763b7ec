//! The input thread: waits for the terminal itself, so that one that vanished ends the program
//! instead of burning a core, and turns its events into keys.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::OwnedFd;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::{Duration, Instant};

use crossterm::event::{self, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use rustix::event::{PollFd, PollFlags, poll};

use crate::app::Msg;
use crate::app::keymap::bindings::{Key, KeyCode as Code};
use crate::units::Millis;

use crate::shell::tui::Event;

/// Starts the thread. `begun` is the moment that times are counted from.
///
/// # Errors
/// There is no terminal to read from.
pub(crate) fn start(inbox: Sender<Event>, begun: Instant) -> Result<(), String> {
    let terminal = open_terminal().map_err(|error| {
        format!("no terminal to read keys from: {error}; use --batch (-b) or --json")
    })?;
    // Its descriptors are opened by the first question: better now, with a word, than at the first key.
    event::poll(MOMENT).map_err(|error| format!("keys cannot be read: {error}"))?;
    let work = move || {
        if let Err(()) = read(&terminal, &inbox, begun) {
            let _ = inbox.send(Event::HungUp);
        }
    };
    thread::Builder::new()
        .name("input".to_owned())
        .spawn(work)
        .map(drop)
        .map_err(|error| format!("cannot start a thread: {error}"))
}

fn open_terminal() -> io::Result<OwnedFd> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        // Closed in the command of an alarm.
        return Ok(rustix::io::fcntl_dupfd_cloexec(stdin, 0)?);
    }
    Ok(File::open("/dev/tty")?.into())
}

/// How long the end of what came at once is waited for: with no time at all, crossterm does not look.
const MOMENT: Duration = Duration::from_millis(20);

/// Reads until the program ends (Ok) or the terminal is gone (Err).
fn read(terminal: &OwnedFd, inbox: &Sender<Event>, begun: Instant) -> Result<(), ()> {
    loop {
        let mut fds = [PollFd::new(terminal, PollFlags::IN)];
        match poll(&mut fds, None) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => return Err(()),
        }
        let seen = fds[0].revents();
        if seen.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
            return Err(());
        }
        let mut rest = Rest::default();
        // All that came at once; hardly a wait, because the next wait is ours.
        while event::poll(MOMENT).map_err(|_| ())? {
            let pressed = Millis(u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX));
            let message = match event::read().map_err(|_| ())? {
                event::Event::Key(key) => match key_of(key) {
                    Some(key) if !rest.swallows(key) => Msg::Key(key, pressed),
                    _ => continue,
                },
                event::Event::Paste(text) => Msg::Paste(text),
                _ => continue,
            };
            if inbox.send(Event::Told(message)).is_err() {
                return Ok(());
            }
        }
    }
}

/// The rest of a sequence that begins as no terminal library expects it, so that its letters arrive as
/// keys, all at once: Esc and an arrow in one piece (a slow line, Alt with an arrow on some terminals), or
/// the answer to a question that nobody asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Rest {
    /// Keys are keys.
    #[default]
    Nothing,
    /// An Esc came: what comes at once with it may belong to it.
    Escaped,
    /// `ESC [`: until a letter.
    Control,
    /// `ESC O`: one letter.
    Single,
    /// `ESC ]` and the like: until its end.
    Text,
}

impl Rest {
    /// Whether a key that came at once with those before it is no key.
    fn swallows(&mut self, key: Key) -> bool {
        let plain = (!key.ctrl && !key.alt).then_some(key.code);
        let (next, swallowed) = match (*self, plain) {
            (Self::Nothing | Self::Escaped, Some(Code::Esc)) => (Self::Escaped, false),
            (Self::Escaped, Some(Code::Char('['))) => (Self::Control, true),
            (Self::Escaped, Some(Code::Char('O'))) => (Self::Single, true),
            (Self::Escaped, Some(Code::Char(']' | 'P' | '^' | '_'))) => (Self::Text, true),
            (Self::Control, Some(Code::Char('@'..='~'))) | (Self::Single, _) => {
                (Self::Nothing, true)
            }
            (Self::Control, Some(Code::Char(_))) => (Self::Control, true),
            // BEL, or ESC and a backslash.
            (Self::Text, _) if key == Key::ctrl('g') || key == Key::alt('\\') => {
                (Self::Nothing, true)
            }
            (Self::Text, _) => (Self::Text, true),
            // `ESC ]` in one piece arrives as Alt with it.
            (_, None) if matches!(key.code, Code::Char(']' | 'P' | '^' | '_')) && key.alt => {
                (Self::Text, false)
            }
            _ => (Self::Nothing, false),
        };
        *self = next;
        swallowed
    }
}

/// A key of the terminal as the table of keys knows it.
fn key_of(event: KeyEvent) -> Option<Key> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    let code = match event.code {
        KeyCode::Char(c) => Code::Char(c),
        KeyCode::F(n) => Code::F(n),
        KeyCode::Enter => Code::Enter,
        KeyCode::Esc => Code::Esc,
        KeyCode::Tab => Code::Tab,
        KeyCode::BackTab => Code::BackTab,
        KeyCode::Backspace => Code::Backspace,
        KeyCode::Delete => Code::Delete,
        KeyCode::Up => Code::Up,
        KeyCode::Down => Code::Down,
        KeyCode::Left => Code::Left,
        KeyCode::Right => Code::Right,
        KeyCode::Home => Code::Home,
        KeyCode::End => Code::End,
        KeyCode::PageUp => Code::PageUp,
        KeyCode::PageDown => Code::PageDown,
        _ => return None,
    };
    // A shifted letter is its capital already.
    let tells = matches!(code, Code::Char(_) | Code::BackTab);
    Some(shifted_function_key(Key {
        code,
        ctrl: event.modifiers.contains(KeyModifiers::CONTROL),
        alt: event.modifiers.contains(KeyModifiers::ALT),
        shift: event.modifiers.contains(KeyModifiers::SHIFT) && !tells,
    }))
}

/// Many terminals send F13 to F24 for the function keys with Shift.
const fn shifted_function_key(key: Key) -> Key {
    match key.code {
        Code::F(n @ 13..=24) => Key { code: Code::F(n - 12), shift: true, ..key },
        _ => key,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_a_sequence_is_no_key() {
        let kept = |keys: &[Key]| {
            let mut rest = Rest::default();
            keys.iter().copied().filter(|&key| !rest.swallows(key)).collect::<Vec<_>>()
        };
        let keys = |text: &str| text.chars().map(Key::char).collect::<Vec<_>>();
        let esc = Key::plain(Code::Esc);
        for after in ["[A", "[1;5D", "OA", "[200~"] {
            let all: Vec<Key> = [esc].into_iter().chain(keys(after)).chain(keys("a")).collect();
            assert_eq!(kept(&all), [esc, Key::char('a')], "{after}");
        }
        let answer = [vec![Key::alt(']')], keys("11;rgb:0/X/k"), vec![Key::ctrl('g')], keys("q")];
        assert_eq!(kept(&answer.concat()), [Key::alt(']'), Key::char('q')]);
        assert_eq!(kept(&keys("[aO]X")), keys("[aO]X"), "typed keys are keys");
    }

    #[test]
    fn keys_keep_what_the_table_needs() {
        let key = |code, modifiers| key_of(KeyEvent::new(code, modifiers));
        assert_eq!(key(KeyCode::Char('X'), KeyModifiers::SHIFT), Some(Key::char('X')));
        assert_eq!(key(KeyCode::Char('c'), KeyModifiers::CONTROL), Some(Key::ctrl('c')));
        assert_eq!(key(KeyCode::Up, KeyModifiers::SHIFT), Some(Key::shift(Code::Up)));
        assert_eq!(key(KeyCode::F(19), KeyModifiers::NONE), Some(Key::shift(Code::F(7))));
        assert_eq!(key(KeyCode::CapsLock, KeyModifiers::NONE), None);
    }
}

//! The input thread: waits for the terminal itself, so that a terminal that vanished ends the program
//! instead of using all of a CPU, and turns terminal events into keys, clicks and turns of the
//! mouse wheel.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::OwnedFd;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use crossterm::event::{
    self, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::ioctl_fionread;

use crate::app::Msg;
use crate::app::keymap::bindings::{Key, KeyCode as Code};
use crate::shell::command_error::CommandError;
use crate::shell::event::{Event, Inbox, PointerEvent};
use crate::shell::thread;
use crate::units::Millis;

/// Starts the thread. Keys carry the time since `begun`.
///
/// # Errors
/// There is no terminal to read from.
pub(crate) fn start(inbox: Inbox, begun: Instant) -> Result<(), CommandError> {
    let terminal = open_terminal().map_err(|error| {
        CommandError::failure(format!("no terminal to read keys from: {error}"))
            .hint("use --batch (-b) or --json")
    })?;
    // crossterm opens its descriptors at the first poll: a failure is better reported now than at the
    // first key.
    event::poll(MOMENT)
        .map_err(|error| CommandError::failure(format!("cannot read keys: {error}")))?;
    let (progress, watched) = channel();
    let watcher = inbox.clone();
    thread::spawn("input watch", move || watch(&watched, &watcher))?;
    let work = move || {
        thread::touch_stack();
        if read(&terminal, &inbox, begun, &progress) == Err(HungUp) {
            let _ = inbox.send_event(Event::HungUp);
        }
    };
    thread::spawn("input", work).map(drop)
}

fn open_terminal() -> io::Result<OwnedFd> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        // Close-on-exec: the command of an alarm does not inherit it.
        return Ok(rustix::io::fcntl_dupfd_cloexec(stdin, 0)?);
    }
    Ok(File::open("/dev/tty")?.into())
}

/// How long to wait for the rest of what arrives at once. With no time at all crossterm does not look.
const MOMENT: Duration = Duration::from_millis(20);

/// The terminal is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct HungUp;

/// Reads until the main loop ends.
fn read(
    terminal: &OwnedFd,
    inbox: &Inbox,
    begun: Instant,
    progress: &Sender<Reading>,
) -> Result<(), HungUp> {
    loop {
        let mut fds = [PollFd::new(terminal, PollFlags::IN)];
        match poll(&mut fds, None) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => return Err(HungUp),
        }
        let seen = fds[0].revents();
        if seen.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
            return Err(HungUp);
        }
        let mut burst = InputBurst::of(ioctl_fionread(terminal).unwrap_or(0));
        let _ = progress.send(Reading::Begins);
        while event::poll(MOMENT).map_err(|_| HungUp)? {
            let _ = progress.send(Reading::Begins);
            let pressed = Millis(u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX));
            for event in burst.events(event::read().map_err(|_| HungUp)?, pressed) {
                if inbox.send_event(event).is_err() {
                    return Ok(());
                }
            }
        }
        let _ = progress.send(Reading::Ends);
    }
}

/// How far the input thread is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// crossterm reads what has arrived, or the rest of it.
    Begins,
    /// All that had arrived was read.
    Ends,
}

/// crossterm waits for the rest of a sequence for longer than this only where it does not know it.
const STUCK: Duration = Duration::from_millis(500);

/// Watches whether the input thread gets stuck. After `ESC [ ?` crossterm 0.29 takes everything up to a `u` or a `c` for
/// a part of one sequence, and waits for it: of an answer like `ESC [ ? 997 ; 1 n` no event comes, and none of the keys
/// behind it. The answer to a question that ends with a `c` ends that.
fn watch(readings: &Receiver<Reading>, inbox: &Inbox) {
    while let Ok(mut reading) = readings.recv() {
        while reading == Reading::Begins {
            let next = match readings.recv_timeout(STUCK) {
                // Asked once: a terminal that does not answer will not answer again.
                Err(RecvTimeoutError::Timeout) => match inbox.send_event(Event::HalfSequence) {
                    Ok(()) => readings.recv().ok(),
                    Err(_) => None,
                },
                next => next.ok(),
            };
            let Some(next) = next else { return };
            reading = next;
        }
    }
}

/// What arrives from the terminal at once.
#[derive(Debug, Default)]
struct InputBurst {
    sequence: UnknownSequence,
    /// Whether more than one byte arrived, and nothing tells yet what they are. crossterm keeps answers of the
    /// terminal to itself, so that a key behind one seems to be the first.
    is_long: bool,
}

impl InputBurst {
    /// So many bytes are there to be read.
    fn of(bytes: u64) -> Self {
        Self { is_long: bytes > 1, ..Self::default() }
    }

    /// What an event of the terminal means to the main loop.
    fn events(&mut self, event: event::Event, at: Millis) -> Vec<Event> {
        let other = || Event::Message(Msg::TerminalInput(at));
        let is_long = std::mem::take(&mut self.is_long);
        match event {
            event::Event::Key(key) => match key_of(key) {
                Some(key) if !self.sequence.swallows(key) => {
                    let key = Event::Message(Msg::Key(key, at));
                    if is_long { vec![other(), key] } else { vec![key] }
                }
                _ => vec![other()],
            },
            event::Event::Paste(text) => vec![other(), Event::Message(Msg::Paste(text))],
            // A mouse that is moved while a key is pressed says nothing about that key.
            event::Event::Mouse(mouse) => {
                pointer_of(mouse, at).map(Event::Pointer).into_iter().collect()
            }
            event::Event::FocusGained | event::Event::FocusLost => vec![other()],
            event::Event::Resize(..) => Vec::new(),
        }
    }
}

/// How far an escape sequence has come that crossterm does not know. Its letters arrive as keys, all at
/// once: Esc and an arrow in one piece (a slow line, Alt with an arrow on some terminals), or the answer
/// to a query of another program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum UnknownSequence {
    /// Keys are keys.
    #[default]
    None,
    /// An Esc arrived: keys that arrive at once with it may belong to it.
    Escape,
    /// `ESC [`: until a letter.
    Control,
    /// `ESC O`: one letter.
    Single,
    /// `ESC ]` and the like: until its terminator.
    Text,
}

impl UnknownSequence {
    /// Whether a key belongs to the sequence.
    fn swallows(&mut self, key: Key) -> bool {
        let plain = (!key.ctrl && !key.alt).then_some(key.code);
        let (next, swallowed) = match (*self, plain) {
            (Self::None | Self::Escape, Some(Code::Esc)) => (Self::Escape, false),
            (Self::Escape, Some(Code::Char('['))) => (Self::Control, true),
            (Self::Escape, Some(Code::Char('O'))) => (Self::Single, true),
            (Self::Escape, Some(Code::Char(']' | 'P' | '^' | '_'))) => (Self::Text, true),
            (Self::Control, Some(Code::Char('@'..='~'))) | (Self::Single, _) => (Self::None, true),
            (Self::Control, Some(Code::Char(_))) => (Self::Control, true),
            // BEL, or ESC and a backslash.
            (Self::Text, _) if key == Key::ctrl('g') || key == Key::alt('\\') => (Self::None, true),
            (Self::Text, _) => (Self::Text, true),
            // `ESC ]` in one piece arrives as Alt with it.
            (_, None) if matches!(key.code, Code::Char(']' | 'P' | '^' | '_')) && key.alt => {
                (Self::Text, false)
            }
            _ => (Self::None, false),
        };
        *self = next;
        swallowed
    }
}

/// A key of crossterm as the key table names it. `None` for keys that have no name there, and for releases.
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
    // Capitals and BackTab imply Shift.
    let implied = matches!(code, Code::Char(_) | Code::BackTab);
    Some(shifted_function_key(Key {
        code,
        ctrl: event.modifiers.contains(KeyModifiers::CONTROL),
        alt: event.modifiers.contains(KeyModifiers::ALT),
        shift: event.modifiers.contains(KeyModifiers::SHIFT) && !implied,
    }))
}

/// A turn of the wheel moves by so many lines.
const WHEEL_LINES: isize = 3;

/// A click of the left button, or a turn of the wheel. `None` for everything else.
fn pointer_of(mouse: MouseEvent, at: Millis) -> Option<PointerEvent> {
    let wheel = match mouse.kind {
        MouseEventKind::Down(MouseButton::Left) => None,
        MouseEventKind::ScrollUp => Some(-WHEEL_LINES),
        MouseEventKind::ScrollDown => Some(WHEEL_LINES),
        _ => return None,
    };
    Some(PointerEvent { x: mouse.column, y: mouse.row, wheel, at })
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
    fn the_letters_of_an_unknown_sequence_are_no_keys() {
        let kept = |keys: &[Key]| {
            let mut sequence = UnknownSequence::default();
            keys.iter().copied().filter(|&key| !sequence.swallows(key)).collect::<Vec<_>>()
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
    fn the_terminal_is_asked_once_where_reading_does_not_end() {
        let (inbox, events) = Inbox::new();
        let (progress, watched) = channel();
        let watcher = std::thread::spawn(move || watch(&watched, &inbox));
        let send = |reading| progress.send(reading).expect("watched");
        send(Reading::Begins);
        send(Reading::Ends);
        send(Reading::Begins);
        let asked = events.recv_timeout(Duration::from_secs(60)).expect("a question");
        assert!(matches!(asked, Event::HalfSequence), "{asked:?}");
        send(Reading::Ends);
        send(Reading::Begins);
        send(Reading::Ends);
        drop(progress);
        watcher.join().expect("it ends with the input");
        assert_eq!(events.try_iter().count(), 0, "asked once");
    }

    /// The messages as text.
    fn told(burst: &mut InputBurst, event: event::Event) -> Vec<&'static str> {
        let told = burst.events(event, Millis(7)).into_iter().map(|event| match event {
            Event::Message(Msg::Key(..)) => "key",
            Event::Message(Msg::TerminalInput(Millis(7))) => "other",
            Event::Message(Msg::Paste(_)) => "paste",
            Event::Pointer(_) => "pointer",
            other => panic!("{other:?}"),
        });
        told.collect()
    }

    #[test]
    fn what_is_no_key_is_told_so_that_a_key_behind_it_does_not_confirm() {
        let key = |code| event::Event::Key(KeyEvent::new(code, KeyModifiers::NONE));
        let y = || key(KeyCode::Char('y'));
        assert_eq!(told(&mut InputBurst::of(1), y()), ["key"], "pressed alone");
        let mut burst = InputBurst::of(6);
        assert_eq!(told(&mut burst, y()), ["other", "key"], "behind an answer of the terminal");
        assert_eq!(told(&mut burst, y()), ["key"], "the time of the first one counts");
        assert_eq!(
            told(&mut InputBurst::of(9), event::Event::Paste("x".into())),
            ["other", "paste"]
        );
        assert_eq!(told(&mut InputBurst::of(3), event::Event::FocusGained), ["other"]);
        assert_eq!(told(&mut InputBurst::of(2), key(KeyCode::CapsLock)), ["other"]);
        let mut burst = InputBurst::of(3);
        assert_eq!(told(&mut burst, key(KeyCode::Esc)), ["other", "key"]);
        assert_eq!(told(&mut burst, key(KeyCode::Char('['))), ["other"], "of a sequence");
        let click = MouseEvent {
            kind: MouseEventKind::Down(MouseButton::Left),
            column: 0,
            row: 0,
            modifiers: KeyModifiers::NONE,
        };
        assert_eq!(told(&mut InputBurst::of(9), event::Event::Mouse(click)), ["pointer"]);
        assert_eq!(told(&mut InputBurst::of(9), event::Event::Resize(1, 1)), [""; 0]);
    }

    #[test]
    fn keys_are_named_as_in_the_key_table() {
        let key = |code, modifiers| key_of(KeyEvent::new(code, modifiers));
        assert_eq!(key(KeyCode::Char('X'), KeyModifiers::SHIFT), Some(Key::char('X')));
        assert_eq!(key(KeyCode::Char('c'), KeyModifiers::CONTROL), Some(Key::ctrl('c')));
        assert_eq!(key(KeyCode::Up, KeyModifiers::SHIFT), Some(Key::shift(Code::Up)));
        assert_eq!(key(KeyCode::F(19), KeyModifiers::NONE), Some(Key::shift(Code::F(7))));
        assert_eq!(key(KeyCode::CapsLock, KeyModifiers::NONE), None);
    }
}

//! What reaches the main loop: messages for the app, signals, the state of the terminal. Threads send
//! it through an [`Inbox`].

use std::sync::mpsc::{Receiver, Sender, channel};

use crate::app::Msg;
use crate::model::LogLine;
use crate::units::Millis;

/// Something that the main loop handles.
#[derive(Debug)]
pub(crate) enum Event {
    /// A message for the app.
    Message(Msg),
    /// Lines about OOM kills were written to a log: for recordings.
    LogLines(Vec<LogLine>),
    /// The mouse.
    Pointer(PointerEvent),
    /// The player has read the recording to its end.
    RecordingRead,
    /// SIGTSTP: give the terminal back and stop.
    Suspend,
    /// SIGCONT: take the terminal again.
    Continue,
    /// SIGWINCH.
    Resize,
    /// SIGUSR1: write the newest sample to a file.
    Dump,
    /// The number of a signal that ends the program.
    Terminate(i32),
    /// What arrived from the terminal is no key, and keys may be taken for its rest: the terminal is asked for something
    /// whose answer ends it.
    HalfSequence,
    /// The terminal is gone.
    HungUp,
}

impl Event {
    /// Whether it changes the picture only where the app says so.
    pub(crate) const fn is_quiet(&self) -> bool {
        matches!(
            self,
            Self::Message(Msg::UsageRead(_) | Msg::TerminalInput(_)) | Self::HalfSequence
        )
    }
}

/// What the mouse did, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PointerEvent {
    /// The column of the cell, from 0.
    pub(crate) x: u16,
    /// The line of the cell, from 0.
    pub(crate) y: u16,
    /// The number of lines that the wheel was turned by; nothing is a click.
    pub(crate) wheel: Option<isize>,
    /// When it was read from the terminal.
    pub(crate) at: Millis,
}

/// The main loop has ended: nothing that is sent arrives any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LoopEnded;

/// The sending side of the main loop's queue. Each thread has its own.
#[derive(Clone, Debug)]
pub(crate) struct Inbox(Sender<Event>);

impl Inbox {
    /// An inbox and the queue that it fills.
    pub(crate) fn new() -> (Self, Receiver<Event>) {
        let (sender, events) = channel();
        (Self(sender), events)
    }

    /// Sends a message for the app.
    ///
    /// # Errors
    /// The main loop has ended.
    pub(crate) fn send(&self, message: Msg) -> Result<(), LoopEnded> {
        self.send_event(Event::Message(message))
    }

    /// Sends any event.
    ///
    /// # Errors
    /// The main loop has ended.
    pub(crate) fn send_event(&self, event: Event) -> Result<(), LoopEnded> {
        self.0.send(event).map_err(|_| LoopEnded)
    }
}

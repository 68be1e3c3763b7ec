//! A recording as the screen plays it: a thread reads it as fast as it can, and the mind moves through
//! what came so far.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, sync_channel};
use std::thread;

use crate::app::refresh::playback::PlaySpeed;
use crate::app::{Msg, NoticeLevel};
use crate::model::Needs;
use crate::source::{Source, SourceError};

use crate::shell::tui::Event;

/// So many bytes of looks are kept of a recording; the first ones give way.
pub(crate) const ROOM: usize = 1 << 30;

/// How much of the file was read.
#[derive(Clone, Default)]
pub(crate) struct ReadProgress {
    read: Arc<AtomicU64>,
    size: u64,
}

impl ReadProgress {
    /// Of a file of so many bytes.
    pub(crate) fn of(size: u64) -> Self {
        Self { read: Arc::default(), size }
    }

    fn percent(&self) -> u64 {
        (self.read.load(Ordering::Relaxed).saturating_mul(100) / self.size.max(1)).min(100)
    }
}

/// A file that counts what is read of it.
pub(crate) struct CountingReader {
    /// The file.
    pub(crate) file: File,
    /// The count.
    pub(crate) progress: ReadProgress,
}

impl Read for CountingReader {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read(room)?;
        self.progress.read.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

/// A recording, and how it is to be played.
pub(crate) struct Player {
    /// The looks.
    pub(crate) source: Box<dyn Source>,
    /// How much of them was read.
    pub(crate) progress: ReadProgress,
    /// How fast it begins.
    pub(crate) speed: PlaySpeed,
    /// Where it begins, as it was typed: known only when all was read.
    pub(crate) at: Option<String>,
}

/// So many looks are read ahead: where the loop stands still, the rest of the file waits in the file.
const AHEAD: usize = 64;

/// Starts the thread. One is to be received for each look that was taken.
///
/// # Errors
/// The system has no room for another thread.
pub(crate) fn start(
    mut source: Box<dyn Source>,
    progress: ReadProgress,
    inbox: Sender<Event>,
) -> Result<Receiver<()>, String> {
    let (places, taken) = sync_channel(AHEAD);
    let work = move || {
        let tell = |message: Msg| inbox.send(Event::Told(message)).is_ok();
        let (mut samples, mut told) = (0_u64, 0);
        loop {
            let message = match source.sample(&Needs::default(), None) {
                Ok(sample) => {
                    samples += 1;
                    if places.send(()).is_err() {
                        return;
                    }
                    Msg::Played(sample)
                }
                Err(lost @ SourceError::Damaged { .. }) => Msg::SamplingFailed(lost.to_string()),
                Err(SourceError::End) if samples > 0 => {
                    tell(Msg::Notice(NoticeLevel::Good, format!("read: {samples} looks")));
                    break;
                }
                Err(lost @ (SourceError::Cut { .. } | SourceError::Bad { .. })) if samples > 0 => {
                    tell(Msg::SamplingFailed(lost.to_string()));
                    break;
                }
                Err(lost) => {
                    tell(crate::shell::failed(&lost));
                    break;
                }
            };
            if !tell(message) {
                return;
            }
            let percent = progress.percent();
            if percent >= told + 5 && percent < 100 {
                told = percent;
                if !tell(Msg::Notice(
                    NoticeLevel::Plain,
                    format!("read {percent}% of the recording"),
                )) {
                    return;
                }
            }
        }
        let _ = inbox.send(Event::AllRead);
    };
    let started = thread::Builder::new().name("film".to_owned()).spawn(work);
    started.map(|_| taken).map_err(|error| format!("cannot start a thread: {error}"))
}

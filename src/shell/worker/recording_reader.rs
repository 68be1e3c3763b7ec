//! The thread that reads a recording for the screen, as fast as it can. The app moves through what has
//! arrived.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};

use crate::app::refresh::playback::PlaySpeed;
use crate::app::{Msg, NoticeLevel};
use crate::model::Needs;
use crate::shell::command_error::CommandError;
use crate::shell::event::{Event, Inbox};
use crate::shell::thread;
use crate::shell::worker::sampler;
use crate::source::{Source, SourceError};

/// Maximum memory for the samples of a recording, in bytes; the oldest samples are dropped first.
pub(crate) const MAX_BYTES: usize = 1 << 30;

/// How much of a file was read.
#[derive(Clone, Default)]
pub(crate) struct ReadProgress {
    read: Arc<AtomicU64>,
    size: u64,
}

impl ReadProgress {
    /// Nothing yet of a file of this size in bytes.
    pub(crate) fn of(size: u64) -> Self {
        Self { read: Arc::default(), size }
    }

    fn percent(&self) -> u64 {
        (self.read.load(Ordering::Relaxed).saturating_mul(100) / self.size.max(1)).min(100)
    }
}

/// A file that counts what is read from it.
pub(crate) struct CountingReader {
    /// The file.
    pub(crate) file: File,
    /// The count.
    pub(crate) progress: ReadProgress,
}

impl Read for CountingReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read(buffer)?;
        self.progress.read.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

/// A recording, and how it is played.
pub(crate) struct Player {
    /// The samples.
    pub(crate) source: Box<dyn Source>,
    /// How much of the file was read.
    pub(crate) progress: ReadProgress,
    /// The speed at the start.
    pub(crate) speed: PlaySpeed,
    /// Where playing starts, as it was typed: it can be found only when all is read.
    pub(crate) at: Option<String>,
    /// The part that is read, in milliseconds since 1970: a recording of a day would not fit into the memory.
    pub(crate) part: Option<(i64, i64)>,
}

/// Maximum number of samples that wait for the main loop. While the loop is blocked, the rest of the
/// recording stays in its file.
const READ_AHEAD: usize = 64;

/// Steps in which progress is reported, in percent.
const STEP: u64 = 5;

/// Starts the thread. The main loop takes one `()` from the returned receiver for each sample that it has
/// handled.
///
/// # Errors
/// The system has no resources for another thread.
pub(crate) fn start(
    mut source: Box<dyn Source>,
    progress: ReadProgress,
    part: Option<(i64, i64)>,
    inbox: Inbox,
) -> Result<Receiver<()>, CommandError> {
    let (places, taken) = sync_channel(READ_AHEAD);
    let work = move || {
        let (mut samples, mut reported) = (0_u64, 0);
        loop {
            let message = match source.sample(&Needs::default(), None) {
                Ok(sample) if part.is_some_and(|(from, _)| sample.clock.unix_ms < from) => continue,
                Ok(sample) if part.is_some_and(|(_, to)| sample.clock.unix_ms > to) => {
                    let _ = inbox.send(last_message(&SourceError::End, samples));
                    break;
                }
                Ok(sample) => {
                    samples += 1;
                    if places.send(()).is_err() {
                        return;
                    }
                    Msg::Played(sample)
                }
                Err(lost @ SourceError::Damaged { .. }) => Msg::SamplingFailed(lost.to_string()),
                Err(lost) => {
                    let _ = inbox.send(last_message(&lost, samples));
                    break;
                }
            };
            if inbox.send(message).is_err() {
                return;
            }
            let percent = progress.percent();
            if percent >= reported + STEP && percent < 100 {
                reported = percent;
                let text = format!("read {percent}% of the recording");
                if inbox.send(Msg::Notice(NoticeLevel::Plain, text)).is_err() {
                    return;
                }
            }
        }
        let _ = inbox.send_event(Event::RecordingRead);
    };
    thread::spawn("player", work)?;
    Ok(taken)
}

/// How reading ended.
fn last_message(lost: &SourceError, samples: u64) -> Msg {
    match lost {
        SourceError::End if samples > 0 => {
            Msg::Notice(NoticeLevel::Good, format!("read: {samples} samples"))
        }
        SourceError::End => Msg::SourceLost("the recording holds no sample".to_owned()),
        SourceError::Cut { .. } | SourceError::Bad { .. } if samples > 0 => {
            Msg::SamplingFailed(lost.to_string())
        }
        lost => sampler::failure(lost),
    }
}

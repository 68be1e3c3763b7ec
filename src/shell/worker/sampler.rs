//! The sampler thread: takes one sample per request.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

use crate::app::Msg;
use crate::model::{LogLine, Needs, Snapshot};
use crate::shell::command_error::CommandError;
use crate::shell::event::Inbox;
use crate::shell::thread;
use crate::source::{Source, SourceError};

/// What a sample must contain, a snapshot whose memory can be reused, and the lines of logs that belong to
/// the sample.
type SampleRequest = (Needs, Option<Arc<Snapshot>>, Vec<LogLine>);

/// The requests of the main loop to the sampler thread: at most one at a time.
pub(crate) struct Sampler {
    requests: Sender<SampleRequest>,
    busy: bool,
}

impl Sampler {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system has no resources for another thread.
    pub(crate) fn start(mut source: Box<dyn Source>, inbox: Inbox) -> Result<Self, CommandError> {
        let (requests, requested) = channel::<SampleRequest>();
        let work = move || {
            for (needs, spent, lines) in requested {
                source.add_log(lines);
                let message = match source.sample(&needs, spent) {
                    Ok(snapshot) => Msg::Sampled(snapshot),
                    Err(lost) => failure(&lost),
                };
                let is_last = matches!(message, Msg::SourceLost(_));
                if inbox.send(message).is_err() || is_last {
                    return;
                }
            }
        };
        thread::spawn("sampler", work)?;
        Ok(Self { requests, busy: false })
    }

    /// Requests a sample, unless one is being taken.
    pub(crate) fn sample(
        &mut self,
        needs: Needs,
        spent: Option<Arc<Snapshot>>,
        lines: Vec<LogLine>,
    ) {
        if !self.busy {
            self.busy = self.requests.send((needs, spent, lines)).is_ok();
        }
    }

    /// Whether a sample is being taken.
    pub(crate) const fn is_busy(&self) -> bool {
        self.busy
    }

    /// The sample, or why there is none, has arrived.
    pub(crate) const fn done(&mut self) {
        self.busy = false;
    }
}

/// What a failed sample means for the next ones, as a message.
pub(crate) fn failure(lost: &SourceError) -> Msg {
    match lost {
        SourceError::End => Msg::SourceLost("end of the recording".to_owned()),
        // The machine may be readable again at the next refresh; a recording goes on after the damage.
        SourceError::Unreadable(_) | SourceError::Damaged { .. } => {
            Msg::SamplingFailed(lost.to_string())
        }
        other => Msg::SourceLost(other.to_string()),
    }
}

//! The metrics at a loopback address: one client at a time, each with a sample that is no older than the
//! refresh interval.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::Exporter;
use super::http::{self, HttpRefusal};
use crate::model::Snapshot;
use crate::shell::command::headless::{Pace, RESPONSE};
use crate::shell::command::sampling::{self, Sampled};
use crate::shell::command_error::CommandError;
use crate::shell::stdio::{RepeatedComplaint, complain};
use crate::source::Source;

/// Answers requests until the number of answers is reached, the source ends, or a signal arrives.
///
/// # Errors
/// The address cannot be used, or the machine cannot be sampled.
pub(super) fn run(
    address: SocketAddr,
    source: &mut dyn Source,
    exporter: &mut Exporter,
    pace: &Pace,
) -> Result<(), CommandError> {
    let failed = |error: io::Error| CommandError::failure(format!("{address}: {error}"));
    let listener = TcpListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let own = listener.local_addr().map_err(failed)?;
    let mut samples = ServedSamples::new(source, exporter);
    // The first sample is taken before any request: a machine that cannot be sampled is reported at once.
    samples.take()?;
    complain(&format!("http://{own}/metrics"));
    let mut answers = 0;
    while !samples.over && !pace.is_over(answers) {
        let mut fds = [PollFd::new(listener.as_fd(), PollFlags::POLLIN)];
        let timeout = PollTimeout::try_from(RESPONSE).unwrap_or(PollTimeout::ZERO);
        let _ = poll(&mut fds, timeout);
        if pace.end.is_set() {
            return Ok(());
        }
        match listener.accept() {
            Ok((stream, _)) => {
                answers += u64::from(answer(stream, &mut samples, pace)? == Answered::Metrics);
            }
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            // The client has gone, or no descriptor is left: others may come.
            Err(error) => {
                samples.failed.set(Some(format!("{address}: {error}")));
                thread::sleep(RESPONSE);
            }
        }
    }
    Ok(())
}

/// What a client got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answered {
    Metrics,
    Refusal,
}

fn answer(
    mut stream: TcpStream,
    samples: &mut ServedSamples<'_>,
    pace: &Pace,
) -> Result<Answered, CommandError> {
    if stream.set_nonblocking(false).is_err() {
        return Ok(Answered::Refusal);
    }
    let format = match http::read(&mut stream) {
        Ok(format) => format,
        Err(refusal) => {
            if let Some(refusal) = refusal {
                http::answer(stream, Err(refusal));
            }
            return Ok(Answered::Refusal);
        }
    };
    if samples.taken.elapsed() >= Duration::from_millis(pace.delay.0) {
        samples.take()?;
    }
    match samples.exporter.text(format).filter(|_| !samples.stale) {
        Some(text) => {
            http::answer(stream, Ok((format, &text)));
            Ok(Answered::Metrics)
        }
        None => {
            http::answer(stream, Err(HttpRefusal::Unavailable));
            Ok(Answered::Refusal)
        }
    }
}

/// The samples that are served.
struct ServedSamples<'a> {
    source: &'a mut dyn Source,
    exporter: &'a mut Exporter,
    spent: Option<Arc<Snapshot>>,
    count: u64,
    /// When the newest sample was asked for.
    taken: Instant,
    /// The newest sample could not be taken.
    stale: bool,
    /// The source has ended.
    over: bool,
    failed: RepeatedComplaint,
}

impl<'a> ServedSamples<'a> {
    fn new(source: &'a mut dyn Source, exporter: &'a mut Exporter) -> Self {
        let (taken, failed) = (Instant::now(), RepeatedComplaint::default());
        let (count, stale, over) = (0, false, false);
        Self { source, exporter, spent: None, count, taken, stale, over, failed }
    }

    /// Takes the next sample.
    ///
    /// # Errors
    /// The first one failed, or sampling failed for good.
    fn take(&mut self) -> Result<(), CommandError> {
        self.taken = Instant::now();
        let needs = self.exporter.needs();
        match sampling::next(self.source, &needs, self.spent.take(), self.count)? {
            Sampled::New(sample) => {
                self.failed.set(None);
                self.count += 1;
                self.stale = false;
                self.spent = self.exporter.update(sample, self.source, self.taken)?;
            }
            Sampled::Missed(why) => {
                self.failed.set(Some(why));
                self.stale = true;
            }
            Sampled::Over => self.over = true,
        }
        Ok(())
    }
}

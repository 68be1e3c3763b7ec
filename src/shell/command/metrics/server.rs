//! The metrics at a loopback address: any number of clients, each with a sample that is no older than the
//! refresh interval.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use super::Exporter;
use super::connections::{self, Arrival, ScrapeRequest};
use crate::model::Snapshot;
use crate::shell::command::headless::{RESPONSE, SamplePace};
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
    pace: &SamplePace,
) -> Result<(), CommandError> {
    let failed = |error: io::Error| CommandError::failure(format!("{address}: {error}"));
    let listener = TcpListener::bind(address).map_err(failed)?;
    let own = listener.local_addr().map_err(failed)?;
    let mut samples = ServedSamples::new(source, exporter);
    // The first sample is taken before any request: a machine that cannot be sampled is reported at once.
    samples.take()?;
    complain(&format!("http://{own}/metrics"));
    let inbox = connections::accept(listener)?;
    let (mut answers, mut unsent) = (0, Vec::new());
    while !samples.over && !pace.is_over(answers) {
        match inbox.recv_timeout(RESPONSE) {
            Ok(Arrival::Request(request)) => {
                unsent.retain(|sent: &Receiver<()>| sent.try_recv() == Err(TryRecvError::Empty));
                let text = text(&request, &mut samples, pace)?;
                answers += u64::from(text.is_some());
                unsent.push(request.answer(text));
            }
            Ok(Arrival::Failed(error)) => samples.failed.set(Some(format!("{address}: {error}"))),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    unsent.iter().for_each(connections::wait_until_sent);
    Ok(())
}

/// The metrics for a request; `None` where there is no current sample.
fn text(
    request: &ScrapeRequest,
    samples: &mut ServedSamples<'_>,
    pace: &SamplePace,
) -> Result<Option<String>, CommandError> {
    if samples.taken.elapsed() >= Duration::from_millis(pace.delay.0) {
        samples.take()?;
    }
    Ok(samples.exporter.text(request.format).filter(|_| !samples.stale))
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

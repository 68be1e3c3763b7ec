//! The connections of scrapers: each has a thread of its own, so that nobody waits for one that is slow or silent.
//! Their number is bounded, and so is the time that each has.

use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::sleep;

use super::http::{self, HttpRefusal, TIMEOUT};
use crate::report::metrics::MetricsFormat;
use crate::shell::command::headless::RESPONSE;
use crate::shell::command_error::CommandError;
use crate::shell::thread;

/// Maximum number of connections at a time. Further ones wait in the queue of the system; since every
/// connection ends within seconds, their turn comes.
const MOST: usize = 64;

/// What the connections report.
pub(super) enum Arrival {
    /// A scraper asks for the metrics.
    Request(ScrapeRequest),
    /// No connection could be accepted: why.
    Failed(String),
}

/// A request that waits for its answer.
pub(super) struct ScrapeRequest {
    /// What the scraper understands.
    pub format: MetricsFormat,
    reply: SyncSender<Option<String>>,
    sent: Receiver<()>,
}

impl ScrapeRequest {
    /// Has this text sent; `None` where there is no current sample. The receiver is closed when it was sent.
    pub(super) fn answer(self, text: Option<String>) -> Receiver<()> {
        // An error means that the thread of the connection has ended: so has the wait for it.
        let _ = self.reply.send(text);
        self.sent
    }
}

/// Waits until an answer was sent, as long as a connection may take.
pub(super) fn wait_until_sent(sent: &Receiver<()>) {
    let _ = sent.recv_timeout(TIMEOUT * 2);
}

/// Accepts connections in a thread, and reports their requests.
///
/// # Errors
/// The thread cannot be started.
pub(super) fn accept(listener: TcpListener) -> Result<Receiver<Arrival>, CommandError> {
    let (arrivals, inbox) = channel();
    let work = move || {
        let slots = Arc::new(Slots::default());
        loop {
            let slot = Slot::take(&slots);
            match listener.accept() {
                Ok((stream, _)) => {
                    let arrivals = arrivals.clone();
                    let work = move || {
                        serve(stream, &arrivals);
                        drop(slot);
                    };
                    // Without resources for a thread, the connection is closed.
                    let _ = thread::spawn("connection", work);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // The client has gone, or no descriptor is left: others may come.
                Err(error) => {
                    if arrivals.send(Arrival::Failed(error.to_string())).is_err() {
                        return;
                    }
                    sleep(RESPONSE);
                }
            }
        }
    };
    thread::spawn("scrapers", work)?;
    Ok(inbox)
}

/// Reads a request, has it answered, and closes the connection.
fn serve(mut stream: TcpStream, arrivals: &Sender<Arrival>) {
    let format = match http::read(&mut stream) {
        Ok(format) => format,
        Err(refusal) => {
            if let Some(refusal) = refusal {
                http::answer(stream, Err(refusal));
            }
            return;
        }
    };
    let (reply, answer) = sync_channel(1);
    let (sending, sent) = sync_channel(0);
    let request = ScrapeRequest { format, reply, sent };
    if arrivals.send(Arrival::Request(request)).is_err() {
        return;
    }
    if let Ok(text) = answer.recv() {
        let text = text.as_deref().ok_or(HttpRefusal::Unavailable);
        http::answer(stream, text.map(|text| (format, text)));
    }
    drop(sending);
}

/// How many connections there are.
#[derive(Default)]
struct Slots {
    taken: Mutex<usize>,
    freed: Condvar,
}

impl Slots {
    fn taken(&self) -> MutexGuard<'_, usize> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one connection, given back on drop.
struct Slot(Arc<Slots>);

impl Slot {
    /// Waits for a free place.
    fn take(slots: &Arc<Slots>) -> Self {
        let taken = slots.freed.wait_while(slots.taken(), |taken| *taken >= MOST);
        *taken.unwrap_or_else(PoisonError::into_inner) += 1;
        Self(Arc::clone(slots))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        *self.0.taken() -= 1;
        self.0.freed.notify_one();
    }
}

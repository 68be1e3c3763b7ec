//! Writing a recording: a whole look at least every minute, what changed between, all compressed, and
//! flushed after each look so that a crash or a full disk loses no more than the last one.
//!
//! It is gzip of JSON lines: `zcat` shows it. Each whole look begins a member of its own.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::model::{SCHEMA, Snapshot};
use crate::source::delta;
use crate::units::Millis;

/// The form of a line that holds only what changed since the line before.
pub(crate) const DELTA: &str = "doomtop-delta/1";
/// What a whole look in a tape is marked by: lines of changes may follow.
pub(crate) const TAPE: &str = "tape";

/// A whole look at least so often.
const WHOLE: Millis = Millis(60_000);

/// A recording that is being written.
pub struct Recorder<W: Write> {
    /// Nothing only while one member is exchanged for the next.
    out: Option<GzEncoder<Counted<W>>>,
    /// Whether there is anything in it.
    begun: bool,
    last: Option<Value>,
    /// When the last whole look was taken, on its monotonic clock.
    whole: Millis,
}

/// Counts what goes to the file.
struct Counted<W> {
    to: W,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

fn pack<W: Write>(to: W) -> GzEncoder<W> {
    GzEncoder::new(to, Compression::default())
}

impl<W: Write> Recorder<W> {
    /// A recording that goes to `out`.
    pub fn new(out: W) -> Self {
        let out = pack(Counted { to: out, bytes: 0 });
        Self { out: Some(out), begun: false, last: None, whole: Millis(0) }
    }

    /// Writes a look.
    ///
    /// # Errors
    /// It could not be written; what came before stands.
    pub fn write(&mut self, snapshot: &Snapshot) -> io::Result<()> {
        let now = snapshot.clock.monotonic_ms;
        let value = serde_json::to_value(snapshot)?;
        let due = now.0 >= self.whole.0.saturating_add(WHOLE.0) || now < self.whole;
        let line = match self.last.take().filter(|_| !due) {
            Some(last) => {
                let changed = delta::diff(&last, &value).unwrap_or_else(|| json!({}));
                json!({ "schema": DELTA, "changed": changed })
            }
            None => {
                self.whole = now;
                self.begin()?;
                let mut whole = value.clone();
                whole["schema"] = json!(SCHEMA);
                whole[TAPE] = json!(1);
                whole
            }
        };
        self.last = Some(value);
        let Some(out) = &mut self.out else { return Err(io::ErrorKind::BrokenPipe.into()) };
        serde_json::to_writer(&mut *out, &line)?;
        out.write_all(b"\n")?;
        out.flush()
    }

    /// Ends the member before, and begins another one.
    fn begin(&mut self) -> io::Result<()> {
        if let Some(out) = self.out.take() {
            let out = if self.begun { pack(out.finish()?) } else { out };
            self.out = Some(out);
        }
        self.begun = true;
        Ok(())
    }

    /// How many bytes there are so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.out.as_ref().map_or(0, |out| out.get_ref().bytes)
    }

    /// Ends it.
    ///
    /// # Errors
    /// The end could not be written; all looks stand.
    pub fn finish(mut self) -> io::Result<W> {
        match self.out.take() {
            Some(out) => Ok(out.finish()?.to),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}

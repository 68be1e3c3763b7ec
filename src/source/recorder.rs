//! Writes a recording: a full sample at least once per minute and the changes in between, compressed, and
//! flushed after each sample, so that a crash or a full disk loses only the last one.
//!
//! The format is gzip of JSON lines; `zcat` prints it. Each full sample begins a gzip member of its own,
//! so that a reader can continue after damage.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::model::{SCHEMA, Snapshot};
use crate::source::delta;
use crate::units::Millis;

/// The `schema` of a line that holds only the changes since the line before.
pub(crate) const DELTA: &str = "doomtop-delta/1";
/// The key that marks a full sample after which lines of changes may follow.
pub(crate) const MARK: &str = "tape";

/// Maximum interval between two full samples.
const FULL_INTERVAL: Millis = Millis(60_000);

/// A recording that is being written.
pub struct Recorder<W: Write> {
    /// `None` only while one gzip member ends and the next begins, and after an error in between.
    out: Option<GzEncoder<Counted<W>>>,
    /// Whether a sample was written.
    begun: bool,
    /// The last sample, to find the changes.
    last: Option<Value>,
    /// Monotonic time of the last full sample.
    full_at: Millis,
}

/// Counts the bytes that go to the file.
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
    /// A recording that is written to `out`.
    pub fn new(out: W) -> Self {
        let out = pack(Counted { to: out, bytes: 0 });
        Self { out: Some(out), begun: false, last: None, full_at: Millis(0) }
    }

    /// Writes a sample.
    ///
    /// # Errors
    /// The sample could not be written. The samples before remain readable.
    pub fn write(&mut self, snapshot: &Snapshot) -> io::Result<()> {
        let now = snapshot.clock.monotonic_ms;
        let value = serde_json::to_value(snapshot)?;
        let due = now.0 >= self.full_at.0.saturating_add(FULL_INTERVAL.0) || now < self.full_at;
        let line = match self.last.take().filter(|_| !due) {
            Some(last) => {
                let changed = delta::diff(&last, &value).unwrap_or_else(|| json!({}));
                json!({ "schema": DELTA, "changed": changed })
            }
            None => {
                self.full_at = now;
                self.begin_member()?;
                let mut full = value.clone();
                full["schema"] = json!(SCHEMA);
                full[MARK] = json!(1);
                full
            }
        };
        self.last = Some(value);
        let Some(out) = &mut self.out else { return Err(io::ErrorKind::BrokenPipe.into()) };
        serde_json::to_writer(&mut *out, &line)?;
        out.write_all(b"\n")?;
        out.flush()
    }

    /// Ends the gzip member and begins the next one.
    fn begin_member(&mut self) -> io::Result<()> {
        if let Some(out) = self.out.take() {
            let out = if self.begun { pack(out.finish()?) } else { out };
            self.out = Some(out);
        }
        self.begun = true;
        Ok(())
    }

    /// Number of compressed bytes written so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.out.as_ref().map_or(0, |out| out.get_ref().bytes)
    }

    /// Ends the recording.
    ///
    /// # Errors
    /// The end could not be written. All samples remain readable.
    pub fn finish(mut self) -> io::Result<W> {
        match self.out.take() {
            Some(out) => Ok(out.finish()?.to),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}

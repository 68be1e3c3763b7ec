//! A recording: snapshots as JSON lines, as `--json` writes them, one look a line.
//!
//! It may come from any machine and from anybody, so everything in it is checked: what cannot be
//! is an error that names the line, and names are made harmless again on the way in. What is damaged
//! is passed over up to the next whole look, and said.

use std::io::BufRead;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use serde_json::error::Category;

use super::{Source, SourceError, delta};
use crate::model::{Needs, SCHEMA, Snapshot, neutral};
use crate::source::recorder::DELTA;
use crate::source::recording_lines::{BrokenRecording, RecordingLines};

/// The longest line that is read, and the longest look that lines of changes may add up to: a hundred
/// thousand processes with every fact. What is unpacked of it takes many times as much memory.
const LONGEST: u64 = 64 << 20;

/// More processors than any kernel is built for.
const MOST_CPUS: u32 = 65_536;

/// The part of a line that says what it is, and whether the rows are whole. Found without making
/// anything of the rest, which is many times cheaper than the whole.
#[derive(Deserialize)]
struct Head {
    schema: Option<String>,
    /// Lines of changes may follow.
    #[serde(default)]
    tape: Option<u32>,
    #[serde(default)]
    processes: Vec<RowHead>,
}

/// What every row must have, though the facts go on without it: a row that does not say whether
/// it has memory would pass for one that has none, and be out of the ranking.
#[derive(Deserialize)]
struct RowHead {
    pid: Option<i64>,
    has_mm: Option<bool>,
}

/// A recording that is being played.
pub struct Recording {
    lines: RecordingLines,
    name: String,
    line: u64,
    frames: u64,
    text: Vec<u8>,
    /// The look before, where the next line may say only what changed since.
    last: Option<Value>,
    /// When the look before was taken, milliseconds since 1970.
    seen: Option<i64>,
    /// The compressed bytes here cannot be unpacked.
    broken: bool,
    /// The first look behind damage.
    found: Option<Snapshot>,
    over: bool,
}

impl Recording {
    /// A recording to be read from `reader`; `name` is for messages.
    #[must_use]
    pub fn open(reader: Box<dyn BufRead + Send>, name: impl Into<String>) -> Self {
        Self {
            lines: RecordingLines::new(reader),
            name: name.into(),
            line: 0,
            frames: 0,
            text: Vec::new(),
            last: None,
            seen: None,
            broken: false,
            found: None,
            over: false,
        }
    }

    fn bad(&self, column: usize, what: impl Into<String>) -> SourceError {
        SourceError::Bad { name: self.name.clone(), line: self.line, column, what: what.into() }
    }

    /// The next line that is not blank, in `text`.
    fn advance(&mut self) -> Result<(), SourceError> {
        loop {
            self.line += 1;
            let broken = match self.lines.next(&mut self.text, LONGEST) {
                Ok(()) if self.text.trim_ascii().is_empty() => continue,
                Ok(()) => return Ok(()),
                Err(broken) => broken,
            };
            self.broken = matches!(broken, BrokenRecording::Cut(_) | BrokenRecording::Damaged(_));
            return Err(match broken {
                BrokenRecording::End => SourceError::End,
                // A compressed one that was cut short: by a crash, or by a full disk.
                BrokenRecording::Cut(_) if self.frames > 0 => {
                    SourceError::Cut { name: self.name.clone(), line: self.line }
                }
                BrokenRecording::Cut(error)
                | BrokenRecording::Damaged(error)
                | BrokenRecording::Failed(error) => self.bad(0, format!("cannot be read: {error}")),
                BrokenRecording::TooLong => self.bad(0, "the line is too long to be a look"),
            });
        }
    }

    /// Makes a value of the line.
    fn value<'a, T: Deserialize<'a>>(&self, text: &'a [u8]) -> Result<T, SourceError> {
        serde_json::from_slice(text).map_err(|error| {
            // A line without its end that goes wrong at its very end lost the rest of it.
            let at_end = error.classify() == Category::Eof || error.column() >= text.len();
            let cut = at_end && !text.ends_with(b"\n");
            if cut && self.frames > 0 {
                return SourceError::Cut { name: self.name.clone(), line: self.line };
            }
            let what = error.to_string();
            let what = what.rsplit_once(" at line ").map_or(what.as_str(), |(what, _)| what);
            // It may name a word of the line.
            let what = neutral(what.as_bytes());
            self.bad(error.column(), format!("{what}; is this what --json wrote?"))
        })
    }

    fn frame(&mut self) -> Result<Snapshot, SourceError> {
        self.advance()?;
        let text = std::mem::take(&mut self.text);
        let frame = self.understand(&text);
        self.text = text;
        frame
    }

    /// Goes on behind what cannot be understood. What comes back says what was lost; it is the end where
    /// nothing stands behind it, and where nothing stood before: what does not begin as a recording is
    /// none. Only compression is looked behind, should its first member be the damaged one.
    fn go_on(&mut self, lost: SourceError) -> SourceError {
        let line = self.line;
        let begun = self.frames > 0 || self.lines.packed();
        let found = if lost == SourceError::End || !begun { None } else { self.next_whole() };
        let Some(found) = found else {
            self.over = true;
            return lost;
        };
        let what = match lost {
            SourceError::Bad { what, .. } => what,
            _ => "it is cut short".to_owned(),
        };
        let (name, after, until) = (self.name.clone(), self.seen, found.clock.unix_ms);
        self.found = Some(found);
        SourceError::Damaged { name, line, what, after, until }
    }

    /// The next look that needs none before it.
    fn next_whole(&mut self) -> Option<Snapshot> {
        self.last = None;
        loop {
            if self.broken && !self.lines.resume() {
                return None;
            }
            self.broken = false;
            match self.frame() {
                Ok(found) => return Some(found),
                Err(SourceError::End) => return None,
                Err(_) => self.last = None,
            }
        }
    }

    /// The whole look of a line that says only what changed since the one before.
    fn changed(&mut self, text: &[u8]) -> Result<Vec<u8>, SourceError> {
        let Some(last) = self.last.take() else {
            return Err(self.bad(0, "it says only what changed since a line that is not here"));
        };
        let mut line: Value = self.value(text)?;
        let whole = delta::apply(&last, &line["changed"].take());
        let bytes = serde_json::to_vec(&whole).map_err(|error| self.bad(0, error.to_string()))?;
        if bytes.len() as u64 > LONGEST {
            return Err(self.bad(0, "with this line it is too long to be a look"));
        }
        self.last = Some(whole);
        Ok(bytes)
    }

    fn understand(&mut self, text: &[u8]) -> Result<Snapshot, SourceError> {
        let head = self.value::<Head>(text)?;
        if head.schema.as_deref() == Some(DELTA) {
            let whole = self.changed(text)?;
            return self.whole(self.value(&whole)?, &whole);
        }
        if head.tape.is_some() {
            self.last = Some(self.value(text)?);
        }
        self.whole(head, text)
    }

    fn whole(&self, head: Head, text: &[u8]) -> Result<Snapshot, SourceError> {
        match head.schema {
            Some(schema) if schema == SCHEMA => {}
            Some(schema) => {
                let schema = neutral(schema.as_bytes());
                let what = format!("the schema is {schema}, this doomtop reads {SCHEMA}");
                return Err(self.bad(0, what));
            }
            None => {
                let what = format!("there is no schema {SCHEMA}; is this what --json wrote?");
                return Err(self.bad(0, what));
            }
        }
        let lacking = head.processes.iter().find(|row| row.has_mm.is_none());
        if let Some(row) = lacking {
            let pid = row.pid.map_or_else(|| "without a pid".to_owned(), |pid| pid.to_string());
            let what = format!("the process {pid} lacks has_mm; was it recorded with --columns?");
            return Err(self.bad(0, what));
        }
        let mut snapshot: Snapshot = self.value(text)?;
        if let Some(what) = absurd(&snapshot) {
            return Err(self.bad(0, what));
        }
        snapshot.processes.sort_by_key(|process| process.id.pid);
        snapshot.processes.dedup_by_key(|process| process.id.pid);
        Ok(snapshot)
    }
}

/// What no machine can have told.
fn absurd(snapshot: &Snapshot) -> Option<String> {
    let page = snapshot.machine.page_size.0;
    if !page.is_power_of_two() || !(1024..=1 << 20).contains(&page) {
        return Some(format!("a page size of {page} bytes cannot be"));
    }
    let rate = snapshot.machine.tick_rate.0;
    if !(1..=10_000).contains(&rate) {
        return Some(format!("a tick rate of {rate} a second cannot be"));
    }
    // 0 says that nobody knows.
    let cpus = snapshot.machine.cpus;
    if cpus > MOST_CPUS {
        return Some(format!("a machine of {cpus} processors cannot be"));
    }
    if snapshot.memory.total_kib.0 == 0 {
        return Some("a machine without memory cannot be".to_owned());
    }
    if let Some(process) = snapshot.processes.iter().find(|process| process.id.pid < 1) {
        return Some(format!("a process cannot have the pid {}", process.id.pid));
    }
    let beyond = |process: &&crate::model::Process| {
        process.adj.value().is_some_and(|adj| !(-1000..=1000).contains(&adj.0))
    };
    let process = snapshot.processes.iter().find(beyond)?;
    Some(format!("the adj of process {} is off the scale from -1000 to 1000", process.id))
}

impl Source for Recording {
    fn sample(
        &mut self,
        _needs: &Needs,
        _spent: Option<Arc<Snapshot>>,
    ) -> Result<Arc<Snapshot>, SourceError> {
        let frame = match self.found.take() {
            Some(found) => Ok(found),
            None if self.over => Err(SourceError::End),
            None => self.frame().map_err(|lost| self.go_on(lost)),
        };
        frame.map(|snapshot| {
            self.frames += 1;
            self.seen = Some(snapshot.clock.unix_ms);
            Arc::new(snapshot)
        })
    }
}

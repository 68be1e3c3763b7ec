//! Reads a recording: JSON lines, one sample each, as `doomtop record` and `--json` write them.
//!
//! A recording may come from any machine and from anyone, so all of it is checked: an impossible value is
//! an error that names the line, and control characters in names are escaped again. After damage it
//! continues with the next full sample and reports what is lost.

use std::io::BufRead;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use serde_json::error::Category;

use super::{Source, SourceError, delta};
use crate::model::{Needs, SCHEMA, Snapshot, neutral};
use crate::source::recorder::DELTA;
use crate::source::recording_lines::{BrokenRecording, RecordingLines};

/// Maximum length of a line in bytes, and of a sample that lines of changes add up to: enough for 100,000
/// processes with every fact. The decoded sample takes many times as much memory.
const MAX_LINE: u64 = 64 << 20;

/// Maximum memory that decoding a line may take, in bytes, and in bytes for each of its bytes. A sample of 100,000
/// processes takes five times its length; a line of empty objects takes a hundred times as much, and 93 KiB
/// of such a recording, compressed, took 5 GiB.
const MAX_DECODED: u64 = 256 << 20;
const MAX_DECODED_PER_BYTE: u64 = 12;

/// What a member or an item takes when it is decoded, and an object beside its members: the smallest node of
/// a map has places for eleven.
const ITEM_BYTES: u64 = 64;
const OBJECT_BYTES: u64 = 640;

/// Maximum number of processors: more than any kernel is built for.
const MAX_CPUS: u32 = 65_536;

/// The keys of a line that tell its kind and whether the rows are complete. Decoding only these is many
/// times cheaper than decoding the whole line.
#[derive(Deserialize)]
struct Head {
    schema: Option<String>,
    /// Present on a full sample after which lines of changes may follow.
    #[serde(default)]
    tape: Option<u32>,
    #[serde(default)]
    processes: Vec<RowHead>,
}

/// What every row must have. `has_mm` has a default in the facts; but a row without it would pass for a
/// process without memory and silently drop out of the ranking.
#[derive(Deserialize)]
struct RowHead {
    pid: Option<i64>,
    has_mm: Option<bool>,
}

/// A recording that is read from its beginning.
pub struct Recording {
    lines: RecordingLines,
    name: String,
    /// Number of the last line, from 1.
    line: u64,
    /// Number of samples read.
    samples: u64,
    text: Vec<u8>,
    /// The sample before, if the next line may hold only the changes.
    last: Option<Value>,
    /// Time of the sample before, in milliseconds since 1970.
    last_unix_ms: Option<i64>,
    /// Whether the compressed bytes at the present place cannot be decompressed.
    broken: bool,
    /// The first sample after damage.
    after_damage: Option<Snapshot>,
    /// Whether the recording has ended.
    ended: bool,
}

impl Recording {
    /// A recording that is read from `reader`. `name` is the name in error messages.
    #[must_use]
    pub fn open(reader: Box<dyn BufRead + Send>, name: impl Into<String>) -> Self {
        Self {
            lines: RecordingLines::new(reader),
            name: name.into(),
            line: 0,
            samples: 0,
            text: Vec::new(),
            last: None,
            last_unix_ms: None,
            broken: false,
            after_damage: None,
            ended: false,
        }
    }

    fn bad(&self, column: usize, what: impl Into<String>) -> SourceError {
        SourceError::Bad { name: self.name.clone(), line: self.line, column, what: what.into() }
    }

    /// Reads the next line that is not blank into `text`.
    fn next_line(&mut self) -> Result<(), SourceError> {
        loop {
            self.line += 1;
            let broken = match self.lines.next(&mut self.text, MAX_LINE) {
                Ok(()) if self.text.trim_ascii().is_empty() => continue,
                Ok(()) => return Ok(()),
                Err(broken) => broken,
            };
            self.broken = matches!(broken, BrokenRecording::Cut(_) | BrokenRecording::Damaged(_));
            return Err(match broken {
                BrokenRecording::End => SourceError::End,
                // Truncated by a crash or by a full disk.
                BrokenRecording::Cut(_) if self.samples > 0 => {
                    SourceError::Cut { name: self.name.clone(), line: self.line }
                }
                BrokenRecording::Cut(error)
                | BrokenRecording::Damaged(error)
                | BrokenRecording::Failed(error) => self.bad(0, format!("cannot be read: {error}")),
                BrokenRecording::TooLong => self.bad(0, "the line is too long for a sample"),
            });
        }
    }

    /// Decodes a line.
    fn decode<'a, T: Deserialize<'a>>(&self, text: &'a [u8]) -> Result<T, SourceError> {
        serde_json::from_slice(text).map_err(|error| {
            // A line without line end whose error is at its end is truncated.
            let at_end = error.classify() == Category::Eof || error.column() >= text.len();
            let cut = at_end && !text.ends_with(b"\n");
            if cut && self.samples > 0 {
                return SourceError::Cut { name: self.name.clone(), line: self.line };
            }
            let what = error.to_string();
            let what = what.rsplit_once(" at line ").map_or(what.as_str(), |(what, _)| what);
            // The message may quote a word of the line.
            let what = neutral(what.as_bytes());
            self.bad(error.column(), format!("{what}; was it written by doomtop record or --json?"))
        })
    }

    /// Reads and decodes the next sample.
    fn next_sample(&mut self) -> Result<Snapshot, SourceError> {
        self.next_line()?;
        let text = std::mem::take(&mut self.text);
        let sample = self.sample_of_line(&text);
        self.text = text;
        sample
    }

    /// Looks for a full sample after an error, and returns what was lost. If none follows, or if none came
    /// before, the error is the end: a file that does not begin as a recording is not one. A compressed
    /// recording may begin with damage, because its format is certain.
    fn continue_after(&mut self, lost: SourceError) -> SourceError {
        let line = self.line;
        let begun = self.samples > 0 || self.lines.is_compressed();
        let found = if lost == SourceError::End || !begun { None } else { self.next_full() };
        let Some(found) = found else {
            self.ended = true;
            return lost;
        };
        let what = match lost {
            SourceError::Bad { what, .. } => what,
            _ => "it is truncated".to_owned(),
        };
        let (name, after, until) = (self.name.clone(), self.last_unix_ms, found.clock.unix_ms);
        self.after_damage = Some(found);
        SourceError::Damaged { name, line, what, after, until }
    }

    /// The next sample that can be decoded without the one before.
    fn next_full(&mut self) -> Option<Snapshot> {
        self.last = None;
        loop {
            if self.broken && !self.lines.resume() {
                return None;
            }
            self.broken = false;
            match self.next_sample() {
                Ok(found) => return Some(found),
                Err(SourceError::End) => return None,
                Err(_) => self.last = None,
            }
        }
    }

    /// Applies a line of changes to the sample before. Returns the full sample as JSON, and its head.
    fn apply_changes(&mut self, text: &[u8]) -> Result<(Head, Vec<u8>), SourceError> {
        let Some(last) = self.last.take() else {
            return Err(self.bad(0, "it holds only the changes since a line that is missing"));
        };
        let mut line: Value = self.decode(text)?;
        let full = delta::apply(last, line["changed"].take());
        // The message may quote a word of the line.
        let bad = |error: serde_json::Error| self.bad(0, neutral(error.to_string().as_bytes()));
        let head = Head::deserialize(&full).map_err(bad)?;
        let bytes = serde_json::to_vec(&full).map_err(bad)?;
        if bytes.len() as u64 > MAX_LINE {
            return Err(self.bad(0, "with this line the sample is too long"));
        }
        self.check_size(&bytes)?;
        self.last = Some(full);
        Ok((head, bytes))
    }

    /// Refuses a line that takes too much memory when it is decoded.
    fn check_size(&self, text: &[u8]) -> Result<(), SourceError> {
        let most = (text.len() as u64 * MAX_DECODED_PER_BYTE).max(MAX_DECODED);
        // Short lines take less in any case.
        if text.len() as u64 * OBJECT_BYTES > most && decoded_bytes(text) > most {
            let what = format!(
                "decoding it would take more than {} MiB, {} times its length; no real sample needs that",
                most >> 20,
                decoded_bytes(text) / (text.len() as u64).max(1)
            );
            return Err(self.bad(0, what));
        }
        Ok(())
    }

    fn sample_of_line(&mut self, text: &[u8]) -> Result<Snapshot, SourceError> {
        self.check_size(text)?;
        let head = self.decode::<Head>(text)?;
        if head.schema.as_deref() == Some(DELTA) {
            let (head, full) = self.apply_changes(text)?;
            return self.full_sample(head, &full);
        }
        if head.tape.is_some() {
            self.last = Some(self.decode(text)?);
        }
        self.full_sample(head, text)
    }

    /// Checks and decodes a full sample.
    fn full_sample(&self, head: Head, text: &[u8]) -> Result<Snapshot, SourceError> {
        match head.schema {
            Some(schema) if schema == SCHEMA => {}
            Some(schema) => {
                let schema = neutral(schema.as_bytes());
                let what = format!("the schema is {schema}, this doomtop reads {SCHEMA}");
                return Err(self.bad(0, what));
            }
            None => {
                let what = format!(
                    "there is no schema {SCHEMA}; was it written by doomtop record or --json?"
                );
                return Err(self.bad(0, what));
            }
        }
        if let Some(row) = head.processes.iter().find(|row| row.has_mm.is_none()) {
            let pid = row.pid.map_or_else(|| "without a pid".to_owned(), |pid| pid.to_string());
            let what = format!("the process {pid} lacks has_mm; was it recorded with --columns?");
            return Err(self.bad(0, what));
        }
        let mut snapshot: Snapshot = self.decode(text)?;
        if let Some(what) = impossible(&snapshot) {
            return Err(self.bad(0, what));
        }
        snapshot.processes.sort_by_key(|process| process.id.pid);
        snapshot.processes.dedup_by_key(|process| process.id.pid);
        Ok(snapshot)
    }
}

/// About how much memory a line takes when it is decoded, in bytes. Never much less than that.
fn decoded_bytes(text: &[u8]) -> u64 {
    let (mut bytes, mut in_string, mut escaped) = (text.len() as u64, false, false);
    for &byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' if !in_string => bytes += OBJECT_BYTES,
            b',' if !in_string => bytes += ITEM_BYTES,
            _ => {}
        }
    }
    bytes
}

/// Times that calendars have dates for, in milliseconds since 1970: a hundred million days before and after.
const TIMES: std::ops::RangeInclusive<i64> = -8_640_000_000_000_000..=8_640_000_000_000_000;

/// Why a snapshot is impossible on any machine.
fn impossible(snapshot: &Snapshot) -> Option<String> {
    let page = snapshot.machine.page_size.0;
    if !page.is_power_of_two() || !(1024..=1 << 20).contains(&page) {
        return Some(format!("a page size of {page} bytes is impossible"));
    }
    let rate = snapshot.machine.tick_rate.0;
    if !(1..=10_000).contains(&rate) {
        return Some(format!("a tick rate of {rate} per second is impossible"));
    }
    // 0 means unknown.
    let cpus = snapshot.machine.cpus;
    if cpus > MAX_CPUS {
        return Some(format!("a machine with {cpus} processors is impossible"));
    }
    let mut times = snapshot.log.iter().map(|line| line.unix_ms).chain([snapshot.clock.unix_ms]);
    if let Some(time) = times.find(|it| !TIMES.contains(it)) {
        return Some(format!("a time of {time} ms since 1970 is in no calendar"));
    }
    if snapshot.memory.total_kib.0 == 0 {
        return Some("a machine without memory is impossible".to_owned());
    }
    if let Some(process) = snapshot.processes.iter().find(|process| process.id.pid < 1) {
        return Some(format!("a process cannot have the pid {}", process.id.pid));
    }
    let beyond = |process: &&crate::model::Process| {
        process.adj.value().is_some_and(|adj| !(-1000..=1000).contains(&adj.0))
    };
    let process = snapshot.processes.iter().find(beyond)?;
    Some(format!("the oom_score_adj of process {} is not from -1000 to 1000", process.id))
}

impl Source for Recording {
    fn sample(
        &mut self,
        _needs: &Needs,
        _spent: Option<Arc<Snapshot>>,
    ) -> Result<Arc<Snapshot>, SourceError> {
        let sample = match self.after_damage.take() {
            Some(found) => Ok(found),
            None if self.ended => Err(SourceError::End),
            None => self.next_sample().map_err(|lost| self.continue_after(lost)),
        };
        sample.map(|snapshot| {
            self.samples += 1;
            self.last_unix_ms = Some(snapshot.clock.unix_ms);
            Arc::new(snapshot)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn refusal(line: Vec<u8>) -> String {
        let mut recording = Recording::open(Box::new(Cursor::new(line)), "x");
        recording.sample(&Needs::default(), None).expect_err("no sample").to_string()
    }

    #[test]
    fn a_line_that_takes_much_more_memory_than_its_length_is_not_decoded() {
        // 5 MiB that would take more than half a gigabyte.
        let head = r#"{"schema":"doomtop/1","tape":1,"x":["#;
        let line = [head.as_bytes(), &br#"{"":0},"#.repeat(800_000), b"0]}\n"].concat();
        let why = refusal(line);
        assert!(why.contains("more than 256 MiB, 10") && why.contains("times its length"), "{why}");
        // The same bytes in a name are a name.
        let name = "{".repeat(800_000);
        let line = format!("{{\"schema\":\"doomtop/1\",\"x\":\"{name}\"}}\n");
        assert!(!refusal(line.into_bytes()).contains("times its length"));
    }

    #[test]
    fn what_a_line_takes_is_told_by_its_objects_and_items_outside_of_names() {
        assert_eq!(decoded_bytes(b""), 0);
        assert_eq!(decoded_bytes(b"[{},{}]"), 7 + 2 * OBJECT_BYTES + ITEM_BYTES);
        assert_eq!(decoded_bytes(br#"{"a{,\"{,":"}"}"#), 15 + OBJECT_BYTES);
    }

    #[test]
    fn a_large_sample_of_doomtop_itself_is_decoded() {
        let row = r#"{"pid":7,"start_ticks":1,"ppid":1,"session":1,"comm":"a","state":"S","flags":0,"threads":1,"nice":0,"cpu_ticks":3,"vsize_bytes":9,"rss_stat_pages":3,"rss_pages":3,"anon_pages":1,"file_pages":1,"shmem_pages":0,"swap_pages":0,"has_mm":true,"oom_score_adj":0,"oom_score":0,"uid":0,"euid":0},"#;
        let text = row.repeat(100_000);
        let most = (text.len() as u64 * MAX_DECODED_PER_BYTE).max(MAX_DECODED);
        assert!(decoded_bytes(text.as_bytes()) * 5 / 4 < most);
    }
}

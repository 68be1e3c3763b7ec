//! The entries of a saved log: its lines, taken out of JSON and of the journal's export form.

use std::io::{self, BufRead, Read};

use super::json_log::JsonLog;
use crate::events::LogEntry;

/// Maximum length of a line in bytes: longer ones are cut. Lines of the kernel are shorter.
const MAX_LINE: u64 = 64 << 10;

/// Fields of the journal that begin an entry or mark its form.
const FIELDS: [&str; 8] = [
    "__CURSOR",
    "__REALTIME_TIMESTAMP",
    "__MONOTONIC_TIMESTAMP",
    "_BOOT_ID",
    "_TRANSPORT",
    "PRIORITY",
    "SYSLOG_IDENTIFIER",
    "MESSAGE",
];

/// An entry of `journalctl -o export` or `-o verbose` that is being read.
#[derive(Debug, Default)]
struct FieldRecord {
    message: Option<(u64, String)>,
    program: Option<String>,
    transport: Option<String>,
    time: Option<String>,
    is_open: bool,
    /// Bytes of a binary message that are still to come.
    binary: Option<usize>,
    awaits_length: bool,
}

/// The name and the value of a line of such an entry.
fn field(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.trim_start().split_once('=')?;
    let is_name = !name.is_empty()
        && name.bytes().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit() || it == b'_');
    is_name.then_some((name, value))
}

impl FieldRecord {
    /// Takes a line of the entry. Returns false where it is not one.
    fn take(&mut self, raw: &[u8], line: &str, number: u64, out: &mut Vec<LogEntry>) -> bool {
        if self.awaits_length {
            self.awaits_length = false;
            if let Some((head, rest)) = raw.split_first_chunk::<8>() {
                let length = usize::try_from(u64::from_le_bytes(*head)).unwrap_or(0);
                self.message = Some((number, String::from_utf8_lossy(rest).into_owned()));
                self.binary = length.checked_sub(rest.len()).filter(|&it| it > 0);
            }
            return true;
        }
        if let Some(left) = self.binary {
            if let Some((_, message)) = &mut self.message {
                message.push('\n');
                message.push_str(line);
            }
            self.binary = left.checked_sub(raw.len() + 1).filter(|&it| it > 0);
            return true;
        }
        if self.is_open && line == "MESSAGE" {
            self.awaits_length = true;
            return true;
        }
        if self.is_open && line.is_empty() {
            self.end(out);
            return true;
        }
        let Some((name, value)) = field(line) else {
            self.end(out);
            return false;
        };
        if !self.is_open && !FIELDS.contains(&name) {
            return false;
        }
        if name == "__CURSOR" || name == "MESSAGE" && self.message.is_some() {
            self.end(out);
        }
        self.is_open = true;
        let value = value.to_owned();
        match name {
            "MESSAGE" => self.message = Some((number, value)),
            "SYSLOG_IDENTIFIER" => self.program = Some(value),
            "_TRANSPORT" => self.transport = Some(value),
            "__REALTIME_TIMESTAMP" => self.time = Some(value),
            _ => {}
        }
        true
    }

    fn end(&mut self, out: &mut Vec<LogEntry>) {
        let record = std::mem::take(self);
        let Some((number, text)) = record.message else { return };
        let program = match record.transport.as_deref() {
            Some("kernel") => Some("kernel".to_owned()),
            Some(_) => Some(record.program.unwrap_or_default()),
            None => record.program,
        };
        push(out, LogEntry { number, program, stamp: record.time.unwrap_or_default(), text });
    }
}

/// A text of several lines is as many entries.
fn push(out: &mut Vec<LogEntry>, entry: LogEntry) {
    if !entry.text.contains('\n') {
        out.push(entry);
        return;
    }
    let lines: Vec<String> = entry.text.lines().map(str::to_owned).collect();
    out.extend(lines.into_iter().map(|text| LogEntry { text, ..entry.clone() }));
}

/// Reads a log entry by entry.
pub(super) struct Entries<R> {
    log: R,
    line: Vec<u8>,
    json: JsonLog,
    record: FieldRecord,
    /// Entries that were read and not taken yet.
    ready: std::collections::VecDeque<LogEntry>,
    /// Lines that were read.
    pub(super) lines: u64,
    is_over: bool,
}

impl<R: BufRead> Entries<R> {
    pub(super) fn new(log: R) -> Self {
        Self {
            log,
            line: Vec::new(),
            json: JsonLog::default(),
            record: FieldRecord::default(),
            ready: std::collections::VecDeque::new(),
            lines: 0,
            is_over: false,
        }
    }

    /// The next entry; `None` at the end.
    ///
    /// # Errors
    /// The log cannot be read.
    pub(super) fn next(&mut self) -> io::Result<Option<LogEntry>> {
        loop {
            if let Some(entry) = self.ready.pop_front() {
                return Ok(Some(entry));
            }
            if self.is_over {
                return Ok(None);
            }
            self.read()?;
        }
    }

    fn read(&mut self) -> io::Result<()> {
        let begun = self.line.len();
        let count = self.log.by_ref().take(MAX_LINE).read_until(b'\n', &mut self.line)?;
        let mut out = Vec::new();
        if count == 0 && begun == 0 {
            self.is_over = true;
            self.json.end(&mut out);
            self.record.end(&mut out);
            self.add(out);
            return Ok(());
        }
        self.lines += u64::from(begun == 0);
        let is_whole = self.line.last() == Some(&b'\n') || count == 0;
        let text = String::from_utf8_lossy(&self.line);
        let is_json = self.json.is_open() || JsonLog::begins(&text);
        let mut line = std::mem::take(&mut self.line);
        if !is_whole && line.len() as u64 >= MAX_LINE {
            if is_json {
                // A whole log in one line: go on behind the last value that is complete.
                let pairs = line.windows(2).rposition(|it| it == b"\"}" || it == b"\"]");
                let end = pairs.map_or(line.len(), |at| at + 1);
                self.line = line.split_off(end);
                if self.line.len() as u64 > 4 * MAX_LINE {
                    self.line.clear();
                }
            } else {
                // The rest of a cut line is not another line.
                self.log.skip_until(b'\n')?;
            }
        }
        self.take(&line, is_json, &mut out);
        line.clear();
        if self.line.is_empty() {
            self.line = line;
        }
        self.add(out);
        Ok(())
    }

    fn take(&mut self, raw: &[u8], is_json: bool, out: &mut Vec<LogEntry>) {
        let raw = raw.strip_suffix(b"\n").unwrap_or(raw);
        let raw = raw.strip_suffix(b"\r").unwrap_or(raw);
        let text = String::from_utf8_lossy(raw);
        if is_json && self.json.take(&text, self.lines, out).is_ok() {
            return;
        }
        // Most lines of a log have no name and no `=` at their beginning.
        let may_be_field = self.record.is_open
            || text.trim_start().starts_with(|c: char| c == '_' || c.is_ascii_uppercase())
                && field(&text).is_some_and(|(name, _)| FIELDS.contains(&name));
        if may_be_field && self.record.take(raw, &text, self.lines, out) {
            return;
        }
        let (number, text) = (self.lines, text.into_owned());
        out.push(LogEntry { number, program: None, stamp: String::new(), text });
    }

    fn add(&mut self, out: Vec<LogEntry>) {
        for entry in out {
            // An entry of JSON may hold JSON: Docker's log of a journal.
            let inner = entry.text.trim_start();
            if inner.starts_with('{') && entry.text.len() < 1 << 16 {
                let (mut json, mut found) = (JsonLog::default(), Vec::new());
                if json.take(inner, entry.number, &mut found).is_ok() && !found.is_empty() {
                    self.ready.extend(found);
                    continue;
                }
            }
            let mut lines = Vec::new();
            push(&mut lines, entry);
            self.ready.extend(lines);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &[u8]) -> Vec<(u64, Option<String>, String)> {
        let mut entries = Entries::new(text);
        let mut found = Vec::new();
        while let Some(entry) = entries.next().expect("a slice") {
            found.push((entry.number, entry.program, entry.text));
        }
        found
    }

    #[test]
    fn an_export_of_the_journal_gives_its_messages() {
        let kernel = || Some("kernel".to_owned());
        let mut export =
            b"__CURSOR=s=1\n__REALTIME_TIMESTAMP=17\n_TRANSPORT=kernel\nMESSAGE=first\n\n\
            __CURSOR=s=2\nMESSAGE\n"
                .to_vec();
        export.extend(7_u64.to_le_bytes());
        export.extend(b"one\ntwo\n_TRANSPORT=kernel\n\n__CURSOR=s=3\nMESSAGE=x\n_TRANSPORT=syslog\nSYSLOG_IDENTIFIER=app\n");
        let found = all(&export);
        assert_eq!(
            found,
            [
                (4, kernel(), "first".to_owned()),
                (8, kernel(), "one".to_owned()),
                (8, kernel(), "two".to_owned()),
                (13, Some("app".to_owned()), "x".to_owned()),
            ]
        );
        let verbose = "Fri 2023-11-21 05:18:10 UTC [s=1]\n    PRIORITY=4\n    MESSAGE=x\n    _TRANSPORT=kernel\n";
        assert_eq!(all(verbose.as_bytes())[1], (3, kernel(), "x".to_owned()));
    }

    #[test]
    fn a_log_in_one_long_line_is_read_whole() {
        let each = r#"{"time":"T","message":"a line of some length, as logs have them"}"#;
        let text = format!("[{}]", [each; 5000].join(","));
        assert_eq!(all(text.as_bytes()).len(), 5000);
        let plain = format!("{}\nnext\n", "x".repeat(200_000));
        let found = all(plain.as_bytes());
        assert_eq!((found.len(), found[0].2.len(), found[1].2.as_str()), (2, 65_536, "next"));
    }
}

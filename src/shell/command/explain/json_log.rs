//! Log lines in JSON: the journal, Docker, Stackdriver, Loki, CloudWatch, and whatever has a text under one
//! of the usual names. Read token by token: an entry may span lines, and a line may hold a whole log.

use crate::events::LogEntry;
use crate::report::time::rfc3339;

/// Maximum depth of nested values.
const MAX_DEPTH: usize = 64;

/// Names of the text of an entry, the best first.
const MESSAGE: [&str; 13] = [
    "MESSAGE",
    "message",
    "@message",
    "msg",
    "log",
    "textPayload",
    "text",
    "line",
    "body",
    "_raw",
    "content",
    "Message",
    "event",
];
/// Names of the program.
const PROGRAM: [&str; 7] =
    ["SYSLOG_IDENTIFIER", "ident", "program", "appname", "app_name", "syslog_identifier", "_COMM"];
/// Names of the time.
const TIME: [&str; 10] = [
    "__REALTIME_TIMESTAMP",
    "timestamp",
    "@timestamp",
    "time",
    "ts",
    "date",
    "_time",
    "receiveTimestamp",
    "eventTime",
    RECORDED,
];
/// The time of a log line in a recording of doomtop, in milliseconds since 1970 ([`crate::model::LogLine`]).
const RECORDED: &str = "unix_ms";

/// The input is no JSON, or no log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotJson;

/// What an object tells.
#[derive(Clone, Debug, Default)]
struct Fields {
    message: Option<(usize, String)>,
    program: Option<(usize, String)>,
    time: Option<(usize, String)>,
    transport: Option<String>,
    /// A pair `{"field": …, "value": …}`.
    field: Option<String>,
    value: Option<String>,
    line: u64,
}

fn better(known: &mut Option<(usize, String)>, rank: usize, value: &str) {
    if known.as_ref().is_none_or(|(other, _)| rank < *other) {
        *known = Some((rank, value.to_owned()));
    }
}

impl Fields {
    fn note(&mut self, key: &str, value: &str, line: u64) {
        let rank = |names: &[&str]| names.iter().position(|name| *name == key);
        if let Some(rank) = rank(&MESSAGE) {
            better(&mut self.message, rank, value);
            self.line = line;
        } else if let Some(rank) = rank(&PROGRAM) {
            better(&mut self.program, rank, value);
        } else if let Some(rank) = rank(&TIME) {
            let recorded = value.parse().ok().filter(|_| key == RECORDED).map(rfc3339);
            better(&mut self.time, rank, recorded.as_deref().unwrap_or(value));
        } else if key == "_TRANSPORT" {
            self.transport = Some(value.to_owned());
        } else if key == "field" {
            self.field = Some(value.to_owned());
        } else if key == "value" {
            self.value = Some(value.to_owned());
        }
    }

    /// Takes what an inner object told.
    fn merge(&mut self, inner: Self) {
        if let Some((rank, message)) = inner.message {
            better(&mut self.message, rank, &message);
            self.line = inner.line;
        }
        for (own, other) in [(&mut self.program, inner.program), (&mut self.time, inner.time)] {
            if let Some((rank, value)) = other {
                better(own, rank, &value);
            }
        }
        self.transport = self.transport.take().or(inner.transport);
    }

    fn entry(self) -> Option<LogEntry> {
        let (_, text) = self.message?;
        let program = self.program.map(|(_, it)| it);
        let program = match self.transport.as_deref() {
            Some("kernel") => Some("kernel".to_owned()),
            Some(_) => program.or_else(|| Some(String::new())),
            None => program,
        };
        let stamp = self.time.map(|(_, it)| it).unwrap_or_default();
        Some(LogEntry { number: self.line, program, stamp, text })
    }
}

/// A value that is not complete.
#[derive(Debug)]
enum Frame {
    Object { fields: Fields, key: Option<String> },
    Array { strings: Vec<String>, bytes: Vec<u8>, fields: Fields },
}

/// Reads JSON line by line.
#[derive(Debug, Default)]
pub(super) struct JsonLog {
    stack: Vec<Frame>,
}

impl JsonLog {
    /// Whether a line may begin JSON, where no value is open.
    pub(super) fn begins(line: &str) -> bool {
        let line = line.trim_start();
        let Some(rest) = line.strip_prefix(['{', '[']) else { return false };
        let rest = rest.trim_start();
        // `[` also begins the lines of dmesg.
        rest.is_empty() || rest.starts_with(['"', '{', '[', '}'])
    }

    /// Whether a value is open.
    pub(super) const fn is_open(&self) -> bool {
        !self.stack.is_empty()
    }

    /// Takes a line; its entries go to `out`.
    ///
    /// # Errors
    /// It is no JSON. What was open is forgotten.
    pub(super) fn take(
        &mut self,
        line: &str,
        number: u64,
        out: &mut Vec<LogEntry>,
    ) -> Result<(), NotJson> {
        let mut rest = line;
        loop {
            rest = rest.trim_start_matches([' ', '\t', '\r', '\n', ',', ':']);
            let Some(first) = rest.chars().next() else { return Ok(()) };
            let taken = match first {
                '{' | '[' => self.open(first).map(|()| 1),
                '}' | ']' => self.close(first == '}', number, out).map(|()| 1),
                '"' => {
                    let (text, length) = string(&rest[1..]);
                    self.string(text, number).map(|()| length + 1)
                }
                _ => self.word(rest, number),
            };
            match taken {
                Ok(length) => rest = rest.get(length..).unwrap_or(""),
                Err(error) => {
                    self.stack.clear();
                    return Err(error);
                }
            }
        }
    }

    /// What is told by entries that were cut.
    pub(super) fn end(&mut self, out: &mut Vec<LogEntry>) {
        let mut whole = Fields::default();
        for frame in std::mem::take(&mut self.stack).into_iter().rev() {
            if let Frame::Object { fields, .. } = frame {
                whole.merge(fields);
            }
        }
        out.extend(whole.entry());
    }

    fn open(&mut self, first: char) -> Result<(), NotJson> {
        if self.stack.len() >= MAX_DEPTH {
            return Err(NotJson);
        }
        self.stack.push(if first == '{' {
            Frame::Object { fields: Fields::default(), key: None }
        } else {
            Frame::Array { strings: Vec::new(), bytes: Vec::new(), fields: Fields::default() }
        });
        Ok(())
    }

    fn close(
        &mut self,
        is_object: bool,
        number: u64,
        out: &mut Vec<LogEntry>,
    ) -> Result<(), NotJson> {
        match self.stack.pop() {
            Some(Frame::Object { mut fields, .. }) if is_object => match self.stack.last_mut() {
                Some(Frame::Object { fields: outer, key }) => {
                    *key = None;
                    outer.merge(fields);
                }
                Some(Frame::Array { fields: outer, .. })
                    if fields.message.is_none() && fields.field.is_some() =>
                {
                    let (field, value) = (fields.field.take(), fields.value.take());
                    outer.note(&field.unwrap_or_default(), &value.unwrap_or_default(), number);
                }
                _ => out.extend(fields.entry()),
            },
            Some(Frame::Array { strings, bytes, fields }) if !is_object => {
                if let Some(Frame::Object { fields: outer, key }) = self.stack.last_mut() {
                    // The journal writes a text that is not UTF-8 as a list of bytes.
                    if let Some(key) = key.take().filter(|_| !bytes.is_empty()) {
                        outer.note(&key, &String::from_utf8_lossy(&bytes), number);
                    }
                }
                out.extend(fields.entry());
                let is_time =
                    |it: &String| it.len() > 8 && it.bytes().all(|it| it.is_ascii_digit());
                let mut strings = strings.into_iter().peekable();
                let stamp = strings.next_if(is_time).unwrap_or_default();
                out.extend(strings.map(|text| LogEntry {
                    number,
                    program: None,
                    stamp: stamp.clone(),
                    text,
                }));
            }
            _ => return Err(NotJson),
        }
        Ok(())
    }

    fn string(&mut self, text: String, number: u64) -> Result<(), NotJson> {
        match self.stack.last_mut() {
            Some(Frame::Object { fields, key }) => match key.take() {
                Some(key) => fields.note(&key, &text, number),
                None => *key = Some(text),
            },
            Some(Frame::Array { strings, .. }) => strings.push(text),
            None => return Err(NotJson),
        }
        Ok(())
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self, rest: &str, number: u64) -> Result<usize, NotJson> {
        let end = rest.find([',', '}', ']', ' ', '\t', '\r', '\n']).unwrap_or(rest.len());
        let word = &rest[..end];
        let is_known = ["true", "false", "null"].contains(&word);
        if self.stack.is_empty() || !is_known && word.parse::<f64>().is_err() {
            return Err(NotJson);
        }
        match self.stack.last_mut() {
            Some(Frame::Object { fields, key }) => {
                let key = key.take().ok_or(NotJson)?;
                fields.note(&key, if is_known { "" } else { word }, number);
            }
            Some(Frame::Array { bytes, .. }) => bytes.extend(word.parse::<u8>()),
            None => {}
        }
        Ok(end)
    }
}

/// A string without its first quotation mark, decoded, and its length with the last one. A string that was
/// cut ends with the line.
fn string(rest: &str) -> (String, usize) {
    let mut text = String::new();
    let mut at = 0;
    loop {
        let plain = rest[at..].find(['"', '\\']).map_or(rest.len(), |end| at + end);
        text.push_str(&rest[at..plain]);
        let mut chars = rest[plain..].chars();
        match (chars.next(), chars.next()) {
            (None, _) => return (text, rest.len()),
            (Some('"'), _) => return (text, plain + 1),
            (_, None) => return (text, rest.len()),
            (_, Some('u')) => {
                let (decoded, length) = unicode(&rest[plain..]);
                text.push(decoded);
                at = plain + length;
            }
            (_, Some(escaped)) => {
                text.push(match escaped {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    other => other,
                });
                at = plain + 1 + escaped.len_utf8();
            }
        }
    }
}

/// `\uNNNN`, or a pair of them, and its length.
fn unicode(text: &str) -> (char, usize) {
    let unit = |at: usize| {
        let is_escape = text.get(at..at + 2) == Some("\\u");
        text.get(at + 2..at + 6)
            .filter(|_| is_escape)
            .and_then(|hex| u16::from_str_radix(hex, 16).ok())
    };
    let Some(first) = unit(0) else { return (char::REPLACEMENT_CHARACTER, 2) };
    let pair = unit(6).filter(|_| (0xd800..0xdc00).contains(&first));
    let units = [Some(first), pair].into_iter().flatten();
    let decoded = char::decode_utf16(units).next().and_then(Result::ok);
    (decoded.unwrap_or(char::REPLACEMENT_CHARACTER), if pair.is_some() { 12 } else { 6 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &str) -> Vec<(Option<String>, String, String)> {
        let (mut log, mut out) = (JsonLog::default(), Vec::new());
        for (line, number) in text.lines().zip(1..) {
            assert_eq!(log.take(line, number, &mut out), Ok(()), "{line}");
        }
        log.end(&mut out);
        out.into_iter().map(|it| (it.program, it.stamp, it.text)).collect()
    }

    fn one(program: Option<&str>, stamp: &str, text: &str) -> (Option<String>, String, String) {
        (program.map(str::to_owned), stamp.to_owned(), text.to_owned())
    }

    #[test]
    fn every_kind_of_entry_gives_its_text() {
        let kernel = Some("kernel");
        for (text, wanted) in [
            (
                r#"{"__REALTIME_TIMESTAMP":"17","_TRANSPORT":"kernel","MESSAGE":"a \"b\" \u00e4\ud834\udd1e"}"#,
                one(kernel, "17", "a \"b\" ä𝄞"),
            ),
            (r#"{"log":"[1.5] x\n","stream":"stdout","time":"T"}"#, one(None, "T", "[1.5] x\n")),
            (
                "[\n {\n  \"jsonPayload\": {\n \"MESSAGE\": \"x\",\n \"SYSLOG_IDENTIFIER\": \"kernel\"\n },\n \"timestamp\": \"T\"\n }\n]",
                one(kernel, "T", "x"),
            ),
            (
                r#"{"data":{"result":[{"stream":{"a":"b"},"values":[["1700000000000000000","x"]]}]}}"#,
                one(None, "1700000000000000000", "x"),
            ),
            (
                r#"{"events":[{"timestamp":12,"message":"x","ingestionTime":13}]}"#,
                one(None, "12", "x"),
            ),
            (
                r#"[[{"field":"@timestamp","value":"T"},{"field":"@message","value":"x"}]]"#,
                one(None, "T", "x"),
            ),
            (
                r#"{"_TRANSPORT":"syslog","SYSLOG_IDENTIFIER":"app","MESSAGE":"x"}"#,
                one(Some("app"), "", "x"),
            ),
            (r#"{"_TRANSPORT":"stdout","MESSAGE":"x"}"#, one(Some(""), "", "x")),
            (r#"{"MESSAGE":[120,10,121]}"#, one(None, "", "x\ny")),
            (
                r#"{"unix_ms":1764559374808,"by":"kernel","uptime_us":5,"text":"x"}"#,
                one(None, "2025-12-01T03:22:54.808Z", "x"),
            ),
            (r#"{"time":"T","message":"it was c"#, one(None, "T", "it was c")),
        ] {
            assert_eq!(entries(text), [wanted], "{text}");
        }
    }

    #[test]
    fn what_is_no_json_is_refused() {
        let mut out = Vec::new();
        for line in ["[   12.5] oom", "{ some words", "]", "\"x\"", "12", "{\"a\":1]"] {
            let mut log = JsonLog::default();
            assert_eq!(log.take(line, 1, &mut out), Err(NotJson), "{line}");
            assert!(!log.is_open() && out.is_empty());
        }
        assert!(
            !JsonLog::begins("[    1.5] x") && JsonLog::begins("[") && JsonLog::begins("{\"a\"")
        );
        assert_eq!(JsonLog::default().take(&"[".repeat(100), 1, &mut out), Err(NotJson));
    }
}

//! Strings from outside: command lines, cgroup paths, user names. They are shown only after
//! control, escape and bidirectional characters were escaped. This is the one place where bytes
//! become text.
//!
//! The escaped form writes each dangerous byte as `\xNN`, as `/dev/kmsg` does. Nothing is lost:
//! [`unescape`] returns the bytes.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Whether a character may be shown as it is: it is printable, cannot be taken for nothing, and
/// does not affect its neighbours.
pub(crate) fn harmless(c: char) -> bool {
    !(c.is_control()
        || matches!(c,
            '\\'
            | '\u{00ad}'                // soft hyphen
            | '\u{061c}'                // Arabic letter mark
            | '\u{115f}' | '\u{1160}'   // Hangul fillers
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'   // zero width, direction marks
            | '\u{2028}'..='\u{202e}'   // separators, embeddings, overrides
            | '\u{2060}'..='\u{206f}'   // joiners, isolates
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'   // variation selectors
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}' // tags
        ))
}

/// Appends the escaped form of `bytes` to `out`: printable UTF-8 as it is, every other byte as
/// `\xNN`. The backslash itself is written `\x5c`, so that [`unescape`] can reverse the form.
pub fn escape_bytes(bytes: &[u8], out: &mut String) {
    use std::fmt::Write;
    let hex = |out: &mut String, raw: &[u8]| {
        for byte in raw {
            let _ = write!(out, "\\x{byte:02x}");
        }
    };
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if harmless(c) {
                out.push(c);
            } else {
                let mut raw = [0; 4];
                hex(out, c.encode_utf8(&mut raw).as_bytes());
            }
        }
        hex(out, chunk.invalid());
    }
}

/// The escaped form of `bytes` as a new string; see [`escape_bytes`].
#[must_use]
pub fn neutral(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    escape_bytes(bytes, &mut out);
    out
}

/// A finished sentence, safe to print: as [`neutral`], but a backslash stays, so that the names in it, which were
/// escaped before, are not escaped twice.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for part in text.split_inclusive('\\') {
        let plain = part.strip_suffix('\\');
        escape_bytes(plain.unwrap_or(part).as_bytes(), &mut out);
        out.extend(plain.map(|_| '\\'));
    }
    out
}

/// The bytes of an escaped form. A backslash that does not begin an escape stands for itself.
#[must_use]
pub fn unescape(text: &str) -> Vec<u8> {
    let raw = text.as_bytes();
    let mut out = Vec::with_capacity(raw.len());
    let mut at = 0;
    while at < raw.len() {
        let code = (raw[at] == b'\\' && raw.get(at + 1) == Some(&b'x'))
            .then(|| text.get(at + 2..at + 4))
            .flatten()
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        if let Some(byte) = code {
            out.push(byte);
            at += 4;
        } else {
            out.push(raw[at]);
            at += 1;
        }
    }
    out
}

/// A string from outside, held in its escaped form ([`escape_bytes`]), which is safe to print
/// anywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(Box<str>);

impl Text {
    /// Escapes `bytes`.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        Self(neutral(bytes).into_boxed_str())
    }

    /// The command line in `bytes`, whose arguments end with NUL, with blanks between the
    /// arguments.
    #[must_use]
    pub fn command_line(bytes: &[u8]) -> Self {
        let end = bytes.iter().rposition(|&b| b != 0).map_or(0, |last| last + 1);
        let mut out = String::with_capacity(end);
        for (nth, argument) in bytes[..end].split(|&b| b == 0).enumerate() {
            if nth > 0 {
                out.push(' ');
            }
            escape_bytes(argument, &mut out);
        }
        Self(out.into_boxed_str())
    }

    /// The escaped form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// A recording may come from anywhere, so its strings are escaped again.
impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::new(&unescape(&String::deserialize(deserializer)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Comm;

    #[test]
    fn hostile_names_are_escaped_without_loss() {
        for (raw, shown) in [
            (&b"bash"[..], "bash"),
            (b"a b) R 1", "a b) R 1"),
            (b"\x1b[2J", r"\x1b[2J"),
            (b"two\nlines", r"two\x0alines"),
            (b"back\\slash", r"back\x5cslash"),
            (b"\xff\xfe", r"\xff\xfe"),
            ("gr\u{fc}n".as_bytes(), "gr\u{fc}n"),
            ("\u{202e}evil".as_bytes(), r"\xe2\x80\xaeevil"),
            (b"\xc2\x9b31m", r"\xc2\x9b31m"),
        ] {
            assert_eq!(neutral(raw), shown);
            assert_eq!(unescape(shown), raw, "nothing is lost of {shown}");
            assert_eq!(Comm::new(raw).to_string(), shown);
        }
    }

    #[test]
    fn a_finished_sentence_is_not_escaped_twice() {
        let name = neutral(b"ev\x1b[31mil\n");
        let sentence = format!("{name} dies\x1b[2J\u{202e}");
        let shown = printable(&sentence);
        assert_eq!(shown, r"ev\x1b[31mil\x0a dies\x1b[2J\xe2\x80\xae");
        assert_eq!(printable(&shown), shown);
        assert_eq!(printable(r"\"), r"\");
    }

    #[test]
    fn a_command_line_is_joined_by_spaces() {
        assert_eq!(Text::command_line(b"java\0-Xmx12g\0\0\0").as_str(), "java -Xmx12g");
        assert_eq!(Text::command_line(b"a\0\0b\0").as_str(), "a  b");
        assert_eq!(Text::command_line(b"").as_str(), "");
        assert_eq!(Text::command_line(b"sh\0-c\0x\ny").as_str(), r"sh -c x\x0ay");
    }
}

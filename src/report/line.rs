//! Lines of text: how they are cut and which characters they use.

use std::io::{self, Write};

use unicode_width::UnicodeWidthChar;

/// How lines are written.
#[derive(Clone, Copy, Debug)]
pub struct TextStyle {
    /// Maximum width in cells, for a terminal. `None`: lines are never cut.
    pub cut: Option<usize>,
    /// Only ASCII: every other character becomes a question mark.
    pub ascii: bool,
}

/// Writes one line.
pub(crate) fn write_line(out: &mut dyn Write, line: &str, style: TextStyle) -> io::Result<()> {
    let line = style.cut.map_or(line, |width| fit(line, width));
    if !style.ascii || line.is_ascii() {
        return writeln!(out, "{line}");
    }
    let plain: String = line.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect();
    writeln!(out, "{plain}")
}

/// The beginning of a text that fits into this many cells.
pub(crate) fn fit(text: &str, width: usize) -> &str {
    let mut cells = 0;
    for (at, c) in text.char_indices() {
        cells += c.width().unwrap_or(0);
        if cells > width {
            return &text[..at];
        }
    }
    text
}

//! Lines of text: two parts at the two edges, and long lines broken at their spaces.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::ui::paint::canvas::{cells, fit, line_cells};

/// The width of several spans in cells.
#[must_use]
pub fn span_cells(spans: &[Span<'_>]) -> u16 {
    spans.iter().fold(0, |sum, span| sum.saturating_add(cells(&span.content)))
}

/// As many of the left spans as fit, and the right spans at the right edge.
#[must_use]
pub fn spread(left: Vec<Span<'static>>, right: Vec<Span<'static>>, width: u16) -> Line<'static> {
    let end = span_cells(&right);
    let mut line: Vec<Span<'static>> = Vec::with_capacity(left.len() + right.len() + 1);
    let mut used = 0;
    for span in left {
        let more = cells(&span.content);
        if used > 0 && used + more + end + if end > 0 { 2 } else { 0 } > width {
            break;
        }
        used += more;
        line.push(span);
    }
    line.push(Span::raw(" ".repeat(usize::from(width.saturating_sub(used + end)))));
    line.extend(right);
    Line::from(line)
}

/// Puts parts behind each other, two cells apart, and on the next line where the line is full. A part that is
/// longer than a line is broken at its spaces. The lines begin behind `indent` cells.
#[must_use]
pub fn flow(parts: Vec<Vec<Span<'static>>>, width: u16, indent: u16) -> Vec<Line<'static>> {
    let begin = || vec![Span::raw(" ".repeat(usize::from(indent)))];
    let (mut lines, mut spans, mut taken) = (Vec::new(), begin(), indent);
    for part in parts {
        let (gap, more) = (if taken > indent { 2 } else { 0 }, span_cells(&part));
        if gap > 0 && taken + gap + more > width {
            lines.push(Line::from(std::mem::replace(&mut spans, begin())));
            taken = indent;
        } else if gap > 0 {
            spans.push(Span::raw("  "));
            taken += gap;
        }
        spans.extend(part);
        taken = taken.saturating_add(more);
    }
    lines.push(Line::from(spans));
    lines.iter().flat_map(|line| wrap(line, width, indent)).collect()
}

/// Breaks a line at its spaces so that it fits, and what is longer than a line behind a `/`; continued lines are indented by `indent` cells.
#[must_use]
pub fn wrap(line: &Line<'static>, room: u16, indent: u16) -> Vec<Line<'static>> {
    if line_cells(line) <= room || room <= indent + 8 {
        return vec![line.clone()];
    }
    let mut wrapped =
        Wrapped { room, indent, lines: Vec::new(), spans: Vec::new(), taken: 0, begun: false };
    for span in &line.spans {
        let style = line.style.patch(span.style);
        for word in span.content.split_inclusive(' ') {
            if cells(word.trim_end()) > room - indent {
                components(word).for_each(|part| wrapped.push(part, style));
            } else {
                wrapped.push(word, style);
            }
        }
    }
    wrapped.end_line();
    wrapped.lines
}

/// A path cut behind each `/`, but for the first; any other word as it is.
fn components(word: &str) -> impl Iterator<Item = &str> {
    let mut rest = word;
    std::iter::from_fn(move || {
        let skip = usize::from(rest.starts_with('/'));
        let end = rest.get(skip..)?.find('/').map_or(rest.len(), |at| at + skip + 1);
        let (part, behind) = rest.split_at(end);
        rest = behind;
        (!part.is_empty()).then_some(part)
    })
}

/// A line that is being broken.
struct Wrapped {
    room: u16,
    indent: u16,
    /// The lines that are complete.
    lines: Vec<Line<'static>>,
    /// The last line so far.
    spans: Vec<Span<'static>>,
    /// The cells of the last line so far.
    taken: u16,
    /// Whether the last line has more than its indent.
    begun: bool,
}

impl Wrapped {
    /// Adds a word with the space behind it.
    fn push(&mut self, word: &str, style: Style) {
        let mut word = word;
        while self.taken.saturating_add(cells(word.trim_end())) > self.room {
            if self.begun {
                self.end_line();
                self.spans.push(Span::raw(" ".repeat(usize::from(self.indent))));
                self.taken = self.indent;
                self.begun = false;
                continue;
            }
            // A word longer than a line is broken where the line ends.
            let fit = fit(word, self.room - self.taken + 1);
            let at = if fit.cut_at == 0 { word.len() } else { fit.cut_at };
            self.spans.push(Span::styled(word[..at].to_owned(), style));
            word = &word[at..];
            self.taken = self.room;
            self.begun = true;
            if word.is_empty() {
                return;
            }
        }
        self.taken = self.taken.saturating_add(cells(word));
        self.begun |= !word.trim().is_empty();
        self.spans.push(Span::styled(word.to_owned(), style));
    }

    /// Completes the last line, without the space at which it was broken.
    fn end_line(&mut self) {
        let mut spans = std::mem::take(&mut self.spans);
        if let Some(last) = spans.last_mut() {
            let end = last.content.trim_end().len();
            last.content.to_mut().truncate(end);
        }
        self.lines.push(Line::from(spans));
    }
}

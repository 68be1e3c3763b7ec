//! The journal of the session: every act with what it was about and what came of it, a line each.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::session::journal::{ChangeState, JournalEntry};
use crate::app::{App, NoticeLevel};
use crate::ui::page::scroll::PageShown;
use crate::ui::paint::canvas::{Canvas, cells, line_cells, tail, wrap};
use crate::ui::paint::text;
use crate::ui::paint::theme::Theme;

/// Paints the page, scrolled so that the chosen line is in view.
pub fn paint(app: &App, at: usize, area: Rect, canvas: &mut Canvas<'_>) -> PageShown {
    let theme = canvas.theme;
    let entries = &app.session.journal.entries;
    let boxed = area.height >= 5;
    let inside = if boxed {
        canvas.frame(area, "This session", theme.frame())
    } else {
        canvas.clear(area);
        area
    };
    let room = inside.width.saturating_sub(2);
    let parts: Vec<[String; 4]> = entries.iter().map(|entry| parts(entry, theme)).collect();
    let widest = |nth: usize, most: u16| {
        parts.iter().map(|parts| cells(&parts[nth])).max().unwrap_or(0).min(most)
    };
    let widths = [widest(0, room / 4), widest(1, 13), widest(2, 16)];
    let mut list = inside;
    // What is cut off in its line stands below as a whole.
    if let Some((entry, parts)) = entries.get(at).zip(parts.get(at)) {
        let whole = line(app, entry, parts, widths, theme);
        if line_cells(&whole) > room && inside.height > 6 {
            let told = wrap(&Line::raw(parts[3].clone()), room, 2);
            let height = (told.len() as u16).min(3);
            list.height -= height + 1;
            for (y, line) in (list.bottom() + 1..inside.bottom()).zip(&told) {
                canvas.line(inside.x + 1, y, room, line);
            }
        }
    }
    let inside = list;
    let rows = usize::from(inside.height).max(1);
    // The last lines are seen when it opens, and whatever line is chosen.
    let last_top = entries.len().saturating_sub(rows);
    let top = (at + 1).saturating_sub(rows).max(at.saturating_sub(rows / 2)).min(last_top);
    if entries.is_empty() {
        let text = "nothing was changed or signalled from here";
        canvas.text(inside.x + 1, inside.y, room, text, theme.dim());
    }
    let visible = entries.iter().zip(&parts).enumerate().skip(top);
    for (y, (nth, (entry, parts))) in (inside.top()..inside.bottom()).zip(visible) {
        let mut line = line(app, entry, parts, widths, theme);
        if nth == at {
            // Colours would be the ground of a reversed line.
            line.spans.iter_mut().for_each(|span| span.style = theme.plain());
        }
        canvas.line(inside.x + 1, y, room, &line);
        if nth == at {
            canvas.style(Rect { y, height: 1, ..inside }, theme.cursor());
        }
    }
    if boxed {
        foot(app, at, area, canvas);
    }
    let count = u16::try_from(entries.len()).unwrap_or(u16::MAX);
    PageShown { page: inside.height, lines: count, dialog: false }
}

/// On whom, what, from which value to which, and what came of it.
fn parts(entry: &JournalEntry, theme: Theme) -> [String; 4] {
    let Some(acted) = &entry.acted else {
        return [String::new(), String::new(), String::new(), entry.text.clone()];
    };
    let values = acted.values.map(|(from, to)| format!("{from} {} {to}", theme.arrow()));
    [acted.subject.clone(), acted.what.clone(), values.unwrap_or_default(), acted.outcome.clone()]
}

fn line(
    app: &App,
    entry: &JournalEntry,
    [subject, what, values, outcome]: &[String; 4],
    widths: [u16; 3],
    theme: Theme,
) -> Line<'static> {
    let style = match entry.level {
        NoticeLevel::Plain => theme.plain(),
        NoticeLevel::Good => theme.good(),
        NoticeLevel::Warn => theme.warn(),
    };
    let mark = if entry.level == NoticeLevel::Warn { "! " } else { "  " };
    let mut spans =
        vec![Span::styled(text::clock(app, entry.unix_ms), theme.dim()), Span::styled(mark, style)];
    if entry.acted.is_some() {
        let padded = |text: &str, width: u16| {
            let pad = usize::from(width.saturating_sub(cells(text)));
            format!("{}{:pad$}  ", tail(text, width), "")
        };
        spans.push(Span::styled(padded(subject, widths[0]), theme.strong()));
        spans.push(Span::raw(padded(what, widths[1])));
        spans.push(Span::raw(padded(values, widths[2])));
    }
    spans.push(Span::styled(outcome.clone(), style));
    let change = entry.change.and_then(|nth| app.session.journal.change(nth));
    if let Some(ChangeState::Gone) = change.map(|change| change.state) {
        spans.push(Span::styled("  (gone)", theme.dim()));
    }
    Line::from(spans)
}

/// Where the page stands, and what its keys would do to the chosen line.
fn foot(app: &App, at: usize, area: Rect, canvas: &mut Canvas<'_>) {
    let entries = &app.session.journal.entries;
    let change = entries.get(at).and_then(|entry| app.session.journal.change(entry.change?));
    let does = match change.map(|change| change.state) {
        Some(ChangeState::Standing) => "Enter puts it back, ",
        Some(ChangeState::Back(_)) => "Enter makes it again, ",
        _ => "",
    };
    let place = if entries.is_empty() {
        String::new()
    } else {
        format!("{} of {}, ", at + 1, entries.len())
    };
    let text = format!(" {place}{does}w writes it to a file, Esc closes ");
    let taken = cells(&text);
    if taken + 4 < area.width {
        canvas.text(
            area.right() - taken - 2,
            area.bottom() - 1,
            taken,
            &text,
            canvas.theme.frame(),
        );
    }
}

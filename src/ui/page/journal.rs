//! The journal page: everything that was done in this session and its result, a line each.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::session::journal::{ChangeState, JournalEntry};
use crate::app::{App, NoticeLevel};
use crate::ui::paint::canvas::{Canvas, cells, line_cells, tail};
use crate::ui::paint::lines::wrap;
use crate::ui::paint::scroll::{PageBox, PageShown};
use crate::ui::paint::theme::Theme;
use crate::ui::paint::{list, severity, text};

/// Paints the page, scrolled so that the chosen line is in view.
pub fn paint(app: &App, at: usize, area: Rect, canvas: &mut Canvas<'_>) -> PageShown {
    let theme = canvas.theme;
    let entries = &app.session.journal.entries;
    let page = PageBox::open(area, "This session", canvas);
    let inside = page.inside;
    let room = inside.width.saturating_sub(2);
    let parts: Vec<[String; 4]> = entries.iter().map(|entry| parts(entry, theme)).collect();
    let widest = |nth: usize, most: u16| {
        parts.iter().map(|parts| cells(&parts[nth])).max().unwrap_or(0).min(most)
    };
    let widths = [widest(0, room / 4), widest(1, 13), widest(2, 16)];
    let mut area = inside;
    // The result of the chosen line is shown in full below the list, where it is cut off in its line.
    if let Some((entry, parts)) = entries.get(at).zip(parts.get(at)) {
        let whole = line(app, entry, parts, widths, theme);
        if line_cells(&whole) > room && inside.height > 6 {
            let result = wrap(&Line::raw(parts[3].clone()), room, 2);
            let height = (result.len() as u16).min(3);
            area.height -= height + 1;
            for (y, line) in (area.bottom() + 1..inside.bottom()).zip(&result) {
                canvas.line(inside.x + 1, y, room, line);
            }
        }
    }
    let top = list::centred_top(at, usize::from(area.height), entries.len());
    if entries.is_empty() {
        let text = Line::styled("doomtop has changed and signalled nothing", theme.dim());
        for (y, line) in (area.top()..area.bottom()).zip(wrap(&text, room, 0)) {
            canvas.line(area.x + 1, y, room, &line);
        }
    }
    let visible = entries.iter().zip(&parts).enumerate().skip(top);
    for (y, (nth, (entry, parts))) in (area.top()..area.bottom()).zip(visible) {
        let mut line = line(app, entry, parts, widths, theme);
        if nth == at {
            line = list::uncoloured(line, canvas);
        }
        canvas.line(area.x + 1, y, room, &line);
        if nth == at {
            list::highlight(Rect { y, ..area }, canvas);
        }
    }
    page.foot(&[&foot(app, at)], canvas);
    let count = u16::try_from(entries.len()).unwrap_or(u16::MAX);
    PageShown { page: area.height, lines: count, top: 0, dialog: false }
}

/// The process, what was done to it, the old and the new value, and the result.
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
    let style = severity::notice(theme, entry.level);
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

/// The place of the chosen line, and what the keys would do to it.
fn foot(app: &App, at: usize) -> String {
    let entries = &app.session.journal.entries;
    let change = entries.get(at).and_then(|entry| app.session.journal.change(entry.change?));
    let does = match change.map(|change| change.state) {
        Some(ChangeState::Standing) => "Enter reverts it, ",
        Some(ChangeState::Back(_)) => "Enter redoes it, ",
        _ => "",
    };
    let place = if entries.is_empty() {
        String::new()
    } else {
        format!("{} of {}, ", at + 1, entries.len())
    };
    format!("{place}{does}w writes it to a file, Esc closes")
}

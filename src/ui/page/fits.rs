//! The page that answers whether so much more memory would fit: the answer, the kills, and what else decides.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::App;
use crate::app::page::fits::FitsPage;
use crate::columns::human_size;
use crate::forecast::cascade::{CascadeStep, FitVerdict};
use crate::ui::paint::canvas::{Canvas, cells, tail};
use crate::ui::paint::lines::wrap;
use crate::ui::paint::list;
use crate::ui::paint::scroll::{PageBox, PageShown};
use crate::ui::paint::theme::Theme;
use crate::units::PageSize;
use crate::words::fits::{self, CgroupStyle};

/// There is little room for paths.
const SHORT: CgroupStyle = CgroupStyle::Short;

/// The cells of a label.
const LABEL: u16 = 9;
/// The cells of a size.
const SIZE: usize = 7;
/// From this width on a row has its badness and what is left after it.
const MIDDLE: u16 = 60;
/// From this width on it has the place; below, the place is in a line of its own.
const WIDE: u16 = 70;

/// Paints the page, scrolled so that the line under the cursor is in view.
pub fn paint(app: &App, page: &FitsPage, area: Rect, canvas: &mut Canvas<'_>) -> PageShown {
    let size = human_size(page.answer.newcomer.size);
    let open = PageBox::open_padded(area, &format!("What if {size} more were needed?"), canvas);
    let Some(scene) = &app.scene else { return PageShown::default() };
    let (inside, theme) = (open.inside, canvas.theme);
    let pages = scene.machine().page_size;
    let mut lines = head(page, inside.width, theme);
    let (mut from, mut to) = (0, 0);
    for (nth, step) in (1..).zip(&page.answer.steps) {
        let begin = lines.len();
        lines.push(row(nth, step, pages, inside.width, theme));
        let place =
            (inside.width < WIDE).then(|| format!("at {}", fits::where_killed(step, SHORT)));
        for remark in place.into_iter().chain(fits::remarks(step, pages, SHORT)) {
            let line = Line::styled(format!("    {remark}"), theme.dim());
            lines.extend(wrap(&line, inside.width, 4));
        }
        if nth == page.at {
            (from, to) = (begin, lines.len());
        }
    }
    if !page.answer.steps.is_empty() {
        lines.push(Line::default());
    }
    for (nth, (label, text)) in (page.answer.steps.len() + 1..).zip(&page.notes) {
        let begin = lines.len();
        lines.extend(note(label, text, inside.width, theme));
        if nth == page.at {
            (from, to) = (begin, lines.len());
        }
    }
    let top = list::block_top(from, to, usize::from(inside.height));
    for (y, (nth, line)) in (inside.top()..inside.bottom()).zip(lines.iter().enumerate().skip(top))
    {
        let chosen = (from..to).contains(&nth);
        let line = if chosen { list::uncoloured(line.clone(), canvas) } else { line.clone() };
        canvas.line(inside.x, y, inside.width, &line);
        if chosen {
            list::highlight(Rect { y, ..inside }, canvas);
        }
    }
    let feet = feet(page);
    open.foot(&feet.each_ref().map(String::as_str), canvas);
    let count = u16::try_from(page.count()).unwrap_or(u16::MAX);
    PageShown { page: inside.height, lines: count, top: 0, dialog: false }
}

/// What the keys do, the longest first.
fn feet(page: &FitsPage) -> [String; 4] {
    let enter = page
        .chosen()
        .map_or_else(String::new, |step| format!("Enter goes to {}, ", fits::name(&step.victim)));
    [
        format!("{enter}] [ change the adj, Alt-f asks again, Esc closes"),
        format!("{enter}] [ adj, Esc closes"),
        format!("{enter}Esc closes"),
        "Esc closes".to_owned(),
    ]
}

fn style(verdict: FitVerdict, theme: Theme) -> Style {
    match verdict {
        FitVerdict::Fits => theme.good(),
        FitVerdict::Throttled | FitVerdict::AfterKills => theme.warn(),
        FitVerdict::No => theme.danger(),
    }
}

/// The answer, who is supposed to take the memory, and the head of the table.
fn head(page: &FitsPage, width: u16, theme: Theme) -> Vec<Line<'static>> {
    let answer = &page.answer;
    let sentence = Line::styled(fits::answer(answer, SHORT), style(answer.verdict(), theme));
    let mut lines = wrap(&sentence, width, 0);
    let who = Line::styled(fits::newcomer(&answer.newcomer, SHORT), theme.dim());
    lines.extend(wrap(&who, width, 2));
    lines.push(Line::default());
    if !answer.steps.is_empty() {
        let mut text = format!("  # {:>SIZE$} {}", "HAD", padded("KILLED", name_width(width)));
        if width >= MIDDLE {
            text.push_str(&format!(" {:>SIZE$}", "BADNESS"));
        }
        text.push_str(&format!(" {:>SIZE$}", "FREES"));
        if width >= MIDDLE {
            text.push_str(&format!(" {:>SIZE$}", "LEFT"));
        }
        if width >= WIDE {
            text.push_str("  AT");
        }
        lines.push(Line::styled(padded(&text, width), theme.head()));
    }
    lines
}

/// The cells of the column of names: what the others leave.
const fn name_width(width: u16) -> u16 {
    let sizes = if width >= MIDDLE { 3 } else { 1 };
    let place = if width >= WIDE { width / 4 } else { 0 };
    let taken = 4 + SIZE as u16 + 1 + sizes * (SIZE as u16 + 1) + place;
    let left = width.saturating_sub(taken);
    if left < 8 { 8 } else { left }
}

fn padded(text: &str, width: u16) -> String {
    let pad = usize::from(width.saturating_sub(cells(text)));
    format!("{text}{:pad$}", "")
}

/// A kill.
fn row(nth: usize, step: &CascadeStep, page: PageSize, width: u16, theme: Theme) -> Line<'static> {
    let names = name_width(width);
    let name = fits::name(&step.victim);
    let name = tail(&name, names);
    let sized = |text: String| Span::raw(format!(" {text:>SIZE$}"));
    let badness =
        step.victim.points.map_or_else(|| "-".to_owned(), |it| fits::points(it, step.unit, page));
    let freed = step.freed.map_or_else(|| "?".to_owned(), human_size);
    let mut spans = vec![
        Span::styled(format!("{nth:>3} "), theme.dim()),
        Span::raw(format!("{:>SIZE$} ", human_size(step.had))),
        Span::styled(padded(&name, names), theme.strong()),
    ];
    if width >= MIDDLE {
        spans.push(sized(badness));
    }
    spans.push(sized(freed));
    if width >= MIDDLE {
        spans.push(sized(human_size(step.left)));
    }
    if width >= WIDE {
        let room = (width / 4).saturating_sub(2);
        let place = fits::where_killed(step, SHORT);
        spans.push(Span::raw(format!("  {}", tail(&place, room))));
    }
    Line::from(spans)
}

/// A note behind its label.
fn note(label: &str, text: &str, width: u16, theme: Theme) -> Vec<Line<'static>> {
    let line = Line::from(vec![
        Span::styled(padded(label, LABEL), theme.label()),
        Span::raw(text.to_owned()),
    ]);
    wrap(&line, width, LABEL)
}

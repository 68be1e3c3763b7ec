//! The panels under the table.

use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::app::App;
use crate::app::view::kind::ViewKind;
use crate::ui::paint::canvas::{Canvas, tail, wrap};
use crate::ui::panel::{cgroup, explain, machine, session};
use crate::ui::view::verdicts;

/// Paints as many as there is room for.
pub fn paint(app: &App, count: u16, area: Rect, canvas: &mut Canvas<'_>) {
    if count == 0 || area.height < 3 {
        return;
    }
    let theme = canvas.theme;
    // The first explains most and gets most; a cell stays free between two frames.
    let share = |part: u16| area.width * part / 100;
    let widths = if count == 3 {
        [share(37), share(32), area.width - share(37) - share(32)]
    } else {
        [share(58), area.width - share(58), 0]
    };
    let inner = area.height - 2;
    // Where there is room for one of the two, the machine is shown until something was done.
    let idle =
        app.journal.entries.is_empty() && app.journal.pending.is_empty() && !app.timeline.has_new();
    if app.screen == ViewKind::Cgroups {
        return paint_cgroup(app, area, canvas);
    }
    if app.screen == ViewKind::Verdicts {
        return paint_verdict(app, area, canvas);
    }
    let mut x = area.x;
    for (nth, &width) in widths.iter().take(usize::from(count)).enumerate() {
        let last = nth + 1 == usize::from(count);
        let strip = Rect { x, width: if last { width } else { width - 1 }, ..area };
        x += width;
        let (title, lines, indent) = match (nth, count) {
            (0, _) => (explain::title(app), explain::brief(app, theme, inner), 12),
            (1, 3) => ("Machine".to_owned(), machine::lines(app, theme), 11),
            (_, 2) if idle => ("Machine".to_owned(), machine::lines(app, theme), 11),
            _ => (session::title(app).to_owned(), session::lines(app, theme, inner), 10),
        };
        let inside = canvas.frame(strip, &title, theme.frame());
        fill(&lines, indent, inside, canvas);
    }
}

/// The panels of the view of cgroups: what the files say, and what happens at the wall.
fn paint_cgroup(app: &App, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    let left = area.width / 2;
    let files = cgroup::files(app, theme, left.saturating_sub(5));
    let files = files.unwrap_or_else(|| machine::lines(app, theme));
    let sides = [
        (Rect { width: left - 1, ..area }, cgroup::title(app), files),
        (
            Rect { x: area.x + left, width: area.width - left, ..area },
            "When it can take no more".to_owned(),
            cgroup::wall(app, theme),
        ),
    ];
    for (strip, title, lines) in sides {
        let title = tail(&title, strip.width.saturating_sub(6)).into_owned();
        let inside = canvas.frame(strip, &title, theme.frame());
        fill(&lines, 11, inside, canvas);
    }
}

/// The panels of the view of verdicts: the policy under the cursor, and what it waits for.
fn paint_verdict(app: &App, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    let left = area.width * 55 / 100;
    let sides = [
        (Rect { width: left - 1, ..area }, verdicts::title(app), verdicts::card(app, theme)),
        (
            Rect { x: area.x + left, width: area.width - left, ..area },
            "What it waits for".to_owned(),
            verdicts::waits(app, theme),
        ),
    ];
    for (strip, title, mut lines) in sides {
        let inside = canvas.frame(strip, &title, theme.frame());
        let room = inside.width.saturating_sub(2);
        // The last lines say least; whole lines say more than many.
        let height = |lines: &[Line<'static>]| {
            lines.iter().map(|line| wrap(line, room, 11).len()).sum::<usize>()
        };
        while lines.len() > 1 && height(&lines) > usize::from(inside.height) {
            lines.pop();
        }
        fill(&lines, 11, inside, canvas);
    }
}

/// Long lines go on in the next one where that pushes nothing out.
fn fill(lines: &[Line<'static>], indent: u16, area: Rect, canvas: &mut Canvas<'_>) {
    let (x, room) = (area.x + 1, area.width.saturating_sub(2));
    let blank = lines.iter().filter(|line| line.spans.is_empty()).count();
    let wrapped: Vec<Vec<Line<'static>>> =
        lines.iter().map(|line| wrap(line, room, indent)).collect();
    let needed: usize = wrapped.iter().map(Vec::len).sum();
    let mut spill = needed.saturating_sub(usize::from(area.height));
    let whole = spill <= blank;
    let mut y = area.y;
    for (line, parts) in lines.iter().zip(&wrapped) {
        // Blank lines are there to be used up.
        if whole && spill > 0 && line.spans.is_empty() {
            spill -= 1;
            continue;
        }
        for part in if whole { parts.as_slice() } else { std::slice::from_ref(line) } {
            if y >= area.bottom() {
                return;
            }
            canvas.line(x, y, room, part);
            y += 1;
        }
    }
}

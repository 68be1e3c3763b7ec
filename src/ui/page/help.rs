//! The help page, made from the tables of keys, columns and policies, so that it is always complete.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::keymap::bindings::{Key, KeyContext, keys_of};
use crate::columns::COLUMNS;
use crate::policy::POLICIES;
use crate::ui::paint::canvas::Canvas;
use crate::ui::paint::scroll::{self, PageShown};
use crate::ui::paint::theme::Theme;
use crate::ui::view::cgroup_columns::GROUP_COLUMNS;
use crate::ui::view::row_marks::MARKS;

/// The cells of the left part, and where continued lines are indented.
const INDENT: u16 = 20;

/// Paints the page.
pub fn paint(scroll: u16, area: Rect, canvas: &mut Canvas<'_>) -> PageShown {
    let lines = lines(canvas.theme);
    scroll::paint("doomtop: keys and columns", &lines, INDENT, scroll, area, canvas)
}

fn lines(theme: Theme) -> Vec<Line<'static>> {
    let heading = |text: &str| Line::styled(text.to_owned(), theme.strong());
    let row = |left: &str, right: &str| {
        let width = usize::from(INDENT) - 2;
        Line::from(vec![
            Span::styled(format!("{left:<width$}  "), theme.label()),
            Span::raw(right.to_owned()),
        ])
    };
    let mut lines = vec![
        Line::raw("Rows are in the order in which the OOM killer would choose them."),
        Line::default(),
    ];
    for (place, title) in KeyContext::ALL {
        lines.push(heading(title));
        for binding in keys_of(place) {
            let keys: Vec<String> = binding.keys.iter().map(Key::to_string).collect();
            lines.push(row(&keys.join(" "), binding.help));
        }
        if place == KeyContext::Browse {
            lines.push(row("0-9", "go to the pid as it is typed"));
        }
        lines.push(Line::default());
    }
    lines.push(heading("Marks behind the rank"));
    for (mark, _, meaning) in MARKS {
        lines.push(row(mark.glyph(), meaning));
    }
    for (mark, meaning) in [
        (">", "the cursor"),
        ("*", "tagged; behind a cgroup: the scope"),
        ("!", "behind SCORE: the kernel's number differs from the computed one"),
    ] {
        lines.push(row(mark, meaning));
    }
    let [memory, swap, adj, trace, removed, more, zero] = theme.bar_glyphs();
    lines.push(row(
        &format!("{zero}{memory}{swap}{adj} {trace}"),
        "the bar of a badness: memory, swap and adj on one scale; less than half a cell",
    ));
    lines.push(row(
        &format!("{more}{removed}{zero}"),
        "what a negative adj takes away, left of the zero line; more of it than there is room for",
    ));
    lines.push(row("[1] 1? -", "in the Verdicts view: dies by that policy, may die, is spared"));
    let moved = format!("{}1 {}1", theme.moved(true), theme.moved(false));
    lines.push(row(&moved, "one rank up or down since the last sample (wide terminals)"));
    lines.push(Line::default());
    lines.push(heading("Instead of a value"));
    for (dash, meaning) in
        [(".", "nothing"), ("!", "may not be read"), ("-", "does not exist"), ("?", "not read yet")]
    {
        lines.push(row(dash, meaning));
    }
    lines.push(Line::default());
    lines.push(heading("Columns"));
    for column in COLUMNS {
        lines.push(row(column.title, column.about));
    }
    lines.push(Line::default());
    lines.push(heading("Columns of the Cgroups view"));
    for column in GROUP_COLUMNS {
        lines.push(row(column.title, column.about));
    }
    lines.push(Line::default());
    lines.push(heading("Rules (v lists them)"));
    for policy in POLICIES {
        lines.push(row(policy.id(), policy.info().about));
    }
    lines
}

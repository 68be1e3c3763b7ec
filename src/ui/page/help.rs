//! The help page, printed from the tables of keys and columns, so that it cannot lie.

use ratatui::text::{Line, Span};

use crate::app::keymap::bindings::{Key, KeyContext, keys_of};
use crate::columns::COLUMNS;
use crate::policy::POLICIES;
use crate::ui::paint::theme::Theme;
use crate::ui::view::cgroups::GROUP_COLUMNS;

/// Cells of the keys, and where what continues is indented.
pub const MARGIN: u16 = 20;

/// The page.
#[must_use]
pub fn lines(theme: Theme) -> Vec<Line<'static>> {
    let heading = |text: &str| Line::styled(text.to_owned(), theme.strong());
    let row = |left: &str, right: &str| {
        let width = usize::from(MARGIN) - 2;
        Line::from(vec![
            Span::styled(format!("{left:<width$}  "), theme.label()),
            Span::raw(right.to_owned()),
        ])
    };
    let mut lines = vec![
        Line::raw("Rows stand in the order in which the OOM killer would choose them."),
        Line::default(),
    ];
    let places = [
        (KeyContext::Browse, "In the table"),
        (KeyContext::Cgroups, "In the view of cgroups"),
        (KeyContext::Verdicts, "In the view of verdicts"),
        (KeyContext::Memory, "In the view of memory"),
        (KeyContext::Events, "In the view of events"),
        (KeyContext::Adjust, "In the editor of oom_score_adj"),
        (KeyContext::Sysctl, "In the editor of overcommit and the other switches"),
        (KeyContext::AdjRules, "On the page of the rules of adj"),
        (KeyContext::Confirm, "In a question"),
        (KeyContext::Menu, "In a list"),
        (KeyContext::Page, "On a page like this one"),
        (KeyContext::Journal, "In the journal"),
        (KeyContext::Persist, "On the page that tells how to keep a value"),
    ];
    for (place, title) in places {
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
    for (mark, meaning) in [
        (">", "the cursor"),
        ("*", "tagged; behind a cgroup: the scope"),
        ("x", "signalled, and followed until it is gone; or somebody else's victim"),
        ("!", "behind SCORE: the kernel's number differs from the computed one"),
    ] {
        lines.push(row(mark, meaning));
    }
    lines.push(row("[1] 1? -", "in the view of verdicts: dies by that policy, may die, is spared"));
    let moved = format!("{}1 {}1", theme.moved(true), theme.moved(false));
    lines.push(row(&moved, "one rank up or down since the last look (wide terminals)"));
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
    lines.push(heading("Columns of the view of cgroups"));
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

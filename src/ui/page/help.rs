//! The help page, made from the tables of keys, columns, policies and words, so that it is always complete.

use std::cell::RefCell;
use std::rc::Rc;

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::alarm::QUANTITIES;
use crate::app::keymap::bindings::{Action, Key, KeyBinding, KeyContext, Keymap};
use crate::app::keymap::group::KeyGroup;
use crate::app::page::help::{HelpPage, HelpSearch};
use crate::app::page::help_topics::HelpTopic;
use crate::app::setup::ThemeName;
use crate::columns::COLUMNS;
use crate::policy::POLICIES;
use crate::ui::paint::canvas::{Canvas, cells};
use crate::ui::paint::lines::wrap;
use crate::ui::paint::list;
use crate::ui::paint::scroll::{PageBox, PageShown};
use crate::ui::paint::theme::Theme;
use crate::ui::view::cgroup_columns::GROUP_COLUMNS;
use crate::ui::view::row_marks::MARKS;
use crate::words::terms::TERMS;

/// The cells of the left part, and where continued lines are indented.
const INDENT: u16 = 20;

/// The same on a narrow screen.
const NARROW_INDENT: u16 = 12;

/// The keys that are enough for a beginning.
const FIRST_KEYS: [Action; 10] = [
    Action::Explain,
    Action::Adjust,
    Action::Sacrifice,
    Action::Revert,
    Action::NextView,
    Action::ScopeMenu,
    Action::Search,
    Action::Filter,
    Action::Palette,
    Action::Quit,
];

/// The text of the help, wrapped for a width.
struct HelpText {
    keys: Keymap,
    width: u16,
    theme: Theme,
    topic: Option<&'static HelpTopic>,
    lines: Vec<Line<'static>>,
    /// Where each entry begins, its number of lines, and its text in lower case.
    entries: Vec<(u16, u16, String)>,
}

thread_local! {
    // The text depends on tables and on the width only: it is wrapped once, and not in each frame.
    static WRAPPED: RefCell<Option<Rc<HelpText>>> = const { RefCell::new(None) };
}

/// Paints the page.
pub fn paint(keys: Keymap, help: &HelpPage, area: Rect, canvas: &mut Canvas<'_>) -> PageShown {
    let title = help.topic.map_or("doomtop: help", |topic| topic.title);
    let page = PageBox::open_padded(area, title, canvas);
    let inside = page.inside;
    let text = wrapped(keys, help.topic, inside.width, canvas.theme);
    let total = u16::try_from(text.lines.len()).unwrap_or(u16::MAX);
    let highest = total.saturating_sub(inside.height);
    let found = help.search.as_ref().filter(|it| !it.text.is_empty());
    let found = found.map(|search| (search, matches(&text, search)));
    let chosen = found.as_ref().and_then(|(search, found)| chosen(search, found));
    let top = match chosen.filter(|_| help.seeks) {
        // A line of what is before it.
        Some((_, (start, ..))) => start.saturating_sub(1),
        None => help.scroll,
    };
    let top = top.min(highest);
    for (y, line) in (inside.top()..inside.bottom()).zip(&text.lines[usize::from(top)..]) {
        canvas.line(inside.x, y, inside.width, line);
    }
    if let Some((_, (start, height))) = chosen.filter(|_| help.seeks) {
        for line in
            (start..start + height).filter(|&line| line >= top && line < top + inside.height)
        {
            list::highlight(Rect { y: inside.y + line - top, ..inside }, canvas);
        }
    }
    let typed = help.typing.as_ref().map(|input| format!("Find: {}_", input.value()));
    let place = match (&found, chosen) {
        (Some((_, found)), Some((nth, _))) => Some(format!("match {} of {}", nth + 1, found.len())),
        (Some((search, _)), None) => Some(format!("no match for {}", search.text)),
        (None, _) => None,
    };
    let lines = if total > inside.height {
        let last = total.min(top.saturating_add(inside.height));
        format!("{}-{last} of {total}, / finds, Esc closes", top + 1)
    } else {
        "Esc closes".to_owned()
    };
    let parts: Vec<String> = [typed, place].into_iter().flatten().collect();
    let searched = parts.join("  ");
    let foot = if parts.is_empty() { &lines } else { &searched };
    page.foot(&[foot], canvas);
    PageShown { page: inside.height, lines: total, top, dialog: false }
}

/// The entries that contain the text: where each begins, and its number of lines.
fn matches(text: &HelpText, search: &HelpSearch) -> Vec<(u16, u16)> {
    let entries = text.entries.iter().filter(|(.., words)| words.contains(&search.text));
    entries.map(|&(start, height, _)| (start, height)).collect()
}

/// The match that the search has come to, and its number.
fn chosen(search: &HelpSearch, found: &[(u16, u16)]) -> Option<(usize, (u16, u16))> {
    let count = i64::try_from(found.len()).ok().filter(|&count| count > 0)?;
    let first = found.iter().position(|&(start, _)| start >= search.from).unwrap_or(0);
    let nth = (i64::try_from(first).ok()? + i64::from(search.steps)).rem_euclid(count);
    let nth = usize::try_from(nth).ok()?;
    Some((nth, *found.get(nth)?))
}

/// The text for this width, wrapped now or at an earlier frame.
fn wrapped(
    keys: Keymap,
    topic: Option<&'static HelpTopic>,
    width: u16,
    theme: Theme,
) -> Rc<HelpText> {
    WRAPPED.with_borrow_mut(|kept| {
        let fits = |it: &&Rc<HelpText>| {
            (it.keys, it.topic, it.width, it.theme) == (keys, topic, width, theme)
        };
        if let Some(text) = kept.as_ref().filter(fits) {
            return Rc::clone(text);
        }
        let indent = if width < 60 { NARROW_INDENT } else { INDENT };
        let all = match topic {
            None => all(keys, theme, indent),
            Some(topic) => of_topic(keys, topic, theme, indent),
        };
        let mut text =
            HelpText { keys, width, theme, topic, lines: Vec::new(), entries: Vec::new() };
        for line in all {
            let words: String = line.spans.iter().map(|span| span.content.as_ref()).collect();
            let start = u16::try_from(text.lines.len()).unwrap_or(u16::MAX);
            // A paragraph goes on where it begins, a row behind its left part.
            let blank = line.spans.first().filter(|it| it.content.trim().is_empty());
            let begin = blank.map_or(indent, |it| cells(&it.content));
            text.lines.extend(wrap(&line, width, begin));
            let height = u16::try_from(text.lines.len()).unwrap_or(u16::MAX) - start;
            text.entries.push((start, height, words.to_lowercase()));
        }
        let text = Rc::new(text);
        *kept = Some(Rc::clone(&text));
        text
    })
}

/// A word and what it means.
fn row(left: &str, right: &str, theme: Theme, indent: u16) -> Line<'static> {
    let width = usize::from(indent) - 2;
    Line::from(vec![
        Span::styled(format!("{left:<width$}  "), theme.label()),
        Span::raw(right.to_owned()),
    ])
}

fn key_row(binding: &KeyBinding, theme: Theme, indent: u16) -> Line<'static> {
    let keys: Vec<String> = binding.keys.iter().map(Key::to_string).collect();
    row(&keys.join(" "), binding.help, theme, indent)
}

/// The help about a dialog or a page.
fn of_topic(keys: Keymap, topic: &HelpTopic, theme: Theme, indent: u16) -> Vec<Line<'static>> {
    let mut lines: Vec<Line<'static>> = Vec::new();
    for about in topic.about {
        lines.push(row("", about, theme, 2));
        lines.push(Line::default());
    }
    if topic.context == KeyContext::Alarms {
        lines.push(Line::styled("What can be watched", theme.strong()));
        lines.extend(QUANTITIES.iter().map(|it| row(it.example, it.about, theme, indent)));
        lines.push(Line::default());
    }
    lines.push(Line::styled("Keys", theme.strong()));
    lines.extend(keys.keys_of(topic.context).map(|binding| key_row(binding, theme, indent)));
    lines.push(Line::default());
    lines.push(Line::styled("Can it be undone?", theme.strong()));
    lines.push(row("", &with_keys(topic.undo, keys), theme, 2));
    lines
}

/// A text with the keys of the actions that it names in braces: `{revert}`.
fn with_keys(text: &str, keys: Keymap) -> String {
    let mut text = text.to_owned();
    for action in KeyGroup::Views.actions() {
        let name = format!("{{{}}}", action.name());
        if text.contains(&name) {
            text = text.replace(&name, &keys.name_of(KeyContext::Browse, action));
        }
    }
    text
}

fn all(keys: Keymap, theme: Theme, indent: u16) -> Vec<Line<'static>> {
    let heading = |text: &str| Line::styled(text.to_owned(), theme.strong());
    let row = |left: &str, right: &str| row(left, right, theme, indent);
    let mut lines = vec![
        Line::raw("Rows are in the order in which the OOM killer would choose them."),
        Line::default(),
        heading("The keys to begin with"),
    ];
    for action in FIRST_KEYS {
        let binding = keys.keys_of(KeyContext::Browse).find(|binding| binding.action == action);
        lines.extend(binding.map(|binding| key_row(binding, theme, indent)));
    }
    lines.push(row("F1", "in a dialog: what it does, and what cannot be undone"));
    lines.push(Line::default());
    lines.push(heading("The words of the screen"));
    lines.extend(TERMS.iter().map(|(word, meaning)| row(word, meaning)));
    lines.push(Line::default());
    for (place, title) in KeyContext::ALL {
        lines.push(heading(title));
        lines.extend(keys.keys_of(place).map(|binding| key_row(binding, theme, indent)));
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
    lines.extend(COLUMNS.iter().map(|column| row(column.title, column.about)));
    lines.push(Line::default());
    lines.push(heading("Columns of the Cgroups view"));
    lines.extend(GROUP_COLUMNS.iter().map(|column| row(column.title, column.about)));
    lines.push(Line::default());
    lines.push(heading(&with_keys("Alarms ({alarms-page} sets them)", keys)));
    lines.extend(QUANTITIES.iter().map(|it| row(it.example, it.about)));
    lines.push(Line::default());
    lines.push(heading(&with_keys("Themes ({theme-menu})", keys)));
    lines.extend(ThemeName::ALL.iter().map(|theme| row(theme.name(), theme.about())));
    lines.push(Line::default());
    lines.push(heading(&with_keys("Rules ({policy-menu} lists them)", keys)));
    lines.extend(POLICIES.iter().map(|policy| row(policy.id(), policy.info().about)));
    lines
}

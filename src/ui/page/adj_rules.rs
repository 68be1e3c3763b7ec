//! The page of the rules of adj, and the question before they are switched on.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::App;
use crate::app::adj_rules::rules::{
    ActiveRules, MOST_A_LOOK, RuleCase, RuleCaseState, RuleConsentDialog,
};
use crate::ui::dialog::popup;
use crate::ui::page::scroll;
use crate::ui::page::scroll::PageShown;
use crate::ui::paint::canvas::Canvas;
use crate::ui::paint::theme::Theme;
use crate::units::Adj;

/// Where what continues is indented.
const MARGIN: u16 = 6;
/// So many rules are listed in the question.
const LISTED: usize = 6;

/// Paints the page.
pub fn paint(app: &App, scroll: u16, area: Rect, canvas: &mut Canvas<'_>) -> PageShown {
    let theme = canvas.theme;
    let Some(sticky) = &app.adj_rules else {
        return scroll::paint("There are no rules of adj", &[], 0, scroll, area, canvas);
    };
    let title = format!("Rules of adj from {}", sticky.file);
    scroll::paint(&title, &lines(sticky, theme), MARGIN, scroll, area, canvas)
}

/// What stands on it.
fn lines(sticky: &ActiveRules, theme: Theme) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    match (&sticky.trouble, sticky.is_on()) {
        (Some(trouble), _) => {
            lines.push(Line::styled(format!("! {trouble}"), theme.danger()));
            let text = "Nothing is written. This is the last good version, as a dry run.";
            lines.push(Line::styled(text, theme.strong()));
        }
        (None, true) => lines.push(Line::from(vec![
            Span::styled(sticky.summary(), theme.strong()),
            Span::styled(": at each look, once for each process.  ", theme.dim()),
            Span::styled("o", theme.strong()),
            Span::styled(" switches them off", theme.dim()),
        ])),
        (None, false) => lines.push(Line::from(vec![
            Span::styled("Dry run: nothing is written.  ", theme.strong()),
            Span::styled("Enter", theme.strong()),
            Span::styled(" asks to switch them on", theme.dim()),
        ])),
    }
    if sticky.too_dear > 0 {
        let whom = match sticky.too_dear {
            1 => "1 process".to_owned(),
            count => format!("{count} processes"),
        };
        let text = format!("! {whom} could not be compared: too many rules for so many processes");
        lines.push(Line::styled(text, theme.warn()));
    }
    for (nth, rule) in sticky.rules.rules.iter().enumerate() {
        lines.push(Line::default());
        let whom: Vec<String> = rule.subjects.iter().map(ToString::to_string).collect();
        lines.push(Line::from(vec![
            Span::styled(format!("{:<3} ", nth + 1), theme.label()),
            Span::styled(format!("{}: adj {}", rule.about, rule.adj), theme.strong()),
            Span::styled(format!("  for {}", whom.join(" or ")), theme.dim()),
        ]));
        let cases = || sticky.cases.iter().filter(|case| case.rule == nth);
        let have = cases().filter(|case| case.state == RuleCaseState::Has).count();
        if cases().count() == 0 {
            lines.push(Line::styled("      means nobody now", theme.dim()));
        } else if have > 0 {
            let verb = if have == 1 { "has" } else { "have" };
            lines.push(Line::styled(format!("      {have} {verb} it already"), theme.dim()));
        }
        lines.extend(
            cases().filter(|case| case.state != RuleCaseState::Has).map(|case| line(case, theme)),
        );
    }
    lines
}

/// A process that a rule means.
fn line(case: &RuleCase, theme: Theme) -> Line<'static> {
    let (text, style): (String, Style) = match &case.state {
        RuleCaseState::Has => ("has it".to_owned(), theme.dim()),
        RuleCaseState::Would => ("would be written".to_owned(), theme.plain()),
        RuleCaseState::New => ("new: one more look".to_owned(), theme.dim()),
        RuleCaseState::Asked => ("asked for".to_owned(), theme.plain()),
        RuleCaseState::Written => ("written".to_owned(), theme.good()),
        RuleCaseState::Left => {
            ("! changed by somebody else after that: left so".to_owned(), theme.warn())
        }
        RuleCaseState::Refused(why) => (format!("! {why}"), theme.warn()),
        RuleCaseState::Never(why) => (format!("left alone: {why}"), theme.dim()),
    };
    let value = match (&case.state, case.from) {
        (RuleCaseState::Written, _) => case.to.to_string(),
        (RuleCaseState::Left, Some(from)) => format!("{from} (was set to {})", case.to),
        (_, Some(from)) => format!("{from} {} {}", theme.arrow(), case.to),
        (_, None) => format!("? {} {}", theme.arrow(), case.to),
    };
    Line::from(vec![
        Span::raw(format!("      {} {}  ", case.who, case.name)),
        Span::styled(value, theme.strong()),
        Span::raw("  "),
        Span::styled(text, style),
    ])
}

/// Paints the question whether to switch them on.
pub fn paint_ask(ask: &RuleConsentDialog, area: Rect, canvas: &mut Canvas<'_>) -> bool {
    let theme = canvas.theme;
    let mut lines: Vec<popup::PriorityLine> = Vec::new();
    // What could not be read was not agreed to: none of these goes where there is little room.
    for (about, adj, would) in ask.lines.iter().take(LISTED) {
        lines.push((0, rule(about, *adj, *would, theme)));
    }
    if let Some(more) = ask.lines.len().checked_sub(LISTED).filter(|&more| more > 0) {
        let text = format!("and {more} rules more, all on the page behind this");
        lines.push((0, Line::styled(text, theme.warn())));
    }
    lines.push((9, Line::default()));
    let text = "From now on each look writes these values, without asking again: once for each \
                process that a rule means, also for those that start later.";
    lines.push((0, Line::raw(text)));
    let text = format!(
        "Never pid 1, kernel threads, doomtop, or who has -1000; at most {MOST_A_LOOK} at a look; \
         who is changed back is left so. A changed file switches them off. What was written stays."
    );
    lines.push((5, Line::styled(text, theme.dim())));
    lines.push((9, Line::default()));
    let count = ask.count.to_string();
    let rest = count.len().saturating_sub(ask.typed.len() + 1);
    lines.push((
        0,
        Line::from(vec![
            Span::raw(format!("type the count {count} and ")),
            Span::styled("Enter", theme.danger()),
            Span::raw(": ["),
            Span::styled(ask.typed.clone(), theme.strong()),
            Span::styled(" ", theme.cursor()),
            Span::raw(format!("{}]   Esc = they stay off", " ".repeat(rest))),
        ]),
    ));
    let title = format!("Switch on the rules of {}?", ask.file);
    popup::paint(&title, lines, theme.grave_frame(), area, canvas)
}

fn rule(about: &str, adj: Adj, would: usize, theme: Theme) -> Line<'static> {
    let now = match would {
        0 => "nobody now".to_owned(),
        1 => "1 process now".to_owned(),
        count => format!("{count} processes now"),
    };
    Line::from(vec![
        Span::styled(about.to_owned(), theme.strong()),
        Span::raw(format!(": adj {adj}, ")),
        Span::styled(now, theme.label()),
    ])
}

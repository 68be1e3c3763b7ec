//! The page of the adj rules: each rule, and what it does or would do to each process.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::App;
use crate::app::adj_rules::rules::{ActiveRules, RuleCase, RuleCaseState};
use crate::ui::paint::canvas::Canvas;
use crate::ui::paint::scroll::{self, PageShown};
use crate::ui::paint::theme::Theme;

/// Where continued lines are indented.
const INDENT: u16 = 6;

/// Paints the page.
pub fn paint(app: &App, scroll: u16, area: Rect, canvas: &mut Canvas<'_>) -> PageShown {
    let theme = canvas.theme;
    let Some(rules) = &app.session.adj_rules else {
        return scroll::paint("There are no adj rules", &[], 0, scroll, area, canvas);
    };
    let title = format!("Adj rules from {}", rules.file);
    scroll::paint(&title, &lines(rules, theme), INDENT, scroll, area, canvas)
}

fn lines(rules: &ActiveRules, theme: Theme) -> Vec<Line<'static>> {
    let mut lines = state(rules, theme);
    if rules.too_dear > 0 {
        let processes = match rules.too_dear {
            1 => "1 process".to_owned(),
            count => format!("{count} processes"),
        };
        let text =
            format!("! {processes} could not be compared: too many rules for this many processes");
        lines.push(Line::styled(text, theme.warn()));
    }
    for nth in 0..rules.rules.rules.len() {
        lines.push(Line::default());
        lines.extend(rule(rules, nth, theme));
    }
    lines
}

/// Whether the rules are on, and which key changes that.
fn state(rules: &ActiveRules, theme: Theme) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    match (&rules.trouble, rules.is_on()) {
        (Some(trouble), _) => {
            lines.push(Line::styled(format!("! {trouble}"), theme.danger()));
            let text = "Nothing is written. This is the last valid version, as a dry run.";
            lines.push(Line::styled(text, theme.strong()));
        }
        (None, true) => lines.push(Line::from(vec![
            Span::styled(rules.summary(), theme.strong()),
            Span::styled(": at each sample, once for each process.  ", theme.dim()),
            Span::styled("o", theme.strong()),
            Span::styled(" switches them off", theme.dim()),
        ])),
        (None, false) => lines.push(Line::from(vec![
            Span::styled("Dry run: nothing is written.  ", theme.strong()),
            Span::styled("Enter", theme.strong()),
            Span::styled(" asks to switch them on", theme.dim()),
        ])),
    }
    lines
}

/// A rule, and the processes that it applies to.
fn rule(rules: &ActiveRules, nth: usize, theme: Theme) -> Vec<Line<'static>> {
    let Some(rule) = rules.rules.rules.get(nth) else { return Vec::new() };
    let subjects: Vec<String> = rule.subjects.iter().map(ToString::to_string).collect();
    let mut lines = vec![Line::from(vec![
        Span::styled(format!("{:<3} ", nth + 1), theme.label()),
        Span::styled(format!("{}: adj {}", rule.about, rule.adj), theme.strong()),
        Span::styled(format!("  for {}", subjects.join(" or ")), theme.dim()),
    ])];
    let cases = || rules.cases.iter().filter(|case| case.rule == nth);
    let have = cases().filter(|case| case.state == RuleCaseState::Has).count();
    if cases().count() == 0 {
        lines.push(Line::styled("      applies to no process now", theme.dim()));
    } else if have > 0 {
        let verb = if have == 1 { "has" } else { "have" };
        lines.push(Line::styled(format!("      {have} {verb} it already"), theme.dim()));
    }
    let others = cases().filter(|case| case.state != RuleCaseState::Has);
    lines.extend(others.map(|case| process(case, theme)));
    lines
}

/// A process that a rule applies to.
fn process(case: &RuleCase, theme: Theme) -> Line<'static> {
    let (text, style): (String, Style) = match &case.state {
        RuleCaseState::Has => ("has it".to_owned(), theme.dim()),
        RuleCaseState::Would => ("would be written".to_owned(), theme.plain()),
        RuleCaseState::New => ("new: waits for one more sample".to_owned(), theme.dim()),
        RuleCaseState::Asked => ("asked for".to_owned(), theme.plain()),
        RuleCaseState::Written => ("written".to_owned(), theme.good()),
        RuleCaseState::Left => {
            ("! changed by something else after that: left as it is".to_owned(), theme.warn())
        }
        RuleCaseState::Refused(why) => (format!("! {why}"), theme.warn()),
        RuleCaseState::Never(why) => (format!("skipped: {why}"), theme.dim()),
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

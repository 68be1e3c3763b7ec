//! The line of the limit that is reached first by what is left: how near it is, and who dies there.

use ratatui::text::{Line, Span};

use crate::app::App;
use crate::columns::RowContext;
use crate::forecast::limits::ReachableLimit;
use crate::forecast::oom_at_limit::FirstLimit;
use crate::ui::paint::canvas::cells;
use crate::ui::paint::lines::wrap;
use crate::ui::paint::text;
use crate::ui::paint::theme::Theme;

/// A limit with less than this share left, in per-mille, is near.
const NEAR: u64 = 100;

/// A limit with more than this share left, in per-mille, is not worth a line.
const UNUSED: u64 = 990;

/// The cells of the label of the first line, and the space after it.
const LABEL: u16 = 14;

/// The cells in which a cgroup is named in a few words, or by the end of its path.
const SHORT_NAME: u16 = 24;

/// The columns by which continued lines are indented: those of the headline's details.
const INDENT: u16 = 6;

/// The limit that is hit first, where there are more than the machine's own.
pub fn of(app: &App) -> Option<&FirstLimit> {
    // A report is about one limit only, and that was hit.
    let scene = app.scene.as_ref().filter(|_| app.incidents.report.is_none())?;
    scene.now().cgroups.limited().next()?;
    app.first_limit.as_ref()
}

/// Whether it is worth a line beside a calm headline.
pub fn is_near(first: &FirstLimit) -> bool {
    first.limit.left_permille() < NEAR
}

/// The same limit without its time: when it is full is for the prediction to say, which says so in the headline.
fn without_time(limit: &ReachableLimit) -> ReachableLimit {
    ReachableLimit { hit_in: None, ..limit.clone() }
}

/// The limits that come after it, by the share that is left, in a line each: what is used of them.
pub fn others(
    app: &App,
    first: &FirstLimit,
    context: &RowContext<'_>,
    theme: Theme,
    (width, count): (u16, usize),
) -> Vec<Line<'static>> {
    let line = |limit: &ReachableLimit| {
        let limit = &without_time(limit);
        let room = text::room(context, limit);
        let name = name(limit, width.saturating_sub(LABEL + 2 + cells(&room)).max(8));
        Line::from(vec![
            Span::raw(" ".repeat(usize::from(LABEL))),
            Span::styled(name, theme.plain()),
            Span::styled(format!("  {room}"), theme.label()),
        ])
    };
    let is_used = |limit: &&ReachableLimit| limit.left_permille() <= UNUSED;
    let others = app.tightest_limits.iter().filter(|limit| limit.name != first.limit.name);
    let others = others.filter(is_used);
    others.take(count).map(line).collect()
}

/// The name of a limit: the path of the cgroup if it fits, else its name in few words, else the end of its path.
fn name(limit: &ReachableLimit, room: u16) -> String {
    text::domain(limit.name.as_str(), room)
}

/// The lines about it, at most `rows`: one in the longest form that fits, and several where no form fits into one.
pub fn lines(
    first: &FirstLimit,
    context: &RowContext<'_>,
    theme: Theme,
    (width, rows): (u16, usize),
) -> Vec<Line<'static>> {
    let limit = &without_time(&first.limit);
    let near = if is_near(first) { theme.warn() } else { theme.plain() };
    let (room, left) = (text::room(context, limit), text::left(context, limit));
    let victim = text::victim(context, &first.outcome);
    let all = format!("{victim}{}", text::also_killed(&first.outcome));
    let label = if width >= 60 { "nearest limit" } else { "limit" };
    let taken = |name: &str, room: &str, outcome: &str| {
        cells(label) + cells(name) + cells(room) + cells(outcome) + 5
    };
    let line = |name: String, room: &str, outcome: &str| {
        Line::from(vec![
            Span::styled(format!("{label} "), theme.label()),
            Span::styled(name, theme.strong()),
            Span::raw("  "),
            Span::styled(room.to_owned(), near),
            Span::raw(": "),
            Span::styled(
                outcome.to_owned(),
                if first.outcome.too_close() { theme.candidate() } else { theme.plain() },
            ),
        ])
    };
    // The name is shortened before anything else is left out, but not cut.
    let shortest = name(limit, SHORT_NAME);
    let forms = [(&room, &all), (&room, &victim), (&left, &victim)];
    for (room, outcome) in forms {
        if taken(&shortest, room, outcome) <= width {
            let for_name = width - taken("", room, outcome);
            return vec![line(name(limit, for_name), room, outcome)];
        }
    }
    let whole = wrap(&line(shortest.clone(), &room, &all), width, INDENT);
    if whole.len() <= rows {
        return whole;
    }
    let for_name = width.saturating_sub(taken("", &left, &victim)).max(8);
    vec![line(name(limit, for_name), &left, &victim)]
}

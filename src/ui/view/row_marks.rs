//! What a row of the table stands for: its mark behind the rank, its style, and the words for both.

use ratatui::style::Style;
use ratatui::text::Span;

use crate::app::App;
use crate::columns::RowView;
use crate::forecast::stalled::ProcessStall;
use crate::model::{ProcId, Process, Scene};
use crate::policy::SparedReason;
use crate::rank::Placement;
use crate::ui::frame::alignment::WIDE;
use crate::ui::paint::theme::Theme;

/// What a row stands for. The first that applies is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowMark {
    /// A signal of this session was sent to it, and it is not gone yet.
    Signalled,
    /// It is exiting: something else than this session killed it.
    Dying,
    /// The report on the screen says that it was killed.
    Killed,
    /// It dies next, by the prediction.
    DiesNext,
    /// It may die next: the prediction has several candidates.
    MayDieNext,
    /// It would be chosen if memory ended now, or is too close to that one.
    FirstNow,
    /// It waits and is not killed.
    Stalled,
}

/// The marks with their words: in the status line, and on the help page.
pub const MARKS: [(RowMark, &str, &str); 7] = [
    (RowMark::Signalled, "signalled", "signalled from here, and watched until it is gone"),
    (RowMark::Dying, "exiting", "killed by something else, and exiting"),
    (RowMark::Killed, "killed", "killed: in the report on the screen, or in the last ten seconds"),
    (RowMark::DiesNext, "dies next", "dies next, by the prediction at the top of the screen"),
    (RowMark::MayDieNext, "may die next", "may die next: the prediction has several candidates"),
    (
        RowMark::FirstNow,
        "first if memory ended now",
        "would be chosen if all memory ended now; more than one where they are too close to call",
    ),
    (
        RowMark::Stalled,
        "stalled",
        "waits and is not killed: throttled at memory.high, frozen, at a limit without a killer, or in \
         uninterruptible sleep (D)",
    ),
];

impl RowMark {
    /// The mark; one cell.
    #[must_use]
    pub const fn glyph(self) -> &'static str {
        match self {
            Self::Signalled | Self::Dying | Self::Killed => "x",
            Self::DiesNext => "!",
            Self::MayDieNext => "?",
            Self::FirstNow => "^",
            Self::Stalled => "~",
        }
    }

    /// The style of the mark.
    #[must_use]
    pub fn style(self, theme: Theme) -> Style {
        match self {
            Self::Signalled | Self::Killed | Self::DiesNext => theme.danger(),
            Self::Dying | Self::MayDieNext | Self::Stalled => theme.warn(),
            Self::FirstNow => theme.first_now(),
        }
    }

    /// The mark of a row; nothing for most.
    #[must_use]
    pub fn of(app: &App, row: &RowView<'_>) -> Option<Self> {
        let (process, ranking) = (row.process, row.context.ranking);
        if app.session.journal.is_pending(process.id) {
            Some(Self::Signalled)
        } else if was_killed_in_report(app, process.id) {
            Some(Self::Killed)
        } else if process.dying && process.has_mm {
            Some(Self::Dying)
        } else if let Some(mark) = Self::of_prediction(app, process.id) {
            Some(mark)
        } else {
            let is_first = ranking.victim().is_some_and(|first| first.id == process.id)
                || ranking.candidates().contains(&process.id);
            Self::of_stall(process, row.context.scene, is_first)
                .or_else(|| is_first.then_some(Self::FirstNow))
        }
    }

    /// The mark of a process that waits. The first keeps its own, unless its cgroup waits and kills nobody.
    fn of_stall(process: &Process, scene: &Scene, is_first: bool) -> Option<Self> {
        let stall = ProcessStall::of(process, scene)?;
        let says_more = !is_first || matches!(stall, ProcessStall::Cgroup(..));
        says_more.then_some(Self::Stalled)
    }

    fn of_prediction(app: &App, id: ProcId) -> Option<Self> {
        let next = app.deaths.next.as_ref()?;
        match next.victim() {
            Some(victim) => (victim.id == id).then_some(Self::DiesNext),
            None => next.candidates.iter().any(|it| it.id == id).then_some(Self::MayDieNext),
        }
    }
}

fn was_killed_in_report(app: &App, id: ProcId) -> bool {
    let Some(shown) = &app.incidents.report else { return false };
    let report = app.timeline().report(shown.number);
    report.is_some_and(|report| report.killed.iter().any(|killed| killed.pid == id.pid))
}

/// The style of a whole row.
#[must_use]
pub fn row_style(mark: Option<RowMark>, row: &RowView<'_>, theme: Theme) -> Style {
    let first = row.context.ranking.victim().is_some_and(|first| first.id == row.process.id);
    match mark {
        Some(RowMark::DiesNext | RowMark::Killed) => theme.victim(),
        Some(RowMark::MayDieNext) => theme.candidate(),
        _ if row.placement().points().is_none() => theme.dim(),
        _ if first => theme.first_now(),
        _ => theme.plain(),
    }
}

/// Where the process is that the headline names first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextRow {
    /// On the screen.
    Shown,
    /// In the table or to come into it, but in none of the rows on the screen.
    Elsewhere(ProcId),
    /// Outside the scope of the table.
    OutsideScope,
    /// Hidden by a filter, or what else narrows the table.
    Filtered,
}

/// Where the process is that the headline names first, in a table of so many rows; nothing where it names none.
#[must_use]
pub fn place_of_next(app: &App, rows: u16) -> Option<NextRow> {
    let next = app.deaths.next.as_ref()?;
    let id = next.first()?.id;
    let shown = app.table.lines.iter().skip(app.table.cursor.top).take(usize::from(rows));
    if shown.filter(|line| line.at.is_some()).any(|line| line.id == id) {
        return Some(NextRow::Shown);
    }
    let context = app.context()?;
    let at = context.scene.now().position(id.pid)?;
    let row = context.row(at).filter(|row| row.process.id == id)?;
    Some(if row.placement() == Placement::Spared(SparedReason::Outside) {
        NextRow::OutsideScope
    } else if app.table.settings.shows(&context, u32::try_from(at).ok()?) {
        NextRow::Elsewhere(id)
    } else {
        NextRow::Filtered
    })
}

/// The words for the marks of a prediction, where there is one, and why no row has the mark.
#[must_use]
pub fn legend(app: &App, theme: Theme) -> Option<Span<'static>> {
    let next = app.deaths.next.as_ref()?;
    let mark = match next.victim() {
        Some(_) => RowMark::DiesNext,
        None if next.candidates.is_empty() => return None,
        None => RowMark::MayDieNext,
    };
    let mut span = words(mark, theme);
    let hidden = match place_of_next(app, app.display.viewport.rows.saturating_add(1)) {
        Some(NextRow::OutsideScope) => " outside this scope",
        Some(NextRow::Filtered) => ": hidden here",
        _ => "",
    };
    span.content.to_mut().push_str(hidden);
    Some(span)
}

/// The words for the mark of the process that would be chosen now.
#[must_use]
pub fn first_now_legend(app: &App, theme: Theme) -> Option<Span<'static>> {
    let first = app.ranking.victim()?;
    let dies_next = RowMark::of_prediction(app, first.id).is_some();
    if dies_next || app.incidents.report.is_some() {
        return None;
    }
    let scene = app.scene.as_ref()?;
    if RowMark::of_stall(scene.find(first.id)?, scene, true).is_some() {
        return None;
    }
    Some(if app.display.viewport.width >= WIDE {
        words(RowMark::FirstNow, theme)
    } else {
        let mark = RowMark::FirstNow;
        Span::styled(format!("{} first now", mark.glyph()), mark.style(theme))
    })
}

/// The words for the mark of processes that wait, where one is on the screen.
#[must_use]
pub fn stalled_legend(app: &App, theme: Theme) -> Option<Span<'static>> {
    let context = app.context()?;
    let lines = app.table.lines.iter().skip(app.table.cursor.top);
    let mut rows = lines.take(app.display.viewport.rows.into()).filter_map(|line| line.at);
    let stalls = |at: u32| {
        let row = context.row(at as usize);
        row.is_some_and(|row| RowMark::of(app, &row) == Some(RowMark::Stalled))
    };
    rows.any(stalls).then(|| words(RowMark::Stalled, theme))
}

fn words(mark: RowMark, theme: Theme) -> Span<'static> {
    let found = MARKS.iter().find(|(other, _, _)| *other == mark);
    let words = found.map_or("", |(_, short, _)| short);
    Span::styled(format!("{} {words}", mark.glyph()), mark.style(theme))
}

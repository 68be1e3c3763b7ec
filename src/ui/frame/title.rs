//! The first header line: the views, the machine and the scope on the left, the state of the program
//! and the time on the right.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::adj_rules::rules::ActiveRules;
use crate::app::incident::shown_report::ShownReport;
use crate::app::view::click_target::ClickTarget;
use crate::app::view::kind::ViewKind;
use crate::app::{ActingMode, App};
use crate::columns::{RowContext, span_of};
use crate::model::{DomainKind, EventTime};
use crate::ui::paint::canvas::{Canvas, cells};
use crate::ui::paint::lines::spread;
use crate::ui::paint::text;
use crate::ui::paint::theme::Theme;

/// From this width on the line names the views and the load.
const WIDE: u16 = 100;

/// The line.
pub fn line(app: &App, context: &RowContext<'_>, theme: Theme, width: u16) -> Line<'static> {
    let mut left = vec![Span::styled("doomtop", theme.strong())];
    if width >= WIDE {
        left.extend(views(app, theme));
    }
    left.extend(facts(app, context, theme, width));
    let now = context.scene.now();
    if width >= WIDE && !now.unavailable.lives {
        let machine = context.scene.machine();
        let [one, five, fifteen] = now.load;
        left.push(Span::raw(format!("  load {one:.1} {five:.1} {fifteen:.1}")));
        left.push(Span::styled(
            format!(
                "  {} CPU{}  {}",
                machine.cpus,
                if machine.cpus == 1 { "" } else { "s" },
                machine.arch
            ),
            theme.dim(),
        ));
    }
    let mut right = marks(app, theme);
    right.extend(clock(app, context, theme));
    spread(left, right, width)
}

/// The names of the views, the current one in brackets.
fn views(app: &App, theme: Theme) -> Vec<Span<'static>> {
    let mut spans = vec![Span::raw(" ")];
    spans.extend(ViewKind::ALL.into_iter().map(|view| {
        if view == app.views.kind {
            Span::styled(format!(" [{}]", view.name()), theme.strong())
        } else {
            Span::styled(format!("  {} ", view.name()), theme.dim())
        }
    }));
    spans.push(Span::raw(" "));
    spans
}

/// Notes where the names of the views were painted in a line, for the mouse. A narrow line has none of them.
pub fn note_views(line: Rect, canvas: &mut Canvas<'_>) {
    let places = ViewKind::ALL.map(|kind| (canvas.find(line, kind.name()), kind));
    if line.height == 0 || places.iter().any(|(place, _)| place.is_none()) {
        return;
    }
    for (place, kind) in places {
        place.into_iter().for_each(|place| canvas.clickable(place, ClickTarget::View(kind)));
    }
}

/// Host, kernel, uptime, scope and policy, the most important first: not all of them may fit.
fn facts(app: &App, context: &RowContext<'_>, theme: Theme, width: u16) -> Vec<Span<'static>> {
    let (now, machine) = (context.scene.now(), context.scene.machine());
    let up = span_of(now.clock.uptime_ticks.seconds(machine.tick_rate));
    let host = [
        Span::raw(format!(" {}", machine.name)),
        Span::raw(format!(" {}", machine.kernel)),
        Span::raw(format!(" up {up}")),
    ];
    let scope = scope(app, context, theme, width);
    let policy = app.policy();
    // The rule of the running kernel goes without saying.
    let policy = (!policy.is_running_kernel())
        .then(|| Span::styled(format!("  model {}", policy.id()), theme.label()));
    let mut facts = Vec::with_capacity(6);
    if app.is_scoped() {
        // A scope other than the machine is the first thing to know.
        facts.push(scope);
        facts.extend(policy);
        facts.push(Span::raw(" "));
        facts.extend(host);
    } else if width >= WIDE {
        facts.extend(host);
        facts.push(scope);
        facts.extend(policy);
    } else {
        // Another rule than that of the kernel is more important than which kernel it is.
        facts.extend(policy);
        facts.extend(host);
        facts.push(scope);
    }
    facts
}

/// What is looked at: the machine, or a cgroup and of which kind.
fn scope(app: &App, context: &RowContext<'_>, theme: Theme, width: u16) -> Span<'static> {
    let domain = context.scene.domain();
    let (path, room) = (domain.name.as_str(), (width / 4).max(16));
    let name = if domain.is_global() { path.to_owned() } else { text::domain(path, room) };
    let mut note = text::scope_note(context.scene);
    if cells(&note) > width / 5 {
        // The machine panel has the rest of the note.
        note = if domain.is_global() { " (of the host)".to_owned() } else { String::new() };
    }
    let gone = domain.kind == DomainKind::Gone;
    let style = match (app.is_scoped(), gone) {
        (_, true) => theme.danger(),
        (true, _) => theme.warn(),
        _ => theme.plain(),
    };
    let note = if gone { " gone".to_owned() } else { note };
    Span::styled(format!("  scope {name}{note}"), style)
}

/// The marks of everything that makes the screen differ from the live machine, or that limits what
/// the user may do.
fn marks(app: &App, theme: Theme) -> Vec<Span<'static>> {
    let mut marks: Vec<Span<'static>> = Vec::new();
    let mut mark = |text: String, style: Style| {
        marks.push(Span::styled(text, style));
        marks.push(Span::raw(" "));
    };
    if let Some(report) = &app.incidents.report {
        mark(report_mark(app, report), theme.warn());
    } else if app.is_past() {
        mark(past_mark(app), theme.warn());
    }
    if let Some(since) = app.playback.recording_since() {
        let seconds = app.clock().saturating_sub(since).0 / 1000;
        mark(format!("[rec {}:{:02}]", seconds / 60, seconds % 60), theme.warn());
    }
    if app.refresh.lost.is_some() && !app.playback.past.is_empty() {
        mark("[no new samples]".to_owned(), theme.warn());
    }
    if app.playback.paused {
        mark("[paused]".to_owned(), theme.warn());
    }
    if app.session.adj_rules.as_ref().is_some_and(ActiveRules::is_on) {
        mark("[rules on]".to_owned(), theme.warn());
    }
    if app.session.protection.on {
        mark("[protected]".to_owned(), theme.good());
    }
    let acting = match app.start.acting {
        ActingMode::ReadOnly => Some(("read-only", theme.good())),
        ActingMode::NotReal => Some(("[recording]", theme.warn())),
        ActingMode::Demo => Some(("[demo]", theme.warn())),
        ActingMode::Elsewhere => Some(("[another proc tree]", theme.warn())),
        ActingMode::Rehearsal => Some(("dry run", theme.warn())),
        ActingMode::Free => None,
    };
    if let Some((text, style)) = acting {
        mark(text.to_owned(), style);
    }
    marks
}

/// The mark of a report, which is shown in place of a sample.
fn report_mark(app: &App, report: &ShownReport) -> String {
    let (place, all) = report.place;
    match (report.told, app.scene.as_ref()) {
        (EventTime::Live | EventTime::Clock | EventTime::Stamp, Some(scene)) => {
            format!("[report {}]", text::clock(app, scene.now().clock.unix_ms))
        }
        _ => format!("[report {place} of {all}]"),
    }
}

/// The mark of an earlier sample, which must not be taken for the present.
fn past_mark(app: &App) -> String {
    let ago = span_of(app.playback.ago().unwrap_or_default().0 / 1000);
    let speed = app.playback.speed;
    match (app.playback.is_played(), app.playback.is_playing()) {
        (true, true) => format!("[{speed}]"),
        (true, false) => format!("[stopped, {speed}]"),
        (false, _) => format!("[{ago} ago]"),
    }
}

/// The refresh interval and the time of the sample.
fn clock(app: &App, context: &RowContext<'_>, theme: Theme) -> Vec<Span<'static>> {
    let time = text::clock(app, context.scene.now().clock.unix_ms);
    match &app.incidents.report {
        Some(report) if report.told == EventTime::Order => vec![Span::raw(report.stamp.clone())],
        Some(_) => vec![Span::raw(time)],
        // A recording has a speed instead of an interval, and its mark names it.
        None if app.playback.is_played() => vec![Span::raw(time)],
        None => {
            let seconds = app.refresh.pace.shown(app.settings.delay).0 as f64 / 1000.0;
            let style = if app.refresh.pace.is_fast() { theme.warn() } else { theme.plain() };
            vec![Span::styled(format!("{seconds:.1}s "), style), Span::raw(time)]
        }
    }
}

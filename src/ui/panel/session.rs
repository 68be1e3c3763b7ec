//! The session panel: kills, what was done from here, and signalled processes that are not gone yet.

use ratatui::text::{Line, Span};

use crate::app::incident::entry::TimelineEntry;
use crate::app::incident::event_text::{prediction_word, victim_text};
use crate::app::keymap::bindings::{Action, KeyContext};
use crate::app::session::journal::JournalEntry;
use crate::app::session::pending_exit::PendingSignal;
use crate::app::{App, NoticeLevel};
use crate::columns::{human_size, span_of};
use crate::model::{EventTime, Killer, OomEvent, Signal};
use crate::ui::frame::facts::{self, OomKills};
use crate::ui::paint::lines::wrap;
use crate::ui::paint::theme::Theme;
use crate::ui::paint::{dates, severity, text};
use crate::words::next_death::forecast_sentence;
use crate::words::numbers_and_names::short_cgroup;

/// The panel's title.
#[must_use]
pub fn title(app: &App) -> &'static str {
    if app.shown_kills().is_empty() { "This session" } else { "Kills and actions" }
}

/// The columns by which continued lines are indented: those of the time.
pub const INDENT: u16 = 10;

/// The lines of the panel, the newest at the bottom, where it is always visible. Of what happened, as much as fits
/// without being cut.
#[must_use]
pub fn lines(app: &App, theme: Theme, (width, height): (u16, u16)) -> Vec<Line<'static>> {
    let height = usize::from(height);
    let rows = |line: &Line<'static>| wrap(line, width, INDENT).len();
    let mut foot = Vec::new();
    for signal in &app.session.journal.pending {
        foot.push(pending(app, signal, theme));
    }
    match &app.session.journal.last_made()[..] {
        [] => {}
        [one] => {
            let text = format!("r reverts {} {} to {}", one.who, one.name, one.before);
            foot.push(Line::styled(text, theme.dim()));
        }
        all => {
            let text = format!("r reverts the {} of the last action", all.len());
            foot.push(Line::styled(text, theme.dim()));
        }
    }
    if let Some(context) = text::header_context(app)
        && let Some(kills) = OomKills::of(app, &context)
    {
        foot.push(Line::styled(format!("{} since boot", kills.words()), theme.dim()));
    }
    foot.push(Line::styled(facts::privileges(app), theme.dim()));
    foot.truncate(height);
    let mut room = height.saturating_sub(foot.iter().map(rows).sum());
    let mut lines = Vec::new();
    for entry in app.event_entries().iter().rev() {
        let Some(line) = event(app, entry, theme) else { continue };
        let taken = rows(&line);
        // The newest one is worth more than its end.
        if taken > room && (room == 0 || !lines.is_empty()) {
            break;
        }
        room = room.saturating_sub(taken);
        lines.push(line);
    }
    lines.reverse();
    if lines.is_empty() && room > 0 {
        let line = Line::styled("doomtop has changed and signalled nothing", theme.dim());
        room = room.saturating_sub(rows(&line));
        lines.push(line);
    }
    lines.extend(std::iter::repeat_n(Line::default(), room));
    lines.extend(foot);
    lines
}

/// A line for a kill, for several of them, or for something that was done from here.
fn event(app: &App, entry: &TimelineEntry, theme: Theme) -> Option<Line<'static>> {
    match entry {
        TimelineEntry::Kill(nth) => Some(kill(app, app.timeline().find(*nth)?, theme)),
        TimelineEntry::Storm(storm) => {
            let mut line = kill(app, app.timeline().find(storm.last)?, theme);
            line.spans.push(Span::raw(format!(" ({} kills)", storm.count)));
            Some(line)
        }
        TimelineEntry::Act(at) => Some(act(app, app.session.journal.entries.get(*at)?, theme)),
    }
}

/// Something that was done from here, in one line.
fn act(app: &App, entry: &JournalEntry, theme: Theme) -> Line<'static> {
    let style = severity::notice(theme, entry.level);
    let mark = if entry.level == NoticeLevel::Warn { "! " } else { "  " };
    Line::from(vec![
        Span::styled(text::clock(app, entry.unix_ms), theme.dim()),
        Span::styled(mark, style),
        Span::styled(entry.text.clone(), style),
    ])
}

/// A kill in one line: `13:21:40  memcg 29987 cc1plus 2.1G in pod7f2c, as predicted`.
fn kill(app: &App, event: &OomEvent, theme: Theme) -> Line<'static> {
    let clock = if event.time == EventTime::Order {
        String::new()
    } else if dates::day_of(app, event.unix_ms) == dates::today(app) {
        text::clock(app, event.unix_ms)
    } else {
        format!("{:<8}", dates::date(dates::day_of(app, event.unix_ms)))
    };
    let about = match event.time {
        EventTime::Stamp | EventTime::Within(_) => "~ ",
        _ => "  ",
    };
    let mut text = victim_text(event);
    if let Some(size) = event.victim.and_then(|victim| victim.freed()) {
        text.push_str(&format!(" {}", human_size(size.bytes())));
    }
    if let Some(path) = event.domain.as_ref().or(event.cgroup.as_ref()) {
        text.push_str(&format!(" in {}", short_cgroup(path.as_str())));
    }
    let forecast = forecast_sentence(event.forecast);
    let prediction = forecast.unwrap_or_else(|| prediction_word(event));
    if !prediction.is_empty() {
        text.push_str(&format!(", {prediction}"));
    }
    Line::from(vec![
        Span::styled(clock, theme.dim()),
        Span::styled(about, theme.dim()),
        Span::styled(format!("{} ", killer(event)), theme.warn()),
        Span::raw(text),
    ])
}

/// Which killer it was; of a kill that was only counted, how its victim is known.
fn killer(event: &OomEvent) -> &'static str {
    match event.by {
        Killer::Counted if event.guessed => "kill, victim guessed:",
        Killer::Counted => "kill, victim unknown:",
        by => by.word(),
    }
}

/// A signalled process that is not gone: since when, what it does, and which key sends SIGKILL.
fn pending(app: &App, pending: &PendingSignal, theme: Theme) -> Line<'static> {
    let since = app.clock().saturating_sub(pending.since).0 / 1000;
    let PendingSignal { who, name, signal, .. } = pending;
    let mut spans = vec![
        Span::styled("x ", theme.danger()),
        Span::raw(format!("{who} {name}: {signal} {} ago", span_of(since))),
    ];
    let process = app.scene.as_ref().and_then(|scene| scene.find(*who));
    let why = match (&pending.why, process) {
        (Some(why), _) => why.clone(),
        (None, Some(process)) if process.dying && process.has_mm => "is ending".to_owned(),
        (None, Some(process)) if process.dying => "memory freed, still exiting".to_owned(),
        (None, _) => "not gone yet".to_owned(),
    };
    spans.push(Span::styled(format!(", {why}"), theme.warn()));
    let more = match pending.patience(app.clock()) {
        Some(rest) => format!("; stuck in {}", span_of(rest.0.div_ceil(1000))),
        None if *signal == Signal::KILL => String::new(),
        None => app
            .keys
            .key_of(KeyContext::Browse, Action::Escalate)
            .map_or_else(String::new, |key| format!("; {key}: SIGKILL")),
    };
    spans.push(Span::styled(more, theme.dim()));
    Line::from(spans)
}

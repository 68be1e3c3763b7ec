//! What was done in this session, and who is being followed after a signal.

use ratatui::text::{Line, Span};

use crate::app::incident::timeline::TimelineEntry;
use crate::app::keymap::bindings::{Action, KeyContext, key_of};
use crate::app::session::pending::PendingSignal;
use crate::app::{App, NoticeLevel};
use crate::columns::span_of;
use crate::model::Signal;
use crate::ui::frame::header;
use crate::ui::paint::text;
use crate::ui::paint::theme::Theme;
use crate::ui::view::events;

/// The panel's title.
#[must_use]
pub fn title(app: &App) -> &'static str {
    if app.timeline.events.is_empty() { "This session" } else { "Kills, and acts from here" }
}

/// What the panel says: the newest at the bottom, always visible.
#[must_use]
pub fn lines(app: &App, theme: Theme, height: u16) -> Vec<Line<'static>> {
    let height = usize::from(height);
    let mut foot = Vec::new();
    for pursuit in &app.journal.pending {
        foot.push(pursued(app, pursuit, theme));
    }
    match &app.journal.last_made()[..] {
        [] => {}
        [one] => {
            let text = format!("r puts {} {} back to {}", one.who, one.name, one.before);
            foot.push(Line::styled(text, theme.dim()));
        }
        all => {
            let text = format!("r puts the {} of the last act back", all.len());
            foot.push(Line::styled(text, theme.dim()));
        }
    }
    if let Some(context) = text::header_context(app)
        && let Some(kills) = header::kills(app, &context)
    {
        foot.push(Line::styled(format!("{kills} since boot"), theme.dim()));
    }
    foot.push(Line::styled(header::privileges(app), theme.dim()));
    foot.truncate(height);
    let room = height - foot.len();
    let all = app.event_entries();
    let newest = all.iter().skip(all.len().saturating_sub(room));
    let mut lines: Vec<Line<'static>> = newest
        .filter_map(|entry| {
            let entry = match entry {
                TimelineEntry::Kill(nth) => {
                    return Some(events::brief(app, app.timeline.find(*nth)?, theme));
                }
                TimelineEntry::Act(at) => app.journal.entries.get(*at)?,
            };
            let style = match entry.level {
                NoticeLevel::Plain => theme.plain(),
                NoticeLevel::Good => theme.good(),
                NoticeLevel::Warn => theme.warn(),
            };
            let mark = if entry.level == NoticeLevel::Warn { "! " } else { "  " };
            Some(Line::from(vec![
                Span::styled(text::clock(app, entry.unix_ms), theme.dim()),
                Span::styled(mark, style),
                Span::styled(entry.text.clone(), style),
            ]))
        })
        .collect();
    if lines.is_empty() && room > 0 {
        lines.push(Line::styled("nothing was changed or signalled from here", theme.dim()));
    }
    while lines.len() < room {
        lines.push(Line::default());
    }
    lines.extend(foot);
    lines
}

/// The same in a few words, for a screen without panels: the first of them, and how many more.
#[must_use]
pub fn pursuing(app: &App) -> Option<String> {
    let pending = &app.journal.pending;
    // The one that something can be done about stands before those that need time.
    let stuck = pending.iter().find(|it| it.patience(app.clock()).is_none());
    let pursuit = stuck.or(pending.first())?;
    let since = span_of(app.clock().saturating_sub(pursuit.since).0 / 1000);
    let mut text = format!("x {} {}: {} {since}", pursuit.who, pursuit.name, pursuit.signal);
    if pending.len() > 1 {
        text.push_str(&format!(", {} more", pending.len() - 1));
    }
    Some(text)
}

/// A signalled process that is not gone: how long it has had, what it does, what can be done.
fn pursued(app: &App, pursuit: &PendingSignal, theme: Theme) -> Line<'static> {
    let since = app.clock().saturating_sub(pursuit.since).0 / 1000;
    let PendingSignal { who, name, signal, .. } = pursuit;
    let mut spans = vec![
        Span::styled("x ", theme.danger()),
        Span::raw(format!("{who} {name}: {signal} {} ago", span_of(since))),
    ];
    let process = app.scene.as_ref().and_then(|scene| scene.find(*who));
    let why = match (&pursuit.why, process) {
        (Some(why), _) => why.clone(),
        (None, Some(process)) if process.dying && process.has_mm => "is ending".to_owned(),
        (None, Some(process)) if process.dying => "has given its memory back, is ending".to_owned(),
        (None, _) => "not gone yet".to_owned(),
    };
    spans.push(Span::styled(format!(", {why}"), theme.warn()));
    let more = match pursuit.patience(app.clock()) {
        Some(rest) => format!("; stuck in {}", span_of(rest.0.div_ceil(1000))),
        None if *signal == Signal::KILL => String::new(),
        None => key_of(KeyContext::Browse, Action::Escalate)
            .map_or_else(String::new, |key| format!("; {key}: SIGKILL")),
    };
    spans.push(Span::styled(more, theme.dim()));
    Line::from(spans)
}

//! What was done in this session, and who is being followed after a signal.

use ratatui::text::{Line, Span};

use crate::app::incident::timeline::TimelineEntry;
use crate::app::keymap::bindings::{Action, KeyContext, key_of};
use crate::app::session::journal::PendingSignal;
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
    if app.timeline.happenings.is_empty() { "This session" } else { "Kills, and acts from here" }
}

/// What the panel says: the newest at the bottom, always visible.
#[must_use]
pub fn lines(app: &App, look: Theme, height: u16) -> Vec<Line<'static>> {
    let height = usize::from(height);
    let mut foot = Vec::new();
    for pursuit in &app.journal.pursuits {
        foot.push(pursued(app, pursuit, look));
    }
    match &app.journal.last_made()[..] {
        [] => {}
        [one] => {
            let text = format!("r puts {} {} back to {}", one.who, one.name, one.before);
            foot.push(Line::styled(text, look.dim()));
        }
        all => {
            let text = format!("r puts the {} of the last act back", all.len());
            foot.push(Line::styled(text, look.dim()));
        }
    }
    if let Some(sight) = text::header_sight(app)
        && let Some(kills) = header::kills(app, &sight)
    {
        foot.push(Line::styled(format!("{kills} since boot"), look.dim()));
    }
    foot.push(Line::styled(header::powers(app), look.dim()));
    foot.truncate(height);
    let room = height - foot.len();
    let all = app.event_entries();
    let newest = all.iter().skip(all.len().saturating_sub(room));
    let mut lines: Vec<Line<'static>> = newest
        .filter_map(|entry| {
            let entry = match entry {
                TimelineEntry::Kill(nth) => {
                    return Some(events::brief(app, app.timeline.find(*nth)?, look));
                }
                TimelineEntry::Act(at) => app.journal.entries.get(*at)?,
            };
            let style = match entry.level {
                NoticeLevel::Plain => look.plain(),
                NoticeLevel::Good => look.good(),
                NoticeLevel::Warn => look.warn(),
            };
            let mark = if entry.level == NoticeLevel::Warn { "! " } else { "  " };
            Some(Line::from(vec![
                Span::styled(text::clock(app, entry.unix_ms), look.dim()),
                Span::styled(mark, style),
                Span::styled(entry.text.clone(), style),
            ]))
        })
        .collect();
    if lines.is_empty() && room > 0 {
        lines.push(Line::styled("nothing was changed or signalled from here", look.dim()));
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
    let pursuits = &app.journal.pursuits;
    // The one that something can be done about stands before those that need time.
    let stuck = pursuits.iter().find(|it| it.patience(app.clock()).is_none());
    let pursuit = stuck.or(pursuits.first())?;
    let since = span_of(app.clock().saturating_sub(pursuit.since).0 / 1000);
    let mut text = format!("x {} {}: {} {since}", pursuit.who, pursuit.name, pursuit.signal);
    if pursuits.len() > 1 {
        text.push_str(&format!(", {} more", pursuits.len() - 1));
    }
    Some(text)
}

/// A signalled process that is not gone: how long it has had, what it does, what can be done.
fn pursued(app: &App, pursuit: &PendingSignal, look: Theme) -> Line<'static> {
    let since = app.clock().saturating_sub(pursuit.since).0 / 1000;
    let PendingSignal { who, name, signal, .. } = pursuit;
    let mut spans = vec![
        Span::styled("x ", look.danger()),
        Span::raw(format!("{who} {name}: {signal} {} ago", span_of(since))),
    ];
    let process = app.scene.as_ref().and_then(|scene| scene.find(*who));
    let why = match (&pursuit.why, process) {
        (Some(why), _) => why.clone(),
        (None, Some(process)) if process.dying && process.has_mm => "is ending".to_owned(),
        (None, Some(process)) if process.dying => "has given its memory back, is ending".to_owned(),
        (None, _) => "not gone yet".to_owned(),
    };
    spans.push(Span::styled(format!(", {why}"), look.warn()));
    let more = match pursuit.patience(app.clock()) {
        Some(rest) => format!("; stuck in {}", span_of(rest.0.div_ceil(1000))),
        None if *signal == Signal::KILL => String::new(),
        None => key_of(KeyContext::Browse, Action::Escalate)
            .map_or_else(String::new, |key| format!("; {key}: SIGKILL")),
    };
    spans.push(Span::styled(more, look.dim()));
    Line::from(spans)
}

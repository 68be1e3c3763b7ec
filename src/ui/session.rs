//! What was done in this session, and who is being followed after a signal.

use ratatui::text::{Line, Span};

use super::header;
use super::look::Look;
use super::words;
use crate::app::{App, Level};
use crate::columns::span_of;

/// What the panel says: the newest at the bottom, always visible.
#[must_use]
pub fn lines(app: &App, look: Look, height: u16) -> Vec<Line<'static>> {
    let height = usize::from(height);
    let mut foot = Vec::new();
    for pursuit in &app.journal.pursuits {
        let since = app.clock().saturating_sub(pursuit.since).0 / 1000;
        let mut spans = vec![
            Span::styled("x ", look.danger()),
            Span::raw(format!(
                "{} {}: {} {} ago",
                pursuit.who,
                pursuit.name,
                pursuit.signal,
                span_of(since)
            )),
        ];
        let why = pursuit.why.clone().unwrap_or_else(|| "not gone yet".to_owned());
        spans.push(Span::styled(format!(", {why}"), look.warn()));
        foot.push(Line::from(spans));
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
    if let Some(sight) = words::header_sight(app)
        && let Some(kills) = header::kills(app, &sight)
    {
        foot.push(Line::styled(format!("{kills} since boot"), look.dim()));
    }
    foot.push(Line::styled(header::powers(app), look.dim()));
    foot.truncate(height);
    let room = height - foot.len();
    let entries = &app.journal.entries;
    let mut lines: Vec<Line<'static>> = entries[entries.len().saturating_sub(room)..]
        .iter()
        .map(|entry| {
            let style = match entry.level {
                Level::Plain => look.plain(),
                Level::Good => look.good(),
                Level::Warn => look.warn(),
            };
            let mark = if entry.level == Level::Warn { "! " } else { "  " };
            Line::from(vec![
                Span::styled(words::clock(app, entry.unix_ms), look.dim()),
                Span::styled(mark, style),
                Span::styled(entry.text.clone(), style),
            ])
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

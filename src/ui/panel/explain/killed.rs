//! A process that was killed a moment ago, whose row is still in the table: what happened, and what it was.

use ratatui::text::{Line, Span};

use crate::app::App;
use crate::app::incident::kill_text::{kill_sentences, limit_of_kill};
use crate::app::view::struck_row::StruckRow;
use crate::ui::paint::label;
use crate::ui::paint::text;
use crate::ui::paint::theme::Theme;
use crate::ui::panel::explain::explained_process::LABEL;
use crate::words::next_death::forecast_sentence;

/// The row of the killed process under the cursor.
#[must_use]
pub(crate) fn row(app: &App) -> Option<&StruckRow> {
    app.struck_under_cursor()
}

/// What happened, what it was in the last sample with it, and the key that tells more.
#[must_use]
pub(crate) fn lines(app: &App, row: &StruckRow, theme: Theme) -> Vec<Line<'static>> {
    let line = |name: &str, value: String| {
        Line::from(vec![label::label(theme, name, LABEL), Span::raw(value)])
    };
    let mut lines = Vec::new();
    if let Some(event) = app.timeline().find(row.event) {
        let limit = app.scene.as_ref().and_then(|scene| limit_of_kill(scene, event));
        let [sentence, ..] = kill_sentences(event, limit);
        lines.push(line("killed", format!("{}: {sentence}", text::clock(app, event.unix_ms))));
        lines.extend(forecast_sentence(event.forecast).map(|text| line("forecast", text)));
    }
    let cell = |id: &str| row.cell(id).trim().to_owned();
    let parts =
        [("badness", "badness"), ("rss", "resident"), ("swap", "swap"), ("oom_score_adj", "adj")];
    let known = parts.iter().filter(|(id, _)| !matches!(&*cell(id), "" | "." | "-"));
    let held: Vec<String> = known.map(|(id, name)| format!("{name} {}", cell(id))).collect();
    lines.push(line("just before", held.join(", ")));
    for (id, name) in [("user", "user"), ("cgroup", "cgroup"), ("command", "command")] {
        lines.extend(Some(cell(id)).filter(|it| !it.is_empty()).map(|it| line(name, it)));
    }
    lines.push(Line::from(vec![
        Span::styled("[Enter]", theme.strong()),
        Span::styled(" why it was killed", theme.dim()),
    ]));
    lines
}

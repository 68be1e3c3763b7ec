//! The command line of the process under the cursor, in full.

use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::app::App;
use crate::model::Reading;
use crate::ui::paint::canvas::Canvas;
use crate::ui::paint::label;
use crate::ui::paint::lines::wrap;
use crate::ui::paint::scroll::{self, PageShown};
use crate::ui::paint::theme::Theme;

/// The cells of a label, without the space behind it.
const LABEL: usize = 8;

/// Paints the page, no higher than it needs to be.
pub fn paint(app: &App, at: u16, area: Rect, canvas: &mut Canvas<'_>) -> PageShown {
    let (title, lines) = lines(app, canvas.theme);
    let indent = LABEL as u16 + 1;
    let room = area.width.saturating_sub(4);
    let wrapped: usize = lines.iter().map(|line| wrap(line, room, indent).len()).sum();
    let needed = u16::try_from(wrapped).unwrap_or(u16::MAX).saturating_add(2);
    let height = needed.clamp(5, area.height.max(5)).min(area.height);
    scroll::paint(&title, &lines, indent, at, Rect { height, ..area }, canvas)
}

fn lines(app: &App, theme: Theme) -> (String, Vec<Line<'static>>) {
    let Some((context, process)) = app.context().zip(app.selected()) else {
        return (
            "Command line".to_owned(),
            vec![Line::styled("that process is gone", theme.dim())],
        );
    };
    let say = |name: &str, text: String| label::styled(theme, name, LABEL, text, theme.plain());
    let command = match app.names.command(process) {
        Some(line) => line.to_owned(),
        None if app.names.was_passed_over(process) => {
            "? (the process does not answer: its memory is locked, or it waits for a disk)"
                .to_owned()
        }
        None => "not known: it may not be read, or is not in this recording".to_owned(),
    };
    let mut lines = vec![say("command", command)];
    lines.push(say("user", crate::ui::paint::text::user(&context, process)));
    if let Reading::Value(path) = &process.cgroup {
        lines.push(say("cgroup", path.as_str().to_owned()));
    }
    (format!("{} {}", process.id, process.comm), lines)
}

//! The editor of the kernel's sysctls, and the question before a dangerous value is written.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::App;
use crate::app::dialog::sysctl::{ConfirmSysctl, SysctlDialog};
use crate::model::{Reading, Sysctl};
use crate::plan::overcommit::SysctlDanger;
use crate::ui::dialog::sysctl_effects::{effects, warning};
use crate::ui::paint::canvas::Canvas;
use crate::ui::paint::popup::Overflow;
use crate::ui::paint::theme::Theme;
use crate::ui::paint::{keys, popup, text};

/// The width of the column of names.
const NAME: usize = 25;

/// Paints the editor; gives back whether all of the question is on the screen.
pub fn paint(app: &App, edit: &SysctlDialog, area: Rect, canvas: &mut Canvas<'_>) -> bool {
    let theme = canvas.theme;
    let Some(context) = text::header_context(app) else { return false };
    let now = context.scene.now();
    let mut lines: Vec<popup::PriorityLine> = Vec::new();
    for sysctl in Sysctl::ALL {
        let seen = now.sysctl(sysctl);
        // With little room, the one that is being changed stays.
        let priority = if sysctl == edit.sysctl { 0 } else { 7 };
        lines.push((priority, row(sysctl, seen, edit, theme)));
    }
    lines.push((9, Line::default()));
    match edit.value() {
        _ if edit.from.value().is_none() => {
            let text = "this one cannot be read here";
            lines.push((1, Line::styled(text, theme.warn())));
        }
        None => lines.push((1, Line::styled(edit.complaint(), theme.warn()))),
        Some(_) if seen_otherwise(edit, now.sysctl(edit.sysctl)) => {
            let text = "! its value changed since this opened: Esc, then open it again";
            lines.push((1, Line::styled(text, theme.warn())));
        }
        Some(value) => lines.extend(effects(edit, value, &context, theme)),
    }
    lines.push((9, Line::default()));
    if let Some(hindrance) = edit.hindrance {
        lines.push((1, Line::styled(format!("! {hindrance}"), theme.warn())));
    }
    if let (Some(command), Some(line)) = (edit.command(), edit.line()) {
        let dim = |key: &'static str, what: &'static str, text: String| {
            Line::from(vec![
                Span::styled(key, theme.strong()),
                Span::styled(what, theme.dim()),
                Span::raw(text),
            ])
        };
        lines.push((5, dim("y", " copies, for this boot:  ", command)));
        lines.push((4, dim("Y", " copies, for every boot, in /etc/sysctl.d:  ", line)));
    }
    if let Some((sysctl, before)) = app.session.sysctl_history.earlier.last() {
        let text = format!(" proposes {sysctl} = {before}, the value before doomtop's last change");
        let spans = vec![Span::styled("r", theme.strong()), Span::styled(text, theme.dim())];
        lines.push((6, Line::from(spans)));
    }
    lines.push((9, Line::default()));
    lines.extend(keys::without_effect_line(theme, app.start.acting));
    lines.push((0, answers(theme)));
    let title = format!("Kernel sysctls of {}, until the next boot", now.machine.name);
    popup::paint(&title, lines, (0, Overflow::Needs), theme.frame(), area, canvas).dialog
}

/// Whether the value changed after the editor was opened.
fn seen_otherwise(edit: &SysctlDialog, seen: Reading<u64>) -> bool {
    seen.value().is_some() && seen != edit.from
}

/// A sysctl: its name, its value, and behind the one under the cursor what is typed.
fn row(sysctl: Sysctl, seen: Reading<u64>, edit: &SysctlDialog, theme: Theme) -> Line<'static> {
    let chosen = sysctl == edit.sysctl;
    let mark = if chosen { "> " } else { "  " };
    let style = if chosen { theme.strong() } else { theme.plain() };
    let value = match seen {
        Reading::Value(value) => value.to_string(),
        absent => absent.dash().to_owned(),
    };
    let meaning = seen.value().map_or("", |value| sysctl.meaning(value));
    let mut spans = vec![
        Span::styled(format!("{mark}{:<NAME$}", sysctl.file()), style),
        Span::raw(format!("{value} ")),
    ];
    if !chosen {
        spans.push(Span::styled(meaning, theme.dim()));
        return Line::from(spans);
    }
    spans.extend(keys::value_field(theme, &edit.typed, edit.fresh));
    spans.push(Span::raw(" "));
    let meant = edit.value().map_or("", |value| sysctl.meaning(value));
    spans.push(Span::styled(meant, theme.label()));
    Line::from(spans)
}

/// The keys of the editor.
fn answers(theme: Theme) -> Line<'static> {
    let hints = [
        ("Enter", " apply  "),
        ("Esc", " leave  "),
        ("Up Down", " which  "),
        ("Left Right", " less, more  "),
        ("Tab", " usual"),
    ];
    keys::hints(theme, &hints)
}

/// Paints the question before a dangerous value is written; gives back whether all of it is on the
/// screen.
pub fn paint_confirm(
    app: &App,
    confirm: &ConfirmSysctl,
    area: Rect,
    canvas: &mut Canvas<'_>,
) -> bool {
    let theme = canvas.theme;
    let Some(context) = text::header_context(app) else { return false };
    let sysctl = confirm.sysctl;
    let mut lines: Vec<popup::PriorityLine> = vec![(
        0,
        Line::from(vec![
            Span::raw(format!("{} {} ", confirm.from, theme.arrow())),
            Span::styled(confirm.to.to_string(), theme.strong()),
            Span::styled(format!("  {}", sysctl.meaning(confirm.to)), theme.label()),
        ]),
    )];
    lines.push((9, Line::default()));
    let text = format!("! {}", warning(confirm.danger, confirm.forecast, &context));
    lines.push((0, Line::styled(text, theme.danger())));
    let then = match confirm.danger {
        SysctlDanger::NoMemory => {
            "nothing can be started then, not even a shell to change it back; doomtop may exit, too"
        }
        SysctlDanger::NoMemoryButRoot => {
            "only root can start anything then; services of other users fail"
        }
        SysctlDanger::Panics => "everything that is not on disk by then is lost",
    };
    lines.push((1, Line::raw(then)));
    lines.push((9, Line::default()));
    lines.extend(keys::without_effect_line(theme, app.start.acting));
    lines.push((0, keys::yes(theme, app.start.acting)));
    let title = format!("Set {sysctl} to {}?", confirm.to);
    popup::paint(&title, lines, (0, Overflow::Needs), theme.danger_frame(), area, canvas).dialog
}

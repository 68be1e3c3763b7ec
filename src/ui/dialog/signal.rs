//! The questions before something happens: a signal, or putting a change back.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::App;
use crate::app::dialog::mode::RevertDialog;
use crate::app::dialog::signal::{ConfirmStep, SignalDialog, may_raise};
use crate::columns::RowContext;
use crate::intent::Expedite;
use crate::model::{Process, Reading, Signal};
use crate::ui::dialog::popup;
use crate::ui::paint::canvas::Canvas;
use crate::ui::paint::text;
use crate::ui::paint::theme::Theme;
use crate::units::Kib;

/// Paints the question before a signal.
pub fn paint(app: &App, confirm: &SignalDialog, area: Rect, canvas: &mut Canvas<'_>) -> bool {
    let theme = canvas.theme;
    let Some(context) = app.context() else { return false };
    let who = format!("{} {}", confirm.who, confirm.name);
    let title = if confirm.sacrifice {
        format!("Sacrifice {who}?")
    } else {
        format!("Send {} to {who}?", confirm.signal)
    };
    let mut lines: Vec<popup::PriorityLine> = Vec::new();
    match context.scene.find(confirm.who) {
        Some(process) => lines.extend(facts(process, &context, theme)),
        None => lines.push((1, Line::styled("it is gone already", theme.warn()))),
    }
    lines.push((9, Line::default()));
    lines.push((
        0,
        Line::from(vec![
            Span::styled(confirm.signal.to_string(), theme.danger()),
            Span::raw(format!(": {}", confirm.why)),
        ]),
    ));
    if let Some(warning) = confirm.warning {
        lines.push((1, Line::styled(format!("! {warning}"), theme.warn())));
    }
    lines.push((2, predicted(app, &context, confirm, theme)));
    if confirm.signal.ends() {
        lines.extend(frees(&context, confirm).map(|text| (3, Line::raw(text))));
    }
    lines.extend(
        confirm
            .also_killed
            .iter()
            .enumerate()
            .map(|(nth, text)| (4 + (nth as u8).min(3), Line::raw(format!("- {text}")))),
    );
    lines.extend(confirm.survivors.iter().map(|text| (5, Line::raw(format!("- {text}")))));
    lines.extend(confirm.restart().map(|text| {
        let style = if text.contains("restarts") { theme.warn() } else { theme.plain() };
        (3, Line::styled(format!("- {text}"), style))
    }));
    lines.extend(confirm.frozen().map(|text| (2, Line::styled(format!("! {text}"), theme.warn()))));
    lines.extend(haste(confirm, &context).map(|text| (6, Line::styled(text, theme.dim()))));
    if app.tags.iter().any(|&tagged| tagged != confirm.who) {
        let text = "only this one: tagged processes are not touched";
        lines.push((3, Line::styled(text, theme.dim())));
    }
    lines.push((9, Line::default()));
    lines.extend(ladder(confirm, theme));
    popup::paint(&title, lines, theme.grave_frame(), area, canvas)
}

/// Who it is, as the user should recognise it.
fn facts(process: &Process, context: &RowContext<'_>, theme: Theme) -> Vec<popup::PriorityLine> {
    let label = |text: &'static str| Span::styled(text, theme.label());
    let swap = process.swap.value().unwrap_or_default();
    let mut lines = vec![
        (
            2,
            Line::from(vec![
                Span::styled(text::who(process), theme.strong()),
                label("  of "),
                Span::raw(text::user(context, process)),
                label("  started "),
                Span::raw(format!("{} ago", text::age(context.scene, process.id))),
            ]),
        ),
        (
            3,
            Line::from(vec![
                label("RSS "),
                Span::raw(text::size(context, context.scene.rss(process))),
                label(" + swap "),
                Span::raw(text::size(context, swap)),
            ]),
        ),
    ];
    if let Some(path) = process.cgroup.as_ref().value() {
        lines.push((6, Line::from(vec![label("cgroup "), Span::raw(path.as_str().to_owned())])));
    }
    lines
}

/// Whether the policy would choose the same.
fn predicted(
    app: &App,
    context: &RowContext<'_>,
    confirm: &SignalDialog,
    theme: Theme,
) -> Line<'static> {
    let policy = app.setup.policy;
    let by = if policy.is_running_kernel() {
        String::new()
    } else {
        format!(" by the rule of {}", policy.title())
    };
    if context.policy.overridden(context.scene).is_some() {
        return Line::styled(
            "no prediction: the kernel would not go by the ranking now",
            theme.warn(),
        );
    }
    let candidates = context.ranking.candidates();
    if context.ranking.too_close() && candidates.contains(&confirm.who) {
        let text =
            format!("this MAY be the next victim: one of {} too close to call", candidates.len());
        return Line::from(vec![Span::styled(text, theme.warn()), Span::raw(by)]);
    }
    match context.ranking.victim() {
        Some(row) if row.id == confirm.who => Line::from(vec![
            Span::styled("this IS the predicted victim", theme.strong()),
            Span::raw(by),
        ]),
        Some(row) => {
            let name = context.scene.find(row.id).map_or_else(|| row.id.to_string(), text::who);
            Line::from(vec![
                Span::styled("this is NOT the predicted victim", theme.warn()),
                Span::raw(format!("{by}: that is {name}")),
            ])
        }
        None => Line::raw(format!("nobody can be chosen{by}")),
    }
}

/// What it gives back: by the study, and by the look before that has come.
fn frees(context: &RowContext<'_>, confirm: &SignalDialog) -> Option<String> {
    let process = context.scene.find(confirm.who)?;
    if let Some(study) = &confirm.detail
        && let Reading::Value(holding) = study.breakdown
    {
        let size = |kib| text::kib(context, kib);
        let all = size(holding.freed() + holding.swap);
        let first = match &study.sharers {
            Reading::Value(sharers) => sharers.found.first(),
            _ => None,
        };
        let mut text = match first {
            Some((id, _)) => format!("frees nothing before {id} goes, too; then about {all}"),
            None => format!("frees about {all}"),
        };
        if holding.swap > Kib::ZERO {
            let parts = [holding.freed(), holding.swap].map(size);
            text.push_str(&format!(": {} in memory, {} in swap", parts[0], parts[1]));
        }
        if holding.shared > Kib::ZERO {
            text.push_str(&format!("; {} shared with others stay", size(holding.shared)));
        }
        return Some(text);
    }
    Some(match process.private() {
        Reading::Value(pages) => format!("frees about {} (estimate)", text::size(context, pages)),
        _ => "how much it frees is not known".to_owned(),
    })
}

/// What is done beside the signal.
fn haste(confirm: &SignalDialog, context: &RowContext<'_>) -> Option<String> {
    let steps: Vec<String> = confirm
        .expedite()
        .iter()
        .map(|step| match step {
            Expedite::Priority if !may_raise(context.scene) => {
                format!("{} (you lack CAP_SYS_NICE)", step.words())
            }
            step => step.words(),
        })
        .collect();
    if steps.is_empty() {
        let gentle = confirm.signal.ends() && confirm.signal != Signal::KILL;
        return gentle.then(|| "it ends at its own pace: nothing is hurried".to_owned());
    }
    Some(format!("hurried: {}", steps.join(", ")))
}

/// What it takes to confirm.
fn ladder(confirm: &SignalDialog, theme: Theme) -> Vec<popup::PriorityLine> {
    let mut lines = Vec::new();
    match &confirm.ladder {
        ConfirmStep::Yes => lines.push((
            0,
            Line::from(vec![
                Span::styled("y", theme.danger()),
                Span::raw(" = do it   anything else = nothing"),
            ]),
        )),
        ConfirmStep::TypePid { typed, why } => {
            lines.push((1, Line::styled(format!("! {why}"), theme.warn())));
            let pid = confirm.who.pid.to_string();
            let rest = pid.len().saturating_sub(typed.len() + 1);
            lines.push((
                0,
                Line::from(vec![
                    Span::raw(format!("type the pid {pid} and ")),
                    Span::styled("Enter", theme.danger()),
                    Span::raw(": ["),
                    Span::styled(typed.clone(), theme.strong()),
                    Span::styled(" ", theme.cursor()),
                    Span::raw(format!("{}]   Esc = nothing", " ".repeat(rest))),
                ]),
            ));
        }
    }
    if let Some(study) = &confirm.detail
        && let Reading::Value(sharers) = &study.sharers
        && !sharers.found.is_empty()
    {
        lines.push((
            8,
            Line::from(vec![
                Span::styled("m", theme.strong()),
                Span::styled(" all who live in its memory, too", theme.dim()),
            ]),
        ));
    }
    if confirm.sacrifice {
        let other = if confirm.signal == Signal::TERM { Signal::KILL } else { Signal::TERM };
        lines.push((
            8,
            Line::from(vec![
                Span::styled("s", theme.strong()),
                Span::styled(format!(" {other} instead   "), theme.dim()),
                Span::styled("v", theme.strong()),
                Span::styled(" the predicted victim instead", theme.dim()),
            ]),
        ));
    }
    lines
}

/// Paints the question whether to put a change back, or to make it again.
pub fn paint_revert(app: &App, revert: &RevertDialog, area: Rect, canvas: &mut Canvas<'_>) -> bool {
    let theme = canvas.theme;
    let who = format!("{} {}", revert.who, revert.name);
    let (title, note, does) = if revert.again {
        (
            format!("Change oom_score_adj of {who} again?"),
            "as it was before it was put back",
            " do it again   ",
        )
    } else {
        (
            format!("Put oom_score_adj of {who} back?"),
            "as it was before the change",
            " put it back   ",
        )
    };
    let mut lines = vec![(
        0,
        Line::from(vec![
            Span::raw(format!("{} {} ", revert.from, theme.arrow())),
            Span::styled(revert.to.to_string(), theme.strong()),
            Span::styled(format!("  {note}"), theme.dim()),
        ]),
    )];
    let process = app.scene.as_ref().and_then(|scene| scene.find(revert.who));
    if process.is_none() {
        lines.push((1, Line::styled("! it is gone already", theme.warn())));
    }
    lines.push((9, Line::default()));
    lines.push((
        0,
        Line::from(vec![
            Span::styled("Enter", theme.strong()),
            Span::raw(does),
            Span::styled("Esc", theme.strong()),
            Span::raw(" leave it"),
        ]),
    ));
    popup::paint(&title, lines, theme.frame(), area, canvas)
}

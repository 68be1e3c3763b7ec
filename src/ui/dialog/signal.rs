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
pub fn paint(app: &App, confirm: &SignalDialog, area: Rect, pen: &mut Canvas<'_>) -> bool {
    let look = pen.look;
    let Some(sight) = app.sight() else { return false };
    let who = format!("{} {}", confirm.who, confirm.name);
    let title = if confirm.sacrifice {
        format!("Sacrifice {who}?")
    } else {
        format!("Send {} to {who}?", confirm.signal)
    };
    let mut lines: Vec<popup::PriorityLine> = Vec::new();
    match sight.scene.find(confirm.who) {
        Some(process) => lines.extend(facts(process, &sight, look)),
        None => lines.push((1, Line::styled("it is gone already", look.warn()))),
    }
    lines.push((9, Line::default()));
    lines.push((
        0,
        Line::from(vec![
            Span::styled(confirm.signal.to_string(), look.danger()),
            Span::raw(format!(": {}", confirm.why)),
        ]),
    ));
    if let Some(warning) = confirm.warning {
        lines.push((1, Line::styled(format!("! {warning}"), look.warn())));
    }
    lines.push((2, predicted(app, &sight, confirm, look)));
    if confirm.signal.ends() {
        lines.extend(frees(&sight, confirm).map(|text| (3, Line::raw(text))));
    }
    lines.extend(
        confirm
            .falls
            .iter()
            .enumerate()
            .map(|(nth, text)| (4 + (nth as u8).min(3), Line::raw(format!("- {text}")))),
    );
    lines.extend(confirm.stay.iter().map(|text| (5, Line::raw(format!("- {text}")))));
    lines.extend(confirm.restart().map(|text| {
        let style = if text.contains("restarts") { look.warn() } else { look.plain() };
        (3, Line::styled(format!("- {text}"), style))
    }));
    lines.extend(confirm.frozen().map(|text| (2, Line::styled(format!("! {text}"), look.warn()))));
    lines.extend(haste(confirm, &sight).map(|text| (6, Line::styled(text, look.dim()))));
    if app.tags.iter().any(|&tagged| tagged != confirm.who) {
        let text = "only this one: tagged processes are not touched";
        lines.push((3, Line::styled(text, look.dim())));
    }
    lines.push((9, Line::default()));
    lines.extend(ladder(confirm, look));
    popup::paint(&title, lines, look.grave_frame(), area, pen)
}

/// Who it is, as the user should recognise it.
fn facts(process: &Process, sight: &RowContext<'_>, look: Theme) -> Vec<popup::PriorityLine> {
    let label = |text: &'static str| Span::styled(text, look.label());
    let swap = process.swap.value().unwrap_or_default();
    let mut lines = vec![
        (
            2,
            Line::from(vec![
                Span::styled(text::who(process), look.strong()),
                label("  of "),
                Span::raw(text::user(sight, process)),
                label("  started "),
                Span::raw(format!("{} ago", text::age(sight.scene, process.id))),
            ]),
        ),
        (
            3,
            Line::from(vec![
                label("RSS "),
                Span::raw(text::size(sight, sight.scene.rss(process))),
                label(" + swap "),
                Span::raw(text::size(sight, swap)),
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
    sight: &RowContext<'_>,
    confirm: &SignalDialog,
    look: Theme,
) -> Line<'static> {
    let by = match app.setup.policy.id() {
        "linux" => String::new(),
        _ => format!(" by the rule of {}", app.setup.policy.title()),
    };
    if sight.policy.off(sight.scene).is_some() {
        return Line::styled(
            "no prediction: the kernel would not go by the ranking now",
            look.warn(),
        );
    }
    let candidates = sight.ranking.candidates();
    if sight.ranking.too_close() && candidates.contains(&confirm.who) {
        let text =
            format!("this MAY be the next victim: one of {} too close to call", candidates.len());
        return Line::from(vec![Span::styled(text, look.warn()), Span::raw(by)]);
    }
    match sight.ranking.victim() {
        Some(row) if row.id == confirm.who => Line::from(vec![
            Span::styled("this IS the predicted victim", look.strong()),
            Span::raw(by),
        ]),
        Some(row) => {
            let name = sight.scene.find(row.id).map_or_else(|| row.id.to_string(), text::who);
            Line::from(vec![
                Span::styled("this is NOT the predicted victim", look.warn()),
                Span::raw(format!("{by}: that is {name}")),
            ])
        }
        None => Line::raw(format!("nobody can be chosen{by}")),
    }
}

/// What it gives back: by the study, and by the look before that has come.
fn frees(sight: &RowContext<'_>, confirm: &SignalDialog) -> Option<String> {
    let process = sight.scene.find(confirm.who)?;
    if let Some(study) = &confirm.study
        && let Reading::Value(holding) = study.holding
    {
        let size = |kib| text::kib(sight, kib);
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
        Reading::Value(pages) => format!("frees about {} (estimate)", text::size(sight, pages)),
        _ => "how much it frees is not known".to_owned(),
    })
}

/// What is done beside the signal.
fn haste(confirm: &SignalDialog, sight: &RowContext<'_>) -> Option<String> {
    let steps: Vec<String> = confirm
        .haste()
        .iter()
        .map(|step| match step {
            Expedite::Priority if !may_raise(sight.scene) => {
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
fn ladder(confirm: &SignalDialog, look: Theme) -> Vec<popup::PriorityLine> {
    let mut lines = Vec::new();
    match &confirm.ladder {
        ConfirmStep::Yes => lines.push((
            0,
            Line::from(vec![
                Span::styled("y", look.danger()),
                Span::raw(" = do it   anything else = nothing"),
            ]),
        )),
        ConfirmStep::TypePid { typed, why } => {
            lines.push((1, Line::styled(format!("! {why}"), look.warn())));
            let pid = confirm.who.pid.to_string();
            let rest = pid.len().saturating_sub(typed.len() + 1);
            lines.push((
                0,
                Line::from(vec![
                    Span::raw(format!("type the pid {pid} and ")),
                    Span::styled("Enter", look.danger()),
                    Span::raw(": ["),
                    Span::styled(typed.clone(), look.strong()),
                    Span::styled(" ", look.cursor()),
                    Span::raw(format!("{}]   Esc = nothing", " ".repeat(rest))),
                ]),
            ));
        }
    }
    if let Some(study) = &confirm.study
        && let Reading::Value(sharers) = &study.sharers
        && !sharers.found.is_empty()
    {
        lines.push((
            8,
            Line::from(vec![
                Span::styled("m", look.strong()),
                Span::styled(" all who live in its memory, too", look.dim()),
            ]),
        ));
    }
    if confirm.sacrifice {
        let other = if confirm.signal == Signal::TERM { Signal::KILL } else { Signal::TERM };
        lines.push((
            8,
            Line::from(vec![
                Span::styled("s", look.strong()),
                Span::styled(format!(" {other} instead   "), look.dim()),
                Span::styled("v", look.strong()),
                Span::styled(" the predicted victim instead", look.dim()),
            ]),
        ));
    }
    lines
}

/// Paints the question whether to put a change back, or to make it again.
pub fn paint_revert(app: &App, revert: &RevertDialog, area: Rect, pen: &mut Canvas<'_>) -> bool {
    let look = pen.look;
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
            Span::raw(format!("{} {} ", revert.from, look.arrow())),
            Span::styled(revert.to.to_string(), look.strong()),
            Span::styled(format!("  {note}"), look.dim()),
        ]),
    )];
    let process = app.scene.as_ref().and_then(|scene| scene.find(revert.who));
    if process.is_none() {
        lines.push((1, Line::styled("! it is gone already", look.warn())));
    }
    lines.push((9, Line::default()));
    lines.push((
        0,
        Line::from(vec![
            Span::styled("Enter", look.strong()),
            Span::raw(does),
            Span::styled("Esc", look.strong()),
            Span::raw(" leave it"),
        ]),
    ));
    popup::paint(&title, lines, look.frame(), area, pen)
}

//! The editor of the kernel's switches: what is, what would be, and who could still get memory then.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::App;
use crate::app::dialog::sysctl::{
    ConfirmSysctl, OvercommitForecast, OvercommitRoom, SysctlDanger, SysctlDialog,
};
use crate::columns::RowContext;
use crate::model::{Reading, Sysctl};
use crate::ui::dialog::popup;
use crate::ui::paint::canvas::Canvas;
use crate::ui::paint::text;
use crate::ui::paint::theme::Theme;
use crate::units::Kib;

/// Cells of a switch's name.
const NAME: usize = 25;

/// Paints it.
pub fn paint(app: &App, edit: &SysctlDialog, area: Rect, canvas: &mut Canvas<'_>) -> bool {
    let theme = canvas.theme;
    let Some(context) = text::header_context(app) else { return false };
    let now = context.scene.now();
    let mut lines: Vec<popup::PriorityLine> = Vec::new();
    for knob in Sysctl::ALL {
        let seen = now.sysctl(knob);
        // Where there is too little room, the one that is being turned stays.
        let rank = if knob == edit.knob { 0 } else { 7 };
        lines.push((rank, row(knob, seen, edit, theme)));
    }
    lines.push((9, Line::default()));
    match edit.value() {
        _ if edit.from.value().is_none() => {
            let text = "this one cannot be read here";
            lines.push((1, Line::styled(text, theme.warn())));
        }
        None => lines.push((1, Line::styled(edit.complaint(), theme.warn()))),
        Some(_) if seen_otherwise(edit, now.sysctl(edit.knob)) => {
            let text = "! it changed meanwhile: leave it and look again";
            lines.push((1, Line::styled(text, theme.warn())));
        }
        Some(value) => lines.extend(about(edit, value, &context, theme)),
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
        lines.push((5, dim("y", " copies, for now:  ", command)));
        lines.push((4, dim("Y", " copies, for every boot, in /etc/sysctl.d:  ", line)));
    }
    if let Some((knob, before)) = app.sysctl_history.earlier.last() {
        let text = format!(" proposes {knob} = {before}, as before the last turn from here");
        let spans = vec![Span::styled("r", theme.strong()), Span::styled(text, theme.dim())];
        lines.push((6, Line::from(spans)));
    }
    lines.push((9, Line::default()));
    lines.push((0, keys(theme)));
    let title = format!("The kernel's switches of {}, until it boots again", now.machine.name);
    popup::paint(&title, lines, theme.frame(), area, canvas)
}

fn seen_otherwise(edit: &SysctlDialog, seen: Reading<u64>) -> bool {
    seen.value().is_some() && seen != edit.from
}

/// A switch: its name, its value, and behind the one under the cursor what is typed.
fn row(knob: Sysctl, seen: Reading<u64>, edit: &SysctlDialog, theme: Theme) -> Line<'static> {
    let chosen = knob == edit.knob;
    let mark = if chosen { "> " } else { "  " };
    let style = if chosen { theme.strong() } else { theme.plain() };
    let value = match seen {
        Reading::Value(value) => value.to_string(),
        absent => absent.dash().to_owned(),
    };
    let meaning = seen.value().map_or("", |value| knob.meaning(value));
    let mut spans = vec![
        Span::styled(format!("{mark}{:<NAME$}", knob.file()), style),
        Span::raw(format!("{value} ")),
    ];
    if !chosen {
        spans.push(Span::styled(meaning, theme.dim()));
        return Line::from(spans);
    }
    let input = if edit.fresh { theme.strong().patch(theme.cursor()) } else { theme.strong() };
    spans.push(Span::raw(format!("{} new [ ", theme.arrow())));
    spans.push(Span::styled(edit.typed.clone(), input));
    if !edit.fresh {
        spans.push(Span::styled(" ", theme.cursor()));
    }
    spans.push(Span::raw(" ] "));
    let meant = edit.value().map_or("", |value| knob.meaning(value));
    spans.push(Span::styled(meant, theme.label()));
    Line::from(spans)
}

/// What follows from a value.
fn about(
    edit: &SysctlDialog,
    value: u64,
    context: &RowContext<'_>,
    theme: Theme,
) -> Vec<popup::PriorityLine> {
    let mut lines = Vec::new();
    let commits = matches!(
        edit.knob,
        Sysctl::OvercommitMemory | Sysctl::OvercommitRatio | Sysctl::OvercommitKbytes
    );
    let text = match (edit.knob, value) {
        // `mm/util.c` `__vm_enough_memory` before 5.2.
        (Sysctl::OvercommitMemory, 0) if context.scene.machine().kernel_version() < (5, 2) => {
            "a request for more than is free or can be freed is refused"
        }
        (Sysctl::OvercommitMemory, 0) => {
            "a single request larger than all RAM and swap is refused, no other"
        }
        (Sysctl::OvercommitMemory, 1) => {
            "no request is refused, however large: the OOM killer decides"
        }
        (Sysctl::OvercommitMemory, _) => {
            "what goes over the limit is refused: malloc and fork fail"
        }
        (Sysctl::OvercommitRatio, _) => "counts in mode 2; writing it sets overcommit_kbytes to 0",
        (Sysctl::OvercommitKbytes, 0) => {
            "writing 0 sets the ratio to 0 as well: only swap counts then"
        }
        (Sysctl::OvercommitKbytes, _) => "counts in mode 2; writing it sets overcommit_ratio to 0",
        (Sysctl::PanicOnOom, 0) => "an OOM kills a process",
        (Sysctl::PanicOnOom, 1) => "an OOM of the whole machine panics it; one in a cgroup kills",
        (Sysctl::PanicOnOom, _) => "any OOM panics the machine, one in a cgroup too",
        (Sysctl::KillAllocatingTask, 0) => "an OOM kills by badness",
        (Sysctl::KillAllocatingTask, _) => {
            "an OOM of the machine kills whoever asks then, whatever its badness"
        }
        (Sysctl::Swappiness, 0) => "anonymous memory is swapped only when little else is left",
        (Sysctl::Swappiness, _) => {
            "above 100 swap is taken to be faster than files (5.8 and later)"
        }
    };
    lines.push((3, Line::raw(text)));
    if let Some(forecast) = edit.forecast.filter(|_| commits) {
        lines.push((2, limit_line(&forecast, context, theme)));
        // A grave value says it in its own words.
        if edit.grave().is_none() {
            lines.push((2, room_line(&forecast, context, theme)));
        }
        lines.extend(reserve_line(&forecast, context, theme));
    } else if commits {
        lines.push((2, Line::styled("what is promised here is not known", theme.warn())));
    }
    if let Some(grave) = edit.grave() {
        lines.push((
            1,
            Line::styled(format!("! {}", warning(grave, edit.forecast, context)), theme.danger()),
        ));
    }
    lines
}

/// The commit limit against what is promised.
fn limit_line(
    forecast: &OvercommitForecast,
    context: &RowContext<'_>,
    theme: Theme,
) -> Line<'static> {
    let size = |kib| text::kib(context, kib);
    let percent = forecast.committed.0.saturating_mul(100) / forecast.limit.0.max(1);
    let mut spans = vec![Span::styled("limit ", theme.label())];
    if forecast.limit != forecast.limit_before {
        spans.push(Span::raw(format!("{} {} ", size(forecast.limit_before), theme.arrow())));
    }
    spans.push(Span::styled(size(forecast.limit), theme.strong()));
    spans.push(Span::styled("   promised ", theme.label()));
    spans.push(Span::raw(format!("{}, {percent}%", size(forecast.committed))));
    if forecast.foreign {
        spans.push(Span::styled("   (about: sizes here are not the machine's)", theme.warn()));
    }
    Line::from(spans)
}

/// Who could still be promised memory.
fn room_line(
    forecast: &OvercommitForecast,
    context: &RowContext<'_>,
    theme: Theme,
) -> Line<'static> {
    let (text, style) = match forecast.room() {
        OvercommitRoom::Unlimited => {
            ("the limit refuses nothing in this mode".to_owned(), theme.dim())
        }
        OvercommitRoom::Enough => {
            let free = forecast.limit.saturating_sub(forecast.committed);
            (format!("{} more can be promised then", text::kib(context, free)), theme.good())
        }
        OvercommitRoom::NotForLarge => {
            let text =
                "! large processes are refused more: up to 1/32 of its size is kept from each";
            (text.to_owned(), theme.warn())
        }
        OvercommitRoom::RootOnly => {
            ("! only root can be promised more: the rest is its reserve".to_owned(), theme.warn())
        }
        OvercommitRoom::Nobody => ("! nobody can be promised any more".to_owned(), theme.warn()),
    };
    Line::styled(text, style)
}

/// What is held back while the limit is enforced.
fn reserve_line(
    forecast: &OvercommitForecast,
    context: &RowContext<'_>,
    theme: Theme,
) -> Option<popup::PriorityLine> {
    let reserves = forecast.admin_reserve + forecast.user_reserve;
    let held = forecast.mode.enforces() && reserves > Kib::ZERO;
    let text = format!(
        "kept for root {}, from each process up to {} (admin_, user_reserve_kbytes)",
        text::kib(context, forecast.admin_reserve),
        text::kib(context, forecast.user_reserve)
    );
    held.then_some((6, Line::styled(text, theme.dim())))
}

/// What a grave value does, in one sentence.
fn warning(
    grave: SysctlDanger,
    forecast: Option<OvercommitForecast>,
    context: &RowContext<'_>,
) -> String {
    let fails = |whose: &str| {
        let Some(forecast) = forecast else { return "allocations would fail at once".to_owned() };
        let (committed, limit) =
            (text::kib(context, forecast.committed), text::kib(context, forecast.limit));
        format!(
            "with mode 2 now, every allocation{whose} would fail: {committed} of {limit} promised"
        )
    };
    match grave {
        SysctlDanger::NoMemory => fails(""),
        SysctlDanger::NoMemoryButRoot => fails(" but root's"),
        SysctlDanger::Panics => {
            "the next OOM stops the machine instead of killing a process".to_owned()
        }
    }
}

fn keys(theme: Theme) -> Line<'static> {
    let mut spans = Vec::new();
    for (key, what) in [
        ("Enter", " apply  "),
        ("Esc", " leave  "),
        ("Up Down", " which  "),
        ("Left Right", " less, more  "),
        ("Tab", " usual"),
    ] {
        spans.push(Span::styled(key, theme.strong()));
        spans.push(Span::raw(what));
    }
    Line::from(spans)
}

/// Paints the question that a grave value asks once more.
pub fn paint_sure(app: &App, sure: &ConfirmSysctl, area: Rect, canvas: &mut Canvas<'_>) -> bool {
    let theme = canvas.theme;
    let Some(context) = text::header_context(app) else { return false };
    let knob = sure.knob;
    let mut lines: Vec<popup::PriorityLine> = vec![(
        0,
        Line::from(vec![
            Span::raw(format!("{} {} ", sure.from, theme.arrow())),
            Span::styled(sure.to.to_string(), theme.strong()),
            Span::styled(format!("  {}", knob.meaning(sure.to)), theme.label()),
        ]),
    )];
    lines.push((9, Line::default()));
    let text = format!("! {}", warning(sure.grave, sure.forecast, &context));
    lines.push((0, Line::styled(text, theme.danger())));
    let then = match sure.grave {
        SysctlDanger::NoMemory => {
            "nothing can be started then, not even a shell to put it back; doomtop may end too"
        }
        SysctlDanger::NoMemoryButRoot => {
            "nobody but root can start anything then; services of other users fail"
        }
        SysctlDanger::Panics => "what is not on disk by then is lost",
    };
    lines.push((1, Line::raw(then)));
    lines.push((9, Line::default()));
    lines.push((
        0,
        Line::from(vec![
            Span::styled("y", theme.danger()),
            Span::raw(" = do it   anything else = nothing"),
        ]),
    ));
    let title = format!("Set {knob} to {}?", sure.to);
    popup::paint(&title, lines, theme.grave_frame(), area, canvas)
}

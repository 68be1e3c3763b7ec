//! The effects of a new sysctl value: what the kernel does with it, the commit limit, and how much more
//! can be committed.

use ratatui::text::{Line, Span};

use crate::app::dialog::sysctl::SysctlDialog;
use crate::columns::RowContext;
use crate::model::Sysctl;
use crate::plan::overcommit::{OvercommitForecast, OvercommitRoom, SysctlDanger};
use crate::ui::paint::popup::PriorityLine;
use crate::ui::paint::text;
use crate::ui::paint::theme::Theme;
use crate::units::Kib;

/// What a value does.
pub fn effects(
    edit: &SysctlDialog,
    value: u64,
    context: &RowContext<'_>,
    theme: Theme,
) -> Vec<PriorityLine> {
    let mut lines = Vec::new();
    let commits = matches!(
        edit.sysctl,
        Sysctl::OvercommitMemory | Sysctl::OvercommitRatio | Sysctl::OvercommitKbytes
    );
    lines.push((3, Line::raw(effect(edit.sysctl, value, context))));
    if let Some(forecast) = edit.forecast.filter(|_| commits) {
        lines.push((2, limit_line(&forecast, context, theme)));
        // The warning of a dangerous value says the same.
        if edit.danger().is_none() {
            lines.push((2, room_line(&forecast, context, theme)));
        }
        lines.extend(reserve_line(&forecast, context, theme));
    } else if commits {
        lines.push((2, Line::styled("the commit charge is not known here", theme.warn())));
    }
    if let Some(danger) = edit.danger() {
        lines.push((
            1,
            Line::styled(format!("! {}", warning(danger, edit.forecast, context)), theme.danger()),
        ));
    }
    lines
}

/// What the kernel does with a value, in one sentence.
fn effect(sysctl: Sysctl, value: u64, context: &RowContext<'_>) -> &'static str {
    match (sysctl, value) {
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
            "an OOM of the machine kills the allocating task, whatever its badness"
        }
        (Sysctl::Swappiness, 0) => {
            "anonymous memory is swapped only when hardly any page cache is left"
        }
        (Sysctl::Swappiness, _) => {
            "above 100, swap is taken to be faster than files (5.8 and later)"
        }
    }
}

/// The commit limit, and the commit charge against it.
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
    spans.push(Span::styled("   committed ", theme.label()));
    spans.push(Span::raw(format!("{}, {percent}%", size(forecast.committed))));
    if forecast.foreign {
        spans
            .push(Span::styled("   (approximate: sizes here are not the machine's)", theme.warn()));
    }
    Line::from(spans)
}

/// How much more can be committed, and by whom.
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
            (format!("{} more can be committed then", text::kib(context, free)), theme.good())
        }
        OvercommitRoom::NotForLarge => {
            let text = "! large processes are refused: 1/32 of the size of each is held in reserve";
            (text.to_owned(), theme.warn())
        }
        OvercommitRoom::RootOnly => {
            ("! only root can commit more: the rest is its reserve".to_owned(), theme.warn())
        }
        OvercommitRoom::Nobody => ("! no process can commit more".to_owned(), theme.warn()),
    };
    Line::styled(text, style)
}

/// The reserves that the kernel keeps back while the limit is enforced.
fn reserve_line(
    forecast: &OvercommitForecast,
    context: &RowContext<'_>,
    theme: Theme,
) -> Option<PriorityLine> {
    let reserves = forecast.admin_reserve + forecast.user_reserve;
    let held = forecast.mode.enforces() && reserves > Kib::ZERO;
    let text = format!(
        "reserve for root {}, from each process up to {} (admin_, user_reserve_kbytes)",
        text::kib(context, forecast.admin_reserve),
        text::kib(context, forecast.user_reserve)
    );
    held.then_some((6, Line::styled(text, theme.dim())))
}

/// What a dangerous value does, in one sentence.
pub fn warning(
    danger: SysctlDanger,
    forecast: Option<OvercommitForecast>,
    context: &RowContext<'_>,
) -> String {
    let fails = |but: &str| {
        let Some(forecast) = forecast else { return "allocations would fail at once".to_owned() };
        let (committed, limit) =
            (text::kib(context, forecast.committed), text::kib(context, forecast.limit));
        format!(
            "with mode 2 now, every allocation{but} would fail: {committed} of {limit} committed"
        )
    };
    match danger {
        SysctlDanger::NoMemory => fails(""),
        SysctlDanger::NoMemoryButRoot => fails(" but root's"),
        SysctlDanger::Panics => {
            "the next OOM stops the machine instead of killing a process".to_owned()
        }
    }
}

//! The commitments page: why `malloc` succeeds and the machine runs out of memory anyway. The commit
//! charge against RAM and swap, and the processes that could use most of what they have not touched yet.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::App;
use crate::columns::RowContext;
use crate::forecast::commitments::{Commitments, NextAllocation, ProcessCommitment};
use crate::model::{Process, Reading};
use crate::ui::paint::canvas::Canvas;
use crate::ui::paint::lines::wrap;
use crate::ui::paint::scroll::{PageBox, PageShown};
use crate::ui::paint::theme::Theme;
use crate::ui::paint::{label, text};
use crate::units::{Kib, Pages};

/// Paints the page, its rows from `scroll` on.
pub fn paint(app: &App, scroll: u16, area: Rect, canvas: &mut Canvas<'_>) -> PageShown {
    let open = PageBox::open_padded(area, "Commitments", canvas);
    let inside = open.inside;
    let Some(context) = text::header_context(app) else { return PageShown::default() };
    let theme = canvas.theme;
    let mut lines: Vec<Line<'static>> = Vec::new();
    for line in machine(&context, inside.width, theme) {
        lines.extend(wrap(&line, inside.width, 10));
    }
    // With little room, a few rows are more useful than the last lines about the machine.
    lines.truncate(usize::from(inside.height.saturating_sub(4).max(inside.height / 2)));
    let mut y = inside.y;
    for line in &lines {
        canvas.line(inside.x, y, inside.width, line);
        y += 1;
    }
    if inside.bottom().saturating_sub(y) >= 3 {
        y += 1;
    }
    let total = u16::try_from(app.commitments.rows.len()).unwrap_or(u16::MAX);
    let page = inside.bottom().saturating_sub(y).saturating_sub(1);
    if page > 0 {
        let head = Rect { y, height: 1, ..inside };
        canvas.style(head, theme.head());
        canvas.text(inside.x, y, inside.width, &head_text(inside.width), theme.head());
    }
    let top = scroll.min(total.saturating_sub(page));
    let rows = app.commitments.rows.iter().skip(top.into());
    for (y, id) in (y + 1..inside.bottom()).zip(rows) {
        match context.scene.find(*id) {
            Some(process) => {
                let line = row(app, &context, process, inside.width, theme);
                canvas.line(inside.x, y, inside.width, &line);
            }
            None => {
                _ = canvas.text(inside.x, y, inside.width, &format!("{id:>7} gone"), theme.dim())
            }
        }
    }
    let last = total.min(top.saturating_add(page));
    let place = format!("{}-{last} of {total}, Esc closes", (top + 1).min(total));
    let columns = "UNSHARE: at most, by smaps_rollup; UNTOUCHED: VmData minus memory in use";
    open.foot(&[&format!("{columns}; {place}"), &place], canvas);
    PageShown { page, lines: total, top: 0, dialog: false }
}

fn say(theme: Theme, label: &str, text: String, style: Style) -> Line<'static> {
    Line::from(vec![label::label(theme, label, LABEL), Span::styled(text, style)])
}

/// The machine: what is committed, what of it is backed by memory, and what would be missing.
fn machine(context: &RowContext<'_>, width: u16, theme: Theme) -> Vec<Line<'static>> {
    let now = context.scene.now();
    let kib = |kib: Kib| text::kib(context, kib);
    let plain = theme.plain();
    let Some(commitments) = Commitments::of(now) else {
        let text = "the commit charge or the anonymous memory of this machine is not known";
        let mut lines = vec![say(theme, "committed", text.to_owned(), theme.warn())];
        lines.extend(next(context, theme));
        return lines;
    };
    let limit = match now.overcommit.charge() {
        Some(charge) => {
            let law = if now.overcommit.enforced() { "ENFORCED" } else { "not enforced" };
            format!(", {}% of a limit of {}: {law}", charge.percent(), kib(charge.limit))
        }
        None => String::new(),
    };
    let mut lines = vec![
        say(
            theme,
            "committed",
            format!("{} (Committed_AS){limit}", kib(commitments.committed)),
            plain,
        ),
        say(
            theme,
            "backed",
            format!(
                "{}: {} anonymous, {} tmpfs and shared, {} in swap",
                kib(commitments.backed()),
                kib(commitments.anon),
                kib(commitments.shmem),
                kib(commitments.swapped)
            ),
            plain,
        ),
        say(
            theme,
            "not used",
            format!("{}: never touched, or shared since a fork", kib(commitments.open())),
            plain,
        ),
        say(
            theme,
            "available",
            format!(
                "{}: {} of RAM available, {} of swap free",
                kib(commitments.usable()),
                kib(commitments.available),
                kib(commitments.swap_free)
            ),
            plain,
        ),
        bar(&commitments, width, theme),
        verdict(context, &commitments, theme),
    ];
    lines.extend(next(context, theme));
    lines
}

/// A bar of what is backed, could be backed, and would be missing; or is backed, is not used yet, and
/// would be left.
fn bar(commitments: &Commitments, width: u16, theme: Theme) -> Line<'static> {
    let [open, close] = theme.gauge_ends();
    let [full, soft, empty] = theme.gauge();
    let inner = usize::from(width.saturating_sub(12).min(100));
    let whole = (commitments.backed() + commitments.open().max(commitments.usable())).0.max(1);
    let cells = |kib: Kib| (kib.0 as f64 / whole as f64 * inner as f64).round() as usize;
    let backed = cells(commitments.backed()).min(inner);
    let given = cells(commitments.open().min(commitments.usable())).min(inner - backed);
    let rest = inner - backed - given;
    let last = if commitments.missing().0 > 0 {
        Span::styled("!".repeat(rest), theme.danger())
    } else {
        Span::styled(empty.repeat(rest), theme.dim())
    };
    Line::from(vec![
        Span::raw(" ".repeat(10)),
        Span::styled(open, theme.strong()),
        Span::styled(full.repeat(backed), theme.good()),
        Span::styled(soft.repeat(given), theme.label()),
        last,
        Span::styled(close, theme.strong()),
    ])
}

/// Whether RAM and swap would hold all commitments.
fn verdict(context: &RowContext<'_>, commitments: &Commitments, theme: Theme) -> Line<'static> {
    let kib = |kib: Kib| text::kib(context, kib);
    let (text, style) = if commitments.missing().0 > 0 {
        let missing = kib(commitments.missing());
        (
            format!(
                "if all commitments were used, {missing} would be missing (!): the OOM killer would act"
            ),
            theme.danger(),
        )
    } else {
        let spare = kib(commitments.spare());
        (
            format!(
                "if all commitments were used, RAM and swap would hold them, with {spare} to spare"
            ),
            theme.good(),
        )
    };
    say(theme, "all used", text, style)
}

/// What the next allocation may get.
fn next(context: &RowContext<'_>, theme: Theme) -> Option<Line<'static>> {
    let kib = |kib: Kib| text::kib(context, kib);
    let (text, style) = match NextAllocation::of(context.scene.now()) {
        Some(NextAllocation::AtOnce(most)) => (
            format!("mode 0: a request is refused only if it exceeds RAM and swap, {}", kib(most)),
            theme.plain(),
        ),
        Some(NextAllocation::Free) => (
            "mode 0: a request is refused if it exceeds free and reclaimable memory".to_owned(),
            theme.plain(),
        ),
        Some(NextAllocation::Anything) => {
            ("mode 1: no request is refused".to_owned(), theme.warn())
        }
        Some(NextAllocation::UpTo(more)) => (
            format!(
                "mode 2: {} more in total; allocations beyond that fail, nothing is killed",
                kib(more)
            ),
            theme.plain(),
        ),
        None => ("the overcommit mode is not known".to_owned(), theme.dim()),
    };
    Some(say(theme, "malloc", text, style))
}

/// The width of a column of sizes.
const SIZE: usize = 9;

/// The cells of a label, without the space behind it.
const LABEL: usize = 9;

fn head_text(width: u16) -> String {
    let mut text = format!("{:>7} ", "PID");
    for title in titles(width) {
        text.push_str(&format!("{title:>SIZE$} "));
    }
    text + "COMMAND"
}

fn titles(width: u16) -> &'static [&'static str] {
    match width {
        ..=49 => &["UNTOUCHED", "UNSHARE"],
        _ => &["UNTOUCHED", "UNSHARE", "HAS", "SWAP"],
    }
}

fn row(
    app: &App,
    context: &RowContext<'_>,
    process: &Process,
    width: u16,
    theme: Theme,
) -> Line<'static> {
    let page = context.scene.machine().page_size;
    let commitment = ProcessCommitment::of(process, app.commitments.holding(process.id), page);
    let mut spans = vec![Span::raw(format!("{:>7} ", process.id.pid))];
    let sizes = [commitment.untouched, commitment.unshare, process.anon, process.swap];
    for size in sizes.iter().take(titles(width).len()) {
        let (text, style) = sized(context, *size, theme);
        spans.push(Span::styled(format!("{text:>SIZE$} "), style));
    }
    let name = process.comm.to_string();
    let who = context.user(process).value().map_or(name.clone(), |user| format!("{name} ({user})"));
    spans.push(Span::raw(who));
    Line::from(spans)
}

fn sized(context: &RowContext<'_>, size: Reading<Pages>, theme: Theme) -> (String, Style) {
    match size {
        Reading::Value(Pages(0)) => (".".to_owned(), theme.dim()),
        Reading::Value(pages) => (text::size(context, pages), theme.plain()),
        Reading::Denied => (size.dash().to_owned(), theme.warn()),
        absent => (absent.dash().to_owned(), theme.dim()),
    }
}

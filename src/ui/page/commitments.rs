//! Promises: why `malloc` succeeded and the machine dies anyway. What was promised against what there
//! is, and who could still ask for most.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::App;
use crate::columns::RowContext;
use crate::forecast::commitments::{Commitments, NextAllocation, ProcessCommitment};
use crate::model::{Process, Reading};
use crate::ui::page::scroll::PageShown;
use crate::ui::paint::canvas::{Canvas, cells, wrap};
use crate::ui::paint::text;
use crate::ui::paint::theme::Theme;
use crate::units::{Kib, Pages};

/// Paints the page, its rows scrolled by so many.
pub fn paint(app: &App, scroll: u16, area: Rect, pen: &mut Canvas<'_>) -> PageShown {
    let boxed = area.height >= 5;
    let inside = if boxed {
        let inside = pen.frame(area, "Promises", pen.look.frame());
        Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside }
    } else {
        pen.clear(area);
        area
    };
    let Some(sight) = text::header_sight(app) else { return PageShown::default() };
    let look = pen.look;
    let mut lines: Vec<Line<'static>> = Vec::new();
    for line in machine(&sight, inside.width, look) {
        lines.extend(wrap(&line, inside.width, 10));
    }
    // Where there is little room a few rows are worth more than the last words.
    lines.truncate(usize::from(inside.height.saturating_sub(4).max(inside.height / 2)));
    let mut y = inside.y;
    for line in &lines {
        pen.line(inside.x, y, inside.width, line);
        y += 1;
    }
    if inside.bottom().saturating_sub(y) >= 3 {
        y += 1;
    }
    let total = u16::try_from(app.promises.rows.len()).unwrap_or(u16::MAX);
    let page = inside.bottom().saturating_sub(y).saturating_sub(1);
    if page > 0 {
        let head = Rect { y, height: 1, ..inside };
        pen.style(head, look.head());
        pen.text(inside.x, y, inside.width, &head_text(inside.width), look.head());
    }
    let top = scroll.min(total.saturating_sub(page));
    let rows = app.promises.rows.iter().skip(top.into());
    for (y, id) in (y + 1..inside.bottom()).zip(rows) {
        match sight.scene.find(*id) {
            Some(process) => {
                let line = row(app, &sight, process, inside.width, look);
                pen.line(inside.x, y, inside.width, &line);
            }
            None => _ = pen.text(inside.x, y, inside.width, &format!("{id:>7} gone"), look.dim()),
        }
    }
    if boxed {
        foot(top, page, total, area, pen);
    }
    PageShown { page, lines: total, dialog: false }
}

fn foot(top: u16, page: u16, total: u16, area: Rect, pen: &mut Canvas<'_>) {
    let last = total.min(top.saturating_add(page));
    let place = format!("{}-{last} of {total}", (top + 1).min(total));
    let forms = [
        format!(
            " UNSHARE: at most, by smaps_rollup; UNTOUCHED: VmData less what it has; {place}, Esc closes "
        ),
        format!(" {place}, Esc closes "),
    ];
    let fits = |text: &&String| cells(text) + 4 < area.width;
    if let Some(text) = forms.iter().find(fits) {
        let taken = cells(text);
        pen.text(area.right() - taken - 2, area.bottom() - 1, taken, text, pen.look.frame());
    }
}

fn say(look: Theme, label: &str, text: String, style: Style) -> Line<'static> {
    Line::from(vec![Span::styled(format!("{label:<9} "), look.label()), Span::styled(text, style)])
}

/// The machine: what was promised, what is behind it, and what would be missing.
fn machine(sight: &RowContext<'_>, width: u16, look: Theme) -> Vec<Line<'static>> {
    let now = sight.scene.now();
    let kib = |kib: Kib| text::kib(sight, kib);
    let plain = look.plain();
    let Some(promises) = Commitments::of(now) else {
        let text = "the commit charge or the anonymous memory of this machine is not known";
        let mut lines = vec![say(look, "promised", text.to_owned(), look.warn())];
        lines.extend(next(sight, look));
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
        say(look, "promised", format!("{} (Committed_AS){limit}", kib(promises.promised)), plain),
        say(
            look,
            "backed",
            format!(
                "{}: {} anonymous, {} tmpfs and shared, {} in swap",
                kib(promises.backed()),
                kib(promises.anon),
                kib(promises.shmem),
                kib(promises.swapped)
            ),
            plain,
        ),
        say(
            look,
            "not yet",
            format!("{}: never touched, or shared since a fork", kib(promises.open())),
            plain,
        ),
        say(
            look,
            "could be",
            format!(
                "{}: {} of RAM available, {} of swap free",
                kib(promises.could()),
                kib(promises.available),
                kib(promises.swap_free)
            ),
            plain,
        ),
        bar(&promises, width, look),
        verdict(sight, &promises, look),
    ];
    lines.extend(next(sight, look));
    lines
}

/// Backed, could be backed, missing; or backed, not yet, and what would be left.
fn bar(promises: &Commitments, width: u16, look: Theme) -> Line<'static> {
    let [open, close] = look.gauge_ends();
    let [full, soft, empty] = look.gauge();
    let inner = usize::from(width.saturating_sub(12).min(100));
    let whole = (promises.backed() + promises.open().max(promises.could())).0.max(1);
    let cells = |kib: Kib| (kib.0 as f64 / whole as f64 * inner as f64).round() as usize;
    let backed = cells(promises.backed()).min(inner);
    let given = cells(promises.open().min(promises.could())).min(inner - backed);
    let rest = inner - backed - given;
    let last = if promises.missing().0 > 0 {
        Span::styled("!".repeat(rest), look.danger())
    } else {
        Span::styled(empty.repeat(rest), look.dim())
    };
    Line::from(vec![
        Span::raw(" ".repeat(10)),
        Span::styled(open, look.strong()),
        Span::styled(full.repeat(backed), look.good()),
        Span::styled(soft.repeat(given), look.label()),
        last,
        Span::styled(close, look.strong()),
    ])
}

fn verdict(sight: &RowContext<'_>, promises: &Commitments, look: Theme) -> Line<'static> {
    let kib = |kib: Kib| text::kib(sight, kib);
    let (text, style) = if promises.missing().0 > 0 {
        let missing = kib(promises.missing());
        (format!("{missing} would be missing (!): the OOM killer would settle it"), look.danger())
    } else {
        let spare = kib(promises.spare());
        (format!("RAM and swap would hold it, with {spare} to spare"), look.good())
    };
    say(look, "if all ask", text, style)
}

/// What the next malloc may get.
fn next(sight: &RowContext<'_>, look: Theme) -> Option<Line<'static>> {
    let kib = |kib: Kib| text::kib(sight, kib);
    let (text, style) = match NextAllocation::of(sight.scene.now()) {
        Some(NextAllocation::AtOnce(most)) => (
            format!("mode 0: refused only if it alone exceeds RAM and swap, {}", kib(most)),
            look.plain(),
        ),
        Some(NextAllocation::Free) => (
            "mode 0: refused where it alone is more than is free or can be freed".to_owned(),
            look.plain(),
        ),
        Some(NextAllocation::Anything) => {
            ("mode 1: whatever it asks for, nothing is refused".to_owned(), look.warn())
        }
        Some(NextAllocation::UpTo(more)) => (
            format!(
                "mode 2: {} more for all together, then it fails and nobody is killed",
                kib(more)
            ),
            look.plain(),
        ),
        None => ("the overcommit mode is not known".to_owned(), look.dim()),
    };
    Some(say(look, "malloc", text, style))
}

/// Cells of a size.
const SIZE: usize = 9;

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
    sight: &RowContext<'_>,
    process: &Process,
    width: u16,
    look: Theme,
) -> Line<'static> {
    let page = sight.scene.machine().page_size;
    let claim = ProcessCommitment::of(process, app.promises.holding(process.id), page);
    let mut spans = vec![Span::raw(format!("{:>7} ", process.id.pid))];
    let sizes = [claim.untouched, claim.unshare, process.anon, process.swap];
    for size in sizes.iter().take(titles(width).len()) {
        let (text, style) = sized(sight, *size, look);
        spans.push(Span::styled(format!("{text:>SIZE$} "), style));
    }
    let name = process.comm.to_string();
    let who = sight.user(process).value().map_or(name.clone(), |user| format!("{name} ({user})"));
    spans.push(Span::raw(who));
    Line::from(spans)
}

fn sized(sight: &RowContext<'_>, size: Reading<Pages>, look: Theme) -> (String, Style) {
    match size {
        Reading::Value(Pages(0)) => (".".to_owned(), look.dim()),
        Reading::Value(pages) => (text::size(sight, pages), look.plain()),
        Reading::Denied => (size.dash().to_owned(), look.warn()),
        absent => (absent.dash().to_owned(), look.dim()),
    }
}

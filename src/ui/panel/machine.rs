//! The machine in words: where its memory is, what was promised, and when the killer comes.

use ratatui::text::{Line, Span};

use crate::app::{ActingMode, App};
use crate::columns::RowContext;
use crate::model::{OvercommitMode, PressureWatch, Reading};
use crate::ui::frame::header;
use crate::ui::paint::text;
use crate::ui::paint::theme::Theme;
use crate::ui::panel::conditions;
use crate::ui::panel::forecast;

/// What the panel says.
#[must_use]
pub fn lines(app: &App, theme: Theme) -> Vec<Line<'static>> {
    let Some(context) = text::header_context(app) else { return Vec::new() };
    let now = context.scene.now();
    let kib = |kib| text::kib(&context, kib);
    let say = |label: &'static str, text: String| {
        Line::from(vec![Span::styled(format!("{label:<10} "), theme.label()), Span::raw(text)])
    };
    let memory = now.memory;
    let mut lines = vec![
        say(
            "RAM",
            format!(
                "{}: {} used, {} cache, {} free",
                kib(memory.total_kib),
                kib(memory.used()),
                kib(memory.cache_kib),
                kib(memory.free_kib)
            ),
        ),
        say("shared", format!("{} tmpfs and shared: no kill need free it", kib(memory.shmem_kib))),
    ];
    let note = text::scope_note(context.scene);
    if !note.is_empty() {
        let domain = context.scene.domain();
        lines.insert(0, say("scope", format!("{domain}{note}")));
    }
    if memory.hugetlb_kib.0 > 0 {
        lines.push(say("huge pages", format!("{} set aside", kib(memory.hugetlb_kib))));
    }
    if now.swap.total_kib.0 == 0 {
        lines.push(say("swap", "none: anonymous memory has nowhere to go".to_owned()));
    } else {
        let text = format!("{}, {} free", kib(now.swap.total_kib), kib(now.swap.free_kib));
        lines.push(say("swap", text));
        if let Some(traffic) = header::traffic(&context) {
            lines.push(say("", traffic));
        }
    }
    lines.extend(promises(&context).into_iter().map(|(label, text)| say(label, text)));
    let total = context.scene.domain();
    lines.push(say(
        "total",
        format!(
            "{} ({}): 1 adj = {}",
            text::size(&context, total.pages),
            total.name,
            text::step(&context)
        ),
    ));
    lines.extend(forecast::lines(&context).into_iter().map(|(label, text)| say(label, text)));
    lines.extend(forecast::eating(app, &context).map(|text| say("eating now", text)));
    let armed = context.policy.trigger_state(context.scene);
    // What holds the killer back comes first, where that can be told apart.
    let killer = say("the killer", armed.why);
    let gate = conditions::lines(app, &context, theme);
    if gate.is_empty() {
        lines.push(killer);
    } else {
        lines.splice(0..0, std::iter::once(killer).chain(gate));
    }
    let pressure = match now.pressure.some {
        Reading::Value(some) => {
            format!("{}% of the last 10 s some task waited for memory", text::share(some.avg10))
        }
        _ => "pressure (PSI) is not available here".to_owned(),
    };
    lines.push(say("pressure", pressure));
    lines.extend(watch(app).into_iter().map(|text| say("", text)));
    if let (Reading::Value(some), Reading::Value(full)) =
        (now.pressure.io_some, now.pressure.io_full)
    {
        let (some, full) = (text::share(some.avg10), text::share(full.avg10));
        lines.push(say("disks", format!("{some}% of the last 10 s some task waited, {full}% all")));
    }
    lines
}

/// How the beginning of pressure is noticed.
fn watch(app: &App) -> Vec<String> {
    let Some(scene) = app.scene.as_ref().filter(|_| app.setup.live) else { return Vec::new() };
    let whose = if app.pace.whose.is_some() { " in the scope" } else { "" };
    let mut lines = match &app.pace.watch {
        PressureWatch::Off if app.setup.acting == ActingMode::Elsewhere => {
            vec!["another proc tree: seen by each look only".to_owned()]
        }
        PressureWatch::Off => return Vec::new(),
        PressureWatch::Trigger(rule) => vec![format!("waiting for {rule}{whose} wakes the screen")],
        PressureWatch::Reading(rule, why) => vec![
            format!(
                "read every {} s{whose}: {} ms wake the screen",
                rule.window.0 / 1000,
                rule.stall.0
            ),
            format!("no trigger: {why}"),
        ],
        PressureWatch::Unavailable(why) => vec!["seen by each look only:".to_owned(), why.clone()],
    };
    if app.pace.watch.is_watching() && scene.now().swap.total_kib.0 == 0 {
        lines.push("without swap hardly any comes before a kill".to_owned());
    }
    lines
}

/// Overcommit, explained.
fn promises(context: &RowContext<'_>) -> Vec<(&'static str, String)> {
    let now = context.scene.now();
    let commit = now.overcommit;
    let mut lines = Vec::new();
    let meaning = match commit.mode.value() {
        Some(OvercommitMode::Heuristic) => {
            "0 heuristic: only what is obviously too much is refused"
        }
        Some(OvercommitMode::Always) => "1 always: nothing is refused, the OOM killer settles it",
        Some(OvercommitMode::Strict) => {
            "2 strict: allocations over the limit fail, before the OOM killer"
        }
        Some(OvercommitMode::Unknown(_)) => "a mode that doomtop does not know",
        None => "its mode could not be read",
    };
    lines.push(("overcommit", meaning.to_owned()));
    if let Some(charge) = commit.charge() {
        let law = if commit.enforced() { "ENFORCED" } else { "not enforced" };
        lines.push((
            "promised",
            format!(
                "{} of a limit of {} ({}%): {law}",
                text::kib(context, charge.committed),
                text::kib(context, charge.limit),
                charge.percent()
            ),
        ));
        let limit = match (commit.kbytes.value(), commit.ratio.value()) {
            (Some(kbytes), _) if kbytes.0 > 0 => {
                format!("limit = {} (overcommit_kbytes) + swap", text::kib(context, kbytes))
            }
            (_, Some(ratio)) => format!("limit = {ratio}% of RAM (overcommit_ratio) + swap"),
            _ => return lines,
        };
        lines.push(("", limit));
    }
    lines
}

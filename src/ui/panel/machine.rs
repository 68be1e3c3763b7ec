//! The machine panel: where its memory is, what is committed, and when the killer acts.

use ratatui::text::Line;

use crate::app::{ActingMode, App};
use crate::columns::RowContext;
use crate::model::{
    BpfOomPolicy, OvercommitMode, PressureWatch, ProcessSampler, Reading, Snapshot,
};
use crate::ui::frame::facts;
use crate::ui::paint::label;
use crate::ui::paint::text;
use crate::ui::paint::theme::Theme;
use crate::ui::panel::{conditions, forecast};
use crate::words::memory_sheet::{MemorySheet, details};

/// The label of what no kill frees.
const UNKILLABLE: &str = "no kill";

/// The lines of the panel.
#[must_use]
pub fn lines(app: &App, theme: Theme) -> Vec<Line<'static>> {
    let Some(context) = text::header_context(app) else { return Vec::new() };
    let say = |(label, text): (&'static str, String)| label::line(theme, label, text);
    let mut lines = killer(app, &context, theme);
    let killer_has_conditions = lines.len() > 1;
    let mut rest: Vec<Line<'static>> = memory(&context).into_iter().map(say).collect();
    rest.extend(commitments(&context).into_iter().map(say));
    let total = context.scene.domain();
    rest.push(say((
        "total",
        format!(
            "{} ({}): 1 adj = {}",
            text::size(&context, total.pages),
            total.name,
            text::step(&context)
        ),
    )));
    rest.extend(forecast::lines(app, &context).into_iter().map(say));
    rest.extend(
        forecast::growing_fastest(app, &context)
            .map(|text| say(("growing", format!("fastest: {text}")))),
    );
    // Conditions that can be told apart explain most, so they come first.
    if killer_has_conditions {
        lines.append(&mut rest);
    } else {
        rest.append(&mut lines);
        lines = rest;
    }
    lines.extend(pressure(app, &context).into_iter().map(say));
    lines.extend(bpf_oom(context.scene.now()).into_iter().map(say));
    lines.extend(sampler(&context).into_iter().map(say));
    lines
}

/// How the processes are read, if that is not a matter of course.
fn sampler(context: &RowContext<'_>) -> Vec<(&'static str, String)> {
    match &context.scene.machine().sampler {
        ProcessSampler::Proc { why: None } => Vec::new(),
        ProcessSampler::Proc { why: Some(why) } => {
            vec![("read by", format!("/proc; not by BPF here: {why}"))]
        }
        bpf => vec![("read by", bpf.to_string())],
    }
}

/// The BPF programs that decide in the place of the kernel's OOM killer, if this kernel can have any.
fn bpf_oom(now: &Snapshot) -> Option<(&'static str, String)> {
    if !now.bpf_oom.supported {
        return None;
    }
    let text = match &now.bpf_oom.policies {
        Reading::Value(list) if list.is_empty() => "no BPF program decides".to_owned(),
        Reading::Value(list) => {
            let place = |it: &BpfOomPolicy| {
                it.cgroup.as_ref().map_or("an unknown cgroup".to_owned(), ToString::to_string)
            };
            let each = list.iter().map(|it| format!("{} in {}", it.name, place(it)));
            format!("decided by BPF: {}", each.collect::<Vec<_>>().join(", "))
        }
        Reading::Denied => "a BPF program may decide: only root can tell".to_owned(),
        _ => "a BPF program may decide: not known".to_owned(),
    };
    Some(("OOM policy", text))
}

/// The lines of the panel beside meters that tell the sizes: when the killer acts, what grows, and how a rise
/// of pressure is noticed.
#[must_use]
pub fn beside_meters(app: &App, theme: Theme) -> Vec<Line<'static>> {
    let Some(context) = text::header_context(app) else { return Vec::new() };
    let say = |(label, text): (&'static str, String)| label::line(theme, label, text);
    let mut lines: Vec<Line<'static>> =
        forecast::lines(app, &context).into_iter().map(say).collect();
    lines.extend(
        forecast::growing_fastest(app, &context)
            .map(|text| say(("growing", format!("fastest: {text}")))),
    );
    lines.extend(killer(app, &context, theme));
    lines.extend(pressure(app, &context).into_iter().map(say));
    lines.extend(sampler(&context).into_iter().map(say));
    lines.extend(
        memory(&context).into_iter().filter(|it| ["shared", UNKILLABLE].contains(&it.0)).map(say),
    );
    lines
}

/// Scope, RAM and swap.
fn memory(context: &RowContext<'_>) -> Vec<(&'static str, String)> {
    let now = context.scene.now();
    let kib = |kib| text::kib(context, kib);
    let memory = now.memory;
    let mut lines = Vec::new();
    let note = text::scope_note(context.scene);
    if !note.is_empty() {
        lines.push(("scope", format!("{}{note}", context.scene.domain())));
    }
    lines.push((
        "RAM",
        format!(
            "{}: {} used, {} cache, {} free",
            kib(memory.total_kib),
            kib(memory.used()),
            kib(memory.cache_kib),
            kib(memory.free_kib)
        ),
    ));
    let sheet = sheet(now);
    if sheet.is_empty() {
        lines.push((
            "shared",
            format!("{} tmpfs and shared: a kill may not free it", kib(memory.shmem_kib)),
        ));
        if memory.hugetlb_kib.0 > 0 {
            lines.push(("huge pages", format!("{} set aside", kib(memory.hugetlb_kib))));
        }
    }
    lines.extend(sheet);
    if now.swap.total_kib.0 == 0 {
        lines.push(("swap", "none: anonymous memory cannot be swapped out".to_owned()));
    } else {
        let text = format!("{}, {} free", kib(now.swap.total_kib), kib(now.swap.free_kib));
        lines.push(("swap", text));
        lines.extend(facts::swap_traffic(context).map(|traffic| ("", traffic)));
    }
    lines
}

/// What RAM is used for, and who holds what no process shows; nothing where the system does not tell.
fn sheet(now: &Snapshot) -> Vec<(&'static str, String)> {
    let Some(sheet) = MemorySheet::of_machine(now) else { return Vec::new() };
    let words = sheet.words(None);
    let mut lines: Vec<(&'static str, String)> = Vec::new();
    lines.extend(words.uses_sentence().map(|text| ("uses", text)));
    lines.extend(words.stuck().map(|stuck| (UNKILLABLE, format!("frees {stuck}"))));
    lines.extend(details(now));
    lines
}

/// What the killer waits for, and its conditions where they can be told apart.
fn killer(app: &App, context: &RowContext<'_>, theme: Theme) -> Vec<Line<'static>> {
    let state = context.policy.trigger_state(context.scene);
    let mut lines = vec![label::line(theme, "the killer", state.why)];
    lines.extend(conditions::lines(app, context, theme, label::PANEL));
    lines
}

/// Pressure, and how its rise is noticed.
fn pressure(app: &App, context: &RowContext<'_>) -> Vec<(&'static str, String)> {
    let pressure = context.scene.now().pressure;
    let text = match pressure.some {
        Reading::Value(some) => {
            format!("{}% of the last 10 s some task waited for memory", text::share(some.avg10))
        }
        _ => "pressure (PSI) is not available here".to_owned(),
    };
    let mut lines = vec![("pressure", text)];
    lines.extend(watch(app).into_iter().map(|text| ("", text)));
    if let (Reading::Value(some), Reading::Value(full)) = (pressure.io_some, pressure.io_full) {
        let (some, full) = (text::share(some.avg10), text::share(full.avg10));
        lines.push(("disks", format!("{some}% of the last 10 s some task waited, {full}% all")));
    }
    lines
}

/// How a rise of pressure is noticed between two samples.
fn watch(app: &App) -> Vec<String> {
    let Some(scene) = app.scene.as_ref().filter(|_| app.start.live) else { return Vec::new() };
    let scope = if app.refresh.pace.cgroup.is_some() { " in the scope" } else { "" };
    let mut lines = match &app.refresh.pace.watch {
        PressureWatch::Off if app.start.acting == ActingMode::Elsewhere => {
            vec!["another proc tree: known at each sample only".to_owned()]
        }
        PressureWatch::Off => return Vec::new(),
        PressureWatch::Trigger(rule) => vec![format!("waiting for {rule}{scope} wakes the screen")],
        PressureWatch::Reading(rule, why) => vec![
            format!(
                "read every {} s{scope}: {} ms wake the screen",
                rule.window.0 / 1000,
                rule.stall.0
            ),
            format!("no trigger: {why}"),
        ],
        PressureWatch::Unavailable(why) => {
            vec!["known at each sample only:".to_owned(), why.clone()]
        }
    };
    if app.refresh.pace.watch.is_watching() && scene.now().swap.total_kib.0 == 0 {
        lines.push("without swap, kills come with little pressure".to_owned());
    }
    lines
}

/// What the overcommit mode means, and the commit charge against its limit.
fn commitments(context: &RowContext<'_>) -> Vec<(&'static str, String)> {
    let commit = context.scene.now().overcommit;
    let meaning = match commit.mode.value() {
        Some(OvercommitMode::Heuristic) => {
            "0 heuristic: only obviously too large requests are refused"
        }
        Some(OvercommitMode::Always) => "1 always: no request is refused, the OOM killer acts",
        Some(OvercommitMode::Strict) => {
            "2 strict: allocations over the limit fail, before the OOM killer"
        }
        Some(OvercommitMode::Unknown(_)) => "a mode that doomtop does not know",
        None => "its mode could not be read",
    };
    let mut lines = vec![("overcommit", meaning.to_owned())];
    let Some(charge) = commit.charge() else { return lines };
    let law = if commit.enforced() { "ENFORCED" } else { "not enforced" };
    lines.push((
        "committed",
        format!(
            "{} of a limit of {} ({}%): {law}",
            text::kib(context, charge.committed),
            text::kib(context, charge.limit),
            charge.percent()
        ),
    ));
    match (commit.kbytes.value(), commit.ratio.value()) {
        (Some(kbytes), _) if kbytes.0 > 0 => {
            let kbytes = text::kib(context, kbytes);
            lines.push(("", format!("limit = {kbytes} (overcommit_kbytes) + swap")));
        }
        (_, Some(ratio)) => {
            lines.push(("", format!("limit = {ratio}% of RAM (overcommit_ratio) + swap")));
        }
        _ => {}
    }
    lines
}

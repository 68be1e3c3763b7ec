//! The warning line of the header: alarms that are on, and what is wrong with the numbers shown.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::App;
use crate::model::Reading;
use crate::ui::paint::theme::Theme;

/// The line, where there is anything to warn of.
pub fn line(app: &App, theme: Theme) -> Option<Line<'static>> {
    let alarms: Vec<String> = app.refresh.alarms.standing().collect();
    let warnings = warnings(app).join("; ");
    let mut spans = Vec::new();
    if !alarms.is_empty() {
        spans.push(Span::styled(format!("! {}", alarms.join("; ")), alarm_style(app, theme)));
        spans.push(Span::raw(if warnings.is_empty() { "" } else { "  " }));
    }
    if !warnings.is_empty() {
        spans.push(Span::styled(format!("! {warnings}"), theme.warn()));
    }
    (!spans.is_empty()).then(|| Line::from(spans))
}

/// The style of an alarm: reversed while it is new.
pub fn alarm_style(app: &App, theme: Theme) -> Style {
    if app.refresh.alarms.flashes() { theme.flash() } else { theme.danger() }
}

/// What the user must know about the numbers on the screen.
fn warnings(app: &App) -> Vec<String> {
    let Some(scene) = &app.scene else { return Vec::new() };
    let (now, mut found) = (scene.now(), Vec::new());
    if now.scan.stale_ms.0 > 0 {
        let seconds = now.scan.stale_ms.0 as f64 / 1000.0;
        // A slow disk or a process that is stuck delays the files, too.
        let waits = now.pressure.some.value().is_some_and(|some| some.avg10 >= 1.0);
        let why = if waits || now.memory.is_short() {
            "memory is short"
        } else {
            "the files of processes are slow to read"
        };
        found.push(format!("table is {seconds:.1}s old: {why}"));
    }
    if !now.privileges.sees_others {
        found.push("hidepid: other users' processes are not visible".to_owned());
    }
    match now.scan.unreadable {
        0 => {}
        1 => found.push("1 process could not be read".to_owned()),
        count => found.push(format!("{count} processes could not be read")),
    }
    if now.bpf_oom.supported && !matches!(now.bpf_oom.policies, Reading::Value(_)) {
        found.push("cannot tell whether a BPF program chooses the victim".to_owned());
    }
    for alarm in app.refresh.alarms.unreadable() {
        found.push(format!("{alarm} cannot be raised: there is no {} here", alarm.what()));
    }
    let (agree, compared) = app.refresh.self_check.count();
    if agree < compared {
        let differ = compared - agree;
        found.push(format!("{differ} of {compared} scores differ from the kernel's (! in SCORE)"));
    }
    found
}

//! The two bottom lines: what the table shows (or a message, or what is being typed), and the
//! function keys.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::adj_rules::rules::ActiveRules;
use crate::app::dialog::prompt::{Prompt, PromptKind};
use crate::app::keymap::bindings::{Action, KeyContext, key_of, keys_of};
use crate::app::mode::Mode;
use crate::app::view::kind::ViewKind;
use crate::app::{ActingMode, App, NoticeLevel};
use crate::columns::SizeUnit;
use crate::policy::SparedReason;
use crate::rank::Placement;
use crate::ui::paint::canvas::{Canvas, cells, tail};
use crate::ui::panel::session;

/// Paints the status line, or what has taken its place.
pub fn paint_status(app: &App, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    match &app.mode {
        Mode::Prompt(prompt) => return paint_prompt(prompt, area, canvas),
        Mode::GoTo(digits) => {
            let mut x = area.x + canvas.text(area.x, area.y, area.width, "pid ", theme.label());
            x += canvas.text(x, area.y, area.right() - x, digits, theme.strong());
            canvas.text(x, area.y, 1, " ", theme.cursor());
            x += 2;
            let found = app.selected().is_some_and(|it| it.id.pid.to_string().starts_with(digits));
            let (text, style) = if found {
                ("any other key ends the number", theme.dim())
            } else {
                ("! no such pid in the table", theme.warn())
            };
            canvas.text(x, area.y, area.right().saturating_sub(x), text, style);
            return;
        }
        _ => {}
    }
    if let Some(notice) = &app.display.notice {
        let (mark, style) = match notice.level {
            NoticeLevel::Plain => ("", theme.plain()),
            NoticeLevel::Good => ("", theme.good()),
            NoticeLevel::Warn => ("! ", theme.warn()),
        };
        let line =
            Line::from(vec![Span::styled(mark, style), Span::styled(notice.text.clone(), style)]);
        canvas.line(area.x, area.y, area.width, &line);
        return;
    }
    let mut x = area.x;
    for part in parts(app, canvas) {
        let gap = if x == area.x { 0 } else { 2 };
        // Whole parts only: half a word says nothing.
        if x + gap + cells(&part.content) > area.right() && x > area.x {
            continue;
        }
        x += gap;
        x += canvas.text(x, area.y, area.right().saturating_sub(x), &part.content, part.style);
    }
}

/// What there is to say, the most important first.
fn parts(app: &App, canvas: &Canvas<'_>) -> Vec<Span<'static>> {
    let theme = canvas.theme;
    let mut parts = Vec::with_capacity(12);
    if let Some(why) = app.refresh.lost.as_ref().filter(|_| !app.playback.past.is_empty()) {
        parts.push(Span::styled(format!("! no new looks: {why}"), theme.danger()));
    }
    let Some(scene) = &app.scene else { return parts };
    if app.views.kind == ViewKind::Cgroups {
        return group_parts(app, canvas, parts);
    }
    if app.views.kind == ViewKind::Verdicts {
        return verdict_parts(app, canvas, parts);
    }
    if app.views.kind == ViewKind::Events {
        return event_parts(app, canvas, parts);
    }
    if app.views.kind == ViewKind::Memory {
        parts.push(pace(app, canvas));
        parts.extend(app.session.adj_rules.as_ref().map(|sticky| rules(sticky, canvas)));
        parts.extend(memory_keys(app, canvas));
        return parts;
    }
    parts.extend(session::pursuing(app).map(|text| Span::styled(text, theme.danger())));
    let rows = app.ranking.rows().iter();
    let outside =
        rows.filter(|row| row.placement == Placement::Spared(SparedReason::Outside)).count();
    let (shown, all) = (app.table.lines.len(), scene.now().processes.len() - outside);
    parts.push(Span::raw(if shown == all {
        format!("{all} tasks")
    } else {
        format!("{shown} of {all} tasks")
    }));
    if app.is_scoped() {
        let name = scene.domain().name.as_str();
        parts.push(Span::styled(format!("scope {}", tail(name, 30)), theme.warn()));
    }
    let (agree, compared) = app.refresh.self_check.count();
    if compared > 0 {
        let style = if agree == compared { theme.good() } else { theme.warn() };
        let mark = if agree == compared { "" } else { "!" };
        parts.push(Span::styled(format!("ok {agree}/{compared}{mark}"), style));
    }
    parts.push(pace(app, canvas));
    parts.extend(alarms(app, canvas));
    parts.extend(app.session.adj_rules.as_ref().map(|sticky| rules(sticky, canvas)));
    if app.start.acting == ActingMode::Rehearsal {
        parts.push(Span::styled("dry run", theme.warn()));
    }
    if app.start.acting == ActingMode::ReadOnly {
        parts.push(Span::styled("read-only", theme.good()));
    }
    if !app.table.tags.is_empty() {
        parts.push(Span::styled(format!("{} tagged", app.table.tags.len()), theme.tag()));
    }
    if !app.table.settings.filter.is_empty() {
        parts.push(Span::styled(
            format!("filter {}", app.table.settings.filter.text()),
            theme.warn(),
        ));
    }
    if let Some(user) = &app.table.settings.user {
        parts.push(Span::styled(format!("user {user}"), theme.warn()));
    }
    if !app.table.search.is_empty() {
        parts.push(Span::styled(format!("search {}", app.table.search.text()), theme.label()));
    }
    if app.table.settings.hide_spared {
        parts.push(Span::styled("candidates only", theme.warn()));
    }
    let sort = app.table.settings.sort;
    let direction = if sort.descending { "desc" } else { "asc" };
    if sort.column.id != "badness" || !sort.descending {
        parts.push(Span::raw(format!("sort {} {direction}", sort.column.id)));
    }
    if app.table.settings.tree {
        parts.push(Span::raw("tree"));
    }
    if app.display.scale != SizeUnit::Auto {
        parts.push(Span::raw(format!("units {}", app.display.scale.word())));
    }
    if !app.table.follow {
        parts.push(Span::raw("follow off"));
    }
    // In a dialog or on a page these keys mean something else, which is written there.
    if !matches!(app.mode, Mode::Browse) {
        return parts;
    }
    let over = app.is_over();
    let acts = [(Action::Adjust, "adjust"), (Action::Sacrifice, "sacrifice")];
    let acts = acts.into_iter().filter(|_| !over);
    // Of reports of a file there is no now.
    let now = over && !app.playback.past.is_empty();
    let now = now.then_some((Action::Now, app.newest_word()));
    for (action, word) in [(Action::Explain, "explain")].into_iter().chain(acts).chain(now) {
        if let Some(key) = key_of(KeyContext::Browse, action) {
            parts.push(Span::styled(format!("{key} {word}"), theme.dim()));
        }
    }
    parts
}

/// What the rules of adj do, or would do.
fn rules(sticky: &ActiveRules, canvas: &Canvas<'_>) -> Span<'static> {
    let quiet = sticky.trouble.is_none() && !sticky.is_on();
    let style = if quiet { canvas.theme.label() } else { canvas.theme.warn() };
    Span::styled(sticky.summary(), style)
}

/// How many alarms there are, and how many stand: the header may be off.
fn alarms(app: &App, canvas: &Canvas<'_>) -> Option<Span<'static>> {
    let (count, stand) = (app.refresh.alarms.count(), app.refresh.alarms.standing().count());
    let word = if count == 1 { "alarm" } else { "alarms" };
    match (count, stand) {
        (0, _) => None,
        (_, 0) => Some(Span::styled(format!("{count} {word} set"), canvas.theme.label())),
        _ => Some(Span::styled(format!("! {stand} of {count} {word}"), canvas.theme.danger())),
    }
}

/// Whether what is shown goes on.
fn pace(app: &App, canvas: &Canvas<'_>) -> Span<'static> {
    let theme = canvas.theme;
    if app.incidents.report.is_some() {
        return Span::styled("[report]", theme.warn());
    }
    if app.is_past() {
        let word = if app.playback.is_playing() { "[playing]" } else { "[past]" };
        Span::styled(word, theme.warn())
    } else if app.playback.paused {
        Span::styled("[paused]", theme.warn())
    } else if app.held() && app.views.kind == ViewKind::Processes {
        Span::styled("[held]", theme.warn())
    } else if app.start.live && app.refresh.pace.is_fast() {
        Span::styled("[live, pressed]", theme.warn())
    } else if app.start.live && app.refresh.pace.is_relaxed() {
        Span::raw("[live, relaxed]")
    } else if app.start.live {
        Span::raw("[live]")
    } else if app.start.acting == ActingMode::Demo {
        Span::styled("[demo]", theme.warn())
    } else {
        Span::styled("[recording]", theme.warn())
    }
}

/// The same for the view of events.
fn event_parts(
    app: &App,
    canvas: &Canvas<'_>,
    mut parts: Vec<Span<'static>>,
) -> Vec<Span<'static>> {
    let theme = canvas.theme;
    let count = app.incidents.timeline.events.len();
    parts.push(Span::raw(if count == 1 { "1 kill".to_owned() } else { format!("{count} kills") }));
    parts.push(pace(app, canvas));
    parts.extend(app.session.adj_rules.as_ref().map(|sticky| rules(sticky, canvas)));
    if app.views.events.kills_only {
        parts.push(Span::styled("kills only", theme.warn()));
    }
    if !matches!(app.mode, Mode::Browse) {
        return parts;
    }
    for (action, word) in [
        (Action::ExplainKill, "explain"),
        (Action::SampleBefore, "the look before"),
        (Action::KillsOnly, "kills only"),
    ] {
        if let Some(key) = key_of(KeyContext::Events, action) {
            parts.push(Span::styled(format!("{key} {word}"), theme.dim()));
        }
    }
    parts
}

/// The keys of the view of memory.
fn memory_keys(app: &App, canvas: &Canvas<'_>) -> Vec<Span<'static>> {
    if !matches!(app.mode, Mode::Browse) {
        return Vec::new();
    }
    // Without looks there is nothing to move in.
    if app.playback.history.is_empty() {
        return Vec::new();
    }
    let pair = |a: Action, b: Action, word: &str| {
        let (a, b) = (key_of(KeyContext::Memory, a)?, key_of(KeyContext::Memory, b)?);
        Some(format!("{a} {b} {word}"))
    };
    let large = if app.views.memory.large { "all charts" } else { "large" };
    let enter = key_of(KeyContext::Memory, Action::Enlarge).map(|key| format!("{key} {large}"));
    let now = key_of(KeyContext::Memory, Action::Now).filter(|_| app.is_past());
    [
        pair(Action::ZoomIn, Action::ZoomOut, "zoom"),
        pair(Action::EarlierSample, Action::LaterSample, "looks back"),
        enter,
        now.map(|key| format!("{key} {}", app.newest_word())),
        pair(Action::KillBefore, Action::KillAfter, "kills"),
    ]
    .into_iter()
    .flatten()
    .map(|text| Span::styled(text, canvas.theme.dim()))
    .collect()
}

/// The same for the view of cgroups.
fn group_parts(
    app: &App,
    canvas: &Canvas<'_>,
    mut parts: Vec<Span<'static>>,
) -> Vec<Span<'static>> {
    let theme = canvas.theme;
    let Some(scene) = &app.scene else { return parts };
    let limited = scene.now().cgroups.limited().count();
    let count = scene.now().cgroups.list.len();
    parts.push(Span::raw(format!("{count} cgroups, {limited} with a limit")));
    parts.push(pace(app, canvas));
    parts.extend(app.session.adj_rules.as_ref().map(|sticky| rules(sticky, canvas)));
    if app.is_scoped() {
        let name = scene.domain().name.as_str();
        parts.push(Span::styled(format!("scope {}", tail(name, 30)), theme.warn()));
    }
    if app.views.cgroups.hide {
        parts.push(Span::styled("limited only", theme.warn()));
    }
    if app.display.scale != SizeUnit::Auto {
        parts.push(Span::raw(format!("units {}", app.display.scale.word())));
    }
    if !matches!(app.mode, Mode::Browse) {
        return parts;
    }
    for (action, word) in [
        (Action::EnterDomain, "shows its processes"),
        (Action::HideUnlimited, "limited only"),
        (Action::NextView, "back"),
    ] {
        if let Some(key) = key_of(KeyContext::Cgroups, action) {
            parts.push(Span::styled(format!("{key} {word}"), theme.dim()));
        }
    }
    parts
}

/// The same for the view of verdicts.
fn verdict_parts(
    app: &App,
    canvas: &Canvas<'_>,
    mut parts: Vec<Span<'static>>,
) -> Vec<Span<'static>> {
    let theme = canvas.theme;
    let view = &app.views.verdicts;
    let count = view.lines.len();
    parts.push(Span::raw(if view.hide {
        format!("{count} of {} policies", count + view.hidden)
    } else {
        format!("{count} policies")
    }));
    parts.push(pace(app, canvas));
    parts.extend(app.session.adj_rules.as_ref().map(|sticky| rules(sticky, canvas)));
    if let Some(scene) = app.scene.as_ref().filter(|_| app.is_scoped()) {
        let name = scene.domain().name.as_str();
        parts.push(Span::styled(format!("scope {}", tail(name, 30)), theme.warn()));
    }
    if view.hide {
        parts.push(Span::styled("other victims only", theme.warn()));
    }
    if !matches!(app.mode, Mode::Browse) {
        return parts;
    }
    for (action, word) in [
        (Action::EnterPolicy, "ranks by it"),
        (Action::HideAgreeing, "other victims only"),
        (Action::NextView, "back"),
    ] {
        if let Some(key) = key_of(KeyContext::Verdicts, action) {
            parts.push(Span::styled(format!("{key} {word}"), theme.dim()));
        }
    }
    parts
}

fn paint_prompt(prompt: &Prompt, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    let label = match prompt.asking {
        PromptKind::Search => "Search: ",
        PromptKind::Filter => "Filter: ",
        PromptKind::Time => "Time (14:03, 14:03:22, or how long ago: 5m): ",
        PromptKind::Delay => "Seconds between refreshes: ",
    };
    let mut x = area.x + canvas.text(area.x, area.y, area.width, label, theme.label());
    let room = area.right().saturating_sub(x).saturating_sub(1);
    let scroll = prompt.input.visual_scroll(usize::from(room));
    let value = prompt.input.value();
    // What stands before the part that is in view, by cells.
    let mut skipped = 0;
    let start = value
        .char_indices()
        .find(|&(at, c)| {
            let here = skipped >= scroll;
            skipped += usize::from(cells(&value[at..at + c.len_utf8()]));
            here
        })
        .map_or(value.len(), |(at, _)| at);
    let cursor = x + (prompt.input.visual_cursor().saturating_sub(scroll) as u16).min(room);
    x += canvas.text(x, area.y, room, &value[start..], theme.strong());
    canvas.style(Rect { x: cursor, width: 1, ..area }, theme.cursor());
    if let Some(error) = &prompt.error {
        let x = x.max(cursor) + 2;
        let text = format!("! {error}");
        let room = area.right().saturating_sub(x);
        if room > 8 {
            canvas.text(x, area.y, room, &text, theme.warn());
        } else {
            // The error is worth more than the far end of the line.
            let taken = cells(&text).min(area.width / 2);
            canvas.text(area.right() - taken, area.y, taken, &text, theme.warn());
        }
    }
}

/// Paints the function bar.
pub fn paint_bar(app: &App, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    let mut named: Vec<_> = keys_of(app.key_context())
        .filter(|binding| !binding.label.is_empty())
        .filter_map(|binding| Some((*binding.keys.first()?, binding.label)))
        .collect();
    named.sort_by_key(|(key, _)| match key.code {
        crate::app::keymap::bindings::KeyCode::F(number) => number,
        _ => u8::MAX,
    });
    let count = named.len().max(1) as u16;
    let taken: u16 = named.iter().map(|(key, label)| cells(&key.to_string()) + cells(label)).sum();
    let pad = (area.width.saturating_sub(taken) / count).min(4);
    let mut x = area.x;
    for (key, label) in named {
        let key = key.to_string();
        if x + cells(&key) + cells(label) > area.right() {
            break;
        }
        x += canvas.text(x, area.y, area.right() - x, &key, theme.key());
        let width = (cells(label) + pad).min(area.right() - x);
        canvas.style(Rect { x, y: area.y, width, height: 1 }, theme.key_label());
        canvas.text(x, area.y, width, label, theme.key_label());
        x += width;
    }
    if x < area.right() {
        let rest = Rect { x, y: area.y, width: area.right() - x, height: 1 };
        canvas.style(rest, theme.key_label());
    }
}

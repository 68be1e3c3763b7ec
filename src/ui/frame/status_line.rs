//! The line above the function bar: what the view shows, or a message, or what is being typed.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::adj_rules::rules::ActiveRules;
use crate::app::dialog::prompt::{Prompt, PromptKind};
use crate::app::keymap::bindings::{Action, KeyContext};
use crate::app::mode::Mode;
use crate::app::view::kind::ViewKind;
use crate::app::{ActingMode, App, Notice, NoticeLevel};
use crate::columns::SizeUnit;
use crate::ui::paint::canvas::{Canvas, cells};
use crate::ui::paint::text;
use crate::ui::paint::theme::Theme;
use crate::ui::paint::{input, severity};

/// The parts of a view's status line, the most important first. Called only when there is a sample.
pub type ViewStatus = fn(&App, Theme) -> Vec<Span<'static>>;

/// Paints the line.
pub fn paint(app: &App, view: ViewStatus, area: Rect, canvas: &mut Canvas<'_>) {
    match &app.mode {
        Mode::Prompt(prompt) => return paint_prompt(prompt, area, canvas),
        Mode::GoTo(digits) => return paint_pid(app, digits, area, canvas),
        _ => {}
    }
    if let Some(notice) = &app.display.notice {
        return paint_notice(notice, area, canvas);
    }
    let theme = canvas.theme;
    let mut parts = Vec::with_capacity(12);
    if let Some(why) = app.refresh.lost.as_ref().filter(|_| !app.playback.past.is_empty()) {
        parts.push(Span::styled(format!("! no new samples: {why}"), theme.danger()));
    }
    if app.scene.is_some() {
        parts.extend(view(app, theme));
    }
    paint_parts(&parts, area, canvas);
}

/// Paints the parts of the line. Where not all fit, the last ones are left out, because the first are the most
/// important; a long one may be cut. The mark at the end tells how many are missing.
fn paint_parts(parts: &[Span<'static>], area: Rect, canvas: &mut Canvas<'_>) {
    /// A part with less room than this is left out, not cut.
    const LEAST: u16 = 16;
    let theme = canvas.theme;
    let needed: usize = parts.iter().map(|part| usize::from(cells(&part.content)) + 2).sum();
    let whole = needed <= usize::from(area.width) + 2;
    let mark = |missing: usize| format!("{}{missing} more", theme.cut());
    let reserved = if whole { 0 } else { cells(&mark(parts.len())) + 2 };
    let end = area.right().saturating_sub(reserved);
    let mut x = area.x;
    let mut missing = 0;
    for part in parts {
        let gap = if x == area.x { 0 } else { 2 };
        let room = end.saturating_sub(x + gap);
        if missing > 0 || (cells(&part.content) > room && room < LEAST && x > area.x) {
            missing += 1;
            continue;
        }
        x += gap + canvas.text(x + gap, area.y, room, &part.content, part.style);
    }
    if missing > 0 {
        canvas.text(x + 2, area.y, area.right().saturating_sub(x + 2), &mark(missing), theme.dim());
    }
}

fn paint_notice(notice: &Notice, area: Rect, canvas: &mut Canvas<'_>) {
    let style = severity::notice(canvas.theme, notice.level);
    let mark = if notice.level == NoticeLevel::Warn { "! " } else { "" };
    let line =
        Line::from(vec![Span::styled(mark, style), Span::styled(notice.text.clone(), style)]);
    canvas.line(area.x, area.y, area.width, &line);
}

/// The digits of a pid that is being typed.
fn paint_pid(app: &App, digits: &str, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
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
}

fn paint_prompt(prompt: &Prompt, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    let labels: &[&str] = match prompt.asking {
        PromptKind::Search => &["Search: "],
        PromptKind::Filter => &["Filter: "],
        PromptKind::Time => {
            &["Time (14:03, 14:03:22, or how long ago: 5m): ", "Time (14:03, 5m): ", "Time: "]
        }
        PromptKind::Fits => &["How much more memory (2G, 500M): ", "More memory (2G): ", "More: "],
        PromptKind::Delay => &["Seconds between refreshes: ", "Seconds: "],
    };
    let (value, cursor) = (prompt.input.value(), prompt.input.visual_cursor());
    let error = prompt.error.as_ref().map(|error| format!("! {error}"));
    let of_error = error.as_ref().map_or(0, |text| cells(text) + 2);
    let label = input::label(labels, value, area.width.saturating_sub(of_error));
    let x = area.x + canvas.text(area.x, area.y, area.width, label, theme.label());
    // What is typed comes first: the reason why it is wrong gets what that leaves, but not less than it can be read in.
    let room = area.right().saturating_sub(x);
    let typed = (cells(value) + 1).min((room / 2).max(input::LEAST));
    let of_error = of_error.min(room.saturating_sub(typed));
    let row = Rect { width: area.width.saturating_sub(of_error), ..area };
    let (end, cursor) = input::paint(value, cursor, x, row, canvas);
    if let Some(text) = error {
        let x = end.max(cursor + 1) + 1;
        canvas.text(x, area.y, area.right().saturating_sub(x), &text, theme.warn());
    }
}

/// Whether the screen is live, and at what speed it goes on.
pub fn pace(app: &App, theme: Theme) -> Span<'static> {
    if app.incidents.report.is_some() {
        return Span::styled("[report]", theme.warn());
    }
    if app.is_past() {
        let play =
            app.keys.key_of(KeyContext::Browse, Action::Pause).filter(|_| app.playback.is_played());
        let word = match play {
            _ if app.playback.is_playing() => "[playing]".to_owned(),
            Some(key) => format!("[stopped: {key} plays]"),
            None => "[past]".to_owned(),
        };
        Span::styled(word, theme.warn())
    } else if app.playback.paused {
        Span::styled("[paused]", theme.warn())
    } else if app.held() && app.views.kind == ViewKind::Processes {
        Span::styled("[order frozen]", theme.warn())
    } else if app.start.live && app.refresh.pace.is_fast() {
        Span::styled("[live, fast]", theme.warn())
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

/// What the adj rules do or would do; nothing where none were given.
pub fn adj_rules(app: &App, theme: Theme) -> Option<Span<'static>> {
    let rules: &ActiveRules = app.session.adj_rules.as_ref()?;
    let quiet = rules.trouble.is_none() && !rules.is_on();
    let style = if quiet { theme.label() } else { theme.warn() };
    Some(Span::styled(rules.summary(), style))
}

/// The scope, where it is not the machine.
pub fn scope(app: &App, theme: Theme) -> Option<Span<'static>> {
    let scene = app.scene.as_ref().filter(|_| app.is_scoped())?;
    let name = scene.domain().name.as_str();
    Some(Span::styled(format!("scope {}", text::domain(name, 30)), theme.warn()))
}

/// The unit of sizes, where the user chose one.
pub fn units(app: &App) -> Option<Span<'static>> {
    (app.display.scale != SizeUnit::Auto)
        .then(|| Span::raw(format!("units {}", app.display.scale.word())))
}

/// Keys of a view that do something now, and what. Nothing in a dialog or on a page: keys mean something else there,
/// which is written there.
pub fn keys(
    app: &App,
    context: KeyContext,
    actions: &[(Action, &str)],
    theme: Theme,
) -> Vec<Span<'static>> {
    if !matches!(app.mode, Mode::Browse) {
        return Vec::new();
    }
    let offered = actions.iter().filter(|(action, _)| app.offers(*action));
    let named = offered.filter_map(|&(action, word)| {
        let key = app.keys.key_of(context, action)?;
        Some(Span::styled(format!("{key} {word}"), theme.dim()))
    });
    named.collect()
}

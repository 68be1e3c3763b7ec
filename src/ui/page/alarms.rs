//! The page of the alarms: each with its present value and its state, what else can be watched, and what
//! an alarm does.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::alarm::{AlarmEntry, AlarmStatus, Alarms};
use crate::app::App;
use crate::app::page::alarms::{AlarmLine, AlarmsPage, TypedAlarm, lines};
use crate::columns::span_of;
use crate::ui::paint::canvas::{Canvas, cells};
use crate::ui::paint::lines::wrap;
use crate::ui::paint::scroll::{PageBox, PageShown};
use crate::ui::paint::theme::Theme;
use crate::ui::paint::{input, list};

/// The cells of the alarm itself.
const ALARM: usize = 16;

/// Paints the page, scrolled so that the chosen line is in view.
pub fn paint(app: &App, page: &AlarmsPage, area: Rect, canvas: &mut Canvas<'_>) -> PageShown {
    let open = PageBox::open_padded(area, "Alarms of this session", canvas);
    let theme = canvas.theme;
    let mut inside = open.inside;
    if let Some(typed) = &page.typed {
        let taken = paint_typed(typed, inside, canvas);
        inside.height = inside.height.saturating_sub(taken + 1);
    }
    let alarms = &app.refresh.alarms;
    let mut shown: Vec<Line<'static>> = Vec::new();
    let (mut from, mut to) = (0, 0);
    let indent = 2 + ALARM as u16 + 1;
    let all = lines(alarms);
    for (nth, line) in all.iter().enumerate() {
        if matches!(line, AlarmLine::Free(_)) && nth == alarms.count() {
            let text =
                if nth == 0 { "No alarm is set. Enter adds one of these:" } else { "Enter adds:" };
            if nth > 0 {
                shown.push(Line::default());
            }
            shown.push(Line::styled(text, theme.label()));
        }
        let begin = shown.len();
        let mark = if nth == page.at { "> " } else { "  " };
        let text = match line {
            AlarmLine::Set(at) => set_line(alarms, *at, mark, app, theme),
            AlarmLine::Free(row) => Some(Line::from(vec![
                Span::raw(format!("{mark}{:<ALARM$} ", row.example)),
                Span::styled(row.about, theme.dim()),
            ])),
        };
        shown.extend(text.iter().flat_map(|line| wrap(line, inside.width, indent)));
        if nth == page.at {
            (from, to) = (begin, shown.len());
        }
    }
    shown.push(Line::default());
    shown.extend(what_it_does(alarms, theme).iter().flat_map(|line| wrap(line, inside.width, 9)));
    let top = list::block_top(from, to, usize::from(inside.height));
    for (y, (nth, line)) in (inside.top()..inside.bottom()).zip(shown.iter().enumerate().skip(top))
    {
        let chosen = (from..to).contains(&nth);
        let line = if chosen { list::uncoloured(line.clone(), canvas) } else { line.clone() };
        canvas.line(inside.x, y, inside.width, &line);
        if chosen {
            list::highlight(Rect { y, ..inside }, canvas);
        }
    }
    open.foot(
        &["Enter sets, Space on or off, Del removes, Esc closes", "Enter Space Del, Esc closes"],
        canvas,
    );
    PageShown { page: inside.height, lines: all.len() as u16, top: 0, dialog: false }
}

/// An alarm that is set: its value and its state.
fn set_line(
    alarms: &Alarms,
    at: usize,
    mark: &str,
    app: &App,
    theme: Theme,
) -> Option<Line<'static>> {
    let entry = alarms.entries().nth(at)?;
    let value = entry.present.clone().map_or_else(String::new, |value| format!("now {value}, "));
    let (state, style) = state(&entry, app);
    let style = if style { theme.danger() } else { theme.plain() };
    Some(Line::from(vec![
        Span::raw(mark.to_owned()),
        Span::styled(format!("{:<ALARM$} ", entry.alarm.to_string()), theme.strong()),
        Span::styled(format!("{value}{state}"), style),
        Span::styled(format!("  {}", entry.alarm.about()), theme.dim()),
    ]))
}

/// The state in words, and whether it is beyond its threshold.
fn state(entry: &AlarmEntry<'_>, app: &App) -> (String, bool) {
    match entry.status {
        AlarmStatus::Off => ("switched off".to_owned(), false),
        AlarmStatus::Quiet => ("quiet".to_owned(), false),
        AlarmStatus::Raised(since) => {
            let seconds = app.clock().saturating_sub(since).0 / 1000;
            (format!("! raised {} ago", span_of(seconds)), true)
        }
        AlarmStatus::Unreadable => ("cannot be read here".to_owned(), false),
    }
}

/// What happens when an alarm is raised, and how the alarms are kept.
fn what_it_does(alarms: &Alarms, theme: Theme) -> Vec<Line<'static>> {
    let row = |label: &str, text: String| {
        Line::from(vec![Span::styled(format!("{label:<9}"), theme.label()), Span::raw(text)])
    };
    let on = |on: bool| if on { "on" } else { "off" };
    let command = if alarms.has_command() {
        format!("{} (c switches): the command of --on-alarm runs", on(alarms.command))
    } else {
        "none: start with --on-alarm COMMAND".to_owned()
    };
    let flags = alarms.flags();
    let keep = if flags.is_empty() {
        "these alarms end with doomtop; the flags --alarm set them at the start".to_owned()
    } else {
        format!("these alarms end with doomtop. To keep them (y copies): doomtop {flags}")
    };
    vec![
        row("bell", format!("{} (b switches): the terminal rings once", on(alarms.bell))),
        row("command", command),
        row("keep", keep),
        row(
            "raised",
            "the line with ! at the top flashes, and stays while the value is beyond".to_owned(),
        ),
    ]
}

/// Paints the alarm that is being typed at the bottom; gives back the lines that it took.
fn paint_typed(typed: &TypedAlarm, inside: Rect, canvas: &mut Canvas<'_>) -> u16 {
    let theme = canvas.theme;
    let error = typed.error.as_ref().map(|why| Line::styled(format!("! {why}"), theme.warn()));
    let below = error.iter().flat_map(|line| wrap(line, inside.width, 2)).collect::<Vec<_>>();
    let below: Vec<_> =
        below.into_iter().take(usize::from(inside.height.saturating_sub(1))).collect();
    let taken = below.len() as u16 + 1;
    let y = inside.bottom().saturating_sub(taken);
    let label = if typed.replaces.is_some() { "Change to: " } else { "New alarm: " };
    let x = inside.x + canvas.text(inside.x, y, inside.width, label, theme.label());
    let row = Rect { y, height: 1, ..inside };
    let (end, cursor) =
        input::paint(typed.input.value(), typed.input.visual_cursor(), x, row, canvas);
    let hint = "Enter sets, Esc does not";
    let at = end.max(cursor) + 2;
    if at + cells(hint) <= inside.right() {
        canvas.text(at, y, cells(hint), hint, theme.dim());
    }
    for (y, line) in (y + 1..inside.bottom()).zip(&below) {
        canvas.line(inside.x, y, inside.width, line);
    }
    taken
}

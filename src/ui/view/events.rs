//! The Events view: every kill known from a log or a counter, and what was done from here.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::incident::entry::{KillStorm, TimelineEntry};
use crate::app::incident::event_text::{prediction_word, victim_text};
use crate::app::incident::storm;
use crate::app::keymap::bindings::{Action, KeyContext};
use crate::app::view::click_target::{ClickTarget, RowIdentity};
use crate::app::{App, NoticeLevel};
use crate::columns::{human_size, span_of};
use crate::kills::LogSourceStatus;
use crate::model::{
    EventTime, ForecastResult, Killer, LogSource, OomEvent, PredictionResult, SourceState, Text,
    Victim,
};
use crate::ui::frame::facts::OomKills;
use crate::ui::frame::layout::{Layout, ViewSpace};
use crate::ui::frame::status_line;
use crate::ui::paint::canvas::{Canvas, cells, tail};
use crate::ui::paint::dates::{date, day_of, today};
use crate::ui::paint::lines::{flow, wrap};
use crate::ui::paint::theme::Theme;
use crate::ui::paint::{list, severity, text};
use crate::ui::view::view_table::{FULL_HEADER_FROM, RowsShown, ViewParts, no_panels};
use crate::words::numbers_and_names::{cgroup_forms, short_cgroup};

/// The view.
pub static PARTS: ViewParts = ViewParts {
    space: ViewSpace { full_header_from: FULL_HEADER_FROM, panel_height: None },
    paint,
    paint_panels: no_panels,
    status,
};

/// The status line: how many kills there were, and which keys the view has.
fn status(app: &App, theme: Theme) -> Vec<Span<'static>> {
    let events = app.shown_kills();
    let count = events.iter().filter(|it| it.is_kill()).count();
    let known = app.context().and_then(|context| OomKills::of(app, &context));
    let mut kills = known.map_or_else(|| format!("{count} kills"), OomKills::known);
    if events.len() > count {
        kills.push_str(&format!(", {} without a kill", events.len() - count));
    }
    let mut parts = vec![Span::raw(kills), status_line::pace(app, theme)];
    if !app.views.events.filter.is_empty() {
        let text = format!("filter: {}", app.views.events.filter);
        parts.push(Span::styled(text, theme.warn()));
    }
    parts.extend(status_line::adj_rules(app, theme));
    if app.views.events.kills_only {
        parts.push(Span::styled("kills only", theme.warn()));
    }
    let keys = [
        (Action::ExplainKill, "explain"),
        (Action::Search, "find"),
        (Action::SampleBefore, "the sample before"),
        (Action::KillsOnly, "kills only"),
    ];
    parts.extend(status_line::keys(app, KeyContext::Events, &keys, theme));
    parts
}

/// Maximum number of kills that are measured for the widths of the columns.
const MEASURED: usize = 1000;

/// The widths of the parts of a line; a free cell is behind each.
struct Grid {
    time: u16,
    by: u16,
    domain: u16,
    pid: u16,
    name: u16,
    user: u16,
    size: u16,
    adj: u16,
    seen: u16,
}

impl Grid {
    fn new(app: &App, width: u16) -> Self {
        let dated = app.shown_kills().iter().any(|it| day_of(app, it.unix_ms) != today(app));
        // Events of a log file have no time but the stamp of their line.
        let stamps = app.shown_kills().iter().filter(|it| it.time == EventTime::Order);
        let widest = stamps.map(|it| cells(&stamp(app, it))).max().unwrap_or(0);
        let dated = dated && widest == 0;
        // On a narrow screen the first line of a day has the date and no seconds.
        let time = match (dated, width) {
            (true, 100..) => 15,
            (true, _) => 12,
            (false, _) => widest.clamp(8, 24),
        };
        let time = if width < 60 { 8 } else { time };
        let kills = || app.shown_kills().iter().take(MEASURED);
        let widest = |text: &dyn Fn(&OomEvent) -> u16| kills().map(text).max().unwrap_or(0);
        let compared = kills().any(|it| !prediction_word(it).is_empty());
        let seen = if width >= 76 && compared { 12 } else { 0 };
        let (size, adj) = (6, 5);
        // What each column needs, at least for its heading, and what it gets where there is room.
        let has_user = width >= 100;
        let needed = [
            widest(&|it| cells(killer(it))).clamp(7, 12),
            widest(&|it| cells(&pid_of(it))).clamp(4, 7),
            widest(&|it| cells(&victim_name(it))).clamp(6, 20),
            if has_user { widest(&|it| cells(&user_of(app, it))).clamp(4, 16) } else { 0 },
        ];
        let roomy: [u16; 4] = [12, 7, 15, if has_user { 10 } else { 0 }];
        let fixed = [time + 2, size, adj, seen].into_iter().chain(needed);
        let fixed: u16 = fixed.filter(|&cells| cells > 0).map(|cells| cells + 1).sum();
        let rest = width.saturating_sub(fixed);
        let mut spare = rest.saturating_sub(widest(&|it| cells(&place(it, u16::MAX))).max(11));
        let mut widths = needed.into_iter().zip(roomy).map(|(needed, roomy)| {
            let more = roomy.saturating_sub(needed).min(spare);
            spare -= more;
            needed + more
        });
        let mut next = || widths.next().unwrap_or(0);
        let [by, pid, name, user] = [next(), next(), next(), next()];
        let used = by + pid + name + user - needed.iter().sum::<u16>();
        let domain = rest - used;
        Self { time, by, domain, pid, name, user, size, adj, seen }
    }
}

fn paint(app: &App, layout: &Layout, canvas: &mut Canvas<'_>) -> RowsShown {
    let (head, rows) = (layout.head, layout.rows);
    let theme = canvas.theme;
    let grid = Grid::new(app, rows.width);
    canvas.style(head, theme.head());
    paint_line(&grid, head, &titles(), theme.head(), canvas);
    let mut foot = sources(app, theme, rows.width);
    foot.truncate(usize::from(rows.height / 2).max(1));
    let height = rows.height.saturating_sub(foot.len() as u16);
    let entries = app.event_entries();
    if entries.is_empty() {
        let text = "no kill yet, and doomtop has changed and signalled nothing";
        canvas.text(rows.x, rows.y, rows.width, text, theme.dim());
    }
    let mut before = app
        .views
        .events
        .cursor
        .top
        .checked_sub(1)
        .and_then(|at| entries.get(at))
        .and_then(|entry| entry_day(app, entry));
    let shown = entries.iter().enumerate().skip(app.views.events.cursor.top);
    for (y, (at, entry)) in (rows.top()..rows.top() + height).zip(shown) {
        let strip = Rect { y, height: 1, ..rows };
        canvas.clickable(strip, ClickTarget::Row(RowIdentity::Event(*entry)));
        let own = entry_day(app, entry);
        let is_first = own != before;
        before = own;
        match entry {
            TimelineEntry::Kill(nth) => {
                if let Some(event) = app.timeline().find(*nth) {
                    let chosen = at == app.views.events.cursor.at;
                    paint_kill(app, &grid, event, (is_first, chosen), strip, canvas);
                }
            }
            TimelineEntry::Storm(storm) => {
                let chosen = at == app.views.events.cursor.at;
                paint_storm(app, &grid, storm, (is_first, chosen), strip, canvas);
            }
            TimelineEntry::Act(nth) => paint_act(app, &grid, *nth, is_first, strip, canvas),
        }
        if at == app.views.events.cursor.at {
            list::highlight(strip, canvas);
        }
    }
    for (y, line) in (rows.top() + height..rows.bottom()).zip(&foot) {
        canvas.line(rows.x, y, rows.width, line);
    }
    RowsShown::rows(height)
}

/// The day of a line, which is shown where it differs from that of the line before.
fn entry_day(app: &App, entry: &TimelineEntry) -> Option<i64> {
    match entry {
        TimelineEntry::Kill(nth) => app.timeline().find(*nth).map(|it| day_of(app, it.unix_ms)),
        TimelineEntry::Storm(storm) => {
            app.timeline().find(storm.last).map(|it| day_of(app, it.unix_ms))
        }
        TimelineEntry::Act(at) => {
            app.session.journal.entries.get(*at).map(|it| day_of(app, it.unix_ms))
        }
    }
}

/// The texts of a line.
#[derive(Default)]
struct Parts {
    time: String,
    mark: &'static str,
    by: String,
    domain: String,
    pid: String,
    name: String,
    user: String,
    size: String,
    adj: String,
    seen: String,
}

fn titles() -> Parts {
    Parts {
        time: "TIME".to_owned(),
        by: "BY".to_owned(),
        domain: "WHERE".to_owned(),
        pid: "PID".to_owned(),
        name: "KILLED".to_owned(),
        user: "USER".to_owned(),
        size: "SIZE".to_owned(),
        adj: "ADJ".to_owned(),
        seen: "PREDICTED".to_owned(),
        ..Parts::default()
    }
}

fn paint_line(grid: &Grid, area: Rect, parts: &Parts, style: Style, canvas: &mut Canvas<'_>) {
    let mut x = area.x;
    let y = area.y;
    let room = |x: u16, width: u16| width.min(area.right().saturating_sub(x));
    canvas.right(x, y, grid.time, &parts.time, style);
    canvas.text(x + grid.time, y, 1, parts.mark, style);
    x += grid.time + 2;
    canvas.text(x, y, room(x, grid.by), &parts.by, style);
    x += grid.by + 1;
    canvas.text(x, y, room(x, grid.domain), &tail(&parts.domain, grid.domain), style);
    x += grid.domain + 1;
    canvas.right(x, y, room(x, grid.pid), &parts.pid, style);
    x += grid.pid + 1;
    canvas.text(x, y, room(x, grid.name), &parts.name, style);
    x += grid.name + 1;
    if grid.user > 0 {
        canvas.text(x, y, room(x, grid.user), &parts.user, style);
        x += grid.user + 1;
    }
    canvas.right(x, y, room(x, grid.size), &parts.size, style);
    x += grid.size + 1;
    canvas.right(x, y, room(x, grid.adj), &parts.adj, style);
    x += grid.adj + 1;
    if grid.seen > 0 {
        canvas.text(x, y, room(x, grid.seen), &parts.seen, style);
    }
}

/// The time stamp of an event in a log file.
fn stamp(app: &App, event: &OomEvent) -> String {
    let report = event.report.and_then(|number| app.timeline().report(number));
    let Some(stamp) = report.map(|report| &report.stamp) else { return String::new() };
    match stamp.uptime_us {
        Some(us) => format!("{}.{:03} s", us / 1_000_000, us / 1000 % 1000),
        None => stamp.shown(),
    }
}

/// The time of an event, as its line shows it.
fn time(app: &App, event: &OomEvent, grid: &Grid, is_first: bool) -> String {
    if event.time == EventTime::Order {
        return tail(&stamp(app, event), grid.time).into_owned();
    }
    dated(app, event.unix_ms, grid.time, is_first)
}

fn dated(app: &App, unix_ms: i64, width: u16, is_first: bool) -> String {
    let clock = text::clock(app, unix_ms);
    if width >= 12 && is_first {
        let clock = if width < 15 { clock.get(..5).unwrap_or_default() } else { &clock };
        format!("{} {clock}", date(day_of(app, unix_ms)))
    } else {
        clock
    }
}

/// Which killer it was; of a kill that was only counted, how its victim is known.
fn killer(event: &OomEvent) -> &'static str {
    match event.by {
        Killer::Counted if event.guessed => "guessed",
        Killer::Counted => "unknown",
        by => by.word(),
    }
}

/// The pid of the victim; empty where it is not known.
fn pid_of(event: &OomEvent) -> String {
    let pid = event.victim.and_then(|victim| victim.pid);
    pid.map_or_else(String::new, |pid| pid.to_string())
}

/// The name of the victim, with a mark where it is guessed, or why there is none.
fn victim_name(event: &OomEvent) -> String {
    match event.victim {
        Some(Victim { comm, .. }) if event.guessed => format!("{comm}?"),
        Some(Victim { comm, .. }) => comm.to_string(),
        None => victim_text(event),
    }
}

/// The user of the victim, or its number; empty where it is not known.
fn user_of(app: &App, event: &OomEvent) -> String {
    let uid = event.victim.and_then(|victim| victim.uid);
    let name = |uid| app.names.user(uid).map_or_else(|| uid.to_string(), ToOwned::to_owned);
    uid.map_or_else(String::new, name)
}

/// Where it was: the container, pod, unit or cgroup whose limit was reached, and that of the victim where it is
/// another; the longest form that fits.
fn place(event: &OomEvent, room: u16) -> String {
    // In a column of cgroups the word goes without saying.
    let bare = |name: &str| name.strip_prefix("cgroup ").unwrap_or(name).to_owned();
    let short = |text: &Text| bare(&short_cgroup(text.as_str()));
    let forms: Vec<String> = match (&event.domain, &event.cgroup) {
        (Some(domain), Some(own)) if domain != own => {
            let (domain, own) = (short(domain), short(own));
            vec![format!("{domain}: {own}"), domain]
        }
        (Some(only), _) | (None, Some(only)) => {
            let names = cgroup_forms(only.as_str());
            let mut forms: Vec<String> = names.iter().map(|name| bare(name)).collect();
            // Of a container or a pod its id is more than half of both.
            let id = names.last().and_then(|name| name.split_once(' '));
            forms.extend(id.map(|(_, id)| id.to_owned()));
            forms
        }
        (None, None) => return String::new(),
    };
    let fitting = forms.iter().find(|text| cells(text) <= room).or(forms.last());
    fitting.cloned().unwrap_or_default()
}

fn paint_kill(
    app: &App,
    grid: &Grid,
    event: &OomEvent,
    (is_first, chosen): (bool, bool),
    area: Rect,
    canvas: &mut Canvas<'_>,
) {
    let theme = canvas.theme;
    let victim = event.victim.unwrap_or_default();
    let size = victim.freed().map_or_else(String::new, |size| human_size(size.bytes()));
    let unproven = app.timeline().is_unproven(event.nth);
    let parts = Parts {
        time: time(app, event, grid, is_first),
        mark: match event.time {
            EventTime::Stamp | EventTime::Within(_) => "~",
            EventTime::Live | EventTime::Clock | EventTime::Order if unproven => "?",
            EventTime::Live | EventTime::Clock | EventTime::Order => "",
        },
        by: killer(event).to_owned(),
        domain: place(event, grid.domain),
        pid: pid_of(event),
        name: victim_name(event),
        user: user_of(app, event),
        size,
        adj: victim.adj.map_or_else(String::new, |adj| adj.to_string()),
        seen: prediction_word(event),
    };
    paint_line(grid, area, &parts, theme.plain(), canvas);
    // In the reversed line under the cursor colours would become the background.
    if chosen {
        return;
    }
    let by = Rect { x: area.x + grid.time + 2, width: grid.by, ..area };
    canvas.style(by, if event.by == Killer::Counted { theme.warn() } else { theme.label() });
    if grid.seen > 0 {
        let x = area.right().saturating_sub(grid.seen);
        let style = match (event.forecast, event.prediction) {
            (ForecastResult::Named { .. }, _) => theme.good(),
            (ForecastResult::NotPredicted, _) => theme.warn(),
            (ForecastResult::NotMade, PredictionResult::Rank(1)) => theme.good(),
            (ForecastResult::NotMade, PredictionResult::Rank(_) | PredictionResult::Spared) => {
                theme.warn()
            }
            _ => theme.dim(),
        };
        canvas.style(Rect { x, width: grid.seen, ..area }, style);
    }
    canvas.style(Rect { width: grid.time + 1, ..area }, theme.dim());
}

/// Several kills as one line: `stress-ng-vm x446 in load, 22 s`.
fn paint_storm(
    app: &App,
    grid: &Grid,
    kills: &KillStorm,
    (is_first, chosen): (bool, bool),
    area: Rect,
    canvas: &mut Canvas<'_>,
) {
    let theme = canvas.theme;
    let timeline = app.timeline();
    let ends = timeline.find(kills.first).zip(timeline.find(kills.last));
    let Some((first, last)) = ends else { return };
    let times = if theme.unicode { '×' } else { 'x' };
    let name = last.victim.map_or_else(String::new, |victim| victim.comm.to_string());
    let parts = Parts {
        time: time(app, last, grid, is_first),
        by: killer(last).to_owned(),
        domain: place(last, grid.domain),
        pid: format!("{times}{}", kills.count),
        name: if last.guessed { format!("{name}?") } else { name },
        ..Parts::default()
    };
    paint_line(grid, area, &parts, theme.plain(), canvas);
    let x = area.x + grid.time + 2 + grid.by + 1 + grid.domain + 1 + grid.pid + 1 + grid.name + 1;
    let span = match storm::seconds_between(timeline, first, last) {
        Some(seconds) => format!("in {}", span_of(seconds)),
        None => "in a row".to_owned(),
    };
    let is_open = app.views.events.opened.contains(&kills.first);
    let (sign, key) = if is_open { ("-", "- closes") } else { ("+", "+ opens") };
    let predicted = (grid.seen > 0).then(|| format!("{} as predicted", kills.predicted));
    let forms = match predicted {
        Some(predicted) => vec![
            format!("{span}, {predicted}, {key}"),
            format!("{span}, {predicted} {sign}"),
            format!("{span}, {key}"),
        ],
        None => vec![format!("{span}, {key}")],
    };
    let room = area.right().saturating_sub(x);
    let shortest = format!("{span} {sign}");
    let text = forms.iter().find(|form| cells(form) <= room).unwrap_or(&shortest);
    canvas.text(x, area.y, room, text, if chosen { theme.plain() } else { theme.dim() });
    if !chosen {
        canvas.style(Rect { width: grid.time + 1, ..area }, theme.dim());
        let by = Rect { x: area.x + grid.time + 2, width: grid.by, ..area };
        canvas.style(by, theme.label());
    }
}

fn paint_act(
    app: &App,
    grid: &Grid,
    at: usize,
    is_first: bool,
    area: Rect,
    canvas: &mut Canvas<'_>,
) {
    let theme = canvas.theme;
    let Some(entry) = app.session.journal.entries.get(at) else { return };
    let style = severity::notice(theme, entry.level);
    let mark = if entry.level == NoticeLevel::Warn { "!" } else { "" };
    let time = dated(app, entry.unix_ms, grid.time, is_first);
    canvas.right(area.x, area.y, grid.time, &time, theme.dim());
    canvas.text(area.x + grid.time, area.y, 1, mark, style);
    let x = area.x + grid.time + 2;
    canvas.text(x, area.y, grid.by, "doomtop", theme.label());
    let x = x + grid.by + 1;
    canvas.text(x, area.y, area.right().saturating_sub(x), &entry.text, style);
}

/// The state of each log source, also of one that cannot be read.
fn sources(app: &App, theme: Theme, width: u16) -> Vec<Line<'static>> {
    if !app.start.live {
        let text = if app.playback.past.is_empty() {
            "reports of a log file; { and } step through those with a task dump"
        } else {
            "up to the time on the screen; { and } go to the sample before each kill"
        };
        return wrap(&Line::styled(text, theme.dim()), width, 0);
    }
    let words = |source| {
        let (text, style) = source_words(source, theme);
        vec![Span::styled(text, style)]
    };
    let parts: Vec<Vec<Span<'static>>> = app.timeline().sources().iter().map(words).collect();
    if parts.is_empty() {
        let text =
            "no log is read here (--redact, --proc): kills are counted, their victims guessed";
        return wrap(&Line::styled(text, theme.dim()), width, 0);
    }
    flow(parts, width, 0)
}

fn source_words(source: &LogSourceStatus, theme: Theme) -> (String, Style) {
    let name = source.source.name();
    let (mut text, mut style) = match &source.state {
        SourceState::Open(how) if how.is_empty() => (format!("{name}: followed"), theme.dim()),
        SourceState::Open(how) => (format!("{name}: {how}"), theme.dim()),
        SourceState::Lost(_) => (name.to_owned(), theme.dim()),
        SourceState::Closed(why) => (format!("{name}: {why}"), theme.warn()),
    };
    if source.source != LogSource::KernelLog {
        style = theme.dim();
    }
    if source.lost > 0 {
        text.push_str(&format!(" ({} lines lost)", source.lost));
        style = theme.warn();
    }
    (text, style)
}

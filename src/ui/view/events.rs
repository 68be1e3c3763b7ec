//! What happened: every kill that was heard of, and what was done from here; and the page about one.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::incident::timeline::{LogSourceStatus, TimelineEntry, whom};
use crate::app::view::events::{IncidentPage, civil, foreseen_word};
use crate::app::{App, NoticeLevel};
use crate::columns::{cgroup_leaf, human_size};
use crate::model::{EventTime, Killer, OomEvent, PredictionResult, SourceState, Victim};
use crate::ui::paint::canvas::{Canvas, cells, tail};
use crate::ui::paint::text;
use crate::ui::paint::theme::Theme;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Where the parts of a line stand: each ends a cell before the next one.
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
        let dated = app.timeline.events.iter().any(|it| day(app, it) != today(app));
        // Of a file the stamps stand there as they are.
        let stamps = app.timeline.events.iter().filter(|it| it.time == EventTime::Order);
        let widest = stamps.map(|it| cells(&stamp(app, it))).max().unwrap_or(0);
        let dated = dated && widest == 0;
        // Where there is little room, the first line of a day has the day and no seconds.
        let time = match (dated, width) {
            (true, 100..) => 15,
            (true, _) => 12,
            (false, _) => widest.clamp(8, 24),
        };
        let time = if width < 60 { 8 } else { time };
        let by = if width < 60 { 6 } else { 9 };
        let by = if width >= 100 { 12 } else { by };
        let (pid, size, adj) = (7, 6, 5);
        let name = match width {
            ..60 => 8,
            60..100 => 13,
            _ => 15,
        };
        let user = if width >= 100 { 10 } else { 0 };
        let told = |it: &OomEvent| it.prediction != PredictionResult::NoSample;
        let told = app.timeline.events.iter().any(told);
        let seen = if width >= 76 && told { 12 } else { 0 };
        let taken: u16 = [time + 2, by, pid, name, user, size, adj, seen]
            .iter()
            .filter(|&&cells| cells > 0)
            .map(|cells| cells + 1)
            .sum();
        Self { time, by, domain: width.saturating_sub(taken), pid, name, user, size, adj, seen }
    }
}

/// Days since 1970, local.
fn day(app: &App, happening: &OomEvent) -> i64 {
    day_of(app, happening.unix_ms)
}

fn day_of(app: &App, unix_ms: i64) -> i64 {
    unix_ms.div_euclid(1000).saturating_add(app.setup.utc_offset.into()).div_euclid(86_400)
}

/// The day of the newest look.
fn today(app: &App) -> i64 {
    let past = &app.playback.past;
    let newest = past.newest().and_then(|nth| past.facts(nth));
    newest.map_or(0, |theme| day_of(app, theme.clock.unix_ms))
}

/// `Nov 20`.
fn date(day: i64) -> String {
    let (_, month, day) = civil(day);
    let month = usize::try_from(month - 1).ok().and_then(|at| MONTHS.get(at));
    format!("{} {day:2}", month.unwrap_or(&"?"))
}

/// Paints the view; how many of its lines can be shown comes back.
pub fn paint(app: &App, head: Rect, rows: Rect, canvas: &mut Canvas<'_>) -> u16 {
    let theme = canvas.theme;
    let grid = Grid::new(app, rows.width);
    canvas.style(head, theme.head());
    paint_line(&grid, head, &titles(), theme.head(), canvas);
    let foot = sources(app, theme, rows.width);
    let height = rows.height.saturating_sub(foot.len() as u16);
    let entries = app.event_entries();
    if entries.is_empty() {
        let text = "no kill was heard of, and nothing was changed or signalled from here";
        canvas.text(rows.x, rows.y, rows.width, text, theme.dim());
    }
    let mut before = app
        .timeline
        .top
        .checked_sub(1)
        .and_then(|at| entries.get(at))
        .and_then(|entry| entry_day(app, entry));
    let shown = entries.iter().enumerate().skip(app.timeline.top);
    for (y, (at, entry)) in (rows.top()..rows.top() + height).zip(shown) {
        let strip = Rect { y, height: 1, ..rows };
        let own = entry_day(app, entry);
        let is_first = own != before;
        before = own;
        match entry {
            TimelineEntry::Kill(nth) => {
                if let Some(happening) = app.timeline.find(*nth) {
                    let chosen = at == app.timeline.cursor;
                    paint_kill(app, &grid, happening, (is_first, chosen), strip, canvas);
                }
            }
            TimelineEntry::Act(nth) => paint_act(app, &grid, *nth, is_first, strip, canvas),
        }
        if at == app.timeline.cursor {
            canvas.style(strip, theme.cursor());
        }
    }
    for (y, line) in (rows.top() + height..rows.bottom()).zip(&foot) {
        canvas.line(rows.x, y, rows.width, line);
    }
    height
}

fn entry_day(app: &App, entry: &TimelineEntry) -> Option<i64> {
    match entry {
        TimelineEntry::Kill(nth) => app.timeline.find(*nth).map(|it| day(app, it)),
        TimelineEntry::Act(at) => app.journal.entries.get(*at).map(|it| day_of(app, it.unix_ms)),
    }
}

/// The parts of a line.
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

/// What a report of a file says of when.
fn stamp(app: &App, happening: &OomEvent) -> String {
    let report = happening.report.and_then(|number| app.timeline.report(number));
    let Some(stamp) = report.map(|report| &report.stamp) else { return String::new() };
    match stamp.uptime_us {
        Some(us) => format!("{}.{:03} s", us / 1_000_000, us / 1000 % 1000),
        None => stamp.text.clone(),
    }
}

/// The time as it stands in a line.
fn time(app: &App, happening: &OomEvent, grid: &Grid, is_first: bool) -> String {
    if happening.time == EventTime::Order {
        return tail(&stamp(app, happening), grid.time).into_owned();
    }
    dated(app, happening.unix_ms, grid.time, is_first)
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

/// Where it was, in short: the unit, or the last part of the path that says something.
fn place(happening: &OomEvent) -> String {
    let path = |text: &crate::model::Text| cgroup_leaf(text.as_str()).to_owned();
    match (&happening.domain, &happening.cgroup) {
        (Some(domain), Some(own)) if domain != own => format!("{}: {}", path(domain), path(own)),
        (Some(only), _) | (None, Some(only)) => path(only),
        (None, None) => String::new(),
    }
}

fn paint_kill(
    app: &App,
    grid: &Grid,
    happening: &OomEvent,
    (is_first, chosen): (bool, bool),
    area: Rect,
    canvas: &mut Canvas<'_>,
) {
    let theme = canvas.theme;
    let victim = happening.victim.unwrap_or_default();
    let size = match (victim.rss, victim.swap) {
        (None, None) => String::new(),
        (rss, swap) => human_size((rss.unwrap_or_default() + swap.unwrap_or_default()).bytes()),
    };
    let user = victim
        .uid
        .map(|uid| app.names.user(uid).map_or_else(|| uid.to_string(), ToOwned::to_owned));
    let name = match happening.victim {
        Some(Victim { comm, .. }) if happening.guessed => format!("{comm}?"),
        Some(Victim { comm, .. }) => comm.to_string(),
        None => whom(happening),
    };
    let unproven = app.timeline.is_unproven(happening.nth);
    let parts = Parts {
        time: time(app, happening, grid, is_first),
        mark: match happening.time {
            EventTime::Stamp | EventTime::Within(_) => "~",
            EventTime::Live | EventTime::Clock | EventTime::Order if unproven => "?",
            EventTime::Live | EventTime::Clock | EventTime::Order => "",
        },
        by: happening.by.word().to_owned(),
        domain: place(happening),
        pid: victim.pid.map_or_else(String::new, |pid| pid.to_string()),
        name,
        user: user.unwrap_or_default(),
        size,
        adj: victim.adj.map_or_else(String::new, |adj| adj.to_string()),
        seen: foreseen_word(happening.prediction),
    };
    paint_line(grid, area, &parts, theme.plain(), canvas);
    // Colours would be the ground of a reversed line.
    if chosen {
        return;
    }
    let by = Rect { x: area.x + grid.time + 2, width: grid.by, ..area };
    canvas.style(by, if happening.by == Killer::Counted { theme.warn() } else { theme.label() });
    if grid.seen > 0 {
        let x = area.right().saturating_sub(grid.seen);
        let style = match happening.prediction {
            PredictionResult::Rank(1) => theme.good(),
            PredictionResult::Rank(_) | PredictionResult::Spared => theme.warn(),
            _ => theme.dim(),
        };
        canvas.style(Rect { x, width: grid.seen, ..area }, style);
    }
    canvas.style(Rect { width: grid.time + 1, ..area }, theme.dim());
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
    let Some(entry) = app.journal.entries.get(at) else { return };
    let style = match entry.level {
        NoticeLevel::Plain => theme.plain(),
        NoticeLevel::Good => theme.good(),
        NoticeLevel::Warn => theme.warn(),
    };
    let mark = if entry.level == NoticeLevel::Warn { "!" } else { "" };
    let time = dated(app, entry.unix_ms, grid.time, is_first);
    canvas.right(area.x, area.y, grid.time, &time, theme.dim());
    canvas.text(area.x + grid.time, area.y, 1, mark, style);
    let x = area.x + grid.time + 2;
    canvas.text(x, area.y, grid.by, "doomtop", theme.label());
    let x = x + grid.by + 1;
    canvas.text(x, area.y, area.right().saturating_sub(x), &entry.text, style);
}

/// What is heard, and what is not: its absence is said, too.
fn sources(app: &App, theme: Theme, width: u16) -> Vec<Line<'static>> {
    if !app.setup.live {
        let text = if app.playback.past.is_empty() {
            "reports of a file; { and } step through those with a dump"
        } else {
            "a recording holds no log: kills are only counted, their victims guessed"
        };
        return vec![Line::styled(text, theme.dim())];
    }
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut lines = Vec::new();
    let mut used = 0;
    for source in &app.timeline.sources {
        let (text, style) = source_words(source, theme);
        let more = cells(&text) + 2;
        if used > 0 && used + more > width {
            lines.push(Line::from(std::mem::take(&mut spans)));
            used = 0;
        }
        if used > 0 {
            spans.push(Span::raw("  "));
        }
        used += more;
        spans.push(Span::styled(text, style));
    }
    if !spans.is_empty() {
        lines.push(Line::from(spans));
    }
    if lines.is_empty() {
        let text =
            "no log is listened to here (--redact, --proc): kills are counted, victims guessed";
        lines.push(Line::styled(text, theme.dim()));
    }
    lines
}

fn source_words(source: &LogSourceStatus, theme: Theme) -> (String, Style) {
    let name = source.source.name();
    let (mut text, mut style) = match &source.state {
        SourceState::Open(how) if how.is_empty() => (format!("{name}: followed"), theme.dim()),
        SourceState::Open(how) => (format!("{name}: {how}"), theme.dim()),
        SourceState::Lost(_) => (name.to_owned(), theme.dim()),
        SourceState::Closed(why) => (format!("{name}: {why}"), theme.warn()),
    };
    if source.source != crate::model::LogSource::KernelLog {
        style = theme.dim();
    }
    if source.lost > 0 {
        text.push_str(&format!(" ({} lines lost)", source.lost));
        style = theme.warn();
    }
    (text, style)
}

/// A kill in a line of a panel: `13:21:40 memcg pod7f2c  29987 cc1plus 2.1G adj 0`.
#[must_use]
pub fn brief(app: &App, happening: &OomEvent, theme: Theme) -> Line<'static> {
    let clock = if happening.time == EventTime::Order {
        String::new()
    } else if day(app, happening) == today(app) {
        text::clock(app, happening.unix_ms)
    } else {
        format!("{:<8}", date(day(app, happening)))
    };
    let about = match happening.time {
        EventTime::Stamp | EventTime::Within(_) => "~ ",
        _ => "  ",
    };
    let mut text = whom(happening);
    if let Some(rss) = happening.victim.and_then(|victim| victim.rss) {
        text.push_str(&format!(" {}", human_size(rss.bytes())));
    }
    if let Some(path) = happening.domain.as_ref().or(happening.cgroup.as_ref()) {
        text.push_str(&format!(" in {}", cgroup_leaf(path.as_str())));
    }
    let seen = foreseen_word(happening.prediction);
    if !seen.is_empty() {
        text.push_str(&format!(", {seen}"));
    }
    Line::from(vec![
        Span::styled(clock, theme.dim()),
        Span::styled(about, theme.dim()),
        Span::styled(format!("{} ", happening.by.word()), theme.warn()),
        Span::raw(text),
    ])
}

/// The page about a kill: labels, and what they say.
#[must_use]
pub fn page(happened: &IncidentPage, theme: Theme) -> Vec<Line<'static>> {
    let line = |(label, text): &(&'static str, String)| {
        let style = match *label {
            "rule" if text.contains(" differs") => theme.warn(),
            "killed" => theme.strong(),
            _ => theme.plain(),
        };
        Line::from(vec![
            Span::styled(format!("{label:<9}"), theme.label()),
            Span::styled(text.clone(), style),
        ])
    };
    happened.lines.iter().map(line).collect()
}

//! The view of memory cgroups: one row a wall, how near it is, and who dies there.

use std::fmt::Write;

use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::app::App;
use crate::app::view::cgroups::CgroupLine;
use crate::columns::{Align, RowContext};
use crate::forecast::limits::ReachableLimit;
use crate::model::{Cgroup, CgroupEvents, Hierarchy, Limit, Pressure, PsiLine, Reading};
use crate::ui::paint::canvas::{Canvas, cells, tail};
use crate::ui::paint::theme::Theme;
use crate::ui::paint::{gauge, text};
use crate::units::{Bytes, Kib, Millis};

/// What a row speaks of: a cgroup, or the machine in the same words.
struct Entry<'a> {
    line: &'a CgroupLine,
    group: Option<&'a Cgroup>,
    usage: Reading<Bytes>,
    limit: Reading<Limit>,
    swap: Reading<Bytes>,
    swap_limit: Reading<Limit>,
    high: Reading<Limit>,
    oom_group: Reading<bool>,
    events: CgroupEvents,
    pressure: Pressure,
}

impl<'a> Entry<'a> {
    fn new(line: &'a CgroupLine, group: Option<&'a Cgroup>, context: &RowContext<'_>) -> Self {
        let now = context.scene.now();
        let Some(it) = group else {
            let at = |kib: Kib| Reading::Value(Limit::At(kib.bytes()));
            let kills = now.traffic.oom_kills;
            let unavailable = now.unavailable;
            let used = |kib: Kib| match unavailable.lives {
                true => Reading::Missing,
                false => Reading::Value(kib.bytes()),
            };
            return Self {
                line,
                group,
                usage: used(now.memory.used()),
                limit: if unavailable.memory { Reading::Missing } else { at(now.memory.total_kib) },
                swap: used(now.swap.used()),
                swap_limit: if unavailable.swap {
                    Reading::Missing
                } else {
                    at(now.swap.total_kib)
                },
                high: Reading::Missing,
                oom_group: Reading::Missing,
                events: CgroupEvents { oom_kill: kills, ..absent_events() },
                pressure: now.pressure,
            };
        };
        let (swap, swap_limit) = swap_of(it, now.cgroups.hierarchy.value());
        Self {
            line,
            group,
            usage: it.used(),
            limit: it.effective_limit().map_or(it.limit, |wall| Reading::Value(Limit::At(wall))),
            swap,
            swap_limit,
            high: it.high,
            oom_group: it.oom_group,
            events: it.events,
            pressure: it.pressure,
        }
    }

    /// How full it is, where there is a limit.
    fn share(&self) -> Option<f64> {
        let limit = self.limit.value()?.bytes()?.0;
        Some(self.usage.value()?.0 as f64 / limit.max(1) as f64)
    }
}

const fn absent_events() -> CgroupEvents {
    let gone = Reading::Missing;
    CgroupEvents {
        low: gone,
        high: gone,
        max: gone,
        oom: gone,
        oom_kill: gone,
        oom_group_kill: gone,
    }
}

/// Swap in use and its limit: version 1 counts it together with memory.
pub fn swap_of(group: &Cgroup, hierarchy: Option<Hierarchy>) -> (Reading<Bytes>, Reading<Limit>) {
    if hierarchy != Some(Hierarchy::V1) {
        return (group.swap_usage, group.swap_limit);
    }
    let usage = match (group.memsw_usage, group.usage) {
        (Reading::Value(both), Reading::Value(memory)) => {
            Reading::Value(both.saturating_sub(memory))
        }
        (both, _) => both,
    };
    let limit = group.memsw_limit.map(|both| match (both, group.limit) {
        (Limit::At(both), Reading::Value(Limit::At(memory))) => {
            Limit::At(both.saturating_sub(memory))
        }
        (both, _) => both,
    });
    (usage, limit)
}

/// What stands in a field.
enum Cell {
    /// The name, in the tree where it stands.
    Name,
    /// A bar of how full it is.
    Gauge,
    /// Who dies there.
    Victim,
    /// This text.
    Text(fn(&Entry<'_>, &RowContext<'_>, &mut String)),
}

/// A column of the view.
pub struct CgroupColumn {
    /// Its head.
    pub title: &'static str,
    /// What it shows.
    pub about: &'static str,
    width: u16,
    /// The narrowest screen that shows it.
    from: u16,
    /// Whether version 1 knows nothing of it.
    only_v2: bool,
    cell: Cell,
}

/// The same, of version 2 only.
const fn v2(column: CgroupColumn) -> CgroupColumn {
    CgroupColumn { only_v2: true, ..column }
}

const fn column(
    title: &'static str,
    width: u16,
    from: u16,
    about: &'static str,
    cell: Cell,
) -> CgroupColumn {
    CgroupColumn { title, about, width, from, only_v2: false, cell }
}

/// Every column of the view, from the left.
pub static GROUP_COLUMNS: &[CgroupColumn] = &[
    column("CGROUP", 0, 0, "the machine, and each memory cgroup under its parent", Cell::Name),
    column(
        "USAGE",
        6,
        0,
        "charged to it and all below",
        Cell::Text(|it, context, out| put(it.usage, out, |size, out| put_size(size, context, out))),
    ),
    column(
        "LIMIT",
        6,
        0,
        "where its wall stands; max: nowhere",
        Cell::Text(|it, context, out| {
            put(it.limit, out, |limit, out| put_limit(limit, context, out))
        }),
    ),
    column("", 6, 80, "how full it is, as a bar", Cell::Gauge),
    column(
        "USED",
        5,
        48,
        "how full it is, in percent of the limit",
        Cell::Text(|it, _, out| {
            if let Some(share) = it.share() {
                let _ = write!(out, "{}%", ((share * 100.0) as u64).min(9999));
            }
        }),
    ),
    column(
        "LEFT",
        6,
        56,
        "what it can still take: room, what can be reclaimed, and swap",
        Cell::Text(|it, context, out| {
            if let Some(wall) = &it.line.limit {
                put_size(wall.headroom, context, out);
            }
        }),
    ),
    column(
        "HIT IN",
        6,
        64,
        "when that is gone, if it goes on as in the last minutes",
        Cell::Text(|it, _, out| {
            let wall = it.line.limit.as_ref();
            let time = wall.and_then(|wall| wall.full.map(|full| full.likely).or(wall.hit_in));
            if let Some(time) = time {
                out.push_str(&text::soon(time));
            }
        }),
    ),
    column(
        "SWAP/LIMIT",
        11,
        132,
        "swap in use, and how much it may use",
        Cell::Text(|it, context, out| {
            put(it.swap, out, |size, out| put_size(size, context, out));
            let plain =
                it.swap == Reading::Value(Bytes(0)) && it.swap_limit == Reading::Value(Limit::Max);
            if !plain && it.swap != Reading::Missing {
                out.push('/');
                put(it.swap_limit, out, |limit, out| put_limit(limit, context, out));
            }
        }),
    ),
    v2(column(
        "HIGH",
        6,
        150,
        "memory.high: where throttling begins; nobody is killed for it",
        Cell::Text(|it, context, out| {
            put(it.high, out, |limit, out| put_limit(limit, context, out))
        }),
    )),
    v2(column(
        "G",
        1,
        92,
        "memory.oom.group is set: whoever is chosen takes everybody along",
        Cell::Text(|it, _, out| {
            put(it.oom_group, out, |on, out| out.push_str(if on { "G" } else { "." }));
        }),
    )),
    column(
        "TASKS",
        5,
        96,
        "processes in it and below",
        Cell::Text(|it, _, out| count(Reading::Value(it.line.members as u64), out)),
    ),
    v2(column(
        "OOM",
        5,
        160,
        "events: how often it stood at its wall",
        Cell::Text(|it, _, out| count(it.events.oom, out)),
    )),
    column(
        "KILLS",
        5,
        104,
        "events: processes killed by the OOM killer",
        Cell::Text(|it, _, out| count(it.events.oom_kill, out)),
    ),
    v2(column(
        "GROUPS",
        6,
        170,
        "events: times that a whole group was killed",
        Cell::Text(|it, _, out| count(it.events.oom_group_kill, out)),
    )),
    v2(column(
        "SOME",
        5,
        140,
        "percent of the last 10 s that some of its tasks waited for memory",
        Cell::Text(|it, _, out| stall(it.pressure.some, out)),
    )),
    v2(column(
        "FULL",
        5,
        140,
        "the same for all of its tasks at once",
        Cell::Text(|it, _, out| stall(it.pressure.full, out)),
    )),
    column(
        "NEXT VICTIM",
        0,
        60,
        "who dies at its wall, and who with it; nobody dies where there is none",
        Cell::Victim,
    ),
];

fn put<T>(reading: Reading<T>, out: &mut String, with: impl FnOnce(T, &mut String)) {
    let dash = reading.dash();
    match reading.value() {
        Some(value) => with(value, out),
        None => out.push_str(dash),
    }
}

fn put_size(size: Bytes, context: &RowContext<'_>, out: &mut String) {
    if size.0 == 0 {
        out.push('.');
    } else {
        context.size(size.pages(context.scene.machine().page_size), out);
    }
}

fn put_limit(limit: Limit, context: &RowContext<'_>, out: &mut String) {
    match limit {
        Limit::Max => out.push_str("max"),
        Limit::At(Bytes(0)) => out.push('0'),
        Limit::At(size) => put_size(size, context, out),
    }
}

fn count(reading: Reading<u64>, out: &mut String) {
    put(reading, out, |count, out| match count {
        0 => out.push('.'),
        _ => {
            let _ = write!(out, "{count}");
        }
    });
}

fn stall(reading: Reading<PsiLine>, out: &mut String) {
    put(reading, out, |stall, out| match stall.avg10 {
        ..0.05 => out.push('.'),
        share => out.push_str(&text::share(share)),
    });
}

struct Field {
    column: &'static CgroupColumn,
    x: u16,
    width: u16,
}

/// Less than this says nothing of a victim.
const LEAST_VICTIM: u16 = 12;

/// Where the columns stand on a screen of this width.
fn fields(app: &App, width: u16) -> Vec<Field> {
    let hierarchy = app.scene.as_ref().and_then(|it| it.now().cgroups.hierarchy.value());
    let version_1 = hierarchy == Some(Hierarchy::V1);
    let shown: Vec<&CgroupColumn> = GROUP_COLUMNS
        .iter()
        .filter(|column| width >= column.from && !(version_1 && column.only_v2))
        .collect();
    let fixed: u16 = shown.iter().map(|it| if it.width > 0 { it.width + 1 } else { 0 }).sum();
    let rest = width.saturating_sub(fixed + 1);
    // The name gets what it needs to be told from others, the victim what is left.
    let name = (width / 4).clamp(16, 64).min(rest);
    let victim = rest.saturating_sub(name + 1);
    let (name, victim) = if victim < LEAST_VICTIM { (rest, 0) } else { (name, victim) };
    let mut x = 1;
    let mut found = Vec::with_capacity(shown.len());
    for column in shown {
        let cells = match column.cell {
            Cell::Name => name,
            Cell::Victim => victim,
            _ => column.width,
        };
        if cells > 0 {
            found.push(Field { column, x, width: cells });
            x += cells + 1;
        }
    }
    found
}

/// Paints the heads of the columns.
pub fn paint_head(app: &App, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    canvas.style(area, theme.head());
    let sorted = if app.cgroups.by_limit { "LEFT" } else { "CGROUP" };
    for field in fields(app, area.width) {
        let title = field.column.title;
        let style = if title == sorted { theme.sorted_head() } else { theme.head() };
        let x = area.x + field.x;
        match align(&field.column.cell) {
            Align::Right => canvas.right(x, area.y, field.width, title, style),
            Align::Left => {
                canvas.text(x, area.y, field.width, title, style);
            }
        }
    }
}

const fn align(cell: &Cell) -> Align {
    match cell {
        Cell::Text(_) => Align::Right,
        _ => Align::Left,
    }
}

/// Paints the rows on the screen, and why there are none.
pub fn paint_rows(app: &App, area: Rect, canvas: &mut Canvas<'_>) {
    let Some(context) = app.context() else { return };
    let fields = fields(app, area.width);
    let mut text = String::with_capacity(128);
    let mut y = area.y;
    let shown = app.cgroups.lines.iter().enumerate().skip(app.cgroups.top);
    for (nth, line) in shown.take(usize::from(area.height)) {
        let entry = Entry::new(line, app.group_at(line), &context);
        let strip = Rect { y, height: 1, ..area };
        paint_row(app, &entry, &fields, &context, strip, &mut text, canvas);
        if nth == app.cgroups.cursor {
            canvas.text(area.x, y, 1, ">", canvas.theme.strong());
            canvas.style(strip, canvas.theme.cursor());
            // A bar turned round would say the opposite.
            for field in fields.iter().filter(|field| matches!(field.column.cell, Cell::Gauge)) {
                let bar = Rect { x: area.x + field.x, width: field.width, ..strip };
                if entry.share().is_some() {
                    canvas.style(bar, canvas.theme.uncursor());
                }
            }
        }
        y += 1;
    }
    let (x, room) = (area.x + 1, area.width.saturating_sub(2));
    for why in why_none(app) {
        y += 1;
        if y < area.bottom() {
            canvas.text(x, y, room, why, canvas.theme.dim());
        }
    }
}

/// What is said where no cgroup is in sight.
fn why_none(app: &App) -> &'static [&'static str] {
    let Some(scene) = &app.scene else { return &[] };
    let cgroups = &scene.now().cgroups;
    if !cgroups.list.is_empty() {
        if app.cgroups.hide && app.cgroups.lines.len() < 2 {
            return &["no cgroup here has a limit: i shows them all"];
        }
        return &[];
    }
    match cgroups.hierarchy {
        Reading::Missing => &[
            "no memory cgroups can be seen here: no hierarchy with the memory controller is mounted,",
            "or the kernel has none. The machine is the only wall.",
        ],
        Reading::Denied => &["no memory cgroups can be seen here: they may not be read"],
        Reading::NotAsked if !app.setup.live => &["no memory cgroups are in this recording"],
        Reading::NotAsked => &["the memory cgroups were not read yet"],
        Reading::Value(_) => &["no memory cgroups can be seen here: there are none below the root"],
    }
}

fn paint_row(
    app: &App,
    entry: &Entry<'_>,
    fields: &[Field],
    context: &RowContext<'_>,
    area: Rect,
    text: &mut String,
    canvas: &mut Canvas<'_>,
) {
    let theme = canvas.theme;
    let first = app.first_limit.as_ref().zip(entry.line.limit.as_ref());
    let is_first = first.is_some_and(|(first, wall)| first.limit.name == wall.name);
    let style = match entry.line.outcome {
        Some(_) if is_first => theme.strong(),
        Some(_) => theme.plain(),
        None => theme.dim(),
    };
    let alarm = near(entry, canvas).unwrap_or(style);
    for field in fields {
        let (x, y) = (area.x + field.x, area.y);
        match &field.column.cell {
            Cell::Name => paint_name(app, entry, x, y, field.width, style, canvas),
            Cell::Gauge => {
                if let Some(share) = entry.share() {
                    let mut x = x;
                    for span in gauge::bar(theme, field.width, share, 0.0, alarm) {
                        x += canvas.text(x, y, field.width, &span.content, span.style);
                    }
                }
            }
            Cell::Victim => {
                if let Some(fate) = &entry.line.outcome {
                    let forms = text::outcome_forms(context, fate);
                    let text = forms.iter().find(|it| cells(it) <= field.width);
                    let text = text.unwrap_or(&forms[3]);
                    let style = if fate.victim.is_none() || fate.overridden.is_some() {
                        theme.dim()
                    } else if fate.too_close() {
                        theme.candidate()
                    } else {
                        style
                    };
                    canvas.text(x, y, field.width, text, style);
                }
            }
            Cell::Text(cell) => {
                text.clear();
                cell(entry, context, text);
                let title = field.column.title;
                let style = match title {
                    "USED" | "LEFT" => alarm,
                    "HIT IN" => soon(entry, canvas),
                    _ => style,
                };
                canvas.right(x, y, field.width, text, style);
            }
        }
    }
}

/// How a wall that is near looks.
fn near(entry: &Entry<'_>, canvas: &Canvas<'_>) -> Option<Style> {
    entry.line.limit.as_ref().and_then(|wall| nearness(wall, canvas.theme))
}

/// The same, of any wall: nothing where it is far.
pub fn nearness(wall: &ReachableLimit, theme: Theme) -> Option<Style> {
    match wall.left_permille() {
        0..50 => Some(theme.danger()),
        50..100 => Some(theme.warn()),
        _ if wall.hit_in.is_some_and(|time| time < VERY_SOON) => Some(theme.warn()),
        _ => None,
    }
}

/// A wall that is hit sooner is near whatever its distance.
const VERY_SOON: Millis = Millis(180_000);

/// Nobody does anything about it in less.
const NOW: Millis = Millis(30_000);

fn soon(entry: &Entry<'_>, canvas: &Canvas<'_>) -> Style {
    match entry.line.limit.as_ref().and_then(|wall| wall.hit_in) {
        Some(time) if time < NOW => canvas.theme.danger(),
        Some(_) => canvas.theme.warn(),
        None => canvas.theme.plain(),
    }
}

fn paint_name(
    app: &App,
    entry: &Entry<'_>,
    x: u16,
    y: u16,
    room: u16,
    style: Style,
    canvas: &mut Canvas<'_>,
) {
    let Some(group) = entry.group else {
        canvas.text(x, y, room, "global", style.patch(canvas.theme.strong()));
        return;
    };
    let path = group.path.as_str();
    let name =
        if app.cgroups.by_limit { path } else { path.get(entry.line.said..).unwrap_or(path) };
    // However deep it stands, some of the name stays.
    let indent = entry.line.depth.saturating_mul(2).min(room.saturating_sub(12));
    // In the tree the slash is said by the indent.
    let name = if entry.line.depth > 0 { name.trim_start_matches('/') } else { name };
    let scoped = app.scene.as_ref().is_some_and(|scene| scene.domain().name == group.path);
    let mark = if scoped { 2 } else { 0 };
    let room = room.saturating_sub(indent);
    let room = room.saturating_sub(mark);
    // What a path ends with says most, what a name begins with.
    let is_path = name.trim_start_matches('/').contains('/');
    let shown = if is_path { tail(name, room) } else { name.into() };
    let taken = canvas.text(x + indent, y, room, &shown, style);
    if scoped {
        canvas.text(x + indent + taken + 1, y, 1, "*", canvas.theme.tag());
    }
}

//! The columns of the Cgroups view. A column is one row of [`GROUP_COLUMNS`].

use std::fmt::Write;

use crate::app::view::cgroups::CgroupLine;
use crate::columns::{Align, RowContext};
use crate::model::{Cgroup, CgroupEvents, Limit, Pressure, PsiLine, Reading};
use crate::ui::paint::text;
use crate::units::{Bytes, Kib, Millis};

/// The facts of a row: those of a cgroup, or those of the machine in the same fields.
pub struct Entry<'a> {
    /// The line of the list.
    pub line: &'a CgroupLine,
    /// The cgroup; nothing for the machine.
    pub group: Option<&'a Cgroup>,
    /// When its limit is reached, where that is known and worth telling.
    pub hit_in: Option<Millis>,
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
    /// The facts of a line.
    pub fn new(line: &'a CgroupLine, group: Option<&'a Cgroup>, context: &RowContext<'_>) -> Self {
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
                hit_in: None,
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
        let (swap, swap_limit) = it.swap(now.cgroups.hierarchy.value());
        Self {
            line,
            group,
            hit_in: None,
            usage: it.used(),
            limit: it.effective_limit().map_or(it.limit, |limit| Reading::Value(Limit::At(limit))),
            swap,
            swap_limit,
            high: it.high,
            oom_group: it.oom_group,
            events: it.events,
            pressure: it.pressure,
        }
    }

    /// How full it is as a share of 1, where there is a limit.
    pub fn share(&self) -> Option<f64> {
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
        sock_throttled: Reading::NotAsked,
    }
}

/// The content of a cell.
pub enum Cell {
    /// The name, indented in the tree.
    Name,
    /// A bar of how full it is.
    Gauge,
    /// The process that dies at the limit.
    Victim,
    /// Text in the style of the row.
    Text(CellText),
    /// How full it is, in the style of how near the limit is.
    Used(CellText),
    /// What is left, in the same style; the list may be ordered by it.
    Left(CellText),
    /// The time until the limit is hit, in a style of its own.
    HitIn(CellText),
}

/// Writes the text of a cell.
pub type CellText = fn(&Entry<'_>, &RowContext<'_>, &mut String);

impl Cell {
    /// Text is aligned to the right, as numbers are.
    pub const fn align(&self) -> Align {
        match self {
            Self::Name | Self::Gauge | Self::Victim => Align::Left,
            _ => Align::Right,
        }
    }

    /// Whether the list is ordered by this column.
    pub const fn orders(&self, as_tree: bool) -> bool {
        match self {
            Self::Name => as_tree,
            Self::Left(_) => !as_tree,
            _ => false,
        }
    }
}

/// A column of the view.
pub struct CgroupColumn {
    /// Its heading.
    pub title: &'static str,
    /// What it shows.
    pub about: &'static str,
    /// Its width in cells; 0 where it takes a part of what the others leave.
    pub width: u16,
    /// The narrowest screen that shows it.
    pub from: u16,
    /// The first screen that is too wide for it, because a wider column takes its place.
    pub until: u16,
    /// Whether version 1 has no such value.
    pub only_v2: bool,
    /// What a cell shows.
    pub cell: Cell,
}

/// A column that version 1 has no values for.
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
    CgroupColumn { title, about, width, from, until: u16::MAX, only_v2: false, cell }
}

/// From this width on the room in memory and that in swap are told apart.
const BOTH_FROM: u16 = 100;

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
        "its limit; max: none",
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
        Cell::Used(|it, _, out| {
            if let Some(share) = it.share() {
                let _ = write!(out, "{}%", ((share * 100.0) as u64).min(9999));
            }
        }),
    ),
    CgroupColumn {
        until: BOTH_FROM,
        ..column(
            "LEFT",
            6,
            56,
            "what it can still take: room, what can be reclaimed, and swap; + where swap is in it",
            Cell::Left(|it, context, out| {
                if let Some(limit) = &it.line.limit {
                    put_size(limit.headroom, context, out);
                    out.push_str(if limit.swap > Bytes::ZERO { "+" } else { "" });
                }
            }),
        )
    },
    column(
        "LEFT+SWAP",
        11,
        BOTH_FROM,
        "what it can still take: room and what can be reclaimed, and the swap that it may use",
        Cell::Left(|it, context, out| {
            if let Some(limit) = &it.line.limit {
                put_size(limit.memory(), context, out);
                if limit.swap > Bytes::ZERO {
                    out.push('+');
                    put_size(limit.swap, context, out);
                }
            }
        }),
    ),
    column(
        "HIT IN",
        6,
        64,
        "time until the limit is reached, as in the headline; hidden below half use unless under a minute",
        Cell::HitIn(|it, _, out| {
            if let Some(time) = it.hit_in {
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
        "memory.high: throttling begins there, nothing is killed",
        Cell::Text(|it, context, out| {
            put(it.high, out, |limit, out| put_limit(limit, context, out))
        }),
    )),
    v2(column(
        "G",
        1,
        92,
        "memory.oom.group is set: an OOM kill kills the whole cgroup",
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
        "events: how often it reached its limit",
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
        "who dies at its limit, and who with it; empty without a limit",
        Cell::Victim,
    ),
];

/// Writes a value, or the mark for the reason that there is none.
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

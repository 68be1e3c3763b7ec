//! Every column, one row each, and the functions that write their cells.

use std::fmt::Write;

use crate::columns::badness_bar::{BarCell, LEAST_BAR, bar_cells};
use crate::columns::cgroup_word;
use crate::columns::column::{Align, Column, Need};
use crate::columns::context::{CommandStyle, RowView};
use crate::columns::sort_key::SortKey;
use crate::format::span;
use crate::model::{Capability, Reading};
use crate::rank::Placement;
use crate::rank::freed::FreedMemory;
use crate::units::{Adj, Pages, Ticks};

fn put<T>(reading: Reading<T>, out: &mut String, with: impl FnOnce(T, &mut String)) {
    match reading {
        Reading::Value(value) => with(value, out),
        absent => out.push_str(absent.dash()),
    }
}

/// A size. Zero is written as a dot, so that the other sizes stand out.
fn size_cell(row: &RowView<'_>, pages: Reading<Pages>, out: &mut String) {
    put(
        pages,
        out,
        |pages, out| {
            if pages.0 == 0 { out.push('.') } else { row.context.size(pages, out) }
        },
    );
}

fn pages_key(pages: Reading<Pages>) -> SortKey {
    SortKey::of(pages, |pages| pages.points().0)
}

fn badness_key(row: &RowView<'_>) -> SortKey {
    row.placement().points().map_or(SortKey::Absent, |points| SortKey::Number(points.0))
}

fn command_cell(row: &RowView<'_>, out: &mut String) {
    let style = row.context.command;
    match row.context.names.command(row.process).filter(|_| style != CommandStyle::Name) {
        Some(line) if style == CommandStyle::Short => {
            let end = line.find(' ').unwrap_or(line.len());
            let program = line[..end].rfind('/').filter(|&slash| slash + 1 < end);
            out.push_str(&line[program.map_or(0, |slash| slash + 1)..]);
        }
        Some(line) => out.push_str(line),
        None => {
            let _ = write!(out, "{}", row.process.comm);
            if style != CommandStyle::Name && row.context.names.was_passed_over(row.process) {
                out.push_str(" ?");
            }
        }
    }
}

/// CPU time as top writes it: `12:41.0` below an hour, then `87:13:09`.
fn cpu_cell(row: &RowView<'_>, cpu: Ticks, out: &mut String) {
    let rate = row.context.scene.machine().tick_rate;
    let seconds = cpu.seconds(rate);
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let _ = if hours > 0 {
        write!(out, "{hours}:{minutes:02}:{:02}", seconds % 60)
    } else {
        let tenths = cpu.millis(rate).0 / 100 % 10;
        write!(out, "{minutes}:{:02}.{tenths}", seconds % 60)
    };
}

/// `A` for CAP_SYS_ADMIN, `R` for CAP_SYS_RAWIO, `S` for CAP_SYS_RESOURCE.
fn caps_cell(row: &RowView<'_>, out: &mut String) {
    put(row.process.caps, out, |caps, out| {
        for (capability, letter) in [
            (Capability::SysAdmin, 'A'),
            (Capability::SysRawio, 'R'),
            (Capability::SysResource, 'S'),
        ] {
            out.push(if caps.has(capability) { letter } else { '.' });
        }
    });
}

/// What its death would free.
fn freed_pages(row: &RowView<'_>) -> Reading<Pages> {
    let page = row.context.scene.machine().page_size;
    FreedMemory::of(row.process, row.context.scene).map(|freed| freed.room().pages(page))
}

/// Every column, in the order in which the screen shows them.
pub static COLUMNS: &[Column] = &[
    Column {
        id: "rank",
        title: "#",
        about: "rank under the policy, 1 is the next victim; - cannot be chosen (in thousands from 1000 on)",
        width: 3,
        size: false,
        align: Align::Right,
        min_width: 0,
        drop_priority: 0,
        descending: false,
        needs: Need::Nothing,
        json: &["rank", "spared"],
        cell: |row, out| match row.placement() {
            Placement::Scored(_) => {
                let place = row.place + 1;
                // Four digits do not fit, and the exact rank does not matter there.
                let _ = match place {
                    1000.. => write!(out, "{}k", place / 1000),
                    _ => write!(out, "{place}"),
                };
            }
            Placement::Spared(_) => out.push('-'),
        },
        key: |row| SortKey::Number(row.place as i64),
    },
    Column {
        id: "pid",
        title: "PID",
        about: "process ID",
        width: 7,
        size: false,
        align: Align::Right,
        min_width: 0,
        drop_priority: 0,
        descending: false,
        needs: Need::Nothing,
        json: &["pid"],
        cell: |row, out| {
            let _ = write!(out, "{}", row.process.id.pid);
        },
        key: |row| SortKey::Number(row.process.id.pid.into()),
    },
    Column {
        id: "user",
        title: "USER",
        about: "effective user",
        width: 8,
        size: false,
        align: Align::Left,
        min_width: 0,
        drop_priority: 13,
        descending: false,
        needs: Need::Status,
        json: &["user", "uid", "euid"],
        cell: |row, out| {
            put(row.process.ids, out, |ids, out| match row.context.names.user(ids.euid) {
                Some(name) => out.push_str(name),
                None => {
                    let _ = write!(out, "{}", ids.euid);
                }
            });
        },
        key: |row| row.context.user(row.process).value().map_or(SortKey::Absent, SortKey::Text),
    },
    Column {
        id: "badness",
        title: "BADNESS",
        about: "badness under the policy, as an amount of memory if the policy counts pages",
        width: 8,
        size: true,
        align: Align::Right,
        min_width: 0,
        drop_priority: 0,
        descending: true,
        needs: Need::Status,
        json: &["badness_pages", "terms", "spared"],
        cell: |row, out| match row.placement() {
            Placement::Scored(points) => row.context.points(points, out),
            Placement::Spared(reason) => out.push_str(reason.word()),
        },
        key: badness_key,
    },
    Column {
        id: "parts",
        title: "mem swap adj",
        about: "badness as a bar on one scale: memory, swap and adj one behind the other; left of the zero \
                line what a negative adj takes away. Not shown where badness is made of other things",
        width: LEAST_BAR,
        size: false,
        align: Align::Left,
        min_width: 0,
        drop_priority: 15,
        descending: true,
        needs: Need::Status,
        json: &["badness_pages", "terms", "spared"],
        cell: |row, out| match row.parts() {
            Some(parts) => {
                let cells = bar_cells(parts, row.context.bar_top(), LEAST_BAR);
                out.extend(cells.map(BarCell::ascii));
                out.truncate(out.trim_end().len());
            }
            None => out.push('-'),
        },
        key: badness_key,
    },
    Column {
        id: "pages",
        title: "POINTS",
        about: "badness as a plain number, in pages if the policy counts pages",
        width: 10,
        size: false,
        align: Align::Right,
        min_width: 220,
        drop_priority: 5,
        descending: true,
        needs: Need::Status,
        json: &["badness_pages", "terms", "spared"],
        cell: |row, out| match row.placement() {
            Placement::Scored(points) => {
                let _ = write!(out, "{}", points.0);
            }
            Placement::Spared(_) => out.push('-'),
        },
        key: badness_key,
    },
    Column {
        id: "permille",
        title: "/1000",
        about: "badness in 1/1000 of the domain's total memory, rounded down",
        width: 5,
        size: false,
        align: Align::Right,
        min_width: 160,
        drop_priority: 10,
        descending: true,
        needs: Need::Status,
        json: &["permille"],
        cell: |row, out| match row.permille() {
            Some(share) => {
                let _ = write!(out, "{}", share.0);
            }
            None => out.push('-'),
        },
        key: badness_key,
    },
    Column {
        id: "oom_score",
        title: "SCORE",
        about: "the kernel's own /proc/PID/oom_score; ! if doomtop computes another value",
        width: 5,
        size: false,
        align: Align::Right,
        min_width: 0,
        drop_priority: 16,
        descending: true,
        needs: Need::Nothing,
        json: &["oom_score", "oom_score_computed", "score_fresh"],
        cell: |row, out| {
            put(row.process.score, out, |score, out| {
                let _ = write!(out, "{score}");
            });
        },
        key: |row| SortKey::of(row.process.score, i64::from),
    },
    Column {
        id: "oom_score_adj",
        title: "ADJ",
        about: "oom_score_adj, -1000 (never killed) to +1000",
        width: 5,
        size: false,
        align: Align::Right,
        min_width: 0,
        drop_priority: 0,
        descending: true,
        needs: Need::Nothing,
        json: &["oom_score_adj"],
        cell: |row, out| {
            put(row.process.adj, out, |adj, out| {
                let _ = write!(out, "{adj}");
            });
        },
        key: |row| SortKey::of(row.process.adj, |adj| adj.0.into()),
    },
    Column {
        id: "oom_adj",
        title: "OADJ",
        about: "the legacy oom_adj as the kernel shows it, -17 (never killed) to +15",
        width: 4,
        size: false,
        align: Align::Right,
        min_width: 220,
        drop_priority: 3,
        descending: true,
        needs: Need::Nothing,
        json: &["oom_adj"],
        cell: |row, out| {
            put(row.process.adj, out, |adj, out| {
                let _ = write!(out, "{}", row.context.scene.machine().legacy(adj));
            });
        },
        key: |row| {
            SortKey::of(row.process.adj, |adj: Adj| {
                row.context.scene.machine().legacy(adj).0.into()
            })
        },
    },
    Column {
        id: "rss",
        title: "RSS",
        about: "resident memory, from the counter that this kernel's OOM killer reads",
        width: 5,
        size: true,
        align: Align::Right,
        min_width: 0,
        drop_priority: 14,
        descending: true,
        needs: Need::Status,
        json: &["rss_pages", "rss_stat_pages"],
        cell: |row, out| size_cell(row, Reading::Value(row.context.scene.rss(row.process)), out),
        key: |row| pages_key(Reading::Value(row.context.scene.rss(row.process))),
    },
    Column {
        id: "anon",
        title: "ANON",
        about: "anonymous resident memory",
        width: 5,
        size: true,
        align: Align::Right,
        min_width: 180,
        drop_priority: 6,
        descending: true,
        needs: Need::Status,
        json: &["anon_pages", "file_pages", "shmem_pages"],
        cell: |row, out| size_cell(row, row.process.anon, out),
        key: |row| pages_key(row.process.anon),
    },
    Column {
        id: "swap",
        title: "SWAP",
        about: "swapped-out memory",
        width: 5,
        size: true,
        align: Align::Right,
        min_width: 0,
        drop_priority: 12,
        descending: true,
        needs: Need::Status,
        json: &["swap_pages"],
        cell: |row, out| size_cell(row, row.process.swap, out),
        key: |row| pages_key(row.process.swap),
    },
    Column {
        id: "frees",
        title: "FREES",
        about: "what a kill would free (estimate): anonymous memory and swap, of zram only the RAM that it takes; \
                not shared memory, tmpfs and files",
        width: 5,
        size: true,
        align: Align::Right,
        min_width: u16::MAX,
        drop_priority: 13,
        descending: true,
        needs: Need::Status,
        json: &["freed_bytes"],
        cell: |row, out| size_cell(row, freed_pages(row), out),
        key: |row| pages_key(freed_pages(row)),
    },
    Column {
        id: "pgtables",
        title: "PGT",
        about: "memory of its page tables",
        width: 5,
        size: true,
        align: Align::Right,
        min_width: 220,
        drop_priority: 4,
        descending: true,
        needs: Need::Status,
        json: &["pgtables_pages"],
        cell: |row, out| size_cell(row, row.process.pgtables, out),
        key: |row| pages_key(row.process.pgtables),
    },
    Column {
        id: "growth",
        title: "+/min",
        about: "growth per minute, over the last minute: resident memory, swap and page tables",
        width: 6,
        size: true,
        align: Align::Right,
        min_width: 110,
        drop_priority: 9,
        descending: true,
        needs: Need::Status,
        json: &["growth_pages_per_minute"],
        cell: |row, out| match row.context.scene.growth_lately(row.process) {
            Some(growth) if growth.pages.0 != 0 => {
                let rate = growth.per_minute();
                out.push(if rate.0 < 0 { '-' } else { '+' });
                row.context.size(Pages(rate.0.unsigned_abs()), out);
            }
            Some(_) => out.push('.'),
            None => out.push_str(Reading::<()>::NotAsked.dash()),
        },
        key: |row| {
            row.context
                .scene
                .growth_lately(row.process)
                .map_or(SortKey::Absent, |growth| SortKey::Number(growth.per_minute().0))
        },
    },
    Column {
        id: "nice",
        title: "NI",
        about: "nice value",
        width: 3,
        size: false,
        align: Align::Right,
        min_width: 220,
        drop_priority: 2,
        descending: true,
        needs: Need::Nothing,
        json: &["nice"],
        cell: |row, out| {
            put(row.unless_dump(row.process.nice), out, |nice, out| {
                let _ = write!(out, "{nice}");
            });
        },
        key: |row| SortKey::of(row.unless_dump(row.process.nice), i64::from),
    },
    Column {
        id: "cpu",
        title: "TIME+",
        about: "CPU time used",
        width: 8,
        size: false,
        align: Align::Right,
        min_width: 148,
        drop_priority: 7,
        descending: true,
        needs: Need::Nothing,
        json: &["cpu_ticks"],
        cell: |row, out| {
            put(row.unless_dump(row.process.cpu), out, |cpu, out| cpu_cell(row, cpu, out))
        },
        key: |row| SortKey::of(row.unless_dump(row.process.cpu), |cpu| cpu.0 as i64),
    },
    Column {
        id: "run",
        title: "RUN",
        about: "time since its start",
        width: 6,
        size: false,
        align: Align::Right,
        min_width: 132,
        drop_priority: 8,
        descending: true,
        needs: Need::Nothing,
        json: &["start_ticks"],
        cell: |row, out| {
            put(row.unless_dump(row.age()), out, |age, out| {
                span(age.seconds(row.context.scene.machine().tick_rate), out);
            });
        },
        key: |row| SortKey::of(row.unless_dump(row.age()), |age| age.0 as i64),
    },
    Column {
        id: "caps",
        title: "CAP",
        about: "effective capabilities: A SYS_ADMIN, R SYS_RAWIO, S SYS_RESOURCE",
        width: 3,
        size: false,
        align: Align::Left,
        min_width: 220,
        drop_priority: 1,
        descending: true,
        needs: Need::Status,
        json: &["cap_effective"],
        cell: caps_cell,
        key: |row| {
            SortKey::of(row.process.caps, |caps| {
                [Capability::SysRawio, Capability::SysAdmin, Capability::SysResource]
                    .into_iter()
                    .fold(0, |letters, capability| letters * 2 + i64::from(caps.has(capability)))
            })
        },
    },
    Column {
        id: "cgroup",
        title: "CGROUP",
        about: "its memory cgroup: the id of a container or pod, else the last component of the path",
        width: 12,
        size: false,
        align: Align::Left,
        min_width: 100,
        drop_priority: 11,
        descending: false,
        needs: Need::Cgroup,
        json: &["cgroup"],
        cell: |row, out| {
            put(row.process.cgroup.as_ref(), out, |path, out| {
                out.push_str(cgroup_word(path.as_str()));
            });
        },
        key: |row| {
            let path = row.process.cgroup.as_ref().value();
            path.map_or(SortKey::Absent, |path| SortKey::Text(path.as_str().to_owned()))
        },
    },
    Column {
        id: "command",
        title: "COMMAND",
        about: "process name, or command line (keys c and p)",
        width: 8,
        size: false,
        align: Align::Left,
        min_width: 0,
        drop_priority: 0,
        descending: false,
        needs: Need::Nothing,
        json: &["comm", "cmdline"],
        cell: command_cell,
        key: |row| {
            let mut text = String::new();
            command_cell(row, &mut text);
            SortKey::Text(text)
        },
    },
];

/// Names that users of ps, top and htop know columns by, beside their ids and titles.
const OTHER_NAMES: [(&str, &str); 7] = [
    ("args", "command"),
    ("cmd", "command"),
    ("comm", "command"),
    ("name", "command"),
    ("res", "rss"),
    ("time", "cpu"),
    ("group", "cgroup"),
];

/// The column that a user means: by its id, its title on the screen, or a name that other programs give it.
#[must_use]
pub fn column_named(text: &str) -> Option<&'static Column> {
    let text = text.trim();
    let id = text.to_ascii_lowercase().replace('-', "_");
    let titled = || COLUMNS.iter().find(|column| column.title.eq_ignore_ascii_case(text));
    let other = || OTHER_NAMES.iter().find(|(name, _)| *name == id).and_then(|it| column(it.1));
    column(&id).or_else(titled).or_else(other)
}

/// The column with this id.
#[must_use]
pub fn column(id: &str) -> Option<&'static Column> {
    COLUMNS.iter().find(|column| column.id == id)
}

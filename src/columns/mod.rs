//! The one table of columns. Screen, batch, JSON keys, sort menu, `--columns` and the docs are all
//! printed from it: a column is one row here.

pub(crate) mod context;
mod fit;

use std::fmt::Write;

use crate::model::{Capability, Needs, Reading};
use crate::rank::Placement;
use crate::units::{Adj, Pages, Ticks};

pub use crate::columns::context::{CommandStyle, RowContext, RowView, SortKey};
pub use crate::format::{SizeUnit, human, human_size, span, span_of};
pub use fit::fitting;

/// The last part of a cgroup path that says something, without the suffix of its unit type where
/// that is `.service` or `.scope` at the very end of a long name.
#[must_use]
pub fn cgroup_leaf(path: &str) -> &str {
    let leaf = path.rsplit('/').find(|part| !part.is_empty());
    leaf.unwrap_or("/")
}

/// On which side of its field a text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Left.
    Left,
    /// Right.
    Right,
}

/// A file of `/proc/PID` that a column needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// None beside those that are always read.
    Nothing,
    /// `status`.
    Status,
    /// `cgroup`.
    Cgroup,
}

/// A column.
pub struct Column {
    /// Its name: `--columns`, `--sort`, and where it is a fact of a process, the JSON key.
    pub id: &'static str,
    /// Its head.
    pub title: &'static str,
    /// What it shows, in one line.
    pub about: &'static str,
    /// Cells, with sizes in the unit that fits.
    pub width: u16,
    /// Whether it shows a size, which is wider in a fixed unit.
    pub size: bool,
    /// Which side.
    pub align: Align,
    /// Shown from this many cells of terminal width on; `u16::MAX` only when asked for.
    pub from: u16,
    /// When too narrow the lowest goes first; 0 stays.
    pub drop: u8,
    /// Whether the first sort by it puts the large ones on top.
    pub descending: bool,
    /// Which file it needs beside `stat` and `oom_score_adj`, which every ranking reads.
    pub needs: Need,
    /// The keys of a process in JSON that it stands for.
    pub json: &'static [&'static str],
    /// Writes the cell.
    pub cell: fn(&RowView<'_>, &mut String),
    /// What it is sorted by.
    pub key: fn(&RowView<'_>) -> SortKey,
}

impl Column {
    /// Cells that it takes with sizes in this unit: nothing of a number may be cut.
    #[must_use]
    pub fn cells(&self, scale: SizeUnit) -> u16 {
        match scale {
            _ if !self.size => self.width,
            SizeUnit::Auto | SizeUnit::Permille => self.width,
            SizeUnit::Gib => self.width.max(9),
            SizeUnit::Mib => self.width.max(10),
            SizeUnit::Pages | SizeUnit::Kib => self.width.max(12),
        }
    }

    /// The facts it shows.
    pub fn add_needs(&self, needs: &mut Needs) {
        needs.status |= self.needs == Need::Status;
        needs.cgroup |= self.needs == Need::Cgroup;
    }
}

fn put<T>(reading: Reading<T>, out: &mut String, with: impl FnOnce(T, &mut String)) {
    match reading {
        Reading::Value(value) => with(value, out),
        absent => out.push_str(absent.dash()),
    }
}

/// A size; nothing at all is a dot, because the eye should find what is there.
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

fn standing_key(row: &RowView<'_>) -> SortKey {
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
        }
    }
}

/// CPU time as top writes it: `12:41.0`, then `87:13:09`.
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

/// Every column, in the order of the screen.
pub static COLUMNS: &[Column] = &[
    Column {
        id: "rank",
        title: "#",
        about: "place in the order of death under the policy (from 1000 on in thousands); - where it cannot be chosen",
        width: 3,
        size: false,
        align: Align::Right,
        from: 0,
        drop: 0,
        descending: false,
        needs: Need::Nothing,
        json: &["rank", "spared"],
        cell: |row, out| match row.placement() {
            Placement::Scored(_) => {
                let place = row.place + 1;
                // Who comes so late does not ask for the last digit, and the width is that of the first.
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
        about: "process id",
        width: 7,
        size: false,
        align: Align::Right,
        from: 0,
        drop: 0,
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
        from: 0,
        drop: 9,
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
        about: "the policy's points: as memory where it counts pages",
        width: 8,
        size: true,
        align: Align::Right,
        from: 0,
        drop: 0,
        descending: true,
        needs: Need::Status,
        json: &["badness_pages", "terms", "spared"],
        cell: |row, out| match row.placement() {
            Placement::Scored(points) => row.context.points(points, out),
            Placement::Spared(reason) => out.push_str(reason.word()),
        },
        key: standing_key,
    },
    Column {
        id: "pages",
        title: "POINTS",
        about: "the policy's points as they are, in pages where it counts pages",
        width: 10,
        size: false,
        align: Align::Right,
        from: 180,
        drop: 1,
        descending: true,
        needs: Need::Status,
        json: &["badness_pages", "terms", "spared"],
        cell: |row, out| match row.placement() {
            Placement::Scored(points) => {
                let _ = write!(out, "{}", points.0);
            }
            Placement::Spared(_) => out.push('-'),
        },
        key: standing_key,
    },
    Column {
        id: "permille",
        title: "/1000",
        about: "badness as per-mille of the domain's total memory, truncated",
        width: 5,
        size: false,
        align: Align::Right,
        from: 0,
        drop: 12,
        descending: true,
        needs: Need::Status,
        json: &["permille"],
        cell: |row, out| match row.permille() {
            Some(share) => {
                let _ = write!(out, "{}", share.0);
            }
            None => out.push('-'),
        },
        key: standing_key,
    },
    Column {
        id: "oom_score",
        title: "SCORE",
        about: "the kernel's own /proc/PID/oom_score; ! behind it where it disagrees with doomtop",
        width: 5,
        size: false,
        align: Align::Right,
        from: 0,
        drop: 10,
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
        about: "oom_score_adj, -1000 (never) to +1000",
        width: 5,
        size: false,
        align: Align::Right,
        from: 0,
        drop: 0,
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
        about: "the legacy oom_adj, -17 (never) to +15, as it reads back",
        width: 4,
        size: false,
        align: Align::Right,
        from: 100,
        drop: 6,
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
        about: "resident memory, by the counter that this kernel's OOM killer reads",
        width: 5,
        size: true,
        align: Align::Right,
        from: 0,
        drop: 11,
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
        from: 180,
        drop: 1,
        descending: true,
        needs: Need::Status,
        json: &["anon_pages", "file_pages", "shmem_pages"],
        cell: |row, out| size_cell(row, row.process.anon, out),
        key: |row| pages_key(row.process.anon),
    },
    Column {
        id: "swap",
        title: "SWAP",
        about: "memory swapped out",
        width: 5,
        size: true,
        align: Align::Right,
        from: 0,
        drop: 8,
        descending: true,
        needs: Need::Status,
        json: &["swap_pages"],
        cell: |row, out| size_cell(row, row.process.swap, out),
        key: |row| pages_key(row.process.swap),
    },
    Column {
        id: "pgtables",
        title: "PGT",
        about: "page tables",
        width: 5,
        size: true,
        align: Align::Right,
        from: 100,
        drop: 5,
        descending: true,
        needs: Need::Status,
        json: &["pgtables_pages"],
        cell: |row, out| size_cell(row, row.process.pgtables, out),
        key: |row| pages_key(row.process.pgtables),
    },
    Column {
        id: "growth",
        title: "+/min",
        about: "growth in the last minute, for each minute: resident memory, swap and page tables",
        width: 6,
        size: true,
        align: Align::Right,
        from: 180,
        drop: 1,
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
        from: 100,
        drop: 4,
        descending: true,
        needs: Need::Nothing,
        json: &["nice"],
        cell: |row, out| {
            put(row.lived(row.process.nice), out, |nice, out| {
                let _ = write!(out, "{nice}");
            });
        },
        key: |row| SortKey::of(row.lived(row.process.nice), i64::from),
    },
    Column {
        id: "cpu",
        title: "TIME+",
        about: "CPU time used",
        width: 8,
        size: false,
        align: Align::Right,
        from: 100,
        drop: 3,
        descending: true,
        needs: Need::Nothing,
        json: &["cpu_ticks"],
        cell: |row, out| put(row.lived(row.process.cpu), out, |cpu, out| cpu_cell(row, cpu, out)),
        key: |row| SortKey::of(row.lived(row.process.cpu), |cpu| cpu.0 as i64),
    },
    Column {
        id: "run",
        title: "RUN",
        about: "time since its start",
        width: 6,
        size: false,
        align: Align::Right,
        from: 100,
        drop: 2,
        descending: true,
        needs: Need::Nothing,
        json: &["start_ticks"],
        cell: |row, out| {
            put(row.lived(row.ran()), out, |ran, out| {
                span(ran.seconds(row.context.scene.machine().tick_rate), out);
            });
        },
        key: |row| SortKey::of(row.lived(row.ran()), |ran| ran.0 as i64),
    },
    Column {
        id: "caps",
        title: "CAP",
        about: "effective capabilities: A admin, R raw I/O, S resource",
        width: 3,
        size: false,
        align: Align::Left,
        from: 100,
        drop: 1,
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
        about: "last part of its memory cgroup",
        width: 12,
        size: false,
        align: Align::Left,
        from: 100,
        drop: 7,
        descending: false,
        needs: Need::Cgroup,
        json: &["cgroup"],
        cell: |row, out| {
            put(row.process.cgroup.as_ref(), out, |path, out| {
                out.push_str(cgroup_leaf(path.as_str()));
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
        about: "its name, or its command line (c, p)",
        width: 8,
        size: false,
        align: Align::Left,
        from: 0,
        drop: 0,
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

/// The column with this name.
#[must_use]
pub fn column(id: &str) -> Option<&'static Column> {
    COLUMNS.iter().find(|column| column.id == id)
}

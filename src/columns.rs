//! The one table of columns. Screen, batch, JSON keys, sort menu, `--columns` and the docs are all
//! printed from it: a column is one row here.

use std::cmp::Ordering;
use std::fmt::Write;

use humansize::{BINARY, FixedAt, SizeFormatter};

use crate::model::{Capability, Names, Needs, Process, Reading, Scene};
use crate::policy::{Policy, Unit};
use crate::rank::{Ranked, Ranking, Standing};
use crate::units::{Adj, Bytes, PageSize, Pages, Permille, Points, Ticks};

/// In what unit sizes are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// Three digits and the unit that fits.
    #[default]
    Auto,
    /// Pages.
    Pages,
    /// KiB.
    Kib,
    /// MiB.
    Mib,
    /// GiB.
    Gib,
    /// Per-mille of the domain's total.
    Permille,
}

impl Scale {
    /// The next one round.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Auto => Self::Pages,
            Self::Pages => Self::Kib,
            Self::Kib => Self::Mib,
            Self::Mib => Self::Gib,
            Self::Gib => Self::Permille,
            Self::Permille => Self::Auto,
        }
    }

    /// Its name.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Pages => "pages",
            Self::Kib => "KiB",
            Self::Mib => "MiB",
            Self::Gib => "GiB",
            Self::Permille => "per-mille",
        }
    }
}

/// What the column COMMAND shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CommandStyle {
    /// The process's own name.
    #[default]
    Name,
    /// The whole command line.
    Line,
    /// The command line, its program without the directories.
    Short,
}

/// What a row is seen in: everything that a cell may speak of.
#[derive(Clone, Copy)]
pub struct Sight<'a> {
    /// The moment.
    pub scene: &'a Scene,
    /// The policy of the ranking.
    pub policy: &'a dyn Policy,
    /// The order.
    pub ranking: &'a Ranking,
    /// Users and command lines.
    pub names: &'a Names,
    /// Unit of sizes.
    pub scale: Scale,
    /// What COMMAND shows.
    pub command: CommandStyle,
}

impl<'a> Sight<'a> {
    /// The row of the process at a position of the snapshot.
    #[must_use]
    pub fn row(&'a self, at: usize) -> Option<Row<'a>> {
        let (place, ranked) = self.ranking.place(at)?;
        let process = self.scene.now().processes.get(at)?;
        Some(Row { process, ranked, place, sight: self })
    }

    /// The user's name, or the number as text.
    #[must_use]
    pub fn user(&self, process: &Process) -> Reading<String> {
        process.ids.map(|ids| {
            self.names.user(ids.euid).map_or_else(|| ids.euid.to_string(), str::to_owned)
        })
    }

    fn page(&self) -> PageSize {
        self.scene.machine().page_size
    }

    /// A size in the chosen unit.
    pub fn size(&self, pages: Pages, out: &mut String) {
        match self.scale {
            Scale::Pages => {
                let _ = write!(out, "{}", pages.0);
            }
            Scale::Permille => {
                let share = Permille::of(pages.points(), self.scene.domain().pages);
                let _ = write!(out, "{}", share.0);
            }
            _ => human(pages.bytes(self.page()), self.scale, out),
        }
    }

    /// Signed points: a size where the policy counts pages, a bare number where it does not.
    pub fn points(&self, points: Points, out: &mut String) {
        if self.policy.unit() == Unit::Bare {
            let _ = write!(out, "{}", points.0);
            return;
        }
        if points.0 < 0 {
            out.push('-');
        }
        self.size(Pages(points.0.unsigned_abs()), out);
    }
}

/// A size in three digits and its unit (`11.0G`, `480M`, `6.01G`), or in a fixed unit.
pub fn human(size: Bytes, scale: Scale, out: &mut String) {
    let fixed = match scale {
        Scale::Kib => Some(FixedAt::Kilo),
        Scale::Mib => Some(FixedAt::Mega),
        Scale::Gib => Some(FixedAt::Giga),
        _ => None,
    };
    let places = match (fixed, size.0) {
        (Some(FixedAt::Giga), _) => 2,
        (Some(_), _) => 0,
        (None, bytes) => {
            // How far above its own unit the number stands decides how many digits follow.
            let unit = bytes.max(1).ilog2() / 10 * 10;
            if unit < 20 {
                0
            } else {
                match bytes >> unit {
                    0..10 if unit >= 30 => 2,
                    10..100 if unit >= 30 => 1,
                    _ => 0,
                }
            }
        }
    };
    let options = BINARY
        .fixed_at(fixed)
        .decimal_places(places)
        .decimal_zeroes(places)
        .space_after_value(false);
    let _ = write!(out, "{}", SizeFormatter::new(size.0, options));
    // "GiB" takes two cells more than the table has.
    if out.ends_with("iB") {
        out.truncate(out.len() - 2);
    }
}

/// Same, as a string of its own.
#[must_use]
pub fn human_size(size: Bytes) -> String {
    let mut out = String::new();
    human(size, Scale::Auto, &mut out);
    out
}

/// A span of time as `41d02h`, `3h12m`, `12m05s` or `52s`.
pub fn span(seconds: u64, out: &mut String) {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let _ = if days > 0 {
        write!(out, "{days}d{hours:02}h")
    } else if hours > 0 {
        write!(out, "{hours}h{minutes:02}m")
    } else if minutes > 0 {
        write!(out, "{minutes}m{:02}s", seconds % 60)
    } else {
        write!(out, "{seconds}s")
    };
}

/// Same, as a string of its own.
#[must_use]
pub fn span_of(seconds: u64) -> String {
    let mut out = String::new();
    span(seconds, &mut out);
    out
}

/// The last part of a cgroup path that says something, without the suffix of its unit type where
/// that is `.service` or `.scope` at the very end of a long name.
#[must_use]
pub fn cgroup_leaf(path: &str) -> &str {
    let leaf = path.rsplit('/').find(|part| !part.is_empty());
    leaf.unwrap_or("/")
}

/// One process, seen.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    /// The facts.
    pub process: &'a Process,
    /// The verdict.
    pub ranked: &'a Ranked,
    /// The place, counted from 0.
    pub place: usize,
    /// What it is seen in.
    pub sight: &'a Sight<'a>,
}

impl Row<'_> {
    /// How it stands.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        self.ranked.standing
    }

    fn ran(&self) -> Ticks {
        self.sight.scene.now().clock.uptime_ticks.saturating_sub(self.process.id.born)
    }

    fn permille(&self) -> Option<Permille> {
        let total = self.sight.scene.domain().pages;
        self.standing().points().map(|points| Permille::of(points, total))
    }
}

/// What a column is sorted by.
#[derive(Clone, Debug, PartialEq)]
pub enum SortKey {
    /// A number.
    Number(i64),
    /// A text.
    Text(String),
    /// Nothing to go by: last in either direction.
    Absent,
}

impl SortKey {
    fn of<T>(reading: Reading<T>, with: impl FnOnce(T) -> i64) -> Self {
        reading.value().map_or(Self::Absent, |value| Self::Number(with(value)))
    }

    /// The order, the absent always last.
    #[must_use]
    pub fn order(&self, other: &Self, descending: bool) -> Ordering {
        let plain = match (self, other) {
            (Self::Number(mine), Self::Number(theirs)) => mine.cmp(theirs),
            (Self::Text(mine), Self::Text(theirs)) => mine.cmp(theirs),
            (Self::Absent, Self::Absent) => return Ordering::Equal,
            (Self::Absent, _) => return Ordering::Greater,
            (_, Self::Absent) => return Ordering::Less,
            (Self::Number(_), Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Number(_)) => Ordering::Greater,
        };
        if descending { plain.reverse() } else { plain }
    }
}

/// On which side of its field a text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Left.
    Left,
    /// Right.
    Right,
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
    /// Whether it needs `/proc/PID/status`.
    pub status: bool,
    /// Writes the cell.
    pub cell: fn(&Row<'_>, &mut String),
    /// What it is sorted by.
    pub key: fn(&Row<'_>) -> SortKey,
}

impl Column {
    /// Cells that it takes with sizes in this unit: nothing of a number may be cut.
    #[must_use]
    pub fn cells(&self, scale: Scale) -> u16 {
        match scale {
            _ if !self.size => self.width,
            Scale::Auto | Scale::Permille => self.width,
            Scale::Gib => self.width.max(9),
            Scale::Mib => self.width.max(10),
            Scale::Pages | Scale::Kib => self.width.max(12),
        }
    }

    /// The facts it shows.
    pub fn add_needs(&self, needs: &mut Needs) {
        needs.status |= self.status;
        needs.cgroup |= self.id == "cgroup";
    }
}

fn put<T>(reading: Reading<T>, out: &mut String, with: impl FnOnce(T, &mut String)) {
    match reading {
        Reading::Value(value) => with(value, out),
        absent => out.push_str(absent.dash()),
    }
}

/// A size; nothing at all is a dot, because the eye should find what is there.
fn size_cell(row: &Row<'_>, pages: Reading<Pages>, out: &mut String) {
    put(
        pages,
        out,
        |pages, out| {
            if pages.0 == 0 { out.push('.') } else { row.sight.size(pages, out) }
        },
    );
}

fn pages_key(pages: Reading<Pages>) -> SortKey {
    SortKey::of(pages, |pages| pages.points().0)
}

fn standing_key(row: &Row<'_>) -> SortKey {
    row.standing().points().map_or(SortKey::Absent, |points| SortKey::Number(points.0))
}

fn command_cell(row: &Row<'_>, out: &mut String) {
    let style = row.sight.command;
    match row.sight.names.command(row.process).filter(|_| style != CommandStyle::Name) {
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
fn cpu_cell(row: &Row<'_>, out: &mut String) {
    let rate = row.sight.scene.machine().tick_rate;
    let seconds = row.process.cpu.seconds(rate);
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let _ = if hours > 0 {
        write!(out, "{hours}:{minutes:02}:{:02}", seconds % 60)
    } else {
        let tenths = row.process.cpu.millis(rate).0 / 100 % 10;
        write!(out, "{minutes}:{:02}.{tenths}", seconds % 60)
    };
}

/// `A` for CAP_SYS_ADMIN, `R` for CAP_SYS_RAWIO, `S` for CAP_SYS_RESOURCE.
fn caps_cell(row: &Row<'_>, out: &mut String) {
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
        about: "place in the order of death under the policy; - where it cannot be chosen",
        width: 3,
        size: false,
        align: Align::Right,
        from: 0,
        drop: 0,
        descending: false,
        status: false,
        cell: |row, out| match row.standing() {
            Standing::Scored(_) => {
                let _ = write!(out, "{}", row.place + 1);
            }
            Standing::Spared(_) => out.push('-'),
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
        status: false,
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
        status: true,
        cell: |row, out| {
            put(row.process.ids, out, |ids, out| match row.sight.names.user(ids.euid) {
                Some(name) => out.push_str(name),
                None => {
                    let _ = write!(out, "{}", ids.euid);
                }
            });
        },
        key: |row| row.sight.user(row.process).value().map_or(SortKey::Absent, SortKey::Text),
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
        status: true,
        cell: |row, out| match row.standing() {
            Standing::Scored(points) => row.sight.points(points, out),
            Standing::Spared(reason) => out.push_str(reason.word()),
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
        status: true,
        cell: |row, out| match row.standing() {
            Standing::Scored(points) => {
                let _ = write!(out, "{}", points.0);
            }
            Standing::Spared(_) => out.push('-'),
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
        status: true,
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
        status: false,
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
        status: false,
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
        status: false,
        cell: |row, out| {
            put(row.process.adj, out, |adj, out| {
                let _ = write!(out, "{}", row.sight.scene.machine().legacy(adj));
            });
        },
        key: |row| {
            SortKey::of(row.process.adj, |adj: Adj| row.sight.scene.machine().legacy(adj).0.into())
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
        status: true,
        cell: |row, out| size_cell(row, Reading::Value(row.sight.scene.rss(row.process)), out),
        key: |row| pages_key(Reading::Value(row.sight.scene.rss(row.process))),
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
        status: true,
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
        status: true,
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
        status: true,
        cell: |row, out| size_cell(row, row.process.pgtables, out),
        key: |row| pages_key(row.process.pgtables),
    },
    Column {
        id: "growth",
        title: "+/min",
        about: "growth of resident memory and swap since the last refresh, for each minute",
        width: 6,
        size: true,
        align: Align::Right,
        from: 180,
        drop: 1,
        descending: true,
        status: true,
        cell: |row, out| match row.sight.scene.growth(row.process) {
            Some(growth) if growth.pages.0 != 0 => {
                let rate = growth.per_minute();
                out.push(if rate.0 < 0 { '-' } else { '+' });
                row.sight.size(Pages(rate.0.unsigned_abs()), out);
            }
            Some(_) => out.push('.'),
            None => out.push_str(Reading::<()>::NotAsked.dash()),
        },
        key: |row| {
            row.sight
                .scene
                .growth(row.process)
                .map_or(SortKey::Absent, |growth| SortKey::Number(growth.pages.0))
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
        status: false,
        cell: |row, out| {
            let _ = write!(out, "{}", row.process.nice);
        },
        key: |row| SortKey::Number(row.process.nice.into()),
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
        status: false,
        cell: cpu_cell,
        key: |row| SortKey::Number(row.process.cpu.0 as i64),
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
        status: false,
        cell: |row, out| span(row.ran().seconds(row.sight.scene.machine().tick_rate), out),
        key: |row| SortKey::Number(row.ran().0 as i64),
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
        status: true,
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
        status: false,
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
        status: false,
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

/// The columns that a terminal of this width shows: those meant for it, less the first to go until
/// the command has its cells. `chosen` names columns instead; they are dropped only when they must be.
#[must_use]
pub fn fitting(
    width: u16,
    scale: Scale,
    chosen: Option<&[&'static Column]>,
) -> Vec<&'static Column> {
    let mut shown: Vec<&'static Column> = match chosen {
        Some(columns) => columns.to_vec(),
        None => COLUMNS.iter().filter(|column| column.from <= width).collect(),
    };
    // One cell for the marks behind the rank, one between columns.
    let taken = |shown: &[&Column]| {
        2 + shown.iter().map(|column| usize::from(column.cells(scale)) + 1).sum::<usize>()
    };
    while taken(&shown) > usize::from(width) + 1 {
        let first_to_go =
            shown.iter().filter(|column| column.drop > 0).min_by_key(|column| column.drop);
        let Some(id) = first_to_go.map(|column| column.id) else { break };
        shown.retain(|column| column.id != id);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_three_digits_and_a_unit() {
        let gib = 1_u64 << 30;
        for (bytes, shown) in [
            (0, "0B"),
            (512, "512B"),
            (4096, "4K"),
            (480 << 20, "480M"),
            (1023 << 20, "1023M"),
            (gib, "1.00G"),
            (gib * 6 + gib / 100, "6.01G"),
            (gib * 12 + gib * 3 / 10, "12.3G"),
            (gib * 512, "512G"),
            (gib * 2048, "2.00T"),
        ] {
            assert_eq!(human_size(Bytes(bytes)), shown);
        }
    }

    #[test]
    fn spans_are_short() {
        assert_eq!(span_of(52), "52s");
        assert_eq!(span_of(725), "12m05s");
        assert_eq!(span_of(3 * 3600 + 12 * 60), "3h12m");
        assert_eq!(span_of(41 * 86_400 + 7300), "41d02h");
    }

    #[test]
    fn narrow_terminals_drop_columns_in_order_and_keep_the_command() {
        let ids =
            |width| fitting(width, Scale::Auto, None).iter().map(|c| c.id).collect::<Vec<_>>();
        let at_80 = [
            "rank",
            "pid",
            "user",
            "badness",
            "permille",
            "oom_score",
            "oom_score_adj",
            "rss",
            "swap",
            "command",
        ];
        assert_eq!(ids(80), at_80);
        assert!(ids(120).contains(&"cgroup") && !ids(120).contains(&"growth"));
        assert_eq!(ids(200).len(), COLUMNS.len());
        assert!(!ids(60).contains(&"swap") && ids(60).contains(&"command"));
        assert!(ids(40).contains(&"command"));
    }
}

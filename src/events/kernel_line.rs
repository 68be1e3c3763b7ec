//! What one line of the kernel log says about an OOM (`mm/oom_kill.c`, `mm/memcontrol.c`, and
//! `lib/show_mem.c` from 2.6.11 to today).

use regex::Captures;

use crate::events::report::{DumpTask, KilledTask, OomInvocation, ReapedTask};
use crate::model::neutral;
use crate::units::{Adj, Bytes, Kib, LegacyAdj, Pages};

/// To what an OOM is confined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Constraint {
    /// To nothing: the whole machine.
    #[default]
    None,
    /// To the nodes of a cpuset.
    Cpuset,
    /// To the nodes of a memory policy.
    MemoryPolicy,
    /// To a memory cgroup.
    Memcg,
}

/// How full a memory cgroup was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemcgUsage {
    /// What was charged.
    pub usage: Kib,
    /// The wall; nothing where there is none.
    pub limit: Option<Kib>,
    /// How often it was hit.
    pub failures: u64,
}

/// Of which pages of memory a number speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsageOf {
    /// All.
    Ram,
    /// Those that were never given to the allocator.
    Reserved,
}

/// Which counter of a memory cgroup a usage is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DumpCounter {
    /// Memory.
    Memory,
    /// Swap (version 2).
    Swap,
    /// Memory and swap (version 1).
    MemorySwap,
    /// Kernel memory (version 1).
    Kernel,
}

/// What a line says.
#[derive(Clone, Debug, PartialEq)]
pub enum KernelLine {
    /// An allocation failed: a report begins.
    Invoked(OomInvocation),
    /// On which kernel, and the pid of who allocated.
    Kernel {
        /// Its release.
        release: String,
        /// Who allocated.
        pid: i32,
    },
    /// How full the memory cgroup was.
    Charged(DumpCounter, MemcgUsage),
    /// Pages of the machine.
    Present(UsageOf, Pages),
    /// All swap.
    SwapTotal(Kib),
    /// Free swap.
    SwapFree(Kib),
    /// The columns of the dump that follows.
    Columns(Vec<String>),
    /// A row of the dump.
    Task(DumpTask),
    /// The summary line (5.0 and later).
    Summary {
        /// To what it was confined.
        constraint: Constraint,
        /// The nodes of the allocation, where it named some.
        nodes: Option<String>,
        /// The memory cgroup that hit its wall.
        domain: Option<String>,
        /// The victim's cgroup.
        cgroup: Option<String>,
        /// The victim.
        pid: Option<i32>,
    },
    /// A victim was chosen (up to 5.0).
    Selected {
        /// Who.
        pid: i32,
        /// Its name.
        name: String,
        /// Its points: per-mille from 2.6.36 on.
        score: i64,
    },
    /// A process was killed.
    Killed(KilledTask),
    /// All of a cgroup are killed.
    Group(String),
    /// The victim's memory was taken back.
    Reaped(ReapedTask),
    /// It could not be.
    NotReaped(i32),
    /// The victim was on its way out already: nobody was killed.
    Exiting(i32),
    /// It was killed because it shares the victim's memory.
    Sharer(i32, String),
    /// Which wall it was, and whose task (3.5 to 4.20).
    Limit {
        /// The victim's cgroup.
        cgroup: String,
        /// The one that hit its wall.
        domain: String,
    },
    /// Nobody could be killed.
    Nobody,
    /// The machine stopped.
    Panic(String),
}

pattern!(
    INVOKED,
    "oom-killer:",
    r"^(?:(.*) invoked )?oom-killer: gfp_mask=(0x[0-9a-fA-F]+)(?:\(([^)]*)\))?(?:, nodemask=(.*?))?(?:, +order=(-?\d+))?(?:, (?:oomkilladj|oom_adj)=(-?\d+))?(?:, oom_score_adj=(-?\d+))?$"
);
pattern!(
    KERNEL,
    "omm: ",
    r"^(?:CPU: \d+ .*?PID|Pid): (\d+),? [Cc]omm: .* (?:Not tainted|Tainted: [^#]*?) (\d+\.\d+\.?\S*)(?: |$)"
);
pattern!(
    CHARGED,
    ": usage ",
    r"^(memory|swap|memory\+swap|kmem): usage (\d+)kB, limit (\d+)kB, failcnt (\d+)"
);
pattern!(PRESENT, "pages", r"^(\d+) (?:pages (?:of )?(RAM|reserved)|(reserved) pages)$");
pattern!(SWAP, " swap", r"^(Free|Total) swap *[=:] *(\d+)kB");
pattern!(COLUMNS, "total_vm", r"^\[ *pid *\] +(uid +tgid .*name)$");
pattern!(ROW, "[", r"^\[ *(\d+)\] (.*)$");
pattern!(
    SELECTED,
    "ill process ",
    r"^[^:]*: [Kk]ill process (\d+) \((.*)\) score (-?\d+) (?:or|and) "
);
pattern!(
    KILLED,
    "Killed process ",
    r"^(?:(Out of [Mm]emory(?: \(oom_kill_allocating_task\))?|Memory cgroup out of memory): )?Killed process (\d+)(?:, UID (\d+),?)? \((.*)\)(?:, UID (\d+))?(?:,? (?:total-vm|vsz):(\d+)kB, anon-rss:(\d+)kB, file-rss:(\d+)kB(?:, shmem-rss:(\d+)kB)?(?:, UID:(\d+) pgtables:(\d+)k?B oom_score_adj:(-?\d+))?)?\.?$"
);
pattern!(
    GROUP,
    "memory.oom.group",
    r"^Tasks in (.*) are going to be killed due to memory\.oom\.group set$"
);
pattern!(
    REAPED,
    "oom_reaper: ",
    r"^oom_reaper: reaped process (\d+) \(.*\),? now anon-rss:(\d+)kB, file-rss:(\d+)kB, shmem-rss:(\d+)kB"
);
pattern!(NOT_REAPED, "oom_reaper: ", r"^oom_reaper: unable to reap pid:(\d+)");
pattern!(
    EXITING,
    "OOM victim ",
    r"^(?:Out of memory|Memory cgroup out of memory)[^:]*: OOM victim (\d+) \(.*\) is already exiting"
);
pattern!(SHARER, "sharing same memory", r"^Kill process (\d+) \((.*)\) sharing same memory");
pattern!(WALL, "as a result of limit", r"^Task in (.*) killed as a result of limit of (.*)$");

fn number<T: std::str::FromStr>(found: &Captures<'_>, group: usize) -> Option<T> {
    found.get(group)?.as_str().parse().ok()
}

/// A name or path, made harmless: whoever has a process may have written it.
fn text(found: &Captures<'_>, group: usize) -> Option<String> {
    found.get(group).map(|it| harmless(it.as_str()))
}

fn harmless(text: &str) -> String {
    neutral(text.as_bytes())
}

/// More than any machine has, in whatever unit: what is larger is no size.
const MOST: u64 = 1 << 50;

/// A size, in the unit of its place.
fn size(found: &Captures<'_>, group: usize) -> Option<u64> {
    number(found, group).filter(|&size: &u64| size <= MOST)
}

/// `PAGE_COUNTER_MAX` in KiB, with any page size from 4 KiB to 64 KiB: no limit.
const NO_LIMIT: u64 = u64::MAX / 1024 / 2 - 65_536;

/// What a line says; nothing where it is about something else. `columns` are those of the dump that
/// was begun.
pub(crate) fn read(line: &str, columns: Option<&[String]>) -> Option<KernelLine> {
    let said = dump(line, columns).or_else(|| memory(line)).or_else(|| death(line));
    said.or_else(|| {
        if let Some(found) = INVOKED.captures(line) {
            return Some(KernelLine::Invoked(invoked(&found)));
        }
        let found = KERNEL.captures(line)?;
        Some(KernelLine::Kernel { pid: number(&found, 1)?, release: text(&found, 2)? })
    })
}

fn invoked(found: &Captures<'_>) -> OomInvocation {
    let legacy = number(found, 6).map(|adj: i64| LegacyAdj::clamped(adj).modern());
    OomInvocation {
        name: text(found, 1),
        gfp: text(found, 2).unwrap_or_default(),
        flags: text(found, 3),
        order: number(found, 5),
        adj: number(found, 7).map(Adj::clamped).or(legacy),
    }
}

fn memory(line: &str) -> Option<KernelLine> {
    if let Some(found) = CHARGED.captures(line) {
        let counter = match &found[1] {
            "memory" => DumpCounter::Memory,
            "swap" => DumpCounter::Swap,
            "kmem" => DumpCounter::Kernel,
            _ => DumpCounter::MemorySwap,
        };
        let limit = number(&found, 3).filter(|&limit| limit < NO_LIMIT).map(Kib);
        let (usage, failures) = (Kib(size(&found, 2)?), number(&found, 4)?);
        return Some(KernelLine::Charged(counter, MemcgUsage { usage, limit, failures }));
    }
    if let Some(found) = PRESENT.captures(line) {
        let of = if found.get(2).is_some_and(|it| it.as_str() == "RAM") {
            UsageOf::Ram
        } else {
            UsageOf::Reserved
        };
        return Some(KernelLine::Present(of, Pages(size(&found, 1)?)));
    }
    let found = SWAP.captures(line)?;
    let swap = Kib(size(&found, 2)?);
    Some(if &found[1] == "Total" {
        KernelLine::SwapTotal(swap)
    } else {
        KernelLine::SwapFree(swap)
    })
}

fn dump(line: &str, columns: Option<&[String]>) -> Option<KernelLine> {
    if let Some(found) = COLUMNS.captures(line) {
        return Some(KernelLine::Columns(found[1].split_whitespace().map(str::to_owned).collect()));
    }
    let found = ROW.captures(line)?;
    task(number(&found, 1)?, &found[2], columns?).map(KernelLine::Task)
}

/// A row by the names of its columns; the last one, the name, is the rest of the line.
fn task(pid: i32, row: &str, columns: &[String]) -> Option<DumpTask> {
    let mut rest = row;
    let mut task = DumpTask { pid, ..DumpTask::default() };
    for column in columns {
        if column == "name" {
            // One blank stands before it; more of them are its own.
            task.name = harmless(rest.strip_prefix(' ')?);
            return Some(task);
        }
        rest = rest.trim_start_matches(' ');
        let end = rest.find(' ')?;
        let value: i64 = rest[..end].parse().ok().filter(|it: &i64| it.unsigned_abs() <= MOST)?;
        rest = &rest[end..];
        let pages = || Pages(u64::try_from(value).unwrap_or(0));
        match column.as_str() {
            "uid" => task.uid = u32::try_from(value).ok()?,
            "tgid" => task.tgid = i32::try_from(value).ok()?,
            "total_vm" => task.total_vm = pages(),
            "rss" => task.rss = pages(),
            "rss_anon" => task.anon = Some(pages()),
            "rss_file" => task.file = Some(pages()),
            "rss_shmem" => task.shmem = Some(pages()),
            "nr_ptes" | "nr_pmds" => {
                let so_far = task.table_pages.unwrap_or_default();
                task.table_pages = Some(so_far + pages());
            }
            "pgtables_bytes" => task.table_bytes = Some(Bytes(u64::try_from(value).unwrap_or(0))),
            "swapents" => task.swap = Some(pages()),
            "oom_score_adj" => task.adj = Some(Adj::clamped(value)),
            "oom_adj" if task.adj.is_none() => {
                task.adj = Some(LegacyAdj::clamped(value).modern());
            }
            _ => {}
        }
    }
    None
}

fn death(line: &str) -> Option<KernelLine> {
    if let Some(rest) = line.strip_prefix("oom-kill:constraint=") {
        return Some(summary(rest));
    }
    if line.starts_with("Out of memory and no killable processes") {
        return Some(KernelLine::Nobody);
    }
    if let Some(rest) = line.strip_prefix("Kernel panic - not syncing: ") {
        let is_ours = rest.starts_with("Out of memory") || rest.starts_with("System is deadlocked");
        return is_ours.then(|| KernelLine::Panic(harmless(rest)));
    }
    if let Some(found) = KILLED.captures(line) {
        return Some(KernelLine::Killed(KilledTask {
            prefix: text(&found, 1),
            pid: number(&found, 2)?,
            name: text(&found, 4)?,
            uid: number(&found, 3).or_else(|| number(&found, 5)).or_else(|| number(&found, 10)),
            total_vm: size(&found, 6).map(Kib),
            anon: size(&found, 7).map(Kib),
            file: size(&found, 8).map(Kib),
            shmem: size(&found, 9).map(Kib),
            pgtables: size(&found, 11).map(Kib),
            adj: number(&found, 12).map(Adj::clamped),
        }));
    }
    if let Some(found) = SHARER.captures(line) {
        return Some(KernelLine::Sharer(number(&found, 1)?, text(&found, 2)?));
    }
    if let Some(found) = SELECTED.captures(line) {
        let (pid, name, score) = (number(&found, 1)?, text(&found, 2)?, number(&found, 3)?);
        return Some(KernelLine::Selected { pid, name, score });
    }
    if let Some(found) = REAPED.captures(line) {
        return Some(KernelLine::Reaped(ReapedTask {
            pid: number(&found, 1)?,
            anon: Kib(size(&found, 2)?),
            file: Kib(size(&found, 3)?),
            shmem: Kib(size(&found, 4)?),
        }));
    }
    if let Some(found) = NOT_REAPED.captures(line) {
        return Some(KernelLine::NotReaped(number(&found, 1)?));
    }
    if let Some(found) = EXITING.captures(line) {
        return Some(KernelLine::Exiting(number(&found, 1)?));
    }
    if let Some(found) = GROUP.captures(line) {
        return Some(KernelLine::Group(text(&found, 1)?));
    }
    let found = WALL.captures(line)?;
    Some(KernelLine::Limit { cgroup: text(&found, 1)?, domain: text(&found, 2)? })
}

/// The summary, as much of it as is there: paths and names may hold commas, so that what is sure is
/// read from both ends.
fn summary(rest: &str) -> KernelLine {
    let constraint = match rest.split(',').next() {
        Some("CONSTRAINT_CPUSET") => Constraint::Cpuset,
        Some("CONSTRAINT_MEMORY_POLICY") => Constraint::MemoryPolicy,
        Some("CONSTRAINT_MEMCG") => Constraint::Memcg,
        _ => Constraint::None,
    };
    let behind = |key: &str| rest.find(key).map(|at| &rest[at + key.len()..]);
    let before = |text: &str, key: &str| text.find(key).map(|at| harmless(&text[..at]));
    let nodes = behind(",nodemask=").and_then(|it| before(it, ",cpuset="));
    let domain = behind(",oom_memcg=").and_then(|it| before(it, ",task_memcg="));
    let cgroup = behind(",task_memcg=").and_then(|it| before(it, ",task="));
    let pid = rest.rfind(",pid=").and_then(|at| {
        let digits = &rest[at + ",pid=".len()..];
        digits.split(',').next()?.parse().ok()
    });
    KernelLine::Summary {
        constraint,
        nodes: nodes.filter(|it| it != "(null)"),
        domain,
        cgroup,
        pid,
    }
}

//! What one line of the kernel log says about an OOM (`mm/oom_kill.c`, `mm/memcontrol.c` and
//! `lib/show_mem.c`, from 2.6.11 to today).

use regex::Captures;

use crate::events::log::pattern::number;
use crate::events::log::report::{
    Constraint, DumpTask, KillReason, KilledTask, MemcgUsage, OomInvocation, ReapedTask,
};
use crate::model::neutral;
use crate::units::{Adj, Bytes, Kib, LegacyAdj, Pages};

/// Which pages a line counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PageCount {
    /// All pages.
    Ram,
    /// Pages that the kernel never gave to its allocator.
    Reserved,
}

/// Which counter of a memory cgroup a usage line prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DumpCounter {
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
pub(super) enum KernelLine {
    /// The OOM killer was invoked: a report begins.
    Invoked(OomInvocation),
    /// Release of the kernel, and pid of the task whose stack is dumped: the allocating task.
    Kernel { release: String, pid: i32 },
    /// How full the memory cgroup was.
    Charged(DumpCounter, MemcgUsage),
    /// Pages of the machine.
    Present(PageCount, Pages),
    /// Swap of the machine.
    SwapTotal(Kib),
    /// Free swap of the machine.
    SwapFree(Kib),
    /// Free pages of the machine, and how many of them are reserved for contiguous allocations.
    Free(Pages, Option<Pages>),
    /// Unreclaimable slab of the kernel, and on old kernels free pages on the same line.
    Slab(Pages, Option<Pages>),
    /// A pool of huge pages.
    HugePages(Kib),
    /// Names of the columns of the dump that follows.
    Columns(Vec<String>),
    /// A row of the dump.
    Task(DumpTask),
    /// The summary line (5.0 and later).
    Summary {
        constraint: Constraint,
        /// Nodes of the allocation, if it was limited to some.
        nodes: Option<String>,
        /// Name of the cpuset.
        cpuset: Option<String>,
        /// NUMA nodes that the cpuset allows.
        mems: Option<String>,
        /// The memory cgroup that hit its limit.
        domain: Option<String>,
        /// The victim's cgroup.
        cgroup: Option<String>,
        /// The victim.
        pid: Option<i32>,
    },
    /// A victim was chosen (up to 5.0).
    Selected {
        pid: i32,
        name: String,
        /// Its points; per mille from 2.6.36 on.
        score: i64,
    },
    /// A process was killed.
    Killed(KilledTask),
    /// All processes of this cgroup are killed.
    Group(String),
    /// The OOM reaper freed a victim's memory.
    Reaped(ReapedTask),
    /// The OOM reaper could not free the memory of this pid.
    NotReaped(i32),
    /// This victim was exiting already; nothing was killed.
    Exiting(i32),
    /// This process was killed because it shares the victim's memory.
    Sharer(i32, String),
    /// Which limit was hit (3.5 to 4.20).
    Limit {
        /// The victim's cgroup.
        cgroup: String,
        /// The cgroup that hit its limit.
        domain: String,
    },
    /// No process could be killed.
    NoVictim,
    /// The kernel panicked because of the OOM.
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
pattern!(FREE, "free:", r"^ *free:(\d+) free_pcp:\d+ free_cma:(\d+)");
pattern!(
    SLAB,
    "slab_unreclaimable:",
    r"^ *(?:free:(\d+) )?slab_reclaimable:\d+ slab_unreclaimable:(\d+)(?: |$)"
);
pattern!(
    HUGE_PAGES,
    "hugepages_total=",
    r"^Node \d+ hugepages_total=(\d+) hugepages_free=\d+ hugepages_surp=\d+ hugepages_size=(\d+)kB"
);
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
pattern!(LIMIT, "as a result of limit", r"^Task in (.*) killed as a result of limit of (.*)$");

/// A name or path with its control characters escaped: any process can choose its name.
fn text(found: &Captures<'_>, group: usize) -> Option<String> {
    found.get(group).map(|it| escaped(it.as_str()))
}

fn escaped(text: &str) -> String {
    neutral(text.as_bytes())
}

/// A larger number is no size, in any unit: no machine has so much memory.
const MAX_SIZE: u64 = 1 << 50;

/// A size, in the unit of its column.
fn size(found: &Captures<'_>, group: usize) -> Option<u64> {
    number(found, group).filter(|&size: &u64| size <= MAX_SIZE)
}

/// Lower bound of `PAGE_COUNTER_MAX` (no limit) in KiB, for page sizes from 4 KiB to 64 KiB.
const NO_LIMIT: u64 = u64::MAX / 1024 / 2 - 65_536;

/// What a line says; `None` if it is not about an OOM. `columns` are the columns of the open dump.
pub(super) fn read(line: &str, columns: Option<&[String]>) -> Option<KernelLine> {
    let found = dump(line, columns).or_else(|| memory(line)).or_else(|| result(line));
    found.or_else(|| {
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
            PageCount::Ram
        } else {
            PageCount::Reserved
        };
        return Some(KernelLine::Present(of, Pages(size(&found, 1)?)));
    }
    if let Some(found) = FREE.captures(line) {
        return Some(KernelLine::Free(Pages(size(&found, 1)?), size(&found, 2).map(Pages)));
    }
    if let Some(found) = SLAB.captures(line) {
        return Some(KernelLine::Slab(Pages(size(&found, 2)?), size(&found, 1).map(Pages)));
    }
    if let Some(found) = HUGE_PAGES.captures(line) {
        let (count, each) = (size(&found, 1)?, size(&found, 2)?);
        return count
            .checked_mul(each)
            .filter(|&it| it <= MAX_SIZE)
            .map(Kib)
            .map(KernelLine::HugePages);
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

/// A row of the dump, by the names of its columns. The last column, the name, is the rest of the line.
fn task(pid: i32, row: &str, columns: &[String]) -> Option<DumpTask> {
    let mut rest = row;
    let mut task = DumpTask { pid, ..DumpTask::default() };
    for column in columns {
        if column == "name" {
            // One blank separates it; further blanks belong to the name.
            task.name = escaped(rest.strip_prefix(' ')?);
            return Some(task);
        }
        rest = rest.trim_start_matches(' ');
        let end = rest.find(' ')?;
        let value: i64 =
            rest[..end].parse().ok().filter(|it: &i64| it.unsigned_abs() <= MAX_SIZE)?;
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

fn result(line: &str) -> Option<KernelLine> {
    if let Some(rest) = line.strip_prefix("oom-kill:constraint=") {
        return Some(summary(rest));
    }
    if line.starts_with("Out of memory and no killable processes") {
        return Some(KernelLine::NoVictim);
    }
    if let Some(rest) = line.strip_prefix("Kernel panic - not syncing: ") {
        let is_oom = rest.starts_with("Out of memory") || rest.starts_with("System is deadlocked");
        return is_oom.then(|| KernelLine::Panic(escaped(rest)));
    }
    if let Some(found) = KILLED.captures(line) {
        return Some(KernelLine::Killed(KilledTask {
            reason: found.get(1).map(|it| kill_reason(it.as_str())),
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
    let found = LIMIT.captures(line)?;
    Some(KernelLine::Limit { cgroup: text(&found, 1)?, domain: text(&found, 2)? })
}

/// The kind of OOM by the beginning of a `Killed process` line.
fn kill_reason(prefix: &str) -> KillReason {
    if prefix.contains("oom_kill_allocating_task") {
        KillReason::AllocatingTask
    } else if prefix.starts_with("Memory cgroup") {
        KillReason::MemoryCgroup
    } else {
        KillReason::OutOfMemory
    }
}

/// The summary line, even if it was cut. Paths and names may contain commas, so the fields are found by
/// their keys and the pid is searched from the end.
fn summary(rest: &str) -> KernelLine {
    let constraint = match rest.split(',').next() {
        Some("CONSTRAINT_CPUSET") => Constraint::Cpuset,
        Some("CONSTRAINT_MEMORY_POLICY") => Constraint::MemoryPolicy,
        Some("CONSTRAINT_MEMCG") => Constraint::Memcg,
        _ => Constraint::None,
    };
    let after = |key: &str| rest.find(key).map(|at| &rest[at + key.len()..]);
    let before = |text: &str, key: &str| text.find(key).map(|at| escaped(&text[..at]));
    let nodes = after(",nodemask=").and_then(|it| before(it, ",cpuset="));
    let cpuset = after(",cpuset=").and_then(|it| before(it, ",mems_allowed="));
    // The list of nodes has commas itself; it ends where letters begin.
    let mems = after(",mems_allowed=").map(|it| {
        let end =
            it.find(|c: char| !c.is_ascii_digit() && c != ',' && c != '-').unwrap_or(it.len());
        it[..end].trim_end_matches(',').to_owned()
    });
    let domain = after(",oom_memcg=").and_then(|it| before(it, ",task_memcg="));
    let cgroup = after(",task_memcg=").and_then(|it| before(it, ",task="));
    let pid = rest.rfind(",pid=").and_then(|at| {
        let digits = &rest[at + ",pid=".len()..];
        digits.split(',').next()?.parse().ok()
    });
    KernelLine::Summary {
        constraint,
        nodes: nodes.filter(|it| it != "(null)"),
        cpuset: cpuset.filter(|it| it != "-"),
        mems: mems.filter(|it| it.contains(|c: char| c.is_ascii_digit())),
        domain,
        cgroup,
        pid,
    }
}

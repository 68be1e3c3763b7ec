//! What one line of the kernel log says about an OOM (`mm/oom_kill.c` and `mm/memcontrol.c`, from 2.6.11
//! to today). Lines about memory are read in [`memory_line`].

use regex::Captures;

use crate::events::log::line_context::{ContextChange, LineContext};
use crate::events::log::marker;
use crate::events::log::memory_line::{self, MemoryLine};
use crate::events::log::pattern::number;
use crate::events::log::report::{
    Constraint, DumpTask, KillReason, KilledTask, MemcgUsage, OomInvocation, ReapedTask,
};
use crate::model::neutral;
use crate::units::{Adj, Bytes, Kib, LegacyAdj, Pages};

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

/// What the stack trace of a report shows about its cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TraceSign {
    /// A charge to a memory cgroup failed.
    Memcg,
    /// A page fault failed.
    PageFault,
    /// sysrq-f.
    Sysrq,
}

/// What a line says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum KernelLine {
    /// The OOM killer was invoked: a report begins.
    Invoked(OomInvocation),
    /// Release of the kernel, and the task whose stack is dumped: the allocating task.
    Kernel { release: Option<String>, pid: i32, comm: Option<String> },
    /// The cpuset of the allocating task, and the NUMA nodes that it allows (up to 4.20).
    Cpuset { name: String, mems: String },
    /// A function of the stack trace.
    Trace(TraceSign),
    /// How full the memory cgroup was.
    Charged(DumpCounter, MemcgUsage),
    /// What the memory is used for.
    Memory(MemoryLine),
    /// Names of the columns of the dump that follows.
    Columns(Vec<String>),
    /// A row of the dump.
    Task(DumpTask),
    /// The summary line (5.0 and later).
    Summary(SummaryLine),
    /// A victim was chosen (up to 5.0).
    Selected {
        pid: i32,
        name: String,
        /// Its points; per mille from 2.6.36 on.
        score: i64,
        /// What the line says about the OOM.
        reason: Option<KillReason>,
    },
    /// A process was killed.
    Killed(KilledTask),
    /// All processes of this cgroup are killed.
    Group(String),
    /// The OOM reaper freed a victim's memory.
    Reaped(ReapedTask),
    /// The OOM reaper could not free the memory of this pid.
    NotReaped(i32),
    /// This victim was exiting already; it was not killed.
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
    /// A BPF program chose: its name.
    Bpf(String),
    /// Another warning begins, which prints the memory of the machine as well.
    OtherWarning,
}

/// The line `oom-kill:constraint=…`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SummaryLine {
    /// `None` where the line was cut before it.
    pub constraint: Option<Constraint>,
    /// Nodes of the allocation, if it was limited to some.
    pub nodes: Option<String>,
    /// Name of the cpuset.
    pub cpuset: Option<String>,
    /// NUMA nodes that the cpuset allows.
    pub mems: Option<String>,
    /// The memory cgroup that hit its limit.
    pub domain: Option<String>,
    /// The line ends in the path, which may go on.
    pub domain_cut: bool,
    /// The victim's cgroup.
    pub cgroup: Option<String>,
    /// The victim.
    pub pid: Option<i32>,
    /// Its name.
    pub name: Option<String>,
}

impl KernelLine {
    /// What it means for the lines after it.
    pub fn context_change(&self) -> ContextChange {
        match self {
            Self::Columns(columns) => ContextChange::Columns(columns.clone()),
            Self::Memory(MemoryLine::StatOf(_)) => ContextChange::Stat,
            Self::Memory(MemoryLine::Slabs) => ContextChange::Slabs,
            Self::Memory(MemoryLine::Stat(..) | MemoryLine::Slab(..)) | Self::Task(_) => {
                ContextChange::Nothing
            }
            Self::Invoked(_) => ContextChange::Anew,
            _ => ContextChange::Other,
        }
    }
}

pattern!(
    INVOKED,
    "oom-killer: gfp_mask=",
    r"^(?:(.*) invoked )?oom-killer: gfp_mask=(0x[0-9a-fA-F]+)(?:\(([^)]*)\))?(?:, nodemask=(\(null\)|\d+(?:[,-]\d+)*))?(?:, *order=(-?\d+))?(?:, (?:oomkilladj|oom_adj)=(-?\d+))?(?:, *oom_score_adj=(-?\d+))?(?:[^0-9].*)?$"
);
pattern!(
    KERNEL,
    "omm: ",
    r"^(?:CPU: \d+ .*?PID|Pid): (\d+),? [Cc]omm: (.*?) (?:Not tainted|Tainted: [^#]*?) (\d+\.\d+\.?\S*)(?: |$)"
);
// The same, cut before the release.
pattern!(
    ALLOCATOR,
    "omm: ",
    r"^(?:CPU: \d+ .*?PID|Pid): (\d+),? [Cc]omm: (.*?) (?:Not tainted|Tainted: )"
);
pattern!(CPUSET, " mems_allowed=", r"^(?:.* )?cpuset=(\S+) mems_allowed=([\d,-]+)$");
pattern!(
    CHARGED,
    ": usage ",
    r"^(memory|swap|memory\+swap|kmem): usage (\d+)kB, limit (\d+)kB(?:, failcnt (\d+))?"
);
pattern!(COLUMNS, "total_vm", r"^\[ *pid *\] +(uid +tgid .*name)(?:\W.*)?$");
pattern!(
    SELECTED,
    "ill process ",
    r"^(?:([^:]*): )?[Kk]ill process (\d+) \((.*)\) score (-?\d+) (?:or|and) "
);
pattern!(
    GROUP,
    "memory.oom.group",
    r"^Tasks in (.*) are going to be killed due to memory\.oom\.group set"
);
pattern!(
    REAPED,
    "oom_reaper: ",
    r"^oom_reaper: reaped process (\d+) \(.*\),? *now anon-rss:(\d+)kB, file-rss:(\d+)kB, shmem-rss:(\d+)kB"
);
pattern!(NOT_REAPED, "oom_reaper: ", r"^oom_reaper: unable to reap pid:(\d+)");
pattern!(EXITING, "OOM victim ", r"^(?:[^:]*: )?OOM victim (\d+) \(.*\) is already exiting");
pattern!(SHARER, "sharing same memory", r"^Kill process (\d+) \((.*)\) sharing same memory");
pattern!(LIMIT, "as a result of limit", r"^Task in (.*) killed as a result of limit of (\S+)");
pattern!(BPF, "=", r"^oom_policy=(\S+)");
pattern!(BPF_HANDLER, "oom bpf handler: ", r"^oom bpf handler: (\S+)");

/// Maximum length of the name of a task in bytes (`TASK_COMM_LEN` without the zero).
const MAX_COMM: usize = 15;

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

/// What a line says; `None` if it is not about an OOM. `exact`: the text begins with the kernel's words.
/// Otherwise they are searched, and framing that was not recognised stands before them.
pub(super) fn read(line: &str, exact: bool, context: &LineContext) -> Option<KernelLine> {
    if let Some(found) = dump(line, exact, context.columns.as_deref()) {
        return Some(found);
    }
    let begin = if exact { Some(0) } else { marker::begin(line).or_else(|| marker::within(line)) };
    if let Some(words) = begin.and_then(|at| line.get(at..)) {
        if let Some(found) = INVOKED.captures(if exact { line } else { words }) {
            let before = &line[..line.len() - words.len()];
            let swallowed = before.trim_end().strip_suffix("invoked").filter(|_| !exact);
            return Some(KernelLine::Invoked(invoked(&found, swallowed)));
        }
        let words = words.trim_start_matches(' ');
        let found = charged(words).or_else(|| result(words, exact)).or_else(|| origin(words));
        if found.is_some() {
            return found;
        }
    }
    let words = begin.and_then(|at| line.get(at..)).unwrap_or(line);
    memory_line::read(words, line, context).map(KernelLine::Memory)
}

fn origin(words: &str) -> Option<KernelLine> {
    if let Some(found) = KERNEL.captures(words).or_else(|| ALLOCATOR.captures(words)) {
        let comm = text(&found, 2).filter(|it| it.len() <= 4 * MAX_COMM && it != "-");
        return Some(KernelLine::Kernel {
            pid: number(&found, 1)?,
            comm,
            release: text(&found, 3),
        });
    }
    if let Some(found) = CPUSET.captures(words) {
        return Some(KernelLine::Cpuset { name: text(&found, 1)?, mems: text(&found, 2)? });
    }
    if words.contains("page allocation failure") || words.contains("page allocation stalls") {
        return Some(KernelLine::OtherWarning);
    }
    let sign =
        if words.contains("mem_cgroup_out_of_memory") || words.contains("mem_cgroup_oom_sync") {
            TraceSign::Memcg
        } else if words.contains("pagefault_out_of_memory") {
            TraceSign::PageFault
        } else if words.contains("moom_callback") {
            TraceSign::Sysrq
        } else {
            return None;
        };
    Some(KernelLine::Trace(sign))
}

/// The invocation. `swallowed` is what stands before the words of the kernel where the framing was not
/// recognised: it ends in the name.
fn invoked(found: &Captures<'_>, swallowed: Option<&str>) -> OomInvocation {
    let legacy = number(found, 6).map(|adj: i64| LegacyAdj::clamped(adj).modern());
    let name = found.get(1).map(|it| it.as_str()).or(swallowed).and_then(name_at_end);
    OomInvocation {
        name,
        gfp: text(found, 2).unwrap_or_default(),
        flags: text(found, 3),
        order: number(found, 5),
        adj: number(found, 7).map(Adj::clamped).or(legacy),
        nodes: text(found, 4).filter(|it| it.starts_with(|c: char| c.is_ascii_digit())),
    }
}

/// The name of a task at the end of a text. A name has at most 15 bytes: a longer text has framing in it.
fn name_at_end(text: &str) -> Option<String> {
    let text = text.trim_matches(' ');
    let fits = |it: &&str| !it.is_empty() && it.len() <= MAX_COMM;
    if fits(&text) {
        return Some(escaped(text));
    }
    let behind = [": ", "] ", "> ", "| ", "- ", "\t", "\"", "="]
        .iter()
        .filter_map(|it| text.rfind(it).map(|at| at + it.len()))
        .max();
    let name = behind.map(|at| text[at..].trim_matches(' ')).filter(fits);
    name.or_else(|| text.rsplit(' ').next().filter(fits)).map(escaped)
}

fn charged(line: &str) -> Option<KernelLine> {
    let found = CHARGED.captures(line)?;
    let counter = match &found[1] {
        "memory" => DumpCounter::Memory,
        "swap" => DumpCounter::Swap,
        "kmem" => DumpCounter::Kernel,
        _ => DumpCounter::MemorySwap,
    };
    let limit = number(&found, 3).filter(|&limit| limit < NO_LIMIT).map(Kib);
    let (usage, failures) = (Kib(size(&found, 2)?), number(&found, 4).unwrap_or(0));
    Some(KernelLine::Charged(counter, MemcgUsage { usage, limit, failures }))
}

fn dump(line: &str, exact: bool, columns: Option<&[String]>) -> Option<KernelLine> {
    if line.contains("total_vm") {
        let at = if exact { 0 } else { marker::begin(line)? };
        let found = COLUMNS.captures(line.get(at..)?.trim_start_matches(' '))?;
        return Some(KernelLine::Columns(found[1].split_whitespace().map(str::to_owned).collect()));
    }
    let columns = columns?;
    let mut places = marker::rows(line);
    places.find_map(|at| {
        let before = &line[..at];
        // A path may look like a row; a row has no words of the kernel before it.
        if exact && !before.trim().is_empty() || marker::begin(before).is_some() {
            return None;
        }
        let (pid, row) = line[at + 1..].split_once("] ")?;
        task(pid.trim().parse().ok()?, row, columns).map(KernelLine::Task)
    })
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

fn result(line: &str, exact: bool) -> Option<KernelLine> {
    if let Some(rest) = line.strip_prefix("oom-kill:constraint=") {
        return Some(KernelLine::Summary(summary(rest)));
    }
    if line.starts_with("Out of memory and no killable processes") {
        return Some(KernelLine::NoVictim);
    }
    if let Some(rest) = line.strip_prefix("Kernel panic - not syncing: ") {
        let is_oom = ["Out of memory", "out of memory", "System is deadlocked"];
        let is_oom = is_oom.iter().any(|it| rest.starts_with(it));
        return is_oom.then(|| KernelLine::Panic(escaped(rest)));
    }
    // The path of a cgroup may hold anything, also the words of a kill.
    if ["Memory cgroup stats for ", "Task in ", "Tasks in "].iter().any(|it| line.starts_with(it)) {
        return of_cgroup(line);
    }
    if let Some(killed) = killed(line, exact) {
        return Some(KernelLine::Killed(killed));
    }
    if let Some(found) = SHARER.captures(line) {
        return Some(KernelLine::Sharer(number(&found, 1)?, text(&found, 2)?));
    }
    if let Some(found) = SELECTED.captures(line) {
        let (pid, name, score) = (number(&found, 2)?, text(&found, 3)?, number(&found, 4)?);
        let reason = found.get(1).map(|it| kill_reason(it.as_str()));
        return Some(KernelLine::Selected { pid, name, score, reason });
    }
    if let Some(found) = REAPED.captures(line) {
        return Some(KernelLine::Reaped(ReapedTask {
            pid: number(&found, 1)?,
            anon: Kib(size(&found, 2)?),
            file: Kib(size(&found, 3)?),
            shmem: Kib(size(&found, 4)?),
        }));
    }
    let bpf = BPF.captures(line).or_else(|| BPF_HANDLER.captures(line));
    if let Some(found) = bpf {
        return Some(KernelLine::Bpf(text(&found, 1)?));
    }
    if let Some(found) = NOT_REAPED.captures(line) {
        return Some(KernelLine::NotReaped(number(&found, 1)?));
    }
    if let Some(found) = EXITING.captures(line) {
        return Some(KernelLine::Exiting(number(&found, 1)?));
    }
    None
}

/// A line about the cgroup whose limit was reached, or that is killed as a whole.
fn of_cgroup(line: &str) -> Option<KernelLine> {
    if let Some(found) = GROUP.captures(line) {
        return Some(KernelLine::Group(text(&found, 1)?));
    }
    let found = LIMIT.captures(line)?;
    Some(KernelLine::Limit { cgroup: text(&found, 1)?, domain: text(&found, 2)? })
}

/// The kind of OOM by the beginning of a line about a kill.
fn kill_reason(prefix: &str) -> KillReason {
    if prefix.contains("oom_kill_allocating_task") {
        KillReason::AllocatingTask
    } else if prefix.starts_with("Memory cgroup") {
        KillReason::MemoryCgroup
    } else if prefix.eq_ignore_ascii_case("out of memory") {
        KillReason::OutOfMemory
    } else {
        KillReason::Other
    }
}

/// The sizes of a `Killed process` line: `key:12kB`, as far as they are whole.
fn kill_size(words: &str, key: &str) -> Option<Kib> {
    let rest = &words[words.find(key)? + key.len()..];
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let unit = &rest[digits..];
    let whole = unit.starts_with("kB") || unit.starts_with("B");
    let value = rest[..digits].parse().ok().filter(|&it: &u64| it <= MAX_SIZE && whole)?;
    Some(Kib(value))
}

fn kill_number<T: std::str::FromStr>(words: &str, key: &str) -> Option<T> {
    let rest = &words[words.find(key)? + key.len()..];
    let end = rest.bytes().take_while(|it| it.is_ascii_digit() || *it == b'-').count();
    rest[..end].parse().ok()
}

/// A `Killed process` line. The words before it name the OOM; a BPF program may write its own.
fn killed(line: &str, exact: bool) -> Option<KilledTask> {
    let (before, rest) = line.split_once("Killed process ")?;
    let words = before.strip_suffix(": ");
    if words.is_none() && !before.is_empty() && exact {
        return None;
    }
    let reason = words.map(kill_reason);
    if reason == Some(KillReason::Other) && words.is_some_and(|it| it.contains(": ")) {
        return None;
    }
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (pid, rest) = (rest[..digits].parse().ok()?, &rest[digits..]);
    // Some kernels print the user before the name.
    let (uid, rest) = match rest.strip_prefix(", UID ") {
        Some(it) => {
            let end = it.bytes().take_while(u8::is_ascii_digit).count();
            (it[..end].parse().ok(), it[end..].trim_start_matches(','))
        }
        None => (None, rest),
    };
    let rest = rest.strip_prefix(" (")?;
    let sizes = [") total-vm:", "), total-vm:", ") vsz:", "), UID "];
    // The last end of a name that is not too long for one: a name may look like what follows it.
    let ends = sizes.iter().flat_map(|it| rest.match_indices(it)).map(|(at, _)| at);
    let end = ends.filter(|&at| at <= 4 * MAX_COMM).max();
    let end = end.or_else(|| rest.get(..rest.len().min(4 * MAX_COMM)).unwrap_or(rest).rfind(')'));
    // A line that was cut in the name.
    let (name, tail) = end.map_or((rest, ""), |at| (&rest[..at], &rest[at + 1..]));
    let is_cut = end.is_none();
    if name.len() > 4 * MAX_COMM {
        return None;
    }
    let name = if is_cut { format!("{}…", escaped(name)) } else { escaped(name) };
    Some(KilledTask {
        reason,
        words: words.filter(|_| reason == Some(KillReason::Other)).map(escaped),
        pid,
        name,
        uid: uid.or_else(|| kill_number(tail, "UID:")).or_else(|| kill_number(tail, "UID ")),
        total_vm: kill_size(tail, "total-vm:").or_else(|| kill_size(tail, "vsz:")),
        anon: kill_size(tail, "anon-rss:"),
        file: kill_size(tail, "file-rss:"),
        shmem: kill_size(tail, "shmem-rss:"),
        pgtables: kill_size(tail, "pgtables:"),
        adj: kill_number(tail, "oom_score_adj:").map(Adj::clamped),
    })
}

/// The summary line, even if it was cut. Paths and names may contain commas, so the fields are found by
/// their keys and the pid is searched from the end.
fn summary(rest: &str) -> SummaryLine {
    let constraint = match rest.split(',').next() {
        Some("CONSTRAINT_CPUSET") => Some(Constraint::Cpuset),
        Some("CONSTRAINT_MEMORY_POLICY") => Some(Constraint::MemoryPolicy),
        Some("CONSTRAINT_MEMCG") => Some(Constraint::Memcg),
        Some("CONSTRAINT_NONE") => Some(Constraint::None),
        _ => None,
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
    let path = after(",oom_memcg=");
    let whole = path.and_then(|it| before(it, ",task_memcg="));
    let part = path.filter(|it| whole.is_none() && it.starts_with('/'));
    let part = part.map(|it| escaped(it.trim_end_matches(['.', '…', ' '])));
    let domain_cut = part.is_some();
    let cgroup = after(",task_memcg=").and_then(|it| before(it, ",task="));
    let at = rest.rfind(",pid=");
    // A number at the very end of the line may be cut.
    let pid = at.and_then(|at| rest[at + ",pid=".len()..].split_once(',')?.0.parse().ok());
    let name = at.and_then(|at| Some(escaped(rest[..at].rsplit_once(",task=")?.1)));
    SummaryLine {
        constraint,
        nodes: nodes.filter(|it| it != "(null)"),
        cpuset: cpuset.filter(|it| it != "-"),
        mems: mems.filter(|it| it.contains(|c: char| c.is_ascii_digit())),
        domain: whole.or(part),
        domain_cut,
        cgroup,
        pid,
        name: name.filter(|it| it.len() <= 4 * MAX_COMM && it != "-"),
    }
}

//! Writes log lines about OOM kills with other names, for recordings that are given to others.
//!
//! A line is written anew from what was read in it, never copied: what this file does not know does not
//! get out. A line that is not understood is left out.

use std::fmt::Display;

use crate::events::log::daemon::{DaemonLogReader, Renamed};
use crate::events::log::kernel_line::{self, DumpCounter, KernelLine, SummaryLine, TraceSign};
use crate::events::log::line_context::LineContext;
use crate::events::log::memory_line::{MemoryLine, PageCount};
use crate::events::log::report::{Constraint, KillReason, KilledTask, MemcgUsage, OomInvocation};
use crate::model::{Killer, unescape};

/// The new names.
pub trait NewNames {
    /// The new name of a process.
    fn comm(&self, name: &str) -> String;
    /// The new path of a cgroup, or the new name of its unit.
    fn cgroup(&self, path: &str) -> String;
}

/// The limit that the kernel prints where there is none: `PAGE_COUNTER_MAX` for pages of 4 KiB, in KiB.
const NO_LIMIT: u64 = 9_007_199_254_740_988;

/// Writes the lines of one recording with other names.
#[derive(Clone, Debug, Default)]
pub struct LineRenamer {
    /// What the lines before mean: the columns of the dump tell where the name in its rows begins.
    context: LineContext,
}

impl LineRenamer {
    /// A line of the kernel with other names; `None` if it says nothing about an OOM.
    pub fn kernel(&mut self, text: &str, names: &dyn NewNames) -> Option<String> {
        let line = kernel_line::read(text, true, &self.context)?;
        self.context.learn(line.context_change());
        if let KernelLine::Task(_) = line {
            let (numbers, name) = row(text, self.context.columns.as_deref()?)?;
            return Some(format!("{numbers} {}", names.comm(name)));
        }
        written(&line, &Plain(names))
    }
}

/// A line of a daemon with other names; `None` if it is not about a kill.
#[must_use]
pub fn renamed_daemon_line(by: Killer, text: &str, names: &dyn NewNames) -> Option<String> {
    let names = Plain(names);
    let renamed = Renamed { comm: &|name| names.comm(name), cgroup: &|path| names.cgroup(path) };
    DaemonLogReader::renamed(by, text, &renamed)
}

/// Names as they were read are escaped; the log has them as they are.
struct Plain<'a>(&'a dyn NewNames);

impl Plain<'_> {
    fn comm(&self, name: &str) -> String {
        self.0.comm(&plain(name))
    }

    fn cgroup(&self, path: &str) -> String {
        self.0.cgroup(&plain(path))
    }
}

fn plain(text: &str) -> String {
    String::from_utf8_lossy(&unescape(text)).into_owned()
}

/// The numbers of a row of a dump, which [`kernel_line::read`] has checked, and the name behind them.
fn row<'a>(text: &'a str, columns: &[String]) -> Option<(&'a str, &'a str)> {
    let mut rest = text.split_once(']')?.1;
    for _ in columns.iter().take_while(|column| *column != "name") {
        rest = rest.trim_start_matches(' ');
        rest = rest.get(rest.find(' ')?..)?;
    }
    let at = text.len().checked_sub(rest.len())?;
    Some((text.get(..at)?, rest.strip_prefix(' ')?))
}

fn written(line: &KernelLine, names: &Plain<'_>) -> Option<String> {
    Some(match line {
        KernelLine::Invoked(invoked) => invocation(invoked, names),
        KernelLine::Kernel { release, pid, .. } => {
            format!(
                "CPU: 0 PID: {pid} Comm: - Not tainted {}",
                release.as_deref().unwrap_or_default()
            )
        }
        KernelLine::Cpuset { name, mems } => {
            format!("- cpuset={} mems_allowed={}", names.cgroup(name), word(mems))
        }
        KernelLine::Trace(TraceSign::Memcg) => "mem_cgroup_out_of_memory".to_owned(),
        KernelLine::Trace(TraceSign::PageFault) => "pagefault_out_of_memory".to_owned(),
        KernelLine::Trace(TraceSign::Sysrq) => "moom_callback".to_owned(),
        KernelLine::Charged(counter, usage) => charged(*counter, usage),
        KernelLine::Memory(line) => memory(line, names),
        KernelLine::Columns(columns) => format!("[  pid  ] {}", columns.join(" ")),
        KernelLine::Task(_) => return None,
        KernelLine::Summary(it) => summary(it, names),
        KernelLine::Selected { pid, name, score, reason } => {
            let (name, reason) = (names.comm(name), reason.map_or("Out of memory", words_of));
            format!("{reason}: Kill process {pid} ({name}) score {score} or sacrifice child")
        }
        KernelLine::Killed(killed) => kill(killed, names),
        KernelLine::Group(path) => {
            let path = names.cgroup(path);
            format!("Tasks in {path} are going to be killed due to memory.oom.group set")
        }
        KernelLine::Reaped(reaped) => format!(
            "oom_reaper: reaped process {} (-), now anon-rss:{}kB, file-rss:{}kB, shmem-rss:{}kB",
            reaped.pid, reaped.anon.0, reaped.file.0, reaped.shmem.0
        ),
        KernelLine::NotReaped(pid) => format!("oom_reaper: unable to reap pid:{pid}"),
        KernelLine::Exiting(pid) => {
            format!("Out of memory: OOM victim {pid} (-) is already exiting. Skip killing the task")
        }
        KernelLine::Sharer(pid, name) => {
            format!("Kill process {pid} ({}) sharing same memory", names.comm(name))
        }
        KernelLine::Limit { cgroup, domain } => {
            let (cgroup, domain) = (names.cgroup(cgroup), names.cgroup(domain));
            format!("Task in {cgroup} killed as a result of limit of {domain}")
        }
        KernelLine::Bpf(name) => format!("oom bpf handler: {}", word(name)),
        KernelLine::OtherWarning => "page allocation failure".to_owned(),
        KernelLine::NoVictim => "Out of memory and no killable processes...".to_owned(),
        KernelLine::Panic(why) => {
            let known = ["Out of memory: compulsory panic_on_oom is enabled", "Out of memory"];
            let why = known.iter().find(|known| why.starts_with(**known));
            let why = why.map_or("System is deadlocked on memory", |known| *known);
            format!("Kernel panic - not syncing: {why}")
        }
    })
}

/// Words of the kernel: flags, node lists.
fn word(text: &str) -> String {
    let known = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '|' | ',' | '-');
    text.chars().filter(known).collect()
}

fn optional<T: Display>(before: &str, value: Option<T>) -> String {
    value.map_or_else(String::new, |value| format!("{before}{value}"))
}

fn invocation(invoked: &OomInvocation, names: &Plain<'_>) -> String {
    let name = invoked.name.as_deref().map(|name| names.comm(name) + " invoked ");
    let flags = invoked.flags.as_deref().map(|flags| format!("({})", word(flags)));
    format!(
        "{}oom-killer: gfp_mask={}{}{}{}",
        name.unwrap_or_default(),
        invoked.gfp,
        flags.unwrap_or_default(),
        optional(", order=", invoked.order),
        optional(", oom_score_adj=", invoked.adj.map(|adj| adj.0)),
    )
}

fn charged(counter: DumpCounter, usage: &MemcgUsage) -> String {
    let counter = match counter {
        DumpCounter::Memory => "memory",
        DumpCounter::Swap => "swap",
        DumpCounter::MemorySwap => "memory+swap",
        DumpCounter::Kernel => "kmem",
    };
    let limit = usage.limit.map_or(NO_LIMIT, |limit| limit.0);
    format!("{counter}: usage {}kB, limit {limit}kB, failcnt {}", usage.usage.0, usage.failures)
}

fn summary(it: &SummaryLine, names: &Plain<'_>) -> String {
    let constraint = match it.constraint {
        Some(Constraint::None) => "CONSTRAINT_NONE",
        Some(Constraint::Cpuset) => "CONSTRAINT_CPUSET",
        Some(Constraint::MemoryPolicy) => "CONSTRAINT_MEMORY_POLICY",
        Some(Constraint::Memcg) => "CONSTRAINT_MEMCG",
        None => "-",
    };
    let nodes = it.nodes.as_deref().map_or_else(|| "(null)".to_owned(), word);
    let cpuset = it.cpuset.as_deref().map_or_else(|| "-".to_owned(), |path| names.cgroup(path));
    let mems = it.mems.as_deref().map_or_else(|| "-".to_owned(), word);
    let path = |path: &Option<String>| path.as_deref().map(|path| names.cgroup(path));
    let task = it.name.as_deref().map_or_else(|| "-".to_owned(), |name| names.comm(name));
    format!(
        "oom-kill:constraint={constraint},nodemask={nodes},cpuset={cpuset},mems_allowed={mems}{}{}{}",
        optional(",oom_memcg=", path(&it.domain)),
        optional(",task_memcg=", path(&it.cgroup)),
        optional(",task=", it.pid.map(|pid| format!("{task},pid={pid},uid=0"))),
    )
}

/// The lines about memory hold no names but paths of cgroups and slabs of the kernel.
fn memory(line: &MemoryLine, names: &Plain<'_>) -> String {
    let pairs = |it: &[(&'static str, u64)], unit: &str| {
        let words: Vec<String> =
            it.iter().map(|(key, value)| format!("{key}:{value}{unit}")).collect();
        words.join(" ")
    };
    match line {
        MemoryLine::Begin => "Mem-Info:".to_owned(),
        MemoryLine::Present(PageCount::Ram, pages) => format!("{} pages RAM", pages.0),
        MemoryLine::Present(PageCount::Reserved, pages) => format!("{} pages reserved", pages.0),
        MemoryLine::SwapTotal(size) => format!("Total swap = {}kB", size.0),
        MemoryLine::SwapFree(size) => format!("Free swap  = {}kB", size.0),
        MemoryLine::Pages(counts) => pairs(counts, ""),
        MemoryLine::Node(counts) => format!("Node 0 active_anon:0kB {}", pairs(counts, "kB")),
        MemoryLine::Zone(zone) => format!(
            "Node {} {} free:{}kB min:{}kB low:{}kB high:{}kB{}{} free_cma:{}kB kernel_stack:{}kB",
            zone.node,
            zone.name,
            zone.free.0,
            zone.min.0,
            zone.low.0,
            zone.high.0,
            optional(" present:", zone.present.map(|it| format!("{}kB", it.0))),
            optional(" managed:", zone.managed.map(|it| format!("{}kB", it.0))),
            zone.cma.0,
            zone.kernel_stack.0,
        ),
        MemoryLine::Reserve(pages) => {
            let pages: Vec<String> = pages.iter().map(u64::to_string).collect();
            format!("lowmem_reserve[]: {}", pages.join(" "))
        }
        MemoryLine::Chunks(it) => {
            let list: Vec<String> =
                it.list.iter().map(|(size, count)| format!("{count}*{}kB", size.0)).collect();
            format!("Node {} {}: {}", it.node, it.zone, list.join(" "))
        }
        MemoryLine::HugePages(total, free, size) => format!(
            "Node 0 hugepages_total={total} hugepages_free={free} hugepages_surp=0 hugepages_size={size}kB"
        ),
        MemoryLine::StatOf(path) => format!("Memory cgroup stats for {}:", names.cgroup(path)),
        MemoryLine::Stat(counts) => {
            let words: Vec<String> =
                counts.iter().map(|(key, value)| format!("{key} {value}")).collect();
            words.join(" ")
        }
        MemoryLine::Slabs => "Unreclaimable slab info:".to_owned(),
        MemoryLine::Slab(name, size) => format!("{} 0KB {}KB", word(name), size.0),
    }
}

const fn words_of(reason: KillReason) -> &'static str {
    match reason {
        KillReason::OutOfMemory => "Out of memory",
        KillReason::AllocatingTask => "Out of memory (oom_kill_allocating_task)",
        KillReason::MemoryCgroup => "Memory cgroup out of memory",
        KillReason::Other => "other",
    }
}

fn kill(killed: &KilledTask, names: &Plain<'_>) -> String {
    let prefix = killed.reason.map(|reason| format!("{}: ", words_of(reason)));
    let name = names.comm(&killed.name);
    let head = format!("{}Killed process {} ({name})", prefix.unwrap_or_default(), killed.pid);
    let (Some(total), Some(anon), Some(file)) = (killed.total_vm, killed.anon, killed.file) else {
        return head + &optional(", UID ", killed.uid);
    };
    let sizes = format!(" total-vm:{}kB, anon-rss:{}kB, file-rss:{}kB", total.0, anon.0, file.0);
    let shmem = optional(", shmem-rss:", killed.shmem.map(|size| format!("{}kB", size.0)));
    match (killed.uid, killed.pgtables, killed.adj) {
        (Some(uid), Some(tables), Some(adj)) => {
            let adj = adj.0;
            format!("{head}{sizes}{shmem}, UID:{uid} pgtables:{}kB oom_score_adj:{adj}", tables.0)
        }
        (Some(uid), ..) => format!("{head}, UID {uid},{sizes}{shmem}"),
        _ => head + &sizes + &shmem,
    }
}

//! Writes log lines about OOM kills with other names, for recordings that are given to others.
//!
//! A line is written anew from what was read in it, never copied: what this file does not know does not
//! get out. A line that is not understood is left out.

use std::fmt::Display;

use crate::events::log::daemon::{DaemonLogReader, Renamed};
use crate::events::log::kernel_line::{self, DumpCounter, KernelLine, PageCount};
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
    /// The columns of the last dump: they tell where the name in its rows begins.
    columns: Option<Vec<String>>,
}

impl LineRenamer {
    /// A line of the kernel with other names; `None` if it says nothing about an OOM.
    pub fn kernel(&mut self, text: &str, names: &dyn NewNames) -> Option<String> {
        let line = kernel_line::read(text, self.columns.as_deref())?;
        if let KernelLine::Columns(columns) = &line {
            self.columns = Some(columns.clone());
        }
        if let KernelLine::Task(_) = line {
            let (numbers, name) = row(text, self.columns.as_deref()?)?;
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
        KernelLine::Kernel { release, pid } => {
            format!("CPU: 0 PID: {pid} Comm: - Not tainted {release}")
        }
        KernelLine::Charged(counter, usage) => charged(*counter, usage),
        KernelLine::Present(PageCount::Ram, pages) => format!("{} pages RAM", pages.0),
        KernelLine::Present(PageCount::Reserved, pages) => format!("{} pages reserved", pages.0),
        KernelLine::SwapTotal(size) => format!("Total swap = {}kB", size.0),
        KernelLine::SwapFree(size) => format!("Free swap  = {}kB", size.0),
        KernelLine::Columns(columns) => format!("[  pid  ] {}", columns.join(" ")),
        KernelLine::Task(_) => return None,
        KernelLine::Free(free, cma) => {
            format!("free:{} free_pcp:0 free_cma:{}", free.0, cma.unwrap_or_default().0)
        }
        KernelLine::Slab(slab, free) => format!(
            "{}slab_reclaimable:0 slab_unreclaimable:{}",
            free.map_or_else(String::new, |free| format!("free:{} ", free.0)),
            slab.0
        ),
        KernelLine::HugePages(size) => format!(
            "Node 0 hugepages_total={} hugepages_free=0 hugepages_surp=0 hugepages_size=1kB",
            size.0
        ),
        KernelLine::Summary { constraint, nodes, cpuset, mems, domain, cgroup, pid } => {
            let cpuset = cpuset.as_deref().map(|path| names.cgroup(path));
            let place = [nodes.as_deref(), cpuset.as_deref(), mems.as_deref()];
            let domain = domain.as_deref().map(|path| names.cgroup(path));
            let cgroup = cgroup.as_deref().map(|path| names.cgroup(path));
            summary(*constraint, place, domain, cgroup, *pid)
        }
        KernelLine::Selected { pid, name, score } => {
            let name = names.comm(name);
            format!("Out of memory: Kill process {pid} ({name}) score {score} or sacrifice child")
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

fn summary(
    constraint: Constraint,
    [nodes, cpuset, mems]: [Option<&str>; 3],
    domain: Option<String>,
    cgroup: Option<String>,
    pid: Option<i32>,
) -> String {
    let constraint = match constraint {
        Constraint::None => "CONSTRAINT_NONE",
        Constraint::Cpuset => "CONSTRAINT_CPUSET",
        Constraint::MemoryPolicy => "CONSTRAINT_MEMORY_POLICY",
        Constraint::Memcg => "CONSTRAINT_MEMCG",
    };
    let nodes = nodes.map_or_else(|| "(null)".to_owned(), word);
    let (cpuset, mems) = (cpuset.unwrap_or("-"), mems.map_or_else(|| "-".to_owned(), word));
    format!(
        "oom-kill:constraint={constraint},nodemask={nodes},cpuset={cpuset},mems_allowed={mems}{}{}{}",
        optional(",oom_memcg=", domain),
        optional(",task_memcg=", cgroup),
        optional(",task=-,pid=", pid),
    )
}

fn kill(killed: &KilledTask, names: &Plain<'_>) -> String {
    let prefix = killed.reason.map(|reason| match reason {
        KillReason::OutOfMemory => "Out of memory: ",
        KillReason::AllocatingTask => "Out of memory (oom_kill_allocating_task): ",
        KillReason::MemoryCgroup => "Memory cgroup out of memory: ",
    });
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

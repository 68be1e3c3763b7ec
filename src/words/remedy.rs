//! What to change after a kill, so that the next one does not happen or hits another process. Every
//! remedy follows from the facts of the report; one that its facts do not support is left out.

use crate::columns::human_size;
use crate::events::{DumpTask, MemcgUsage, OomCause, OomReport, page_size};
use crate::model::{Killer, OomEvent, Process, Text};
use crate::rank::what_if::what_if;
use crate::units::{Adj, Bytes, Kib, PageSize, Pages};
use crate::words::judged_task::{
    ChoiceAgreement, JudgedTask, decided, held, helps_instead, killed_allocating_task,
};
use crate::words::memory_sheet::{MemorySheet, MemoryUse};
use crate::words::numbers_and_names::who;
use crate::words::set_limit;

/// What doomtop can do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemedyAct {
    /// Copy the command.
    Copy,
    /// Show how this process gets an adj that outlasts a restart.
    Persist(i32, Adj),
    /// Open the editor of the vm sysctls.
    Sysctls,
    /// Nothing but to copy the sentence: it is done elsewhere.
    Nothing,
}

/// A change that makes the same kill less likely.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remedy {
    /// What to change, and why that helps.
    pub text: String,
    /// The command that does it or shows more, where it can be given exactly.
    pub command: Option<String>,
    /// What doomtop can do about it.
    pub act: RemedyAct,
}

impl Remedy {
    fn advice(text: impl Into<String>) -> Self {
        Self { text: text.into(), command: None, act: RemedyAct::Nothing }
    }

    fn command(text: impl Into<String>, command: impl Into<String>) -> Self {
        Self { text: text.into(), command: Some(command.into()), act: RemedyAct::Copy }
    }

    fn sysctl(text: impl Into<String>, command: &str) -> Self {
        Self { text: text.into(), command: Some(command.to_owned()), act: RemedyAct::Sysctls }
    }

    fn persist(text: String, pid: i32, adj: Adj) -> Self {
        Self { text, command: None, act: RemedyAct::Persist(pid, adj) }
    }
}

/// What to change after this report, the best first. `judged` is its dump, ranked by a rule.
pub(crate) fn of_report(report: &OomReport, judged: Option<&JudgedTask>) -> Vec<Remedy> {
    // The memory of an exiting process comes back without any change.
    if report.exiting.is_some() {
        return Vec::new();
    }
    let case = Case { report, judged, page: page_size(report) };
    let mut found: Vec<Remedy> = case.panic().into_iter().collect();
    match report.cause() {
        OomCause::Sysrq => {
            found.push(Remedy::advice(
                "no allocation had failed: if nobody should kill by sysrq-f, clear bit 64 of kernel.sysrq",
            ));
            found.extend(case.kernel_memory());
        }
        OomCause::PageFault => found.extend(case.page_fault()),
        OomCause::Memcg => {
            found.extend(case.nothing_eligible());
            found.extend(case.raise_limit());
            found.extend(case.heap());
            found.extend(case.tmpfs());
            found.extend(case.adj());
            found.extend(case.swap_of_cgroup());
            found.extend(case.only_one_of_group());
        }
        OomCause::Unknown => {}
        OomCause::Cpuset => found.push(case.more_nodes()),
        OomCause::MemoryPolicy => {
            let nodes = report.nodes_asked().unwrap_or("its own");
            found.push(Remedy::advice(format!(
                "let the process use more NUMA nodes: its memory policy allows only {nodes} (numactl \
                 --preferred instead of --membind)"
            )));
        }
        OomCause::Machine => {
            found.extend(killed_allocating_task(report).then(|| {
                Remedy::sysctl(
                    "let the kernel choose the largest process: vm.oom_kill_allocating_task is 1, so \
                     the process that asked was killed without a ranking",
                    "sysctl vm.oom_kill_allocating_task=0",
                )
            }));
            found.extend(case.nothing_eligible());
            let mut taken = case.kernel_memory();
            taken.extend(case.tmpfs());
            let by_kernel = !taken.is_empty();
            found.extend(taken);
            let broken = case.fragmentation();
            let plain = !by_kernel && broken.is_none();
            found.extend(broken);
            found.extend(case.adj());
            found.extend(case.heap());
            found.extend(case.swap_of_machine());
            // A report that was cut does not even prove that it was the machine.
            if plain && report.ram.is_some() {
                found.extend(case.limit_victim());
                found.push(Remedy::sysctl(
                    "let allocations fail instead of killing: strict overcommit; the editor shows what \
                     would follow",
                    "sysctl vm.overcommit_memory=2",
                ));
            }
        }
    }
    found
}

struct Case<'a> {
    report: &'a OomReport,
    judged: Option<&'a JudgedTask>,
    page: PageSize,
}

impl Case<'_> {
    fn size(&self, pages: Pages) -> String {
        human_size(pages.bytes(self.page))
    }

    /// Usable memory of the machine.
    fn ram(&self) -> Option<Pages> {
        Some(self.report.ram?.saturating_sub(self.report.reserved.unwrap_or_default()))
    }

    fn panic(&self) -> Option<Remedy> {
        let value = self.report.panic_value()?;
        Some(Remedy::sysctl(
            format!("let a process die instead of the machine: vm.panic_on_oom is {value}"),
            "sysctl vm.panic_on_oom=0",
        ))
    }

    fn page_fault(&self) -> Vec<Remedy> {
        let report = self.report;
        let name = report.invoked.as_ref().and_then(|it| it.name.as_deref());
        let who = match (report.allocator, name) {
            (Some(pid), Some(name)) => format!("{pid} {name}"),
            (_, name) => name.unwrap_or("the allocating process").to_owned(),
        };
        vec![
            Remedy::advice(format!(
                "raise the limit of the container of {who}, on cgroup v1 also that of kernel memory \
                 (memory.kmem.limit_in_bytes): a charge was refused there"
            )),
            Remedy::advice(
                "use Linux 5.16 or later: it no longer kills where a page fault fails at a limit",
            ),
        ]
    }

    /// The runtime of the killed process, which can be told how much memory there is.
    fn heap(&self) -> Option<Remedy> {
        let first = self.report.killed.first()?;
        let name = first.name.as_str();
        let way = if name == "java" || name.starts_with("java") {
            "-Xmx (or -XX:MaxRAMPercentage)"
        } else if name == "node" || name.starts_with("node ") {
            "node --max-old-space-size"
        } else if name.starts_with("dotnet") {
            "DOTNET_GCHeapHardLimit"
        } else if name.starts_with("redis-server") {
            "maxmemory in redis.conf"
        } else if name.starts_with("mysqld") || name.starts_with("mariadbd") {
            "innodb_buffer_pool_size"
        } else if name.starts_with("postgres") {
            "shared_buffers, work_mem and max_connections"
        } else {
            return None;
        };
        Some(Remedy::advice(format!(
            "give {} {name} a heap that fits, with room for what is beside it: {way}",
            first.pid
        )))
    }

    /// Files in tmpfs and shared memory: no kill frees them, only their removal does.
    fn tmpfs(&self) -> Option<Remedy> {
        let sheet = MemorySheet::of(self.report, self.page)?;
        let total =
            sheet.total.or_else(|| self.ram().map(|ram| Kib(ram.bytes(self.page).0 / 1024)))?;
        let shmem = sheet.parts.iter().find(|it| it.of == MemoryUse::Shmem)?.size;
        (shmem.0 >= total.0 / 5).then(|| {
            Remedy::command(
                format!(
                    "remove files in tmpfs (/dev/shm, /tmp, emptyDir) or give them less: {} of {} is there \
                     and in shared memory, and a kill does not free files",
                    human_size(shmem.bytes()),
                    human_size(total.bytes())
                ),
                "df -h -t tmpfs",
            )
        })
    }

    /// Whether the kernel itself holds what is missing. No kill frees that.
    fn kernel_memory(&self) -> Vec<Remedy> {
        let Some(ram) = self.ram().filter(|ram| ram.0 > 0) else { return Vec::new() };
        let mut found = Vec::new();
        let is_much = |pages: Pages| pages.0 >= ram.0 / 5;
        if let Some(slab) = self.report.slab_unreclaimable.filter(|&it| is_much(it)) {
            found.push(Remedy::command(
                format!(
                    "find what fills the kernel's slab: {} of {} is there{}, it cannot be reclaimed, and \
                     no kill frees it",
                    self.size(slab),
                    self.size(ram),
                    self.report.slabs.first().map_or_else(String::new, |(name, size)| format!(
                        " ({name} {})",
                        human_size(size.bytes())
                    ))
                ),
                "slabtop -o -s c",
            ));
        }
        let huge = self.report.huge_pages.map(|kib| (kib, kib.pages(self.page)));
        if let Some((kib, _)) = huge.filter(|&(_, pages)| is_much(pages)) {
            found.push(Remedy::command(
                format!(
                    "lower vm.nr_hugepages if huge pages are unused: {} of {} is in their pools, and \
                     nothing else can use it",
                    human_size(kib.bytes()),
                    self.size(ram)
                ),
                "grep -i huge /proc/meminfo",
            ));
        }
        found
    }

    /// Whether memory was free, but not in one piece.
    fn fragmentation(&self) -> Option<Remedy> {
        let order = self.report.invoked.as_ref()?.order.filter(|order| (2..=30).contains(order))?;
        let free = self.report.free?.saturating_sub(self.report.free_cma.unwrap_or_default());
        (free.0 >= self.ram()?.0 / 100).then(|| {
            Remedy::command(
                format!(
                    "keep larger pieces free (raise vm.min_free_kbytes) or compact: {} was free, but not \
                     {} pages in one piece",
                    self.size(free),
                    1_u64 << order
                ),
                "echo 1 > /proc/sys/vm/compact_memory",
            )
        })
    }

    /// The largest process that adj -1000 spares.
    fn largest_spared(&self) -> Option<&DumpTask> {
        let spared = self.report.tasks.iter().filter(|task| task.adj == Some(Adj::MIN));
        spared.max_by_key(|task| total(task))
    }

    /// Where no process could be chosen.
    fn nothing_eligible(&self) -> Option<Remedy> {
        if !self.report.no_victim {
            return None;
        }
        let Some(task) = self.largest_spared() else {
            return Some(Remedy::advice(
                "no process held the memory: look at files in tmpfs, and at the memory of the kernel",
            ));
        };
        Some(Remedy::persist(
            format!(
                "let a process be chosen: {} {} holds {}, and its oom_score_adj -1000 spares it",
                task.pid,
                task.name,
                self.size(total(task))
            ),
            task.pid,
            Adj::ZERO,
        ))
    }

    /// The limit that was hit, with a command that raises it.
    fn raise_limit(&self) -> Option<Remedy> {
        let report = self.report;
        let is_full = |usage: &MemcgUsage| {
            usage.limit.is_some_and(|limit| usage.usage.0 >= limit.0 - limit.0 / 20)
        };
        // Version 1 prints memory and swap together.
        let is_v1 = report.memory_swap.is_some();
        let file = if is_v1 { "memory.limit_in_bytes" } else { "memory.max" };
        let memory = report.memory.filter(is_full).map(|it| (file, it));
        let both = report.memory_swap.filter(is_full);
        let both = both.map(|it| ("memory.memsw.limit_in_bytes", it));
        let path = report.domain.as_deref();
        let Some((file, usage)) = memory.or(both) else {
            // Printed numbers that are below the limit contradict this advice.
            let unknown = report.memory.is_none() && report.memory_swap.is_none();
            let of = path.map_or_else(|| "its memory cgroup".to_owned(), ToOwned::to_owned);
            return unknown.then(|| Remedy::advice(format!("raise the limit of {of}")));
        };
        let now = usage.limit?;
        let more = set_limit::a_quarter_more(now);
        let of = path.map_or_else(String::new, |path| format!(" of {path}"));
        let text = format!(
            "raise the limit: {file}{of} is {}; {} is a quarter more",
            human_size(now.bytes()),
            human_size(more.bytes())
        );
        let way = path.and_then(|path| set_limit::command(path, file, more));
        Some(match way {
            Some(command) => Remedy::command(text, command),
            None if path.is_some_and(|path| path.contains("kubepods")) => Remedy::advice(format!(
                "{text} (resources.limits.memory of the container in its pod)"
            )),
            None => Remedy::advice(text),
        })
    }

    fn swap_of_cgroup(&self) -> Option<Remedy> {
        let swap = self.report.swap?;
        let limit = swap.limit?;
        if swap.usage < limit {
            return None;
        }
        let path = self.report.domain.as_deref();
        let of = path.map_or_else(String::new, |path| format!(" of {path}"));
        let text = if limit == Kib(0) {
            format!("let it swap: memory.swap.max{of} is 0")
        } else {
            format!(
                "let it swap more: memory.swap.max{of} is {}, and full",
                human_size(limit.bytes())
            )
        };
        let command = path.and_then(|path| set_limit::write(path, "memory.swap.max", "max"));
        Some(command.map_or_else(|| Remedy::advice(text.clone()), |it| Remedy::command(&text, it)))
    }

    fn only_one_of_group(&self) -> Option<Remedy> {
        let path = self.report.group.as_deref()?;
        let first = self.report.killed.first()?;
        let text = format!(
            "lose only {} {}: memory.oom.group of {path} is 1, so all of it was killed",
            first.pid, first.name
        );
        let command = set_limit::write(path, "memory.oom.group", "0");
        Some(command.map_or_else(|| Remedy::advice(&text), |it| Remedy::command(&text, it)))
    }

    fn more_nodes(&self) -> Remedy {
        let report = self.report;
        let name = report.cpuset.as_deref().filter(|it| *it != "/");
        let name = name.map_or_else(|| "the cpuset".to_owned(), |name| format!("cpuset {name}"));
        let mems = report.mems.as_deref().map_or_else(String::new, |it| format!(", now {it}"));
        let free = report
            .free
            .map_or_else(String::new, |free| format!("; the machine had {} free", self.size(free)));
        Remedy::advice(format!("give {name} more memory nodes: cpuset.mems{mems}{free}"))
    }

    fn swap_of_machine(&self) -> Option<Remedy> {
        let total = self.report.swap_total?;
        let text = match self.report.swap_free {
            _ if total == Kib(0) => {
                "add swap or zram: there is none, so memory that no file backs cannot leave RAM"
                    .to_owned()
            }
            Some(free) if free.0 < total.0 / 20 => {
                format!(
                    "add swap: of {} only {} is free",
                    human_size(total.bytes()),
                    human_size(free.bytes())
                )
            }
            _ => return None,
        };
        Some(Remedy::command(
            text,
            "fallocate -l 2G /swapfile && chmod 600 /swapfile && mkswap /swapfile && swapon /swapfile",
        ))
    }

    /// Another adj, where the kernel went by rank and the rule agrees with it.
    fn adj(&self) -> Vec<Remedy> {
        let mut found = Vec::new();
        let Some(judged) = self.judged.filter(|_| !killed_allocating_task(self.report)) else {
            return found;
        };
        if judged.agreement != ChoiceAgreement::Agrees || self.report.group.is_some() {
            return found;
        }
        let now = judged.scene.now();
        let process = |pid: i32| now.position(pid).map(|at| &now.processes[at]);
        let Some(victim) = decided(self.report).and_then(process) else { return found };
        let size = |process: &Process| self.size(held(process));
        let answer = |process| what_if(judged.policy, &judged.scene, &judged.ranking, process);
        let asked = self.report.allocator.and_then(process).filter(|it| it.id != victim.id);
        // Less than a twentieth of the memory does not help for long.
        let much = Pages(judged.scene.domain().pages.0 / 20);
        let helps = |it: &&Process| helps_instead(it, victim) && held(it) >= much;
        if let Some(grower) = asked.filter(helps)
            && let Some(adj) = answer(grower).and_then(|it| it.doomed_at)
        {
            found.push(Remedy::persist(
                format!(
                    "let {} die instead: it asked for the memory and held {}; at oom_score_adj {adj} it \
                     is first",
                    who(grower),
                    size(grower)
                ),
                grower.id.pid,
                adj,
            ));
        }
        let rows = judged.ranking.rows()[..judged.ranking.eligible()].iter();
        let next = rows.map(|row| row.id).find(|&id| id != victim.id);
        let next = next.and_then(|id| judged.scene.find(id)).filter(helps);
        if let (Some(adj), Some(next)) = (answer(victim).and_then(|it| it.saved_at), next) {
            let lower = if adj == Adj::MIN { "" } else { " or lower" };
            found.push(Remedy::persist(
                format!(
                    "protect {}: at oom_score_adj {adj}{lower} {} dies instead, which held {}",
                    who(victim),
                    who(next),
                    size(next)
                ),
                victim.id.pid,
                adj,
            ));
        }
        if let Some(spared) = self.largest_spared()
            && total(spared).0 > held(victim).0.max(much.0)
        {
            found.push(Remedy::persist(
                format!(
                    "let {} {} be chosen: it held {}, more than the victim, and oom_score_adj -1000 \
                     spares it",
                    spared.pid,
                    spared.name,
                    self.size(total(spared))
                ),
                spared.pid,
                Adj::ZERO,
            ));
        }
        found
    }

    /// A limit for the unit of the victim, where the victim held much of the machine.
    fn limit_victim(&self) -> Option<Remedy> {
        let path = self.report.cgroup.as_deref()?;
        let killed = self.report.killed.first()?;
        let parts = [killed.anon, killed.shmem];
        let size = parts.into_iter().flatten().fold(Kib(0), |sum, part| sum + part);
        let ram = self.ram()?.bytes(self.page);
        let is_much = size.bytes() >= Bytes(ram.0 / 4);
        let command = set_limit::of_unit(path, "MemoryMax", "50%").filter(|_| is_much)?;
        Some(Remedy::command(
            format!(
                "limit {path}, so that {} reaches its own limit before the machine is full",
                killed.name
            ),
            command,
        ))
    }
}

/// What a task of the dump holds.
fn total(task: &DumpTask) -> Pages {
    task.rss + task.swap.unwrap_or_default()
}

/// What to change after a kill by a daemon, which no report of the kernel tells of.
#[must_use]
pub fn of_daemon_kill(event: &OomEvent) -> Vec<Remedy> {
    let comm = event.victim.map(|victim| victim.comm.to_string());
    // A name with other characters would need quoting in the file of the daemon.
    let plain =
        |name: &String| name.bytes().all(|c| c.is_ascii_alphanumeric() || b"_-.".contains(&c));
    let comm = comm.filter(|name| !name.is_empty() && plain(name));
    let pattern = comm.as_ref().map(|name| format!("^{}$", name.replace('.', "\\.")));
    let path = event.domain.as_ref().or(event.cgroup.as_ref()).map(Text::as_str);
    let mut found = Vec::new();
    match event.by {
        Killer::Earlyoom => {
            found.extend(pattern.map(|pattern| {
                Remedy::command(
                    "let earlyoom prefer others: add this to EARLYOOM_ARGS in /etc/default/earlyoom",
                    format!("--avoid '{pattern}'"),
                )
            }));
            found.push(Remedy::advice(
                "let it act later: -m and -s of earlyoom are the shares of memory and swap that must be \
                 left",
            ));
        }
        Killer::SystemdOomd => {
            let command =
                path.and_then(|it| set_limit::of_unit(it, "ManagedOOMPreference", "avoid"));
            found.extend(
                command.map(|command| {
                    Remedy::command("let systemd-oomd prefer other cgroups", command)
                }),
            );
            found.push(Remedy::advice(
                "let it act later: SwapUsedLimit= and DefaultMemoryPressureLimit= in \
                 /etc/systemd/oomd.conf",
            ));
        }
        Killer::Nohang => found.push(Remedy::advice(
            "let nohang prefer others: lower the badness of this name in nohang.conf",
        )),
        Killer::Oomd => {
            let command = path.and_then(set_limit::avoid_by_oomd);
            found.extend(
                command.map(|command| Remedy::command("let oomd prefer other cgroups", command)),
            );
        }
        Killer::Machine
        | Killer::Memcg
        | Killer::Group
        | Killer::Sysrq
        | Killer::Counted
        | Killer::Marked
        | Killer::Lmkd => {}
    }
    found
}

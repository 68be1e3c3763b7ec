//! Records of the running kernel, compared with what `/proc` shows; a real kill.

use crate::model::{Machine, ProcId, Process, Reading};
use crate::sample::proc_root::ProcRoot;
use crate::sample::process::bpf::BpfUnavailable;
use crate::sample::process::bpf::task_table::{ProgramChoice, TaskTable, TaskWalk};
use crate::sample::process::bpf::victim_watch::VictimWatch;
use crate::sample::process::row::{OpenByPath, RowBuffers, RowRead, RowRequest};
use crate::units::{PageSize, Ticks};

/// Rounds of reading `/proc`, the table, and `/proc` again.
const ROUNDS: u32 = 8;

fn root() -> ProcRoot {
    ProcRoot::open("/proc").expect("/proc")
}

/// The facts of this machine that the table needs.
fn machine() -> Machine {
    let own = std::fs::read_link("/proc/self/ns/pid").expect("the pid namespace");
    let initial_pid_namespace = own.to_str() == Some("pid:[4026531836]");
    let page = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE);
    let page = page.expect("a size").expect("a size of pages");
    let page_size = PageSize(u64::try_from(page).expect("a size"));
    Machine { initial_pid_namespace, page_size, ..Machine::default() }
}

/// The table with one kind of program; says why the test is skipped.
fn table(walk: TaskWalk, cast: bool) -> Option<(ProcRoot, Machine, TaskTable)> {
    let root = root();
    let machine = machine();
    match TaskTable::load_one_of(&root, &machine, ProgramChoice { walks: &[walk], cast }) {
        Ok(table) => Some((root, machine, table)),
        Err(why) => {
            eprintln!("skipped: no BPF sampler by {walk:?} (cast: {cast}) here: {why}");
            None
        }
    }
}

/// Every process as `/proc` shows it, without what only files tell.
fn by_files(root: &ProcRoot, machine: &Machine) -> Vec<Process> {
    let mut buffers = RowBuffers::on(machine);
    let mut rows = Vec::new();
    let pids = std::fs::read_dir("/proc")
        .expect("/proc")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    for pid in pids {
        let files = OpenByPath { root, pid };
        let Ok(stat) = buffers.stat(&files) else { continue };
        let id = ProcId { pid, born: stat.born };
        let mut row = Process { id, ..Process::default() };
        let request = RowRequest { status: true, score: false };
        if buffers.read_all(&files, root, request, &mut row) == RowRead::Row {
            rows.push(row);
        }
    }
    rows.sort_unstable_by_key(|row| row.id.pid);
    rows
}

/// What the two readings are compared by: CPU times may differ by the rounding of two numbers and the
/// last tick, and `/proc` adds the work of a kernel worker to its name (`wq_worker_comm`).
fn comparable(mut row: Process) -> Process {
    row.cpu = Ticks::ZERO;
    row.task = None;
    if row.is_kernel_thread() {
        row.comm = Default::default();
    }
    row
}

fn find(rows: &[Process], id: ProcId) -> Option<&Process> {
    let at = rows.binary_search_by_key(&id.pid, |row| row.id.pid).ok()?;
    rows.get(at).filter(|row| row.id == id)
}

/// The row of a process by the table.
fn row(table: &TaskTable, id: ProcId) -> Option<Process> {
    let (record, position) = table.record(id)?;
    let mut row = Process::default();
    record.write_to(&mut row, position, table.units());
    Some(row)
}

/// Whether the table says what `/proc` says, in one of several tries: a process may change between the
/// two readings, a wrong field always differs.
fn says_the_same(root: &ProcRoot, machine: &Machine, table: &mut TaskTable, id: ProcId) -> bool {
    let mut buffers = RowBuffers::on(machine);
    let request = RowRequest { status: true, score: false };
    let files = OpenByPath { root, pid: id.pid };
    let mut last = None;
    for _ in 0..50 {
        let mut was = Process { id, ..Process::default() };
        if buffers.read_all(&files, root, request, &mut was) != RowRead::Row {
            return true; // gone
        }
        table.scan().expect("a scan");
        let Some(is) = row(table, id) else { continue };
        let near = is.cpu.0.abs_diff(was.cpu.0) <= 2;
        if near && comparable(is.clone()) == comparable(was.clone()) {
            return true;
        }
        last = Some((is, was));
    }
    eprintln!("differs: {last:#?}");
    false
}

/// Compares all fields of all processes that did not change meanwhile. The number of compared processes.
fn compare(walk: TaskWalk, cast: bool) -> Option<usize> {
    let (root, machine, mut table) = table(walk, cast)?;
    let own = std::process::id().cast_signed();
    let mut compared = 0;
    for _ in 0..ROUNDS {
        let before = by_files(&root, &machine);
        table.scan().expect("a scan");
        let rows: Vec<Option<Process>> = before.iter().map(|was| row(&table, was.id)).collect();
        let after = by_files(&root, &machine);
        let seen = after.iter().filter(|row| table.record(row.id).is_some()).count();
        assert!(seen * 10 >= after.len() * 9, "{seen} of {} processes", after.len());
        for (was, row) in before.iter().zip(rows) {
            let unchanged = find(&after, was.id)
                .filter(|is| comparable((*is).clone()) == comparable(was.clone()));
            let (Some(is), Some(row), true) = (unchanged, row, was.id.pid != own) else { continue };
            let (least, most) = (was.cpu.saturating_sub(Ticks(2)), is.cpu + Ticks(2));
            let same = comparable(row.clone()) == comparable(was.clone())
                && (least..=most).contains(&row.cpu);
            assert!(same || says_the_same(&root, &machine, &mut table, was.id), "{walk:?}");
            compared += 1;
        }
    }
    Some(compared)
}

#[test]
fn the_iterator_says_what_proc_says() {
    if let Some(compared) = compare(TaskWalk::Iterator, true) {
        assert!(compared > 10, "{compared} processes");
        eprintln!("{compared} rows are equal");
    }
}

#[test]
fn the_list_walk_says_what_proc_says() {
    if let Some(compared) = compare(TaskWalk::List, true) {
        assert!(compared > 10, "{compared} processes");
        eprintln!("{compared} rows are equal");
    }
}

/// As on kernels before 6.2, which cannot cast.
#[test]
fn the_list_walk_with_helper_functions_says_what_proc_says() {
    if let Some(compared) = compare(TaskWalk::List, false) {
        assert!(compared > 10, "{compared} processes");
        eprintln!("{compared} rows are equal");
    }
}

#[test]
fn the_table_grows_and_keeps_its_program() {
    let Some((root, machine, mut table)) = table(TaskWalk::Iterator, true) else { return };
    table.scan().expect("a scan");
    let (count, sampler) = (table.len(), table.sampler());
    assert!(count > 0 && !table.is_crowded() && !table.is_empty());
    table.grow(&root, &machine).expect("a larger table");
    table.scan().expect("a scan");
    assert_eq!(table.sampler(), sampler);
    assert!(table.len().abs_diff(count) < count / 2 + 20);
    let positions: Vec<u32> = table.records().map(|(_, position)| position).collect();
    let mut sorted = positions.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), positions.len(), "each has a position of its own");
}

#[test]
fn another_tree_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = ProcRoot::open(folder.path()).expect("a folder");
    let refused = TaskTable::load(&root, &Machine::default()).expect_err("not live");
    assert_eq!(refused, BpfUnavailable::OtherTree);
}

#[test]
fn the_own_process_has_its_facts() {
    let Some((root, machine, mut table)) = table(TaskWalk::Iterator, true) else { return };
    table.scan().expect("a scan");
    let own = crate::sample::process::lookup::own_id(&root).expect("own id");
    let (record, position) = table.record(own).expect("the own process");
    let mut row = Process::default();
    record.write_to(&mut row, position, table.units());
    let facts = row.task.expect("facts");
    assert!(facts.position > 0 && facts.cgroup_id > 0);
    assert!(!facts.is_skipped() && !facts.oom_victim && !facts.oom_origin);
    assert!(matches!(row.rss_exact, Reading::Value(pages) if pages.0 > 0));
    assert!(machine.page_size.0 > 0);
}

/// A memory cgroup (version 1) with a limit, removed at the end.
struct LimitedCgroup(std::path::PathBuf);

impl LimitedCgroup {
    fn new() -> std::io::Result<Self> {
        let name = format!("/sys/fs/cgroup/memory/doomtop-victim-{}", std::process::id());
        std::fs::create_dir(&name)?;
        let cgroup = Self(name.into());
        std::fs::write(cgroup.0.join("memory.limit_in_bytes"), "16M")?;
        Ok(cgroup)
    }
}

impl Drop for LimitedCgroup {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.0);
    }
}

#[test]
fn a_real_kill_is_heard_of_at_once() {
    let mut watch = match VictimWatch::start(&root(), &machine()) {
        Ok(watch) => watch,
        Err(why) => {
            eprintln!("skipped: no kill can be heard of by BPF here: {why}");
            return;
        }
    };
    let cgroup = match LimitedCgroup::new() {
        Ok(cgroup) => cgroup,
        Err(error) => {
            eprintln!("skipped: no memory cgroup of version 1 can be made here: {error}");
            return;
        }
    };
    // `tail` keeps a line without an end in memory. Without the cgroup it is not started.
    let script = "ulimit -v 262144; echo $$ > \"$0/cgroup.procs\" && exec tail /dev/zero";
    let child = std::process::Command::new("/bin/sh").args(["-c", script]).arg(&cgroup.0).spawn();
    let mut child = child.expect("a shell");
    let pid = child.id().cast_signed();
    let ended = child.wait().expect("an end");
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&ended), Some(9), "{ended}");
    let mut found = watch.take();
    if !found.iter().any(|marked| marked.victim.pid == Some(pid)) {
        let timeout = rustix::event::Timespec { tv_sec: 10, tv_nsec: 0 };
        let mut fds = [rustix::event::PollFd::new(&watch, rustix::event::PollFlags::IN)];
        assert_eq!(rustix::event::poll(&mut fds, Some(&timeout)), Ok(1), "nothing was heard");
        found.extend(watch.take());
    }
    let marked = found.iter().find(|marked| marked.victim.pid == Some(pid));
    let marked = marked.unwrap_or_else(|| panic!("{pid} in {found:?}"));
    assert_eq!(marked.asker.1.to_string(), "tail");
    if let Some(id) = marked.victim.id {
        assert_eq!((id.pid, marked.victim.comm.to_string().as_str()), (pid, "tail"));
        assert!(marked.victim.rss.is_some_and(|rss| rss.0 > 8 << 10), "{marked:?}");
    }
    let again = watch.take().iter().any(|marked| marked.victim.pid == Some(pid));
    assert!(!again, "each is told once");
}

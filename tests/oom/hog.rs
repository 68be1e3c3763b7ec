//! The load: child processes that hold memory, and one that keeps growing. Each is this binary run again,
//! controlled through a pipe. It exits when the test exits. The kinds of memory are in [`crate::memory`].

use std::io::{Read, Write, stdin, stdout};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Instant;
use std::{env, fs, process, thread};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Signal, getppid, set_parent_process_death_signal};
use rustix::thread::{disable_transparent_huge_pages, set_name};
use serde::{Deserialize, Serialize};

use crate::clock::milliseconds;
use crate::memory::Memory;

/// The first argument that makes this binary a hog. No filter of `cargo test` looks like it.
pub const ARGUMENT: &str = "__hog";

/// The memory of a hog.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Load {
    /// Its `comm`.
    pub name: String,
    /// Its `oom_score_adj`.
    pub adj: i32,
    /// Pages of anonymous memory.
    pub anon: usize,
    /// Pages of anonymous memory that it gives back with `MADV_FREE`.
    #[serde(default)]
    pub given_back: usize,
    /// Pages that are alone in their page table.
    pub sparse: usize,
    /// Pages of a memfd that is not mapped: charged to the cgroup, but in no process's RSS.
    pub file: usize,
    /// Pages of a file on a disk, mapped: in its RSS until reclaim takes them.
    #[serde(default)]
    pub mapped: usize,
    /// Pages of shared memory, mapped: in its RSS; reclaim takes them where there is swap.
    #[serde(default)]
    pub shared: usize,
    /// How many children it forks, who have all its memory in their RSS too.
    #[serde(default)]
    pub children: usize,
    /// Pages that each of the children writes, and so has for itself.
    #[serde(default)]
    pub own_of_child: usize,
    /// Growth per step in pages; 0 if it does not grow.
    pub step: usize,
    /// Time between two steps, in milliseconds.
    pub pause: u64,
    /// Whether its main thread exits, and another thread has the memory.
    pub leaderless: bool,
}

impl Load {
    /// Whether it can grow.
    pub fn grows(&self) -> bool {
        self.step > 0
    }
}

/// A running hog, killed on drop.
pub struct Hog {
    child: Child,
    /// Its cgroup, if it was given one.
    cgroup: Option<PathBuf>,
    /// Its memory.
    pub load: Load,
}

impl Hog {
    /// Starts a hog, inside `cgroup` if one is given. It is not ready yet.
    pub fn start(load: Load, cgroup: Option<&Path>) -> Self {
        let own = env::current_exe().expect("the path of this binary");
        let child = Command::new(own)
            .arg(ARGUMENT)
            .arg(serde_json::to_string(&load).expect("JSON"))
            .arg(process::id().to_string())
            .args(cgroup)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a child process");
        Self { child, cgroup: cgroup.map(Path::to_path_buf), load }
    }

    /// Its pid.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("a pid")
    }

    /// Whether it was started in this cgroup.
    pub fn is_in(&self, cgroup: &Path) -> bool {
        self.cgroup.as_deref() == Some(cgroup)
    }

    /// The processes that it forked and that live, by `/proc/PID/task/TID/children`.
    pub fn children(&self) -> Vec<i32> {
        let pid = self.pid();
        let listed = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        let pids = listed.unwrap_or_default();
        pids.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
    }

    /// Waits until it has all its memory. False if it died before, or at the deadline.
    pub fn ready(&mut self, deadline: Instant) -> bool {
        let Some(out) = &mut self.child.stdout else { return false };
        let left = deadline.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).expect("a short time");
        let mut fds = [PollFd::new(&*out, PollFlags::IN)];
        matches!(poll(&mut fds, Some(&left)), Ok(1)) && out.read_exact(&mut [0]).is_ok()
    }

    /// Starts or stops its growth.
    pub fn grow(&mut self, on: bool) {
        self.order(if on { b"g" } else { b"p" });
    }

    /// Lets it abort, and so dump core where the kernel is set to do so.
    pub fn abort(&mut self) {
        self.order(b"a");
    }

    fn order(&mut self, word: &[u8; 1]) {
        if let Some(pipe) = &mut self.child.stdin {
            // An error means that it was killed meanwhile.
            let _ = pipe.write_all(word);
        }
    }

    /// Its exit status, if it has exited.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child process")
    }
}

impl Drop for Hog {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a hog.
pub fn live(arguments: &[String]) -> ! {
    let load: Load = serde_json::from_str(&arguments[0]).expect("a load");
    set_parent_process_death_signal(Some(Signal::KILL)).expect("PR_SET_PDEATHSIG");
    let parent = getppid().map_or(0, |pid| pid.as_raw_nonzero().get());
    if parent.to_string() != arguments[1] {
        process::exit(0);
    }
    let name = std::ffi::CString::new(load.name.as_str()).expect("a name");
    set_name(&name).expect("a name");
    // Huge pages would spoil the sparse pages and the exact sizes.
    disable_transparent_huge_pages(true).expect("small pages");
    if let Some(cgroup) = arguments.get(2) {
        fs::write(Path::new(cgroup).join("cgroup.procs"), "0").expect("a place in the cgroup");
    }
    fs::write("/proc/self/oom_score_adj", load.adj.to_string()).expect("an adj");

    if !load.leaderless {
        hold(&load);
    }
    // This thread exits when the other runs.
    thread::spawn(move || {
        set_parent_process_death_signal(Some(Signal::KILL)).expect("PR_SET_PDEATHSIG");
        let main_lives = || {
            let stat = fs::read_to_string("/proc/self/stat").expect("the own stat");
            !stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z'))
        };
        while main_lives() {
            thread::yield_now();
        }
        hold(&load)
    });
    exit_thread()
}

/// Ends this thread alone.
#[allow(unsafe_code, reason = "no crate wraps it")]
fn exit_thread() -> ! {
    // SAFETY: the thread has no locks and nothing to drop; the process goes on.
    unsafe {
        nix::libc::syscall(nix::libc::SYS_exit, 0);
    }
    unreachable!("the thread has exited")
}

/// Takes the memory, and grows as it is told.
fn hold(load: &Load) -> ! {
    let mut memory = Memory::take(load);
    if load.children > 0 {
        memory.fork(load.children, load.own_of_child);
    }
    stdout().write_all(b"r").expect("the test reads");
    stdout().flush().expect("the test reads");

    let (orders, pause) = (stdin(), milliseconds(load.pause));
    let mut growing = false;
    loop {
        let mut fds = [PollFd::new(&orders, PollFlags::IN)];
        let woken = poll(&mut fds, growing.then_some(&pause)).unwrap_or(0);
        if woken > 0 {
            // Not through `Stdin`, whose buffer would hide further bytes from poll.
            let mut word = [0];
            match rustix::io::read(&orders, &mut word) {
                Ok(1) if word[0] == b'a' => process::abort(),
                Ok(1) => growing = word[0] == b'g',
                _ => process::exit(0),
            }
        } else if growing {
            memory.grow(load.step);
        }
    }
}

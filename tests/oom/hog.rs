//! The load: child processes that hold memory, and one that keeps growing. Each is this binary run again,
//! controlled through a pipe. It exits when the test exits.

use std::hint::black_box;
use std::io::{Read, Write, stdin, stdout};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Instant;
use std::{env, fs, process, thread};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::param::page_size;
use rustix::process::{Signal, getppid, set_parent_process_death_signal};
use rustix::thread::{disable_transparent_huge_pages, set_name};
use serde::{Deserialize, Serialize};

use crate::clock::milliseconds;

/// The first argument that makes this binary a hog. No filter of `cargo test` looks like it.
pub const ARGUMENT: &str = "__hog";

/// The size of one allocation of sparse pages in bytes: no single request may exceed the memory of a small guest.
const CHUNK: usize = 64 << 20;

/// The distance in bytes at which each touched page needs a page table of its own: one holds as many entries of
/// eight bytes as fit into a page.
fn stride() -> usize {
    page_size() / 8 * page_size()
}

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
        Self { child, load }
    }

    /// Its pid.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("a pid")
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
        if let Some(pipe) = &mut self.child.stdin {
            // An error means that it was killed meanwhile.
            let _ = pipe.write_all(if on { b"g" } else { b"p" });
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
    let mut blocks: Vec<Vec<u8>> = Vec::with_capacity(1 << 16);
    let mut seed = u64::from(process::id());
    blocks.push(anonymous(load.anon, &mut seed));
    if load.given_back > 0 {
        blocks.push(given_back(load.given_back, &mut seed));
    }
    let at_once = CHUNK / stride();
    for from in (0..load.sparse).step_by(at_once) {
        let count = at_once.min(load.sparse - from);
        let mut chunk = vec![0_u8; count * stride()];
        for page in (0..count).map(|at| at * stride()) {
            chunk[page] = 1;
        }
        blocks.push(black_box(chunk));
    }
    let _file = (load.file > 0).then(|| filled(load.file));
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
                Ok(1) => growing = word[0] == b'g',
                _ => process::exit(0),
            }
        } else if growing {
            blocks.push(anonymous(load.step, &mut seed));
        }
    }
}

/// Allocates this many touched pages. Their content is compressible, but not all the same.
fn anonymous(pages: usize, seed: &mut u64) -> Vec<u8> {
    let mut memory = vec![0_u8; pages * page_size()];
    for page in memory.chunks_exact_mut(page_size()) {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        page[..8].copy_from_slice(&seed.to_ne_bytes());
    }
    black_box(memory)
}

/// The same, given back with `MADV_FREE`: resident until reclaim takes them.
#[allow(unsafe_code, reason = "rustix and nix offer madvise as unsafe functions only")]
fn given_back(pages: usize, seed: &mut u64) -> Vec<u8> {
    let mut memory = anonymous(pages + 1, seed);
    let from = memory.as_mut_ptr();
    let length = pages * page_size();
    let skip = from.align_offset(page_size());
    // SAFETY: the range is within the vector, and nothing reads it any more: its content may become zero.
    let advised =
        unsafe { nix::libc::madvise(from.add(skip).cast(), length, nix::libc::MADV_FREE) };
    assert_eq!(advised, 0, "madvise(MADV_FREE), Linux 4.5 and later");
    memory
}

/// A memfd with this many pages.
fn filled(pages: usize) -> fs::File {
    let flags = rustix::fs::MemfdFlags::CLOEXEC;
    let mut file = fs::File::from(rustix::fs::memfd_create(c"hog", flags).expect("a memory file"));
    let page = vec![1; page_size()];
    for _ in 0..pages {
        file.write_all(&page).expect("a page of it");
    }
    file
}

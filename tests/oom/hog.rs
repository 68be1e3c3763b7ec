//! The load: processes of our own that hold memory, and one that wants ever more. Each is this very
//! binary run again, controlled through a pipe, and gone as soon as the judge is gone.

use std::hint::black_box;
use std::io::{Read, Write, stdin, stdout};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Instant;
use std::{env, fs, process};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Signal, getppid, set_parent_process_death_signal};
use rustix::thread::{disable_transparent_huge_pages, set_name};
use serde::{Deserialize, Serialize};

use crate::clock::milliseconds;

/// The first argument of a binary that shall be a hog. No filter of `cargo test` looks like it.
pub const WORD: &str = "__hog";

const PAGE: usize = 4096;
/// One page touched in so many bytes costs a page of page table as well.
const STRIDE: usize = 2 << 20;
/// So many strides are allocated at once: no single request may exceed a small guest's memory.
const CHUNK: usize = 32;

/// What one of them holds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Load {
    /// Its `comm`.
    pub name: String,
    /// Its `oom_score_adj`.
    pub adj: i32,
    /// Pages of anonymous memory.
    pub anon: usize,
    /// Pages that stand alone in their page table.
    pub sparse: usize,
    /// Pages of a memory file that is mapped nowhere: charged to the cgroup, but nobody's size.
    pub file: usize,
    /// For one that grows: pages a step.
    pub step: usize,
    /// For one that grows: milliseconds between steps.
    pub pause: u64,
}

impl Load {
    /// Whether it can be told to grow.
    pub fn grows(&self) -> bool {
        self.step > 0
    }
}

/// A running one. It ends with its owner.
pub struct Hog {
    child: Child,
    /// What it holds.
    pub load: Load,
}

impl Hog {
    /// Starts one inside `cgroup`, if one is given. It is not ready yet.
    pub fn start(load: Load, cgroup: Option<&Path>) -> Self {
        let own = env::current_exe().expect("the path of this binary");
        let child = Command::new(own)
            .arg(WORD)
            .arg(serde_json::to_string(&load).expect("JSON"))
            .arg(process::id().to_string())
            .args(cgroup)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process of our own");
        Self { child, load }
    }

    /// Its pid.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("a pid")
    }

    /// Waits until it holds everything. False when it died before, or the deadline passed.
    pub fn ready(&mut self, deadline: Instant) -> bool {
        let Some(out) = &mut self.child.stdout else { return false };
        let left = deadline.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).expect("a short time");
        let mut fds = [PollFd::new(&*out, PollFlags::IN)];
        matches!(poll(&mut fds, Some(&left)), Ok(1)) && out.read_exact(&mut [0]).is_ok()
    }

    /// Tells it to go on growing, or to stop.
    pub fn grow(&mut self, on: bool) {
        if let Some(pipe) = &mut self.child.stdin {
            // One that was killed meanwhile cannot hear.
            let _ = pipe.write_all(if on { b"g" } else { b"p" });
        }
    }

    /// Its end, if it has come.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child of our own")
    }
}

impl Drop for Hog {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The life of a hog.
pub fn live(arguments: &[String]) -> ! {
    let load: Load = serde_json::from_str(&arguments[0]).expect("a load");
    set_parent_process_death_signal(Some(Signal::KILL)).expect("an end with the judge");
    let parent = getppid().map_or(0, |pid| pid.as_raw_nonzero().get());
    if parent.to_string() != arguments[1] {
        process::exit(0);
    }
    let name = std::ffi::CString::new(load.name.as_str()).expect("a name");
    set_name(&name).expect("a name");
    // A huge page would be neither sparse nor of a chosen size.
    disable_transparent_huge_pages(true).expect("small pages");
    if let Some(cgroup) = arguments.get(2) {
        fs::write(Path::new(cgroup).join("cgroup.procs"), "0").expect("a place in the cgroup");
    }
    fs::write("/proc/self/oom_score_adj", load.adj.to_string()).expect("an adj");

    let mut held: Vec<Vec<u8>> = Vec::with_capacity(1 << 16);
    let mut seed = u64::from(process::id());
    held.push(anonymous(load.anon, &mut seed));
    for from in (0..load.sparse).step_by(CHUNK) {
        let count = CHUNK.min(load.sparse - from);
        let mut chunk = vec![0_u8; count * STRIDE];
        for page in (0..count).map(|at| at * STRIDE) {
            chunk[page] = 1;
        }
        held.push(black_box(chunk));
    }
    let _file = (load.file > 0).then(|| filled(load.file));
    stdout().write_all(b"r").expect("a judge who listens");
    stdout().flush().expect("a judge who listens");

    let (orders, pause) = (stdin(), milliseconds(load.pause));
    let mut growing = false;
    loop {
        let mut fds = [PollFd::new(&orders, PollFlags::IN)];
        let woken = poll(&mut fds, growing.then_some(&pause)).unwrap_or(0);
        if woken > 0 {
            // Not through `Stdin`, which would take more than one at a time out of poll's sight.
            let mut word = [0];
            match rustix::io::read(&orders, &mut word) {
                Ok(1) => growing = word[0] == b'g',
                _ => process::exit(0),
            }
        } else if growing {
            held.push(anonymous(load.step, &mut seed));
        }
    }
}

/// So many pages, each touched. What stands in them can be compressed, but is not all the same.
fn anonymous(pages: usize, seed: &mut u64) -> Vec<u8> {
    let mut memory = vec![0_u8; pages * PAGE];
    for page in memory.chunks_exact_mut(PAGE) {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        page[..8].copy_from_slice(&seed.to_ne_bytes());
    }
    black_box(memory)
}

/// A memory file of so many pages.
fn filled(pages: usize) -> fs::File {
    let flags = rustix::fs::MemfdFlags::CLOEXEC;
    let mut file = fs::File::from(rustix::fs::memfd_create(c"hog", flags).expect("a memory file"));
    for _ in 0..pages {
        file.write_all(&[1; PAGE]).expect("a page of it");
    }
    file
}

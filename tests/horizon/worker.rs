//! The load: processes of our own that hold memory and change it by a pattern. Each is this very binary run
//! again, controlled through a pipe, and gone as soon as the one that started it is gone.

#![allow(unsafe_code, reason = "only mmap(2) makes file pages resident in a process")]

use std::fs::File;
use std::hint::black_box;
use std::io::{Read, Seek, SeekFrom, Write, stdin, stdout};
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};
use std::{env, fs};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Signal, getppid, set_parent_process_death_signal};
use rustix::thread::{disable_transparent_huge_pages, set_name};
use serde::{Deserialize, Serialize};

use crate::clock::milliseconds;
use crate::dice::Dice;
use crate::pattern::Pattern;

/// The first argument of a binary that shall be a worker.
pub const WORD: &str = "__worker";

const PAGE: usize = 4096;
/// Random bytes of a page.
const RANDOM: usize = PAGE * 2 / 5;
/// Pages that are taken or given back at once.
const CHUNK: usize = 32;
/// Chunks in a MiB.
const CHUNKS: f64 = 8.0;
/// Between two steps of a pattern, in milliseconds.
const STEP: u64 = 50;

/// Short-lived children: a build.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Build {
    /// At once.
    pub jobs: usize,
    /// Maximum size of one, in MiB.
    pub size: usize,
}

/// What one process does.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Part {
    /// Its `comm`.
    pub name: String,
    /// Its `oom_score_adj`.
    pub adj: i32,
    /// Anonymous memory that it holds all the time, in MiB.
    pub base: f64,
    /// A file that it maps and touches.
    pub maps: Option<PathBuf>,
    /// A file that it reads again and again.
    pub reads: Option<PathBuf>,
    /// What it takes beside the base, once it was told to begin.
    pub pattern: Pattern,
    /// It takes that in memory files that are mapped nowhere, not in memory of its own.
    pub files: bool,
    /// It is started only then.
    pub late: bool,
    /// It ends by itself after so many seconds.
    pub lives: Option<f64>,
    /// It starts these.
    pub children: Vec<Part>,
    /// It builds, once it was told to begin.
    pub build: Option<Build>,
}

impl Part {
    /// Whether this one or a child of it grows without end.
    pub fn is_endless(&self) -> bool {
        self.pattern.is_endless() || self.children.iter().any(Self::is_endless)
    }
}

/// A running one. It ends with its owner.
pub struct Worker {
    child: Child,
}

impl Worker {
    /// Starts one inside `cgroup`, or where its owner is. It is not ready yet.
    pub fn start(part: &Part, cgroup: Option<&Path>) -> Self {
        let own = env::current_exe().expect("the path of this binary");
        let child = Command::new(own)
            // What is given back shall be given back to the system.
            .env("MALLOC_MMAP_THRESHOLD_", "65536")
            .arg(WORD)
            .arg(serde_json::to_string(part).expect("JSON"))
            .arg(process::id().to_string())
            .args(cgroup)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process of our own");
        Self { child }
    }

    /// Waits until it and its children hold everything. False when it died before, or the deadline passed.
    pub fn ready(&mut self, deadline: Instant) -> bool {
        let Some(out) = &mut self.child.stdout else { return false };
        let left = deadline.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).expect("a short time");
        let mut fds = [PollFd::new(&*out, PollFlags::IN)];
        matches!(poll(&mut fds, Some(&left)), Ok(1)) && out.read_exact(&mut [0]).is_ok()
    }

    /// Tells it to begin.
    pub fn begin(&mut self) {
        if let Some(pipe) = &mut self.child.stdin {
            // One that was killed meanwhile does not read it.
            let _ = pipe.write_all(b"g");
        }
    }

    /// Its pid.
    pub fn pid(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// Whether it has ended.
    pub fn ended(&mut self) -> bool {
        self.child.try_wait().expect("a child of our own").is_some()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The life of a worker.
pub fn live(arguments: &[String]) -> ! {
    let part: Part = serde_json::from_str(&arguments[0]).expect("a part");
    set_parent_process_death_signal(Some(Signal::KILL)).expect("an end with the owner");
    let parent = getppid().map_or(0, |pid| pid.as_raw_nonzero().get());
    if parent.to_string() != arguments[1] {
        process::exit(0);
    }
    set_name(&std::ffi::CString::new(part.name.as_str()).expect("a name")).expect("a name");
    // A huge page would make every step two MiB.
    disable_transparent_huge_pages(true).expect("small pages");
    if let Some(cgroup) = arguments.get(2) {
        fs::write(Path::new(cgroup).join("cgroup.procs"), "0").expect("a place in the cgroup");
    }
    fs::write("/proc/self/oom_score_adj", part.adj.to_string()).expect("an adj");
    Life::new(part).go_on()
}

struct Life {
    part: Part,
    held: Vec<Vec<u8>>,
    written: usize,
    memory_file: Option<File>,
    children: Vec<Worker>,
    file: Option<File>,
    dice: Dice,
    born: Instant,
    began: Option<Instant>,
}

impl Life {
    fn new(part: Part) -> Self {
        let children = part.children.iter().map(|child| Worker::start(child, None)).collect();
        let mut life = Self {
            held: Vec::with_capacity(1 << 12),
            written: 0,
            memory_file: None,
            children,
            file: None,
            dice: Dice(u64::from(process::id())),
            born: Instant::now(),
            // One that is told nothing begins at once.
            began: part.lives.map(|_| Instant::now()),
            part,
        };
        life.hold(life.part.base);
        if let Some(path) = &life.part.maps {
            map(path);
        }
        let deadline = Instant::now() + Duration::from_secs(30);
        for child in &mut life.children {
            assert!(child.ready(deadline), "a child that is ready");
        }
        stdout().write_all(b"r").and_then(|()| stdout().flush()).expect("an owner who listens");
        life
    }

    /// Holds so many MiB.
    fn hold(&mut self, mib: f64) {
        let wanted = (mib * CHUNKS).max(0.0) as usize;
        while self.held.len() > wanted {
            self.held.pop();
        }
        while self.held.len() < wanted {
            self.held.push(anonymous(&mut self.dice));
        }
    }

    /// Writes memory files of so many MiB.
    fn write(&mut self, mib: f64) {
        let flags = rustix::fs::MemfdFlags::CLOEXEC;
        let make = || rustix::fs::memfd_create(c"worker", flags).expect("a memory file").into();
        let file = self.memory_file.get_or_insert_with(make);
        while self.written < (mib * CHUNKS) as usize {
            file.write_all(&[1; CHUNK * PAGE]).expect("room in a memory file");
            self.written += 1;
        }
    }

    fn go_on(mut self) -> ! {
        let (orders, step) = (stdin(), milliseconds(STEP));
        loop {
            let mut fds = [PollFd::new(&orders, PollFlags::IN)];
            let wait = self.began.map(|_| &step);
            if poll(&mut fds, wait).unwrap_or(0) > 0 {
                // Not through `Stdin`, which would take more than one at a time out of poll's sight.
                let mut word = [0];
                match rustix::io::read(&orders, &mut word) {
                    Ok(1) => {
                        self.began = self.began.or_else(|| Some(Instant::now()));
                        self.children.iter_mut().for_each(Worker::begin);
                    }
                    _ => process::exit(0),
                }
            }
            if self.part.lives.is_some_and(|it| self.born.elapsed().as_secs_f64() > it) {
                process::exit(0);
            }
            if let Some(began) = self.began {
                let more = self.part.pattern.at(began.elapsed().as_secs_f64());
                if self.part.files {
                    self.write(more);
                } else {
                    self.hold(self.part.base + more);
                }
                self.build();
                self.read();
                // A master whose child was killed gives up.
                if self.part.build.is_none() && self.children.iter_mut().any(Worker::ended) {
                    process::exit(0);
                }
            }
        }
    }

    /// Keeps short-lived children running.
    fn build(&mut self) {
        let Some(build) = self.part.build else { return };
        self.children.retain_mut(|child| !child.ended());
        if self.children.len() < build.jobs {
            let seconds = self.dice.between(5, 30) as f64 / 10.0;
            let size = self.dice.between(build.size / 4, build.size) as f64;
            let job = Part {
                name: "cc1plus".to_owned(),
                adj: self.part.adj,
                base: 1.0,
                pattern: Pattern::Linear(size / seconds),
                lives: Some(seconds),
                ..Part::default()
            };
            self.children.push(Worker::start(&job, None));
        }
    }

    /// Reads one more MiB of the file.
    fn read(&mut self) {
        let Some(path) = &self.part.reads else { return };
        let file = self.file.get_or_insert_with(|| File::open(path).expect("a file to read"));
        let mut buffer = vec![0_u8; 1 << 20];
        if file.read(&mut buffer).unwrap_or(0) == 0 {
            let _ = file.seek(SeekFrom::Start(0));
        }
    }
}

/// A few pages, each touched. Two fifths of each are random: they can be compressed to somewhat less than half,
/// as the memory of ordinary programs.
fn anonymous(dice: &mut Dice) -> Vec<u8> {
    static NOISE: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let mut dice = Dice(1);
        (0..2048).flat_map(|_| dice.next().to_ne_bytes()).collect()
    });
    let mut memory = vec![0_u8; CHUNK * PAGE];
    for page in memory.chunks_exact_mut(PAGE) {
        let from = dice.between(0, NOISE.len() - RANDOM);
        page[..RANDOM].copy_from_slice(&NOISE[from..from + RANDOM]);
        page[..8].copy_from_slice(&dice.next().to_ne_bytes());
    }
    black_box(memory)
}

/// Maps a whole file and touches each of its pages. It stays mapped.
fn map(path: &Path) {
    let file = File::open(path).expect("a file to map");
    let size = usize::try_from(file.metadata().expect("its size").len()).expect("a small file");
    let (rights, flags) = (rustix::mm::ProtFlags::READ, rustix::mm::MapFlags::SHARED);
    // SAFETY: a new mapping at an address that the kernel chooses; nothing else refers to it.
    let at = unsafe { rustix::mm::mmap(std::ptr::null_mut(), size, rights, flags, &file, 0) };
    let at = at.expect("a mapping").cast::<u8>();
    for page in (0..size).step_by(PAGE) {
        // SAFETY: inside the mapping, which is never removed; the file keeps its size.
        black_box(unsafe { at.add(page).read_volatile() });
    }
}

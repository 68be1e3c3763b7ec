//! The processes that the program samples: children of this test that grow, exit and are replaced.

use std::io::{Read, Write, stdin};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::{env, fs};

/// The first argument of a child.
pub const ARGUMENT: &str = "__child";
/// Number of children beside the marked one.
const OTHERS: usize = 6;
/// How much a child grows at a time, and how often before it exits.
const BLOCK: usize = 256 << 10;
const BLOCKS: u64 = 8;
/// The adj values of a mark. None of them is the value that a child starts with.
const FIRST: u64 = 100;
const VALUES: u64 = 900;

/// A child: it grows by one block for each byte that it reads, and exits at the end of its input.
pub fn live() -> ! {
    let mut blocks: Vec<Vec<u8>> = Vec::new();
    let mut input = stdin().lock();
    let mut byte = [0];
    while input.read(&mut byte).is_ok_and(|count| count == 1) {
        blocks.push((0..BLOCK).map(|at| at as u8).collect());
    }
    std::process::exit(i32::from(blocks.is_empty()));
}

struct OwnChild {
    child: Child,
    input: Option<ChildStdin>,
    grown: u64,
}

impl OwnChild {
    fn new() -> Self {
        let program = env::current_exe().expect("this program");
        let mut command = Command::new(program);
        command.arg(ARGUMENT).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut child = command.spawn().expect("a child");
        let input = child.stdin.take();
        Self { child, input, grown: 0 }
    }

    fn grow(&mut self) {
        let input = self.input.as_mut().expect("its input");
        input.write_all(b".").expect("it lives");
        self.grown += 1;
    }
}

impl Drop for OwnChild {
    fn drop(&mut self) {
        // It exits at the end of its input; the kill is for one that does not.
        self.input = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// All children.
pub struct Children {
    marked: OwnChild,
    others: Vec<OwnChild>,
    turn: usize,
    /// Number of children started so far.
    pub started: u64,
}

impl Children {
    pub fn start() -> Self {
        let others: Vec<OwnChild> = (0..OTHERS).map(|_| OwnChild::new()).collect();
        Self { marked: OwnChild::new(), others, turn: 0, started: 1 + OTHERS as u64 }
    }

    /// The option that shows only them.
    pub fn filter(&self) -> String {
        let name = format!("/proc/{}/comm", self.marked.child.id());
        let name = fs::read_to_string(name).expect("its name");
        format!("--filter={}", name.trim())
    }

    /// The marked child, which never exits.
    pub fn marked(&self) -> u32 {
        self.marked.child.id()
    }

    /// One child grows; if it is large enough, it is replaced.
    pub fn step(&mut self) {
        self.turn = (self.turn + 1) % self.others.len();
        let own = &mut self.others[self.turn];
        own.grow();
        if own.grown >= BLOCKS {
            *own = OwnChild::new();
            self.started += 1;
        }
    }

    /// Sets another adj of the marked child. Returns the text by which the table shows it.
    pub fn mark(&self, step: u64) -> String {
        let (pid, value) = (self.marked.child.id(), FIRST + step % VALUES);
        fs::write(format!("/proc/{pid}/oom_score_adj"), value.to_string()).expect("a child");
        format!("{pid}  +{value} ")
    }
}

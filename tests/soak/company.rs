//! Those that the program looks at: children of our own that grow, end, and are followed by others.

use std::io::{Read, Write, stdin};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::{env, fs};

/// The first argument of a child.
pub const WORD: &str = "__child";
/// So many live at a time, beside the one that is marked.
const MANY: usize = 6;
/// What a child grows by at a time, and how often before it ends.
const BLOCK: usize = 256 << 10;
const BLOCKS: u64 = 8;
/// Values of adj that a mark may have; none of them is what a child begins with.
const FIRST: u64 = 100;
const VALUES: u64 = 900;

/// A child: for each byte that it reads it grows by a block, and it ends with its input.
pub fn live() -> ! {
    let mut held: Vec<Vec<u8>> = Vec::new();
    let mut input = stdin().lock();
    let mut byte = [0];
    while input.read(&mut byte).is_ok_and(|count| count == 1) {
        held.push((0..BLOCK).map(|at| at as u8).collect());
    }
    std::process::exit(i32::from(held.is_empty()));
}

struct Own {
    child: Child,
    input: Option<ChildStdin>,
    grown: u64,
}

impl Own {
    fn new() -> Self {
        let program = env::current_exe().expect("this program");
        let mut command = Command::new(program);
        command.arg(WORD).stdin(Stdio::piped()).stdout(Stdio::null());
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

impl Drop for Own {
    fn drop(&mut self) {
        // It ends with its input; whatever it does then, it is over.
        self.input = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// All of them.
pub struct Company {
    marked: Own,
    others: Vec<Own>,
    turn: usize,
    /// How many came.
    pub came: u64,
}

impl Company {
    pub fn start() -> Self {
        let others: Vec<Own> = (0..MANY).map(|_| Own::new()).collect();
        Self { marked: Own::new(), others, turn: 0, came: 1 + MANY as u64 }
    }

    /// What shows them alone.
    pub fn filter(&self) -> String {
        let name = format!("/proc/{}/comm", self.marked.child.id());
        let name = fs::read_to_string(name).expect("its name");
        format!("--filter={}", name.trim())
    }

    /// The one that is marked, and never ends.
    pub fn eldest(&self) -> u32 {
        self.marked.child.id()
    }

    /// One grows; who is large enough ends, and another one comes.
    pub fn live_on(&mut self) {
        self.turn = (self.turn + 1) % self.others.len();
        let own = &mut self.others[self.turn];
        own.grow();
        if own.grown >= BLOCKS {
            *own = Own::new();
            self.came += 1;
        }
    }

    /// Gives the marked one another adj; what comes back is how the table shows it.
    pub fn mark(&self, step: u64) -> String {
        let (pid, value) = (self.marked.child.id(), FIRST + step % VALUES);
        fs::write(format!("/proc/{pid}/oom_score_adj"), value.to_string())
            .expect("one's own child");
        format!("{pid}  +{value} ")
    }
}

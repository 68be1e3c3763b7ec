//! Runs the real binary for a long time under load: its descriptors, threads and memory must be the same
//! at the end as after the warm-up.
//!
//! `cargo test` runs 300 steps; `DOOMTOP_SOAK_MINUTES=60 cargo test --test soak` runs for an hour and
//! prints a line per minute. A step sets a new `oom_score_adj` for a child and waits until it is on the
//! screen.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test says what it expects")]

mod children;
mod resources;
#[allow(dead_code, reason = "the soak needs only part of it")]
#[path = "../pty/terminal.rs"]
mod terminal;

use std::env;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use children::Children;
use resources::Resources;
use terminal::Terminal;

/// Number of steps of an ordinary run, and of those for the warm-up.
const STEPS: u64 = 300;
const WARM: u64 = 100;

/// Maximum growth of the memory after the warm-up, in KiB: the allocator keeps some pages. A leak per
/// sample would be many times this after an hour.
const MAX_GROWTH_KIB: u64 = 4096;

/// Keys that are typed between two steps, in turn: those that open a page, a text that only this page
/// shows, and those that leave it. `@` stands for the pid of the marked child. Escape counts as a key
/// only if nothing follows at once, so the test waits for each page.
const KEYS: &[(&str, &str, &str)] = &[
    ("\x1b[B\x1b[B\x1b[A", "", ""),
    ("?\x1b[6~", "/ finds", "\x1b"),
    ("t\x1b[B", "", "t"),
    ("\t\x1b[B", "", "\x1b1"),
    ("\t\t\x1b[B", "", "\x1b1"),
    ("\r\x1b[6~", "Esc closes", "\x1b"),
    ("@a-250", "Enter apply", "\x1b"),
    ("@X", "Sacrifice", "\x1b"),
    ("/soak", "Search:", "\x1b"),
    ("M", "", "N"),
    ("J", "w writes it", "\x1b"),
    ("((()", "", "l"),
    ("\x1b4((l", "", "\x1b1"),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some(children::ARGUMENT) => children::live(),
        // `--list`: there are no separate tests to list.
        Some("--list") => ExitCode::SUCCESS,
        _ => soak(),
    }
}

/// Duration of the run in minutes; `None` for a number of steps.
fn minutes() -> Option<u64> {
    let text = env::var("DOOMTOP_SOAK_MINUTES").ok()?;
    Some(text.parse().expect("DOOMTOP_SOAK_MINUTES is a number of minutes"))
}

fn soak() -> ExitCode {
    let minutes = minutes();
    let mut soak = Soak::start(minutes.is_none());
    let begun = Instant::now();
    let over = |soak: &Soak, share: u64| match minutes {
        Some(minutes) => begun.elapsed() >= Duration::from_secs(minutes * 60 * share / 3),
        None => soak.steps >= if share == 1 { WARM } else { STEPS },
    };
    let mut said = 0;
    let mut run = |soak: &mut Soak, share: u64| {
        let mut most = Resources::default();
        while !over(soak, share) {
            soak.step();
            most = most.max(Resources::of(soak.terminal.pid()));
            let minute = begun.elapsed().as_secs() / 60;
            if minutes.is_some() && minute > said {
                said = minute;
                println!("soak: minute {minute}, {} samples: {}", soak.steps, soak.resources());
            }
        }
        most
    };
    let warm = run(&mut soak, 1);
    println!("soak: warm after {} samples: {warm}", soak.steps);
    run(&mut soak, 3);
    // A file may be open just now that is closed after the next sample.
    let fits =
        |now: &Resources| now.files <= warm.files && now.stale == 0 && now.threads == warm.threads;
    let mut now = soak.resources();
    for _ in 0..50 {
        if fits(&now) {
            break;
        }
        soak.step();
        now = soak.resources();
    }
    println!(
        "soak: {} samples, {} children, {} keys: {now}",
        soak.steps, soak.children.started, soak.keys
    );
    assert_eq!(soak.terminal.quit(), 0, "it quits normally");
    let memory =
        now.resident <= warm.resident + MAX_GROWTH_KIB && now.data <= warm.data + MAX_GROWTH_KIB;
    if fits(&now) && memory {
        return ExitCode::SUCCESS;
    }
    println!("soak: FAILED: it was {warm}, and is {now}");
    ExitCode::FAILURE
}

/// The program in its terminal, and the children that it samples.
struct Soak {
    terminal: Terminal,
    children: Children,
    at_once: bool,
    steps: u64,
    keys: u64,
}

impl Soak {
    fn start(at_once: bool) -> Self {
        let children = Children::start();
        let filter = children.filter();
        let columns = "--columns=pid,oom_score_adj,rss,badness,command";
        let arguments = ["-d", "0.1", &filter, "--sort=pid", columns];
        let terminal = Terminal::run_as(120, 40, &arguments, &[]);
        terminal.wait_for("the table", |text| text.contains("BADNESS"));
        Self { terminal, children, at_once, steps: 0, keys: 0 }
    }

    /// Resources of the program now.
    fn resources(&self) -> Resources {
        Resources::of(self.terminal.pid())
    }

    /// Goes to a page, and back to the table.
    fn type_something(&mut self, nth: usize) {
        let (open, shows, close) = KEYS[nth];
        let open = &open.replace('@', &self.children.marked().to_string());
        if shows.is_empty() {
            self.terminal.send(open);
            self.terminal.send(close);
        } else {
            self.terminal.press_until(open, shows, |text| text.contains(shows));
            self.terminal.send(close);
            self.terminal.wait_for("the table again", |text| !text.contains(shows));
        }
        self.keys += 1;
    }

    /// Types keys, lets the children change, and waits until a new value is on the screen.
    fn step(&mut self) {
        self.steps += 1;
        if self.steps.is_multiple_of(4) {
            self.type_something((self.steps / 4) as usize % KEYS.len());
        }
        if self.steps.is_multiple_of(50) {
            let (width, height) = [(80, 24), (200, 60), (120, 40)][(self.steps / 50) as usize % 3];
            self.terminal.resize(width, height);
        }
        self.children.step();
        let sign = self.children.mark(self.steps);
        // A long run samples at the interval of the program; a short one samples at once (Ctrl-R).
        if self.at_once {
            self.terminal.send("\x12");
        }
        self.terminal.wait_for("the new value", |text| text.contains(&sign));
    }
}

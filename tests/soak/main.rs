//! The real binary for a long time, with everything going on: what it holds (descriptors, threads,
//! memory) is the same at the end as it was once it was warm.
//!
//! `cargo test` runs a few hundred steps of it; `DOOMTOP_SOAK_MINUTES=60 cargo test --test soak` goes on
//! for so long, with a line a minute. A step is a look that was seen: a new value of
//! `/proc/PID/oom_score_adj` of an own child stands on the screen.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test says what it expects")]

mod company;
mod held;
#[allow(dead_code, reason = "the soak needs only part of it")]
#[path = "../pty/terminal.rs"]
mod terminal;

use std::env;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use company::Company;
use held::Held;
use terminal::Terminal;

/// Steps of an ordinary test run, and how many of them warm it up.
const STEPS: u64 = 300;
const WARM: u64 = 100;

/// What may be more at the end of an ordinary run, in KiB: the allocator keeps pages of its own, and
/// what grows with each look would be many times this after an hour.
const MORE_KIB: u64 = 4096;

/// What is typed between two steps, in turn: how a page is opened, what it shows and the table does not,
/// and how it is left; `@` is the pid of the one that lives as long as all. An escape is a key only where nothing comes right behind it, so each is waited for.
const KEYS: &[(&str, &str, &str)] = &[
    ("\x1b[B\x1b[B\x1b[A", "", ""),
    ("?\x1b[6~", "keys and columns", "\x1b"),
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
        Some(company::WORD) => company::live(),
        // What asks for a list of tests gets none.
        Some("--list") => ExitCode::SUCCESS,
        _ => soak(),
    }
}

/// For how long; a number of steps where nobody says.
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
        let mut most = Held::default();
        while !over(soak, share) {
            soak.step();
            most = most.or(Held::of(soak.terminal.pid()));
            let minute = begun.elapsed().as_secs() / 60;
            if minutes.is_some() && minute > said {
                said = minute;
                println!("soak: minute {minute}, {} looks: {}", soak.steps, soak.held());
            }
        }
        most
    };
    let warm = run(&mut soak, 1);
    println!("soak: warm after {} looks: {warm}", soak.steps);
    run(&mut soak, 3);
    // Right now a file may be open that is not, a look later.
    let fits = |now: &Held| now.files <= warm.files && now.left == 0 && now.threads == warm.threads;
    let mut now = soak.held();
    for _ in 0..50 {
        if fits(&now) {
            break;
        }
        soak.step();
        now = soak.held();
    }
    println!(
        "soak: {} looks, {} children, {} keys: {now}",
        soak.steps, soak.company.came, soak.keys
    );
    assert_eq!(soak.terminal.quit(), 0, "it ends as ever");
    let memory = now.resident <= warm.resident + MORE_KIB && now.data <= warm.data + MORE_KIB;
    if fits(&now) && memory {
        return ExitCode::SUCCESS;
    }
    println!("soak: FAILED: it was {warm}, and is {now}");
    ExitCode::FAILURE
}

/// The program in its terminal, and those that it looks at.
struct Soak {
    terminal: Terminal,
    company: Company,
    at_once: bool,
    steps: u64,
    keys: u64,
}

impl Soak {
    fn start(at_once: bool) -> Self {
        let company = Company::start();
        let filter = company.filter();
        let columns = "--columns=pid,oom_score_adj,rss,badness,command";
        let arguments = ["-d", "0.1", &filter, "--sort=pid", columns];
        let terminal = Terminal::run_as(120, 40, &arguments, &[]);
        terminal.wait_for("the table", |text| text.contains("BADNESS"));
        Self { terminal, company, at_once, steps: 0, keys: 0 }
    }

    /// What it holds now.
    fn held(&self) -> Held {
        Held::of(self.terminal.pid())
    }

    /// Goes to a page, and back to the table.
    fn type_something(&mut self, nth: usize) {
        let (open, shows, close) = KEYS[nth];
        let open = &open.replace('@', &self.company.eldest().to_string());
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

    /// Something is typed, somebody grows, comes or goes, and a look later it is on the screen.
    fn step(&mut self) {
        self.steps += 1;
        if self.steps.is_multiple_of(4) {
            self.type_something((self.steps / 4) as usize % KEYS.len());
        }
        if self.steps.is_multiple_of(50) {
            let (width, height) = [(80, 24), (200, 60), (120, 40)][(self.steps / 50) as usize % 3];
            self.terminal.resize(width, height);
        }
        self.company.live_on();
        let sign = self.company.mark(self.steps);
        // Whoever soaks for long looks at the pace of the program.
        if self.at_once {
            self.terminal.send("\x12");
        }
        self.terminal.wait_for("the new value", |text| text.contains(&sign));
    }
}

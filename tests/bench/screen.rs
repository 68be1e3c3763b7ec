//! What a refresh on the screen costs: doomtop with each sampler and `top`, each in a terminal of 120x40 with a
//! refresh every second, at the same time, among sleeping processes. Results are CPU milliseconds per refresh
//! and resident memory; there is no pass or fail.
//!
//! `cargo bench --bench screen` (1,000, 3,000 and 10,000 sleepers); `cargo bench --bench screen -- 500` for another
//! number.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a bench says what it expects")]

#[allow(dead_code, reason = "the bench needs only part of it")]
#[path = "../pty/terminal.rs"]
mod terminal;

use std::fs;
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use terminal::Terminal;

/// Time for the first samples, which read everything.
const WARM_UP: Duration = Duration::from_secs(6);
/// Time that is measured.
const MEASURED: Duration = Duration::from_secs(20);

/// Sleeping processes, killed at the end.
struct Sleepers(Vec<Child>);

impl Sleepers {
    /// Starts more until there are `count`.
    fn reach(&mut self, count: usize) {
        while self.0.len() < count {
            let mut command = Command::new("sleep");
            command.arg("100000").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            self.0.push(command.spawn().expect("a sleeping process"));
        }
    }
}

impl Drop for Sleepers {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
        }
        for child in &mut self.0 {
            let _ = child.wait();
        }
    }
}

/// CPU time in milliseconds of all threads of a process (`/proc/PID/schedstat` has only one of them).
fn cpu_ms(pid: i32) -> Option<f64> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    let times = threads.flatten().filter_map(|thread| {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok()
    });
    Some(times.sum::<f64>() / 1e6)
}

fn resident_mib(pid: i32) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find(|line| line.starts_with("VmRSS:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}

/// A program in a terminal.
struct Runner {
    name: &'static str,
    terminal: Terminal,
    before: f64,
}

impl Runner {
    fn new(name: &'static str, terminal: Terminal) -> Self {
        Self { name, terminal, before: 0.0 }
    }

    fn pid(&self) -> i32 {
        i32::try_from(self.terminal.pid()).expect("a pid")
    }
}

fn runners() -> Vec<Runner> {
    let doomtop = |sampler| Terminal::run_as(120, 40, &["-d", "1", "--sampler", sampler], &[]);
    let mut all = vec![
        Runner::new("doomtop --sampler bpf", doomtop("bpf")),
        Runner::new("doomtop --sampler proc", doomtop("proc")),
    ];
    if Command::new("top").arg("-v").stdout(Stdio::null()).status().is_ok() {
        all.push(Runner::new("top", Terminal::start_program(120, 40, &["top", "-d", "1"])));
    }
    all
}

fn measure(processes: usize) {
    let mut runners = runners();
    sleep(WARM_UP);
    for runner in &mut runners {
        runner.before = cpu_ms(runner.pid()).unwrap_or(f64::NAN);
    }
    let begun = Instant::now();
    sleep(MEASURED);
    let refreshes = begun.elapsed().as_secs_f64();
    let results: Vec<(&str, f64, f64)> = runners
        .iter()
        .map(|runner| {
            let spent = cpu_ms(runner.pid()).unwrap_or(f64::NAN) - runner.before;
            (runner.name, spent / refreshes, resident_mib(runner.pid()).unwrap_or(f64::NAN))
        })
        .collect();
    let top = results.iter().find(|(name, ..)| *name == "top").map_or(f64::NAN, |it| it.1);
    let mut out = std::io::stdout().lock();
    for (name, cost, resident) in results {
        let _ = writeln!(
            out,
            "{processes:>6} processes  {name:<24} {cost:8.2} ms a refresh  {:5.2} of top  {resident:6.1} MiB resident",
            cost / top
        );
    }
    for mut runner in runners {
        runner.terminal.send("q");
        runner.terminal.end();
    }
}

fn main() {
    let mut counts: Vec<usize> =
        std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    if counts.is_empty() {
        counts = vec![1000, 3000, 10_000];
    }
    let mut sleepers = Sleepers(Vec::new());
    for count in counts {
        sleepers.reach(count);
        let pids = fs::read_dir("/proc").expect("/proc").flatten();
        let pids = pids.filter(|entry| entry.file_name().to_string_lossy().parse::<u32>().is_ok());
        measure(pids.count());
    }
}

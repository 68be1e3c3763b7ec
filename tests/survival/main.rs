//! The proof that doomtop stays alive and answers while memory is short, beside htop, top and btop: each owns a
//! terminal, all at the same time, and what arrives there is timed.
//!
//! `cargo test --test survival` runs no load: it proves only that the measurement works here. In a guest that
//! `tests/survival/guest` boots, `survival __watch SCENARIO SECONDS` puts the machine under a load and prints one
//! line of JSON for each monitor.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test says what it expects")]

mod load;
mod monitor;
mod waits;

use std::env;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use load::{Load, SCENARIOS, Scenario};
use monitor::{MONITORS, Monitor, watch};
use waits::Waits;

/// The first argument of a guest's run. No filter of `cargo test` looks like it.
const WATCH: &str = "__watch";

/// Time without a load before it, until every monitor is warm.
const WARM_UP: Duration = Duration::from_secs(20);

/// How long the monitors are watched on a machine without a load.
const SHORT: Duration = Duration::from_secs(8);

/// How often the clock that is the floor looks.
const TICK: Duration = Duration::from_millis(20);

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [load::WORD, kind, size] => load::live(kind, size.parse().expect("a size")),
        ["__table", lines] => table(lines),
        [WATCH, scenario, seconds] => {
            guest(scenario, Duration::from_secs(seconds.parse().expect("seconds")))
        }
        _ => here(),
    }
}

/// The longest time for which a thread with locked memory did not run: nobody can answer faster.
struct FloorClock {
    longest_us: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl FloorClock {
    fn start() -> Self {
        let (longest_us, over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (longest, ends) = (Arc::clone(&longest_us), Arc::clone(&over));
        let work = move || {
            let mut last = Instant::now();
            while !ends.load(Ordering::Relaxed) {
                thread::park_timeout(TICK);
                let now = Instant::now();
                let gap = u64::try_from((now - last).as_micros()).unwrap_or(u64::MAX);
                longest.fetch_max(gap, Ordering::Relaxed);
                last = now;
            }
        };
        let thread = Some(thread::spawn(work));
        Self { longest_us, over, thread }
    }

    fn end(mut self) -> Duration {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            thread.join().expect("the clock ends");
        }
        Duration::from_micros(self.longest_us.load(Ordering::Relaxed))
    }
}

/// A load that another thread starts: while a thousand processes start, the terminals are read.
struct RunningLoad {
    ends: Option<Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl RunningLoad {
    fn start(scenario: &'static Scenario) -> Self {
        let (ends, end) = channel::<()>();
        // A process of the load ends with the thread that started it, so this one stays until the end.
        let work = move || {
            let load = Load::start(scenario);
            let _ = end.recv();
            drop(load);
        };
        Self { ends: Some(ends), thread: Some(thread::spawn(work)) }
    }
}

impl Drop for RunningLoad {
    fn drop(&mut self) {
        drop(self.ends.take());
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the load ends");
        }
    }
}

/// Watches the monitors under a load.
fn guest(scenario: &str, span: Duration) -> ExitCode {
    let Some(scenario) = SCENARIOS.iter().find(|it| it.name == scenario) else {
        println!("BROKEN no scenario {scenario}");
        return ExitCode::FAILURE;
    };
    // The judge itself must survive, and keep its pages.
    std::fs::write("/proc/self/oom_score_adj", "-1000").expect("a guest of its own, as root");
    let all =
        nix::sys::mman::MlockAllFlags::MCL_CURRENT | nix::sys::mman::MlockAllFlags::MCL_FUTURE;
    nix::sys::mman::mlockall(all).expect("to stay in memory");
    let home = tempfile::tempdir().expect("a folder");
    let mut monitors = started(scenario.group, home.path());
    watch(&mut monitors, WARM_UP, &|_, _| ());
    monitors.iter_mut().for_each(Monitor::begin);
    let floor = FloorClock::start();
    let load = RunningLoad::start(scenario);
    let waits = Waits::start();
    watch(&mut monitors, span, &|name, pid| {
        // What the others wait for is theirs to know.
        if name.starts_with("doomtop") {
            waits.look(name, pid);
        }
    });
    // Ending the load takes long, and nobody reads the terminals meanwhile.
    monitors.iter_mut().for_each(Monitor::end);
    let floor = floor.end();
    drop(load);
    println!("FLOOR {} {:.1}", scenario.name, floor.as_secs_f64());
    for monitor in &monitors {
        println!("{}", monitor.line(scenario.name, span));
    }
    for line in waits.end() {
        println!("WAITS {line}");
    }
    ExitCode::SUCCESS
}

/// Prints the lines of guests as a table.
fn table(lines: &str) -> ExitCode {
    let text = std::fs::read_to_string(lines).expect("the lines");
    println!("| case | monitor | frames | longest gap | slowest key | major faults | end |");
    println!("|---|---|---|---|---|---|---|");
    for line in text.lines() {
        if let Some(floor) = line.strip_prefix("FLOOR ") {
            let (case, seconds) = floor.split_once(' ').expect("a case and seconds");
            println!("| {case} | a locked clock | | {seconds} s | | | |");
            continue;
        }
        let row: serde_json::Value = serde_json::from_str(line).expect("a line");
        let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        let number = |key: &str| row[key].to_string();
        let end = match text("end").as_str() {
            "alive" => "alive".to_owned(),
            how => format!("{how} after {} s", number("lived_s")),
        };
        println!(
            "| {} | {} | {} | {} s | {} s | {} | {end} |",
            text("scenario"),
            text("monitor"),
            number("frames"),
            number("longest_gap_s"),
            number("slowest_key_s"),
            number("major_faults")
        );
    }
    ExitCode::SUCCESS
}

/// Those monitors that are installed, each in a terminal.
fn started(group: Option<&str>, home: &Path) -> Vec<Monitor> {
    let config = home.join(".config/btop");
    std::fs::create_dir_all(&config).expect("a folder");
    std::fs::write(config.join("btop.conf"), "update_ms = 1000\n").expect("a file");
    MONITORS.iter().filter_map(|program| Monitor::start(program, group, home)).collect()
}

/// Proves that frames, keys and ends are seen, without a load.
fn here() -> ExitCode {
    let home = tempfile::tempdir().expect("a folder");
    let mut monitors = started(None, home.path());
    watch(&mut monitors, SHORT / 2, &|_, _| ());
    monitors.iter_mut().for_each(Monitor::begin);
    let floor = FloorClock::start();
    watch(&mut monitors, SHORT, &|_, _| ());
    let floor = floor.end();
    println!(
        "survival: no load; a locked clock stood still for {:.3} s at most",
        floor.as_secs_f64()
    );
    monitors.iter_mut().for_each(Monitor::end);
    let mut wrong = Vec::new();
    for monitor in &monitors {
        println!("survival: {}", monitor.line("none", SHORT));
        let seen = &monitor.seen;
        if seen.frames < 3 || seen.keys == 0 || monitor.ended() {
            wrong.push(monitor.name);
        }
    }
    if !monitors.iter().any(|it| it.name == "doomtop") {
        wrong.push("doomtop did not start");
    }
    // An end is seen as well.
    for monitor in &mut monitors {
        monitor.kill();
        let end = Instant::now() + Duration::from_secs(30);
        while !monitor.ended() && Instant::now() < end {
            watch(std::slice::from_mut(monitor), TICK, &|_, _| ());
        }
        if !monitor.ended() {
            wrong.push("an end was not seen");
        }
    }
    println!("survival: the load itself runs in guests: tests/survival/guest");
    if wrong.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("survival: FAILED: {}", wrong.join(", "));
    ExitCode::FAILURE
}

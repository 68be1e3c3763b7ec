//! What a refresh on the screen costs: doomtop with each sampler and `top`, each in a terminal of 120x40 with a
//! refresh every second, at the same time, among sleeping processes. Results are CPU milliseconds per refresh,
//! resident memory with that of children, the longest time between two refreshes, and the time from a key press to the
//! changed screen; then the CPU time of a refresh of `-b` and `--json`, beside `top -b`. Before that, what doomtop takes
//! on an idle machine: 300 sleepers, a refresh every two seconds. There is no pass or fail.
//!
//! Two more processes hold 256 MiB each: on a machine on which memory matters, most processes are far from being
//! chosen, and the `/proc` sampler reads idle ones of these less often.
//!
//! A loop of the lowest priority keeps each CPU awake. Without it, each refresh would begin on a CPU that has slept
//! for most of a second, whose clock rises only during the refresh: short refreshes then seem to cost up to three
//! times as much as they do, long ones little more.
//!
//! `cargo bench --bench screen` (1,000, 3,000 and 10,000 sleepers); `cargo bench --bench screen -- 500` for another
//! number (30,000 need 8 GiB and fit the usual `pid_max` of 32,768 of small machines only just); `-- 500 300` measures for
//! 300 seconds, `-- 0` only the idle machine. `DOOMTOP=FILE` measures another program, such as the one that packages ship.

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
/// Time that is measured, unless another one is asked for.
const MEASURED: Duration = Duration::from_secs(20);
/// Sleepers of the idle machine, the interval between its refreshes, and the time that is measured.
const IDLE: usize = 300;
const IDLE_INTERVAL: &str = "2";
const IDLE_MEASURED: Duration = Duration::from_secs(60);
/// Interval between two looks at a screen.
const LOOK: Duration = Duration::from_millis(10);
/// Number of key presses that are measured, and the time between two: it is no divisor of the refresh interval.
const PRESSES: usize = 60;
const BETWEEN: Duration = Duration::from_millis(73);
/// Numbers of samples that a program prints: the cost of one is the difference, without that of the start.
const PRINTED: [u32; 2] = [2, 12];

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

/// Loops of the lowest priority, one for each CPU; killed at the end.
struct Awake(Vec<Child>);

impl Awake {
    fn start() -> Self {
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        let start = || {
            let mut command = Command::new("nice");
            command.args(["-n", "19", "sh", "-c", "while :; do :; done"]).stdin(Stdio::null());
            command.spawn().expect("a loop")
        };
        Self((0..cpus).map(|_| start()).collect())
    }
}

impl Drop for Awake {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
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

/// Resident memory of a process and its children.
fn resident_mib(pid: i32) -> Option<f64> {
    let children =
        fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let children =
        children.split_whitespace().filter_map(|pid| own_resident_mib(pid.parse().ok()?));
    Some(own_resident_mib(pid)? + children.sum::<f64>())
}

fn own_resident_mib(pid: i32) -> Option<f64> {
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

/// doomtop with each sampler.
fn both_samplers(interval: &str) -> Vec<Runner> {
    let doomtop = |sampler| Terminal::run_as(120, 40, &["-d", interval, "--sampler", sampler], &[]);
    vec![
        Runner::new("doomtop --sampler bpf", doomtop("bpf")),
        Runner::new("doomtop --sampler proc", doomtop("proc")),
    ]
}

fn runners() -> Vec<Runner> {
    let mut all = both_samplers("1");
    if Command::new("top").arg("-V").stdout(Stdio::null()).status().is_ok() {
        all.push(Runner::new("top", Terminal::start_program(120, 40, &["top", "-d", "1"])));
    }
    all
}

/// The longest time in milliseconds in which each screen did not change: every refresh changes at least the clock.
fn longest_gaps_ms(runners: &[Runner], measured: Duration) -> Vec<f64> {
    let begun = Instant::now();
    let mut seen: Vec<(String, Instant, Duration)> =
        runners.iter().map(|it| (it.terminal.text(), begun, Duration::ZERO)).collect();
    while begun.elapsed() < measured {
        sleep(LOOK);
        for (runner, (text, since, longest)) in runners.iter().zip(&mut seen) {
            *longest = (*longest).max(since.elapsed());
            let now = runner.terminal.text();
            if now != *text {
                (*text, *since) = (now, Instant::now());
            }
        }
    }
    seen.iter().map(|(.., longest)| longest.as_secs_f64() * 1e3).collect()
}

/// The milliseconds from a key press to the changed screen: half of all presses, 99 of 100, the longest.
fn key_ms(runner: &mut Runner) -> [f64; 3] {
    let help = "Esc closes";
    let mut times: Vec<f64> = Vec::new();
    for press in 0..PRESSES {
        sleep(BETWEEN);
        let (key, opens) = if press % 2 == 0 { ("?", true) } else { ("\x1b", false) };
        let begun = Instant::now();
        runner.terminal.send(key);
        runner.terminal.wait_for("the changed screen", |text| text.contains(help) == opens);
        times.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
    [at(50), at(99), at(100)]
}

/// The CPU milliseconds of one more sample of a program that prints so many.
fn printed_ms(program: &str, arguments: &[&str]) -> Option<f64> {
    let spent = PRINTED.map(|count| {
        let before = children_ms()?;
        let mut command = Command::new(program);
        command.args(arguments).arg(count.to_string()).env("COLUMNS", "160");
        let status =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.ok().filter(std::process::ExitStatus::success)?;
        Some(children_ms()? - before)
    });
    Some((spent[1]? - spent[0]?) / f64::from(PRINTED[1] - PRINTED[0]))
}

/// CPU milliseconds of all children that have ended.
fn children_ms() -> Option<f64> {
    let usage =
        nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_CHILDREN).ok()?;
    let ms =
        |time: nix::sys::time::TimeVal| time.tv_sec() as f64 * 1e3 + time.tv_usec() as f64 / 1e3;
    Some(ms(usage.user_time()) + ms(usage.system_time()))
}

fn measure_printed(processes: usize) {
    let program = terminal::program();
    let program = program.to_str().expect("a path");
    let top = printed_ms("top", &["-b", "-d", "0.2", "-n"]).unwrap_or(f64::NAN);
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{processes:>6} processes  {:<24} {top:8.2} ms a refresh", "top -b");
    for sampler in ["bpf", "proc"] {
        for format in ["-b", "--json"] {
            let arguments = [format, "--sampler", sampler, "-d", "0.2", "-n"];
            let cost = printed_ms(program, &arguments).unwrap_or(f64::NAN);
            let name = format!("{format} --sampler {sampler}");
            let _ = writeln!(
                out,
                "{processes:>6} processes  {name:<24} {cost:8.2} ms a refresh  {:5.2} of top -b",
                cost / top
            );
        }
    }
}

fn measure(processes: usize, measured: Duration) {
    let mut runners = runners();
    sleep(WARM_UP);
    for runner in &mut runners {
        runner.before = cpu_ms(runner.pid()).unwrap_or(f64::NAN);
    }
    let begun = Instant::now();
    sleep(measured);
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
    // Looking at the screens costs this process time, so it is not done while theirs is measured.
    let gaps = longest_gaps_ms(&runners, measured);
    for (runner, gap) in runners.iter().zip(gaps) {
        let name = runner.name;
        let _ = writeln!(
            out,
            "{processes:>6} processes  {name:<24} longest time between two refreshes: {gap:.0} ms"
        );
    }
    for runner in runners.iter_mut().filter(|it| it.name.starts_with("doomtop")) {
        let [half, most, longest] = key_ms(runner);
        let _ = writeln!(
            out,
            "{processes:>6} processes  {:<24} key to changed screen: {half:.1} ms, 99 of 100 {most:.1} ms, \
             longest {longest:.1} ms",
            runner.name
        );
    }
    drop(out);
    for mut runner in runners {
        runner.terminal.send("q");
        runner.terminal.end();
    }
    measure_printed(processes);
}

/// The share of a CPU that doomtop takes on an idle machine.
fn measure_idle(processes: usize) {
    let mut runners = both_samplers(IDLE_INTERVAL);
    sleep(WARM_UP);
    for runner in &mut runners {
        runner.before = cpu_ms(runner.pid()).unwrap_or(f64::NAN);
    }
    let begun = Instant::now();
    sleep(IDLE_MEASURED);
    let measured = begun.elapsed().as_secs_f64() * 1e3;
    let mut out = std::io::stdout().lock();
    for mut runner in runners {
        let spent = cpu_ms(runner.pid()).unwrap_or(f64::NAN) - runner.before;
        let (name, share) = (runner.name, spent / measured * 100.0);
        let _ = writeln!(
            out,
            "{processes:>6} processes  {name:<24} -d {IDLE_INTERVAL}: {share:.2} % of a CPU"
        );
        runner.terminal.send("q");
        runner.terminal.end();
    }
}

/// The number of processes that `/proc` lists.
fn processes() -> usize {
    let pids = fs::read_dir("/proc").expect("/proc").flatten();
    pids.filter(|entry| entry.file_name().to_string_lossy().parse::<u32>().is_ok()).count()
}

/// The argument with which the bench starts itself to hold memory.
const HOLD: &str = "--hold";
/// Bytes that each of the two holds.
const HELD: usize = 256 << 20;

fn hold() -> Sleepers {
    let start = || {
        let own = std::env::current_exe().expect("the path of the bench");
        Command::new(own)
            .arg(HOLD)
            .stdin(Stdio::null())
            .spawn()
            .expect("a process that holds memory")
    };
    Sleepers(vec![start(), start()])
}

fn main() {
    if std::env::args().any(|argument| argument == HOLD) {
        let held = vec![1_u8; HELD];
        std::hint::black_box(&held);
        loop {
            std::thread::park();
        }
    }
    let numbers: Vec<usize> =
        std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let (counts, measured) = match numbers[..] {
        [] => (vec![1000, 3000, 10_000], MEASURED),
        [0] => (vec![], MEASURED),
        [count] => (vec![count], MEASURED),
        [count, seconds, ..] => (vec![count], Duration::from_secs(seconds as u64)),
    };
    let mut sleepers = Sleepers(Vec::new());
    let _awake = Awake::start();
    let _held = hold();
    if matches!(numbers[..], [] | [0]) {
        sleepers.reach(IDLE);
        measure_idle(processes());
    }
    for count in counts {
        sleepers.reach(count);
        measure(processes(), measured);
    }
}

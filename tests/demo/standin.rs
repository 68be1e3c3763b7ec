//! Stand-ins for the services of the demo's load test: real processes with the names of other programs,
//! which hold real memory by a plan. It does not use doomtop; `tests/demo/run` compiles it alone.
//!
//! `standin play PLAN SETTLE` creates the cgroups, starts the processes of the plan, starts killed ones
//! again, and runs the commands of the plan; second 0 of the plan is SETTLE seconds after the start.
//! `standin live …` is one process.

use std::collections::VecDeque;
use std::fs;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitCode};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const PAGE: usize = 4096;
/// Bytes that are allocated or freed at once.
const CHUNK: usize = 1 << 20;
/// Interval at which a stand-in follows its plan.
const BEAT: Duration = Duration::from_millis(200);
/// Seconds until a killed service is started again, as systemd's RestartSec.
const RESTART: f64 = 4.0;

/// Seconds of the wall clock, which nothing sets in the guest.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |past| past.as_secs_f64())
}

/// Fills a quarter of a page with random words, so that it is compressible, but not trivially.
fn fill(page: &mut [u8], seed: &mut u64) {
    for word in page[..PAGE / 4].chunks_exact_mut(8) {
        *seed =
            seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        word.copy_from_slice(&seed.to_le_bytes());
    }
}

/// Megabytes at a time after the start: linear between the points `SECONDS:MEGABYTES`.
fn wanted(curve: &[(f64, f64)], at: f64) -> f64 {
    let mut before = curve[0];
    for &point in curve {
        if at < point.0 {
            let along = (at - before.0) / (point.0 - before.0).max(0.001);
            return before.1 + (point.1 - before.1) * along.max(0.0);
        }
        before = point;
    }
    before.1
}

fn curve(text: &str) -> Vec<(f64, f64)> {
    text.split(',')
        .map(|point| match point.split_once(':') {
            Some((at, size)) => (at.parse().expect("seconds"), size.parse().expect("megabytes")),
            None => (0.0, point.parse().expect("megabytes")),
        })
        .collect()
}

/// One stand-in: `live BEGIN NAME ADJ THREADS HOT END CURVE`.
fn live(words: &[String]) {
    let begin: f64 = words[0].parse().expect("a time");
    fs::write("/proc/self/comm", &words[1]).expect("its name");
    let threads: u32 = words[3].parse().expect("threads");
    let hot: f64 = words[4].parse().expect("a share");
    let end: f64 = words[5].parse().expect("an end");
    let curve = curve(&words[6]);
    for _ in 1..threads {
        thread::Builder::new()
            .stack_size(32 << 10)
            .spawn(|| {
                loop {
                    thread::park();
                }
            })
            .expect("a thread");
    }
    let mut seed = u64::from(std::process::id());
    let mut chunks: VecDeque<Vec<u8>> = VecDeque::new();
    loop {
        let at = now() - begin;
        if at >= end {
            return;
        }
        let want = (wanted(&curve, at) * 1e6) as usize / CHUNK;
        // Limited in time: what is missing is allocated in the next interval.
        let began = now();
        while chunks.len() < want && now() - began < 0.5 {
            let mut chunk = vec![0_u8; CHUNK];
            chunk.chunks_exact_mut(PAGE).for_each(|page| fill(page, &mut seed));
            chunks.push_back(chunk);
        }
        chunks.truncate(want.max(1));
        // The part in use is touched; the rest may be swapped out.
        let busy = (chunks.len() as f64 * hot) as usize;
        for chunk in chunks.iter_mut().take(busy) {
            chunk.chunks_exact_mut(PAGE).for_each(|page| page[0] = page[0].wrapping_add(1));
        }
        thread::sleep(BEAT);
    }
}

struct Part {
    start: f64,
    end: f64,
    cgroup: String,
    user: u32,
    adj: i32,
    name: String,
    threads: String,
    hot: String,
    curve: String,
    again: Option<String>,
    child: Option<Child>,
    /// When it is started again.
    due: Option<f64>,
}

impl Part {
    fn read(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let mut word = || words.next().expect("a word of the plan").to_owned();
        if line.trim().is_empty() || line.starts_with(['#', '@', '!']) {
            return None;
        }
        let span = word();
        let (start, end) = span.split_once('-').expect("FROM-TO");
        let end = if end.is_empty() { "1e9" } else { end };
        Some(Self {
            // A process that is there at second 0 was there before.
            start: start.parse().map(|at| if at == 0.0 { -1e9 } else { at }).expect("a start"),
            end: end.parse().expect("an end"),
            cgroup: word(),
            user: word().parse().expect("a uid"),
            adj: word().parse().expect("an adj"),
            name: word(),
            threads: word(),
            hot: word(),
            curve: word(),
            again: Some(word()).filter(|again| again != "-"),
            child: None,
            due: None,
        })
    }

    fn is_due(&self, at: f64) -> bool {
        self.due.map_or(at >= self.start && at < self.end, |due| at >= due)
    }

    fn begin(&mut self, begin: f64) {
        let procs = format!("/sys/fs/cgroup/{}/cgroup.procs", self.cgroup);
        let (own, adj) = ("/proc/self/oom_score_adj", self.adj.to_string());
        // The child inherits the cgroup, and an adj that it may not set itself.
        fs::write(&procs, "0").unwrap_or_else(|error| panic!("{procs}: {error}"));
        fs::write(own, &adj).expect("an adj");
        let child = Command::new("/bin/standin")
            .arg0(&self.name)
            .args(["live", &format!("{begin:.3}"), &self.name, &adj, &self.threads, &self.hot])
            .args([&format!("{:.1}", self.end), &self.curve])
            .uid(self.user)
            .gid(self.user)
            .spawn();
        fs::write(own, "-1000").expect("an adj");
        fs::write("/sys/fs/cgroup/init.scope/cgroup.procs", "0").expect("its cgroup");
        self.child = Some(child.expect("a stand-in"));
    }
}

fn play(plan: &str, settle: &str) {
    let text = fs::read_to_string(plan).expect("the plan");
    let mut parts: Vec<Part> = text.lines().filter_map(Part::read).collect();
    for part in &parts {
        let mut path = "/sys/fs/cgroup".to_owned();
        for piece in part.cgroup.split('/') {
            let _ = fs::write(format!("{path}/cgroup.subtree_control"), "+memory +pids");
            path = format!("{path}/{piece}");
            let _ = fs::create_dir(&path);
        }
    }
    // `@ CGROUP FILE VALUE` sets a limit.
    for line in text.lines().filter_map(|line| line.strip_prefix("@ ")) {
        let words: Vec<&str> = line.split_whitespace().collect();
        fs::write(format!("/sys/fs/cgroup/{}/{}", words[0], words[1]), words[2]).expect("a limit");
    }
    let mut commands: VecDeque<(f64, &str)> = text
        .lines()
        .filter_map(|line| line.strip_prefix("! ")?.split_once(' '))
        .map(|(at, command)| (at.parse().expect("seconds"), command))
        .collect();
    let begin = now() + settle.parse::<f64>().expect("seconds");
    loop {
        let at = now() - begin;
        if let Some((_, command)) = commands.pop_front_if(|(due, _)| at >= *due) {
            // It does not wait for the end: the plan goes on.
            let _ = Command::new("/bin/sh").args(["-c", command]).spawn();
        }
        for part in &mut parts {
            if part.child.is_none() && part.is_due(at) {
                if part.due.take().is_some() {
                    part.curve = part.again.take().expect("its size after a restart");
                }
                part.start = f64::INFINITY;
                part.begin(begin);
            }
            let Some(child) = &mut part.child else { continue };
            if let Ok(Some(status)) = child.try_wait() {
                part.child = None;
                if status.signal().is_some() && part.again.is_some() {
                    part.due = Some(now() - begin + RESTART);
                }
            }
        }
        thread::sleep(Duration::from_millis(50));
    }
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().collect();
    match words.get(1).map(String::as_str) {
        Some("play") => play(&words[2], &words[3]),
        Some("live") => live(&words[2..]),
        _ => return ExitCode::from(2),
    }
    ExitCode::SUCCESS
}

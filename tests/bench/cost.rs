//! CPU cost of a refresh: doomtop samples, ranks and draws N sleeping processes, compared with `top -b` on
//! the same processes in the same run. Results are ratios and CPU time; there is no pass or fail.
//!
//! `cargo bench --bench cost` (1,000 sleepers); `cargo bench --bench cost -- 10000` for another number.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a bench says what it expects")]

#[allow(dead_code, reason = "the bench needs only part of it")]
#[path = "../pty/terminal.rs"]
mod terminal;

use std::io::{Sink, Write, sink};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use doomtop::app::{ActingMode, App, Msg, Setup};
use doomtop::columns::COLUMNS;
use doomtop::forecast::killer_verdict::opinions;
use doomtop::model::{Needs, ProcId, Reading, Scene, Snapshot, Text};
use doomtop::policy::site::SiteRule;
use doomtop::policy::{self, POLICIES, Policy};
use doomtop::rank::Ranking;
use doomtop::rows::filter::Filter;
use doomtop::sample::proc_root::ProcRoot;
use doomtop::source::{LiveSource, ScanPatience, Source};
use doomtop::ui::click_areas::ClickAreas;
use doomtop::ui::{self, Theme};
use doomtop::units::Millis;
use nix::sys::resource::{UsageWho, getrusage};
use ratatui::backend::CrosstermBackend;
use terminal::Terminal;

/// Number of measured refreshes, after two for the warm-up.
const REFRESHES: u32 = 10;
/// Number of rounds, doomtop and top in turn; the median is printed.
const ROUNDS: usize = 5;
/// Number of processes that site policies rank.
const MANY: usize = 10_000;

/// Sleeping processes, killed at the end.
struct Sleepers(Vec<Child>);

impl Sleepers {
    fn start(count: usize) -> Self {
        let mut all = Self(Vec::with_capacity(count));
        for _ in 0..count {
            let mut command = Command::new("sleep");
            command.arg("100000").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            all.0.push(command.spawn().expect("a sleeping process"));
        }
        all
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

/// User and system time in microseconds.
fn spent(who: UsageWho) -> f64 {
    let usage = getrusage(who).expect("own usage");
    let micros = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 * 1e6 + time.tv_usec() as f64;
    micros(usage.user_time()) + micros(usage.system_time())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The whole loop with every column on a terminal of 200x60, drawn to a sink.
struct Whole {
    source: LiveSource,
    app: App,
    terminal: ratatui::Terminal<CrosstermBackend<Sink>>,
    theme: Theme,
    areas: ClickAreas,
}

impl Whole {
    fn start() -> Self {
        let root = ProcRoot::open(Path::new("/proc")).expect("/proc");
        let setup = Setup {
            own: ProcId::default(),
            acting: ActingMode::NotReal,
            policy: &policy::LINUX,
            scope: Default::default(),
            columns: Some(COLUMNS.iter().collect()),
            filter: Filter::default(),
            sort: None,
            delay: Millis(2000),
            utc_offset: 0,
            live: true,
        };
        let viewport = ratatui::Viewport::Fixed(ratatui::layout::Rect::new(0, 0, 200, 60));
        let options = ratatui::TerminalOptions { viewport };
        Self {
            source: LiveSource::start(root, ScanPatience::Forever).expect("a live machine"),
            app: App::new(setup),
            terminal: ratatui::Terminal::with_options(CrosstermBackend::new(sink()), options)
                .expect("a terminal"),
            theme: Theme::default(),
            areas: ClickAreas::default(),
        }
    }

    fn refresh(&mut self) {
        let spent = self.app.take_spent();
        let snapshot: Arc<Snapshot> =
            self.source.sample(&self.app.needs(), spent).expect("a sample");
        self.app.update(Msg::Sampled(snapshot));
        let mut viewport = self.app.display.viewport;
        self.terminal
            .draw(|frame| viewport = ui::draw(&self.app, &self.theme, &mut self.areas, frame))
            .expect("a picture");
        self.app.update(Msg::Drawn(viewport, Millis(0)));
    }
}

fn top(refreshes: u32) -> Option<f64> {
    let before = spent(UsageWho::RUSAGE_CHILDREN);
    let status = Command::new("top")
        .args(["-b", "-d", "0.01", "-n", &refreshes.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .ok()?;
    status.success().then(|| spent(UsageWho::RUSAGE_CHILDREN) - before)
}

/// Resident memory of the real binary on a screen of 200x60, in KiB, after a few refreshes.
fn footprint() -> Option<u64> {
    let mut terminal = Terminal::run(200, 60, &[]);
    terminal.wait_for("the ranking", |text| text.contains(" 1>"));
    // The clock of the header is that of the sample: five seconds are a dozen refreshes or more.
    for _ in 0..5 {
        let clock = |text: &str| text.lines().next().map(str::to_owned);
        let before = clock(&terminal.text());
        terminal.wait_for("the next second", |text| clock(text) != before);
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", terminal.pid())).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib = line.split_whitespace().nth(1)?.parse().ok();
    terminal.send("q");
    terminal.end();
    kib
}

/// A scene of `count` processes like those of the sample, each in a cgroup of its own, with two samples.
fn crowd(sample: &Snapshot, count: usize) -> Scene {
    let mut crowd = sample.clone();
    let users: Vec<_> = sample.processes.iter().filter(|one| !one.is_kernel_thread()).collect();
    crowd.processes = (0..count)
        .map(|nth| {
            let mut one = users[nth % users.len()].clone();
            one.id.pid = 1000 + nth as i32;
            let path = format!("/system.slice/bench-{nth}.service");
            one.cgroup = Reading::Value(Arc::new(Text::new(path.as_bytes())));
            one.cmdline = Reading::Value(Arc::new(Text::new("x".repeat(200).as_bytes())));
            one
        })
        .collect();
    let (before, mut now) = (Arc::new(crowd.clone()), crowd);
    now.clock.monotonic_ms = Millis(now.clock.monotonic_ms.0 + 1000);
    Scene::new(Arc::new(now), Some(before))
}

/// CPU milliseconds of the view Verdicts per sample: every policy ranks all processes and names its
/// victim.
fn verdicts(sample: &Snapshot, count: usize) -> f64 {
    let scene = crowd(sample, count);
    let ranking = Ranking::new(&policy::LINUX, &scene);
    let cost = |_| {
        let before = spent(UsageWho::RUSAGE_SELF);
        let all = opinions(POLICIES, &scene, (&policy::LINUX, &ranking));
        assert_eq!(all.len(), POLICIES.len());
        (spent(UsageWho::RUSAGE_SELF) - before) / 1000.0
    };
    median((0..ROUNDS).map(cost).collect())
}

/// CPU milliseconds of ranking 10,000 processes: by the kernel's rule, by the example site policies, by
/// one with as many facts as fit, and by one that exceeds the cost limit.
fn rankings(sample: &Snapshot) -> Vec<(String, f64)> {
    let scene = crowd(sample, MANY);
    let site = |text: &str| -> &'static dyn Policy {
        SiteRule::compile(text, Arc::default()).expect("a rule").leak("bench")
    };
    let mut all: Vec<(String, &'static dyn Policy)> =
        vec![("linux".to_owned(), &policy::LINUX as &'static dyn Policy)];
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/policies");
    let mut files: Vec<_> = std::fs::read_dir(dir)
        .expect("examples")
        .map(|entry| entry.expect("an example").path())
        .collect();
    files.sort();
    for file in files {
        let policy = site(&std::fs::read_to_string(file).expect("an example"));
        all.push((policy.id().to_owned(), policy));
    }
    let steps = format!("p.rss{}", " + p.growth * 2 - p.badness".repeat(22));
    for (name, score) in [
        ("as many facts as fit", steps),
        (
            "a pattern over the cost limit",
            "p.cmdline.matches('(x+x+)+(a|b|c){9}y') ? 1 : 2".to_owned(),
        ),
    ] {
        all.push((name.to_owned(), site(&format!("name = 'x'\nscore = \"{score}\""))));
    }
    let mut ranking = Ranking::default();
    let mut cost = |policy: &dyn Policy| {
        let before = spent(UsageWho::RUSAGE_SELF);
        ranking.update(policy, &scene);
        (spent(UsageWho::RUSAGE_SELF) - before) / 1000.0
    };
    all.into_iter()
        .map(|(name, policy)| (name, median((0..ROUNDS).map(|_| cost(policy)).collect())))
        .collect()
}

fn main() {
    let count = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(1000);
    let sleepers = Sleepers::start(count);
    let processes = std::fs::read_dir("/proc")
        .expect("/proc")
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_string_lossy().parse::<u32>().is_ok())
        .count() as f64;
    let mut whole = Whole::start();
    whole.refresh();
    whole.refresh();
    let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let before = spent(UsageWho::RUSAGE_SELF);
        for _ in 0..REFRESHES {
            whole.refresh();
        }
        let doomtop = (spent(UsageWho::RUSAGE_SELF) - before) / f64::from(REFRESHES) / processes;
        ours.push(doomtop);
        // The difference of two runs leaves out the start of top.
        if let (Some(one), Some(many)) = (top(1), top(1 + REFRESHES)) {
            let top = (many - one) / f64::from(REFRESHES) / processes;
            theirs.push(top);
            ratios.push(doomtop / top);
        }
    }
    let mut out = std::io::stdout().lock();
    let _ = writeln!(
        out,
        "{processes} processes, of them {count} sleepers; {ROUNDS} rounds of {REFRESHES} refreshes, medians"
    );
    let _ = writeln!(
        out,
        "doomtop, all columns, 200x60   {:6.2} us CPU per process and refresh",
        median(ours)
    );
    if theirs.is_empty() {
        let _ = writeln!(out, "top -b                          not installed: no comparison");
    } else {
        let _ = writeln!(
            out,
            "top -b                         {:6.2} us CPU per process and refresh",
            median(theirs)
        );
        let _ = writeln!(out, "ratio doomtop / top            {:6.2}", median(ratios));
    }
    let crowd = whole.source.sample(&Needs::everything(), None).expect("a sample");
    for (name, millis) in rankings(&crowd) {
        let _ = writeln!(out, "ranking {MANY} by {name:<28} {millis:8.2} ms CPU");
    }
    for count in [MANY / 10, MANY] {
        let millis = verdicts(&crowd, count);
        let _ = writeln!(
            out,
            "verdicts on {count:<5} by {} policies {millis:24.2} ms CPU",
            POLICIES.len()
        );
    }
    if let Some(kib) = footprint() {
        let _ = writeln!(
            out,
            "doomtop on a screen, peak      {:6.1} MiB resident",
            kib as f64 / 1024.0
        );
    }
    drop(sleepers);
}

//! CPU cost of the model of the next death on 10,000 processes in 200 limited cgroups, of which some leak, as
//! a share of a whole refresh: reading the processes of this machine, scaled to as many, and ranking and
//! drawing them. There is no pass or fail.
//!
//! `cargo bench --bench model`

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a bench says what it expects")]

use std::io::sink;
use std::path::Path;
use std::sync::Arc;

use doomtop::app::{ActingMode, App, Msg, Setup};
use doomtop::forecast::next_death::DeathForecaster;
use doomtop::model::{
    Cgroup, Cgroups, Comm, Hierarchy, Limit, Needs, ProcId, Process, Reading, Scene, Snapshot, Text,
};
use doomtop::policy;
use doomtop::rows::filter::Filter;
use doomtop::sample::proc_root::ProcRoot;
use doomtop::source::{LiveSource, ScanPatience, Source};
use doomtop::ui::click_areas::ClickAreas;
use doomtop::ui::{self, Theme};
use doomtop::units::{Adj, Bytes, Kib, Millis, Pages, Ticks};
use nix::sys::resource::{UsageWho, getrusage};
use ratatui::backend::CrosstermBackend;

/// Number of processes.
const PROCESSES: u64 = 10_000;
/// Number of limited cgroups.
const CGROUPS: u64 = 200;
/// One cgroup of so many leaks.
const LEAKING: u64 = 5;
/// In it, one process of so many grows.
const GROWING: u64 = 10;
/// Samples before the first that is measured: then there are trends.
const WARM_UP: u64 = 30;
/// Samples that are measured.
const MEASURED: u64 = 30;

/// User and system time of this process in microseconds.
fn spent() -> f64 {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("own usage");
    let micros = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 * 1e6 + time.tv_usec() as f64;
    micros(usage.user_time()) + micros(usage.system_time())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The size of a process at this sample, in pages.
fn size(process: u64, sample: u64) -> u64 {
    let (group, place) = (process % CGROUPS, process / CGROUPS);
    let leaks = group.is_multiple_of(LEAKING) && place.is_multiple_of(GROWING);
    1000 + process % 700 + if leaks { 30 * sample } else { 0 }
}

/// The nth sample of a machine.
fn sample(nth: u64, paths: &[Arc<Text>]) -> Snapshot {
    let process = |at: u64| Process {
        id: ProcId { pid: 1000 + at as i32, born: Ticks(1000) },
        parent: 1,
        comm: Comm::new(format!("service-{}", at % 90).as_bytes()),
        threads: 1,
        has_mm: true,
        adj: Reading::Value(Adj::ZERO),
        rss_stat: Pages(size(at, nth)),
        anon: Reading::Value(Pages(size(at, nth))),
        file: Reading::Value(Pages(200)),
        shmem: Reading::Value(Pages::ZERO),
        swap: Reading::Value(Pages::ZERO),
        pgtables: Reading::Value(Pages(12)),
        cgroup: Reading::Value(Arc::clone(&paths[(at % CGROUPS) as usize])),
        ..Process::default()
    };
    let usage = |group: u64| {
        let members = (0..PROCESSES / CGROUPS).map(|it| size(it * CGROUPS + group, nth));
        Bytes(members.sum::<u64>() * 4096)
    };
    let group = |at: u64| Cgroup {
        path: Arc::clone(&paths[at as usize]),
        limit: Reading::Value(Limit::At(Bytes(400 << 20))),
        usage: Reading::Value(usage(at)),
        reclaimable: Reading::Value(Bytes(8 << 20)),
        ..Cgroup::default()
    };
    let time = Millis(100_000 + nth * 2000);
    let mut sample = Snapshot::default();
    sample.clock.monotonic_ms = time;
    sample.clock.uptime_ticks = Ticks(time.0 / 10);
    sample.memory.total_kib = Kib(256 << 20);
    sample.memory.available_kib = Reading::Value(Kib((100 << 20) - nth * 400_000));
    sample.cgroups = Arc::new(Cgroups {
        hierarchy: Reading::Value(Hierarchy::V2),
        read_ms: time,
        list: (0..CGROUPS).map(group).collect(),
    });
    sample.processes = (0..PROCESSES).map(process).collect();
    sample
}

/// Microseconds of the model for each measured sample, and the largest number of deaths that it told.
fn model(samples: &[Arc<Snapshot>]) -> (f64, usize) {
    let mut forecaster = DeathForecaster::default();
    let mut scene: Option<Scene> = None;
    let (mut costs, mut told) = (Vec::new(), 0);
    for (nth, sample) in samples.iter().enumerate() {
        let scene = match &mut scene {
            Some(scene) => {
                scene.advance(Arc::clone(sample));
                scene
            }
            none => none.insert(Scene::new(Arc::clone(sample), None)),
        };
        let before = spent();
        forecaster.observe(scene);
        let deaths = forecaster.predict(scene);
        if nth as u64 >= WARM_UP {
            costs.push(spent() - before);
            told = told.max(deaths.list.len());
        }
    }
    (median(costs), told)
}

/// Microseconds to rank and draw each measured sample on a screen of 200x60, with the model.
fn screen(samples: &[Arc<Snapshot>]) -> f64 {
    let mut app = App::new(Setup {
        own: ProcId::default(),
        acting: ActingMode::NotReal,
        policy: &policy::LINUX,
        scope: Default::default(),
        columns: None,
        filter: Filter::default(),
        sort: None,
        delay: Millis(2000),
        utc_offset: 0,
        live: true,
    });
    let viewport = ratatui::Viewport::Fixed(ratatui::layout::Rect::new(0, 0, 200, 60));
    let options = ratatui::TerminalOptions { viewport };
    let mut terminal = ratatui::Terminal::with_options(CrosstermBackend::new(sink()), options)
        .expect("a terminal");
    let (theme, mut areas) = (Theme::default(), ClickAreas::default());
    let mut costs = Vec::new();
    for (nth, sample) in samples.iter().enumerate() {
        let before = spent();
        app.update(Msg::Sampled(Arc::clone(sample)));
        let mut viewport = app.display.viewport;
        terminal
            .draw(|frame| viewport = ui::draw(&app, &theme, &mut areas, frame))
            .expect("a picture");
        app.update(Msg::Drawn(viewport, Millis(0)));
        if nth as u64 >= WARM_UP {
            costs.push(spent() - before);
        }
    }
    median(costs)
}

/// Microseconds to read one process of this machine.
fn reading() -> f64 {
    let root = ProcRoot::open(Path::new("/proc")).expect("/proc");
    let mut source = LiveSource::start(root, ScanPatience::Forever).expect("a live machine");
    let needs = Needs { status: true, cgroup: true, ..Needs::default() };
    let mut last = None;
    let mut costs = Vec::new();
    for _ in 0..MEASURED {
        let before = spent();
        let sample = source.sample(&needs, last.take()).expect("a sample");
        costs.push((spent() - before) / sample.processes.len().max(1) as f64);
        last = Some(sample);
    }
    median(costs)
}

fn main() {
    let name = |nth| Arc::new(Text::new(format!("/pods/{nth:03}").as_bytes()));
    let paths: Vec<Arc<Text>> = (0..CGROUPS).map(name).collect();
    let samples: Vec<Arc<Snapshot>> =
        (0..WARM_UP + MEASURED).map(|nth| Arc::new(sample(nth, &paths))).collect();
    let (model, told) = model(&samples);
    assert!(told > 1, "the machine and some cgroups approach their limits");
    let screen = screen(&samples);
    let reading = reading() * PROCESSES as f64;
    println!(
        "{PROCESSES} processes, {CGROUPS} limited cgroups, up to {told} deaths told; medians of {MEASURED} samples"
    );
    println!("the model of the next death    {:9.2} ms CPU", model / 1000.0);
    println!("ranking and drawing, with it   {:9.2} ms CPU", screen / 1000.0);
    println!("reading so many processes      {:9.2} ms CPU (scaled)", reading / 1000.0);
    println!("share of the whole refresh     {:9.2} %", 100.0 * model / (screen + reading));
}

//! The proof of the forecast: what doomtop says 20, 10, 5, 3 and 1 s before a death, and who dies then.
//!
//! One binary is judge, load and test. Run by `cargo test` it provokes a handful of deaths, in memory cgroups
//! of its own only; where it cannot have any, it says why.
//!
//! `DOOMTOP_HORIZON=long` runs until there are enough deaths to compare shares with their targets;
//! `HORIZON_DEATHS` says how many, `HORIZON_AT_ONCE` how many side by side. `HORIZON_SAVE=DIR` keeps what was
//! seen, and `HORIZON_REPLAY=DIR` judges a changed model by the same deaths again; each folder in DIR is a machine
//! of its own. `HORIZON_WRITE=MARKER` puts the table into assets/docs/proof.md. `tests/horizon/guest` lets
//! emulated machines run out of memory, and `tests/horizon/work` watches ordinary work.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test says what it expects")]

#[allow(dead_code, reason = "the proof of the ranking uses all of it")]
#[path = "../oom/cgroup.rs"]
mod cgroup;
mod checks;
#[path = "../oom/clock.rs"]
mod clock;
#[allow(dead_code, reason = "the proof of the ranking uses all of it")]
#[path = "../oom/dice.rs"]
mod dice;
mod document;
mod judge;
#[allow(dead_code, reason = "the proof of the ranking uses all of it")]
#[path = "../oom/kmsg.rs"]
mod kmsg;
mod machine;
mod nest;
mod pattern;
mod report;
mod round;
mod scenario;
mod trace;
mod trial;
mod work;
mod worker;
mod world;

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use dice::Dice;
use judge::{Method, Table};
use kmsg::Kmsg;
use report::{Run, missed, misses, unsteady};
use scenario::{DEADLY, ORDINARY, Scenario, scenario};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use trial::{AFTER, Trial};
use world::World;

/// Deadly trials of a short run.
const SHORT: usize = 8;
/// A round is over after so many microseconds, whatever has not happened by then.
const LONGEST: i64 = 110_000_000;
/// The same in a short run.
const LONGEST_SHORT: i64 = 85_000_000;
/// Deadly trials side by side in a long run.
const AT_ONCE: usize = 14;
/// Deaths of a long run.
const LONG: usize = 120;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some(worker::WORD) => worker::live(&arguments[1..]),
        Some(machine::WORD) => match machine::run(&arguments[1..]) {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => {
                println!("horizon: FAILED: {why}");
                ExitCode::FAILURE
            }
        },
        Some(work::WORD) => match work::run(&arguments[1..]) {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => {
                println!("horizon: FAILED: {why}");
                ExitCode::FAILURE
            }
        },
        // What asks for a list of tests gets none.
        Some("--list") => ExitCode::SUCCESS,
        _ => test(arguments.iter().any(|it| it == "long")),
    }
}

/// Raised by the signals that would end us, so that nothing is left behind.
fn stopper() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop)).expect("a signal to wait for");
    }
    stop
}

fn test(long: bool) -> ExitCode {
    checks::all();
    println!("horizon: the judge's own checks passed");
    if let Ok(dir) = env::var("HORIZON_REPLAY") {
        let (machines, table) = replay(Path::new(&dir));
        document::write(&machines, &table);
        return verdict(&table, Run::Long);
    }
    let mut table = Table::new();
    let long = long || env::var("DOOMTOP_HORIZON").is_ok_and(|it| it == "long");
    let seed = number("HORIZON_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    println!("horizon: seed {seed}");
    let run = if long { Run::Long } else { Run::Short };
    let deaths = number("HORIZON_DEATHS").and_then(|it| usize::try_from(it).ok()).unwrap_or(LONG);
    match provoke(run, deaths, seed, &mut table) {
        Ok(()) => {
            document::write(&[], &table);
            verdict(&table, run)
        }
        Err(Failure::Impossible(why)) => {
            println!(
                "horizon: SKIPPED, no death was provoked: {why}\n\
                 horizon: run it as root where the memory controller of cgroups can be written:\n\
                 horizon:   sudo -E cargo test --test horizon   (DOOMTOP_HORIZON=long for the whole table)"
            );
            ExitCode::SUCCESS
        }
        Err(Failure::Broken(why)) => {
            println!("horizon: FAILED: {why}");
            ExitCode::FAILURE
        }
    }
}

/// A number in the environment.
fn number(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}

/// Why there is no table.
enum Failure {
    /// This machine does not let us.
    Impossible(String),
    /// Something went wrong on the way.
    Broken(String),
}

fn provoke(run: Run, deaths: usize, seed: u64, table: &mut Table) -> Result<(), Failure> {
    let mut kmsg =
        Kmsg::open().map_err(|error| Failure::Impossible(format!("/dev/kmsg: {error}")))?;
    drop(nest::Nest::make(64 << 20).map_err(Failure::Impossible)?);
    let stop = stopper();
    let mut dice = Dice(seed);
    // On a disk, where there is one: a guest has only memory.
    let disk = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"));
    let dir = disk.or_else(|_| tempfile::tempdir()).expect("a folder of our own");
    let saved = env::var("HORIZON_SAVE").ok().map(PathBuf::from);
    for nth in 0.. {
        let scenarios = scenarios(run, &mut dice, dir.path());
        let longest = if run == Run::Short { LONGEST_SHORT } else { LONGEST };
        let trials = round::run(scenarios, longest, &mut dice, &mut kmsg, &stop, saved.is_some())
            .map_err(Failure::Broken)?;
        let end = clock::now();
        for (at, trial) in trials.into_iter().enumerate() {
            if let Some(dir) = &saved {
                let name = format!("{seed}-{nth:02}-{at:02}");
                trial.save(dir, &name, end).expect("what was seen is kept");
            }
            judge_trial(&trial, end, table);
        }
        if run == Run::Short || table.deaths.len() >= deaths {
            break;
        }
        println!("horizon: {} deaths", table.deaths.len());
    }
    Ok(())
}

/// What happens side by side in one round.
fn scenarios(run: Run, dice: &mut Dice, dir: &Path) -> Vec<Scenario> {
    // A machine of one slow processor carries few, and no ordinary work beside.
    let few = number("HORIZON_AT_ONCE").and_then(|it| usize::try_from(it).ok());
    let count = few.unwrap_or(if run == Run::Short { SHORT } else { AT_ONCE });
    let first = dice.between(0, DEADLY.len() - 1);
    let deadly: Vec<_> = DEADLY.iter().cycle().skip(first).take(count).copied().collect();
    let deadly = deadly.into_iter().map(|kind| (kind, true));
    let ordinary = ORDINARY.iter().filter(|_| few.is_none()).map(|kind| (*kind, false));
    deadly.chain(ordinary).map(|(kind, deadly)| scenario(kind, deadly, dice, dir)).collect()
}

fn judge_trial(trial: &Trial, end: i64, table: &mut Table) {
    judge_world(trial.scenario.name, trial.scenario.deadly, &trial.world, end, trial.grew, table);
}

fn judge_world(
    pattern: &str,
    deadly: bool,
    world: &World,
    end: i64,
    grows: bool,
    table: &mut Table,
) {
    if !deadly {
        let begun = world.begun.unwrap_or(end);
        table.watch(pattern, world, begun, end);
        return;
    }
    table.judge(pattern, world);
    if let Some(last) = world.kills.last().filter(|_| !grows) {
        // From the next sample on.
        table.watch("after the last death", world, last.0 + 2_500_000, (last.0 + AFTER).min(end));
    }
}

/// Judges what was kept in this folder: by machine, where there are several, and all together.
fn replay(dir: &Path) -> (Vec<(String, Table)>, Table) {
    let mut machines = Vec::new();
    let mut all = Table::new();
    for (name, dir) in trace::machines(dir) {
        let mut table = Table::new();
        trace::replay(&dir, |head, events| {
            let mut world = World::default();
            events.iter().for_each(|event| world.take(event));
            if env::var("HORIZON_SHOW").is_ok_and(|it| head.pattern.contains(&it)) {
                show(&head, &world);
            }
            for table in [&mut table, &mut all] {
                judge_world(&head.pattern, head.deadly, &world, head.end, head.grows, table);
            }
        });
        machines.push((name, table));
    }
    (machines, all)
}

/// Prints what was said, against the time that was left until the next death.
fn show(head: &trace::Head, world: &World) {
    println!("{}: begun {:?}, deaths {:?}", head.pattern, world.begun, world.kills);
    let mut last = 0;
    for said in world.said.iter().filter(|it| Some(it.at) > world.begun) {
        if said.at - last < 90_000 {
            continue;
        }
        last = said.at;
        let next = world.kills.iter().find(|it| it.0 > said.at);
        let left = next.map(|it| (it.0 - said.at) as f64 / 1e6);
        let name = next.map(|it| (it.2.as_str(), it.1));
        match &said.deaths.next {
            None => println!("  {left:6.1?} {name:?}: nothing"),
            Some(it) => println!(
                "  {left:6.1?} {name:?}: {:?} {:?} left {} MiB, {:.1} MiB/s {}",
                it.when.map(|it| (it.low.0 / 100, it.middle.0 / 100, it.high.0 / 100)),
                it.candidates.iter().map(|it| it.id.pid).collect::<Vec<_>>(),
                it.left.0 >> 20,
                it.rate / 1048576.0,
                it.domain.as_str().rsplit('/').next().unwrap_or_default(),
            ),
        }
    }
}

fn verdict(table: &Table, run: Run) -> ExitCode {
    print!("{}{}", misses(table), report::text(table));
    let mut failures = missed(table, Method::Model, run);
    failures.extend(unsteady(table, run));
    // The judge must be able to say no.
    for control in [Method::Frozen, Method::Baseline(0)] {
        if missed(table, control, run).is_empty() {
            failures.push(format!("the judge accepts \"{}\"", control.name()));
        }
    }
    for failure in &failures {
        println!("horizon: FAILED: {failure}");
    }
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

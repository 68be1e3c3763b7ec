//! Deaths by the memory of the whole machine. Only in a guest, which is there to run out of memory.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use std::{env, fs};

use doomtop::model::{Scope, Snapshot, Text};
use doomtop::sample::machine::domain_usage::DomainUsage;
use doomtop::sample::proc_root::ProcRoot;
use doomtop::source::Source;
use doomtop::units::Millis;

use crate::clock::now;
use crate::dice::Dice;
use crate::judge::Table;
use crate::kmsg::{self, Kmsg};
use crate::pattern::Pattern;
use crate::report;
use crate::trace::{self, Head};
use crate::worker::{Part, Worker};
use crate::world::{Event, World, sampled};

/// The first argument of a binary that shall run out of memory.
pub const WORD: &str = "__machine";
/// Set by the first process of a guest. Without it nothing is done.
const GUEST: &str = "HORIZON_GUEST";
/// Between two samples, in microseconds: the default interval.
const SAMPLE: i64 = 2_000_000;
/// Between two readings of the usage, in microseconds: about the interval at which doomtop reads a domain that is
/// near its limit.
const READING: i64 = 200_000;
/// Between two looks at who has ended.
const LOOK: Duration = Duration::from_millis(20);
/// A round is over after so many microseconds.
const LONGEST: i64 = 240_000_000;
/// How long processes may take to get ready.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two rounds: what was freed is counted by then.
const PAUSE: Duration = Duration::from_secs(3);

/// Runs out of memory so many times, by patterns in turn, and prints the table. `HORIZON_SAVE` keeps what was seen.
pub fn run(arguments: &[String]) -> Result<(), String> {
    if env::var_os(GUEST).is_none() {
        return Err(format!("{GUEST} is not set: this is no guest"));
    }
    let [name, rounds, seed] = arguments else { return Err("NAME ROUNDS SEED".to_owned()) };
    let number = |text: &String| text.parse::<u64>().map_err(|error| format!("{text}: {error}"));
    let (rounds, mut dice) = (number(rounds)?, Dice(number(seed)?));
    // Whoever watches shall not be the victim.
    fs::write("/proc/self/oom_score_adj", "-1000").map_err(|error| error.to_string())?;
    let mut table = Table::new();
    let saved = env::var_os("HORIZON_SAVE");
    for nth in 0..rounds {
        let (pattern, parts) = parts(nth, &mut dice)?;
        let (world, events) = round(&parts, &mut dice)?;
        println!("horizon: {pattern}: {:?}", world.kills);
        table.judge(pattern, &world);
        if let Some(dir) = &saved {
            let head = Head { pattern: pattern.to_owned(), deadly: true, grows: false, end: now() };
            trace::save(Path::new(dir), &format!("{name}-{nth:02}"), &head, &events)
                .map_err(|error| error.to_string())?;
        }
        thread::sleep(PAUSE);
    }
    print!("{}{}", report::misses(&table), report::text(&table));
    Ok(())
}

/// What can still be taken, in MiB.
fn room() -> Result<f64, String> {
    let text = fs::read_to_string("/proc/meminfo").map_err(|error| error.to_string())?;
    let kib = |key: &str| {
        let line = text.lines().find(|line| line.starts_with(key))?;
        line.split_whitespace().nth(1)?.parse::<f64>().ok()
    };
    let all = kib("MemAvailable:").zip(kib("SwapFree:"));
    all.map(|(memory, swap)| (memory + swap) / 1024.0).ok_or("meminfo has no sizes".to_owned())
}

fn named(name: &str, base: f64, pattern: Pattern) -> Part {
    Part { name: name.to_owned(), base, pattern, ..Part::default() }
}

/// Some who rest, and one or two who grow until nothing is left.
fn parts(nth: u64, dice: &mut Dice) -> Result<(&'static str, Vec<Part>), String> {
    let room = room()?;
    let share = |dice: &mut Dice, from, to| room * dice.between(from, to) as f64 / 100.0;
    let mut parts: Vec<Part> =
        (0..3).map(|at| named(&format!("other{at}"), share(dice, 6, 14), Pattern::Still)).collect();
    let base = share(dice, 3, 8);
    let left = room - base - parts.iter().map(|part| part.base).sum::<f64>();
    let time = dice.between(45, 60) as f64;
    let name = match nth % 4 {
        0 => {
            parts.push(named("leak", base, Pattern::Linear(left / time)));
            "linear"
        }
        1 => {
            let every = dice.between(2, 5) as f64;
            let pattern = Pattern::Steps { size: left / time * every, every };
            parts.push(named("leak", base, pattern));
            "steps"
        }
        2 => {
            let every = dice.between(16, 24) as f64;
            let pace = std::f64::consts::LN_2 / every;
            let rate = left * pace / ((time * pace).exp() - 1.0);
            parts.push(named("leak", base, Pattern::Doubling { rate, every }));
            "accelerating"
        }
        _ => {
            // The smaller one grows faster, and overtakes the other one.
            let slower = left / time / 5.0;
            parts.push(named("first", base + room * 0.1, Pattern::Linear(slower)));
            parts.push(named("second", base, Pattern::Linear(left / time - slower)));
            "overtaking"
        }
    };
    Ok((name, parts))
}

/// Of a process that exits, in the flags that `/proc/PID/stat` tells (`PF_EXITING`).
const EXITING: u32 = 4;

/// Watches these processes until the first of them exits: when that was seen, and which it was. A thread of its
/// own, because a sample may take seconds where memory is short. Only a userspace killer is seen by this: the
/// kernel tells its kills earlier.
fn watch(pids: Vec<i32>) -> Arc<Mutex<Option<(i64, i32)>>> {
    let first = Arc::new(Mutex::new(None));
    let found = Arc::clone(&first);
    thread::spawn(move || {
        let is_gone = |pid: &i32| {
            let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return true };
            let Some((_, fields)) = stat.rsplit_once(") ") else { return true };
            let flags = fields.split(' ').nth(6).and_then(|it| it.parse::<u32>().ok());
            flags.is_none_or(|flags| flags & EXITING != 0)
        };
        while Arc::strong_count(&found) > 1 {
            if let Some(pid) = pids.iter().find(|pid| is_gone(pid)) {
                *found.lock().expect("no panic") = Some((now(), *pid));
                return;
            }
            thread::sleep(LOOK);
        }
    });
    first
}

/// The first death: by the kernel's log, or as it was seen.
fn death(kmsg: &mut Kmsg, seen: &Mutex<Option<(i64, i32)>>) -> Result<Option<(i64, i32)>, String> {
    while let Some(event) = kmsg.event(0).map_err(|error| format!("/dev/kmsg: {error}"))? {
        if let kmsg::Event::Chosen(kill) = event {
            return Ok(Some((kmsg.moment(kill.stamp), kill.pid)));
        }
    }
    Ok(*seen.lock().expect("no panic"))
}

/// One growth until somebody is gone: what an observer said, and what it saw.
fn round(parts: &[Part], dice: &mut Dice) -> Result<(World, Vec<Event>), String> {
    let mut workers: Vec<(Worker, &Part)> =
        parts.iter().map(|part| (Worker::start(part, None), part)).collect();
    let deadline = Instant::now() + PATIENCE;
    for (worker, part) in &mut workers {
        if !worker.ready(deadline) {
            return Err(format!("{} is not ready", part.name));
        }
    }
    let mut kmsg = Kmsg::open().map_err(|error| format!("/dev/kmsg: {error}"))?;
    kmsg.compare_clocks().map_err(|error| format!("/dev/kmsg: {error}"))?;
    let root = || ProcRoot::open(Path::new("/proc")).map_err(|error| error.to_string());
    let mut usage = DomainUsage::new(root()?);
    usage.follow(&[Arc::new(Text::new(Scope::GLOBAL.as_bytes()))]);
    let origin = now();
    let (mut source, needs) = sampled(root()?)?;
    let first = watch(workers.iter().map(|(worker, _)| worker.pid()).collect());
    let (mut world, mut events) = (World::default(), Vec::new());
    let mut take = |world: &mut World, event: Event| {
        world.take(&event);
        events.push(event);
    };
    let mut last: Option<Arc<Snapshot>> = None;
    let started = now();
    let begins = started + dice.between(6000, 12_000) as i64 * 1000;
    let (mut next_sample, mut next_reading) = (started, started);
    while now() - started < LONGEST {
        let at = now();
        if at >= begins && world.begun.is_none() {
            workers.iter_mut().for_each(|(worker, _)| worker.begin());
            take(&mut world, Event::Begin { at });
        }
        if let Some((at, pid)) = death(&mut kmsg, &first)? {
            let died = workers.iter().find(|(worker, _)| worker.pid() == pid);
            let comm = died.map(|(_, part)| part.name.clone()).unwrap_or_default();
            take(&mut world, Event::Kill { at, pid, comm, scope: None });
            break;
        }
        if at >= next_sample {
            let sample = source.sample(&needs, last.take()).map_err(|error| error.to_string())?;
            take(&mut world, Event::Sample { at: now(), sample: Arc::clone(&sample) });
            last = Some(sample);
            next_sample = (next_sample + SAMPLE).max(at);
        } else if at >= next_reading {
            let clock = Millis(u64::try_from((at - origin) / 1000).unwrap_or(0));
            for reading in usage.read(clock) {
                let path = reading.domain.as_str().to_owned();
                take(&mut world, Event::Usage { at: now(), clock, path, bytes: reading.usage.0 });
            }
            next_reading = (next_reading + READING).max(at);
        }
        thread::sleep(LOOK);
    }
    Ok((world, events))
}

//! Several trials at once, watched by one source of samples.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use doomtop::model::Snapshot;
use doomtop::sample::proc_root::ProcRoot;
use doomtop::source::Source;

use crate::clock::now;
use crate::dice::Dice;
use crate::kmsg::{Event, Kmsg};
use crate::nest::Nest;
use crate::scenario::Scenario;
use crate::trial::Trial;
use crate::world::sampled;

/// Between two readings of usage, in microseconds.
const READING: i64 = 200_000;
/// Between two samples, in microseconds. Most trials take every second one: the default interval.
const SAMPLE: i64 = 1_000_000;
/// What all processes of a round may hold together.
const LIMIT: u64 = 4 << 30;

/// Runs these trials side by side, for at most so many microseconds. They are judged by the caller.
pub fn run(
    scenarios: Vec<Scenario>,
    longest: i64,
    dice: &mut Dice,
    kmsg: &mut Kmsg,
    stop: &Arc<AtomicBool>,
    saves: bool,
) -> Result<Vec<Trial>, String> {
    let nest = Nest::make(LIMIT)?;
    let mut trials = Vec::new();
    for (nth, scenario) in scenarios.into_iter().enumerate() {
        let every = if dice.once_in(4) { 1 } else { 2 };
        trials.push(Trial::start(&nest, nth, scenario, every, saves)?);
        if stop.load(Ordering::Relaxed) {
            return Err("interrupted".to_owned());
        }
    }
    kmsg.compare_clocks().map_err(|error| format!("/dev/kmsg: {error}"))?;
    let root = ProcRoot::open(Path::new("/proc")).map_err(|error| error.to_string())?;
    let origin = now();
    let (mut source, needs) = sampled(root)?;
    let started = now();
    for trial in &mut trials {
        trial.begin_at(started + dice.between(3000, 9000) as i64 * 1000);
    }
    let (mut samples, mut next_sample, mut next_reading) = (0, started, started);
    let mut last: Option<Arc<Snapshot>> = None;
    loop {
        let at = now();
        let over = trials.iter_mut().filter(|it| it.scenario.deadly).all(|it| it.is_over(at));
        if over || at - started > longest {
            break;
        }
        if stop.load(Ordering::Relaxed) {
            return Err("interrupted".to_owned());
        }
        trials.iter_mut().for_each(|trial| trial.tick(at));
        take_kills(kmsg, &mut trials)?;
        if at >= next_sample {
            let sample = source.sample(&needs, last.take()).map_err(|error| error.to_string())?;
            let at = now();
            for trial in &mut trials {
                trial.sample(samples, at, &sample);
            }
            last = Some(sample);
            samples += 1;
            next_sample = (next_sample + SAMPLE).max(at);
        } else {
            trials.iter_mut().for_each(|trial| trial.read_usage(origin));
        }
        next_reading = (next_reading + READING).max(now());
        let wait = u64::try_from(next_reading - now()).unwrap_or(0);
        thread::sleep(Duration::from_micros(wait));
    }
    // What is still in the log belongs to this round.
    take_kills(kmsg, &mut trials)?;
    for trial in &mut trials {
        trial.stop();
    }
    Ok(trials)
}

fn take_kills(kmsg: &mut Kmsg, trials: &mut [Trial]) -> Result<(), String> {
    while let Some(event) = kmsg.event(0).map_err(|error| format!("/dev/kmsg: {error}"))? {
        if let Event::Chosen(kill) = event {
            let at = kmsg.moment(kill.stamp);
            let _ = trials.iter_mut().any(|trial| trial.killed(&kill, at));
        }
    }
    Ok(())
}

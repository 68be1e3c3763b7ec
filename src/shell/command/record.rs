//! `doomtop record FILE`: looks, and keeps what it saw.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::app::Setup;
use crate::columns::human_size;
use crate::model::{Needs, SampleHistory, Text};
use crate::shell::command::batch::look_twice;
use crate::shell::command::cli::RecordArgs;
use crate::shell::worker::recorder::{KillBurst, MOST, file_in, tree_lines, write_past};
use crate::source::{Recorder, Source, SourceError};
use crate::units::{Bytes, Millis};

/// A signal to end is heeded this soon.
const HEED: Duration = Duration::from_millis(100);

/// Records until the count is reached, the source ends, or a signal says so.
///
/// # Errors
/// What could not be read or written, in one line.
pub(crate) fn run(
    order: &RecordArgs,
    delay: Millis,
    setup: &Setup,
    mut source: Box<dyn Source>,
    users: BTreeMap<u32, Text>,
) -> Result<u8, String> {
    if let Some(span) = order.ring {
        return keep_ring(order, span, delay, setup, source, users);
    }
    let name = order.file.display();
    let failed = |error: io::Error| format!("{name}: {error}");
    // Never over a file of the user's.
    let file = File::options().write(true).create_new(true).open(&order.file).map_err(failed)?;
    let end = end_flag()?;
    source.learn_users(Arc::new(users));
    let needs = Needs { cmdline: false, ..Needs::everything() };
    let mut tape = Recorder::new(file);
    let mut spent = None;
    let mut samples = 0_u64;
    let mut due = Instant::now();
    let told = loop {
        match crate::shell::sample(source.as_mut(), &needs, spent.take()) {
            Ok(snapshot) => {
                let snapshot =
                    if setup.live { look_twice(source.as_mut(), snapshot, None) } else { snapshot };
                tape.write(&snapshot).map_err(|error| {
                    format!("{name}: {error}; the {samples} looks before it stand")
                })?;
                samples += 1;
                spent = Some(snapshot);
            }
            Err(SourceError::End) if samples > 0 => break None,
            Err(lost @ (SourceError::Cut { .. } | SourceError::Unreadable(_))) if samples > 0 => {
                let _ = writeln!(io::stderr(), "doomtop: {lost}");
                if matches!(lost, SourceError::Cut { .. }) {
                    break None;
                }
            }
            Err(lost) => break Some(lost.to_string()),
        }
        if order.iterations.is_some_and(|count| samples >= count) || end.load(Ordering::Relaxed) {
            break None;
        }
        // A recording is copied as fast as it can be read.
        due = (due + Duration::from_millis(delay.0)).max(Instant::now());
        if setup.live {
            wait(due, &end);
        }
        if end.load(Ordering::Relaxed) {
            break None;
        }
    };
    let bytes = tape.bytes();
    tape.finish().map_err(failed)?;
    if let Some(lost) = told {
        return Err(lost);
    }
    let size = human_size(Bytes(bytes));
    let _ = writeln!(io::stderr(), "doomtop: {samples} looks, {size}, in {name}");
    Ok(0)
}

/// Set by a signal to end.
fn end_flag() -> Result<Arc<AtomicBool>, String> {
    let end = Arc::new(AtomicBool::new(false));
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&end))
            .map_err(|error| format!("a signal cannot be waited for: {error}"))?;
    }
    Ok(end)
}

/// Waits until then, or until a signal says to end.
fn wait(due: Instant, end: &AtomicBool) {
    while Instant::now() < due && !end.load(Ordering::Relaxed) {
        thread::sleep(HEED.min(due.saturating_duration_since(Instant::now())));
    }
}

/// So many bytes of looks are kept, however long the time.
const ROOM: usize = 256 << 20;

/// Keeps the last minutes, and writes them to a file of their own behind each burst of kills.
fn keep_ring(
    order: &RecordArgs,
    span: Millis,
    delay: Millis,
    setup: &Setup,
    mut source: Box<dyn Source>,
    users: BTreeMap<u32, Text>,
) -> Result<u8, String> {
    let folder = &order.file;
    if !folder.is_dir() {
        return Err(format!("{}: with --ring this is a folder for the files", folder.display()));
    }
    let end = end_flag()?;
    let users = Arc::new(users);
    source.learn_users(Arc::clone(&users));
    let needs = Needs { cmdline: false, ..Needs::everything() };
    let (mut past, mut burst) = (SampleHistory::new(span, ROOM), KillBurst::default());
    let (mut spent, mut samples, mut due) = (None, 0_u64, Instant::now());
    let write = |past: &SampleHistory| {
        let Some(sample) = past.newest().and_then(|nth| past.facts(nth)) else { return };
        let tree_lines = tree_lines(&sample.machine, sample.clock.unix_ms) + "-kill";
        let written = file_in(folder, &tree_lines)
            .and_then(|(name, file)| Ok((name, write_past(past, &users, file)?)));
        // A full disk may have room again when the next one is killed.
        let line = match written {
            Ok((name, (samples, bytes))) => {
                format!("{samples} looks, {}, in {name}", human_size(bytes))
            }
            Err(error) => format!("{tree_lines}.tape: {error}"),
        };
        let _ = writeln!(io::stderr(), "doomtop: {line}");
    };
    let ended = loop {
        match crate::shell::sample(source.as_mut(), &needs, spent.take()) {
            Ok(sample) => {
                samples += 1;
                spent = past.push(Arc::clone(&sample)).1;
                if burst.sample(sample.traffic.oom_kills.value()) && burst.count <= MOST {
                    write(&past);
                }
            }
            Err(SourceError::End) if samples > 0 => break Ok(0),
            Err(lost @ SourceError::Unreadable(_)) if samples > 0 => {
                let _ = writeln!(io::stderr(), "doomtop: {lost}");
            }
            Err(lost) => break Err(lost.to_string()),
        }
        due = (due + Duration::from_millis(delay.0)).max(Instant::now());
        if setup.live {
            wait(due, &end);
        }
        if order.iterations.is_some_and(|count| samples >= count) || end.load(Ordering::Relaxed) {
            break Ok(0);
        }
    };
    // The end may come before a burst is over.
    if burst.end() && burst.count <= MOST {
        write(&past);
    }
    ended
}

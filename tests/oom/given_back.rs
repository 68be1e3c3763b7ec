//! A process that holds much memory which it gave back with `MADV_FREE`, and a smaller one whose memory is its own: the
//! kernel's scores name the first, and at the limit the second one is killed, because reclaim takes those pages before.

use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::event::{Timespec, poll};
use rustix::param::page_size;
use serde_json::Value;

use crate::cgroup::Cgroup;
use crate::hog::{Hog, Load};
use crate::kmsg::{Event, Kmsg};
use crate::terminal::program;

const LIMIT: u64 = 160 << 20;
/// Maximum time until a child is ready or gone, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(120);
/// Counts as 96 MiB in the cgroup.
const ADJ: i32 = 600;
/// A MiB in bytes, which the grower takes twenty times a second: what the kill frees lasts until it is told to stop, on a
/// slow machine, too.
const MIB: usize = 1 << 20;

fn started(load: Load, cgroup: &Cgroup) -> Result<Hog, String> {
    let mut hog = Hog::start(load, Some(cgroup.dir()));
    if hog.ready(Instant::now() + PATIENCE) { Ok(hog) } else { Err("no load".to_owned()) }
}

/// The last sample of the cgroup.
fn sample(cgroup: &Cgroup) -> Result<Value, String> {
    let arguments = ["--json", "-n", "3", "-d", "0.5", "--scope", &cgroup.path];
    let output = Command::new(program()).args(arguments).output();
    let output = output.map_err(|error| format!("doomtop: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().last().ok_or("doomtop printed nothing")?;
    serde_json::from_str(line).map_err(|error| error.to_string())
}

/// Which of these was killed first, by the kernel's log. On a slow machine the grower may take what is left before the
/// memory of the first one is free; then another one is killed, too.
fn first_killed(log: &mut Kmsg, pids: [i32; 2]) -> Result<i32, String> {
    let read = |log: &mut Kmsg| log.event(1000).map_err(|error| format!("/dev/kmsg: {error}"));
    while let Some(event) = read(log)? {
        if let Event::Chosen(kill) = event
            && pids.contains(&kill.pid)
        {
            return Ok(kill.pid);
        }
    }
    Err("the log tells of no kill".to_owned())
}

/// Returns what was seen, or what was wrong.
pub fn test() -> Result<String, String> {
    let cgroup = match Cgroup::make(LIMIT) {
        Ok(cgroup) => cgroup,
        Err(why) => return Ok(format!("SKIPPED: {why}")),
    };
    let mib = MIB / page_size();
    let load = |name: &str, anon: usize| Load {
        name: name.to_owned(),
        anon: anon * mib,
        // Raised, so that the grower, which has the rest of the limit in the end, is behind both.
        adj: ADJ,
        ..Load::default()
    };
    let freer = Load { given_back: 80 * mib, ..load("freer", 15) };
    let freer = started(freer, &cgroup)?;
    let mut holder = started(load("holder", 40), &cgroup)?;
    let grower = Load { adj: 0, step: mib, pause: 50, ..load("grower", 2) };
    let mut grower = started(grower, &cgroup)?;
    let seen = sample(&cgroup)?;
    let rows = seen["processes"].as_array().ok_or("no rows")?;
    let row = rows.iter().find(|row| row["pid"] == freer.pid()).ok_or("it is not in the sample")?;
    let given_back = row["lazyfree_pages"].as_u64().unwrap_or_default();
    if (given_back as usize) < 70 * mib {
        return Err(format!("{given_back} of {} pages are known as given back", 80 * mib));
    }
    if seen["victim"]["pid"] != freer.pid() {
        return Err(format!("by the scores of now the first is {}", seen["victim"]));
    }
    if seen["at_limit"]["victim"]["pid"] != holder.pid() {
        return Err(format!("at the limit the first is {}", seen["at_limit"]));
    }
    let mut log = Kmsg::open().map_err(|error| format!("/dev/kmsg: {error}"))?;
    grower.grow(true);
    let deadline = Instant::now() + PATIENCE;
    let signal = loop {
        if let Some(status) = holder.ended() {
            break status.signal();
        }
        if Instant::now() > deadline {
            return Err("nobody was killed, or another one".to_owned());
        }
        let _ = poll(&mut [], Some(&Timespec { tv_sec: 0, tv_nsec: 20_000_000 }));
    };
    grower.grow(false);
    if signal != Some(9) {
        return Err(format!("holder: signal {signal:?}"));
    }
    match first_killed(&mut log, [holder.pid(), freer.pid()])? {
        pid if pid == holder.pid() => {
            let size = given_back as usize / mib;
            Ok(format!("{size} MiB given back, not named and not killed first; the other one was"))
        }
        _ => Err("who gave memory back was killed first".to_owned()),
    }
}

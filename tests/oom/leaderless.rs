//! A process whose main thread has exited while another thread has the memory: it is in its cgroup, it is named
//! with its size, the kernel kills it, and it can be signalled.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use rustix::event::{Timespec, poll};
use rustix::param::page_size;
use serde_json::Value;

use crate::cgroup::Cgroup;
use crate::hog::{Hog, Load};
use crate::terminal::program;

const LIMIT: u64 = 96 << 20;
/// Maximum time until a child is ready or gone, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(120);
/// Bytes of the process without a main thread: the other one stays smaller up to the limit.
const SIZE: usize = 60 << 20;

fn doomtop(arguments: &[&str]) -> Result<Output, String> {
    let output = Command::new(program()).args(arguments).output();
    output.map_err(|error| format!("doomtop: {error}"))
}

/// Waits until a hog has exited. Returns the signal that ended it.
fn signal_of(hog: &mut Hog) -> Result<Option<i32>, String> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if let Some(status) = hog.ended() {
            return Ok(status.signal());
        }
        let _ = poll(&mut [], Some(&Timespec { tv_sec: 0, tv_nsec: 20_000_000 }));
    }
    Err(format!("{} lives on", hog.pid()))
}

fn started(load: Load, cgroup: Option<&Cgroup>) -> Result<Hog, String> {
    let mut hog = Hog::start(load, cgroup.map(Cgroup::dir));
    if hog.ready(Instant::now() + PATIENCE) { Ok(hog) } else { Err("no load".to_owned()) }
}

/// Returns what was seen, or what was wrong.
pub fn test() -> Result<String, String> {
    let pages = SIZE / page_size();
    let large =
        Load { name: "leaderless".to_owned(), anon: pages, leaderless: true, ..Load::default() };
    let mut hog = started(large.clone(), None)?;
    let output = doomtop(&["sacrifice", "--signal", "kill", &hog.pid().to_string()])?;
    if !output.status.success() {
        return Err(format!("sacrifice: {}", String::from_utf8_lossy(&output.stdout)));
    }
    if signal_of(&mut hog)? != Some(9) {
        return Err("it was not killed by SIGKILL".to_owned());
    }
    let cgroup = match Cgroup::make(LIMIT) {
        Ok(cgroup) => cgroup,
        Err(why) => return Ok(format!("signalled; its kill by the kernel is SKIPPED: {why}")),
    };
    let grower =
        Load { name: "grower".to_owned(), anon: pages / 8, step: 64, pause: 1, ..Load::default() };
    let mut large = started(large, Some(&cgroup))?;
    let mut grower = started(grower, Some(&cgroup))?;
    for sampler in ["proc", "auto"] {
        let output =
            doomtop(&["--json", "-n", "1", "--sampler", sampler, "--scope", &cgroup.path])?;
        let sample: Value =
            serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
        let row = sample["processes"].as_array().into_iter().flatten();
        let row = row.into_iter().find(|row| row["pid"] == large.pid());
        let row = row.ok_or_else(|| format!("{sampler}: it is not in its cgroup"))?;
        if row["cgroup"] != cgroup.path || sample["victim"]["pid"] != large.pid() {
            return Err(format!("{sampler}: {}, first {}", row["cgroup"], sample["victim"]));
        }
    }
    grower.grow(true);
    // Had the kernel chosen the grower, nothing would grow any more, and this one would live on.
    if signal_of(&mut large)? != Some(9) {
        return Err("it was not killed by SIGKILL at the limit".to_owned());
    }
    Ok("signalled, named by both samplers, killed by the kernel".to_owned())
}

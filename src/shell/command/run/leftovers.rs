//! What the command left running in the cgroup that doomtop made for it.

use std::time::{Duration, Instant};

use rustix::process::{Signal, pidfd_send_signal};

use super::confine::{ScopeKeeper, StartedCommand};
use super::follow::GRACE;
use crate::effects::run_cgroup::{EndSignal, RunCgroup};
use crate::model::Comm;
use crate::report::load_test::verdict::LeftProcess;
use crate::sample::proc_root::LiveRoot;
use crate::shell::stdio::complain;

/// Processes that end with the command get this long.
const WITH_COMMAND: Duration = Duration::from_millis(100);
/// Interval at which that is looked at.
const PACE: Duration = Duration::from_millis(10);
/// Maximum number of processes that are named.
const MAX_NAMED: usize = 50;

/// The processes that are still in the cgroup.
fn members(cgroup: &RunCgroup, keeper: Option<i32>) -> Vec<i32> {
    let mut members = cgroup.members().unwrap_or_default();
    members.retain(|&pid| Some(pid) != keeper && !is_zombie(pid));
    members
}

/// A zombie has nothing that could run; it waits for its parent.
fn is_zombie(pid: i32) -> bool {
    let stat = std::fs::read(format!("/proc/{pid}/stat")).unwrap_or_default();
    crate::sample::parse::stat(&stat).is_ok_and(|it| matches!(it.state.0, 'Z' | 'X'))
}

fn named(pid: i32) -> LeftProcess {
    let comm = std::fs::read(format!("/proc/{pid}/comm")).unwrap_or_default();
    LeftProcess { pid, comm: Comm::new(comm.strip_suffix(b"\n").unwrap_or(&comm)) }
}

/// Waits until no process is left. Whether that came in time.
fn wait(cgroup: &RunCgroup, keeper: Option<i32>, time: Duration) -> bool {
    let end = Instant::now() + time;
    loop {
        if members(cgroup, keeper).is_empty() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        std::thread::sleep(PACE);
    }
}

/// Lists what the command left running, and ends it unless `leave`. Removes the cgroup. `asked`: all processes were
/// asked to end already, and have as long as others after SIGTERM.
pub(super) fn clean_up(
    root: &LiveRoot,
    started: StartedCommand,
    (leave, asked): (bool, bool),
) -> Vec<LeftProcess> {
    let pid = started.keeper_pid();
    let StartedCommand { cgroup: Some(cgroup), keeper, .. } = started else { return Vec::new() };
    let mut left = Vec::new();
    if !wait(&cgroup, pid, if asked { GRACE } else { WITH_COMMAND }) {
        left = members(&cgroup, pid).into_iter().take(MAX_NAMED).map(named).collect();
        if leave {
            end_keeper(&cgroup, keeper);
            cgroup.keep();
            return left;
        }
        let names: Vec<String> = left.iter().map(|it| format!("{} {}", it.pid, it.comm)).collect();
        complain(&format!("still running, gets SIGTERM: {}", names.join(", ")));
        cgroup.signal(root, EndSignal::Term, pid);
        if !wait(&cgroup, pid, GRACE) {
            complain("still running after 5 seconds: gets SIGKILL");
            cgroup.signal(root, EndSignal::Kill, pid);
            wait(&cgroup, pid, GRACE);
        }
    }
    end_keeper(&cgroup, keeper);
    if let Err(why) = cgroup.remove() {
        complain(&why);
    }
    left
}

/// Ends the process that kept the cgroup of a scope, if it is still in it.
fn end_keeper(cgroup: &RunCgroup, keeper: Option<ScopeKeeper>) {
    let Some(ScopeKeeper { pid, pinned }) = keeper else { return };
    if let Some(pinned) = pinned {
        let _ = pidfd_send_signal(&pinned, Signal::KILL);
    } else if cgroup.members().unwrap_or_default().contains(&pid)
        && named(pid).comm.bytes() == b"sleep"
    {
        let pid = nix::unistd::Pid::from_raw(pid);
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
    }
}

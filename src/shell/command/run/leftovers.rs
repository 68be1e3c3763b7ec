//! What the command left running: in the cgroup that doomtop made for it, or, without one, below doomtop.

use std::time::{Duration, Instant};

use super::confine::StartedCommand;
use super::follow::GRACE;
use super::scope::ScopeKeeper;
use crate::effects::run_cgroup::{EndSignal, RunCgroup};
use crate::effects::run_process::{comm, is_gone};
use crate::model::Text;
use crate::report::load_test::verdict::LeftProcess;
use crate::sample::proc_root::LiveRoot;
use crate::shell::stdio::complain;

/// Processes that end with the command get this long.
const WITH_COMMAND: Duration = Duration::from_millis(100);
/// Interval at which that is looked at.
const PACE: Duration = Duration::from_millis(10);
/// Maximum number of processes that are named.
const MAX_NAMED: usize = 50;

/// What is left of a command.
#[derive(Default)]
pub(super) struct LeftBehind {
    /// The processes that ran on.
    pub(super) processes: Vec<LeftProcess>,
    /// The cgroup, where it stays for somebody else to remove.
    pub(super) cgroup: Option<Text>,
}

/// The processes that still run.
fn members(root: &LiveRoot, started: &StartedCommand) -> Vec<LeftProcess> {
    if let Some(cgroup) = &started.cgroup {
        let keeper = started.keeper_pid();
        let members = cgroup.members().unwrap_or_default().into_iter();
        let members = members.filter(|&pid| Some(pid) != keeper && !is_gone(root, pid));
        return members.map(|pid| LeftProcess { pid, comm: comm(root, pid) }).collect();
    }
    started.reap();
    let descendants = started.descendants.iter().flat_map(|it| it.members(root));
    descendants.map(|it| LeftProcess { pid: it.id.pid, comm: it.comm }).collect()
}

/// Waits until no process is left. Whether that came in time.
fn wait(root: &LiveRoot, started: &StartedCommand, time: Duration) -> bool {
    let end = Instant::now() + time;
    loop {
        if members(root, started).is_empty() {
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
) -> LeftBehind {
    let mut left = LeftBehind::default();
    if !wait(root, &started, if asked { GRACE } else { WITH_COMMAND }) {
        left.processes = members(root, &started).into_iter().take(MAX_NAMED).collect();
        if !leave {
            end(root, &started, &left.processes);
        }
    }
    let StartedCommand { cgroup: Some(cgroup), keeper, .. } = started else { return left };
    end_keeper(&cgroup, keeper);
    if leave && !left.processes.is_empty() {
        left.cgroup = cgroup.stays().then(|| cgroup.path().as_ref().clone());
        cgroup.keep();
    } else if let Err(why) = cgroup.remove() {
        complain(&why);
    }
    left
}

/// Ends the processes that are left: SIGTERM, and SIGKILL after five seconds.
fn end(root: &LiveRoot, started: &StartedCommand, left: &[LeftProcess]) {
    let names: Vec<String> = left.iter().map(|it| format!("{} {}", it.pid, it.comm)).collect();
    complain(&format!("still running, gets SIGTERM: {}", names.join(", ")));
    started.end(root, EndSignal::Term);
    if !wait(root, started, GRACE) {
        complain("still running after 5 seconds: gets SIGKILL");
        started.end(root, EndSignal::Kill);
        wait(root, started, GRACE);
    }
}

/// Ends the process that kept the cgroup of a scope, if it is still in it. One that could not be pinned is left to end
/// with the scope.
fn end_keeper(cgroup: &RunCgroup, keeper: Option<ScopeKeeper>) {
    let Some(keeper) = keeper else { return };
    // Before it sees that its pipe is closed.
    match &keeper.process {
        Some(process) => process.signal(nix::libc::SIGKILL),
        None => cgroup.end_member(keeper.pid),
    }
}

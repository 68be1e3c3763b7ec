//! Acts without a command of their own, carried out by the same effects.

use std::path::Path;
use std::process::ExitCode;
use std::{fs, thread};

use doomtop::effects::{Effects, LiveEffects};
use doomtop::intent::{Intent, Outcome};
use doomtop::model::{ProcId, Sysctl};
use doomtop::sample::proc_root::{LiveRoot, ProcRoot};
use doomtop::units::Ticks;
use doomtop::words::outcome::outcome_text;

/// The first argument, before the act.
pub const ACT: &str = "__act";
/// Writes the present value of a sysctl.
pub const SYSCTL: &str = "sysctl";
/// Kills a cgroup.
pub const CGROUP: &str = "cgroup";

/// Carries out the act and prints the outcome. Exit status 4: it was refused.
pub fn act(words: &[String]) -> ExitCode {
    let root = ProcRoot::open(Path::new("/proc")).expect("/proc");
    let mut effects = LiveEffects::new(LiveRoot::prove(root).expect("the live /proc"));
    let intent = match words[0].as_str() {
        SYSCTL => {
            let text = fs::read_to_string("/proc/sys/vm/swappiness").expect("a value");
            let from = text.trim().parse().expect("a number");
            Intent::SetSysctl { sysctl: Sysctl::Swappiness, from, to: from }
        }
        CGROUP => {
            let (path, pid) = (words[1].clone(), words[2].parse().expect("a pid"));
            let who = ProcId { pid, born: Ticks(words[3].parse().expect("a start")) };
            Intent::KillCgroup { path, members: vec![(who, "sleep".to_owned())] }
        }
        other => panic!("{other}"),
    };
    let outcome = effects.perform(intent);
    println!("{}", outcome_text(&outcome));
    while effects.has_pending() {
        effects.settle().iter().for_each(|outcome| println!("{}", outcome_text(outcome)));
        thread::sleep(effects.pace().unwrap_or_default());
    }
    if matches!(outcome, Outcome::Refused { .. }) { ExitCode::from(4) } else { ExitCode::SUCCESS }
}

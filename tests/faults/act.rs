//! Acts that have no command of their own, carried out by the same hands.

use std::path::Path;
use std::process::ExitCode;
use std::{fs, thread};

use doomtop::effects::{Effects, LiveEffects};
use doomtop::intent::{Intent, Outcome};
use doomtop::model::{ProcId, Sysctl};
use doomtop::sample::proc_root::{LiveRoot, ProcRoot};
use doomtop::units::Ticks;
use doomtop::words::outcome::outcome_text;

/// The word before an act.
pub const ACT: &str = "__act";
/// Turns a switch to the value that it has.
pub const TURN: &str = "turn";
/// Ends everybody in a cgroup.
pub const CGROUP: &str = "cgroup";

/// Does it and says what came of it. Status 4: it was refused.
pub fn act(words: &[String]) -> ExitCode {
    let root = ProcRoot::open(Path::new("/proc")).expect("/proc");
    let mut hands = LiveEffects::new(LiveRoot::prove(root).expect("the live /proc"));
    let intent = match words[0].as_str() {
        TURN => {
            let text = fs::read_to_string("/proc/sys/vm/swappiness").expect("a value");
            let from = text.trim().parse().expect("a number");
            Intent::SetKnob { knob: Sysctl::Swappiness, from, to: from }
        }
        CGROUP => {
            let (path, pid) = (words[1].clone(), words[2].parse().expect("a pid"));
            let who = ProcId { pid, born: Ticks(words[3].parse().expect("a start")) };
            Intent::KillCgroup { path, members: vec![(who, "sleep".to_owned())] }
        }
        other => panic!("{other}"),
    };
    let outcome = hands.perform(intent);
    println!("{}", outcome_text(&outcome));
    while hands.pursuing() {
        hands.settle().iter().for_each(|outcome| println!("{}", outcome_text(outcome)));
        thread::sleep(hands.pace().unwrap_or_default());
    }
    if matches!(outcome, Outcome::Refused { .. }) { ExitCode::from(4) } else { ExitCode::SUCCESS }
}

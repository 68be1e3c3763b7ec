//! Everything that needs a right, tried on two children: an own one and another user's.

use std::collections::BTreeMap;
use std::io::{Read, stdin};
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use doomtop::effects::{Effects, LiveEffects};
use doomtop::intent::{ConfirmedBy, Expedite, Intent, Outcome, Refusal, StepResult};
use doomtop::model::{Needs, ProcId, Signal, Snapshot, Sysctl};
use doomtop::sample::proc_root::{LiveRoot, ProcRoot};
use doomtop::source::{LiveSource, ScanPatience, Source};
use doomtop::units::{Adj, Ticks};

/// Tries everything and prints the column.
pub const PROBE: &str = "__probe";
/// A child that waits.
pub const SLEEP: &str = "__sleep";
/// The pids of the two children.
pub const OWN: &str = "RIGHTS_OWN";
pub const OTHER: &str = "RIGHTS_OTHER";

/// Waits until its input is closed.
pub fn sleep() -> ExitCode {
    let _ = stdin().read_to_end(&mut Vec::new());
    ExitCode::SUCCESS
}

fn child(name: &str) -> ProcId {
    let pid = env::var(name).expect("a pid").parse().expect("a pid");
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("its stat");
    let (_, rest) = stat.rsplit_once(')').expect("a name");
    let born = rest.split_ascii_whitespace().nth(19).expect("a start").parse().expect("ticks");
    ProcId { pid, born: Ticks(born) }
}

fn root() -> ProcRoot {
    ProcRoot::open(Path::new("/proc")).expect("/proc")
}

/// Yes, or what stands in the way.
fn cell(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Refused { refusal: Refusal::NotPermitted { hint }, .. } => no(hint),
        Outcome::Refused { refusal, .. } => no(&refusal.words()),
        _ => "yes".to_owned(),
    }
}

/// No, and what would help: the end of the hint says it.
fn no(hint: &str) -> String {
    match hint.rsplit_once("needs ") {
        Some((_, it)) => format!("no: needs {}", it.split(';').next().unwrap_or(it)),
        None => format!("no: {hint}"),
    }
}

/// What came of a step.
fn step(came: &StepResult) -> String {
    match came {
        StepResult::Done(_) => "yes".to_owned(),
        StepResult::Refused(why) => no(why),
        StepResult::Unavailable(why) => format!("not here: {why}"),
    }
}

/// Kills one of the children by all the means of a sacrifice; its priority, and its memory.
fn kill(hands: &mut LiveEffects, who: ProcId) -> (String, String) {
    let (name, consent, signal) = ("child".to_owned(), ConfirmedBy::TypedPid, Signal::KILL);
    let haste = Expedite::usual(signal);
    let outcome = hands.perform(Intent::Signal { who, name, signal, consent, haste });
    let Outcome::Signalled { haste, .. } = &outcome else {
        return (cell(&outcome), cell(&outcome));
    };
    let mut taken = haste.clone();
    for _ in 0..300 {
        for outcome in hands.settle() {
            if let Outcome::Hastened { taken: more, .. } = outcome {
                taken.push(more);
            }
        }
        if taken.iter().any(|it| it.step == Expedite::Reap) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let of = |wanted: Expedite| {
        let found = taken.iter().find(|it| it.step == wanted);
        found.map_or_else(|| "not here: nothing came of it".to_owned(), |it| step(&it.result))
    };
    (of(Expedite::Priority), of(Expedite::Reap))
}

/// Whether the kernel says who shares a process's memory.
fn tells_sharers(who: ProcId) -> String {
    match doomtop::syscall::same_memory(who.pid, who.pid) {
        Ok(_) => "yes".to_owned(),
        Err(errno) if errno.kind() == std::io::ErrorKind::PermissionDenied => {
            "no: needs CAP_SYS_PTRACE".to_owned()
        }
        Err(errno) => format!("not here: {errno}"),
    }
}

fn yes(is: bool) -> String {
    if is { "yes" } else { "no" }.to_owned()
}

fn set(hands: &mut LiveEffects, who: ProcId, from: i16, to: i16) -> String {
    let name = "child".to_owned();
    let (from, to) = (Adj(from), Adj(to));
    cell(&hands.perform(Intent::SetAdj { who, name, from, to, revert: false }))
}

/// Tries everything and prints the column.
pub fn probe() -> ExitCode {
    let (own, other) = (child(OWN), child(OTHER));
    let mut column: BTreeMap<&str, String> = BTreeMap::new();
    let mut live = LiveSource::start(root(), ScanPatience::Millis(3000)).expect("a source");
    let sample = live.sample(&Needs::everything(), None).expect("a look");
    let privileges = sample.privileges;
    column.insert("a see the processes of other users", yes(sample.find(other).is_some()));

    let mut hands = LiveEffects::new(LiveRoot::prove(root()).expect("the live /proc"));
    column.insert("b raise oom_score_adj of your own process", set(&mut hands, own, 0, 300));
    column.insert("c put it back", set(&mut hands, own, 300, 0));
    column.insert("d lower it below its floor", set(&mut hands, own, 0, -500));
    column.insert("e raise oom_score_adj of another user's", set(&mut hands, other, 0, 300));

    // One that nobody heeds. (SIGCONT goes to everybody in the same session.)
    let signal = |hands: &mut LiveEffects, who| {
        let (name, consent, signal) = ("child".to_owned(), ConfirmedBy::TypedPid, Signal(28));
        hands.perform(Intent::Signal { who, name, signal, consent, haste: Vec::new() })
    };
    let outcome = signal(&mut hands, own);
    column.insert("f signal your own process", cell(&outcome));
    let pinned = matches!(outcome, Outcome::Signalled { pinned: true, .. });
    column.insert("g pinned by pidfd", yes(pinned));
    let outcome = signal(&mut hands, other);
    column.insert("h signal another user's", cell(&outcome));
    column.insert("i turn overcommit and the other switches of vm", turn(&mut hands, &sample));
    column.insert("j be told who shares the memory of your own process", tells_sharers(own));
    column.insert("k be told who shares that of another user's", tells_sharers(other));
    let (priority, release) = kill(&mut hands, own);
    column.insert("l hurry a victim of your own by its priority", priority);
    column.insert("m take back a victim's memory at once", release);
    let locks = if doomtop_locks(&privileges) { "yes" } else { "no: needs CAP_IPC_LOCK" };
    column.insert("z stay in memory when memory is gone", locks.to_owned());
    println!("COLUMN {}", serde_json::to_string(&column).expect("JSON"));
    ExitCode::SUCCESS
}

/// Writes the value that a switch has; what the editor says before must come true.
fn turn(hands: &mut LiveEffects, sample: &Snapshot) -> String {
    let knob = Sysctl::Swappiness;
    let from = sample.sysctl(knob).value().expect("its value");
    let cell = cell(&hands.perform(Intent::SetKnob { knob, from, to: from }));
    let foreseen = sample.privileges.sysctls_writable.hindrance();
    assert_eq!(cell, foreseen.map_or_else(|| "yes".to_owned(), no));
    cell
}

/// Whether doomtop may lock its memory without limit.
fn doomtop_locks(privileges: &doomtop::model::Privileges) -> bool {
    use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};
    let unlimited =
        getrlimit(Resource::RLIMIT_MEMLOCK).is_ok_and(|(soft, _)| soft == RLIM_INFINITY);
    unlimited || privileges.caps.has(doomtop::model::Capability::IpcLock)
}

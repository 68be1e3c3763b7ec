//! Tries everything that needs a privilege on two children: one of the same user, one of another user.

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

/// The argument that runs [`probe`].
pub const PROBE: &str = "__probe";
/// The argument that runs [`sleep`].
pub const SLEEP: &str = "__sleep";
/// Environment variables with the pids of the two children.
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

/// `yes`, or why not.
fn cell(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Refused { refusal: Refusal::NotPermitted { hint }, .. } => no(hint),
        Outcome::Refused { refusal, .. } => no(&refusal.words()),
        _ => "yes".to_owned(),
    }
}

/// `no` and what would help, which stands at the end of the hint.
fn no(hint: &str) -> String {
    match hint.rsplit_once("needs ") {
        Some((_, it)) => format!("no: needs {}", it.split(';').next().unwrap_or(it)),
        None => format!("no: {hint}"),
    }
}

/// Result of a step.
fn step(came: &StepResult) -> String {
    match came {
        StepResult::Done(_) => "yes".to_owned(),
        StepResult::Refused(why) => no(why),
        StepResult::Unavailable(why) => format!("not here: {why}"),
    }
}

/// Kills one of the children with all steps. Returns the results for its priority and its memory.
fn kill(effects: &mut LiveEffects, who: ProcId) -> (String, String) {
    let (name, consent, signal) = ("child".to_owned(), ConfirmedBy::TypedPid, Signal::KILL);
    let steps = Expedite::usual(signal);
    let outcome = effects.perform(Intent::Signal { who, name, signal, consent, steps });
    let Outcome::Signalled { steps, .. } = &outcome else {
        return (cell(&outcome), cell(&outcome));
    };
    let mut taken = steps.clone();
    while effects.has_pending() {
        for outcome in effects.settle() {
            if let Outcome::StepDone { taken: more, .. } = outcome {
                taken.push(more);
            }
        }
        std::thread::sleep(effects.pace().unwrap_or_default());
    }
    let of = |wanted: Expedite| {
        let found = taken.iter().find(|it| it.step == wanted);
        found.map_or_else(|| "not here: no result".to_owned(), |it| step(&it.result))
    };
    (of(Expedite::Priority), of(Expedite::Reap))
}

/// Whether the kernel tells which processes share a memory (kcmp).
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

fn set(effects: &mut LiveEffects, who: ProcId, from: i16, to: i16) -> String {
    let name = "child".to_owned();
    let (from, to) = (Adj(from), Adj(to));
    cell(&effects.perform(Intent::SetAdj { who, name, from, to, revert: false }))
}

/// Tries everything and prints the column.
pub fn probe() -> ExitCode {
    let (own, other) = (child(OWN), child(OTHER));
    let mut column: BTreeMap<&str, String> = BTreeMap::new();
    let mut live = LiveSource::start(root(), ScanPatience::Millis(3000)).expect("a source");
    let sample = live.sample(&Needs::everything(), None).expect("a sample");
    let privileges = sample.privileges;
    column.insert("a see the processes of other users", yes(sample.find(other).is_some()));

    let mut effects = LiveEffects::new(LiveRoot::prove(root()).expect("the live /proc"));
    column.insert("b raise oom_score_adj of your own process", set(&mut effects, own, 0, 300));
    column.insert("c restore it", set(&mut effects, own, 300, 0));
    column.insert("d lower it below the value that root set last", set(&mut effects, own, 0, -500));
    column.insert(
        "e raise oom_score_adj of another user's process",
        set(&mut effects, other, 0, 300),
    );

    // SIGWINCH, which is ignored by default. (SIGCONT may be sent within the same session.)
    let signal = |effects: &mut LiveEffects, who| {
        let (name, consent, signal) = ("child".to_owned(), ConfirmedBy::TypedPid, Signal(28));
        effects.perform(Intent::Signal { who, name, signal, consent, steps: Vec::new() })
    };
    let outcome = signal(&mut effects, own);
    column.insert("f signal your own process", cell(&outcome));
    let pinned = matches!(outcome, Outcome::Signalled { pinned: true, .. });
    column.insert("g pinned by pidfd", yes(pinned));
    let outcome = signal(&mut effects, other);
    column.insert("h signal another user's process", cell(&outcome));
    column
        .insert("i write overcommit and the other vm sysctls", write_sysctl(&mut effects, &sample));
    column.insert("j see which processes share the memory of your own process", tells_sharers(own));
    column
        .insert("k see which processes share that of another user's process", tells_sharers(other));
    let (priority, release) = kill(&mut effects, own);
    column.insert("l raise the priority of a killed process of your own", priority);
    column.insert("m free the memory of a killed process at once", release);
    let locks = if doomtop_locks(&privileges) { "yes" } else { "no: needs CAP_IPC_LOCK" };
    column.insert("z lock doomtop's own memory", locks.to_owned());
    println!("COLUMN {}", serde_json::to_string(&column).expect("JSON"));
    ExitCode::SUCCESS
}

/// Writes the present value of a sysctl. The result must be what the dialog says before.
fn write_sysctl(effects: &mut LiveEffects, sample: &Snapshot) -> String {
    let sysctl = Sysctl::Swappiness;
    let from = sample.sysctl(sysctl).value().expect("its value");
    let cell = cell(&effects.perform(Intent::SetSysctl { sysctl, from, to: from }));
    let predicted = sample.privileges.sysctls_writable.hindrance();
    assert_eq!(cell, predicted.map_or_else(|| "yes".to_owned(), no));
    cell
}

/// Whether doomtop may lock its memory without limit.
fn doomtop_locks(privileges: &doomtop::model::Privileges) -> bool {
    use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};
    let unlimited =
        getrlimit(Resource::RLIMIT_MEMLOCK).is_ok_and(|(soft, _)| soft == RLIM_INFINITY);
    unlimited || privileges.caps.has(doomtop::model::Capability::IpcLock)
}

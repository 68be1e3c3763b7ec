//! Everything that needs a right, tried on two children: an own one and another user's.

use std::collections::BTreeMap;
use std::io::{Read, stdin};
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use doomtop::effects::{Effects, KernelHands};
use doomtop::intent::{Consent, Intent, Outcome, Refusal};
use doomtop::model::{Knob, Needs, ProcId, Signal, Snapshot};
use doomtop::sample::root::{LiveRoot, ProcRoot};
use doomtop::source::{Live, Patience, Source};
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
        Outcome::Refused { refusal: Refusal::NotPermitted { hint }, .. } => format!("no: {hint}"),
        Outcome::Refused { refusal, .. } => format!("no: {}", refusal.words()),
        _ => "yes".to_owned(),
    }
}

fn yes(is: bool) -> String {
    if is { "yes" } else { "no" }.to_owned()
}

fn set(hands: &mut KernelHands, who: ProcId, from: i16, to: i16) -> String {
    let name = "child".to_owned();
    let (from, to) = (Adj(from), Adj(to));
    cell(&hands.perform(Intent::SetAdj { who, name, from, to, revert: false }))
}

/// Tries everything and prints the column.
pub fn probe() -> ExitCode {
    let (own, other) = (child(OWN), child(OTHER));
    let mut column: BTreeMap<&str, String> = BTreeMap::new();
    let mut live = Live::start(root(), Patience::Millis(3000)).expect("a source");
    let look = live.look(&Needs::everything(), None).expect("a look");
    let powers = look.powers;
    column.insert("a see the processes of other users", yes(look.find(other).is_some()));

    let mut hands = KernelHands::new(LiveRoot::prove(root()).expect("the live /proc"));
    column.insert("b raise oom_score_adj of your own process", set(&mut hands, own, 0, 300));
    column.insert("c put it back", set(&mut hands, own, 300, 0));
    column.insert("d lower it below its floor", set(&mut hands, own, 0, -500));
    column.insert("e raise oom_score_adj of another user's", set(&mut hands, other, 0, 300));

    // One that nobody heeds. (SIGCONT goes to everybody in the same session.)
    let signal = |hands: &mut KernelHands, who| {
        let (name, consent, signal) = ("child".to_owned(), Consent::TypedPid, Signal(28));
        hands.perform(Intent::Signal { who, name, signal, consent, haste: Vec::new() })
    };
    let outcome = signal(&mut hands, own);
    column.insert("f signal your own process", cell(&outcome));
    let pinned = matches!(outcome, Outcome::Signalled { pinned: true, .. });
    column.insert("g pinned by pidfd", yes(pinned));
    let outcome = signal(&mut hands, other);
    column.insert("h signal another user's", cell(&outcome));
    column.insert("i turn overcommit and the other switches of vm", turn(&mut hands, &look));
    let locks = if doomtop_locks(&powers) { "yes" } else { "no: needs CAP_IPC_LOCK" };
    column.insert("z stay in memory when memory is gone", locks.to_owned());
    println!("COLUMN {}", serde_json::to_string(&column).expect("JSON"));
    ExitCode::SUCCESS
}

/// Writes the value that a switch has; what the editor says before must come true.
fn turn(hands: &mut KernelHands, look: &Snapshot) -> String {
    let knob = Knob::Swappiness;
    let from = knob.seen(look).value().expect("its value");
    let cell = cell(&hands.perform(Intent::SetKnob { knob, from, to: from }));
    let foreseen = look.powers.turns_knobs.hindrance();
    assert_eq!(cell, foreseen.map_or_else(|| "yes".to_owned(), |hint| format!("no: {hint}")));
    cell
}

/// Whether doomtop may lock its memory without limit.
fn doomtop_locks(powers: &doomtop::model::Powers) -> bool {
    use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};
    let unlimited =
        getrlimit(Resource::RLIMIT_MEMLOCK).is_ok_and(|(soft, _)| soft == RLIM_INFINITY);
    unlimited || powers.caps.has(doomtop::model::Capability::IpcLock)
}

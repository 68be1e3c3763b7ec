//! The hands on real processes: own children only, and every refusal proven harmless.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use doomtop::effects::{Effects, LiveEffects, NoEffects};
use doomtop::intent::{ConfirmedBy, Intent, Outcome, Refusal};
use doomtop::model::{Capabilities, Capability, ProcId, Signal};
use doomtop::sample::proc_root::{LiveRoot, ProcRoot};
use doomtop::units::{Adj, Ticks};

use crate::children::{Own, seen, try_seen};

pub fn adj_of(pid: i32) -> Option<Adj> {
    let text = fs::read_to_string(format!("/proc/{pid}/oom_score_adj")).ok()?;
    text.trim().parse().ok().map(Adj)
}

pub fn adj(pid: i32) -> Adj {
    adj_of(pid).expect("an adj")
}

pub fn hands() -> LiveEffects {
    let root = ProcRoot::open(Path::new("/proc")).expect("/proc");
    LiveEffects::new(LiveRoot::prove(root).expect("the live /proc"))
}

pub fn set(who: ProcId, from: Adj, to: Adj) -> Intent {
    Intent::SetAdj { who, name: "child".to_owned(), from, to, revert: false }
}

pub fn signal(who: ProcId, signal: Signal, consent: ConfirmedBy) -> Intent {
    Intent::Signal { who, name: "child".to_owned(), signal, consent, steps: Vec::new() }
}

pub fn kill(who: ProcId) -> Intent {
    signal(who, Signal::KILL, ConfirmedBy::Plain)
}

pub fn refusal(outcome: Outcome) -> Refusal {
    match outcome {
        Outcome::Refused { refusal, .. } => refusal,
        other => panic!("was to be refused: {other:?}"),
    }
}

fn is_protected(outcome: Outcome) -> bool {
    matches!(refusal(outcome), Refusal::Protected { why } if !why.is_empty())
}

pub fn own_caps() -> Capabilities {
    let status = fs::read_to_string("/proc/self/status").expect("own status");
    let mask = status.lines().find_map(|line| line.strip_prefix("CapEff:")).expect("CapEff");
    Capabilities(u64::from_str_radix(mask.trim(), 16).expect("a mask"))
}

pub fn own_pid() -> i32 {
    i32::try_from(std::process::id()).expect("a pid")
}

#[test]
fn an_adj_is_raised_read_back_and_lowered_again() {
    let child = Own::sleeping();
    let who = child.id();
    let was = adj(who.pid);
    let high = Adj(was.0.max(0) + 7);
    let mut hands = hands();
    for (from, to, revert) in [(was, high, false), (high, was, true)] {
        let name = "child".to_owned();
        let intent = Intent::SetAdj { who, name: name.clone(), from, to, revert };
        let outcome = hands.perform(intent);
        assert_eq!(outcome, Outcome::AdjSet { who, name, before: from, now: to, revert });
        assert_eq!(adj(who.pid), to);
    }
    assert!(!hands.has_pending());
}

#[test]
fn below_the_floor_only_with_the_capability() {
    let caps = own_caps();
    let child = Own::sleeping();
    let who = child.id();
    let was = adj(who.pid);
    let outcome = hands().perform(set(who, was, Adj(-1000)));
    if caps.has(Capability::SysResource) && matches!(outcome, Outcome::AdjSet { .. }) {
        assert_eq!(adj(who.pid), Adj(-1000));
    } else {
        // In a container the capability may be held and still not count.
        let Refusal::NotPermitted { hint } = refusal(outcome) else { panic!("not permitted") };
        assert!(hint.contains("CAP_SYS_RESOURCE"), "{hint}");
        assert_eq!(adj(who.pid), was, "untouched");
    }
}

#[test]
fn a_value_off_the_scale_is_the_kernels_no() {
    let child = Own::sleeping();
    let who = child.id();
    let was = adj(who.pid);
    let Refusal::Failed { error, .. } = refusal(hands().perform(set(who, was, Adj(1001)))) else {
        panic!("EINVAL is no matter of rights");
    };
    assert!(error.contains("+1001"), "{error}");
    assert_eq!(adj(who.pid), was);
}

#[test]
fn an_adj_that_changed_meanwhile_is_left_alone() {
    let child = Own::sleeping();
    let who = child.id();
    let was = adj(who.pid);
    let stale = Adj(was.0 + 1);
    let refused = refusal(hands().perform(set(who, stale, Adj(900))));
    assert_eq!(refused, Refusal::Changed { from: stale, found: was });
    assert!(refused.words().contains("try again"), "{}", refused.words());
    assert_eq!(adj(who.pid), was);
}

#[test]
fn a_round_goes_on_where_one_of_it_cannot_be_done() {
    let mut children: Vec<Own> = (0..4).map(|_| Own::sleeping()).collect();
    let who: Vec<ProcId> = children.iter().map(Own::id).collect();
    let was = adj(who[0].pid);
    let to = Adj(was.0.max(0) + 9);
    let mut hands = hands();
    // One goes, one is changed by somebody else, between the list and the writes.
    children[1].0.kill().expect("an own child");
    children[1].0.wait().expect("an own child");
    let others = Adj(was.0.max(0) + 3);
    fs::write(format!("/proc/{}/oom_score_adj", who[2].pid), others.0.to_string()).expect("raised");
    let came: Vec<Outcome> = who.iter().map(|&id| hands.perform(set(id, was, to))).collect();
    assert!(matches!(came[0], Outcome::AdjSet { .. }), "{:?}", came[0]);
    assert_eq!(refusal(came[1].clone()), Refusal::Gone);
    assert_eq!(refusal(came[2].clone()), Refusal::Changed { from: was, found: others });
    assert!(matches!(came[3], Outcome::AdjSet { .. }), "{:?}", came[3]);
    assert_eq!([0, 2, 3].map(|nth| adj(who[nth].pid)), [to, others, to]);
    // And back, where it still is what was written.
    for nth in [0, 3] {
        let name = "child".to_owned();
        let back = Intent::SetAdj { who: who[nth], name, from: to, to: was, revert: true };
        assert!(matches!(hands.perform(back), Outcome::AdjSet { revert: true, .. }));
        assert_eq!(adj(who[nth].pid), was);
    }
}

/// A parent and a child in one memory, which the library call makes without a line of `unsafe` here.
const SHARERS: &str = r#"
import ctypes, signal, sys
libc = ctypes.CDLL(None, use_errno=True)
stack = ctypes.create_string_buffer(1 << 16)
top = (ctypes.addressof(stack) + (1 << 16)) & ~63
CLONE_VM = 0x100
pid = libc.clone(ctypes.cast(libc.pause, ctypes.c_void_p), ctypes.c_void_p(top), CLONE_VM | signal.SIGCHLD, None)
print(pid, flush=True)
sys.stdin.read()
libc.kill(pid, signal.SIGKILL)
"#;

/// A child of an own child; it ends whatever becomes of the test.
struct Ended(ProcId);

impl Drop for Ended {
    fn drop(&mut self) {
        if try_seen(self.0.pid) == Some(self.0)
            && let Some(pid) = rustix::process::Pid::from_raw(self.0.pid)
        {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
}

#[test]
fn those_who_share_a_memory_share_the_value() {
    let python = Command::new("python3").args(["-c", "import ctypes"]).output();
    if !python.is_ok_and(|it| it.status.success()) {
        eprintln!("SKIPPED: no python3 here to make two processes in one memory");
        return;
    }
    let mut parent = Own::spawn(Command::new("python3").args(["-c", SHARERS]));
    let mut line = String::new();
    let mut out = BufReader::new(parent.0.stdout.as_mut().expect("a pipe"));
    out.read_line(&mut line).expect("a line");
    let sharer = seen(line.trim().parse().expect("a pid"));
    let _guard = Ended(sharer);
    let who = parent.id();
    let was = adj(who.pid);
    let to = Adj(was.0.max(0) + 11);
    let mut hands = hands();
    assert!(matches!(hands.perform(set(who, was, to)), Outcome::AdjSet { .. }));
    // The kernel wrote it to the other one (4.8 and later): nothing is left to do there.
    assert_eq!(adj(sharer.pid), to);
    let name = "child".to_owned();
    let already = Outcome::AdjSet { who: sharer, name, before: to, now: to, revert: false };
    assert_eq!(hands.perform(set(sharer, was, to)), already);
    // It goes with its parent's input.
    drop(parent.0.stdin.take());
    parent.0.wait().expect("it ends");
}

#[test]
fn a_process_that_hides_itself_is_no_other_users() {
    if own_caps().has(Capability::DacOverride) {
        return; // root may write it all the same
    }
    let mut hands = hands();
    let mut child = Own::spawn(Command::new("python3").args([
        "-c",
        "import ctypes, sys; ctypes.CDLL(None).prctl(4, 0); print('ready', flush=True); sys.stdin.read()",
    ]));
    child.ready();
    let who = child.id();
    let was = adj(who.pid);
    let Refusal::NotPermitted { hint } = refusal(hands.perform(set(who, was, Adj(was.0 + 1))))
    else {
        panic!("not permitted");
    };
    assert!(hint.contains("undumpable"), "{hint}");
}

#[test]
fn another_birth_is_another_process() {
    let mut child = Own::sleeping();
    let who = child.id();
    let was = adj(who.pid);
    let mut hands = hands();
    for born in [Ticks(who.born.0 + 1), Ticks(who.born.0 - 1), Ticks(0)] {
        let other = ProcId { pid: who.pid, born };
        assert_eq!(refusal(hands.perform(set(other, was, Adj(900)))), Refusal::PidReused);
        for consent in [ConfirmedBy::Plain, ConfirmedBy::TypedPid] {
            let wish = signal(other, Signal::KILL, consent);
            assert_eq!(refusal(hands.perform(wish)), Refusal::PidReused);
        }
    }
    assert_eq!(adj(who.pid), was);
    assert!(child.lives());
    assert!(!hands.has_pending());
}

#[test]
fn a_process_that_is_gone_is_gone() {
    let mut child = Own::sleeping();
    let who = child.id();
    child.0.kill().expect("an own child");
    child.0.wait().expect("an own child");
    let mut hands = hands();
    assert_eq!(refusal(hands.perform(set(who, Adj::ZERO, Adj(5)))), Refusal::Gone);
    assert_eq!(refusal(hands.perform(kill(who))), Refusal::Gone);
    assert!(!hands.has_pending());
}

#[test]
fn a_killed_child_is_followed_to_its_end() {
    let mut child = Own::sleeping();
    let who = child.id();
    let mut hands = hands();
    let name = "child".to_owned();
    let outcome = hands.perform(kill(who));
    let Outcome::Signalled { who: hit, signal, pinned, .. } = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!((hit, signal), (who, Signal::KILL));
    assert!(pinned, "this kernel has pidfds");
    assert!(hands.has_pending());
    child.0.wait().expect("it ends");
    let said = hands.settle();
    let [Outcome::Exited { who: gone, name: called, .. }] = &said[..] else { panic!("{said:?}") };
    assert_eq!((*gone, called), (who, &name));
    assert!(!hands.has_pending());
    assert_eq!(hands.settle(), []);
}

#[test]
fn a_child_that_ignores_sigterm_stays_until_sigkill() {
    let script = r#"trap "" TERM; echo ready; while read x; do :; done"#;
    let mut child = Own::waiting(script);
    let who = child.id();
    let mut hands = hands();
    let outcome = hands.perform(signal(who, Signal::TERM, ConfirmedBy::Plain));
    assert!(matches!(outcome, Outcome::Signalled { pinned: true, .. }), "{outcome:?}");
    // This thread may not have run for seconds: then it is overdue.
    let overdue = |it: &Outcome| matches!(it, Outcome::StillThere { after, .. } if after.0 >= 5000);
    assert!(hands.settle().iter().all(overdue), "neither gone nor overdue");
    assert!(child.lives());
    assert!(matches!(hands.perform(kill(who)), Outcome::Signalled { .. }));
    child.0.wait().expect("it ends");
    let said = hands.settle();
    assert!(matches!(said[..], [Outcome::Exited { .. }]), "one end, not two: {said:?}");
}

// The signals to what must never be hit are all SIGCONT, and the adj is what it is already: were a
// refusal missing, the test would fail and the machine would not.

#[test]
fn init_and_doomtop_itself_get_no_signal_whatever_the_consent() {
    let mut hands = hands();
    for who in [seen(1), seen(own_pid()), ProcId::default(), ProcId { pid: -1, born: Ticks(0) }] {
        for consent in [ConfirmedBy::Plain, ConfirmedBy::TypedPid] {
            assert!(is_protected(hands.perform(signal(who, Signal::CONT, consent))), "{who}");
        }
    }
    let link = fs::read_link("/proc/self/ns/pid").expect("a namespace");
    if link.as_os_str() == "pid:[4026531836]" {
        assert!(is_protected(hands.perform(set(seen(1), adj(1), adj(1)))));
    }
}

#[test]
fn a_kernel_thread_is_left_alone_whatever_the_consent() {
    if fs::read_to_string("/proc/2/comm").ok().as_deref() != Some("kthreadd\n") {
        return; // a container shows none
    }
    let who = seen(2);
    let mut hands = hands();
    for consent in [ConfirmedBy::Plain, ConfirmedBy::TypedPid] {
        assert!(is_protected(hands.perform(signal(who, Signal::CONT, consent))));
    }
    assert!(is_protected(hands.perform(set(who, adj(2), adj(2)))));
}

#[test]
fn the_own_parent_needs_the_typed_pid() {
    let parent = i32::try_from(std::os::unix::process::parent_id()).expect("a pid");
    if parent == 0 {
        return; // started from outside of this pid namespace
    }
    let outcome = hands().perform(signal(seen(parent), Signal::CONT, ConfirmedBy::Plain));
    assert!(is_protected(outcome));
}

#[test]
fn a_pillar_of_the_system_needs_the_typed_pid() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut child = Own::named(folder.path(), "dbus-daemon");
    let who = child.id();
    let mut hands = hands();
    assert!(is_protected(hands.perform(kill(who))));
    assert!(child.lives());
    let outcome = hands.perform(signal(who, Signal::KILL, ConfirmedBy::TypedPid));
    assert!(matches!(outcome, Outcome::Signalled { .. }), "{outcome:?}");
    child.0.wait().expect("it ends");
    assert!(matches!(hands.settle()[..], [Outcome::Exited { .. }]));
}

#[test]
fn a_hostile_name_is_no_other_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut child = Own::named(folder.path(), "a) S 1\n(b");
    let who = child.id();
    let was = adj(who.pid);
    let mut hands = hands();
    let outcome = hands.perform(set(who, was, Adj(was.0.max(0) + 3)));
    assert!(matches!(outcome, Outcome::AdjSet { .. }), "{outcome:?}");
    assert!(matches!(hands.perform(kill(who)), Outcome::Signalled { .. }));
    child.0.wait().expect("it ends");
}

/// Only where this test has no rights over others; with them there is nothing to be refused.
#[test]
fn another_users_process_is_not_permitted_and_the_hint_says_what_would_help() {
    let caps = own_caps();
    if caps.has(Capability::Kill) || caps.has(Capability::DacOverride) {
        return;
    }
    // Real, effective, saved: a common one would allow the signal.
    let users = |pid: &str| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("Uid:"))?.to_owned();
        Some(line.split_ascii_whitespace().take(3).map(str::to_owned).collect::<Vec<_>>())
    };
    let own = users("self").expect("own users");
    let others = fs::read_dir("/proc").expect("a list").flatten().filter_map(|entry| {
        let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
        let foreign = users(&pid.to_string())?.iter().all(|user| !own.contains(user));
        Some((foreign.then(|| try_seen(pid))??, adj_of(pid)?))
    });
    let mut hands = hands();
    for (who, was) in others {
        // Some are protected before any right is asked for, some may end right now. SIGWINCH, not
        // SIGCONT: within a session the kernel lets everybody continue everybody.
        if let Refusal::NotPermitted { hint } =
            refusal(hands.perform(signal(who, Signal(28), ConfirmedBy::Plain)))
        {
            assert!(hint.contains("CAP_KILL"), "{hint}");
        }
        if let Refusal::NotPermitted { hint } = refusal(hands.perform(set(who, was, was))) {
            assert!(hint.contains("CAP_DAC_OVERRIDE"), "{hint}");
        }
    }
}

#[test]
fn the_refusing_hands_refuse() {
    let mut child = Own::sleeping();
    let who = child.id();
    let was = adj(who.pid);
    for (mut hands, why) in
        [(NoEffects::ReadOnly, Refusal::ReadOnly), (NoEffects::NotLive, Refusal::NotLive)]
    {
        for intent in [set(who, was, Adj(900)), kill(who)] {
            let outcome = hands.perform(intent.clone());
            assert_eq!(outcome, Outcome::Refused { intent, refusal: why.clone() });
        }
        assert_eq!(hands.settle(), []);
        assert!(!hands.has_pending());
    }
    assert_eq!(adj(who.pid), was);
    assert!(child.lives());
}

#[test]
fn a_folder_that_looks_like_proc_is_not_live() {
    let folder = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::symlink(own_pid().to_string(), folder.path().join("self")).expect("a link");
    let root = ProcRoot::open(folder.path()).expect("a folder can be opened");
    let Err(refused) = LiveRoot::prove(root) else { panic!("a folder is not live") };
    assert!(!refused.to_string().is_empty());
}

/// A pid that truly changed hands: only a pid namespace of its own can be made to do that.
#[test]
fn a_recycled_pid_is_reborn() {
    const INSIDE: &str = "DOOMTOP_TEST_INSIDE_A_PID_NAMESPACE";
    if std::env::var_os(INSIDE).is_some() {
        return recycle();
    }
    let unshare = |program: &Path| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--pid", "--fork", "--mount-proc"]);
        command.arg("--kill-child").arg(program).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    };
    if !unshare(Path::new("true")).status().is_ok_and(|status| status.success()) {
        eprintln!("skipped: no pid namespace can be made here");
        return;
    }
    let itself = std::env::current_exe().expect("this test");
    let output = unshare(&itself)
        .args(["--exact", "hands::a_recycled_pid_is_reborn", "--nocapture"])
        .env(INSIDE, "1")
        .output()
        .expect("the test inside");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn recycle() {
    let mut first = Own::sleeping();
    let old = first.id();
    first.0.kill().expect("an own child");
    first.0.wait().expect("an own child");

    // The pid comes back at once, but within the same tick of birth nobody could tell the two
    // apart: try until a tick has gone by.
    for _ in 0..10_000 {
        let last = (old.pid - 1).to_string();
        if fs::write("/proc/sys/kernel/ns_last_pid", last).is_err() {
            eprintln!("skipped: the next pid cannot be chosen here");
            return;
        }
        let mut second = Own::sleeping();
        let new = second.id();
        if new.pid != old.pid || new.born == old.born {
            continue;
        }
        let mut hands = hands();
        let was = adj(new.pid);
        assert_eq!(refusal(hands.perform(set(old, was, Adj(900)))), Refusal::PidReused);
        assert_eq!(refusal(hands.perform(kill(old))), Refusal::PidReused);
        assert_eq!(adj(new.pid), was);
        assert!(second.lives());
        assert!(matches!(hands.perform(kill(new)), Outcome::Signalled { .. }));
        second.0.wait().expect("it ends");
        return;
    }
    panic!("the pid never came back with another birth");
}

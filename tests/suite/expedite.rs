//! What hurries a death, on real processes: own children only, and cgroups of our own where they can be
//! had; where not, it says so.

#![allow(unsafe_code, reason = "only clone(2) makes a process that lives in another one's memory")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use doomtop::effects::{DryRun, Effects, LiveEffects};
use doomtop::intent::{ConfirmedBy, Expedite, ExpediteStep, Intent, Outcome, Refusal, StepResult};
use doomtop::model::{Capability, Hierarchy, ProcId, ProcessDetail, Reading, Signal, Text};
use doomtop::sample::proc_root::{LiveRoot, ProcRoot};
use doomtop::sample::process::detail::detail;
use doomtop::units::{Adj, Kib, Ticks};

use crate::children::{Own, seen};
use crate::hands::{adj, hands, kill, own_caps, own_pid, refusal, set, signal};

fn take_detail(who: ProcId) -> ProcessDetail {
    let root = ProcRoot::open(Path::new("/proc")).expect("/proc");
    detail(&root, who).expect("a living process")
}

fn hurried(who: ProcId, steps: Vec<Expedite>) -> Intent {
    let (name, signal) = ("child".to_owned(), Signal::KILL);
    Intent::Signal { who, name, signal, consent: ConfirmedBy::Plain, steps }
}

/// What is said until nothing more is to come.
fn all_said(hands: &mut LiveEffects) -> Vec<Outcome> {
    let mut said = Vec::new();
    while hands.has_pending() {
        said.extend(hands.settle());
        std::thread::yield_now();
    }
    said
}

fn released(said: &[Outcome]) -> &StepResult {
    let found = said.iter().find_map(|outcome| match outcome {
        Outcome::StepDone {
            taken: ExpediteStep { step: Expedite::Reap, result: came }, ..
        } => Some(came),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("no word about its memory in {said:?}"))
}

/// A child with some memory of its own, that waits.
fn child_with_memory() -> Own {
    let script = "x=$(head -c 8000000 /dev/zero | tr '\\0' x); echo ready; read y";
    Own::waiting(script)
}

#[test]
fn a_study_says_of_whom_the_memory_is() {
    let child = child_with_memory();
    let found = take_detail(child.id());
    let Reading::Value(holding) = found.breakdown else {
        eprintln!("skipped: no smaps_rollup here: {:?}", found.breakdown);
        return;
    };
    assert!(holding.freed() >= Kib(7000), "{holding:?}");
    assert!(holding.shared > Kib::ZERO, "the C library is everybody's: {holding:?}");
    assert_eq!(found.frozen, None);
    // A process of another birth is somebody else.
    let root = ProcRoot::open(Path::new("/proc")).expect("/proc");
    let other = ProcId { born: Ticks(child.id().born.0 + 1), ..child.id() };
    assert_eq!(detail(&root, other), None);
}

#[test]
fn a_killed_child_is_hurried_and_every_step_is_told() {
    let mut child = child_with_memory();
    let who = child.id();
    let mut hands = hands();
    let outcome = hands.perform(hurried(who, Expedite::usual(Signal::KILL)));
    let Outcome::Signalled { steps, pinned: true, .. } = outcome else { panic!("{outcome:?}") };
    let [ExpediteStep { step: Expedite::Priority, result: came }] = &steps[..] else {
        panic!("{steps:?}")
    };
    if own_caps().has(Capability::SysNice) {
        assert_eq!(*came, StepResult::Done(String::new()));
    } else {
        assert!(
            matches!(came, StepResult::Refused(why) if why.contains("CAP_SYS_NICE")),
            "{came:?}"
        );
    }
    child.0.wait().expect("it ends");
    let said = all_said(&mut hands);
    assert!(said.iter().any(|it| matches!(it, Outcome::Exited { .. })), "{said:?}");
    // Done, or too late; or a kernel or a filter without it.
    let came = released(&said);
    assert!(!came.words().is_empty());
    assert!(!matches!(came, StepResult::Unavailable(why) if why.contains("not dying")), "{came:?}");
}

#[test]
fn sigterm_hurries_nobody() {
    assert_eq!(Expedite::usual(Signal::TERM), []);
    let mut child = Own::sleeping();
    let mut hands = hands();
    let outcome = hands.perform(signal(child.id(), Signal::TERM, ConfirmedBy::Plain));
    assert!(matches!(outcome, Outcome::Signalled { steps, .. } if steps.is_empty()));
    child.0.wait().expect("it ends");
    assert!(matches!(all_said(&mut hands)[..], [Outcome::Exited { .. }]));
}

#[test]
fn a_refused_signal_leaves_the_priority_as_it_was() {
    let child = Own::sleeping();
    let who = child.id();
    let wrong = Intent::Signal {
        who,
        name: "child".to_owned(),
        signal: Signal(4096),
        consent: ConfirmedBy::Plain,
        steps: vec![Expedite::Priority],
    };
    assert!(matches!(refusal(hands().perform(wrong)), Refusal::Failed { .. }));
    let stat = fs::read_to_string(format!("/proc/{}/stat", who.pid)).expect("a stat");
    let nice = stat.rsplit(')').next().and_then(|rest| rest.split_ascii_whitespace().nth(16));
    let own = fs::read_to_string("/proc/self/stat").expect("a stat");
    let mine = own.rsplit(')').next().and_then(|rest| rest.split_ascii_whitespace().nth(16));
    assert_eq!(nice, mine);
}

/// A process and its child, which lives in its memory: what only clone(2) makes. This test starts
/// itself anew, because the child must not live in the memory of all the others.
#[test]
fn whoever_shares_the_memory_is_found_and_keeps_it() {
    const INSIDE: &str = "DOOMTOP_TEST_SHARES_ITS_MEMORY";
    if std::env::var_os(INSIDE).is_some() {
        return share();
    }
    let itself = std::env::current_exe().expect("this test");
    let mut parent = Own::spawn(
        Command::new(itself)
            .args(["--exact", "expedite::whoever_shares_the_memory_is_found_and_keeps_it"])
            .args(["--nocapture", "--test-threads", "1"])
            .env(INSIDE, "1")
            .stderr(Stdio::inherit()),
    );
    let mut out = BufReader::new(parent.0.stdout.take().expect("a pipe")).lines();
    let sharer = loop {
        let line = out.next().expect("a line").expect("text");
        if let Some(pid) = line.strip_prefix("sharer ") {
            break seen(pid.parse().expect("a pid"));
        }
    };
    let who = parent.id();
    let study = take_detail(who);
    match &study.sharers {
        Reading::Value(sharers) => {
            let found: Vec<ProcId> = sharers.found.iter().map(|(id, _)| *id).collect();
            assert_eq!(found, [sharer]);
        }
        other => eprintln!("skipped: kcmp is not to be had here: {other:?}"),
    }
    let mut hands = hands();
    hands.perform(hurried(who, vec![Expedite::Reap]));
    parent.0.wait().expect("it ends");
    let said = all_said(&mut hands);
    // Before the main thread has given its part up the kernel sees somebody who is not dying; after,
    // there is nothing left to be had from this one.
    let words = released(&said).words();
    assert!(words.contains("not dying") || words.contains("already"), "{words}");
    // Whoever shares it is still there; it dies with its parent's end by its own wish, or now.
    hands.perform(hurried(sharer, Expedite::usual(Signal::KILL)));
    all_said(&mut hands);
}

fn share() {
    /// Takes nothing from whoever made it: that may be gone by then.
    extern "C" fn wait(_: *mut nix::libc::c_void) -> i32 {
        loop {
            // SAFETY: pause takes nothing and touches no memory but errno.
            unsafe { nix::libc::pause() };
        }
    }
    let mut stack = vec![0_u128; 16 << 10];
    let top = stack.as_mut_ptr_range().end.cast();
    let flags = nix::libc::CLONE_VM | nix::libc::SIGCHLD;
    // SAFETY: the child runs on a stack of its own, aligned as any code wants it, which is never given
    // back, and does nothing but wait for the signal that ends it.
    let child = unsafe { nix::libc::clone(wait, top, flags, std::ptr::null_mut()) };
    assert!(child > 0, "a child");
    let mut out = std::io::stdout();
    let _ = writeln!(out, "\nsharer {child}");
    let _ = out.flush();
    let mut line = String::new();
    let _ = std::io::stdin().read_line(&mut line);
    std::mem::forget(stack);
}

/// A cgroup of our own, removed whatever becomes of the test.
struct Group(PathBuf);

impl Group {
    /// Nothing, and a word on it, where none can be made.
    fn new(mount: &str, name: &str) -> Option<Self> {
        let path = Path::new(mount).join(format!("doomtop-test-{name}-{}", own_pid()));
        let needed = if mount.ends_with("freezer") { "freezer.state" } else { "cgroup.kill" };
        if fs::create_dir(&path).is_ok() {
            let group = Self(path);
            if group.0.join(needed).exists() {
                return Some(group);
            }
        }
        eprintln!("skipped: no cgroup with {needed} can be made below {mount}");
        None
    }

    fn v2(name: &str) -> Option<Self> {
        let unified = "/sys/fs/cgroup/unified";
        let mount = if Path::new(unified).exists() { unified } else { "/sys/fs/cgroup" };
        Self::new(mount, name)
    }

    /// As `/proc/PID/cgroup` prints it, where the mount shows the namespace's root.
    fn path(&self) -> String {
        let name = self.0.file_name().expect("a name");
        format!("/{}", Text::new(name.as_encoded_bytes()))
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.0.join(file), text).unwrap_or_else(|error| panic!("{file}: {error}"));
    }

    fn take(&self, who: ProcId) {
        self.write("cgroup.procs", &who.pid.to_string());
    }

    fn says(&self, file: &str, line: &str) -> bool {
        fs::read_to_string(self.0.join(file)).is_ok_and(|it| it.lines().any(|it| it == line))
    }

    /// Waits until everybody in it is frozen.
    fn until(&self, file: &str, line: &str) {
        while !self.says(file, line) {
            std::thread::yield_now();
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        for (file, word) in [("freezer.state", "THAWED"), ("cgroup.freeze", "0")] {
            let file = self.0.join(file);
            if file.exists() {
                let _ = fs::write(file, word);
            }
        }
        let _ = fs::remove_dir(&self.0);
    }
}

#[test]
fn a_v1_freezer_holds_even_sigkill_back_until_the_thaw() {
    let Some(group) = Group::new("/sys/fs/cgroup/freezer", "v1") else { return };
    let mut child = Own::sleeping();
    let mut other = Own::sleeping();
    let who = child.id();
    group.take(who);
    group.take(other.id());
    group.write("freezer.state", "FROZEN");
    group.until("freezer.state", "FROZEN");

    let frozen = take_detail(who).frozen.expect("frozen");
    assert_eq!((frozen.hierarchy, frozen.own, frozen.others), (Hierarchy::V1, true, 1));
    assert_eq!(frozen.path.as_str(), group.path());

    let mut hands = hands();
    assert!(matches!(hands.perform(kill(who)), Outcome::Signalled { .. }));
    assert!(child.lives(), "frozen, it cannot act on it");
    // Twice does not help; the thaw does, and only of the cgroup that the user saw.
    assert!(matches!(refusal(hands.perform(kill(who))), Refusal::AlreadyKilled { .. }));
    let thaw = |cgroup: &str| vec![Expedite::Thaw { cgroup: cgroup.to_owned() }];
    let outcome = hands.perform(hurried(who, thaw("/another")));
    let Outcome::Signalled { steps, .. } = outcome else { panic!("{outcome:?}") };
    assert!(matches!(&steps[0].result, StepResult::Unavailable(_)), "{steps:?}");
    assert!(group.says("freezer.state", "FROZEN"));

    let outcome = hands.perform(hurried(who, thaw(&group.path())));
    let Outcome::Signalled { steps, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(steps[0].result, StepResult::Done(String::new()));
    child.0.wait().expect("it ends");
    assert!(matches!(all_said(&mut hands)[..], [Outcome::Exited { .. }]));
    assert!(other.lives(), "only thawed");
}

#[test]
fn a_v2_freezer_holds_back_what_is_caught() {
    let Some(group) = Group::v2("v2") else { return };
    let script = r#"trap "exit 3" TERM; echo ready; while read x; do :; done"#;
    let mut child = Own::waiting(script);
    let mut plain = Own::sleeping();
    group.take(child.id());
    group.take(plain.id());
    group.write("cgroup.freeze", "1");
    group.until("cgroup.events", "frozen 1");

    let frozen = take_detail(child.id()).frozen.expect("frozen");
    assert_eq!((frozen.hierarchy, frozen.own), (Hierarchy::V2, true));
    assert!(frozen.delays(Signal::TERM) && !frozen.delays(Signal::KILL));

    let mut hands = hands();
    assert!(matches!(hands.perform(kill(plain.id())), Outcome::Signalled { .. }));
    plain.0.wait().expect("SIGKILL reaches the frozen");
    let term = Intent::Signal {
        who: child.id(),
        name: "child".to_owned(),
        signal: Signal::TERM,
        consent: ConfirmedBy::Plain,
        steps: vec![Expedite::Thaw { cgroup: group.path() }],
    };
    let outcome = hands.perform(term);
    let Outcome::Signalled { steps, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(steps[0].result, StepResult::Done(String::new()));
    assert_eq!(child.0.wait().expect("it ends").code(), Some(3), "by its own handler");
    assert_eq!(all_said(&mut hands).len(), 2);
}

fn doom(group: &Group, members: &[&Own]) -> Intent {
    let members = members.iter().map(|it| (it.id(), "child".to_owned())).collect();
    Intent::KillCgroup { path: group.path(), members }
}

#[test]
fn a_cgroup_dies_as_a_whole_or_not_at_all() {
    let Some(group) = Group::v2("kill") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let (mut one, mut two) = (Own::sleeping(), Own::sleeping());
    let mut pillar = Own::named(folder.path(), "dbus-daemon");
    group.take(one.id());
    fs::create_dir(group.0.join("below")).expect("a cgroup");
    fs::write(group.0.join("below/cgroup.procs"), two.id().pid.to_string()).expect("a member");

    let mut hands = hands();
    // Somebody below whom the user did not see.
    let Refusal::NotSeen { who } = refusal(hands.perform(doom(&group, &[&one]))) else {
        panic!("unseen")
    };
    assert!(who.starts_with(&two.id().to_string()), "{who}");
    // Somebody who has another's pid.
    let mut reborn = doom(&group, &[&one, &two]);
    if let Intent::KillCgroup { members, .. } = &mut reborn {
        members[1].0.born = Ticks(members[1].0.born.0 + 1);
    }
    assert!(matches!(refusal(hands.perform(reborn)), Refusal::NotSeen { .. }));
    // Somebody who is protected.
    group.take(pillar.id());
    let all = doom(&group, &[&one, &two, &pillar]);
    let Refusal::NotSeen { who } = refusal(hands.perform(all)) else { panic!("protected") };
    assert!(who.contains("protected"), "{who}");
    assert!(one.lives() && two.lives() && pillar.lives());
    assert!(!hands.has_pending());
    pillar.0.kill().expect("an own child");
    pillar.0.wait().expect("an own child");

    // A rehearsal checks the same and kills nobody.
    let wish = doom(&group, &[&one, &two]);
    let mut both = [one.id(), two.id()];
    both.sort_unstable();
    let outcome = rehearsal().perform(wish.clone());
    assert!(matches!(outcome, Outcome::DryRun { .. }), "{outcome:?}");
    assert!(one.lives() && two.lives());

    let outcome = hands.perform(wish);
    let Outcome::CgroupKilled { members, .. } = outcome else { panic!("{outcome:?}") };
    let mut hit: Vec<ProcId> = members.iter().map(|(who, _)| *who).collect();
    hit.sort_unstable();
    assert_eq!(hit, both);
    one.0.wait().expect("it ends");
    two.0.wait().expect("it ends");
    let said = all_said(&mut hands);
    let ends = said.iter().filter(|it| matches!(it, Outcome::Exited { .. })).count();
    assert_eq!(ends, 2, "{said:?}");
    fs::remove_dir(group.0.join("below")).expect("an empty cgroup");
}

/// systemd writes a dash in a name as `\x2d`, and a backslash is itself shown as `\x5c`.
#[test]
fn a_cgroup_with_a_backslash_in_its_name_is_thawed_and_killed_by_its_shown_path() {
    let Some(group) = Group::v2(r"foo\x2dbar") else { return };
    assert!(group.path().contains(r"foo\x5cx2dbar"), "{}", group.path());
    let mut child = Own::sleeping();
    group.take(child.id());
    group.write("cgroup.freeze", "1");
    group.until("cgroup.events", "frozen 1");
    // What would end it could do so before it is thawed.
    let cont = Intent::Signal {
        who: child.id(),
        name: "child".to_owned(),
        signal: Signal::CONT,
        consent: ConfirmedBy::Plain,
        steps: vec![Expedite::Thaw { cgroup: group.path() }],
    };
    let mut hands = hands();
    let outcome = hands.perform(cont);
    let Outcome::Signalled { steps, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(steps[0].result, StepResult::Done(String::new()));
    group.until("cgroup.events", "frozen 0");
    assert!(child.lives());
    let outcome = hands.perform(doom(&group, &[&child]));
    assert!(matches!(outcome, Outcome::CgroupKilled { .. }), "{outcome:?}");
    child.0.wait().expect("it ends");
    let said = all_said(&mut hands);
    assert!(said.iter().any(|it| matches!(it, Outcome::Exited { .. })), "{said:?}");
}

#[test]
fn the_root_and_what_is_no_cgroup_are_refused() {
    let mut hands = hands();
    let wish = |path: &str| Intent::KillCgroup { path: path.to_owned(), members: Vec::new() };
    for path in ["/", "", "//", "/.", r"/\x2f"] {
        assert!(matches!(refusal(hands.perform(wish(path))), Refusal::Protected { .. }), "{path}");
    }
    for path in ["/no-such-cgroup", "/../..", "no path", "/a/../.."] {
        assert!(matches!(refusal(hands.perform(wish(path))), Refusal::Failed { .. }), "{path}");
    }
}

fn rehearsal() -> DryRun {
    let root = ProcRoot::open(Path::new("/proc")).expect("/proc");
    DryRun::new(LiveRoot::prove(root).expect("the live /proc"))
}

#[test]
fn a_rehearsal_refuses_what_the_hands_refuse_and_does_nothing_else() {
    let mut child = Own::sleeping();
    let who = child.id();
    let was = adj(who.pid);
    let mut hands = rehearsal();
    for intent in [
        kill(who),
        signal(who, Signal::TERM, ConfirmedBy::Plain),
        hurried(who, Expedite::usual(Signal::KILL)),
        set(who, was, Adj(was.0.max(0) + 9)),
    ] {
        let outcome = hands.perform(intent.clone());
        assert!(
            matches!(&outcome, Outcome::DryRun { intent: it, .. } if *it == intent),
            "{outcome:?}"
        );
    }
    let reborn = ProcId { born: Ticks(who.born.0 + 1), ..who };
    assert_eq!(refusal(hands.perform(kill(reborn))), Refusal::PidReused);
    assert_eq!(refusal(hands.perform(set(reborn, was, was))), Refusal::PidReused);
    assert!(matches!(refusal(hands.perform(kill(seen(1)))), Refusal::Protected { .. }));
    assert!(matches!(refusal(hands.perform(kill(seen(own_pid())))), Refusal::Protected { .. }));
    let stale = Adj(was.0 + 1);
    assert!(matches!(refusal(hands.perform(set(who, stale, was))), Refusal::Changed { .. }));
    assert!(child.lives());
    assert_eq!(adj(who.pid), was);
    assert_eq!(hands.settle(), []);
    assert!(!hands.has_pending());
    child.0.kill().expect("an own child");
    child.0.wait().expect("an own child");
    assert_eq!(refusal(hands.perform(kill(who))), Refusal::Gone);
}

#[test]
fn a_child_that_was_killed_is_not_killed_twice() {
    let mut child = Own::sleeping();
    let who = child.id();
    let mut hands = hands();
    assert!(matches!(hands.perform(kill(who)), Outcome::Signalled { .. }));
    // On its way out, or dead and not collected: either way nothing is sent.
    let second = refusal(hands.perform(kill(who)));
    assert!(matches!(second, Refusal::AlreadyKilled { .. } | Refusal::Gone), "{second:?}");
    child.0.wait().expect("it ends");
    assert!(matches!(all_said(&mut hands)[..], [Outcome::Exited { .. }]), "one end, not two");
}

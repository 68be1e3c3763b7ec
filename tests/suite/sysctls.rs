//! Turning the kernel's switches: key scripts, screens, and hands that write back what is there.

use std::fs;
use std::path::Path;

use doomtop::app::keymap::bindings::{Key, KeyCode};
use doomtop::app::mode::Mode;
use doomtop::app::{ActingMode, App, Msg, Request, Setup};
use doomtop::effects::{Effects, LiveEffects, NoEffects};
use doomtop::intent::{Intent, Outcome, Refusal};
use doomtop::model::{
    Overcommit, OvercommitMode, PanicOnOom, Reading, Snapshot, Sysctl, SysctlWritable, Sysctls,
};
use doomtop::plan::overcommit::{OvercommitForecast, OvercommitRoom, SysctlDanger};
use doomtop::sample::proc_root::{LiveRoot, ProcRoot};
use doomtop::ui::Theme;
use doomtop::units::{Kib, Millis};

use crate::fixtures::{app, paint, press, text};
use crate::screens::styled;
use crate::stage::{Player, setup, usual};

/// A million pages of RAM, no swap; so many KiB promised, and the switches as a kernel boots.
fn promised(committed: u64) -> Snapshot {
    let mut sample = usual();
    sample.overcommit = Overcommit {
        mode: Reading::Value(OvercommitMode::Heuristic),
        ratio: Reading::Value(50),
        kbytes: Reading::Value(Kib(0)),
        limit_kib: Reading::Value(Kib(2_000_000)),
        committed_kib: Reading::Value(Kib(committed)),
        admin_reserve_kib: Reading::Value(Kib(8192)),
        user_reserve_kib: Reading::Value(Kib(131_072)),
    };
    sample.sysctls = Sysctls {
        panic_on_oom: Reading::Value(PanicOnOom::Never),
        oom_kill_allocating_task: Reading::Value(false),
        swappiness: Reading::Value(60),
    };
    sample.privileges.sysctls_writable = SysctlWritable::Yes;
    sample
}

fn turn(sysctl: Sysctl, from: u64, to: u64) -> Request {
    Request::Act(Intent::SetSysctl { sysctl, from, to })
}

fn forecast(player: &Player) -> OvercommitForecast {
    let Mode::Sysctl(edit) = &player.app.mode else { panic!("the editor is open") };
    edit.forecast.expect("a forecast")
}

#[test]
fn a_switch_is_turned_only_by_enter() {
    for (script, asked) in [
        ("<A-o>1<Enter>", turn(Sysctl::OvercommitMemory, 0, 1)),
        ("<A-o>2<Enter>", turn(Sysctl::OvercommitMemory, 0, 2)),
        ("<A-o><Down>80<Enter>", turn(Sysctl::OvercommitRatio, 50, 80)),
        ("<A-o><Down><Right><S-Right><Enter>", turn(Sysctl::OvercommitRatio, 50, 56)),
        ("<A-o><Down><Down><Right><Enter>", turn(Sysctl::OvercommitKbytes, 0, 1 << 20)),
        ("<A-o><End>10<Enter>", turn(Sysctl::Swappiness, 60, 10)),
        ("<A-o><End><Up><Tab><Enter>", turn(Sysctl::KillAllocatingTask, 0, 1)),
        (":overcommit<Enter>1<Enter>", turn(Sysctl::OvercommitMemory, 0, 1)),
    ] {
        let mut player = Player::on(promised(1_000_000));
        assert_eq!(player.play(script), [asked], "{script}");
        assert!(matches!(player.app.mode, Mode::Browse));
    }
    for script in ["<A-o>1<Esc>", "<A-o>1q", "<A-o>1<C-c>", "<A-o><Enter>", "<A-o>3<Enter>"] {
        let mut player = Player::on(promised(1_000_000));
        assert_eq!(player.play(script), [], "{script}");
    }
}

#[test]
fn what_would_stop_the_machine_asks_once_more() {
    // More is promised than mode 2 allows: with it every allocation would fail.
    let mut player = Player::on(promised(2_000_000));
    assert_eq!(player.play("<A-o>2<Enter>"), []);
    let Mode::ConfirmSysctl(sure) = &player.app.mode else { panic!("it asks") };
    assert_eq!(sure.danger, SysctlDanger::NoMemory);
    assert_eq!(player.play("<Enter>"), [], "Enter is no answer to this");
    assert_eq!(player.play("y"), [turn(Sysctl::OvercommitMemory, 0, 2)]);

    let mut player = Player::on(promised(2_000_000 - 8000));
    player.play("<A-o>2<Enter>");
    assert!(
        matches!(&player.app.mode, Mode::ConfirmSysctl(sure) if sure.danger == SysctlDanger::NoMemoryButRoot)
    );
    assert_eq!(player.play("<Esc>y"), []);

    let mut player = Player::on(promised(1_000_000));
    assert_eq!(player.play("<A-o><Down><Down><Down>1<Enter>n"), []);
    assert_eq!(
        player.play("<A-o><Down><Down><Down>2<Enter>y"),
        [turn(Sysctl::PanicOnOom, 0, 2)],
        "a panic asks as well"
    );
}

#[test]
fn nobody_confirms_what_was_not_on_the_screen() {
    let mut player = Player::on(promised(2_000_000));
    player.play("<A-o>");
    let now = player.now;
    assert_eq!(player.key_at(Key::plain(KeyCode::Enter), now + 10), [], "typed ahead");
    player.play("2<Enter>");
    let now = player.now;
    assert_eq!(player.key_at(Key::char('y'), now + 100), []);
    assert!(matches!(player.app.mode, Mode::ConfirmSysctl(_)));
    player.draw_with(false);
    player.now += 5000;
    let now = player.now;
    let asked = player.app.update(Msg::Key(Key::char('y'), Millis(now)));
    assert_eq!(asked, [], "it did not fit on the screen");
}

#[test]
fn the_limit_is_foreseen_as_the_kernel_computes_it() {
    let mut player = Player::on(promised(1_900_000));
    player.play("<A-o>2");
    assert_eq!(forecast(&player).room(), OvercommitRoom::NotForLarge);
    player.play("<Down>80");
    let seen = forecast(&player);
    assert_eq!((seen.limit_before, seen.limit), (Kib(2_000_000), Kib(3_200_000)));
    assert_eq!(seen.room(), OvercommitRoom::Unlimited, "mode 0 stays");
    player.play("<Down>3000001");
    assert_eq!(forecast(&player).limit, Kib(3_000_000), "whole pages");
    player.play("0<BS><BS><BS><BS><BS><BS><BS><BS>0");
    assert_eq!(forecast(&player).limit, Kib::ZERO, "0 KiB zeroes the ratio, and there is no swap");
    assert!(!forecast(&player).foreign);

    // In mode 2 a smaller limit is as grave as the mode itself; a larger one never is.
    let mut strict = promised(1_900_000);
    strict.overcommit.mode = Reading::Value(OvercommitMode::Strict);
    let mut player = Player::on(strict);
    player.play("<A-o><Down>40<Enter>");
    assert!(
        matches!(&player.app.mode, Mode::ConfirmSysctl(sure) if sure.danger == SysctlDanger::NoMemory)
    );
    let mut over = promised(4_000_000);
    over.overcommit.mode = Reading::Value(OvercommitMode::Strict);
    let mut player = Player::on(over);
    assert_eq!(player.play("<A-o><Down>90<Enter>"), [turn(Sysctl::OvercommitRatio, 50, 90)]);

    // Sizes that are not the machine's own, as inside a container.
    let mut foreign = promised(1_000_000);
    foreign.overcommit.limit_kib = Reading::Value(Kib(12_000_000));
    let mut player = Player::on(foreign);
    player.play("<A-o><Down>80");
    assert!(forecast(&player).foreign);
}

#[test]
fn the_last_turn_is_proposed_back() {
    let mut player = Player::on(promised(1_000_000));
    player.play("<A-o>r");
    assert!(player.notice().contains("no sysctl was changed"));
    player.play("<Down>80<Enter>");
    player.app.update(Msg::Outcome(Outcome::SysctlSet {
        sysctl: Sysctl::OvercommitRatio,
        before: 0,
        now: 80,
        zeroed: Some((Sysctl::OvercommitKbytes, 1_500_000)),
    }));
    let said = player.notice();
    assert!(said.contains("that also changed vm.overcommit_kbytes from 1500000 to 0"), "{said}");
    assert_eq!(player.app.session.journal.entries.len(), 1);
    let mut now = promised(1_000_000);
    now.overcommit.ratio = Reading::Value(80);
    player.sample(now.clone());
    assert_eq!(
        player.play("<A-o>r<Enter>"),
        [turn(Sysctl::OvercommitKbytes, 0, 1_500_000)],
        "the one that counted before"
    );
    player.app.update(Msg::Outcome(Outcome::SysctlSet {
        sysctl: Sysctl::OvercommitKbytes,
        before: 0,
        now: 1_500_000,
        zeroed: Some((Sysctl::OvercommitRatio, 80)),
    }));
    assert_eq!(player.app.session.sysctl_history.earlier, [], "put back, and nothing before it");
}

#[test]
fn a_refusal_is_told_and_what_will_refuse_is_said_before() {
    let mut bound = promised(1_000_000);
    bound.privileges.sysctls_writable = SysctlWritable::ReadOnly;
    let mut player = Player::on(bound);
    player.play("<A-o>");
    let Mode::Sysctl(edit) = &player.app.mode else { panic!("the editor is open") };
    assert!(edit.hindrance.is_some_and(|text| text.contains("on the host")));
    let intent = Intent::SetSysctl { sysctl: Sysctl::Swappiness, from: 60, to: 10 };
    let refusal = Refusal::NotPermitted { hint: SysctlWritable::RootOnly.hindrance().unwrap() };
    player.app.update(Msg::Outcome(Outcome::Refused { intent, refusal }));
    assert!(player.notice().contains("vm.swappiness: not permitted"), "{}", player.notice());
    for acting in [ActingMode::ReadOnly, ActingMode::NotReal, ActingMode::Elsewhere] {
        let mut player = Player::with(Setup { acting, ..setup() }, promised(1_000_000));
        assert_eq!(player.play("<A-o>"), []);
        assert!(matches!(player.app.mode, Mode::Browse));
    }
}

#[test]
fn the_commands_are_copied_not_run() {
    let mut player = Player::on(promised(1_000_000));
    assert_eq!(
        player.play("<A-o>2yY"),
        [
            Request::Copy("sysctl -w vm.overcommit_memory=2".to_owned()),
            Request::Copy("vm.overcommit_memory = 2".to_owned()),
        ]
    );
}

const FULL: Theme = crate::fixtures::theme(true, true);

/// The database machine, where 33.8G are promised and mode 2 would allow 23.6G.
fn database(width: u16, height: u16, script: &[&str]) -> App {
    let mut app = app("db-03.jsonl");
    paint(&mut app, FULL, width, height);
    app.update(Msg::Key(Key::alt('o'), Millis(app.clock().0 + 1000)));
    for word in script {
        paint(&mut app, FULL, width, height);
        press(&mut app, &[word]);
    }
    app
}

#[test]
fn the_editor_and_its_question_are_as_they_were() {
    for (name, script) in [
        ("mode", &["2"][..]),
        ("ratio", &["Down", "90"]),
        ("kbytes", &["Down", "Down", "Tab"]),
        ("wrong", &["7"]),
        ("sure", &["2", "Enter"]),
    ] {
        for (width, height) in [(80, 24), (120, 40)] {
            let mut app = database(width, height, script);
            let (buffer, viewport) = paint(&mut app, FULL, width, height);
            assert!(viewport.dialog);
            insta::assert_snapshot!(format!("knobs-{name}-{width}x{height}"), styled(&buffer));
        }
    }
    let mut app = database(80, 24, &["2"]);
    let (buffer, _) = paint(&mut app, FULL, 80, 24);
    let text = text(&buffer);
    assert!(text.contains("every allocation would fail: 33.8G of 23.6G"), "{text}");
}

fn hands() -> LiveEffects {
    let root = ProcRoot::open(Path::new("/proc")).expect("/proc");
    LiveEffects::new(LiveRoot::prove(root).expect("the live /proc"))
}

fn present(sysctl: Sysctl) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/sys/vm/{}", sysctl.file())).ok()?;
    text.trim().parse().ok()
}

/// Writes what is there already: nothing changes, and all of the way is gone. Ratio and KiB are left
/// out, as each write zeroes the other one.
#[test]
fn the_hands_write_and_read_back() {
    for knob in Sysctl::ALL.into_iter().filter(|knob| knob.zeroes().is_none()) {
        let Some(from) = present(knob) else {
            eprintln!("left out: this kernel has no {knob}");
            continue;
        };
        match hands().perform(Intent::SetSysctl { sysctl: knob, from, to: from }) {
            Outcome::SysctlSet { sysctl: set, before, now, zeroed } => {
                assert_eq!((set, before, now, zeroed), (knob, from, from, None));
            }
            // Not root, or in a container.
            Outcome::Refused { refusal: Refusal::NotPermitted { hint }, .. } => {
                assert!(!hint.is_empty());
                eprintln!("left out: {knob}: {hint}");
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(present(knob), Some(from));
    }
}

#[test]
fn another_value_than_the_user_saw_is_left_alone() {
    for knob in Sysctl::ALL {
        let Some(there) = present(knob) else { continue };
        let intent = Intent::SetSysctl { sysctl: knob, from: there + 1, to: 0 };
        let outcome = hands().perform(intent);
        let Outcome::Refused { refusal, .. } = outcome else { panic!("{outcome:?}") };
        assert!(refusal.words().contains("changed meanwhile"), "{}", refusal.words());
        assert_eq!(present(knob), Some(there));
    }
}

#[test]
fn no_other_root_and_no_recording_reaches_a_switch() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(folder.path().join("sys/vm")).expect("folders");
    fs::write(folder.path().join("sys/vm/swappiness"), "60\n").expect("a file");
    let root = ProcRoot::open(folder.path()).expect("the folder");
    assert!(LiveRoot::prove(root).is_err(), "there are no hands for it");
    let intent = || Intent::SetSysctl { sysctl: Sysctl::Swappiness, from: 60, to: 10 };
    for (mut hands, words) in
        [(NoEffects::ReadOnly, "read-only"), (NoEffects::NotLive, "recording")]
    {
        let Outcome::Refused { refusal, .. } = hands.perform(intent()) else { panic!("refused") };
        assert!(refusal.words().contains(words), "{}", refusal.words());
    }
}

//! The sacrifice as the mind conducts it: what the dialog learns, who is not killed twice, who waits,
//! who is offered the hard way, and whole sets.

use std::sync::Arc;

use doomtop::app::mode::Mode;
use doomtop::app::{ActingMode, Msg, NoticeLevel, Request, Setup};
use doomtop::effects::{Effects, NoEffects};
use doomtop::intent::{
    ConfirmedBy, Expedite, ExpediteStep, FROZEN, FreeMemory, Intent, Outcome, Refusal, StepResult,
};
use doomtop::model::{
    Capabilities, Cgroup, Cgroups, Comm, FrozenBy, Hierarchy, Limit, MemorySharers, Process,
    ProcessDetail, Reading, RestartPolicy, Scope, ServiceUnit, Signal, Snapshot, Text,
};
use doomtop::ui::Theme;
use doomtop::units::{Bytes, Kib, Millis};

use crate::fixtures::{paint, text};
use crate::stage::{Player, cast, machine, process, setup, usual};

fn id(pid: i32) -> doomtop::model::ProcId {
    process(pid, "", 0).id
}

fn sent(pid: i32, name: &str, signal: Signal) -> Msg {
    let (who, name) = (id(pid), name.to_owned());
    Msg::Outcome(Outcome::Signalled { who, name, signal, pinned: true, steps: Vec::new() })
}

fn stuck(pid: i32, name: &str, signal: Signal, why: &str) -> Msg {
    let (who, name, why) = (id(pid), name.to_owned(), why.to_owned());
    Msg::Outcome(Outcome::StillThere { who, name, signal, after: Millis(5000), why })
}

fn act(request: &Request) -> Option<&Intent> {
    match request {
        Request::Act(intent) => Some(intent),
        _ => None,
    }
}

fn acts(asked: &[Request]) -> Vec<&Intent> {
    asked.iter().filter_map(act).collect()
}

fn wish(pid: i32, name: &str, signal: Signal) -> Intent {
    let (who, name, steps) = (id(pid), name.to_owned(), Expedite::usual(signal));
    Intent::Signal { who, name, signal, consent: ConfirmedBy::Plain, steps }
}

fn frozen(hierarchy: Hierarchy) -> ProcessDetail {
    let path = Text::new(b"/jobs/a");
    let frozen = FrozenBy { hierarchy, path, own: true, others: 3 };
    ProcessDetail { who: id(500), frozen: Some(frozen), ..ProcessDetail::default() }
}

#[test]
fn what_was_found_out_changes_the_question_and_has_to_be_seen() {
    let mut player = Player::on(usual());
    player.play("X");
    assert_eq!(player.app.wanted_detail(), Some(id(500)));
    assert_eq!(player.app.wanted_detail(), None, "asked once");
    player.now += 1000;
    player.app.update(Msg::Detail(Box::new(frozen(Hierarchy::V1))));
    let at = player.now;
    let early =
        player.app.update(Msg::Key(doomtop::app::keymap::bindings::Key::char('y'), Millis(at)));
    assert_eq!(early, [], "the new question was not on the screen yet");
    player.draw();
    let asked = player.play("y");
    let [Intent::Signal { steps, .. }] = acts(&asked)[..] else { panic!("{asked:?}") };
    let thaw = Expedite::Thaw { cgroup: "/jobs/a".to_owned() };
    assert_eq!(*steps, [Expedite::Priority, Expedite::Reap, thaw]);
}

#[test]
fn a_v2_freezer_is_thawed_for_sigterm_only() {
    let steps = |keys: &str| {
        let mut player = Player::on(usual());
        player.play("X");
        player.app.update(Msg::Detail(Box::new(frozen(Hierarchy::V2))));
        player.draw();
        let asked = player.play(keys);
        let [Intent::Signal { steps, .. }] = acts(&asked)[..] else { panic!("{asked:?}") };
        steps.clone()
    };
    assert_eq!(steps("y"), Expedite::usual(Signal::KILL));
    assert_eq!(steps("sy"), [Expedite::Thaw { cgroup: "/jobs/a".to_owned() }]);
}

#[test]
fn without_the_study_the_dialog_is_valid_and_a_late_one_is_about_nobody() {
    let mut player = Player::on(usual());
    player.play("600X");
    player.app.update(Msg::Detail(Box::new(frozen(Hierarchy::V1))));
    player.draw();
    let asked = player.play("y");
    assert_eq!(acts(&asked), [&wish(600, "java", Signal::KILL)]);
    // After the dialog is closed it finds nobody.
    player.app.update(Msg::Detail(Box::new(frozen(Hierarchy::V1))));
    assert!(player.app.mode_is_browse());
}

#[test]
fn who_shares_the_memory_is_proven_or_guessed_and_the_words_say_which() {
    let mut all = cast();
    let parent = all.iter().find(|it| it.id.pid == 600).expect("in the cast").clone();
    for twin in all.iter_mut().filter(|it| it.id.pid == 601) {
        *twin = Process { id: twin.id, parent: 600, comm: twin.comm, ..parent.clone() };
    }
    let mut player = Player::on(machine(1_000_000, doomtop::model::ScoreScale::Signed, all));
    player.play("600X");
    let falls = |player: &Player| match &player.app.mode {
        Mode::Signal(confirm) => confirm.plan.also_killed.join("; "),
        other => panic!("{other:?}"),
    };
    assert!(
        falls(&player)
            .contains("601 java-helper seems to share its memory (guessed from equal sizes)")
    );
    let learn = |sharers| {
        Msg::Detail(Box::new(ProcessDetail { who: id(600), sharers, ..ProcessDetail::default() }))
    };
    player.app.update(learn(Reading::Denied));
    assert!(falls(&player).contains("CAP_SYS_PTRACE"), "{}", falls(&player));
    player.app.update(learn(Reading::Value(MemorySharers::default())));
    assert!(!falls(&player).contains("memory"), "proven not to: {}", falls(&player));
    player.draw();
    player.play("m");
    assert!(player.notice().contains("no other process"), "{}", player.notice());
    let found = vec![(id(601), Comm::new(b"java-helper")), (id(700), Comm::new(b"twin"))];
    player.app.update(learn(Reading::Value(MemorySharers { found, unknown: 0 })));
    assert!(falls(&player).contains("700 twin shares its memory (kcmp)"), "{}", falls(&player));
    // All of them, as the kernel does it; who is not on the screen yet is not touched.
    player.draw();
    assert_eq!(player.play("m<Enter>"), []);
    let Mode::Bulk(several) = &player.app.mode else { panic!("a list") };
    assert!(several.notes.iter().any(|note| note.starts_with("1 more started")), "{several:?}");
    let asked = player.play("2<Enter>");
    let wishes = [wish(600, "java", Signal::KILL), wish(601, "java-helper", Signal::KILL)];
    assert_eq!(acts(&asked), [&wishes[0], &wishes[1]]);
}

#[test]
fn nobody_is_killed_twice() {
    let mut player = Player::on(usual());
    player.app.update(sent(500, "chrome", Signal::KILL));
    assert_eq!(player.play("500X"), []);
    assert!(player.app.mode_is_browse());
    assert!(player.notice().contains("not killed twice"), "{}", player.notice());
    assert_eq!(player.play("500k<Down><Enter>"), [], "nor by the menu");
    assert!(player.app.mode_is_browse());
    assert!(player.notice().contains("not killed twice"), "{}", player.notice());
    // Whatever it hangs on: only a thaw can help.
    player.app.update(stuck(500, "chrome", Signal::KILL, "held by a debugger"));
    assert_eq!(player.play("500X"), []);
    assert!(player.notice().contains("held by a debugger"), "{}", player.notice());
    player.app.update(stuck(500, "chrome", Signal::KILL, FROZEN));
    player.play("500X");
    assert!(matches!(player.app.mode, Mode::Signal(_)));
}

#[test]
fn somebody_elses_victim_is_left_to_die() {
    let mut all = cast();
    for process in all.iter_mut().filter(|it| it.id.pid == 500) {
        process.dying = true;
    }
    let mut player = Player::on(machine(1_000_000, doomtop::model::ScoreScale::Signed, all));
    assert_eq!(player.play("500X"), []);
    assert!(player.app.mode_is_browse());
    assert!(player.notice().contains("ending already"), "{}", player.notice());
    let asked = player.play("500k<Down><Down><Down><Down><Down><Down><Enter>y");
    assert_eq!(acts(&asked).len(), 1, "SIGCONT is no kill");
}

#[test]
fn the_next_one_waits_until_the_first_is_gone_or_stuck() {
    let mut player = Player::on(usual());
    player.app.update(sent(500, "chrome", Signal::KILL));
    assert_eq!(player.play("600X"), []);
    assert!(player.app.mode_is_browse());
    assert!(player.notice().contains("wait: 500 chrome got SIGKILL"), "{}", player.notice());
    // A chosen signal does not wait.
    assert_eq!(acts(&player.play("600k<Down><Enter>y")).len(), 1);

    let mut player = Player::on(usual());
    player.app.update(sent(500, "chrome", Signal::KILL));
    player.wait(5000);
    assert_eq!(acts(&player.play("600Xy")), [&wish(600, "java", Signal::KILL)], "it had its time");

    let mut player = Player::on(usual());
    player.app.update(sent(500, "chrome", Signal::KILL));
    let (name, after) = ("chrome".to_owned(), Millis(3));
    let (before, now) = (FreeMemory::default(), FreeMemory::default());
    player.app.update(Msg::Outcome(Outcome::Exited {
        who: id(500),
        name,
        after,
        held: Kib::ZERO,
        before,
        now,
    }));
    assert_eq!(acts(&player.play("600Xy")).len(), 1, "it is gone");

    let mut player = Player::on(usual());
    player.app.update(sent(500, "chrome", Signal::KILL));
    player.app.update(stuck(500, "chrome", Signal::KILL, "held by a debugger"));
    assert_eq!(acts(&player.play("600Xy")).len(), 1, "it is stuck");
}

#[test]
fn who_does_not_obey_is_offered_sigkill_and_nothing_escalates_by_itself() {
    let mut player = Player::on(usual());
    player.play("x");
    assert!(player.notice().contains("no signalled process"), "{}", player.notice());
    player.play("400<Esc>");
    player.app.update(sent(400, "Xorg", Signal::TERM));
    player.play("x");
    assert!(player.notice().contains("may still exit after SIGTERM"), "{}", player.notice());
    assert_eq!(player.play("X"), []);
    assert!(player.app.mode_is_browse());
    assert!(player.notice().contains("you can send SIGKILL in"), "{}", player.notice());
    player.wait(1000);
    player.app.update(stuck(400, "Xorg", Signal::TERM, "it ignores SIGTERM"));
    assert!(player.notice().contains("x offers SIGKILL"), "{}", player.notice());
    assert_eq!(player.asked, [], "nothing by itself");

    player.play("x");
    let Mode::Signal(confirm) = &player.app.mode else { panic!("a dialog") };
    assert_eq!((confirm.plan.who, confirm.plan.signal), (id(400), Signal::KILL));
    assert!(
        confirm.plan.why.contains("SIGTERM") && confirm.plan.why.contains("it ignores SIGTERM")
    );
    assert_eq!(acts(&player.play("y")), [&wish(400, "Xorg", Signal::KILL)]);

    // X on it leads to the same.
    player.play("400X");
    let Mode::Signal(confirm) = &player.app.mode else { panic!("a dialog") };
    assert_eq!(confirm.plan.signal, Signal::KILL);
    player.play("<Esc>");
    // From a page as well, but not where nothing may be done.
    player.play("<F1>x");
    assert!(matches!(player.app.mode, Mode::Signal(_)));
    let mut player = Player::with(Setup { acting: ActingMode::ReadOnly, ..setup() }, usual());
    player.app.update(sent(400, "Xorg", Signal::TERM));
    player.app.update(stuck(400, "Xorg", Signal::TERM, "it ignores SIGTERM"));
    player.play("x");
    assert!(player.app.mode_is_browse());
}

#[test]
fn tagged_processes_go_together_by_their_count() {
    let mut snapshot = usual();
    snapshot.privileges.caps = Capabilities(1 << 5); // CAP_KILL
    let mut player = Player::on(snapshot);
    player.play("600 400 1 X");
    let Mode::Bulk(several) = &player.app.mode else { panic!("a list") };
    assert_eq!(several.touched(), 2, "pid 1 is left alone: {several:?}");
    assert_eq!(player.play("y<Enter>3<Enter><BS>"), [], "neither y nor another count");
    let asked = player.play("2<Enter>");
    let mut found = acts(&asked);
    found.sort_by_key(|intent| intent.who());
    assert_eq!(found, [&wish(400, "Xorg", Signal::TERM), &wish(600, "java", Signal::KILL)]);
    assert!(matches!(player.app.mode, Mode::BulkResult(_)));
    // The page that explains one process speaks of that one alone.
    let mut player = Player::on(usual());
    player.play("600 500<Enter>X");
    let Mode::Signal(confirm) = &player.app.mode else { panic!("a dialog") };
    assert_eq!(confirm.plan.who, id(500));
}

#[test]
fn a_main_process_takes_its_service_along() {
    let mut player = Player::on(grouped());
    player.play("600X");
    let unit = |main| ServiceUnit {
        name: Text::new(b"work.service"),
        restart: RestartPolicy::Always,
        ends_all: true,
        from: vec![Text::new(b"/etc/systemd/system/work.service")],
        main,
    };
    for main in [true, false] {
        let study =
            ProcessDetail { who: id(600), unit: Some(unit(main)), ..ProcessDetail::default() };
        player.app.update(Msg::Detail(Box::new(study)));
        let Mode::Signal(confirm) = &player.app.mode else { panic!("a dialog") };
        let along = "if it is the main process of work.service, systemd ends the other 1 with it";
        assert_eq!(confirm.plan.also_killed.iter().any(|line| line.contains(along)), main);
        let (_, restart) = confirm.plan.restart().expect("a word on it");
        let words =
            if main { "if it is the main process of work" } else { "if it is its main process" };
        assert!(restart.contains(words), "{restart}");
    }
}

/// The cast on cgroup v2, the two java in one of their own.
fn grouped() -> Snapshot {
    let mut all = cast();
    for process in &mut all {
        let path: &[u8] = match process.id.pid {
            600 | 601 => b"/work",
            300 | 200 => b"/user",
            _ => b"/",
        };
        process.cgroup = Reading::Value(Arc::new(Text::new(path)));
    }
    let mut snapshot = machine(1_000_000, doomtop::model::ScoreScale::Signed, all);
    let hierarchy = Reading::Value(Hierarchy::V2);
    snapshot.cgroups = Arc::new(Cgroups { hierarchy, ..Cgroups::default() });
    snapshot
}

#[test]
fn a_whole_cgroup_is_one_act_with_everybody_the_user_saw() {
    let mut player = Player::on(grouped());
    player.play("600k");
    let Mode::Menu(menu) = &player.app.mode else { panic!("a menu") };
    let last = menu.items.last().expect("a line").hint.clone();
    assert!(last.contains("all 2 of /work"), "{last}");
    player.play("<End><Enter>");
    let Mode::Bulk(several) = &player.app.mode else { panic!("a list") };
    assert_eq!(several.touched(), 2);
    let wishes = several.items.iter().filter(|it| it.intent.is_some()).count();
    assert_eq!(wishes, 0, "the list of all is held once, not by each of them");
    assert_eq!(player.play("y<Enter>"), []);
    let asked = player.play("2<Enter>");
    let members = vec![(id(600), "java".to_owned()), (id(601), "java-helper".to_owned())];
    let wanted = Intent::KillCgroup { path: "/work".to_owned(), members: members.clone() };
    assert_eq!(acts(&asked), [&wanted], "one act");

    // What comes of it stands on the page; everybody is followed.
    let path = "/work".to_owned();
    player.app.update(Msg::Outcome(Outcome::CgroupKilled { path, members }));
    assert!(
        player.app.session.journal.is_pending(id(600))
            && player.app.session.journal.is_pending(id(601))
    );
    let round = player.app.session.journal.bulk.as_ref().expect("a round");
    assert_eq!(round.sum(), "2 done");
    assert_eq!(round.lines.len(), 1);
    let refusal = Refusal::NotSeen { who: "7 x".to_owned() };
    let mut player = Player::on(grouped());
    player.play("600k<End><Enter>2<Enter>");
    player.app.update(Msg::Outcome(Outcome::Refused { intent: wanted, refusal }));
    assert_eq!(
        player.app.session.journal.bulk.as_ref().expect("a round").sum(),
        "0 done, 2 refused"
    );
}

#[test]
fn a_cgroup_with_somebody_protected_is_not_offered_for_confirmation() {
    let mut player = Player::on(grouped());
    player.play("200k<End><Enter>");
    let Mode::Bulk(several) = &player.app.mode else { panic!("a list") };
    assert_eq!(several.touched(), 0);
    assert_eq!(player.play("2<Enter>0<Enter>"), []);
    // The root, and version 1, have no such line.
    let mut player = Player::on(grouped());
    player.play("500k");
    let Mode::Menu(menu) = &player.app.mode else { panic!("a menu") };
    assert_eq!(menu.items.len(), Signal::MENU.len());
    let mut player = Player::on(usual());
    player.play("600k");
    let Mode::Menu(menu) = &player.app.mode else { panic!("a menu") };
    assert_eq!(menu.items.len(), Signal::MENU.len());
}

#[test]
fn what_was_hurried_is_told_and_never_covers_the_end() {
    let mut player = Player::on(usual());
    let name = || "chrome".to_owned();
    let who = id(500);
    let refused = StepResult::Refused("needs CAP_SYS_NICE".to_owned());
    let steps = vec![ExpediteStep { step: Expedite::Priority, result: refused }];
    let signal = Signal::KILL;
    player.app.update(Msg::Outcome(Outcome::Signalled {
        who,
        name: name(),
        signal,
        pinned: true,
        steps,
    }));
    assert!(player.notice().contains("highest priority: refused: needs CAP_SYS_NICE"));
    let spare = |memory, swap| FreeMemory { memory: Kib(memory), swap: Kib(swap) };
    let (before, now) = (spare(1 << 20, 1 << 19), spare(3 << 20, 1 << 20));
    let after = Millis(12);
    player.app.update(Msg::Outcome(Outcome::Exited {
        who,
        name: name(),
        after,
        held: Kib::ZERO,
        before,
        now,
    }));
    let end =
        "gone after 12 ms, about 2.50G freed (available 1.00G -> 3.00G, swap free 512M -> 1.00G)";
    assert!(player.notice().contains(end), "{}", player.notice());
    let taken = ExpediteStep { step: Expedite::Reap, result: StepResult::Done(String::new()) };
    player.app.update(Msg::Outcome(Outcome::StepDone { who, name: name(), taken }));
    assert!(player.notice().contains(end), "{}", player.notice());
    let last = player.app.session.journal.entries.last().expect("a line");
    assert!(last.text.contains("memory freed at once: done"), "{}", last.text);
}

#[test]
fn a_rehearsal_goes_the_same_way_and_says_what_it_was() {
    let mut player = Player::with(Setup { acting: ActingMode::Rehearsal, ..setup() }, usual());
    let asked = player.play("Xy");
    let [intent] = acts(&asked)[..] else { panic!("{asked:?}") };
    let (intent, checked) = (intent.clone(), "all is well");
    player.app.update(Msg::Outcome(Outcome::DryRun { intent, checked }));
    let said = player.notice();
    assert!(said.contains("dry run, nothing done: SIGKILL to 500 chrome"), "{said}");
    assert!(!player.app.session.journal.is_pending(id(500)));
}

#[test]
fn the_demo_answers_what_would_have_been_done() {
    let mut player = Player::with(Setup { acting: ActingMode::Demo, ..setup() }, usual());
    player.play("X");
    let dialog = text(&paint(&mut player.app, Theme::default(), 100, 30).0);
    assert!(dialog.contains("y = see what would be done"), "{dialog}");
    let asked = player.play("y");
    let [intent] = acts(&asked)[..] else { panic!("{asked:?}") };
    let outcome = NoEffects::NotLive.perform(intent.clone());
    player.app.update(Msg::Outcome(outcome));
    let said = player.notice();
    assert!(said.contains("the demo, nothing done: SIGKILL to 500 chrome"), "{said}");
    let notice = player.app.display.notice.as_ref().expect("an answer");
    assert_eq!(notice.level, NoticeLevel::Plain, "it is no fault of the user");
}

#[test]
fn in_a_scoped_cgroup_it_tells_what_came_back_there() {
    let scoped = |seconds: u64, mib: u64, lives: bool| {
        let mut snapshot = usual();
        let path = Arc::new(Text::new(b"/web"));
        let at = Millis(1000 + seconds * 1000);
        snapshot.clock.monotonic_ms = at;
        let group = Cgroup {
            path: Arc::clone(&path),
            limit: Reading::Value(Limit::At(Bytes(900 << 20))),
            usage: Reading::Value(Bytes(mib << 20)),
            ..Cgroup::default()
        };
        let hierarchy = Reading::Value(Hierarchy::V2);
        snapshot.cgroups = Arc::new(Cgroups { hierarchy, read_ms: at, list: vec![group] });
        for process in &mut snapshot.processes {
            if process.id.pid == 600 {
                process.cgroup = Reading::Value(Arc::clone(&path));
            }
        }
        snapshot.processes.retain(|it| lives || it.id.pid != 600);
        snapshot
    };
    let scope = Scope::Memcg(Arc::new(Text::new(b"/web")));
    let mut player = Player::with(Setup { scope, ..setup() }, scoped(0, 790, true));
    let (who, name) = (process(600, "", 0).id, "java".to_owned());
    let signal = Signal::KILL;
    let sent =
        Outcome::Signalled { who, name: name.clone(), signal, pinned: true, steps: Vec::new() };
    player.app.update(Msg::Outcome(sent));
    player.sample(scoped(2, 790, true));
    let free = FreeMemory::default();
    let gone =
        Outcome::Exited { who, name, after: Millis(3), held: Kib(0), before: free, now: free };
    player.app.update(Msg::Outcome(gone));
    player.sample(scoped(4, 40, false));
    let told = player.app.session.journal.entries.last().expect("an entry").text.clone();
    assert_eq!(told, "600 java is gone: cgroup web 790M -> 40M, 750M came back there");
    player.sample(scoped(6, 40, false));
    assert_eq!(player.app.session.journal.entries.last().expect("an entry").text, told, "once");
}

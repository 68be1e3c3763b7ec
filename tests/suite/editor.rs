//! The editor of oom_score_adj in depth: whom it reaches, what it proposes; the journal and its way
//! back; how a value is kept.

use doomtop::app::keymap::bindings::Key;
use doomtop::app::mode::Mode;
use doomtop::app::session::journal::ChangeState;
use doomtop::app::{App, Msg, Request, Setup};
use doomtop::intent::{Intent, Outcome, Refusal};
use doomtop::model::{Capabilities, ProcId, Process, Reading, ScoreScale, Snapshot, Text};
use doomtop::plan::adj_rights::WriteRights;
use doomtop::policy::site::SiteRule;
use doomtop::policy::{LINUX_2_4, LINUX_2_6_36, Policy};
use doomtop::rank::Ranking;
use doomtop::ui::Theme;
use doomtop::units::Adj;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::fixtures::{app, paint, press, samples};
use crate::screens::styled;
use crate::stage::{Player, cast, machine, process, setup, usual};

const FULL: Theme = crate::fixtures::theme(true, true);

fn id(pid: i32) -> ProcId {
    process(pid, "", 0).id
}

fn wish(pid: i32, name: &str, from: i16, to: i16, revert: bool) -> Request {
    let (from, to) = (Adj(from), Adj(to));
    Request::Act(Intent::SetAdj { who: id(pid), name: name.to_owned(), from, to, revert })
}

/// Carries out what was asked, as the world would where nothing stands in the way.
fn done(player: &mut Player, asked: Vec<Request>) {
    for request in asked {
        let Request::Act(Intent::SetAdj { who, name, from, to, revert }) = request else {
            panic!("{request:?}");
        };
        player.app.update(Msg::Outcome(Outcome::AdjSet {
            who,
            name,
            before: from,
            now: to,
            revert,
        }));
    }
}

/// The cast, three of them java, and everybody ours.
fn javas() -> Vec<Process> {
    let mut all = cast();
    for (pid, rss) in [(610, 50_000), (611, 40_000)] {
        all.push(process(pid, "java", rss));
    }
    all
}

fn on(all: Vec<Process>) -> Player {
    Player::on(machine(1_000_000, ScoreScale::Signed, all))
}

/// Everything may be written.
fn as_root(all: Vec<Process>) -> Snapshot {
    let mut sample = machine(1_000_000, ScoreScale::Signed, all);
    sample.privileges.euid = 0;
    sample.privileges.caps = Capabilities(u64::MAX);
    sample
}

#[test]
fn the_smallest_changes_are_a_key_away_and_hold() {
    // chrome is first at +300; just below the returned value it is not.
    for (script, pid, is_first) in [("500ao", 500, false), ("600af", 600, true)] {
        let mut player = Player::on(usual());
        player.play(script);
        let Mode::Adjust(edit) = &player.app.mode else { panic!("the editor is open") };
        let own = edit.previews.own.clone().expect("a preview");
        assert_eq!(own.rank_after == Some(1), is_first, "{script}: {own:?}");
        let value = edit.value().expect("a value");
        let step = if is_first { -1 } else { 1 };
        let scene = player.app.scene.as_ref().expect("a look");
        let next = Adj(value.0 + step);
        let then = scene.with_adj(|it| (it.id.pid == pid).then_some(next));
        let victim = Ranking::new(player.app.policy(), &then).victim().map(|row| row.id.pid);
        assert_eq!(victim == Some(pid), !is_first, "{script}: one step less does not do it");
        assert_eq!(player.play("<Enter>").len(), 1);
    }
}

#[test]
fn what_cannot_be_proposed_is_said() {
    let mut player = Player::on(usual());
    player.play("500af");
    assert!(player.notice().contains("next victim already"), "{}", player.notice());
    player.play("<Esc>600ao");
    assert!(player.notice().contains("not the next victim"), "{}", player.notice());
}

#[test]
fn presets_are_gone_to_one_after_another() {
    let mut player = Player::on(usual());
    player.play("a<PgDn>");
    assert_eq!(player.play("<Enter>"), [wish(500, "chrome", 300, 0, false)]);
    assert_eq!(player.play("a<PgDn><PgDn><PgDn><Enter>"), [wish(500, "chrome", 300, -999, false)]);
    assert_eq!(player.play("a<PgUp><PgUp><Enter>"), [wish(500, "chrome", 300, 1000, false)]);
    // On the coarse scale: 5 is +294.
    assert_eq!(player.play("a0<Tab><PgUp><Enter>"), [wish(500, "chrome", 300, 294, false)]);
}

#[test]
fn what_may_be_written_is_said_before_anything_is_typed() {
    let rights = |player: &mut Player, script: &str| {
        player.play(script);
        let Mode::Adjust(edit) = &player.app.mode else { panic!("the editor is open") };
        edit.rights
    };
    let mut player = Player::on(usual());
    assert_eq!(rights(&mut player, "500a"), WriteRights::Floor { at_most: Adj(300), above: None });
    player.play("<Esc>");
    assert!(
        matches!(rights(&mut player, "400a"), WriteRights::Nothing(why) if why.contains("root"))
    );
    player.play("<Esc>");
    // A refusal teaches where the floor is not.
    let asked = player.play("500a-250<Enter>");
    let [Request::Act(intent)] = &asked[..] else { panic!("{asked:?}") };
    let refusal = Refusal::NotPermitted { hint: "needs CAP_SYS_RESOURCE" };
    player.app.update(Msg::Outcome(Outcome::Refused { intent: intent.clone(), refusal }));
    let known = WriteRights::Floor { at_most: Adj(300), above: Some(Adj(-250)) };
    assert_eq!(rights(&mut player, "500a-300"), known);
    let Mode::Adjust(edit) = &player.app.mode else { panic!("the editor is open") };
    assert!(edit.warning.is_some_and(|it| it.contains("was refused")), "{:?}", edit.warning);

    let mut player = Player::on(as_root(cast()));
    assert_eq!(rights(&mut player, "400a"), WriteRights::Any { contained: false });
}

#[test]
fn those_who_share_its_memory_are_named_and_foreseen() {
    let mut all = cast();
    let twin = Process { id: id(501), parent: 500, ..all[6].clone() };
    all.push(twin);
    all.push(Process { parent: 500, ..process(502, "worker", 7) });
    let mut player = on(all);
    player.play("500a-1000");
    let Mode::Adjust(edit) = &player.app.mode else { panic!("the editor is open") };
    assert_eq!(
        (&edit.kin.memory_sharers[..], edit.kin.children),
        (&["501 chrome".to_owned()][..], 1)
    );
    let words = edit.kin.words().join("; ");
    assert!(words.contains("501 chrome seems to share its memory"), "{words}");
    assert!(words.contains("its 1 existing child keeps its own"), "{words}");
    let victim = edit.previews.own.as_ref().and_then(|it| it.victim.as_ref());
    assert_eq!(victim.map(|(id, _)| id.pid), Some(600), "its twin is spared with it");
}

#[test]
fn a_wide_change_is_listed_before_anything_is_written() {
    let mut player = on(javas());
    player.play("600at");
    let Mode::Adjust(edit) = &player.app.mode else { panic!("the editor is open") };
    assert_eq!(edit.reached, [id(600), id(610), id(611)], "all of this name");
    assert_eq!(player.play("100<Enter>"), [], "only the list opens");
    let Mode::Bulk(several) = &player.app.mode else { panic!("{:?}", player.app.mode) };
    assert!(several.title.contains("+100") && several.title.contains("3 of this name (java)"));
    let asked = player.play("<Enter>");
    let wanted = [600, 610, 611].map(|pid| wish(pid, "java", 0, 100, false));
    assert_eq!(asked, wanted);
    assert!(matches!(player.app.mode, Mode::BulkResult(_)));
}

#[test]
fn the_reach_goes_round_and_leaves_out_what_makes_no_difference() {
    let mut player = on(javas());
    player.play("601a");
    let mut seen = Vec::new();
    for _ in 0..4 {
        let Mode::Adjust(edit) = &player.app.mode else { panic!("the editor is open") };
        seen.push((edit.reach.words(), edit.reached.len()));
        player.play("t");
    }
    // Nobody is tagged, it has no namesake, no child, and no cgroup is known.
    let (one, many) = (("this process", 1), ("of its user", 9));
    assert_eq!(seen, [one, many, one, many]);
    assert_eq!(player.notice(), "", "there were others");
    player.play("<Esc>400at");
    assert!(player.notice().contains("no other targets"), "{}", player.notice());
}

#[test]
fn a_wide_change_is_foreseen_for_all_at_once() {
    let mut all = javas();
    all[6].adj = Reading::Value(Adj(0));
    let mut player = on(all);
    player.play("600at-1000");
    let Mode::Adjust(edit) = &player.app.mode else { panic!("the editor is open") };
    let victim = edit.previews.own.as_ref().and_then(|it| it.victim.as_ref());
    assert_eq!(victim.map(|(id, _)| id.pid), Some(500), "no java is left");
    // The highest that leaves none of the three first: chrome has 90 000 pages, java 200 000.
    player.play("o");
    let Mode::Adjust(edit) = &player.app.mode else { panic!("the editor is open") };
    let value = edit.value().expect("a value");
    let scene = player.app.scene.as_ref().expect("a look");
    let first = |adj: i16| {
        let then = scene.with_adj(|it| (it.comm.bytes() == b"java").then_some(Adj(adj)));
        Ranking::new(player.app.policy(), &then).victim().map(|row| row.id.pid)
    };
    assert_eq!((first(value.0), first(value.0 + 1)), (Some(500), Some(600)));
}

#[test]
fn of_many_nothing_is_proposed_by_a_rule_that_falls_as_adj_rises() {
    let text = "name = 'x'\nscore = 'p.adj > 500 ? 0 : p.adj + 1000'\n";
    let policy = SiteRule::compile(text, Arc::default()).expect("a rule").leak("x.toml");
    let mut player =
        Player::with(Setup { policy, ..setup() }, machine(1_000_000, ScoreScale::Signed, javas()));
    for key in ["o", "f"] {
        player.play(&format!("600at{key}"));
        assert!(player.notice().contains("no common value can be computed"), "{}", player.notice());
        player.play("<Esc>");
    }
}

#[test]
fn the_tagged_are_taken_together_and_told_why_one_is_left_alone() {
    let mut player = on(javas());
    // Xorg is root's; chrome has the value already; java gets it.
    player.play("400<Space>500<Space>600<Space>");
    player.play("600at300<Enter>");
    let Mode::Bulk(several) = &player.app.mode else { panic!("{:?}", player.app.mode) };
    let what: Vec<(i32, bool, &str)> = several
        .items
        .iter()
        .map(|item| (item.who.pid, item.intent.is_some(), item.what.as_str()))
        .collect();
    assert_eq!(what[0].0, 400);
    assert!(!what[0].1 && what[0].2.contains("CAP_DAC_OVERRIDE"), "{what:?}");
    assert!(!what[1].1 && what[1].2.contains("has +300 already"), "{what:?}");
    assert_eq!(what[2], (600, true, "+0 -> +300"));
    assert_eq!(player.play("<Enter>"), [wish(600, "java", 0, 300, false)]);
}

#[test]
fn nobody_is_exposed_with_the_crowd_who_was_not_pointed_at() {
    let mut player = on(javas());
    let reach_user = |player: &mut Player, pid: &str, value: &str| {
        player.play(&format!("{pid}a"));
        while !matches!(&player.app.mode, Mode::Adjust(edit) if edit.reach.words() == "of its user")
        {
            player.play("t");
        }
        player.play(&format!("{value}<Enter>"));
        let Mode::Bulk(several) = &player.app.mode else { panic!("{:?}", player.app.mode) };
        let touched = several.items.iter().filter(|item| item.intent.is_some());
        touched.map(|item| item.who.pid).collect::<Vec<_>>()
    };
    let raised = reach_user(&mut player, "601", "500");
    assert!(!raised.contains(&50), "sshd is at -1000: somebody wants it to live");
    assert!(!raised.contains(&200), "doomtop runs under it");
    assert!(!raised.contains(&1), "init is never chosen");
    assert!(raised.contains(&500) && raised.contains(&601), "{raised:?}");
    let lowered = reach_user(&mut on(javas()), "601", "-500");
    assert!(lowered.contains(&200), "protecting them is another matter");
}

#[test]
fn more_than_a_screenful_takes_the_typed_count() {
    let mut all = cast();
    all.extend((0..20).map(|nth| process(1000 + nth, "many", 100)));
    let mut player = on(all);
    player.play("1003at5<Enter>");
    assert_eq!(player.play("<Enter>"), [], "Enter alone is not enough");
    assert!(player.notice().contains("type 20"), "{}", player.notice());
    assert_eq!(player.play("20<Enter>").len(), 20);
}

#[test]
fn a_failure_in_the_middle_loses_nothing() {
    let mut player = on(javas());
    let mut asked = player.play("600at100<Enter><Enter>");
    let Request::Act(intent) = asked.remove(1) else { panic!("{asked:?}") };
    let refused = Outcome::Refused { intent, refusal: Refusal::Gone };
    let last = asked.split_off(1);
    done(&mut player, asked);
    player.app.update(Msg::Outcome(refused));
    done(&mut player, last);
    let round = player.app.session.journal.bulk.clone().expect("a round");
    assert_eq!(round.sum(), "2 done, 1 refused");
    assert_eq!(round.lines.len(), 3);
    assert!(round.lines[1].1.contains("610 java: already gone"), "{:?}", round.lines);
    // Both that were done go back together, and come again together; from the page, too.
    player.play("J");
    assert!(matches!(player.app.mode, Mode::Journal(2)));
    player.play("<Esc>r");
    let Mode::Bulk(several) = &player.app.mode else { panic!("{:?}", player.app.mode) };
    assert!(several.title.contains("Revert oom_score_adj of these 2?"), "{}", several.title);
    let back = player.play("<Enter>");
    assert_eq!(back, [600, 611].map(|pid| wish(pid, "java", 100, 0, true)));
    done(&mut player, back);
    assert_eq!(player.play("r"), [], "nothing is left to put back");
    player.play("<Esc>");
    player.key(Key::alt('r'));
    let again = player.play("<Enter>");
    assert_eq!(again, [600, 611].map(|pid| wish(pid, "java", 0, 100, false)));
    done(&mut player, again);
    assert_eq!(player.app.session.journal.entries.len(), 7, "every answer has its line");
}

#[test]
fn one_write_may_do_the_work_of_two() {
    let mut player = on(javas());
    let mut asked = player.play("600at100<Enter><Enter>");
    asked.truncate(1);
    done(&mut player, asked);
    // 610 shares the memory of 600, say: it has the value already.
    let (who, name) = (id(610), "java".to_owned());
    let already = Outcome::AdjSet { who, name, before: Adj(100), now: Adj(100), revert: false };
    player.app.update(Msg::Outcome(already));
    assert!(player.notice().contains("is already +100"), "{}", player.notice());
    assert_eq!(player.app.session.journal.changes.len(), 1, "nothing that could be put back");
}

#[test]
fn changes_are_put_back_and_made_again_one_by_one() {
    let mut player = Player::on(usual());
    let mut step = |script: &str, wanted: &[Request]| {
        let asked = if script == "redo" {
            player.key(Key::alt('r'));
            if player.app.mode_is_browse() { Vec::new() } else { player.play("<Enter>") }
        } else {
            player.play(script)
        };
        assert_eq!(asked, wanted, "{script}: {}", player.notice());
        done(&mut player, asked);
    };
    step("600a5<Enter>", &[wish(600, "java", 0, 5, false)]);
    step("500a7<Enter>", &[wish(500, "chrome", 300, 7, false)]);
    step("r<Enter>", &[wish(500, "chrome", 7, 300, true)]);
    step("r<Enter>", &[wish(600, "java", 5, 0, true)]);
    step("r", &[]);
    step("redo", &[wish(600, "java", 0, 5, false)]);
    step("redo", &[wish(500, "chrome", 300, 7, false)]);
    step("redo", &[]);
    step("r<Enter>", &[wish(500, "chrome", 7, 300, true)]);
}

#[test]
fn what_changed_meanwhile_is_refused_and_stands_in_nobodys_way() {
    let mut player = Player::on(usual());
    for script in ["600a5<Enter>", "500a7<Enter>"] {
        let asked = player.play(script);
        done(&mut player, asked);
    }
    let asked = player.play("r<Enter>");
    let [Request::Act(intent)] = &asked[..] else { panic!("{asked:?}") };
    let refusal = Refusal::Changed { from: Adj(7), found: Adj(99) };
    player.app.update(Msg::Outcome(Outcome::Refused { intent: intent.clone(), refusal }));
    assert!(player.notice().contains("was +7, is +99"), "{}", player.notice());
    assert_eq!(player.play("r<Enter>"), [wish(600, "java", 5, 0, true)], "the one before");
    // In the journal the other one can be picked, and is refused with words.
    player.play("JUp");
    player.play("<Esc>J<Home><Down><Enter>");
    assert!(matches!(player.app.mode, Mode::Journal(_)), "{:?}", player.app.mode);
    assert!(player.notice().contains("+99 now, not +7"), "{}", player.notice());
}

#[test]
fn any_line_of_the_journal_can_be_put_back_or_made_again() {
    let mut player = Player::on(usual());
    for script in ["600a5<Enter>", "500a7<Enter>"] {
        let asked = player.play(script);
        done(&mut player, asked);
    }
    player.play("J");
    assert!(matches!(player.app.mode, Mode::Journal(1)), "the newest line");
    let asked = player.play("<Up><Enter><Enter>");
    assert_eq!(asked, [wish(600, "java", 5, 0, true)]);
    assert!(matches!(player.app.mode, Mode::Journal(0)), "back on the page");
    done(&mut player, asked);
    assert!(matches!(player.app.session.journal.changes[0].state, ChangeState::Back(_)));
    assert_eq!(player.play("<Enter><Esc>"), [], "left as it was");
    assert!(matches!(player.app.mode, Mode::Journal(0)));
    let asked = player.play("<Enter><Enter>");
    assert_eq!(asked, [wish(600, "java", 0, 5, false)], "made again");
    done(&mut player, asked);
    // What was done since is seen, and a process that went.
    let mut sample = usual();
    sample.clock.unix_ms += 2000;
    sample.processes.retain(|it| it.id.pid != 500);
    player.sample(sample);
    player.play("<Home><Enter>");
    assert!(player.notice().contains("+0 now, not +5"), "{}", player.notice());
    assert_eq!(player.play("w"), [Request::WriteJournal]);
    assert!(matches!(&player.play("y")[..], [Request::Copy(text)] if text.contains("600 java")));
}

#[test]
fn the_palette_leads_to_all_of_it() {
    let mut player = Player::on(usual());
    player.play(":journal<Enter>");
    assert!(matches!(player.app.mode, Mode::Journal(_)));
    assert_eq!(player.play("w"), [], "there is nothing to write");
    player.play("<Esc>:keep<Enter>");
    assert!(matches!(player.app.mode, Mode::Persist(_)));
    let asked = player.play("<Esc>600a5<Enter>");
    done(&mut player, asked);
    assert_eq!(player.play(":revert<Enter><Enter>"), [wish(600, "java", 5, 0, true)]);
    let (who, name) = (id(600), "java".to_owned());
    let back = Outcome::AdjSet { who, name, before: Adj(5), now: Adj(0), revert: true };
    player.app.update(Msg::Outcome(back));
    assert_eq!(player.play(":redo<Enter><Enter>"), [wish(600, "java", 0, 5, false)]);
}

#[test]
fn the_journal_opens_over_every_view() {
    for view in ["", "<Tab>", "<Tab><Tab>"] {
        let mut player = Player::on(usual());
        player.play(view);
        let screen = player.app.views.kind;
        player.play("J");
        assert!(matches!(player.app.mode, Mode::Journal(_)), "{screen:?}");
        player.play("<Esc>");
        assert_eq!(player.app.views.kind, screen);
        player.play("?J");
        assert!(matches!(player.app.mode, Mode::Journal(_)), "from a page");
    }
}

/// What a user does with adj.
#[derive(Clone, Debug)]
enum Step {
    Set(i32, i16),
    All(i16),
    Back,
    Again,
    /// Somebody else does.
    Other(i32, i16),
}

fn steps(others: bool) -> impl Strategy<Value = Vec<Step>> {
    let pids = || proptest::sample::select(vec![500, 600, 610]);
    let step = prop_oneof![
        4 => (pids(), -20_i16..20).prop_map(|(pid, to)| Step::Set(pid, to)),
        1 => (-20_i16..20).prop_map(Step::All),
        3 => Just(Step::Back),
        2 => Just(Step::Again),
        u32::from(others) => (pids(), -20_i16..20).prop_map(|(pid, to)| Step::Other(pid, to)),
    ];
    proptest::collection::vec(step, 1..25)
}

/// The values as the kernel has them, and hands that write like those of doomtop.
struct World(BTreeMap<i32, Adj>);

impl World {
    fn perform(&mut self, player: &mut Player, asked: Vec<Request>) -> usize {
        let count = asked.len();
        for request in asked {
            let Request::Act(intent) = request else { panic!("{request:?}") };
            let Intent::SetAdj { who, ref name, from, to, revert } = intent else {
                panic!("{intent:?}");
            };
            let found = self.0.get_mut(&who.pid).expect("in the cast");
            let name = name.clone();
            let outcome = if *found == from {
                *found = to;
                Outcome::AdjSet { who, name, before: from, now: to, revert }
            } else if *found == to {
                Outcome::AdjSet { who, name, before: to, now: to, revert }
            } else {
                let refusal = Refusal::Changed { from, found: *found };
                Outcome::Refused { intent, refusal }
            };
            player.app.update(Msg::Outcome(outcome));
        }
        // Another look brings what is.
        let mut sample = machine(1_000_000, ScoreScale::Signed, javas());
        for process in &mut sample.processes {
            process.adj = self.0.get(&process.id.pid).copied().map_or(process.adj, Reading::Value);
        }
        player.app.mode = Mode::Browse;
        player.wait(5000);
        player.sample(sample);
        count
    }

    fn step(&mut self, player: &mut Player, step: &Step) -> usize {
        let asked = match step {
            Step::Set(pid, to) => player.play(&format!("{pid}a{to}<Enter>")),
            Step::All(to) => player.play(&format!("600at{to}<Enter><Enter>")),
            Step::Back | Step::Again => {
                let key = if matches!(step, Step::Back) { Key::char('r') } else { Key::alt('r') };
                player.key(key);
                if player.app.mode_is_browse() { Vec::new() } else { player.play("<Enter>") }
            }
            Step::Other(pid, to) => {
                self.0.insert(*pid, Adj(*to));
                Vec::new()
            }
        };
        self.perform(player, asked)
    }
}

fn world() -> (World, Player) {
    let all = javas();
    let of = |it: &Process| Some((it.id.pid, it.adj.value()?));
    (World(all.iter().filter_map(of).collect()), on(all))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Where nobody else changes anything, r leads back to the beginning, and Alt-r to the end.
    #[test]
    fn all_the_way_back_and_forth(script in steps(false)) {
        let (mut world, mut player) = world();
        let begun = world.0.clone();
        for step in &script {
            world.step(&mut player, step);
        }
        // What was put back by hand and then changed otherwise is no part of the way.
        let ended = world.0.clone();
        let mut back = 0;
        while world.step(&mut player, &Step::Back) > 0 {
            back += 1;
            prop_assert!(back < 100, "it never ends");
        }
        prop_assert_eq!(&world.0, &begun);
        for _ in 0..back {
            prop_assert!(world.step(&mut player, &Step::Again) > 0);
        }
        prop_assert_eq!(&world.0, &ended);
    }

    /// Whatever others do meanwhile, nothing of theirs is written over unseen, and no key hangs.
    #[test]
    fn what_others_changed_is_never_put_back_unseen(script in steps(true)) {
        let (mut world, mut player) = world();
        let mut others: BTreeMap<i32, Adj> = BTreeMap::new();
        for step in &script {
            world.step(&mut player, step);
            match step {
                Step::Other(pid, to) => { others.insert(*pid, Adj(*to)); }
                Step::Set(pid, _) => { others.remove(pid); }
                Step::All(_) => { others.remove(&600); others.remove(&610); }
                Step::Back | Step::Again => {
                    // A value that the journal knows as its own may be the same by chance.
                    for (pid, to) in &others {
                        let known = player.app.session.journal.changes.iter();
                        let by_chance = known
                            .filter(|change| change.who.pid == *pid)
                            .any(|change| change.now == *to || change.before == *to);
                        prop_assert!(by_chance || world.0[pid] == *to);
                    }
                }
            }
        }
        let mut left = 0;
        while !player.app.session.journal.last_made().is_empty() {
            world.step(&mut player, &Step::Back);
            left += 1;
            prop_assert!(left < 100, "a change stands in the way for ever");
        }
    }
}

/// java as a service of the machine.
fn with_unit() -> Snapshot {
    let mut sample = usual();
    let at = sample.position(600).expect("java");
    sample.processes[at].cgroup =
        Reading::Value(Arc::new(Text::new(b"/system.slice/java@one.service")));
    sample
}

#[test]
fn a_value_is_kept_by_copy_or_by_a_new_file_only() {
    let mut player = Player::on(with_unit());
    player.play("600a-500W");
    let Mode::Persist(keep) = &player.app.mode else { panic!("{:?}", player.app.mode) };
    assert_eq!(keep.value, Adj(-500), "the value in the editor");
    let file = "[Service]\nOOMScoreAdjust=-500\n".to_owned();
    assert_eq!(player.play("y"), [Request::Copy(file.clone())]);
    let asked = player.play("w<Enter>");
    assert_eq!(asked, [Request::Write { path: "50-oom.conf".to_owned(), text: file.clone() }]);
    let asked = player.play("w<C-u>/tmp/x y.conf<Enter>");
    assert_eq!(asked, [Request::Write { path: "/tmp/x y.conf".to_owned(), text: file }]);
    assert_eq!(player.play("w<C-u><Enter><Esc>"), [], "no path, no file");
    assert_eq!(player.play("w<Esc>"), []);
    assert!(matches!(player.app.mode, Mode::Persist(_)), "Esc left the path, not the page");
    // The commands are copied, not written.
    assert_eq!(player.play("<Down>w"), []);
    assert!(player.notice().contains("not a file"), "{}", player.notice());
    player.play("<Esc>");
    let Mode::Adjust(edit) = &player.app.mode else { panic!("back in the editor") };
    assert_eq!(edit.value(), Some(Adj(-500)));
    assert_eq!(player.play("<Enter>"), [wish(600, "java", 0, -500, false)]);
}

#[test]
fn a_paste_writes_no_file() {
    let mut player = Player::on(with_unit());
    player.play("600Ww<C-u>");
    assert_eq!(player.app.update(Msg::Paste("/tmp/pasted\n".to_owned())), []);
    let Mode::Persist(keep) = &player.app.mode else { panic!("{:?}", player.app.mode) };
    assert_eq!(keep.path.as_ref().map(|it| it.value()), Some("/tmp/pasted"));
    // Pasted as keys: the line end comes with the rest.
    let at = player.now + 1000;
    assert_eq!(player.key_at(Key::char('x'), at), []);
    assert_eq!(player.key_at(crate::stage::keys("<Enter>")[0], at + 1), []);
}

#[test]
fn a_recording_tells_how_to_keep_a_value_and_changes_none() {
    let acting = doomtop::app::ActingMode::NotReal;
    let mut player = Player::with(Setup { acting, ..setup() }, with_unit());
    player.play("600W");
    assert!(matches!(player.app.mode, Mode::Persist(_)));
    player.play("<Esc>");
    player.key(Key::alt('r'));
    assert!(player.app.mode_is_browse());
    assert!(player.notice().contains("recording"), "{}", player.notice());
}

#[test]
fn a_rule_of_another_unit_speaks_for_itself() {
    let mut player = Player::with(Setup { policy: &LINUX_2_6_36, ..setup() }, usual());
    player.play("500a-500");
    let Mode::Adjust(edit) = &player.app.mode else { panic!("the editor is open") };
    let own = edit.previews.own.as_ref().expect("a preview");
    assert_eq!((own.policy, own.rank_before), (LINUX_2_6_36.id(), Some(1)));
    assert!(!own.is_idle());
    let mut player = Player::with(Setup { policy: &LINUX_2_4, ..setup() }, usual());
    player.play("600af");
    let Mode::Adjust(edit) = &player.app.mode else { panic!("the editor is open") };
    let kernel = edit.previews.kernel.as_ref().expect("the kernel's");
    assert_eq!(kernel.rank_after, Some(1), "the proposal was the kernel's");
}

/// The machine of the pictures, what is typed there, and the world's answers.
fn pictured(script: &[&str], answered: bool) -> App {
    let mut app = app("db-03.jsonl");
    paint(&mut app, FULL, 80, 24);
    for words in script.split(|word| *word == "draw") {
        let asked = press(&mut app, words);
        paint(&mut app, FULL, 80, 24);
        for (nth, request) in asked.into_iter().filter(|_| answered).enumerate() {
            let Request::Act(intent) = request else { continue };
            let Intent::SetAdj { who, ref name, from, to, revert } = intent else { continue };
            let outcome = if nth == 1 {
                Outcome::Refused { intent, refusal: Refusal::Changed { from, found: Adj(77) } }
            } else {
                Outcome::AdjSet { who, name: name.clone(), before: from, now: to, revert }
            };
            app.update(Msg::Outcome(outcome));
        }
    }
    app
}

#[test]
fn its_screens_are_as_they_were() {
    let tag = ["9", "1", "2", "0", "Esc", " ", "4411", "Esc", " ", "4411", "Esc"];
    let wide = |more: &[&'static str]| [&tag[..], &["a", "t"], more].concat();
    let adj = ["4411", "Esc", "a", "-500", "draw", "Enter", "draw"];
    for (name, script) in [
        ("edit", vec!["4411", "Esc", "a", "-500"]),
        ("wide", wide(&["-500"])),
        ("several", wide(&["-500", "draw", "Enter"])),
        ("round", wide(&["-500", "draw", "Enter", "draw", "Enter", "draw"])),
        ("revert", [&adj[..], &["r"]].concat()),
        (
            "journal",
            [
                &adj[..],
                &["r", "draw", "Enter", "draw"],
                &wide(&["-500", "draw", "Enter", "draw", "Enter", "draw", "Esc", "J"]),
            ]
            .concat(),
        ),
        ("keep", vec!["4411", "Esc", "a", "-500", "W"]),
        ("keep-path", vec!["4411", "Esc", "W", "w"]),
    ] {
        let mut app = pictured(&script, true);
        for (width, height) in [(80, 24), (120, 40)] {
            let (buffer, _) = paint(&mut app, FULL, width, height);
            insta::assert_snapshot!(format!("{name}-{width}x{height}"), styled(&buffer));
        }
    }
    let mut old = app("db-03.jsonl");
    old.settings.policy = &LINUX_2_4;
    for sample in samples("db-03.jsonl") {
        old.update(Msg::Sampled(sample));
    }
    paint(&mut old, FULL, 80, 24);
    press(&mut old, &["20731", "Esc", "a", "-500"]);
    for (width, height) in [(80, 24), (120, 40)] {
        let (buffer, _) = paint(&mut old, FULL, width, height);
        insta::assert_snapshot!(format!("two-rules-{width}x{height}"), styled(&buffer));
    }
}

//! An act on several processes: whom it reaches, what it takes to confirm it, and what came of each.

use doomtop::app::Request;
use doomtop::app::dialog::bulk_confirm::{BulkConsent, BulkDialog, BulkItem};
use doomtop::app::mode::Mode;
use doomtop::app::{Msg, NoticeLevel};
use doomtop::intent::{Intent, Outcome, Refusal};
use doomtop::model::{Process, Reading, Text};
use doomtop::plan::targets::Targets;
use doomtop::ui;
use doomtop::units::Adj;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::sync::Arc;

use crate::stage::{Player, cast, machine, usual};

fn wish(process: &Process) -> Intent {
    let (who, name) = (process.id, process.comm.to_string());
    Intent::SetAdj { who, name, from: Adj(0), to: Adj(-500), revert: false }
}

fn item(process: &Process, left_alone: bool) -> BulkItem {
    BulkItem {
        who: process.id,
        name: process.comm.to_string(),
        what: if left_alone { "skipped: protected" } else { "0 -> -500" }.to_owned(),
        intent: (!left_alone).then(|| wish(process)),
    }
}

fn open(player: &mut Player, consent: BulkConsent) {
    let all = cast();
    let items = all.iter().map(|process| item(process, process.id.pid <= 2)).collect();
    player.app.mode = Mode::Bulk(BulkDialog::new("Set oom_score_adj of all?", items, consent));
    player.draw();
}

fn pids(reach: Targets, at: i32, player: &Player) -> Vec<i32> {
    let scene = player.app.scene.as_ref().expect("a look");
    let process = &scene.now().processes[scene.now().position(at).expect("in the cast")];
    reach.of(process, scene, &player.app.table.tags).iter().map(|it| it.id.pid).collect()
}

#[test]
fn the_reach_is_what_its_name_says() {
    let mut all = cast();
    for process in &mut all {
        let path: &[u8] = match process.id.pid {
            600 => b"/jobs",
            601 => b"/jobs/inner",
            500 => b"/jobshop",
            _ => b"/",
        };
        process.cgroup = Reading::Value(Arc::new(Text::new(path)));
    }
    let twin = Process { id: doomtop::model::ProcId { pid: 700, ..all[7].id }, ..all[7].clone() };
    all.push(twin);
    let mut player = Player::on(machine(1_000_000, doomtop::model::ScoreScale::Signed, all));
    assert_eq!(pids(Targets::This, 600, &player), [600]);
    assert_eq!(pids(Targets::Name, 600, &player), [600, 700]);
    assert_eq!(pids(Targets::Subtree, 600, &player), [600, 601]);
    assert_eq!(pids(Targets::Subtree, 50, &player), [50, 200, 300]);
    assert_eq!(
        pids(Targets::Cgroup, 600, &player),
        [600, 601, 700],
        "a name that begins alike is none"
    );
    assert_eq!(pids(Targets::User, 400, &player), [400], "Xorg alone is root's");
    assert!(pids(Targets::Tagged, 600, &player).is_empty());
    player.play("<Space><Down><Space>");
    assert_eq!(pids(Targets::Tagged, 600, &player).len(), 2);
    let nobody = pids(Targets::User, 2, &player);
    assert!(!nobody.contains(&2), "a kernel thread is never reached: {nobody:?}");
}

#[test]
fn the_typed_count_releases_all_of_them_and_nothing_else_does() {
    let mut player = Player::on(usual());
    open(&mut player, BulkConsent::Count(String::new()));
    assert_eq!(player.play("y<Enter>"), [], "the count was not typed");
    assert_eq!(player.play("8<Enter>"), [], "a wrong count");
    assert!(player.notice().contains("type 7"), "{}", player.notice());
    let asked = player.play("<BS>7<Enter>");
    let wanted: Vec<Request> =
        cast().iter().filter(|it| it.id.pid > 2).map(|it| Request::Act(wish(it))).collect();
    assert_eq!(asked, wanted);
}

#[test]
fn keys_typed_before_the_list_was_seen_do_not_confirm() {
    let mut player = Player::on(usual());
    open(&mut player, BulkConsent::Enter);
    let soon = player.now + 100;
    assert_eq!(player.key_at(crate::stage::keys("<Enter>")[0], soon), []);
    assert!(matches!(player.app.mode, Mode::Bulk(_)));
    assert_eq!(player.play("<Esc>"), []);
    assert!(matches!(player.app.mode, Mode::Browse));
}

#[test]
fn what_came_of_each_stands_on_a_line_of_its_own() {
    let mut player = Player::on(usual());
    open(&mut player, BulkConsent::Enter);
    let asked = player.play("<Enter>");
    assert_eq!(asked.len(), 7);
    for (nth, request) in asked.into_iter().enumerate() {
        let Request::Act(Intent::SetAdj { who, name, from, to, revert }) = request else {
            panic!("{request:?}");
        };
        let outcome = if nth == 2 {
            let intent = Intent::SetAdj { who, name, from, to, revert };
            Outcome::Refused { intent, refusal: Refusal::Gone }
        } else {
            Outcome::AdjSet { who, name, before: from, now: to, revert }
        };
        player.app.update(Msg::Outcome(outcome));
    }
    let round = player.app.session.journal.bulk.clone().expect("a round");
    assert_eq!(round.sum(), "6 done, 1 refused");
    assert_eq!(round.lines.len(), 7);
    assert_eq!(round.lines[2].0, NoticeLevel::Warn);
    assert_eq!(player.app.session.journal.changes.len(), 6, "each can be put back");
    assert!(matches!(player.app.mode, Mode::BulkResult(_)));

    let page = picture(&mut player, 80, 24);
    assert!(page.contains("6 done, 1 refused") && page.contains("already gone"), "{page}");
}

fn picture(player: &mut Player, width: u16, height: u16) -> String {
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    let sample = crate::fixtures::theme(true, true);
    let viewport = ui::paint(&player.app, &sample, area, &mut buffer);
    player.app.update(Msg::Drawn(viewport, doomtop::units::Millis(player.now)));
    let rows = (0..height).map(|y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>());
    rows.map(|row| row.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_list_longer_than_the_screen_scrolls_and_what_is_asked_stays() {
    let mut player = Player::on(usual());
    open(&mut player, BulkConsent::Count(String::new()));
    let first = picture(&mut player, 60, 14);
    assert!(first.contains("1 systemd") && first.contains("type the count 7"), "{first}");
    assert!(!first.contains("java-helper"), "{first}");
    player.now += 1000;
    for _ in 0..20 {
        player
            .app
            .update(Msg::Key(crate::stage::keys("<Down>")[0], doomtop::units::Millis(player.now)));
    }
    let last = picture(&mut player, 60, 14);
    assert!(last.contains("java-helper") && last.contains("type the count 7"), "{last}");
    assert!(!last.contains("1 systemd"), "{last}");
}

#[test]
fn a_list_of_those_left_alone_cannot_be_confirmed() {
    let mut player = Player::on(usual());
    let items = cast().iter().map(|process| item(process, true)).collect();
    player.app.mode =
        Mode::Bulk(BulkDialog::new("Sacrifice?", items, BulkConsent::Count(String::new())));
    let page = picture(&mut player, 80, 24);
    assert!(page.contains("no process here can be changed"), "{page}");
    player.now += 1000;
    assert_eq!(player.play("0<Enter>"), []);
}

/// The usual machine without these.
fn without(pids: &[i32]) -> doomtop::model::Snapshot {
    let all = cast().into_iter().filter(|it| !pids.contains(&it.id.pid)).collect();
    machine(1_000_000, doomtop::model::ScoreScale::Signed, all)
}

#[test]
fn what_was_meant_for_the_tagged_never_goes_to_the_one_under_the_cursor() {
    let mut player = Player::on(usual());
    player.app.table.tags = cast().iter().filter(|it| it.id.pid > 500).map(|it| it.id).collect();
    assert_eq!(player.cursor(), Some(500));
    assert_eq!(player.play("at333"), []);
    player.sample(without(&[600, 601]));
    assert_eq!(player.play("<Enter>"), [], "they are gone, and it is another one");
    assert_eq!(player.play("<Enter>"), [], "an empty list asks for nothing");
}

#[test]
fn enter_speaks_only_for_those_who_were_seen() {
    let mut player = Player::on(usual());
    let items = cast().iter().map(|process| item(process, process.id.pid <= 2)).collect();
    player.app.mode = Mode::Bulk(BulkDialog::new("Set all?", items, BulkConsent::Enter));
    picture(&mut player, 60, 12);
    player.now += 1000;
    let enter = crate::stage::keys("<Enter>")[0];
    let at = |now: u64| doomtop::units::Millis(now);
    assert_eq!(player.app.update(Msg::Key(enter, at(player.now))), []);
    assert!(player.notice().contains("more are below"), "{}", player.notice());
    for _ in 0..9 {
        player.now += 200;
        player.app.update(Msg::Key(crate::stage::keys("<Down>")[0], at(player.now)));
        picture(&mut player, 60, 12);
    }
    player.now += 1000;
    assert_eq!(player.app.update(Msg::Key(enter, at(player.now))).len(), 7);
}

#[test]
fn a_process_that_became_another_program_is_asked_about_anew() {
    let mut player = Player::on(usual());
    player.play("X");
    assert!(matches!(player.app.mode, Mode::Signal(_)));
    let mut all = cast();
    let chrome = all.iter_mut().find(|it| it.id.pid == 500).expect("in the cast");
    chrome.comm = doomtop::model::Comm::new(b"sleep");
    player.sample(machine(1_000_000, doomtop::model::ScoreScale::Signed, all));
    assert!(matches!(player.app.mode, Mode::Browse));
    assert!(player.notice().contains("became sleep"), "{}", player.notice());
    assert_eq!(player.play("y"), []);
}

#[test]
fn the_explained_process_stays_the_explained_one() {
    let mut player = Player::on(usual());
    player.play("<Down><Enter>");
    assert_eq!(player.cursor(), Some(600));
    player.now += 10_000;
    player.sample(without(&[600]));
    player.now += 10_000;
    player.app.update(Msg::Tick(doomtop::units::Millis(player.now)));
    assert_eq!(player.cursor(), None, "it is gone, and nobody stands in for it");
    assert_eq!(player.play("X"), []);
    assert!(matches!(player.app.mode, Mode::Browse), "{:?}", player.app.mode);
}

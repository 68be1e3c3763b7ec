//! Which process the cursor means: that of the headline until it is moved, then the one that the user chose.

use doomtop::app::mode::Mode;
use doomtop::app::{CursorAnchor, Msg};
use doomtop::forecast::next_death::{Candidate, DeathCertainty, NextDeath};
use doomtop::model::{ProcId, Scope, ScoreScale};
use doomtop::ui::Theme;
use doomtop::units::Millis;

use crate::demo::{Show, show_before};
use crate::fixtures::{paint, press, text};
use crate::stage::{Player, machine, predicted, process, usual};

const PLAIN: Theme = crate::fixtures::theme(false, true);

/// A death of this process, named by the headline.
fn death_of(pid: i32) -> NextDeath {
    let process = process(pid, "leak", 0);
    let when = Millis(9000);
    NextDeath {
        certainty: DeathCertainty::Named,
        candidates: vec![Candidate { id: process.id, comm: process.comm, from: when, to: when }],
        saved: None,
        gains: Vec::new(),
        ..predicted(Scope::GLOBAL, when)
    }
}

/// The headline names this process from now on, and the rows are put in order.
fn name(player: &mut Player, pid: i32) {
    player.app.deaths.next = Some(death_of(pid));
    // Both keys arrange the table and leave it as it was.
    player.play("ii");
}

/// The process that the dialog asks about.
fn asked(mode: &Mode) -> Option<ProcId> {
    match mode {
        Mode::Signal(confirm) => Some(confirm.plan.who),
        _ => None,
    }
}

#[test]
fn in_the_demo_it_is_on_the_process_of_the_headline_and_a_key_means_that_one() {
    for kill in 0..3 {
        let mut show = show_before(kill, 3);
        let named = show.app.deaths.next.clone().expect("a death is near").candidates[0].id;
        assert_eq!(show.app.selected().map(|it| it.id), Some(named), "kill {kill}");
        let first = show.app.ranking.victim().expect("a first").id;
        assert!(kill > 1 || first != named, "rank 1 is another one: else this proves nothing");
        paint(&mut show.app, PLAIN, 120, 40);
        press(&mut show.app, &["X"]);
        assert_eq!(asked(&show.app.mode), Some(named), "kill {kill}");
    }
    // The key that jumps to a kill is followed at once.
    let mut show = Show::new();
    let first = show.app.ranking.victim().expect("a first").id;
    assert!(show.app.deaths.next.is_none(), "nothing is near at the start");
    assert_eq!(show.app.selected().map(|it| it.id), Some(first), "then it is on rank 1");
    press(&mut show.app, &["}"]);
    let named = show.app.deaths.next.clone().expect("a death is near").candidates[0].id;
    paint(&mut show.app, PLAIN, 120, 40);
    press(&mut show.app, &["X"]);
    assert_eq!(asked(&show.app.mode), Some(named));
}

#[test]
fn once_it_was_moved_it_stays_on_the_process_of_the_user() {
    let mut show = show_before(0, 6);
    press(&mut show.app, &["Down"]);
    let chosen = show.app.selected().expect("a process").id;
    show.play_before(1, 3);
    let named = show.app.deaths.next.clone().expect("a death is near").candidates[0].id;
    assert_ne!(named, chosen);
    assert_eq!(show.app.selected().map(|it| it.id), Some(chosen));
    assert_eq!(show.app.table.anchor, CursorAnchor::Process(chosen));
}

#[test]
fn it_follows_between_two_samples_and_never_under_a_dialog() {
    let mut player = Player::on(usual());
    assert_eq!(player.cursor(), Some(500), "rank 1 while nothing is near");
    name(&mut player, 600);
    assert_eq!(player.cursor(), Some(600));
    // A reading after which no death is near.
    player.wait(5000);
    player.app.update(Msg::UsageRead(Vec::new()));
    assert_eq!(player.cursor(), Some(500), "at once");

    name(&mut player, 600);
    player.play("X");
    assert_eq!(asked(&player.app.mode).map(|it| it.pid), Some(600));
    player.wait(5000);
    player.app.update(Msg::UsageRead(Vec::new()));
    player.sample(usual());
    assert!(player.app.deaths.next.is_none(), "the headline has changed");
    assert_eq!(player.cursor(), Some(600), "but not what is under the dialog");
    assert_eq!(asked(&player.app.mode).map(|it| it.pid), Some(600));
    player.play("<Esc>");
    assert_eq!(player.cursor(), Some(600), "nor under a key that may follow");
    player.wait(5000);
    assert_eq!(player.cursor(), Some(500));
}

#[test]
fn a_process_far_down_is_chosen_in_its_row_below_the_table_which_does_not_scroll() {
    let many = (0..60).map(|nth| process(1000 + nth, "work", 60_000 - nth as u64 * 100));
    let mut player = Player::on(machine(10_000_000, ScoreScale::Signed, many.collect()));
    name(&mut player, 1055);
    let screen = text(&paint(&mut player.app, PLAIN, 80, 24).0);
    assert_eq!((player.cursor(), player.app.table.cursor.top), (Some(1055), 0), "{screen}");
    let rows = || screen.lines().skip_while(|line| !line.contains("BADNESS"));
    let row = |pid: i32| rows().find(|line| line.contains(&format!(" {pid} "))).unwrap();
    assert!(row(1055).starts_with(" 56>!"), "{screen}");
    assert!(row(1000).starts_with("  1 "), "{screen}");
    // Scrolling leaves it where it is, a move begins there.
    player.play("<S-Down><S-Down>");
    assert_eq!((player.cursor(), player.app.table.cursor.top), (Some(1055), 2));
    // When no process is named any more, it is on rank 1, and the table shows that.
    let named = player.app.deaths.next.take();
    player.play("ii");
    assert_eq!((player.cursor(), player.app.table.cursor.top), (Some(1000), 0));
    player.app.deaths.next = named;
    player.play("ii<S-Down><S-Down>");
    player.play("<Up>");
    assert_eq!(player.cursor(), Some(1054));
    assert!(matches!(player.app.table.anchor, CursorAnchor::Process(id) if id.pid == 1054));
    assert!(player.app.table.cursor.top > 2, "and the table shows where that is");
    // A table too low for such a row shows its cursor.
    let many = (0..60).map(|nth| process(1000 + nth, "work", 60_000 - nth as u64 * 100));
    let mut player = Player::on(machine(10_000_000, ScoreScale::Signed, many.collect()));
    name(&mut player, 1055);
    let screen = text(&paint(&mut player.app, PLAIN, 40, 6).0);
    assert!(screen.contains(" 56>"), "{screen}");
}

/// Where a key acts is on the screen, however low that is.
#[test]
fn its_process_is_on_a_screen_of_any_height() {
    for kill in 0..3 {
        for height in 5..30 {
            let mut show = show_before(kill, 3);
            press(&mut show.app, &["I", "i"]);
            let screen = text(&paint(&mut show.app, PLAIN, 60, height).0);
            let rows = screen.lines().skip_while(|line| !line.contains("PID")).skip(1);
            if rows.count() < 3 {
                continue;
            }
            let pid = show.app.selected().expect("a process").id.pid.to_string();
            let has = |line: &str| {
                line.contains('>') && line.split([' ', '>', '!', '^', '?']).any(|word| word == pid)
            };
            assert!(screen.lines().any(has), "kill {kill}, {height} lines: {pid} in\n{screen}");
        }
    }
}

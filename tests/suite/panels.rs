//! The boxes of the screen: no line of one is cut while another one of its lines is free.

use doomtop::app::{App, Msg};
use doomtop::intent::Outcome;
use doomtop::ui::Theme;
use doomtop::units::Adj;
use ratatui::buffer::Buffer;

use crate::demo::app_before;
use crate::fixtures::{app, paint, press, text};
use crate::groups::limited_app;
use crate::stage::{Player, process, usual};

const PLAIN: Theme = crate::fixtures::theme(false, true);

/// The boxes on the screen: the title and the lines inside of each.
fn boxes(buffer: &Buffer) -> Vec<(String, Vec<String>)> {
    let area = buffer.area;
    let symbol = |x: u16, y: u16| buffer[(x, y)].symbol();
    let mut found = Vec::new();
    for y in area.top()..area.bottom() {
        for x in (area.left()..area.right()).filter(|x| symbol(*x, y) == "╭") {
            let Some(right) = (x..area.right()).find(|right| symbol(*right, y) == "╮") else {
                continue;
            };
            let row = |y: u16| (x + 1..right).map(|x| symbol(x, y)).collect::<String>();
            let is_side = |y: &u16| symbol(x, *y) == "│" && symbol(right, *y) == "│";
            let lines: Vec<String> = (y + 1..area.bottom()).take_while(is_side).map(row).collect();
            // The corners of a line in a chart are no box.
            let bottom = y + 1 + lines.len() as u16;
            if !lines.is_empty() && bottom < area.bottom() && symbol(x, bottom) == "╰" {
                found.push((row(y), lines));
            }
        }
    }
    found
}

/// The screens to look at: machines, and what is pressed there.
fn screens() -> Vec<(&'static str, App)> {
    let mut all = Vec::new();
    for (kill, before) in [(0, 5), (1, 1), (1, 0), (2, 2)] {
        all.push(("demo", app_before(kill, before)));
    }
    all.push(("db-03", app("db-03.jsonl")));
    all.push(("desk-7", app("desk-7.jsonl")));
    all.push(("limited", limited_app()));
    all
}

#[test]
fn no_line_of_a_box_is_cut_while_one_is_free() {
    let sizes = [
        (80, 24),
        (100, 30),
        (110, 32),
        (120, 40),
        (132, 43),
        (150, 34),
        (160, 50),
        (180, 50),
        (200, 60),
        (250, 70),
    ];
    let mut boxes_seen = 0;
    for (name, mut app) in screens() {
        for view in ["Alt-1", "Alt-2", "Alt-3"] {
            press(&mut app, &[view]);
            for (width, height) in sizes {
                let (buffer, _) = paint(&mut app, PLAIN, width, height);
                for (title, lines) in boxes(&buffer) {
                    boxes_seen += 1;
                    let free = lines.iter().any(|line| line.trim().is_empty());
                    let cut = lines.iter().find(|line| line.trim_end().ends_with('…'));
                    assert!(
                        !free || cut.is_none(),
                        "{name} {view} {width}x{height}: {cut:?} in {title}\n{}",
                        text(&buffer)
                    );
                }
            }
        }
    }
    assert!(boxes_seen > 500, "{boxes_seen}");
}

#[test]
fn the_headline_tells_all_that_the_lines_beside_it_leave_room_for() {
    for (width, height) in [(160, 50), (200, 60)] {
        let mut app = app_before(1, 1);
        let screen = text(&paint(&mut app, PLAIN, width, height).0);
        assert!(screen.contains("321/1000, 14M ahead of 271 chrome"), "{screen}");
        // Each remedy is told apart from what it leads to.
        assert!(screen.contains("raise the limit; or adj "), "{screen}");
    }
}

#[test]
fn a_screen_that_is_too_small_says_so_in_full() {
    let mut app = app("db-03.jsonl");
    for (width, height) in [(38, 5), (30, 5), (20, 3)] {
        let screen = text(&paint(&mut app, PLAIN, width, height).0);
        let words = screen.split_whitespace().collect::<Vec<_>>().join(" ");
        let wanted = format!("doomtop needs 40x6, have {width}x{height} - q quits");
        assert_eq!(words, wanted, "{screen}");
    }
}

#[test]
fn limits_that_nobody_uses_are_not_listed_as_near() {
    let mut app = limited_app();
    let screen = text(&paint(&mut app, PLAIN, 200, 60).0);
    let near = screen.lines().skip_while(|line| !line.contains("nearest limit"));
    let near: Vec<&str> = near.take_while(|line| line.starts_with('│')).collect();
    assert!(near.len() > 1, "{screen}");
    assert!(near.iter().all(|line| !line.contains(" 0B/")), "{screen}");
}

#[test]
fn a_change_of_a_process_that_is_gone_is_not_offered_to_be_reverted() {
    let mut player = Player::on(usual());
    let who = process(500, "chrome", 0).id;
    let set = Outcome::AdjSet {
        who,
        name: "chrome".to_owned(),
        before: Adj(300),
        now: Adj(0),
        revert: false,
    };
    player.app.update(Msg::Outcome(set));
    let screen = |player: &mut Player| text(&paint(&mut player.app, PLAIN, 160, 50).0);
    let offer = "r reverts 500 chrome to +300";
    let before = screen(&mut player);
    assert!(before.contains(offer), "{before}");
    let mut left = usual();
    left.processes.retain(|it| it.id != who);
    player.sample(left);
    let after = screen(&mut player);
    assert!(!after.contains(offer), "{after}");
    assert_eq!(player.play("r"), []);
    assert!(player.notice().contains("nothing left to revert"), "{}", player.notice());
}

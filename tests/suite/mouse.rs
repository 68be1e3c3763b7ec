//! The mouse: what a click and the wheel do, that a click finds what was drawn under it, and that no click
//! acts.

use std::sync::Arc;

use doomtop::app::mode::Mode;
use doomtop::app::view::click_target::{ClickTarget, RowIdentity};
use doomtop::app::view::kind::ViewKind;
use doomtop::app::{App, Msg, Request};
use doomtop::model::{ProcId, Reading};
use doomtop::ui::click_areas::ClickAreas;
use doomtop::ui::{self, Theme};
use doomtop::units::{Adj, Millis};
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::fixtures::{app, press, settle, text};
use crate::stage::{Player, usual};

/// A screen that a hand points at.
struct Pointer {
    width: u16,
    height: u16,
    areas: ClickAreas,
    shown: String,
}

impl Pointer {
    /// Draws the screen.
    fn on(app: &mut App, width: u16, height: u16) -> Self {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        let mut areas = ClickAreas::default();
        for _ in 0..2 {
            let viewport =
                ui::paint_clickable(app, &Theme::default(), area, &mut buffer, &mut areas);
            let now = app.clock();
            app.update(Msg::Drawn(viewport, now));
        }
        Self { width, height, areas, shown: text(&buffer) }
    }

    /// The first cell of a word on the screen.
    fn find(&self, word: &str) -> (u16, u16) {
        let found = self.shown.lines().enumerate().find_map(|(y, line)| {
            let at = line.find(word)?;
            Some((line[..at].chars().count() as u16, y as u16))
        });
        found.unwrap_or_else(|| panic!("{word:?} in\n{}", self.shown))
    }

    fn click_at(&self, app: &mut App, (x, y): (u16, u16)) -> Vec<Request> {
        let at = Millis(app.clock().0 + 1000);
        match self.areas.at(x, y) {
            Some(target) => app.update(Msg::Click(target.clone(), at)),
            None => Vec::new(),
        }
    }

    fn click(&self, app: &mut App, word: &str) -> Vec<Request> {
        self.click_at(app, self.find(word))
    }

    fn wheel(&self, app: &mut App, (x, y): (u16, u16), lines: isize) {
        let at = Millis(app.clock().0 + 1000);
        let target = self.areas.at(x, y).cloned();
        assert!(app.update(Msg::Wheel(target, lines, at)).is_empty());
    }
}

fn selected(app: &App) -> ProcId {
    app.table.line().expect("a line").id
}

#[test]
fn a_click_selects_what_was_drawn_there_even_when_the_rows_have_moved() {
    let mut player = Player::on(usual());
    let drawn = Pointer::on(&mut player.app, 100, 30);
    let place = drawn.find("bash");
    let was_first = player.app.table.lines[0].id;
    // The shell grows to the top before the click arrives.
    player.wait(10_000);
    let mut next = usual();
    for process in next.processes.iter_mut().filter(|it| it.comm.to_string() == "bash") {
        process.adj = Reading::Value(Adj(900));
    }
    player.app.update(Msg::Sampled(Arc::new(next)));
    assert_eq!(player.app.table.lines[0].id.pid, 200, "it is on top now");
    assert_ne!(was_first.pid, 200);
    assert!(drawn.click_at(&mut player.app, place).is_empty());
    assert_eq!(selected(&player.app).pid, 200);
    // A process that is gone is not replaced by the one in its line.
    let mut next = usual();
    next.processes.retain(|it| it.id.pid != 400);
    let drawn = Pointer::on(&mut player.app, 100, 30);
    let place = drawn.find("Xorg");
    settle(&mut player.app);
    player.app.update(Msg::Sampled(Arc::new(next)));
    drawn.click_at(&mut player.app, place);
    assert_eq!(selected(&player.app).pid, 200, "the cursor stays");
    let said = player.app.display.notice.as_ref().map(|notice| notice.text.as_str());
    assert_eq!(said, Some("this row is gone"));
}

#[test]
fn a_click_on_the_selected_row_explains_it_and_the_order_is_frozen() {
    let mut app = app("db-03.jsonl");
    let drawn = Pointer::on(&mut app, 100, 30);
    drawn.click(&mut app, "postgres");
    assert!(app.held(), "as after a key");
    let drawn = Pointer::on(&mut app, 100, 30);
    drawn.click(&mut app, "postgres");
    assert!(matches!(app.mode, Mode::Explain(0)));
    // On a page the rows below cannot be clicked, and the wheel scrolls.
    let drawn = Pointer::on(&mut app, 100, 30);
    drawn.click_at(&mut app, (10, 15));
    drawn.wheel(&mut app, (10, 15), 3);
    assert!(matches!(app.mode, Mode::Explain(3)), "{:?}", app.mode);
}

#[test]
fn a_heading_sorts_and_inverts() {
    let mut app = app("db-03.jsonl");
    let drawn = Pointer::on(&mut app, 100, 30);
    drawn.click(&mut app, "PID");
    assert_eq!(app.table.settings.sort.column.id, "pid");
    let first = app.table.settings.sort.descending;
    drawn.click(&mut app, "PID");
    assert_eq!(app.table.settings.sort.descending, !first);
}

#[test]
fn the_wheel_scrolls_the_list_under_the_pointer_only() {
    let mut app = app("hostile.jsonl");
    let drawn = Pointer::on(&mut app, 100, 16);
    let row = (10, drawn.find("PID").1 + 2);
    drawn.wheel(&mut app, row, 3);
    assert_eq!(app.table.cursor.top, 3);
    drawn.wheel(&mut app, (10, 15), 3);
    assert_eq!(app.table.cursor.top, 3, "not over the function bar");
    drawn.wheel(&mut app, row, -3);
    assert_eq!(app.table.cursor.top, 0);
}

#[test]
fn the_function_bar_and_menus_take_clicks_and_a_dialog_takes_none() {
    let mut app = app("db-03.jsonl");
    let drawn = Pointer::on(&mut app, 100, 30);
    drawn.click(&mut app, "Signal");
    assert!(matches!(app.mode, Mode::Menu(_)), "{:?}", app.mode);
    let drawn = Pointer::on(&mut app, 100, 30);
    drawn.click(&mut app, " 9 ");
    assert!(matches!(app.mode, Mode::Signal(_)), "{:?}", app.mode);
    for (width, height) in [(100, 30), (40, 10)] {
        let drawn = Pointer::on(&mut app, width, height);
        let before = format!("{:?}", app.mode);
        for y in 0..drawn.height - 1 {
            for x in 0..drawn.width {
                assert!(drawn.click_at(&mut app, (x, y)).is_empty());
                drawn.wheel(&mut app, (x, y), 3);
            }
        }
        assert_eq!(format!("{:?}", app.mode), before);
    }
    // The editor keeps its value, whatever is clicked, until it is left.
    press(&mut app, &["Esc", "a"]);
    let drawn = Pointer::on(&mut app, 100, 30);
    let Mode::Adjust(before) = app.mode.clone() else { panic!("{:?}", app.mode) };
    for label in ["-50", "+50", "Apply"] {
        assert!(drawn.click(&mut app, label).is_empty());
    }
    let Mode::Adjust(after) = &app.mode else { panic!("{:?}", app.mode) };
    assert_eq!(after.value(), before.value());
    drawn.click(&mut app, "Cancel");
    assert!(app.mode_is_browse());
}

#[test]
fn rows_of_the_other_views_are_selected_by_what_they_show() {
    let mut app = app("db-03.jsonl");
    press(&mut app, &["Tab", "Tab"]);
    assert_eq!(app.views.kind, ViewKind::Verdicts);
    let drawn = Pointer::on(&mut app, 120, 40);
    drawn.click(&mut app, "earlyoom");
    let chosen = &app.views.verdicts.lines[app.views.verdicts.cursor.at];
    assert_eq!(chosen.policy.id(), "earlyoom");
    let target = ClickTarget::Row(RowIdentity::Policy("nohang"));
    app.update(Msg::Click(target, Millis(app.clock().0 + 1)));
    let chosen = &app.views.verdicts.lines[app.views.verdicts.cursor.at];
    assert_eq!(chosen.policy.id(), "nohang");
}

#[test]
fn the_names_of_the_views_lead_there() {
    let mut app = app("db-03.jsonl");
    let drawn = Pointer::on(&mut app, 120, 40);
    drawn.click(&mut app, "Cgroups");
    assert_eq!(app.views.kind, ViewKind::Cgroups);
    let drawn = Pointer::on(&mut app, 120, 40);
    drawn.click(&mut app, "Processes");
    assert_eq!(app.views.kind, ViewKind::Processes);
}

#[test]
fn the_mouse_is_switched_while_it_runs() {
    let mut app = app("db-03.jsonl");
    let before = app.display.mouse;
    press(&mut app, &["Alt-m"]);
    assert_eq!(app.display.mouse, !before);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    /// Clicks and turns of the wheel, anywhere, with dialogs opened by keys between them.
    #[test]
    fn no_sequence_of_clicks_acts(
        steps in prop::collection::vec((0u16..120, 0u16..40, 0u8..12), 1..25),
        wide in any::<bool>(),
    ) {
        let mut app = app("db-03.jsonl");
        let (width, height) = if wide { (120, 40) } else { (80, 24) };
        for (x, y, what) in steps {
            let drawn = Pointer::on(&mut app, width, height);
            let place = (x % width, y % height);
            match what {
                0 => drawn.wheel(&mut app, place, 3),
                1 => drawn.wheel(&mut app, place, -3),
                2 => drop(press(&mut app, &["X"])),
                3 => drop(press(&mut app, &["a"])),
                4 => drop(press(&mut app, &["Alt-o"])),
                // The function bar.
                5 | 6 => {
                    let asked = drawn.click_at(&mut app, (place.0, height - 1));
                    prop_assert!(!acts(&asked), "{:?}", asked);
                }
                _ => {
                    let asked = drawn.click_at(&mut app, place);
                    prop_assert!(!acts(&asked), "{:?}", asked);
                }
            }
        }
    }
}

/// Whether the system or a file would be changed.
fn acts(requests: &[Request]) -> bool {
    requests.iter().any(|request| {
        matches!(request, Request::Act(_) | Request::Write { .. } | Request::WriteJournal)
    })
}

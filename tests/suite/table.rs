//! The table of processes: badness as a picture, rows that are filled whole, what each mark says, and where
//! Esc leads.

use std::sync::Arc;

use doomtop::app::keymap::bindings::Key;
use doomtop::app::setup::ThemeName;
use doomtop::app::view::kind::ViewKind;
use doomtop::app::{App, Msg};
use doomtop::columns::{COLUMNS, CommandStyle, RowContext, SizeUnit};
use doomtop::model::{Names, Scene};
use doomtop::policy::{
    BadnessParts, LINUX, LINUX_2_4, LINUX_3_5, LINUX_3_14, LINUX_4_17, LINUX_5_1, LINUX_5_3,
    LINUX_5_9, POLICIES, Policy,
};
use doomtop::rank::Ranking;
use doomtop::ui::{ColourDepth, Theme};
use doomtop::units::Millis;
use ratatui::buffer::Buffer;
use ratatui::style::Color;

use crate::demo::app_before;

use crate::fixtures::{app, paint, press, samples, text};
use crate::groups::limited_app;
use crate::stage::{Player, usual};

const FULL: Theme = crate::fixtures::theme(true, true);
const ASCII: Theme = crate::fixtures::theme(true, false);
const MONO: Theme = crate::fixtures::theme(false, false);

const MACHINES: [&str; 5] =
    ["db-03.jsonl", "desk-7.jsonl", "small.jsonl", "strict.jsonl", "hostile.jsonl"];

/// Calls `with` for each row of each machine that this policy can choose.
fn each_row(policy: &'static dyn Policy, mut with: impl FnMut(i64, Option<BadnessParts>)) {
    for sample in MACHINES.iter().flat_map(|name| samples(name)) {
        let scene = Scene::new(Arc::clone(&sample), None);
        let ranking = Ranking::new(policy, &scene);
        let names = Names::default();
        let (scale, command) = (SizeUnit::Auto, CommandStyle::Name);
        let context =
            RowContext { scene: &scene, policy, ranking: &ranking, names: &names, scale, command };
        for at in 0..sample.processes.len() {
            let Some(row) = context.row(at) else { continue };
            match row.placement().points() {
                Some(points) => with(points.0, row.parts()),
                None => assert_eq!(row.parts(), None, "it has no badness"),
            }
        }
    }
}

#[test]
fn memory_swap_and_adj_add_up_to_the_badness_on_every_kernel_since_3_5() {
    let kernels: [&'static dyn Policy; 7] =
        [&LINUX, &LINUX_5_9, &LINUX_5_3, &LINUX_5_1, &LINUX_4_17, &LINUX_3_14, &LINUX_3_5];
    for policy in kernels {
        let mut rows = 0;
        each_row(policy, |points, parts| {
            let parts = parts.unwrap_or_else(|| panic!("{}: no parts", policy.id()));
            assert_eq!(parts.sum().0, points, "{}: {parts:?}", policy.id());
            assert!(parts.memory.0 >= 0 && parts.swap.0 >= 0, "{}: {parts:?}", policy.id());
            rows += 1;
        });
        assert!(rows > 100, "{rows}");
    }
}

#[test]
fn where_badness_is_made_of_other_things_there_is_no_bar() {
    let mut with: Vec<&str> = Vec::new();
    for policy in POLICIES {
        each_row(*policy, |points, parts| {
            if let Some(parts) = parts {
                assert_eq!(parts.sum().0, points, "{}: a part is missing", policy.id());
                with.push(policy.id());
            }
        });
    }
    with.dedup();
    assert!(with.contains(&"linux") && with.contains(&"rss"), "{with:?}");
    for other in ["linux-2.4", "linux-2.6", "nohang", "systemd-oomd", "lmkd"] {
        assert!(!with.contains(&other), "{other} has parts: {with:?}");
    }
    let shows = |app: &App| app.columns_on(120).iter().any(|column| column.id == "parts");
    let mut by_size = app("db-03.jsonl");
    assert!(shows(&by_size));
    by_size.settings.policy = &LINUX_2_4;
    press(&mut by_size, &["v"]);
    let mut old =
        Player::with(doomtop::app::Setup { policy: &LINUX_2_4, ..crate::stage::setup() }, usual());
    assert!(!shows(&old.app), "its width goes to the command");
    let bar = COLUMNS.iter().find(|column| column.id == "parts").unwrap();
    old.app.table.switched.push((bar, true));
    assert!(shows(&old.app), "on request it is there");
    let (buffer, _) = paint(&mut old.app, ASCII, 120, 40);
    let row = text(&buffer).lines().find(|line| line.starts_with("  1")).unwrap().to_owned();
    assert!(row.contains(" - "), "with nothing to show: {row}");
}

#[test]
fn the_bar_is_a_column_that_can_be_switched_off() {
    let mut app = app("db-03.jsonl");
    let (buffer, _) = paint(&mut app, ASCII, 80, 24);
    assert!(text(&buffer).contains("mem swap adj SCORE"), "{}", text(&buffer));
    let bar = COLUMNS.iter().find(|column| column.id == "parts").unwrap();
    app.table.switched.push((bar, false));
    let (buffer, _) = paint(&mut app, ASCII, 80, 24);
    assert!(!text(&buffer).contains("mem swap adj"), "{}", text(&buffer));
}

#[test]
fn the_score_of_the_kernel_is_there_from_80_columns_on_and_the_command_before_the_rest() {
    let mut app = app("db-03.jsonl");
    for width in 80..=200 {
        let (buffer, _) = paint(&mut app, FULL, width, 24);
        let head = text(&buffer).lines().find(|line| line.contains("BADNESS")).unwrap().to_owned();
        assert!(head.contains("SCORE") && head.contains("mem"), "{width}: {head}");
        assert!(!head.contains("PGT") && !head.contains("OADJ"), "{width}: {head}");
        let at = head.find("COMMAND").unwrap_or_else(|| panic!("{width}: {head}"));
        let room = usize::from(width) - head[..at].chars().count();
        assert!(room >= if width < 116 { 8 } else { usize::from(width) / 5 }, "{width}: {room}");
    }
}

/// The line of the screen that contains this, and its row.
fn row_of(buffer: &Buffer, part: &str) -> (u16, String) {
    let text = text(buffer);
    let found = text.lines().enumerate().find(|(_, line)| line.contains(part));
    let (y, line) = found.unwrap_or_else(|| panic!("no line has {part:?} in\n{text}"));
    (u16::try_from(y).unwrap(), line.to_owned())
}

/// The cells of the bars in the table; none where another list is shown.
fn bar_of(buffer: &Buffer, width: u16) -> std::ops::Range<u16> {
    let text = text(buffer);
    let head = text.lines().find(|line| line.contains("BADNESS") && line.contains("mem "));
    let head = head.filter(|line| line.contains("swap") && line.contains("adj"));
    let Some(at) = head.and_then(|line| line.find("mem ")) else { return 0..0 };
    // Where there is room, the glyph of each part stands before its word.
    let begin = head.map_or(0, |line| line[..at].chars().count());
    let begin = u16::try_from(begin).unwrap() - u16::from(width >= 16);
    begin..begin + width
}

#[test]
fn the_bar_keeps_its_colours_under_the_cursor() {
    for name in ThemeName::ALL {
        let theme = Theme::new(name, ColourDepth::Ansi, true);
        let mut app = app("db-03.jsonl");
        paint(&mut app, theme, 120, 40);
        let (y, _) = row_of(&paint(&mut app, theme, 120, 40).0, "  1>");
        let colours = |app: &mut App| -> Vec<Color> {
            let (buffer, _) = paint(app, theme, 120, 40);
            let parts = COLUMNS.iter().find(|column| column.id == "parts").unwrap();
            let bar = bar_of(&buffer, parts.cells(app.display.scale, 120));
            assert!(!bar.is_empty());
            // The zero line and what is blank belong to the row.
            let is_part = |x: &u16| ![" ", "│"].contains(&buffer[(*x, y)].symbol());
            let bar: Vec<u16> = bar.filter(is_part).collect();
            assert!(bar.len() > 2, "{bar:?}");
            bar.into_iter().map(|x| buffer[(x, y)].fg).collect()
        };
        let under = colours(&mut app);
        press(&mut app, &["Down"]);
        assert_eq!(under, colours(&mut app), "{name:?}");
    }
}

#[test]
fn the_selected_row_is_filled_whole_in_every_list() {
    for (keys, part) in [(&[][..], "  2>"), (&["c"], "  2>"), (&["t"], ">"), (&["2", "Esc"], ">")] {
        let mut app = app("db-03.jsonl");
        paint(&mut app, FULL, 120, 40);
        press(&mut app, &["Down"]);
        press(&mut app, keys);
        for theme in [FULL, ASCII, MONO] {
            let (buffer, _) = paint(&mut app, theme, 120, 40);
            let (y, line) = row_of(&buffer, part);
            // The bar keeps its own colours.
            let parts = COLUMNS.iter().find(|column| column.id == "parts").unwrap();
            let bar = bar_of(&buffer, parts.cells(app.display.scale, 120));
            let whole = (0..120).filter(|x| !bar.contains(x));
            let styles: Vec<_> = whole.map(|x| buffer[(x, y)].style()).collect();
            assert!(
                styles.iter().all(|style| *style == styles[0]),
                "stripes: {line} {:?}",
                styles.iter().enumerate().filter(|(_, it)| **it != styles[0]).collect::<Vec<_>>()
            );
            let below = buffer[(0, y + 1)].style();
            assert_ne!(styles[0], below, "as the row below it: {line}");
        }
    }
}

#[test]
fn the_fill_of_the_selected_row_goes_on_beside_the_bar() {
    let depths = [ColourDepth::Mono, ColourDepth::Ansi, ColourDepth::Indexed, ColourDepth::True];
    // On the process that dies next, and on another one.
    for (keys, row) in [(&[][..], "11>!"), (&["g"], "  1>^")] {
        let mut app = app_before(1, 3);
        paint(&mut app, FULL, 120, 40);
        press(&mut app, keys);
        for theme in ThemeName::ALL.iter().flat_map(|name| {
            depths.iter().map(|depth| Theme::new(*name, *depth, true)).collect::<Vec<_>>()
        }) {
            let (buffer, _) = paint(&mut app, theme, 120, 40);
            let (y, line) = row_of(&buffer, row);
            let fill = |x: u16, y: u16| (buffer[(x, y)].bg, buffer[(x, y)].modifier);
            let parts = COLUMNS.iter().find(|column| column.id == "parts").unwrap();
            let bar = bar_of(&buffer, parts.cells(app.display.scale, 120));
            let beside = bar.filter(|x| [" ", "│"].contains(&buffer[(*x, y)].symbol()));
            let beside: Vec<_> = beside.map(|x| fill(x, y)).collect();
            assert!(beside.len() > 2, "{line}");
            assert!(beside.iter().all(|it| *it == fill(0, y)), "{theme:?}: {line} {beside:?}");
            assert_ne!(fill(0, y), fill(0, y + 1), "{theme:?}");
        }
    }
}

#[test]
fn who_dies_next_is_told_apart_from_who_would_be_chosen_now() {
    let mut app = app_before(0, 5);
    paint(&mut app, FULL, 120, 40);
    press(&mut app, &["g"]);
    let next =
        app.deaths.next.as_ref().and_then(|next| next.victim()).expect("five samples before");
    let (name, pid) = (next.comm.to_string(), next.id.pid.to_string());
    for theme in [FULL, ASCII, MONO] {
        let (buffer, _) = paint(&mut app, theme, 120, 40);
        let screen = text(&buffer);
        let (y, next) = row_of(&buffer, "! ");
        assert!(next.contains(&name) && next.contains(&pid), "{next}");
        let styles: Vec<_> = (0..60).map(|x| buffer[(x, y)].fg).collect();
        let plain = styles.iter().filter(|fg| **fg == styles[0]).count();
        assert!(plain >= 40, "red as a whole, but for the bar: {styles:?}");
        let first = screen.lines().find(|line| line.starts_with("  1")).unwrap();
        assert!(first.contains('^'), "{first}");
        assert!(screen.contains("! dies next"), "the legend: {screen}");
    }
}

#[test]
fn esc_leads_up_step_by_step_and_never_out() {
    let mut player = Player::on(usual());
    let status = |player: &mut Player| {
        player.app.display.notice = None;
        let (buffer, _) = paint(&mut player.app, FULL, 120, 40);
        text(&buffer).lines().nth(38).unwrap().to_owned()
    };
    assert!(!status(&mut player).contains("Esc"), "nothing to leave");
    player.play("t<Space>\\rss > 0<Enter>/java<Enter>");
    for (words, gone) in [
        ("Esc clears the search", "search"),
        ("Esc clears the filter", "filter"),
        ("Esc untags all", "tagged"),
        ("Esc leaves the tree", "tree"),
    ] {
        let line = status(&mut player);
        assert!(line.contains(words), "{words}: {line}");
        assert_eq!(player.play("<Esc>"), []);
        let line = status(&mut player);
        assert!(!line.contains(words) && !line.contains(gone), "{gone}: {line}");
    }
    for _ in 0..3 {
        assert_eq!(player.play("<Esc>"), [], "Esc never quits");
    }
    assert!(player.notice().contains("q quits"), "{}", player.notice());
}

#[test]
fn esc_leaves_a_dialog_then_the_view_then_the_scope() {
    let mut app = limited_app();
    let cgroups = |app: &mut App| {
        let at = Millis(app.clock().0 + 1000);
        app.update(Msg::Key(Key::alt('2'), at));
    };
    cgroups(&mut app);
    press(&mut app, &["Enter"]);
    assert_eq!(app.views.kind, ViewKind::Processes);
    assert!(app.is_scoped(), "the nearest to its limit is on top");
    cgroups(&mut app);
    assert_eq!(app.views.kind, ViewKind::Cgroups);
    press(&mut app, &["Esc"]);
    assert_eq!(app.views.kind, ViewKind::Processes);
    assert!(app.is_scoped(), "one step at a time");
    press(&mut app, &["a", "Esc"]);
    assert!(app.is_scoped() && app.mode_is_browse(), "the dialog first");
    press(&mut app, &["Esc"]);
    assert!(!app.is_scoped());
}

/// The row of the table on the screen that begins with this pid, if any.
fn pid_row(screen: &str, pid: i32) -> Option<String> {
    let pid = format!(" {pid} ");
    let rows = screen.lines().skip_while(|line| !line.contains("BADNESS"));
    rows.map(str::to_owned).find(|line| line.contains(&pid))
}

#[test]
fn the_process_of_the_headline_has_a_row_on_the_screen_whatever_the_order() {
    let app = app_before(1, 5);
    let next = app.deaths.next.clone().expect("a death is near");
    let pid = next.candidates[0].id.pid;
    for script in [["N"].as_slice(), &["N", "I"], &["Down"], &["t"], &["N", "End"]] {
        let mut app = app_before(1, 5);
        press(&mut app, script);
        let (buffer, viewport) = paint(&mut app, FULL, 80, 24);
        let screen = text(&buffer);
        assert!(pid_row(&screen, pid).is_some_and(|row| row.contains('!')), "{script:?}\n{screen}");
        let cursor = app.selected().map(|it| it.id.pid).expect("a cursor");
        assert!(pid_row(&screen, cursor).is_some_and(|row| row.contains('>')), "{screen}");
        assert!(viewport.rows > 4, "{viewport:?}");
    }
    // One that was born while the order is frozen is in no line yet.
    let mut player = Player::on(usual());
    player.play("<Down>");
    let mut sample = usual();
    sample.processes.push(crate::stage::process(700, "newborn", 10));
    player.sample(sample);
    let mut death = next;
    death.candidates.truncate(1);
    death.candidates[0].id = crate::stage::process(700, "newborn", 10).id;
    player.app.deaths.next = Some(death);
    assert!(player.app.held() && !player.pids().contains(&700));
    let screen = text(&paint(&mut player.app, FULL, 80, 24).0);
    assert!(pid_row(&screen, 700).is_some_and(|row| row.contains('!')), "{screen}");
    // A filter hides it on purpose, and the words for the mark say so.
    player.play("\\java<Enter>");
    let screen = text(&paint(&mut player.app, FULL, 120, 40).0);
    assert!(
        pid_row(&screen, 700).is_none() && screen.contains("dies next: hidden here"),
        "{screen}"
    );
}

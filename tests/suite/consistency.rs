//! One thing is told in one way: names of places, sizes, rates and times, on one screen and from view to view.

use doomtop::app::App;
use doomtop::app::mode::Mode;
use doomtop::ui::Theme;
use doomtop::units::Millis;
use doomtop::words::numbers_and_names::soon;

use crate::demo::app_before;
use crate::fixtures::{paint, press, text};

const PLAIN: Theme = crate::fixtures::theme(false, true);

fn screen(app: &mut App, width: u16, height: u16) -> String {
    text(&paint(app, PLAIN, width, height).0)
}

#[test]
fn a_place_has_one_name_wherever_the_screen_names_it() {
    for (kill, before, name, others) in [
        (0, 3, "container c65a08", ["cri-containerd", "kubepods"]),
        (1, 2, "import.service", ["cgroup import", "batch.slice"]),
    ] {
        let mut app = app_before(kill, before);
        for (width, height) in [(80, 24), (120, 40), (200, 60)] {
            let shown = screen(&mut app, width, height);
            let long = format!("{name} of pod 3f9c27d1 reaches its limit");
            let short = format!("{name} reaches its limit");
            assert!(shown.contains(&long) || shown.contains(&short), "{shown}");
            for other in others {
                // Explain tells the whole path as well.
                let path =
                    |line: &&str| line.contains("│ cgroup ") || line.starts_with("│             ");
                let found = shown.lines().filter(|line| !path(line)).find(|it| it.contains(other));
                assert_eq!(found, None, "{other} at {width}x{height}:\n{shown}");
            }
            if width >= 120 {
                assert!(shown.contains(&format!("Race in {name}")), "{shown}");
            }
        }
        let mut app = app_before(kill, 0);
        let shown = screen(&mut app, 120, 40);
        assert!(shown.contains(&format!("in {name}")), "{shown}");
        for other in others {
            assert!(!shown.contains(other), "{other}:\n{shown}");
        }
    }
}

#[test]
fn what_grows_in_a_container_grows_as_fast_in_the_race_as_in_the_headline() {
    // In the last second the counters of the process and of its cgroup tell of different moments.
    for before in 2..=4 {
        let mut app = app_before(0, before);
        let shown = screen(&mut app, 120, 40);
        let death = app.deaths.next.as_ref().expect("a death is near");
        let victim = death.victim().expect("it is named").id;
        let race = app.race.as_ref().expect("a race");
        let gains = race.find(victim).expect("it takes part").rate * 4096.0;
        assert!((gains / death.rate - 1.0).abs() < 0.15, "{gains} {}\n{shown}", death.rate);
        let by_minute =
            shown.lines().filter(|line| line.contains("/min") && !line.contains("+/min"));
        assert_eq!(by_minute.count(), 0, "{shown}");
    }
}

#[test]
fn the_race_and_the_table_have_the_same_sizes() {
    let mut compared = 0;
    for (kill, before) in [(2, 1), (2, 3), (2, 5), (2, 7), (1, 0)] {
        let mut app = app_before(kill, before);
        let shown = screen(&mut app, 120, 40);
        let death = app.deaths.next.as_ref();
        if death.is_some_and(|it| it.domain.as_str() != "global") {
            continue;
        }
        let context = app.context().expect("a sample");
        for runner in &app.race.as_ref().expect("a race").runners {
            let at = context.scene.now().position(runner.id.pid).expect("it lives");
            let row = context.row(at).expect("a row");
            let points = row.placement().points().expect("it can be chosen");
            let mut size = String::new();
            context.points(points, &mut size);
            let part = format!("{} {} {size}", runner.id, runner.comm);
            assert!(shown.contains(&part), "{part}\n{shown}");
            compared += 1;
        }
    }
    assert!(compared >= 9, "{compared}");
}

#[test]
fn the_headline_of_a_report_is_about_the_past() {
    let mut app = app_before(0, 0);
    screen(&mut app, 120, 40);
    press(&mut app, &["Enter"]);
    assert!(matches!(app.mode, Mode::Incident(_)) && app.incidents.report.is_some());
    press(&mut app, &["Esc"]);
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        let shown = screen(&mut app, width, height);
        let line = shown.lines().find(|line| line.contains(" first")).expect("a headline");
        assert!(line.contains("at the kill at 09:33:57 first"), "{shown}");
        assert!(!shown.contains("now first") && !shown.contains("memory ended now"), "{shown}");
    }
}

#[test]
fn no_time_is_told_that_nobody_can_use() {
    let seconds = |it: u64| soon(Millis(it * 1000));
    assert_eq!(seconds(80_000), "~22.2h");
    assert_eq!(seconds(86_400), "more than a day");
    assert_eq!(soon(Millis(u64::MAX)), "more than a day");
}

#[test]
fn no_share_of_the_memory_is_more_than_all_of_it() {
    let mut app = app_before(0, 8);
    screen(&mut app, 160, 50);
    press(&mut app, &["Alt-3"]);
    let shown = screen(&mut app, 160, 50);
    let row = shown.lines().find(|line| line.contains(" earlyoom-rss ")).expect("its line");
    assert!(row.contains(" 179 python3 ") && !row.contains("/1000"), "{shown}");
    let kernel = shown.lines().find(|line| line.contains("linux  ")).expect("its line");
    assert!(kernel.contains("321/1000"), "{shown}");
}

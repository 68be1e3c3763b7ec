//! The upper part of the screen and the panels, in every state that the next death can be in, at four sizes.

use std::sync::Arc;

use doomtop::app::App;
use doomtop::forecast::next_death::{
    Candidate, DeathCertainty, Deaths, NextDeath, StallReason, TimeSpan,
};
use doomtop::forecast::race::scope_of;
use doomtop::model::{Scope, Text};
use doomtop::ui::Theme;
use doomtop::units::Millis;
use insta::assert_snapshot;

use crate::demo::{Show, app_before};
use crate::fixtures::{paint, press, text};
use crate::screens::styled;

const FULL: Theme = crate::fixtures::theme(true, true);
const ASCII: Theme = crate::fixtures::theme(false, false);

/// The sizes that matter.
const SIZES: [(u16, u16); 4] = [(40, 10), (80, 24), (120, 40), (200, 60)];

fn seconds(middle: u64) -> Option<TimeSpan> {
    let [low, middle, high] = [middle * 900, middle * 1000, middle * 1200].map(Millis);
    Some(TimeSpan { low, middle, high })
}

type Change = fn(&mut NextDeath);

/// States that no sample of the demo is in: what to change in the prediction for a container shortly before
/// its limit.
const CHANGES: [(&str, Change); 4] = [
    ("minutes", |death| death.when = seconds(200)),
    ("overtaken", |death| {
        let first = death.candidates[0].clone();
        let other = Candidate { id: first.id, from: Millis(8_000), ..first.clone() };
        death.candidates = vec![
            Candidate { to: Millis(8_000), ..first },
            Candidate { to: Millis(12_000), ..other },
        ];
        death.certainty = DeathCertainty::TooClose;
        death.when = seconds(8);
    }),
    ("stalled", |death| {
        (death.when, death.stalled) = (None, Some(StallReason::Throttled));
        death.certainty = DeathCertainty::Nobody;
        death.candidates.clear();
    }),
    ("nobody", |death| {
        death.certainty = DeathCertainty::Nobody;
        death.candidates.clear();
        death.domain = Arc::new(Text::new(Scope::GLOBAL.as_bytes()));
        assert_eq!(scope_of(death), Scope::Global);
    }),
];

/// Compares this state at each size with what it was.
fn check(name: &str, app: &mut App) {
    for (width, height) in SIZES {
        let (buffer, _) = paint(app, FULL, width, height);
        assert_snapshot!(format!("{name}-{width}x{height}"), styled(&buffer));
    }
}

/// The container of the demo as the scope.
fn scoped() -> App {
    let mut scoped = app_before(0, 2);
    let path = scoped.deaths.next.as_ref().map(|death| death.domain.clone()).expect("a death");
    scoped.settings.scope = Scope::Memcg(path);
    press(&mut scoped, &["Tab", "B", "Enter"]);
    scoped
}

#[test]
fn overcommit_and_swap_are_on_every_screen_from_80x24_on() {
    let machine = || app_before(1, 5);
    let in_kib = || {
        let mut app = app_before(1, 5);
        press(&mut app, &["EE"]);
        app
    };
    for (name, app) in [("machine", machine as fn() -> App), ("scoped", scoped), ("KiB", in_kib)] {
        for view in ["1", "2", "3", "4", "5"] {
            let mut app = app();
            press(&mut app, &[&format!("Alt-{view}")]);
            for height in [24, 40, 60] {
                // Each width once, and some of them in the other views and on higher screens.
                let step = match (view, height) {
                    ("1", 24) => 1,
                    ("1", _) => 8,
                    _ => 40,
                };
                for width in (80..=200).step_by(step) {
                    let screen = text(&paint(&mut app, FULL, width, height).0);
                    let header = screen.lines().take(14).collect::<Vec<_>>().join("\n");
                    let has = |text: &str| header.contains(text);
                    let about = format!("{name}, view {view}, {width}x{height}:\n{screen}");
                    assert!(has("ratio 50") && (has("overcommit 0") || has("mode 0")), "{about}");
                    assert!(has("not enforced"), "{about}");
                    assert!(has("/1.71G") || has("/1794448K"), "{about}");
                    assert!(has("Swap ") || has("no swap"), "{about}");
                    assert!(has("kills") || view == "4", "{about}");
                }
            }
        }
    }
}

#[test]
fn the_status_line_says_how_many_of_its_parts_are_missing() {
    let mut app = app_before(1, 5);
    press(&mut app, &[" ", "c", "I", "e"]);
    app.display.notice = None;
    let mut counts = Vec::new();
    for width in 40..=200 {
        let screen = text(&paint(&mut app, FULL, width, 30).0);
        let line = screen.lines().rev().nth(1).unwrap().to_owned();
        let missing = line.split_once('…').and_then(|(_, rest)| rest.strip_suffix(" more"));
        counts.push(missing.map_or(0, |count| count.parse::<usize>().expect(&line)));
        let shown = line.split("  ").filter(|part| !part.ends_with(" more")).count();
        assert!(shown > 1, "{width}: {line}");
    }
    assert!(counts[0] > 3 && counts.last() == Some(&0), "{counts:?}");
    assert!(counts.windows(2).all(|pair| pair[1] <= pair[0]), "wider tells more: {counts:?}");
}

#[test]
fn a_scope_is_named_after_its_container_and_a_stopped_replay_says_how_it_goes_on() {
    let mut app = scoped();
    press(&mut app, &["z"]);
    app.display.notice = None;
    let screen = text(&paint(&mut app, FULL, 80, 24).0);
    let title = screen.lines().next().unwrap_or_default();
    assert!(title.contains("scope container c65a08"), "{screen}");
    assert!(screen.contains("[stopped: z plays]"), "{screen}");
}

#[test]
fn the_reason_of_a_daemons_choice_is_its_rule_and_not_the_badness_of_the_kernel() {
    let mut found = 0;
    for before in (40..90).step_by(5) {
        let mut app = app_before(2, before);
        if app.deaths.next.as_ref().is_none_or(|death| death.by != "earlyoom") {
            continue;
        }
        found += 1;
        let screen = text(&paint(&mut app, FULL, 120, 40).0);
        assert!(screen.contains("by the rule of earlyoom"), "{screen}");
        assert!(screen.contains("Race by the rule of the kernel, not earlyoom"), "{screen}");
        assert!(!screen.contains("highest badness") && !screen.contains("save: adj"), "{screen}");
    }
    assert!(found > 0, "earlyoom comes first at none of them");
}

#[test]
fn the_race_of_a_calm_scope_says_that_it_is_elsewhere() {
    let title = |app: &mut App| {
        let screen = text(&paint(app, FULL, 120, 40).0);
        let line = screen.lines().find(|line| line.contains("─ Race")).unwrap_or_default();
        line.split_once("─ Race").map(|(_, title)| title.to_owned()).unwrap_or_default()
    };
    let mut inside = scoped();
    assert!(title(&mut inside).starts_with(" in "), "{}", title(&mut inside));
    let mut elsewhere = app_before(0, 2);
    press(&mut elsewhere, &["s", "ci.slice", "Enter"]);
    let found = title(&mut elsewhere);
    assert!(elsewhere.is_scoped() && elsewhere.deaths.next.is_some(), "{found}");
    assert!(found.starts_with(" outside this scope: "), "{found}");
}

#[test]
fn every_state_is_shown_as_it_was_at_every_size() {
    let mut show = Show::new();
    for (name, kill, before) in
        [("calm", 0, 12), ("container", 0, 2), ("machine", 1, 5), ("daemon", 2, 2)]
    {
        show.play_before(kill, before);
        check(name, &mut show.app);
        if name == "container" {
            let death = show.app.deaths.next.clone().expect("a death is near");
            let kept = show.app.deaths.clone();
            for (name, change) in CHANGES {
                let mut death = death.clone();
                change(&mut death);
                show.app.deaths = Deaths { next: Some(death.clone()), list: vec![death] };
                check(name, &mut show.app);
            }
            show.app.deaths = kept;
        }
        if name == "machine" {
            let (buffer, _) = paint(&mut show.app, ASCII, 120, 40);
            assert_snapshot!("machine-ascii", text(&buffer));
        }
    }
}

#[test]
fn a_scope_is_shown_as_it_was_at_every_size() {
    check("scoped", &mut scoped());
}

/// The time of an event in this screen: `~32s` behind `earlyoom acts in `.
fn times(screen: &str, event: &str) -> Vec<String> {
    let found = screen.match_indices(event).map(|(at, _)| &screen[at + event.len()..]);
    found.filter_map(|rest| rest.split([' ', '\n', ':', ',']).next()).map(str::to_owned).collect()
}

#[test]
fn what_acts_has_one_name_and_one_time_on_the_whole_screen() {
    let mut found = 0;
    for before in (40..90).step_by(5) {
        let mut app = app_before(2, before);
        let Some(next) = app.deaths.next.clone().filter(|it| it.by == "earlyoom") else {
            continue;
        };
        found += 1;
        for (width, height) in [(120, 40), (200, 60)] {
            let screen = text(&paint(&mut app, FULL, width, height).0);
            let head = screen.lines().take(16).collect::<Vec<_>>().join("\n");
            assert!(!head.replace("machine full in", "").contains("full in"), "{head}");
            let when = times(&head, "earlyoom acts in ");
            assert!(!when.is_empty() && head.contains(&format!("in {}:", when[0])), "{head}");
            assert!(when.iter().all(|it| *it == when[0]), "{when:?}\n{head}");
        }
        // As the second death it has the same name.
        let mut other = next.clone();
        other.domain = Arc::new(Text::new(b"/shop"));
        (other.by, other.trigger) = ("kernel", None);
        other.candidates.clear(); // nobody whose death would put it off
        app.deaths = Deaths { next: Some(other), list: vec![next] };
        let screen = text(&paint(&mut app, FULL, 80, 24).0);
        let then = screen.lines().find(|line| line.contains("then  ")).unwrap_or_default();
        assert!(then.contains("earlyoom acts: ") && !then.contains("full"), "{screen}");
    }
    assert!(found > 0, "earlyoom comes first at none of them");
}

#[test]
fn memory_in_use_and_memory_that_is_available_add_up_to_the_total() {
    let mut app = crate::fixtures::blank();
    let mut sample = crate::stage::usual();
    let gib = |it: f64| doomtop::units::Kib((it * 1_048_576.0) as u64);
    sample.memory.total_kib = gib(24.0);
    sample.memory.free_kib = gib(4.0);
    sample.memory.cache_kib = gib(15.0);
    sample.memory.available_kib = doomtop::model::Reading::Value(gib(18.5));
    app.update(doomtop::app::Msg::Sampled(Arc::new(sample.clone())));
    let screen = text(&paint(&mut app, FULL, 120, 40).0);
    assert!(screen.contains("5.00/24.0G  avail 18.5G  reserve 512M"), "{screen}");
    sample.memory.available_kib = doomtop::model::Reading::Value(gib(19.0));
    app.update(doomtop::app::Msg::Sampled(Arc::new(sample)));
    let screen = text(&paint(&mut app, FULL, 120, 40).0);
    assert!(screen.contains("avail 19.0G  ") && !screen.contains("reserve"), "{screen}");
}

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

use crate::demo::app_before;
use crate::fixtures::{paint, press, text};
use crate::screens::styled;

const FULL: Theme = crate::fixtures::theme(true, true);
const ASCII: Theme = crate::fixtures::theme(false, false);

/// The sizes that matter.
const SIZES: [(u16, u16); 4] = [(40, 10), (80, 24), (120, 40), (200, 60)];

/// The container of the demo shortly before its limit, with another prediction.
fn with_death(change: impl Fn(&mut NextDeath)) -> App {
    let mut app = app_before(0, 2);
    let mut death = app.deaths.next.clone().expect("a death is near");
    change(&mut death);
    app.deaths = Deaths { next: Some(death.clone()), list: vec![death] };
    app
}

fn seconds(middle: u64) -> Option<TimeSpan> {
    let [low, middle, high] = [middle * 900, middle * 1000, middle * 1200].map(Millis);
    Some(TimeSpan { low, middle, high })
}

/// Every state of the next death.
fn states() -> Vec<(&'static str, App)> {
    let overtaken = |death: &mut NextDeath| {
        let first = death.candidates[0].clone();
        let other = Candidate { id: first.id, from: Millis(8_000), ..first.clone() };
        death.candidates = vec![
            Candidate { to: Millis(8_000), ..first },
            Candidate { to: Millis(12_000), ..other },
        ];
        death.certainty = DeathCertainty::TooClose;
        death.when = seconds(8);
    };
    let mut scoped = app_before(0, 2);
    let path = scoped.deaths.next.as_ref().map(|death| death.domain.clone()).expect("a death");
    scoped.settings.scope = Scope::Memcg(path);
    press(&mut scoped, &["Tab", "B", "Enter"]);
    vec![
        ("calm", app_before(0, 12)),
        ("minutes", with_death(|death| death.when = seconds(200))),
        ("container", app_before(0, 2)),
        ("machine", app_before(1, 5)),
        ("overtaken", with_death(overtaken)),
        (
            "stalled",
            with_death(|death| {
                (death.when, death.stalled) = (None, Some(StallReason::Throttled));
                death.certainty = DeathCertainty::Nobody;
                death.candidates.clear();
            }),
        ),
        (
            "nobody",
            with_death(|death| {
                death.certainty = DeathCertainty::Nobody;
                death.candidates.clear();
                death.domain = Arc::new(Text::new(Scope::GLOBAL.as_bytes()));
                assert_eq!(scope_of(death), Scope::Global);
            }),
        ),
        ("daemon", app_before(2, 2)),
        ("scoped", scoped),
    ]
}

#[test]
fn every_state_is_shown_as_it_was_at_every_size() {
    for (name, mut app) in states() {
        for (width, height) in SIZES {
            let (buffer, _) = paint(&mut app, FULL, width, height);
            assert_snapshot!(format!("{name}-{width}x{height}"), styled(&buffer));
        }
    }
    let (buffer, _) = paint(&mut app_before(1, 5), ASCII, 120, 40);
    assert_snapshot!("machine-ascii", text(&buffer));
}

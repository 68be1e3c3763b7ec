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
    let mut app = app_before(0, 2);
    let path = app.deaths.next.as_ref().map(|death| death.domain.clone()).expect("a death");
    app.settings.scope = Scope::Memcg(path);
    press(&mut app, &["Tab", "B", "Enter"]);
    check("scoped", &mut app);
}

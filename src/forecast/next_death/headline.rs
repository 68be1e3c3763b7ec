//! Which domain the headline speaks of. It changes only for a good reason: a headline that jumps is not read.

use crate::units::{Bytes, Millis};

use super::approach::Approach;
use super::{HEADLINE_HORIZON, TimeSpan};

/// Minimum use, in per-mille, from which on a limit is told that is further away than [`SOON`]. When a domain
/// that is less than half full will be full is guessed from too little.
pub(crate) const HALF_FULL: u64 = 500;
/// See [`HALF_FULL`].
pub(crate) const SOON: Millis = Millis(60_000);
/// What is shown stays until it is below this use and further away than [`LATER`].
const LESS_THAN_HALF: u64 = 450;
/// See [`LESS_THAN_HALF`].
const LATER: Millis = Millis(90_000);
/// Another domain must be earlier for this long before it takes over.
const PATIENCE: Millis = Millis(4_000);
/// The domain shown may have no time for this long before it is dropped.
const GRACE: Millis = Millis(3_000);
/// It is not while it goes as was foreseen: while no more is left than that, give or take this share.
const AS_FORESEEN: f64 = 0.15;

/// Whether the headline may speak of this.
fn is_worth_telling(of: &Approach, least_use: u64, soon: Millis) -> bool {
    let Some(TimeSpan { middle, .. }) = of.when else { return false };
    let used = of.room.used_permille();
    middle <= HEADLINE_HORIZON && (used >= least_use || middle <= soon)
}

/// What is shown.
#[derive(Clone, Debug)]
pub struct Shown {
    /// As it was when it had a time last.
    pub approach: Approach,
    /// When that was.
    at: Millis,
}

impl Shown {
    /// The same with the time that is left now.
    pub fn at(&self, now: Millis) -> Approach {
        let passed = now.saturating_sub(self.at);
        let when = self.approach.when.map(|when| when.after(passed));
        Approach { when, ..self.approach.clone() }
    }

    /// Whether as much was used up since then as was foreseen, by what is left now.
    fn comes_true(&self, now: Millis, left: Bytes) -> bool {
        if self.approach.rate <= 0.0 {
            return false; // it is no matter of what is left
        }
        let whole = self.approach.middle().0.max(1) as f64;
        let passed = now.saturating_sub(self.at).0 as f64 / whole;
        left.0 as f64 <= self.approach.room.left.0 as f64 * (1.0 - passed) * (1.0 + AS_FORESEEN)
    }
}

/// The domain of the headline, and how long another one has been earlier.
#[derive(Clone, Debug, Default)]
pub struct Headline {
    shown: Option<Shown>,
    challenger: Option<(Approach, Millis)>,
}

impl Headline {
    /// What is shown.
    pub const fn shown(&self) -> Option<&Shown> {
        self.shown.as_ref()
    }

    /// Chooses among the domains that approach their limits now. `state` tells of one that still exists how often its
    /// history began anew, and what is left.
    pub fn choose(
        &mut self,
        now: Millis,
        list: &[Approach],
        state: impl Fn(&Approach) -> Option<(u32, Bytes)>,
    ) {
        let worth = list.iter().filter(|it| is_worth_telling(it, HALF_FULL, SOON));
        let first = worth.min_by_key(|it| it.middle());
        let Some(shown) = &self.shown else {
            self.show(now, first);
            return;
        };
        let present = list
            .iter()
            .find(|it| it.is_of(&shown.approach) && is_worth_telling(it, LESS_THAN_HALF, LATER));
        let Some(present) = present else {
            let state = state(&shown.approach);
            let state = state.filter(|(generation, _)| *generation == shown.approach.generation);
            let lasts = shown.at(now).when.is_some_and(|when| when.middle > Millis::ZERO);
            let keeps = state.is_some_and(|(_, left)| {
                now.saturating_sub(shown.at) <= GRACE || shown.comes_true(now, left)
            });
            if !keeps || !lasts {
                self.show(now, first);
            }
            return;
        };
        let other = first.filter(|it| !it.is_of(present) && it.middle() < present.middle());
        let Some(other) = other else {
            self.challenger = None;
            self.show(now, Some(present));
            return;
        };
        let since = self.challenger.as_ref().filter(|it| it.0.is_of(other)).map(|it| it.1);
        let since = since.unwrap_or(now);
        let ends = |it: &Approach| it.when.map_or(Millis::ZERO, |when| when.high);
        let begins = |it: &Approach| it.when.map_or(Millis::ZERO, |when| when.low);
        let clearly = ends(other) < begins(present);
        if clearly || now.saturating_sub(since) >= PATIENCE {
            self.challenger = None;
            self.show(now, Some(other));
        } else {
            self.challenger = Some((other.clone(), since));
            self.show(now, Some(present));
        }
    }

    fn show(&mut self, now: Millis, approach: Option<&Approach>) {
        self.shown = approach.map(|it| Shown { approach: it.clone(), at: now });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::forecast::next_death::room::Room;
    use crate::forecast::next_death::room_history::Basis;
    use crate::model::Text;

    fn seconds(seconds: u64) -> Millis {
        Millis(seconds * 1000)
    }

    /// A domain that is four fifths full and has these seconds left, give or take a tenth.
    fn approach(domain: &str, left: u64) -> Approach {
        let when = TimeSpan {
            low: Millis(left * 900),
            middle: Millis(left * 1000),
            high: Millis(left * 1100),
        };
        Approach {
            killer: None,
            domain: Arc::new(Text::new(domain.as_bytes())),
            when: Some(when),
            room: Room { left: Bytes(20), limit: Bytes(100) },
            rate: 1.0,
            basis: Basis::Window(0),
            stalled: None,
            generation: 1,
        }
    }

    /// The domain and the seconds that are shown after each of these.
    fn shown(moments: &[(u64, &[(&str, u64)])]) -> Vec<Option<(String, u64)>> {
        let mut headline = Headline::default();
        let mut all = Vec::new();
        for (at, list) in moments {
            let list: Vec<Approach> = list.iter().map(|it| approach(it.0, it.1)).collect();
            headline.choose(seconds(*at), &list, |_| Some((1, Bytes(20))));
            all.push(headline.shown().map(|it| {
                let it = it.at(seconds(*at));
                (it.domain.as_str().to_owned(), it.middle().0 / 1000)
            }));
        }
        all
    }

    fn is(domain: &str, seconds: u64) -> Option<(String, u64)> {
        Some((domain.to_owned(), seconds))
    }

    #[test]
    fn another_domain_takes_over_when_it_is_clearly_earlier() {
        let said = shown(&[(0, &[("/a", 60)]), (2, &[("/a", 58), ("/b", 20)])]);
        assert_eq!(said, [is("/a", 60), is("/b", 20)]);
    }

    #[test]
    fn one_that_is_a_little_earlier_must_be_so_for_a_while() {
        let both: &[(&str, u64)] = &[("/a", 20), ("/b", 19)];
        let said = shown(&[(0, &[("/a", 20)]), (2, both), (4, both), (5, both), (6, both)]);
        assert_eq!(said[1..], [is("/a", 20), is("/a", 20), is("/a", 20), is("/b", 19)]);
        let again: &[(&str, u64)] = &[("/a", 18), ("/b", 19)];
        let said = shown(&[(0, &[("/a", 20)]), (2, both), (4, again), (6, both), (8, both)]);
        assert_eq!(said[4], is("/a", 20), "in between it was not earlier");
    }

    #[test]
    fn a_domain_without_a_time_is_kept_for_a_moment_and_its_time_goes_on() {
        let said = shown(&[(0, &[("/a", 9)]), (2, &[]), (3, &[]), (4, &[])]);
        assert_eq!(said, [is("/a", 9), is("/a", 7), is("/a", 6), None]);
        let said = shown(&[(0, &[("/a", 2)]), (1, &[]), (2, &[])]);
        assert_eq!(said, [is("/a", 2), is("/a", 1), None], "its time is over");
    }

    #[test]
    fn a_domain_without_a_time_is_kept_while_it_goes_as_was_foreseen() {
        let after = |left: [u64; 3]| {
            let mut headline = Headline::default();
            headline.choose(seconds(0), &[approach("/a", 20)], |_| Some((1, Bytes(20))));
            for (at, left) in [3, 6, 9].into_iter().zip(left) {
                headline.choose(seconds(at), &[], |_| Some((1, Bytes(left))));
            }
            headline.shown().map(|it| it.at(seconds(9)).middle())
        };
        assert_eq!(after([17, 14, 11]), Some(seconds(11)));
        assert_eq!(after([17, 15, 12]), Some(seconds(11)), "nearly");
        assert_eq!(after([17, 17, 17]), None, "it has stopped");
        assert_eq!(after([17, 14, 14]), None, "it has stopped later");
    }

    #[test]
    fn a_domain_that_begins_anew_or_is_gone_is_dropped_at_once() {
        for generation in [Some(2), None] {
            let mut headline = Headline::default();
            headline.choose(seconds(0), &[approach("/a", 9)], |_| Some((1, Bytes(20))));
            headline.choose(seconds(1), &[], |_| Some((generation?, Bytes(18))));
            assert!(headline.shown().is_none());
        }
    }

    #[test]
    fn choosing_twice_at_one_moment_changes_nothing() {
        let both = [approach("/a", 20), approach("/b", 19)];
        let mut headline = Headline::default();
        headline.choose(seconds(0), &both[..1], |_| Some((1, Bytes(20))));
        for _ in 0..20 {
            headline.choose(seconds(2), &both, |_| Some((1, Bytes(20))));
        }
        assert_eq!(headline.shown().unwrap().approach.domain.as_str(), "/a");
    }
}

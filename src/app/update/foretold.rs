//! How long before each kill of the demo its victim was named.

use crate::app::incident::event_text::victim_text;
use crate::app::{ActingMode, App};
use crate::model::SampleIndex;
use crate::units::Millis;

/// Maximum number of candidates among which a victim counts as named.
const MAX_CANDIDATES: usize = 3;

/// A kill, and whether it was predicted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForetoldKill {
    /// The killer, as the subject of a sentence.
    pub by: &'static str,
    /// The victim.
    pub who: String,
    /// For how long before the kill the victim was named first, at each sample; `None` where the sample before
    /// the kill did not name it.
    pub lead: Option<Millis>,
}

impl App {
    /// Remembers whom the headline names at the sample on the screen.
    pub(crate) fn remember_named(&mut self) {
        let Some(at) = self.playback.at.filter(|_| self.start.acting == ActingMode::Demo) else {
            return;
        };
        let next = self.deaths.next.as_ref();
        let next = next.filter(|death| death.candidates.len() <= MAX_CANDIDATES);
        let first = next.and_then(|death| death.candidates.first());
        self.incidents.named.insert(at, first.map(|candidate| candidate.id.pid));
    }

    /// The kills up to the sample on the screen, and for how long before each its victim was named.
    #[must_use]
    pub fn foretold_kills(&self) -> Vec<ForetoldKill> {
        let kills = self.incidents.timeline.events.iter().filter(|event| event.is_kill());
        kills
            .map(|event| {
                let pid = event.victim.and_then(|victim| victim.pid);
                let last = self.sample_before_kill(event).filter(|_| pid.is_some());
                let names = |nth: &u64| self.incidents.named.get(&SampleIndex(*nth)) == Some(&pid);
                let since = last.and_then(|last| (0..=last.0).rev().take_while(names).last());
                let since = since.and_then(|nth| self.playback.past.facts(SampleIndex(nth)));
                let lead = since.map(|since| {
                    let ms = event.unix_ms.saturating_sub(since.clock.unix_ms);
                    Millis(u64::try_from(ms).unwrap_or(0))
                });
                ForetoldKill { by: event.by.name(), who: victim_text(event), lead }
            })
            .collect()
    }
}

//! Kills that the user has not taken notice of yet: a banner tells of them until a key is pressed.

use crate::app::keymap::press_time::ShownSince;

/// The kills that the banner tells of.
#[derive(Clone, Debug, Default)]
pub struct KillBanner {
    /// The numbers of their events, in the order in which they became known; at least one.
    pub events: Vec<u64>,
    /// Since when the banner is on the screen. Keys that were typed before it was seen do not close it.
    pub shown: ShownSince,
}

impl KillBanner {
    /// Maximum number of kills that are kept; the newest ones of a storm.
    const MOST: usize = 4096;

    /// Adds kills behind those that it tells of already.
    pub(crate) fn add(&mut self, events: &[u64]) {
        for &event in events {
            if !self.events.contains(&event) {
                self.events.push(event);
            }
        }
        let more = self.events.len().saturating_sub(Self::MOST);
        self.events.drain(..more);
    }
}

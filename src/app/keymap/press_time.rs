//! When a key was pressed, and since when a dialog has been on the screen.

use crate::units::Millis;

/// A key press: when, and whether some time after the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPress {
    /// When.
    pub at: Millis,
    /// No other key came just before.
    pub alone: bool,
}

/// Since when a dialog has been on the screen. Keys that were typed before it was seen do not confirm
/// it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShownSince(Option<Millis>);

/// A key this soon after a dialog appeared was meant for something else.
pub const TYPE_AHEAD: Millis = Millis(400);

/// A key this soon after another one comes from a paste or from a burst over a slow line, and does not
/// confirm: some terminals send a paste as typed keys.
pub const QUIET: Millis = Millis(80);

impl ShownSince {
    /// Notes a frame. The first one with the whole dialog counts; one without it (a small terminal, a
    /// suspended program) resets the time.
    pub fn drawn(&mut self, at: Millis, whole: bool) {
        if whole {
            self.0.get_or_insert(at);
        } else {
            self.0 = None;
        }
    }

    /// Whether the dialog was seen before a key that was pressed at this time.
    #[must_use]
    pub fn was_seen_at(self, pressed: Millis) -> bool {
        self.0.is_some_and(|since| pressed.0 >= since.0.saturating_add(TYPE_AHEAD.0))
    }

    /// Whether a key press may confirm the dialog: it was seen before, and the key came alone.
    #[must_use]
    pub fn confirms_at(self, press: KeyPress) -> bool {
        self.was_seen_at(press.at) && press.alone
    }
}

//! When a key was pressed, and since when a dialog has been on the screen.

use crate::units::Millis;

/// When a key was pressed, and whether some time after the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPress {
    /// When.
    pub at: Millis,
    /// No other key came just before.
    pub alone: bool,
}

/// Since when a dialog has been on the screen: keys typed before nobody saw it do not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShownSince(Option<Millis>);

/// Keys this soon after a dialog appeared were typed for something else.
pub const TYPE_AHEAD: Millis = Millis(400);

/// A confirming key this soon after another key comes from a paste or from a burst over a slow line,
/// not from a finger: some terminals paste as if it were typed.
pub const QUIET: Millis = Millis(80);

impl ShownSince {
    /// Notes a picture: the first that had all of it counts, and one without it (a terminal too
    /// small, a program that was stopped) begins anew.
    pub fn drawn(&mut self, at: Millis, whole: bool) {
        if whole {
            self.0.get_or_insert(at);
        } else {
            self.0 = None;
        }
    }

    /// Whether a key pressed at this time was pressed with the dialog in view.
    #[must_use]
    pub fn was_seen_at(self, pressed: Millis) -> bool {
        self.0.is_some_and(|since| pressed.0 >= since.0.saturating_add(TYPE_AHEAD.0))
    }

    /// Whether it was, and alone: by a finger.
    #[must_use]
    pub fn confirms_at(self, press: KeyPress) -> bool {
        self.was_seen_at(press.at) && press.alone
    }
}

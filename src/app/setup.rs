//! How the program was started: what stays as it is, and what the user may change later.

use crate::app::keymap::presets::KeyPreset;
use crate::app::keymap::remap::Rebinding;
use crate::columns::Column;
use crate::model::{ProcId, Scope};
use crate::policy::Policy;
use crate::rows::arrange::Sort;
use crate::rows::filter::Filter;
use crate::units::Millis;

/// The values of the command line.
#[derive(Clone)]
pub struct Setup {
    /// doomtop itself; pid 0 when a recording is shown.
    pub own: ProcId,
    /// Whether it may act.
    pub acting: ActingMode,
    /// The policy that ranks.
    pub policy: &'static dyn Policy,
    /// The domain whose processes are ranked.
    pub scope: Scope,
    /// Columns named by the user.
    pub columns: Option<Vec<&'static Column>>,
    /// The first filter.
    pub filter: Filter,
    /// The first order; by badness where there is none.
    pub sort: Option<Sort>,
    /// Time between samples.
    pub delay: Millis,
    /// Seconds that local time is ahead of UTC.
    pub utc_offset: i32,
    /// A live machine, not a recording.
    pub live: bool,
}

/// Whether doomtop may act at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ActingMode {
    /// As far as the kernel permits.
    #[default]
    Free,
    /// `--dry-run`: everything is checked, and nothing is done.
    Rehearsal,
    /// `--read-only`.
    ReadOnly,
    /// A recording is shown.
    NotReal,
    /// The recording that comes with the program is shown. Dialogs open and say what they would do; every
    /// act is refused.
    Demo,
    /// Another tree than this machine's own `/proc` is shown.
    Elsewhere,
}

/// What never changes while the program runs.
#[derive(Clone, Copy, Debug)]
pub struct StartOptions {
    /// doomtop itself; pid 0 when a recording is shown.
    pub own: ProcId,
    /// Whether it may act.
    pub acting: ActingMode,
    /// Seconds that local time is ahead of UTC.
    pub utc_offset: i32,
    /// A live machine, not a recording.
    pub live: bool,
}

/// What the user may change.
#[derive(Clone)]
pub struct Settings {
    /// The policy that ranks.
    pub policy: &'static dyn Policy,
    /// The site's own policy, where one was loaded.
    pub(crate) site_policy: Option<&'static dyn Policy>,
    /// The domain whose processes are ranked.
    pub scope: Scope,
    /// Columns named by the user.
    pub columns: Option<Vec<&'static Column>>,
    /// Time between samples.
    pub delay: Millis,
    /// Where the keys in force come from.
    pub keys: KeySettings,
}

/// Where the keys in force come from.
#[derive(Clone, Debug, Default)]
pub struct KeySettings {
    /// The set of keys.
    pub preset: KeyPreset,
    /// What the user changed in it.
    pub own: Vec<Rebinding>,
}

/// A set of colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ThemeName {
    /// The 16 colours of the terminal, over its own background.
    #[default]
    Default,
    /// Shades for a dark background.
    Dark,
    /// Shades for a light background.
    Light,
    /// Blue and orange, for a dark background: told apart without red and green cones too.
    Colourblind,
    /// The same for a light background.
    ColourblindLight,
    /// No colours.
    Mono,
}

impl ThemeName {
    /// Every theme, in the order of the menu.
    pub const ALL: [Self; 6] = [
        Self::Default,
        Self::Dark,
        Self::Light,
        Self::Colourblind,
        Self::ColourblindLight,
        Self::Mono,
    ];

    /// Its name on the command line and in the menu.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Dark => "dark",
            Self::Light => "light",
            Self::Colourblind => "colourblind",
            Self::ColourblindLight => "colourblind-light",
            Self::Mono => "mono",
        }
    }

    /// One line about it.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Default => "the 16 colours of the terminal",
            Self::Dark => "calm shades for a dark background",
            Self::Light => "dark shades for a light background",
            Self::Colourblind => "blue and orange, for a dark background",
            Self::ColourblindLight => "blue and orange, for a light background",
            Self::Mono => "no colours: bold, dim, reversed",
        }
    }
}

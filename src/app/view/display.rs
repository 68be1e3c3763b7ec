//! How things are shown, whatever the view: units, header, message, size of the screen.

use crate::app::session::notice::Notice;
use crate::app::setup::ThemeName;
use crate::app::view::click_target::RowIdentity;
use crate::app::view::kill_banner::KillBanner;
use crate::app::view::last_frame::Viewport;
use crate::columns::{CommandStyle, SizeUnit};

/// How much of the header is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HeaderLevel {
    /// As much as the height allows.
    #[default]
    Full,
    /// Without gauges.
    Small,
    /// One line.
    Line,
    /// None.
    Off,
}

impl HeaderLevel {
    /// Every level, from the largest to none.
    pub const ALL: [Self; 4] = [Self::Full, Self::Small, Self::Line, Self::Off];

    /// Its name in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Small => "small",
            Self::Line => "line",
            Self::Off => "off",
        }
    }

    /// The next smaller header; the full one after none.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Full => Self::Small,
            Self::Small => Self::Line,
            Self::Line => Self::Off,
            Self::Off => Self::Full,
        }
    }
}

/// How things are shown.
#[derive(Clone, Debug)]
pub struct Display {
    /// The colours.
    pub theme: ThemeName,
    /// Whether the mouse is used; otherwise the terminal selects text with it.
    pub mouse: bool,
    /// The row that was clicked last.
    pub clicked: Option<RowIdentity>,
    /// The unit of sizes in the table.
    pub scale: SizeUnit,
    /// The unit of sizes in the header.
    pub header_scale: SizeUnit,
    /// How much of the header is shown.
    pub header: HeaderLevel,
    /// What the column COMMAND shows; the width decides where the user did not.
    pub command: Option<CommandStyle>,
    /// What the last drawn frame showed.
    pub viewport: Viewport,
    /// The message on the bottom line.
    pub notice: Option<Notice>,
    /// The kills that were not taken notice of yet.
    pub banner: Option<KillBanner>,
}

impl Default for Display {
    fn default() -> Self {
        Self {
            theme: ThemeName::Default,
            mouse: false,
            clicked: None,
            scale: SizeUnit::Auto,
            header_scale: SizeUnit::Auto,
            header: HeaderLevel::Full,
            command: None,
            viewport: Viewport::default(),
            notice: None,
            banner: None,
        }
    }
}

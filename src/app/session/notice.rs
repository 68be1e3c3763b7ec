//! The message on the bottom line.

use crate::model::SampleIndex;
use crate::units::Millis;

/// The level of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeLevel {
    /// Information.
    Plain,
    /// Success.
    Good,
    /// A refusal, or a warning.
    Warn,
}

/// A message on the bottom line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Its level.
    pub level: NoticeLevel,
    /// One line.
    pub text: String,
    /// When it disappears.
    pub until: Millis,
    /// It is about this sample, and disappears with it.
    pub about: Option<SampleIndex>,
}

//! The message on the bottom line.

use crate::units::Millis;

/// How grave a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeLevel {
    /// For information.
    Plain,
    /// It worked.
    Good,
    /// It was refused, or needs care.
    Warn,
}

/// A message on the bottom line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// How grave.
    pub level: NoticeLevel,
    /// One line.
    pub text: String,
    /// Shown until then.
    pub until: Millis,
}

//! The protection of doomtop itself.

/// The protection of doomtop itself, as far as the screen knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProtectionSeen {
    /// Whether the newest sample was taken by a protected doomtop.
    pub on: bool,
    /// Whether it was offered in this session.
    pub(crate) offered: bool,
}

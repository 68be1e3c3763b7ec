//! Draws the dialogs of `app::dialog`.

pub(crate) mod adjust;
pub(crate) mod bulk;
pub(crate) mod menu;
pub(crate) mod popup;
pub(crate) mod signal;
pub(crate) mod sysctl;

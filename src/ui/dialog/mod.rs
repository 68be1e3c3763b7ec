//! Dialogs over the table: editors, menus, and questions before something is done.

pub(crate) mod adjust;
pub(crate) mod adjust_preview;
pub(crate) mod bulk_confirm;
pub(crate) mod menu;
pub(crate) mod revert_adj;
pub(crate) mod rule_consent;
pub(crate) mod signal;
pub(crate) mod sysctl;
pub(crate) mod sysctl_effects;

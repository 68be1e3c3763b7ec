//! The state of each dialog.

pub mod adjust;
pub mod bulk;
pub(crate) mod bulk_adj;
pub mod menu;
pub mod prompt;
pub mod revert;
pub mod signal;
pub mod sysctl;

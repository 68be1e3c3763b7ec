//! The state of each dialog.

pub mod adjust;
pub(crate) mod bulk_adj;
pub mod bulk_confirm;
pub mod menu;
pub mod prompt;
pub mod revert_adj;
pub mod signal;
pub mod sysctl;

//! Dialogs: the state of each, and which of them is open.

pub mod adjust;
pub mod bulk;
pub(crate) mod bulk_adj;
pub mod menu;
pub mod mode;
pub mod signal;
pub mod sysctl;

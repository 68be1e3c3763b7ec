//! Keys in dialogs, and what opens each dialog. An intent leaves only from here.

pub(crate) mod adjust;
pub(crate) mod bulk_confirm;
pub(crate) mod revert_adj;
pub(crate) mod signal;
pub(crate) mod sysctl;

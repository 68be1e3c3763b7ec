//! The rules of the Linux kernels since 2.4, and what overrides them.

pub(crate) mod active_override;
pub(crate) mod linux;
pub(crate) mod linux_2_4;
pub(crate) mod linux_2_6;
pub(crate) mod linux_2_6_36_to_3_4;
pub(crate) mod no_killer;
pub(crate) mod oom_score;
pub(crate) mod relatives;
pub(crate) mod skipped;

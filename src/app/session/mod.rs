//! What was done in this session.

pub mod bulk_result;
pub mod journal;
pub mod notice;
pub mod pending;
pub mod sysctl_history;

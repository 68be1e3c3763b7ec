//! The state of full-screen pages.

pub mod alarms;
pub mod commitments;
pub mod fits;
pub mod help;
pub mod help_topics;
pub mod incident;
pub mod persist;

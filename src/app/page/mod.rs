//! The state of full-screen pages.

pub mod commitments;
pub mod incident;
pub mod persist;

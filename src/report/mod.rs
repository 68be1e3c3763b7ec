//! The content of the screen without a screen: plain text, JSON lines that can be read back, and metrics.

pub mod comparison;
mod death;
pub mod explain;
pub mod fits;
pub mod json;
mod kill;
pub mod kill_summary;
pub mod line;
pub mod load_test;
pub mod metrics;
pub mod outcomes;
pub mod self_check;
pub(crate) mod shared_objects;
pub mod text;
pub(crate) mod time;
pub mod verdicts;

pub(crate) use time::rfc3339;

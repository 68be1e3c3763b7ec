//! The same without a screen: plain text, and JSON lines that can be read back.

pub mod explain;
pub mod json;
pub mod metrics;
pub mod outcomes;
pub mod self_check;
pub mod text;
pub mod verdicts;

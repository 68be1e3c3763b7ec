//! The same without a screen: plain text, and JSON lines that can be read back.

pub mod acts;
pub mod check;
pub mod explain;
pub mod json;
pub mod metrics;
pub mod text;
pub mod verdicts;

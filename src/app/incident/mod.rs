//! OOM events and reports: the timeline, and a report shown on the screen.

pub mod report;
pub mod timeline;

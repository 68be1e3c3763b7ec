//! OOM events and reports: the timeline, and the report on the screen.

pub mod event_text;
pub mod log_update;
pub(crate) mod prediction;
pub mod report;
pub(crate) mod report_events;
pub mod timeline;

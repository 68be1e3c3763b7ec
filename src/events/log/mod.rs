//! From log lines to facts: where the kernel's words begin ([`marker`]), the prefix of a line
//! ([`framing`]), what a line of the kernel says ([`kernel_line`], [`memory_line`]), the reports that its
//! lines form ([`kernel_log`]), and the kills that userspace killers report ([`daemon`]).

#[macro_use]
mod pattern;

pub(super) mod daemon;
pub(super) mod framing;
mod kernel_line;
pub(super) mod kernel_log;
mod line_context;
pub(super) mod marker;
mod memory_line;
pub(super) mod order;
pub(super) mod renamed_line;
pub(super) mod report;
mod report_facts;
mod wrapped;

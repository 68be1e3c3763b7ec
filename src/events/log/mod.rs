//! Log lines to facts: what stands before a line ([`framing`]), what a line of the kernel says
//! ([`kernel_line`]), the reports that its lines make up ([`kernel_log`]), and what the userspace
//! killers say ([`daemon`]).

#[macro_use]
mod pattern;

pub(super) mod daemon;
pub(super) mod framing;
mod kernel_line;
pub(super) mod kernel_log;
pub(super) mod report;

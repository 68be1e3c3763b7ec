//! Facts of processes.

pub(crate) mod detail;
pub(crate) mod id;
pub(crate) mod memory_breakdown;
pub(crate) mod row;
pub(crate) mod service_unit;
pub(crate) mod signal;
pub(crate) mod task_facts;
pub(crate) mod user_and_cmdline;

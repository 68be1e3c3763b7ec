//! Facts of processes.

pub(crate) mod detail;
pub(crate) mod id;
pub(crate) mod memory_breakdown;
pub(crate) mod names;
pub(crate) mod row;
pub(crate) mod service_unit;
pub(crate) mod signal;

//! The actions of each view.

pub(crate) mod cgroups;
pub(crate) mod events;
pub(crate) mod memory;
pub(crate) mod switch;
pub(crate) mod table;
pub(crate) mod verdicts;

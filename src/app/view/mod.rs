//! The views (Processes, Cgroups, Verdicts, Memory, Events): state, order and cursor of each.

pub mod cgroups;
pub mod events;
pub mod memory;
pub(crate) mod scope;
pub mod verdicts;

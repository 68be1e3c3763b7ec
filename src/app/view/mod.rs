//! The state of the views (Processes, Cgroups, Verdicts, Memory, Events).

pub mod cgroups;
pub mod display;
pub mod kind;
pub mod memory;
pub mod table;
pub mod verdicts;
pub mod viewport;

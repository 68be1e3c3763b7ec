//! Draws the views of `app::view`.

pub(crate) mod cgroup_history;
pub(crate) mod cgroups;
pub(crate) mod events;
pub(crate) mod memory;
pub(crate) mod processes;
pub(crate) mod time_axis;
pub(crate) mod verdicts;

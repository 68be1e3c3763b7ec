//! The views: the table of processes, and what can take its place.

pub(crate) mod badness_bar;
pub(crate) mod cgroup_columns;
pub(crate) mod cgroups;
pub(crate) mod events;
pub(crate) mod memory;
pub(crate) mod memory_cgroups;
pub(crate) mod memory_chart;
pub(crate) mod memory_column;
pub(crate) mod memory_sheet;
pub(crate) mod processes;
pub(crate) mod row_marks;
pub(crate) mod time_axis;
pub(crate) mod verdict_ranks;
pub(crate) mod verdicts;
pub(crate) mod view_table;

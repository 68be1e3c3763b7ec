//! The panels below the table.

pub(crate) mod boxes;
pub(crate) mod cgroup;
pub(crate) mod cgroup_history;
pub(crate) mod conditions;
pub(crate) mod explain;
pub(crate) mod forecast;
pub(crate) mod line_chart;
pub(crate) mod machine;
pub(crate) mod processes;
pub(crate) mod race;
pub(crate) mod session;
pub(crate) mod verdict;

//! The panels below the table.

pub(crate) mod cgroup;
pub(crate) mod conditions;
pub(crate) mod explain;
pub(crate) mod forecast;
pub(crate) mod machine;
pub(crate) mod panels;
pub(crate) mod session;

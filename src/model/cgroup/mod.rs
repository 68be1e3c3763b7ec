//! Facts of memory cgroups.

pub(crate) mod group;
pub(crate) mod limit;
pub(crate) mod name;
pub(crate) mod tree;

//! Reading memory cgroups: the tree and the usage of its groups, members, freezers.

pub(crate) mod directory;
pub mod freezer;
pub mod group_members;
pub mod members;
pub(crate) mod mount;
mod survey;
pub mod tree_reader;
pub(crate) mod usage;
mod xattrs;

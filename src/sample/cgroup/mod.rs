//! Reading memory cgroups: the tree and the usage of its groups, members, freezers.

mod directory;
pub mod freezer;
pub mod members;
mod mount;
mod survey;
pub mod tree_reader;
mod usage;
mod xattrs;

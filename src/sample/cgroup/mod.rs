//! Reading memory cgroups: the tree and the usage of its groups, members, freezers.

mod directory;
pub mod freezer;
pub mod members;
mod mount;
pub mod reader;
mod survey;
mod usage;
mod xattrs;

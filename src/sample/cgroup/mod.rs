//! Reading memory cgroups: the tree, members and freezer.

pub mod freezer;
pub mod members;
pub mod tree;

//! Menus: their lines, and what choosing a line does.

pub(crate) mod lists;
pub(crate) mod policy;
pub(crate) mod scope;
pub(crate) mod setup;

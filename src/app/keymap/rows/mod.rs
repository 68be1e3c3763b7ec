//! The rows of the table of keys, by where the keys are used.

pub(super) mod dialogs;
pub(super) mod pages;
pub(super) mod table;
pub(super) mod views;

//! Keys: what a key is, when it was pressed, and what it means where.

pub mod action;
pub mod bindings;
pub mod group;
pub mod key;
pub mod presets;
pub mod press_time;
pub mod remap;
pub mod row;
pub(crate) mod rows;

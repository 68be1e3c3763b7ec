//! Drawing primitives: canvas, theme, bars, charts, boxes, lists, and the text of a value.

pub(crate) mod canvas;
pub(crate) mod chart;
pub(crate) mod dates;
pub(crate) mod gauge;
pub(crate) mod input;
pub(crate) mod keys;
pub(crate) mod label;
pub(crate) mod lines;
pub(crate) mod list;
pub(crate) mod popup;
pub(crate) mod scroll;
pub(crate) mod severity;
pub(crate) mod text;
pub mod theme;
pub(crate) mod tree_lines;

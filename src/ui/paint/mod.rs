//! Drawing primitives: canvas, theme, gauges, charts, tree lines.

pub(crate) mod canvas;
pub(crate) mod chart;
pub(crate) mod gauge;
pub(crate) mod text;
pub mod theme;
pub(crate) mod tree_lines;

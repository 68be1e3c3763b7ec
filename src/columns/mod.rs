//! The table of columns. Screen, batch output, JSON keys, sort menu, `--columns` and the documentation are
//! all printed from it.
//!
//! To add a column over a fact that is already read, add one row to [`COLUMNS`].

pub mod badness_bar;
mod column;
pub(crate) mod context;
mod fit;
mod sort_key;
mod table;

pub use crate::format::{SizeUnit, human, human_size, parse_bytes, span, span_of};
pub use column::{Align, Column, Need};
pub use context::{CommandStyle, RowContext, RowView};
pub use fit::fitting;
pub use sort_key::SortKey;
pub use table::{COLUMNS, column, column_named};

/// The last component of a cgroup path; `/` for the root.
#[must_use]
pub fn cgroup_leaf(path: &str) -> &str {
    let leaf = path.rsplit('/').find(|part| !part.is_empty());
    leaf.unwrap_or("/")
}

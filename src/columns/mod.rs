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
use crate::model::CgroupName;
pub use column::{Align, Column, Need};

pub use context::{CommandStyle, RowContext, RowView};
pub use fit::fitting;
pub use sort_key::SortKey;
pub use table::{COLUMNS, column, column_named};

/// An id as short as people write it; a name stays whole.
#[must_use]
pub fn short_id(id: &str) -> &str {
    let is_id = id.bytes().all(|it| it.is_ascii_hexdigit());
    if is_id { id.get(..12).unwrap_or(id) } else { id }
}

/// A cgroup in one word, where there is no room for two: the id of a container or a pod, else the last component of the
/// path.
#[must_use]
pub fn cgroup_word(path: &str) -> &str {
    match CgroupName::of(path) {
        CgroupName::Container { id, .. } => short_id(id),
        CgroupName::Pod(id) => id.get(..12).unwrap_or(id),
        _ => cgroup_leaf(path),
    }
}

/// The last component of a cgroup path; `/` for the root.
#[must_use]
pub fn cgroup_leaf(path: &str) -> &str {
    let leaf = path.rsplit('/').find(|part| !part.is_empty());
    leaf.unwrap_or("/")
}

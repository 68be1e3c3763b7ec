//! A load test: what a program in a memory cgroup (or the whole machine) took, from the first sample to the last.
//!
//! [`LoadSummariser`] takes one sample after the other; [`LoadSummary`] is what it knows. Nothing here reads the
//! machine: a recording gives the same summary as the test that it was made of.

use std::sync::Arc;

use crate::model::{Scope, Snapshot};

pub mod answer;
mod counters;
pub mod expectation;
mod json;
mod junit;
mod kills;
mod level;
pub mod limit_search;
mod process_tree;
mod series;
mod summariser;
pub mod summary;
mod text;
pub mod verdict;

pub(crate) use json::summary_keys;
pub use json::verdict_object;
pub use junit::junit;
pub use process_tree::ProcessTree;
pub use summariser::LoadSummariser;
pub use summary::LoadSummary;
pub use text::verdict_lines;

#[cfg(test)]
mod tests;

/// How the cgroups begin that `doomtop run` makes; the pid of that doomtop follows.
pub const RUN_CGROUP: &str = "doomtop-run";

/// Whether a cgroup was made by `doomtop run` for its command.
#[must_use]
pub fn is_of_run(path: &str) -> bool {
    let leaf = path.rsplit('/').next().unwrap_or_default();
    let number = leaf.strip_prefix(RUN_CGROUP).and_then(|it| it.strip_prefix('-'));
    let number = number.map(|it| it.strip_suffix(".scope").unwrap_or(it));
    number.is_some_and(|it| it.starts_with(|first: char| first.is_ascii_digit()))
        && number.is_some_and(|it| it.chars().all(|it| it.is_ascii_digit() || it == '-'))
}

/// Within so many samples the cgroup of the command is in a recording of `doomtop run`: a scope of the service manager is
/// not there before the command begins.
pub const RUN_SCOPE_WITHIN: u64 = 3;

/// The cgroup of the command in a recording of `doomtop run`, by one of its first samples, where it is the only one.
#[must_use]
pub fn run_scope(first: &Snapshot) -> Option<Scope> {
    let mut found = first.cgroups.list.iter().filter(|group| is_of_run(group.path.as_str()));
    let only = found.next()?;
    found.next().is_none().then(|| Scope::Memcg(Arc::clone(&only.path)))
}

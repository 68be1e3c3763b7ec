//! A load test: what a program in a memory cgroup (or the whole machine) took, from the first sample to the last.
//!
//! [`LoadSummariser`] takes one sample after the other; [`LoadSummary`] is what it knows. Nothing here reads the
//! machine: a recording gives the same summary as the test that it was made of.

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

pub use json::verdict_object;
pub use junit::junit;
pub use process_tree::ProcessTree;
pub use summariser::LoadSummariser;
pub use summary::LoadSummary;
pub use text::verdict_lines;

#[cfg(test)]
mod tests;

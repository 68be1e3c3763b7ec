//! A load test: what a program in a memory cgroup (or the whole machine) took, from the first sample to the last.
//!
//! [`LoadSummariser`] takes one sample after the other; [`LoadSummary`] is what it knows. Nothing here reads the
//! machine: a recording gives the same summary as the test that it was made of.

mod counters;
mod kills;
mod level;
mod series;
mod summariser;
pub mod summary;

pub use summariser::LoadSummariser;
pub use summary::LoadSummary;

#[cfg(test)]
mod tests;

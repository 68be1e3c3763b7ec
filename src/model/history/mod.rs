//! Samples of the past: recent ones whole, older ones thinned.

pub(crate) mod axis;
pub(crate) mod delta;
pub(crate) mod growth_bounds;
pub(crate) mod machine_history;
pub(crate) mod sample_history;
pub(crate) mod size_history;

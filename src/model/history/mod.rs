//! Samples of the past: recent ones whole, older ones thinned.

pub(crate) mod axis;
pub(crate) mod growth_window;
pub(crate) mod moment;
pub(crate) mod samples;

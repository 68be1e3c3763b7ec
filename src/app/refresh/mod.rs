//! When the next sample is taken, what it must contain, and what follows from it.

pub(crate) mod live_sample;
pub(crate) mod needs;
pub mod pace;
pub mod playback;
pub mod self_check;

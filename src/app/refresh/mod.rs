//! When samples are taken, which one is shown, and how the computed scores compare with the kernel's.

pub mod pace;
pub mod playback;
pub mod self_check;

//! The recording that comes with the program: a load test with stand-in services in a virtual machine,
//! which ends in real kills. `tests/demo/run` makes it.

use std::sync::Arc;

use super::{Recording, Source};
use crate::model::{Needs, Snapshot};
use crate::units::Millis;

/// What `doomtop record` wrote there, as it was written.
pub const DEMO: &[u8] = include_bytes!("../../assets/demo.tape");

/// Between its looks, in milliseconds: what it was recorded with.
pub const PACE: Millis = Millis(1000);

/// The demo, from its beginning.
#[must_use]
pub fn demo() -> Recording {
    Recording::open(Box::new(DEMO), "the demo")
}

/// Its looks, oldest first.
#[must_use]
pub fn samples() -> Vec<Arc<Snapshot>> {
    let mut recording = demo();
    std::iter::from_fn(|| recording.sample(&Needs::default(), None).ok()).collect()
}

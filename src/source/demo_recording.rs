//! The recording that is built into the program: a load test with stand-in services in a virtual
//! machine, which ends in real kills. `tests/demo/run` creates it.

use std::sync::Arc;

use crate::model::{Needs, Snapshot};
use crate::source::{Recording, Source};
use crate::units::Millis;

/// The bytes of the recording, as `doomtop record` wrote them.
pub const DEMO: &[u8] = include_bytes!("../../assets/demo.tape");

/// Interval between its samples.
pub const PACE: Millis = Millis(1000);

/// Opens the demo at its beginning.
#[must_use]
pub fn demo() -> Recording {
    Recording::open(Box::new(DEMO), "the demo")
}

/// Its samples, the oldest first.
#[must_use]
pub fn samples() -> Vec<Arc<Snapshot>> {
    let mut recording = demo();
    std::iter::from_fn(|| recording.sample(&Needs::default(), None).ok()).collect()
}

//! Who grows most: the likeliest to ask for memory when there is none.

use std::cmp::Reverse;

use crate::model::{ProcId, Scene};
use crate::units::Points;

/// Those of the scene's domain that grow most, with pages a minute, the fastest first; at most `most`.
/// Nobody, where nobody grew in the last minute.
#[must_use]
pub fn fastest(scene: &Scene, most: usize) -> Vec<(ProcId, Points)> {
    let now = scene.now().processes.iter();
    let mut growing: Vec<(ProcId, Points)> = now
        .filter(|process| process.has_mm && scene.domain().contains(process))
        .filter_map(|process| Some((process.id, scene.growth_lately(process)?.per_minute())))
        .filter(|(_, pages)| pages.0 > 0)
        .collect();
    let order = |it: &(ProcId, Points)| (Reverse(it.1), it.0);
    if growing.len() > most {
        growing.select_nth_unstable_by_key(most, order);
        growing.truncate(most);
    }
    growing.sort_unstable_by_key(order);
    growing
}

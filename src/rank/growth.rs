//! The processes that grow fastest: the most likely to ask for memory when none is left.

use std::cmp::Reverse;

use crate::model::{ProcId, Scene};
use crate::units::Points;

/// The fastest growing processes of the scene's domain with their growth in pages per minute, the fastest
/// first, at most `most`. Empty if no process grew in the last minute.
#[must_use]
pub fn fastest(scene: &Scene, most: usize) -> Vec<(ProcId, Points)> {
    let mut growing: Vec<(ProcId, Points)> = scene
        .growths_lately()
        .filter_map(|(process, growth)| Some((process, growth?.per_minute())))
        .filter(|(process, pages)| pages.0 > 0 && process.has_mm)
        .filter(|(process, _)| scene.domain().contains(process))
        .map(|(process, pages)| (process.id, pages))
        .collect();
    let order = |it: &(ProcId, Points)| (Reverse(it.1), it.0);
    if growing.len() > most {
        growing.select_nth_unstable_by_key(most, order);
        growing.truncate(most);
    }
    growing.sort_unstable_by_key(order);
    growing
}

//! What a kill frees, in words.

use crate::columns::{RowContext, human_size};
use crate::rank::freed::FreedMemory;
use crate::units::Bytes;
use crate::words::numbers_and_names;

/// Shared memory is told from this size on.
const WORTH_TELLING: Bytes = Bytes(1 << 20);

/// `about 10.9G: 10.8G in memory, 512M in swap (compressed into 128M)`.
#[must_use]
pub fn measured(context: &RowContext<'_>, freed: &FreedMemory) -> String {
    let size = |bytes| numbers_and_names::bytes(context, bytes);
    let mut text = format!("about {}", size(freed.room()));
    if freed.swap > Bytes::ZERO {
        let parts = [freed.anonymous, freed.swap].map(size);
        text.push_str(&format!(": {} in memory, {} in swap", parts[0], parts[1]));
        if freed.is_compressed() {
            text.push_str(&format!(" ({})", compressed(freed, &size)));
        }
    }
    text + &perhaps(freed, &size)
}

/// `, and 180M of shared memory unless a file or another process holds it`.
#[must_use]
pub fn perhaps(freed: &FreedMemory, size: &dyn Fn(Bytes) -> String) -> String {
    if freed.perhaps < WORTH_TELLING || freed.perhaps.0 < freed.room().0 / 20 {
        return String::new();
    }
    let shared = size(freed.perhaps);
    format!(", and {shared} of shared memory unless a file or another process holds it")
}

/// `11.4G (estimate)`; with its parts where swap is compressed.
#[must_use]
pub fn estimate(freed: &FreedMemory, size: &dyn Fn(Bytes) -> String) -> String {
    let text = format!("{} (estimate", size(freed.room()));
    if freed.is_compressed() {
        let swap = size(freed.swap);
        return format!("{text}; {swap} in swap, {})", compressed(freed, size));
    }
    format!("{text}){}", perhaps(freed, size))
}

/// The same with sizes in automatic units.
#[must_use]
pub fn plain_estimate(freed: &FreedMemory) -> String {
    estimate(freed, &human_size)
}

/// Swap on disk counts there as what it takes, so this is not RAM alone.
fn compressed(freed: &FreedMemory, size: &dyn Fn(Bytes) -> String) -> String {
    format!("compressed into {}", size(freed.swap_room))
}

/// The warning where a kill frees little: `little: 2.0G of what it holds is shared memory and files, which stay`.
#[must_use]
pub fn warning(freed: &FreedMemory, size: &dyn Fn(Bytes) -> String) -> Option<String> {
    let stays = size(freed.stays);
    freed
        .is_little()
        .then(|| format!("little: {stays} of what it holds is shared memory and files, which stay"))
}

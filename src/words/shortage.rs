//! Why the machine could not serve a request though memory may have been free: its zones against their
//! watermarks, and free chunks of the size that was asked for (`__zone_watermark_ok` in `mm/page_alloc.c`).

use crate::columns::human_size;
use crate::events::{FreeChunks, OomReport, ZoneState, zones_of};
use crate::units::{Kib, PageSize};

/// What was short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shortage {
    /// Memory was free, but not in one piece: how much, and how many pages were asked for.
    Fragmented(Kib, u64),
    /// What was free is reserved for contiguous allocations: all that was free, and that part of it.
    Cma(Kib, Kib),
    /// The zones that can serve the request are exhausted, others are not: how much is free there, in
    /// which zone, and which request it cannot serve.
    OtherZone(Kib, String),
    /// The zones were below their watermarks: memory was short.
    Memory,
}

/// GFP flags in words; those of old kernels, which print only a number, are decoded
/// (`include/linux/gfp.h` up to 4.5).
pub(crate) fn gfp_words(gfp: &str, printed: Option<&str>) -> String {
    if let Some(words) = printed {
        return words.to_owned();
    }
    let Some(bits) = bits(gfp).filter(|&bits| bits != 0) else { return format!("gfp {gfp}") };
    // 4.4 and 4.5 split __GFP_WAIT in two.
    let is_late = bits & 0x0240_0000 == 0x0240_0000;
    let base: &[(u64, &str)] = if is_late {
        &[
            (0x0242_00ca, "GFP_HIGHUSER_MOVABLE"),
            (0x0242_00c2, "GFP_HIGHUSER"),
            (0x0242_00c0, "GFP_USER"),
            (0x0240_00c0, "GFP_KERNEL"),
            (0x0240_0040, "GFP_NOFS"),
            (0x0240_0000, "GFP_NOIO"),
        ]
    } else {
        &[
            (0x200da, "GFP_HIGHUSER_MOVABLE"),
            (0x200d2, "GFP_HIGHUSER"),
            (0x200d0, "GFP_USER"),
            (0xd0, "GFP_KERNEL"),
            (0x50, "GFP_NOFS"),
            (0x10, "GFP_NOIO"),
            (0x20, "GFP_ATOMIC"),
        ]
    };
    const SINGLE: [(u64, &str); 16] = [
        (0x1, "__GFP_DMA"),
        (0x2, "__GFP_HIGHMEM"),
        (0x4, "__GFP_DMA32"),
        (0x8, "__GFP_MOVABLE"),
        (0x20, "__GFP_HIGH"),
        (0x100, "__GFP_COLD"),
        (0x200, "__GFP_NOWARN"),
        (0x400, "__GFP_REPEAT"),
        (0x800, "__GFP_NOFAIL"),
        (0x1000, "__GFP_NORETRY"),
        (0x4000, "__GFP_COMP"),
        (0x8000, "__GFP_ZERO"),
        (0x1_0000, "__GFP_NOMEMALLOC"),
        (0x2_0000, "__GFP_HARDWALL"),
        (0x4_0000, "__GFP_THISNODE"),
        (0x8_0000, "__GFP_RECLAIMABLE"),
    ];
    let (mut left, mut words) = (bits, Vec::new());
    if let Some((mask, name)) = base.iter().find(|(mask, _)| bits & mask == *mask) {
        left &= !mask;
        words.push(*name);
    }
    for (mask, name) in SINGLE {
        if left & mask != 0 {
            left &= !mask;
            words.push(name);
        }
    }
    let rest = if left == 0 { String::new() } else { format!("|{left:#x}") };
    format!("{gfp}({}{rest})", words.join("|"))
}

fn bits(gfp: &str) -> Option<u64> {
    u64::from_str_radix(gfp.trim_start_matches("0x"), 16).ok()
}

/// The place of a zone in the order of fallback.
fn rank(zone: &str) -> u8 {
    match zone {
        "DMA" => 0,
        "DMA32" => 1,
        "Normal" => 2,
        "HighMem" => 3,
        _ => 4,
    }
}

/// The highest zone that the request may use. The bits of zones are the same in all kernels.
pub(crate) fn highest_zone(report: &OomReport) -> Option<u8> {
    let bits = bits(&report.invoked.as_ref()?.gfp)?;
    Some(match bits & 0xf {
        zone if zone & 0xa == 0xa => 4,
        zone if zone & 0x2 != 0 => 3,
        zone if zone & 0x1 != 0 => 0,
        zone if zone & 0x4 != 0 => 1,
        _ => 2,
    })
}

/// What a zone must keep for this request: its watermark, and its reserve against requests that may use a
/// higher zone.
fn kept(zone: &ZoneState, highest: u8, page: PageSize, zones: &[&ZoneState]) -> Kib {
    // The reserve has an entry for each kind of zone that the machine has.
    let has_dma32 = zones.iter().any(|it| it.name == "DMA32");
    let at = usize::from(highest) - usize::from(!has_dma32 && highest > 1);
    let pages = zone.reserve.get(at).or(zone.reserve.last()).copied().unwrap_or(0);
    zone.min + Kib(pages.saturating_mul(page.0) / 1024)
}

fn sum(sizes: impl Iterator<Item = Kib>) -> Kib {
    sizes.fold(Kib(0), |sum, size| sum + size)
}

/// Whether a free list has a chunk of the order, or a larger one.
fn has_chunk(chunks: &[FreeChunks], zone: &ZoneState, least: Kib) -> Option<bool> {
    let own = chunks.iter().find(|it| it.node == zone.node && it.zone == zone.name)?;
    Some(own.list.iter().any(|&(size, count)| size >= least && count > 0))
}

/// What was short; `None` where the report does not print the zones.
pub(crate) fn shortage(report: &OomReport, page: PageSize) -> Option<Shortage> {
    let zones = zones_of(report);
    let highest = highest_zone(report)?;
    if zones.is_empty() {
        return None;
    }
    let (may, other): (Vec<&ZoneState>, Vec<&ZoneState>) =
        zones.iter().copied().partition(|zone| rank(&zone.name) <= highest);
    let is_open = |zone: &&ZoneState| zone.free > kept(zone, highest, page, &zones);
    let free = sum(may.iter().map(|zone| zone.free));
    let open: Vec<&ZoneState> = may.iter().copied().filter(is_open).collect();
    let beyond = other.iter().filter(|zone| zone.free > zone.high).max_by_key(|zone| zone.free);
    if open.is_empty() {
        return Some(match beyond {
            Some(zone) if zone.free > free => Shortage::OtherZone(zone.free, zone.name.clone()),
            _ => Shortage::Memory,
        });
    }
    let is_cma =
        |zone: &&ZoneState| zone.free.saturating_sub(zone.cma) <= kept(zone, highest, page, &zones);
    if open.iter().all(|zone| zone.cma > Kib(0)) && open.iter().all(is_cma) {
        return Some(Shortage::Cma(free, sum(may.iter().map(|zone| zone.cma))));
    }
    let order = report.invoked.as_ref()?.order.filter(|order| (1..=30).contains(order))?;
    let least = Kib((page.0 << order) / 1024);
    let none = open.iter().all(|zone| has_chunk(&report.chunks, zone, least) == Some(false));
    none.then_some(Shortage::Fragmented(free, 1 << order))
}

/// The zones of the request, a line each, where they tell more than the sum of the machine.
pub(crate) fn zone_lines(report: &OomReport, page: PageSize) -> Vec<String> {
    let (zones, Some(highest)) = (zones_of(report), highest_zone(report)) else {
        return Vec::new();
    };
    let order = report.invoked.as_ref().and_then(|it| it.order).filter(|it| (1..=30).contains(it));
    let size = |kib: Kib| human_size(kib.bytes());
    let all = zones.len();
    let mut lines: Vec<String> = zones
        .iter()
        .take(12)
        .map(|zone| {
            let mut text = format!("{} of node {}: {} free", zone.name, zone.node, size(zone.free));
            if zone.cma > Kib(0) {
                text.push_str(&format!(", {} of it CMA", size(zone.cma)));
            }
            let kept = kept(zone, highest, page, &zones);
            if rank(&zone.name) > highest {
                text.push_str("; this request cannot use it");
            } else if zone.free <= kept {
                text.push_str(&format!("; {} must stay free: exhausted", size(kept)));
            } else {
                text.push_str(&format!("; {} must stay free", size(kept)));
            }
            if let Some(order) = order {
                let least = Kib((page.0 << order) / 1024);
                match has_chunk(&report.chunks, zone, least) {
                    Some(true) => {}
                    Some(false) => {
                        text.push_str(&format!("; no free piece of {} or more", size(least)));
                    }
                    None => text.push_str("; its free list is not in this log"),
                }
            }
            text
        })
        .collect();
    if all > lines.len() {
        lines.push(format!("{} more zones", all - lines.len()));
    }
    lines
}

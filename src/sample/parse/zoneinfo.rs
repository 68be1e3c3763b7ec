//! `/proc/zoneinfo`: how much memory each NUMA node has.

use super::unsigned;
use crate::model::NumaNode;
use crate::units::Pages;

/// The nodes that have memory, by number, with their `present` pages: by these, an OOM of a set of
/// nodes scales adj (`mm/oom_kill.c` `constrained_alloc`, 5.7 and later). Of a file that was cut
/// off, the complete lines count.
#[must_use]
pub fn zoneinfo(bytes: &[u8]) -> Vec<NumaNode> {
    let mut nodes: Vec<NumaNode> = Vec::new();
    let mut current = None;
    for line in bytes.split_inclusive(|&b| b == b'\n') {
        let Some(line) = line.strip_suffix(b"\n") else { continue };
        if let Some(rest) = line.strip_prefix(b"Node ") {
            let digits = rest.split(|&b| b == b',').next().unwrap_or_default();
            current = unsigned(digits).and_then(|id| u32::try_from(id).ok());
        } else if let Some(count) = line.trim_ascii_start().strip_prefix(b"present ") {
            let (Some(id), Some(pages)) = (current, unsigned(count.trim_ascii())) else { continue };
            match nodes.iter_mut().find(|node| node.id == id) {
                Some(node) => node.present += Pages(pages),
                None => nodes.push(NumaNode { id, present: Pages(pages) }),
            }
        }
    }
    nodes.retain(|node| node.present.0 > 0);
    nodes.sort_unstable_by_key(|node| node.id);
    nodes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TWO: &[u8] = b"Node 0, zone      DMA\n  per-node stats\n      nr_inactive_anon 5\n  \
        pages free     3840\n        spanned  4095\n        present  3998\n        managed  3840\n\
        Node 0, zone    DMA32\n  pages free     1\n        present  60000\n\
        Node 1, zone   Normal\n        present  65536\nNode 1, zone  Movable\n        present  0\n\
        Node 2, zone  Movable\n        present  0\n";

    #[test]
    fn zones_add_up_by_node() {
        let node = |id, pages| NumaNode { id, present: Pages(pages) };
        assert_eq!(zoneinfo(TWO), [node(0, 63_998), node(1, 65_536)]);
        assert_eq!(zoneinfo(b""), []);
    }

    #[test]
    fn a_truncated_number_does_not_count() {
        for end in 0..TWO.len() {
            let total: u64 = zoneinfo(&TWO[..end]).iter().map(|node| node.present.0).sum();
            assert!([0, 3998, 63_998, 129_534].contains(&total), "{total} at {end}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = zoneinfo(&bytes);
        }
    }
}

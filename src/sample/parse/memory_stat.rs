//! `memory.stat` of a cgroup.

use super::{ParseError, pairs};
use crate::model::Hierarchy;
use crate::units::Bytes;

/// The items that doomtop uses; each includes the cgroups below.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryStat {
    /// What reclaim can free before a kill: the file cache, and in version 2 the reclaimable slab.
    pub reclaimable: Option<Bytes>,
    /// File cache on the inactive list.
    pub inactive_file: Option<Bytes>,
    /// Pages scanned by reclaim since the cgroup was created (version 2, about 4.19 and later).
    pub pgscan: Option<u64>,
}

/// Parses the file. In version 1, the items that begin with `total_` include the cgroups below.
///
/// # Errors
///
/// If the file was cut off.
pub fn memory_stat(bytes: &[u8], hierarchy: Hierarchy) -> Result<MemoryStat, ParseError> {
    let (active, inactive, slab, scanned) = match hierarchy {
        Hierarchy::V1 => (&b"total_active_file"[..], &b"total_inactive_file"[..], None, None),
        Hierarchy::V2 => (
            &b"active_file"[..],
            &b"inactive_file"[..],
            Some(&b"slab_reclaimable"[..]),
            Some(b"pgscan"),
        ),
    };
    let (mut found, mut slabs) = (MemoryStat::default(), None);
    let mut in_use = None;
    for (key, value) in pairs(bytes).ok_or(ParseError { file: "memory.stat", item: "end" })? {
        if key == active {
            in_use = value.map(Bytes);
        } else if key == inactive {
            found.inactive_file = value.map(Bytes);
        } else if Some(key) == slab {
            slabs = value.map(Bytes);
        } else if scanned.is_some_and(|name| key == name) {
            found.pgscan = value;
        }
    }
    let cache = in_use.zip(found.inactive_file).map(|(active, inactive)| active + inactive);
    found.reclaimable = cache.map(|cache| cache + slabs.unwrap_or_default());
    Ok(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const V1: &[u8] = b"cache 9\nactive_file 1\ninactive_file 2\nhierarchical_memory_limit 4096\n\
        total_cache 90\ntotal_inactive_file 20\ntotal_active_file 10\ntotal_unevictable 5\n";
    const V2: &[u8] = b"anon 4096\nfile 77\ninactive_file 20\nactive_file 10\nslab_reclaimable 3\n\
        slab_unreclaimable 400\nworkingset_refault_anon 0\n";

    fn reclaimable(bytes: &[u8], hierarchy: Hierarchy) -> Option<Bytes> {
        memory_stat(bytes, hierarchy).ok()?.reclaimable
    }

    fn pgscan(bytes: &[u8]) -> Option<u64> {
        memory_stat(bytes, Hierarchy::V2).ok()?.pgscan
    }

    #[test]
    fn the_cache_is_added_up() {
        assert_eq!(reclaimable(V1, Hierarchy::V1), Some(Bytes(30)));
        assert_eq!(reclaimable(V2, Hierarchy::V2), Some(Bytes(33)));
        let inactive = |bytes, hierarchy| memory_stat(bytes, hierarchy).unwrap().inactive_file;
        assert_eq!(inactive(V1, Hierarchy::V1), Some(Bytes(20)));
        assert_eq!(inactive(V2, Hierarchy::V2), Some(Bytes(20)));
        assert_eq!(inactive(b"anon 1\n", Hierarchy::V2), None);
        assert_eq!(reclaimable(V2, Hierarchy::V1), None);
        let no_slab = b"active_file 1\ninactive_file 2\n";
        assert_eq!(reclaimable(no_slab, Hierarchy::V2), Some(Bytes(3)));
        let huge = b"active_file 18446744073709551615\ninactive_file 18446744073709551615\n";
        assert_eq!(reclaimable(huge, Hierarchy::V2), Some(Bytes(u64::MAX)));
        assert_eq!(reclaimable(b"active_file -1\ninactive_file 2\n", Hierarchy::V2), None);
    }

    #[test]
    fn pgscan_is_found_by_its_whole_name() {
        assert_eq!(pgscan(b"pgscan_kswapd 7\npgscan 12\npgsteal 9\n"), Some(12));
        assert_eq!(pgscan(b"pgscan_kswapd 7\n"), None);
        assert_eq!(pgscan(b"pgscan 12"), None, "cut short");
        assert_eq!(pgscan(b"pgscan x\n"), None);
        let v1 = memory_stat(b"pgscan 12\n", Hierarchy::V1).unwrap();
        assert_eq!(v1.pgscan, None, "version 1 has no pgscan");
    }

    #[test]
    fn a_truncated_number_is_missing() {
        for (file, hierarchy) in [(V1, Hierarchy::V1), (V2, Hierarchy::V2)] {
            for end in 0..file.len() {
                if let Some(Bytes(sum)) = reclaimable(&file[..end], hierarchy) {
                    assert!([30, 33].contains(&sum), "{sum} at {end}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = memory_stat(&bytes, Hierarchy::V1);
            let _ = memory_stat(&bytes, Hierarchy::V2);
        }

        #[test]
        fn no_damage_panics(at in 0..V2.len(), byte: u8) {
            let mut bytes = V2.to_vec();
            bytes[at] = byte;
            let _ = memory_stat(&bytes, Hierarchy::V2);
        }
    }
}

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
    /// Anonymous memory.
    pub anon: Option<Bytes>,
    /// Files in tmpfs and shared memory (version 1: 4.15 and later).
    pub shmem: Option<Bytes>,
    /// Slab that cannot be reclaimed (version 2).
    pub slab_unreclaimable: Option<Bytes>,
    /// Pages in zswap that cannot be compressed (version 2, 7.x; in bytes).
    pub zswap_incompressible: Option<Bytes>,
    /// Pages scanned by reclaim since the cgroup was created (version 2, about 4.19 and later).
    pub pgscan: Option<u64>,
    /// Pages that were evicted and read again soon after, since the cgroup was created: anonymous and file
    /// pages (`workingset_refault_anon`, `workingset_refault_file`; before 5.9 `workingset_refault`).
    pub refaults: Option<u64>,
}

/// Parses the file. In version 1, the items that begin with `total_` include the cgroups below.
///
/// # Errors
///
/// If the file was cut off.
pub fn memory_stat(bytes: &[u8], hierarchy: Hierarchy) -> Result<MemoryStat, ParseError> {
    let is_v2 = hierarchy == Hierarchy::V2;
    let (mut found, mut slabs, mut in_use) = (MemoryStat::default(), None, None);
    for (key, value) in pairs(bytes).ok_or(ParseError { file: "memory.stat", item: "end" })? {
        let size = value.map(Bytes);
        match (key, is_v2) {
            (b"active_file", true) | (b"total_active_file", false) => in_use = size,
            (b"inactive_file", true) | (b"total_inactive_file", false) => {
                found.inactive_file = size
            }
            (b"anon", true) | (b"total_rss", false) => found.anon = size,
            (b"shmem", true) | (b"total_shmem", false) => found.shmem = size,
            (b"slab_reclaimable", true) => slabs = size,
            (b"slab_unreclaimable", true) => found.slab_unreclaimable = size,
            (b"zswap_incomp", true) => found.zswap_incompressible = size,
            (b"pgscan", true) => found.pgscan = value,
            (
                b"workingset_refault" | b"workingset_refault_anon" | b"workingset_refault_file",
                true,
            )
            | (
                b"total_workingset_refault"
                | b"total_workingset_refault_anon"
                | b"total_workingset_refault_file",
                false,
            ) => {
                let sum = |more| found.refaults.unwrap_or(0).saturating_add(more);
                found.refaults = value.map(sum).or(found.refaults);
            }
            _ => {}
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
    fn what_no_reclaim_takes_is_read_with_the_names_of_each_version() {
        let v2 =
            memory_stat(b"anon 4096\nfile 77\nshmem 70\nslab_unreclaimable 400\n", Hierarchy::V2);
        let v2 = v2.unwrap();
        let is = [Some(Bytes(4096)), Some(Bytes(70)), Some(Bytes(400))];
        assert_eq!([v2.anon, v2.shmem, v2.slab_unreclaimable], is);
        let v1 = b"rss 1\nshmem 2\ntotal_rss 4096\ntotal_shmem 70\nslab_unreclaimable 400\n";
        let v1 = memory_stat(v1, Hierarchy::V1).unwrap();
        assert_eq!([v1.anon, v1.shmem, v1.slab_unreclaimable], [is[0], is[1], None]);
        let new = memory_stat(b"zswap 9\nzswap_incomp 8192\n", Hierarchy::V2).unwrap();
        assert_eq!(new.zswap_incompressible, Some(Bytes(8192)));
        let bad = memory_stat(b"anon -1\nshmem x\n", Hierarchy::V2).unwrap();
        assert_eq!((bad.anon, bad.shmem), (None, None));
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
    fn refaults_of_both_kinds_are_added_up() {
        let refaults = |bytes, hierarchy| memory_stat(bytes, hierarchy).unwrap().refaults;
        let v2 = b"workingset_refault_anon 3\nworkingset_refault_file 40\n";
        assert_eq!(refaults(v2, Hierarchy::V2), Some(43));
        assert_eq!(refaults(b"workingset_refault 7\n", Hierarchy::V2), Some(7), "before 5.9");
        let v1 = b"workingset_refault_file 1\ntotal_workingset_refault_file 40\n";
        assert_eq!(refaults(v1, Hierarchy::V1), Some(40));
        assert_eq!(refaults(b"anon 1\n", Hierarchy::V2), None);
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

//! `memory.stat` of a memory cgroup.

use super::{ParseError, pairs};
use crate::model::Hierarchy;
use crate::units::Bytes;

/// What reclaim can take back before anybody is killed, with everything below the cgroup: the file
/// cache, and on version 2 the slab that can be reclaimed. Version 1 tells the cgroup's own numbers
/// too; those with `total_` include what is below.
///
/// # Errors
///
/// When the file cache is not told, or the file was cut short.
pub fn reclaimable(bytes: &[u8], hierarchy: Hierarchy) -> Result<Bytes, ParseError> {
    let no = |item| ParseError { file: "memory.stat", item };
    let (active, inactive, slab) = match hierarchy {
        Hierarchy::V1 => (&b"total_active_file"[..], &b"total_inactive_file"[..], None),
        Hierarchy::V2 => (&b"active_file"[..], &b"inactive_file"[..], Some(b"slab_reclaimable")),
    };
    let mut found = [None; 3];
    for (key, value) in pairs(bytes).ok_or(no("end"))? {
        let at = match key {
            key if key == active => 0,
            key if key == inactive => 1,
            key if slab.is_some_and(|slab| key == slab) => 2,
            _ => continue,
        };
        found[at] = value.map(Bytes);
    }
    let [active, inactive, slab] = found;
    let cache = active.ok_or(no("active_file"))? + inactive.ok_or(no("inactive_file"))?;
    Ok(cache + slab.unwrap_or_default())
}

/// File cache that nobody used lately, with everything below the cgroup.
///
/// # Errors
///
/// When that is not told, or the file was cut short.
pub fn inactive_file(bytes: &[u8], hierarchy: Hierarchy) -> Result<Bytes, ParseError> {
    let no = |item| ParseError { file: "memory.stat", item };
    let name = match hierarchy {
        Hierarchy::V1 => &b"total_inactive_file"[..],
        Hierarchy::V2 => b"inactive_file",
    };
    let found = pairs(bytes).ok_or(no("end"))?.find(|(key, _)| *key == name);
    found.and_then(|(_, value)| value).map(Bytes).ok_or(no("inactive_file"))
}

/// Pages that reclaim looked at since the cgroup was made, with everything below it (version 2).
///
/// # Errors
///
/// When that is not told (before 4.19 or so), or the file was cut short.
pub fn pgscan(bytes: &[u8]) -> Result<u64, ParseError> {
    let no = |item| ParseError { file: "memory.stat", item };
    let found = pairs(bytes).ok_or(no("end"))?.find(|(key, _)| *key == b"pgscan");
    found.and_then(|(_, value)| value).ok_or(no("pgscan"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const V1: &[u8] = b"cache 9\nactive_file 1\ninactive_file 2\nhierarchical_memory_limit 4096\n\
        total_cache 90\ntotal_inactive_file 20\ntotal_active_file 10\ntotal_unevictable 5\n";
    const V2: &[u8] = b"anon 4096\nfile 77\ninactive_file 20\nactive_file 10\nslab_reclaimable 3\n\
        slab_unreclaimable 400\nworkingset_refault_anon 0\n";

    #[test]
    fn the_cache_is_added_up() {
        assert_eq!(reclaimable(V1, Hierarchy::V1), Ok(Bytes(30)));
        assert_eq!(reclaimable(V2, Hierarchy::V2), Ok(Bytes(33)));
        assert_eq!(inactive_file(V1, Hierarchy::V1), Ok(Bytes(20)));
        assert_eq!(inactive_file(V2, Hierarchy::V2), Ok(Bytes(20)));
        assert!(inactive_file(b"anon 1\n", Hierarchy::V2).is_err());
        assert!(reclaimable(V2, Hierarchy::V1).is_err());
        let no_slab = b"active_file 1\ninactive_file 2\n";
        assert_eq!(reclaimable(no_slab, Hierarchy::V2), Ok(Bytes(3)));
        let huge = b"active_file 18446744073709551615\ninactive_file 18446744073709551615\n";
        assert_eq!(reclaimable(huge, Hierarchy::V2), Ok(Bytes(u64::MAX)));
        assert!(reclaimable(b"active_file -1\ninactive_file 2\n", Hierarchy::V2).is_err());
    }

    #[test]
    fn what_reclaim_looked_at_is_found_by_its_whole_name() {
        assert_eq!(pgscan(b"pgscan_kswapd 7\npgscan 12\npgsteal 9\n"), Ok(12));
        assert!(pgscan(b"pgscan_kswapd 7\n").is_err());
        assert!(pgscan(b"pgscan 12").is_err(), "cut short");
        assert!(pgscan(b"pgscan x\n").is_err());
    }

    #[test]
    fn half_a_number_is_none() {
        for (file, hierarchy) in [(V1, Hierarchy::V1), (V2, Hierarchy::V2)] {
            for end in 0..file.len() {
                if let Ok(Bytes(sum)) = reclaimable(&file[..end], hierarchy) {
                    assert!([30, 33].contains(&sum), "{sum} at {end}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = reclaimable(&bytes, Hierarchy::V1);
            let _ = reclaimable(&bytes, Hierarchy::V2);
            let _ = pgscan(&bytes);
        }

        #[test]
        fn any_damage_is_survived(at in 0..V2.len(), byte: u8) {
            let mut bytes = V2.to_vec();
            bytes[at] = byte;
            let _ = reclaimable(&bytes, Hierarchy::V2);
        }
    }
}

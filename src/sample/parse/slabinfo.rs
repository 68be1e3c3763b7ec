//! `/proc/slabinfo` (version 2.1): the slab caches.

use super::{ParseError, unsigned};
use crate::model::{SlabCache, Text};
use crate::units::{Kib, PageSize, Pages};

/// The `most` largest caches by the pages of their slabs, the largest first. A line that cannot be parsed is left
/// out.
///
/// # Errors
///
/// If the file is of another version, or was cut off.
pub fn slabinfo(bytes: &[u8], page: PageSize, most: usize) -> Result<Vec<SlabCache>, ParseError> {
    let no = |item| ParseError { file: "slabinfo", item };
    let table = bytes.strip_suffix(b"\n").ok_or(no("end"))?;
    let mut lines = table.split(|&byte| byte == b'\n');
    lines.next().filter(|head| head.starts_with(b"slabinfo - version: 2.")).ok_or(no("version"))?;
    let mut caches: Vec<(Kib, &[u8])> =
        lines.filter_map(|line| cache(line, page)).filter(|(size, _)| *size > Kib::ZERO).collect();
    caches.sort_by_key(|(size, _)| std::cmp::Reverse(*size));
    caches.truncate(most);
    let named = |(kib, name)| SlabCache { name: Text::new(name), kib, ..SlabCache::default() };
    Ok(caches.into_iter().map(named).collect())
}

/// `NAME ACTIVE OBJECTS OBJSIZE OBJPERSLAB PAGESPERSLAB : tunables ... : slabdata ACTIVE SLABS SHARED`.
fn cache(line: &[u8], page: PageSize) -> Option<(Kib, &[u8])> {
    let mut parts = line.split(|&byte| byte == b':');
    let words =
        |part: &'static str| move |bytes: &&[u8]| bytes.trim_ascii().starts_with(part.as_bytes());
    let mut head = parts.next()?.split(u8::is_ascii_whitespace).filter(|it| !it.is_empty());
    let name = head.next()?;
    let pages = unsigned(head.nth(4)?)?;
    let data = parts.find(words("slabdata"))?;
    let mut data = data.split(u8::is_ascii_whitespace).filter(|it| !it.is_empty());
    let slabs = unsigned(data.nth(2)?)?;
    let size = Pages(slabs.checked_mul(pages)?).bytes(page);
    Some((Kib(size.0 / 1024), name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FILE: &[u8] = b"slabinfo - version: 2.1\n\
        # name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>\n\
        btrfs_delayed_node      0      0    312   13    1 : tunables    0    0    0 : slabdata      0      0      0\n\
        dentry             126000 126000    192   21    1 : tunables    0    0    0 : slabdata   6000   6000      0\n\
        kmalloc-2k          16000  16000   2048   16    8 : tunables    0    0    0 : slabdata   1000   1000      0\n";

    fn sizes(bytes: &[u8]) -> Option<Vec<(String, u64)>> {
        let caches = slabinfo(bytes, PageSize(4096), 8).ok()?;
        Some(caches.into_iter().map(|it| (it.name.to_string(), it.kib.0)).collect())
    }

    #[test]
    fn the_largest_caches_come_first() {
        let is = [("kmalloc-2k".to_owned(), 32_000), ("dentry".to_owned(), 24_000)];
        assert_eq!(sizes(FILE).as_deref(), Some(&is[..]));
        assert_eq!(slabinfo(FILE, PageSize(4096), 1).map(|it| it.len()), Ok(1));
    }

    #[test]
    fn another_version_and_a_truncated_file_are_errors() {
        assert_eq!(sizes(b"slabinfo - version: 1.1\nx 1 1 1 1 1\n"), None);
        assert_eq!(sizes(&FILE[..FILE.len() - 1]), None);
        assert_eq!(sizes(b""), None);
    }

    #[test]
    fn hostile_lines_are_left_out_and_names_are_neutral() {
        let file = b"slabinfo - version: 2.1\nhuge 1 1 1 1 18446744073709551615 : tunables : slabdata 1 18446744073709551615 0\n\
                     \x1b[31m 1 1 1 1 1 : tunables 0 0 0 : slabdata 1 4 0\nshort 1 1\n";
        assert_eq!(sizes(file), Some(vec![("\\x1b[31m".to_owned(), 16)]));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = slabinfo(&bytes, PageSize(4096), 8);
        }

        #[test]
        fn no_damage_panics(at in 0..FILE.len(), byte: u8) {
            let mut bytes = FILE.to_vec();
            bytes[at] = byte;
            let _ = slabinfo(&bytes, PageSize(u64::MAX), 8);
        }
    }
}

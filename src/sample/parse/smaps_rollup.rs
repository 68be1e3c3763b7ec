//! `/proc/PID/smaps_rollup`: what the memory of a process consists of.

use crate::model::MemoryBreakdown;
use crate::units::Kib;

/// Adds up the lines. `None` if there is no line with private memory: the file was cut off, or is
/// another file.
#[must_use]
pub fn smaps_rollup(bytes: &[u8]) -> Option<MemoryBreakdown> {
    let mut found = MemoryBreakdown::default();
    let (mut private, mut swap, mut part) = (None, Kib::ZERO, None);
    // The first line is a range of addresses. A last line without an end does not count.
    let whole = bytes.iter().rposition(|&b| b == b'\n').map_or(&bytes[..0], |end| &bytes[..end]);
    for line in whole.split(|&b| b == b'\n') {
        let mut words = line.split(|&b| b == b' ').filter(|word| !word.is_empty());
        let (Some(key), Some(number), Some(b"kB")) = (words.next(), words.next(), words.next())
        else {
            continue;
        };
        let Some(kib) = super::unsigned(number).map(Kib) else { continue };
        match key {
            b"Private_Clean:" | b"Private_Dirty:" => {
                private = Some(private.unwrap_or(Kib::ZERO) + kib);
            }
            b"Shared_Clean:" | b"Shared_Dirty:" => found.shared += kib,
            b"Anonymous:" => found.anonymous = kib,
            b"LazyFree:" => found.lazy_free = kib,
            b"Pss_Anon:" => found.anonymous_part = Some(kib),
            b"Swap:" => swap = kib,
            b"SwapPss:" => part = Some(kib),
            _ => {}
        }
    }
    found.private = private?;
    found.swap = part.unwrap_or(swap);
    Some(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FILE: &[u8] = b"55d0 7ffc ---p 00000000 00:00 0                          [rollup]\n\
        Rss:                1320 kB\nPss:                 255 kB\nPss_Anon:            96 kB\n\
        Shared_Clean:       1100 kB\nShared_Dirty:          8 kB\n\
        Private_Clean:       120 kB\nPrivate_Dirty:        92 kB\n\
        Anonymous:            96 kB\nLazyFree:             48 kB\n\
        Swap:                 40 kB\nSwapPss:              30 kB\n";

    #[test]
    fn private_shared_and_swapped_memory_is_added_up() {
        let holding = smaps_rollup(FILE).expect("a whole file");
        let kib = [holding.private, holding.shared, holding.anonymous, holding.swap];
        assert_eq!(kib, [Kib(212), Kib(1108), Kib(96), Kib(30)]);
        assert_eq!((holding.anonymous_part, holding.lazy_free), (Some(Kib(96)), Kib(48)));
        assert_eq!(smaps_rollup(b""), None);
        assert_eq!(smaps_rollup(b"Rss: 12 kB\n"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>, end in 0..FILE.len()) {
            let _ = smaps_rollup(&bytes);
            let _ = smaps_rollup(&FILE[..end]);
            let huge = b"Private_Clean: 18446744073709551615 kB\nPrivate_Dirty: 18446744073709551615 kB\n";
            let _ = smaps_rollup(huge);
        }
    }
}

//! `/sys/block/zramN/mm_stat` (4.1 and later): what a zram device stores, and the RAM that it takes.

use super::{ParseError, unsigned};
use crate::units::{Bytes, Kib};

/// What a zram device stores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ZramStat {
    /// `orig_data_size`: before compression.
    pub stored: Kib,
    /// `mem_used_total`: RAM that it takes.
    pub used: Kib,
    /// `mem_limit`: maximum of that RAM; 0 in the file means none.
    pub limit: Option<Kib>,
}

/// Parses the file: `orig_data_size compr_data_size mem_used_total mem_limit ...`, in bytes.
///
/// # Errors
///
/// If one of the first four numbers is missing, or if the file was cut off.
pub fn zram_mm_stat(bytes: &[u8]) -> Result<ZramStat, ParseError> {
    let no = |item| ParseError { file: "mm_stat", item };
    let line = bytes.strip_suffix(b"\n").ok_or(no("end"))?;
    let mut numbers = line
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
        .map(|word| unsigned(word).map(|bytes| Kib(Bytes(bytes).0 / 1024)));
    let mut next = |item| numbers.next().flatten().ok_or(no(item));
    let stored = next("orig_data_size")?;
    next("compr_data_size")?;
    let used = next("mem_used_total")?;
    let limit = Some(next("mem_limit")?).filter(|limit| *limit > Kib::ZERO);
    Ok(ZramStat { stored, used, limit })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_device_is_read() {
        let line =
            b" 41943040  9437184 10485760        0 10485760      512        0        0        0\n";
        let stat = ZramStat { stored: Kib(40_960), used: Kib(10_240), limit: None };
        assert_eq!(zram_mm_stat(line), Ok(stat));
        let limited = zram_mm_stat(b"0 0 0 67108864 0 0 0\n");
        assert_eq!(limited.map(|it| it.limit), Ok(Some(Kib(65_536))));
    }

    #[test]
    fn a_truncated_file_is_an_error() {
        for line in [&b""[..], b"\n", b"1 2 3\n", b"1 2 3 4", b"1 2 x 4\n"] {
            assert!(zram_mm_stat(line).is_err(), "{line:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = zram_mm_stat(&bytes);
        }
    }
}

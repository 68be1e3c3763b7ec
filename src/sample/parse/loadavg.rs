//! `/proc/loadavg`, with the parser of the `procfs` crate.

use procfs::{FromRead, LoadAverage};

use super::ParseError;

/// Load averages over 1, 5 and 15 minutes.
///
/// # Errors
///
/// If the crate cannot parse the file, or if it was cut off.
pub fn loadavg(bytes: &[u8]) -> Result<[f32; 3], ParseError> {
    let no = ParseError { file: "loadavg", item: "averages" };
    if !bytes.ends_with(b"\n") {
        return Err(no);
    }
    let read = LoadAverage::from_read(bytes).map_err(|_| no)?;
    let load = [read.one, read.five, read.fifteen];
    if load.iter().all(|average| average.is_finite()) { Ok(load) } else { Err(no) }
}

/// The pid that was given away last in our pid namespace.
#[must_use]
pub fn last_pid(bytes: &[u8]) -> Option<i32> {
    let last = bytes.strip_suffix(b"\n")?.split(|&byte| byte == b' ').nth(4)?;
    i32::try_from(super::unsigned(last)?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn averages_are_found() {
        assert_eq!(loadavg(b"0.17 0.08 1.25 1/115 18006\n"), Ok([0.17, 0.08, 1.25]));
        for bad in [&b"0.17 0.08 1.25 1/115 18006"[..], b"\n", b"", b"a b c d e\n"] {
            assert!(loadavg(bad).is_err());
        }
        assert_eq!(last_pid(b"0.17 0.08 1.25 1/115 18006\n"), Some(18006));
        assert_eq!(last_pid(b"0.17 0.08 1.25 1/115\n"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = loadavg(&bytes);
        }
    }
}

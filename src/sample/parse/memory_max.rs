//! `memory.max`, `memory.high`, `memory.swap.max`, `memory.limit_in_bytes`,
//! `memory.memsw.limit_in_bytes`: one limit.

use super::{ParseError, unsigned};
use crate::model::Limit;
use crate::units::Bytes;

/// A version 1 limit from here on means no limit: `LONG_MAX` rounded down to a page of up to 64 KiB
/// (`PAGE_COUNTER_MAX`).
const NO_LIMIT: u64 = i64::MAX as u64 & !0xffff;

/// The limit in bytes, or none (`max`).
///
/// # Errors
///
/// If the file has neither, or if it was cut off.
pub fn limit(bytes: &[u8]) -> Result<Limit, ParseError> {
    let no = ParseError { file: "memory.max", item: "limit" };
    match bytes.strip_suffix(b"\n").ok_or(no)? {
        b"max" => Ok(Limit::Max),
        number => match unsigned(number).ok_or(no)? {
            NO_LIMIT.. => Ok(Limit::Max),
            bytes => Ok(Limit::At(Bytes(bytes))),
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_limit_is_a_number_or_none() {
        let at = |bytes| Ok(Limit::At(Bytes(bytes)));
        assert_eq!(limit(b"max\n"), Ok(Limit::Max));
        assert_eq!(limit(b"0\n"), at(0));
        assert_eq!(limit(b"536870912\n"), at(512 << 20));
        assert_eq!(limit(b"9223372036854771712\n"), Ok(Limit::Max), "version 1, pages of 4 KiB");
        assert_eq!(limit(b"9223372036854710272\n"), Ok(Limit::Max), "version 1, pages of 64 KiB");
        assert_eq!(limit(b"9223372036854710271\n"), at(9_223_372_036_854_710_271));
        assert_eq!(limit(b"18446744073709551615\n"), Ok(Limit::Max));
        for bad in [&b""[..], b"\n", b"max", b"53687", b"-1\n", b"maximum\n", b"1 2\n"] {
            assert!(limit(bad).is_err());
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = limit(&bytes);
        }
    }
}

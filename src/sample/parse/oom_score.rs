//! `/proc/PID/oom_score`: the score as the kernel computes it.

use super::{ParseError, lone_number};

/// The score: 0 to 2000 since 5.9, raw badness before 2.6.36.
///
/// # Errors
///
/// If the file has no such number, or if it was cut off.
pub fn oom_score(bytes: &[u8]) -> Result<u32, ParseError> {
    let number = lone_number("oom_score", bytes)?;
    u32::try_from(number).map_err(|_| ParseError { file: "oom_score", item: "number" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_is_whole_or_an_error() {
        assert_eq!(oom_score(b"666\n"), Ok(666));
        for bad in [&b"66"[..], b"", b"\n", b"-1\n", b"x\n", b"99999999999999999999\n"] {
            assert!(oom_score(bad).is_err(), "{bad:?}");
        }
    }
}

//! `/proc/PID/oom_score_adj`: the adjustment by the administrator.

use super::{ParseError, lone_number};
use crate::units::Adj;

/// The value, -1000 to 1000.
///
/// # Errors
///
/// If the file has no number in this range, or if it was cut off.
pub fn oom_score_adj(bytes: &[u8]) -> Result<Adj, ParseError> {
    let number = lone_number("oom_score_adj", bytes)?;
    let adj = Adj::clamped(number);
    if i64::from(adj.0) == number {
        Ok(adj)
    } else {
        Err(ParseError { file: "oom_score_adj", item: "number from -1000 to 1000" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_on_the_scale_or_an_error() {
        assert_eq!(oom_score_adj(b"-1000\n"), Ok(Adj::MIN));
        assert_eq!(oom_score_adj(b"0\n"), Ok(Adj::ZERO));
        assert_eq!(oom_score_adj(b"1000\n"), Ok(Adj::MAX));
        for bad in [&b"1001\n"[..], b"-1001\n", b"10", b"", b"0x1\n"] {
            assert!(oom_score_adj(bad).is_err(), "{bad:?}");
        }
    }
}

//! `/proc/uptime`: the time since boot.

use super::{ParseError, unsigned};
use crate::units::{TickRate, Ticks};

/// Time since boot, in clock ticks: the first number of the file, seconds with two decimals.
///
/// # Errors
///
/// If there is no such number, or if the file was cut off in it.
pub fn uptime(bytes: &[u8], rate: TickRate) -> Result<Ticks, ParseError> {
    let read = || {
        let end = bytes.iter().position(|&b| b == b' ' || b == b'\n')?;
        let dot = bytes[..end].iter().position(|&b| b == b'.')?;
        let decimals = &bytes[dot + 1..end];
        let seconds = unsigned(&bytes[..dot])?;
        let hundredths = (decimals.len() == 2).then(|| unsigned(decimals)).flatten()?;
        let whole = seconds.checked_mul(rate.0)?;
        whole.checked_add(hundredths.checked_mul(rate.0)? / 100).map(Ticks)
    };
    read().ok_or(ParseError { file: "uptime", item: "seconds since boot" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_become_ticks() {
        assert_eq!(uptime(b"2234.05 4206.53\n", TickRate(100)), Ok(Ticks(223_405)));
        assert_eq!(uptime(b"0.50 0.00\n", TickRate(1000)), Ok(Ticks(500)));
        for bad in [&b"2234.05"[..], b"2234.0 1\n", b"2234 1\n", b"", b"x.yz \n"] {
            assert!(uptime(bad, TickRate(100)).is_err(), "{bad:?}");
        }
        assert!(uptime(b"18446744073709551615.00 0\n", TickRate(100)).is_err());
    }
}

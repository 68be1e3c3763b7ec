//! Sizes of memory as a user types them.

use crate::columns::parse_bytes;
use crate::units::Bytes;

/// Parses a size: `500M`, `2G`, `1.5TiB`.
///
/// # Errors
/// What it should be, in one line.
pub fn parse_size(text: &str) -> Result<Bytes, String> {
    let expected = || "expected a size from 1M to 1024T, such as 500M or 2G".to_owned();
    let bytes = parse_bytes(text).ok_or_else(expected)?;
    if ((1_u64 << 20) as f64..=(1_u64 << 50) as f64).contains(&bytes) {
        Ok(Bytes(bytes as u64))
    } else {
        Err(expected())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_understood() {
        for (text, bytes) in [
            ("2G", 2 << 30),
            ("2gb", 2 << 30),
            ("500MiB", 500 << 20),
            (" 1.5 g ", 3 << 29),
            ("2048k", 2 << 20),
            ("2097152", 2 << 20),
            ("1024T", 1 << 50),
        ] {
            assert_eq!(parse_size(text), Ok(Bytes(bytes)), "{text}");
        }
        for wrong in [
            "", "G", "2", "0.1M", "-1G", "NaNG", "infT", "2000T", "2P", "2GG", "2 G G", "1e99T",
            "2Gé",
        ] {
            let error = parse_size(wrong).expect_err(wrong);
            assert!(error.contains("such as 500M or 2G"), "{error}");
        }
    }
}

//! Sizes of memory as a user types them.

use crate::units::Bytes;

/// Parses a size: `500M`, `2G`, `1.5TiB`.
///
/// # Errors
/// What it should be, in one line.
pub fn parse_size(text: &str) -> Result<Bytes, String> {
    let expected = || "expected a size from 1M to 1024T, such as 500M or 2G".to_owned();
    let text = text.trim();
    let (number, unit) = text.split_at(text.trim_end_matches(char::is_alphabetic).len());
    let number: f64 = number.trim_end().parse().map_err(|_| expected())?;
    let shift = match unit.to_ascii_uppercase().trim_end_matches("IB") {
        "M" => 20,
        "G" => 30,
        "T" => 40,
        _ => return Err(expected()),
    };
    let bytes = number * f64::from(shift).exp2();
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
        for (text, bytes) in
            [("2G", 2 << 30), ("500MiB", 500 << 20), (" 1.5 g ", 3 << 29), ("1024T", 1 << 50)]
        {
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

//! `/proc/pressure/memory` and `/proc/pressure/io`, with the parser of the `procfs` crate.

use procfs::{FromBufRead, MemoryPressure, PressureRecord};

use super::ParseError;
use crate::model::{Pressure, PsiLine, Reading};

fn stall(record: &PressureRecord) -> Option<PsiLine> {
    let shares = [record.avg10, record.avg60, record.avg300];
    shares.iter().all(|share| share.is_finite()).then_some(PsiLine {
        avg10: record.avg10,
        avg60: record.avg60,
        avg300: record.avg300,
        total_us: record.total,
    })
}

/// The `some` line and the `full` line, stored as those of memory.
///
/// # Errors
///
/// If the crate cannot parse the file, or if it was cut off.
pub fn pressure(bytes: &[u8]) -> Result<Pressure, ParseError> {
    let no = ParseError { file: "pressure/memory", item: "pair of lines" };
    // The crate removes five bytes of each line without checking its length.
    let mut lines = bytes.split_inclusive(|&b| b == b'\n');
    for start in [&b"some "[..], b"full "] {
        let line = lines.next().ok_or(no)?;
        if !line.starts_with(start) || !line.is_ascii() || !line.ends_with(b"\n") {
            return Err(no);
        }
    }
    let read = MemoryPressure::from_buf_read(bytes).map_err(|_| no)?;
    Ok(Pressure::of_memory(
        Reading::Value(stall(&read.some).ok_or(no)?),
        Reading::Value(stall(&read.full).ok_or(no)?),
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &[u8] = b"some avg10=4.50 avg60=0.91 avg300=0.00 total=681245\n\
        full avg10=2.10 avg60=0.12 avg300=0.00 total=391926\n";

    #[test]
    fn both_lines_are_found() {
        let read = pressure(GOOD).unwrap();
        assert_eq!(
            read.some,
            Reading::Value(PsiLine { avg10: 4.5, avg60: 0.91, avg300: 0.0, total_us: 681_245 })
        );
        assert_eq!(read.full.map(|full| full.total_us), Reading::Value(391_926));
    }

    #[test]
    fn a_truncated_file_is_an_error() {
        for end in 0..GOOD.len() {
            assert!(pressure(&GOOD[..end]).is_err(), "at {end}");
        }
        assert!(pressure(b"some\nfull\n").is_err());
        let odd =
            b"some avg10=NaN avg60=0 avg300=0 total=0\nfull avg10=0 avg60=0 avg300=0 total=0\n";
        assert!(pressure(odd).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = pressure(&bytes);
        }

        #[test]
        fn no_damage_panics(at in 0..GOOD.len(), byte: u8) {
            let mut bytes = GOOD.to_vec();
            bytes[at] = byte;
            let _ = pressure(&bytes);
        }
    }
}

//! `/proc/vmstat`, through the `procfs` crate.

use procfs::{FromBufRead, VmStat};

use super::ParseError;
use crate::model::{Reading, Traffic};
use crate::units::Pages;

/// Swap traffic and kills since boot.
///
/// # Errors
///
/// When the crate cannot make sense of the file, or it was cut short.
pub fn vmstat(bytes: &[u8]) -> Result<Traffic, ParseError> {
    let no = |item| ParseError { file: "vmstat", item };
    if !bytes.ends_with(b"\n") {
        return Err(no("end"));
    }
    let VmStat(table) = VmStat::from_buf_read(bytes).map_err(|_| no("table"))?;
    let counter = |name| table.get(name).and_then(|&count| u64::try_from(count).ok());
    Ok(Traffic {
        swap_in_pages: Pages(counter("pswpin").unwrap_or(0)),
        swap_out_pages: Pages(counter("pswpout").unwrap_or(0)),
        oom_kills: counter("oom_kill").map_or(Reading::Missing, Reading::Value),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn counters_are_found() {
        let read = vmstat(b"nr_free_pages 6111235\npswpin 7\npswpout 9\noom_kill 3\n").unwrap();
        assert_eq!((read.swap_in_pages, read.swap_out_pages), (Pages(7), Pages(9)));
        assert_eq!(read.oom_kills, Reading::Value(3));
        assert_eq!(vmstat(b"pswpin 7\n").unwrap().oom_kills, Reading::Missing);
        assert!(vmstat(b"pswpin 7").is_err(), "cut short");
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = vmstat(&bytes);
        }
    }
}

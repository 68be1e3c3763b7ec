//! `/proc/swaps`: the swap areas.

use super::{ParseError, unsigned};
use crate::units::Kib;

/// A swap area: a partition or a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SwapArea {
    /// `Size`: its size.
    pub size: Kib,
    /// `Used`: how much of it is in use.
    pub used: Kib,
    /// The number of the zram device that it is on.
    pub zram: Option<u32>,
}

impl SwapArea {
    /// How much of it is free.
    #[must_use]
    pub fn free(&self) -> Kib {
        self.size.saturating_sub(self.used)
    }
}

/// The areas, in the order of the file. Columns are counted from the right, because the name may
/// contain blanks.
///
/// # Errors
///
/// If the heading is missing, if a line cannot be parsed, or if the file was cut off.
pub fn swaps(bytes: &[u8]) -> Result<Vec<SwapArea>, ParseError> {
    let no = |item| ParseError { file: "swaps", item };
    let table = bytes.strip_suffix(b"\n").ok_or(no("end"))?;
    let mut lines = table.split(|&b| b == b'\n');
    lines.next().filter(|head| head.starts_with(b"Filename")).ok_or(no("head"))?;
    lines.map(|line| area(line).ok_or(no("area"))).collect()
}

/// `NAME TYPE SIZE USED PRIORITY`.
fn area(line: &[u8]) -> Option<SwapArea> {
    let blank = |b: &u8| matches!(b, b' ' | b'\t');
    let mut columns = line.rsplit(blank).filter(|column| !column.is_empty());
    super::signed(columns.next()?)?;
    let used = unsigned(columns.next()?)?;
    let size = unsigned(columns.next()?)?;
    let (_type, name) = (columns.next()?, columns.next()?);
    let number = name.strip_prefix(b"/dev/zram").and_then(unsigned);
    let zram = number.and_then(|number| u32::try_from(number).ok());
    Some(SwapArea { size: Kib(size), used: Kib(used), zram })
}

/// How much an area that is being switched off still holds.
///
/// `SwapTotal` is the sum of the sizes of the areas that stay and of what the leaving area still
/// holds (`mm/swapfile.c` `si_swapinfo`, `nr_to_be_unused`). So the sizes add up to more than
/// `SwapTotal`, by the free space of the leaving area. It is the area whose free space is nearest
/// to that difference: the two files are read one after the other, and the area empties in between.
/// A difference of less than a page does not count. The result is computed from the difference, so
/// that it matches this `SwapTotal`.
///
/// An area without any free page cannot be told from one that stays.
#[must_use]
pub fn leaving(areas: &[SwapArea], total: Kib, page: Kib) -> Option<Kib> {
    let sizes = areas.iter().fold(0_u64, |sum, area| sum.saturating_add(area.size.0));
    let missing = sizes.saturating_sub(total.0);
    if missing < page.0.max(1) {
        return None;
    }
    let nearest = areas.iter().min_by_key(|area| area.free().0.abs_diff(missing))?;
    // It holds nothing: it was just switched off, or switched on between the two reads.
    nearest.size.0.checked_sub(missing).filter(|&held| held > 0).map(Kib)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TWO: &[u8] = b"Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n\
        /dev/sda2                               partition\t1048572\t\t4096\t\t-2\n\
        /swap\\040of\\040mine\\040(deleted)       file\t\t2097148\t\t1000000\t\t5\n";
    const PAGE: Kib = Kib(4);

    fn area(size: u64, used: u64) -> SwapArea {
        SwapArea { size: Kib(size), used: Kib(used), zram: None }
    }

    #[test]
    fn areas_are_found() {
        assert_eq!(swaps(TWO), Ok(vec![area(1_048_572, 4096), area(2_097_148, 1_000_000)]));
        assert_eq!(swaps(b"Filename\tType\tSize\tUsed\tPriority\n"), Ok(Vec::new()));
        let blank_in_name = b"Filename\n/swap of mine file 8 4 -1\n";
        assert_eq!(swaps(blank_in_name), Ok(vec![area(8, 4)]));
        assert!(swaps(b"Filename\n/swap 8 4 -1\n").is_err(), "a column is missing");
        assert!(swaps(b"/swap file 8 4 -1\n").is_err(), "the head is missing");
    }

    #[test]
    fn areas_on_zram_are_found() {
        let numbers = |name: &str| {
            let table = format!("Filename\n{name} partition 8 4 100\n");
            swaps(table.as_bytes()).map(|areas| areas[0].zram)
        };
        assert_eq!(numbers("/dev/zram0"), Ok(Some(0)));
        assert_eq!(numbers("/dev/zram12"), Ok(Some(12)));
        for name in ["/dev/zram", "/dev/zram0p1", "/zram0", "/dev/zram99999999999", "/dev/sda2"] {
            assert_eq!(numbers(name), Ok(None), "{name}");
        }
    }

    #[test]
    fn a_truncated_file_never_adds_an_area() {
        let whole = swaps(TWO).unwrap();
        for end in 0..TWO.len() {
            if let Ok(areas) = swaps(&TWO[..end]) {
                assert!(areas.len() < 2 && whole.starts_with(&areas), "at {end}");
            }
        }
    }

    #[test]
    fn the_leaving_area_is_the_one_whose_free_space_is_missing() {
        let areas = [area(1000, 200), area(4000, 1000), area(900, 0)];
        let sum = Kib(5900);
        assert_eq!(leaving(&areas, sum, PAGE), None, "all stay");
        assert_eq!(leaving(&areas, Kib(6000), PAGE), None, "one came since");
        assert_eq!(leaving(&areas, Kib(5897), PAGE), None, "less than a page");
        assert_eq!(leaving(&areas, Kib(5900 - 3000), PAGE), Some(Kib(1000)));
        assert_eq!(leaving(&areas, Kib(5900 - 800), PAGE), Some(Kib(200)));
        // The second area held 40 KiB more when the total was read.
        assert_eq!(leaving(&areas, Kib(5900 - 2960), PAGE), Some(Kib(1040)));
        // The third area was switched on between the two reads and is empty.
        assert_eq!(leaving(&areas, Kib(5000), PAGE), None);
        assert_eq!(leaving(&[], Kib(0), PAGE), None);
        assert_eq!(leaving(&[area(100, 100)], Kib(100), PAGE), None, "full to the last page");
        assert_eq!(leaving(&[area(u64::MAX, 7), area(9, 9)], Kib(3), Kib(0)), Some(Kib(3)));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = swaps(&bytes);
        }

        #[test]
        fn no_damage_panics(at in 0..TWO.len(), byte: u8) {
            let mut bytes = TWO.to_vec();
            bytes[at] = byte;
            let _ = swaps(&bytes);
        }

        #[test]
        fn the_result_is_what_the_leaving_area_holds(
            sizes in proptest::collection::vec((1_u64..1 << 30, 0_u64..1 << 30), 1..5),
            which: prop::sample::Index,
        ) {
            let areas: Vec<_> = sizes.iter().map(|&(size, used)| area(size * 4, used.min(size) * 4)).collect();
            let gone = areas[which.index(areas.len())];
            let staying: u64 = areas.iter().map(|area| area.size.0).sum::<u64>() - gone.size.0;
            let unique = areas.iter().filter(|area| area.free() == gone.free()).count() == 1;
            let held = leaving(&areas, Kib(staying + gone.used.0), PAGE);
            if unique {
                let holds = Some(gone.used).filter(|held| held.0 > 0 && gone.free().0 > 0);
                prop_assert_eq!(held, holds);
            }
        }

        #[test]
        fn no_numbers_panic(areas in proptest::collection::vec(any::<(u64, u64)>(), 0..5), total: u64, page: u64) {
            let areas: Vec<_> = areas.into_iter().map(|(size, used)| area(size, used)).collect();
            let _ = leaving(&areas, Kib(total), Kib(page));
        }
    }
}

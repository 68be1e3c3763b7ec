//! Brings pages of doomtop itself into memory, and keeps them there.

use std::ops::Range;
use std::ptr::without_provenance_mut;

use nix::unistd::{SysconfVar, sysconf};
use rustix::io::Errno;
use rustix::mm::{Advice, madvise, mlock};

/// Brings the pages of this range into memory as if each were written to, without changing them
/// (`MADV_POPULATE_WRITE`, 5.14 and later). On an older kernel by `mlock(2)`, which also locks them.
///
/// # Errors
///
/// ENOMEM if a part is not mapped or there is no memory; of `mlock` also EPERM and EAGAIN.
pub fn populate_writable(range: Range<usize>) -> Result<(), Errno> {
    match advise(&range, Advice::LinuxPopulateWrite) {
        Err(Errno::INVAL) => lock(range),
        other => other,
    }
}

/// Brings the pages of a mapped file into memory and into the page tables (`MADV_POPULATE_READ`, 5.14 and
/// later); on an older kernel only into the page cache.
///
/// # Errors
///
/// ENOMEM if a part is not mapped, EIO or EFAULT if the file cannot be read.
pub fn populate_readable(range: Range<usize>) -> Result<(), Errno> {
    match advise(&range, Advice::LinuxPopulateRead) {
        Err(Errno::INVAL) => advise(&range, Advice::WillNeed),
        other => other,
    }
}

fn advise(range: &Range<usize>, advice: Advice) -> Result<(), Errno> {
    let (begin, length) = pages(range);
    // SAFETY: these three advices change neither the content of a page nor whether it is mapped.
    unsafe { madvise(without_provenance_mut(begin), length, advice) }
}

/// Locks the pages of this range into memory (`mlock(2)`), and brings them there.
///
/// # Errors
///
/// ENOMEM beyond `RLIMIT_MEMLOCK` or if a part is not mapped, EPERM if that limit is 0.
pub fn lock(range: Range<usize>) -> Result<(), Errno> {
    let (begin, length) = pages(&range);
    // SAFETY: mlock changes neither the content of a page nor whether it is mapped.
    unsafe { mlock(without_provenance_mut(begin), length) }
}

fn page_size() -> usize {
    let size = sysconf(SysconfVar::PAGE_SIZE).ok().flatten();
    size.and_then(|size| usize::try_from(size).ok()).unwrap_or(4096)
}

/// The whole pages of a range: where they begin, and their length in bytes.
fn pages(range: &Range<usize>) -> (usize, usize) {
    let page = page_size();
    let begin = range.start / page * page;
    (begin, range.end.saturating_sub(begin).next_multiple_of(page))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_widened_to_whole_pages_and_a_hole_is_an_error() {
        let page = page_size();
        assert_eq!(pages(&(page + 1..page * 2 + 1)), (page, page * 2));
        assert_eq!(pages(&(page..page)), (page, 0));
        // Nothing is ever mapped at the first page.
        for populate in [populate_writable, populate_readable, lock] {
            assert!(populate(0..page).is_err());
        }
    }

    #[test]
    fn own_memory_can_be_populated() {
        let bytes = vec![7_u8; 100_000];
        let range = bytes.as_ptr_range();
        let range = range.start.addr()..range.end.addr();
        assert_eq!(populate_writable(range.clone()), Ok(()));
        assert_eq!(populate_readable(range), Ok(()));
        assert!(bytes.iter().all(|&it| it == 7), "nothing was changed");
    }
}

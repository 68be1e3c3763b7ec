//! `/proc/sysvipc/shm`: the segments of shared memory of System V.

use super::{ParseError, unsigned};
use crate::model::SysvShm;
use crate::units::{Bytes, Kib};

/// Adds up the segments (`ipc/shm.c` `sysvipc_shm_proc_show`). Columns are found by their names.
///
/// # Errors
///
/// If the heading has no `nattch`, `rss` or `swap` (before 2.6.36), if a line cannot be parsed, or if the file was
/// cut off.
pub fn sysvipc_shm(bytes: &[u8]) -> Result<SysvShm, ParseError> {
    let no = |item| ParseError { file: "sysvipc/shm", item };
    let table = bytes.strip_suffix(b"\n").ok_or(no("end"))?;
    let mut lines = table.split(|&byte| byte == b'\n');
    let head: Vec<&[u8]> = columns(lines.next().unwrap_or_default()).collect();
    let at = |name: &'static str| head.iter().position(|it| *it == name.as_bytes()).ok_or(no(name));
    let [attached, rss, swap] = [at("nattch")?, at("rss")?, at("swap")?];
    let mut sum = SysvShm::default();
    for line in lines {
        let row: Vec<&[u8]> = columns(line).collect();
        let number = |at: usize| row.get(at).and_then(|it| unsigned(it)).ok_or(no("segment"));
        let size = |at: usize| number(at).map(|bytes| Kib(Bytes(bytes).0 / 1024));
        let ram = size(rss)?;
        sum.kib += ram;
        if number(attached)? == 0 {
            sum.orphans = sum.orphans.saturating_add(1);
            sum.orphans_kib += ram;
            sum.orphans_swap_kib += size(swap)?;
        }
    }
    Ok(sum)
}

fn columns(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|column| !column.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FILE: &[u8] = b"       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      dtime      ctime                   rss                  swap\n\
        0          0   600               1048576   812   812      0  1000  1000  1000  1000 1700000000 1700000000 1700000000               1048576                  8192\n\
        -5432        1   600               4194304   812   900      2  1000  1000  1000  1000 1700000000 1700000000 1700000000               2097152                     0\n";

    #[test]
    fn segments_without_a_process_are_told_apart() {
        let is = SysvShm {
            kib: Kib(3072),
            orphans: 1,
            orphans_kib: Kib(1024),
            orphans_swap_kib: Kib(8),
        };
        assert_eq!(sysvipc_shm(FILE), Ok(is));
        let head = FILE.split_inclusive(|&it| it == b'\n').next().unwrap();
        assert_eq!(sysvipc_shm(head), Ok(SysvShm::default()), "there is none");
    }

    #[test]
    fn a_file_that_tells_too_little_is_an_error() {
        for bad in [
            &b""[..],
            b"\n",
            b"key shmid nattch rss\n",
            &FILE[..FILE.len() - 9],
            b"nattch rss swap\n0 x 0\n",
        ] {
            assert!(sysvipc_shm(bad).is_err());
        }
        let most = b"nattch rss swap\n0 18446744073709551615 0\n0 18446744073709551615 0\n";
        assert_eq!(sysvipc_shm(most).map(|it| it.orphans), Ok(2));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = sysvipc_shm(&bytes);
        }
    }
}

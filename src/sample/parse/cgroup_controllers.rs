//! `cgroup.controllers` (version 2): the controllers of a hierarchy.

/// Whether memory is among them. A file without a line end was cut off and does not count.
#[must_use]
pub fn has_memory(bytes: &[u8]) -> bool {
    bytes
        .strip_suffix(b"\n")
        .is_some_and(|line| line.split(|&b| b == b' ').any(|name| name == b"memory"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn memory_is_found_as_a_whole_word() {
        assert!(has_memory(b"cpuset cpu io memory hugetlb pids\n"));
        assert!(!has_memory(b"cpuset memoryx\n"));
        assert!(!has_memory(b"cpu memory"));
        assert!(!has_memory(b"\n"), "a hybrid host");
        assert!(!has_memory(b""));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = has_memory(&bytes);
        }
    }
}

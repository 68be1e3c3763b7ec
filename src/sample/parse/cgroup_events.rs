//! `cgroup.events` (version 2).

/// Whether the cgroup is frozen, by itself or by an ancestor (5.2 and later); nothing where the file does not tell.
#[must_use]
pub fn frozen(bytes: &[u8]) -> Option<bool> {
    let (_, value) = super::pairs(bytes)?.find(|(key, _)| *key == b"frozen")?;
    value.map(|value| value != 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_state_is_read_where_the_kernel_tells_it() {
        assert_eq!(frozen(b"populated 1\nfrozen 1\n"), Some(true));
        assert_eq!(frozen(b"populated 1\nfrozen 0\n"), Some(false));
        for unknown in [&b"populated 1\n"[..], b"populated 1\nfrozen 1", b"frozen x\n", b""] {
            assert_eq!(frozen(unknown), None);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = frozen(&bytes);
        }
    }
}

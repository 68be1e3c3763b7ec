//! `/proc/PID/cgroup`: the cgroup of a process in the hierarchy that accounts memory.

/// The path in the hierarchy of the memory controller: in the line of the version 1 hierarchy with
/// `memory` among its controllers, otherwise in the version 2 line (`0::`). `None` without either.
/// The kernel does not allow line ends in the name of a cgroup. A line without an end was cut off
/// and does not count.
#[must_use]
pub fn memory_cgroup(bytes: &[u8]) -> Option<&[u8]> {
    let mut unified = None;
    let mut rest = bytes;
    while let Some(end) = rest.iter().position(|&b| b == b'\n') {
        let line = &rest[..end];
        rest = &rest[end + 1..];
        let mut parts = line.splitn(3, |&b| b == b':');
        let (Some(number), Some(controllers), Some(path)) =
            (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        if controllers.split(|&b| b == b',').any(|name| name == b"memory") {
            return Some(path);
        }
        if number == b"0" && controllers.is_empty() {
            unified = Some(path);
        }
    }
    unified
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HYBRID: &[u8] =
        b"9:name=systemd:/\n5:cpu,memory,devices:/a:b/c\n1:cpu:/memory\n0::/unified\n";

    #[test]
    fn the_memory_controller_takes_precedence_over_the_unified_line() {
        assert_eq!(memory_cgroup(HYBRID), Some(&b"/a:b/c"[..]));
        assert_eq!(memory_cgroup(b"0::/user.slice\n"), Some(&b"/user.slice"[..]));
        assert_eq!(memory_cgroup(b"4:memoryx:/no\n1:name=memory:/no\n"), None);
        assert_eq!(memory_cgroup(b""), None);
    }

    #[test]
    fn a_path_is_whole_or_absent() {
        for end in 0..HYBRID.len() {
            let path = memory_cgroup(&HYBRID[..end]);
            assert!(path.is_none() || path == Some(b"/a:b/c"), "{path:?} at {end}");
        }
        let v2 = b"0::/user.slice\n";
        for end in 0..v2.len() {
            assert_eq!(memory_cgroup(&v2[..end]), None);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = memory_cgroup(&bytes);
        }
    }
}

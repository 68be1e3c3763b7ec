//! `memory.events` of a version 2 cgroup.

use super::{ParseError, pairs};
use crate::model::{CgroupEvents, Reading};

/// The counters. A counter that this kernel does not have is missing, not zero.
///
/// # Errors
///
/// If the file was cut off.
pub fn memory_events(bytes: &[u8]) -> Result<CgroupEvents, ParseError> {
    let no = ParseError { file: "memory.events", item: "end" };
    let none = Reading::Missing;
    let mut events = CgroupEvents {
        low: none,
        high: none,
        max: none,
        oom: none,
        oom_kill: none,
        oom_group_kill: none,
        // Only kernels since 7.0 have it.
        sock_throttled: Reading::NotAsked,
    };
    for (key, value) in pairs(bytes).ok_or(no)? {
        let counter = match key {
            b"low" => &mut events.low,
            b"high" => &mut events.high,
            b"max" => &mut events.max,
            b"oom" => &mut events.oom,
            b"oom_kill" => &mut events.oom_kill,
            b"oom_group_kill" => &mut events.oom_group_kill,
            b"sock_throttled" => &mut events.sock_throttled,
            _ => continue,
        };
        *counter = value.map_or(Reading::Missing, Reading::Value);
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &[u8] =
        b"low 1\nhigh 22\nmax 333\noom 4\noom_kill 5\noom_group_kill 6\nsock_throttled 7\n";

    #[test]
    fn counters_are_found_or_missing() {
        let events = memory_events(GOOD).unwrap();
        let value = Reading::Value;
        assert_eq!((events.low, events.high, events.max), (value(1), value(22), value(333)));
        assert_eq!((events.oom, events.oom_kill), (value(4), value(5)));
        assert_eq!(events.oom_group_kill, value(6));
        assert_eq!(events.sock_throttled, value(7));
        let old = memory_events(b"low 0\nhigh 0\nmax 0\noom 0\n").unwrap();
        assert_eq!((old.oom, old.oom_kill), (value(0), Reading::Missing));
    }

    #[test]
    fn a_truncated_file_never_changes_a_counter() {
        let whole = memory_events(GOOD).unwrap();
        for end in 0..GOOD.len() {
            let Ok(cut) = memory_events(&GOOD[..end]) else { continue };
            for (cut, whole) in [(cut.high, whole.high), (cut.max, whole.max)] {
                assert!(cut == Reading::Missing || cut == whole, "at {end}");
            }
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = memory_events(&bytes);
        }

        #[test]
        fn no_damage_panics(at in 0..GOOD.len(), byte: u8) {
            let mut bytes = GOOD.to_vec();
            bytes[at] = byte;
            let _ = memory_events(&bytes);
        }
    }
}

//! `memory.oom_control` of a version 1 cgroup.

use super::{ParseError, pairs};
use crate::model::Reading;

/// The content of the file. What this kernel does not have is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OomControl {
    /// `oom_kill_disable`: whether tasks wait at the limit, and none is killed.
    pub kill_disabled: Reading<bool>,
    /// `under_oom`: whether the cgroup is at its limit now.
    pub under_oom: Reading<bool>,
    /// `oom_kill` (4.13 and later): processes killed here.
    pub kills: Reading<u64>,
}

/// Parses the three lines.
///
/// # Errors
///
/// If the file was cut off.
pub fn oom_control(bytes: &[u8]) -> Result<OomControl, ParseError> {
    let no = ParseError { file: "memory.oom_control", item: "end" };
    let none = Reading::Missing;
    let [mut disabled, mut under, mut kills] = [none; 3];
    for (key, value) in pairs(bytes).ok_or(no)? {
        let item = match key {
            b"oom_kill_disable" => &mut disabled,
            b"under_oom" => &mut under,
            b"oom_kill" => &mut kills,
            _ => continue,
        };
        *item = value.map_or(none, Reading::Value);
    }
    Ok(OomControl {
        kill_disabled: disabled.map(|value| value != 0),
        under_oom: under.map(|value| value != 0),
        kills,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &[u8] = b"oom_kill_disable 0\nunder_oom 1\noom_kill 37\n";

    #[test]
    fn the_lines_are_found_or_missing() {
        let expected = OomControl {
            kill_disabled: Reading::Value(false),
            under_oom: Reading::Value(true),
            kills: Reading::Value(37),
        };
        assert_eq!(oom_control(GOOD), Ok(expected));
        let old = oom_control(b"oom_kill_disable 1\nunder_oom 0\n").unwrap();
        assert_eq!((old.kill_disabled, old.kills), (Reading::Value(true), Reading::Missing));
    }

    #[test]
    fn a_truncated_file_never_changes_a_counter() {
        for end in 0..GOOD.len() {
            if let Ok(cut) = oom_control(&GOOD[..end]) {
                assert_eq!(cut.kills, Reading::Missing, "at {end}");
            }
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = oom_control(&bytes);
        }
    }
}

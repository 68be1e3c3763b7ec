//! The extended attributes with which administrators mark cgroups for oomd and systemd-oomd.

use std::ffi::CStr;
use std::os::fd::OwnedFd;

use crate::model::OomdXattrs;

/// How a cgroup is marked, if it is.
pub(crate) fn marks(dir: &OwnedFd) -> Option<OomdXattrs> {
    let marks = OomdXattrs {
        avoid: marked(dir, c"user.oomd_avoid") || marked(dir, c"trusted.oomd_avoid"),
        omit: marked(dir, c"user.oomd_omit"),
        prefer: marked(dir, c"user.oomd_prefer") || marked(dir, c"trusted.oomd_prefer"),
        owner: 0,
    };
    let any = marks.avoid || marks.omit || marks.prefer;
    // Whose mark it is decides whether it counts: unknown counts as nobody's.
    any.then(|| OomdXattrs {
        owner: rustix::fs::fstat(dir).map_or(u32::MAX, |stat| stat.st_uid),
        ..marks
    })
}

/// Whether a cgroup has an extended attribute, and a true one (systemd's `parse_boolean`).
fn marked(dir: &OwnedFd, name: &CStr) -> bool {
    let mut room = [0; 8];
    let Ok(length) = rustix::fs::fgetxattr(dir, name, &mut room[..]) else { return false };
    let value = room[..length].trim_ascii().to_ascii_lowercase();
    [&b"1"[..], b"yes", b"y", b"true", b"t", b"on"].contains(&value.as_slice())
}

#[cfg(test)]
mod tests {
    use rustix::fs::{Mode, OFlags};

    use super::*;

    #[test]
    fn marks_are_read_from_extended_attributes() {
        let folder = tempfile::TempDir::new().unwrap();
        let dir = rustix::fs::open(folder.path(), OFlags::RDONLY, Mode::empty()).unwrap();
        assert_eq!(marks(&dir), None);
        let set = |name: &CStr, value: &[u8]| {
            rustix::fs::fsetxattr(&dir, name, value, rustix::fs::XattrFlags::empty()).is_ok()
        };
        if !set(c"user.oomd_avoid", b"no") {
            eprintln!("SKIPPED: no extended attributes here");
            return;
        }
        assert_eq!(marks(&dir), None, "a mark that says no");
        assert!(set(c"user.oomd_omit", b"1\n") && set(c"user.oomd_prefer", b"far too long"));
        let read = marks(&dir).unwrap();
        assert!(read.omit && !read.avoid && !read.prefer);
        assert_eq!(read.owner, rustix::process::geteuid().as_raw());
    }
}

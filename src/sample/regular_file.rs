//! Reads regular files of the machine, such as options of a killer or unit files. Never blocks,
//! whatever another user has put in their place, and opens nothing else: opening a device has effects.

use std::fs::File;
use std::io::Read;
use std::os::fd::AsRawFd;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, openat};

/// The first `most` bytes of a regular file. `None` for anything else: reading a pipe could block,
/// and a masked unit is a link to `/dev/null`.
pub(crate) fn plain_file(path: &Path, most: u64) -> Option<Vec<u8>> {
    // The file is looked at before it is opened, and then the same one is opened, whatever has its path by
    // then.
    let found = openat(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).ok()?;
    if FileType::from_raw_mode(fstat(&found).ok()?.st_mode) != FileType::RegularFile {
        return None;
    }
    let how = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let again = format!("/proc/self/fd/{}", found.as_raw_fd());
    let file = File::from(openat(CWD, again, how, Mode::empty()).ok()?);
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;

    use super::*;

    #[test]
    fn only_a_regular_file_is_read_and_a_pipe_does_not_block() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("plain"), "12345").expect("a file");
        symlink(at("plain"), at("link")).expect("a link");
        symlink("/dev/zero", at("endless")).expect("a link");
        mkfifo(&at("pipe"), Mode::S_IRWXU).expect("a pipe");
        assert_eq!(plain_file(&at("plain"), 9).as_deref(), Some(&b"12345"[..]));
        assert_eq!(plain_file(&at("link"), 3).as_deref(), Some(&b"123"[..]));
        for other in ["endless", "pipe", ".", "none"] {
            assert_eq!(plain_file(&at(other), 9), None, "{other}");
        }
    }
}

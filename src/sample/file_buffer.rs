//! Reads files of the proc tree whole, into a buffer that is reused.

use std::ffi::CStr;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Mode, OFlags, openat};
use rustix::io::{Errno, pread, read};

/// Maximum number of bytes that a buffer holds. The longest file that a sample reads is `status` of
/// a process with 65536 groups: less than 1 MiB.
const LIMIT: usize = 1 << 20;

/// A buffer for files. It only grows, so a loop over files allocates nothing once it is warm.
pub(crate) struct FileBuffer {
    bytes: Vec<u8>,
}

impl FileBuffer {
    pub(crate) fn new() -> Self {
        Self { bytes: vec![0; 8192] }
    }

    /// Reads with `step(buffer, offset)` until the file ends. Most files of the kernel arrive in
    /// one piece (`to_end` is false): such a file has ended when a read does not fill the buffer,
    /// which saves a system call.
    fn fill(
        &mut self,
        to_end: bool,
        mut step: impl FnMut(&mut [u8], u64) -> Result<usize, Errno>,
    ) -> Result<&[u8], Errno> {
        let mut length = 0;
        loop {
            match step(&mut self.bytes[length..], length as u64) {
                Ok(0) => break,
                Ok(more) => length += more,
                Err(Errno::INTR) => continue,
                Err(errno) => return Err(errno),
            }
            let full = length == self.bytes.len();
            if full && length >= LIMIT {
                break;
            } else if full {
                self.bytes.resize(length * 2, 0);
            } else if !to_end {
                break;
            }
        }
        Ok(&self.bytes[..length])
    }

    /// The first bytes of the file that was read last.
    pub(crate) fn start(&self, length: usize) -> &[u8] {
        &self.bytes[..length.min(self.bytes.len())]
    }

    /// Opens, reads and closes a file that arrives in one piece.
    pub(crate) fn read(&mut self, dir: impl AsFd, path: &CStr) -> Result<&[u8], Errno> {
        let file = open(dir, path)?;
        self.fill(false, |room, _| read(&file, room))
    }

    /// Opens, reads and closes a file that may arrive in several pieces and have any length.
    /// Returns its first `most` bytes, and whether there are more.
    pub(crate) fn read_start(
        &mut self,
        dir: impl AsFd,
        path: &CStr,
        most: usize,
    ) -> Result<(&[u8], bool), Errno> {
        let file = open(dir, path)?;
        // One byte more shows whether the file is longer.
        let bytes = self.fill(true, |room, offset| {
            let so_far = usize::try_from(offset).unwrap_or(usize::MAX);
            let left = (most + 1).saturating_sub(so_far).min(room.len());
            if left == 0 { Ok(0) } else { read(&file, &mut room[..left]) }
        })?;
        Ok((&bytes[..bytes.len().min(most)], bytes.len() > most))
    }

    /// Reads an open file from its beginning, if it arrives in one piece.
    pub(crate) fn again(&mut self, file: impl AsFd) -> Result<&[u8], Errno> {
        self.fill(false, |room, offset| pread(&file, room, offset))
    }

    /// Reads an open file from its beginning, if it may arrive in several pieces.
    pub(crate) fn again_to_end(&mut self, file: impl AsFd) -> Result<&[u8], Errno> {
        self.fill(true, |room, offset| pread(&file, room, offset))
    }
}

/// Opens a file for reading.
pub(crate) fn open(dir: impl AsFd, path: &CStr) -> Result<OwnedFd, Errno> {
    openat(dir, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
}

/// A short path below the proc tree, stored on the stack.
pub(crate) struct ProcPath {
    room: [u8; 64],
}

impl ProcPath {
    /// `PID/FILE`.
    pub(crate) fn of(pid: i32, file: &str) -> Self {
        Self::print(format_args!("{pid}/{file}"))
    }

    /// `PID/task/TID/FILE`.
    pub(crate) fn of_thread(pid: i32, tid: i32, file: &str) -> Self {
        Self::print(format_args!("{pid}/task/{tid}/{file}"))
    }

    /// A path that is too long is cut off, so that it names no file.
    fn print(path: std::fmt::Arguments<'_>) -> Self {
        let mut room = [0; 64];
        let _ = (&mut room[..63]).write_fmt(path);
        Self { room }
    }

    pub(crate) fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.room).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_path_fits() {
        let path = ProcPath::of_thread(i32::MAX, i32::MAX, "oom_score_adj");
        assert_eq!(path.as_c_str(), c"2147483647/task/2147483647/oom_score_adj");
    }

    #[test]
    fn a_buffer_grows_to_a_long_file_and_stops_at_the_limit() {
        let mut buffer = FileBuffer::new();
        let file = vec![b'x'; 100_000];
        let whole = buffer.fill(true, |room, offset| {
            let rest = &file[offset as usize..];
            let piece = rest.len().min(room.len()).min(4096);
            room[..piece].copy_from_slice(&rest[..piece]);
            Ok(piece)
        });
        assert_eq!(whole.map(<[u8]>::len), Ok(100_000));
        let endless = buffer.fill(true, |room, _| Ok(room.len()));
        assert_eq!(endless.map(<[u8]>::len), Ok(LIMIT.next_power_of_two()));
    }
}

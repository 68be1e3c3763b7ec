//! One file of the proc tree, kept open and read in place.

use std::ffi::CStr;
use std::os::fd::OwnedFd;

use rustix::io::{Errno, pread};

use crate::sample::file_buffer::{FileBuffer, open};
use crate::sample::proc_root::ProcRoot;

/// Maximum number of bytes of a file with one number. For each read of a file of `/proc/sys` the kernel
/// allocates a buffer of the size that is asked for (`proc_sys_call_handler`, `fs/proc/proc_sysctl.c`, 5.8 and
/// later), and with 8 KiB that waits for reclaim when memory is short.
pub(crate) const NUMBER_MAX: usize = 48;

/// A system-wide file that stays open; absent if the kernel does not have it.
pub(crate) struct OpenFile {
    path: &'static CStr,
    file: Result<OwnedFd, Errno>,
}

impl OpenFile {
    pub(crate) fn open(root: &ProcRoot, path: &'static CStr) -> Self {
        Self { path, file: open(root, path) }
    }

    /// The path below the proc tree.
    pub(crate) fn path(&self) -> &'static CStr {
        self.path
    }

    /// Closes the file after unusable content; the next `read` opens it again.
    pub(crate) fn close(&mut self) {
        self.file = Err(Errno::AGAIN);
    }

    /// Reads the file from its beginning to its end. If it could not be opened for another reason
    /// than that the kernel does not have it, tries that again first.
    pub(crate) fn read<'b>(
        &mut self,
        root: &ProcRoot,
        buffer: &'b mut FileBuffer,
    ) -> Result<&'b [u8], Errno> {
        let file = self.opened(root)?;
        buffer.again_to_end(file)
    }

    /// Reads a file that holds one number, by one system call with a small buffer.
    pub(crate) fn read_number<'b>(
        &mut self,
        root: &ProcRoot,
        room: &'b mut [u8; NUMBER_MAX],
    ) -> Result<&'b [u8], Errno> {
        let file = self.opened(root)?;
        let length = loop {
            match pread(file, &mut room[..], 0) {
                Err(Errno::INTR) => {}
                other => break other?,
            }
        };
        Ok(&room[..length])
    }

    fn opened(&mut self, root: &ProcRoot) -> Result<&OwnedFd, Errno> {
        if self.file.as_ref().is_err_and(|&errno| errno != Errno::NOENT) {
            self.file = open(root, self.path);
        }
        self.file.as_ref().map_err(|errno| *errno)
    }
}

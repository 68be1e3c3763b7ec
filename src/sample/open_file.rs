//! One file of the proc tree, kept open and read in place.

use std::ffi::CStr;
use std::os::fd::OwnedFd;

use rustix::io::Errno;

use crate::sample::file_buffer::{FileBuffer, open};
use crate::sample::proc_root::ProcRoot;

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
        if self.file.as_ref().is_err_and(|&errno| errno != Errno::NOENT) {
            self.file = open(root, self.path);
        }
        match &self.file {
            Ok(file) => buffer.again_to_end(file),
            Err(errno) => Err(*errno),
        }
    }
}

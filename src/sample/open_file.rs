//! One file of the proc tree, kept open and read in place.

use std::ffi::CStr;
use std::os::fd::OwnedFd;

use rustix::io::Errno;

use crate::sample::file_buffer::{FileBuffer, open};
use crate::sample::proc_root::ProcRoot;

/// A system-wide file kept open; absent where the kernel has none.
pub(crate) struct OpenFile {
    path: &'static CStr,
    file: Result<OwnedFd, Errno>,
}

impl OpenFile {
    pub(crate) fn open(root: &ProcRoot, path: &'static CStr) -> Self {
        Self { path, file: open(root, path) }
    }

    /// Where it is below the tree.
    pub(crate) fn path(&self) -> &'static CStr {
        self.path
    }

    /// Has the next reading open it anew: what it told was no use.
    pub(crate) fn close(&mut self) {
        self.file = Err(Errno::AGAIN);
    }

    /// Reads it again from its beginning, to its end. If it could not be opened for want of
    /// something (and not because the kernel has none), that is tried again first.
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

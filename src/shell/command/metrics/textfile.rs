//! The file for the textfile collector: replaced as a whole, so that a reader sees the old or the new text.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::shell::command_error::CommandError;
use crate::shell::replaced_file::ReplacedFile;

/// How every file of metrics begins that doomtop has written.
const OWN: &[u8] = b"# HELP doomtop_";

/// The mode of the file: who runs the collector reads it.
const READABLE: u32 = 0o666;

/// The file.
pub(super) struct TextFile {
    path: PathBuf,
}

impl TextFile {
    /// A file that may be written: none yet, or one with metrics of doomtop.
    ///
    /// # Errors
    /// Another file has that name, or it cannot be read.
    pub(super) fn new(path: &Path) -> Result<Self, CommandError> {
        if path.file_name().is_none() {
            let what = format!("{}: not the name of a file", path.display());
            return Err(CommandError::failure(what));
        }
        let file = Self { path: path.to_owned() };
        file.check().map_err(CommandError::failure)?;
        Ok(file)
    }

    /// Nothing but doomtop's own metrics is replaced.
    fn check(&self) -> Result<(), String> {
        let shown = self.path.display();
        let metadata = match fs::symlink_metadata(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            metadata => metadata.map_err(|error| format!("{shown}: {error}"))?,
        };
        if !metadata.is_file() {
            return Err(format!("{shown}: not a regular file; it would be replaced by one"));
        }
        let mut start = Vec::new();
        // It may have become a pipe or a link since.
        let flags = nix::libc::O_NONBLOCK | nix::libc::O_NOFOLLOW;
        File::options()
            .read(true)
            .custom_flags(flags)
            .open(&self.path)
            .and_then(|file| file.take(OWN.len() as u64).read_to_end(&mut start))
            .map_err(|error| format!("{shown}: {error}"))?;
        if start.is_empty() || start == OWN {
            return Ok(());
        }
        Err(format!(
            "{shown}: this file does not hold metrics of doomtop; remove it, or name another file"
        ))
    }

    /// Replaces the file.
    ///
    /// # Errors
    /// Why it was not replaced.
    pub(super) fn write(&self, text: &str) -> Result<(), String> {
        self.check()?;
        // The collector reads names that end in .prom: what is written beside the file never does.
        let new = ReplacedFile::begin(&self.path, READABLE);
        new.and_then(|new| new.complete(text, false))
            .map_err(|error| format!("{}: {error}; the file was not changed", self.path.display()))
    }
}

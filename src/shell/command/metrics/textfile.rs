//! The file for the textfile collector: replaced as a whole, so that a reader sees the old or the new text.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::shell::command_error::CommandError;

/// How every file of metrics begins that doomtop has written.
const OWN: &[u8] = b"# HELP doomtop_";

/// The file, and where its next text is written.
pub(super) struct TextFile {
    path: PathBuf,
    temporary: PathBuf,
}

impl TextFile {
    /// A file that may be written: none yet, or one with metrics of doomtop.
    ///
    /// # Errors
    /// Another file has that name, or it cannot be read.
    pub(super) fn new(path: &Path) -> Result<Self, CommandError> {
        let name = path.file_name().ok_or_else(|| {
            CommandError::failure(format!("{}: not the name of a file", path.display()))
        })?;
        // The collector reads names that end in .prom: this one never does.
        let mut temporary = OsString::from(".");
        temporary.push(name);
        temporary.push(format!(".{}", std::process::id()));
        let temporary = path.with_file_name(temporary);
        let file = Self { path: path.to_owned(), temporary };
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
        let written = self.create().and_then(|mut file| file.write_all(text.as_bytes()));
        let result = written.and_then(|()| fs::rename(&self.temporary, &self.path));
        result.map_err(|error| {
            let _ = fs::remove_file(&self.temporary);
            format!("{}: {error}; the file was not changed", self.path.display())
        })
    }

    /// Creates the temporary file. It follows no symbolic link.
    fn create(&self) -> io::Result<File> {
        let create = || File::options().write(true).create_new(true).open(&self.temporary);
        match create() {
            // Left by a doomtop with the same pid that was killed.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                fs::remove_file(&self.temporary)?;
                create()
            }
            file => file,
        }
    }
}

//! A file that is replaced as a whole: a reader sees the old text or the new one, and never a part.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A file that is written beside the one that it replaces.
pub(crate) struct ReplacedFile {
    path: PathBuf,
    beside: PathBuf,
    file: File,
}

impl ReplacedFile {
    /// Creates the file beside `path`, with this mode as far as the umask allows it. Its name begins with a dot and ends
    /// with the pid, so that who looks for names of a kind (`*.prom`) does not find it. It follows no symbolic link.
    ///
    /// # Errors
    /// It cannot be created; `path` is not changed.
    pub(crate) fn begin(path: &Path, mode: u32) -> io::Result<Self> {
        let name = path.file_name().ok_or(ErrorKind::InvalidInput)?;
        let mut beside = OsString::from(".");
        beside.push(name);
        beside.push(format!(".{}", std::process::id()));
        let beside = path.with_file_name(beside);
        let create = || File::options().write(true).create_new(true).mode(mode).open(&beside);
        let file = match create() {
            // Left by a doomtop with the same pid that was killed.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                fs::remove_file(&beside).and_then(|()| create())?
            }
            file => file?,
        };
        Ok(Self { path: path.to_owned(), beside, file })
    }

    /// The new file, for its owner and mode.
    pub(crate) const fn file(&self) -> &File {
        &self.file
    }

    /// Writes the text, and puts the file in the place of the old one. `durable`: it is on the disk, with its name, when
    /// this returns.
    ///
    /// # Errors
    /// It could not be written; the old file is as it was.
    pub(crate) fn complete(mut self, text: &str, durable: bool) -> io::Result<()> {
        self.file.write_all(text.as_bytes())?;
        if durable {
            self.file.sync_all()?;
        }
        fs::rename(&self.beside, &self.path)?;
        if durable && let Some(folder) = self.path.parent() {
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            // Some file systems cannot sync a folder; the file itself is on the disk.
            let _ = File::open(folder).and_then(|folder| folder.sync_all());
        }
        Ok(())
    }
}

impl Drop for ReplacedFile {
    /// Nothing is left beside the file; after the renaming there is nothing.
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.beside);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_only_when_it_is_complete() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("values.prom");
        fs::write(&path, "before").expect("a file");
        let names = || {
            let entries = fs::read_dir(folder.path()).expect("a folder").flatten();
            entries.map(|it| it.file_name().to_string_lossy().into_owned()).collect::<Vec<_>>()
        };
        let text = || fs::read_to_string(&path).expect("it");
        let begun = ReplacedFile::begin(&path, 0o600).expect("begun");
        assert!(names().iter().all(|name| name == "values.prom" || !name.ends_with(".prom")));
        drop(begun);
        assert_eq!((names(), text()), (vec!["values.prom".to_owned()], "before".to_owned()));
        for durable in [false, true] {
            let new = format!("after {durable}");
            ReplacedFile::begin(&path, 0o600)
                .expect("begun")
                .complete(&new, durable)
                .expect("written");
            assert_eq!((names(), text()), (vec!["values.prom".to_owned()], new));
        }
        // What a crash left is replaced, and a link in its place is not followed.
        let left = folder.path().join(format!(".values.prom.{}", std::process::id()));
        std::os::unix::fs::symlink(folder.path().join("elsewhere"), &left).expect("a link");
        ReplacedFile::begin(&path, 0o600)
            .expect("begun")
            .complete("again", false)
            .expect("written");
        assert_eq!((names(), text()), (vec!["values.prom".to_owned()], "again".to_owned()));
        assert!(ReplacedFile::begin(Path::new("/"), 0o600).is_err());
    }
}

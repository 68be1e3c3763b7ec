//! The files that a load test writes: recording, verdicts, output of the command. What cannot be written is known
//! before the command starts.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

use crate::model::{Text, unescape};
use crate::report::load_test::verdict::LoadVerdict;
use crate::report::load_test::{junit, verdict_object};
use crate::shell::command_error::CommandError;
use crate::shell::new_file;

/// A file that is written beside its name, and replaces it when it is complete. What is there and no regular file, such
/// as `/dev/stdout` or a pipe, is written to and never replaced.
struct ReplacedFile {
    path: PathBuf,
    /// Where it is written until it is complete.
    beside: Option<PathBuf>,
    file: File,
}

impl ReplacedFile {
    fn begin(path: &Path) -> Result<Self, CommandError> {
        let failed =
            |error: io::Error| CommandError::failure(format!("{}: {error}", path.display()));
        let there = fs::metadata(path).ok();
        if there.as_ref().is_some_and(fs::Metadata::is_dir) {
            return Err(failed(io::ErrorKind::IsADirectory.into()));
        }
        if there.as_ref().is_some_and(|it| !it.is_file()) {
            // A pipe that nobody reads is an error, and no reason to wait.
            let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
            let file = File::options().write(true).custom_flags(flags).open(path);
            let file = file.map_err(failed)?;
            fcntl_getfl(&file)
                .and_then(|flags| fcntl_setfl(&file, flags - OFlags::NONBLOCK))
                .map_err(|error| failed(error.into()))?;
            return Ok(Self { path: path.to_owned(), beside: None, file });
        }
        // The file behind a symbolic link is replaced, not the link.
        let path = match there {
            Some(_) => fs::canonicalize(path).map_err(failed)?,
            None => path.to_owned(),
        };
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.tmp", std::process::id()));
        let beside = path.with_file_name(name);
        let create = || File::options().write(true).create_new(true).open(&beside);
        let file = match create() {
            // Left by a doomtop with the same pid that was killed.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                fs::remove_file(&beside).and_then(|()| create())
            }
            file => file,
        };
        let file = file.map_err(failed)?;
        Ok(Self { path, beside: Some(beside), file })
    }

    fn complete(mut self, text: &str) -> Result<(), String> {
        let written = self.file.write_all(text.as_bytes()).and_then(|()| {
            self.file.flush()?;
            self.beside.as_ref().map_or(Ok(()), |beside| fs::rename(beside, &self.path))
        });
        written.map_err(|error| format!("{}: {error}", self.path.display()))
    }
}

impl Drop for ReplacedFile {
    /// Nothing is left beside the file; after the renaming there is nothing.
    fn drop(&mut self) {
        if let Some(beside) = &self.beside {
            let _ = fs::remove_file(beside);
        }
    }
}

/// The files with the verdict.
pub(super) struct VerdictFiles {
    json: Option<ReplacedFile>,
    junit: Option<ReplacedFile>,
}

impl VerdictFiles {
    /// Opens them.
    ///
    /// # Errors
    /// One of them cannot be written.
    pub(super) fn begin(json: Option<&Path>, junit: Option<&Path>) -> Result<Self, CommandError> {
        let json = json.map(ReplacedFile::begin).transpose()?;
        Ok(Self { json, junit: junit.map(ReplacedFile::begin).transpose()? })
    }

    /// Writes the verdict. Returns what went wrong.
    pub(super) fn write(self, verdict: &LoadVerdict) -> Vec<String> {
        let json = self.json.map(|file| {
            let text = serde_json::to_string_pretty(&verdict_object(verdict)).unwrap_or_default();
            file.complete(&(text + "\n"))
        });
        let junit = self.junit.map(|file| file.complete(&junit(verdict)));
        [json, junit].into_iter().flatten().filter_map(Result::err).collect()
    }
}

/// Files that were made for a command, removed again where it is not started.
pub(super) struct UnusedFiles(Vec<PathBuf>);

impl UnusedFiles {
    /// These, by their neutralised names.
    pub(super) fn new<'a>(names: impl Iterator<Item = &'a Text>) -> Self {
        let path = |name: &Text| PathBuf::from(OsString::from_vec(unescape(name.as_str())));
        Self(names.map(path).collect())
    }

    /// The command was started: they are used.
    pub(super) fn keep(mut self) {
        self.0.clear();
    }
}

impl Drop for UnusedFiles {
    fn drop(&mut self) {
        for path in &self.0 {
            let _ = fs::remove_file(path);
        }
    }
}

/// A file that must not exist yet, under its name, or under the first free one that begins so.
///
/// # Errors
/// It cannot be created.
pub(super) fn create(
    path: Option<&Path>,
    stem: &str,
    ending: &str,
) -> Result<(Text, File), CommandError> {
    let shown = |path: &Path| Text::new(path.as_os_str().as_bytes());
    match path {
        Some(path) => match new_file::create(path) {
            Ok(file) => Ok((shown(path), file)),
            Err(error) => Err(CommandError::failure(format!("{}: {error}", path.display()))),
        },
        None => match new_file::new_file(stem, ending) {
            Ok((name, file)) => Ok((shown(Path::new(&name)), file)),
            Err(error) => Err(CommandError::failure(format!("{stem}.{ending}: {error}"))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_replaces_its_file_only_when_it_is_complete() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("verdict.json");
        std::fs::write(&path, "before").expect("a file");
        let names = || {
            let entries = std::fs::read_dir(folder.path()).expect("a folder").flatten();
            entries.map(|it| it.file_name().to_string_lossy().into_owned()).collect::<Vec<_>>()
        };
        drop(ReplacedFile::begin(&path).expect("begun"));
        assert_eq!(names(), ["verdict.json"]);
        assert_eq!(std::fs::read_to_string(&path).expect("it"), "before");
        ReplacedFile::begin(&path).expect("begun").complete("after").expect("written");
        assert_eq!(std::fs::read_to_string(&path).expect("it"), "after");
        assert_eq!(names(), ["verdict.json"]);
        let left = format!("verdict.json.{}.tmp", std::process::id());
        std::fs::write(folder.path().join(left), "of a crash").expect("a file");
        ReplacedFile::begin(&path).expect("begun").complete("again").expect("written");
        assert_eq!(std::fs::read_to_string(&path).expect("it"), "again");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("verdict.json", &link).expect("a link");
        ReplacedFile::begin(&link).expect("begun").complete("behind").expect("written");
        assert_eq!(std::fs::read_to_string(&path).expect("it"), "behind");
        assert!(link.is_symlink(), "the link stays");
        let fifo = folder.path().join("fifo");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
        for bad in [folder.path().to_owned(), folder.path().join("no/file"), fifo] {
            assert!(ReplacedFile::begin(&bad).is_err(), "{}", bad.display());
        }
    }

    #[test]
    fn what_is_no_regular_file_is_written_to_and_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let fifo = folder.path().join("fifo");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
        std::thread::scope(|scope| {
            let read = scope.spawn(|| std::fs::read_to_string(&fifo).expect("a text"));
            // Until the reader has opened it, nobody reads it.
            let file = loop {
                if let Ok(file) = ReplacedFile::begin(&fifo) {
                    break file;
                }
                std::thread::yield_now();
            };
            file.complete("verdict").expect("written");
            assert_eq!(read.join().expect("read"), "verdict");
        });
        let names: Vec<_> = std::fs::read_dir(folder.path()).expect("a folder").collect();
        assert_eq!(names.len(), 1, "nothing is beside it, and it is still there");
    }

    #[test]
    fn files_of_a_command_that_is_not_started_are_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, used) in [("a\x1b.tape", false), ("b.tape", true)] {
            let path = folder.path().join(name);
            let (shown, _) = create(Some(&path), "", "").expect("a file");
            let unused = UnusedFiles::new(std::iter::once(&shown));
            if used {
                unused.keep();
            } else {
                drop(unused);
            }
            assert_eq!(path.exists(), used, "{name:?}");
        }
    }
}

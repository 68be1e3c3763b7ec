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
use crate::shell::replaced_file::ReplacedFile;

/// The mode of a verdict: as any program creates files.
const READABLE: u32 = 0o666;

/// Where a verdict goes: a file that it replaces when it is complete. What is there and no regular file, such as
/// `/dev/stdout` or a pipe, is written to and never replaced.
struct VerdictFile {
    path: PathBuf,
    place: VerdictPlace,
}

enum VerdictPlace {
    Replaced(ReplacedFile),
    Open(File),
}

impl VerdictFile {
    fn begin(path: &Path) -> Result<Self, CommandError> {
        let failed =
            |error: io::Error| CommandError::failure(format!("{}: {error}", path.display()));
        new_file::refuse_dash(path).map_err(failed)?;
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
            return Ok(Self { path: path.to_owned(), place: VerdictPlace::Open(file) });
        }
        // The file behind a symbolic link is replaced, not the link.
        let path = match there {
            Some(_) => fs::canonicalize(path).map_err(failed)?,
            None => path.to_owned(),
        };
        let new = ReplacedFile::begin(&path, READABLE).map_err(failed)?;
        Ok(Self { path, place: VerdictPlace::Replaced(new) })
    }

    fn complete(self, text: &str) -> Result<(), String> {
        let written = match self.place {
            VerdictPlace::Replaced(new) => new.complete(text, false),
            VerdictPlace::Open(mut file) => file.write_all(text.as_bytes()),
        };
        written.map_err(|error| format!("{}: {error}", self.path.display()))
    }
}

/// The files with the verdict.
pub(super) struct VerdictFiles {
    json: Option<VerdictFile>,
    junit: Option<VerdictFile>,
}

impl VerdictFiles {
    /// Opens them.
    ///
    /// # Errors
    /// One of them cannot be written.
    pub(super) fn begin(json: Option<&Path>, junit: Option<&Path>) -> Result<Self, CommandError> {
        let json = json.map(VerdictFile::begin).transpose()?;
        Ok(Self { json, junit: junit.map(VerdictFile::begin).transpose()? })
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

/// Refuses one file for two things.
///
/// # Errors
/// Which flags name it.
pub(super) fn distinct(files: [(&str, Option<&Path>); 4]) -> Result<(), CommandError> {
    let mut seen: Vec<(&str, PathBuf)> = Vec::new();
    for (flag, path) in files {
        let Some(place) = path.and_then(place) else { continue };
        if let Some((other, _)) = seen.iter().find(|it| it.1 == place) {
            let what = format!("{other} and {flag} name the same file: {}", place.display());
            return Err(CommandError::usage(what));
        }
        seen.push((flag, place));
    }
    Ok(())
}

/// Where a file is or will be. What is no regular file, such as `/dev/null`, takes more than one text.
fn place(path: &Path) -> Option<PathBuf> {
    match fs::metadata(path) {
        Ok(there) => there.is_file().then(|| fs::canonicalize(path).ok())?,
        Err(_) => {
            let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
            let folder = fs::canonicalize(folder.unwrap_or_else(|| Path::new("."))).ok()?;
            Some(folder.join(path.file_name()?))
        }
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
        drop(VerdictFile::begin(&path).expect("begun"));
        assert_eq!(names(), ["verdict.json"]);
        assert_eq!(std::fs::read_to_string(&path).expect("it"), "before");
        VerdictFile::begin(&path).expect("begun").complete("after").expect("written");
        assert_eq!(std::fs::read_to_string(&path).expect("it"), "after");
        assert_eq!(names(), ["verdict.json"]);
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("verdict.json", &link).expect("a link");
        VerdictFile::begin(&link).expect("begun").complete("behind").expect("written");
        assert_eq!(std::fs::read_to_string(&path).expect("it"), "behind");
        assert!(link.is_symlink(), "the link stays");
        let fifo = folder.path().join("fifo");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
        let dash = PathBuf::from("-");
        for bad in [folder.path().to_owned(), folder.path().join("no/file"), fifo, dash] {
            assert!(VerdictFile::begin(&bad).is_err(), "{}", bad.display());
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
                if let Ok(file) = VerdictFile::begin(&fifo) {
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
    fn one_file_is_for_one_thing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("there"), "").expect("a file");
        std::os::unix::fs::symlink("there", path("link")).expect("a link");
        let check = |a: &Path, b: &Path| {
            let files = [("--verdict", Some(a)), ("--junit", None), ("--record", Some(b))];
            let [first, second, third] = files;
            distinct([first, second, third, ("--output", None)]).map_err(|it| it.lines().join(""))
        };
        assert_eq!(check(&path("a"), &path("b")), Ok(()));
        for (a, b) in [("a", "a"), ("a", "./a"), ("there", "link")] {
            let said = check(&path(a), &path(b)).expect_err("one file");
            assert!(said.starts_with("--verdict and --record name the same file: /"), "{said}");
        }
        let null = Path::new("/dev/null");
        assert_eq!(check(null, null), Ok(()));
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

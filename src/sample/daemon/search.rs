//! What the readers of all killers share: the running killers, and the files of their filesystem.

use std::path::Path;

use crate::model::{KillerOptions, KillerPresence, Text};
use crate::sample::regular_file::plain_file;

/// Maximum number of bytes that are read of an options file.
const FILE_MAX: u64 = 1 << 18;

/// Maximum number of bytes that are read of dpkg's database.
const DPKG_STATUS_MAX: u64 = 1 << 25;

/// Maximum number of files that are read of one directory.
const LISTED_MAX: usize = 4000;

/// A running killer.
pub(crate) struct Running {
    pub(crate) comm: &'static str,
    pub(crate) pid: i32,
    /// Its command line, the program first.
    pub(crate) args: Vec<Vec<u8>>,
}

impl Running {
    /// The argument after the first that equals one of `names`: `--config PATH`.
    pub(crate) fn value_after(&self, names: [&str; 2]) -> Option<String> {
        let at = self
            .args
            .iter()
            .position(|arg| names.iter().any(|name| name.as_bytes() == arg.as_slice()))?;
        String::from_utf8(self.args.get(at + 1)?.clone()).ok()
    }

    /// The value of an option with or without an equals sign: `--device=8:0`, `--device 8:0`.
    pub(crate) fn value_of(&self, name: &str) -> Option<String> {
        let mut args = self.args.iter().map(|arg| String::from_utf8_lossy(arg));
        while let Some(arg) = args.next() {
            match arg.strip_prefix(name) {
                Some("") => return args.next().map(|value| value.into_owned()),
                Some(rest) if rest.starts_with('=') => return Some(rest[1..].to_owned()),
                _ => {}
            }
        }
        None
    }
}

/// One search for all killers.
pub(crate) struct Search<'a> {
    /// The root of the filesystem.
    files: &'a Path,
    running: Vec<Running>,
}

impl<'a> Search<'a> {
    pub(crate) fn new(files: &'a Path, running: Vec<Running>) -> Self {
        Self { files, running }
    }

    /// The bytes of a regular file, by its path below the root.
    pub(crate) fn file(&self, place: &str) -> Option<Vec<u8>> {
        plain_file(&self.files.join(place), FILE_MAX)
    }

    /// The killer of this name that runs.
    pub(crate) fn running(&self, comm: &str) -> Option<&Running> {
        self.running.iter().find(|it| it.comm == comm)
    }

    /// Whether a killer of this name runs, or else one of its `programs` exists.
    pub(crate) fn presence(&self, comm: &str, programs: &[&str]) -> KillerPresence {
        match self.running(comm) {
            Some(running) => KillerPresence::Running(running.pid),
            None if programs.iter().any(|place| self.files.join(place).exists()) => {
                KillerPresence::Installed
            }
            None => KillerPresence::Absent,
        }
    }

    /// The options of a killer before any of its files is read: the defaults.
    pub(crate) fn defaults<T: Default>(&self, comm: &str, programs: &[&str]) -> KillerOptions<T> {
        KillerOptions { found: self.presence(comm, programs), ..KillerOptions::default() }
    }

    /// Major and minor version of a package, from the database of dpkg or of pacman.
    pub(crate) fn version(&self, package: &str) -> Option<(u32, u32)> {
        let numbers = |version: &str| {
            let upstream = version.split_once(':').map_or(version, |(_epoch, rest)| rest);
            let mut numbers = upstream.split(|c: char| !c.is_ascii_digit());
            Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
        };
        let status = plain_file(&self.files.join("var/lib/dpkg/status"), DPKG_STATUS_MAX);
        if let Some(bytes) = status {
            let wanted = format!("Package: {package}\n");
            let lines = String::from_utf8_lossy(&bytes);
            let entry = lines.split("\n\n").find(|entry| entry.starts_with(&wanted))?;
            return numbers(entry.lines().find_map(|line| line.strip_prefix("Version: "))?);
        }
        let entries = std::fs::read_dir(self.files.join("var/lib/pacman/local")).ok()?;
        let mut names = entries.flatten().map(|entry| entry.file_name());
        names.find_map(|name| numbers(name.to_str()?.strip_prefix(package)?.strip_prefix('-')?))
    }

    /// The names in a directory that have this ending, sorted.
    pub(crate) fn listed(&self, dir: &str, ending: &str) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.files.join(dir)) else { return Vec::new() };
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<String> =
            names.filter(|name| name.ends_with(ending)).take(LISTED_MAX).collect();
        names.sort();
        names
    }
}

/// A string from a file or of doomtop's own as the model keeps it.
pub(crate) fn text(string: &str) -> Text {
    Text::new(string.as_bytes())
}

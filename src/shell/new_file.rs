//! Files that the user asks for: the journal, a unit file that persists a value. An existing file is never
//! overwritten.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::app::NoticeLevel;
use crate::app::session::journal::Journal;
use crate::model::Machine;

/// Only the owner reads and writes it.
const OWNER_ONLY: u32 = 0o600;
/// The group reads it, too.
pub(crate) const GROUP_READS: u32 = 0o640;

/// Creates a file under the first free name: `stem.ending`, `stem-2.ending` and so on. Returns its name, too.
///
/// # Errors
/// It could not be created, or all of 99 names are taken.
pub(crate) fn new_file(stem: &str, ending: &str) -> io::Result<(String, File)> {
    new_file_of(stem, ending, OWNER_ONLY)
}

/// The same with this mode, as far as the umask allows it.
///
/// # Errors
/// As above.
pub(crate) fn new_file_of(stem: &str, ending: &str, mode: u32) -> io::Result<(String, File)> {
    let names = (1..100).map(|nth| match nth {
        1 => format!("{stem}.{ending}"),
        nth => format!("{stem}-{nth}.{ending}"),
    });
    for name in names {
        match create_of(&name, mode) {
            Ok(file) => return Ok((name, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Creates a file that only its owner may read: recordings, samples and journals hold command lines, which
/// may hold secrets, and what `hidepid` hides. A dangling symbolic link counts as an existing file.
///
/// # Errors
/// It exists, cannot be created, or is `-`.
pub(crate) fn create(path: impl AsRef<Path>) -> io::Result<File> {
    refuse_dash(path.as_ref())?;
    create_of(path, OWNER_ONLY)
}

fn create_of(path: impl AsRef<Path>, mode: u32) -> io::Result<File> {
    File::options().write(true).create_new(true).mode(mode).open(path)
}

/// Refuses `-`, which elsewhere means standard output, as the name of a file.
///
/// # Errors
/// It is that name.
pub(crate) fn refuse_dash(path: &Path) -> io::Result<()> {
    if path != Path::new("-") {
        return Ok(());
    }
    Err(io::Error::other(
        "needs the name of a file, not standard output (./- is a file of that name)",
    ))
}

/// Creates a file as any program does, for text that names nobody.
fn create_public(path: impl AsRef<Path>) -> io::Result<File> {
    File::options().write(true).create_new(true).open(path)
}

/// Writes a text to a path as it was typed. Returns what to tell the user.
pub(crate) fn write(path: &str, text: &str) -> (NoticeLevel, String) {
    let written =
        create_public(expand_home(path)).and_then(|mut file| file.write_all(text.as_bytes()));
    match written {
        Ok(()) => (NoticeLevel::Good, format!("written to {path}")),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            (NoticeLevel::Warn, format!("{path} exists already: nothing was written"))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => (
            NoticeLevel::Warn,
            format!("{path}: its directory does not exist (mkdir -p creates it)"),
        ),
        Err(error) => (NoticeLevel::Warn, format!("{path}: {error}")),
    }
}

/// The path with the home directory for `~`.
fn expand_home(path: &str) -> PathBuf {
    let own = path.strip_prefix("~/").zip(std::env::var_os("HOME"));
    own.map_or_else(|| PathBuf::from(path), |(rest, home)| PathBuf::from(home).join(rest))
}

/// Writes the journal to a new file in the working directory. Returns what to tell the user.
pub(crate) fn journal(journal: &Journal, machine: &Machine) -> (NoticeLevel, String) {
    let first = journal.entries.first().map_or(0, |entry| entry.unix_ms);
    let written =
        new_file(&format!("doomtop-journal-{first}"), "txt").and_then(|(name, mut file)| {
            file.write_all(text(journal, machine).as_bytes())?;
            Ok(name)
        });
    match written {
        Ok(name) => (NoticeLevel::Good, format!("the journal is written to {name}")),
        Err(error) => (NoticeLevel::Warn, format!("cannot write the journal: {error}")),
    }
}

/// The journal as text: one line per entry, times in UTC.
fn text(journal: &Journal, machine: &Machine) -> String {
    let mut out = format!("# doomtop on {} ({}): what was done\n", machine.name, machine.kernel);
    for entry in &journal.entries {
        let time = Timestamp::from_millisecond(entry.unix_ms).unwrap_or_default();
        let _ = write!(out, "{time:.0}  ");
        let _ = match &entry.acted {
            Some(acted) => {
                let values = acted.values.map(|(from, to)| format!(" {from} -> {to}"));
                let (subject, what) = (&acted.subject, &acted.what);
                let values = values.unwrap_or_default();
                writeln!(out, "{subject}: {what}{values}: {}", acted.outcome)
            }
            None => writeln!(out, "{}", entry.text),
        };
    }
    out
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::app::session::journal::JournalAct;
    use crate::intent::{Intent, Outcome, Refusal};
    use crate::model::ProcId;
    use crate::units::Adj;

    #[test]
    fn an_existing_file_is_never_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("50-oom.conf");
        let path = path.to_str().expect("a path");
        assert_eq!(write(path, "one").0, NoticeLevel::Good);
        let (level, said) = write(path, "two");
        assert_eq!(level, NoticeLevel::Warn);
        assert!(said.contains("exists already"), "{said}");
        assert_eq!(std::fs::read_to_string(path).expect("a text"), "one");
        // Not through a link to a missing file either.
        let (link, target) = (folder.path().join("link"), folder.path().join("target"));
        std::os::unix::fs::symlink(&target, &link).expect("a link");
        assert_eq!(write(link.to_str().expect("a path"), "three").0, NoticeLevel::Warn);
        assert!(!target.exists());
        let (_, said) = write(folder.path().join("no/such").to_str().expect("a path"), "four");
        assert!(said.contains("directory does not exist"), "{said}");
    }

    #[test]
    fn a_dash_is_no_name_of_a_file() {
        let said = create("-").expect_err("it means standard output elsewhere").to_string();
        assert!(said.contains("not standard output"), "{said}");
        assert!(refuse_dash(Path::new("./-")).is_ok());
    }

    #[test]
    fn what_holds_command_lines_is_for_its_owner_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let stem = folder.path().join("doomtop-1");
        let (name, _) = new_file(stem.to_str().expect("a path"), "jsonl").expect("a file");
        let mode = std::fs::metadata(name).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        // A unit file is read by others.
        let unit = folder.path().join("50-oom.conf");
        write(unit.to_str().expect("a path"), "x");
        let mode = std::fs::metadata(unit).expect("a file").permissions().mode();
        assert_eq!(mode & 0o400, 0o400);
    }

    #[test]
    fn the_journal_shows_refusals_with_their_values() {
        let mut journal = Journal::default();
        let (who, name) = (ProcId { pid: 7, ..ProcId::default() }, "java".to_owned());
        let intent = Intent::SetAdj { who, name, from: Adj(0), to: Adj(-5), revert: false };
        let outcome = Outcome::Refused { intent, refusal: Refusal::Gone };
        journal.note(1_763_726_400_000, NoticeLevel::Warn, "7 java: already gone".to_owned());
        journal.tie(JournalAct::of(&outcome), None);
        let text = text(&journal, &Machine::default());
        let line = text.lines().nth(1).expect("a line");
        assert_eq!(
            line,
            "2025-11-21T12:00:00Z  7 java: oom_score_adj +0 -> -5: refused: already gone"
        );
    }
}

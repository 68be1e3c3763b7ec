//! Why a file could not be read, and how that is recorded as a [`Reading`].

use rustix::io::Errno;

use crate::model::Reading;

/// Why a file of a process could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileAbsence {
    /// ENOENT, ESRCH: the process is gone, or this kernel has no such file.
    Gone,
    /// EACCES, EPERM.
    Denied,
    /// Any other error, or content that cannot be parsed.
    Missing,
}

impl From<Errno> for FileAbsence {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::NOENT | Errno::SRCH => Self::Gone,
            Errno::ACCESS | Errno::PERM => Self::Denied,
            _ => Self::Missing,
        }
    }
}

/// Converts an absence to a reading. Callers handle a process that is gone before.
pub(crate) fn reading<T>(read: Result<T, FileAbsence>) -> Reading<T> {
    match read {
        Ok(value) => Reading::Value(value),
        Err(FileAbsence::Denied) => Reading::Denied,
        Err(FileAbsence::Missing | FileAbsence::Gone) => Reading::Missing,
    }
}

/// The fact in a file that may be absent, on an older kernel or because an accounting is switched
/// off. `parse` returns `None` if it cannot parse the content.
pub(crate) fn perhaps<T>(
    read: Result<&[u8], Errno>,
    parse: impl FnOnce(&[u8]) -> Option<T>,
) -> Reading<T> {
    match read {
        Ok(bytes) => parse(bytes).map_or(Reading::Missing, Reading::Value),
        Err(Errno::ACCESS | Errno::PERM) => Reading::Denied,
        Err(_) => Reading::Missing,
    }
}

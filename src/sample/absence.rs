//! Why a file could not be read, and what that makes of the fact in it.

use rustix::io::Errno;

use crate::model::Reading;

/// What was not read, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileAbsence {
    /// ENOENT, ESRCH: the process is gone, or there is no such file here.
    Gone,
    /// EACCES, EPERM.
    Denied,
    /// Anything else: there is no such fact here.
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

/// An absence as a reading. Who is gone altogether was sorted out before.
pub(crate) fn reading<T>(read: Result<T, FileAbsence>) -> Reading<T> {
    match read {
        Ok(value) => Reading::Value(value),
        Err(FileAbsence::Denied) => Reading::Denied,
        Err(FileAbsence::Missing | FileAbsence::Gone) => Reading::Missing,
    }
}

/// The fact in a file that may be absent: an older kernel, or an accounting that is switched off.
/// `parse` gives `None` for a file whose content cannot be read.
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

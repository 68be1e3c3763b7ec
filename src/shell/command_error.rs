//! Why a command failed: its exit status, what is wrong, and what would help.

use super::exit_status::ExitStatus;

/// The end of a command that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommandError {
    /// The exit status of the program.
    pub(crate) status: ExitStatus,
    /// What is wrong and where; one line for each fault.
    pub(crate) what: Vec<String>,
    /// What would help; printed behind the last fault.
    pub(crate) hints: Vec<String>,
}

impl CommandError {
    /// The machine or a file could not be read or written.
    pub(crate) fn failure(what: impl ToString) -> Self {
        Self::new(ExitStatus::Failure, vec![what.to_string()])
    }

    /// The command line asks for something that does not exist or does not fit together.
    pub(crate) fn usage(what: impl ToString) -> Self {
        Self::new(ExitStatus::Usage, vec![what.to_string()])
    }

    /// A rule file is invalid: every fault that was found in it.
    pub(crate) const fn invalid_file(faults: Vec<String>) -> Self {
        Self::new(ExitStatus::Usage, faults)
    }

    /// Something is forbidden here.
    pub(crate) fn refused(what: impl ToString) -> Self {
        Self::new(ExitStatus::Refused, vec![what.to_string()])
    }

    /// A command was not run, with its status.
    pub(crate) fn not_run(status: ExitStatus, what: impl ToString) -> Self {
        Self::new(status, vec![what.to_string()])
    }

    const fn new(status: ExitStatus, what: Vec<String>) -> Self {
        Self { status, what, hints: Vec::new() }
    }

    /// The same with something that would help.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The lines for standard error.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = self.what.clone();
        if let Some(last) = lines.last_mut() {
            for hint in &self.hints {
                last.push_str("; ");
                last.push_str(hint);
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_follow_the_last_fault() {
        let error = CommandError::usage("no such column").hint("use pid").hint("or rss");
        assert_eq!(error.lines(), ["no such column; use pid; or rss"]);
        let faults = vec!["a:1".to_owned(), "a:2".to_owned()];
        let error = CommandError::invalid_file(faults).hint("see --help");
        assert_eq!(error.lines(), ["a:1", "a:2; see --help"]);
    }
}

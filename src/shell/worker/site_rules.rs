//! The thread that watches the file of a site policy.

use std::path::Path;
use std::sync::mpsc::Sender;

use crate::app::{LoadedPolicy, Msg, NoticeLevel};
use crate::policy::site::{SitePolicy, SiteRule};
use crate::shell::event::Inbox;
use crate::shell::rule_file::compile_policy;
use crate::shell::worker::file_watch::{self, FileChange, FileWatch};

/// Maximum number of versions loaded in one run: each stays in memory until the program ends.
const MAX_VERSIONS: u32 = 100;

/// A watched site policy.
pub(crate) struct SiteRuleWatch {
    file: FileWatch<SiteRule>,
    loaded: u32,
}

impl SiteRuleWatch {
    /// Loads the policy of a file and watches it from now on.
    ///
    /// # Errors
    /// Why the file cannot be read, or every fault in it, one line each.
    pub(crate) fn start(path: &Path) -> Result<(&'static SitePolicy, Self), Vec<String>> {
        let (rule, file) = FileWatch::start(path, compile_policy)?;
        Ok((rule.leak(&path.display().to_string()), Self { file, loaded: 1 }))
    }

    /// A new version of the policy, if there is one.
    ///
    /// # Errors
    /// The new version is invalid, or too many were loaded: why, in one line. The last one stays.
    pub(crate) fn check(&mut self) -> Option<Result<&'static SitePolicy, String>> {
        let rule = match self.file.check()? {
            FileChange::New(rule) => rule,
            // The policy that is in use anyway.
            FileChange::Restored(_) => return None,
            FileChange::Invalid(what) => {
                return Some(Err(format!("{what}; the last valid version stays in use")));
            }
        };
        let name = self.file.path().display().to_string();
        if self.loaded >= MAX_VERSIONS {
            let what =
                format!("{name}: {MAX_VERSIONS} versions were loaded; restart doomtop for more");
            return Some(Err(what));
        }
        self.loaded += 1;
        Some(Ok(rule.leak(&name)))
    }
}

/// Starts the thread; each word through the returned sender makes it check the file.
pub(crate) fn start(mut watch: SiteRuleWatch, inbox: Inbox) -> Option<Sender<()>> {
    let check = move || match watch.check()? {
        Ok(rule) => Some(Msg::Rule(LoadedPolicy(rule))),
        Err(what) => Some(Msg::Notice(NoticeLevel::Warn, what)),
    };
    file_watch::start("site rules", check, inbox)
}

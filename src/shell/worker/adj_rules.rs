//! The thread that watches the file of adj rules.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use crate::app::Msg;
use crate::app::adj_rules::reload::RulesUpdate;
use crate::policy::site::AdjRules;
use crate::shell::event::Inbox;
use crate::shell::rule_file::{compile_adj_rules, shown};
use crate::shell::worker::file_watch::{self, FileChange, FileWatch};

/// A watched file of adj rules.
pub(crate) struct AdjRulesWatch(FileWatch<Arc<AdjRules>>);

impl AdjRulesWatch {
    /// Loads the rules of a file and watches it from now on.
    ///
    /// # Errors
    /// Why the file cannot be read, or every fault in it, one line each.
    pub(crate) fn start(path: &Path) -> Result<(RulesUpdate, Self), Vec<String>> {
        let (rules, file) = FileWatch::start(path, compile_adj_rules)?;
        Ok((RulesUpdate::Good { file: shown(path), rules }, Self(file)))
    }

    /// What has become of the file. A valid version that comes back after an invalid one counts as new:
    /// the invalid one switched the rules off.
    fn update(&self, change: FileChange<Arc<AdjRules>>) -> RulesUpdate {
        match change {
            FileChange::New(rules) | FileChange::Restored(rules) => {
                RulesUpdate::Good { file: shown(self.0.path()), rules }
            }
            FileChange::Invalid(what) => RulesUpdate::Bad(crate::model::printable(&what)),
        }
    }
}

/// Starts the thread; each word through the returned sender makes it check the file.
pub(crate) fn start(mut watch: AdjRulesWatch, inbox: Inbox) -> Option<Sender<()>> {
    let check = move || {
        let change = watch.0.check()?;
        Some(Msg::AdjRules(watch.update(change)))
    };
    file_watch::start("adj rules", check, inbox)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_is_loaded_again_and_an_invalid_one_is_reported_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("adj.toml");
        let mut version = 0;
        // Each version has a size of its own, so that the test does not depend on clocks.
        let mut write = |text: &str| {
            version += 1;
            std::fs::write(&path, format!("{text}\n#{}", "#".repeat(version))).expect("written");
        };
        let rule = "[[rule]]\nfor = 'x'\nadj = 5";
        write(rule);
        let (first, mut watch) = AdjRulesWatch::start(&path).expect("good");
        let mut check = || {
            let change = watch.0.check_now()?;
            Some(watch.update(change))
        };
        assert!(matches!(first, RulesUpdate::Good { rules, .. } if rules.rules.len() == 1));
        assert!(check().is_none());
        write("[[rule]]\nfor = 'x'\nadj = 5000");
        let Some(RulesUpdate::Bad(what)) = check() else { panic!("bad") };
        assert!(what.contains("adj.toml:3:7: adj must be a number"), "{what}");
        assert!(check().is_none(), "reported once");
        write(rule);
        assert!(matches!(check(), Some(RulesUpdate::Good { .. })), "it is good again");
        std::fs::remove_file(&path).expect("removed");
        assert!(matches!(check(), Some(RulesUpdate::Bad(what)) if what.contains("No such file")));
        std::fs::write(&path, [b'#', 0xff]).expect("written");
        assert!(matches!(check(), Some(RulesUpdate::Bad(what)) if what.contains("not UTF-8")));
        std::fs::remove_file(&path).expect("removed");
        std::fs::create_dir(&path).expect("a folder");
        assert!(matches!(check(), Some(RulesUpdate::Bad(_))));
        assert!(AdjRulesWatch::start(&path).is_err());
    }
}

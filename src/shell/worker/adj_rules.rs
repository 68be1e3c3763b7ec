//! The file of rules of adj: reads it, watches it, and `doomtop rules check` says what it would do.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Instant;

use crate::app::adj_rules::rules::{RuleCaseState, RulesUpdate, preview_rules};
use crate::app::{Msg, Setup};
use crate::policy::site::AdjRules;
use crate::shell::command::policies;
use crate::shell::tui::Event;
use crate::shell::worker::site_rules::{FileStamp, PAUSE, lines, read, users};
use crate::source::Source;

/// A file that rules came from.
pub(crate) struct RulesFileWatch {
    path: PathBuf,
    text: String,
    stamp: Option<FileStamp>,
    looked: Instant,
    /// The newest version is bad.
    bad: bool,
}

/// Reads and compiles a file.
///
/// # Errors
/// Why it cannot be read, or everything that is wrong with it.
pub(crate) fn compile(path: &Path) -> Result<(Arc<AdjRules>, String), Vec<String>> {
    let text = read(path).map_err(|what| vec![format!("{}{what}", path.display())])?;
    match AdjRules::compile(&text, Arc::new(users())) {
        Ok(rules) => Ok((Arc::new(rules), text)),
        Err(faults) => Err(lines(path, &faults)),
    }
}

/// The name of a file, harmless.
fn shown(path: &Path) -> String {
    crate::model::neutral(path.display().to_string().as_bytes())
}

/// The rules of a file, and what watches it from now on.
///
/// # Errors
/// Why it cannot be read, or everything that is wrong with it.
pub(crate) fn load(path: &Path) -> Result<(RulesUpdate, RulesFileWatch), Vec<String>> {
    // Before it is read: what changes in between is read again.
    let stamp = FileStamp::of(path).ok();
    let (rules, text) = compile(path)?;
    let watch =
        RulesFileWatch { path: path.to_owned(), text, stamp, looked: Instant::now(), bad: false };
    Ok((RulesUpdate::Good { file: shown(path), rules }, watch))
}

impl RulesFileWatch {
    /// Looks whether the file is another one, and reads it if so. A bad version is told once; the
    /// good one before it, come back, counts as a new one.
    pub(crate) fn sample(&mut self) -> Option<RulesUpdate> {
        if self.looked.elapsed() < PAUSE {
            return None;
        }
        self.look_now()
    }

    fn look_now(&mut self) -> Option<RulesUpdate> {
        self.looked = Instant::now();
        let stamp = FileStamp::of(&self.path).ok();
        if stamp == self.stamp {
            return None;
        }
        self.stamp = stamp;
        match compile(&self.path) {
            Ok((_, text)) if text == self.text && !self.bad => None,
            Ok((rules, text)) => {
                (self.text, self.bad) = (text, false);
                Some(RulesUpdate::Good { file: shown(&self.path), rules })
            }
            Err(wrong) => {
                self.bad = true;
                let more = match wrong.len() {
                    0 | 1 => String::new(),
                    count => format!(" (and {} more)", count - 1),
                };
                let first = wrong.into_iter().next().unwrap_or_default();
                Some(RulesUpdate::Bad(crate::model::neutral(format!("{first}{more}").as_bytes())))
            }
        }
    }
}

/// Watches in a thread of its own, since a file may be on a disk that hangs. Each word through what
/// comes back makes it look once.
pub(crate) fn start(mut watch: RulesFileWatch, inbox: Sender<Event>) -> Option<Sender<()>> {
    let (orders, asked) = channel();
    let work = move || {
        while asked.recv().is_ok() {
            while asked.try_recv().is_ok() {}
            if let Some(news) = watch.sample()
                && inbox.send(Event::Told(Msg::AdjRules(news))).is_err()
            {
                return;
            }
        }
    };
    thread::Builder::new().name("adj rules".to_owned()).spawn(work).ok()?;
    Some(orders)
}

/// A good file: what each rule would do now, and to whom.
pub(crate) fn check(
    setup: &Setup,
    mut source: Box<dyn Source>,
    path: &Path,
    rules: &Arc<AdjRules>,
) -> Result<u8, String> {
    let scene = policies::moment(setup, source.as_mut())?;
    let cases = preview_rules(rules, &scene, setup.own);
    let mut text = String::new();
    let count = rules.rules.len();
    let word = if count == 1 { "rule" } else { "rules" };
    let _ = writeln!(text, "{}: good; {count} {word}", shown(path));
    for (nth, rule) in rules.rules.iter().enumerate() {
        let whom: Vec<String> = rule.subjects.iter().map(ToString::to_string).collect();
        let _ = writeln!(
            text,
            "{} (line {}): adj {} for {}",
            rule.about,
            rule.location.line,
            rule.adj,
            whom.join(" or ")
        );
        let cases = || cases.iter().filter(|case| case.rule == nth);
        for case in cases().filter(|case| case.state != RuleCaseState::Has) {
            let from = case.from.map_or_else(|| "?".to_owned(), |from| from.to_string());
            let what = match &case.state {
                RuleCaseState::Never(why) => format!("left alone: {why}"),
                _ => "would be written".to_owned(),
            };
            let _ = writeln!(text, "    {} {}  {from} -> {}  {what}", case.who, case.name, case.to);
        }
        match (cases().count(), cases().filter(|case| case.state == RuleCaseState::Has).count()) {
            (0, _) => drop(writeln!(text, "    means nobody now")),
            (_, 0) => {}
            (_, have) => drop(writeln!(text, "    {have} with that value already")),
        }
    }
    let would =
        cases.iter().filter(|case| matches!(case.state, RuleCaseState::Would | RuleCaseState::New));
    let _ = writeln!(text, "{} would be written now", would.count());
    policies::print(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_changes_is_read_again_and_a_bad_one_is_told_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("adj.toml");
        let mut nth = 0;
        // A size of its own for each version, so that no clock has to go on.
        let mut write = |text: &str| {
            nth += 1;
            std::fs::write(&path, format!("{text}\n#{}", "#".repeat(nth))).expect("written");
        };
        let rule = "[[rule]]\nfor = 'x'\nadj = 5";
        write(rule);
        let (first, mut watch) = load(&path).expect("good");
        assert!(matches!(first, RulesUpdate::Good { rules, .. } if rules.rules.len() == 1));
        assert!(watch.look_now().is_none());
        write("[[rule]]\nfor = 'x'\nadj = 5000");
        let Some(RulesUpdate::Bad(what)) = watch.look_now() else { panic!("bad") };
        assert!(what.contains("adj.toml:3:7: adj is a number"), "{what}");
        assert!(watch.look_now().is_none(), "told once");
        write(rule);
        assert!(matches!(watch.look_now(), Some(RulesUpdate::Good { .. })), "it is good again");
        std::fs::remove_file(&path).expect("removed");
        assert!(
            matches!(watch.look_now(), Some(RulesUpdate::Bad(what)) if what.contains("No such file"))
        );
        std::fs::write(&path, [b'#', 0xff]).expect("written");
        assert!(
            matches!(watch.look_now(), Some(RulesUpdate::Bad(what)) if what.contains("no UTF-8"))
        );
        std::fs::remove_file(&path).expect("removed");
        std::fs::create_dir(&path).expect("a folder");
        assert!(matches!(watch.look_now(), Some(RulesUpdate::Bad(_))));
        assert!(load(&path).is_err());
    }
}

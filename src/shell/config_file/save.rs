//! Saves settings into the user's settings file: what is in it stays, comments and order included; the file is
//! replaced atomically, and symbolic links are followed.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item, Table, Value};

use crate::alarm::Alarm;
use crate::shell::config_file::value::SettingValue;
use crate::shell::replaced_file::ReplacedFile;
use crate::shell::rule_file;

/// Maximum number of symbolic links on the way.
const LINKS: u32 = 40;

/// Says why a text could not be read as the file at a path.
#[derive(Clone, Copy)]
pub(crate) struct SavedCheck(pub(crate) fn(&str, &Path) -> Result<(), String>);

impl Default for SavedCheck {
    /// Takes any text.
    fn default() -> Self {
        Self(|_, _| Ok(()))
    }
}

/// Writes settings into a file, which is created with its directories where it does not exist. A name with a dot is
/// a key of a table: `keys.preset`.
///
/// # Errors
/// Why nothing was saved, in one line: the file as it is stays.
pub(crate) fn save(
    path: &Path,
    settings: &[(&str, SettingValue)],
    check: SavedCheck,
) -> Result<(), String> {
    let named = |what: String| format!("{}: {what}", path.display());
    let target = resolve(path).map_err(|error| named(error.to_string()))?;
    let old = match fs::symlink_metadata(&target) {
        Ok(_) => {
            Some(rule_file::read(&target).map_err(|what| format!("{}{what}", path.display()))?)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(named(error.to_string())),
    };
    let text = edited(old.as_deref().unwrap_or_default(), settings).map_err(named)?;
    if old.as_ref() == Some(&text) {
        return Ok(());
    }
    check.0(&text, path).map_err(|why| format!("not saved: {why}"))?;
    replace(&target, &text).map_err(|error| named(error.to_string()))
}

/// The text of a file with these settings.
pub(crate) fn edited(text: &str, settings: &[(&str, SettingValue)]) -> Result<String, String> {
    let parsed = |text: &str| {
        text.parse::<DocumentMut>().map_err(|error: toml_edit::TomlError| {
            let why = error.message().replace('\n', " ");
            format!("not saved, because the file is not valid: {why}")
        })
    };
    let mut old = parsed(text)?;
    let mut text = with_first_settings(text, settings);
    for (name, value) in settings {
        // A new table goes to the end of the file: settings in comments above it stay outside of it.
        if let Some((section, key)) = name.split_once('.')
            && !old.contains_key(section)
        {
            let mut table = Table::new();
            table.insert(key, Item::Value(Value::from(value)));
            let mut part = DocumentMut::new();
            part.insert(section, Item::Table(table));
            old.insert(section, Item::Table(Table::new()));
            separate(&mut text);
            text.push_str(part.to_string().trim_start());
        }
    }
    let mut document = parsed(&text)?;
    for (name, value) in settings {
        if let ("alarms", SettingValue::List(kept)) = (*name, value) {
            remove_alarms(&mut document, kept);
        }
        let (table, key) = match name.split_once('.') {
            Some((section, key)) => {
                let item = document.entry(section).or_insert_with(|| Item::Table(Table::new()));
                let table = item.as_table_like_mut();
                (table.ok_or_else(|| format!("not saved: {section} is not a table"))?, key)
            }
            None => (document.as_table_mut() as &mut dyn toml_edit::TableLike, *name),
        };
        let mut new = Value::from(value);
        match table.get_mut(key).and_then(Item::as_value_mut) {
            Some(old) => {
                // The comment behind the value stays.
                *new.decor_mut() = old.decor().clone();
                *old = new;
            }
            None => _ = table.insert(key, Item::Value(new)),
        }
    }
    Ok(document.to_string())
}

/// Removes the tables `[[alarm]]` of alarms that are not kept: they would set the alarm again.
fn remove_alarms(document: &mut DocumentMut, kept: &[String]) {
    // `psi-some > 20%` is the same as `psi-some>20%`.
    let is_kept = |when: Option<&str>| {
        let name = when.and_then(|when| Alarm::parse(when).ok()).map(|alarm| alarm.to_string());
        // What is not understood is for its author to mend.
        name.is_none_or(|name| kept.contains(&name))
    };
    let left = match document.get_mut("alarm") {
        Some(Item::ArrayOfTables(tables)) => {
            tables.retain(|table| is_kept(table.get("when").and_then(Item::as_str)));
            tables.len()
        }
        Some(Item::Value(Value::Array(tables))) => {
            tables.retain(|table| {
                let when = table.as_inline_table().and_then(|it| it.get("when"));
                is_kept(when.and_then(Value::as_str))
            });
            tables.len()
        }
        _ => return,
    };
    if left == 0 {
        document.remove("alarm");
    }
}

/// The text with the settings outside of tables, where it has none yet: behind the comments that the file begins
/// with, and before the first table and its own comment.
fn with_first_settings(text: &str, settings: &[(&str, SettingValue)]) -> String {
    let mut part = DocumentMut::new();
    for (name, value) in settings.iter().filter(|(name, _)| !name.contains('.')) {
        part.insert(name, Item::Value(Value::from(value)));
    }
    if part.is_empty() {
        return text.to_owned();
    }
    // The end of the line behind the last empty one.
    let (mut at, mut behind_gap, mut has_table) = (0, 0, false);
    for line in text.split_inclusive('\n') {
        match line.trim_start_matches('\u{feff}').trim() {
            "" => behind_gap = at + line.len(),
            comment if comment.starts_with('#') => {}
            table if table.starts_with('[') => {
                has_table = true;
                break;
            }
            _ => return text.to_owned(),
        }
        at += line.len();
    }
    let (before, after) = text.split_at(if has_table { behind_gap } else { text.len() });
    let mut new = before.to_owned();
    separate(&mut new);
    new.push_str(&part.to_string());
    if !after.is_empty() {
        new.push('\n');
        new.push_str(after);
    }
    new
}

/// Ends a text with an empty line, where it has any.
fn separate(text: &mut String) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    if !text.is_empty() && !text.ends_with("\n\n") {
        text.push('\n');
    }
}

/// The file behind symbolic links, which need not exist.
fn resolve(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        match fs::read_link(&path) {
            Ok(target) => {
                let folder = path.parent().unwrap_or(Path::new(""));
                path = folder.join(target);
            }
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

/// Replaces a file by one with this text, the mode and, where that is permitted, the owner of the old one.
fn replace(target: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = target.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        // As the XDG base directory specification asks.
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let new = ReplacedFile::begin(target, 0o600)?;
    let mode = match fs::metadata(target) {
        Ok(old) => {
            let _ = std::os::unix::fs::fchown(new.file(), Some(old.uid()), Some(old.gid()));
            old.mode() & 0o777
        }
        Err(_) => 0o644,
    };
    new.file().set_permissions(fs::Permissions::from_mode(mode))?;
    new.complete(text, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn text(value: &str) -> SettingValue {
        SettingValue::Text(value.to_owned())
    }

    #[test]
    fn comments_and_order_stay() {
        let before = "# mine\nmouse = true\n\n# my theme\ntheme = \"dark\" # at night\n\n[keys]\n# fast\n\
                      sort-rss = \"m\"\n";
        let settings = [
            ("theme", text("light")),
            ("delay", SettingValue::Number(3.0)),
            ("columns", SettingValue::List(vec!["pid".to_owned(), "rss".to_owned()])),
            ("keys.preset", text("vim")),
        ];
        let after = edited(before, &settings).expect("saved");
        let expected = "# mine\nmouse = true\n\n# my theme\ntheme = \"light\" # at night\ndelay = 3\n\
                        columns = [\"pid\", \"rss\"]\n\n[keys]\n# fast\nsort-rss = \"m\"\npreset = \"vim\"\n";
        assert_eq!(after, expected);
        assert_eq!(edited(&after, &settings).as_deref(), Ok(expected), "again changes nothing");
        let faults = edited("theme = ", &settings).expect_err("invalid");
        assert!(faults.contains("not saved") && faults.lines().count() == 1, "{faults}");
        assert!(edited("keys = 1", &settings).is_err());
    }

    #[test]
    fn the_table_of_an_alarm_that_is_not_kept_goes() {
        let before = "# mine\nalarms = [\"swap>90%\", \"oom-kill\"]\n\n[[alarm]]\nwhen = \"swap > 90%\"\nrun = \"a\"\n\n\
                      # of kills\n[[alarm]]\nwhen = \"oom-kill\"\nrun = \"b\"\n\n[[alarm]]\nwhen = \"odd\"\n";
        let list = |names: &[&str]| {
            let names = names.iter().map(|it| (*it).to_owned()).collect();
            [("alarms", SettingValue::List(names))]
        };
        let kept = edited(before, &list(&["swap>90%", "oom-kill"])).expect("saved");
        assert_eq!(kept, before, "nothing was removed");
        let one = edited(before, &list(&["oom-kill"])).expect("saved");
        assert!(!one.contains("swap") && one.contains("when = \"oom-kill\"\nrun = \"b\""), "{one}");
        assert!(one.contains("when = \"odd\""), "what is not understood stays: {one}");
        let none =
            edited(&one.replace("[[alarm]]\nwhen = \"odd\"\n", ""), &list(&[])).expect("saved");
        assert!(!none.contains("[[alarm]]") && none.contains("alarms = []"), "{none}");
        let inline = "alarm = [{ when = \"swap>90%\" }, { when = \"oom-kill\" }]\n";
        let saved = edited(inline, &list(&["oom-kill"])).expect("saved");
        assert!(!saved.contains("swap") && saved.contains("oom-kill"), "{saved}");
        let other = [("theme", text("dark"))];
        assert!(
            edited(before, &other).expect("saved").contains("swap > 90%"),
            "of another setting"
        );
    }

    #[test]
    fn new_settings_stand_behind_the_comments_of_the_file() {
        let theme = &[("theme", text("dark"))][..];
        let preset = &[("keys.preset", text("vim"))][..];
        for (before, settings, after) in [
            ("", theme, "theme = \"dark\"\n"),
            ("", preset, "[keys]\npreset = \"vim\"\n"),
            (
                "# a\n",
                &[("keys.preset", text("vim")), ("keys.quit", text("Q"))],
                "# a\n\n[keys]\npreset = \"vim\"\nquit = \"Q\"\n",
            ),
            ("# mine", theme, "# mine\n\ntheme = \"dark\"\n"),
            ("# a\n", preset, "# a\n\n[keys]\npreset = \"vim\"\n"),
            (
                "# head\n\n# of keys\n[keys]\nquit = \"Q\"\n",
                theme,
                "# head\n\ntheme = \"dark\"\n\n# of keys\n[keys]\nquit = \"Q\"\n",
            ),
            ("# of keys\n[keys]\n", theme, "theme = \"dark\"\n\n# of keys\n[keys]\n"),
            (
                "mouse = true\n# delay = 2\n",
                preset,
                "mouse = true\n# delay = 2\n\n[keys]\npreset = \"vim\"\n",
            ),
            (
                "[keys.pages]\nup = \"u\"\n",
                preset,
                "[keys]\npreset = \"vim\"\n[keys.pages]\nup = \"u\"\n",
            ),
        ] {
            let saved = edited(before, settings);
            assert_eq!(saved.as_deref(), Ok(after), "{before}");
            assert_eq!(edited(after, settings).as_deref(), Ok(after), "again changes nothing");
        }
    }

    #[test]
    fn what_could_not_be_read_again_is_not_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("config.toml");
        fs::write(&file, "# mine\n").expect("written");
        let check = SavedCheck(|text, path| {
            assert!(text.starts_with("# mine\n\ntheme") && path.ends_with("config.toml"), "{text}");
            Err("no such theme".to_owned())
        });
        let saved = save(&file, &[("theme", text("dark"))], check);
        assert_eq!(saved, Err("not saved: no such theme".to_owned()));
        assert_eq!(fs::read_to_string(&file).expect("text"), "# mine\n");
    }

    #[test]
    fn a_file_is_replaced_at_once_and_through_links() {
        let folder = tempfile::tempdir().expect("a folder");
        let (real, link) = (folder.path().join("real.toml"), folder.path().join("link.toml"));
        symlink("real.toml", &link).expect("a link");
        // It does not exist yet.
        save(&link, &[("theme", text("dark"))], SavedCheck::default()).expect("saved");
        assert!(fs::symlink_metadata(&link).expect("a link").is_symlink());
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).expect("a mode");
        let before = fs::metadata(&real).expect("a file").ino();
        save(&link, &[("theme", text("light"))], SavedCheck::default()).expect("saved");
        let after = fs::metadata(&real).expect("a file");
        assert_ne!(before, after.ino(), "a new file took its place");
        assert_eq!(after.mode() & 0o777, 0o640);
        assert_eq!(fs::read_to_string(&link).expect("text"), "theme = \"light\"\n");
        // Nothing else is left in the directory.
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 2);
        let deep = folder.path().join("a/b/config.toml");
        save(&deep, &[("theme", text("mono"))], SavedCheck::default()).expect("saved");
        assert_eq!(fs::metadata(folder.path().join("a")).expect("a folder").mode() & 0o777, 0o700);
    }

    #[test]
    fn what_is_no_file_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        symlink(&one, &two).expect("a link");
        symlink(&two, &one).expect("a link");
        for path in [&one, &PathBuf::from("/dev/zero"), &folder.path().to_owned()] {
            let why =
                save(path, &[("theme", text("mono"))], SavedCheck::default()).expect_err("refused");
            assert_eq!(why.lines().count(), 1, "{why}");
        }
    }
}

//! Files of the configuration: where they are, who may have written them, and how a setting is saved.

pub(crate) mod save;
pub(crate) mod trust;
pub(crate) mod value;

use std::path::{Path, PathBuf};

/// The system-wide settings file. It is always read.
pub(crate) const SYSTEM: &str = "/etc/doomtop/config.toml";

/// Named as the user's settings file, it means none.
pub(crate) const NO_FILE: &str = "/dev/null";

/// The user's settings file: `--config`, else `DOOMTOP_CONFIG`, else the one below `XDG_CONFIG_HOME` (`~/.config`).
/// `None` where no home directory is known. Relative paths in `XDG_CONFIG_HOME` are ignored, as the XDG base
/// directory specification asks.
pub(crate) fn user_file(
    flag: Option<&Path>,
    get: impl Fn(&str) -> Option<std::ffi::OsString>,
) -> Option<UserFile> {
    let set = |name: &str| get(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(path) = flag.map(Path::to_owned).or_else(|| set("DOOMTOP_CONFIG")) {
        return Some(UserFile { path, is_named: true });
    }
    let xdg = set("XDG_CONFIG_HOME").filter(|path| path.is_absolute());
    let folder = xdg.or_else(|| set("HOME").map(|home| home.join(".config")))?;
    Some(UserFile { path: folder.join("doomtop/config.toml"), is_named: false })
}

/// The user's settings file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UserFile {
    /// Its path.
    pub(crate) path: PathBuf,
    /// Whether the user named it: then it must exist.
    pub(crate) is_named: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_wins_over_the_variable_and_that_over_the_home_directory() {
        let vars = |set: &'static [(&str, &str)]| {
            move |name: &str| {
                set.iter().find(|(it, _)| *it == name).map(|(_, value)| (*value).into())
            }
        };
        let all = &[("DOOMTOP_CONFIG", "/d"), ("XDG_CONFIG_HOME", "/x"), ("HOME", "/h")];
        let path = |flag: Option<&str>, set| {
            user_file(flag.map(Path::new), vars(set)).map(|file| file.path.display().to_string())
        };
        assert_eq!(path(Some("f"), all).as_deref(), Some("f"));
        assert_eq!(path(None, all).as_deref(), Some("/d"));
        assert_eq!(path(None, &all[1..]).as_deref(), Some("/x/doomtop/config.toml"));
        assert_eq!(path(None, &all[2..]).as_deref(), Some("/h/.config/doomtop/config.toml"));
        let relative = &[("XDG_CONFIG_HOME", "x"), ("HOME", "/h")];
        assert_eq!(path(None, relative).as_deref(), Some("/h/.config/doomtop/config.toml"));
        assert_eq!(path(None, &[("HOME", "")]), None);
    }
}

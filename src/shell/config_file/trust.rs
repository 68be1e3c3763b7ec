//! Whether a file may name commands and rules: it belongs to root or to the effective user, and nobody else can
//! write to it or replace it.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

/// Maximum number of symbolic links on the way, as in the kernel (`path_resolution(7)`).
const LINKS: u32 = 40;
/// The sticky bit: only the owner of a file in such a directory can replace it.
const STICKY: u32 = 0o1000;
/// Writable by the group or by all. A POSIX ACL that grants more shows in the bits of the group (acl(5)).
const OTHERS_WRITE: u32 = 0o022;

/// Why a file is not trusted: the first part of its path, with all symbolic links followed, that somebody else can
/// change.
///
/// # Errors
/// That reason, in one line.
pub(crate) fn check(path: &Path) -> Result<(), String> {
    check_for(path, rustix::process::geteuid().as_raw())
}

fn check_for(path: &Path, euid: u32) -> Result<(), String> {
    let path = std::path::absolute(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut left: VecDeque<OsString> = parts(&path);
    let mut at = PathBuf::from("/");
    check_one(&at, euid)?;
    let mut links = 0;
    while let Some(part) = left.pop_front() {
        if part == ".." {
            at.pop();
            continue;
        }
        let next = at.join(&part);
        let metadata =
            fs::symlink_metadata(&next).map_err(|error| format!("{}: {error}", next.display()))?;
        if !metadata.is_symlink() {
            check_one(&next, euid)?;
            at = next;
            continue;
        }
        links += 1;
        if links > LINKS {
            return Err(format!("{}: too many symbolic links", path.display()));
        }
        check_owner(&next, metadata.uid(), euid)?;
        let target =
            fs::read_link(&next).map_err(|error| format!("{}: {error}", next.display()))?;
        if target.is_absolute() {
            at = PathBuf::from("/");
        }
        for part in parts(&target).into_iter().rev() {
            left.push_front(part);
        }
    }
    Ok(())
}

/// The parts of a path below the root directory.
fn parts(path: &Path) -> VecDeque<OsString> {
    let part = |component: Component<'_>| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::CurDir | Component::RootDir | Component::Prefix(_) => None,
    };
    path.components().filter_map(part).collect()
}

fn check_owner(path: &Path, owner: u32, euid: u32) -> Result<(), String> {
    if owner == 0 || owner == euid {
        return Ok(());
    }
    Err(format!("{} belongs to uid {owner}, not to root or you", path.display()))
}

/// A file or directory that is no symbolic link.
fn check_one(path: &Path, euid: u32) -> Result<(), String> {
    let metadata =
        fs::symlink_metadata(path).map_err(|error| format!("{}: {error}", path.display()))?;
    check_owner(path, metadata.uid(), euid)?;
    let mode = metadata.mode();
    let is_safe_folder = metadata.is_dir() && mode & STICKY != 0;
    if mode & OTHERS_WRITE != 0 && !is_safe_folder {
        let mode = mode & 0o7777;
        return Err(format!(
            "others can write to {} (mode {mode:04o}; chmod go-w)",
            path.display()
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
    }

    #[test]
    fn a_file_is_trusted_where_nobody_else_can_change_it_or_replace_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let inner = folder.path().join("inner");
        let file = inner.join("config.toml");
        fs::create_dir(&inner).expect("a folder");
        fs::write(&file, "").expect("a file");
        mode(&inner, 0o755);
        mode(&file, 0o644);
        check(&file).expect("trusted");
        for (path, wrong, right) in [
            (&file, 0o664, 0o644),
            (&file, 0o646, 0o600),
            (&inner, 0o775, 0o755),
            (&inner, 0o777, 0o1777),
        ] {
            mode(path, wrong);
            let why = check(&file).expect_err("not trusted");
            assert!(
                why.contains("others can write") && why.contains(&path.display().to_string()),
                "{why}"
            );
            mode(path, right);
            check(&file).expect("trusted again");
        }
        // For somebody else this is a stranger's file, unless it belongs to root.
        let owner = fs::metadata(&file).expect("its owner").uid();
        if owner == 0 {
            check_for(&file, 12_345).expect("root may write for everybody");
        } else {
            let why = check_for(&file, 12_345).expect_err("a stranger's");
            assert!(why.contains("belongs to uid"), "{why}");
        }
    }

    #[test]
    fn symbolic_links_are_followed_through_every_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let (safe, open) = (folder.path().join("safe"), folder.path().join("open"));
        for folder in [&safe, &open] {
            fs::create_dir(folder).expect("a folder");
            mode(folder, 0o755);
        }
        let file = safe.join("config.toml");
        fs::write(&file, "").expect("a file");
        mode(&file, 0o644);
        let link = open.join("link");
        symlink("../safe/./config.toml", &link).expect("a link");
        check(&link).expect("both folders are safe");
        mode(&open, 0o777);
        check(&link).expect_err("the link can be replaced");
        check(&file).expect("but not the file");
        mode(&open, 0o755);
        mode(&safe, 0o777);
        check(&link).expect_err("the file can be replaced");
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        symlink(&one, &two).expect("a link");
        symlink(&two, &one).expect("a link");
        let why = check(&one).expect_err("a loop");
        assert!(why.contains("too many symbolic links"), "{why}");
        check(&folder.path().join("missing")).expect_err("there is no such file");
    }
}

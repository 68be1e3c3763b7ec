//! Finds the systemd service of a process by its cgroup, and its restart policy in the unit files.

use std::collections::BTreeMap;
use std::path::Path;

use crate::model::{Comm, RestartPolicy, ServiceUnit, Text};
use crate::sample::parse;
use crate::sample::regular_file::plain_file;

/// Directories of unit files of the system manager, highest precedence first (`man systemd.unit`).
const SYSTEM_DIRS: &[&str] = &[
    "etc/systemd/system.control",
    "run/systemd/system.control",
    "run/systemd/transient",
    "run/systemd/generator.early",
    "etc/systemd/system",
    "run/systemd/system",
    "run/systemd/generator",
    "usr/local/lib/systemd/system",
    "usr/lib/systemd/system",
    "lib/systemd/system",
    "run/systemd/generator.late",
];

/// Directories of unit files of user managers, without those in home directories.
const USER_DIRS: &[&str] = &[
    "etc/systemd/user",
    "run/systemd/user",
    "usr/local/lib/systemd/user",
    "usr/lib/systemd/user",
    "lib/systemd/user",
];

/// Maximum number of bytes that are read of a unit file.
const FILE_MAX: u64 = 1 << 18;
/// Maximum number of drop-ins of one directory.
const DROP_INS_MAX: usize = 200;

/// The service of a process with this `/proc/PID/cgroup`, as described by the unit files below
/// `files`. `None` outside of every service: a scope is never restarted. `parent` is the pid of the
/// parent, and its name if it is known.
#[must_use]
pub fn unit(files: &Path, cgroups: &[u8], parent: (i32, Option<&Comm>)) -> Option<ServiceUnit> {
    let path = String::from_utf8(managed(cgroups)?.to_vec()).ok()?;
    let (name, of_a_user) = service_of(&path)?;
    let dirs = if of_a_user { USER_DIRS } else { SYSTEM_DIRS };
    let (mut restart, mut ends_all) = (RestartPolicy::No, true);
    let mut from = Vec::new();
    for place in places(files, dirs, name) {
        let Some(bytes) = plain_file(&files.join(&place), FILE_MAX) else { continue };
        from.push(Text::new(format!("/{place}").as_bytes()));
        for setting in parse::systemd_conf(&bytes) {
            if setting.section != "Service" {
                continue;
            }
            // systemd ignores values that it does not know; an empty value resets to the default.
            match (setting.key.as_str(), setting.value.as_str()) {
                ("Restart", "") => restart = RestartPolicy::No,
                ("Restart", value) => restart = RestartPolicy::named(value).unwrap_or(restart),
                ("KillMode", "" | "control-group" | "mixed") => ends_all = true,
                ("KillMode", "process" | "none") => ends_all = false,
                _ => {}
            }
        }
    }
    let name = Text::new(name.as_bytes());
    // The main process is a child of the service manager; so is every process whose parent has
    // ended.
    let main = match parent {
        (pid, _) if !of_a_user => pid == 1,
        (pid, parent) => pid != 1 && parent.is_some_and(|comm| comm.bytes() == b"systemd"),
    };
    Some(ServiceUnit { name, restart, ends_all, from, main })
}

/// The name of the service with this cgroup, and whether a user's manager runs it. A manager puts its units
/// below slices and nothing else; what is below another cgroup belongs to whoever manages that, such as the
/// service manager in a container, and a unit of that name on this machine is another one.
pub(crate) fn service_of(path: &str) -> Option<(&str, bool)> {
    let mut names = path.split('/').filter(|name| !name.is_empty());
    let mut of_a_user = false;
    loop {
        let name = names.find(|name| !name.ends_with(".slice"))?;
        let is_service = name.len() > ".service".len() && name.ends_with(".service");
        if !is_service {
            return None;
        }
        let is_manager = name.starts_with("user@") && !of_a_user;
        if !is_manager || names.clone().next().is_none() {
            return Some((name, of_a_user));
        }
        of_a_user = true;
    }
}

/// The path in the hierarchy of the service manager: version 1 `name=systemd`, otherwise version 2.
pub(crate) fn managed(cgroups: &[u8]) -> Option<&[u8]> {
    let path_of = |wanted: &[u8]| {
        let mut lines = cgroups.split(|&byte| byte == b'\n');
        lines.find_map(|line| {
            let at = line.iter().position(|&byte| byte == b':')?;
            line.get(at..)?.strip_prefix(wanted)
        })
    };
    path_of(b":name=systemd:").or_else(|| path_of(b"::"))
}

/// The unit file with the highest precedence, then its drop-ins by name; of equal names, the one
/// with the highest precedence.
fn places(files: &Path, dirs: &[&str], unit: &str) -> Vec<String> {
    // `getty@.service` is the template of `getty@tty1.service`.
    let template = unit.split_once('@').map(|(prefix, _)| format!("{prefix}@.service"));
    let mut names = vec![unit.to_owned()];
    names.extend(template);
    let own = names.iter().find_map(|name| {
        let mut there = dirs.iter().map(|dir| format!("{dir}/{name}"));
        there.find(|place| files.join(place).symlink_metadata().is_ok())
    });
    // `foo-bar.service` also has the drop-ins of `foo-.service`, and every service those of
    // `service.d`.
    let dashes: Vec<usize> = unit.match_indices('-').map(|(at, _)| at).collect();
    names.extend(
        dashes.iter().rev().filter_map(|&at| Some(format!("{}-.service", unit.get(..at)?))),
    );
    names.push("service".to_owned());
    let mut parts: BTreeMap<String, String> = BTreeMap::new();
    for name in &names {
        for dir in dirs {
            let dir = format!("{dir}/{name}.d");
            let Ok(entries) = std::fs::read_dir(files.join(&dir)) else { continue };
            let listed = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
            for part in listed.filter(|part| part.ends_with(".conf")).take(DROP_INS_MAX) {
                let place = format!("{dir}/{part}");
                parts.entry(part).or_insert(place);
            }
        }
    }
    own.into_iter().chain(parts.into_values()).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A filesystem with these files.
    fn files(list: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a folder");
        for (place, text) in list {
            let path = root.path().join(place);
            fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
            fs::write(path, text).expect("a file");
        }
        root
    }

    const INIT: (i32, Option<&Comm>) = (1, None);
    const SERVICE: &[u8] = b"9:memory:/x\n1:name=systemd:/system.slice/web@a.service/sub\n0::/no\n";

    #[test]
    fn the_unit_file_of_highest_precedence_and_all_drop_ins_count() {
        let root = files(&[
            ("usr/lib/systemd/system/web@.service", "[Service]\nRestart=always\n"),
            ("etc/systemd/system/web@.service", "[Service]\nRestart=on-failure\nRestartSec=5\n"),
        ]);
        let found = unit(root.path(), SERVICE, INIT).expect("a unit");
        assert_eq!((found.restart, found.main), (RestartPolicy::OnFailure, true));
        assert_eq!(found.name.as_str(), "web@a.service");
        assert_eq!(found.from[0].as_str(), "/etc/systemd/system/web@.service");

        for (place, restart) in [
            ("run/systemd/system/web@.service.d/50-x.conf", RestartPolicy::Always),
            ("etc/systemd/system/service.d/90-none.conf", RestartPolicy::No),
            ("etc/systemd/system/web@a.service.d/95-mine.conf", RestartPolicy::OnAbort),
        ] {
            let path = root.path().join(place);
            fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
            fs::write(path, format!("[Service]\nRestart={}\n", restart.name())).expect("a file");
            let found = unit(root.path(), SERVICE, (7, None)).expect("a unit");
            assert_eq!((found.restart, found.main), (restart, false), "{place}");
        }
    }

    #[test]
    fn an_invalid_value_is_ignored_and_an_empty_one_is_the_default() {
        let restart = |text: &str| {
            let root = files(&[("lib/systemd/system/a.service", text)]);
            unit(root.path(), b"0::/system.slice/a.service\n", INIT).expect("a unit").restart
        };
        assert_eq!(
            restart("[Service]\nRestart=always\nRestart=sometimes\n"),
            RestartPolicy::Always
        );
        assert_eq!(restart("[Service]\nRestart=always\nRestart=\n"), RestartPolicy::No);
        assert_eq!(restart("[Unit]\nRestart=always\n"), RestartPolicy::No);
        assert_eq!(restart("\u{0}[[]=\n"), RestartPolicy::No);
    }

    #[test]
    fn kill_mode_says_which_processes_end() {
        let ends_all = |text: &str| {
            let root = files(&[("lib/systemd/system/a.service", text)]);
            unit(root.path(), b"0::/system.slice/a.service\n", INIT).expect("a unit").ends_all
        };
        assert!(ends_all("[Service]\n"));
        assert!(ends_all("[Service]\nKillMode=process\nKillMode=mixed\n"));
        assert!(!ends_all("[Service]\nKillMode=process\nKillMode=some\n"));
    }

    #[test]
    fn scopes_and_processes_outside_have_no_service() {
        let root = files(&[]);
        for cgroups in [
            &b"0::/user.slice/user-1000.slice/session-2.scope\n"[..],
            b"0::/user.slice/user-1000.slice/user@1000.service/app.slice/x.scope\n",
            b"0::/\n",
            b"",
            b"0::/\xff.service\n",
            b"0::/user.slice/user-7.slice/user@7.service/init.scope\n",
            // In a container: its own service manager's units.
            b"0::/system.slice/docker-4f1c0de0a1b2c3d4.scope/ssh.service\n",
            b"0::/system.slice/docker-4f1c0de0a1b2c3d4.scope/system.slice/ssh.service\n",
            b"0::/docker/4f1c0de0a1b2c3d4/system.slice/ssh.service\n",
            b"0::/kubepods.slice/kubepods-podx.slice/cri-containerd-x.scope/ssh.service\n",
            b"0::/lxc.payload.a/system.slice/ssh.service\n",
        ] {
            assert_eq!(unit(root.path(), cgroups, INIT), None);
        }
    }

    #[test]
    fn what_a_service_has_below_it_belongs_to_that_service() {
        let name = |path| service_of(path);
        assert_eq!(
            name("/system.slice/web.service/payload/x.service"),
            Some(("web.service", false))
        );
        assert_eq!(
            name("/machine.slice/systemd-nspawn@web.service/payload/system.slice/a.service"),
            Some(("systemd-nspawn@web.service", false))
        );
        assert_eq!(
            name("/user.slice/user-7.slice/user@7.service"),
            Some(("user@7.service", false))
        );
        let user = "/user.slice/user-7.slice/user@7.service/app.slice/app-x.slice/x@1.service/sub";
        assert_eq!(name(user), Some(("x@1.service", true)));
        assert_eq!(name("/.service"), None);
    }

    #[test]
    fn a_user_unit_is_found_in_the_user_directories() {
        let root = files(&[
            ("etc/systemd/system/x.service", "[Service]\nRestart=always\n"),
            ("etc/systemd/user/x.service", "[Service]\nRestart=on-success\n"),
        ]);
        let path = b"0::/user.slice/user-7.slice/user@7.service/app.slice/x.service\n";
        let (manager, other) = (Comm::new(b"systemd"), Comm::new(b"bash"));
        for (parent, main) in [
            ((9, Some(&manager)), true),
            ((9, Some(&other)), false),
            ((9, None), false),
            (INIT, false),
        ] {
            let found = unit(root.path(), path, parent).expect("a unit");
            assert_eq!((found.restart, found.main), (RestartPolicy::OnSuccess, main), "{parent:?}");
        }
    }
}

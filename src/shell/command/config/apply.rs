//! The settings under the flags: a flag wins over the user's file, and that over the system-wide one.

use std::path::Path;
use std::sync::Arc;

use super::reader::{FileFaults, read_file};
use super::values::ConfigValues;
use crate::app::keymap::remap::remapped;
use crate::shell::command::arg::{ColumnsArg, SortArg};
use crate::shell::command::cli::{Cli, Command};
use crate::shell::command::input::is_recorded;
use crate::shell::command::invocation::OutputKind;
use crate::shell::command_error::CommandError;
use crate::shell::config_file::{self, UserFile, user_file};

/// The user's settings file that this command line names.
pub(crate) fn own_file(cli: &Cli) -> Option<UserFile> {
    user_file(cli.config_file.as_deref(), |name| std::env::var_os(name))
}

/// Reads the system-wide settings file and the user's.
///
/// # Errors
/// Every fault in them, one line each.
pub(crate) fn load(cli: &Cli) -> Result<ConfigValues, CommandError> {
    load_from(Path::new(config_file::SYSTEM), own_file(cli))
}

fn load_from(system: &Path, user: Option<UserFile>) -> Result<ConfigValues, CommandError> {
    let mut config = ConfigValues::default();
    let mut errors = Vec::new();
    let mut add = |found: FileFaults, config: &mut ConfigValues| {
        errors.extend(found.errors);
        config.warnings.extend(found.unknown);
        config.warnings.extend(found.untrusted);
    };
    // A file that only cannot be looked up is an error: it may forbid something.
    if exists(system) {
        let found = read_file(system, &mut config);
        add(found, &mut config);
    }
    let is_wanted = |user: &UserFile| {
        (user.is_named || exists(&user.path)) && user.path != Path::new(config_file::NO_FILE)
    };
    if let Some(user) = user.filter(is_wanted) {
        match denied(&user.path).filter(|_| !user.is_named) {
            Some(warning) => config.warnings.push(warning),
            None => {
                let found = read_file(&user.path, &mut config);
                add(found, &mut config);
            }
        }
    }
    // Nothing that a user writes may make the machine do anything.
    if config.forbids_writing && (config.on_alarm.is_some() || !config.alarm_commands.is_empty()) {
        (config.on_alarm, config.alarm_commands) = (None, Vec::new());
        let system = config_file::SYSTEM;
        config
            .warnings
            .push(format!("alarms run no command: read_only = true in {system} forbids it"));
    }
    match remapped(config.preset, &config.rebindings) {
        Ok(keys) => config.keys = keys,
        Err(conflicts) => errors.extend(conflicts),
    }
    if errors.is_empty() { Ok(config) } else { Err(CommandError::invalid_file(errors)) }
}

/// Whether there is a file, or something that is none.
pub(super) fn exists(path: &Path) -> bool {
    !matches!(
        std::fs::symlink_metadata(path),
        Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
    )
}

/// The warning where the kernel refuses to let this user read a file that nobody named: `HOME` may still be that of
/// another user, as under `sudo -u`.
pub(super) fn denied(path: &Path) -> Option<String> {
    let access = nix::unistd::access(path, nix::unistd::AccessFlags::R_OK);
    let is_denied = access == Err(nix::errno::Errno::EACCES);
    is_denied.then(|| format!("{}: permission denied: its settings are not used", path.display()))
}

/// The command line with the settings where it has no flag of its own.
pub(crate) fn with_config(cli: &Cli, config: ConfigValues, display: OutputKind) -> Cli {
    let mut cli = cli.clone();
    let has_screen = display == OutputKind::Screen;
    let is_live = !is_recorded(&cli);
    cli.policy = cli.policy.or_else(|| config.policy.clone());
    cli.scope = cli.scope.or_else(|| config.scope.clone());
    cli.sampler = cli.sampler.or(config.sampler);
    cli.read_only |= config.read_only;
    if cli.read_only {
        cli.dry_run = false;
    }
    // Who reads JSON wants all of it, in the same form on every machine.
    if has_screen || cli.batch || cli.plain {
        cli.columns = cli.columns.or_else(|| config.columns.clone().map(ColumnsArg));
        cli.sort = cli.sort.or_else(|| config.sort.map(SortArg));
        cli.ascii |= config.ascii.unwrap_or_default();
    }
    // A recording has a pace of its own.
    if is_live && !cli.self_check {
        cli.delay = cli.delay.or(config.delay);
    }
    if has_screen {
        cli.theme = cli.theme.or(config.theme);
        cli.no_mouse = cli.no_mouse || (!cli.mouse && config.mouse == Some(false));
        cli.keep_screen |= config.keep_screen.unwrap_or_default();
    }
    let watches =
        (has_screen || cli.plain) && is_live && !matches!(cli.command, Some(Command::Explain(_)));
    if watches {
        if cli.alarm.is_empty() {
            cli.alarm = config.alarms.clone().unwrap_or_default();
        }
        cli.bell |= config.bell.unwrap_or_default();
        if !cli.dry_run {
            cli.on_alarm = cli.on_alarm.or_else(|| config.on_alarm.clone());
        }
        cli.relax |= config.relax.unwrap_or_default();
        if !config.forbids_writing && has_screen {
            cli.ring = cli.ring.or(config.ring);
        }
        if cli.redact.is_none() && has_screen {
            cli.adj_rules = cli.adj_rules.or_else(|| config.adj_rules.clone());
        }
    }
    cli.config = Arc::new(config);
    cli
}

/// What the system-wide settings file forbids: a flag or a command that writes a file.
///
/// # Errors
/// Which one.
pub(crate) fn check_forbidden(cli: &Cli) -> Result<(), CommandError> {
    if !cli.config.forbids_writing {
        return Ok(());
    }
    let what = match &cli.command {
        Some(Command::Record(_)) => "record",
        Some(Command::Metrics(args)) if args.file.is_some() => "metrics --file",
        Some(Command::Set(_)) => "set",
        Some(Command::Compare(args)) if args.svg.is_some() => "compare --svg",
        Some(Command::Sacrifice(_)) => "sacrifice",
        Some(Command::Run(_)) => "run",
        Some(Command::SearchLimit(_)) => "search-limit",
        _ if cli.ring.is_some() => "--ring",
        // That of a settings file is left out with a warning.
        _ if cli.on_alarm.is_some() => "--on-alarm",
        _ if cli.log.is_some() => "--log",
        _ => return Ok(()),
    };
    let system = config_file::SYSTEM;
    Err(CommandError::refused(format!(
        "{what}: read_only = true in {system} forbids acting, running commands and writing files"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use std::os::unix::fs::PermissionsExt;

    fn named(path: &Path) -> Option<UserFile> {
        Some(UserFile { path: path.to_owned(), is_named: true })
    }

    fn written(folder: &Path, name: &str, text: &str) -> std::path::PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("a mode");
        path
    }

    #[test]
    fn a_flag_wins_over_the_user_and_the_user_over_the_machine() {
        let folder = tempfile::tempdir().expect("a folder");
        let system = written(
            folder.path(),
            "system.toml",
            "theme = 'dark'\ndelay = 7\nunits = 'KiB'\n[keys]\nsort-rss = 'm'\nheader = 'M'",
        );
        let user = written(
            folder.path(),
            "user.toml",
            "delay = 3\nsort = '-rss'\n[keys]\nheader = ['Alt-h', 'M']",
        );
        let config = load_from(&system, named(&user)).expect("valid");
        assert_eq!(config.rebindings.len(), 2);
        let cli = Cli::parse_from(["doomtop", "--sort", "pid"]);
        let cli = with_config(&cli, config, OutputKind::Screen);
        assert_eq!(cli.theme.map(|theme| theme.name()), Some("dark"));
        assert_eq!(cli.delay.map(|delay| delay.0), Some(3000));
        assert_eq!(cli.sort.map(|sort| sort.0.column.id), Some("pid"));
        assert_eq!(cli.config.units.map(|unit| unit.word()), Some("KiB"));
        // Without a screen the table stays as programs know it.
        let config = load_from(&system, named(&user)).expect("valid");
        let json =
            with_config(&Cli::parse_from(["doomtop", "--json"]), config, OutputKind::Headless);
        assert!(json.sort.is_none() && json.theme.is_none());
    }

    #[test]
    fn faults_name_file_and_line_and_unknown_keys_only_warn() {
        let folder = tempfile::tempdir().expect("a folder");
        let user = written(
            folder.path(),
            "c.toml",
            "colums = ['pid']\ntheme = 'pink'\nmouse = 1\n[keys]\nquit = 'k'\nsort-rsss = 'x'\n[colours]\nwarn = 'rot'",
        );
        let error = load_from(Path::new("/nonexistent/x"), named(&user)).expect_err("faults");
        let lines = error.lines();
        let has = |text: &str| lines.iter().any(|line| line.contains(text));
        assert!(has("c.toml:2:9: theme: the themes are default, dark"), "{lines:?}");
        assert!(has("c.toml:3:9: mouse must be true or false: mouse = true"), "{lines:?}");
        assert!(has("c.toml:8:8: warn must be a colour"), "{lines:?}");
        assert!(has("c.toml:5:1: k means quit and, by preset htop, signal-menu"), "{lines:?}");
        assert_eq!(lines.len(), 4, "{lines:?}");
        let user = written(folder.path(), "d.toml", "colums = ['pid']\n[keys]\nsort-rsss = 'x'");
        let config = load_from(Path::new("/nonexistent/x"), named(&user)).expect("only warnings");
        assert!(
            config.warnings[0].ends_with("d.toml:1:1: unknown key colums; did you mean columns?"),
            "{:?}",
            config.warnings
        );
        assert!(config.warnings[1].ends_with("did you mean sort-rss?"), "{:?}", config.warnings);
    }

    #[test]
    fn commands_and_rules_are_not_taken_from_a_file_that_others_can_write() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = "alarms = ['psi-some>20%']\non_alarm = 'true'\nadj_rules = 'rules.toml'";
        let user = written(folder.path(), "c.toml", text);
        let nobody = Path::new("/nonexistent/x");
        let config = load_from(nobody, named(&user)).expect("valid");
        assert_eq!(config.on_alarm.as_deref(), Some("true"));
        assert_eq!(config.adj_rules.as_deref(), Some(folder.path().join("rules.toml").as_path()));
        for (path, mode) in [(user.as_path(), 0o666), (folder.path(), 0o777)] {
            let before = std::fs::metadata(path).expect("a mode").permissions();
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("a mode");
            let config = load_from(nobody, named(&user)).expect("valid");
            assert!(config.on_alarm.is_none() && config.adj_rules.is_none());
            assert_eq!(
                config.alarms.map(|alarms| alarms.len()),
                Some(1),
                "an alarm alone is harmless"
            );
            assert_eq!(config.warnings.len(), 2, "{:?}", config.warnings);
            std::fs::set_permissions(path, before).expect("a mode");
        }
    }

    #[test]
    fn an_alarm_may_have_a_command_of_its_own() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = "alarms = ['available<10%', 'psi-some>20%']\n[[alarm]]\nwhen = 'psi-some > 20%'\nrun = 'a'\n\
                    [[alarm]]\nwhen = 'swap>90%'\n[[alarm]]\nwhen = 'oom-kill'\nrun = 'b'\nrum = 1\n";
        let user = written(folder.path(), "c.toml", text);
        let config = load_from(Path::new("/nonexistent/x"), named(&user)).expect("valid");
        let names: Vec<String> = config.alarms.iter().flatten().map(ToString::to_string).collect();
        assert_eq!(names, ["available<10%", "psi-some>20%", "swap>90%", "oom-kill"]);
        let own = |name: &str, run: &str| (name.to_owned(), run.to_owned());
        assert_eq!(config.alarm_commands, [own("psi-some>20%", "a"), own("oom-kill", "b")]);
        assert!(
            config.warnings[0].ends_with("unknown key rum; did you mean run?"),
            "{:?}",
            config.warnings
        );
        let bad = written(folder.path(), "d.toml", "[[alarm]]\nrun = 'a'\n[[alarm]]\nwhen = 'x'");
        let lines = load_from(Path::new("/nonexistent/x"), named(&bad)).expect_err("bad").lines();
        assert!(
            lines[0].contains("d.toml:1:") && lines[1].contains("d.toml:4:8: when: "),
            "{lines:?}"
        );
    }

    #[test]
    fn hostile_files_are_one_line_each() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        std::os::unix::fs::symlink(path("a"), path("b")).expect("a link");
        std::os::unix::fs::symlink(path("b"), path("a")).expect("a link");
        nix::unistd::mkfifo(&path("fifo"), nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
        std::fs::write(path("huge"), "#".repeat(1 << 20)).expect("written");
        std::fs::write(path("latin1"), b"theme = '\xe4'").expect("written");
        std::fs::write(path("deep"), "a = ".to_owned() + &"[".repeat(60_000)).expect("written");
        std::fs::write(path("tables"), format!("[{}a]", "a.".repeat(30_000))).expect("written");
        std::fs::write(path("escape"), "\"\\u001b[2J\" = 1\ntheme = \"\\u001b[31m\"")
            .expect("written");
        std::fs::create_dir(path("folder")).expect("a folder");
        for name in ["a", "fifo", "huge", "latin1", "deep", "folder", "missing", "escape"] {
            let error = load_from(Path::new("/nonexistent/x"), named(&path(name))).expect_err(name);
            let lines = error.lines();
            assert!(!lines.is_empty() && lines.len() < 3, "{name}: {lines:?}");
            let is_plain = |line: &String| !line.contains(['\n', '\x1b']) && line.contains(name);
            assert!(lines.iter().all(is_plain), "{name}: {lines:?}");
        }
        for path in [Path::new("/dev/zero"), Path::new("/dev/null"), &path("tables")] {
            let started = std::time::Instant::now();
            let _ = load_from(Path::new("/nonexistent/x"), named(path));
            assert!(started.elapsed().as_secs() < 5, "{}", path.display());
        }
    }

    #[test]
    fn the_user_may_want_no_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let system = written(folder.path(), "system.toml", "delay = 7");
        let config = load_from(&system, named(Path::new("/dev/null"))).expect("valid");
        assert_eq!(config.files, [system], "that of the machine is read all the same");
    }

    #[test]
    fn the_machine_forbids_for_everybody() {
        let config =
            ConfigValues { forbids_writing: true, read_only: true, ..ConfigValues::default() };
        let apply = |arguments: &[&str]| {
            let cli = Cli::parse_from(["doomtop"].iter().chain(arguments));
            with_config(&cli, config.clone(), OutputKind::Headless)
        };
        for arguments in [
            &["record", "x"][..],
            &["set", "--adj", "0", "1"],
            &["sacrifice", "1"],
            &["metrics", "--file", "x"],
            &["--plain", "--alarm", "swap>90%", "--on-alarm", "true"],
            &["compare", "a", "b", "--svg", "x"],
        ] {
            let error = check_forbidden(&apply(arguments)).expect_err("forbidden");
            assert!(error.lines()[0].contains("read_only = true in /etc/doomtop"), "{error:?}");
        }
        let cli = apply(&["-b"]);
        check_forbidden(&cli).expect("reading is not forbidden");
        assert!(cli.read_only);
        assert!(apply(&["--dry-run"]).read_only, "no flag lifts it");
    }
}

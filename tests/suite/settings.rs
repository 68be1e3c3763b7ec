//! The settings file, as the real binary takes it; keys that were changed, on the screen.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use doomtop::app::Request;
use doomtop::app::keymap::bindings::{Action, Key, KeyCode, Keymap};
use doomtop::app::keymap::group::KeyGroup;
use doomtop::app::keymap::presets::KeyPreset;
use doomtop::app::keymap::remap::{Rebinding, remapped};
use doomtop::app::mode::Mode;
use doomtop::ui::Theme;

use crate::fixtures::{paint, text};
use crate::stage::{Player, usual};

const FULL: Theme = crate::fixtures::theme(true, true);

/// The binary without any settings file.
fn bare(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doomtop"));
    command.args(arguments).stdin(Stdio::null()).env_remove("DOOMTOP_CONFIG");
    command.env("XDG_CONFIG_HOME", "/nonexistent").env_remove("COLUMNS");
    command
}

fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command.output().expect("doomtop runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (status.code(), text(stdout), text(stderr))
}

fn written(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("a mode");
    path.to_str().expect("a path").to_owned()
}

#[test]
fn the_template_is_valid_and_its_path_is_where_it_belongs() {
    let folder = tempfile::tempdir().expect("a folder");
    let (status, template, _) = run(&mut bare(&["config", "print"]));
    assert_eq!(status, Some(0));
    assert!(template.lines().all(|line| line.is_empty() || line.starts_with('#')), "{template}");
    let file = written(folder.path(), "config.toml", &template);
    let (status, out, error) = run(&mut bare(&["config", "check", &file]));
    assert_eq!((status, error.as_str()), (Some(0), ""), "{out}");
    assert_eq!(out, format!("{file}: valid\n"));
    let home = folder.path().to_str().expect("a path");
    let (_, path, _) = run(bare(&["config", "path"]).env("XDG_CONFIG_HOME", home));
    assert_eq!(path, format!("{home}/doomtop/config.toml\n"));
    let (_, path, _) = run(bare(&["config", "path"]).env("DOOMTOP_CONFIG", "/x/y.toml"));
    assert_eq!(path, "/x/y.toml\n");
    let (_, path, _) =
        run(bare(&["--config", "z.toml", "config", "path"]).env("DOOMTOP_CONFIG", "/x"));
    assert_eq!(path, "z.toml\n");
}

/// `DOOMTOP_BLESS=1` writes it anew.
#[test]
fn the_schema_in_the_source_tree_is_that_of_the_table() {
    let (_, schema, _) = run(&mut bare(&["config", "schema"]));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/config.schema.json");
    if std::env::var_os("DOOMTOP_BLESS").is_some() {
        fs::write(&file, &schema).expect("written");
    }
    assert_eq!(fs::read_to_string(&file).expect("a schema"), schema);
}

#[test]
fn the_file_is_taken_and_a_flag_wins_over_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = written(
        folder.path(),
        "c.toml",
        "columns = [\"pid\", \"rss\", \"command\"]\nsort = \"pid\"",
    );
    let head = |arguments: &[&str]| {
        let all = [&["--demo", "-b", "-n", "1"], arguments].concat();
        let (status, out, error) = run(bare(&all).env("DOOMTOP_CONFIG", &file));
        assert_eq!(status, Some(0), "{error}");
        let line = out.lines().find(|line| line.contains("COMMAND") || line.contains("USER"));
        line.expect("a head").split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(head(&[]), ["PID", "RSS", "COMMAND"]);
    assert_eq!(head(&["--columns", "user"]), ["USER"]);
    // Programs see the same JSON on every machine.
    let (_, with, _) = run(bare(&["--demo", "--json", "-n", "1"]).env("DOOMTOP_CONFIG", &file));
    let (_, without, _) = run(&mut bare(&["--demo", "--json", "-n", "1"]));
    assert_eq!(with, without);
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let unknown = written(folder.path(), "unknown.toml", "# mine\ncolums = [\"pid\"]\n");
    let (status, _, error) = run(&mut bare(&["config", "check", &unknown]));
    assert_eq!(status, Some(0), "{error}");
    assert_eq!(
        error,
        format!("doomtop: {unknown}:2:1: unknown key colums; did you mean columns?\n")
    );
    let bad = written(folder.path(), "bad.toml", "\ntheme = \"pink\"\n");
    for arguments in
        [&["config", "check", &bad][..], &["--config", &bad, "--demo", "-b", "-n", "1"]]
    {
        let (status, out, error) = run(&mut bare(arguments));
        assert_eq!((status, out.as_str()), (Some(2), ""), "{error}");
        assert!(
            error.starts_with(&format!("doomtop: {bad}:2:9: theme: the themes are")),
            "{error}"
        );
        assert_eq!(error.lines().count(), 1, "{error}");
    }
    // What helps with a broken file does not need it.
    for arguments in
        [&["config", "print"][..], &["man"], &["completions", "bash"], &["config", "path"]]
    {
        let (status, out, error) = run(bare(arguments).env("DOOMTOP_CONFIG", &bad));
        assert!(status == Some(0) && !out.is_empty(), "{arguments:?}: {error}");
    }
}

#[test]
fn hostile_files_end_in_one_line_and_never_hang() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("a path").to_owned();
    symlink(path("loop"), path("loop")).expect("a link");
    nix::unistd::mkfifo(path("fifo").as_str(), nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    fs::write(path("huge"), vec![b'#'; 10 << 20]).expect("written");
    fs::write(path("binary"), [0xff; 100]).expect("written");
    fs::write(path("deep"), format!("a = {}1{}", "[".repeat(20_000), "]".repeat(20_000)))
        .expect("written");
    let files =
        [path("loop"), path("fifo"), path("huge"), path("binary"), path("deep"), path("missing")];
    for file in
        files.iter().map(String::as_str).chain(["/dev/zero", "/dev/stdin", "/proc/self/mem", "/"])
    {
        let (status, out, error) = run(&mut bare(&["--config", file, "-b", "-n", "1"]));
        assert_eq!((status, out.as_str()), (Some(2), ""), "{file}: {error}");
        assert_eq!(error.lines().count(), 1, "{file}: {error}");
        assert!(error.starts_with(&format!("doomtop: {file}")), "{file}: {error}");
    }
}

#[test]
fn a_command_in_a_file_that_others_can_write_is_not_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let ran = folder.path().join("ran");
    let text = format!(
        "delay = 0.2\nalarms = [\"available<100%\"]\non_alarm = \"touch '{}'\"\n",
        ran.display()
    );
    let file = written(folder.path(), "c.toml", &text);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).expect("a mode");
    let (status, out, error) = run(&mut bare(&["--config", &file, "--plain", "-n", "5"]));
    assert_eq!(status, Some(0), "{error}");
    assert!(error.contains("c.toml:3:12: on_alarm is ignored: others can write"), "{error}");
    assert!(out.contains("ALARM: available"), "{out}");
    assert!(!ran.exists());
    let (status, _, error) = run(&mut bare(&["--config", &file, "config", "check"]));
    assert!(status == Some(2) && error.contains("on_alarm is ignored"), "{error}");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("a mode");
    let (status, _, error) = run(&mut bare(&["--config", &file, "--plain", "-n", "5"]));
    assert_eq!((status, error.as_str()), (Some(0), ""));
    crate::wait::until("the command", || ran.exists().then_some(()));
}

/// The system-wide settings file, in a mount namespace of its own: nothing outside of it changes.
#[test]
fn read_only_in_the_file_of_the_machine_cannot_be_lifted() {
    let folder = tempfile::tempdir().expect("a folder");
    let system = folder.path().join("doomtop");
    fs::create_dir(&system).expect("a folder");
    fs::write(system.join("config.toml"), "read_only = true\n").expect("written");
    let user = written(folder.path(), "user.toml", "read_only = false\n");
    let out = folder.path().join("out.tape").to_str().expect("a path").to_owned();
    let log = folder.path().join("log").to_str().expect("a path").to_owned();
    let ran = folder.path().join("ran").to_str().expect("a path").to_owned();
    // An /etc of our own over that of the machine.
    let script = format!(
        "mount -t tmpfs none /etc && mkdir /etc/doomtop && cp {}/config.toml /etc/doomtop/ && exec \"$@\"",
        system.display()
    );
    let inside = |arguments: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", &script, "sh"]);
        command.arg(env!("CARGO_BIN_EXE_doomtop")).args(arguments).stdin(Stdio::null());
        command.env("DOOMTOP_CONFIG", &user);
        run(&mut command)
    };
    let (status, _, error) = inside(&["config", "check"]);
    if status != Some(0) {
        eprintln!("SKIPPED: no mount namespace of our own here: {error}");
        return;
    }
    let own = std::process::id().to_string();
    for arguments in [
        &["set", "--adj", "500", own.as_str()][..],
        &["sacrifice", own.as_str()],
        &["record", "-n", "1", out.as_str()],
        &["metrics", "-n", "1", "--file", out.as_str()],
        &["--log", log.as_str(), "-b", "-n", "1"],
        &["--plain", "-n", "1", "--alarm", "swap>90%", "--on-alarm", ran.as_str()],
    ] {
        let (status, out, error) = inside(arguments);
        assert_eq!((status, out.as_str()), (Some(4), ""), "{arguments:?}: {error}");
        assert!(error.contains("read_only = true in /etc/doomtop/config.toml"), "{error}");
    }
    assert!(!Path::new(&out).exists() && !Path::new(&log).exists());
    // A command of the user's settings is not run, and that is said.
    let text = format!("alarms = [\"available<100%\"]\non_alarm = \"touch '{ran}'\"\n");
    written(folder.path(), "user.toml", &text);
    let (status, _, error) = inside(&["--plain", "-n", "2", "-d", "0.1"]);
    assert_eq!(status, Some(0), "{error}");
    assert!(error.contains("alarms run no command: read_only = true in /etc/doomtop"), "{error}");
    assert!(!Path::new(&ran).exists());
    written(folder.path(), "user.toml", "");
    let (status, text, error) = inside(&["-b", "-n", "1"]);
    assert!(status == Some(0) && !text.is_empty(), "reading is not forbidden: {error}");
}

#[test]
fn why_it_is_not_protected_is_told_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = written(folder.path(), "c.toml", "read_only = true\n");
    let (status, _, error) = run(&mut bare(&["--config", &file, "--protect", "-b", "-n", "1"]));
    assert_eq!(status, Some(0), "{error}");
    let why =
        "doomtop: doomtop is not protected: read-only changes no process, not even doomtop itself";
    assert!(error.lines().any(|line| line == why), "{error}");
}

#[test]
fn what_a_file_holds_is_escaped_once_where_it_is_printed() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = written(folder.path(), "c.toml", "\"ev\\u001b[31mil\" = 1\n");
    let (status, _, error) = run(&mut bare(&["config", "check", &file]));
    assert_eq!(status, Some(0), "{error}");
    assert!(error.contains(r"unknown key ev\x1b[31mil;"), "{error}");
}

fn with_keys(preset: KeyPreset, own: &[Rebinding]) -> Player {
    let mut player = Player::on(usual());
    player.app.keys = remapped(preset, own).unwrap_or_else(|faults| panic!("{faults:?}"));
    player
}

fn shown(player: &mut Player) -> String {
    text(&paint(&mut player.app, FULL, 120, 40).0)
}

#[test]
fn help_and_function_bar_show_the_keys_in_force() {
    let place = "config.toml:1".to_owned();
    let own = Rebinding {
        group: KeyGroup::Views,
        action: Action::Filter,
        keys: vec![Key::plain(KeyCode::F(12))],
        place,
    };
    let mut player = with_keys(KeyPreset::Htop, &[own]);
    let screen = shown(&mut player);
    assert!(screen.contains("F12 Filter") || screen.contains("F12Filter"), "{screen}");
    assert!(!screen.contains("F4"), "{screen}");
    player.key(Key::plain(KeyCode::F(12)));
    assert!(matches!(player.app.mode, Mode::Prompt(_)));
    player.play("<Esc>?");
    let help = shown(&mut player);
    assert!(help.contains("F12                 filter: words"), "{help}");
    let mut vim = with_keys(KeyPreset::Vim, &[]);
    vim.key(Key::char('j'));
    assert_eq!(vim.app.table.cursor.at, 1, "j moves down");
    vim.key(Key::char('H'));
    assert!(matches!(vim.app.mode, Mode::Help { .. }), "H helps");
}

#[test]
fn a_changed_key_asks_as_the_old_one_did() {
    let own = Rebinding {
        group: KeyGroup::Views,
        action: Action::Sacrifice,
        keys: vec![Key::char('Y')],
        place: String::new(),
    };
    let mut player = with_keys(KeyPreset::Htop, &[own]);
    // Held down, as by a hand that rests on it.
    for _ in 0..20 {
        let asked = player.key(Key::char('Y'));
        assert!(!asked.iter().any(|request| matches!(request, Request::Act(_))), "{asked:?}");
    }
    assert!(matches!(player.app.mode, Mode::Signal(_)), "it only asks");
    assert_eq!(
        Keymap::default()
            .meaning(doomtop::app::keymap::bindings::KeyContext::Browse, Key::char('Y')),
        None
    );
}

#[test]
fn what_the_settings_name_is_checked_with_them() {
    let folder = tempfile::tempdir().expect("a folder");
    written(folder.path(), "rule.toml", "name = 1\n");
    written(folder.path(), "adj.toml", "[[rule]]\nadj = 'x'\n");
    let text =
        "policy = \"site:rule.toml\"\nadj_rules = \"adj.toml\"\nscope = \"/no/such/cgroup\"\n";
    let file = written(folder.path(), "c.toml", text);
    let (status, out, error) = run(&mut bare(&["config", "check", &file]));
    assert_eq!((status, out.as_str()), (Some(2), ""), "{error}");
    let place = folder.path().display();
    for part in [
        format!("{file}:1:10: policy: {place}/rule.toml:"),
        format!("{file}:2:13: adj_rules: {place}/adj.toml:"),
        format!("{file}:3:9: scope: /no/such/cgroup is not on this machine now"),
    ] {
        assert!(error.contains(&part), "{part} in\n{error}");
    }
    let (status, text, _) = run(bare(&["doctor"]).env("DOOMTOP_CONFIG", &file));
    assert_eq!(status, Some(1), "{text}");
    for part in ["c.toml:1:10: policy: ", "c.toml:2:13: adj_rules: ", "c.toml:3:9: scope: "] {
        assert!(text.lines().any(|line| line.starts_with('!') && line.contains(part)), "{text}");
    }
    // Rules that others can write are not taken, and a missing file is told, too.
    let missing = written(folder.path(), "d.toml", "policy = \"site:none.toml\"\n");
    let (status, _, error) = run(&mut bare(&["config", "check", &missing]));
    assert!(status == Some(2) && error.contains("d.toml:1:10: policy: "), "{error}");
    let good = written(folder.path(), "e.toml", "policy = \"rss\"\nscope = \"global\"\n");
    let (status, _, error) = run(&mut bare(&["config", "check", &good]));
    assert_eq!((status, error.as_str()), (Some(0), ""));
}

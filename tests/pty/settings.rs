//! The settings file on the screen of the real binary: what it changes, what Setup saves, and a directory of
//! recordings.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::terminal::{Terminal, program};

fn written(folder: &Path, text: &str) -> String {
    let path = folder.join("config.toml");
    fs::write(&path, text).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("a mode");
    path.to_str().expect("a path").to_owned()
}

#[test]
fn setup_saves_what_was_changed_and_the_next_start_has_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = written(folder.path(), "# mine\nunits = \"MiB\" # large\n");
    let set = [("DOOMTOP_CONFIG", file.as_str())];
    let mut terminal = Terminal::run_with(120, 40, &["--demo"], &set);
    terminal.wait_for("the table", |text| text.contains("BADNESS"));
    terminal.send("\x1bt");
    terminal.wait_for("the themes", |text| text.contains("calm shades"));
    terminal.send("\x1b[B\r");
    terminal.wait_for("the table", |text| !text.contains("calm shades"));
    assert_eq!(fs::read_to_string(&file).expect("a file"), "# mine\nunits = \"MiB\" # large\n");
    terminal.send("\x1bOQ");
    terminal.wait_for("Setup", |text| text.contains("Save") && text.contains("now dark"));
    terminal.send("\x1b[H\r");
    terminal.wait_for("the message", |text| text.contains("saved theme"));
    let saved = "# mine\nunits = \"MiB\" # large\ntheme = \"dark\"\n";
    assert_eq!(fs::read_to_string(&file).expect("a file"), saved);
    assert_eq!(terminal.quit(), 0);
    let mut terminal = Terminal::run_with(120, 40, &["--demo"], &set);
    terminal.wait_for("the table", |text| text.contains("BADNESS"));
    terminal.send("\x1bOQ");
    terminal.wait_for("Setup", |text| text.contains("now dark"));
    terminal.send("\x1b");
    assert_eq!(terminal.quit(), 0);
}

#[test]
fn keys_of_the_file_are_those_of_the_screen() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = written(folder.path(), "[keys]\npreset = \"vim\"\ntree = \"F12\"\n");
    let mut terminal = Terminal::run_with(120, 40, &["--demo"], &[("DOOMTOP_CONFIG", &file)]);
    terminal.wait_for("the function bar", |text| text.contains("F12") && text.contains("Tree"));
    terminal.send("H");
    terminal.wait_for("help", |text| text.contains("/ finds"));
    assert_eq!(terminal.quit(), 0);
}

#[test]
fn an_alarm_runs_its_own_command() {
    let folder = tempfile::tempdir().expect("a folder");
    let (own, usual) = (folder.path().join("own"), folder.path().join("usual"));
    let text = format!(
        "alarms = [\"available<98%\"]\non_alarm = \"touch {}\"\n[[alarm]]\nwhen = \"available<100%\"\nrun = \"touch {}\"\n",
        usual.display(),
        own.display()
    );
    let file = written(folder.path(), &text);
    let mut terminal = Terminal::run_with(100, 30, &[], &[("DOOMTOP_CONFIG", &file)]);
    terminal.wait_until("both commands", |_| own.exists() && usual.exists());
    assert_eq!(terminal.quit(), 0);
}

#[test]
fn a_recording_of_a_directory_is_found_by_its_date() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().to_str().expect("a path");
    let arguments =
        ["record", "--ring", "10s", "--daily", "--max-size", "1G", "-d", "0.1", "-n", "20", place];
    let mut command = Command::new("sh");
    command.args(["-c", "umask 027; exec \"$@\"", "sh"]).arg(program()).args(arguments);
    let ended = command.stdin(Stdio::null()).stderr(Stdio::null()).status().expect("doomtop");
    assert!(ended.success());
    let files: Vec<_> = fs::read_dir(place).expect("a folder").flatten().collect();
    assert_eq!(files.len(), 1, "{files:?}");
    let name = files[0].file_name().into_string().expect("a name");
    assert!(name.starts_with("doomtop-") && name.ends_with("-day.tape"), "{name}");
    let mode = files[0].metadata().expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o640, "the group may read it");
    let missing = ["replay", place, "--at", "2001-01-01 00:00"];
    let mut terminal = Terminal::run(100, 30, &missing);
    terminal.wait_for("the reason", |text| text.contains("no recording holds 2001-01-01"));
    assert_eq!(terminal.end(), 1);
    // It was written after its last sample, and lasts for more than a second.
    let at = format!("@{}", unix_seconds(&files[0].path()));
    let utc = Command::new("date").args(["-u", "-d", &at, "+%Y-%m-%dT%H:%M:%SZ"]).output();
    let at = String::from_utf8(utc.expect("date").stdout).expect("a date");
    let mut terminal = Terminal::run(100, 30, &["replay", place, "--at", at.trim()]);
    terminal.wait_for("the recording", |text| text.contains("[stopped"));
    assert_eq!(terminal.quit(), 0);
}

#[test]
fn what_is_no_recording_ends_with_the_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("written");
        path.to_str().expect("a path").to_owned()
    };
    let noise: Vec<u8> =
        (0..5000_u32).map(|nth| (nth.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let files = [
        (path("empty", b""), "holds no sample"),
        (path("text", b"root:x:0:0:root:/root:/bin/bash\n"), "text:1:"),
        (path("noise", &noise), "noise:1"),
        (path("gzip", b"\x1f\x8b\x08\0\0\0\0\0\0\x03cut"), "gzip"),
    ];
    for (file, reason) in &files {
        for arguments in [&["replay", file.as_str()][..], &["--from", file]] {
            let mut terminal = Terminal::run(100, 30, arguments);
            terminal.wait_for("the reason", |text| text.contains(reason));
            assert_eq!(terminal.end(), 1, "{arguments:?}");
            terminal.assert_restored();
        }
    }
}

/// When a file was last written, in whole seconds since 1970.
fn unix_seconds(file: &Path) -> u64 {
    let written = fs::metadata(file).expect("a file").modified().expect("a time");
    written.duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs()
}

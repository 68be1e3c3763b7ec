//! `doomtop doctor`, `--version` and the debug log, by the real binary.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Stdio};

use serde_json::Value;

fn run(arguments: &[&str], set: &[(&str, &str)]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doomtop"));
    command.args(arguments).stdin(Stdio::null()).env("XDG_CONFIG_HOME", "/nonexistent");
    let output = command.envs(set.iter().copied()).output().expect("doomtop runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn it_tells_what_is_here_and_status_1_what_is_wrong() {
    let (status, text, error) = run(&["doctor"], &[("LANG", "C.UTF-8")]);
    assert_eq!((status, error.as_str()), (Some(0), ""), "{text}");
    for word in [
        "version",
        "commit",
        "target",
        "kernel",
        "page size",
        "cgroups",
        "rights",
        "CAP_KILL",
        "CAP_SYS_RESOURCE",
        "sampler",
        "kernel log",
        "journal",
        "PSI trigger",
        "BPF OOM",
        "userspace killers",
        "LANG",
        "glyphs",
        "settings",
        "scores",
        "result: no problems",
    ] {
        assert!(text.contains(word), "{word} in {text}");
    }
    let (status, json, _) = run(&["doctor", "--json"], &[]);
    let report: Value = serde_json::from_str(&json).expect("one object");
    assert_eq!((status, json.lines().count()), (Some(0), 1));
    assert_eq!(
        (report["schema"].as_str(), report["status"].as_str()),
        (Some("doomtop-doctor/1"), Some("ok"))
    );
    let findings = report["findings"].as_array().expect("findings");
    let find = |name: &str| {
        let found = findings.iter().find(|it| it["name"] == name);
        found.unwrap_or_else(|| panic!("{name} in {json}"))["value"].as_str().expect("a text")
    };
    let page = rustix::param::page_size();
    assert_eq!(find("page size"), format!("{page} bytes"));
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").expect("a release");
    assert!(find("kernel").contains(release.trim()));
    let caps = fs::read_to_string("/proc/self/status").expect("a status");
    let mask = caps.lines().find_map(|line| line.strip_prefix("CapEff:")).expect("a mask");
    let mask = u64::from_str_radix(mask.trim(), 16).expect("a mask");
    assert_eq!(find("CAP_KILL"), if mask >> 5 & 1 == 1 { "yes" } else { "no" });
    let folder = tempfile::tempdir().expect("a folder");
    let bad = folder.path().join("bad.toml");
    fs::write(&bad, "theme = 1").expect("written");
    let (status, text, _) = run(&["doctor"], &[("DOOMTOP_CONFIG", bad.to_str().expect("a path"))]);
    assert_eq!(status, Some(1));
    assert!(
        text.contains("! fault") && text.contains("bad.toml:1:9: theme must be a string"),
        "{text}"
    );
    let (status, text, _) = run(&["--proc", "/nonexistent", "doctor"], &[]);
    assert!(status == Some(1) && text.contains("! processes"), "{text}");
}

#[test]
fn the_version_tells_commit_and_target() {
    let (status, text, _) = run(&["--version"], &[]);
    assert_eq!(status, Some(0));
    let rest =
        text.strip_prefix(concat!("doomtop ", env!("CARGO_PKG_VERSION"), " (")).expect(&text);
    let (commit, target) = rest.trim_end().trim_end_matches(')').split_once(", ").expect(&text);
    let hex = commit.trim_end_matches("+dev");
    let is_commit = hex.len() == 12 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    assert!(is_commit || hex == "unknown", "{text}");
    assert!(target.contains("linux") && target.starts_with(std::env::consts::ARCH), "{text}");
}

#[test]
fn the_debug_log_tells_what_was_decided_and_never_on_a_terminal() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("doomtop.log");
    let path = log.to_str().expect("a path");
    let (status, out, error) = run(&["--log", path, "--sampler", "proc", "-b", "-n", "1"], &[]);
    assert_eq!((status, error.as_str()), (Some(0), ""));
    assert!(!out.contains(" info "), "{out}");
    let text = fs::read_to_string(&log).expect("a log");
    assert!(text.contains(" info  sampler: /proc\n"), "{text}");
    assert!(text.contains("start: doomtop"), "{text}");
    assert_eq!(fs::metadata(&log).expect("a log").mode() & 0o777, 0o600);
    // Why a source was given up, or where it is followed.
    let sources = folder.path().join("sources.log");
    let path = sources.to_str().expect("a path");
    assert_eq!(run(&["--log", path, "--plain", "-n", "2", "-d", "0.1"], &[]).0, Some(0));
    let told = fs::read_to_string(&sources).expect("a log");
    assert!(told.contains(" journal: "), "{told}");
    let path = log.to_str().expect("a path");
    // It goes on at its end; a level leaves out what is below it.
    let before = text.len();
    let set = [("DOOMTOP_LOG", path), ("DOOMTOP_LOG_LEVEL", "warn")];
    assert_eq!(run(&["-b", "-n", "1"], &set).0, Some(0));
    // Where the machine has no log to follow, that is a warning.
    let whole = fs::read_to_string(&log).expect("a log");
    let (first, added) = whole.split_at(before);
    assert_eq!(first, text);
    assert!(added.lines().all(|line| line.contains("Z warn  ")), "{added}");
    let alone = folder.path().join("alone.log");
    let path = alone.to_str().expect("a path");
    let arguments = ["--log", path, "-b", "-n", "1"];
    assert_eq!(run(&arguments, &[("DOOMTOP_LOG", "error")]).0, Some(0));
    assert_eq!(fs::read_to_string(&alone).expect("a log"), "", "nothing failed");
    let (status, _, error) = run(&["-b", "-n", "1"], &[("DOOMTOP_LOG", "debug")]);
    assert!(status == Some(0) && error.contains("name a file with --log FILE"), "{error}");
    let path = log.to_str().expect("a path");
    for wrong in ["/dev/tty", "/dev/null", "/dev/stderr", "/nonexistent/log"] {
        let (status, out, error) = run(&["--log", wrong, "-b", "-n", "1"], &[]);
        assert_eq!((status, out.as_str()), (Some(1), ""), "{wrong}");
        assert!(error.starts_with(&format!("doomtop: {wrong}: ")), "{error}");
    }
    let (status, _, error) =
        run(&["-b", "-n", "1"], &[("DOOMTOP_LOG", path), ("DOOMTOP_LOG_LEVEL", "loud")]);
    assert!(status == Some(2) && error.contains("expected error, warn, info or debug"), "{error}");
}

#[test]
fn the_debug_log_holds_each_act_with_its_target_and_its_result() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("doomtop.log");
    let path = log.to_str().expect("a path");
    let mut child = Command::new("sleep").arg("600").spawn().expect("sleep runs");
    let pid = child.id().to_string();
    let set = run(&["--log", path, "set", "--adj", "997", &pid], &[("DOOMTOP_LOG_LEVEL", "DEBUG")]);
    let none = run(&["--log", path, "set", "--adj", "5", "2147483647"], &[]);
    let killed = run(&["--log", path, "sacrifice", "--signal", "KILL", &pid], &[]);
    let _ = child.kill();
    child.wait().expect("it ended");
    assert_eq!(set.0, Some(0), "{}", set.2);
    assert_ne!(none.0, Some(0), "{}", none.2);
    let text = fs::read_to_string(&log).expect("a log");
    let act = |wanted: &str| {
        let found = text.lines().find(|line| line.contains(" act: ") && line.contains(wanted));
        found.unwrap_or_else(|| panic!("{wanted} in\n{text}\n{killed:?}")).to_owned()
    };
    let line = act(" -> +997");
    assert!(line.contains(&format!(" act: {pid}@")) && line.contains("sleep"), "{line}");
    assert!(act("sent SIGKILL").contains(&format!(" act: {pid}@")), "{text}");
    assert!(act("2147483647").contains(" warn "), "{text}");
    // Nothing is written as Rust prints it.
    assert!(!text.contains(['{', '}']) && !text.contains("Some("), "{text}");
}

#[test]
fn without_a_home_it_says_so_in_the_place_of_a_file() {
    let output = Command::new(env!("CARGO_BIN_EXE_doomtop"))
        .arg("doctor")
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .expect("doomtop runs");
    let text = String::from_utf8(output.stdout).expect("text");
    // The settings of the system, if there are any, are named instead.
    let has_system = std::path::Path::new("/etc/doomtop/config.toml").exists();
    let said = text.contains("none (neither XDG_CONFIG_HOME nor HOME is set)");
    assert_ne!(has_system, said, "{text}");
}

//! What is shipped beside the binary: manual pages, completions, units, packages.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const PAGES: [&str; 4] =
    ["doomtop.1", "doomtop-config.5", "doomtop-policy.5", "doomtop-recording.5"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn doomtop(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doomtop"));
    let output = command.args(arguments).stdin(Stdio::null()).output().expect("doomtop runs");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// Whether a program is installed; says it where it is not.
fn has(program: &str) -> bool {
    let found = std::env::var_os("PATH").is_some_and(|paths| {
        std::env::split_paths(&paths).any(|folder| folder.join(program).exists())
    });
    if !found {
        eprintln!("SKIPPED: {program} is not installed");
    }
    found
}

#[test]
fn manual_pages_are_clean() {
    assert!(doomtop(&["man"]).starts_with(".TH DOOMTOP 1 "));
    for page in PAGES {
        let (name, section) = page.split_once('.').expect("a section");
        let text = doomtop(&["man", name]);
        assert!(text.contains(".SH \"NAME\"") && text.contains(".SH \"SEE ALSO\""), "{page}");
        assert!(text.lines().all(|line| !line.contains("<!--") && !line.contains("](")), "{page}");
        let short = name.strip_prefix("doomtop-").unwrap_or(name);
        assert_eq!(doomtop(&["man", short]), text);
        assert_eq!(doomtop(&["man", &format!("{name}({section})")]), text);
        if !has("mandoc") {
            continue;
        }
        let mut lint = Command::new("mandoc");
        lint.args(["-T", "lint"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = lint.spawn().expect("mandoc");
        child.stdin.take().expect("its input").write_all(text.as_bytes()).expect("written");
        let output = child.wait_with_output().expect("its output");
        let found = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(found.trim().is_empty(), "{page}:\n{found}");
    }
    let page = doomtop(&["man"]);
    for word in ["\\-\\-config FILE", "doomtop record", "DOOMTOP_LOG", "128+N", "sort by badness"] {
        assert!(page.contains(word), "{word}");
    }
    assert!(doomtop(&["man", "config"]).contains("on_alarm"));
    assert!(doomtop(&["man", "policy"]).contains("eligible"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_doomtop"));
    let output = command.args(["man", "nothing"]).output().expect("doomtop runs");
    assert_eq!(output.status.code(), Some(2));
}

/// Runs a shell that loads the completions and asks for candidates. The binary is found as `doomtop`.
fn asked(shell: &str, arguments: &[&str], script: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_doomtop"), folder.path().join("doomtop"))
        .expect("a link");
    fs::write(folder.path().join("night.tape"), "").expect("written");
    fs::write(folder.path().join("night.txt"), "").expect("written");
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new(shell)
        .args(arguments)
        .arg(script)
        .env("PATH", format!("{}:{path}", folder.path().display()))
        .env("HOME", folder.path())
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .expect("a shell");
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{shell}: {error}\n{text}");
    text
}

/// What each shell is asked for, and what it must propose.
const ASKED: [(&str, &str); 6] = [
    ("doomtop --policy earl", "earlyoom"),
    ("doomtop --columns pid,oom_score_", "pid,oom_score_adj"),
    ("doomtop --theme colour", "colourblind"),
    ("doomtop --alarm psi-so", "psi-some"),
    ("doomtop replay nig", "night.tape"),
    ("doomtop comp", "completions"),
];

#[test]
fn bash_completes_with_values_of_this_machine() {
    if !has("bash") {
        return;
    }
    for (line, wanted) in ASKED {
        let script = format!(
            "eval \"$(doomtop completions bash)\"; COMP_WORDS=({line}); COMP_CWORD=$((${{#COMP_WORDS[@]}}-1)); \
             COMP_TYPE=9; _clap_complete_doomtop doomtop \"${{COMP_WORDS[$COMP_CWORD]}}\"; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        let text = asked("bash", &["--norc", "-c"], &script);
        assert!(text.contains(wanted), "{line}: {text}");
        assert!(!text.contains("night.txt"), "only recordings: {text}");
    }
}

#[test]
fn bash_gets_words_that_it_reads_back() {
    if !has("bash") {
        return;
    }
    for (typed, wanted) in [
        // Not quoted, the alarm would be written to a file named 20%, and the file be two arguments.
        ("doomtop --alarm psi-so", r"psi-some\>20%"),
        ("doomtop replay two", r"two\ words.tape"),
        (r#"doomtop replay \"two"#, "two words.tape"),
        ("doomtop --scope g", "global"),
        ("doomtop comp", "compare"),
    ] {
        let script = format!(
            ": >'two words.tape'; eval \"$(doomtop completions bash)\"; COMP_WORDS=({typed}); \
             COMP_CWORD=$((${{#COMP_WORDS[@]}}-1)); COMP_TYPE=9; last=${{COMP_WORDS[$COMP_CWORD]}}; \
             _clap_complete_doomtop doomtop \"${{last#\\\"}}\"; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        let text = asked("bash", &["--norc", "-c"], &script);
        assert!(text.lines().any(|line| line == wanted), "{typed}: {text}");
    }
}

#[test]
fn fish_completes_with_values_of_this_machine() {
    if !has("fish") {
        return;
    }
    for (line, wanted) in ASKED {
        let script = format!("doomtop completions fish | source; complete -C '{line}'");
        let text = asked("fish", &["--no-config", "-c"], &script);
        assert!(text.contains(wanted), "{line}: {text}");
    }
}

#[test]
fn zsh_and_elvish_load_the_script() {
    if has("zsh") {
        let script = "autoload -U compinit && compinit -D && eval \"$(doomtop completions zsh)\" && \
                      whence -w _clap_dynamic_completer_doomtop && print -r -- $_comps[doomtop]";
        let text = asked("zsh", &["-f", "-c"], script);
        assert!(text.contains("function"), "{text}");
        // What the function asks.
        let script = "words=(doomtop --policy earl) && _CLAP_COMPLETE_INDEX=2 _CLAP_IFS=$'\\n' DOOMTOP_COMPLETE=zsh doomtop -- $words";
        assert!(asked("zsh", &["-f", "-c"], script).contains("earlyoom"));
    }
    if has("elvish") {
        let script = "eval (doomtop completions elvish | slurp); \
                      for c [($edit:completion:arg-completer[doomtop] doomtop --policy earl)] { echo (to-string $c) }";
        // Without a terminal elvish has no module edit:, so the script is only compiled.
        let script = script.split(';').next().unwrap_or_default();
        let text = asked("elvish", &["-norc", "-compileonly", "-c"], script);
        assert!(text.trim().is_empty(), "{text}");
    }
}

#[test]
fn nushell_and_powershell_get_their_scripts() {
    let nu = doomtop(&["completions", "nushell"]);
    assert!(nu.contains("export extern \"doomtop\""), "{nu}");
    if has("nu") {
        let script = "doomtop completions nushell | save -f c.nu; nu --ide-check 10 c.nu";
        asked("nu", &["-c"], script);
    }
    let text = doomtop(&["completions", "powershell"]);
    assert!(text.contains("Register-ArgumentCompleter"), "{text}");
    if has("pwsh") {
        asked(
            "pwsh",
            &["-NoProfile", "-Command"],
            "doomtop completions powershell | Out-String | Invoke-Expression",
        );
    }
    // What the script of nushell asks.
    let output = Command::new(env!("CARGO_BIN_EXE_doomtop"))
        .args(["--", "doomtop", "--scope", "glo"])
        .envs([("DOOMTOP_COMPLETE", "nushell"), ("_DOOMTOP_INDEX", "2")])
        .output()
        .expect("doomtop runs");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "global\tthe machine\n");
}

/// The files that `assets/packages/install` puts below a directory.
fn installed() -> (tempfile::TempDir, BTreeSet<String>) {
    let folder = tempfile::tempdir().expect("a folder");
    let output = Command::new(root().join("assets/packages/install"))
        .arg(env!("CARGO_BIN_EXE_doomtop"))
        .arg(folder.path())
        .output()
        .expect("the script");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut found = BTreeSet::new();
    let mut folders = vec![folder.path().to_owned()];
    while let Some(at) = folders.pop() {
        for entry in fs::read_dir(&at).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let path = path.strip_prefix(folder.path()).expect("below");
                found.insert(path.to_str().expect("a path").to_owned());
            }
        }
    }
    (folder, found)
}

#[test]
fn every_package_has_the_files_that_are_installed() {
    let (folder, mut found) = installed();
    for page in PAGES {
        let section = &page[page.len() - 1..];
        let path = format!("usr/share/man/man{section}/{page}.gz");
        assert!(found.contains(&path), "{path} in {found:?}");
    }
    let script = folder.path().join("usr/share/bash-completion/completions/doomtop");
    assert!(fs::read_to_string(script).expect("a script").contains("DOOMTOP_COMPLETE"));
    // The licences have a place of their own in each kind of package.
    found.retain(|path| !path.starts_with("usr/share/licenses"));
    let text = fs::read_to_string(root().join("Cargo.toml")).expect("a manifest");
    let manifest: toml::Table = text.parse().expect("TOML");
    let metadata = &manifest["package"]["metadata"];
    let own =
        |path: &str| !["/licenses/", "/doc/", "/lintian/"].iter().any(|place| path.contains(place));
    let deb: BTreeSet<String> = metadata["deb"]["assets"]
        .as_array()
        .expect("assets")
        .iter()
        .map(|row| row[1].as_str().expect("a path").to_owned())
        .filter(|path| own(path))
        .collect();
    assert_eq!(deb, found, "Cargo.toml, package.metadata.deb");
    let rpm = metadata["generate-rpm"]["assets"].as_array().expect("assets").iter();
    let rpm: BTreeSet<String> = rpm
        .map(|row| row["dest"].as_str().expect("a path").trim_start_matches('/').to_owned())
        .filter(|path| own(path))
        .collect();
    assert_eq!(rpm, found, "Cargo.toml, package.metadata.generate-rpm");
    // What is not made by the build is in the source tree.
    for row in metadata["deb"]["assets"].as_array().expect("assets") {
        let source = row[0].as_str().expect("a path");
        assert!(source.starts_with("target/") || root().join(source).is_file(), "{source}");
    }
}

/// The crates that are linked into the binary on x86_64, as `.ci/notices` tells them.
#[test]
fn every_crate_in_the_binary_has_its_notices() {
    let output = Command::new(root().join(".ci/notices"))
        .arg("x86_64-unknown-linux-gnu")
        .output()
        .expect("the script");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    let (list, texts) = text.split_once("\n\n---").expect("the texts after the list");
    for name in ["ratatui", "crossterm", "nix", "serde"] {
        let line = list.lines().find(|line| line.starts_with(&format!("{name} ")));
        let line = line.unwrap_or_else(|| panic!("{name} in {list}"));
        assert!(line.contains(": MIT"), "{line}");
        let (_, numbers) = line.split_once("; ").expect("texts");
        for number in numbers.split(' ') {
            assert!(texts.contains(&format!("\n{number}\n")), "{line}");
        }
    }
    // A crate of the tests is no part of the binary.
    assert!(!list.contains("\ninsta "), "{list}");
    assert!(texts.contains("Permission is hereby granted"), "a text");
}

#[test]
fn a_package_is_installed_and_removed_in_a_root_of_its_own() {
    if !has("dpkg-deb") || !has("dpkg") {
        return;
    }
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: dpkg installs as root only");
        return;
    }
    let (folder, found) = installed();
    let control = folder.path().join("DEBIAN");
    fs::create_dir(&control).expect("a folder");
    let text = format!(
        "Package: doomtop\nVersion: {}\nArchitecture: all\nMaintainer: x <x@localhost>\nDescription: doomtop\n",
        env!("CARGO_PKG_VERSION")
    );
    fs::write(control.join("control"), text).expect("written");
    let out = tempfile::tempdir().expect("a folder");
    let deb = out.path().join("doomtop.deb");
    let mut build = Command::new("dpkg-deb");
    // A debug binary is large, and only its place counts.
    build.args(["--root-owner-group", "-Znone", "--build"]).arg(folder.path()).arg(&deb);
    assert!(build.stdout(Stdio::null()).status().expect("dpkg-deb").success());
    let target = out.path().join("root");
    let database = target.join("var/lib/dpkg");
    for folder in ["info", "updates", "triggers"] {
        fs::create_dir_all(database.join(folder)).expect("a folder");
    }
    fs::write(database.join("status"), "").expect("written");
    let dpkg = |arguments: &[&str]| {
        let mut command = Command::new("dpkg");
        command.arg("--root").arg(&target).args(["--force-not-root", "--no-triggers"]);
        let output = command.arg("--log=/dev/null").args(arguments).output().expect("dpkg");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    dpkg(&["--install", deb.to_str().expect("a path")]);
    let is_there = |path: &String| target.join(path).is_file();
    assert!(found.iter().all(is_there), "every file is installed");
    dpkg(&["--remove", "doomtop"]);
    assert!(!found.iter().any(is_there), "every file is removed");
    assert!(!target.join("usr/share/doomtop").exists(), "and the directories of its own");
}

/// The settings of a unit, by their names.
fn unit(name: &str) -> Vec<(String, String)> {
    let text = fs::read_to_string(root().join("assets/systemd").join(name)).expect("a unit");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[test]
fn units_start_what_exists_and_are_as_hard_as_the_documents_say() {
    let document = fs::read_to_string(root().join("assets/docs/install.md")).expect("a document");
    for name in ["doomtop-recorder.service", "doomtop-metrics.service"] {
        let unit = unit(name);
        let value = |key: &str| {
            let found = unit.iter().find(|(it, _)| it == key);
            found.unwrap_or_else(|| panic!("{key} in {name}")).1.clone()
        };
        let words = value("ExecStart");
        let mut words = words.split(' ');
        assert_eq!(words.next(), Some("/usr/bin/doomtop"));
        let arguments: Vec<&str> = words.collect();
        let parsed = <doomtop::shell::command::cli::Cli as clap::Parser>::try_parse_from(
            ["doomtop"].iter().chain(&arguments),
        );
        assert!(parsed.is_ok(), "{name}: {:?}", parsed.err().map(|error| error.to_string()));
        assert_eq!(value("NoNewPrivileges"), "yes");
        assert!(value("OOMScoreAdjust").parse::<i32>().expect("a number") < 0);
        assert!(value("MemoryMin").ends_with('M'));
        if has("systemd-analyze") {
            let path = root().join("assets/systemd").join(name);
            let mut command = Command::new("systemd-analyze");
            let output = command.args(["security", "--offline=yes"]).arg(&path).output();
            let text =
                String::from_utf8_lossy(&output.expect("systemd-analyze").stdout).into_owned();
            let Some((_, rest)) = text.split_once("Overall exposure level for") else {
                eprintln!("SKIPPED: this systemd-analyze does not judge files");
                continue;
            };
            let score: f64 = rest.split(' ').find_map(|word| word.parse().ok()).expect("a score");
            assert!(score < 2.5, "{name}: {score}");
            let said =
                ["1.7", "1.8"].iter().any(|it| score.to_string() == *it && document.contains(it));
            assert!(said || !text.contains("252"), "{name}: {score} is not what install.md says");
        }
    }
    let recorder = unit("doomtop-recorder.service");
    let has = |key: &str, value: &str| recorder.iter().any(|(it, is)| it == key && is == value);
    assert!(has("Group", "adm") && has("UMask", "0027") && has("StateDirectoryMode", "0750"));
}

/// The lines of a YAML file with their indentation, without comments.
fn yaml_lines(file: &str) -> Vec<(usize, String)> {
    let text = fs::read_to_string(root().join(file)).expect("a file");
    let lines =
        text.lines().filter(|line| !line.trim_start().starts_with('#') && !line.trim().is_empty());
    lines.map(|line| (line.len() - line.trim_start().len(), line.trim().to_owned())).collect()
}

#[test]
fn the_daemonset_has_no_rights() {
    let lines = yaml_lines("assets/container/daemonset.yaml");
    let has = |wanted: &str| lines.iter().any(|(_, line)| line == wanted);
    for wanted in [
        "kind: DaemonSet",
        "hostPID: true",
        "runAsNonRoot: true",
        "readOnlyRootFilesystem: true",
        "allowPrivilegeEscalation: false",
        "automountServiceAccountToken: false",
        "- ALL",
        "readOnly: true",
    ] {
        assert!(has(wanted), "{wanted}");
    }
    for forbidden in ["privileged: true", "hostNetwork: true", "hostIPC: true", "add:"] {
        assert!(!has(forbidden), "{forbidden}");
    }
    assert!(lines.iter().all(|(depth, _)| depth % 2 == 0), "two spaces a level");
    // Its arguments are those of this program.
    let from = lines.iter().position(|(_, line)| line == "args:").expect("arguments");
    let depth = lines[from].0;
    let arguments = lines[from + 1..].iter().take_while(|(it, _)| *it > depth);
    let arguments: Vec<&str> = arguments.filter_map(|(_, line)| line.strip_prefix("- ")).collect();
    let all = ["doomtop"].iter().chain(&arguments);
    <doomtop::shell::command::cli::Cli as clap::Parser>::try_parse_from(all).expect("arguments");
    let container =
        fs::read_to_string(root().join("assets/container/Containerfile")).expect("a file");
    assert!(container.contains("\nFROM scratch\n") && container.contains("\nUSER 65532:65532\n"));
}

#[test]
fn versions_agree() {
    let version = env!("CARGO_PKG_VERSION");
    for (file, line) in [
        ("assets/packages/PKGBUILD", format!("pkgver={version}\n")),
        ("assets/packages/debian/changelog", format!("doomtop ({version}-1) ")),
        ("assets/container/daemonset.yaml", format!("image: doomtop:{version}\n")),
    ] {
        let text = fs::read_to_string(root().join(file)).expect("a file");
        assert!(text.contains(&line), "{file}");
    }
    let scripts =
        ["assets/packages/install", ".ci/package", ".ci/dist", ".ci/notices", "tests/package/run"];
    let scripts = scripts.map(PathBuf::from);
    for script in scripts {
        let status = Command::new("bash").arg("-n").arg(root().join(&script)).status();
        assert!(status.expect("bash").success(), "{}", script.display());
    }
}

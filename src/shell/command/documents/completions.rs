//! Completions for shells. A script asks doomtop itself while a word is typed, so that the values are those of this
//! machine: policies, columns, alarms, cgroups, recordings.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory};
use clap_complete::engine::{
    ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter, complete,
};
use clap_complete::env::{Bash, CompleteEnv, Elvish, EnvCompleter, Fish, Powershell, Shells, Zsh};

use crate::alarm::QUANTITIES;
use crate::app::setup::ThemeName;
use crate::columns::COLUMNS;
use crate::policy::{PATTERNS, POLICIES};
use crate::shell::command::arg::ShellArg;
use crate::shell::command::cli::Cli;

/// The variable by which a script asks for the candidates.
pub const VARIABLE: &str = "DOOMTOP_COMPLETE";

/// Maximum number of cgroups that are proposed.
const CGROUPS: usize = 1000;
/// Maximum depth of the tree of cgroups that is looked at.
const DEPTH: u32 = 8;

/// The end of the function for bash, which inserts candidates as they are (`bash(1)`, Programmable Completion): without
/// it `psi-some>20%` would be a redirection. A word that the user quotes is left alone.
const BASH_QUOTING: &str = r#"
    local index special='*[][:space:]<>|&;()$`"'\''*?[!\\]*'
    if [[ ${COMP_WORDS[COMP_CWORD]} != [\"\']* ]]; then
        for index in "${!COMPREPLY[@]}"; do
            if [[ ${COMPREPLY[index]} == $special ]]; then
                printf -v "COMPREPLY[$index]" %q "${COMPREPLY[index]}"
            fi
        done
    fi
}
"#;

/// What writes the script of a shell, and answers it.
fn completer(shell: ShellArg) -> &'static dyn EnvCompleter {
    match shell {
        ShellArg::Bash => &Bash,
        ShellArg::Zsh => &Zsh,
        ShellArg::Fish => &Fish,
        ShellArg::Elvish => &Elvish,
        ShellArg::Nushell => &Nushell,
        ShellArg::Powershell => &Powershell,
    }
}

/// The script for a shell.
///
/// # Errors
/// Never: it is written into memory.
pub(crate) fn script(shell: ShellArg) -> io::Result<String> {
    let mut text = Vec::new();
    completer(shell).write_registration(VARIABLE, "doomtop", "doomtop", "doomtop", &mut text)?;
    let text = String::from_utf8_lossy(&text).into_owned();
    // Other shells quote what they insert.
    Ok(if shell == ShellArg::Bash { text.replacen("\n}\n", BASH_QUOTING, 1) } else { text })
}

/// Answers a script, where one asks. Returns whether one did.
///
/// # Errors
/// Standard output cannot be written, or the shell is not known.
pub(crate) fn answer() -> Result<bool, clap::Error> {
    let shells: [&dyn EnvCompleter; 6] = [&Bash, &Elvish, &Fish, &Powershell, &Zsh, &Nushell];
    let folder = std::env::current_dir().ok();
    CompleteEnv::with_factory(command)
        .var(VARIABLE)
        .bin("doomtop")
        .shells(Shells(&shells))
        .try_complete(std::env::args_os(), folder.as_deref())
}

/// The command line with what completes its values.
fn command() -> Command {
    let recordings = || ArgValueCompleter::new(recordings());
    Cli::command()
        .mut_arg("policy", |arg| arg.add(ArgValueCompleter::new(policies)))
        .mut_arg("scope", |arg| arg.add(ArgValueCompleter::new(scopes)))
        .mut_arg("sort", |arg| arg.add(ArgValueCompleter::new(sorts)))
        .mut_arg("columns", |arg| arg.add(ArgValueCompleter::new(columns)))
        .mut_arg("theme", |arg| arg.add(ArgValueCompleter::new(themes)))
        .mut_arg("alarm", |arg| arg.add(ArgValueCompleter::new(alarms)))
        .mut_arg("from", |arg| arg.add(recordings()))
        .mut_subcommand("replay", |it| it.mut_arg("file", |arg| arg.add(recordings())))
        .mut_subcommand("compare", |it| {
            it.mut_arg("first", |arg| arg.add(recordings()))
                .mut_arg("second", |arg| arg.add(recordings()))
        })
        .mut_subcommand("fits", |it| {
            it.mut_arg("size", |arg| arg.add(ArgValueCompleter::new(sizes)))
        })
        .mut_subcommand("man", |it| {
            it.mut_arg("page", |arg| arg.add(ArgValueCompleter::new(pages)))
        })
}

/// The candidates that begin with what is typed.
fn matching<'a>(
    typed: &OsStr,
    all: impl Iterator<Item = (String, &'a str)>,
) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    let begins = all.filter(|(value, _)| value.starts_with(typed.as_ref()));
    begins
        .map(|(value, help)| {
            let first = help.lines().next().unwrap_or_default().to_owned();
            CompletionCandidate::new(value).help(Some(first.into()))
        })
        .collect()
}

fn policies(typed: &OsStr) -> Vec<CompletionCandidate> {
    if let Some(file) = typed.to_str().and_then(|text| text.strip_prefix("site:")) {
        let files = PathCompleter::file().complete(OsStr::new(file));
        return files.into_iter().map(|file| file.add_prefix("site:")).collect();
    }
    let known = POLICIES.iter().map(|policy| (policy.id().to_owned(), policy.title()));
    let patterns = PATTERNS.iter().filter_map(|(pattern, about)| {
        // blame:NAME: the part that can be completed.
        Some((format!("{}:", pattern.split_once(':')?.0), *about))
    });
    matching(typed, known.chain(patterns))
}

fn sorts(typed: &OsStr) -> Vec<CompletionCandidate> {
    let (sign, name) = match typed.to_str().and_then(|text| text.strip_prefix('-')) {
        Some(name) => ("-", name.to_owned()),
        None => ("", typed.to_string_lossy().into_owned()),
    };
    let columns = COLUMNS.iter().map(|column| (column.id.to_owned(), column.about));
    let found = matching(OsStr::new(&name), columns);
    found.into_iter().map(|it| it.add_prefix(sign)).collect()
}

/// Columns, separated by commas: the last one is completed.
fn columns(typed: &OsStr) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    let (before, last) = typed.rsplit_once(',').unwrap_or(("", &typed));
    let prefix = if before.is_empty() { String::new() } else { format!("{before},") };
    let taken: Vec<&str> = before.split(',').collect();
    let columns = COLUMNS.iter().filter(|column| !taken.contains(&column.id));
    let columns = columns.map(|column| (column.id.to_owned(), column.about));
    let found = matching(OsStr::new(last), columns);
    found.into_iter().map(|it| it.add_prefix(prefix.as_str())).collect()
}

fn themes(typed: &OsStr) -> Vec<CompletionCandidate> {
    matching(typed, ThemeName::ALL.iter().map(|theme| (theme.name().to_owned(), theme.about())))
}

fn alarms(typed: &OsStr) -> Vec<CompletionCandidate> {
    matching(typed, QUANTITIES.iter().map(|row| (row.example.to_owned(), row.about)))
}

/// Sizes of jobs; the present room is for `doomtop fits` itself to tell.
fn sizes(typed: &OsStr) -> Vec<CompletionCandidate> {
    const SIZES: [&str; 8] = ["256M", "512M", "1G", "2G", "4G", "8G", "16G", "32G"];
    matching(typed, SIZES.iter().map(|size| ((*size).to_owned(), "more memory")))
}

fn pages(typed: &OsStr) -> Vec<CompletionCandidate> {
    let pages = super::manual::MANUAL.iter().map(|page| {
        (page.name.strip_prefix("doomtop-").unwrap_or(page.name).to_owned(), page.about)
    });
    matching(typed, pages)
}

/// `auto`, `global`, the memory nodes, and the cgroups of this machine.
fn scopes(typed: &OsStr) -> Vec<CompletionCandidate> {
    let words = [
        ("auto", "in a container its own limit, otherwise the machine"),
        ("global", "the machine"),
        ("nodes:", "memory nodes, such as nodes:0-1"),
    ];
    let words = words.map(|(word, about)| (word.to_owned(), about)).into_iter();
    let mut cgroups = Vec::new();
    for root in ["/sys/fs/cgroup/memory", "/sys/fs/cgroup/unified", "/sys/fs/cgroup"] {
        if cgroups.is_empty() {
            add_cgroups(Path::new(root), "", DEPTH, &mut cgroups);
        }
    }
    matching(typed, words.chain(cgroups.into_iter().map(|path| (path, "a memory cgroup"))))
}

/// The cgroups below a directory, by their paths from the root of the tree.
fn add_cgroups(folder: &Path, path: &str, depth: u32, found: &mut Vec<String>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if depth == 0 || found.len() >= CGROUPS {
            return;
        }
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let Some(name) = entry.file_name().to_str().filter(|_| is_folder).map(str::to_owned) else {
            continue;
        };
        let path = format!("{path}/{name}");
        let below = entry.path();
        if below.join("cgroup.procs").exists() {
            found.push(path.clone());
            add_cgroups(&below, &path, depth - 1, found);
        }
    }
}

/// Recordings, JSON lines and directories.
fn recordings() -> PathCompleter {
    let is_recording = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        [".tape", ".jsonl", ".json", ".gz"].iter().any(|end| name.ends_with(end))
    };
    PathCompleter::file().filter(is_recording)
}

/// Nushell. Its completer is a closure that gets the words of the command line.
struct Nushell;

impl EnvCompleter for Nushell {
    fn name(&self) -> &'static str {
        "nushell"
    }

    fn is(&self, name: &str) -> bool {
        name == "nushell" || name == "nu"
    }

    fn write_registration(
        &self,
        var: &str,
        name: &str,
        bin: &str,
        completer: &str,
        buf: &mut dyn Write,
    ) -> io::Result<()> {
        let _ = name;
        // The words of the line reach it as one text; the last one may be empty.
        writeln!(
            buf,
            r#"def "nu-complete {bin}" [context: string] {{
    let words = ($context | split row --regex '\s+')
    let index = (($words | length) - 1)
    with-env {{ {var}: "nushell", _DOOMTOP_INDEX: ($index | into string) }} {{
        ^{completer} -- ...$words
    }} | lines | each {{|line|
        let parts = ($line | split row "\t")
        {{ value: ($parts | first), description: ($parts | skip 1 | str join " ") }}
    }}
}}

export extern "{bin}" [
    ...words: string@"nu-complete {bin}"
]"#
        )
    }

    fn write_complete(
        &self,
        cmd: &mut Command,
        args: Vec<OsString>,
        current_dir: Option<&Path>,
        buf: &mut dyn Write,
    ) -> io::Result<()> {
        let index = std::env::var("_DOOMTOP_INDEX").ok().and_then(|index| index.parse().ok());
        let index = index.unwrap_or(args.len().saturating_sub(1));
        let folder: Option<PathBuf> = current_dir.map(Path::to_owned);
        for candidate in complete(cmd, args, index, folder.as_deref())? {
            let value = candidate.get_value().to_string_lossy().into_owned();
            let help = candidate.get_help().map(ToString::to_string).unwrap_or_default();
            let help = help.lines().next().unwrap_or_default().to_owned();
            writeln!(buf, "{value}\t{help}")?;
        }
        Ok(())
    }
}

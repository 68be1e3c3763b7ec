//! The binary without a screen: text, JSON, recordings, exit codes, and every live process's score
//! against the kernel's.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use doomtop::shell::exit_status;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::children::Own;
use crate::wait::until;

fn doomtop(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doomtop"));
    command.args(arguments).stdin(Stdio::null()).env_remove("NO_COLOR").env_remove("COLUMNS");
    // The settings of whoever runs the tests are not those of the tests.
    command.env("DOOMTOP_CONFIG", "/dev/null");
    command
}

fn run(arguments: &[&str]) -> Output {
    doomtop(arguments).output().expect("doomtop runs")
}

/// Runs it with this on standard input.
fn fed(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = doomtop(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("doomtop runs");
    let mut stdin = child.stdin.take().expect("its input");
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // It may well end before it has read everything.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().expect("its output");
    writer.join().expect("the writer ends");
    output
}

fn frames(output: &Output) -> Vec<Value> {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout.clone()).expect("JSON is UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect()
}

fn find(frame: &Value, pid: u32) -> &Value {
    let rows = frame["processes"].as_array().expect("rows");
    rows.iter().find(|row| row["pid"] == pid).unwrap_or_else(|| panic!("{pid} is there"))
}

/// One line on standard error, and this exit status.
fn complains(output: &Output, status: i32, word: &str) {
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(status), "{complaint}");
    assert!(complaint.contains(word), "{word:?} in {complaint:?}");
    assert!(output.stdout.is_empty(), "nothing on standard output");
    if status == 1 {
        assert_eq!(complaint.lines().count(), 1, "one line: {complaint}");
    }
}

#[test]
fn a_single_sample_is_the_second_one_so_that_growth_is_known() {
    let frame = &frames(&run(&["--json", "-n", "1"]))[0];
    let rows = frame["processes"].as_array().expect("rows");
    assert!(rows.iter().any(|row| !row["growth_pages_per_minute"].is_null()));
}

#[test]
fn json_holds_what_the_schema_says() {
    let frame = &frames(&run(&["--json", "-n", "1"]))[0];
    assert_eq!(frame["schema"], "doomtop/1");
    for key in [
        "time",
        "host",
        "memory",
        "swap",
        "overcommit",
        "pressure",
        "policy",
        "domain",
        "victim",
        "runner_up",
        "margin_pages",
        "candidates",
        "processes",
    ] {
        assert!(frame.get(key).is_some(), "{key}");
    }
    for key in ["mode", "ratio", "kbytes", "limit", "committed"] {
        assert!(frame["overcommit"].get(key).is_some(), "overcommit.{key}");
    }
    let own = find(frame, std::process::id());
    for key in [
        "pid",
        "start_ticks",
        "comm",
        "rank",
        "badness_pages",
        "terms",
        "oom_score",
        "oom_score_computed",
        "oom_score_adj",
        "oom_adj",
        "spared",
    ] {
        assert!(own.get(key).is_some(), "{key} of a process");
    }
    let terms: i64 = own["terms"].as_object().unwrap().values().filter_map(Value::as_i64).sum();
    assert_eq!(Some(terms), own["badness_pages"].as_i64(), "the terms add up");
    assert_eq!(frame["victim"]["pid"], frame["candidates"][0]);
    let schema = include_str!("../../assets/docs/schema.md");
    let keys = frame.as_object().unwrap().keys().chain(own.as_object().unwrap().keys());
    for key in keys {
        assert!(
            schema.contains(&format!("`{key}`")),
            "{key} is described in assets/docs/schema.md"
        );
    }
}

/// Pid and start of everybody whose computed score is not the kernel's own.
fn differing(frame: &Value) -> BTreeSet<(u64, u64)> {
    let mut compared = 0;
    let mut differ = BTreeSet::new();
    for row in frame["processes"].as_array().expect("rows") {
        // That of a kernel thread is read once: it is never chosen.
        if row["score_fresh"] != true {
            continue;
        }
        let number = |key: &str| row[key].as_u64();
        let (Some(kernel), Some(computed)) = (number("oom_score"), number("oom_score_computed"))
        else {
            continue;
        };
        compared += 1;
        if kernel != computed {
            differ.extend(number("pid").zip(number("start_ticks")));
        }
    }
    assert!(compared >= 3, "{compared} were compared");
    assert_eq!(frame["self_check"]["compared"], compared);
    assert_eq!(frame["self_check"]["agree"], compared - differ.len());
    differ
}

/// The differential test: every process's computed score against the kernel's own.
#[test]
fn every_computed_score_is_the_kernels() {
    let holding = |mib, adj: i16| {
        let own = Own::holding(Path::new("dd"), mib);
        fs::write(format!("/proc/{}/oom_score_adj", own.word()), adj.to_string()).expect("its adj");
        own
    };
    let (large, raised, small) = (holding(200, 0), holding(64, 700), holding(1, 333));
    // A process that grows between two files differs for a moment, a wrong rule for good: whoever
    // differs is looked at again, until it agrees or has ended.
    let mut frame = frames(&run(&["--json", "-n", "1"])).remove(0);
    let mut differ = differing(&frame);
    for _ in 0..100 {
        if differ.is_empty() {
            break;
        }
        frame = frames(&run(&["--json", "-n", "1"])).remove(0);
        let again = differing(&frame);
        differ.retain(|who| again.contains(who));
    }
    assert!(differ.is_empty(), "{differ:?} in {frame}");
    let frame = &frame;
    let points = |own: &Own| find(frame, own.0.id())["badness_pages"].as_i64().unwrap();
    let step = frame["domain"]["total_pages"].as_i64().unwrap() / 1000;
    let page = frame["host"]["page_size"].as_i64().unwrap();
    assert!(points(&large) * page >= 200 << 20, "it holds what it was told to hold");
    assert!(points(&raised) > 700 * step && points(&small) > 333 * step);
    for (own, adj) in [(&large, 0), (&raised, 700), (&small, 333)] {
        assert_eq!(find(frame, own.0.id())["oom_score_adj"], adj);
    }
}

#[test]
fn a_recording_ranks_the_same_on_any_machine() {
    let recorded = run(&["--json", "-n", "2", "-d", "0.1"]);
    let again = fed(&["--from", "-", "--json"], &recorded.stdout);
    let (then, now) = (frames(&recorded), frames(&again));
    assert_eq!(then.len(), 2);
    assert_eq!(then, now, "not a single value differs");
    let old = frames(&fed(&["--from", "-", "--json", "--policy", "linux-2.4"], &recorded.stdout));
    assert_eq!(old[0]["policy"], "linux-2.4");
    assert_eq!(old[0]["unit"], "points");
    assert_eq!(
        old[0]["processes"].as_array().map(Vec::len),
        then[0]["processes"].as_array().map(Vec::len)
    );
    let text = fed(&["--from", "-", "-b"], &recorded.stdout);
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert_eq!(text.lines().filter(|line| is_sentence(line)).count(), 2, "{text}");
}

/// What a busy machine may say: somebody is named, several are, or nothing is predicted.
fn is_sentence(line: &str) -> bool {
    ["NOW FIRST", "TOO CLOSE", "NO PREDICTION"].iter().any(|start| line.starts_with(start))
}

#[test]
fn text_says_what_the_screen_says() {
    let output = run(&["-b", "-n", "1"]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    for word in ["doomtop ", "memory ", "overcommit ", "self-check ", "BADNESS", "COMMAND"] {
        assert!(text.contains(word), "{word:?} in\n{text}");
    }
    assert!(text.lines().any(is_sentence), "{text}");
}

#[test]
fn filter_sort_and_columns_hold_without_a_screen() {
    let own = std::process::id();
    let only = format!("pid:{own}");
    let output = run(&["-b", "-n", "1", "--filter", &only, "--columns", "pid,rss,command"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let table: Vec<&str> = text.split("\n\n").nth(1).unwrap().lines().collect();
    assert_eq!(table[0].split_whitespace().collect::<Vec<_>>(), ["PID", "RSS", "COMMAND"]);
    assert_eq!(table.len(), 2, "{text}");
    assert!(table[1].trim_start().starts_with(&own.to_string()));
    let frame = &frames(&run(&["--json", "-n", "1", "--sort", "pid"]))[0];
    let pids: Vec<i64> = frame["processes"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|row| row["pid"].as_i64())
        .collect();
    assert!(pids.is_sorted());
    let frame = &frames(&run(&["--json", "-n", "1", "--sort=-pid", "--columns", "pid,rank"]))[0];
    let rows = frame["processes"].as_array().unwrap();
    let pids: Vec<i64> = rows.iter().filter_map(|row| row["pid"].as_i64()).collect();
    assert!(pids.is_sorted_by(|a, b| a >= b));
    assert!(rows[0].get("vsize_bytes").is_none() && rows[0].get("rank").is_some());
}

#[test]
fn without_a_terminal_it_names_the_flags() {
    complains(&run(&[]), 2, "--batch (-b) or --json");
}

#[test]
fn wrong_usage_is_told_with_what_would_help() {
    complains(&run(&["-b", "--policy", "windows"]), 2, "linux-2.4");
    complains(&run(&["-b", "--filter", "/(/"]), 2, "unclosed group");
    complains(&run(&["-b", "--sort", "size"]), 2, "oom_score_adj");
    complains(&run(&["-b", "--columns", "pid,size"]), 2, "\"size\"");
    complains(&run(&["-b", "-d", "0"]), 2, "0.1 to 3600");
    complains(&run(&["-b", "-n", "0"]), 2, "--iterations");
    complains(&run(&["-b", "--json"]), 2, "--json");
}

#[test]
fn what_cannot_be_read_is_told_in_one_line() {
    complains(&run(&["-b", "--from", "/nonexistent/file"]), 1, "/nonexistent/file");
    complains(&run(&["-b", "--from", "/"]), 1, "a directory");
    complains(&run(&["-b", "--proc", "/nonexistent", "-n", "1"]), 1, "/nonexistent");
    complains(&fed(&["-b", "--from", "-"], b"not json\n"), 1, "standard input:1:");
    complains(&fed(&["-b", "--from", "-"], b"{\"schema\":\"other/9\"}\n"), 1, "doomtop/1");
    complains(&fed(&["-b", "--from", "-"], b"{}\n"), 1, "schema");
    complains(&fed(&["-b", "--from", "-"], b""), 1, "");
}

#[test]
fn a_recording_cut_short_shows_what_is_whole() {
    let mut recorded = run(&["--json", "-n", "2", "-d", "0.1"]).stdout;
    recorded.truncate(recorded.len() - 100);
    let output = fed(&["--from", "-", "--json"], &recorded);
    assert_eq!(frames(&output).len(), 1);
    assert!(!output.stderr.is_empty(), "and says that something is missing");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = doomtop(&["--json", "-d", "0.1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("doomtop runs");
    let mut out = BufReader::new(child.stdout.take().expect("its output"));
    let mut line = String::new();
    out.read_line(&mut line).expect("a line");
    drop(out);
    let status = child.wait().expect("it ends");
    let mut complaint = String::new();
    child.stderr.take().unwrap().read_to_string(&mut complaint).unwrap();
    assert_eq!((status.code(), complaint.as_str()), (Some(0), ""));
}

#[test]
fn help_and_version() {
    let help = run(&["--help"]);
    let text = String::from_utf8(help.stdout).unwrap();
    assert!(help.status.success());
    for flag in [
        "--batch",
        "--json",
        "--from",
        "--policy",
        "--filter",
        "--sort",
        "--columns",
        "--read-only",
    ] {
        assert!(text.contains(flag), "{flag}");
    }
    assert!(text.contains("Exit status"));
    let version = run(&["--version"]);
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    // Commit and target follow.
    assert!(version.starts_with(concat!("doomtop ", env!("CARGO_PKG_VERSION"), " (")), "{version}");
}

/// A file that ends with the test.
fn rule(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("rule.toml");
    fs::write(&file, text).expect("written");
    let name = file.to_str().expect("a name").to_owned();
    (folder, name)
}

#[test]
fn a_bad_rule_is_told_by_line_and_column() {
    let (_folder, file) = rule("name = \"x\"\nscore = \"p.rsss\"\nprotct = []\n");
    let policy = format!("site:{file}");
    for arguments in [
        vec!["policy", "check", &file],
        vec!["--policy", &policy, "-b", "-n1"],
        vec!["--policy", &policy, "policies"],
    ] {
        let output = run(&arguments);
        complains(
            &output,
            2,
            &format!("{file}:2:10: there is no fact p.rsss; did you mean p.rss?"),
        );
        complains(&output, 2, &format!("{file}:3:1: unknown key protct; did you mean protect?"));
    }
    for (file, word) in [
        ("/nonexistent/rule", "No such file"),
        ("/dev/null", "not a regular file"),
        ("/", "not a regular file"),
        ("/proc/self/exe", "not UTF-8"),
    ] {
        complains(&run(&["policy", "check", file]), 2, word);
    }
    complains(&run(&["--policy", "site:", "-b"]), 2, "site:FILE");
    complains(&run(&["--policy", "nobody", "-b"]), 2, "linux-2.4");
}

#[test]
fn a_pipe_in_the_place_of_a_rule_does_not_hang() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    complains(&run(&["policy", "check", pipe.to_str().expect("a name")]), 2, "not a regular file");
}

#[test]
fn a_good_rule_says_who_would_die_by_it() {
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/db-03.jsonl");
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/policies/blame-browser.toml");
    let output = run(&["policy", "check", example, "--from", fixture]);
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success() && output.stderr.is_empty());
    assert!(text.contains("dies now: 20731 chrome"), "{text}");
    assert!(text.contains("(blamed)") && text.contains("by SIGTERM"), "{text}");
    assert!(text.contains("then: 4411 java"), "{text}");
    // Of this machine it can be told too.
    assert!(run(&["policy", "check", example]).status.success());

    let frames =
        frames(&run(&["--json", "--from", fixture, "--policy", &format!("site:{example}")]));
    assert_eq!(frames.last().expect("a look")["policy"], "site:blame-browser");
    let facts = String::from_utf8(run(&["policy", "facts"]).stdout).expect("text");
    assert_eq!(facts, doomtop::policy::site::table());
}

#[test]
fn rules_of_adj_are_checked_without_a_screen() {
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/db-03.jsonl");
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/adj-rules.toml");
    let output = run(&["rules", "check", example, "--from", fixture]);
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success() && output.stderr.is_empty());
    for line in [
        "the database dies last (line 4): adj -600 for all of user postgres",
        "    30114 cc1plus  +0 -> +700  would be written",
        "    20731 chrome  +300 -> +400  would be written",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(run(&["rules", "check", example]).status.success(), "of this machine too");

    let (_folder, file) = rule("[[rule]]\nfor = 'x'\nadj = 5000");
    let fault = format!("{file}:3:7: adj must be a number from -1000 to 1000");
    complains(&run(&["rules", "check", &file]), 2, &fault);
    complains(&run(&["rules", "check", "/dev/null"]), 2, "not a regular file");
    complains(&run(&["--adj-rules", example, "-b"]), 2, "cannot be used with");
}

#[test]
fn the_list_of_policies_says_what_each_waits_for() {
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/db-03.jsonl");
    let output = run(&["policies", "--from", fixture]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).expect("text");
    for policy in doomtop::policy::POLICIES {
        assert!(text.contains(policy.id()) && text.contains(policy.title()), "{text}");
        assert!(policy.info().cites.iter().all(|cite| text.contains(cite.place)), "{text}");
    }
    assert!(text.contains("not armed: waits until swap is full"), "{text}");
    assert!(run(&["policies"]).status.success());
}

#[test]
fn a_changed_rule_is_read_again_and_a_bad_one_changes_nothing() {
    let (folder, file) = rule("name = 'one'\nscore = 'p.rss'");
    let policy = format!("site:{file}");
    let told = folder.path().join("errors");
    let mut child = doomtop(&["--json", "--policy", &policy, "-d", "0.2", "-n", "200"])
        .stdout(Stdio::piped())
        .stderr(fs::File::create(&told).expect("a file"))
        .spawn()
        .expect("doomtop runs");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    // A pipe that nobody reads would stop it.
    let mut until = |wanted: &dyn Fn(&str) -> bool| {
        lines.by_ref().map_while(Result::ok).any(|line| wanted(&line))
    };
    assert!(until(&|line| line.contains("\"site:one\"")));
    fs::write(&file, "name = 'bad'\nscore = 'p.rsss'").expect("written");
    let errors = || fs::read_to_string(&told).unwrap_or_default();
    // The file may be read while it is still empty, which is another fault.
    let bad = || errors().contains(":2:10: there is no fact p.rsss");
    assert!(until(&|line| line.contains("\"site:one\"") && bad()));
    assert!(errors().contains("the last valid version stays in use"), "{}", errors());
    fs::write(&file, "name = 'two'\nscore = 'p.swap'").expect("written");
    assert!(until(&|line| line.contains("\"site:two\"")));
    drop(lines);
    let _ = child.kill();
    let _ = child.wait();
}

/// The help of a command and of all its subcommands, each with its name.
fn helps(command: &mut clap::Command, name: &str, found: &mut Vec<(String, String)>) {
    found.push((name.to_owned(), command.render_long_help().to_string()));
    for inner in command.get_subcommands_mut().filter(|inner| inner.get_name() != "help") {
        let name = format!("{name} {}", inner.get_name()).trim().to_owned();
        helps(inner, &name, found);
    }
}

#[test]
fn each_help_lists_the_exit_statuses_of_its_command() {
    let mut found = Vec::new();
    helps(
        &mut <doomtop::shell::command::cli::Cli as clap::CommandFactory>::command(),
        "",
        &mut found,
    );
    assert!(found.len() > 10, "{found:?}");
    for (name, help) in found {
        let statuses = exit_status::help(&name);
        let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat(&help).contains(&flat(&statuses)), "{name}: {help}");
        let rows = exit_status::EXIT_STATUSES.iter();
        for row in rows.filter(|row| row.commands.contains(&name.as_str())) {
            assert!(statuses.contains(row.meaning), "{name}: {}", row.status);
        }
    }
}

/// The program ends only by the statuses of the table.
#[test]
fn no_exit_status_is_outside_the_table() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut exits = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let is_table = path.ends_with("shell/exit_status.rs");
            let text = fs::read_to_string(&path).expect("a source");
            for line in text.lines().filter(|line| line.contains("process::exit(")) {
                assert!(line.contains("ExitStatus::"), "{}: {line}", path.display());
                exits += 1;
            }
            for other in ["ExitCode::from(", "ExitCode::FAILURE", "ExitCode::SUCCESS", "_exit("] {
                assert!(is_table || !text.contains(other), "{}: {other}", path.display());
            }
        }
    }
    assert!(exits > 0, "some were found");
}

#[test]
fn a_signal_that_was_ignored_at_the_start_ends_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("some.tape");
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' HUP; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_doomtop")]);
    command.args(["record", "-d", "0.1"]).arg(&file);
    let mut child = Own(command.stderr(Stdio::null()).spawn().expect("a child"));
    // The length of the file when it is longer than this; 0 if the child ended.
    let grown = |child: &mut Own, size: u64| {
        until("a longer recording", || {
            let ended = child.0.try_wait().expect("its status").is_some();
            let now = fs::metadata(&file).map_or(0, |it| it.len());
            (ended || now > size).then_some(if ended { 0 } else { now })
        })
    };
    let pid = |child: &Own| Pid::from_raw(i32::try_from(child.0.id()).expect("a pid"));
    let mut length = grown(&mut child, 0);
    assert!(length > 0, "it records");
    kill(pid(&child), Signal::SIGHUP).expect("an own child");
    for _ in 0..3 {
        length = grown(&mut child, length);
        assert!(length > 0, "SIGHUP ended it");
    }
    // Not SIGINT, which is ignored where the tests run in the background of a shell.
    kill(pid(&child), Signal::SIGTERM).expect("an own child");
    let status = until("its end", || child.0.try_wait().expect("its status"));
    assert_eq!(status.code(), Some(0), "SIGTERM was not ignored");
}

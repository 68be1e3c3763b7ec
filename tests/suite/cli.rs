//! The binary without a screen: text, JSON, recordings, exit codes, and every live process's score
//! against the kernel's.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

fn doomtop(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doomtop"));
    command.args(arguments).stdin(Stdio::null()).env_remove("NO_COLOR").env_remove("COLUMNS");
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

struct Own(Child);

impl Own {
    /// A shell that holds about this many MiB and waits.
    fn holding(mib: usize, adj: i16) -> Self {
        let script =
            format!("x=$(head -c {} /dev/zero | tr '\\0' a); echo ready; read y", mib << 20);
        let mut child = Command::new("sh")
            .args(["-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let mut line = String::new();
        let out = child.stdout.as_mut().expect("its output");
        BufReader::new(out).read_line(&mut line).expect("it is ready");
        assert_eq!(line, "ready\n");
        fs::write(format!("/proc/{}/oom_score_adj", child.id()), adj.to_string()).expect("its adj");
        Self(child)
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
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

/// The differential test: every process's computed score against the kernel's own.
#[test]
fn every_computed_score_is_the_kernels() {
    let large = Own::holding(200, 0);
    let raised = Own::holding(64, 700);
    let small = Own::holding(1, 333);
    let frame = &frames(&run(&["--json", "-n", "1"]))[0];
    let mut compared = 0;
    for row in frame["processes"].as_array().unwrap() {
        let (Some(kernel), Some(computed)) =
            (row["oom_score"].as_u64(), row["oom_score_computed"].as_u64())
        else {
            continue;
        };
        compared += 1;
        assert_eq!(kernel, computed, "{row}");
    }
    assert!(compared >= 3, "{compared} were compared");
    assert_eq!(frame["self_check"]["agree"], frame["self_check"]["compared"]);
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

/// What a busy machine may say: somebody is named, several are, or nothing is foretold.
fn is_sentence(line: &str) -> bool {
    ["NEXT VICTIM", "TOO CLOSE", "NO PREDICTION"].iter().any(|start| line.starts_with(start))
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
    complains(&run(&["-b", "--from", "/"]), 1, "folder");
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
    assert_eq!(
        String::from_utf8_lossy(&version.stdout).trim(),
        concat!("doomtop ", env!("CARGO_PKG_VERSION"))
    );
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
        ("/dev/null", "no file"),
        ("/", "no file"),
        ("/proc/self/exe", "no UTF-8"),
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
    complains(&run(&["policy", "check", pipe.to_str().expect("a name")]), 2, "no file");
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
    complains(&run(&["rules", "check", "/dev/null"]), 2, "no file");
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
    assert!(until(&|line| line.contains("\"site:one\"") && errors().contains("stays")));
    assert!(errors().contains(":2:10: there is no fact p.rsss"), "{}", errors());
    assert!(errors().contains("the last good version stays"), "{}", errors());
    fs::write(&file, "name = 'two'\nscore = 'p.swap'").expect("written");
    assert!(until(&|line| line.contains("\"site:two\"")));
    drop(lines);
    let _ = child.kill();
    let _ = child.wait();
}

//! The real binary in a terminal of its own: what it draws, what it does to own children, and in
//! what state it leaves the terminal however it ends.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test says what it expects")]

mod alarms;
#[allow(dead_code, reason = "the proof of the ranking uses all of it")]
#[path = "../oom/cgroup.rs"]
mod cgroup;
mod confirm;
#[path = "../suite/fakeproc.rs"]
mod fakeproc;
mod load_run;
mod settings;
mod survival;
mod terminal;
mod usage;

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};

use terminal::Terminal;

/// A child of our own that ends with the test, however the test ends.
struct Own(Child);

impl Own {
    fn sleeper() -> Self {
        Self(Command::new("sleep").arg("1000").stdout(Stdio::null()).spawn().expect("sleep"))
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }

    fn adj(&self) -> String {
        let path = format!("/proc/{}/oom_score_adj", self.pid());
        fs::read_to_string(path).unwrap_or_default().trim().to_owned()
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn only(pid: u32) -> String {
    format!("--filter=pid:{pid}")
}

#[test]
fn it_starts_shows_the_ranking_and_quits() {
    let mut terminal = Terminal::run(80, 24, &[]);
    // A busy machine may be too close to call, or have somebody dying.
    let sentence = |text: &str| {
        ["now first", "if memory ended now", "NEXT", "too close", "NO PREDICTION", "OFF:"]
            .iter()
            .any(|it| text.contains(it))
    };
    terminal.wait_for("the table", |text| text.contains("BADNESS") && sentence(text));
    assert!(terminal.is_alternate());
    assert_eq!(terminal.quit(), 0);
    terminal.assert_restored();
}

#[test]
fn help_and_escape() {
    let mut terminal = Terminal::run(100, 30, &[]);
    terminal.wait_for("the table", |text| text.contains("BADNESS"));
    terminal.send("?");
    terminal.wait_for("help", |text| text.contains("/ finds"));
    terminal.send("\x1b");
    terminal
        .wait_for("the table again", |text| !text.contains("/ finds") && text.contains("BADNESS"));
    assert_eq!(terminal.quit(), 0);
}

#[test]
fn a_key_right_behind_a_resize_is_not_lost() {
    let mut terminal = Terminal::run(100, 30, &[]);
    terminal.wait_for("the table", |text| text.contains("BADNESS"));
    for (width, height) in [(80, 24), (120, 40), (90, 30), (132, 50), (80, 24), (100, 30)] {
        terminal.resize(width, height);
        terminal.send("?");
        terminal.wait_for("help", |text| text.contains("Esc closes"));
        terminal.send("\x1b");
        terminal.wait_for("the table again", |text| !text.contains("Esc closes"));
    }
    assert_eq!(terminal.quit(), 0);
}

#[test]
fn a_long_paste_arrives_whole() {
    let mut terminal = Terminal::run(100, 30, &[]);
    terminal.wait_for("the table", |text| text.contains("BADNESS"));
    // More than a terminal is read in one go.
    terminal.send(&"\x01".repeat(3000));
    terminal.send("?");
    terminal.wait_for("help", |text| text.contains("Esc closes"));
    assert_eq!(terminal.quit(), 0);
}

#[test]
fn adj_of_an_own_child_is_edited_and_put_back() {
    let child = Own::sleeper();
    let mut terminal = Terminal::run(100, 30, &[&only(child.pid())]);
    terminal.wait_for("the child", |text| text.contains(&child.pid().to_string()));
    terminal.send("a");
    terminal.wait_for("the editor", |text| text.contains("oom_score_adj"));
    terminal.send("123");
    terminal.answer("\r", "the write", |_| child.adj() == "123");
    terminal.wait_for("the report", |text| text.contains("+0 -> +123"));
    terminal.send("r");
    terminal.answer("\r", "the way back", |_| child.adj() == "0");
    terminal.wait_for("the report", |text| text.contains("restored"));
    assert_eq!(terminal.quit(), 0);
}

#[test]
fn an_edit_that_is_left_writes_nothing() {
    let child = Own::sleeper();
    let mut terminal = Terminal::run(100, 30, &[&only(child.pid())]);
    terminal.wait_for("the child", |text| text.contains(&child.pid().to_string()));
    terminal.send("a77");
    terminal.wait_for("the editor", |text| text.contains("77"));
    terminal.send("\x1b");
    terminal.wait_for("the word", |text| text.contains("nothing was changed"));
    assert_eq!(child.adj(), "0");
    assert_eq!(terminal.quit(), 0);
}

#[test]
fn an_own_child_is_sacrificed_and_followed_to_its_end() {
    let mut child = Own::sleeper();
    let mut terminal = Terminal::run(120, 40, &[&only(child.pid())]);
    terminal.wait_for("the child", |text| text.contains(&child.pid().to_string()));
    terminal.send("X");
    terminal.wait_for("the dialog", |text| text.contains("SIGKILL") || text.contains("SIGTERM"));
    assert!(child.0.try_wait().expect("a status").is_none(), "the dialog alone does nothing");
    terminal.answer("y", "the signal", |text| text.contains("sent") || text.contains("gone"));
    let status = child.0.wait().expect("its status");
    assert!(matches!(status.signal(), Some(9 | 15)), "{status:?}");
    terminal.wait_for("its end", |text| text.contains("gone after"));
    assert_eq!(terminal.quit(), 0);
}

#[test]
fn a_burst_that_begins_with_the_confirming_key_confirms_nothing() {
    let mut child = Own::sleeper();
    let mut terminal = Terminal::run(120, 40, &[&only(child.pid())]);
    terminal.wait_for("the child", |text| text.contains(&child.pid().to_string()));
    terminal.send("X");
    terminal.wait_for("the dialog", |text| text.contains("y = do it"));
    // As a paste without brackets: it counts only once the dialog has been in view for a while.
    terminal.answer("y\x01", "the word", |text| {
        text.contains("more input came with the confirming key")
    });
    assert!(child.0.try_wait().expect("a status").is_none(), "it lives");
    terminal.send("\x1b");
    terminal.wait_for("the table", |text| !text.contains("y = do it"));
    assert_eq!(terminal.quit(), 0);
}

#[test]
fn a_dry_run_asks_checks_and_does_nothing() {
    let mut child = Own::sleeper();
    let mut terminal = Terminal::run(120, 40, &["--dry-run", &only(child.pid())]);
    terminal.wait_for("the child", |text| text.contains(&child.pid().to_string()));
    terminal.send("X");
    terminal.wait_for("the dialog", |text| text.contains("y = see what would be done"));
    terminal.answer("y", "the rehearsal", |text| text.contains("dry run, nothing done"));
    assert!(child.0.try_wait().expect("a status").is_none());
    assert_eq!(terminal.quit(), 0);
}

#[test]
fn read_only_acts_on_nobody() {
    let mut child = Own::sleeper();
    let mut terminal = Terminal::run(100, 30, &["--read-only", &only(child.pid())]);
    terminal.wait_for("the child", |text| text.contains(&child.pid().to_string()));
    terminal.send("X");
    terminal.wait_for("the refusal", |text| {
        text.contains("read-only: doomtop changes and signals nothing")
    });
    terminal.send("y");
    terminal.wait_for("the harmless list that y opens", |text| text.contains("command line"));
    terminal.send("q");
    terminal.wait_for("the table", |text| !text.contains("command line"));
    terminal.send("a");
    terminal.wait_for("the refusal", |text| {
        text.contains("read-only: doomtop changes and signals nothing")
    });
    assert!(child.0.try_wait().expect("a status").is_none());
    assert_eq!(terminal.quit(), 0);
}

#[test]
fn it_follows_every_size_down_to_one_line() {
    let mut terminal = Terminal::run(80, 24, &[]);
    terminal.wait_for("the table", |text| text.contains("BADNESS"));
    for (width, height) in [(200, 60), (120, 40), (40, 10), (40, 6)] {
        terminal.resize(width, height);
        terminal.wait_for("the table", |text| text.contains("PID"));
    }
    terminal.resize(39, 5);
    terminal.wait_for("the one-liner", |text| text.contains("doomtop needs 40x6"));
    terminal.resize(80, 24);
    terminal.wait_for("the table", |text| text.contains("BADNESS"));
    assert_eq!(terminal.quit(), 0);
}

#[test]
fn every_ending_signal_restores_the_terminal() {
    for (name, number) in [("TERM", 15), ("INT", 2), ("HUP", 1), ("QUIT", 3)] {
        let mut terminal = Terminal::run(80, 24, &[]);
        terminal.wait_for("the table", |text| text.contains("BADNESS"));
        terminal.signal(name);
        assert_eq!(terminal.end(), 128 + number, "SIG{name}");
        terminal.assert_restored();
    }
}

#[test]
fn every_other_deadly_signal_restores_the_terminal_too() {
    // Those of the limits of CPU time and file size, of a failed allocation, of a filter of system calls, of
    // timers and other programs; 40 is a real-time signal.
    for (name, number) in [
        ("ABRT", 6),
        ("USR2", 12),
        ("ALRM", 14),
        ("XCPU", 24),
        ("XFSZ", 25),
        ("VTALRM", 26),
        ("PROF", 27),
        ("IO", 29),
        ("SYS", 31),
        ("ILL", 4),
        ("40", 40),
    ] {
        let mut terminal = Terminal::run(80, 24, &[]);
        terminal.wait_for("the table", |text| text.contains("BADNESS"));
        let kill = Command::new("kill").args(["-s", name, &terminal.pid().to_string()]).status();
        assert!(kill.expect("kill runs").success(), "{name}");
        assert_eq!(terminal.end(), 1000 + number, "SIG{name}");
        terminal.assert_restored();
    }
}

#[test]
fn suspending_gives_the_terminal_back_and_fg_takes_it_again() {
    for way in ["\x1a", "signal"] {
        let mut terminal = Terminal::run(80, 24, &[]);
        terminal.wait_for("the table", |text| text.contains("BADNESS"));
        if way == "signal" {
            terminal.signal("TSTP");
        } else {
            terminal.send(way);
        }
        terminal.wait_for_state('T');
        terminal.assert_restored();
        terminal.signal("CONT");
        terminal
            .wait_until("the table again", |it| it.is_alternate() && it.text().contains("BADNESS"));
        assert_eq!(terminal.quit(), 0);
        terminal.assert_restored();
    }
}

#[test]
fn a_panic_in_any_thread_restores_the_terminal_first() {
    for place in ["main", "sampler"] {
        let mut terminal = Terminal::run_with(80, 24, &[], &[("DOOMTOP_TEST_PANIC", place)]);
        assert_eq!(terminal.end(), 101, "in {place}");
        terminal.assert_restored();
        let text = terminal.text();
        assert!(text.contains("asked for by DOOMTOP_TEST_PANIC"), "{text}");
    }
}

#[test]
fn a_vanished_terminal_ends_the_program() {
    let mut terminal = Terminal::run(80, 24, &[]);
    terminal.wait_for("the table", |text| text.contains("BADNESS"));
    terminal.vanish();
    assert_eq!(terminal.end(), 129, "as SIGHUP does");
}

#[test]
fn no_color_means_no_colour() {
    let mut terminal = Terminal::run_with(100, 30, &[], &[("NO_COLOR", "1")]);
    terminal.wait_for("the table", |text| text.contains("BADNESS"));
    assert_eq!(terminal.coloured_cells(), 0);
    assert_eq!(terminal.quit(), 0);
    let mut terminal = Terminal::run(100, 30, &[]);
    terminal.wait_for("the table", |text| text.contains("BADNESS"));
    assert!(terminal.coloured_cells() > 0, "and without it there are some");
    assert_eq!(terminal.quit(), 0);
}

#[test]
fn a_theme_that_is_asked_for_outweighs_no_color() {
    let mut terminal = Terminal::run_with(100, 30, &["--theme", "light"], &[("NO_COLOR", "1")]);
    terminal.wait_for("the table", |text| text.contains("BADNESS"));
    assert!(terminal.coloured_cells() > 0);
    assert_eq!(terminal.quit(), 0);
}

#[test]
fn clicks_are_taken_until_the_mouse_is_switched_off() {
    let mut terminal = Terminal::run(100, 30, &[]);
    terminal.wait_for("the table", |text| text.contains("BADNESS"));
    assert!(terminal.reports_clicks());
    terminal.click("Help");
    terminal.wait_for("the help", |text| text.contains("Esc closes"));
    terminal.send("\x1b");
    terminal.wait_for("the table", |text| text.contains("BADNESS"));
    terminal.send("\x1bm");
    terminal.wait_until("the mouse is given back", |it| !it.reports_clicks());
    assert_eq!(terminal.quit(), 0);
    terminal.assert_restored();
    let mut terminal = Terminal::run(100, 30, &["--no-mouse"]);
    terminal.wait_for("the table", |text| text.contains("BADNESS"));
    assert!(!terminal.reports_clicks());
    assert_eq!(terminal.quit(), 0);
}

#[test]
fn a_locale_that_is_not_utf_8_gets_ascii() {
    let mut terminal = Terminal::run_with(120, 40, &[], &[("LC_ALL", "C")]);
    terminal.wait_for("the table", |text| text.contains("BADNESS"));
    assert!(terminal.text().is_ascii(), "{}", terminal.text());
    assert_eq!(terminal.quit(), 0);
}

#[test]
fn hostile_names_draw_nothing_but_themselves() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join(") R 1\x1b[2J\n");
    // doomtop under another name, waiting for its second refresh: the kernel takes the name of the link.
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_doomtop"), &program).expect("a link");
    let mut command = Command::new(&program);
    let child = command.args(["-b", "-d", "3600"]).stdout(Stdio::null()).spawn().expect("it runs");
    let child = Own(child);
    let mut terminal =
        Terminal::run(100, 30, &[&only(child.pid()), "--columns=pid,badness,command"]);
    terminal.wait_for("its neutral name", |text| text.contains(r") R 1\x1b[2J\x0a"));
    terminal.wait_for("the rest of the screen", |text| text.contains("BADNESS"));
    assert_eq!(terminal.quit(), 0);
}

#[test]
fn a_recording_is_shown_and_nothing_in_it_can_be_acted_on() {
    let child = Own::sleeper();
    let frame = Command::new(env!("CARGO_BIN_EXE_doomtop"))
        .args(["--json", "-n", "1"])
        .output()
        .expect("a recording");
    assert!(frame.status.success());
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("one.jsonl");
    fs::write(&file, &frame.stdout).expect("written");
    let from = format!("--from={}", file.display());
    let mut terminal = Terminal::run(100, 30, &[&from, &only(child.pid())]);
    terminal.wait_for("the child", |text| text.contains(&child.pid().to_string()));
    terminal.send("X");
    terminal.wait_for("the refusal", |text| text.contains("recording"));
    terminal.send("y");
    assert_eq!(terminal.quit(), 0);
    let alive = fs::read_to_string(format!("/proc/{}/stat", child.pid())).expect("it lives");
    assert!(!alive.contains(") Z"), "{alive}");
}

#[test]
fn a_sites_rule_is_read_again_while_the_screen_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("rule.toml");
    let write = |text: &str| fs::write(&file, text).expect("written");
    write("name = 'first-rule'\nscore = 'p.rss'");
    let policy = format!("--policy=site:{}", file.display());
    let mut terminal = Terminal::run(160, 30, &[&policy]);
    terminal.wait_for("the first rule", |text| text.contains("by site:first-rule"));
    write("name = 'bad'\nscore = '('");
    terminal.wait_for("what is wrong", |text| text.contains("the last valid version stays in use"));
    terminal.wait_for("the first rule still", |text| text.contains("by site:first-rule"));
    write("name = 'second-rule'\nscore = 'p.rss + p.rss'");
    terminal.wait_for("the second rule", |text| text.contains("by site:second-rule"));
    fs::remove_file(&file).expect("removed");
    terminal.wait_for("that it is gone", |text| text.contains("No such file"));
    assert_eq!(terminal.quit(), 0);
    terminal.assert_restored();
}

#[test]
fn rules_of_adj_wait_for_their_confirmation_and_a_changed_file_ends_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let name = format!("kt{}", std::process::id());
    let (program, file) = (folder.path().join(&name), folder.path().join("adj.toml"));
    std::os::unix::fs::symlink("/bin/sleep", &program).expect("a link");
    let child = Own(Command::new(&program).arg("1000").spawn().expect("sleep"));
    let rules = format!("[[rule]]\nabout = 'the trial'\nfor = '{name}'\nadj = 444\n");
    fs::write(&file, &rules).expect("written");

    let mut terminal = Terminal::run(120, 30, &["--adj-rules", file.to_str().expect("a name")]);
    terminal.wait_for("the dry run", |text| text.contains("rules: 1 would be written"));
    terminal.send("\x1ba");
    terminal.wait_for("the page", |text| text.contains("Dry run") && text.contains("the trial"));
    assert_eq!(child.adj(), "0");
    terminal.send("\r");
    terminal.wait_for("the question", |text| text.contains("type the count 1"));
    // What is typed too soon does not count; what is typed twice is one digit.
    terminal.answer("\x7f1", "the digit", |text| text.contains("[1"));
    terminal.answer("\r", "the write", |_| child.adj() == "444");
    terminal.wait_for("the flag", |text| text.contains("[rules on]"));

    fs::write(&file, format!("{rules}# changed\n")).expect("written");
    terminal.wait_for("the end of it", |text| !text.contains("[rules on]"));
    fs::write(&file, "[[rule]]\nadj = 1").expect("written");
    terminal.wait_for("the fault", |text| text.contains("adj.toml:1:1: missing key for"));
    terminal.send("q");
    terminal.wait_for("the table", |text| text.contains("rules off: invalid file"));
    assert_eq!(terminal.quit(), 0);
    terminal.assert_restored();
}

/// This machine, a few looks of it, in a file.
fn recorded(folder: &std::path::Path, samples: &str) -> String {
    let file = folder.join("some.tape").display().to_string();
    let status = Command::new(env!("CARGO_BIN_EXE_doomtop"))
        .args(["record", "-d", "0.1", "-n", samples, &file])
        .stderr(Stdio::null())
        .status()
        .expect("a recording");
    assert!(status.success());
    file
}

#[test]
fn a_recording_is_played_stopped_and_left() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = recorded(folder.path(), "8");
    let mut terminal = Terminal::run(100, 30, &["replay", "--speed", "0.25", &file]);
    terminal.wait_for("the first look", |text| text.contains("[recording]"));
    terminal.wait_for("its end", |text| text.contains("read: 8 samples"));
    terminal.send("z");
    terminal.wait_for("that it stands", |text| text.contains("[stopped, 1/4x]"));
    terminal.send("l");
    terminal.wait_for("the end", |text| text.contains("stopped"));
    terminal.send(")");
    terminal.wait_for("that it is the last", |text| text.contains("this is the last sample"));
    terminal.send("X");
    terminal.wait_for("the refusal", |text| {
        text.contains("recording:") || text.contains("a recording")
    });
    assert_eq!(terminal.quit(), 0);
    terminal.assert_restored();
    let mut terminal = Terminal::run(100, 30, &["replay", "--at", "0s", &file]);
    terminal.wait_for("the end", |text| text.contains("[stopped, 1x]"));
    assert_eq!(terminal.quit(), 0);
}

#[test]
fn looks_from_a_pipe_are_shown_while_keys_come_from_the_terminal() {
    // setsid(1) takes its input for the terminal: the pipe comes behind it.
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("piped");
    let program = terminal::program();
    let far = format!("{} --json -d 0.2 -n 4", program.display());
    let text = format!("#!/bin/sh\n{far} | {} --from -\n", program.display());
    fs::write(&script, text).expect("written");
    let mut terminal = Terminal::start_program(100, 30, &["sh", script.to_str().expect("a path")]);
    terminal.wait_for("a look", |text| text.contains("[recording]"));
    terminal.send("?");
    terminal.wait_for("help by a key", |text| text.contains("/ finds"));
    terminal.send("\x1b");
    terminal.wait_for("the end of the pipe", |text| text.contains("[no new samples]"));
    terminal.send("(");
    terminal.wait_for("an earlier look", |text| text.contains("ago]"));
    assert_eq!(terminal.quit(), 0);
    terminal.assert_restored();
}

#[test]
fn keys_begin_and_end_a_recording_and_write_what_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut terminal = Terminal::start(100, 30, &["--ring", "1m"], &[], |command| {
        command.current_dir(folder.path());
    });
    terminal.wait_for("a look", |text| text.contains(" tasks"));
    terminal.send("\x1be");
    terminal.wait_for("that it records", |text| text.contains("[rec 0:"));
    terminal.wait_for("where to", |text| text.contains("recording to doomtop-"));
    let going = |text: &str| text.contains("[rec 0:") && !text.contains("[rec 0:00]");
    terminal.wait_for("some looks", going);
    terminal.send("\x1be");
    terminal.wait_for("what was recorded", |text| text.contains("recorded "));
    assert!(!terminal.text().contains("[rec "));
    terminal.send("\x1bw");
    terminal.wait_for("what was kept", |text| text.contains("the last "));
    terminal.send("\x1be");
    terminal.wait_for("another one, that the end ends", going);
    assert_eq!(terminal.quit(), 0);
    // Somebody may really be killed meanwhile.
    let asked = |file: &fs::DirEntry| !file.file_name().to_string_lossy().contains("-kill");
    let files = fs::read_dir(folder.path()).expect("a folder").flatten();
    let files: Vec<_> = files.filter(asked).collect();
    assert_eq!(files.len(), 3, "{files:?}");
    for file in files {
        let shown = Command::new(env!("CARGO_BIN_EXE_doomtop"))
            .args(["-b", "--from"])
            .arg(file.path())
            .output()
            .expect("doomtop runs");
        let told = String::from_utf8_lossy(&shown.stderr).into_owned();
        assert!(shown.status.success() && told.is_empty(), "{file:?}: {told}");
    }
}

#[test]
fn the_demo_shows_the_victim_and_later_the_kill_and_acts_on_nobody() {
    let mut terminal = Terminal::run(120, 40, &["--demo", "--proc", "/nonexistent"]);
    terminal.wait_for("the victim", |text| {
        text.contains("if memory ended now") && text.contains("chrome") && text.contains("[demo]")
    });
    // To the samples before the first two kills.
    terminal.send("}");
    terminal.wait_for("the first kill", |text| text.contains("just before kill 1 of"));
    terminal.send("}");
    terminal.wait_for("the next kill", |text| text.contains("just before kill 2 of"));
    terminal.send("X");
    terminal.wait_for("the dialog", |text| text.contains("y = see what would be done"));
    terminal.answer("y", "the answer", |text| text.contains("the demo, nothing done: SIGKILL to"));
    assert_eq!(terminal.quit(), 0);
    terminal.assert_restored();
}

#[test]
fn reports_of_a_file_are_shown_without_a_machine() {
    let log = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/kmsg/global-6.18.txt");
    let mut terminal = Terminal::run(100, 30, &["explain", "--screen", log]);
    terminal
        .wait_for("the list", |text| text.contains("[report 4 of 4]") && text.contains("grow04"));
    terminal.send("\r");
    terminal.wait_for("the page", |text| text.contains("What to change, the best first"));
    terminal.send("\x1b");
    terminal
        .wait_for("the dump", |text| text.contains("BADNESS") && !text.contains("What to change"));
    terminal.send("{");
    terminal.wait_for("the one before", |text| text.contains("[report 3 of 4]"));
    terminal.send("a");
    terminal.wait_for("the word", |text| text.contains("you cannot act on its processes"));
    assert_eq!(terminal.quit(), 0);
    terminal.assert_restored();
}

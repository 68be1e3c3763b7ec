//! What keeps doomtop alive and answering when memory is short or somebody hides: no new page on the threads
//! that draw and read keys, protection, and processes that do not answer.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::fakeproc::{Fake, FakeProc};
use crate::terminal::{Terminal, program};

/// The threads of a process, by name.
fn threads(pid: u32) -> Vec<(String, PathBuf)> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).expect("its threads").flatten();
    let name = |dir: PathBuf| Some((fs::read_to_string(dir.join("comm")).ok()?, dir));
    threads.filter_map(|it| name(it.path())).collect()
}

/// The pages that a thread had to be given (`minflt` and `majflt` of proc_pid_stat(5)).
fn faults(pid: u32, thread: &str) -> u64 {
    let all = threads(pid);
    let found = all.iter().find(|(name, _)| name.trim() == thread);
    let (_, dir) = found.unwrap_or_else(|| panic!("no thread {thread} among {all:?}"));
    let stat = fs::read_to_string(dir.join("stat")).expect("its stat");
    let behind_name = stat.rsplit_once(") ").expect("a name").1;
    let fields: Vec<&str> = behind_name.split(' ').collect();
    let number = |at: usize| fields[at].parse::<u64>().expect("a number");
    number(7) + number(9)
}

/// Seconds until nothing new is needed any more.
const WARM_UP: usize = 15;

/// Seconds that are then watched; a sample is taken ten times in each.
const WATCHED: usize = 10;

#[test]
fn the_threads_that_draw_and_read_keys_need_no_new_page_once_they_are_warm() {
    let fake = FakeProc::new();
    for pid in 100..160 {
        fake.process(Fake { pid, ..Fake::default() });
    }
    let proc = fake.path().to_str().expect("a path");
    let mut terminal = Terminal::run_as(120, 40, &["-d", "0.1", "--proc", proc], &[]);
    terminal.wait_for("the table", |text| text.contains("BADNESS") && text.contains("sleep"));
    let pid = terminal.pid();
    let keys = |terminal: &mut Terminal| {
        // Every view, a page and a dialog.
        for view in ["\x1b2", "\x1b3", "\x1b4", "\x1b5", "\x1b1", "?", "\x1b", "\r", "\x1b"] {
            terminal.send(view);
            terminal.wait_for_looks(1);
        }
    };
    keys(&mut terminal);
    terminal.wait_for_looks(WARM_UP);
    // What is kept of the past grows for minutes: the reserve is filled for it by the sampler.
    let watched = ["doomtop", "input"];
    let before = watched.map(|thread| faults(pid, thread));
    for nth in 0..WATCHED {
        terminal.send(if nth % 2 == 0 { "\x1b[B" } else { "\x1b[A" });
        terminal.wait_for_looks(1);
    }
    let after = watched.map(|thread| faults(pid, thread));
    let new: Vec<u64> = after.iter().zip(before).map(|(after, before)| after - before).collect();
    println!("new pages of {watched:?} during {WATCHED} looks: {new:?}");
    assert_eq!(new, [0, 0], "{watched:?}");
    assert_eq!(terminal.quit(), 0);
}

/// Whether this process may lower `oom_score_adj`.
fn may_lower_adj() -> bool {
    let sets = rustix::thread::capabilities(None).expect("capabilities");
    sets.effective.contains(rustix::thread::CapabilitySet::SYS_RESOURCE)
}

fn adj(pid: u32) -> String {
    let path = format!("/proc/{pid}/oom_score_adj");
    fs::read_to_string(path).expect("its adj").trim().to_owned()
}

#[test]
fn it_is_protected_or_says_in_one_line_why_not() {
    let own = adj(std::process::id());
    let mut terminal = Terminal::run(120, 40, &["--protect"]);
    if may_lower_adj() {
        terminal.wait_for("the mark", |text| text.contains("[protected]"));
        assert_eq!(adj(terminal.pid()), "-999");
    } else {
        println!("the granted case needs CAP_SYS_RESOURCE: only the refusal is tested");
        let why = "lowering oom_score_adj needs CAP_SYS_RESOURCE";
        terminal.wait_for("the refusal", |text| text.contains(why) && text.contains("BADNESS"));
        assert!(!terminal.text().contains("[protected]"));
        assert_eq!(adj(terminal.pid()), own);
        // The key says the same.
        terminal.wait_for("no message", |text| !text.contains(why));
        terminal.send("\x1bp");
        terminal.wait_for("the refusal again", |text| text.contains(why));
    }
    assert_eq!(terminal.quit(), 0);
    let mut record = Command::new(program());
    let out = record.args(["--protect", "-b", "-n", "1"]).output().expect("it runs");
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(out.status.success(), "{said}");
    assert_eq!(said.lines().count(), usize::from(!may_lower_adj()), "{said}");
    let both = Command::new(program()).args(["--protect", "--read-only"]).output();
    assert_eq!(both.expect("it runs").status.code(), Some(2));
}

/// A process whose command line cannot be read: as one that holds the lock of its own memory, opening a pipe
/// that nobody writes to blocks for ever.
fn stuck(fake: &FakeProc, pid: i32) {
    fake.process(Fake { pid, comm: b"stuck".to_vec(), ..Fake::default() });
    for file in ["cmdline", "environ"] {
        let path = fake.at(&format!("{pid}/{file}"));
        let _ = fs::remove_file(&path);
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    }
}

#[test]
fn processes_that_do_not_answer_hide_no_other_and_are_marked() {
    let fake = FakeProc::new();
    (100..103).for_each(|pid| stuck(&fake, pid));
    for pid in 200..220 {
        let cmdline = format!("server\0--number={pid}\0").into_bytes();
        fake.process(Fake { pid, comm: b"server".to_vec(), cmdline, ..Fake::default() });
    }
    let proc = fake.path().to_str().expect("a path");
    let mut terminal = Terminal::run(140, 60, &["--proc", proc]);
    terminal.wait_for("the table", |text| text.contains("BADNESS") && text.contains("server"));
    // At this width command lines are shown.
    terminal.wait_for("all the others", |text| {
        (200..220).all(|pid| text.contains(&format!("server --number={pid}")))
    });
    terminal.wait_for("the mark", |text| text.matches("stuck ?").count() == 3);
    // One that comes later is read, too.
    let cmdline = b"late\0arrival\0".to_vec();
    fake.process(Fake { pid: 300, comm: b"late".to_vec(), cmdline, ..Fake::default() });
    terminal.wait_for("the new one", |text| text.contains("late arrival"));
    assert_eq!(terminal.quit(), 0);
}

#[test]
fn no_command_waits_for_a_process_that_does_not_answer() {
    let fake = FakeProc::new();
    fake.process(Fake::default());
    stuck(&fake, 200);
    let proc = fake.path().to_str().expect("a path").to_owned();
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("a file");
        path.to_str().expect("a path").to_owned()
    };
    let rules = file("rules.toml", include_str!("../../assets/adj-rules.toml"));
    let policies = env!("CARGO_MANIFEST_DIR").to_owned() + "/assets/policies";
    let policy = fs::read_dir(policies).expect("policies").flatten().next().expect("a policy");
    let policy = policy.path().to_str().expect("a path").to_owned();
    let site = format!("site:{policy}");
    let commands: [&[&str]; 6] = [
        &["policies"],
        &["policy", "check", &policy],
        &["rules", "check", &rules],
        &["-b", "-n", "1"],
        &["--json", "-n", "1", "--policy", &site],
        &["metrics"],
    ];
    for arguments in commands {
        let mut child = Command::new(program())
            .args(arguments)
            .args(["--proc", &proc])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("it starts");
        let end = std::time::Instant::now() + crate::terminal::DEADLINE / 5;
        // The exit of a child is an event on its pidfd.
        let pid = rustix::process::Pid::from_child(&child);
        let pidfd = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty());
        let pidfd = pidfd.expect("a pidfd");
        let mut fds = [rustix::event::PollFd::new(&pidfd, rustix::event::PollFlags::IN)];
        let rest = end.saturating_duration_since(std::time::Instant::now());
        let rest = rustix::event::Timespec { tv_sec: rest.as_secs() as i64, tv_nsec: 0 };
        let ready = rustix::event::poll(&mut fds, Some(&rest)).expect("polled");
        let _ = child.kill();
        let status = child.wait().expect("a status");
        assert!(ready == 1 && status.success(), "{arguments:?}: {status}");
    }
}

//! `doomtop run` with loads that are known exactly.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::bed::{Bed, hog, texts, until};

pub fn not_executed(bed: &Bed) {
    let ran = bed.run(&[], &["/no/such/program"]);
    ran.expect_status(127);
    assert!(ran.stderr.contains("command not found"), "{}", ran.stderr);
    let plain = bed.path("plain");
    fs::write(&plain, "text").expect("a file");
    fs::set_permissions(&plain, fs::Permissions::from_mode(0o644)).expect("a mode");
    let ran = bed.run(&[], &[plain.to_str().expect("a path")]);
    ran.expect_status(126);
    assert!(ran.stderr.contains("cannot be executed"), "{}", ran.stderr);
    let script = bed.path("script");
    fs::write(&script, "#!/no/such/python3 -u\n").expect("a file");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("a mode");
    let ran = bed.run(&[], &[script.to_str().expect("a path")]);
    ran.expect_status(127);
    assert!(
        ran.stderr.contains("its interpreter /no/such/python3 (#!) is not found"),
        "{}",
        ran.stderr
    );
    assert!(!bed.path("v.json").exists(), "no verdict of what did not run");
    assert_eq!(Bed::cgroups_left(), [""; 0].map(Path::new));
}

pub fn wrong_usage(bed: &Bed) {
    let made = bed.path("made");
    let made = made.to_str().expect("a path");
    for (flags, said) in [
        (["--expect", "peek<4M"], "expected one of peak, needed"),
        (["--expect", "peak<many"], "a size such as 400M"),
        (["--expect", "kills<0"], "never below 0"),
        (["--expect", "peak!=4M"], "compared with <, <=, >, >= or ="),
        (["--expect", "peak==4M"], "compared with <, <=, >, >= or ="),
        (["--expect", "peak"], "compared with <, <=, >, >= or ="),
        (["--limit", "12"], "at least 4096, a page"),
        (["--limti", "64M"], "unexpected argument"),
        (["--until", "someday"], "stable, killed"),
    ] {
        let ran = bed.run(&flags, &["touch", made]);
        ran.expect_status(2);
        assert!(ran.stderr.contains(said), "{flags:?}: {}", ran.stderr);
    }
    // A file that cannot be written is known before the command starts.
    let ran = bed.run(&["--record", "/no/such/folder/x.tape"], &["touch", made]);
    // --no-record, which all tests give, excludes it.
    ran.expect_status(2);
    let arguments = ["run", "--verdict", "/no/such/folder/v.json", "--", "touch", made];
    let output = bed.doomtop(&arguments).output().expect("doomtop");
    assert_eq!(output.status.code(), Some(125));
    // One file cannot hold two things.
    let one = bed.path("one");
    let one = one.to_str().expect("a path");
    for (first, second) in
        [("--verdict", "--junit"), ("--junit", "--record"), ("--record", "--output")]
    {
        let arguments = ["run", first, one, second, one, "--", "touch", made];
        let output = bed.doomtop(&arguments).output().expect("doomtop");
        assert_eq!(output.status.code(), Some(2), "{first} {second}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("the same file"), "{said}");
        assert!(!Path::new(one).exists(), "nothing was written");
    }
    for before in [&["--demo"][..], &["--redact"], &["--from", "x"]] {
        let mut arguments = before.to_vec();
        arguments.extend(["run", "--", "touch", made]);
        let output = bed.doomtop(&arguments).output().expect("doomtop");
        assert_eq!(output.status.code(), Some(2), "{before:?}");
    }
    assert!(!Path::new(made).exists(), "nothing ran");
}

pub fn dry_run_and_read_only(bed: &Bed) {
    let made = bed.path("made");
    let made = made.to_str().expect("a path");
    let ran = bed.run(&["--dry-run", "--limit", "64M"], &["touch", made]);
    ran.expect_status(0);
    assert!(
        ran.stdout.contains("a limit of 64M") && ran.stdout.contains("touch"),
        "{}",
        ran.stdout
    );
    let output = bed.doomtop(&["--read-only", "run", "--", "touch", made]).output().expect("it");
    assert_eq!(output.status.code(), Some(125));
    assert!(!Path::new(made).exists(), "nothing ran");
}

/// Without rights, a limit is refused, and a command is measured without one where that is asked for.
pub fn limit_optional(bed: &Bed) {
    let load = hog("50 1.5");
    let ran = bed.run(&["--limit", "64M"], &texts(&load));
    ran.expect_status(125);
    let ran = bed.run(&["--limit", "64M", "--limit-optional"], &texts(&load));
    ran.expect_status(0);
    assert_eq!(ran.verdict["limit_enforced"], json!(false), "{:#}", ran.verdict);
    assert!(ran.verdict["not_enforced"].is_string());
    assert!((45.0..90.0).contains(&ran.mib("needed_bytes")), "{:#}", ran.verdict);
}

pub fn fits(bed: &Bed) {
    let flags = [
        "--limit",
        "200M",
        "--expect",
        "peak<150M",
        "--expect",
        "kills=0",
        "--expect",
        "near-limit<1s",
    ];
    let ran = bed.run(&flags, &texts(&hog("60 1.2")));
    ran.expect_status(0);
    let v = &ran.verdict;
    assert_eq!((&v["schema"], &v["limit_enforced"]), (&json!("doomtop-verdict/1"), &json!(true)));
    assert_eq!((&v["exit_status"], &v["measured"]), (&json!(0), &json!("cgroup")));
    assert_eq!(v["limit_bytes"], json!(200 << 20));
    assert!((60.0..80.0).contains(&ran.mib("needed_bytes")), "{v:#}");
    assert!(ran.mib("peak_bytes") >= 60.0, "{v:#}");
    assert_eq!((ran.kills().len(), &v["needed_is_least"]), (0, &json!(false)));
    assert!(v["expectations"].as_array().expect("a list").iter().all(|it| it["met"] == true));
    assert!(ran.junit.contains("tests=\"4\" failures=\"0\""), "{}", ran.junit);
    assert!(ran.stderr.contains("needed"), "{}", ran.stderr);
    assert_eq!(Bed::cgroups_left(), [""; 0].map(Path::new));
}

pub fn killed(bed: &Bed) {
    let ran = bed.run(
        &["--limit", "60M", "--swap", "0", "--expect", "kills=0", "-d", "0.2"],
        &texts(&hog("20 30 15")),
    );
    ran.expect_status(137);
    let [kill] = ran.kills() else { panic!("{:#}", ran.verdict) };
    assert!(is_hog(&kill["comm"]), "{kill:#}");
    assert!(kill["why"].as_str().expect("a reason").len() > 10, "{kill:#}");
    assert!(kill["pid"].is_i64() && kill["when"].is_string(), "{kill:#}");
    assert_eq!(ran.verdict["needed_is_least"], json!(true));
    assert_eq!(ran.verdict["expectations"][0]["met"], json!(false));
    assert!(ran.mib("needed_bytes") > 45.0, "{:#}", ran.verdict);
    assert!(ran.junit.contains("failures=\"2\""), "{}", ran.junit);
    assert_eq!(Bed::cgroups_left(), [""; 0].map(Path::new));
}

pub fn unmet(bed: &Bed) {
    let ran = bed.run(&["--expect", "peak<10M"], &texts(&hog("60 0.3")));
    ran.expect_status(6);
    assert_eq!(ran.verdict["as_expected"], json!(false));
    // What cannot be answered is not met.
    let ran = bed.run(&["--expect", "growth<1M/min"], &["true"]);
    ran.expect_status(6);
    assert_eq!(ran.verdict["expectations"][0]["met"], json!(null), "{:#}", ran.verdict);
    assert!(ran.stderr.contains("too short"), "{}", ran.stderr);
}

/// The output of the command in a file, also without a screen.
pub fn output(bed: &Bed) {
    let file = bed.path("kept.out");
    let ran = bed.run(
        &["--no-screen", "--output", file.to_str().expect("a path")],
        &["sh", "-c", "echo out; echo err >&2"],
    );
    ran.expect_status(0);
    assert_eq!(fs::read_to_string(&file).expect("an output"), "out\nerr\n");
    assert_eq!(ran.stdout, "", "not twice");
    assert_eq!(ran.verdict["output"], json!(file));
}

pub fn statuses(bed: &Bed) {
    bed.run(&["--limit", "64M"], &["sh", "-c", "exit 3"]).expect_status(3);
    bed.run(&[], &["sh", "-c", "kill -TERM $$"]).expect_status(143);
    // An expectation does not hide the status of the command.
    bed.run(&["--expect", "peak<1K"], &["false"]).expect_status(1);
    let ran = bed.run(&[], &["sh", "-c", "echo out; echo err >&2; cat"]);
    ran.expect_status(0);
    assert_eq!(ran.stdout, "out\n", "the command has the streams of doomtop");
    assert!(ran.stderr.contains("err\n"));
}

pub fn too_small_to_start(bed: &Bed) {
    let ran = bed.run(&["--limit", "64K", "--swap", "0"], &texts(&hog("1 1")));
    ran.expect_status(137);
    assert!(ran.stderr.contains("it may need more than"), "{}", ran.stderr);
    assert_eq!(Bed::cgroups_left(), [""; 0].map(Path::new));
}

pub fn leftovers(bed: &Bed) {
    let note = bed.path("pid");
    let script = format!("sleep 300 >/dev/null 2>&1 & echo $! >{}", note.display());
    let pid =
        || -> i32 { fs::read_to_string(&note).expect("a note").trim().parse().expect("a pid") };
    let ran = bed.run(&["--limit", "64M"], &["sh", "-c", &script]);
    ran.expect_status(0);
    let left = &ran.verdict["left_running"][0];
    assert_eq!((&left["comm"], &left["ended"]), (&json!("sleep"), &json!(true)), "{left:#}");
    assert!(is_gone(pid()), "it was ended");
    assert_eq!(Bed::cgroups_left(), [""; 0].map(Path::new));
    // One that is left goes on.
    let ran = bed.run(&["--limit", "64M", "--leave"], &["sh", "-c", &script]);
    ran.expect_status(0);
    assert_eq!(ran.verdict["left_running"][0]["ended"], json!(false));
    // A scope is removed by the service manager, and not named.
    let stays = ran.verdict["left_cgroup"].as_str();
    assert!(stays.is_none_or(|path| path.contains("doomtop-run-")), "{:#}", ran.verdict);
    assert_eq!(stays.is_some(), ran.stderr.contains("stays with its limits"), "{}", ran.stderr);
    assert!(!is_gone(pid()), "it goes on");
    kill(Pid::from_raw(pid()), Signal::SIGKILL).expect("our own process");
    until("it ends", || is_gone(pid()));
    for cgroup in Bed::cgroups_left() {
        // The service manager removes a scope itself.
        until("its cgroup is removed", || fs::remove_dir(&cgroup).is_ok() || !cgroup.exists());
    }
}

pub fn left_by_a_killed_doomtop(bed: &Bed) {
    let note = bed.path("killed");
    let script = format!("echo $$ >{}; exec sleep 300", note.display());
    let run = ["run", "--no-record", "--limit", "64M", "--", "sh", "-c", &script];
    let mut doomtop = bed.doomtop(&run).spawn().expect("doomtop");
    let pid = || fs::read_to_string(&note).ok()?.trim().parse::<i32>().ok();
    until("the command runs", || pid().is_some());
    doomtop.kill().expect("our own process");
    doomtop.wait().expect("a status");
    let pid = pid().expect("a pid");
    // A scope is stopped by the process that keeps it; a cgroup of doomtop's own has none.
    if Bed::cgroups_left().iter().any(|it| it.extension().is_none()) {
        kill(Pid::from_raw(pid), Signal::SIGKILL).expect("our own process");
    }
    until("it ends", || is_gone(pid));
    bed.run(&["--limit", "64M"], &["true"]).expect_status(0);
    until("nothing is left", || Bed::cgroups_left().is_empty());
}

/// Without a cgroup, what the command left running is found by its descent, also if it is in a session of its own, and
/// nothing else is ended.
pub fn leftovers_without_a_cgroup(bed: &Bed) {
    let note = bed.path("detached");
    let script = format!(
        "setsid sh -c 'echo $$ >{}; exec sleep 300' </dev/null >/dev/null 2>&1 & sleep 0.5",
        note.display()
    );
    let pid =
        || -> i32 { fs::read_to_string(&note).expect("a note").trim().parse().expect("a pid") };
    let mut other = Command::new("sleep").arg("300").spawn().expect("a process of the test");
    for leave in [false, true] {
        let mut flags = vec!["--limit", "64M", "--limit-optional"];
        flags.extend(leave.then_some("--leave"));
        let ran = match bed.run_as_nobody(&flags, &["sh", "-c", &script]) {
            Ok(ran) => ran,
            Err(why) => {
                println!("load: SKIPPED, no run without a cgroup: {why}");
                break;
            }
        };
        ran.expect_status(0);
        if ran.verdict["measured"] == "cgroup" {
            println!("load: SKIPPED, no run without a cgroup: any user has one here");
            break;
        }
        let left = &ran.verdict["left_running"];
        assert_eq!(left.as_array().map(Vec::len), Some(1), "{:#}\n{}", ran.verdict, ran.stderr);
        assert_eq!((&left[0]["comm"], &left[0]["pid"]), (&json!("sleep"), &json!(pid())));
        assert_eq!((&left[0]["ended"], is_gone(pid())), (&json!(!leave), !leave));
        assert_eq!(ran.verdict["left_cgroup"], Value::Null);
        if leave {
            kill(Pid::from_raw(pid()), Signal::SIGKILL).expect("our own process");
        }
        let _ = fs::remove_file(&note);
    }
    assert!(other.try_wait().expect("its status").is_none(), "it descends from the test only");
    other.kill().expect("our own process");
    other.wait().expect("its status");
}

/// Whether a name is that of the load: this program.
fn is_hog(comm: &Value) -> bool {
    comm.as_str().is_some_and(|name| name.starts_with("load"))
}

/// Whether a process does not run any more. A zombie may wait for a parent that is not ours.
fn is_gone(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.is_empty() || stat.contains(") Z ")
}

pub fn two_at_once(bed: &Bed) {
    let load = hog("40 1");
    let other = Bed::new();
    let start = |bed: &Bed, limit: &str| {
        let mut arguments =
            vec!["run", "--no-record", "--verdict", "v.json", "--limit", limit, "--"];
        arguments.extend(texts(&load));
        bed.doomtop(&arguments).spawn().expect("doomtop")
    };
    let (first, second) = (start(bed, "100M"), start(&other, "20M"));
    let (first, second) = (bed.finish(first), other.finish(second));
    first.expect_status(0);
    second.expect_status(137);
    assert_eq!((first.kills().len(), second.kills().len()), (0, 1));
    assert_ne!(first.verdict["scope"], second.verdict["scope"]);
}

pub fn signals(bed: &Bed) {
    let note = bed.path("ready");
    let script = format!("trap 'exit 9' TERM; : >{}; while :; do sleep 0.05; done", note.display());
    let arguments =
        ["run", "--no-record", "--verdict", "v.json", "--limit", "64M", "--", "sh", "-c", &script];
    let child = bed.doomtop(&arguments).spawn().expect("doomtop");
    until("the command is ready", || note.exists());
    let pid = i32::try_from(child.id()).expect("a pid");
    kill(Pid::from_raw(pid), Signal::SIGTERM).expect("our own process");
    let ran = bed.finish(child);
    ran.expect_status(9);
    assert_eq!(ran.verdict["ended_by"], json!("signal"));
}

pub fn limit_that_is_lifted(bed: &Bed) {
    let lift = "f=/sys/fs/cgroup/memory$(sed -n 's/.*:memory://p' /proc/self/cgroup)/memory.limit_in_bytes\n\
                [ -e $f ] || f=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)/memory.max\n\
                [ ! -w $f ] || echo 1G >$f; sleep 1";
    let ran = bed.run(&["--limit", "64M"], &["sh", "-c", lift]);
    let (enforced, why) = (&ran.verdict["limit_enforced"], &ran.verdict["not_enforced"]);
    let is_lifted = ran.mib("limit_bytes") > 64.0;
    assert_eq!(enforced, &json!(!is_lifted), "{:#}", ran.verdict);
    assert_eq!(why.as_str().is_some_and(|it| it.contains("was raised")), is_lifted);
    // A test without its limit tells nothing, unless it may be measured without one.
    ran.expect_status(if is_lifted { 125 } else { 0 });
    assert_eq!(ran.stderr.contains("not in force to the end"), is_lifted, "{}", ran.stderr);
    assert_eq!(ran.junit.contains("<failure"), is_lifted, "{}", ran.junit);
    let ran = bed.run(&["--limit", "64M", "--limit-optional"], &["sh", "-c", lift]);
    ran.expect_status(0);
    assert!(!ran.junit.contains("<failure"), "{}", ran.junit);
}

pub fn ignored_signals(bed: &Bed) {
    let note = bed.path("goes-on");
    let script =
        format!("trap 'echo >>{0}' TERM; echo >{0}; while :; do sleep 0.05; done", note.display());
    let arguments =
        ["run", "--no-record", "--verdict", "v.json", "--limit", "64M", "--", "sh", "-c", &script];
    let child = bed.doomtop(&arguments).spawn().expect("doomtop");
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a pid"));
    let lines = || fs::read_to_string(&note).unwrap_or_default().lines().count();
    for nth in 1..=3 {
        until("the command goes on", || lines() == nth);
        kill(pid, Signal::SIGTERM).expect("our own process");
    }
    let ran = bed.finish(child);
    ran.expect_status(137);
    assert_eq!((&ran.verdict["ended_by"], lines()), (&json!("signal"), 3), "{:#}", ran.verdict);
    assert_eq!(Bed::cgroups_left(), [""; 0].map(Path::new));
}

pub fn ignored_children(bed: &Bed) {
    let doomtop = env!("CARGO_BIN_EXE_doomtop");
    let script =
        format!("trap '' CHLD; exec {doomtop} run --no-record --limit 64M -- sh -c 'exit 7'");
    let plain = bed.doomtop(&[]);
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &script]).current_dir(plain.get_current_dir().expect("a folder"));
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = command.output().expect("a shell");
    assert_eq!(output.status.code(), Some(7), "{}", String::from_utf8_lossy(&output.stderr));
}

pub fn endings(bed: &Bed) {
    let ran = bed.run(&["--until", "1s"], &["sleep", "300"]);
    ran.expect_status(0);
    assert_eq!(
        (&ran.verdict["ended_by"], &ran.verdict["exit_status"]),
        (&json!("until"), &json!(143))
    );
    let ran = bed.run(&["--kill-after", "1s", "--limit", "64M"], &["sleep", "300"]);
    ran.expect_status(143);
    assert_eq!(ran.verdict["ended_by"], json!("kill-after"));
    let script = format!("{} & wait; exec sleep 300", hog("90 9").join(" "));
    let ran =
        bed.run(&["--until", "killed", "--limit", "60M", "--swap", "0"], &["sh", "-c", &script]);
    ran.expect_status(0);
    assert_eq!((ran.kills().len(), &ran.verdict["ended_by"]), (1, &json!("until")));
    let stable = ["--until", "stable", "--window", "3s", "-d", "0.2"];
    let ran = bed.run(&stable, &texts(&hog("30 300")));
    ran.expect_status(0);
    assert_eq!(ran.verdict["ended_by"], json!("until"));
}

pub fn leak(bed: &Bed) {
    let flags = ["--limit", "400M", "--expect", "growth<60M/min", "-d", "0.2"];
    let ran = bed.run(&flags, &texts(&hog("20 8 4")));
    ran.expect_status(6);
    let growth = &ran.verdict["growth"];
    assert_eq!(growth["trend"], json!("steady"), "{growth:#}");
    let rate = growth["bytes_per_min"].as_f64().expect("a rate") / 1_048_576.0;
    assert!((180.0..280.0).contains(&rate), "4 MiB a second: {rate}");
    assert!(is_hog(&growth["processes"][0]["comm"]), "{growth:#}");
    assert!(
        ran.verdict["lasts_s"]["middle"].as_f64().is_some_and(|it| (60.0..140.0).contains(&it))
    );
}

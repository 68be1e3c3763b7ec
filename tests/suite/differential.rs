//! The killers themselves, asked whom they would choose on this very machine, beside our rules for
//! them. They come as Debian's packages, are never installed, and only ever run in the modes in
//! which they kill nobody: `earlyoom --dryrun` and `nohang --tasks`.
//!
//! Where the packages cannot be had, each test says so and passes.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use doomtop::model::{KillerPresence, Needs, ProcId, Reading, Scene, Snapshot};
use doomtop::policy::{EARLYOOM, EARLYOOM_RSS, NOHANG, Policy, Verdict};
use doomtop::rank::Ranking;
use doomtop::sample::parse;
use doomtop::sample::proc_root::ProcRoot;
use doomtop::source::{LiveSource, ScanPatience, Source};
use tempfile::TempDir;

/// One at a time: each looks at the whole machine.
static TURN: Mutex<()> = Mutex::new(());

/// Runs a command for so many seconds at most. What it printed, on both ways.
fn run(command: &mut Command, seconds: u64) -> Option<String> {
    run_until(command, seconds, "\0")
}

/// The same, but no longer than until it prints these words.
fn run_until(command: &mut Command, seconds: u64, words: &str) -> Option<String> {
    let out = tempfile::tempfile().ok()?;
    let (stdout, stderr) = (out.try_clone().ok()?, out.try_clone().ok()?);
    let mut child = command.stdin(Stdio::null()).stdout(stdout).stderr(stderr).spawn().ok()?;
    let until = Instant::now() + Duration::from_secs(seconds);
    let mut text = Vec::new();
    loop {
        let ended = child.try_wait().ok()?.is_some();
        let mut more = vec![0; 1 << 16];
        while let Ok(length @ 1..) = out.read_at(&mut more, text.len() as u64) {
            text.extend_from_slice(&more[..length]);
        }
        if ended {
            break;
        }
        let said = text.windows(words.len()).any(|window| window == words.as_bytes());
        if said || Instant::now() > until {
            child.kill().ok()?;
            child.wait().ok()?;
            break;
        }
        thread::sleep(Duration::from_millis(10));
    }
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// A file of a package, unpacked below the target directory.
fn unpacked(package: &str, file: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("debs");
    let wanted = folder.join(package).join(file);
    if wanted.exists() {
        return Some(wanted);
    }
    fs::create_dir_all(&folder).ok()?;
    run(Command::new("apt-get").args(["download", package]).current_dir(&folder), 60)?;
    let deb = fs::read_dir(&folder).ok()?.flatten().map(|entry| entry.path()).find(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.starts_with(&format!("{package}_")) && name.ends_with(".deb")
    })?;
    run(Command::new("dpkg").arg("-x").arg(deb).arg(folder.join(package)), 60)?;
    wanted.exists().then_some(wanted)
}

/// A process of ours that holds so many MiB, until it is dropped.
struct Held(Child);

impl Held {
    /// `tail` keeps what may be the last line. Everybody may raise adj.
    fn new(folder: &Path, name: &str, mib: usize, adj: i16) -> Option<Self> {
        let program = folder.join(name);
        if !program.exists() {
            std::os::unix::fs::symlink("/usr/bin/tail", &program).ok()?;
        }
        let mut child = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let pid = child.id();
        let full =
            child.stdin.as_mut().is_some_and(|pipe| pipe.write_all(&vec![b'x'; mib << 20]).is_ok());
        let held = Self(child);
        fs::write(format!("/proc/{pid}/oom_score_adj"), adj.to_string()).ok()?;
        let until = Instant::now() + Duration::from_secs(5);
        let rss = || -> Option<usize> {
            let statm = fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
            statm.split(' ').nth(1)?.parse().ok()
        };
        while full && Instant::now() < until {
            if rss()? * 4096 >= mib << 20 {
                return Some(held);
            }
            thread::sleep(Duration::from_millis(10));
        }
        None
    }

    fn pid(&self) -> i32 {
        self.0.id() as i32
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Our own cast: sizes and adj that put them above everybody else. Two have the same score and
/// differ in size; two are found by the names that rules ask for.
fn cast(folder: &Path) -> Option<Vec<Held>> {
    [
        ("dt-plain", 12, 900),
        ("dt-large", 16, 900),
        ("dt-tab", 8, 880),
        ("dt-shell", 8, 950),
        ("dt-low", 8, 500),
    ]
    .into_iter()
    .map(|(name, mib, adj)| Held::new(folder, name, mib, adj))
    .collect()
}

fn sample(live: &mut LiveSource) -> Snapshot {
    let needs = Needs::everything();
    Arc::unwrap_or_clone(live.sample(&needs, None).expect("the machine can be looked at"))
}

/// What a killer says: the badness of each pid, and whom it chose.
#[derive(Default)]
struct Said {
    badness: BTreeMap<i32, i64>,
    victim: Option<i32>,
}

/// Compares a policy with what its killer said between two looks. Whoever kept score, adj and size
/// from one to the other must have the same badness; among our own cast the order must be the same, and
/// so must the victim. How many were compared.
fn compare(
    policy: &dyn Policy,
    before: Snapshot,
    after: &Snapshot,
    said: &Said,
    cast: &[Held],
) -> usize {
    let scene = Scene::new(Arc::new(before), None);
    let mut compared = 0;
    for process in &scene.now().processes {
        let Some(&theirs) = said.badness.get(&process.id.pid) else { continue };
        let Some(then) = after.find(process.id) else { continue };
        let facts = |it: &doomtop::model::Process| {
            (it.score, it.adj, it.comm, it.rss_stat, it.rss_exact, it.cgroup.clone())
        };
        if facts(then) != facts(process) || !matches!(process.score, Reading::Value(_)) {
            continue;
        }
        if let Verdict::Scored(badness) = policy.judge(process, &scene) {
            assert_eq!(badness.points.0, theirs, "{} {}", process.id, process.comm);
            compared += 1;
        }
    }
    let ours: Vec<i32> = cast.iter().map(Held::pid).collect();
    let ranking = Ranking::new(policy, &scene);
    let victim: ProcId = ranking.victim().expect("somebody").id;
    // Somebody else may come and go meanwhile with a higher score than anybody's of ours.
    if said.victim.is_some_and(|pid| ours.contains(&pid)) || ours.contains(&victim.pid) {
        assert_eq!(Some(victim.pid), said.victim, "the same victim");
    }
    compared
}

/// The first scan in the log of `earlyoom -d` 1.7: `pid 12: badness 3 vm_rss 4 … <--- new victim`.
fn first_scan(log: &str) -> Option<Said> {
    let mut said = Said::default();
    let mut last = 0;
    for line in log.lines() {
        let Some(rest) = line.strip_prefix("pid ") else { continue };
        let (pid, rest) = rest.split_once(": badness")?;
        let pid: i32 = pid.trim().parse().ok()?;
        if pid < last {
            break;
        }
        last = pid;
        let badness: i64 = rest.split_whitespace().next()?.parse().ok()?;
        let gone = badness < 0 && rest.contains("vm_rss      -1 uid   -1") && pid == 1;
        if !gone {
            said.badness.insert(pid, badness);
        }
        if line.ends_with("<--- new victim") {
            said.victim = Some(pid);
        }
    }
    said.victim.is_some().then_some(said)
}

#[test]
fn earlyoom_itself_chooses_as_its_policy_does() {
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(program) = unpacked("earlyoom", "usr/bin/earlyoom") else {
        eprintln!("SKIPPED: the package earlyoom cannot be had");
        return;
    };
    let version = run(Command::new(&program).arg("-v"), 5).unwrap_or_default();
    if !version.starts_with("earlyoom v1.7") {
        eprintln!("SKIPPED: this speaks of 1.7, and there is {version:?}");
        return;
    }
    let folder = TempDir::new().unwrap();
    let Some(cast) = cast(folder.path()) else {
        eprintln!("SKIPPED: no processes to compare by");
        return;
    };
    // The whole program once, as anybody would ask it.
    let program_says = run(
        Command::new(env!("CARGO_BIN_EXE_doomtop")).args(["--json", "-n1", "--policy", "earlyoom"]),
        20,
    );
    let line: serde_json::Value = serde_json::from_str(&program_says.unwrap()).expect("a line");
    let named = line["victim"]["pid"].as_i64();
    let mut live =
        LiveSource::start(ProcRoot::open("/proc").unwrap(), ScanPatience::Forever).unwrap();
    for rules in
        ["", "--prefer ^dt-tab$", "--avoid dt-s[h]ell --prefer ^dt-(low|tab)", "--avoid ^dt-"]
    {
        let before = sample(&mut live);
        // Its self-test at the start chooses somebody at once, and waits for no shortage.
        let mut command = Command::new(&program);
        command.args(["--dryrun", "-d", "-m", "1", "-r", "0"]).args(rules.split_whitespace());
        let log = run_until(&mut command, 5, "selecting victim took").unwrap_or_default();
        let after = sample(&mut live);
        assert!(log.contains("dryrun mode enabled, will not kill anything"), "{log}");
        let said = first_scan(&log).expect("a scan in its log");
        let whole = line["killers"].is_null() && rules.is_empty();
        if whole && cast.iter().any(|it| Some(it.pid()) == said.victim) {
            assert_eq!(named, said.victim.map(i64::from), "doomtop --json names the same");
        }
        let (mut options, odd) = parse::earlyoom_args(&parse::words(rules.as_bytes()));
        assert!(odd.is_empty());
        options.before_1_8 = true;
        let mut before = before;
        let told = &mut Arc::make_mut(&mut before.killers).earlyoom;
        (told.options, told.found) = (options, KillerPresence::Installed);
        let compared = compare(&EARLYOOM, before, &after, &said, &cast);
        eprintln!("earlyoom {rules:?}: {compared} processes alike, victim {:?}", said.victim);
        assert!(compared >= cast.len());
    }
}

/// The first scan in the log of 1.8 and later, a table: pid, score, size in KiB, user, adj, name.
fn first_table(log: &str, by_size: bool) -> Option<Said> {
    let mut said = Said::default();
    let rows = log.lines().skip_while(|line| !line.trim_start().starts_with("PID OOM_SCORE"));
    for line in rows.skip(1).take_while(|line| !line.contains("selecting victim took")) {
        let mut words = line.split_whitespace();
        let Some(pid) = words.next().and_then(|pid| pid.parse().ok()) else { continue };
        let numbers: Vec<i64> = words.map_while(|word| word.parse().ok()).take(2).collect();
        let &[score, size] = numbers.as_slice() else { continue };
        if score != -9999 && size != -9999 {
            said.badness.insert(pid, if by_size { size } else { score });
        }
        if line.ends_with("<--- new victim") {
            said.victim = Some(pid);
        }
    }
    said.victim.is_some().then_some(said)
}

/// Debian has 1.7; whoever has built a later one names it in `DOOMTOP_EARLYOOM`.
#[test]
fn a_later_earlyoom_chooses_as_its_policies_do() {
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(program) = std::env::var_os("DOOMTOP_EARLYOOM") else {
        eprintln!("SKIPPED: DOOMTOP_EARLYOOM names no earlyoom of 1.8 or later");
        return;
    };
    let folder = TempDir::new().unwrap();
    let Some(cast) = cast(folder.path()) else {
        eprintln!("SKIPPED: no processes to compare by");
        return;
    };
    let mut live =
        LiveSource::start(ProcRoot::open("/proc").unwrap(), ScanPatience::Forever).unwrap();
    let by_score = ["", "--prefer dt-tab", "--avoid dt-.hell", "--avoid ^dt-", "--ignore ^dt-s"];
    // All of ours on top; everybody compared by score; some above zero and some below.
    let by_size =
        ["", "--prefer ^dt-", "--avoid .", "--prefer ^dt- --avoid dt-[lps]", "--ignore ^[^d]"];
    let all = by_score.map(|it| (it, false)).into_iter().chain(by_size.map(|it| (it, true)));
    for (rules, size) in all {
        let line = if size { format!("--sort-by-rss {rules}") } else { rules.to_owned() };
        let mut before = sample(&mut live);
        let mut command = Command::new(&program);
        command.args(["--dryrun", "-d", "-m", "1", "-r", "0"]).args(line.split_whitespace());
        let log = run_until(&mut command, 5, "selecting victim took").unwrap_or_default();
        let after = sample(&mut live);
        assert!(log.contains("dryrun mode enabled, will not kill anything"), "{log}");
        let mut said = first_table(&log, size).expect("a scan in its log");
        let (options, odd) = parse::earlyoom_args(&parse::words(line.as_bytes()));
        assert!(odd.is_empty());
        let told = &mut Arc::make_mut(&mut before.killers).earlyoom;
        (told.options, told.found) = (options, KillerPresence::Installed);
        if size {
            let page = i64::try_from(before.machine.page_size.0 / 1024).unwrap();
            said.badness.values_mut().for_each(|kib| *kib /= page);
        }
        let policy = if size { &EARLYOOM_RSS } else { &EARLYOOM };
        let compared = compare(policy, before, &after, &said, &cast);
        eprintln!("earlyoom {line:?}: {compared} processes alike, victim {:?}", said.victim);
        assert!(compared > 0);
    }
}

#[test]
fn nohang_itself_gives_the_badness_that_its_policy_gives() {
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let (Some(program), Some(config)) =
        (unpacked("nohang", "usr/sbin/nohang"), unpacked("nohang", "etc/nohang/nohang.conf"))
    else {
        eprintln!("SKIPPED: the package nohang cannot be had");
        return;
    };
    let folder = TempDir::new().unwrap();
    let Some(cast) = cast(folder.path()) else {
        eprintln!("SKIPPED: no processes to compare by");
        return;
    };
    let shipped = fs::read_to_string(config).unwrap();
    let rules = "\n@BADNESS_ADJ_RE_NAME 200 /// ^dt-(low|tab)$\n@BADNESS_ADJ_RE_NAME -70 /// shell\n\
        @BADNESS_ADJ_RE_UID -3 /// ^0$\n@BADNESS_ADJ_RE_CGROUP_V2 -1 /// ^/.*[a-z]\n";
    let ignoring = shipped
        .replace("ignore_positive_oom_score_adj = False", "ignore_positive_oom_score_adj = True");
    let mut live =
        LiveSource::start(ProcRoot::open("/proc").unwrap(), ScanPatience::Forever).unwrap();
    for (nth, file) in [shipped.clone(), shipped + rules, ignoring].into_iter().enumerate() {
        let path = folder.path().join("nohang.conf");
        fs::write(&path, &file).unwrap();
        let mut before = sample(&mut live);
        let log = run(
            Command::new("python3").arg(&program).arg("--tasks").arg("--config").arg(&path),
            20,
        );
        let after = sample(&mut live);
        let log = log.unwrap_or_default();
        let mut said = Said::default();
        for line in log.lines() {
            let mut words = line.strip_prefix('#').unwrap_or_default().split_whitespace();
            let pid = words.next().and_then(|pid| pid.parse::<i32>().ok());
            let badness = words.nth(1).and_then(|badness| badness.parse::<i64>().ok());
            said.badness.extend(pid.zip(badness));
            if let Some(rest) = line.trim().strip_prefix("PID: ") {
                said.victim = rest.split(',').next().and_then(|pid| pid.parse().ok());
            }
        }
        if said.badness.is_empty() {
            eprintln!("SKIPPED: nohang does not run here: {}", log.lines().last().unwrap_or(""));
            return;
        }
        let told = &mut Arc::make_mut(&mut before.killers).nohang;
        let odd;
        (told.options, odd) = parse::nohang_conf(file.as_bytes());
        assert!(odd.is_empty(), "{odd:?}");
        told.options.up_to_0_2 = true;
        let compared = compare(&NOHANG, before, &after, &said, &cast);
        eprintln!("nohang, file {nth}: {compared} processes alike, victim {:?}", said.victim);
        assert!(compared >= cast.len());
    }
}

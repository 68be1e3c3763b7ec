//! The killers themselves, asked whom they would choose on this very machine, beside our rules for
//! them. They come as Debian's packages, are never installed, and only ever run in the modes in
//! which they kill nobody: `earlyoom --dryrun` and `nohang --tasks`.
//!
//! Where the packages cannot be had, each test says so and passes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use doomtop::model::{KillerPresence, Needs, Process, Reading, Scene, Snapshot};
use doomtop::policy::{EARLYOOM, EARLYOOM_RSS, NOHANG, Policy, Verdict};
use doomtop::rank::Ranking;
use doomtop::sample::parse;
use doomtop::sample::proc_root::ProcRoot;
use doomtop::source::{LiveSource, ScanPatience, Source};
use tempfile::TempDir;

use crate::children::Own;
use crate::wait::{GIVE_UP, printed};

/// Within this time a package is fetched, or it cannot be had.
const FETCH: Duration = Duration::from_secs(60);

/// A file of a package, unpacked below the target directory.
fn unpacked(package: &str, file: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("debs");
    let wanted = folder.join(package).join(file);
    if wanted.exists() {
        return Some(wanted);
    }
    fs::create_dir_all(&folder).ok()?;
    printed(Command::new("apt-get").args(["download", package]).current_dir(&folder), None, FETCH)?;
    let deb = fs::read_dir(&folder).ok()?.flatten().map(|entry| entry.path()).find(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.starts_with(&format!("{package}_")) && name.ends_with(".deb")
    })?;
    printed(Command::new("dpkg").arg("-x").arg(deb).arg(folder.join(package)), None, GIVE_UP)?;
    wanted.exists().then_some(wanted)
}

/// Our own cast: sizes and adj that put them above everybody else. Two have the same score and
/// differ in size; two are found by the names that rules ask for.
fn cast(folder: &Path) -> Vec<Own> {
    [
        ("dt-plain", 12, 900),
        ("dt-large", 16, 900),
        ("dt-tab", 8, 880),
        ("dt-shell", 8, 950),
        ("dt-low", 8, 500),
    ]
    .into_iter()
    .map(|(name, mib, adj)| {
        let program = folder.join(name);
        std::os::unix::fs::symlink("/bin/dd", &program).expect("a link");
        let own = Own::holding(&program, mib);
        // Everybody may raise it.
        fs::write(format!("/proc/{}/oom_score_adj", own.pid()), adj.to_string()).expect("its adj");
        own
    })
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
    /// Whom doomtop as a whole names meanwhile, where it was asked.
    by_the_program: Option<i32>,
}

/// Compares a policy with what its killer said between two looks. Whoever kept score, adj and size
/// from one to the other must have the same badness, and if the victim did, it must be the first of
/// these in our order: others come and go and grow on this machine meanwhile. How many were compared;
/// None where one of our own cast did not keep still.
fn compare(
    policy: &dyn Policy,
    before: Snapshot,
    after: &Snapshot,
    said: &Said,
    cast: &[Own],
) -> Option<usize> {
    let scene = Scene::new(Arc::new(before), None);
    let facts =
        |it: &Process| (it.score, it.adj, it.comm, it.rss_stat, it.rss_exact, it.cgroup.clone());
    let still = |process: &Process| {
        after.find(process.id).is_some_and(|then| facts(then) == facts(process))
    };
    let still_has =
        |pid: i32| scene.now().position(pid).is_some_and(|at| still(&scene.now().processes[at]));
    if !cast.iter().all(|own| still_has(own.pid())) {
        return None;
    }
    let mut compared = 0;
    for process in scene.now().processes.iter().filter(|it| still(it)) {
        let Some(&theirs) = said.badness.get(&process.id.pid) else { continue };
        if !matches!(process.score, Reading::Value(_)) {
            continue;
        }
        if let Verdict::Scored(badness) = policy.judge(process, &scene) {
            assert_eq!(badness.points.0, theirs, "{} {}", process.id, process.comm);
            compared += 1;
        }
    }
    let ranking = Ranking::new(policy, &scene);
    let mut eligible = ranking.rows()[..ranking.eligible()].iter();
    let first = eligible.find(|row| scene.find(row.id).is_some_and(&still));
    let first = first.and_then(|row| scene.find(row.id)).expect("at least our own");
    let is_ours = |pid: i32| cast.iter().any(|own| own.pid() == pid);
    for named in
        [Some(said.victim.expect("it names somebody")), said.by_the_program].into_iter().flatten()
    {
        let Some(at) = scene.now().position(named) else { continue };
        let named = &scene.now().processes[at];
        if !still(named) || !(is_ours(first.id.pid) || is_ours(named.id.pid)) {
            continue;
        }
        // Of equals the larger one is chosen, as statm tells it: some kernels tell the exact size there,
        // others that of stat. Two runs of this test at once have equals.
        let equal = said.badness.get(&first.id.pid) == said.badness.get(&named.id.pid);
        let exact = |it: &Process| it.rss_exact.value();
        let larger = named.rss_stat >= first.rss_stat || exact(named) >= exact(first);
        assert!(named.id == first.id || equal && larger, "{} is named, not {}", named.id, first.id);
    }
    Some(compared)
}

/// What a trial finds once everybody who matters keeps still while it goes on.
fn settled<T>(trial: impl FnMut() -> Option<T>) -> T {
    std::iter::repeat_with(trial).take(100).flatten().next().expect("a quiet moment in a hundred")
}

/// The first scan in the log of `earlyoom -d` 1.7: `pid 12: badness 3 vm_rss 4 … <--- new victim`.
fn first_scan(log: &str) -> Option<Said> {
    let mut said = Said::default();
    let mut last = 0;
    for line in log.lines() {
        let Some(rest) = line.strip_prefix("pid ") else { continue };
        // One that ended meanwhile has a line about the file that could not be read as well.
        let Some((pid, rest)) = rest.split_once(": badness") else { continue };
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
    let Some(program) = unpacked("earlyoom", "usr/bin/earlyoom") else {
        eprintln!("SKIPPED: the package earlyoom cannot be had");
        return;
    };
    let version = printed(Command::new(&program).arg("-v"), None, GIVE_UP).unwrap_or_default();
    if !version.starts_with("earlyoom v1.7") {
        eprintln!("SKIPPED: this speaks of 1.7, and there is {version:?}");
        return;
    }
    let folder = TempDir::new().unwrap();
    let cast = cast(folder.path());
    let mut live =
        LiveSource::start(ProcRoot::open("/proc").unwrap(), ScanPatience::Forever).unwrap();
    for rules in
        ["", "--prefer ^dt-tab$", "--avoid dt-s[h]ell --prefer ^dt-(low|tab)", "--avoid ^dt-"]
    {
        let compared = settled(|| {
            let mut before = sample(&mut live);
            // The whole program, as anybody would ask it.
            let by_the_program = rules.is_empty().then(named_by_the_program).flatten();
            // Its self-test at the start chooses somebody at once, and waits for no shortage.
            let mut command = Command::new(&program);
            command.args(["--dryrun", "-d", "-m", "1", "-r", "0"]).args(rules.split_whitespace());
            let log = printed(&mut command, Some("selecting victim took"), GIVE_UP).expect("a log");
            let after = sample(&mut live);
            assert!(log.contains("dryrun mode enabled, will not kill anything"), "{log}");
            let said = first_scan(&log).unwrap_or_else(|| panic!("no scan in {log}"));
            let said = Said { by_the_program, ..said };
            let (mut options, odd) = parse::earlyoom_args(&parse::words(rules.as_bytes()));
            assert!(odd.is_empty());
            options.before_1_8 = true;
            let told = &mut Arc::make_mut(&mut before.killers).earlyoom;
            (told.options, told.found) = (options, KillerPresence::Installed);
            compare(&EARLYOOM, before, &after, &said, &cast)
        });
        eprintln!("earlyoom {rules:?}: {compared} processes alike");
        assert!(compared >= cast.len());
    }
}

/// Whom `doomtop --json` names by earlyoom's rule, where none is installed whose rules it would take.
fn named_by_the_program() -> Option<i32> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doomtop"));
    command.args(["--json", "-n1", "--policy", "earlyoom"]);
    let text = printed(&mut command, None, GIVE_UP).expect("doomtop runs");
    let line: serde_json::Value = serde_json::from_str(&text).expect("a line");
    let named = line["victim"]["pid"].as_i64().filter(|_| line["killers"].is_null());
    named.and_then(|pid| i32::try_from(pid).ok())
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
    let Some(program) = std::env::var_os("DOOMTOP_EARLYOOM") else {
        eprintln!("SKIPPED: DOOMTOP_EARLYOOM names no earlyoom of 1.8 or later");
        return;
    };
    let folder = TempDir::new().unwrap();
    let cast = cast(folder.path());
    let mut live =
        LiveSource::start(ProcRoot::open("/proc").unwrap(), ScanPatience::Forever).unwrap();
    let by_score = ["", "--prefer dt-tab", "--avoid dt-.hell", "--avoid ^dt-", "--ignore ^dt-s"];
    // All of ours on top; everybody compared by score; some above zero and some below.
    let by_size =
        ["", "--prefer ^dt-", "--avoid .", "--prefer ^dt- --avoid dt-[lps]", "--ignore ^[^d]"];
    let all = by_score.map(|it| (it, false)).into_iter().chain(by_size.map(|it| (it, true)));
    for (rules, size) in all {
        let line = if size { format!("--sort-by-rss {rules}") } else { rules.to_owned() };
        let compared = settled(|| {
            let mut before = sample(&mut live);
            let mut command = Command::new(&program);
            command.args(["--dryrun", "-d", "-m", "1", "-r", "0"]).args(line.split_whitespace());
            let log = printed(&mut command, Some("selecting victim took"), GIVE_UP).expect("a log");
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
            compare(policy, before, &after, &said, &cast)
        });
        eprintln!("earlyoom {line:?}: {compared} processes alike");
        assert!(compared > 0);
    }
}

#[test]
fn nohang_itself_gives_the_badness_that_its_policy_gives() {
    let (Some(program), Some(config)) =
        (unpacked("nohang", "usr/sbin/nohang"), unpacked("nohang", "etc/nohang/nohang.conf"))
    else {
        eprintln!("SKIPPED: the package nohang cannot be had");
        return;
    };
    let folder = TempDir::new().unwrap();
    let cast = cast(folder.path());
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
        let compared = settled(|| {
            let mut before = sample(&mut live);
            let mut command = Command::new("python3");
            command.arg(&program).arg("--tasks").arg("--config").arg(&path);
            let log = printed(&mut command, None, GIVE_UP).unwrap_or_default();
            let after = sample(&mut live);
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
                return Some(Err(log.lines().last().unwrap_or_default().to_owned()));
            }
            let told = &mut Arc::make_mut(&mut before.killers).nohang;
            let odd;
            (told.options, odd) = parse::nohang_conf(file.as_bytes());
            assert!(odd.is_empty(), "{odd:?}");
            told.options.up_to_0_2 = true;
            compare(&NOHANG, before, &after, &said, &cast).map(Ok)
        });
        match compared {
            Err(why) => return eprintln!("SKIPPED: nohang does not run here: {why}"),
            Ok(compared) => {
                eprintln!("nohang, file {nth}: {compared} processes alike");
                assert!(compared >= cast.len());
            }
        }
    }
}

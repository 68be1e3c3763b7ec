//! Which userspace killers a machine has, and what they were told: from folders that look like one.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use doomtop::model::{
    InstalledKillers, KillerPresence, Needs, NohangRuleField, Process, Reading, Scene, Snapshot,
    Text, ThresholdAmount,
};
use doomtop::policy::{NOHANG, Policy};
use doomtop::rank::Ranking;
use doomtop::sample::daemon::reader::KillerReader;
use doomtop::sample::proc_root::ProcRoot;
use doomtop::source::{LiveSource, ScanPatience, Source};
use doomtop::units::{Kib, Millis};
use proptest::prelude::*;
use tempfile::TempDir;

use crate::fakeproc::{Fake, FakeProc};
use crate::stage::process;
use crate::wait::until;

/// A machine as a folder.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(TempDir::new().unwrap());
        fs::create_dir(folder.0.path().join("proc")).unwrap();
        folder
    }

    fn with(self, place: &str, text: &[u8]) -> Self {
        let path = self.0.path().join(place);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    /// With a process of a user.
    fn with_process(self, pid: i32, uids: [u32; 2], cmdline: &[u8]) -> Self {
        let status = format!("Name:\tx\nUid:\t{}\t{}\t0\t0\n", uids[0], uids[1]);
        self.with(&format!("proc/{pid}/status"), status.as_bytes())
            .with(&format!("proc/{pid}/cmdline"), cmdline)
    }

    fn proc(&self) -> ProcRoot {
        ProcRoot::open(self.0.path().join("proc")).unwrap()
    }

    fn killers(&self, rows: &[Process]) -> Arc<InstalledKillers> {
        let proc = self.proc();
        let mut reader = KillerReader::new(proc.filesystem());
        reader.read(&proc, rows.iter(), Millis(1));
        Arc::clone(reader.last())
    }
}

fn texts(list: &[Text]) -> Vec<&str> {
    list.iter().map(Text::as_str).collect()
}

#[test]
fn an_empty_machine_has_none_and_defaults_are_assumed() {
    let killers = Folder::new().killers(&[]);
    assert!(killers.is_default());
    assert!(killers.earlyoom.assumed() && killers.earlyoom.found == KillerPresence::Absent);
}

#[test]
fn only_a_folder_called_proc_belongs_to_a_filesystem() {
    let folder = Folder::new();
    assert_eq!(folder.proc().filesystem().as_deref(), Some(folder.0.path()));
    assert_eq!(ProcRoot::open(folder.0.path()).unwrap().filesystem(), None);
    assert_eq!(ProcRoot::open("/proc").unwrap().filesystem().as_deref(), Some(Path::new("/")));
}

#[test]
fn earlyoom_s_options_are_read_and_its_command_line_wins() {
    let status = b"Package: earlyoom\nStatus: ok\nVersion: 1.7-1+b1\n\nPackage: x\nVersion: 9.9\n";
    let folder = Folder::new()
        .with("usr/bin/earlyoom", b"")
        .with("var/lib/dpkg/status", status)
        .with("etc/default/earlyoom", b"EARLYOOM_ARGS=\"-m 7 --avoid '^(X|sshd)$'\"\n");
    let killers = folder.killers(&[]);
    let told = &killers.earlyoom;
    assert_eq!(told.found, KillerPresence::Installed);
    assert_eq!(texts(&told.from), ["/etc/default/earlyoom"]);
    assert_eq!(told.options.mem_percent, Some([7.0, 3.5]));
    assert_eq!(told.options.avoid, Some(Text::new(b"^(X|sshd)$")));
    assert!(told.options.before_1_8);
    let folder = folder.with_process(90, [0, 0], b"/usr/bin/earlyoom\0-s\x00100\0--sort-by-rss\0");
    let killers = folder.killers(&[process(90, "earlyoom", 100)]);
    let told = &killers.earlyoom;
    assert_eq!(told.found, KillerPresence::Running(90));
    assert_eq!(texts(&told.from), ["/proc/90/cmdline"]);
    assert_eq!(told.options.swap_percent, Some([100.0, 50.0]));
    assert_eq!(told.options.mem_percent, None);
    assert!(told.options.sort_by_rss && told.options.avoid.is_none());
}

#[test]
fn nohang_s_two_files_are_told_apart_by_who_runs() {
    let folder = Folder::new()
        .with("usr/sbin/nohang", b"")
        .with("etc/nohang/nohang.conf", b"soft_threshold_min_mem = 300 M\n")
        .with("etc/nohang/nohang-desktop.conf", b"@BADNESS_ADJ_RE_NAME -9 /// ^a$\n")
        .with_process(
            91,
            [0, 0],
            b"python3\0/usr/sbin/nohang\0--monitor\0--config\0/etc/nohang/nohang-desktop.conf\0",
        );
    let killers = folder.killers(&[process(91, "nohang", 100)]);
    assert_eq!(killers.nohang_desktop.found, KillerPresence::Running(91));
    assert_eq!(killers.nohang.found, KillerPresence::Installed);
    assert_eq!(killers.nohang.options.soft.mem, ThresholdAmount::Kib(Kib(307_200)));
    let rules = &killers.nohang_desktop.options.rules;
    assert_eq!(
        rules.iter().map(|it| (it.on, it.adj)).collect::<Vec<_>>(),
        [(NohangRuleField::Name, -9)]
    );
}

#[test]
fn systemd_oomd_is_told_by_many_files() {
    let folder = Folder::new()
        .with("usr/lib/systemd/systemd-oomd", b"")
        .with_process(92, [998, 998], b"")
        .with("proc/92/cgroup", b"0::/system.slice/systemd-oomd.service\n")
        .with("etc/systemd/oomd.conf", b"[OOM]\n#SwapUsedLimit=50%\nSwapUsedLimit=80%\n")
        .with(
            "usr/lib/systemd/oomd.conf.d/10-oomd-defaults.conf",
            b"[OOM]\nDefaultMemoryPressureDurationSec=20s\n",
        )
        .with("usr/lib/systemd/oomd.conf.d/20-x.conf", b"[OOM]\nSwapUsedLimit=70%\n")
        .with("etc/systemd/oomd.conf.d/20-x.conf", b"[OOM]\nSwapUsedLimit=75%\n")
        .with("usr/lib/systemd/system/-.slice.d/10-a.conf", b"[Slice]\nManagedOOMSwap=kill\n")
        .with(
            "usr/lib/systemd/system/user@.service.d/10-b.conf",
            b"[Service]\nManagedOOMMemoryPressure=kill\nManagedOOMMemoryPressureLimit=50%\n",
        )
        .with("etc/systemd/system/web.service", b"[Service]\nManagedOOMSwap=kill\n")
        .with("etc/systemd/system/web.service.d/z.conf", b"[Service]\nManagedOOMSwap=auto\n")
        .with("usr/lib/systemd/system/ssh.service", b"[Service]\nExecStart=/bin/x\n");
    let killers = folder.killers(&[process(92, "systemd-oomd", 100)]);
    let told = &killers.systemd_oomd;
    assert_eq!(told.found, KillerPresence::Running(92));
    assert_eq!((told.options.swap_used, told.options.seconds), (75.0, 20.0));
    let units: Vec<_> = told
        .options
        .nominated
        .iter()
        .map(|it| (it.unit.as_str(), it.swap, it.pressure, it.limit))
        .collect();
    assert_eq!(units, [("-.slice", true, false, None), ("user@.service", false, true, Some(50.0))]);
    assert!(texts(&told.from).contains(&"/etc/systemd/oomd.conf.d/20-x.conf"));
    assert!(!texts(&told.from).contains(&"/usr/lib/systemd/oomd.conf.d/20-x.conf"));
    assert!(!texts(&told.from).contains(&"/usr/lib/systemd/system/ssh.service"));
}

#[test]
fn a_dry_run_of_systemd_oomd_is_seen() {
    for (cmdline, dry_run) in
        [(&b"/x/systemd-oomd\0"[..], false), (b"/x/systemd-oomd\0--dry-run\0", true)]
    {
        let folder = Folder::new().with_process(90, [0, 0], cmdline);
        let told = folder.killers(&[process(90, "systemd-oomd", 1)]).systemd_oomd.clone();
        assert_eq!(
            (told.found, told.options.dry_run),
            (KillerPresence::Running(90), dry_run),
            "{told:?}"
        );
    }
}

/// A machine with this version of systemd, a rule file and two that are unusable, and units that name rules.
fn with_rule_files(version: &str) -> Folder {
    Folder::new()
        .with("usr/lib/systemd/systemd-oomd", b"")
        .with(&format!("usr/lib/systemd/libsystemd-shared-{version}.so"), b"")
        .with("usr/lib/systemd/libsystemd-core-999.so", b"")
        .with("etc/systemd/oomd.conf", b"[OOM]\nPrekillHookTimeoutSec=5s\n")
        .with(
            "etc/systemd/oomd/rules.d/10-zram.oomrule",
            b"[Rule]\nMemoryPressureAbove=10%\nSwapUsageMax=80%\nAction=kill-by-pgscan\nLastingSec=2s\n",
        )
        .with("usr/lib/systemd/oomd/rules.d/10-zram.oomrule", b"[Rule]\nAction=kill-all\n")
        .with("usr/lib/systemd/oomd/rules.d/20-none.oomrule", b"[Rule]\nAction=kill-all\n")
        .with("usr/lib/systemd/oomd/rules.d/30-never.oomrule",
            b"[Rule]\nSwapUsageMax=9%\nAction=kill-all\nLastingSec=infinity\n")
        .with("usr/lib/systemd/oomd/rules.d/40-masked.oomrule", b"")
        .with("usr/lib/systemd/user/app.slice.d/a.conf", b"[Slice]\nOOMRules=old\n")
        .with("usr/lib/systemd/user/app.slice.d/b.conf", b"[Slice]\nOOMRules=\nOOMRules=10-zram gone\n")
        .with(
            "etc/systemd/system/web.service",
            b"[Service]\nManagedOOMMemoryPressure=kill\nManagedOOMMemoryPressureDurationSec=5s\n",
        )
}

#[test]
fn the_version_of_systemd_decides_which_settings_hold() {
    let told = with_rule_files("261.1-2").killers(&[]).systemd_oomd.clone();
    let options = &told.options;
    assert_eq!((options.version, options.prekill_seconds), (Some(261), Some(5.0)));
    let rules: Vec<_> = options
        .rules
        .iter()
        .map(|it| (it.name.as_str(), it.pressure, it.swap, it.seconds, it.action.word()))
        .collect();
    assert_eq!(rules, [("10-zram", Some(10.0), Some(80.0), 2.0, "kill-by-pgscan")]);
    let units: Vec<_> = options
        .nominated
        .iter()
        .map(|it| (it.unit.as_str(), it.is_of_user, it.seconds, texts(&it.rules)))
        .collect();
    assert_eq!(
        units,
        [
            ("web.service", false, Some(5.0), vec![]),
            ("app.slice", true, None, vec!["10-zram", "gone"])
        ]
    );
    assert_eq!(
        texts(&told.remarks),
        [
            "systemd-oomd: /usr/lib/systemd/oomd/rules.d/20-none.oomrule: it has no condition, so it is ignored",
            "systemd-oomd: /usr/lib/systemd/oomd/rules.d/30-never.oomrule: LastingSec=infinity is never over, so \
             it is ignored",
            "systemd-oomd: there is no usable rule gone",
        ]
    );
    assert!(texts(&told.from).contains(&"/etc/systemd/oomd/rules.d/10-zram.oomrule"));

    let old = with_rule_files("252.38-1~deb12u1").killers(&[]).systemd_oomd.clone();
    assert_eq!(old.options.version, Some(252));
    assert!(old.options.rules.is_empty());
    let units: Vec<_> =
        old.options.nominated.iter().map(|it| (it.unit.as_str(), it.seconds)).collect();
    assert_eq!(units, [("web.service", None)], "257 and 261 brought the rest");
    let said = texts(&old.remarks).join("\n");
    assert!(said.contains("OOMRules= needs systemd 261, and 252 is installed"), "{said}");
}

#[test]
fn oomd_is_told_by_json() {
    let file = br#"// mine
        {"rulesets": [{"name": "x", "detectors": [["d", {"name": "swap_free", "args":
        {"threshold_pct": "7"}}]], "actions": [{"name": "kill_by_swap_usage", "args": {"cgroup": "a/*"}}]}]}"#;
    let folder = Folder::new().with("usr/bin/oomd", b"").with("etc/oomd.json", file);
    let told = folder.killers(&[]).oomd.clone();
    assert_eq!(
        (told.found, texts(&told.from)),
        (KillerPresence::Installed, vec!["/etc/oomd.json"])
    );
    assert_eq!(told.options.swap_free, 7.0);
    assert!(told.options.by_swap.has("/a/b") && told.options.by_size.0.is_empty());
    let folder = folder.with("etc/oomd.json", b"{ no }");
    let told = folder.killers(&[]).oomd.clone();
    assert!(
        told.assumed()
            && texts(&told.remarks) == ["oomd: cannot read the configuration /etc/oomd.json"]
    );
}

/// Anybody can call a program so, or run one of root's with a command line of their own.
#[test]
fn only_a_trusted_user_s_process_is_a_killer_that_runs() {
    let own = nix::unistd::geteuid().as_raw();
    let service = b"1:name=systemd:/system.slice/oomd.service\n0::/\n";
    let found = |uids, cgroups: &[u8]| {
        let folder = Folder::new()
            .with("usr/bin/oomd", b"")
            .with("home/x.json", br#"{"rulesets": []}"#)
            .with_process(7, uids, b"oomd\0--config\0/home/x.json\0")
            .with("proc/7/cgroup", cgroups);
        let told = folder.killers(&[process(7, "oomd", 1)]).oomd.clone();
        assert_eq!(told.found != KillerPresence::Running(7), told.from.is_empty(), "{told:?}");
        told.found
    };
    assert_eq!(found([0, 0], b""), KillerPresence::Running(7));
    assert_eq!(found([own, own], b""), KillerPresence::Running(7));
    assert_eq!(found([7001, 7001], service), KillerPresence::Running(7));
    for (uids, cgroups) in [
        ([7001, 7001], &b""[..]),
        ([7001, 0], b"0::/user.slice/user-7001.slice/session-1.scope\n"),
        ([7001, 7001], b"0::/system.slice/web.service\n"),
        ([7001, 7001], b"0::/user.slice/user-7001.slice/oomd.service\n"),
    ] {
        assert_eq!(found(uids, cgroups), KillerPresence::Installed, "{uids:?}");
    }
    let folder = Folder::new().with("usr/bin/oomd", b"").with("proc/7/cmdline", b"oomd\0");
    assert_eq!(folder.killers(&[process(7, "oomd", 1)]).oomd.found, KillerPresence::Installed);
}

/// Root of a container is uid 0 as well where it has no user namespace.
#[test]
fn root_of_a_container_is_no_killer_of_this_machine() {
    let service: &[u8] = b"0::/system.slice/oomd.service\n";
    let found = |nspid: &str, mounts: [u32; 2], cgroup: &[u8]| {
        let status = format!("Name:\tx\nUid:\t0\t0\t0\t0\n{nspid}VmRSS:\t1 kB\n");
        let folder = Folder::new()
            .with("usr/bin/oomd", b"")
            .with("proc/7/cmdline", b"oomd\0--config\0/home/x.json\0")
            .with("proc/7/status", status.as_bytes())
            .with("proc/7/cgroup", cgroup);
        for (place, inode) in ["7", "self"].iter().zip(mounts) {
            let dir = folder.0.path().join(format!("proc/{place}/ns"));
            fs::create_dir_all(&dir).unwrap();
            std::os::unix::fs::symlink(format!("mnt:[{inode}]"), dir.join("mnt")).unwrap();
        }
        folder.killers(&[process(7, "oomd", 1)]).oomd.found
    };
    let (running, none) = (KillerPresence::Running(7), KillerPresence::Installed);
    assert_eq!(found("", [1, 1], b""), running, "a kernel that does not tell");
    assert_eq!(found("NSpid:\t7\n", [1, 1], b""), running);
    assert_eq!(found("NSpid:\t7\t1\n", [1, 1], b""), none, "pid 1 of a container");
    assert_eq!(found("NSpid:\t7\t1\n", [1, 1], service), none);
    assert_eq!(found("NSpid:\t7\n", [2, 1], b""), none, "other files have its paths");
    // systemd gives mounts of their own to its services.
    assert_eq!(found("NSpid:\t7\n", [2, 1], service), running);
    for (cgroup, expected) in [
        // Debian's nohang has a slice of its own.
        ("/hostcritical.slice/oomd.service", running),
        ("/a.slice/a-b.slice/oomd.service", running),
        ("/machine.slice/box.scope/system.slice/oomd.service", none),
        ("/user.slice/user-7.slice/user@7.service/app.slice/oomd.service", none),
        ("/hostcritical.slice/other.service", none),
    ] {
        let cgroup = format!("0::{cgroup}\n");
        assert_eq!(found("NSpid:\t7\n", [2, 1], cgroup.as_bytes()), expected, "{cgroup}");
    }
}

#[test]
fn half_a_minute_passes_between_two_readings() {
    let folder = Folder::new().with("usr/bin/earlyoom", b"");
    let proc = folder.proc();
    let mut reader = KillerReader::new(proc.filesystem());
    let rows: [Process; 0] = [];
    reader.read(&proc, rows.iter(), Millis(1));
    let first = Arc::clone(reader.last());
    let folder = folder.with("etc/default/earlyoom", b"EARLYOOM_ARGS=-m3\n");
    reader.read(&proc, rows.iter(), Millis(20_000));
    assert!(Arc::ptr_eq(&first, reader.last()));
    reader.read(&proc, rows.iter(), Millis(30_001));
    assert_eq!(reader.last().earlyoom.options.mem_percent, Some([3.0, 1.5]));
    let second = Arc::clone(reader.last());
    reader.read(&proc, rows.iter(), Millis(70_000));
    assert!(Arc::ptr_eq(&second, reader.last()), "the same, as nothing changed");
    drop(folder);
}

#[test]
fn a_killer_that_starts_or_ends_is_seen_at_once() {
    let folder = Folder::new().with("usr/bin/earlyoom", b"");
    let folder = folder.with_process(7, [0, 0], b"earlyoom\0");
    let proc = folder.proc();
    let mut reader = KillerReader::new(proc.filesystem());
    let killer = [process(7, "earlyoom", 1)];
    let mut found = |rows: &[Process], at: u64| {
        reader.read(&proc, rows.iter(), Millis(at));
        reader.last().earlyoom.found
    };
    let (running, installed) = (KillerPresence::Running(7), KillerPresence::Installed);
    assert_eq!(found(&[], 1), installed);
    assert_eq!(found(&killer, 1500), running, "it has started");
    assert_eq!(found(&[process(9, "sh", 1)], 2000), running, "not more often than once a second");
    assert_eq!(found(&[process(9, "sh", 1)], 2500), installed, "it has ended");
}

#[test]
fn what_was_read_travels_with_the_look() {
    let folder = Folder::new()
        .with("usr/sbin/nohang", b"")
        .with("usr/bin/earlyoom", b"")
        .with("etc/default/earlyoom", b"EARLYOOM_ARGS='-M 5000 --prefer \\x1b[a -q'\n")
        .with("etc/nohang/nohang.conf", b"@BADNESS_ADJ_RE_NAME -9 /// ^\\w+\x1b$\n");
    let mut snapshot = crate::stage::usual();
    snapshot.killers = folder.killers(&[]);
    let line = serde_json::to_string(&snapshot).unwrap();
    let back: doomtop::model::Snapshot = serde_json::from_str(&line).unwrap();
    assert_eq!(back.killers, snapshot.killers);
    assert!(!line.contains('\u{1b}'));
    let plain = serde_json::to_string(&crate::stage::usual()).unwrap();
    assert!(!plain.contains("killers"), "what is not known is left out");
    assert_eq!(snapshot.memory.anon_kib, Reading::NotAsked);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn hostile_files_are_survived(bytes: Vec<u8>, line: Vec<u8>) {
        let mut folder = Folder::new().with_process(9, [0, 0], &line);
        for place in [
            "usr/bin/earlyoom",
            "usr/sbin/nohang",
            "usr/lib/systemd/systemd-oomd",
            "etc/default/earlyoom",
            "etc/nohang/nohang.conf",
            "etc/nohang/nohang-desktop.conf",
            "etc/systemd/oomd.conf",
            "usr/bin/oomd",
            "etc/oomd.json",
            "etc/systemd/system/a.service",
            "var/lib/dpkg/status",
        ] {
            folder = folder.with(place, &bytes);
        }
        for name in ["earlyoom", "nohang", "systemd-oomd", "oomd"] {
            folder.killers(&[process(9, name, 1)]);
        }
    }
}

/// A machine with nohang and these rules, two processes of one name, and what nohang makes of them.
fn with_rules(rules: &str, needs: &Needs) -> (FakeProc, LiveSource, Arc<Snapshot>) {
    let fake = FakeProc::of_machine();
    fake.beside("usr/sbin/nohang", "").beside("etc/nohang/nohang.conf", rules);
    for (pid, program, environ) in
        [(100, "/opt/game/bin", "HOME=/root\0MODE=play\0"), (101, "/bin/sleep", "")]
    {
        fake.process(Fake { pid, born: 5000, ..Fake::default() })
            .link(&format!("{pid}/exe"), program)
            .link(&format!("{pid}/cwd"), &format!("/srv/{pid}"))
            .file(&format!("{pid}/environ"), environ);
    }
    let mut live = LiveSource::start(fake.root(), ScanPatience::Forever).unwrap();
    let sample = live.sample(needs, None).unwrap();
    (fake, live, sample)
}

fn points(sample: &Arc<Snapshot>) -> Vec<(i32, i64)> {
    let scene = Scene::new(Arc::clone(sample), None);
    let ranking = Ranking::new(&NOHANG, &scene);
    let rows = ranking.rows()[..ranking.eligible()].iter();
    rows.filter_map(|row| Some((row.id.pid, row.placement.points()?.0))).collect()
}

#[test]
fn rules_on_program_directory_and_environment_are_evaluated_where_they_are_installed() {
    let rules = "@BADNESS_ADJ_RE_REALPATH 100 /// ^/opt/game/\n\
                 @BADNESS_ADJ_RE_CWD 30 /// ^/srv/101$\n\
                 @BADNESS_ADJ_RE_ENVIRON 7 /// MODE=play$\n";
    let environ = |process: &Process| {
        process.exe_cwd_environ.as_deref().is_some_and(|it| matches!(it.environ, Reading::Value(_)))
    };
    // In the very first look, unless it has waited half a second in vain for environments, because the
    // thread that reads them did not run.
    let (fake, mut live, sample) = until("environments in the first look", || {
        let found = with_rules(rules, &NOHANG.needs());
        found.2.processes.iter().all(environ).then_some(found)
    });
    assert_eq!(points(&sample), [(100, 773), (101, 696)]);
    let armed = NOHANG.trigger_state(&Scene::new(Arc::clone(&sample), None));
    assert!(!armed.why.contains("not evaluated"), "{}", armed.why);
    // A recording tells no environment.
    let line = serde_json::to_string(&*sample).unwrap();
    assert!(line.contains("/opt/game/bin") && !line.contains("HOME=/root"), "{line}");
    // What goes is seen in its turn.
    fake.link("100/exe", "/bin/sleep");
    let again = (0..16).map(|_| points(&live.sample(&NOHANG.needs(), None).unwrap())).last();
    assert_eq!(again.unwrap(), [(101, 696), (100, 673)]);
    // Nobody asks any more: nothing is kept.
    let none = live.sample(&Needs { status: true, ..Needs::default() }, None).unwrap();
    assert!(none.processes.iter().all(|process| process.exe_cwd_environ.is_none()));
}

#[test]
fn an_environment_that_stalls_keeps_no_look_waiting() {
    let rules = "@BADNESS_ADJ_RE_ENVIRON 7 /// MODE=play\n@BADNESS_ADJ_RE_CWD 30 /// ^/srv/101$\n";
    let fake = FakeProc::of_machine();
    fake.beside("usr/sbin/nohang", "").beside("etc/nohang/nohang.conf", rules);
    for pid in [100, 101] {
        fake.process(Fake { pid, born: 5000, ..Fake::default() })
            .link(&format!("{pid}/cwd"), &format!("/srv/{pid}"))
            .file(&format!("{pid}/environ"), "MODE=play\0");
    }
    let stuck = fake.at("100/environ");
    fs::remove_file(&stuck).unwrap();
    nix::unistd::mkfifo(&stuck, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let mut live = LiveSource::start(fake.root(), ScanPatience::Forever).unwrap();
    let mut sample = || live.sample(&NOHANG.needs(), None).unwrap();
    let seen = sample();
    assert_eq!(points(&seen).iter().map(|it| it.0).collect::<Vec<_>>(), [101, 100]);
    // The first one waited half a second for it. If each did, there would never be a row of quick ones.
    let mut quick = 0;
    until("twenty looks in a row that do not wait", || {
        let began = Instant::now();
        assert_eq!(points(&sample()), points(&seen));
        quick = if began.elapsed() < Duration::from_millis(500) { quick + 1 } else { 0 };
        (quick == 20).then_some(())
    });
    // Once it answers, everybody has theirs in turn.
    let writer = fs::OpenOptions::new().write(true).open(&stuck).unwrap();
    fs::remove_file(&stuck).unwrap();
    fs::write(&stuck, "MODE=play\0").unwrap();
    drop(writer);
    let wanted = [(101, 703), (100, 673)];
    assert!((0..1000).any(|_| points(&sample()) == wanted), "{:?}", points(&sample()));
}

#[test]
fn without_such_rules_nothing_is_read() {
    for rules in ["@BADNESS_ADJ_RE_NAME 100 /// sleep\n", "@BADNESS_ADJ_RE_REALPATH 0 /// .\n"] {
        let (.., sample) = with_rules(rules, &NOHANG.needs());
        assert!(
            sample.processes.iter().all(|process| process.exe_cwd_environ.is_none()),
            "{rules}"
        );
        let armed = NOHANG.trigger_state(&Scene::new(sample, None));
        assert!(!armed.why.contains("not evaluated"), "{}", armed.why);
    }
    let rules = "@BADNESS_ADJ_RE_REALPATH 100 /// game\n";
    let (.., sample) = with_rules(rules, &Needs { status: true, ..Needs::default() });
    assert!(sample.processes.iter().all(|process| process.exe_cwd_environ.is_none()));
    // Only what rules look at.
    let (.., sample) = with_rules(rules, &NOHANG.needs());
    let found = sample.processes[0].exe_cwd_environ.as_deref().unwrap();
    assert!(found.cwd.is_not_asked() && found.environ.is_not_asked());
}

#[test]
fn what_cannot_be_read_is_said() {
    let rules = "@BADNESS_ADJ_RE_REALPATH 100 /// game\n";
    let (fake, mut live, _) = with_rules(rules, &NOHANG.needs());
    fs::remove_file(fake.at("101/exe")).unwrap();
    let sample = (0..16).map(|_| live.sample(&NOHANG.needs(), None).unwrap()).last().unwrap();
    let armed = NOHANG.trigger_state(&Scene::new(sample, None));
    let words = "1 rule is not evaluated for 1 of 2 processes: it needs the program's path";
    assert!(armed.why.contains(words), "{}", armed.why);
}

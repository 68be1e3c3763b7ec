//! Names replaced by tokens: none of them is in anything that comes out, and what is ranked by stays.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use doomtop::app::{Msg, Setup};
use doomtop::model::{
    BpfOom, BpfOomPolicy, Cgroup, CgroupSet, Cgroups, Comm, ExeCwdEnviron, FrozenBy, Hierarchy,
    InstalledKillers, KillerOptions, KillerPresence, Limit, Machine, Needs, NohangRule,
    NohangRuleField, NominatedUnit, OomRule, OomRuleAction, ProcId, ProcessDetail, Reading, Scene,
    ServiceUnit, Snapshot, Text, TmpfsMount,
};
use doomtop::policy::{POLICIES, Policy};
use doomtop::rank::Ranking;
use doomtop::source::{RedactExtent, RedactedSource, Redactor, Source, SourceError};
use doomtop::units::Bytes;

use crate::fakeproc::{Fake, FakeProc};
use crate::fixtures::{paint, press, text};
use crate::stage::{setup, usual};

/// What every name that must not come out begins with.
const SECRET: &str = "zq";

fn secret(text: &str) -> Text {
    Text::new(text.as_bytes())
}

/// A machine that is full of secrets; `comm` says whether the names of processes are some.
fn machine(comm: bool) -> Snapshot {
    let mut sample = usual();
    let paths = [
        "/user.slice/user-1000.slice/user@1000.service/app.slice/zqapp.service",
        "/system.slice/zqdb@zqmain.service",
        "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podzq77.slice/cri-containerd-zq9.scope",
        "/zqtop.slice/zqtop-zqsub.slice/zqjob.scope",
        "/docker/zqcontainer",
    ];
    for (nth, process) in sample.processes.iter_mut().filter(|it| it.has_mm).enumerate() {
        process.cgroup = Reading::Value(Arc::new(secret(paths[nth % paths.len()])));
        let line = format!("/opt/zqsoft/run --password=zqpass{}", nth / 2);
        process.cmdline = Reading::Value(Arc::new(secret(&line)));
        process.exe_cwd_environ = Some(Arc::new(ExeCwdEnviron {
            exe: Reading::Value(secret("/opt/zqsoft/run")),
            cwd: Reading::Value(secret("/home/zqalice")),
            environ: Reading::Value(secret("TOKEN=zqtoken")),
        }));
        if comm {
            process.comm = Comm::new(format!("zqcomm{}", nth / 2).as_bytes());
        }
    }
    let mut list: Vec<String> = vec!["/".to_owned()];
    for path in paths {
        let ends = path.match_indices('/').map(|(at, _)| at).skip(1).chain([path.len()]);
        list.extend(ends.map(|end| path[..end].to_owned()));
    }
    list.sort_by(|a, b| doomtop::model::tree_order(a, b));
    list.dedup();
    let group = |(nth, path): (usize, String)| Cgroup {
        path: Arc::new(secret(&path)),
        usage: Reading::Value(Bytes(((nth as u64 * 37) % 11 + 1) << 28)),
        limit: Reading::Value(if nth % 3 == 2 { Limit::At(Bytes(16 << 30)) } else { Limit::Max }),
        ..Cgroup::default()
    };
    sample.cgroups = Arc::new(Cgroups {
        hierarchy: Reading::Value(Hierarchy::V2),
        list: list.into_iter().enumerate().map(group).collect(),
        ..Cgroups::default()
    });
    sample.machine = Arc::new(Machine {
        name: secret("zqhost"),
        boot_id: secret("zqboot"),
        ..Machine::clone(&sample.machine)
    });
    sample.users = Arc::new([(0, secret("root")), (1000, secret("zqalice"))].into());
    let mut killers = InstalledKillers::default();
    killers.nohang.options.rules =
        vec![NohangRule { on: NohangRuleField::Cmdline, adj: 7, pattern: secret("zqpass") }];
    killers.nohang = KillerOptions {
        found: KillerPresence::Installed,
        from: vec![secret("/etc/zqnohang.conf")],
        remarks: vec![secret("zqodd")],
        ..killers.nohang
    };
    let unit = |name: &str| NominatedUnit {
        unit: secret(name),
        swap: true,
        pressure: true,
        ..NominatedUnit::default()
    };
    let named = ["zqapp.service", "zqdb@.service", "zqtop-.slice", "user@.service"];
    killers.systemd_oomd.options.nominated.extend(named.map(unit));
    killers.oomd.options.by_size = CgroupSet::parse("system.slice/*,zqtop.slice/zqtop-zqsub.slice");
    let rule = |name: &str| OomRule {
        name: secret(name),
        pressure: Some(10.0),
        swap: None,
        seconds: 2.0,
        action: OomRuleAction::KillByPgscan,
    };
    killers.systemd_oomd.options.rules = vec![rule("zqrule")];
    killers.systemd_oomd.options.nominated[0].rules = vec![secret("zqrule")];
    sample.killers = Arc::new(killers);
    let mount = |path: &str| TmpfsMount { path: secret(path), ..TmpfsMount::default() };
    let holders = Arc::make_mut(&mut sample.memory_holders);
    holders.tmpfs = Reading::Value(vec![mount("/dev/shm"), mount("/srv/zqmount")]);
    let policy = |cgroup: Option<&str>| BpfOomPolicy {
        name: secret("zqpolicy"),
        cgroup: cgroup.map(secret),
    };
    sample.bpf_oom = Arc::new(BpfOom {
        supported: true,
        policies: Reading::Value(vec![policy(None), policy(Some("/zqtop.slice"))]),
    });
    sample
}

/// A source of one look.
struct One(Option<Snapshot>);

impl Source for One {
    fn sample(
        &mut self,
        _: &Needs,
        _: Option<Arc<Snapshot>>,
    ) -> Result<Arc<Snapshot>, SourceError> {
        self.0.take().map(Arc::new).ok_or(SourceError::End)
    }

    fn sample_again(&mut self, ids: &[ProcId], snapshot: &mut Snapshot) {
        for process in snapshot.processes.iter().filter(|it| ids.contains(&it.id)) {
            let clear =
                matches!(&process.cmdline, Reading::Value(it) if it.as_str().contains(SECRET));
            assert!(clear, "a second look is at what was seen: {process:?}");
        }
    }
}

fn redacted(sample: &Snapshot, redactor: &Redactor) -> Snapshot {
    let mut source = RedactedSource::new(Box::new(One(Some(sample.clone()))), redactor.clone());
    Arc::unwrap_or_clone(source.sample(&Needs::default(), None).expect("a look"))
}

fn json(sample: &Snapshot) -> String {
    serde_json::to_string(sample).expect("JSON")
}

#[test]
fn no_secret_is_in_a_redacted_look_and_the_same_name_is_the_same_token() {
    for (extent, comm) in [(RedactExtent::Names, false), (RedactExtent::All, true)] {
        let sample = machine(comm);
        let redactor = Redactor::new(extent);
        let clean = redacted(&sample, &redactor);
        assert!(json(&sample).contains(SECRET));
        assert!(!json(&clean).contains(SECRET), "{}", json(&clean));
        let exe_cwd_environ = format!("{:?}", clean.processes);
        assert!(!exe_cwd_environ.contains(SECRET), "what no recording has: {exe_cwd_environ}");
        assert_eq!(
            json(&clean),
            json(&redacted(&sample, &redactor)),
            "a run has one token for each"
        );
        let other = redacted(&sample, &Redactor::new(extent));
        assert_ne!(json(&clean), json(&other), "another run has others");
        for (one, its) in sample.processes.iter().zip(&clean.processes) {
            for (other, theirs) in sample.processes.iter().zip(&clean.processes) {
                assert_eq!(one.cmdline == other.cmdline, its.cmdline == theirs.cmdline);
                assert_eq!(one.cgroup == other.cgroup, its.cgroup == theirs.cgroup);
                assert_eq!(one.comm == other.comm, its.comm == theirs.comm);
            }
        }
    }
}

#[test]
fn the_shape_of_the_cgroup_tree_stays() {
    let redactor = Redactor::new(RedactExtent::Names);
    let path = |text: &str| redactor.path(&secret(text)).as_str().to_owned();
    for known in [
        "/",
        "/../x".trim_end_matches('x'),
        "/system.slice",
        "/user.slice/user-7.slice/session-c2.scope",
    ] {
        assert_eq!(path(known), known);
    }
    let pod = path(
        "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podabc.slice/docker-9.scope",
    );
    let parts: Vec<&str> = pod.split('/').collect();
    assert!(
        parts[3].starts_with("kubepods-burstable-podcg-") && parts[3].ends_with(".slice"),
        "{pod}"
    );
    assert!(parts[4].starts_with("docker-cg-") && parts[4].ends_with(".scope"), "{pod}");
    // A slice goes on from its parent's name, an instance from its template's.
    let slices = path("/a.slice/a-b.slice");
    let (parent, child) = slices.rsplit_once('/').expect("two");
    assert!(
        child.starts_with(parent.trim_start_matches('/').trim_end_matches(".slice")),
        "{slices}"
    );
    let (template, instance) = (path("/x@.service"), path("/x@y.service"));
    assert_eq!(template.split('@').next(), instance.split('@').next());
    let sample = redacted(&machine(false), &redactor);
    let groups = &sample.cgroups;
    assert!(groups.list.iter().all(|group| groups.find(group.path.as_str()) == Some(group)));
    for process in &sample.processes {
        if let Reading::Value(home) = &process.cgroup {
            assert!(groups.find(home.as_str()).is_some(), "{home}");
        }
    }
}

#[test]
fn every_policy_that_goes_by_no_replaced_name_ranks_as_before() {
    let rank = |sample: &Snapshot| {
        let scene = Scene::new(Arc::new(sample.clone()), None);
        let of = |policy: &&'static dyn Policy| {
            let ranking = Ranking::new(*policy, &scene);
            let rows = ranking.rows().iter().map(|row| (row.id, row.placement.points()));
            (policy.id(), rows.collect::<Vec<_>>())
        };
        POLICIES.iter().map(of).collect::<Vec<_>>()
    };
    let sample = machine(false);
    let before = rank(&sample);
    let after = rank(&redacted(&sample, &Redactor::new(RedactExtent::Names)));
    for ((id, before), (_, after)) in before.iter().zip(&after) {
        if *id == "nohang" {
            assert_ne!(before, after, "its rule looks at command lines");
        } else {
            assert_eq!(before, after, "{id}");
        }
    }
    // Of processes' names there is only a rule of earlyoom and nohang, and none is installed here.
    let sample = machine(true);
    let (before, after) =
        (rank(&sample), rank(&redacted(&sample, &Redactor::new(RedactExtent::All))));
    assert_eq!(before.len(), after.len());
    assert_eq!(before[0], after[0]);
}

#[test]
fn a_second_look_is_at_the_process_itself_and_comes_back_redacted() {
    let sample = machine(true);
    let redactor = Redactor::new(RedactExtent::All);
    let mut source = RedactedSource::new(Box::new(One(Some(sample))), redactor);
    let mut seen = Arc::unwrap_or_clone(source.sample(&Needs::default(), None).expect("a look"));
    let before = json(&seen);
    let ids: Vec<ProcId> =
        [500, 600].map(|pid| seen.processes[seen.position(pid).expect("it")].id).into();
    for _ in 0..2 {
        source.sample_again(&ids, &mut seen);
        assert_eq!(json(&seen), before);
    }
}

#[test]
fn no_page_of_the_screen_tells_a_secret() {
    let redactor = Redactor::new(RedactExtent::All);
    let mut app = doomtop::app::App::new(Setup { live: false, ..setup() });
    app.update(Msg::Sampled(Arc::new(redacted(&machine(true), &redactor))));
    let mut study = ProcessDetail {
        who: app.scene.as_ref().expect("a look").now().processes[7].id,
        frozen: Some(FrozenBy {
            hierarchy: Hierarchy::V2,
            path: secret("/zqfrozen"),
            own: true,
            others: 1,
        }),
        unit: Some(ServiceUnit {
            name: secret("zqdb.service"),
            restart: doomtop::model::RestartPolicy::Always,
            ends_all: true,
            from: vec![secret("/etc/systemd/system/zqdb.service")],
            main: true,
        }),
        ..ProcessDetail::default()
    };
    redactor.process_detail(&mut study);
    app.update(Msg::Detail(Box::new(study)));
    let sample = crate::fixtures::theme(true, true);
    for script in [
        &["Esc"][..],
        &["Enter"],
        &["Esc", "Tab"],
        &["Tab"],
        &["Tab"],
        &["Tab"],
        &["Tab", "p"],
        &["X"],
        &["Esc", "y"],
    ] {
        press(&mut app, script);
        let shown = text(&paint(&mut app, sample, 200, 60).0);
        assert!(!shown.contains(SECRET), "{script:?}:\n{shown}");
    }
}

fn run(arguments: &[&str]) -> String {
    let output =
        Command::new(env!("CARGO_BIN_EXE_doomtop")).args(arguments).output().expect("doomtop runs");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {told}");
    String::from_utf8_lossy(&output.stdout).into_owned() + &told
}

#[test]
fn no_command_tells_a_secret() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_str().expect("a path").to_owned();
    let mut value = serde_json::to_value(machine(true)).expect("JSON");
    value["schema"] = "doomtop/1".into();
    fs::write(at("clear"), format!("{value}\n{value}\n")).expect("written");
    let clear = at("clear");
    let tape = at("tape");
    for (arguments, secret) in [
        (&["--json"][..], true),
        (&["--batch", "--verdicts", "--columns", "pid,user,cgroup,command"], true),
        (&["metrics"], true),
        (&["policies"], false),
        (&["record", &tape], false),
    ] {
        if secret {
            let shown = run(&[&["--from", &clear], arguments].concat());
            assert!(shown.contains(SECRET), "{arguments:?} has secrets to hide");
        }
        let shown = run(&[&["--from", &clear, "--redact=all"], arguments].concat());
        assert!(!shown.replace(&clear, "").contains(SECRET), "{arguments:?}:\n{shown}");
    }
    let copied = run(&["--from", &tape, "--json"]);
    assert!(
        !copied.contains(SECRET) && copied.contains("\"cg-") | copied.contains("/cg-"),
        "{copied}"
    );
}

#[test]
fn what_the_slow_reader_learns_is_redacted_too() {
    let fake = FakeProc::new();
    fake.process(Fake {
        cgroup: "0::/zqunit.service\n".to_owned(),
        cmdline: b"/opt/zqsoft\0--password=zq\0".to_vec(),
        ..Fake::default()
    });
    fake.file("sys/kernel/hostname", "zqhost\n");
    let root = fake.path().to_str().expect("a path");
    let tree = format!("--proc={root}");
    for arguments in [&["--json", "-n", "1"][..], &["-b", "-n", "1"], &["metrics"]] {
        let clear = run(&[&[tree.as_str()], arguments].concat());
        assert!(arguments[0] == "metrics" || clear.contains("zqsoft"), "{clear}");
        let shown = run(&[&[tree.as_str(), "--redact"], arguments].concat());
        assert!(!shown.contains(SECRET), "{arguments:?}:\n{shown}");
        assert!(arguments[0] == "metrics" || shown.contains("cmd-"), "{shown}");
    }
    assert!(Path::new(root).exists());
}

#[test]
fn nothing_is_acted_on_with_replaced_names() {
    let output = Command::new(env!("CARGO_BIN_EXE_doomtop"))
        .args(["--redact", "set", "--adj", "5", "1"])
        .output()
        .expect("doomtop runs");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn explain_refuses_what_it_cannot_paint_over() {
    let log = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/kmsg/global-6.18.txt");
    assert!(Path::new(log).exists());
    for redact in ["--redact", "--redact=all"] {
        let output = Command::new(env!("CARGO_BIN_EXE_doomtop"))
            .args([redact, "explain", log])
            .output()
            .expect("doomtop runs");
        assert_eq!(output.status.code(), Some(2));
        assert!(output.stdout.is_empty());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("--redact") && said.lines().count() == 1, "{said}");
    }
}

//! Metrics: what the text says of a look, that no name breaks it, how it is put into a file and
//! answered at an address. The real Prometheus reads it in `tests/scrape`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use doomtop::columns::{CommandStyle, RowContext, SizeUnit};
use doomtop::forecast::next_death::{
    Candidate, DeathCertainty, Deaths, NextDeath, StallReason, TimeSpan,
};
use doomtop::model::{
    Cgroup, Cgroups, Comm, Hierarchy, Limit, Names, PanicOnOom, ProcId, PsiLine, Reading, Scene,
    Scope, Snapshot, Text,
};
use doomtop::policy::{self, Override, Policy};
use doomtop::rank::Ranking;
use doomtop::report::metrics::{MetricsFormat, NEAREST, metrics};
use doomtop::units::{Bytes, Kib, Millis, Ticks};
use proptest::prelude::*;

use crate::stage::{predicted, process, usual, with_scores};
use crate::wait::{GIVE_UP, until};

type Labels = BTreeMap<String, String>;

/// A text, read by the grammar of its format.
#[derive(Debug, Default)]
struct Exposition {
    /// Names to types.
    types: BTreeMap<String, String>,
    series: BTreeMap<(String, Labels), f64>,
}

impl Exposition {
    fn one(&self, name: &str) -> f64 {
        let mut found = self.series.iter().filter(|((is, _), _)| is == name);
        let (_, &value) = found.next().unwrap_or_else(|| panic!("{name} is there"));
        assert!(found.next().is_none(), "{name} is there once");
        value
    }

    fn of(&self, name: &str) -> Vec<(&Labels, f64)> {
        self.series.iter().filter(|((is, _), _)| is == name).map(|((_, l), &v)| (l, v)).collect()
    }

    fn with(&self, name: &str, label: &str, value: &str) -> Option<f64> {
        self.of(name).into_iter().find(|(labels, _)| labels[label] == value).map(|(_, value)| value)
    }

    fn victim(&self) -> &Labels {
        let found = self.of("doomtop_victim_info");
        assert_eq!(found.len(), 1, "one victim");
        found[0].0
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// `name{a="b",c="d"} 1`
fn series(line: &str) -> Option<(String, Labels, f64)> {
    let end = line.find(['{', ' '])?;
    let (name, mut rest) = line.split_at(end);
    let mut labels = Labels::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (label, value) = rest.split_once("=\"")?;
            let (mut text, mut chars) = (String::new(), value.char_indices());
            let after = loop {
                match chars.next()? {
                    (at, '"') => break at + 1,
                    (_, '\\') => text.push(match chars.next()?.1 {
                        'n' => '\n',
                        plain @ ('\\' | '"') => plain,
                        _ => return None,
                    }),
                    (_, plain) => text.push(plain),
                }
            };
            if !is_name(label) || labels.insert(label.to_owned(), text).is_some() {
                return None;
            }
            rest = &value[after..];
            match rest.strip_prefix(',') {
                Some(more) => rest = more,
                None => break,
            }
        }
        rest = rest.strip_prefix('}')?;
    }
    let number = rest.strip_prefix(' ')?;
    let value: f64 = number.parse().ok().filter(|value: &f64| value.is_finite())?;
    is_name(name).then(|| (name.to_owned(), labels, value))
}

/// Reads a text strictly: every series stands under its own type, once, with the suffix and the unit
/// that belong to it.
fn read(text: &str, form: MetricsFormat) -> Result<Exposition, String> {
    let mut read = Exposition::default();
    let body = match form {
        MetricsFormat::OpenMetrics => text.strip_suffix("# EOF\n").ok_or("no end")?,
        MetricsFormat::Prometheus => text,
    };
    let mut family: Option<(String, Option<String>)> = None;
    for line in body.split_terminator('\n') {
        let wrong = |what: &str| Err(format!("{what}: {line:?}"));
        let Some(comment) = line.strip_prefix("# ") else {
            let Some((name, labels, value)) = series(line) else { return wrong("no series") };
            let Some((of, Some(kind))) = &family else { return wrong("no type") };
            let suffix = match (form, kind.as_str()) {
                (MetricsFormat::OpenMetrics, "counter") => "_total",
                (MetricsFormat::OpenMetrics, "info") => "_info",
                _ => "",
            };
            if format!("{of}{suffix}") != name {
                return wrong("under another name");
            }
            if read.series.insert((name, labels), value).is_some() {
                return wrong("twice");
            }
            continue;
        };
        let words: Vec<&str> = comment.splitn(3, ' ').collect();
        let [word, name, rest] = words[..] else { return wrong("no comment of the format") };
        if !is_name(name) || !name.starts_with("doomtop_") {
            return wrong("no name");
        }
        let is_current = family.as_ref().is_some_and(|(of, _)| of == name);
        match (word, is_current) {
            ("HELP", false) if rest.ends_with('.') => family = Some((name.to_owned(), None)),
            ("TYPE", true) => {
                let known: &[&str] = match form {
                    MetricsFormat::OpenMetrics => &["gauge", "counter", "info"],
                    MetricsFormat::Prometheus => &["gauge", "counter"],
                };
                if !known.contains(&rest) || read.types.contains_key(name) {
                    return wrong("no type of the format, or a second one");
                }
                read.types.insert(name.to_owned(), rest.to_owned());
                family = Some((name.to_owned(), Some(rest.to_owned())));
            }
            ("UNIT", true)
                if form == MetricsFormat::OpenMetrics && name.ends_with(&format!("_{rest}")) => {}
            _ => return wrong("out of place"),
        }
    }
    Ok(read)
}

fn told_by(policy: &dyn Policy, scene: &Scene, form: MetricsFormat) -> String {
    told_with(&Deaths::default(), policy, scene, form)
}

fn told_with(deaths: &Deaths, policy: &dyn Policy, scene: &Scene, form: MetricsFormat) -> String {
    let ranking = Ranking::new(policy, scene);
    let mut names = Names::default();
    names.learn_users(Arc::clone(&scene.now().users));
    let context = RowContext {
        scene,
        policy,
        ranking: &ranking,
        names: &names,
        scale: SizeUnit::Auto,
        command: CommandStyle::Name,
    };
    metrics(&context, deaths, Duration::from_millis(7), form).expect("a text")
}

/// Read in both forms, which say the same.
fn told(scene: &Scene) -> Exposition {
    let text = told_by(&policy::LINUX, scene, MetricsFormat::OpenMetrics);
    let open =
        read(&text, MetricsFormat::OpenMetrics).unwrap_or_else(|what| panic!("{what}\n{text}"));
    let text = told_by(&policy::LINUX, scene, MetricsFormat::Prometheus);
    let older =
        read(&text, MetricsFormat::Prometheus).unwrap_or_else(|what| panic!("{what}\n{text}"));
    assert_eq!(open.series, older.series);
    open
}

fn scene(sample: Snapshot) -> Scene {
    Scene::new(Arc::new(sample), None)
}

fn limited(path: &str, limit: u64, usage: u64) -> Cgroup {
    Cgroup {
        path: Arc::new(Text::new(path.as_bytes())),
        limit: Reading::Value(Limit::At(Bytes(limit))),
        usage: Reading::Value(Bytes(usage)),
        ..Cgroup::default()
    }
}

fn with_groups(mut sample: Snapshot, list: Vec<Cgroup>) -> Snapshot {
    sample.cgroups = Arc::new(Cgroups {
        hierarchy: Reading::Value(Hierarchy::V2),
        read_ms: sample.clock.monotonic_ms,
        list,
    });
    sample
}

#[test]
fn a_look_is_told_in_numbers() {
    let mut sample = with_scores(usual());
    sample.traffic.oom_kills = Reading::Value(3);
    sample.overcommit.limit_kib = Reading::Value(Kib(1000));
    sample.overcommit.committed_kib = Reading::Value(Kib(600));
    let stall = PsiLine { avg10: 12.5, total_us: 1_500_000, ..PsiLine::default() };
    sample.pressure.some = Reading::Value(stall);
    let java = sample.processes.iter_mut().find(|it| it.id.pid == 600).expect("java");
    let path = "/system.slice/java@1.service/inner";
    java.cgroup = Reading::Value(Arc::new(Text::new(path.as_bytes())));
    java.rss_stat = doomtop::units::Pages(500_000);
    java.rss_exact = Reading::Value(doomtop::units::Pages(500_000));
    sample = with_scores(sample);
    let scene = scene(sample);
    let ranking = Ranking::new(&policy::LINUX, &scene);
    let all = told(&scene);
    let victim = all.victim();
    for (label, value) in [
        ("pid", "600"),
        ("comm", "java"),
        ("user", "1000"),
        ("cgroup", path),
        ("unit", "java@1.service"),
        ("oom_score_adj", "0"),
    ] {
        assert_eq!(victim[label], value, "{label}");
    }
    let points = ranking.victim().and_then(|row| row.placement.points()).expect("points").0;
    assert_eq!(all.one("doomtop_victim_badness_pages"), points as f64);
    assert_eq!(all.one("doomtop_victim_badness_ratio"), points as f64 / 1e6);
    assert_eq!(all.one("doomtop_margin_pages"), ranking.margin().expect("a margin").0 as f64);
    assert_eq!(all.one("doomtop_too_close"), 0.0);
    assert_eq!(all.one("doomtop_candidates"), 1.0);
    assert_eq!(all.one("doomtop_eligible"), ranking.eligible() as f64);
    assert_eq!(all.one("doomtop_oom_kills_total"), 3.0);
    assert_eq!(all.one("doomtop_commit_limit_bytes"), 1_024_000.0);
    assert_eq!(all.one("doomtop_commit_charge_bytes"), 614_400.0);
    assert_eq!(all.one("doomtop_pressure_avg10_ratio"), 0.125, "full is not known, so not told");
    assert_eq!(all.one("doomtop_pressure_stall_seconds_total"), 1.5);
    let compared = all.one("doomtop_self_check_compared");
    assert!(compared > 5.0 && all.one("doomtop_self_check_agreeing") == compared);
    assert_eq!(all.one("doomtop_look_duration_seconds"), 0.007);
    assert_eq!(all.one("doomtop_look_timestamp_seconds"), 1_763_726_400.0);
    assert_eq!(all.with("doomtop_policy_armed", "policy", "linux"), Some(1.0));
    assert_eq!(all.with("doomtop_policy_armed", "policy", "earlyoom"), Some(0.0));
    assert!(all.of("doomtop_overruled").iter().all(|(_, value)| *value == 0.0));
}

#[test]
fn what_is_not_known_is_not_told_as_zero() {
    let all = told(&scene(usual()));
    for name in [
        "doomtop_oom_kills_total",
        "doomtop_commit_limit_bytes",
        "doomtop_pressure_avg10_ratio",
        "doomtop_domain_wall_seconds",
    ] {
        assert!(all.of(name).is_empty(), "{name}");
    }
    let mut nobody = usual();
    nobody.processes.clear();
    let all = told(&scene(nobody));
    assert!(all.of("doomtop_victim_info").is_empty());
    assert!(all.of("doomtop_victim_badness_pages").is_empty());
    assert_eq!(all.one("doomtop_candidates"), 0.0);
}

/// A predicted death in 4 s, give or take one; its domain, and who may die.
fn death(domain: &str, pids: &[i32]) -> NextDeath {
    let candidate = |&pid: &i32| Candidate {
        id: process(pid, "", 0).id,
        comm: Comm::new(b"node"),
        from: Millis(3000),
        to: Millis(5000),
    };
    let named = pids.len() == 1;
    NextDeath {
        by: "kernel",
        domain: Arc::new(Text::new(domain.as_bytes())),
        when: Some(TimeSpan { low: Millis(3000), middle: Millis(4000), high: Millis(5000) }),
        certainty: if named { DeathCertainty::Named } else { DeathCertainty::TooClose },
        candidates: pids.iter().map(candidate).collect(),
        saved: None,
        gains: Vec::new(),
        left: Bytes(1),
        limit: Bytes(2),
        rate: 1.0,
        trigger: None,
        stalled: None,
    }
}

#[test]
fn predicted_deaths_are_told_by_domain_and_killer() {
    let stalled =
        NextDeath { when: None, stalled: Some(StallReason::Throttled), ..death("/stalls", &[]) };
    let (first, second) = (death("/web", &[208]), death("global", &[500, 600]));
    let deaths = Deaths { next: Some(first.clone()), list: vec![first, second, stalled] };
    let form = MetricsFormat::OpenMetrics;
    let text = told_with(&deaths, &policy::LINUX, &scene(usual()), form);
    let all = read(&text, form).expect("OpenMetrics");
    let times = all.of("doomtop_predicted_death_seconds");
    assert_eq!(times.len(), 6, "of a stalled domain there is none");
    let of = |domain: &str, bound: &str| {
        let is_it = |it: &&(&Labels, f64)| it.0["domain"] == domain && it.0["bound"] == bound;
        times.iter().find(is_it).expect("a time").1
    };
    assert_eq!((of("/web", "low"), of("/web", "middle"), of("global", "high")), (3.0, 4.0, 5.0));
    let infos = all.of("doomtop_predicted_death_info");
    assert_eq!(infos.len(), 2);
    let who: Vec<_> =
        infos.iter().map(|it| (&*it.0["domain"], &*it.0["pid"], &*it.0["headline"])).collect();
    let mut who = who;
    who.sort_unstable();
    assert_eq!(who, [("/web", "208", "true"), ("global", "", "false")]);
    assert!(infos.iter().all(|it| it.0["by"] == "kernel"));
    assert_eq!(all.with("doomtop_domain_stalled", "domain", "/stalls"), Some(1.0));
    assert!(told(&scene(usual())).of("doomtop_predicted_death_seconds").is_empty());
}

#[test]
fn too_close_to_call_is_a_flag() {
    let mut sample = usual();
    sample.processes.push(process(700, "twin", 384_500));
    let first = Arc::new(sample.clone());
    // Chrome has 390,000 points; in one more refresh like this the twin has more.
    *sample.processes.last_mut().expect("a twin") = process(700, "twin", 389_500);
    sample.clock.monotonic_ms = Millis(3000);
    let mut scene = Scene::new(first, None);
    scene.advance(Arc::new(sample));
    let ranking = Ranking::new(&policy::LINUX, &scene);
    let all = told(&scene);
    assert!(ranking.too_close());
    assert_eq!(all.one("doomtop_too_close"), 1.0);
    assert_eq!(all.one("doomtop_candidates"), ranking.candidates().len() as f64);
}

#[test]
fn what_overrules_the_ranking_is_a_flag() {
    let mut sample = usual();
    sample.sysctls.panic_on_oom = Reading::Value(PanicOnOom::Always);
    let all = told(&scene(sample));
    let on: Vec<_> =
        all.of("doomtop_overruled").into_iter().filter(|(_, value)| *value > 0.0).collect();
    assert_eq!(on.len(), 1);
    assert_eq!(on[0].0["by"], "panic_on_oom");

    // Every word has a series: whoever adds one must add it there and here.
    let who = ProcId { pid: 1, born: Ticks(1) };
    let known = [
        Override::Panic,
        Override::Waits,
        Override::NoKiller,
        Override::AllocatingTask,
        Override::Confined,
        Override::Dying(who),
        Override::Swapoff(Some(who)),
        Override::NoLimit,
        Override::BpfPolicy,
    ];
    for off in known {
        match off {
            Override::Panic
            | Override::Waits
            | Override::NoKiller
            | Override::AllocatingTask
            | Override::Confined
            | Override::Dying(_)
            | Override::Swapoff(_)
            | Override::NoLimit
            | Override::BpfPolicy => {}
        }
        assert!(all.with("doomtop_overruled", "by", off.word()).is_some(), "{}", off.word());
    }
    assert_eq!(all.of("doomtop_overruled").len(), known.len());
}

#[test]
fn points_that_are_no_pages_are_not_called_pages() {
    let scene = scene(with_scores(usual()));
    let text = told_by(&policy::EARLYOOM, &scene, MetricsFormat::OpenMetrics);
    let all = read(&text, MetricsFormat::OpenMetrics).expect("a text");
    assert!(all.of("doomtop_victim_badness_pages").is_empty());
    assert!(all.of("doomtop_margin_pages").is_empty());
    assert!(all.one("doomtop_victim_points") > 0.0 && all.one("doomtop_margin_points") >= 0.0);
    assert_eq!(all.of("doomtop_ranking_info")[0].0["policy"], "earlyoom");
    // A rule that is not of those asked anyway is asked too.
    let text = told_by(policy::by_id("rss").expect("a rule"), &scene, MetricsFormat::OpenMetrics);
    let all = read(&text, MetricsFormat::OpenMetrics).expect("a text");
    assert!(all.with("doomtop_policy_armed", "policy", "rss").is_some());
}

#[test]
fn the_nearest_walls_are_told_and_no_more_whatever_the_machine() {
    let groups = |count: u64| {
        (1..=count).map(|nth| limited(&format!("/pod-{nth:05}"), 1 << 30, nth << 14)).collect()
    };
    let mut now = with_groups(usual(), groups(4000));
    now.processes.extend((1000..9000).map(|pid| process(pid, "crowd", 10)));
    // One is predicted to be hit before all others.
    let deaths = Deaths { next: None, list: vec![predicted("/pod-00002", Millis(2000))] };
    let form = MetricsFormat::OpenMetrics;
    let text = told_with(&deaths, &policy::LINUX, &scene(now), form);
    let all = read(&text, form).expect("OpenMetrics");
    assert_eq!(all.one("doomtop_limited_cgroups"), 4000.0);
    assert_eq!(all.of("doomtop_domain_headroom_bytes").len(), NEAREST);
    assert_eq!(all.of("doomtop_domain_limit_bytes").len(), NEAREST);
    assert!(all.with("doomtop_domain_headroom_bytes", "domain", "global").is_some());
    // Then those with the least left.
    let last = all.with("doomtop_domain_headroom_bytes", "domain", "/pod-04000").expect("full");
    assert_eq!(last, ((1_u64 << 30) - (4000 << 14)) as f64);
    let soon = all.of("doomtop_domain_wall_seconds");
    assert_eq!(soon.len(), 1);
    assert_eq!(soon[0].0["domain"], "/pod-00002");
    assert_eq!(soon[0].1, 2.0);
    assert!(all.series.len() <= 140, "{}", all.series.len());
}

#[test]
fn a_domain_twice_in_a_recording_is_told_once() {
    let twice = vec![limited("/a", 1000, 10), limited("/a", 2000, 20), limited("global", 9, 1)];
    let all = told(&scene(with_groups(usual(), twice)));
    assert_eq!(all.of("doomtop_domain_limit_bytes").len(), 2);
}

#[test]
fn the_domain_that_is_sysrq_is_the_one_that_is_ranked() {
    let mut sample = with_groups(usual(), vec![limited("/pod", 1 << 30, 1 << 20)]);
    for row in &mut sample.processes {
        let inside = row.id.pid == 500;
        let path: &[u8] = if inside { b"/pod" } else { b"/" };
        row.cgroup = Reading::Value(Arc::new(Text::new(path)));
    }
    let scope = Scope::parse("/pod").expect("a scope");
    let scene = Scene::scoped(Arc::new(sample), None, scope);
    let all = told(&scene);
    assert_eq!(all.victim()["pid"], "500");
    assert_eq!(all.of("doomtop_ranking_info")[0].0["domain"], "/pod");
}

proptest! {
    /// No name of a process, a cgroup or a user makes a line, a label or a series of its own.
    #[test]
    fn no_name_breaks_the_text(
        comm in prop_oneof![prop::collection::vec(any::<u8>(), 0..31), "[\"\\\\{},=\n\r #]{0,15}".prop_map(String::into_bytes)],
        path in prop_oneof![prop::collection::vec(any::<u8>(), 0..60), "[\"\\\\{},=\n/.service#]{0,40}".prop_map(String::into_bytes)],
        user in prop_oneof![prop::collection::vec(any::<u8>(), 0..20), ".{0,20}".prop_map(String::into_bytes)],
    ) {
        let mut path = path;
        path.insert(0, b'/');
        let mut sample = usual();
        sample.users = Arc::new([(1000, Text::new(&user))].into());
        let chrome = sample.processes.iter_mut().find(|it| it.id.pid == 500).expect("chrome");
        chrome.comm = Comm::new(&comm);
        let group = Arc::new(Text::new(&path));
        chrome.cgroup = Reading::Value(Arc::clone(&group));
        let wall = Cgroup { path: Arc::clone(&group), ..limited("/", 1 << 40, 0) };
        let all = told(&scene(with_groups(sample, vec![wall])));
        let victim = all.victim();
        prop_assert_eq!(&victim["comm"], &Comm::new(&comm).to_string());
        prop_assert_eq!(&victim["cgroup"], group.as_str());
        let user = Text::new(&user);
        prop_assert_eq!(&victim["user"], user.as_str());
        let domain = all.with("doomtop_domain_limit_bytes", "domain", group.as_str());
        prop_assert_eq!(domain, Some((1_u64 << 40) as f64));
        let plain = told(&scene(with_groups(usual(), vec![limited("/x", 1 << 40, 0)])));
        prop_assert_eq!(all.series.len(), plain.series.len());
    }
}

/// Every name of a series that there can be.
fn names() -> BTreeSet<String> {
    let all = told(&scene(usual()));
    let with_suffix = |(name, kind): (&String, &String)| match kind.as_str() {
        "counter" => format!("{name}_total"),
        "info" => format!("{name}_info"),
        _ => name.clone(),
    };
    all.types.iter().map(with_suffix).collect()
}

#[test]
fn the_assets_and_the_documents_name_metrics_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let names = names();
    for (file, least) in [
        ("assets/metrics/alerts.yml", 10),
        ("assets/metrics/dashboard.json", 10),
        ("assets/docs/metrics.md", 20),
        ("src/report/metrics/mod.rs", 2),
    ] {
        let text = fs::read_to_string(root.join(file)).expect(file);
        let named: BTreeSet<&str> = text
            .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .filter(|word| word.starts_with("doomtop_") && *word != "doomtop_")
            .collect();
        assert!(named.len() >= least, "{file}: {named:?}");
        for name in named {
            assert!(names.contains(name), "{file}: there is no {name}");
        }
    }
}

#[test]
fn the_dashboard_is_json_and_each_panel_asks_something() {
    let text = include_str!("../../assets/metrics/dashboard.json");
    let board: serde_json::Value = serde_json::from_str(text).expect("JSON");
    let panels = board["panels"].as_array().expect("panels");
    let mut ids = BTreeSet::new();
    for panel in panels {
        assert!(ids.insert(panel["id"].as_u64().expect("an id")), "an id once");
        for target in panel["targets"].as_array().expect("targets") {
            let expr = target["expr"].as_str().expect("an expression");
            assert!(expr.contains("doomtop_") && expr.contains("$instance"), "{expr}");
        }
    }
    assert!(panels.len() > 8);
}

fn doomtop(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doomtop"));
    command.args(arguments).stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    doomtop(arguments).output().expect("doomtop runs")
}

fn complaint(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn standard_output_gets_one_look_or_as_many_as_are_asked_for() {
    let output = run(&["metrics"]);
    assert!(output.status.success(), "{}", complaint(&output));
    let text = String::from_utf8(output.stdout).expect("text");
    let all = read(&text, MetricsFormat::OpenMetrics).expect("OpenMetrics");
    assert!(all.one("doomtop_processes") > 0.0 && all.one("doomtop_look_duration_seconds") > 0.0);
    let text = run(&["metrics", "-n", "2", "-d", "0.1"]).stdout;
    assert_eq!(String::from_utf8(text).expect("text").matches("# EOF\n").count(), 2);
    let older = run(&["metrics", "--format", "prometheus"]).stdout;
    read(&String::from_utf8(older).expect("text"), MetricsFormat::Prometheus)
        .expect("the older text");
}

#[test]
fn a_recording_is_told_too() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/db-03.jsonl");
    let output = run(&["--from", file, "metrics", "-n", "1000"]);
    assert!(output.status.success(), "{}", complaint(&output));
    let text = String::from_utf8(output.stdout).expect("text");
    let samples = fs::read_to_string(file).expect("a recording").lines().count();
    assert_eq!(text.matches("# EOF\n").count(), samples, "it ends where the recording does");
    let last = text.split_inclusive("# EOF\n").last().expect("a look");
    assert_eq!(
        read(last, MetricsFormat::OpenMetrics)
            .expect("OpenMetrics")
            .of("doomtop_victim_info")
            .len(),
        1
    );
}

#[test]
fn a_file_is_replaced_as_a_whole_and_never_one_of_the_user_s() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("doomtop.prom");
    let name = place.to_str().expect("a path");
    fs::write(&place, "# HELP doomtop_old x\n").expect("an old one");
    let output = run(&["metrics", "--file", name, "-n", "2", "-d", "0.1"]);
    assert!(output.status.success() && output.stdout.is_empty(), "{}", complaint(&output));
    let text = fs::read_to_string(&place).expect("a file");
    let all = read(&text, MetricsFormat::Prometheus).expect("what the collector reads");
    assert!(all.one("doomtop_processes") > 0.0);
    assert_eq!(
        fs::read_dir(folder.path()).expect("a folder").count(),
        1,
        "nothing is left beside it"
    );

    let refused = |name: &str, word: &str| {
        let output = run(&["metrics", "--file", name, "-n", "1"]);
        assert_eq!(output.status.code(), Some(1), "{name}");
        assert!(complaint(&output).contains(word), "{word:?} in {}", complaint(&output));
    };
    let other = folder.path().join("notes.prom");
    fs::write(&other, "mine").expect("a file");
    refused(other.to_str().expect("a path"), "does not hold metrics");
    assert_eq!(fs::read_to_string(&other).expect("a file"), "mine");
    let link = folder.path().join("link.prom");
    std::os::unix::fs::symlink(&other, &link).expect("a link");
    refused(link.to_str().expect("a path"), "not a regular file");
    refused("/dev/null", "not a regular file");
    refused(folder.path().to_str().expect("a path"), "not a regular file");
    refused("/nowhere/at/all.prom", "No such file");
    refused("/", "not the name of a file");
}

/// doomtop at a port of the loopback that was free; ended at the end, if it has not ended.
struct Server {
    child: Child,
    address: SocketAddr,
    told: BufReader<std::process::ChildStderr>,
}

impl Server {
    fn start(more: &[&str]) -> Self {
        let mut command = doomtop(&["metrics", "--listen", "127.0.0.1:0"]);
        let mut child = command.args(more).stderr(Stdio::piped()).spawn().expect("doomtop runs");
        let mut told = BufReader::new(child.stderr.take().expect("its errors"));
        let mut line = String::new();
        told.read_line(&mut line).expect("a line");
        let address = line.trim_end().strip_prefix("doomtop: http://");
        let address =
            address.and_then(|it| it.strip_suffix("/metrics")).and_then(|it| it.parse().ok());
        Self { child, address: address.unwrap_or_else(|| panic!("an address in {line:?}")), told }
    }

    /// What comes back for these bytes. On a busy machine they may come too late: then it is asked
    /// again.
    fn answer(&self, request: &[u8]) -> String {
        until("an answer", || {
            Some(self.ask(request)).filter(|answer| !answer.starts_with("HTTP/1.1 408 "))
        })
    }

    fn ask(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).expect("it listens");
        stream.set_read_timeout(Some(GIVE_UP)).expect("a limit");
        stream.write_all(request).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer, then the end");
        answer
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const GET: &str = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

#[test]
fn at_an_address_each_gets_the_text_that_it_takes_and_nothing_else() {
    let mut server = Server::start(&["-n", "3", "-d", "3600"]);
    let older = server.answer(GET.as_bytes());
    let (head, body) = older.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains("Content-Type: text/plain; version=0.0.4;"), "{head}");
    assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{head}");
    let first = read(body, MetricsFormat::Prometheus).expect("the older text");

    let accept = "Accept: application/openmetrics-text; version=1.0.0\r\nConnection";
    let open = server.answer(GET.replace("Connection", accept).as_bytes());
    let (head, body) = open.split_once("\r\n\r\n").expect("a head");
    assert!(head.contains("Content-Type: application/openmetrics-text; version=1.0.0;"), "{head}");
    let again = read(body, MetricsFormat::OpenMetrics).expect("OpenMetrics");
    let taken = "doomtop_look_timestamp_seconds";
    assert_eq!(first.one(taken), again.one(taken), "no second look so soon");

    for (request, status) in [
        (GET.replace("GET", "POST"), "405"),
        (GET.replace("/metrics", "/"), "404"),
        (GET.replace("localhost", "evil.example"), "421"),
        (GET.replace("HTTP/1.1", "HTTP/3"), "505"),
        ("\r\n\r\n".to_owned(), "400"),
        (GET.replace("\r\n\r\n", &format!("\r\nX: {}\r\n\r\n", "x".repeat(9000))), "431"),
    ] {
        let answer = server.answer(request.as_bytes());
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{status}: {answer}");
        assert!(!answer.contains("doomtop_"), "{status}");
    }
    // Two of three were answered; this is the last.
    assert!(server.answer(GET.as_bytes()).contains("doomtop_victim"));
    assert!(server.child.wait().expect("it ends").success());
    let mut rest = String::new();
    server.told.read_to_string(&mut rest).expect("its errors");
    assert_eq!(rest, "");
}

#[test]
fn whoever_is_slow_or_silent_keeps_nobody_waiting_for_long() {
    let server = Server::start(&[]);
    let mut slow = TcpStream::connect(server.address).expect("it listens");
    slow.write_all(b"GET /met").expect("sent");
    let connect = |_| TcpStream::connect(server.address).expect("it listens");
    let silent: Vec<TcpStream> = (0..200).map(connect).collect();
    // None of them says any more or goes away, more than are served at a time, and still others get an
    // answer, all at once.
    let answers: Vec<String> = thread::scope(|scope| {
        let ask = || scope.spawn(|| server.answer(GET.as_bytes()));
        let asked: Vec<_> = (0..8).map(|_| ask()).collect();
        asked.into_iter().map(|it| it.join().expect("an answer")).collect()
    });
    assert!(answers.iter().all(|it| it.starts_with("HTTP/1.1 200 OK")), "{answers:?}");
    for mut stream in [slow].into_iter().chain(silent) {
        let mut told = String::new();
        stream.read_to_string(&mut told).expect("an answer");
        assert!(told.starts_with("HTTP/1.1 408 "), "{told}");
    }
}

#[test]
fn a_signal_ends_it() {
    let mut server = Server::start(&[]);
    let pid = nix::unistd::Pid::from_raw(server.child.id().cast_signed());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).expect("our own child");
    assert!(server.child.wait().expect("it ends").success());
}

#[test]
fn only_the_loopback_is_listened_at() {
    for (address, word) in [
        ("0.0.0.0:9753", "must be a loopback address"),
        ("[::]:9753", "must be a loopback address"),
        ("192.0.2.1:9753", "must be a loopback address"),
        ("9753", "such as 127.0.0.1:9753"),
        ("localhost:9753", "such as 127.0.0.1:9753"),
    ] {
        let output = run(&["metrics", "--listen", address]);
        assert_eq!(output.status.code(), Some(2), "{address}");
        assert!(complaint(&output).contains(word), "{}", complaint(&output));
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let output = run(&["metrics", "--listen", &address]);
    assert_eq!(output.status.code(), Some(1));
    assert!(complaint(&output).contains("in use"), "{}", complaint(&output));
}

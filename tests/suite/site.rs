//! A site's own rules: what is wrong with a file is said with its place, what is right does what it
//! says, nothing hostile gets through, and the expressions mean what CEL's own engine says they mean.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use doomtop::app::{LoadedPolicy, Msg};
use doomtop::model::{Process, Reading, Scene, ScoreScale, Signal, Snapshot, Text, UserIds};
use doomtop::policy::site::{self, EvalBudget, FactSource, FactView, SitePolicy, SiteRule};
use doomtop::policy::{Policy, SparedReason, Verdict};
use doomtop::rank::{Placement, Ranking};
use doomtop::units::{Adj, Pages, Ticks};
use proptest::prelude::*;

use crate::fixtures::samples;
use crate::stage::{Player, kernel_thread, machine, process, usual};

fn compile(text: &str) -> Result<SiteRule, Vec<String>> {
    let users = BTreeMap::from([(1000, Text::new(b"alice")), (0, Text::new(b"root"))]);
    SiteRule::compile(text, Arc::new(users))
        .map_err(|faults| faults.iter().map(ToString::to_string).collect())
}

fn rule(text: &str) -> &'static SitePolicy {
    compile(text).unwrap_or_else(|faults| panic!("{faults:?}")).leak("rule.toml")
}

/// A rule with this score and nothing else.
fn scoring(score: &str) -> &'static SitePolicy {
    rule(&format!("name = 'x'\nscore = '''{score}'''"))
}

fn scene(snapshot: Snapshot) -> Scene {
    Scene::new(Arc::new(snapshot), None)
}

fn order(policy: &dyn Policy, scene: &Scene) -> Vec<i32> {
    let ranking = Ranking::new(policy, scene);
    ranking.rows()[..ranking.eligible()].iter().map(|row| row.id.pid).collect()
}

fn examples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/policies");
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn every_example_is_a_rule_by_the_name_of_its_file() {
    let files = examples();
    assert!(files.len() >= 4, "{files:?}");
    for file in files {
        let rule = compile(&fs::read_to_string(&file).unwrap());
        let rule = rule.unwrap_or_else(|faults| panic!("{}: {faults:?}", file.display()));
        assert_eq!(Some(rule.name()), file.file_stem().and_then(|tree_lines| tree_lines.to_str()));
    }
}

#[test]
fn the_examples_rank_the_fixture_machines_as_they_did() {
    for machine in ["db-03", "small"] {
        let mut frames = samples(&format!("{machine}.jsonl")).into_iter();
        let mut scene = Scene::new(frames.next().expect("a look"), None);
        for next in frames {
            scene.advance(next);
        }
        let mut text = String::new();
        for file in examples() {
            let policy = rule(&fs::read_to_string(&file).unwrap());
            let ranking = Ranking::new(policy, &scene);
            let _ = writeln!(text, "{}", policy.id());
            for (place, row) in ranking.rows().iter().enumerate() {
                let process = scene.find(row.id).expect("it is in the scene");
                let _ = match row.placement {
                    Placement::Scored(points) => writeln!(
                        text,
                        "{:4} {:7} {:>3} {:>14} {} {}",
                        place + 1,
                        row.id.pid,
                        row.class,
                        points.0,
                        policy.action(process).signal,
                        process.comm
                    ),
                    Placement::Spared(reason) => writeln!(
                        text,
                        "   - {:7} {:>18} {}",
                        row.id.pid,
                        reason.word(),
                        process.comm
                    ),
                };
            }
        }
        insta::assert_snapshot!(format!("site-{machine}"), text);
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_what_would_help() {
    let score = |expression: &str| format!("name = \"x\"\nscore = \"{expression}\"\n");
    let mut wrong = Vec::new();
    for (text, place, words) in [
        (score("p.rsss"), "2:10", "did you mean p.rss?"),
        (score("p.rss + q.rss"), "2:18", "unknown name q; facts begin with p., machine. or psi."),
        (score("rss"), "2:10", "did you mean p.rss?"),
        (score("p"), "2:10", "p is not a value"),
        (score("p.rss.x"), "2:10", "facts are written as p.name"),
        (score("p.name"), "2:10", "score must be a int or double, but this is a string"),
        (score("p.rss > 3"), "2:10", "score must be a int or double, but this is a bool"),
        (score("p.rss + 1.5"), "2:16", "convert one side with double(…)"),
        (score("p.rss + 'a'"), "2:18", "+ takes a number, but this is a string"),
        (score("p.rss ="), "2:16", "= is not an operator"),
        (score("p.rss & 3"), "2:16", "write && for and"),
        (score("p.rss 3"), "2:16", "expected an operator before 3"),
        (score("p.rss +"), "2:17", "expected a value at the end"),
        (score("(p.rss"), "2:10", "expected ), but found"),
        (score("p.name == 3 ? 1 : 2"), "2:17", "cannot compare a string with a int"),
        (score("p.adj == null ? 1 : 2"), "2:19", "has(p.swap) tests"),
        (score("true ? 1 : 2.0"), "2:21", "both sides of : must have the same type"),
        (score("1 ? 1 : 2"), "2:10", "before ? takes a bool, but this is a int"),
        (score("has(p.nope) ? 1 : 2"), "2:14", "there is no fact p.nope"),
        (score("has(3) ? 1 : 2"), "2:14", "has( ) takes a fact"),
        (score("siz(p.name)"), "2:10", "did you mean size?"),
        (score("p.name.startWith('a') ? 1 : 2"), "2:17", "did you mean startsWith?"),
        (score("p.name.matches('(') ? 1 : 2"), "2:25", "invalid regular expression"),
        (score("p.name.matches(p.name) ? 1 : 2"), "2:25", "takes a text in quotes"),
        (score("[1, 2].map(x, x)"), "2:17", "use exists or all"),
        (score("p.name in 'a' ? 1 : 2"), "2:20", "in needs a list"),
        (score("[1].exists(x, x.rss > 1) ? 1 : 2"), "2:24", "has no facts"),
        (score("victim.rss"), "2:10", "victim is available only in company"),
        (score("64K"), "2:10", "without a suffix"),
        (score("3u"), "2:10", "remove the u"),
        (score("99999999999999999999"), "2:10", "too large for 64 bits"),
        (score("9223372036854775808"), "2:10", "too large for 64 bits"),
        (score("'abc"), "2:10", "this text is not closed"),
        (score("p[0]"), "2:11", "indexing with [ ] is not supported"),
        (score("{}"), "2:10", "maps"),
        (score("p.?swap"), "2:11", "test has(p.name) first"),
        (score("\\u0040"), "2:10", "unexpected character @"),
        // A quote that TOML escapes moves what follows it by one.
        (score("\\\"a\\\" == p.name ? p.x : 1"), "2:28", "there is no fact p.x"),
        ("name = \"x\"\nscore = \"\"\"\np.rss\n + p.nope\n\"\"\"".to_owned(), "4:4", "p.nope"),
        ("name = \"x\"\nscore = '''p.rss + ö'''".to_owned(), "2:20", "unexpected character"),
        ("score = \"1\"".to_owned(), "1:1", "missing key name"),
        ("name = \"x\"".to_owned(), "1:1", "missing key score"),
        ("name = \"a b\"\nscore = \"1\"".to_owned(), "1:8", "must consist of letters"),
        ("name = \"x\"\nscore = 3".to_owned(), "2:9", "score must be a text"),
        ("name = \"x\"\nscore = \"1\"\nscor = \"2\"".to_owned(), "3:1", "did you mean score?"),
        ("name = \"x\"\nscore = \"1\"\nscore = \"2\"".to_owned(), "3:1", "invalid TOML"),
        ("name = \"x\nscore = 1".to_owned(), "1:10", "invalid TOML"),
        (
            "name = \"x\"\nscore = \"1\"\nunit = \"MiB\"".to_owned(),
            "3:8",
            "\"pages\" or \"points\"",
        ),
        ("name = \"x\"\nscore = \"1\"\nsignal = \"STOP\"".to_owned(), "3:10", "TERM or KILL"),
        (
            "name = \"x\"\nscore = \"1\"\nsignal = \"p.rss > 3 ? 'TERM' : 'KILL'\"".to_owned(),
            "3:11",
            "p.rss depends on the machine",
        ),
        (
            "name = \"x\"\nscore = \"1\"\nprotect = \"a\"".to_owned(),
            "3:11",
            "protect must be a list",
        ),
        ("name = \"x\"\nscore = \"1\"\nprotect = [{}]".to_owned(), "3:12", "with at least one key"),
        ("name = \"x\"\nscore = \"1\"\nprotect = [\"\"]".to_owned(), "3:12", "1 to 256 bytes"),
        (
            "name = \"x\"\nscore = \"1\"\nblame = [{ nam = \"a\" }]".to_owned(),
            "3:12",
            "did you mean name?",
        ),
        (
            "name = \"x\"\nscore = \"1\"\neligible = \"1\"".to_owned(),
            "3:13",
            "eligible must be a bool",
        ),
    ] {
        let faults = compile(&text).expect_err(&text);
        let first = &faults[0];
        if !first.starts_with(&format!("{place}: ")) || !first.contains(words) {
            wrong.push(format!("{text}\nat {place} {words:?}: {first}"));
        }
        assert!(faults.iter().all(|fault| !fault.contains('\n')), "{faults:?}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn everything_that_is_wrong_is_told_at_once_in_the_order_of_the_file() {
    let faults =
        compile("name = \"x\"\nscore = \"p.a\"\nlike = 3\neligible = \"p.b\"").unwrap_err();
    let places: Vec<&str> = faults.iter().map(|fault| fault.split(": ").next().unwrap()).collect();
    assert_eq!(places, ["2:10", "3:1", "4:13"]);
}

#[test]
fn lists_spare_prefer_and_blame() {
    let scene = scene(usual());
    let base = "name = 'x'\nscore = 'p.rss'\n";
    let ranked = |lists: &str| order(rule(&format!("{base}{lists}")), &scene);
    assert_eq!(ranked("")[..3], [600, 500, 400], "by size; 50 has adj -1000");
    assert_eq!(ranked("protect = ['java*']")[..2], [500, 400]);
    assert_eq!(ranked("prefer = ['chrome']")[..3], [500, 600, 400]);
    assert_eq!(ranked("prefer = ['chrome', 'Xorg']\nblame = ['doom*']")[..4], [300, 500, 400, 600]);
    assert_eq!(ranked("prefer = [{ user = 'root' }]")[0], 400, "by the user's name");
    assert_eq!(ranked("prefer = [{ user = '0', name = 'X*' }]")[0], 400, "or number");
    assert_eq!(ranked("prefer = [{ user = 'root', name = 'java' }]")[0], 600, "both must hold");
    assert_eq!(ranked("prefer = [{ unit = '*' }]")[0], 600, "what is not known is not meant");
    assert!(ranked("eligible = 'true'").contains(&50), "a rule may choose those with adj -1000");
    assert!(!ranked("eligible = 'true'").contains(&1), "but never the machine's init");
}

#[test]
fn cgroups_and_units_are_told_by_the_path() {
    let mut sample = usual();
    for process in &mut sample.processes {
        let path = match process.id.pid {
            500 => "/user.slice/user-1000.slice/session-3.scope",
            600 | 601 => "/system.slice/elastic.service",
            _ => "/init.scope",
        };
        process.cgroup = Reading::Value(Arc::new(Text::new(path.as_bytes())));
    }
    let scene = scene(sample);
    let base = "name = 'x'\nscore = 'p.rss'\n";
    let ranked = |lists: &str| order(rule(&format!("{base}{lists}")), &scene);
    assert_eq!(ranked("prefer = [{ unit = 'session-*.scope' }]")[0], 500);
    assert_eq!(ranked("prefer = [{ cgroup = '/user.slice' }]")[0], 500);
    assert_eq!(ranked("protect = [{ cgroup = '/system.slice' }]")[0], 500);
    let company = rule(&format!("{base}company = 'p.unit == victim.unit'"));
    let java = scene.now().processes.iter().find(|process| process.id.pid == 600).unwrap();
    let with: Vec<i32> = company.also_killed(java, &scene).iter().map(|one| one.id.pid).collect();
    assert_eq!(with, [601]);
}

#[test]
fn the_signal_is_fixed_or_chosen_by_the_process() {
    let base = "name = 'x'\nscore = '1'\n";
    let act = |signal: &str, nice: i8| {
        let mut one = process(7, "a", 1);
        one.nice = nice;
        rule(&format!("{base}{signal}")).action(&one).signal
    };
    assert_eq!(act("", 0), Signal::KILL);
    assert_eq!(act("signal = 'TERM'", 0), Signal::TERM);
    let by = "signal = \"p.nice > 0 ? 'SIGTERM' : 'KILL'\"";
    assert_eq!((act(by, 5), act(by, 0)), (Signal::TERM, Signal::KILL));
    assert_eq!(act("signal = 'p.user'", 0), Signal::KILL, "a name that is no signal");
}

#[test]
fn an_absent_fact_spares_and_says_so() {
    let mut sample = usual();
    for process in &mut sample.processes {
        if process.id.pid == 600 {
            process.swap = Reading::Denied;
        }
    }
    let scene = scene(sample);
    let java = scene.now().processes.iter().find(|process| process.id.pid == 600).unwrap();
    let fails = scoring("p.rss +\n p.swap");
    assert!(matches!(fails.judge(java, &scene), Verdict::Spared(SparedReason::Failed)));
    let trouble = fails.rule_error(java, &scene).unwrap();
    assert_eq!(trouble, "3:2: p.swap is absent; test has(p.swap) first");
    assert_eq!(order(fails, &scene)[0], 500);
    let asks = scoring("p.rss + (has(p.swap) ? p.swap : 0)");
    assert_eq!(order(asks, &scene)[0], 600);
    // What decides it anyway outweighs what is absent, in either order.
    for decided in ["p.swap > 3 || true", "true || p.swap > 3", "!(p.swap > 3 && false)"] {
        assert_eq!(order(scoring(&format!("{decided} ? p.rss : 0")), &scene)[0], 600, "{decided}");
    }
    for (score, why) in [
        ("1 / (p.rss - p.rss)", "division by zero"),
        ("1 % (p.rss - p.rss)", "division by zero"),
        ("p.rss * 9223372036854775807", "integer overflow"),
        ("-(-9223372036854775807 - 1 + p.rss - p.rss)", "integer overflow"),
        ("(-9223372036854775807 - 1) / (p.rss - p.rss - 1)", "integer overflow"),
        ("1.0 / 0.0", "out of range"),
        ("0.0 / 0.0", "out of range"),
        ("int(1e300)", "out of range"),
        ("9223372036854775807", "out of range"),
    ] {
        let trouble = scoring(score).rule_error(java, &scene).unwrap_or_default();
        assert!(trouble.contains(why), "{score}: {trouble:?}");
    }
}

#[test]
fn growth_and_pressure_are_known_when_they_are() {
    let scene = scene(usual());
    let java = scene.now().processes.iter().find(|process| process.id.pid == 600).unwrap();
    let points = |score: &str| match scoring(score).judge(java, &scene) {
        Verdict::Scored(badness) => badness.points.0,
        Verdict::Spared(reason) => panic!("{score}: {reason:?}"),
    };
    assert_eq!(points("has(p.growth) ? 1 : 2"), 2, "no look before");
    assert_eq!(points("has(psi.some_avg10) ? 1 : 2"), 2);
    assert_eq!(points("machine.total"), 1_000_000);
    assert_eq!(points("p.badness"), 200_000);
    assert_eq!(points("p.children"), 1);
    assert_eq!(points("p.user == 'alice' && p.uid == 1000 ? 1 : 2"), 1);
    assert_eq!(points("size(p.name) + math.greatest(1, 2, 3) - math.least(4, 5)"), 3);
    assert_eq!(points("int(double(p.rss) * 1.5)"), 300_000);
    assert_eq!(points("p.name.matches('^j.v\\\\w$') ? 1 : 2"), 1);
}

#[test]
fn every_fact_is_documented_and_has_the_type_that_it_claims() {
    let scene = scene(samples("db-03.jsonl").pop().map(|sample| (*sample).clone()).unwrap());
    let mut seen = 0;
    for fact in site::FACTS {
        assert!(!fact.about.is_empty() && fact.path == format!("{}.{}", fact.family, fact.name));
        for process in &scene.now().processes {
            let (budget, users) = (EvalBudget::among(1), BTreeMap::new());
            let view = FactView {
                process,
                victim: None,
                scene: Some(&scene),
                users: &users,
                budget: &budget,
            };
            let value = match fact.source {
                FactSource::Own(get) | FactSource::Scene(get) => get(process, &view),
                FactSource::Machine(get) => get(&scene),
            };
            match value {
                Some(value) => {
                    assert_eq!(value.kind(), fact.kind, "{}", fact.path);
                    seen += 1;
                }
                None => assert!(!fact.absent.is_empty(), "{} is absent, and says never", fact.path),
            }
        }
    }
    assert!(seen > 200);
}

/// Rules that want to stop a refresh.
fn hostile() -> Vec<(&'static str, String)> {
    let many = |piece: &str, count: usize, end: &str| piece.repeat(count) + end;
    let nested = |count: usize| {
        let mut inner = "p.rss > 0".to_owned();
        for nth in 0..count {
            inner = format!("[1,2,3,4,5,6,7,8,9,10].exists(x{nth}, {inner})");
        }
        format!("{inner} ? 1 : 2")
    };
    // Each list holds what was named by the one around it.
    let mut growing = "a0 > 0".to_owned();
    for nth in 0..12 {
        let element =
            if nth == 11 { "1".to_owned() } else { format!("a{} + a{}", nth + 1, nth + 1) };
        growing = format!("[{element}].exists(a{nth}, {growing})");
    }
    vec![
        ("brackets", many("(", 2000, "1") + &many(")", 2000, "")),
        ("few brackets", many("(", 40, "1") + &many(")", 40, "")),
        ("open brackets", many("(", 4000, "")),
        ("lists", many("[", 1500, "") + &many("]", 1500, "")),
        ("calls", many("size(", 800, "'a'") + &many(")", 800, "")),
        ("nots", many("!", 3000, "true") + " ? 1 : 2"),
        ("minuses", many("-", 3000, "1")),
        ("sums", many("1+", 2000, "1")),
        ("conditions", many("true?1:", 580, "1")),
        ("dots", "p".to_owned() + &many(".a", 2000, "")),
        ("method chains", "'a'".to_owned() + &many(".size()", 580, "")),
        ("or", many("p.rss<0||", 450, "true") + " ? 1 : 2"),
        ("exponential loops", nested(12)),
        ("loops", nested(2)),
        ("names that grow", format!("{growing} ? 1 : 2")),
        ("a giant text", format!("size('{}')", many("a", 60_000, ""))),
        ("a large text", format!("size('{}')", many("a", 4000, ""))),
        ("a large pattern", "p.name.matches('((a{1,90}){1,90}){1,90}') ? 1 : 2".to_owned()),
        ("a slow pattern", "p.cmdline.matches('(a|a|a|a|a|a?a?a?a?a?a?)*b') ? 1 : 2".to_owned()),
        (
            "many slow patterns",
            many("p.cmdline.matches('(x+x+)+y') || ", 16, "p.cmdline.matches('(a*)*b') ? 1 : 2"),
        ),
        (
            "deep patterns",
            format!("p.name.matches('{}{}') ? 1 : 2", many("(", 900, ""), many(")", 900, "")),
        ),
        (
            "long searches",
            format!(
                "[{}].exists(x, p.cmdline.contains(x)) ? 1 : 2",
                many("'aaaaaaaaab',", 250, "'b'")
            ),
        ),
        ("many children", many("p.children+", 30, "1")),
        ("division", "1 / 0".to_owned()),
        ("overflow", many("9223372036854775807 * ", 40, "2")),
        ("comments", many("//\n", 1300, "1")),
        ("quotes", many("'", 4000, "")),
        ("escapes", many("'\\", 1000, "")),
        ("nulls", "\u{0}\u{1}\u{7f}\u{202e}".to_owned()),
        ("emoji", many("😀", 1000, "")),
    ]
}

/// A machine of so many processes, some of them with long names, which slow rules are slow on. The
/// rest are kernel threads, that a debug build need not judge.
fn crowd(long: i32, of: i32) -> Scene {
    let processes = (0..of).map(|nth| {
        if nth >= long {
            return kernel_thread(100 + nth, "kworker");
        }
        let mut one = process(100 + nth, "aaaaaaaaaaaaaaa", 1000 + nth as u64);
        one.parent = 100;
        one.cmdline = Reading::Value(Arc::new(Text::new("a".repeat(4096).as_bytes())));
        let path = "/a".repeat(2000);
        one.cgroup = Reading::Value(Arc::new(Text::new(path.as_bytes())));
        one
    });
    scene(machine(1_000_000, ScoreScale::Signed, processes.collect()))
}

#[test]
fn nothing_hostile_stops_a_refresh() {
    let scene = crowd(20, 1000);
    let mut refused = 0;
    for (name, score) in hostile() {
        let text = format!("name = \"x\"\nscore = '''\n{score}'''");
        let text = if score.contains("''") {
            text.replace("'''", "\"\"\"").replace('\\', "\\\\")
        } else {
            text
        };
        match compile(&text) {
            Err(faults) => {
                refused += 1;
                assert!(faults[0].len() < 400, "{name}: {}", faults[0].len());
                assert!(!faults[0].contains(char::is_control), "{name}: {}", faults[0]);
            }
            Ok(rule) => {
                assert!(rule.steps() <= site::STEPS, "{name}");
                let ranking = Ranking::new(rule.leak("x"), &scene);
                assert_eq!(ranking.rows().len(), 1000, "{name}");
            }
        }
    }
    assert!(refused >= 15, "{refused}");
}

#[test]
fn a_rule_too_dear_for_so_many_spares_and_says_why() {
    let scene = crowd(20, 5000);
    let slow = scoring("p.cmdline.matches('(x+x+)+y(a|b|c|d)*') ? 1 : 2");
    let first = &scene.now().processes[0];
    assert!(slow.rule_error(first, &scene).is_some_and(|why| why.contains("too long")));
    assert!(order(slow, &scene).is_empty());
    // What protects is not lost by being too dear: then nobody is chosen at all.
    let lists: Vec<String> =
        (0..200).map(|nth| format!("{{ cgroup = '*a*a*a*b{nth}' }}")).collect();
    let dear = rule(&format!("name = 'x'\nscore = '1'\nprotect = [{}]", lists.join(", ")));
    assert!(order(dear, &scene).is_empty());
    let few = crowd(3, 3);
    assert!(!order(scoring("p.cmdline.contains('b') ? 1 : 2"), &few).is_empty());
}

#[test]
fn files_beyond_the_bounds_are_refused() {
    let large = format!("name = 'x'\nscore = '1'\n#{}", "x".repeat(site::LARGEST));
    assert!(compile(&large).unwrap_err()[0].contains("at most 65536 bytes"));
    let entries = vec!["'a'"; 300].join(",");
    let lists = format!("name = 'x'\nscore = '1'\nblame = [{entries}]");
    assert!(compile(&lists).unwrap_err()[0].contains("at most 200 entries"));
    let deep = format!("name = 'x'\nscore = '1'\nblame = {}", "[".repeat(20_000));
    assert!(compile(&deep).is_err());
    let tables = format!("name = 'x'\n{} = 1", vec!["a"; 20_000].join("."));
    assert!(compile(&tables).is_err());
}

/// Bits of expressions, to be put together in any order.
fn bits() -> impl Strategy<Value = String> {
    let bit = prop::sample::select(vec![
        "p.rss",
        "p.swap",
        "p.name",
        "p.adj",
        "p.growth",
        "machine.total",
        "psi.full_avg10",
        "p.",
        "has(",
        "size(",
        "int(",
        "double(",
        "math.greatest(",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ".exists(x, ",
        ".all(y, ",
        ".map(z, ",
        "x",
        "y",
        ".startsWith(",
        ".matches(",
        ".contains(",
        "'a'",
        "\"b\"",
        "r'\\d'",
        "b'x'",
        "'\\x4'",
        "'\\ud800'",
        "'''",
        "\"\"\"",
        "'",
        "\"",
        "\\",
        "1",
        "0",
        "-1",
        "2.5",
        "1e308",
        "1e999",
        "0x",
        "0xff",
        "9223372036854775808",
        ".5",
        "5.",
        "true",
        "false",
        "null",
        "in",
        "&&",
        "||",
        "!",
        "-",
        "+",
        "*",
        "/",
        "%",
        "==",
        "!=",
        "<",
        "<=",
        ">",
        ">=",
        "?",
        ":",
        "=",
        "&",
        "|",
        ".",
        "//",
        "\n",
        "é",
        "\u{0}",
        "\u{2028}",
        "@",
        "victim.rss",
        "p.cmdline",
        "p.children",
        "p.badness",
        "p.user",
    ]);
    (prop::collection::vec((bit, any::<bool>()), 0..40)).prop_map(|bits| {
        bits.iter()
            .fold(String::new(), |text, (bit, blank)| text + bit + if *blank { " " } else { "" })
    })
}

/// Whether TOML's quotes can hold it as it is.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out + "\""
}

/// Expressions of a type, nearly always sound.
fn typed(depth: u32) -> (BoxedStrategy<String>, BoxedStrategy<String>) {
    let pick =
        |of: &[&'static str]| prop::sample::select(of.to_vec()).prop_map(str::to_owned).boxed();
    let int = pick(&[
        "p.rss",
        "p.swap",
        "p.adj",
        "p.pid",
        "0",
        "1",
        "-7",
        "3000",
        "9223372036854775807",
        "(-9223372036854775808)",
        "size('aé')",
        "size(p.name)",
    ]);
    let truth = pick(&[
        "true",
        "false",
        "has(p.swap)",
        "has(p.rss)",
        "p.name == 'java'",
        "p.name in ['a', 'java']",
        "p.name.startsWith('ja')",
        "p.name.endsWith(\"va\")",
        "p.name.contains('x')",
        "p.rss > 2.5",
        "[1, 2, 3].exists(x, x > p.pid)",
        "['a', 'j'].all(x, p.name.contains(x))",
        "p.name < 'k'",
        "[].exists(x, x)",
        "p.adj in [1, p.swap]",
    ]);
    if depth == 0 {
        return (int, truth);
    }
    let (below, wahr) = typed(depth - 1);
    let sign = prop::sample::select(vec!["+", "-", "*", "/", "%"]);
    let compare = prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]);
    let ints = prop_oneof![
        int,
        (below.clone(), sign, below.clone()).prop_map(|(a, sign, b)| format!("({a} {sign} {b})")),
        (wahr.clone(), below.clone(), below.clone())
            .prop_map(|(c, a, b)| format!("({c} ? {a} : {b})")),
        below.clone().prop_map(|a| format!("-({a})")),
        below.clone().prop_map(|a| format!("int(double({a}) / 4.0)")),
    ];
    let truths = prop_oneof![
        truth,
        (below.clone(), compare, below.clone()).prop_map(|(a, sign, b)| format!("{a} {sign} {b}")),
        (wahr.clone(), wahr.clone()).prop_map(|(a, b)| format!("({a} || {b})")),
        (wahr.clone(), wahr.clone()).prop_map(|(a, b)| format!("({a} && {b})")),
        wahr.clone().prop_map(|a| format!("!({a})")),
        (wahr, below).prop_map(|(a, b)| format!("[{b}, 5].exists(n, n > 2 && ({a}))")),
    ];
    (ints.boxed(), truths.boxed())
}

/// The same process for CEL's own engine.
fn reference(expression: &str, process: &Process) -> Option<Result<i64, String>> {
    let mut facts: std::collections::HashMap<String, cel::Value> = std::collections::HashMap::new();
    let int = |number: u64| cel::Value::Int(number as i64);
    facts.insert("rss".into(), int(process.rss_stat.0));
    facts.insert("pid".into(), cel::Value::Int(process.id.pid.into()));
    if let Reading::Value(swap) = process.swap {
        facts.insert("swap".into(), int(swap.0));
    }
    if let Reading::Value(adj) = process.adj {
        facts.insert("adj".into(), cel::Value::Int(adj.0.into()));
    }
    let name: Arc<String> = Arc::new(process.comm.to_string());
    facts.insert("name".into(), cel::Value::String(name));
    let mut context = cel::Context::default();
    context.add_variable("p", cel::Value::from(facts)).expect("a variable");
    let program = cel::Program::compile(expression).ok()?;
    match program.execute(&context) {
        Ok(cel::Value::Int(value)) => Some(Ok(value)),
        Ok(other) => Some(Err(format!("{other:?}"))),
        Err(error) => Some(Err(error.to_string())),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_loader_panic_and_every_rule_ranks_everybody(
        score in bits(), eligible in bits(), company in bits()
    ) {
        let scene = scene(usual());
        let keys = [("score", &score), ("eligible", &eligible), ("company", &company)];
        for (key, expression) in keys {
            let other = if key == "score" { "" } else { "score = '1'\n" };
            let text = format!("name = 'x'\n{other}{key} = {}", quoted(expression));
            if let Ok(rule) = compile(&text) {
                let policy = rule.leak("x");
                let ranking = Ranking::new(policy, &scene);
                let mut pids: Vec<i32> = ranking.rows().iter().map(|row| row.id.pid).collect();
                pids.sort_unstable();
                let all: Vec<i32> = scene.now().processes.iter().map(|one| one.id.pid).collect();
                prop_assert_eq!(pids, all);
                for process in &scene.now().processes {
                    policy.also_killed(process, &scene);
                    policy.action(process);
                }
            }
        }
    }

    #[test]
    fn no_file_makes_the_loader_panic(text in "(name|score|blame|=|\\[|\\]|\\{|\\}|'|\"|\"\"\"|\\\\|\\\\u|\n|#|p\\.rss|\\PC| |\\.|1|,){0,40}") {
        if let Err(faults) = compile(&text) {
            prop_assert!(!faults.is_empty());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_expression_is_worth_what_cels_own_engine_says(
        score in typed(3).0, rss in 0_u64..5000, adj in -1000_i16..=1000, swap in any::<Option<u16>>()
    ) {
        let mut one = process(77, "java", rss);
        one.adj = Reading::Value(Adj(adj));
        one.swap = swap.map_or(Reading::Denied, |swap| Reading::Value(Pages(swap.into())));
        let scene = scene(machine(1_000_000, ScoreScale::Signed, vec![one.clone()]));
        let text = format!("name = 'x'\neligible = 'true'\nscore = {}", quoted(&score));
        // What is too long or too deep for doomtop says nothing.
        let (Ok(rule), Some(theirs)) = (compile(&text), reference(&score, &one)) else { return Ok(()) };
        let policy = rule.leak("x");
        match (policy.judge(&one, &scene), theirs) {
            (Verdict::Scored(ours), Ok(theirs)) => prop_assert_eq!(ours.points.0, theirs, "{}", score),
            (Verdict::Spared(_), Err(_)) => {}
            // Points have less room than CEL's numbers.
            (Verdict::Spared(_), Ok(theirs)) => {
                let why = policy.rule_error(&one, &scene).unwrap_or_default();
                prop_assert!(why.contains("out of range") && theirs.unsigned_abs() > 1 << 60, "{score}: {why}, {theirs}");
            }
            (Verdict::Scored(ours), Err(theirs)) => {
                prop_assert!(false, "{}: {} but {}", score, ours.points.0, theirs);
            }
        }
    }
}

#[test]
fn a_new_version_takes_over_and_the_key_finds_it_again() {
    let first = rule("name = 'one'\nscore = 'p.rss'");
    let mut player =
        Player::with(doomtop::app::Setup { policy: first, ..crate::stage::setup() }, usual());
    let victim = |player: &Player| player.app.ranking.victim().map(|row| row.id.pid);
    assert_eq!(victim(&player), Some(600));
    let second = rule("name = 'two'\nscore = 'p.rss'\nprotect = ['java']");
    player.app.update(Msg::Rule(LoadedPolicy(second)));
    assert_eq!(victim(&player), Some(500));
    assert!(player.notice().contains("site:two was read again"), "{}", player.notice());
    // Another one is chosen, and this one found again in the list.
    player.play("vlinux-5.9<Enter>");
    assert_eq!(player.app.setup.policy.id(), "linux-5.9");
    player.play("vsite:<Enter>");
    assert_eq!(player.app.setup.policy.id(), "site:two");
    assert_eq!(victim(&player), Some(500));
    // While another one is chosen it is only noted.
    player.play("vlinux-5.9<Enter>");
    player.app.update(Msg::Rule(LoadedPolicy(first)));
    assert_eq!(player.app.setup.policy.id(), "linux-5.9");
    assert!(player.notice().contains("v ranks by it"));
}

#[test]
fn a_rule_that_fails_says_so_once() {
    let mut sample = usual();
    for process in &mut sample.processes {
        if process.id.pid >= 600 {
            process.swap = Reading::Denied;
        }
    }
    let policy = scoring("p.rss + p.swap");
    let setup = doomtop::app::Setup { policy, ..crate::stage::setup() };
    let mut player = Player::with(setup, sample.clone());
    let said = player.notice();
    assert!(said.starts_with("rule.toml:2:20: p.swap is absent"), "{said}");
    assert!(said.contains("2 processes, for example 600 java"), "{said}");
    player.wait(60_000);
    player.sample(sample);
    assert_eq!(player.app.notice, None, "it was said");
}

#[test]
fn kernel_threads_and_the_dead_are_beyond_any_rule() {
    let mut gone = process(9, "gone", 5);
    gone.has_mm = false;
    gone.ids = Reading::Value(UserIds { uid: 0, euid: 0 });
    gone.id.born = Ticks(3);
    let scene = scene(machine(1000, ScoreScale::Signed, vec![kernel_thread(2, "kthreadd"), gone]));
    let all = rule("name = 'x'\nscore = '1'\neligible = 'true'\nblame = ['*']");
    assert!(order(all, &scene).is_empty());
}

//! The verdict of a load test: expectations, text, JSON and JUnit, also of hostile names.

use std::sync::Arc;
use std::time::Duration;

use doomtop::forecast::next_death::TimeSpan;
use doomtop::forecast::steady_growth::{GrowthTrend, SteadyGrowth};
use doomtop::intent::CgroupLimits;
use doomtop::model::{Comm, EventTime, ForecastResult, Killer, OomEvent, ProcId, Text, Victim};
use doomtop::report::load_test::expectation::Expectation;
use doomtop::report::load_test::summary::{
    CounterOwner, GrowingProcess, LoadKill, LoadPeak, LoadPressure, LoadReclaim, LoadSummary,
};
use doomtop::report::load_test::verdict::{
    CommandEnd, LeftProcess, LoadVerdict, MeasuredBy, TestEnd,
};
use doomtop::report::load_test::{junit, verdict_lines, verdict_object};
use doomtop::units::{Bytes, Millis, Ticks};
use proptest::prelude::*;
use serde_json::json;

const MIB: u64 = 1 << 20;

fn text(text: &str) -> Text {
    Text::new(text.as_bytes())
}

fn summary() -> LoadSummary {
    let steady =
        SteadyGrowth { low: 15_000.0, best: 17_476.0, high: 20_000.0, over: Millis(40_000) };
    LoadSummary {
        scope: Arc::new(text("/doomtop-run-7")),
        unix_ms: (1_700_000_000_000, 1_700_000_060_000),
        over: Millis(60_000),
        samples: 120,
        limit: Some(Bytes(512 * MIB)),
        peak: Some(LoadPeak {
            bytes: Bytes(400 * MIB),
            unix_ms: 1_700_000_030_000,
            after: Millis(30_000),
        }),
        needed: Some(Bytes(388 * MIB)),
        needed_is_least: false,
        near_limit: Some(Millis(1_500)),
        pressure: LoadPressure {
            of: CounterOwner::Cgroup,
            some: Some(Duration::from_millis(1250)),
            full: Some(Duration::from_millis(400)),
        },
        reclaim: LoadReclaim { refaults: Some(12), limit_hits: Some(3), ..LoadReclaim::default() },
        swap_peak: Some(Bytes(0)),
        growth: GrowthTrend::Steady(steady),
        growing: vec![GrowingProcess {
            id: ProcId { pid: 4711, born: Ticks(9) },
            comm: Comm::new(b"java"),
            bytes: Bytes(300 * MIB),
            growth: GrowthTrend::Steady(SteadyGrowth { best: 16_000.0, ..steady }),
        }],
        lasts: Some(TimeSpan {
            low: Millis(2_000_000),
            middle: Millis(2_460_000),
            high: Millis(3_000_000),
        }),
        kills: Vec::new(),
        kills_known: true,
    }
}

fn verdict(summary: LoadSummary) -> LoadVerdict {
    LoadVerdict {
        command: vec![text("server"), text("--threads=4")],
        end: CommandEnd::Exited(0),
        ended_by: TestEnd::Command,
        ran_for: Millis(60_200),
        limits: CgroupLimits { memory: Some(Bytes(512 * MIB)), ..CgroupLimits::default() },
        not_enforced: None,
        limit_optional: false,
        measured: MeasuredBy::Cgroup,
        summary: Some(summary),
        answers: Vec::new(),
        left_running: Vec::new(),
        left_cgroup: None,
        leaves: false,
        recording: Some(text("x.tape")),
        output: None,
    }
}

fn kill(comm: &[u8], forecast: ForecastResult) -> LoadKill {
    let victim = Victim { pid: Some(4711), comm: Comm::new(comm), ..Victim::default() };
    let event = OomEvent {
        victim: Some(victim),
        forecast,
        ..OomEvent::new(Killer::Memcg, 1_700_000_050_000, EventTime::Live)
    };
    LoadKill { event, after: Millis(50_000), why: "it reached its limit".to_owned() }
}

/// Whether it is met; nothing where it cannot be answered.
fn met(text: &str, verdict: &LoadVerdict) -> Option<bool> {
    Expectation::parse(text).unwrap_or_else(|why| panic!("{text}: {why}")).answer(verdict).met
}

#[test]
fn each_quantity_is_compared_with_its_unit() {
    let verdict = verdict(summary());
    for (holds, fails) in [
        ("peak<=400M", "peak<400M"),
        ("needed < 0.4G", "needed<300MiB"),
        ("near-limit<2s", "near-limit<1500ms"),
        ("psi-some<1.3", "psi-some<1s"),
        ("psi-full=0.4s", "psi-full>1m"),
        ("limit-hits=3", "limit-hits=0"),
        ("refaults<=12", "refaults<12"),
        ("swap=0", "swap>0"),
        ("growth<1.1M/min", "growth<16K/s"),
        ("lasts>40m", "lasts>1h"),
        ("kills=0", "kills>=1"),
        ("time>1m", "time<1m"),
    ] {
        assert_eq!(met(holds, &verdict), Some(true), "{holds}");
        assert_eq!(met(fails, &verdict), Some(false), "{fails}");
    }
}

#[test]
fn where_a_process_was_killed_more_may_have_been_needed() {
    let mut verdict = verdict(summary());
    let summary = verdict.summary.as_mut().expect("a summary");
    (summary.needed, summary.needed_is_least) = (Some(Bytes(90 << 20)), true);
    for (text, said) in [
        ("needed>80M", Some(true)),
        ("needed>=90M", Some(true)),
        ("needed>100M", None),
        ("needed<50M", Some(false)),
        ("needed<90M", Some(false)),
        ("needed<400M", None),
        ("needed=90M", None),
        ("needed=80M", Some(false)),
    ] {
        assert_eq!(met(text, &verdict), said, "{text}");
    }
    let answer = Expectation::parse("needed<400M").expect("good").answer(&verdict);
    assert_eq!(answer.shown, "90M or more");
}

#[test]
fn an_expectation_is_told_as_it_was_written_and_a_near_value_exactly() {
    let mut verdict = verdict(summary());
    verdict.summary.as_mut().expect("a summary").needed = Some(Bytes((90 << 20) + 4096));
    for (text, told, shown) in [
        ("needed < 94371840", "needed<94371840", "90M, 94375936 bytes"),
        ("needed<90M", "needed<90M", "90M, 94375936 bytes"),
        ("needed<0.5G", "needed<0.5G", "90M"),
        ("growth<1023.9K/min", "growth<1023.9K/min", "1024K/min, 1048560 bytes/min"),
    ] {
        let answer = Expectation::parse(text).expect("good").answer(&verdict);
        assert_eq!((answer.expectation.as_str(), answer.shown.as_str()), (told, shown));
    }
}

#[test]
fn a_bad_expectation_is_one_line_that_says_what_would_be_good() {
    for (bad, said) in [
        ("", "expected one of peak, needed, near-limit"),
        ("speed<4", "as in peak<400M"),
        ("peak", "peak is compared with <, <=, >, >= or =, as in peak<VALUE"),
        ("peak!=4M", "peak is compared with <, <=, >, >= or ="),
        ("peak==4M", "peak is compared with <, <=, >, >= or ="),
        ("peak=<4M", "peak is compared with <, <=, >, >= or ="),
        ("peak>=4X", "expected peak>=VALUE, where VALUE is a size"),
        ("peak<", "a size such as 400M"),
        ("peak<-1", "a size such as 400M"),
        ("peak<NaN", "a size such as 400M"),
        ("peak<1e400", "a size such as 400M"),
        ("peak!400M", "peak is compared with <, <=, >, >= or ="),
        ("psi-full<1M", "a time such as 1s"),
        ("growth<1M", "1M/min"),
        ("growth<1M/year", "1M/min"),
        ("kills<0", "never below 0"),
        ("kills=none", "a number such as 0"),
    ] {
        let why = Expectation::parse(bad).expect_err(bad);
        assert!(why.contains(said) && !why.contains('\n'), "{bad}: {why}");
    }
}

#[test]
fn what_is_not_known_is_not_met_and_says_why() {
    let mut unknown = verdict(LoadSummary {
        limit: None,
        near_limit: None,
        pressure: LoadPressure::default(),
        growth: GrowthTrend::TooShort,
        growing: Vec::new(),
        lasts: None,
        needed: None,
        ..summary()
    });
    for (text, why) in [
        ("near-limit<1s", "there is no limit"),
        ("psi-full<1s", "not reported by this kernel"),
        ("growth<1M/min", "too short"),
        ("lasts>1h", "there is no limit"),
        ("needed<1G", "not reported by this kernel"),
    ] {
        let answer = Expectation::parse(text).expect("good").answer(&unknown);
        assert!(answer.met.is_none() && !answer.is_met(), "{text}");
        assert!(answer.shown.contains(why), "{text}: {}", answer.shown);
        unknown.answers.push(answer);
    }
    assert!(unknown.succeeded() && !unknown.is_as_expected());
    unknown.summary = None;
    assert_eq!(met("kills=0", &unknown), None, "no sample was taken");
    let mut killed = verdict(LoadSummary { kills_known: false, ..summary() });
    assert_eq!(met("kills=0", &killed), Some(true), "it was not killed");
    killed.end = CommandEnd::Signalled(9);
    assert_eq!(met("kills=0", &killed), None, "nothing counts by whom");
    assert!(verdict_object(&killed)["kills"].is_null());
    assert!(verdict_lines(&killed).iter().any(|it| it.starts_with("kills      not known")));
    killed.ended_by = TestEnd::KillAfter;
    assert_eq!(met("kills=0", &killed), Some(true), "doomtop killed it");
    assert_eq!(met("time<2m", &unknown), Some(true));
}

#[test]
fn without_growth_a_limit_lasts_for_ever() {
    let steady = verdict(LoadSummary {
        growth: GrowthTrend::NotSteady,
        growing: Vec::new(),
        lasts: None,
        ..summary()
    });
    assert_eq!(met("lasts>1000h", &steady), Some(true));
    assert_eq!(met("growth=0K/min", &steady), Some(true));
}

#[test]
fn the_text_says_what_a_person_asks_first() {
    let mut verdict = verdict(LoadSummary {
        kills: vec![kill(b"java", ForecastResult::Named { lead: Millis(8_400) })],
        needed_is_least: true,
        ..summary()
    });
    verdict.end = CommandEnd::Signalled(9);
    verdict.answers = vec![Expectation::parse("kills=0").expect("good").answer(&verdict)];
    verdict.left_running = vec![LeftProcess { pid: 9, comm: Comm::new(b"child") }];
    insta::assert_snapshot!(verdict_lines(&verdict).join("\n"));
}

#[test]
fn a_kill_that_any_user_could_have_written_is_told_as_such_in_every_form() {
    let mut kill = kill(b"java", ForecastResult::NotPredicted);
    let told = |kill: &LoadKill| {
        let verdict = verdict(LoadSummary { kills: vec![kill.clone()], ..summary() });
        let text = verdict_lines(&verdict).join("\n");
        [text, junit(&verdict)].map(|it| it.contains("unproven"))
    };
    assert_eq!(told(&kill), [false, false]);
    kill.event.unproven = true;
    assert_eq!(told(&kill), [true, true]);
}

#[test]
fn the_json_has_what_the_schema_says() {
    let among = ForecastResult::Among { candidates: 3, lead: Millis(2_000) };
    let mut verdict = verdict(LoadSummary { kills: vec![kill(b"java", among)], ..summary() });
    verdict.answers = vec![Expectation::parse("lasts>1h").expect("good").answer(&verdict)];
    verdict.left_running = vec![LeftProcess { pid: 9, comm: Comm::new(b"child") }];
    let object = verdict_object(&verdict);
    assert_eq!(object["exit_status"], json!(0));
    assert_eq!(
        (&object["peak_bytes"], &object["limit_enforced"]),
        (&json!(400 * MIB), &json!(true))
    );
    assert_eq!(object["kills"][0]["predicted_s"], json!(2.0));
    assert_eq!(
        (&object["kills"][0]["candidates"], &object["kills"][0]["by"]),
        (&json!(3), &json!("memcg"))
    );
    assert_eq!(object["pressure"]["full_s"], json!(0.4));
    let schema = include_str!("../../assets/docs/schema.md");
    let (_, part) = schema.split_once("doomtop-verdict/1").expect("it is described");
    let mut keys: Vec<String> = object.as_object().expect("an object").keys().cloned().collect();
    for inner in ["pressure", "reclaim", "growth", "lasts_s", "limits"] {
        keys.extend(object[inner].as_object().expect(inner).keys().cloned());
    }
    for inner in ["kills", "expectations", "left_running"] {
        keys.extend(object[inner][0].as_object().expect(inner).keys().cloned());
    }
    for key in keys {
        assert!(part.contains(&format!("`{key}`")), "{key} is described in assets/docs/schema.md");
    }
}

#[test]
fn numbers_that_json_does_not_have_are_null() {
    let mut verdict = verdict(LoadSummary {
        growth: GrowthTrend::NotSteady,
        lasts: None,
        growing: Vec::new(),
        ..summary()
    });
    verdict.answers = vec![Expectation::parse("lasts>1h").expect("good").answer(&verdict)];
    let object = verdict_object(&verdict);
    assert_eq!(
        (&object["expectations"][0]["met"], &object["expectations"][0]["value"]),
        (&json!(true), &json!(null))
    );
    assert_eq!(object["lasts_s"], json!(null));
}

/// The failures that a reader of JUnit finds, by the names of their cases.
fn failures(xml: &str) -> Vec<String> {
    let document = roxmltree::Document::parse(xml).unwrap_or_else(|why| panic!("{why}: {xml}"));
    let suite = document.descendants().find(|it| it.has_tag_name("testsuite")).expect("a suite");
    let cases: Vec<_> = suite.children().filter(|it| it.has_tag_name("testcase")).collect();
    assert_eq!(suite.attribute("tests"), Some(cases.len().to_string().as_str()));
    let failed = cases.iter().filter(|it| it.children().any(|it| it.has_tag_name("failure")));
    let failed: Vec<String> =
        failed.map(|it| it.attribute("name").expect("a name").to_owned()).collect();
    assert_eq!(suite.attribute("failures"), Some(failed.len().to_string().as_str()));
    failed
}

#[test]
fn junit_has_a_case_for_the_command_and_for_each_expectation() {
    let mut verdict = verdict(summary());
    let expectations = ["peak<500M", "kills=0", "psi-full<100ms"];
    verdict.answers =
        expectations.map(|it| Expectation::parse(it).expect("good").answer(&verdict)).to_vec();
    assert_eq!(failures(&junit(&verdict)), ["psi-full<100ms"]);
    assert_eq!(junit(&verdict).matches("pressure  ").count(), 1, "the verdict is told once");
    verdict.end = CommandEnd::Signalled(9);
    assert_eq!(failures(&junit(&verdict)), ["the command succeeds", "psi-full<100ms"]);
    verdict.ended_by = TestEnd::Until;
    assert_eq!(failures(&junit(&verdict)), ["psi-full<100ms"], "it was ended as asked");
    verdict.not_enforced = Some("its limit was raised while it ran".to_owned());
    let lost = "the limit is in force to the end";
    assert_eq!(failures(&junit(&verdict)), [lost, "psi-full<100ms"]);
    verdict.limit_optional = true;
    assert_eq!(failures(&junit(&verdict)), ["psi-full<100ms"], "it may be measured without one");
}

proptest! {
    #[test]
    fn no_name_breaks_the_reports(
        words in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..20), 1..4),
        comm in proptest::collection::vec(any::<u8>(), 0..20), why in any::<String>(),
    ) {
        let mut verdict = verdict(LoadSummary {
            scope: Arc::new(Text::new(&comm)),
            kills: vec![LoadKill { why: why.clone(), ..kill(&comm, ForecastResult::NotPredicted) }],
            ..summary()
        });
        verdict.command = words.iter().map(|it| Text::new(it)).collect();
        verdict.end = CommandEnd::Signalled(9);
        verdict.not_enforced = Some(why);
        verdict.limit_optional = true;
        prop_assert_eq!(failures(&junit(&verdict)), ["the command succeeds"]);
        prop_assert!(verdict_object(&verdict)["kills"][0]["comm"].is_string());
    }

    #[test]
    fn no_text_breaks_the_expectations(text in any::<String>(), near in "(peak|growth|psi-full)[<>=]{1,2}[0-9.eE+-]{0,12}[a-zA-Z/%]{0,6}") {
        let _ = Expectation::parse(&text);
        if let Ok(good) = Expectation::parse(&near) {
            let shown = good.to_string();
            prop_assert!(Expectation::parse(&shown).is_ok() || shown.contains("no end"), "{} of {}", shown, near);
            let _ = good.answer(&verdict(summary()));
        }
    }
}

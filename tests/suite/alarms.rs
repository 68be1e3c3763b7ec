//! Alarms and the pace: what rings, how often, what a command is told, and how soon the next look comes.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Arc;

use doomtop::alarm::{Alarm, AlarmInput, Alarms, FACTS, QUANTITIES, RaisedAlarm};
use doomtop::app::{App, Msg, Request};
use doomtop::forecast::next_death::{Candidate, DeathCertainty, Deaths, NextDeath};
use doomtop::model::{
    Cgroup, Cgroups, Comm, Hierarchy, Limit, PressureWatch, PsiLine, PsiTrigger, Reading, RunState,
    Scene, ScoreScale, Snapshot, Text, UsageReading,
};
use doomtop::rank::Ranking;
use doomtop::ui::Theme;
use doomtop::units::{Bytes, Kib, Millis, Pages};
use proptest::prelude::*;
use ratatui::style::Modifier;

use crate::fixtures::{app, paint, text};
use crate::stage::{Player, cast, machine, predicted, process, setup, usual};

const FULL: Theme = crate::fixtures::theme(true, true);

fn alarms(list: &[&str]) -> Alarms {
    let list = list.iter().map(|text| Alarm::parse(text).expect(text)).collect();
    Alarms::new(list, true, true)
}

/// The usual machine, with so much of the last 10 s spent waiting.
fn pressed(avg10: f32) -> Snapshot {
    let mut snapshot = usual();
    let stall = PsiLine { avg10, avg60: 0.0, avg300: 0.0, total_us: 0 };
    snapshot.pressure.some = Reading::Value(stall);
    snapshot
}

fn player(list: &[&str]) -> Player {
    let mut player = Player { app: App::new(setup()), now: 10_000, asked: Vec::new() };
    player.app.refresh.alarms = alarms(list);
    player
}

impl Player {
    /// Another look arrives, two seconds later; what was asked for comes back.
    fn hears(&mut self, snapshot: Snapshot) -> Vec<Request> {
        self.wait(2000);
        self.app.update(Msg::Sampled(Arc::new(snapshot)))
    }
}

/// The alarms that a command is run for.
fn rung(requests: &[Request]) -> Vec<&RaisedAlarm> {
    let mut found = Vec::new();
    for request in requests {
        if let Request::RunAlarm(rung) = request {
            found.push(&**rung);
        }
    }
    found
}

fn bells(requests: &[Request]) -> usize {
    requests.iter().filter(|request| **request == Request::Bell).count()
}

#[test]
fn every_row_is_understood_as_its_example_shows_it() {
    let mut names = BTreeSet::new();
    for row in QUANTITIES {
        assert!(names.insert(row.name), "{} stands there once", row.name);
        let alarm = Alarm::parse(row.example).expect(row.name);
        assert_eq!(alarm.to_string(), row.example);
        assert_eq!(alarm.what(), row.name);
    }
    for (typed, meant) in [
        ("psi-some > 20", "psi-some>20%"),
        ("available<1.5GiB", "available<1.50G"),
        ("available<512k", "available<512K"),
        ("available<7", "available<7%"),
        ("wall<5", "limit<5%"),
        ("limit-in<90", "limit-in<90s"),
        ("wall-in<2m", "limit-in<120s"),
        ("death<1m", "death<60s"),
        ("death < 0.5 min", "death<30s"),
        ("death<1h", "death<3600s"),
        ("wall-in<90", "limit-in<90s"),
        ("commit>140%", "commit>140%"),
        ("swap>0.5%", "swap>0.5%"),
    ] {
        assert_eq!(Alarm::parse(typed).expect(typed).to_string(), meant);
    }
    for (typed, why) in [
        ("", "an alarm watches one of psi-some, psi-full"),
        ("load>3", "an alarm watches one of"),
        ("psi-some", "psi-some wants the form psi-some>20%"),
        ("psi-some<20%", "psi-some>20%"),
        ("psi-some>", "psi-some>20%"),
        ("psi-some>x", "psi-some>20%"),
        ("psi-some>20M", "psi-some>20%"),
        ("psi-some>-1", "psi-some>20%"),
        ("psi-some>100%", "psi-some>20%"),
        ("available>5%", "available<500M"),
        ("available<0", "available<500M"),
        ("available<101%", "available<500M"),
        ("wall-in<1h", "limit-in<60s"),
        ("oom-kill>1", "oom-kill wants the form oom-kill"),
    ] {
        let found = Alarm::parse(typed).expect_err(typed);
        assert!(found.contains(why), "{typed}: {found}");
    }
}

#[test]
fn a_crossing_rings_once_and_again_only_after_the_value_was_back_by_a_tenth() {
    let mut player = player(&["psi-some>20%"]);
    let mut heard = String::new();
    for share in [0.0, 20.0, 20.5, 60.0, 19.0, 21.0, 18.5, 18.0, 20.0, 21.0, 0.0] {
        let asked = player.hears(pressed(share));
        assert_eq!(bells(&asked), rung(&asked).len());
        let stands = player.app.refresh.alarms.standing().count();
        let _ = write!(heard, "{share}:{}{} ", "!".repeat(bells(&asked)), "s".repeat(stands));
    }
    assert_eq!(heard.trim(), "0: 20: 20.5:!s 60:s 19:s 21:s 18.5:s 18: 20: 21:!s 0:");
}

#[test]
fn one_that_is_true_at_once_rings_at_the_first_look() {
    let mut player = player(&["available<100%", "commit>50%"]);
    let asked = player.hears(usual());
    assert_eq!(bells(&asked), 1, "one bell for all");
    assert_eq!(rung(&asked)[0].value, Some(("50".to_owned(), "%")));
    assert_eq!(
        player.app.refresh.alarms.unreadable().map(ToString::to_string).collect::<Vec<_>>(),
        ["commit>50%"],
        "nothing is known of promises on this machine"
    );
}

#[test]
fn a_size_and_its_way_back() {
    let of = |mib: u64| {
        let mut snapshot = usual();
        snapshot.memory.available_kib = Reading::Value(Kib(mib << 10));
        snapshot
    };
    let mut player = player(&["available<500M"]);
    assert_eq!(bells(&player.hears(of(501))), 0);
    let asked = player.hears(of(412));
    assert_eq!(rung(&asked)[0].value, Some(((412 << 10).to_string(), "KiB")));
    assert_eq!(player.app.refresh.alarms.standing().collect::<Vec<_>>(), ["available 412M < 500M"]);
    assert_eq!(bells(&player.hears(of(540))), 0);
    assert_eq!(player.app.refresh.alarms.standing().count(), 1, "not back yet");
    player.hears(of(550));
    assert_eq!(player.app.refresh.alarms.standing().count(), 0);
    assert_eq!(bells(&player.hears(of(499))), 1);
}

#[test]
fn another_victim_rings_and_another_question_does_not() {
    let mut grown = cast();
    grown[7].rss_stat = Pages(600_000);
    grown[7].rss_exact = Reading::Value(Pages(600_000));
    let grown = || machine(1_000_000, ScoreScale::Signed, grown.clone());
    let mut player = player(&["victim"]);
    assert_eq!(bells(&player.hears(usual())), 0, "the first one is no other");
    let asked = player.hears(grown());
    let told = rung(&asked);
    assert_eq!(told[0].victim, Some((process(600, "", 0).id, "java".to_owned())));
    assert_eq!(told[0].value, None);
    assert_eq!(
        player.app.refresh.alarms.standing().collect::<Vec<_>>(),
        ["victim became 600 java"]
    );
    assert_eq!(bells(&player.hears(grown())), 0);
    player.app.settings.policy = &doomtop::policy::LINUX_2_4;
    assert_eq!(bells(&player.hears(usual())), 0, "asked by another rule");
    player.wait(40_000);
    player.hears(usual());
    assert_eq!(player.app.refresh.alarms.standing().count(), 0, "what happened is over some time");
}

#[test]
fn a_kill_rings_and_those_before_do_not() {
    let with = |kills: u64| {
        let mut snapshot = usual();
        snapshot.traffic.oom_kills = Reading::Value(kills);
        snapshot
    };
    let mut player = player(&["oom-kill"]);
    let heard = [552, 552, 553, 553, 556].map(|kills| bells(&player.hears(with(kills))));
    assert_eq!(heard, [0, 0, 1, 0, 1]);
    player.hears(usual());
    assert_eq!(player.app.refresh.alarms.unreadable().count(), 1, "it is not counted here");
    assert_eq!(bells(&player.hears(with(557))), 1, "one more than before it was not counted");
    let mut player = self::player(&["oom-kill"]);
    player.hears(usual());
    assert_eq!(bells(&player.hears(with(557))), 0, "the first count is that since boot");
}

#[test]
fn alarms_go_by_the_newest_look_whatever_the_screen_shows() {
    let mut player = player(&["psi-some>20%", "victim"]);
    player.hears(usual());
    player.draw();
    player.play("z");
    assert!(player.app.playback.paused);
    assert_eq!(bells(&player.hears(pressed(50.0))), 1);
    let shown = player.app.scene.as_ref().unwrap().now().pressure.some;
    assert_eq!(shown, Reading::NotAsked, "the picture stands still");
    let mut grown = cast();
    grown[7].rss_stat = Pages(600_000);
    grown[7].rss_exact = Reading::Value(Pages(600_000));
    let asked = player.hears(machine(1_000_000, ScoreScale::Signed, grown));
    assert_eq!(rung(&asked)[0].what, "victim");
}

#[test]
fn a_recording_rings_nothing() {
    let mut player = player(&["psi-some>20%"]);
    player.app.start.live = false;
    assert_eq!(player.hears(pressed(90.0)), []);
    assert_eq!(player.app.refresh.alarms.standing().count(), 0);
}

#[test]
fn a_command_is_told_values_and_no_name_is_part_of_it() {
    let mut cast = cast();
    cast[6].comm = doomtop::model::Comm::new(b"$(reboot)\n\x1b[");
    let mut player = player(&["available<100%"]);
    let asked = player.hears(machine(1_000_000, ScoreScale::Signed, cast));
    let facts = rung(&asked)[0].facts();
    assert_eq!(facts.len(), FACTS.len());
    let of = |name: &str| facts.iter().find(|it| it.0 == name).unwrap().1.as_deref();
    assert_eq!(of("DOOMTOP_ALARM"), Some("available<100%"));
    assert_eq!(of("DOOMTOP_VALUE"), Some("50"));
    assert_eq!(of("DOOMTOP_UNIT"), Some("%"));
    assert_eq!(of("DOOMTOP_VICTIM_PID"), Some("500"));
    assert_eq!(of("DOOMTOP_VICTIM"), Some("500@1500"));
    assert_eq!(of("DOOMTOP_SCOPE"), Some("global"));
    assert_eq!(of("DOOMTOP_LIMIT"), None);
    let comm = of("DOOMTOP_VICTIM_COMM").unwrap();
    assert!(comm.starts_with("$(reboot)") && !comm.chars().any(char::is_control), "{comm:?}");
}

#[test]
fn without_bell_and_command_an_alarm_only_shows() {
    let mut player = player(&[]);
    player.app.refresh.alarms =
        Alarms::new(vec![Alarm::parse("psi-some>20%").unwrap()], false, false);
    assert_eq!(player.hears(pressed(90.0)), []);
    assert_eq!(player.app.refresh.alarms.standing().count(), 1);
}

#[test]
fn an_alarm_flashes_then_stands_then_goes() {
    let mut app = app("db-03.jsonl");
    app.refresh.alarms = alarms(&["available<99%", "psi-full>90%", "swap>1%"]);
    let sample = Arc::new(app.scene.as_ref().unwrap().now().clone());
    app.update(Msg::Sampled(Arc::clone(&sample)));
    let turned = |app: &mut App| {
        let (buffer, _) = paint(app, FULL, 120, 40);
        let all = text(&buffer);
        let y = all.lines().position(|line| line.starts_with("! available")).expect(&all);
        (all, buffer[(2, y as u16)].modifier.contains(Modifier::REVERSED))
    };
    let (all, flashes) = turned(&mut app);
    assert!(flashes && app.wants_tick(), "it is new");
    assert!(all.contains("! 2 of 3 alarms"), "{all}");
    let now = app.clock().0;
    assert!(!app.is_due(Millis(now + 4000)));
    assert!(app.is_due(Millis(now + 6000)), "the end of the flash is painted");
    app.update(Msg::Tick(Millis(now + 6000)));
    let (_, flashes) = turned(&mut app);
    assert!(!flashes);
    for (width, height) in [(40, 6), (60, 20), (80, 24)] {
        paint(&mut app, FULL, width, height);
    }
}

#[test]
fn pressure_looks_at_once_and_faster_until_it_is_over() {
    let mut player = Player::on(usual());
    player.app.settings.delay = Millis(60_000);
    assert_eq!(player.app.delay(), Millis(2000), "the first looks come soon, to have files open");
    assert!(text(&paint(&mut player.app, FULL, 120, 40).0).contains(" 60.0s "));
    (0..2).for_each(|_| drop(player.hears(usual())));
    assert_eq!(player.app.delay(), Millis(60_000));
    assert_eq!(player.app.update(Msg::Pressure), [Request::SampleNow]);
    assert_eq!(player.app.delay(), Millis(500));
    assert!(text(&paint(&mut player.app, FULL, 120, 40).0).contains("[live, fast]"));
    player.hears(pressed(30.0));
    player.hears(pressed(12.0));
    player.hears(pressed(2.0));
    assert_eq!(player.app.delay(), Millis(500), "not over yet");
    player.hears(pressed(0.4));
    assert_eq!(player.app.delay(), Millis(60_000), "the averages say so too");
    player.app.update(Msg::Pressure);
    (0..4).for_each(|_| drop(player.hears(pressed(30.0))));
    assert!(player.app.refresh.pace.is_fast());
    player.app.update(Msg::Pressure);
    (0..4).for_each(|_| drop(player.hears(pressed(30.0))));
    assert!(player.app.refresh.pace.is_fast(), "a new sign");
    player.hears(pressed(30.0));
    assert!(!player.app.refresh.pace.is_fast(), "ten seconds without one");
    player.app.settings.delay = Millis(100);
    player.app.update(Msg::Pressure);
    assert_eq!(player.app.delay(), Millis(100), "never slower than asked for");
}

#[test]
fn it_relaxes_only_when_allowed_and_while_something_would_end_that() {
    let quiet = |relax: bool, watch: PressureWatch| {
        let mut player = Player::on(usual());
        player.app.refresh.pace.relax = relax;
        player.app.update(Msg::PressureWatch(watch, None));
        let mut delays = Vec::new();
        for _ in 0..80 {
            player.hears(usual());
            if delays.last() != Some(&player.app.delay().0) {
                delays.push(player.app.delay().0);
            }
        }
        (player, delays)
    };
    let trigger = || PressureWatch::Trigger(PsiTrigger::SECOND);
    assert_eq!(quiet(false, trigger()).1, [2000]);
    assert_eq!(quiet(true, PressureWatch::Unavailable("no PSI".to_owned())).1, [2000]);
    let reading = PressureWatch::Reading(PsiTrigger::TWO_SECONDS, "why".to_owned());
    let (mut player, delays) = quiet(true, reading);
    assert_eq!(delays, [2000, 4000, 8000, 16_000]);
    assert!(text(&paint(&mut player.app, FULL, 120, 40).0).contains("[live, relaxed]"));
    player.play("<Down>");
    assert_eq!(player.app.delay(), Millis(2000), "a key wakes it");
    let (mut player, _) = quiet(true, trigger());
    player.app.update(Msg::Pressure);
    assert_eq!(player.app.delay(), Millis(500));
    let (mut player, _) = quiet(true, trigger());
    player.app.settings.delay = Millis(600_000);
    assert_eq!(player.app.delay(), Millis(600_000), "no faster than asked for");
    let mut low = usual();
    low.memory.available_kib = Reading::Value(Kib(4000));
    player.hears(low);
    assert!(!player.app.refresh.pace.is_relaxed(), "the wall is near");
}

#[test]
fn how_pressure_is_noticed_stands_on_the_screen() {
    let mut player = Player::on(usual());
    let said = |player: &mut Player, watch, whose: Option<&str>| {
        let whose = whose.map(|path| Arc::new(Text::new(path.as_bytes())));
        player.app.update(Msg::PressureWatch(watch, whose));
        let all = text(&paint(&mut player.app, FULL, 200, 60).0);
        all.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let trigger = PressureWatch::Trigger(PsiTrigger::SECOND);
    let all = said(&mut player, trigger.clone(), None);
    assert!(all.contains("waiting for 50 ms of 1 s wakes the screen"), "{all}");
    assert!(all.contains("without swap, kills come with little pressure"));
    assert!(said(&mut player, trigger, Some("/a")).contains("of 1 s in the scope wakes"));
    let reading = PressureWatch::Reading(PsiTrigger::TWO_SECONDS, "not permitted".to_owned());
    let all = said(&mut player, reading, None);
    assert!(all.contains("read every 2 s: 100 ms wake the screen"), "{all}");
    assert!(all.contains("no trigger: not permitted"));
    let all = said(&mut player, PressureWatch::Unavailable("there is no PSI".to_owned()), None);
    assert!(all.contains("known at each sample only"), "{all}");
}

proptest! {
    #[test]
    fn any_text_is_survived_and_what_is_understood_is_written_back(text in "[a-z-]{0,9}[<>]?[0-9.]{0,6}[%a-zA-Z]{0,3}") {
        if let Ok(alarm) = Alarm::parse(&text) {
            prop_assert_eq!(Alarm::parse(&alarm.to_string()).map(|it| it.what()), Ok(alarm.what()));
        }
    }

    /// Whatever the values do: two rings have a value between them that was back by a tenth.
    #[test]
    fn no_two_rings_without_a_way_back(values in proptest::collection::vec(0_u8..100, 1..40)) {
        let mut player = player(&["psi-some>50%"]);
        let mut back = true;
        for value in values {
            let rings = bells(&player.hears(pressed(f32::from(value))));
            prop_assert_eq!(rings == 1, back && value > 50);
            back = if value > 50 { false } else { back || value <= 45 };
        }
    }
}

/// `/web` is so full, out of 100 MiB, at this time; `208 node` is in it until it is dead.
fn leak(seconds: f64, mib: f64, lives: bool) -> Snapshot {
    let mut snapshot = usual();
    let bytes = |mib: f64| Bytes((mib * 1048576.0) as u64);
    let path = Arc::new(Text::new(b"/web"));
    let group = Cgroup {
        path: Arc::clone(&path),
        limit: Reading::Value(Limit::At(bytes(100.0))),
        usage: Reading::Value(bytes(mib)),
        reclaimable: Reading::Value(Bytes::ZERO),
        ..Cgroup::default()
    };
    let at = Millis(100_000 + (seconds * 1000.0) as u64);
    snapshot.clock.monotonic_ms = at;
    snapshot.clock.unix_ms += at.0 as i64;
    let hierarchy = Reading::Value(Hierarchy::V2);
    snapshot.cgroups = Arc::new(Cgroups { hierarchy, read_ms: at, list: vec![group] });
    snapshot.traffic.oom_kills = Reading::Value(u64::from(!lives));
    if lives {
        let mut node = process(208, "node", (mib * 256.0) as u64);
        node.cgroup = Reading::Value(path);
        snapshot.processes.push(node);
        snapshot.processes.sort_by_key(|it| it.id.pid);
    }
    snapshot
}

/// What a command is told in these variables.
fn facts(raised: &RaisedAlarm, names: &[&str]) -> Vec<Option<String>> {
    let all = raised.facts();
    names
        .iter()
        .map(|name| all.iter().find(|it| it.0 == *name).expect("a name").1.clone())
        .collect()
}

const INCIDENT: [&str; 4] = ["DOOMTOP_PID", "DOOMTOP_COMM", "DOOMTOP_DOMAIN", "DOOMTOP_BY"];

fn some(values: [&str; 4]) -> Vec<Option<String>> {
    values.map(|it| Some(it.to_owned())).to_vec()
}

#[test]
fn a_death_that_is_near_rings_once_and_says_who_where_and_when() {
    let mut player = player(&["death<20s", "oom-kill"]);
    let mut heard = Vec::new();
    for nth in 0..12 {
        // A rest, then 4 MiB a second from 50 MiB on.
        let at = f64::from(nth) * 2.0;
        let asked = player.hears(leak(at, 50.0 + 4.0 * (at - 12.0).max(0.0), true));
        heard.extend(rung(&asked).into_iter().cloned());
    }
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert_eq!(heard[0].what, "death");
    assert_eq!(facts(&heard[0], &INCIDENT), some(["208", "node", "/web", "kernel"]));
    let seconds = facts(&heard[0], &["DOOMTOP_SECONDS"])[0].clone().expect("seconds");
    assert!((1.0..20.0).contains(&seconds.parse::<f64>().expect("a number")), "{seconds}");
    assert_eq!(heard[0].value, Some((seconds, "s")));

    let asked = player.hears(leak(24.0, 2.0, false));
    let killed = rung(&asked);
    assert_eq!(killed.len(), 1);
    assert_eq!(facts(killed[0], &INCIDENT[..2]), some(["208", "node", "", ""])[..2]);
    assert_eq!(facts(killed[0], &["DOOMTOP_BY"]), [Some("kernel".to_owned())]);
    assert_eq!(player.app.refresh.alarms.standing().last().as_deref(), Some("oom-kill: 208 node?"));
    // No log named it.
    assert_eq!(facts(killed[0], &["DOOMTOP_GUESSED"]), [Some("1".to_owned())]);
}

#[test]
fn readings_between_two_samples_raise_the_alarm_of_a_death() {
    let mut player = player(&["death<8s"]);
    let mut at = 0.0;
    while at < 20.0 {
        let asked = player.hears(leak(at, 50.0 + 2.0 * (at - 6.0).max(0.0), true));
        assert!(rung(&asked).is_empty(), "at {at}");
        at += 2.0;
    }
    // From 20 s on it takes 8 MiB a second.
    let mut rings = 0;
    for tenth in 1..=20 {
        let read_ms = Millis(118_000 + tenth * 200);
        let mib = 74.0 + 8.0 * tenth as f64 / 5.0;
        let usage = Bytes((mib * 1048576.0) as u64);
        let domain = Arc::new(Text::new(b"/web"));
        let readings = vec![UsageReading { domain, read_ms, usage }];
        rings += rung(&player.app.update(Msg::UsageRead(readings))).len();
    }
    assert_eq!(rings, 1);
    assert!(player.app.take_headline_change() && !player.app.take_headline_change());
}

#[test]
fn a_prediction_that_flickers_rings_once_until_its_process_is_dead() {
    let death = |seconds: u64| {
        let when = Millis(seconds * 1000);
        let candidate = Candidate {
            id: process(500, "", 0).id,
            comm: Comm::new(b"chrome"),
            from: when,
            to: when,
        };
        let next = NextDeath {
            certainty: DeathCertainty::Named,
            candidates: vec![candidate],
            saved: None,
            gains: Vec::new(),
            ..predicted("/web", when)
        };
        Deaths { next: Some(next.clone()), list: vec![next] }
    };
    let mut alarms = alarms(&["death<30s"]);
    let mut rings = |seconds: u64, after: u64, snapshot: Snapshot| {
        let scene = Scene::new(Arc::new(snapshot), None);
        let ranking = Ranking::new(&doomtop::policy::LINUX, &scene);
        let deaths = if seconds == 0 { Deaths::default() } else { death(seconds) };
        let input = AlarmInput {
            scene: &scene,
            ranking: &ranking,
            policy: "linux",
            deaths: &deaths,
            killed: &[],
        };
        alarms.predict(&input, Millis(after * 1000)).len()
    };
    let said = [(29, 0), (34, 2), (28, 4), (0, 6), (27, 8), (44, 10), (20, 12), (45, 14), (29, 16)];
    let heard = said.map(|(seconds, after)| rings(seconds, after, usual()));
    assert_eq!(heard, [1, 0, 0, 0, 0, 0, 0, 0, 1], "45 s are half as long again");
    let mut dead = usual();
    dead.processes.retain(|it| it.id.pid != 500);
    assert_eq!(rings(20, 18, usual()), 0);
    rings(0, 20, dead);
    assert_eq!(rings(20, 22, usual()), 1, "another one");
}

#[test]
fn the_time_of_a_limit_is_that_of_the_headline() {
    // By the last two samples alone /web would be full in 1 s.
    let (before, now) = (leak(0.0, 60.0, true), leak(2.0, 62.0, true));
    let scene = Scene::new(Arc::new(now), Some(Arc::new(before)));
    let ranking = Ranking::new(&doomtop::policy::LINUX, &scene);
    let raised = |alarm: &str, deaths: &Deaths| -> Vec<Vec<Option<String>>> {
        let input =
            AlarmInput { scene: &scene, ranking: &ranking, policy: "linux", deaths, killed: &[] };
        let raised = alarms(&[alarm]).sample(&input, Millis::ZERO);
        raised.iter().map(|it| facts(it, &["DOOMTOP_VALUE", "DOOMTOP_LIMIT"])).collect()
    };
    let rings = |value: &str, domain: &str| vec![vec![Some(value.into()), Some(domain.into())]];
    let at = |seconds: u64, domain: &str| predicted(domain, Millis(seconds * 1000));
    let list = |list: Vec<NextDeath>| Deaths { next: None, list };
    assert!(raised("limit-in<30s", &Deaths::default()).is_empty(), "nothing is predicted");
    assert!(raised("limit-in<30s", &list(vec![at(31, "/web")])).is_empty());
    let by_daemon = NextDeath { by: "earlyoom", ..at(2, "global") };
    let found = raised("limit-in<30s", &list(vec![by_daemon, at(29, "/web"), at(31, "global")]));
    assert_eq!(found, rings("29", "/web"));
    // The headline keeps its time for a moment.
    let kept = Deaths { next: Some(at(10, "/web")), list: vec![at(20, "/web")] };
    assert_eq!(raised("limit-in<30s", &kept), rings("10", "/web"));
    // Of what is mostly free, only the last minute is told.
    let free = |seconds| list(vec![NextDeath { left: Bytes(980), ..at(seconds, "global") }]);
    assert!(raised("limit-in<90s", &free(61)).is_empty());
    assert_eq!(raised("limit-in<90s", &free(60)), rings("60", "global"));
}

#[test]
fn a_cgroup_that_stalls_rings_once() {
    let stalls = |at: f64, mib: f64| {
        let mut snapshot = leak(at, mib, true);
        let groups = Arc::make_mut(&mut snapshot.cgroups);
        groups.list[0].high = Reading::Value(Limit::At(Bytes(60 << 20)));
        snapshot
    };
    let mut player = player(&["stalled"]);
    let mut heard = Vec::new();
    for (nth, mib) in [40.0, 60.0, 60.0, 50.0, 60.0].into_iter().enumerate() {
        let asked = player.hears(stalls(nth as f64 * 2.0, mib));
        heard.push(rung(&asked).len());
        if let Some(raised) = rung(&asked).first() {
            let told = facts(raised, &INCIDENT);
            assert_eq!(told, [None, None, Some("/web".to_owned()), None]);
        }
    }
    assert_eq!(heard, [0, 1, 0, 0, 0]);
    assert_eq!(player.app.refresh.alarms.standing().collect::<Vec<_>>(), ["stalled: /web"]);
}

/// The screen.
fn page(player: &mut Player) -> String {
    text(&paint(&mut player.app, FULL, 100, 30).0)
}

#[test]
fn alarms_are_set_changed_and_removed_while_it_runs() {
    let mut player = player(&["psi-some>20%"]);
    player.hears(pressed(12.0));
    player.play("!");
    let shown = page(&mut player);
    assert!(shown.contains("> psi-some>20%") && shown.contains("now 12%, quiet"), "{shown}");
    assert!(shown.contains("available<500M"), "what else can be watched is listed: {shown}");
    // Changed: the value is beyond the new threshold with the next sample.
    player.play("<Enter>");
    assert!(page(&mut player).contains("Change to: psi-some>20%"));
    let asked = player.play("<C-u>psi-some>10%<Enter>");
    assert_eq!(asked, [Request::SampleNow]);
    assert_eq!(bells(&player.hears(pressed(12.0))), 1);
    let shown = page(&mut player);
    assert!(shown.contains("now 12%, ! raised"), "{shown}");
    // A text that is no alarm stays, with what is wrong.
    player.play("<Enter><C-u>psi-some<20%<Enter>");
    let shown = page(&mut player);
    assert!(shown.contains("! psi-some wants the form psi-some>20%"), "{shown}");
    player.play("<Esc>");
    assert_eq!(player.app.refresh.alarms.count(), 1);
    // Off: it rings no more. On: it rings again.
    player.play(" ");
    assert!(page(&mut player).contains("switched off"));
    assert_eq!(bells(&player.hears(pressed(90.0))), 0);
    player.play(" ");
    assert_eq!(bells(&player.hears(pressed(90.0))), 1);
    // A new one from the list, with its example.
    player.play("<Down><Enter><Enter>");
    assert_eq!(player.app.refresh.alarms.count(), 2);
    let copied = player.play("y");
    let flags = "--alarm 'psi-some>10%' --alarm 'psi-full>5%' --bell";
    assert_eq!(copied, [Request::Copy(flags.to_owned())]);
    player.play("<Home>d");
    assert_eq!(player.app.refresh.alarms.count(), 1);
    assert_eq!(player.app.refresh.alarms.flags(), "--alarm 'psi-full>5%' --bell");
}

#[test]
fn bell_and_command_are_switched_on_the_page() {
    let mut player = player(&["psi-some>20%"]);
    player.hears(pressed(0.0));
    player.play("!b");
    assert!(page(&mut player).contains("off (b switches)"));
    let asked = player.hears(pressed(30.0));
    assert_eq!((bells(&asked), rung(&asked).len()), (0, 1), "the command still runs");
    player.play("c");
    player.hears(pressed(0.0));
    assert_eq!(player.hears(pressed(30.0)), []);
    // Without --on-alarm there is no command that could be switched on.
    player.app.refresh.alarms = Alarms::new(Vec::new(), false, false);
    player.play("c");
    assert!(player.notice().contains("--on-alarm COMMAND"), "{}", player.notice());
    assert!(!player.app.refresh.alarms.command);
}

#[test]
fn a_process_that_sleeps_in_the_kernel_for_long_raises_an_alarm_once() {
    let mut player = player(&["blocked>30s"]);
    let mut rings = |second: u64, state: char| {
        let mut sample = usual();
        sample.clock.monotonic_ms = Millis(10_000 + second * 1000);
        sample.processes[0].state = RunState(state);
        rung(&player.hears(sample)).len()
    };
    assert_eq!([rings(0, 'D'), rings(20, 'D')], [0, 0]);
    assert_eq!([rings(31, 'D'), rings(40, 'D')], [1, 0], "once");
    assert_eq!([rings(42, 'S'), rings(44, 'D'), rings(60, 'D')], [0, 0, 0], "it began anew");
}

#[test]
fn a_recording_has_no_page_of_alarms() {
    let mut player = Player::with(doomtop::app::Setup { live: false, ..setup() }, usual());
    player.play("!");
    assert!(player.app.mode_is_browse() && player.notice().contains("live machine"));
}

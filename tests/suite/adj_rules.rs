//! Rules of adj that stick: what they would do, that nothing happens before they are switched on by
//! their own dialog, and that they never fight.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use doomtop::app::adj_rules::reload::RulesUpdate;
use doomtop::app::adj_rules::rules::{ActiveRules, MOST_A_LOOK, RuleCase, RuleCaseState};
use doomtop::app::keymap::bindings::{KEYS, Key, KeyCode};
use doomtop::app::mode::Mode;
use doomtop::app::{ActingMode, App, Msg, NoticeLevel, Request, Setup};
use doomtop::effects::{Effects, LiveEffects, NoEffects};
use doomtop::intent::{Intent, Outcome, Refusal};
use doomtop::model::{
    Capabilities, Capability, ProcId, Reading, ScoreScale, Snapshot, Text, UserIds,
};
use doomtop::policy::site::AdjRules;
use doomtop::sample::proc_root::{LiveRoot, ProcRoot};
use doomtop::source::{LiveSource, ScanPatience, Source};
use doomtop::ui::Theme;
use doomtop::units::{Adj, Millis, Ticks};
use proptest::prelude::*;

use crate::children::Own;
use crate::fixtures::{app, paint, samples};
use crate::screens::{check_cells, styled};
use crate::stage::{Player, cast, machine, process, setup, usual};

const RULES: &str = "
[[rule]]
about = 'java goes first'
for = ['java*', 'doomtop', 'systemd', 'kthreadd', 'sshd']
adj = 400

[[rule]]
about = 'browsers are kept'
for = [{ name = 'chrome', user = '1000' }]
adj = -100

[[rule]]
about = 'by name alone'
for = 'bash'
adj = 0
";

fn compile(text: &str) -> Arc<AdjRules> {
    Arc::new(AdjRules::compile(text, Arc::default()).expect("good rules"))
}

fn give(app: &mut App, text: &str) {
    let news = RulesUpdate::Good { file: "adj.toml".to_owned(), rules: compile(text) };
    assert_eq!(app.update(Msg::AdjRules(news)), []);
}

/// The usual machine with the rules, looked at twice.
fn ruled() -> Player {
    let mut player = Player::on(usual());
    give(&mut player.app, RULES);
    assert_eq!(sample(&mut player, usual()), []);
    player
}

/// Another look; what the rules wish comes back.
fn sample(player: &mut Player, snapshot: Snapshot) -> Vec<Request> {
    let asked = player.app.update(Msg::Sampled(Arc::new(snapshot)));
    player.draw();
    asked
}

fn sticky(app: &App) -> &ActiveRules {
    app.session.adj_rules.as_ref().expect("there are rules")
}

fn state_of(app: &App, pid: i32) -> &RuleCaseState {
    let case = sticky(app).cases.iter().find(|case| case.who.pid == pid);
    &case.unwrap_or_else(|| panic!("a rule means {pid}")).state
}

fn switch_on(player: &mut Player) {
    player.app.mode = Mode::Browse;
    let count = sticky(&player.app).would();
    player.play("<A-a><Enter>");
    player.play(&count.to_string());
    assert_eq!(player.play("<Enter>"), [Request::SampleNow]);
    assert!(sticky(&player.app).is_on());
}

fn wishes(asked: &[Request]) -> Vec<(i32, i16, i16)> {
    let wish = |request: &Request| match request {
        Request::Act(Intent::SetAdjByRule { who, from, to, .. }) => (who.pid, from.0, to.0),
        other => panic!("{other:?}"),
    };
    asked.iter().map(wish).collect()
}

/// The hands did as they were told.
fn done(player: &mut Player, asked: &[Request]) {
    for request in asked {
        let Request::Act(Intent::SetAdjByRule { who, name, from, to, rule, digest }) = request
        else {
            panic!("{request:?}");
        };
        let (name, rule, digest) = (name.clone(), rule.clone(), *digest);
        let outcome =
            Outcome::AdjSetByRule { who: *who, name, before: *from, now: *to, rule, digest };
        player.app.update(Msg::Outcome(outcome));
    }
}

/// The usual machine with other values of adj.
fn with(values: &[(i32, i16)]) -> Snapshot {
    let mut cast = cast();
    for process in &mut cast {
        if let Some((_, adj)) = values.iter().find(|(pid, _)| *pid == process.id.pid) {
            process.adj = Reading::Value(Adj(*adj));
        }
    }
    machine(1_000_000, ScoreScale::Signed, cast)
}

#[test]
fn a_dry_run_says_what_it_would_do_and_does_nothing() {
    let mut player = ruled();
    for _ in 0..5 {
        assert_eq!(sample(&mut player, usual()), []);
    }
    assert_eq!(sticky(&player.app).summary(), "rules: 3 would be written");
    for pid in [600, 601, 500] {
        assert_eq!(*state_of(&player.app, pid), RuleCaseState::Would, "{pid}");
    }
    assert_eq!(*state_of(&player.app, 200), RuleCaseState::Has);
    for (pid, why) in [(1, "pid 1"), (300, "doomtop itself"), (50, "-1000")] {
        let RuleCaseState::Never(words) = state_of(&player.app, pid) else { panic!("{pid}") };
        assert!(words.contains(why), "{pid}: {words}");
    }
    assert!(!sticky(&player.app).cases.iter().any(|case| case.who.pid == 2), "no kernel thread");
    assert!(player.app.session.journal.entries.is_empty());
}

#[test]
fn only_the_typed_count_in_their_own_dialog_switches_them_on() {
    for script in [
        "<A-a>",
        "<A-a><Enter>",
        "<A-a><Enter><Enter>",
        "<A-a><Enter>2<Enter>",
        "<A-a><Enter>y",
        "<A-a><Enter>3<Esc>",
        "<A-a><Enter>3<BS><Enter>",
        ":rules of adj<Enter>3<Enter>3<Esc>",
    ] {
        let mut player = ruled();
        player.play(script);
        assert!(!sticky(&player.app).is_on(), "{script}");
        assert_eq!(sample(&mut player, usual()), [], "{script}");
    }
    let mut player = ruled();
    player.play("<A-a><Enter>");
    let now = player.now;
    for key in ["3", "<Enter>"] {
        let key = crate::stage::keys(key)[0];
        player.key_at(key, now + 100);
    }
    assert!(!sticky(&player.app).is_on(), "typed ahead");
    player.draw_with(false);
    player.now += 5000;
    let now = player.now;
    player.app.update(Msg::Key(Key::char('3'), Millis(now)));
    player.app.update(Msg::Key(Key::plain(KeyCode::Enter), Millis(now + 1000)));
    assert!(!sticky(&player.app).is_on(), "it did not fit on the screen");

    let mut player = ruled();
    assert_eq!(player.play("<A-a><Enter>3<Enter>"), [Request::SampleNow]);
    let asked = sample(&mut player, usual());
    assert_eq!(wishes(&asked), [(600, 0, 400), (601, 0, 400), (500, 300, -100)]);
    let Request::Act(Intent::SetAdjByRule { digest, rule, .. }) = &asked[0] else { panic!() };
    assert_eq!((*digest, rule.as_str()), (compile(RULES).digest, "java goes first"));
}

#[test]
fn each_process_is_written_once_and_who_is_changed_back_is_left() {
    let mut player = ruled();
    switch_on(&mut player);
    let asked = sample(&mut player, usual());
    assert_eq!(asked.len(), 3);
    assert_eq!(sample(&mut player, usual()), [], "asked for once, even while the answer is out");
    done(&mut player, &asked);
    assert_eq!(sticky(&player.app).summary(), "rules on: 3 written");
    assert_eq!(player.app.session.journal.entries.len(), 4, "switched on, and a line for each");
    assert!(player.app.session.journal.changes.is_empty(), "they do not stand in the way of r");
    let kept = [(600, 400), (601, 400), (500, -100)];
    assert_eq!(sample(&mut player, with(&kept)), []);
    assert_eq!(*state_of(&player.app, 600), RuleCaseState::Written);

    // Another daemon has another opinion: it is left so, and said once.
    let back = [(600, 0), (601, 400), (500, -100)];
    for _ in 0..3 {
        assert_eq!(sample(&mut player, with(&back)), []);
        assert_eq!(*state_of(&player.app, 600), RuleCaseState::Left);
    }
    assert_eq!(sample(&mut player, with(&kept)), []);
    assert_eq!(sample(&mut player, with(&back)), []);
    let told = player
        .app
        .session
        .journal
        .entries
        .iter()
        .filter(|it| it.text.contains("doomtop leaves it"));
    assert_eq!(told.count(), 1);
    assert_eq!(sticky(&player.app).summary(), "rules on: 3 written, 1 changed back");

    // A process of the same pid is another process, and is looked at twice first.
    let mut reborn = with(&back);
    let at = reborn.processes.iter().position(|it| it.id.pid == 601).unwrap();
    reborn.processes[at].id.born = Ticks(999_999);
    reborn.processes[at].adj = Reading::Value(Adj(0));
    assert_eq!(sample(&mut player, reborn.clone()), []);
    assert_eq!(*state_of(&player.app, 601), RuleCaseState::New);
    assert_eq!(wishes(&sample(&mut player, reborn)), [(601, 0, 400)]);
}

#[test]
fn an_earlier_look_says_nothing_of_who_was_changed() {
    let at = |values: &[(i32, i16)], ms: u64| {
        let mut sample = with(values);
        sample.clock.monotonic_ms = Millis(ms);
        sample
    };
    let mut player = ruled();
    switch_on(&mut player);
    sample(&mut player, at(&[], 2000));
    let asked = sample(&mut player, at(&[], 3000));
    assert_eq!(asked.len(), 0, "asked before");
    let kept = [(600, 400), (601, 400), (500, -100)];
    let wished: Vec<Request> = sticky(&player.app)
        .cases
        .iter()
        .map(|case| (case.who, case.name.clone()))
        .map(|(who, name)| {
            let (from, to) = match who.pid {
                500 => (Adj(300), Adj(-100)),
                _ => (Adj(0), Adj(400)),
            };
            let digest = sticky(&player.app).rules.digest;
            Request::Act(Intent::SetAdjByRule {
                who,
                name,
                from,
                to,
                rule: "mine".to_owned(),
                digest,
            })
        })
        .collect();
    done(&mut player, &wished);
    assert_eq!(sample(&mut player, at(&kept, 4000)), []);
    let lines = player.app.session.journal.entries.len();
    player.play("<Esc>((");
    assert!(player.app.is_past());
    assert_eq!(sample(&mut player, at(&kept, 5000)), []);
    assert_eq!(player.app.session.journal.entries.len(), lines, "nobody changed anything");
    player.play("l");
    assert_eq!(sample(&mut player, at(&kept, 6000)), []);
    assert_eq!(*state_of(&player.app, 600), RuleCaseState::Written);
    assert_eq!(player.app.session.journal.entries.len(), lines);
}

#[test]
fn who_had_the_value_or_got_another_by_hand_is_left() {
    let mut player = ruled();
    switch_on(&mut player);
    let by_hand = process(600, "java", 0).id;
    player.app.update(Msg::Outcome(Outcome::AdjSet {
        who: by_hand,
        name: "java".to_owned(),
        before: Adj(0),
        now: Adj(5),
        revert: false,
    }));
    let asked = sample(&mut player, with(&[(600, 5), (601, 400)]));
    assert_eq!(wishes(&asked).iter().map(|wish| wish.0).collect::<Vec<_>>(), [500]);
    assert_eq!(*state_of(&player.app, 600), RuleCaseState::Left);
    assert_eq!(*state_of(&player.app, 601), RuleCaseState::Has);
    for _ in 0..3 {
        assert_eq!(sample(&mut player, with(&[(600, 5), (601, 0), (500, -100)])), []);
    }
    assert_eq!(
        *state_of(&player.app, 601),
        RuleCaseState::Left,
        "set to 0 by the user, and left so"
    );
}

#[test]
fn a_refusal_is_told_once_and_the_dead_are_no_news() {
    let mut player = ruled();
    switch_on(&mut player);
    let asked = sample(&mut player, usual());
    let refusals = [
        Refusal::NotPermitted { hint: "needs CAP_SYS_RESOURCE" },
        Refusal::Gone,
        Refusal::PidReused,
    ];
    for (request, refusal) in asked.into_iter().zip(refusals) {
        let Request::Act(intent) = request else { panic!() };
        player.app.update(Msg::Outcome(Outcome::Refused { intent, refusal }));
    }
    assert_eq!(sticky(&player.app).summary(), "rules on: 0 written, 1 refused");
    assert!(
        matches!(state_of(&player.app, 600), RuleCaseState::Refused(why) if why.contains("CAP_SYS"))
    );
    let warned =
        player.app.session.journal.entries.iter().filter(|it| it.level == NoticeLevel::Warn);
    assert_eq!(warned.count(), 1);
    for _ in 0..3 {
        assert_eq!(sample(&mut player, usual()), [], "not tried again");
    }
}

#[test]
fn one_look_writes_only_so_many() {
    let crowd = || {
        let more = (0..50).map(|nth| process(1000 + nth, "java", 10));
        machine(1_000_000, ScoreScale::Signed, cast().into_iter().chain(more).collect())
    };
    let mut player = Player::on(crowd());
    give(&mut player.app, "[[rule]]\nfor = 'java'\nadj = 5\n");
    sample(&mut player, crowd());
    assert_eq!(sticky(&player.app).would(), 51);
    switch_on(&mut player);
    let mut seen = HashSet::new();
    for count in [MOST_A_LOOK, MOST_A_LOOK, 11, 0] {
        let asked = sample(&mut player, crowd());
        assert_eq!(asked.len(), count);
        seen.extend(wishes(&asked).iter().map(|(pid, ..)| *pid));
    }
    assert_eq!(seen.len(), 51);
}

#[test]
fn rules_that_are_too_dear_mean_nobody_and_say_so() {
    let crowd = || {
        let more = (0..2000).map(|nth| process(1000 + nth, "x", 10));
        let hard = std::iter::once(process(900, "aaaaaaaaaaaaaaa", 10));
        machine(1_000_000, ScoreScale::Signed, more.chain(hard).collect())
    };
    let hard: Vec<String> = (0..100).map(|nth| format!("'a*a*a*a*a*a*a*{nth}'")).collect();
    let rule = format!("[[rule]]\nfor = [{}]\nadj = 5\n", hard.join(", "));
    let mut player = Player::on(crowd());
    give(&mut player.app, &rule.repeat(20));
    sample(&mut player, crowd());
    assert_eq!(sticky(&player.app).too_dear, 1);
    assert!(sticky(&player.app).cases.is_empty());
    player.play("<A-a>");
    let (buffer, _) = paint(&mut player.app, FULL, 100, 30);
    assert!(crate::fixtures::text(&buffer).contains("! 1 process could not be compared"));
}

#[test]
fn a_name_alone_lowers_nothing() {
    let mut player = Player::on(with(&[(200, 300)]));
    give(&mut player.app, RULES);
    sample(&mut player, with(&[(200, 300)]));
    let RuleCaseState::Never(why) = state_of(&player.app, 200) else { panic!("bash is skipped") };
    assert!(why.contains("can be faked"), "{why}");
}

#[test]
fn a_setuid_program_proves_no_user() {
    let as_user = |uid, euid| {
        let mut it = process(700, "pgsu", 10);
        it.ids = Reading::Value(UserIds { uid, euid });
        it.cgroup = Reading::Value(Arc::new(Text::new(b"/system.slice/pg.service")));
        machine(1_000_000, ScoreScale::Signed, cast().into_iter().chain([it]).collect())
    };
    let rule = |entries: &str| format!("[[rule]]\nfor = [{entries}]\nadj = -600\n");
    let by_user = rule("{ name = 'pgsu', user = '0' }");
    let by_place = rule("{ name = 'pgsu', user = '0' }, { cgroup = '/system.slice/pg.service' }");
    for (uid, euid, text, written) in
        [(65534, 0, &by_user, false), (0, 0, &by_user, true), (65534, 0, &by_place, true)]
    {
        let mut player = Player::on(as_user(uid, euid));
        give(&mut player.app, text);
        sample(&mut player, as_user(uid, euid));
        match state_of(&player.app, 700) {
            RuleCaseState::Would => assert!(written, "{uid} {text}"),
            RuleCaseState::Never(why) => {
                assert!(!written && why.contains("setuid"), "{uid} {text}: {why}")
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_protected_are_raised_only_by_who_says_exactly_them() {
    let crowd = || {
        let mut all = cast();
        all.push(process(700, "systemd-logind", 10));
        let mut leader = process(710, "tmux", 10);
        (leader.session, leader.tty) = (710, 34816);
        all.push(leader);
        for it in &mut all {
            it.cgroup = Reading::Value(Arc::new(Text::new(b"/work")));
        }
        machine(1_000_000, ScoreScale::Signed, all)
    };
    for (entry, raised) in [
        ("{ cgroup = '/work' }", false),
        ("{ regex = '.' }", false),
        ("'*'", false),
        ("'*', 'systemd-logind', 'tmux', 'bash'", true),
        ("{ user = '1000' }", true),
    ] {
        let mut player = Player::on(crowd());
        give(&mut player.app, &format!("[[rule]]\nfor = [{entry}]\nadj = 400\n"));
        sample(&mut player, crowd());
        assert_eq!(*state_of(&player.app, 600), RuleCaseState::Would, "{entry}: java is no pillar");
        for pid in [200, 700, 710] {
            let state = state_of(&player.app, pid);
            assert_eq!(*state == RuleCaseState::Would, raised, "{entry}, {pid}: {state:?}");
        }
    }
}

#[test]
fn a_changed_or_broken_file_switches_them_off() {
    let mut player = ruled();
    switch_on(&mut player);
    give(&mut player.app, &format!("{RULES}# another version\n"));
    assert!(!sticky(&player.app).is_on());
    assert!(player.notice().contains("off until they are confirmed"), "{}", player.notice());
    assert_eq!(sample(&mut player, usual()), []);

    switch_on(&mut player);
    let bad = "adj.toml:3:7: adj is a number from -1000 to 1000".to_owned();
    player.app.update(Msg::AdjRules(RulesUpdate::Bad(bad)));
    assert_eq!(sample(&mut player, usual()), []);
    assert_eq!(sticky(&player.app).summary(), "rules off: invalid file");
    player.play("<Esc><A-a><Enter>");
    assert!(matches!(player.app.mode, Mode::AdjRules(_)), "what is bad is not switched on");

    // What was wished under another version is told, and counts for nothing.
    let mut player = ruled();
    switch_on(&mut player);
    let asked = sample(&mut player, usual());
    give(&mut player.app, &format!("{RULES}# another version\n"));
    sample(&mut player, usual());
    switch_on(&mut player);
    let told = player.app.session.journal.entries.len();
    done(&mut player, &asked);
    assert_eq!(player.app.session.journal.entries.len(), told + 3);
    assert_eq!(sticky(&player.app).summary(), "rules on: 0 written");
    assert_eq!(*state_of(&player.app, 600), RuleCaseState::Would);

    // A version that comes while the dialog is open is not the one that was confirmed.
    let mut player = ruled();
    player.play("<A-a><Enter>3");
    give(&mut player.app, RULES);
    assert_eq!(player.play("<Enter>"), []);
    assert!(!sticky(&player.app).is_on());
    assert!(player.notice().contains("changed meanwhile"));
}

#[test]
fn they_are_off_at_once_and_stay_off() {
    for script in ["<A-x>", "<A-a>o", "<A-a><A-x>", ":adj rules: switch<Enter>"] {
        let mut player = ruled();
        switch_on(&mut player);
        player.play("<Esc>");
        player.play(script);
        assert!(!sticky(&player.app).is_on(), "{script}");
        assert_eq!(sample(&mut player, usual()), []);
    }
    for acting in
        [ActingMode::ReadOnly, ActingMode::NotReal, ActingMode::Elsewhere, ActingMode::Rehearsal]
    {
        let mut player = Player::with(Setup { acting, ..setup() }, usual());
        give(&mut player.app, RULES);
        sample(&mut player, usual());
        assert_eq!(sticky(&player.app).would(), 3, "a dry run is always possible");
        assert_eq!(player.play("<A-a><Enter>3<Enter>"), []);
        assert!(!sticky(&player.app).is_on());
        let said = player.notice().contains("the rules stay off");
        assert_eq!(said, acting == ActingMode::Rehearsal, "{}", player.notice());
    }
    let mut player = ruled();
    switch_on(&mut player);
    player.play("<Esc>z");
    assert_eq!(sample(&mut player, usual()), [], "paused");
    let mut late = usual();
    late.scan.stale_ms = Millis(900);
    player.play("z");
    assert_eq!(sample(&mut player, late), [], "those rows are old");
}

#[test]
fn without_rules_nothing_speaks_of_them() {
    let mut player = Player::on(usual());
    player.play("<A-a>");
    assert!(player.notice().contains("--adj-rules"));
    player.play("<A-x>");
    assert!(matches!(player.app.mode, Mode::Browse));
}

fn any_key() -> impl Strategy<Value = Key> {
    let from_table: Vec<Key> = KEYS.iter().flat_map(|row| row.keys.iter().copied()).collect();
    prop_oneof![
        3 => proptest::sample::select(from_table),
        2 => proptest::char::range('0', '9').prop_map(Key::char),
        3 => Just(Key::char('3')),
        4 => Just(Key::plain(KeyCode::Enter)),
        3 => Just(Key::alt('r')),
    ]
}

/// What happens beside keys.
#[derive(Clone, Copy, Debug)]
enum Beside {
    Nothing,
    Look,
    Changed,
    Broken,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// No rule writes but under a consent: the count typed and Enter pressed in the rules' own dialog,
    /// seen long enough, and since then neither switched off nor another version of the file.
    #[test]
    fn no_rule_writes_without_its_standing_consent(
        script in prop::collection::vec(
            (any_key(), 0_u64..1500, prop_oneof![
                6 => Just(Beside::Nothing),
                4 => Just(Beside::Look),
                1 => Just(Beside::Changed),
                1 => Just(Beside::Broken),
            ]),
            1..60,
        ),
        asking in any::<bool>(),
    ) {
        let mut player = ruled();
        if asking {
            player.play("<A-a><Enter>");
        }
        let mut version = 0;
        let mut digest = compile(RULES).digest;
        let mut consent: Option<u64> = None;
        let mut opened = asking.then_some(player.now);
        for (key, pause, beside) in script {
            player.now += pause;
            let mut asked = Vec::new();
            match beside {
                Beside::Nothing => {}
                Beside::Look => asked = player.app.update(Msg::Sampled(Arc::new(usual()))),
                Beside::Changed => {
                    version += 1;
                    let text = format!("{RULES}# {version}\n");
                    digest = compile(&text).digest;
                    give(&mut player.app, &text);
                    consent = None;
                }
                Beside::Broken => {
                    player.app.update(Msg::AdjRules(RulesUpdate::Bad("bad".to_owned())));
                    consent = None;
                }
            }
            let dialog = player.app.mode.clone();
            asked.extend(player.app.update(Msg::Key(key, Millis(player.now))));
            for request in &asked {
                if let Request::Act(Intent::SetAdjByRule { digest, .. }) = request {
                    prop_assert_eq!(consent, Some(*digest), "{:?}", request);
                }
            }
            let on = sticky(&player.app).is_on();
            if on && consent.is_none() {
                let Mode::RuleConsent(ask) = &dialog else { panic!("switched on in {dialog:?}") };
                prop_assert_eq!(key, Key::plain(KeyCode::Enter));
                prop_assert_eq!(ask.typed.parse(), Ok(ask.count));
                prop_assert!(opened.is_some_and(|since| player.now >= since + 400));
                consent = Some(digest);
            }
            if !on {
                consent = None;
            }
            if !matches!(dialog, Mode::RuleConsent(_)) || !matches!(player.app.mode, Mode::RuleConsent(_)) {
                opened = None;
            }
            player.draw();
            if matches!(player.app.mode, Mode::RuleConsent(_)) {
                opened.get_or_insert(player.now);
            }
        }
    }

    /// Whatever a file says, it is rules or faults, each fault with its place.
    #[test]
    fn no_file_breaks_the_reader(
        bits in prop::collection::vec(prop::sample::select(vec![
            "[[rule]]", "\n", "for", " = ", "adj", "about", "'x*'", "[", "]", "{", "}", ",", "5",
            "-1001", "\"\\u0000\"", "regex", "'('", "'.*'", "user", "'root'", "\u{202e}", "#", "name",
            "'/'", "cgroup", "unit", "0x7f", "1e3", "inf", "'''", "é",
        ]), 0..40),
    ) {
        let text = bits.concat();
        match AdjRules::compile(&text, Arc::default()) {
            Ok(rules) => prop_assert!(!rules.rules.is_empty() || text.contains("rule")),
            Err(faults) => {
                prop_assert!(!faults.is_empty());
                for fault in faults {
                    let line = fault.to_string();
                    prop_assert!(fault.location.line > 0 && !line.contains('\n'), "{line}");
                    prop_assert!(!line.contains('\u{202e}') && !line.contains('\0'), "{line}");
                }
            }
        }
    }
}

const FULL: Theme = crate::fixtures::theme(true, true);

const DATABASE: &str = "
[[rule]]
about = 'the database dies last'
for = [{ user = 'postgres' }, { user = 'mysql' }]
adj = -600

[[rule]]
about = 'builds go first'
for = [{ cgroup = '/system.slice/ci-build.service' }, 'ld.lld', { regex = '^cc1(plus)?$' }]
adj = 700

[[rule]]
for = ['chrome', 'sshd', 'no-such-thing\u{202e}']
adj = 300
";

fn database() -> App {
    let mut app = app("db-03.jsonl");
    give(&mut app, DATABASE);
    let last = samples("db-03.jsonl").pop().expect("a look");
    app.update(Msg::Sampled(Arc::clone(&last)));
    app.update(Msg::Sampled(last));
    app
}

fn press(app: &mut App, width: u16, height: u16, script: &str) -> Vec<Request> {
    let mut asked = Vec::new();
    for key in crate::stage::keys(script) {
        paint(app, FULL, width, height);
        asked.extend(app.update(Msg::Key(key, Millis(app.clock().0 + 1000))));
    }
    asked
}

#[test]
fn the_page_and_the_question_are_as_they_were() {
    for (name, script) in [("dry", "<A-a>"), ("ask", "<A-a><Enter>4"), ("browse", "")] {
        for (width, height) in [(80, 24), (120, 40)] {
            let mut app = database();
            press(&mut app, width, height, script);
            let (buffer, viewport) = paint(&mut app, FULL, width, height);
            assert_eq!(viewport.dialog, name == "ask");
            insta::assert_snapshot!(format!("rules-{name}-{width}x{height}"), styled(&buffer));
        }
    }
    let mut app = database();
    let count = sticky(&app).would();
    press(&mut app, 120, 40, &format!("<A-a><Enter>{count}<Enter>"));
    assert!(sticky(&app).is_on());
    let last = samples("db-03.jsonl").pop().expect("a look");
    let asked = app.update(Msg::Sampled(Arc::clone(&last)));
    // Of the kill between its two samples no log tells.
    assert!(app.display.banner.take().is_some());
    for (nth, request) in asked.into_iter().enumerate() {
        let Request::Act(intent) = request else { panic!() };
        let Intent::SetAdjByRule { who, name, from, to, rule, digest } = intent.clone() else {
            panic!()
        };
        app.update(Msg::Outcome(if nth == 0 {
            let refusal =
                Refusal::NotPermitted { hint: "going below its floor needs CAP_SYS_RESOURCE" };
            Outcome::Refused { intent, refusal }
        } else {
            Outcome::AdjSetByRule { who, name, before: from, now: to, rule, digest }
        }));
    }
    // Nothing of it reached the fixture: who was written is seen changed back.
    let (buffer, _) = paint(&mut app, FULL, 120, 40);
    insta::assert_snapshot!("rules-on-120x40", styled(&buffer));
    app.update(Msg::Sampled(last));
    app.update(Msg::AdjRules(RulesUpdate::Bad("adj.toml:3:7: adj is a number".to_owned())));
    let (buffer, _) = paint(&mut app, FULL, 80, 24);
    insta::assert_snapshot!("rules-bad-80x24", styled(&buffer));
}

#[test]
fn hostile_names_are_harmless_on_the_page() {
    let mut app = app("hostile.jsonl");
    give(&mut app, "[[rule]]\nabout = \"\\u001b[2J\\u202e\"\nfor = ['*', '\u{202e}']\nadj = 999\n");
    let last = samples("hostile.jsonl").pop().expect("a look");
    app.update(Msg::Sampled(Arc::clone(&last)));
    app.update(Msg::Sampled(last));
    assert!(sticky(&app).would() > 3);
    press(&mut app, 100, 30, "<A-a>");
    for script in ["", "<PgDn>", "<End>", "<Enter>12"] {
        press(&mut app, 100, 30, script);
        for sample in [FULL, crate::fixtures::theme(false, false)] {
            for (width, height) in [(100, 30), (40, 10), (60, 16), (120, 40)] {
                let (buffer, viewport) = paint(&mut app, sample, width, height);
                check_cells(&buffer, viewport, &script);
            }
        }
    }
}

#[test]
fn no_size_breaks_the_page_or_the_question() {
    let mut page = database();
    press(&mut page, 80, 24, "<A-a>");
    let mut ask = database();
    press(&mut ask, 80, 24, "<A-a><Enter>");
    for width in (1..90).step_by(5) {
        for height in (1..30).step_by(2) {
            for app in [&mut page, &mut ask] {
                let (buffer, _) = paint(app, FULL, width, height);
                assert!(buffer.content().iter().all(|cell| cell.symbol() != "\u{202e}"));
            }
        }
    }
}

/// The whole way on this machine, without a terminal.
struct Machine {
    live: LiveSource,
    app: App,
    hands: Box<dyn Effects>,
    acts: Vec<Intent>,
}

impl Machine {
    fn new(text: &str) -> Self {
        let root = || ProcRoot::open(Path::new("/proc")).expect("/proc");
        let live = LiveSource::start(root(), ScanPatience::Forever).expect("looks");
        let hands = LiveEffects::new(LiveRoot::prove(root()).expect("the live /proc"));
        let mut app = App::new(setup());
        give(&mut app, text);
        Self { live, app, hands: Box::new(hands), acts: Vec::new() }
    }

    fn sample(&mut self) {
        let sample = self.live.sample(&self.app.needs(), None).expect("a look");
        self.serve(Msg::Sampled(sample));
    }

    fn serve(&mut self, msg: Msg) {
        for request in self.app.update(msg) {
            let Request::Act(intent) = request else { continue };
            self.acts.push(intent.clone());
            let outcome = self.hands.perform(intent);
            self.app.update(Msg::Outcome(outcome));
        }
    }

    fn switch_on(&mut self) {
        let count = sticky(&self.app).would();
        for key in crate::stage::keys(&format!("<A-a><Enter>{count}<Enter>")) {
            paint(&mut self.app, FULL, 120, 40);
            let at = Millis(self.app.clock().0 + 1000);
            self.serve(Msg::Key(key, at));
        }
        assert!(sticky(&self.app).is_on());
    }

    fn case(&self, who: &Own) -> &RuleCase {
        let case = sticky(&self.app).cases.iter().find(|case| case.who.pid == who.pid());
        case.expect("the rule means the child")
    }
}

#[test]
fn on_this_machine_a_rule_raises_the_adj_of_an_own_child_and_leaves_it_when_changed_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let name = format!("kn{}", std::process::id());
    let first = Own::sleeping_as(folder.path(), &name);
    let (was, high) = (first.adj(), 700);
    let mut machine = Machine::new(&format!("[[rule]]\nfor = '{name}'\nadj = {high}\n"));
    // The child may not have its own name yet: until it has, no rule means it.
    while sticky(&machine.app).would() == 0 {
        machine.sample();
    }
    assert_eq!(first.adj(), was, "a dry run");
    machine.switch_on();
    machine.sample();
    assert_eq!((first.adj(), &machine.case(&first).state), (high, &RuleCaseState::Written));

    // One that starts later is written as well; the first one is not written again.
    let second = Own::sleeping_as(folder.path(), &name);
    while machine.acts.len() < 2 {
        machine.sample();
    }
    assert_eq!(second.adj(), high);
    std::fs::write(format!("/proc/{}/oom_score_adj", first.pid()), "650").expect("an own child");
    for _ in 0..3 {
        machine.sample();
    }
    assert_eq!((first.adj(), &machine.case(&first).state), (650, &RuleCaseState::Left));
    assert_eq!(machine.acts.len(), 2);
    drop(second);
    machine.sample();
    assert_eq!(sticky(&machine.app).cases.len(), 1, "the dead are nobody's case");
}

#[test]
fn on_this_machine_lowering_is_refused_or_done_as_the_kernel_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let name = format!("kl{}", std::process::id());
    let child = Own::sleeping_as(folder.path(), &name);
    let was = child.adj();
    let user = nix::unistd::geteuid();
    let rules = format!("[[rule]]\nfor = {{ name = '{name}', user = '{user}' }}\nadj = -5\n");
    let mut machine = Machine::new(&rules);
    while sticky(&machine.app).would() == 0 {
        machine.sample();
    }
    machine.switch_on();
    for _ in 0..3 {
        machine.sample();
    }
    assert_eq!(machine.acts.len(), 1, "tried once");
    let status = std::fs::read_to_string("/proc/self/status").expect("own status");
    let mask = status.lines().find_map(|line| line.strip_prefix("CapEff:")).expect("CapEff");
    let caps = Capabilities(u64::from_str_radix(mask.trim(), 16).expect("a mask"));
    let able = caps.has(Capability::SysResource);
    match (&machine.case(&child).state, able) {
        (RuleCaseState::Written, true) => assert_eq!(child.adj(), -5),
        (RuleCaseState::Refused(why), false) => {
            assert!(why.contains("CAP_SYS_RESOURCE"), "{why}");
            assert_eq!(child.adj(), was);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_hands_pin_a_rules_process_as_any_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let child = Own::sleeping_as(folder.path(), "kp");
    let root = ProcRoot::open(Path::new("/proc")).expect("/proc");
    let mut hands = LiveEffects::new(LiveRoot::prove(root).expect("the live /proc"));
    let was = Adj(child.adj());
    let wish = |who: ProcId, from: Adj| Intent::SetAdjByRule {
        who,
        name: "kp".to_owned(),
        from,
        to: Adj(900),
        rule: "rule 1".to_owned(),
        digest: 1,
    };
    let other = ProcId { pid: child.pid(), born: Ticks(1) };
    let Outcome::Refused { refusal, .. } = hands.perform(wish(other, was)) else { panic!() };
    assert_eq!(refusal, Refusal::PidReused, "another birth is another process");
    let init = ProcId { pid: 1, born: Ticks(1) };
    assert!(matches!(hands.perform(wish(init, was)), Outcome::Refused { .. }));
    for mut refuse in [NoEffects::ReadOnly, NoEffects::NotLive] {
        assert!(matches!(refuse.perform(wish(other, was)), Outcome::Refused { .. }));
    }
    assert_eq!(child.adj(), was.0);
}

#[test]
fn the_keys_that_the_pages_of_the_rules_name_are_those_of_the_rules() {
    for text in [
        include_str!("../../assets/adj-rules.toml"),
        include_str!("../../assets/docs/adj-rules.md"),
    ] {
        let keys: Vec<char> =
            text.split("Alt-").skip(1).filter_map(|rest| rest.chars().next()).collect();
        assert!(!keys.is_empty());
        for key in keys {
            let row = KEYS.iter().find(|row| row.keys.contains(&Key::alt(key)));
            let help = row.map_or("nothing", |row| row.help);
            assert!(help.starts_with("adj rules"), "Alt-{key}: {help}");
        }
    }
}

#[test]
fn the_example_is_good_and_the_names_of_users_are_known() {
    let text = include_str!("../../assets/adj-rules.toml");
    let users = Arc::new([(26, Text::new(b"postgres"))].into_iter().collect());
    let rules = AdjRules::compile(text, users).expect("the example");
    assert!(rules.rules.len() >= 3 && rules.needs_cgroup());
}

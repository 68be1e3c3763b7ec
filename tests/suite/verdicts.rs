//! The list of policies, and the view that puts their verdicts side by side.

use std::sync::Arc;
use std::time::Duration;

use doomtop::app::keymap::bindings::{KeyContext, keys_of};
use doomtop::app::mode::Mode;
use doomtop::app::view::kind::ViewKind;
use doomtop::app::{App, Msg, Request};
use doomtop::forecast::killer_here::KillerHere;
use doomtop::forecast::killer_verdict::{all_policies, opinions};
use doomtop::model::{KillerPresence, Reading, Scene, Snapshot};
use doomtop::policy::{self, POLICIES, PolicyKind};
use doomtop::rank::Ranking;
use doomtop::report::json::LineExtras;
use doomtop::ui::Theme;
use doomtop::units::{Adj, Millis};
use proptest::prelude::*;

use crate::cost::{assert_linear, cpu_time};
use crate::fixtures::{blank, paint, press, samples, settle, text};
use crate::stage::{Player, keys, process, usual};

const FULL: Theme = crate::fixtures::theme(true, true);
const MONO: Theme = crate::fixtures::theme(false, false);

fn player() -> Player {
    let mut frames = samples("db-03.jsonl").into_iter();
    let mut player = Player::on((*frames.next().unwrap()).clone());
    for sample in frames {
        player.sample((*sample).clone());
    }
    player
}

/// The pictures' machine in the view.
fn app(script: &[&str], width: u16, height: u16) -> App {
    let mut app = blank();
    for sample in samples("db-03.jsonl") {
        app.update(Msg::Sampled(sample));
    }
    paint(&mut app, FULL, width, height);
    press(&mut app, &["Tab", "Tab"]);
    paint(&mut app, FULL, width, height);
    press(&mut app, script);
    settle(&mut app);
    app
}

fn seen(app: &mut App, width: u16, height: u16) -> String {
    text(&paint(app, FULL, width, height).0)
}

#[test]
fn every_policy_orders_by_the_points_that_it_explains() {
    let mut compared = 0;
    for name in ["db-03.jsonl", "desk-7.jsonl", "hostile.jsonl", "small.jsonl", "strict.jsonl"] {
        for sample in samples(name) {
            let scene = Scene::new(sample, None);
            for policy in POLICIES {
                for process in &scene.now().processes {
                    let judged = policy.judge(process, &scene).key();
                    assert_eq!(policy.key(process, &scene), judged, "{}: {process:?}", policy.id());
                    compared += usize::from(judged.is_ok());
                }
            }
        }
    }
    assert!(compared > 100, "{compared} processes that can be chosen");
}

/// The policy under the cursor of the view.
fn under_cursor(player: &Player) -> &'static str {
    player.app.opinion().expect("a line").policy.id()
}

fn puts(player: &mut Player, id: &str) {
    player.play("+");
    let lines = &player.app.views.verdicts.lines;
    let nth = lines.iter().position(|line| line.policy.id() == id).expect(id);
    player.play("<Home>");
    player.play(&"<Down>".repeat(nth));
    assert_eq!(under_cursor(player), id);
}

#[test]
fn the_list_of_policies_is_that_of_the_flag() {
    let mut player = player();
    player.play("v");
    let Mode::Menu(menu) = &player.app.mode else { panic!("a list") };
    let listed: Vec<&str> = menu.items.iter().map(|item| item.label.as_str()).collect();
    let table: Vec<&str> = POLICIES.iter().map(|policy| policy.id()).collect();
    assert_eq!(listed, table);
    assert!(menu.items[0].on && !menu.items[1].on, "the current one is marked");
    player.play("<Esc>");
    assert_eq!(player.app.policy().id(), "linux");
    player.play("vv<Enter>");
    assert_eq!(player.app.policy().id(), POLICIES[1].id());
    player.play("vv<Enter>");
    assert_eq!(player.app.policy().id(), POLICIES[2].id());
    // Once something is typed, v is a letter like others.
    player.play("vakpm<Enter>");
    assert_eq!(player.app.policy().id(), "linux-2.4.19-akpm");
    player.play("v<End>v<Enter>");
    assert_eq!(player.app.policy().id(), "linux", "round the end");
    player.play("v<Up>xv<Esc>");
    assert_eq!(player.app.policy().id(), "linux");
}

#[test]
fn a_rule_made_from_a_pattern_stands_before_the_table() {
    let mut player = player();
    player.app.settings.policy = policy::by_id("blame:java").unwrap();
    player.play("v");
    let Mode::Menu(menu) = &player.app.mode else { panic!("a list") };
    assert_eq!((menu.items[0].label.as_str(), menu.items[0].on), ("blame:java", true));
    player.play("<Enter><A-3>+");
    assert_eq!(player.app.policy().id(), "blame:java");
    assert_eq!(player.app.views.verdicts.lines.len(), POLICIES.len() + 1);
    assert_eq!(under_cursor(&player), "blame:java");
}

#[test]
fn choosing_a_policy_turns_everything_over() {
    let mut player = player();
    assert_eq!(player.cursor(), Some(20731));
    player.play("v2.4.20<Enter>");
    assert_eq!(player.app.policy().id(), "linux-2.4");
    let ranking = Ranking::new(&policy::LINUX_2_4, player.app.scene.as_ref().unwrap());
    assert_eq!(player.app.ranking.rows(), ranking.rows());
    assert_eq!(player.cursor(), ranking.victim().map(|row| row.id.pid));
    assert!(seen(&mut player.app, 120, 40).contains("Linux 2.4.20"));
}

#[test]
fn every_line_says_what_its_policy_says() {
    let mut player = player();
    player.play("<A-3>+");
    let scene = player.app.scene.as_ref().unwrap();
    let lines = &player.app.views.verdicts.lines;
    assert_eq!(lines.len(), POLICIES.len());
    for policy in POLICIES {
        let line = lines.iter().find(|line| line.policy.id() == policy.id()).unwrap();
        let ranking = Ranking::new(*policy, scene);
        assert_eq!(line.policy.id(), policy.id());
        assert_eq!(line.outcome.victim, ranking.victim().map(|row| row.id));
        assert_eq!(line.outcome.overridden, policy.overridden(scene));
        assert_eq!(line.margin, ranking.margin());
        assert_eq!(line.eligible, ranking.eligible());
        assert_eq!(line.armed, policy.trigger_state(scene));
        for at in 0..scene.now().processes.len() {
            let (place, row) = ranking.place(at).unwrap();
            let rank = row.placement.points().map(|_| place as u32 + 1);
            assert_eq!(line.rank_at(at), rank, "{} {}", policy.id(), row.id);
        }
        // Whoever it puts first stands in a row.
        for row in &ranking.rows()[..ranking.eligible().min(3)] {
            assert!(player.app.views.verdicts.rows.iter().any(|it| it.id == row.id));
        }
    }
    // In the order of the current policy.
    let places = player.app.views.verdicts.rows.iter().map(|row| player.app.ranking.place(row.at));
    assert!(places.map(|it| it.unwrap().0).is_sorted());
}

/// The same machine with earlyoom running.
fn with_earlyoom() -> Player {
    on(|sample| {
        let killers = std::sync::Arc::make_mut(&mut sample.killers);
        killers.earlyoom.found = KillerPresence::Running(700);
        killers.nohang.found = KillerPresence::Installed;
    })
}

#[test]
fn what_acts_here_stands_on_top_and_says_how_far_it_is() {
    let mut player = with_earlyoom();
    player.play("<A-3>");
    let lines = &player.app.views.verdicts.lines;
    let first: Vec<(&str, KillerHere)> =
        lines.iter().take(3).map(|line| (line.policy.id(), line.here)).collect();
    assert_eq!(
        first,
        [
            ("linux", KillerHere::Running),
            ("earlyoom", KillerHere::Running),
            ("earlyoom-rss", KillerHere::Configured),
        ]
    );
    let nohang = lines.iter().find(|line| line.policy.id() == "nohang").unwrap();
    assert_eq!(nohang.here, KillerHere::Configured);
    for (width, part) in
        [(80, "free swap"), (120, "free swap"), (200, "free swap 36%, acts at 10%")]
    {
        let shown = seen(&mut player.app, width, 24);
        let line = line_with(&shown, " earlyoom ");
        assert!(line.contains("running") && line.contains(part), "{width}: {line}");
    }
}

#[test]
fn the_kernels_of_history_are_folded_away_until_they_are_asked_for() {
    let mut player = player();
    player.play("<A-3>");
    let past = |player: &Player| {
        let lines = player.app.views.verdicts.lines.iter();
        lines.filter(|line| line.policy.info().kind == PolicyKind::Kernel).count()
    };
    assert_eq!(past(&player), 0);
    let folded = player.app.views.verdicts.folded;
    let all = POLICIES.iter().filter(|it| it.info().kind == PolicyKind::Kernel).count();
    assert_eq!(folded, all);
    let shown = seen(&mut player.app, 120, 40);
    assert!(shown.contains(&format!("+ shows {all} past kernels")), "{shown}");
    player.play("+");
    assert_eq!((past(&player), player.app.views.verdicts.folded), (all, 0));
    player.play("-");
    assert_eq!(past(&player), 0);
    // The one that ranks stays on the screen.
    player.play("v2.4.20<Enter><Esc><A-3>");
    assert_eq!(under_cursor(&player), "linux-2.4");
    assert_eq!(past(&player), 1);
}

#[test]
fn enter_ranks_by_the_policy_and_shows_the_processes() {
    let mut player = player();
    player.play("<A-3>");
    puts(&mut player, "linux-2.4");
    player.play("<Enter>");
    assert_eq!(player.app.views.kind, ViewKind::Processes);
    assert_eq!(player.app.policy().id(), "linux-2.4");
    player.play("<A-3>");
    assert_eq!(under_cursor(&player), "linux-2.4");
    player.play("<Esc>");
    assert_eq!(player.app.views.kind, ViewKind::Processes);
}

#[test]
fn the_cursor_holds_to_its_policy() {
    let mut player = player();
    player.play("<A-3>");
    puts(&mut player, "panic");
    for script in ["i", "i", "<Tab><Tab><Tab><Tab><Tab>", "v<Down><Enter>", "s<Esc>"] {
        player.play(script);
        assert_eq!(under_cursor(&player), "panic", "{script}");
    }
    player.sample((*samples("db-03.jsonl")[1]).clone());
    assert_eq!(under_cursor(&player), "panic");
    player.play("<End>");
    assert_eq!(player.app.views.verdicts.cursor.at, POLICIES.len() - 1);
    player.play("<PgUp><PgUp><PgUp><PgUp>");
    assert_eq!(under_cursor(&player), "linux");
}

#[test]
fn hiding_leaves_those_with_another_victim() {
    let mut player = player();
    player.play("<A-3>+i");
    let own = player.app.views.verdicts.lines[0].dies();
    let shown = &player.app.views.verdicts.lines;
    assert!(shown.len() > 1 && shown.len() < POLICIES.len());
    assert_eq!(shown[0].policy.id(), "linux", "the current one stays");
    for line in &shown[1..] {
        assert!(line.dies() != own || line.outcome.overridden.is_some(), "{}", line.policy.id());
    }
    assert_eq!(player.app.views.verdicts.hidden, POLICIES.len() - shown.len());
    player.play("i");
    assert_eq!(player.app.views.verdicts.lines.len(), POLICIES.len());
}

#[test]
fn nobody_is_acted_on_from_the_verdicts() {
    for script in ["a", "k", "X", "r", "<F7>", "<F8>", "<F9>", "<S-F7>", "]", "[", "7"] {
        let mut player = player();
        player.play("<A-3><Down>");
        assert_eq!(player.play(script), [], "{script}");
        assert!(player.notice().contains("choose a process first"), "{script}");
        assert!(matches!(player.app.mode, Mode::Browse));
    }
    let mut player = player();
    player.play("<A-3>:sacrifice<Enter>");
    assert!(matches!(player.app.mode, Mode::Browse));
}

#[test]
fn no_key_of_the_view_is_silent() {
    for row in keys_of(KeyContext::Verdicts) {
        for &key in row.keys {
            let mut app = app(&["Down", "Down", "Right", "Right"], 80, 24);
            app.display.notice = None;
            let before = seen(&mut app, 80, 24);
            let at = Millis(app.clock().0 + 1000);
            let asked = app.update(Msg::Key(key, at));
            let after = seen(&mut app, 80, 24);
            assert!(!asked.is_empty() || after != before, "{key}: {}", row.help);
        }
    }
}

#[test]
fn what_every_policy_judges_by_is_read_while_the_view_is_open() {
    let mut player = player();
    let closed = player.app.needs();
    player.play("<A-3>");
    let open = player.app.needs();
    for policy in POLICIES {
        let theirs = policy.needs();
        assert!(open.status >= theirs.status && open.cgroup >= theirs.cgroup, "{}", policy.id());
        assert!(open.cmdline >= theirs.cmdline && open.cgroups >= theirs.cgroups);
    }
    player.play("<Esc>");
    let again = player.app.needs();
    assert_eq!((again.cgroup, again.cgroups), (closed.cgroup, closed.cgroups));
}

#[test]
fn nothing_is_asked_while_the_view_is_closed() {
    let player = player();
    assert!(player.app.views.verdicts.lines.is_empty());
}

#[test]
fn the_same_looks_give_the_same_view() {
    let shown = || seen(&mut app(&["End"], 120, 40), 120, 40);
    assert_eq!(shown(), shown());
}

/// A line of the list, or of a panel.
fn line_with(shown: &str, part: &str) -> String {
    let found = shown.lines().find(|line| line.contains(part));
    found.unwrap_or_else(|| panic!("no line has {part:?} in\n{shown}")).to_owned()
}

#[test]
fn victims_are_marked_without_colour_too() {
    let mut app = app(&[], 80, 24);
    let shown = text(&paint(&mut app, MONO, 80, 24).0);
    let row = shown.lines().find(|line| line.trim_start().starts_with("20731")).unwrap();
    assert!(row.contains("[1]"), "{row}");
    // Too close to call: everybody who may be it.
    let mut sample = (*samples("db-03.jsonl")[1]).clone();
    let at = sample.position(4411).unwrap();
    sample.processes[at].rss_stat.0 += 201_264 - 50;
    app.update(Msg::Sampled(Arc::new(sample)));
    let shown = text(&paint(&mut app, MONO, 80, 24).0);
    let row = |pid: &str| {
        shown.lines().find(|line| line.trim_start().starts_with(pid)).unwrap().to_owned()
    };
    assert!(row("20731").contains('?') && row("4411").contains('?'), "{shown}");
    let first = line_with(&shown, ">*linux");
    assert!(first.contains("one of 2: ") || first.contains("too close"), "{first}");
}

fn on(change: impl Fn(&mut Snapshot)) -> Player {
    let mut frames = samples("db-03.jsonl").into_iter().map(|sample| {
        let mut sample = (*sample).clone();
        change(&mut sample);
        sample
    });
    let mut player = Player::on(frames.next().unwrap());
    frames.for_each(|sample| player.sample(sample));
    player
}

#[test]
fn why_nothing_dies_is_said_in_words() {
    let mut safe = on(|sample| {
        sample.processes.iter_mut().for_each(|it| it.adj = Reading::Value(Adj::MIN));
    });
    safe.play("<A-3>");
    let shown = seen(&mut safe.app, 120, 40);
    let card = line_with(&shown, "│ victim");
    assert!(card.contains("NO PROCESS can be chosen"), "{card}");
    assert!(shown.contains("all processes are protected: an OOM now would panic"), "{shown}");

    let mut player = player();
    player.play("<A-3>");
    puts(&mut player, "linux-2.4");
    let shown = seen(&mut player.app, 100, 24);
    assert!(shown.contains("! not armed, so nothing dies by it now: waits until swap is full"));
    puts(&mut player, "panic");
    let shown = seen(&mut player.app, 120, 40);
    assert!(line_with(&shown, "│ victim").contains("panics the kernel"), "{shown}");
}

#[test]
fn the_gate_of_2_4_is_told_condition_by_condition() {
    let mut player = player();
    player.play("<A-3>");
    puts(&mut player, "linux-2.4");
    let parts = [
        "unmet      free swap",
        "NOT met    free swap: 3016608 KiB; needs none",
        "unknown    last failure: needs at most 5 s ago",
        "unknown    first failure: needs at least 1 s ago",
        "unknown    failures counted: needs at least 10",
        "failures   1 kill since doomtop started",
    ];
    let shown = seen(&mut player.app, 200, 60);
    for part in parts {
        assert!(shown.contains(part), "{part:?} in\n{shown}");
    }
    // The same where that policy ranks: in the panel of the machine and on the page.
    player.play("<Enter>");
    assert!(seen(&mut player.app, 200, 60).contains(parts[1]));
    player.play("<Enter>");
    let shown = seen(&mut player.app, 120, 70);
    assert!(shown.contains("When the killer acts"), "{shown}");
    for part in parts {
        let (label, text) = part.split_at(11);
        let line = shown.lines().find(|line| line.contains(label.trim()) && line.contains(text));
        assert!(line.is_some(), "{part:?} in\n{shown}");
    }
}

#[test]
fn where_whoever_asks_dies_those_who_grow_are_named() {
    let mut player = on(|sample| sample.sysctls.oom_kill_allocating_task = Reading::Value(true));
    for id in ["linux", "linux-2.4.23"] {
        player.play("<A-3>");
        puts(&mut player, id);
        let shown = seen(&mut player.app, 120, 40);
        assert!(shown.contains("the task that allocates memory next"), "{shown}");
        let line = line_with(&shown, "fastest: ");
        assert!(line.contains("30114 cc1plus +"), "{line}");
        player.play("<Enter>");
        assert!(seen(&mut player.app, 200, 60).contains("fastest: "), "{id}");
    }
}

#[test]
fn who_grows_is_found_once_a_look_and_only_where_it_is_shown() {
    let asking =
        |sample: &mut Snapshot| sample.sysctls.oom_kill_allocating_task = Reading::Value(true);
    let mut player = on(asking);
    let small = |player: &mut Player| drop(seen(&mut player.app, 80, 24));
    small(&mut player);
    let next = || {
        let mut sample = (*samples("db-03.jsonl")[1]).clone();
        asking(&mut sample);
        sample
    };
    player.app.update(Msg::Sampled(Arc::new(next())));
    assert_eq!(player.app.growing, None, "no panel shows it");
    seen(&mut player.app, 120, 40);
    assert!(player.app.growing.is_some());
    small(&mut player);
    player.app.update(Msg::Sampled(Arc::new(next())));
    assert_eq!(player.app.growing, None, "a new look");
    player.app.update(Msg::Key(keys("<Enter>")[0], Millis(player.app.clock().0 + 1)));
    assert!(player.app.growing.is_some(), "the explain page does");
    let mut other = on(|_| {});
    seen(&mut other.app, 120, 40);
    assert!(other.app.growing.is_some(), "the machine's panel names them under any rule");
}

#[test]
fn a_pipe_is_told_every_verdict_where_it_asks() {
    let mut app = app(&[], 80, 24);
    paint(&mut app, FULL, 80, 24);
    let context = app.context().expect("a look");
    let answers = doomtop::report::verdicts::answers(&context, app.policy());
    let mut line = Vec::new();
    let extras = LineExtras { verdicts: Some(answers), ..LineExtras::default() };
    doomtop::report::json::write_line_with(&mut line, &context, &[], None, extras).unwrap();
    let frame: serde_json::Value = serde_json::from_slice(&line).unwrap();
    let verdicts = frame["verdicts"].as_array().unwrap();
    assert_eq!(verdicts.len(), POLICIES.len());
    assert_eq!(verdicts[0]["policy"], "linux");
    assert_eq!(
        verdicts[0]["victim"],
        frame["victim"]
            .as_object()
            .map(|it| { serde_json::json!({"pid": it["pid"], "comm": it["comm"]}) })
            .unwrap()
    );
    assert_eq!(verdicts[0]["margin"], frame["margin_pages"]);
    let old = verdicts.iter().find(|it| it["policy"] == "linux-2.4").unwrap();
    assert_eq!(old["armed"]["ready"], false);
    assert_eq!(old["armed"]["triggers"][0]["met"], false);
    assert_eq!(old["signal"], 9);
    let gone = verdicts.iter().find(|it| it["policy"] == "linux-2.4.23").unwrap();
    assert_eq!(gone["off"]["by"], "no_killer");
    let schema = include_str!("../../assets/docs/schema.md");
    for key in verdicts[0].as_object().unwrap().keys() {
        assert!(schema.contains(&format!("`{key}`")), "{key} is described");
    }
    let mut line = Vec::new();
    doomtop::report::json::write_line(&mut line, &context, &[], None).unwrap();
    let frame: serde_json::Value = serde_json::from_slice(&line).unwrap();
    assert!(frame.get("verdicts").is_none(), "nothing heavy by default");
    let manner = doomtop::report::line::TextStyle { cut: None, ascii: true };
    let mut lines = Vec::new();
    doomtop::report::verdicts::write_verdicts(&mut lines, &context, app.policy(), manner).unwrap();
    let lines = String::from_utf8(lines).unwrap();
    assert_eq!(lines.trim().lines().count(), POLICIES.len());
    assert!(lines.contains("not armed: waits until swap is full"), "{lines}");
}

#[test]
fn the_verdicts_are_as_they_were() {
    for (width, height) in [(40, 10), (80, 24), (120, 40), (200, 60)] {
        let mut app = app(&[], width, height);
        let (buffer, _) = paint(&mut app, FULL, width, height);
        insta::assert_snapshot!(
            format!("verdicts-{width}x{height}"),
            crate::screens::styled(&buffer)
        );
    }
    for (name, script) in [("other", &["i"][..]), ("menu", &["v", "v"]), ("past", &["+", "End"])] {
        let mut app = app(script, 80, 24);
        let (buffer, _) = paint(&mut app, FULL, 80, 24);
        insta::assert_snapshot!(format!("verdicts-{name}"), text(&buffer));
    }
}

/// CPU time of asking every policy about so many processes.
fn cost_of(count: i32) -> Duration {
    let mut sample = usual();
    sample.processes = (0..count).map(|nth| process(1000 + nth, "job", 500 + nth as u64)).collect();
    let scene = Scene::new(Arc::new(sample), None);
    let own = Ranking::new(&policy::LINUX, &scene);
    let ask = || opinions(&all_policies(&policy::LINUX), &scene, (&policy::LINUX, &own));
    let (took, all) = cpu_time(ask);
    assert_eq!(all.len(), POLICIES.len());
    took
}

#[test]
fn many_processes_take_no_more_than_their_number() {
    assert_linear(500, cost_of);
}

fn any_script() -> impl Strategy<Value = String> {
    let tokens = [
        "<Tab>", "<A-3>", "<A-1>", "<A-2>", "s", "S", "<Enter>", "<Esc>", "<Down>", "<Up>",
        "<End>", "<Home>", "<Left>", "<Right>", "i", "+", "-", "a", "k", "X", "<F7>", "v", "30114",
        "<C-e>",
    ];
    prop::collection::vec(prop::sample::select(tokens.to_vec()), 1..25).prop_map(|it| it.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Asking others asks for nothing but looks, and no dialog opens over the view.
    #[test]
    fn asking_others_never_acts(script in any_script()) {
        let mut player = player();
        for key in keys(&script) {
            let before = player.app.views.kind;
            let dialog = matches!(player.app.mode, Mode::Adjust(_) | Mode::Signal(_));
            for request in player.key(key) {
                // What a dialog may ask for is told in scripts.rs.
                prop_assert!(dialog || matches!(request, Request::SampleNow), "{key}: {request:?}");
            }
            if !dialog && matches!(player.app.mode, Mode::Adjust(_) | Mode::Signal(_)) {
                prop_assert_eq!(before, ViewKind::Processes);
            }
            let lines = player.app.views.verdicts.lines.len();
            prop_assert!(player.app.views.verdicts.cursor.at < lines.max(1));
        }
    }
}

#[test]
fn the_view_tells_who_acts_first_and_when_at_every_size() {
    for (width, height) in [(80, 24), (100, 30), (120, 40), (160, 50), (200, 60)] {
        let mut app = crate::demo::app_before(0, 1);
        paint(&mut app, FULL, width, height);
        press(&mut app, &["Tab", "Tab"]);
        let shown = seen(&mut app, width, height);
        let at = shown.lines().find_map(|line| line.find("WAITS FOR").map(|at| (line, at)));
        let (head, at) = at.expect("a column");
        let at = head[..at].chars().count();
        let lines = shown.lines().skip_while(|line| *line != head).skip(1);
        let list: Vec<&str> = lines.take_while(|line| !line.contains(" PID ")).collect();
        let waits = |line: &str| line.chars().skip(at).collect::<String>();
        let of = |policy: &str| {
            let line = list.iter().find(|it| it.contains(policy)).expect("a running killer");
            waits(line)
        };
        let (kernel, daemon) = (of("*linux"), of("earlyoom "));
        assert!(kernel.contains("in ~") && kernel.contains(": 225 node"), "{kernel}\n{shown}");
        assert!(daemon.contains("in ~"), "{daemon}\n{shown}");
        for line in &list {
            assert!(!waits(line).contains('…'), "{width}x{height}: {line}");
        }
    }
}

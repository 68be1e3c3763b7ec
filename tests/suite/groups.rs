//! The view of cgroups, scopes, and the wall that is hit first.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use doomtop::app::keymap::bindings::{KeyContext, keys_of};
use doomtop::app::mode::Mode;
use doomtop::app::view::kind::ViewKind;
use doomtop::app::{App, Msg, Request};
use doomtop::forecast::next_death::Deaths;
use doomtop::model::{
    Cgroup, CgroupEvents, CgroupNeeds, Cgroups, Hierarchy, Limit, Pressure, PsiLine, Reading,
    Scope, Snapshot, Text, tree_order,
};
use doomtop::report::json::LineExtras;
use doomtop::report::text::DeathLines;
use doomtop::ui::Theme;
use doomtop::units::{Bytes, Millis};
use proptest::prelude::*;

use crate::cost::{assert_linear, cpu_time};
use crate::fixtures::{blank, paint, press, samples, settle, text};
use crate::stage::{Player, keys, predicted, process, usual};

const FULL: Theme = crate::fixtures::theme(true, true);
const MIB: u64 = 1 << 20;

fn at(mib: u64) -> Reading<Limit> {
    Reading::Value(Limit::At(Bytes(mib * MIB)))
}

fn holds(mib: u64) -> Reading<Bytes> {
    Reading::Value(Bytes(mib.saturating_mul(MIB)))
}

const NONE: Reading<Limit> = Reading::Value(Limit::Max);

fn quiet(avg10: f32) -> Reading<PsiLine> {
    Reading::Value(PsiLine { avg10, ..PsiLine::default() })
}

/// A cgroup of version 2 that nothing is set on.
fn group(path: &str, mib: u64) -> Cgroup {
    Cgroup {
        path: Arc::new(Text::new(path.as_bytes())),
        usage: holds(mib),
        limit: NONE,
        high: NONE,
        swap_usage: holds(0),
        swap_limit: NONE,
        reclaimable: holds(mib / 20),
        oom_group: Reading::Value(false),
        events: CgroupEvents {
            low: Reading::Value(0),
            high: Reading::Value(0),
            max: Reading::Value(0),
            oom: Reading::Value(0),
            oom_kill: Reading::Value(0),
            oom_group_kill: Reading::Value(0),
            ..CgroupEvents::default()
        },
        pressure: Pressure::of_memory(quiet(0.0), quiet(0.0)),
        ..Cgroup::default()
    }
}

/// The same where every process has a cgroup of its own under `/jobs`.
fn grouped_flat(sample: &Snapshot) -> Snapshot {
    let mut sample = sample.clone();
    let own = sample.processes.iter().filter_map(|it| it.cgroup.as_ref().value());
    let own = own.map(|path| Cgroup { path: Arc::clone(path), ..group("/", 10) });
    let mut list =
        vec![Cgroup { usage: Reading::Missing, limit: Reading::Missing, ..group("/", 0) }];
    list.push(group("/jobs", 1000));
    list.extend(own);
    sample.cgroups = Arc::new(Cgroups {
        hierarchy: Reading::Value(Hierarchy::V2),
        read_ms: sample.clock.monotonic_ms,
        list,
    });
    sample
}

/// The look with a tree of cgroups: every path that a process lives in, and all above.
pub fn grouped(sample: &Snapshot) -> Snapshot {
    let mut paths: BTreeSet<String> = BTreeSet::new();
    for process in &sample.processes {
        let Reading::Value(path) = &process.cgroup else { continue };
        let mut path = path.as_str().trim_end_matches('/');
        while let Some(cut) = path.rfind('/') {
            paths.insert(path.to_owned());
            path = &path[..cut];
        }
    }
    let mut list: Vec<Cgroup> = paths
        .iter()
        .map(|path| {
            let within = sample.processes.iter().filter(|process| {
                let own = process.cgroup.as_ref().value();
                own.is_some_and(|own| doomtop::model::is_within(own.as_str(), path))
            });
            let pages = within.fold(0_u64, |sum, process| sum.saturating_add(process.rss_stat.0));
            // Text neutralises what it is given: the path was neutral already.
            let raw = doomtop::model::unescape(path);
            Cgroup { path: Arc::new(Text::new(&raw)), ..group("/", pages / 256) }
        })
        .collect();
    list.push(Cgroup {
        path: Arc::new(Text::new(b"/")),
        usage: Reading::Missing,
        limit: Reading::Missing,
        ..Cgroup::default()
    });
    list.sort_by(|a, b| tree_order(a.path.as_str(), b.path.as_str()));
    let mut sample = sample.clone();
    sample.cgroups = Arc::new(Cgroups {
        hierarchy: Reading::Value(Hierarchy::V2),
        read_ms: sample.clock.monotonic_ms,
        list,
    });
    sample
}

/// The machine of the pictures with limits: the build is about to hit its own.
pub fn limited(sample: &Snapshot, grown: u64) -> Snapshot {
    let mut sample = grouped(sample);
    for group in &mut Arc::make_mut(&mut sample.cgroups).list {
        match group.path.as_str() {
            "/system.slice/ci-build.service" => {
                group.limit = at(3072);
                group.usage = holds(2760 + grown);
                group.high = at(2900);
                group.swap_limit = at(0);
                group.reclaimable = holds(20);
                group.oom_group = Reading::Value(true);
                group.events.oom = Reading::Value(3);
                group.events.oom_kill = Reading::Value(2);
                group.events.oom_group_kill = Reading::Value(1);
                group.events.max = Reading::Value(1204);
                group.pressure = Pressure::of_memory(quiet(22.1), quiet(9.8));
            }
            "/system.slice/mysql.service" => {
                group.limit = at(8192);
                group.swap_usage = holds(900);
                group.swap_limit = at(2048);
            }
            "/system.slice/prometheus.service" => group.limit = at(2048),
            "/system.slice/redis.service" => {
                group.limit = at(1664);
                group.swap_limit = at(0);
            }
            "/user.slice/user-1000.slice" => group.limit = at(4096),
            _ => {}
        }
    }
    sample
}

/// An app that looks at it.
pub fn limited_app() -> App {
    let mut app = blank();
    for (sample, grown) in samples("db-03.jsonl").iter().zip([0, 10]) {
        app.update(Msg::Sampled(Arc::new(limited(sample, grown))));
    }
    app
}

/// An app with a tree of hostile names, every third of them limited.
pub fn hostile_app() -> App {
    let mut app = blank();
    for sample in samples("hostile.jsonl") {
        let mut sample = grouped(&sample);
        for (nth, group) in Arc::make_mut(&mut sample.cgroups).list.iter_mut().enumerate() {
            if nth % 3 == 1 {
                group.limit = at(nth as u64 * 7);
                group.oom_group = Reading::Value(nth % 2 == 0);
            }
        }
        app.update(Msg::Sampled(Arc::new(sample)));
    }
    app
}

fn player() -> Player {
    let frames = samples("db-03.jsonl");
    let mut player = Player::on(limited(&frames[0], 0));
    player.sample(limited(&frames[1], 10));
    player
}

fn under_cursor(player: &Player) -> String {
    let line = player.app.group_line().expect("a line");
    player.app.group_at(line).map_or("global".to_owned(), |group| group.path.to_string())
}

#[test]
fn tab_steps_between_the_views() {
    let mut player = player();
    assert_eq!(player.app.needs().cgroups, CgroupNeeds::Limits);
    assert_eq!(player.play("<Tab>"), [Request::SampleNow]);
    assert_eq!(player.app.views.kind, ViewKind::Cgroups);
    assert_eq!(player.app.needs().cgroups, CgroupNeeds::Everything);
    assert!(player.app.needs().cgroup);
    player.play("<Tab>");
    assert_eq!(player.app.views.kind, ViewKind::Verdicts);
    player.play("<Tab>");
    assert_eq!(player.app.views.kind, ViewKind::Memory);
    player.play("<Tab>");
    assert_eq!(player.app.views.kind, ViewKind::Events);
    player.play("<Tab>");
    assert_eq!(player.app.views.kind, ViewKind::Processes);
    player.play("<A-2>");
    assert_eq!(player.app.views.kind, ViewKind::Cgroups);
    player.play("<Esc>");
    assert_eq!(player.app.views.kind, ViewKind::Processes);
    player.play("<S-Tab><S-Tab><S-Tab>");
    assert_eq!(player.app.views.kind, ViewKind::Verdicts);
    player.play("<S-Tab>");
    assert_eq!(player.app.views.kind, ViewKind::Cgroups);
    player.play("<A-1>");
    assert_eq!(player.app.views.kind, ViewKind::Processes);
}

#[test]
fn the_first_look_knows_who_lives_where() {
    assert!(blank().needs().cgroup, "a container's limit may be the scope by itself");
    let mut bare = blank();
    bare.update(Msg::Sampled(Arc::new(usual())));
    assert!(!bare.needs().cgroup, "nobody asks for it where there is no wall");
}

#[test]
fn enter_looks_at_the_domain_under_the_cursor() {
    let mut player = player();
    player.play("<Tab>B");
    assert_eq!(under_cursor(&player), "/system.slice/ci-build.service");
    player.play("<Enter>");
    assert_eq!(player.app.views.kind, ViewKind::Processes);
    assert_eq!(player.pids(), [30114, 30101]);
    assert_eq!(player.cursor(), Some(30114));
    assert_eq!(player.app.needs().cgroups, CgroupNeeds::Everything);
    player.play("S");
    assert_eq!(player.pids().len(), 14);
    assert!(player.app.scene.as_ref().unwrap().domain().is_global());
    player.play("S");
    assert!(player.notice().contains("already"), "{}", player.notice());
}

#[test]
fn the_menu_lists_the_chain_of_the_process_and_then_the_nearest() {
    let mut player = player();
    player.play("30114<Esc>s");
    let Mode::Menu(menu) = &player.app.mode else { panic!("a list") };
    let listed: Vec<(&str, &str)> =
        menu.items.iter().map(|item| (item.label.as_str(), item.hint.as_str())).collect();
    assert_eq!(listed[0], ("global", "the machine"));
    assert_eq!(listed[1], ("/system.slice/ci-build.service", "limit 3.00G; under the cursor"));
    assert_eq!(listed[2], ("/system.slice", "no limit; above that"));
    assert!(listed[3].0.contains("redis") && listed[3].1.ends_with(" left"), "{listed:?}");
    player.play("<Down><Down><Enter>");
    assert_eq!(player.app.settings.scope, Scope::parse("/system.slice").unwrap());
    assert!(!player.pids().contains(&20731), "chrome is in user.slice");
    // What is chosen stays chosen, and is the one that the list begins with.
    player.play("s");
    let Mode::Menu(menu) = &player.app.mode else { panic!("a list") };
    assert!(menu.chosen().is_some_and(|item| item.label == "/system.slice"));
    player.play("<Esc><Tab>s<Esc>");
    assert_eq!(player.app.views.kind, ViewKind::Cgroups, "a list that is closed leads back");
}

#[test]
fn in_a_container_back_leads_to_its_own_limit_first() {
    let mut inside = usual();
    Arc::make_mut(&mut inside.machine).initial_pid_namespace = false;
    for process in &mut inside.processes {
        process.cgroup = Reading::Value(Arc::new(Text::new(b"/job")));
    }
    let list = vec![
        Cgroup { limit: at(900), ..group("/", 500) },
        Cgroup { limit: at(800), ..group("/job", 400) },
    ];
    let hierarchy = Reading::Value(Hierarchy::V2);
    inside.cgroups = Arc::new(Cgroups { hierarchy, read_ms: Millis(0), list });
    let mut player = Player::on(inside);
    let domain = |player: &Player| player.app.scene.as_ref().unwrap().domain().name.to_string();
    assert_eq!(domain(&player), "/");
    assert_eq!(player.app.needs().cgroups, CgroupNeeds::Everything);
    let seen = |player: &mut Player| text(&paint(&mut player.app, FULL, 160, 50).0);
    assert!(seen(&mut player).contains("scope / (container limit)"));
    player.play("S");
    assert_eq!(domain(&player), "global");
    assert!(seen(&mut player).contains("scope global (of the host)"));
    player.play("S");
    assert_eq!(domain(&player), "/");
    player.play("s/job<Enter>");
    assert_eq!(domain(&player), "/job");
    player.play("S");
    assert_eq!(domain(&player), "/");
}

#[test]
fn hiding_leaves_limits_and_what_leads_to_them() {
    let mut player = player();
    player.play("<Tab>t");
    let all = player.app.views.cgroups.lines.len();
    player.play("i");
    let names: Vec<String> = player
        .app
        .views
        .cgroups
        .lines
        .iter()
        .filter_map(|line| player.app.group_at(line))
        .map(|group| group.path.to_string())
        .collect();
    assert_eq!(
        names,
        [
            "/system.slice",
            "/system.slice/ci-build.service",
            "/system.slice/mysql.service",
            "/system.slice/prometheus.service",
            "/system.slice/redis.service",
            "/user.slice",
            "/user.slice/user-1000.slice"
        ]
    );
    let depths: Vec<u16> = player.app.views.cgroups.lines.iter().map(|line| line.depth).collect();
    assert_eq!(depths, [0, 0, 1, 1, 1, 1, 0, 1]);
    player.play("i");
    assert_eq!(player.app.views.cgroups.lines.len(), all);
}

#[test]
fn the_cursor_holds_to_its_cgroup() {
    let mut player = player();
    player.play("<Tab><Down><Down><Down>");
    let held = under_cursor(&player);
    for script in ["B", "t", "i", "i", "vv<Enter>", "<Tab><Tab><Tab><Tab><Tab>"] {
        player.play(script);
        if player.app.views.cgroups.lines.len() > 10 {
            assert_eq!(under_cursor(&player), held, "{script}");
        }
    }
    player.play("<End>");
    assert_eq!(player.app.views.cgroups.cursor.at, player.app.views.cgroups.lines.len() - 1);
    player.play("<Home><PgDn><PgUp>");
    assert_eq!(under_cursor(&player), "global");
}

#[test]
fn nobody_is_acted_on_from_the_tree() {
    for script in ["a", "k", "X", "r", "<F7>", "<F8>", "<F9>", "<S-F7>", "]", "[", "7"] {
        let mut player = player();
        player.play("<Tab><Down>");
        assert_eq!(player.play(script), [], "{script}");
        assert!(player.notice().contains("choose a process first"), "{script}");
        assert!(matches!(player.app.mode, Mode::Browse));
    }
    // The palette offers only what the view can do.
    let mut player = player();
    player.play("<Tab>:sacrifice<Enter>");
    assert!(matches!(player.app.mode, Mode::Browse));
}

/// Every key of the view does something that can be seen, or is told why not.
#[test]
fn no_key_of_the_view_is_silent() {
    let seen = |player: &mut Player| text(&paint(&mut player.app, FULL, 120, 20).0);
    for row in keys_of(KeyContext::Cgroups) {
        for &key in row.keys {
            let mut player = player();
            player.play("<Tab><End><Up><Up>");
            player.app.display.notice = None;
            let before = seen(&mut player);
            player.now += 1000;
            let asked = player.app.update(Msg::Key(key, Millis(player.now)));
            assert!(!asked.is_empty() || seen(&mut player) != before, "{key}: {}", row.help);
        }
    }
}

#[test]
fn the_header_says_which_wall_is_hit_first() {
    let mut app = limited_app();
    for (width, height) in [(120, 40), (200, 60)] {
        let shown = text(&paint(&mut app, FULL, width, height).0);
        let line = shown.lines().find(|line| line.contains("nearest limit")).unwrap();
        assert!(line.contains("ci-build.service"), "{line}");
        assert!(line.contains("322M left: 30114 cc1plus"), "{line}");
        assert!(line.contains("2.71/3.00G"), "{line}");
    }
    // Where the machine has the only wall, its gauges say the same.
    let mut bare = blank();
    bare.update(Msg::Sampled(Arc::clone(&samples("db-03.jsonl")[0])));
    assert!(!text(&paint(&mut bare, FULL, 200, 60).0).contains("nearest limit"));
}

#[test]
fn a_dialog_tells_apart_what_the_killer_and_a_signal_take() {
    let mut app = limited_app();
    paint(&mut app, FULL, 100, 60);
    press(&mut app, &["30114", "Esc", "X"]);
    let shown = text(&paint(&mut app, FULL, 100, 40).0);
    assert!(shown.contains("1 more in /system.slice/ci-build.service survive"), "{shown}");
    press(&mut app, &["Esc", "Enter"]);
    let shown = text(&paint(&mut app, FULL, 120, 60).0);
    for part in [
        "1 more of /system.slice/ci-build.service (memory.oom.group): an OOM kills it as a whole",
        "limit 3.00G: 90% full; in that domain rank 1; memory.oom.group",
    ] {
        assert!(shown.contains(part), "{part:?} in\n{shown}");
    }
    press(&mut app, &["Esc", "20731", "Esc", "Enter", "End"]);
    let shown = text(&paint(&mut app, FULL, 120, 60).0);
    assert!(
        shown.contains(
            "limit 4.00G at /user.slice/user-1000.slice: 11% full; in that domain rank 1"
        ),
        "{shown}"
    );
}

#[test]
fn a_pipe_is_told_the_first_wall_too() {
    let frames = samples("db-03.jsonl");
    let now = Arc::new(limited(&frames[1], 10));
    let before = Arc::new(limited(&frames[0], 0));
    let mut app = blank();
    app.update(Msg::Sampled(before));
    app.update(Msg::Sampled(now));
    let context = app.context().expect("a look");
    let mut line = Vec::new();
    let next = predicted("/system.slice/ci-build.service", Millis(64_400));
    let deaths = Deaths { next: Some(next.clone()), list: vec![next] };
    let extras = LineExtras { verdicts: None, deaths: deaths.clone(), kills: &[] };
    doomtop::report::json::write_line_with(&mut line, &context, &[], None, extras).unwrap();
    let frame: serde_json::Value = serde_json::from_slice(&line).unwrap();
    let wanted = serde_json::json!({
        "name": "/system.slice/ci-build.service",
        "limit_bytes": 3_221_225_472_u64,
        "headroom_bytes": 337_641_472,
        "hit_in_ms": 64_400,
        "victim": {"pid": 30114, "comm": "cc1plus"},
    });
    assert_eq!(frame["first_wall"], wanted);
    let manner = doomtop::report::line::TextStyle { cut: None, ascii: true };
    let mut text = Vec::new();
    let lines = DeathLines { predicted: Some(&deaths), killed: &[] };
    doomtop::report::text::write_sample(&mut text, &context, &[], &[], lines, manner).unwrap();
    let text = String::from_utf8(text).unwrap();
    let line = text.lines().find(|line| line.starts_with("nearest limit: ")).unwrap();
    assert_eq!(
        line,
        "nearest limit: /system.slice/ci-build.service 2.71/3.00G, 322M left, full in ~65s: \
         30114 cc1plus 616/1000 +1 with it"
    );
}

#[test]
fn the_view_says_why_it_is_empty() {
    let mut sample = (*samples("db-03.jsonl")[0]).clone();
    Arc::make_mut(&mut sample.cgroups).hierarchy = Reading::Missing;
    let mut app = blank();
    app.update(Msg::Sampled(Arc::new(sample)));
    press(&mut app, &["Tab"]);
    let shown = text(&paint(&mut app, FULL, 80, 24).0);
    assert!(shown.contains("no memory cgroups can be seen here"), "{shown}");
    assert!(shown.contains("global"), "{shown}");
}

#[test]
fn an_absence_says_of_which_kind_it_is() {
    let mut sample = limited(&samples("db-03.jsonl")[0], 0);
    let list = &mut Arc::make_mut(&mut sample.cgroups).list;
    let group = list.iter_mut().find(|it| it.path.as_str() == "/user.slice").unwrap();
    group.usage = Reading::Denied;
    group.high = Reading::Missing;
    group.swap_usage = Reading::NotAsked;
    let mut app = blank();
    app.update(Msg::Sampled(Arc::new(sample)));
    press(&mut app, &["Tab", "t", "End", "Up", "Up", "Up", "Up"]);
    let shown = text(&paint(&mut app, FULL, 200, 60).0);
    let row = shown.lines().find(|line| line.contains("> /user.slice")).expect("its row");
    let cells: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(cells[..6], [">", "/user.slice", "!", "max", "?/max", "-"], "{row}");
    for words in
        ["may not be read (!), no limit", "does not exist here (-)", "was not read yet (?)"]
    {
        assert!(shown.contains(words), "{words} in\n{shown}");
    }
}

/// Version 1 may be told to kill nobody at the wall.
#[test]
fn whoever_waits_is_not_killed() {
    let mut sample = limited(&samples("db-03.jsonl")[0], 0);
    let groups = Arc::make_mut(&mut sample.cgroups);
    groups.hierarchy = Reading::Value(Hierarchy::V1);
    let group = groups.list.iter_mut().find(|it| it.path.as_str().ends_with("redis.service"));
    group.unwrap().oom_kill_disabled = Reading::Value(true);
    let mut app = blank();
    app.update(Msg::Sampled(Arc::new(sample)));
    press(&mut app, &["Tab"]);
    let shown = text(&paint(&mut app, FULL, 80, 24).0);
    let row = shown.lines().find(|line| line.contains("redis")).expect("its row");
    assert!(row.ends_with("no kill: waits"), "{row}");
}

#[test]
fn the_view_is_as_it_was() {
    for (width, height) in [(40, 10), (80, 24), (120, 40), (200, 60)] {
        let mut app = limited_app();
        paint(&mut app, FULL, width, height);
        press(&mut app, &["Tab", "Down", "Down", "Down"]);
        settle(&mut app);
        let (buffer, _) = paint(&mut app, FULL, width, height);
        insta::assert_snapshot!(
            format!("cgroups-{width}x{height}"),
            crate::screens::styled(&buffer)
        );
    }
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        let mut app = limited_app();
        paint(&mut app, FULL, width, height);
        press(&mut app, &["Tab", "B", "Enter"]);
        settle(&mut app);
        let (buffer, _) = paint(&mut app, FULL, width, height);
        insta::assert_snapshot!(
            format!("scoped-{width}x{height}"),
            crate::screens::styled(&buffer)
        );
    }
    for (name, script) in
        [("by-wall", &["Tab", "B", "Down"][..]), ("scope-menu", &["s"]), ("hidden", &["Tab", "i"])]
    {
        let mut app = limited_app();
        paint(&mut app, FULL, 80, 24);
        press(&mut app, script);
        settle(&mut app);
        let (buffer, _) = paint(&mut app, FULL, 80, 24);
        insta::assert_snapshot!(format!("cgroups-{name}"), text(&buffer));
    }
}

/// CPU time that the view takes for so many limited cgroups.
fn view_of(count: i32) -> Duration {
    let mut sample = usual();
    sample.processes = (0..count)
        .map(|nth| {
            let mut it = process(1000 + nth, "job", 500 + nth as u64);
            it.cgroup = Reading::Value(Arc::new(Text::new(format!("/jobs/{nth:05}").as_bytes())));
            it
        })
        .collect();
    let mut sample = grouped_flat(&sample);
    for group in &mut Arc::make_mut(&mut sample.cgroups).list[2..] {
        group.limit = at(100);
        group.oom_group = Reading::Value(true);
    }
    let mut player = Player::on(sample);
    let (took, _) = cpu_time(|| player.play("<Tab>B<End>"));
    assert_eq!(player.app.views.cgroups.lines.len(), count as usize + 2);
    took
}

#[test]
fn many_cgroups_take_no_more_than_their_number() {
    assert_linear(1250, view_of);
}

fn any_script() -> impl Strategy<Value = String> {
    let tokens = [
        "<Tab>", "<A-1>", "<A-2>", "<A-3>", "<S-Tab>", "s", "S", "<Enter>", "<Esc>", "<Down>",
        "<Up>", "<End>", "<Home>", "B", "t", "i", "a", "k", "X", "<F7>", "v", "30114", "K",
    ];
    prop::collection::vec(prop::sample::select(tokens.to_vec()), 1..25).prop_map(|it| it.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Looking elsewhere asks for nothing but looks, and a dialog is about somebody in the table.
    #[test]
    fn looking_elsewhere_never_acts(script in any_script()) {
        let mut player = player();
        for key in keys(&script) {
            let shown = player.pids();
            let before = player.app.views.kind;
            let dialog = player.app.mode.asks();
            for request in player.key(key) {
                // What a dialog may ask for is told in scripts.rs.
                prop_assert!(dialog || matches!(request, Request::SampleNow), "{key}: {request:?}");
            }
            let who = match &player.app.mode {
                Mode::Adjust(edit) => edit.who,
                Mode::Signal(confirm) => confirm.plan.who,
                _ => continue,
            };
            if dialog {
                continue;
            }
            prop_assert_eq!(before, ViewKind::Processes);
            prop_assert!(shown.contains(&who.pid), "{key} opens a dialog about {who}");
        }
    }
}

#[test]
fn swap_in_what_is_left_is_told() {
    let mut app = limited_app();
    press(&mut app, &["Alt-2"]);
    let screen = text(&paint(&mut app, FULL, 120, 40).0);
    let limits = app.views.cgroups.lines.iter().filter_map(|line| line.limit.clone());
    let swapping: Vec<_> = limits.filter(|it| it.swap > Bytes(0)).collect();
    assert!(!swapping.is_empty() && swapping.iter().all(|it| it.swap <= it.headroom));
    assert!(screen.contains("LEFT+SWAP"), "{screen}");
    let narrow = text(&paint(&mut app, FULL, 80, 24).0);
    let machine = narrow.lines().find(|line| line.starts_with("  global ")).unwrap_or_default();
    assert!(machine.split_whitespace().any(|word| word.ends_with('+')), "{narrow}");
    assert!(narrow.contains("LEFT +: with swap"), "{narrow}");
}

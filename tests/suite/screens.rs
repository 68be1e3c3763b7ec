//! What the screen shows: text and styles at many sizes, hostile machines at all of them, and the
//! pictures of the README.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use doomtop::app::keymap::bindings::{KEYS, Key};
use doomtop::app::mode::Mode;
use doomtop::app::{App, Msg, Viewport};
use doomtop::columns::COLUMNS;
use doomtop::intent::{Intent, Outcome, Refusal};
use doomtop::model::{
    MemoryBreakdown, MemorySharers, OvercommitMode, ProcId, ProcessDetail, Reading, RestartPolicy,
    ServiceUnit, Signal, Snapshot, Text,
};
use doomtop::policy::{LINUX_2_4, POLICIES, Policy};
use doomtop::ui::{self, Theme};
use doomtop::units::{Adj, Kib, Millis};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};

use crate::demo::app_before;
use crate::fixtures::{app, blank, paint, press, samples, settle, text};
use crate::groups::hostile_app;
use crate::svg::svg;

const FULL: Theme = crate::fixtures::theme(true, true);
const ASCII: Theme = crate::fixtures::theme(true, false);
const MONO: Theme = crate::fixtures::theme(false, true);

/// The machine of the pictures: the cursor on java, the compiler tagged.
fn scene() -> App {
    let mut app = app("db-03.jsonl");
    let journald = app.scene.as_ref().unwrap().now().processes.iter().find(|it| it.id.pid == 1203);
    let who = journald.unwrap().id;
    app.update(Msg::Outcome(Outcome::AdjSet {
        who,
        name: "systemd-journal".to_owned(),
        before: Adj(0),
        now: Adj(-250),
        revert: false,
    }));
    paint(&mut app, FULL, 120, 40);
    press(&mut app, &["30114", "Esc", " ", "4411", "Esc"]);
    settle(&mut app);
    app
}

/// Presses the keys; at the word `study` what would be found out about the process of the dialog
/// arrives.
fn press_or_study(app: &mut App, script: &[&str]) {
    for word in script {
        if *word != "study" {
            press(app, &[word]);
            continue;
        }
        let who = app.wanted_detail().expect("a dialog that wants to know");
        app.update(Msg::Detail(Box::new(study_of(who))));
        assert_eq!(app.wanted_detail(), None, "once");
    }
}

/// A service that comes back, and shares a little.
fn study_of(who: ProcId) -> ProcessDetail {
    ProcessDetail {
        who,
        breakdown: Reading::Value(MemoryBreakdown {
            private: Kib(11 << 20),
            anonymous: Kib(11_300_000),
            shared: Kib(96 << 10),
            swap: Kib(512 << 10),
            ..MemoryBreakdown::default()
        }),
        sharers: Reading::Value(MemorySharers::default()),
        frozen: None,
        unit: Some(ServiceUnit {
            name: Text::new(b"elasticsearch.service"),
            restart: RestartPolicy::OnFailure,
            ends_all: true,
            from: vec![Text::new(b"/usr/lib/systemd/system/elasticsearch.service")],
            main: true,
        }),
    }
}

/// Text, then for each line the runs of cells that are not plain, as `from..to style`.
pub fn styled(buffer: &Buffer) -> String {
    let mut out = text(buffer);
    out.push_str("--- styles\n");
    let area = buffer.area;
    for y in area.top()..area.bottom() {
        let mut runs: Vec<(u16, u16, String)> = Vec::new();
        for x in area.left()..area.right() {
            let cell = &buffer[(x, y)];
            let mut style = String::new();
            if cell.fg != Color::Reset {
                let _ = write!(style, "{:?}", cell.fg);
            }
            if cell.bg != Color::Reset {
                let _ = write!(style, "/{:?}", cell.bg);
            }
            for (modifier, letter) in [
                (Modifier::BOLD, 'b'),
                (Modifier::DIM, 'd'),
                (Modifier::REVERSED, 'r'),
                (Modifier::UNDERLINED, 'u'),
                (Modifier::CROSSED_OUT, 'x'),
            ] {
                if cell.modifier.contains(modifier) {
                    let _ = write!(style, "+{letter}");
                }
            }
            match runs.last_mut() {
                Some((_, end, last)) if *end == x && *last == style => *end = x + 1,
                _ => runs.push((x, x + 1, style)),
            }
        }
        runs.retain(|(_, _, style)| !style.is_empty());
        if !runs.is_empty() {
            let runs: Vec<String> =
                runs.iter().map(|(from, to, style)| format!("{from}..{to} {style}")).collect();
            let _ = writeln!(out, "{y}: {}", runs.join(", "));
        }
    }
    out
}

fn line_with(buffer: &Buffer, part: &str) -> String {
    let text = text(buffer);
    let found = text.lines().find(|line| line.contains(part));
    found.unwrap_or_else(|| panic!("no line has {part:?} in\n{text}")).to_owned()
}

/// An app in every mode, with a name for the message of a failure.
fn every_mode(name: &str) -> Vec<(&'static str, App)> {
    let scripts: &[(&str, &[&str])] = &[
        ("browse", &[]),
        ("tree", &["t"]),
        ("command lines", &["c"]),
        ("kernel threads", &["K"]),
        ("go to", &["10"]),
        ("search", &["/", "a日"]),
        ("bad filter", &["\\", "/(/"]),
        ("filter", &["\\", "zero", "Enter"]),
        ("nothing left", &["\\", "nosuchthing", "Enter"]),
        ("sort menu", &["."]),
        ("user menu", &["u"]),
        ("columns", &["f"]),
        ("palette", &[":", "so"]),
        ("signal menu", &["k"]),
        ("copy", &["y"]),
        ("edit", &["Down", "a", "-250"]),
        ("edit legacy", &["Down", "F7", "Tab"]),
        ("edit wide", &["Down", "a", "t", "t"]),
        ("several", &["Down", "a", "t", "5", "Enter"]),
        ("growth", &["A"]),
        ("promises", &["C"]),
        ("promises scrolled", &["C", "PgDn"]),
        ("alarms", &["!"]),
        ("an alarm typed", &["!", "Enter", "x日"]),
        ("journal", &["J"]),
        ("keep", &["Down", "W"]),
        ("keep path", &["Down", "W", "w", "a日b"]),
        ("sacrifice", &["Down", "X"]),
        ("signal", &["Down", "k", "Enter"]),
        ("explain", &["Down", "Enter"]),
        ("explain end", &["Down", "Enter", "End"]),
        ("help", &["?"]),
        ("help end", &["?", "End"]),
        ("help searched", &["?", "/", "psi日"]),
        ("help found", &["?", "/", "limit", "Enter", "n"]),
        ("help of a dialog", &["Down", "a", "F1"]),
        ("policy menu", &["v", "v", "2.4"]),
        ("other rule", &["v", "v", "v", "Enter"]),
        ("scrolled columns", &["Right", "Right", "Right"]),
        ("small header", &["m"]),
        ("pages", &["e"]),
        ("switches", &[":", "overcommit", "Enter", "Down", "7"]),
        ("a grave switch", &[":", "overcommit", "Enter", "2", "Enter"]),
        ("verdicts", &["Tab", "Tab", "Down"]),
        ("other verdicts", &["Tab", "Tab", "End", "i"]),
        ("memory", &["Tab", "Tab", "Tab", "Down"]),
        ("memory large", &["Tab", "Tab", "Tab", "Down", "Enter", "-"]),
        ("verdicts of 2.4", &["Tab", "Tab", "End", "Up", "Up", "Up", "Up", "Right"]),
    ];
    let mut found: Vec<(&'static str, App)> = scripts
        .iter()
        .map(|(title, script)| {
            let mut app = app(name);
            paint(&mut app, FULL, 100, 30);
            press(&mut app, script);
            (*title, app)
        })
        .collect();
    for (title, ids) in [("two columns", &["rss", "command"][..]), ("no command", &["rss", "adj"])]
    {
        let mut chosen = app(name);
        chosen.settings.columns =
            Some(COLUMNS.iter().filter(|column| ids.contains(&column.id)).collect());
        found.push((title, chosen));
    }
    let mut everything = app(name);
    everything.settings.columns = Some(COLUMNS.iter().collect());
    found.push(("all columns", everything));
    found.push(("waiting", blank()));
    if name == "hostile.jsonl" {
        let cgroups: &[(&'static str, &[&str])] = &[
            ("cgroups", &["Tab", "Down"]),
            ("cgroups by wall", &["Tab", "Down", "B"]),
            ("scoped", &["Tab", "B", "Enter"]),
            ("scope menu", &["Tab", "End", "s"]),
        ];
        for (title, script) in cgroups {
            let mut app = hostile_app();
            paint(&mut app, FULL, 100, 30);
            press(&mut app, script);
            found.push((title, app));
        }
    }
    let mut lost = app(name);
    lost.update(Msg::SourceLost("the recording ends here".to_owned()));
    found.push(("lost", lost));
    for (title, key) in [("revert", "r"), ("a journal with lines", "J")] {
        let mut reverting = app(name);
        let all: Vec<_> = reverting.table.lines.iter().map(|line| line.id).collect();
        for (nth, who) in all.into_iter().enumerate().take(40) {
            let name = format!("evil日{nth}");
            let (before, now, revert) = (Adj(0), Adj(-250), false);
            let wish = Intent::SetAdj { who, name: name.clone(), from: before, to: now, revert };
            let refusal = Refusal::Changed { from: before, found: now };
            reverting.update(Msg::Outcome(if nth % 2 == 0 {
                Outcome::AdjSet { who, name, before, now, revert }
            } else {
                Outcome::Refused { intent: wish, refusal }
            }));
        }
        press(&mut reverting, &[key, "Up"]);
        found.push((title, reverting));
    }
    found
}

/// That a picture has nothing in it but what a terminal may be given.
pub fn check_cells(buffer: &Buffer, viewport: Viewport, what: &dyn std::fmt::Display) {
    for cell in buffer.content() {
        let symbol = cell.symbol();
        // Most cells are one character of ASCII, which is told without taking it apart.
        let plain = matches!(symbol.as_bytes(), [b' '..=b'~']);
        assert!(plain || !symbol.contains(char::is_control), "{what}: {symbol:?} is in a cell");
    }
    assert!(viewport.rows <= viewport.height, "{what}: {viewport:?}");
    if viewport.width >= 40 && viewport.height >= 6 {
        assert!(viewport.rows >= 1, "{what}: {viewport:?}");
        assert!(viewport.page <= viewport.height, "{what}: {viewport:?}");
    }
}

#[test]
fn screens_are_as_they_were() {
    for (width, height) in [(80, 24), (120, 40), (200, 60), (40, 10)] {
        let (buffer, _) = paint(&mut scene(), FULL, width, height);
        insta::assert_snapshot!(format!("db-03-{width}x{height}"), styled(&buffer));
    }
    let (buffer, _) = paint(&mut scene(), ASCII, 80, 24);
    insta::assert_snapshot!("db-03-ascii", text(&buffer));
    for (name, width, height) in [("small", 80, 24), ("strict", 80, 24), ("hostile", 120, 40)] {
        let (buffer, _) = paint(&mut app(&format!("{name}.jsonl")), FULL, width, height);
        insta::assert_snapshot!(name, styled(&buffer));
    }
}

#[test]
fn dialogs_are_as_they_were() {
    for (name, script) in [
        ("adjust", &["a", "-250"][..]),
        ("legacy", &["a", "Tab", "-8"]),
        ("sacrifice", &["U", "X"]),
        ("sacrifice-studied", &["U", "X", "study"]),
        ("sacrifice-tagged", &["Down", " ", "X"]),
        ("signal-menu", &["k"]),
        ("explain", &["Enter"]),
        ("sort", &["."]),
        ("search", &["/", "pro"]),
        ("tree", &["t"]),
    ] {
        let mut app = scene();
        paint(&mut app, FULL, 80, 24);
        press_or_study(&mut app, script);
        let (buffer, _) = paint(&mut app, FULL, 80, 24);
        insta::assert_snapshot!(format!("dialog-{name}"), text(&buffer));
    }
}

/// All small sizes, and steps through the large ones.
fn every_size(step: u16) -> impl Iterator<Item = (u16, u16)> {
    let small = (1..=60).step_by(step.into()).flat_map(|w| (1..=30).map(move |h| (w, h)));
    let end = if step == 1 { 250 } else { 0 };
    let large = (61..=end).step_by(27).flat_map(|w| (1..=70).step_by(9).map(move |h| (w, h)));
    let edges = [(250, 70), (110, 32), (109, 31), (180, 50), (179, 49), (40, 6), (39, 6)];
    small.chain(large).chain(edges)
}

/// Paints the hostile machine at all sizes in every mode of this quarter: four tests may run at once.
fn survive(quarter: usize) {
    for (mode, app) in every_mode("hostile.jsonl").into_iter().skip(quarter).step_by(4) {
        for (sample, step) in [(FULL, 1), (ASCII, 7)] {
            for (width, height) in every_size(step) {
                let area = Rect::new(0, 0, width, height);
                let mut buffer = Buffer::empty(area);
                let viewport = ui::paint(&app, &sample, area, &mut buffer);
                check_cells(&buffer, viewport, &format_args!("{mode} at {width}x{height}"));
            }
        }
    }
}

#[test]
fn no_size_and_no_mode_of_the_first_quarter_breaks_the_picture() {
    survive(0);
}

#[test]
fn no_size_and_no_mode_of_the_second_quarter_breaks_it() {
    survive(1);
}

#[test]
fn no_size_and_no_mode_of_the_third_quarter_breaks_it() {
    survive(2);
}

#[test]
fn no_size_and_no_mode_of_the_last_quarter_breaks_it() {
    survive(3);
}

#[test]
fn too_small_a_screen_says_one_sentence() {
    let mut app = app("db-03.jsonl");
    for (width, height) in [(39, 24), (80, 5), (12, 3), (1, 1)] {
        let (buffer, viewport) = paint(&mut app, FULL, width, height);
        let shown = text(&buffer);
        let whole = format!("doomtop needs 40x6, have {width}x{height} - q quits");
        let said = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(whole.starts_with(said.trim_end_matches('…')), "{said}");
        assert!(said.len() > 30 || width < 30, "{said}");
        assert_eq!(viewport.rows, 0);
    }
}

#[test]
fn an_ascii_terminal_gets_ascii_only() {
    for fixture in ["db-03.jsonl", "hostile.jsonl"] {
        for (mode, mut app) in every_mode(fixture) {
            for (width, height) in [(80, 24), (120, 40), (200, 60), (40, 6)] {
                let (buffer, _) = paint(&mut app, ASCII, width, height);
                for cell in buffer.content() {
                    assert!(cell.symbol().is_ascii(), "{mode}: {:?}", cell.symbol());
                }
            }
        }
    }
}

#[test]
fn without_colour_no_cell_has_one() {
    for (mode, mut app) in every_mode("hostile.jsonl") {
        for (width, height) in [(80, 24), (120, 40), (200, 60)] {
            let (buffer, _) = paint(&mut app, MONO, width, height);
            for cell in buffer.content() {
                assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset), "{mode}");
            }
        }
    }
}

/// Whether any cell of the commit line has the colour of an alarm.
fn commit_alarms(app: &mut App) -> bool {
    let (buffer, _) = paint(app, FULL, 80, 24);
    let y = text(&buffer).lines().position(|line| line.starts_with("Commit")).unwrap() as u16;
    (0..80).any(|x| Some(buffer[(x, y)].fg) == FULL.danger().fg)
}

#[test]
fn only_an_enforced_commit_limit_alarms() {
    // 143 % of a limit that nobody enforces is no news.
    assert!(!commit_alarms(&mut app("db-03.jsonl")));
    assert!(!commit_alarms(&mut app("small.jsonl")));
    let mut strict = app("strict.jsonl");
    assert!(commit_alarms(&mut strict));
    let (buffer, _) = paint(&mut strict, FULL, 80, 24);
    let line = line_with(&buffer, "Commit");
    assert!(line.contains("ENFORCED") && line.contains("97%!"), "{line}");
    let mut roomy: Snapshot = (*samples("strict.jsonl").remove(0)).clone();
    roomy.overcommit.committed_kib = Reading::Value(doomtop::units::Kib(10_000_000));
    assert_eq!(roomy.overcommit.mode, Reading::Value(OvercommitMode::Strict));
    let mut app = blank();
    app.update(Msg::Sampled(Arc::new(roomy)));
    assert!(!commit_alarms(&mut app));
}

#[test]
fn the_sentence_says_who_dies_next_and_why() {
    let mut app = scene();
    let (buffer, _) = paint(&mut app, FULL, 140, 40);
    let line = line_with(&buffer, "nothing near");
    assert!(
        line.starts_with(
            "nothing near; if memory ended now: 20731 chrome (alice) badness 313/1000: adj +300 adds 11.8G (rank 8 at \
             adj 0). 786M ahead of 4411 java."
        ),
        "{line}"
    );
    assert!(line_with(&buffer, "Mem ").ends_with("kills 3 (+1)"));
    let (buffer, _) = paint(&mut app, FULL, 80, 24);
    let line = line_with(&buffer, "nothing near");
    assert!(line.contains("20731 chrome") && line.contains("786M ahead of 4411 java"), "{line}");
    let (buffer, _) = paint(&mut app, FULL, 60, 12);
    let first = text(&buffer).lines().next().unwrap().to_owned();
    assert!(
        first.starts_with("M83% S64% C143% psi12.4 nothing near; now first 20731 chrome"),
        "{first}"
    );
}

#[test]
fn a_rule_that_is_not_the_running_kernels_is_named() {
    let mut app = scene();
    app.settings.policy = &LINUX_2_4;
    for sample in samples("db-03.jsonl") {
        app.update(Msg::Sampled(sample));
    }
    let (buffer, _) = paint(&mut app, FULL, 120, 40);
    assert!(line_with(&buffer, "now first by linux-2.4: ").contains("nothing near"));
    let (buffer, _) = paint(&mut app, FULL, 80, 24);
    assert!(line_with(&buffer, "now first").contains("linux-2.4"));
}

/// The machine with other facts.
fn changed(with: impl Fn(&mut Snapshot)) -> App {
    let mut app = blank();
    for sample in samples("db-03.jsonl") {
        let mut sample = (*sample).clone();
        with(&mut sample);
        app.update(Msg::Sampled(Arc::new(sample)));
    }
    app
}

#[test]
fn what_cannot_be_told_is_said() {
    let close = |sample: &mut Snapshot| {
        let at = sample.position(4411).unwrap();
        sample.processes[at].rss_stat.0 += 201_264 - 50;
    };
    let (buffer, _) = paint(&mut changed(close), FULL, 120, 40);
    let line = line_with(&buffer, "too close to call:");
    assert!(line.contains("20731 chrome") && line.contains("4411 java"), "{line}");
    assert!(line.contains("(lead 200K, uncertainty "), "{line}");

    let safe = |sample: &mut Snapshot| {
        sample.processes.iter_mut().for_each(|it| it.adj = Reading::Value(Adj::MIN));
    };
    let (buffer, _) = paint(&mut changed(safe), FULL, 120, 40);
    assert!(line_with(&buffer, "NO PROCESS can be chosen").contains("panic"));

    let stale = |sample: &mut Snapshot| {
        sample.scan.stale_ms = Millis(3200);
        sample.scan.unreadable = 4;
        sample.privileges.sees_others = false;
    };
    let mut app = changed(stale);
    let (buffer, _) = paint(&mut app, FULL, 140, 40);
    let line = line_with(&buffer, "table is 3.2s old");
    assert!(line.contains("memory is short") && line.contains("not visible"), "{line}");
    assert!(line.contains("4 processes could not be read"), "{line}");
    let (buffer, _) = paint(&mut app, FULL, 80, 12);
    assert!(text(&buffer).starts_with("OLD 3.2s!"));
}

#[test]
fn the_table_shows_what_the_columns_say() {
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        let mut app = scene();
        let (buffer, _) = paint(&mut app, FULL, width, height);
        let context = app.context().unwrap();
        let shown = text(&buffer);
        let head = shown.lines().position(|line| line.contains("PID USER")).unwrap();
        for (line, painted) in app.table.lines.iter().zip(shown.lines().skip(head + 1)) {
            let row = context.row(line.at.unwrap() as usize).unwrap();
            for column in app.columns().iter().filter(|it| !matches!(it.id, "cgroup" | "parts")) {
                let mut cell = String::new();
                (column.cell)(&row, &mut cell);
                if column.id != "command" {
                    cell.truncate(usize::from(column.width));
                }
                let whole = painted.contains(&cell);
                let cut = cell.chars().take(7).collect::<String>();
                assert!(whole || painted.contains(&cut), "{}: {cell} in {painted}", column.id);
            }
        }
    }
}

#[test]
fn marks_stand_behind_the_rank() {
    let mut app = scene();
    let (buffer, _) = paint(&mut app, FULL, 80, 24);
    assert!(line_with(&buffer, " 4411 elastic").starts_with("  2>"));
    assert!(line_with(&buffer, "cc1plus").starts_with("  5 *"));
    let id = app.table.lines[5].id;
    app.update(Msg::Outcome(Outcome::Signalled {
        who: id,
        name: "redis-server".to_owned(),
        signal: Signal::TERM,
        pinned: true,
        steps: Vec::new(),
    }));
    let (buffer, _) = paint(&mut app, FULL, 80, 24);
    assert!(line_with(&buffer, " 9120 redis").starts_with("  6 x"));
}

#[test]
fn a_score_that_differs_twice_is_marked() {
    let wrong = |sample: &mut Snapshot| {
        let at = sample.position(4411).unwrap();
        sample.processes[at].score = Reading::Value(500);
    };
    let mut app = changed(wrong);
    let (buffer, _) = paint(&mut app, FULL, 80, 24);
    assert!(line_with(&buffer, " 4411 elastic").contains("500!"));
    assert!(text(&buffer).contains("1 of 20 scores differ"), "{}", text(&buffer));
}

#[test]
fn rank_changes_show_on_wide_screens() {
    let mut app = app("db-03.jsonl");
    let mut next: Snapshot = (*samples("db-03.jsonl").remove(1)).clone();
    let at = next.position(9120).unwrap();
    next.processes[at].rss_stat.0 += 300_000;
    app.update(Msg::Sampled(Arc::new(next)));
    let (buffer, _) = paint(&mut app, FULL, 200, 60);
    assert!(line_with(&buffer, "redis-server").contains("▲1"));
    assert!(line_with(&buffer, "cc1plus").contains("▼1"));
    let (buffer, _) = paint(&mut app, ASCII, 200, 60);
    assert!(line_with(&buffer, "redis-server").contains("^1"));
}

#[test]
fn rows_that_went_while_held_say_so() {
    let mut app = scene();
    paint(&mut app, FULL, 80, 24);
    press(&mut app, &["a"]);
    let mut next: Snapshot = (*samples("db-03.jsonl").remove(1)).clone();
    next.processes.retain(|it| it.id.pid != 2290);
    app.update(Msg::Sampled(Arc::new(next)));
    app.mode = Mode::Browse;
    let (buffer, _) = paint(&mut app, FULL, 80, 24);
    let line = line_with(&buffer, " 2290");
    assert!(line.ends_with("gone"), "{line}");
}

#[test]
fn the_editor_shows_what_would_follow() {
    let mut app = scene();
    paint(&mut app, FULL, 80, 24);
    press(&mut app, &["a", "-250"]);
    let (buffer, _) = paint(&mut app, ASCII, 80, 24);
    let shown = text(&buffer);
    for part in [
        "oom_score_adj of 4411 java (elastic), started 41d02h ago",
        "now +0 -> new [ -250",
        "badness 11.5G -> 1.73G    294 -> 44/1000    rank 2 -> 5",
        "next victim stays 20731 chrome",
        "it is lost at restart",
        "OOMScoreAdjust=-250 in elasticsearch.service",
        "Enter apply",
    ] {
        assert!(shown.contains(part), "{part:?} in\n{shown}");
    }
    press(&mut app, &["Esc", "a", "Tab", "-8"]);
    let (buffer, _) = paint(&mut app, ASCII, 80, 24);
    assert!(text(&buffer).contains("oom_adj -8 writes -470, reads back -7"), "{}", text(&buffer));
    // Where it is too small the question and its keys stay.
    let (buffer, _) = paint(&mut app, ASCII, 40, 6);
    assert!(text(&buffer).contains("Enter apply") && text(&buffer).contains("new ["));
}

#[test]
fn the_question_names_everything_before_a_signal() {
    let mut app = scene();
    paint(&mut app, FULL, 80, 24);
    press(&mut app, &["U", "X"]);
    for (width, height) in [(80, 24), (120, 40)] {
        let (buffer, _) = paint(&mut app, FULL, width, height);
        let shown = text(&buffer);
        for part in [
            "Sacrifice 4411 java?",
            "of elastic  started 41d02h ago",
            "RSS 11.0G + swap 512M",
            "elasticsearch.service",
            "SIGKILL: no raw-I/O capability",
            "NOT the predicted victim",
            "that is 20731 chrome",
            "frees about 11.4G (estimate)",
            "its 81 threads",
            "y = do it   anything else = nothing",
        ] {
            assert!(shown.contains(part), "{part:?} in\n{shown}");
        }
    }
    let (buffer, _) = paint(&mut app, FULL, 40, 6);
    let shown = text(&buffer);
    assert!(shown.contains("SIGKILL") && shown.contains("Down reads on"), "{shown}");
    assert!(!shown.contains("y = do it"), "not before all was read: {shown}");
    // The protected are only signalled when their pid was typed.
    press(&mut app, &["Esc", "988", "Esc", "X"]);
    paint(&mut app, FULL, 80, 24);
    press(&mut app, &["98"]);
    let (buffer, _) = paint(&mut app, FULL, 80, 24);
    let shown = text(&buffer);
    assert!(shown.contains("type the pid 988 and Enter: [98 ]"), "{shown}");
    assert!(shown.contains("-1000: it must not be killed"), "{shown}");
}

#[test]
fn help_lists_every_key_and_every_column() {
    let mut app = app("db-03.jsonl");
    paint(&mut app, FULL, 100, 30);
    press(&mut app, &["?"]);
    let mut all = String::new();
    let mut last = String::new();
    loop {
        let (buffer, viewport) = paint(&mut app, FULL, 100, 30);
        assert!(viewport.page > 10 && viewport.page_lines > viewport.page);
        let shown = text(&buffer);
        if shown == last {
            break;
        }
        all.push_str(&shown);
        last = shown;
        press(&mut app, &["PgDn"]);
    }
    for binding in KEYS {
        let keys: Vec<String> = binding.keys.iter().map(Key::to_string).collect();
        let begin: String = binding.help.chars().take(40).collect();
        assert!(all.contains(&keys.join(" ")), "{keys:?}");
        assert!(all.contains(&begin), "{begin}");
    }
    for column in COLUMNS {
        let begin: String = column.about.chars().take(40).collect();
        assert!(all.contains(&begin), "{begin}");
    }
}

#[test]
fn explain_adds_up() {
    let mut app = scene();
    paint(&mut app, FULL, 100, 50);
    press(&mut app, &["Enter"]);
    let (buffer, viewport) = paint(&mut app, ASCII, 100, 50);
    let shown = text(&buffer);
    for part in [
        "2 883 584",
        "131 072",
        "6 656",
        "3 021 312  294/1000 of 39.2G",
        "kernel 862 = computed 862",
        "2 of 12; 786M behind 20731 chrome",
        "adj -141 puts it behind 1822 postgres (rank 3)",
        "X would send SIGKILL: no raw-I/O capability",
        "/system.slice/elasticsearch.service",
        "java -Xmx12g",
    ] {
        assert!(shown.contains(part), "{part:?} in\n{shown}");
    }
    assert!(viewport.page_lines > 20);
}

#[test]
fn before_the_first_look_the_screen_is_calm() {
    let (buffer, viewport) = paint(&mut blank(), FULL, 80, 24);
    assert!(text(&buffer).contains("sampling…"));
    assert!(viewport.rows > 10);
}

#[test]
fn the_pictures_are_those_of_the_real_screen() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("screenshots");
    let pictures: [(&str, u16, u16, &[&str]); 8] = [
        ("table-80x24", 80, 24, &[]),
        ("panels-120x40", 120, 40, &[]),
        ("wide-200x60", 200, 60, &[]),
        ("adjust", 100, 26, &["a", "-250"]),
        ("sacrifice", 100, 26, &["U", "X", "study"]),
        ("explain", 100, 45, &["Enter"]),
        ("cgroups", 120, 40, &["Tab", "B"]),
        ("verdicts", 120, 40, &["Tab", "Tab"]),
    ];
    let list = folder.join("png.txt");
    let drawn_before = fs::read_to_string(&list).unwrap_or_default();
    let mut listed = String::new();
    let mut demo = app_before(2, 5);
    for (name, width, height, script) in pictures {
        // The dialogs stand for a machine that can be acted on; the rest is the demo's.
        let mut other = match name {
            "adjust" | "sacrifice" => Some(scene()),
            "cgroups" => Some(app_before(0, 2)),
            _ => None,
        };
        let app = other.as_mut().unwrap_or(&mut demo);
        paint(app, FULL, width, height);
        press_or_study(app, script);
        if name == "verdicts" {
            let old = POLICIES.iter().take_while(|policy| policy.id() != LINUX_2_4.id());
            old.for_each(|_| drop(press(app, &["Down"])));
        }
        let (buffer, _) = paint(app, FULL, width, height);
        if name == "explain" {
            press(app, &["Esc"]);
        }
        let picture = svg(&buffer);
        let file = folder.join(format!("{name}.svg"));
        if std::env::var_os("DOOMTOP_BLESS").is_some() {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&file, &picture).unwrap();
        }
        let kept = fs::read_to_string(&file).unwrap_or_default();
        assert!(kept == picture, "{name}.svg is not today's screen: DOOMTOP_BLESS=1 cargo test");
        let line = format!("{name}.png was drawn from {:016x}\n", fingerprint(&picture));
        let is_new = !drawn_before.contains(&line);
        listed.push_str(&line);
        if is_new && std::env::var_os("DOOMTOP_BLESS").is_some() {
            let drawn = std::process::Command::new("rsvg-convert")
                .args(["-z", "1.5", "-o"])
                .args([&file.with_extension("png"), &file])
                .status();
            assert!(drawn.is_ok_and(|it| it.success()), "PNGs need rsvg-convert (librsvg2-bin)");
        }
    }
    // The PNGs cannot be painted here; which SVG each was drawn from can be kept and compared.
    if std::env::var_os("DOOMTOP_BLESS").is_some() {
        fs::write(&list, &listed).unwrap();
    }
    let kept = fs::read_to_string(&list).unwrap_or_default();
    assert_eq!(kept, listed, "a PNG is not today's screen: DOOMTOP_BLESS=1 cargo test");
}

/// FNV-1a.
fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[test]
fn only_a_whole_dialog_counts_as_seen() {
    for script in [&["X"][..], &["a"]] {
        let mut app = scene();
        paint(&mut app, FULL, 80, 24);
        press(&mut app, script);
        let (_, roomy) = paint(&mut app, FULL, 80, 24);
        assert!(roomy.dialog, "{script:?}");
        for (width, height) in [(39, 24), (80, 5), (39, 5), (1, 1)] {
            let (_, small) = paint(&mut app, FULL, width, height);
            assert!(!small.dialog, "{script:?} at {width}x{height}: only the one-liner is shown");
        }
    }
    let mut app = scene();
    let (_, table) = paint(&mut app, FULL, 80, 24);
    assert!(!table.dialog, "there is none");
}

#[test]
fn what_is_typed_stands_at_the_bottom() {
    let mut app = scene();
    paint(&mut app, FULL, 80, 24);
    press(&mut app, &["\\", "/(/"]);
    let (buffer, _) = paint(&mut app, FULL, 80, 24);
    let line = line_with(&buffer, "Filter: /(/");
    assert!(line.contains("! ") && line.contains("unclosed group"), "{line}");
    let cursor = (0..80).filter(|&x| buffer[(x, 22)].modifier.contains(Modifier::REVERSED));
    assert_eq!(cursor.collect::<Vec<u16>>(), [11], "the text cursor stands behind what was typed");
    press(&mut app, &["Esc", "99999"]);
    let (buffer, _) = paint(&mut app, FULL, 80, 24);
    assert!(line_with(&buffer, "pid 99999").contains("! no such pid"));
}

#[test]
fn what_was_done_stands_in_the_session() {
    let mut app = scene();
    let id = app.table.lines[5].id;
    app.update(Msg::Outcome(Outcome::Signalled {
        who: id,
        name: "redis-server".to_owned(),
        signal: Signal::TERM,
        pinned: true,
        steps: Vec::new(),
    }));
    let (buffer, _) = paint(&mut app, FULL, 200, 60);
    let shown = text(&buffer);
    for part in [
        "This session",
        "x 9120 redis-server: SIGTERM 0s ago",
        "not gone yet; stuck",
        "r reverts 1203 systemd-journal",
    ] {
        assert!(shown.contains(part), "{part:?} in\n{shown}");
    }
    // Without a panel the bottom line says it, once the message is over.
    settle(&mut app);
    let (buffer, _) = paint(&mut app, FULL, 80, 24);
    assert!(line_with(&buffer, "14 of 20 tasks").starts_with("x 9120 redis-server: SIGTERM 10s"));
    let (buffer, _) = paint(&mut app, FULL, 200, 60);
    assert!(text(&buffer).contains("not gone yet; x"), "{}", text(&buffer));
}

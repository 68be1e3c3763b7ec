//! The recording that comes with the program: it says here what it said where it was made, and what the
//! kernel wrote there; and the moving picture of the README is painted from it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, LazyLock};

use doomtop::app::keymap::bindings::{Key, KeyCode};
use doomtop::app::view::memory::ZOOMS;
use doomtop::app::{ActingMode, App, Msg, Setup};
use doomtop::events::{KernelLogReader, OomReport};
use doomtop::forecast::limits;
use doomtop::forecast::next_death::{DeathForecaster, Deaths};
use doomtop::model::{LogWriter, Scene, Snapshot};
use doomtop::policy::LINUX;
use doomtop::rank::Ranking;
use doomtop::report::explain::{ChoiceAgreement, DumpContext, ExplainedReport};
use doomtop::source::demo_recording;
use doomtop::ui::Theme;
use doomtop::units::Millis;

use crate::fixtures::{paint, text};
use crate::stage::setup;
use crate::svg;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn kills(sample: &Snapshot) -> u64 {
    sample.traffic.oom_kills.value().expect("every kernel of today counts them")
}

/// The samples of the demo, which are unpacked once.
pub static SAMPLES: LazyLock<Vec<Arc<Snapshot>>> = LazyLock::new(demo_recording::samples);

/// What `doomtop --demo -b` prints; it runs once.
pub static BATCH: LazyLock<String> = LazyLock::new(|| printed(&["--demo", "-b"]));

/// What is predicted at the sample of this number.
fn predicted_at(samples: &[Arc<Snapshot>], nth: usize) -> Deaths {
    let mut forecaster = DeathForecaster::default();
    let mut scene = Scene::new(Arc::clone(&samples[0]), None);
    forecaster.observe(&scene);
    for sample in &samples[1..=nth] {
        scene.advance(Arc::clone(sample));
        forecaster.observe(&scene);
    }
    forecaster.predict(&scene)
}

/// The samples right before each kill.
pub fn eves(samples: &[Arc<Snapshot>]) -> Vec<usize> {
    let pairs = samples.windows(2).enumerate();
    pairs.filter(|(_, pair)| kills(&pair[1]) > kills(&pair[0])).map(|(nth, _)| nth).collect()
}

/// What the kernel wrote while it was recorded.
pub fn log() -> (String, Vec<OomReport>) {
    let text = fs::read_to_string(root().join("tests/demo/kernel.log")).expect("the log");
    let reports = KernelLogReader::read(&text);
    (text, reports)
}

/// The screen of `doomtop --demo`, and the time of each look on the app's clock.
pub struct Show {
    pub app: App,
    times: Vec<Millis>,
    at: usize,
}

impl Show {
    pub fn new() -> Self {
        let mut show = Self::empty();
        SAMPLES.iter().for_each(|sample| show.read(sample));
        show
    }

    /// Without samples.
    fn empty() -> Self {
        let samples = &*SAMPLES;
        let setup = Setup {
            own: Default::default(),
            acting: ActingMode::Demo,
            delay: demo_recording::PACE,
            live: false,
            ..setup()
        };
        let app = App::new(setup);
        let times = |sample: &Arc<Snapshot>| {
            sample.clock.monotonic_ms.saturating_sub(samples[0].clock.monotonic_ms)
        };
        let times = samples.iter().map(times).collect();
        Self { app, times, at: 0 }
    }

    fn read(&mut self, sample: &Arc<Snapshot>) {
        self.app.update(Msg::Played(Arc::clone(sample)));
    }

    /// Plays up to this look.
    fn play_to(&mut self, at: usize) {
        for time in &self.times[self.at + 1..=at] {
            self.app.update(Msg::Tick(*time));
        }
        self.at = at;
    }

    /// Plays up to `before` so many samples before the kill `nth`.
    pub fn play_before(&mut self, nth: usize, before: usize) {
        self.play_to(eves(&SAMPLES)[nth] + 1 - before);
        if before > 0 {
            // The user has taken notice of the kills before.
            self.app.display.banner = None;
        }
    }

    fn press(&mut self, keys: &[Key]) {
        for key in keys {
            self.app.update(Msg::Key(*key, self.app.clock()));
        }
    }
}

/// The app of the demo at its first sample, and its samples.
pub fn app_of_demo() -> (App, Vec<Arc<Snapshot>>) {
    (Show::new().app, SAMPLES.clone())
}

/// The demo up to a sample: `before` so many samples before its kill `nth`.
pub fn show_before(nth: usize, before: usize) -> Show {
    let mut show = Show::new();
    show.play_before(nth, before);
    show
}

/// The app of the demo at that sample.
pub fn app_before(nth: usize, before: usize) -> App {
    show_before(nth, before).app
}

/// The app of the demo at its end, which nobody touches.
pub static AT_END: LazyLock<App> = LazyLock::new(|| {
    let mut show = Show::new();
    show.app.update(Msg::AllPlayed);
    show.play_to(SAMPLES.len() - 1);
    show.app
});

#[test]
fn it_is_a_whole_recording_that_ends_by_itself() {
    let samples = &*SAMPLES;
    assert!(samples.len() >= 60, "{}", samples.len());
    assert!(demo_recording::DEMO.len() < 300 << 10, "{} bytes", demo_recording::DEMO.len());
    for pair in samples.windows(2) {
        let apart = pair[1].clock.monotonic_ms.saturating_sub(pair[0].clock.monotonic_ms).0;
        assert!((400..2500).contains(&apart), "{apart} ms between two samples");
    }
    let first = &samples[0];
    assert!(samples.iter().all(|sample| sample.machine.boot_id == first.machine.boot_id));
    assert!(samples.iter().all(|sample| sample.privileges.sees_others));
}

#[test]
fn whom_it_names_dies_as_the_kernel_wrote() {
    let samples = &*SAMPLES;
    let (_, reports) = log();
    let eves = eves(samples);
    assert_eq!(eves.len(), reports.len(), "each kill between two samples of its own");
    let last = samples.last().expect("samples");
    assert_eq!(kills(last) - kills(&samples[0]), reports.len() as u64, "all were counted");
    let mut kinds = Vec::new();
    for (&eve, report) in eves.iter().zip(&reports) {
        let scene = Scene::new(Arc::clone(&samples[eve]), Some(Arc::clone(&samples[eve - 1])));
        let wall = limits::nearest(&scene, &predicted_at(samples, eve));
        let scene = if report.is_memcg() { scene.within(wall.scope()) } else { scene };
        assert_eq!(report.is_memcg(), !wall.is_machine(), "the wall that is hit first");
        let ranking = Ranking::new(&LINUX, &scene);
        let victim = ranking.victim().expect("a victim").id;
        assert_eq!(Some(victim.pid), report.victim(), "predicted by the look before");
        assert!(samples[eve].find(victim).is_some());
        let (killed, after) = (report.victim(), &samples[eve + 2]);
        let gone = after.find(victim).is_none_or(|process| !process.has_mm);
        assert!(gone, "{killed:?} is gone two samples later");
        kinds.push(report.is_memcg());
    }
    assert_eq!(kinds, [true, true, false], "in two containers, then of the machine");
    // And the dumps of that log by themselves.
    let common = DumpContext::of(&reports);
    for report in &reports {
        assert_eq!(
            ExplainedReport::new(report, &common, None).agreement(),
            ChoiceAgreement::Agrees
        );
    }
}

/// What it says above the table of each look.
fn sentences(text: &str) -> Vec<&str> {
    let lines: Vec<&str> = text.lines().collect();
    let heads = lines.iter().enumerate().filter(|(_, line)| line.starts_with("  #"));
    heads.map(|(nth, _)| lines[nth - 2]).collect()
}

fn try_run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doomtop"));
    command.args(arguments).env_remove("COLUMNS").output().expect("doomtop runs")
}

/// What the program prints.
pub fn printed(arguments: &[&str]) -> String {
    let output = try_run(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn it_says_here_what_it_said_where_it_was_recorded() {
    let said = fs::read_to_string(root().join("tests/demo/said.txt")).expect("what it said there");
    let here = sentences(&BATCH);
    assert_eq!(here.len(), SAMPLES.len());
    for (nth, (here, there)) in here.iter().zip(said.lines()).enumerate() {
        assert_eq!(*here, there, "look {nth}");
    }
    assert_eq!(here.len(), said.lines().count());
    // Without /proc as well: nothing of this machine is read.
    assert_eq!(printed(&["--demo", "--batch", "--proc", "/nonexistent"]), *BATCH);
    assert_eq!(printed(&["--demo", "--json", "-n", "3"]).lines().count(), 3);
}

#[test]
fn it_is_no_machine_to_act_on_and_no_other_recording() {
    let victim = ["--demo", "sacrifice", "2147483647"];
    for arguments in [&victim[..], &["--demo", "set", "--adj", "5", "2147483647"]] {
        assert_eq!(try_run(arguments).status.code(), Some(4), "{arguments:?}");
    }
    let first = SAMPLES[0].processes.last().expect("processes").id;
    let own = format!("{}@{}", first.pid, first.born.0);
    let refused = try_run(&["--demo", "set", "--adj", "5", &own]);
    assert_eq!(refused.status.code(), Some(4));
    let told = String::from_utf8([refused.stdout, refused.stderr].concat()).expect("UTF-8");
    assert!(told.contains("this is a recording, not a live machine"), "{told}");
    assert_eq!(try_run(&["--demo", "--from", "-", "-b"]).status.code(), Some(2));
}

#[test]
fn its_dialogs_open_and_say_whose_it_is() {
    let mut show = Show::new();
    show.play_to(5);
    let (buffer, _) = paint(&mut show.app, LOOK, 120, 40);
    assert!(text(&buffer).contains(" elastic "), "users have the names they had there");
    for (key, word) in [('a', "oom_score_adj of"), ('X', "Sacrifice ")] {
        paint(&mut show.app, LOOK, 120, 40);
        show.press(&[Key::char(key)]);
        let (buffer, _) = paint(&mut show.app, LOOK, 120, 40);
        let shown = text(&buffer);
        assert!(shown.contains(word) && shown.contains("[demo]"), "{shown}");
        show.press(&[Key::plain(KeyCode::Esc)]);
    }
}

const LOOK: Theme = crate::fixtures::theme(true, true);

/// The sample that shows the kill by earlyoom.
pub fn early() -> usize {
    let wrote = |sample: &Arc<Snapshot>| sample.log.iter().any(|it| it.by == LogWriter::Earlyoom);
    SAMPLES.iter().position(wrote).expect("earlyoom's line")
}

/// The sample that shows the lowered adj of the database.
fn saved() -> usize {
    let lowered = |sample: &Arc<Snapshot>| {
        let mut redis = sample.processes.iter().filter(|it| it.comm.bytes() == b"redis-server");
        redis.any(|process| process.adj.value().is_some_and(|adj| adj.0 < 0))
    };
    SAMPLES.iter().position(lowered).expect("the adj editor")
}

/// The moving picture: which samples, counted from the kills, and for how long each.
fn frames() -> Vec<(ratatui::buffer::Buffer, u32)> {
    let eves = eves(&SAMPLES);
    let (pod, import, machine) = (eves[0], eves[1], eves[2]);
    let (early, saved) = (early(), saved());
    let mut show = Show::new();
    let mut frames = Vec::new();
    let mut take = |show: &mut Show, at: usize, long: u32| {
        show.play_to(at);
        let (buffer, _) = paint(&mut show.app, LOOK, 120, 36);
        frames.push((buffer, long));
    };
    paint(&mut show.app, LOOK, 120, 36);
    take(&mut show, 1, 2000);
    for (at, long) in [(pod - 8, 1000), (pod - 4, 1000), (pod - 1, 1000), (pod + 1, 2000)] {
        take(&mut show, at, long);
    }
    show.press(&[Key::plain(KeyCode::Esc)]);
    for (before, long) in [(20, 1000), (12, 1000), (7, 1000), (3, 1000), (1, 1000)] {
        take(&mut show, import - before, long);
    }
    take(&mut show, import + 1, 1800);
    show.press(&[Key::plain(KeyCode::Esc)]);
    for (before, long) in [(14, 1000), (8, 800), (4, 800), (1, 1000)] {
        take(&mut show, early - before, long);
    }
    take(&mut show, early, 2000);
    show.press(&[Key::plain(KeyCode::Esc)]);
    for (at, long) in [(saved - 9, 1200), (saved - 2, 1200), (saved, 1500), (saved + 5, 1000)] {
        take(&mut show, at, long);
    }
    for (at, long) in [(machine - 3, 900), (machine, 900), (machine + 1, 2000)] {
        take(&mut show, at, long);
    }
    frames
}

#[test]
fn the_moving_picture_is_that_of_the_demo() {
    let frames = frames();
    assert!((20..=30).contains(&frames.len()), "{}", frames.len());
    let seconds: u32 = frames.iter().map(|(_, long)| long / 100).sum();
    assert!((200..=320).contains(&seconds), "{seconds} tenths of a second");
    let picture = svg::film(&frames);
    assert!(picture.len() < 600 << 10, "{} bytes", picture.len());
    let file = root().join("screenshots/demo.svg");
    if std::env::var_os("DOOMTOP_BLESS").is_some() {
        fs::write(&file, &picture).expect("written");
    }
    let kept = fs::read_to_string(&file).unwrap_or_default();
    assert!(kept == picture, "demo.svg is not today's screen: DOOMTOP_BLESS=1 cargo test");
    // The story is in it, in this order.
    let all: Vec<String> = frames.iter().map(|(buffer, _)| text(buffer)).collect();
    let first = |word: &str| {
        let found = all.iter().position(|shown| shown.contains(word));
        found.unwrap_or_else(|| panic!("no frame says {word:?}"))
    };
    let story = [
        "A developer's machine",
        "process leaks",
        "kills 1",
        "parser is the larger",
        "kills 2",
        "earlyoom acts at",
        "earlyoom sent SIGTERM",
        "protects the database",
        "kills 4",
    ];
    let order: Vec<usize> = story.iter().map(|word| first(word)).collect();
    assert!(order.is_sorted(), "{order:?}");
}

#[test]
fn its_end_says_what_was_seen_and_plays_again() {
    let mut show = Show::new();
    show.app.update(Msg::AllPlayed);
    show.play_to(SAMPLES.len() - 1);
    let end = *show.times.last().expect("samples");
    show.app.update(Msg::Tick(Millis(end.0 + 1000)));
    for (width, height) in [(40, 10), (80, 24), (120, 36)] {
        let shown = text(&paint(&mut show.app, LOOK, width, height).0);
        assert!(shown.contains("What you saw"), "{shown}");
    }
    let shown = text(&paint(&mut show.app, LOOK, 120, 36).0);
    assert!(shown.contains("4 kills, ") && shown.contains(" of them predicted"), "{shown}");
    assert!(shown.contains("earlyoom killed") && shown.contains("without --demo"), "{shown}");
    show.press(&[Key::char('r')]);
    let first = show.app.playback.past.oldest();
    assert!(show.app.playback.is_playing() && show.app.playback.at() == first);
    let shown = text(&paint(&mut show.app, LOOK, 120, 36).0);
    assert!(shown.contains("A developer's machine"), "{shown}");
}

#[test]
fn no_chart_and_no_list_knows_what_comes_after_the_sample_on_the_screen() {
    for (view, width, height) in
        [('1', 200, 60), ('2', 120, 40), ('3', 120, 40), ('4', 100, 30), ('5', 120, 40)]
    {
        // One has read the whole recording, the other one sample more than what it shows: a report may go on in it.
        let (mut whole, mut begun) = (Show::new(), Show::empty());
        SAMPLES[..2].iter().for_each(|sample| begun.read(sample));
        for show in [&mut whole, &mut begun] {
            show.press(&[Key::alt(view)]);
        }
        for at in 1..SAMPLES.len() {
            SAMPLES.get(at + 1).into_iter().for_each(|sample| begun.read(sample));
            whole.play_to(at);
            begun.play_to(at);
            let zooms = if view == '4' { ZOOMS.len() } else { 1 };
            for zoom in (0..zooms).filter(|_| at % 9 == 0) {
                for app in [&mut whole.app, &mut begun.app] {
                    app.views.memory.zoom = zoom;
                }
                let [whole, begun] = [&mut whole, &mut begun]
                    .map(|show| text(&paint(&mut show.app, LOOK, width, height).0));
                assert_eq!(whole, begun, "view {view} at sample {at}, zoom {zoom}");
            }
        }
    }
}

#[test]
fn its_logs_name_everybody_who_is_killed() {
    let events = AT_END.shown_kills();
    let told: Vec<String> = events
        .iter()
        .map(|it| format!("{} {}", it.by.word(), it.victim.expect("a victim").comm))
        .collect();
    assert_eq!(told, ["memcg node", "memcg parser", "earlyoom python3", "global python3"]);
    assert!(events.iter().all(|it| !it.guessed), "{events:?}");
    let options = |sample: &Snapshot| format!("{:?}", sample.killers.earlyoom);
    assert!(options(&SAMPLES[0]).contains("Running"), "{}", options(&SAMPLES[0]));
    let last = SAMPLES.last().expect("samples");
    assert!(!options(last).contains("Running"), "stopped: {}", options(last));
}

#[test]
fn its_notes_fit_on_a_small_terminal() {
    let notes: Vec<String> = SAMPLES
        .iter()
        .flat_map(|sample| sample.log.iter().filter(|it| it.by == LogWriter::Note))
        .map(|it| it.text.to_string())
        .collect();
    assert!(notes.len() > 10, "{notes:?}");
    assert!(notes.iter().all(|note| note.chars().count() <= 76), "{notes:?}");
    let mut show = Show::new();
    show.play_to(30);
    let shown = text(&paint(&mut show.app, LOOK, 80, 24).0);
    assert!(shown.contains("The kernel killed it."), "{shown}");
}

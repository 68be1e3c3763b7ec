//! Whole machines from `tests/fixtures`, and apps that look at them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use doomtop::app::keymap::bindings::{Key, KeyCode};
use doomtop::app::setup::ThemeName;
use doomtop::app::{App, Msg, Request, Setup, Viewport};
use doomtop::model::{ProcId, Snapshot};
use doomtop::ui::{self, ColourDepth, Theme};
use doomtop::units::Millis;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::stage::setup;

/// What was read from the fixtures so far, by their names.
static READ: Mutex<BTreeMap<String, Vec<Arc<Snapshot>>>> = Mutex::new(BTreeMap::new());

/// The looks of a fixture machine, oldest first. Each file is read once.
pub fn samples(name: &str) -> Vec<Arc<Snapshot>> {
    let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    read.entry(name.to_owned()).or_insert_with(|| read_samples(name)).clone()
}

fn read_samples(name: &str) -> Vec<Arc<Snapshot>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    let text = fs::read_to_string(&file).expect("a fixture");
    text.lines()
        .enumerate()
        .map(|(nth, line)| {
            let sample = serde_json::from_str(line);
            Arc::new(sample.unwrap_or_else(|error| panic!("{name}:{}: {error}", nth + 1)))
        })
        .collect()
}

/// An app as the program starts it, free to act, before any look.
pub fn blank() -> App {
    App::new(Setup { own: ProcId::default(), ..setup() })
}

/// The app after all looks of a fixture.
pub fn app(name: &str) -> App {
    let mut app = blank();
    for sample in samples(name) {
        app.update(Msg::Sampled(sample));
    }
    app
}

/// The theme `default` or `mono`.
pub const fn theme(colour: bool, unicode: bool) -> Theme {
    let depth = if colour { ColourDepth::Ansi } else { ColourDepth::Mono };
    Theme::new(ThemeName::Default, depth, unicode)
}

/// Paints until the app and the picture agree, as the loop of the program does.
pub fn paint(app: &mut App, sample: Theme, width: u16, height: u16) -> (Buffer, Viewport) {
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    let mut viewport = ui::paint(app, &sample, area, &mut buffer);
    for _ in 0..2 {
        let now = app.clock();
        app.update(Msg::Drawn(viewport, now));
        viewport = ui::paint(app, &sample, area, &mut buffer);
    }
    (buffer, viewport)
}

/// Presses keys one second apart; `Enter`, `Esc`, `Down`, `F7`, `Alt-t` … by name, all else as
/// characters.
pub fn press(app: &mut App, script: &[&str]) -> Vec<Request> {
    let mut requests = Vec::new();
    for word in script {
        let named = match *word {
            "Enter" => Some(KeyCode::Enter),
            "Esc" => Some(KeyCode::Esc),
            "Down" => Some(KeyCode::Down),
            "Up" => Some(KeyCode::Up),
            "Left" => Some(KeyCode::Left),
            "Right" => Some(KeyCode::Right),
            "End" => Some(KeyCode::End),
            "PgDn" => Some(KeyCode::PageDown),
            "Tab" => Some(KeyCode::Tab),
            "F1" => Some(KeyCode::F(1)),
            "F7" => Some(KeyCode::F(7)),
            "F9" => Some(KeyCode::F(9)),
            _ => None,
        };
        let alt = word.strip_prefix("Alt-").and_then(|rest| rest.chars().next());
        let keys: Vec<Key> = match (named, alt) {
            (Some(code), _) => vec![Key::plain(code)],
            (None, Some(c)) => vec![Key::alt(c)],
            (None, None) => word.chars().map(Key::char).collect(),
        };
        for key in keys {
            let at = Millis(app.clock().0 + 1000);
            requests.extend(app.update(Msg::Key(key, at)));
        }
    }
    requests
}

/// Lets so much time pass that nothing holds the rows any more.
pub fn settle(app: &mut App) {
    let later = Millis(app.clock().0 + 10_000);
    app.update(Msg::Tick(later));
}

/// The text of a picture, without what trails.
pub fn text(buffer: &Buffer) -> String {
    use unicode_width::UnicodeWidthStr;
    let area = buffer.area;
    let mut out = String::new();
    for y in area.top()..area.bottom() {
        let mut line = String::new();
        let mut x = area.left();
        while x < area.right() {
            let symbol = buffer[(x, y)].symbol();
            line.push_str(symbol);
            x += (symbol.width() as u16).max(1);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

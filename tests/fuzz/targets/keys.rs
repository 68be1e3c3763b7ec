//! Any keys, pauses, looks, sizes and answers of the world: nothing leaves without a question that was
//! seen and confirmed, and the cursor stays on its lines.
//!
//! Two bytes a step: what happens, and how much time has passed before it, in steps of 8 ms.

#![no_main]

use std::sync::{Arc, LazyLock};

use doomtop::app::adj_rules::reload::RulesUpdate;
use doomtop::app::dialog::signal::ConfirmStep;
use doomtop::app::keymap::bindings::{Key, KeyCode};
use doomtop::app::keymap::press_time::{QUIET, TYPE_AHEAD};
use doomtop::app::mode::Mode;
use doomtop::app::setup::ThemeName;
use doomtop::app::view::kind::ViewKind;
use doomtop::app::{ActingMode, App, LoadedPolicy, Msg, Request};
use doomtop::intent::{ConfirmedBy, FreeMemory, Intent, Outcome, Refusal};
use doomtop::model::{ProcId, Snapshot};
use doomtop::policy::Policy;
use doomtop::policy::site::{AdjRules, SiteRule};
use doomtop::ui::{ColourDepth, Theme};
use doomtop::units::{Adj, Kib, Millis};
use doomtop_fuzz::{SIZES, bounded, fixture, paint, setup};
use libfuzzer_sys::fuzz_target;

/// The looks of each machine.
static MACHINES: LazyLock<Vec<Vec<Arc<Snapshot>>>> = LazyLock::new(|| {
    let texts = [
        include_str!("../../fixtures/small.jsonl"),
        include_str!("../../fixtures/db-03.jsonl"),
        include_str!("../../fixtures/strict.jsonl"),
        include_str!("../../fixtures/desk-7.jsonl"),
    ];
    texts.iter().map(|text| fixture(text)).collect()
});

/// Rules of adj, as two versions of a file.
static RULES: LazyLock<Vec<Arc<AdjRules>>> = LazyLock::new(|| {
    let texts = [
        include_str!("../../../assets/adj-rules.toml"),
        "[[rule]]\nabout = \"all\"\nfor = [\"*\"]\nadj = 500\n",
    ];
    let rules = texts.iter().filter_map(|text| AdjRules::compile(text, Arc::default()).ok());
    rules.map(Arc::new).collect()
});

/// A site's own rule.
static SITE: LazyLock<Option<&'static dyn Policy>> = LazyLock::new(|| {
    let text = include_str!("../../../assets/policies/protect-databases.toml");
    let site: &'static dyn Policy = SiteRule::compile(text, Arc::default()).ok()?.leak("rule.toml");
    Some(site)
});

fuzz_target!(|data: &[u8]| {
    let Some((&[first, second], steps)) = data.split_first_chunk() else { return };
    bounded(|| {
        let mut player = Player::new(first, second);
        for step in steps.chunks_exact(2).take(100) {
            player.step(step[0], step[1]);
        }
    });
});

struct Player {
    app: App,
    own: ProcId,
    acting: ActingMode,
    theme: Theme,
    machine: usize,
    frame: usize,
    size: usize,
    now: u64,
    pressed: Option<u64>,
    /// Since when the dialog in front stands there whole.
    opened: Option<u64>,
}

impl Player {
    fn new(first: u8, second: u8) -> Self {
        let acting = match first % 8 {
            0..=3 => ActingMode::Free,
            4 => ActingMode::Rehearsal,
            5 => ActingMode::ReadOnly,
            6 => ActingMode::NotReal,
            _ => ActingMode::Elsewhere,
        };
        let machine = usize::from(first >> 3) % MACHINES.len();
        let cast = MACHINES[machine].first().map(|sample| &sample.processes);
        let own = cast.and_then(|cast| cast.get(usize::from(second >> 5) * 3));
        let own = own.map_or(ProcId::default(), |process| process.id);
        let name = if second & 1 == 0 { ThemeName::Default } else { ThemeName::Mono };
        let mut player = Self {
            app: App::new(setup(acting, own)),
            own,
            acting,
            theme: Theme::new(name, ColourDepth::Ansi, second & 2 == 0),
            machine,
            frame: 0,
            size: usize::from(second >> 2) % SIZES.len(),
            now: 10_000,
            pressed: None,
            opened: None,
        };
        player.sampled();
        player.draw();
        player
    }

    fn step(&mut self, what: u8, pause: u8) {
        self.now += u64::from(pause) * 8;
        match what {
            0xc0..=0xc5 => self.sampled(),
            0xc6..=0xcb => self.size = usize::from(what - 0xc6),
            0xcc => self.quiet(Msg::Tick(Millis(self.now))),
            0xcd => self.quiet(Msg::Paste(String::from("y\n500\ry"))),
            0xce => self.quiet(Msg::Paste(String::from("/tmp/\u{1b}]0;x\u{7}\u{202e}a.conf"))),
            0xcf => self.quiet(Msg::SamplingFailed(String::from("cannot read stat"))),
            0xd0 => self.quiet(Msg::SourceLost(String::from("the end"))),
            0xd1 | 0xd2 => {
                let rules = Arc::clone(&RULES[usize::from(what - 0xd1) % RULES.len()]);
                self.quiet(Msg::AdjRules(RulesUpdate::Good { file: "rules".to_owned(), rules }));
            }
            0xd3 => self.quiet(Msg::AdjRules(RulesUpdate::Bad(String::from("1:1: no rule")))),
            0xd4 => {
                if let Some(site) = *SITE {
                    self.quiet(Msg::Rule(LoadedPolicy(site)));
                }
            }
            0xd5..=0xd7 => {
                self.machine = usize::from(what - 0xd5) % MACHINES.len();
                self.frame = 0;
                self.sampled();
            }
            0xd8 => self.quiet(Msg::Users(Arc::default())),
            _ => {
                if let Some(key) = key(what) {
                    self.key(key);
                }
            }
        }
        self.draw();
        let lines = match self.app.views.kind {
            ViewKind::Processes => Some(self.app.table.lines.len()),
            _ => None,
        };
        if let Some(lines) = lines {
            assert!(
                self.app.table.cursor.at < lines.max(1),
                "{} of {lines}",
                self.app.table.cursor.at
            );
            assert!(
                self.app.table.cursor.top < lines.max(1),
                "top {} of {lines}",
                self.app.table.cursor.top
            );
        }
    }

    /// What the user did not do asks for nothing.
    fn quiet(&mut self, msg: Msg) {
        let said = format!("{msg:?}");
        let asked = self.app.update(msg);
        assert!(!asked.iter().any(|it| matches!(it, Request::Act(_))), "{asked:?} by {said}");
    }

    /// Another look: what the rules that are on wish is all that may leave.
    fn sampled(&mut self) {
        let samples = &MACHINES[self.machine];
        let Some(sample) = samples.get(self.frame % samples.len().max(1)) else { return };
        // Time goes on, whatever the recording's own clock says.
        let mut sample = Snapshot::clone(sample);
        sample.clock.monotonic_ms = Millis(self.now);
        self.frame += 1;
        let on = self.app.session.adj_rules.as_ref().is_some_and(|rules| rules.is_on());
        let asked = self.app.update(Msg::Sampled(Arc::new(sample)));
        for request in &asked {
            let Request::Act(intent) = request else { continue };
            assert!(on, "{intent:?} without consent");
            assert!(matches!(intent, Intent::SetAdjByRule { .. }), "{intent:?} by a look");
        }
        self.answer(asked);
    }

    fn key(&mut self, key: Key) {
        let dialog = self.app.mode.clone();
        let on = self.app.session.adj_rules.as_ref().is_some_and(|rules| rules.is_on());
        let asked = self.app.update(Msg::Key(key, Millis(self.now)));
        let seen = self.opened.is_some_and(|since| self.now >= since + TYPE_AHEAD.0);
        let alone = self.pressed.is_none_or(|before| self.now >= before + QUIET.0);
        self.pressed = Some(self.now);
        for request in &asked {
            let Request::Act(intent) = request else { continue };
            assert!(dialog.asks() && seen && alone, "{intent:?} by {key}, unseen: {dialog:?}");
            assert!(
                matches!(self.acting, ActingMode::Free | ActingMode::Rehearsal),
                "{intent:?} while {:?}",
                self.acting
            );
            self.agreed(&dialog, key, intent);
        }
        if !on && self.app.session.adj_rules.as_ref().is_some_and(|rules| rules.is_on()) {
            let Mode::RuleConsent(ask) = &dialog else { panic!("rules went on from {dialog:?}") };
            assert!(seen && alone && key == Key::plain(KeyCode::Enter), "rules went on by {key}");
            assert_eq!(ask.typed.parse(), Ok(ask.count), "the count was not typed");
        }
        let same = std::mem::discriminant(&dialog) == std::mem::discriminant(&self.app.mode);
        if !(dialog.asks() && same) {
            self.opened = None;
        }
        self.answer(asked);
    }

    /// Whether this dialog and this key are what the intent needs.
    fn agreed(&self, dialog: &Mode, key: Key, intent: &Intent) {
        let enter = key == Key::plain(KeyCode::Enter);
        match (dialog, intent) {
            (Mode::Adjust(edit), Intent::SetAdj { who, from, to, revert: false, .. }) => {
                assert!(enter && !edit.is_wide(), "the list was not shown");
                assert_eq!((*who, *from, Some(*to)), (edit.who, edit.from, edit.value()));
            }
            (Mode::Revert(asking), Intent::SetAdj { who, from, to, revert, .. }) => {
                assert!(enter, "{key}");
                assert_eq!((*who, *from, *to), (asking.who, asking.from, asking.to));
                assert_eq!(*revert, !asking.again);
            }
            (Mode::Bulk(several), _) => {
                assert!(enter && several.is_agreed(), "its count was not typed");
                assert_eq!(several.unseen(), 0, "some were never on the screen");
                assert!(several.intents().any(|listed| listed == *intent), "not listed");
            }
            (Mode::Signal(confirm), Intent::Signal { who, signal, consent, .. }) => {
                assert_eq!((*who, *signal), (confirm.plan.who, confirm.plan.signal));
                match (&confirm.step, consent) {
                    (ConfirmStep::Yes, ConfirmedBy::Plain) => {
                        assert_eq!(key.code, KeyCode::Char('y'))
                    }
                    (ConfirmStep::TypePid { typed, .. }, ConfirmedBy::TypedPid) => {
                        assert!(enter && typed.parse() == Ok(who.pid), "{typed}");
                    }
                    other => panic!("{other:?}"),
                }
            }
            (Mode::Sysctl(edit), Intent::SetSysctl { sysctl: knob, to, .. }) => {
                assert!(enter, "{key}");
                assert_eq!((*knob, Some(*to), edit.danger()), (edit.sysctl, edit.value(), None));
            }
            (Mode::ConfirmSysctl(sure), Intent::SetSysctl { sysctl: knob, to, .. }) => {
                assert_eq!(key, Key::char('y'));
                assert_eq!((*knob, *to), (sure.sysctl, sure.to));
            }
            other => panic!("{other:?}"),
        }
        if matches!(intent, Intent::Signal { .. } | Intent::KillCgroup { .. }) {
            for who in intent.targets() {
                assert!(who.pid > 1 && who.pid != self.own.pid, "{intent:?}");
            }
        }
    }

    /// The world answers: most is done, some of it is refused.
    fn answer(&mut self, asked: Vec<Request>) {
        for (nth, request) in asked.into_iter().enumerate() {
            let Request::Act(intent) = request else { continue };
            let odd = (self.now / 8 + nth as u64) % 4;
            let outcome = match intent {
                intent if odd == 0 => Outcome::Refused { intent, refusal: Refusal::Gone },
                Intent::SetAdj { who, name, from, to, revert } => {
                    let now = if odd == 1 { Adj(7) } else { to };
                    Outcome::AdjSet { who, name, before: from, now, revert }
                }
                Intent::SetAdjByRule { who, name, from, to, rule, digest } => {
                    Outcome::AdjSetByRule { who, name, before: from, now: to, rule, digest }
                }
                Intent::Signal { who, name, signal, .. } => {
                    let (steps, pinned) = (Vec::new(), true);
                    let sent =
                        Outcome::Signalled { who, name: name.clone(), signal, pinned, steps };
                    self.quiet(Msg::Outcome(sent));
                    let (after, spare) = (Millis(40), FreeMemory::default());
                    Outcome::Exited { who, name, after, held: Kib(100), before: spare, now: spare }
                }
                Intent::KillCgroup { path, members } => Outcome::CgroupKilled { path, members },
                Intent::SetSysctl { sysctl: knob, from, to } => {
                    Outcome::SysctlSet { sysctl: knob, before: from, now: to, zeroed: None }
                }
            };
            self.quiet(Msg::Outcome(outcome));
        }
    }

    fn draw(&mut self) {
        let (app, size) = (&mut self.app, SIZES[self.size % SIZES.len()]);
        paint(app, size, self.theme, Millis(self.now));
        match (self.app.mode.asks(), self.app.display.viewport.dialog) {
            (true, true) => drop(self.opened.get_or_insert(self.now)),
            _ => self.opened = None,
        }
    }
}

/// A byte as a key: ASCII as terminals send it, the others behind.
fn key(byte: u8) -> Option<Key> {
    Some(match byte {
        b'\r' | b'\n' => Key::plain(KeyCode::Enter),
        b'\t' => Key::plain(KeyCode::Tab),
        0x1b => Key::plain(KeyCode::Esc),
        0x7f | 0x08 => Key::plain(KeyCode::Backspace),
        0x01..=0x1a => Key::ctrl(char::from(byte + 0x60)),
        0x20..=0x7e => Key::char(char::from(byte)),
        0x80 => Key::plain(KeyCode::BackTab),
        0x81 => Key::plain(KeyCode::Delete),
        0x82 => Key::plain(KeyCode::Up),
        0x83 => Key::plain(KeyCode::Down),
        0x84 => Key::plain(KeyCode::Left),
        0x85 => Key::plain(KeyCode::Right),
        0x86 => Key::plain(KeyCode::Home),
        0x87 => Key::plain(KeyCode::End),
        0x88 => Key::plain(KeyCode::PageUp),
        0x89 => Key::plain(KeyCode::PageDown),
        0x8a => Key::shift(KeyCode::Up),
        0x8b => Key::shift(KeyCode::Down),
        0x8c => Key::char('\u{e9}'),
        0x8d => Key::char('\u{4e2d}'),
        0x90..=0x9b => Key::plain(KeyCode::F(byte - 0x8f)),
        0x9c..=0x9f => Key::shift(KeyCode::F(byte - 0x9c + 6)),
        0xa0..=0xb9 => Key::alt(char::from(byte - 0xa0 + b'a')),
        _ => return None,
    })
}

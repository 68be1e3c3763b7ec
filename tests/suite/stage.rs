//! A small machine to play on: snapshots built by hand, a scene from them, and the program's mind
//! with keys typed into it.

use std::sync::Arc;

use doomtop::app::keymap::bindings::{Key, KeyCode};
use doomtop::app::{ActingMode, App, Msg, Request, Setup, Viewport};
use doomtop::forecast::next_death::{DeathCertainty, KERNEL, NextDeath, TimeSpan};
use doomtop::model::{
    Capabilities, Clock, Comm, Machine, Memory, Privileges, ProcId, Process, Reading, RunState,
    Scene, ScoreScale, Snapshot, Swap, Text, UserIds,
};
use doomtop::policy::{self, kernel_score};
use doomtop::rows::filter::Filter;
use doomtop::ui::{self, Theme};
use doomtop::units::{Adj, Bytes, Kib, Millis, Pages, Ticks};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::fixtures::text;

/// A user process with memory, nothing special about it.
pub fn process(pid: i32, comm: &str, rss: u64) -> Process {
    Process {
        id: ProcId { pid, born: Ticks(1000 + pid as u64) },
        parent: 1,
        session: 77,
        comm: Comm::new(comm.as_bytes()),
        state: RunState('S'),
        threads: 1,
        vsize: Bytes(rss * 4096 * 3),
        rss_stat: Pages(rss),
        rss_exact: Reading::Value(Pages(rss)),
        anon: Reading::Value(Pages(rss)),
        file: Reading::Value(Pages(0)),
        shmem: Reading::Value(Pages(0)),
        swap: Reading::Value(Pages(0)),
        pgtables: Reading::Value(Pages(0)),
        has_mm: true,
        adj: Reading::Value(Adj::ZERO),
        ids: Reading::Value(UserIds { uid: 1000, euid: 1000 }),
        caps: Reading::Value(Capabilities(0)),
        ..Process::default()
    }
}

/// A kernel thread.
pub fn kernel_thread(pid: i32, comm: &str) -> Process {
    Process {
        flags: 0x0020_0000,
        vsize: Bytes(0),
        has_mm: false,
        ids: Reading::Value(UserIds { uid: 0, euid: 0 }),
        ..process(pid, comm, 0)
    }
}

/// A machine with this many pages of RAM and no swap.
pub fn machine(total: u64, scale: ScoreScale, mut processes: Vec<Process>) -> Snapshot {
    processes.sort_by_key(|process| process.id.pid);
    Snapshot {
        clock: Clock {
            unix_ms: 1_763_726_400_000,
            monotonic_ms: Millis(1000),
            uptime_ticks: Ticks(1_000_000),
        },
        machine: Arc::new(Machine {
            name: Text::new(b"stage"),
            kernel: Text::new(if scale == ScoreScale::Signed { b"6.12.0" } else { b"5.4.0" }),
            cpus: 2,
            initial_pid_namespace: true,
            score_scale: scale,
            ..Machine::default()
        }),
        memory: Memory {
            total_kib: Kib(total * 4),
            free_kib: Kib(total),
            available_kib: Reading::Value(Kib(total * 2)),
            ..Memory::default()
        },
        swap: Swap::default(),
        privileges: Privileges {
            euid: 1000,
            sees_others: true,
            pidfd: true,
            ..Privileges::default()
        },
        processes,
        ..Snapshot::default()
    }
}

/// The usual cast: init, a shell, doomtop in it, a few of work, one that is never chosen.
pub fn cast() -> Vec<Process> {
    let mut init = process(1, "systemd", 3000);
    init.parent = 0;
    let mut never = process(50, "sshd", 2000);
    never.adj = Reading::Value(Adj::MIN);
    let mut shell = process(200, "bash", 1000);
    shell.parent = 50;
    let mut own = process(300, "doomtop", 2500);
    own.parent = 200;
    let mut hardware = process(400, "Xorg", 30_000);
    hardware.caps = Reading::Value(Capabilities(1 << 17 | 1 << 21));
    hardware.ids = Reading::Value(UserIds { uid: 0, euid: 0 });
    let mut chrome = process(500, "chrome", 90_000);
    chrome.adj = Reading::Value(Adj(300));
    let java = process(600, "java", 200_000);
    let mut child = process(601, "java-helper", 20_000);
    child.parent = 600;
    vec![init, kernel_thread(2, "kthreadd"), never, shell, own, hardware, chrome, java, child]
}

/// doomtop in the cast.
pub fn own() -> ProcId {
    process(300, "doomtop", 0).id
}

/// A million pages, the cast, today's kernel.
pub fn usual() -> Snapshot {
    machine(1_000_000, ScoreScale::Signed, cast())
}

/// Every score as the kernel would give it, read this time.
pub fn with_scores(mut snapshot: Snapshot) -> Snapshot {
    let scene = Scene::new(Arc::new(snapshot.clone()), None);
    for process in &mut snapshot.processes {
        process.score = Reading::Value(kernel_score(process, &scene));
        process.score_fresh = true;
    }
    snapshot
}

/// How the program is started on the stage.
pub fn setup() -> Setup {
    Setup {
        own: own(),
        acting: ActingMode::Free,
        policy: &policy::LINUX,
        scope: Default::default(),
        columns: None,
        filter: Filter::default(),
        sort: None,
        delay: Millis(2000),
        utc_offset: 0,
        live: true,
    }
}

/// The mind, and a clock that goes on with every key.
pub struct Player {
    pub app: App,
    pub now: u64,
    pub asked: Vec<Request>,
}

impl Player {
    /// With one look taken and drawn.
    pub fn on(snapshot: Snapshot) -> Self {
        Self::with(setup(), snapshot)
    }

    /// The same, started otherwise.
    pub fn with(setup: Setup, snapshot: Snapshot) -> Self {
        let mut player = Self { app: App::new(setup), now: 10_000, asked: Vec::new() };
        player.app.update(Msg::Sampled(Arc::new(snapshot)));
        player.draw();
        player
    }

    /// A picture of 120x40 is drawn.
    pub fn draw(&mut self) {
        self.draw_with(true);
    }

    /// The same, with all of a dialog on it or not.
    pub fn draw_with(&mut self, dialog: bool) {
        let page = Viewport {
            width: 120,
            height: 40,
            rows: 20,
            page: 30,
            page_lines: 60,
            page_top: 0,
            columns_left: 0,
            beside_next: true,
            panels: 2,
            dialog,
        };
        self.app.update(Msg::Drawn(page, Millis(self.now)));
    }

    /// Another look arrives.
    pub fn sample(&mut self, snapshot: Snapshot) {
        self.app.update(Msg::Sampled(Arc::new(snapshot)));
        self.draw();
    }

    /// Time passes.
    pub fn wait(&mut self, millis: u64) {
        self.now += millis;
        self.app.update(Msg::Tick(Millis(self.now)));
    }

    /// A key, pressed a second after what was last drawn; what it asked for comes back.
    pub fn key(&mut self, key: Key) -> Vec<Request> {
        self.now += 1000;
        self.key_at(key, self.now)
    }

    /// A key read at a given moment.
    pub fn key_at(&mut self, key: Key, at: u64) -> Vec<Request> {
        let asked = self.app.update(Msg::Key(key, Millis(at)));
        self.asked.extend(asked.iter().cloned());
        self.draw();
        asked
    }

    /// Keys as a script: characters as they are, special ones as `<Enter>`, `<F7>`, `<C-c>`.
    pub fn play(&mut self, script: &str) -> Vec<Request> {
        let mut asked = Vec::new();
        for key in keys(script) {
            asked.extend(self.key(key));
        }
        asked
    }

    /// The pid under the cursor.
    pub fn cursor(&self) -> Option<i32> {
        self.app.selected().map(|process| process.id.pid)
    }

    /// The pids of the table, top down.
    pub fn pids(&self) -> Vec<i32> {
        self.app.table.lines.iter().map(|line| line.id.pid).collect()
    }

    /// The banner over a table of 120x40, its lines joined; nothing while there is none.
    pub fn banner(&self) -> String {
        let area = Rect::new(0, 0, 120, 40);
        let mut buffer = Buffer::empty(area);
        ui::paint(&self.app, &Theme::default(), area, &mut buffer);
        let screen = text(&buffer);
        let lines = screen.lines().skip_while(|line| !line.starts_with("✗ "));
        let lines: Vec<&str> = lines.take_while(|line| !line.starts_with("  #")).collect();
        lines.join(" ").replace("  ", " ")
    }

    /// The message on the bottom line.
    pub fn notice(&self) -> &str {
        self.app.display.notice.as_ref().map_or("", |notice| &notice.text)
    }
}

/// A script as keys.
pub fn keys(script: &str) -> Vec<Key> {
    let mut found = Vec::new();
    let mut rest = script;
    while let Some(first) = rest.chars().next() {
        let named = rest
            .strip_prefix('<')
            .and_then(|inner| inner.split_once('>'))
            .and_then(|(name, after)| Some((named_key(name)?, after)));
        match named {
            Some((key, after)) => {
                found.push(key);
                rest = after;
            }
            None => {
                found.push(Key::char(first));
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    found
}

fn named_key(name: &str) -> Option<Key> {
    if let Some(letter) = name.strip_prefix("C-") {
        return letter.chars().next().map(Key::ctrl);
    }
    if let Some(letter) = name.strip_prefix("A-") {
        return letter.chars().next().map(Key::alt);
    }
    if let Some(inner) = name.strip_prefix("S-") {
        if inner == "Tab" {
            return Some(Key::plain(KeyCode::BackTab));
        }
        return named_key(inner).map(|key| Key { shift: true, ..key });
    }
    let code = match name {
        "Enter" => KeyCode::Enter,
        "Esc" => KeyCode::Esc,
        "Tab" => KeyCode::Tab,
        "BS" => KeyCode::Backspace,
        "Up" => KeyCode::Up,
        "Down" => KeyCode::Down,
        "Left" => KeyCode::Left,
        "Right" => KeyCode::Right,
        "Home" => KeyCode::Home,
        "End" => KeyCode::End,
        "PgUp" => KeyCode::PageUp,
        "PgDn" => KeyCode::PageDown,
        "Space" => KeyCode::Char(' '),
        _ => KeyCode::F(name.strip_prefix('F')?.parse().ok()?),
    };
    Some(Key::plain(code))
}

/// A predicted death by the kernel in this domain, after this time: nobody is named, and the domain is nearly full.
pub fn predicted(domain: &str, when: Millis) -> NextDeath {
    NextDeath {
        by: KERNEL,
        domain: Arc::new(Text::new(domain.as_bytes())),
        when: Some(TimeSpan { low: when, middle: when, high: when }),
        certainty: DeathCertainty::Nobody,
        candidates: Vec::new(),
        saved: None,
        gains: Vec::new(),
        left: Bytes(1),
        limit: Bytes(1000),
        rate: 1.0,
        trigger: None,
        stalled: None,
    }
}

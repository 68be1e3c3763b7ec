//! What the targets share: the bounds that every run must keep, what must be true of every text that
//! comes out, and a painter at several sizes.

use std::sync::Arc;
use std::time::Duration;

use doomtop::rows::filter::Filter;
use doomtop::app::{Acting, App, Msg, Setup};
use doomtop::columns::{COLUMNS, CommandStyle, Scale, Sight};
use doomtop::model::{Names, ProcId, Scene, Snapshot, escape_bytes};
use doomtop::policy::{LINUX, POLICIES};
use doomtop::rank::Ranking;
use doomtop::report::text::Manner;
use doomtop::report::{json, metrics, self_check, text, verdicts};
use doomtop::ui::{self, Look};
use doomtop::units::Millis;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use rustix::time::{ClockId, clock_gettime};

/// More processor time than this for one small input is a hang. Not the time on the wall: the
/// machine may be busy.
const MOST: Duration = Duration::from_secs(2);

/// The sizes of terminals that are painted, smaller than can be and larger than usual.
pub const SIZES: [(u16, u16); 6] = [(80, 24), (120, 40), (200, 60), (60, 16), (40, 10), (3, 2)];

/// Does the work, and fails where it took too long.
///
/// # Panics
/// It did.
pub fn bounded<T>(work: impl FnOnce() -> T) -> T {
    let spent = || {
        let now = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
    };
    let before = spent();
    let done = work();
    let took = spent().saturating_sub(before);
    assert!(took < MOST, "it took {took:?}");
    done
}

/// Fails where text that goes out could do something to a terminal.
///
/// # Panics
/// It could.
pub fn harmless(text: &str) {
    let plain = |line: &&str| line.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    for line in text.split('\n').filter(|line| !plain(line)) {
        let mut neutral = String::with_capacity(line.len());
        escape_bytes(line.as_bytes(), &mut neutral);
        // Its own backslash is how the neutral form says that something was there.
        assert!(neutral.replace("\\x5c", "\\") == line, "not harmless: {line:?}");
    }
}

/// The same of bytes that a report wrote.
///
/// # Panics
/// They could, or are no text.
pub fn harmless_bytes(bytes: &[u8]) {
    let text = std::str::from_utf8(bytes);
    assert!(text.is_ok(), "not text: {bytes:?}");
    harmless(text.unwrap_or_default());
}

/// Paints an app at a size, until the app and the picture agree.
///
/// # Panics
/// A cell holds what could do something to a terminal.
pub fn paint(app: &mut App, (width, height): (u16, u16), sample: Look, at: Millis) {
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    for _ in 0..2 {
        let viewport = ui::paint(app, &sample, area, &mut buffer);
        app.update(Msg::Drawn(viewport, at));
    }
    for cell in &buffer.content {
        let symbol = cell.symbol();
        assert!(!symbol.contains('\n'), "a line break in a cell");
        harmless(symbol);
    }
}

/// A program that shows, and acts or not.
#[must_use]
pub fn setup(acting: Acting, own: ProcId) -> Setup {
    Setup {
        own,
        acting,
        policy: &LINUX,
        scope: Default::default(),
        columns: None,
        filter: Filter::default(),
        sort: None,
        delay: Millis(2000),
        utc_offset: 0,
        live: acting != Acting::NotReal,
    }
}

/// Judges a moment by every policy, and writes every report of it.
///
/// # Panics
/// Something in it could do something to a terminal.
pub fn judge(scene: &Scene) {
    let names = Names::default();
    let every: Vec<u32> = (0_u32..).take(scene.now().processes.len()).collect();
    for (nth, policy) in POLICIES.iter().enumerate() {
        let policy = *policy;
        let ranking = Ranking::new(policy, scene);
        assert!(ranking.rows().len() <= every.len(), "more rows than processes");
        let scale = if nth % 2 == 0 { Scale::Auto } else { Scale::Kib };
        let command = CommandStyle::Name;
        let context = Sight { scene, policy, ranking: &ranking, names: &names, scale, command };
        if let Some(row) = ranking.victim()
            && let Some(victim) = scene.find(row.id)
        {
            let _ = policy.company(victim, scene);
            let _ = policy.act(victim);
        }
        // Each policy is asked; what is written is mostly the same.
        if nth % 8 != 0 {
            continue;
        }
        let mut out = Vec::new();
        let _ = json::write_line(&mut out, &context, &every, None);
        let all: Vec<_> = COLUMNS.iter().collect();
        let manner = Manner { cut: Some(100), ascii: false };
        let _ = text::write_sample(&mut out, &context, &every, &all, manner);
        let _ = self_check::write_check(&mut out, &context);
        harmless_bytes(&out);
        let form = if nth == 0 { metrics::Form::OpenMetrics } else { metrics::Form::Prometheus };
        if let Ok(text) = metrics::metrics(&context, Duration::from_millis(3), form) {
            harmless(&text);
        }
        if nth == 0 {
            out.clear();
            let _ = verdicts::write_verdicts(&mut out, &context, policy, manner);
            harmless_bytes(&out);
        }
    }
}

/// The looks of a fixture machine.
#[must_use]
pub fn fixture(lines: &str) -> Vec<Arc<Snapshot>> {
    lines.lines().filter_map(|line| serde_json::from_str(line).ok()).map(Arc::new).collect()
}

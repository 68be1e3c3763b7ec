//! Shared by the targets: the time limit of a run, the check of every text that goes out, and painting at
//! several sizes.

use std::sync::Arc;
use std::time::Duration;

use doomtop::app::{ActingMode, App, Msg, Setup};
use doomtop::columns::{COLUMNS, CommandStyle, RowContext, SizeUnit};
use doomtop::model::{Names, ProcId, Scene, Snapshot, escape_bytes};
use doomtop::policy::{LINUX, POLICIES};
use doomtop::rank::Ranking;
use doomtop::report::line::TextStyle;
use doomtop::report::{json, metrics, self_check, text, verdicts};
use doomtop::rows::filter::Filter;
use doomtop::ui::{self, Theme};
use doomtop::units::Millis;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use rustix::time::{ClockId, clock_gettime};

/// Maximum CPU time for one small input; more is a hang. CPU time and not wall-clock time, because the
/// machine may be busy.
const MAX_CPU_TIME: Duration = Duration::from_secs(2);

/// Terminal sizes to paint, from too small to unusually large.
pub const SIZES: [(u16, u16); 6] = [(80, 24), (120, 40), (200, 60), (60, 16), (40, 10), (3, 2)];

/// Runs `work` and fails if it takes too long.
///
/// # Panics
/// It took more than [`MAX_CPU_TIME`].
pub fn bounded<T>(work: impl FnOnce() -> T) -> T {
    let spent = || {
        let now = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
    };
    let before = spent();
    let done = work();
    let took = spent().saturating_sub(before);
    assert!(took < MAX_CPU_TIME, "it took {took:?}");
    done
}

/// Checks that a text has no control characters for a terminal.
///
/// # Panics
/// It has some.
pub fn harmless(text: &str) {
    let plain = |line: &&str| line.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    for line in text.split('\n').filter(|line| !plain(line)) {
        let mut neutral = String::with_capacity(line.len());
        escape_bytes(line.as_bytes(), &mut neutral);
        // A backslash of the text itself is escaped too.
        assert!(neutral.replace("\\x5c", "\\") == line, "not harmless: {line:?}");
    }
}

/// The same for the bytes of a report.
///
/// # Panics
/// They are not UTF-8, or have control characters.
pub fn harmless_bytes(bytes: &[u8]) {
    let text = std::str::from_utf8(bytes);
    assert!(text.is_ok(), "not text: {bytes:?}");
    harmless(text.unwrap_or_default());
}

/// Paints the app, and again after it has learned what fits.
///
/// # Panics
/// A cell has a control character.
pub fn paint(app: &mut App, (width, height): (u16, u16), theme: Theme, at: Millis) {
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    for _ in 0..2 {
        let viewport = ui::paint(app, &theme, area, &mut buffer);
        app.update(Msg::Drawn(viewport, at));
    }
    for cell in &buffer.content {
        let symbol = cell.symbol();
        assert!(!symbol.contains('\n'), "a line break in a cell");
        harmless(symbol);
    }
}

/// A setup with default options.
#[must_use]
pub fn setup(acting: ActingMode, own: ProcId) -> Setup {
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
        live: acting != ActingMode::NotReal,
    }
}

/// Ranks a scene by every policy and writes every report of it.
///
/// # Panics
/// A report has control characters.
pub fn judge(scene: &Scene) {
    let names = Names::default();
    let every: Vec<u32> = (0_u32..).take(scene.now().processes.len()).collect();
    for (nth, policy) in POLICIES.iter().enumerate() {
        let policy = *policy;
        let ranking = Ranking::new(policy, scene);
        assert!(ranking.rows().len() <= every.len(), "more rows than processes");
        let scale = if nth % 2 == 0 { SizeUnit::Auto } else { SizeUnit::Kib };
        let command = CommandStyle::Name;
        let context =
            RowContext { scene, policy, ranking: &ranking, names: &names, scale, command };
        if let Some(row) = ranking.victim()
            && let Some(victim) = scene.find(row.id)
        {
            let _ = policy.also_killed(victim, scene);
            let _ = policy.action(victim);
        }
        // Every policy ranks; the reports of most are alike.
        if nth % 8 != 0 {
            continue;
        }
        let mut out = Vec::new();
        let _ = json::write_line(&mut out, &context, &every, None);
        let all: Vec<_> = COLUMNS.iter().collect();
        let style = TextStyle { cut: Some(100), ascii: false };
        let _ = text::write_sample(&mut out, &context, &every, &all, Default::default(), style);
        let _ = self_check::write_check(&mut out, &context);
        harmless_bytes(&out);
        let form = if nth == 0 {
            metrics::MetricsFormat::OpenMetrics
        } else {
            metrics::MetricsFormat::Prometheus
        };
        if let Ok(text) = metrics::metrics(&context, &Default::default(), Duration::from_millis(3), form) {
            harmless(&text);
        }
        if nth == 0 {
            out.clear();
            let _ = verdicts::write_verdicts(&mut out, &context, policy, style);
            harmless_bytes(&out);
        }
    }
}

/// The samples of a fixture.
#[must_use]
pub fn fixture(lines: &str) -> Vec<Arc<Snapshot>> {
    lines.lines().filter_map(|line| serde_json::from_str(line).ok()).map(Arc::new).collect()
}

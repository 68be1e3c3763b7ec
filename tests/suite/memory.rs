//! Memory through time: what quantities are, what becomes of them on a line of cells, and the view
//! that draws them.

use std::sync::{Arc, LazyLock};

use doomtop::app::keymap::bindings::{Key, KeyCode};
use doomtop::app::view::kind::ViewKind;
use doomtop::app::view::memory::ZOOMS;
use doomtop::app::{App, Msg};
use doomtop::forecast::chart_window::ChartWindow;
use doomtop::forecast::series::{SERIES, Series, Severity};
use doomtop::model::{
    Aggregate, MachineHistory, MachineSample, Point, Pressure, PsiLine, Reading, Snapshot,
    TimeAxis, joined, resample,
};
use doomtop::ui::{self, Theme};
use doomtop::units::{Kib, Millis, Pages};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Color;

use crate::fixtures::{blank, paint, press, samples, settle, text};
use crate::groups::limited;
use crate::screens::{check_cells, styled};

const FULL: Theme = crate::fixtures::theme(true, true);
const ASCII: Theme = crate::fixtures::theme(true, false);

/// Seconds from the first look to the last.
const END: u64 = 340;

/// How far the story has come, from 0 to 1, between two seconds of it.
fn part(second: u64, from: u64, to: u64) -> f64 {
    (second.saturating_sub(from) as f64 / (to - from) as f64).min(1.0)
}

/// A story of two cgroups and a disk: two minutes are calm; then the build grows; from 240 on all is
/// full, and tasks wait; at 266 nobody looks until the killer has come, at 290; then it is calm again.
fn make_film() -> Vec<Arc<Snapshot>> {
    let base = samples("db-03.jsonl").pop().expect("two looks");
    let seconds = (0..=END).step_by(2).filter(|second| !(266..290).contains(second));
    let mut totals = [918_273_645_u64, 118_273_645, 5_000_000, 1_000_000];
    let mut counts = [0_u64; 5];
    let mut last = 0;
    let mut film = Vec::new();
    for second in seconds {
        let over = second - last;
        last = second;
        let killed = second >= 290;
        let grown = if killed { 0.3 } else { part(second, 120, 240) };
        let tight = if killed { 0.0 } else { part(second, 230, 264) };
        let wave = ((second / 2) % 7) as f64 / 7.0;
        // The look after the gap tells of the whole time.
        let tight = if second == 290 { 0.8 } else { tight };
        let shares = [0.4 + wave + 60.0 * tight, 22.0 * tight, 2.0 + 5.0 * wave, 1.0 + 9.0 * tight];
        for (total, share) in totals.iter_mut().zip(shares) {
            *total += (share * 10_000.0 * over as f64) as u64;
        }
        let more = [
            2000.0 * tight + 10.0 * wave,
            9000.0 * tight + 4000.0 * part(second, 180, 200) * f64::from(u8::from(!killed)),
            80_000.0 * tight,
            400.0 * tight,
            3000.0 * tight + 300.0 * wave,
        ];
        for (count, more) in counts.iter_mut().zip(more) {
            *count += (more * over as f64) as u64;
        }
        let mut sample = limited(&base, (240.0 * grown) as u64);
        sample.clock.monotonic_ms.0 += second * 1000;
        sample.clock.uptime_ticks.0 += second * 100;
        sample.clock.unix_ms += 1000 * second as i64;
        Arc::make_mut(&mut sample.cgroups).read_ms = sample.clock.monotonic_ms;
        let memory = &mut sample.memory;
        let all = memory.total_kib.0 as f64;
        let free = all * (0.55 - 0.52 * grown - 0.02 * tight - 0.004 * wave);
        memory.free_kib = Kib((free * 0.3) as u64);
        memory.cache_kib = Kib((free * 0.68) as u64);
        memory.available_kib = Reading::Value(Kib(free as u64));
        memory.anon_kib = Reading::Value(Kib((all * 0.97 - free) as u64));
        sample.overcommit.committed_kib = Reading::Value(Kib((all * (0.7 + 0.5 * grown)) as u64));
        let swap = sample.swap.total_kib.0 as f64;
        let used = 0.08 + 0.3 * part(second, 180, 240) + 0.6 * part(second, 230, 264);
        sample.swap.free_kib = Kib((swap * (1.0 - used)) as u64);
        let stall = |share: f64, total_us: u64| {
            let [avg10, avg60, avg300] = [share, share * 0.6, share * 0.2].map(|it| it as f32);
            Reading::Value(PsiLine { avg10, avg60, avg300, total_us })
        };
        sample.pressure = Pressure {
            some: stall(shares[0], totals[0]),
            full: stall(shares[1], totals[1]),
            io_some: stall(shares[2], totals[2]),
            io_full: stall(shares[3], totals[3]),
        };
        sample.traffic.swap_in_pages = Pages(counts[0]);
        sample.traffic.swap_out_pages = Pages(counts[1]);
        sample.traffic.direct_scan = Reading::Value(counts[2]);
        sample.traffic.alloc_stalls = Reading::Value(counts[3]);
        sample.traffic.refaults = Reading::Value(counts[4]);
        sample.traffic.oom_kills = Reading::Value(2 + u64::from(killed));
        film.push(Arc::new(sample));
    }
    film
}

/// The same, made once.
fn film() -> impl Iterator<Item = Arc<Snapshot>> {
    static FILM: LazyLock<Vec<Arc<Snapshot>>> = LazyLock::new(make_film);
    FILM.iter().cloned()
}

/// An app that saw all of it, in the view of memory.
fn seen() -> App {
    let mut app = blank();
    paint(&mut app, FULL, 120, 40);
    let mut film = film();
    app.update(Msg::Sampled(film.next().expect("a look")));
    let at = Millis(app.clock().0 + 1000);
    app.update(Msg::Key(Key::alt('4'), at));
    film.for_each(|sample| drop(app.update(Msg::Sampled(sample))));
    settle(&mut app);
    app
}

fn series(id: &str) -> &'static Series {
    SERIES.iter().find(|series| series.id == id).expect("a quantity")
}

/// Moments at these seconds, each told by its second.
fn history(seconds: &[u64], of: impl Fn(u64, &mut MachineSample)) -> MachineHistory {
    let mut history = MachineHistory::default();
    for &second in seconds {
        let at = Millis(1_000_000 + second * 1000);
        let mut moment = MachineSample { at, unix_ms: at.0 as i64, ..MachineSample::default() };
        of(second, &mut moment);
        history.push(moment);
    }
    history
}

/// The value at a second.
fn value(history: &MachineHistory, series: &Series, second: u64) -> Reading<f64> {
    let axis = TimeAxis::new(Millis(1_000_000 + second * 1000), Millis(60_000), 60);
    ChartWindow::new(history, axis).value(series, Millis(1_000_000 + second * 1000))
}

#[test]
fn quantities_are_what_the_table_says() {
    let seen = history(&[0, 2, 6], |second, moment| {
        moment.memory.total_kib = Kib(1000);
        moment.memory.free_kib = Kib(400);
        moment.memory.cache_kib = Kib(100);
        moment.memory.available_kib = Reading::Value(Kib(90));
        moment.swap.total_kib = Kib(500);
        moment.swap.free_kib = Kib(100);
        // A quarter of each second, and a page ten times a second.
        let total_us = second * 250_000;
        moment.pressure.some = Reading::Value(PsiLine { total_us, ..PsiLine::default() });
        moment.traffic.swap_in_pages = Pages(10 * second);
        moment.traffic.direct_scan = Reading::Value(if second < 6 { 100 } else { 40 });
        moment.traffic.oom_kills = Reading::Value(second / 6);
    });
    let at = |id: &str, second: u64| value(&seen, series(id), second);
    assert_eq!(at("memory-some", 2), Reading::Value(25.0));
    assert_eq!(at("memory-some", 6), Reading::Value(25.0), "over a longer time, too");
    assert_eq!(at("memory-some", 0), Reading::NotAsked, "one look tells no rate");
    assert_eq!(at("swap-in", 6), Reading::Value(10.0));
    assert_eq!(at("direct-scan", 2), Reading::Value(0.0));
    assert_eq!(at("direct-scan", 6), Reading::NotAsked, "a counter that went back tells nothing");
    assert_eq!(at("available", 0), Reading::Value(90.0));
    assert_eq!(at("used", 0), Reading::Value(500.0));
    assert_eq!(at("swap", 6), Reading::Value(400.0));
    assert_eq!(at("anon", 6), Reading::NotAsked);
    let moment = seen.last().expect("a moment");
    assert_eq!((series("available").severity)(90.0, moment), Severity::Care);
    assert_eq!((series("swap").severity)(400.0, moment), Severity::Care);
    assert_eq!((series("committed").severity)(9e9, moment), Severity::Neutral, "not enforced");
}

#[test]
fn what_is_absent_is_no_zero() {
    // No swap, no PSI, a /proc/vmstat that could not be read.
    let bare = history(&[0, 2], |_, moment| {
        moment.pressure = Pressure::of_memory(Reading::Missing, Reading::Denied);
        moment.traffic.oom_kills = Reading::Missing;
    });
    for (id, absent) in [
        ("memory-some", Reading::Missing),
        ("memory-full", Reading::Denied),
        ("io-some", Reading::NotAsked),
        ("swap", Reading::Missing),
        ("swap-in", Reading::Missing),
        ("swap-out", Reading::Missing),
        ("stalls", Reading::NotAsked),
    ] {
        assert_eq!(value(&bare, series(id), 2), absent, "{id}");
    }
    assert!(SERIES.iter().all(|it| it.title.len() <= 12 && !it.absent.is_empty()));
}

proptest::proptest! {
    #[test]
    fn no_spike_is_lost_on_a_line_of_cells(
        values in proptest::collection::vec((1..9_u64, 0..1000_u32), 1..200),
        count in 2..80_usize,
    ) {
        let mut at = 0;
        let points: Vec<Point> = values
            .iter()
            .map(|&(after, value)| {
                let since = Some(Millis(at));
                at += after;
                Point { since, at: Millis(at), value: Some(f64::from(value)) }
            })
            .collect();
        let axis = TimeAxis::new(Millis(at), Millis(at), count);
        let of = |fold: Aggregate| resample(&axis, fold, points.iter().copied());
        let most = |cells: Vec<Option<f64>>| cells.into_iter().flatten().fold(0.0, f64::max);
        let least = |cells: Vec<Option<f64>>| cells.into_iter().flatten().fold(1e9, f64::min);
        let all = values.iter().map(|(_, value)| f64::from(*value));
        proptest::prop_assert_eq!(most(of(Aggregate::Most)), all.clone().fold(0.0, f64::max));
        proptest::prop_assert_eq!(least(of(Aggregate::Least)), all.fold(1e9, f64::min));
        let last = of(Aggregate::Last);
        let begun = last.iter().skip_while(|cell| cell.is_none());
        proptest::prop_assert!(begun.clone().count() > 0 && begun.into_iter().all(|cell| cell.is_some()));
    }
}

#[test]
fn missing_looks_are_a_gap_and_a_slower_pace_is_none() {
    let joins = |times: &[u64]| -> Vec<bool> {
        let at = |place: usize| times.get(place).copied().map(Millis);
        (1..times.len()).map(|place| joined(place, at)).collect()
    };
    assert!(joins(&[0, 2, 4, 6, 7, 8, 9]).into_iter().all(|it| it), "thinned, then not");
    assert!(joins(&[0, 1, 2, 3, 13, 23, 33, 43]).into_iter().all(|it| it), "another delay");
    assert_eq!(joins(&[0, 1, 2, 3, 33, 34, 35]), [true, true, true, false, true, true]);
    let stalls = [true, true, true, false, false, true, true, true];
    assert_eq!(joins(&[0, 1, 2, 3, 33, 58, 59, 60, 61]), stalls, "two, one after the other");
    let mut seen = MachineHistory::default();
    film().for_each(|sample| seen.push(MachineSample::of(&sample)));
    let end = seen.last().expect("a moment").at;
    let window = ChartWindow::new(&seen, TimeAxis::new(end, Millis(340_000), 85));
    let cells = window.cells(series("memory-some"));
    let gap = cells.iter().skip_while(|cell| cell.is_none()).filter(|cell| cell.is_none());
    assert!((5..=6).contains(&gap.count()), "24 seconds at 4 a cell: {cells:?}");
    let end = film().find(|it| it.traffic.oom_kills == Reading::Value(3)).expect("a kill");
    let end = window.axis.place(end.clock.monotonic_ms).expect("on the axis");
    assert!(cells[end].is_some_and(|share| share > 45.0), "what the stall cost is told at its end");
}

#[test]
fn edges_stand_still_while_time_goes_on() {
    let seconds: Vec<u64> = (0..400).collect();
    let mut last: Option<(i64, Vec<Option<f64>>)> = None;
    let of = |second: u64, moment: &mut MachineSample| {
        moment.memory.available_kib = Reading::Value(Kib((second * 7919) % 1000));
    };
    for now in 300..360 {
        let seen = history(&seconds[..now], of);
        let end = seen.last().expect("a moment").at;
        let axis = TimeAxis::new(end, Millis(300_000), 47);
        let cells = ChartWindow::new(&seen, axis).cells(series("available"));
        let number = axis.begin(0).0 as i64 / axis.cell().0 as i64;
        if let Some((before, old)) = last.replace((number, cells.clone())) {
            let moved = (number - before) as usize;
            // All but the cell that was being filled, and the first.
            assert_eq!(&old[moved + 1..46], &cells[1..46 - moved], "at {now}");
        }
    }
}

#[test]
fn a_clock_that_leapt_is_marked() {
    let mut seen = history(&[0, 2, 4, 6], |_, _| ());
    let mut slept = *seen.last().expect("a moment");
    slept.at.0 += 2000;
    slept.unix_ms += 3_600_000;
    seen.push(slept);
    let window = ChartWindow::new(&seen, TimeAxis::new(slept.at, Millis(20_000), 20));
    assert_eq!(window.leaps().collect::<Vec<_>>(), [19]);
}

#[test]
fn the_view_is_as_it_was() {
    for (width, height) in [(80, 24), (120, 40), (200, 60), (40, 10)] {
        let (buffer, _) = paint(&mut seen(), FULL, width, height);
        insta::assert_snapshot!(format!("memory-{width}x{height}"), styled(&buffer));
    }
    let (buffer, _) = paint(&mut seen(), ASCII, 80, 24);
    insta::assert_snapshot!("memory-ascii", text(&buffer));
    let mut past = seen();
    press(&mut past, &["{"]);
    settle(&mut past);
    let (buffer, _) = paint(&mut past, FULL, 120, 40);
    insta::assert_snapshot!("memory-past", styled(&buffer));
    let mut large = seen();
    press(&mut large, &["Down", "Enter"]);
    let (buffer, _) = paint(&mut large, FULL, 80, 24);
    insta::assert_snapshot!("memory-large", text(&buffer));
}

#[test]
fn keys_choose_a_time_and_a_chart() {
    let mut app = seen();
    let zoom = |app: &App| ZOOMS[app.views.memory.zoom].0;
    assert_eq!(zoom(&app), "5m");
    press(&mut app, &["+", "+"]);
    assert_eq!(zoom(&app), "1m");
    press(&mut app, &["-----"]);
    assert_eq!(zoom(&app), "all");
    press(&mut app, &["-"]);
    assert!(app.display.notice.as_ref().is_some_and(|it| it.text.contains("everything in memory")));
    press(&mut app, &["Down", "Down", "Up", "Enter"]);
    assert_eq!((app.views.memory.chosen, app.views.memory.large), (1, true));
    press(&mut app, &["Esc"]);
    assert_eq!((app.views.kind, app.views.memory.large), (ViewKind::Memory, false));
    press(&mut app, &["Left"]);
    assert!(app.is_past());
    press(&mut app, &["Right"]);
    assert!(!app.is_past());
    press(&mut app, &["a"]);
    assert!(
        app.display.notice.as_ref().is_some_and(|it| it.text.contains("choose a process first"))
    );
    press(&mut app, &["Esc"]);
    assert_eq!(app.views.kind, ViewKind::Processes);
}

#[test]
fn where_only_charts_reach_it_says_so() {
    let mut app = blank();
    app.playback.past.set_span(Millis(20_000));
    film().for_each(|sample| drop(app.update(Msg::Sampled(sample))));
    let at = Millis(app.clock().0 + 1000);
    app.update(Msg::Key(Key::alt('4'), at));
    let oldest = app.playback.past.oldest();
    for _ in 0..40 {
        press(&mut app, &["Left"]);
    }
    assert_eq!(app.playback.at(), oldest);
    let said = app.display.notice.as_ref().map_or("", |notice| &notice.text);
    assert!(said.contains("only the charts go back that far"), "{said}");
    let far = Millis(app.clock().0 + 1000);
    app.update(Msg::Key(Key::shift(KeyCode::Left), far));
    assert_eq!(app.playback.at(), oldest, "and it stays where it is");
}

#[test]
fn no_size_breaks_the_charts() {
    let mut past = seen();
    press(&mut past, &["{", "("]);
    let mut large = seen();
    press(&mut large, &["Enter", "+"]);
    let mut all = seen();
    press(&mut all, &["----", "PgDn"]);
    for app in [past, large, all] {
        for sample in [FULL, ASCII] {
            let step = if sample.unicode { 1 } else { 7 };
            let small = (1..=60).step_by(step);
            let small = small.flat_map(|width| (1..=30).map(move |height| (width, height)));
            for (width, height) in small.chain([(250, 70), (160, 30), (159, 60), (200, 33)]) {
                let area = Rect::new(0, 0, width, height);
                let mut buffer = Buffer::empty(area);
                let viewport = ui::paint(&app, &sample, area, &mut buffer);
                check_cells(&buffer, viewport, &format_args!("charts at {width}x{height}"));
                if !sample.unicode {
                    assert!(buffer.content().iter().all(|cell| cell.symbol().is_ascii()));
                }
            }
        }
    }
}

#[test]
fn the_cursor_is_a_line_through_all_charts() {
    let mut app = seen();
    press(&mut app, &["{"]);
    settle(&mut app);
    let (buffer, _) = paint(&mut app, FULL, 80, 24);
    let buffer = &buffer;
    let marked = |x: u16| {
        (4..18).filter(move |&y| {
            buffer[(x, y)].fg == Color::LightMagenta && buffer[(x, y)].symbol() != " "
        })
    };
    let columns: Vec<u16> = (24..80).filter(|&x| marked(x).count() >= 12).collect();
    assert_eq!(columns.len(), 1, "{}", text(buffer));
    let shown = text(buffer);
    assert!(shown.contains("▲14:07:46 -1m16s"), "{shown}");
    assert!(shown.contains("61.3%!!"), "the values are those of then: {shown}");
}

#[test]
fn a_long_history_costs_no_more_than_its_moments() {
    let mut app = blank();
    app.playback.past.set_span(Millis(10_000));
    let base = samples("small.jsonl").remove(0);
    for second in 0..9000_u64 {
        let mut moment = MachineSample::of(&base);
        moment.at.0 += second * 1000;
        moment.unix_ms += 1000 * second as i64;
        app.playback.history.push(moment);
    }
    assert!(app.playback.history.len() > 3000);
    let end = app.playback.history.last().expect("a moment").at;
    for cells in [2, 45, 200] {
        let window = ChartWindow::new(
            &app.playback.history,
            TimeAxis::new(end, Millis(u64::MAX / 4), cells),
        );
        assert_eq!(window.len(), app.playback.history.len(), "each is looked at once");
        assert_eq!(window.cells(series("used")).len(), cells);
        let near =
            ChartWindow::new(&app.playback.history, TimeAxis::new(end, Millis(60_000), cells));
        assert!(near.len() <= 130, "{}", near.len());
    }
}

#[test]
fn the_header_and_the_panel_have_their_past() {
    let mut app = blank();
    film().take(132).for_each(|sample| drop(app.update(Msg::Sampled(sample))));
    for (width, label, part) in [(120, "PSI ", "kills"), (200, "PSI mem some", " 120s")] {
        let (buffer, _) = paint(&mut app, FULL, width, 40);
        let shown = text(&buffer);
        let line = shown.lines().find(|line| line.contains(label)).expect("a line");
        assert!(line.contains('█') && line.contains(part), "{line}");
        assert_eq!(shown.contains("PSI io  some"), width == 200, "{shown}");
    }
    press(&mut app, &["Tab"]);
    let at = app.views.cgroups.lines.iter().position(|line| {
        app.group_at(line).is_some_and(|it| it.path.as_str().ends_with("ci-build.service"))
    });
    (0..at.expect("the build")).for_each(|_| drop(press(&mut app, &["Down"])));
    let (buffer, _) = paint(&mut app, FULL, 120, 40);
    let shown = text(&buffer);
    assert!(
        shown.lines().any(|line| line.contains("used       ") && line.contains('█')),
        "{shown}"
    );
    assert!(shown.contains("█ 5m "), "{shown}");
}

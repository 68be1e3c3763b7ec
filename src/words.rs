//! Numbers and names as doomtop writes them, on the screen as in a pipe.

use crate::columns::{Scale, Sight, span_of};
use crate::model::{ProcId, Process, Scene};
use crate::units::{Kib, Pages, Permille, Points};

/// `3 021 312`.
#[must_use]
pub fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3 + 1);
    if number < 0 {
        out.push('-');
    }
    for (nth, digit) in digits.chars().enumerate() {
        if nth > 0 && (digits.len() - nth).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

/// How long ago it started.
#[must_use]
pub fn age(scene: &Scene, id: ProcId) -> String {
    let ran = scene.now().clock.uptime_ticks.saturating_sub(id.born);
    span_of(ran.seconds(scene.machine().tick_rate))
}

/// A size in the unit of the sight.
#[must_use]
pub fn size(sight: &Sight<'_>, pages: Pages) -> String {
    let mut out = String::new();
    sight.size(pages, &mut out);
    out
}

/// The same of KiB.
#[must_use]
pub fn kib(sight: &Sight<'_>, kib: Kib) -> String {
    size(sight, kib.pages(sight.scene.machine().page_size))
}

/// Two sizes of one unit: `25.9/31.2G`.
#[must_use]
pub fn pair(sight: &Sight<'_>, of: Kib, all: Kib) -> String {
    let (mut of, all) = (kib(sight, of), kib(sight, all));
    let unit = |text: &str| text.chars().next_back().filter(char::is_ascii_alphabetic);
    if unit(&of).is_some() && unit(&of) == unit(&all) {
        of.pop();
    }
    format!("{of}/{all}")
}

/// A signed amount of the policy's points.
#[must_use]
pub fn points(sight: &Sight<'_>, points: Points) -> String {
    if points == Points::ZERO {
        return "0".to_owned();
    }
    let mut out = String::new();
    sight.points(points, &mut out);
    out
}

/// What one step of adj weighs: a tenth of a MiB matters where it is multiplied by hundreds.
#[must_use]
pub fn step(sight: &Sight<'_>) -> String {
    let pages = Pages(sight.scene.domain().pages.0 / 1000);
    let mib = pages.bytes(sight.scene.machine().page_size).0 as f64 / f64::from(1 << 20);
    if sight.scale == Scale::Auto && (1.0..1024.0).contains(&mib) {
        format!("{mib:.1}M")
    } else {
        size(sight, pages)
    }
}

/// Points as a share of the domain: `313`.
#[must_use]
pub fn permille(sight: &Sight<'_>, points: Points) -> i64 {
    Permille::of(points, sight.scene.domain().pages).0
}

/// The user's name, or the dash that says why not.
#[must_use]
pub fn user(sight: &Sight<'_>, process: &Process) -> String {
    let user = sight.user(process);
    let dash = user.dash();
    user.value().unwrap_or_else(|| dash.to_owned())
}

/// The pid and the name.
#[must_use]
pub fn who(process: &Process) -> String {
    format!("{} {}", process.id, process.comm)
}

/// A share of time in percent.
#[must_use]
pub fn share(percent: f32) -> String {
    format!("{:.1}", percent.clamp(0.0, 999.9))
}

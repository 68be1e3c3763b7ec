//! The Verdicts view: a line for each policy, and below it the rank of the leading processes by each.

use std::borrow::Cow;

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::App;
use crate::app::keymap::bindings::{Action, KeyContext};
use crate::app::view::click_target::{ClickTarget, RowIdentity};
use crate::columns::{RowContext, human_size};
use crate::forecast::killer_here::{self, KillerHere};
use crate::forecast::killer_verdict::KillerOpinion;
use crate::forecast::next_death::{KERNEL, NextDeath};
use crate::policy::{BadnessUnit, TriggerLevel, TriggerQuantity};
use crate::ui::frame::layout::{Layout, ViewSpace};
use crate::ui::frame::{headline, status_line};
use crate::ui::paint::canvas::{Canvas, cells};
use crate::ui::paint::theme::Theme;
use crate::ui::paint::{list, text};
use crate::ui::panel::verdict;
use crate::ui::view::verdict_ranks;
use crate::ui::view::view_table::{FULL_HEADER_FROM, RowsShown, ViewParts};
use crate::units::{Kib, Points};
use crate::words::numbers_and_names;

/// The view.
pub static PARTS: ViewParts = ViewParts {
    space: ViewSpace { full_header_from: FULL_HEADER_FROM, panel_height: Some(panel_height) },
    paint,
    paint_panels: verdict::paint,
    status,
};

const fn panel_height(screen: u16) -> u16 {
    if screen >= 50 { 16 } else { 13 }
}

/// The status line: how many policies are listed, and which keys the view has.
fn status(app: &App, theme: Theme) -> Vec<Span<'static>> {
    let view = &app.views.verdicts;
    let count = view.lines.len();
    let mut parts = vec![Span::raw(if view.hide {
        format!("{count} of {} policies", count + view.hidden + view.folded)
    } else {
        format!("{count} policies")
    })];
    parts.push(status_line::pace(app, theme));
    parts.extend(status_line::adj_rules(app, theme));
    parts.extend(status_line::scope(app, theme));
    if view.folded > 0 {
        parts.push(Span::raw(format!("+ shows {} past kernels", view.folded)));
    }
    if view.hide {
        parts.push(Span::styled("other victims only", theme.warn()));
    }
    let keys = [
        (Action::EnterPolicy, "ranks by it"),
        (Action::HideAgreeing, "other victims only"),
        (Action::NextView, "back"),
    ];
    parts.extend(status_line::keys(app, KeyContext::Verdicts, &keys, theme));
    parts
}

/// The cells of the column MARGIN.
const MARGIN: u16 = 11;

/// The columns of the list: where each begins and its width. A column without width is not shown.
#[derive(Clone, Copy)]
struct Fields {
    policy: (u16, u16),
    here: (u16, u16),
    dies: (u16, u16),
    signal: (u16, u16),
    margin: (u16, u16),
    armed: (u16, u16),
    waits: (u16, u16),
}

impl Fields {
    /// `widest`: the cells of the longest name in the column WOULD DIE.
    fn new(app: &App, width: u16, widest: u16) -> Self {
        let ids =
            app.views.verdicts.lines.iter().map(|it| cells(it.policy.id())).max().unwrap_or(0);
        let mut x = 2;
        let mut field = |cells: u16| {
            let at = x;
            x += if cells > 0 { cells + 2 } else { 0 };
            (at, cells)
        };
        let policy = field(ids.clamp(6, if width < 100 { 18 } else { 26 }));
        // On a narrow screen whether a killer acts here goes before its numbers.
        let here = if width >= 64 { 10 } else { 0 };
        let numbers = width >= 100;
        // What the killer waits for is a column of its own on a wide screen.
        let (armed, wide) = match width {
            ..64 => (0, false),
            64..100 => (24, false),
            // Whoever waits for something is not armed: that goes before what says it twice.
            100..120 => (0, true),
            _ => (5, true),
        };
        let fixed = policy.1 + 4 + if here > 0 { here + 2 } else { 0 };
        let fixed =
            fixed + if numbers { MARGIN + 2 } else { 0 } + if width >= 120 { 4 + 2 } else { 0 };
        let rest = width.saturating_sub(fixed + if armed > 0 { armed + 2 } else { 0 });
        let dies = if wide { widest.clamp(20, (rest / 2).clamp(20, 40)) } else { rest };
        Self {
            policy,
            here: field(here),
            dies: field(dies),
            signal: field(if width >= 120 { 4 } else { 0 }),
            margin: field(if numbers { MARGIN } else { 0 }),
            armed: field(armed),
            waits: field(if wide { rest.saturating_sub(dies + 3) } else { 0 }),
        }
    }
}

/// Paints the list, the ranks, and without panels two lines about the policy under the cursor.
fn paint(app: &App, layout: &Layout, canvas: &mut Canvas<'_>) -> RowsShown {
    let (head, area) = (layout.head, layout.rows);
    let view = &app.views.verdicts;
    let theme = canvas.theme;
    let widest = |context: RowContext<'_>| {
        let name = |it: &KillerOpinion| {
            let context = RowContext { policy: it.policy, ..context };
            cells(&dies(it, &context, 40, theme).0)
        };
        view.lines.iter().map(name).max()
    };
    let widest = app.context().and_then(widest).unwrap_or(0);
    let fields = Fields::new(app, area.width, widest);
    canvas.style(head, theme.head());
    let all = u16::try_from(view.lines.len()).unwrap_or(u16::MAX);
    let ranks = u16::try_from(view.rows.len()).unwrap_or(u16::MAX).saturating_add(1);
    let words = if layout.panel_count > 0 || area.height < 9 { 0 } else { 2 };
    let room = area.height - words;
    let below = if room < 6 { 0 } else { ranks.min((room / 2).max(room.saturating_sub(all))) };
    let list = Rect { height: room - below, ..area };
    let Some(context) = app.context() else {
        return RowsShown::rows(list.height.max(1));
    };
    paint_head(&fields, head, canvas);
    for (y, (nth, opinion)) in
        (list.top()..list.bottom()).zip(view.lines.iter().enumerate().skip(view.cursor.top))
    {
        let strip = Rect { y, height: 1, ..list };
        let row = RowIdentity::Policy(opinion.policy.id());
        canvas.clickable(strip, ClickTarget::Row(row));
        paint_line(app, opinion, &context, &fields, strip, canvas);
        if nth == view.cursor.at {
            list::mark(strip, canvas);
        }
    }
    let under = Rect { y: list.bottom().min(area.y + all.min(list.height)), height: below, ..area };
    let columns_left = if below > 1 { verdict_ranks::paint(app, under, canvas) } else { 0 };
    if words > 0
        && let Some((context, opinion)) = app.opinion_context()
    {
        let y = area.bottom() - words;
        let line = headline::by_rule(&context, theme, area.width);
        canvas.line(area.x, y, area.width, &line);
        canvas.line(area.x, y + 1, area.width, &waits_for(opinion, theme));
    }
    RowsShown { columns_left, ..RowsShown::rows(list.height) }
}

/// Paints the headings of the list.
fn paint_head(fields: &Fields, area: Rect, canvas: &mut Canvas<'_>) {
    let style = canvas.theme.head();
    let mut put = |(x, width): (u16, u16), title: &str| {
        if width > 0 {
            canvas.text(area.x + x, area.y, width, title, style);
        }
    };
    put(fields.policy, "POLICY");
    put(fields.here, "HERE");
    put(fields.dies, "WOULD DIE");
    put(fields.signal, "SIG");
    put(fields.margin, &format!("{:>1$}", "MARGIN", usize::from(MARGIN)));
    put(fields.armed, if fields.waits.1 > 0 { "ARMED" } else { "WAITS FOR" });
    put(fields.waits, "WAITS FOR");
}

fn paint_line(
    app: &App,
    opinion: &KillerOpinion,
    context: &RowContext<'_>,
    fields: &Fields,
    area: Rect,
    canvas: &mut Canvas<'_>,
) {
    let theme = canvas.theme;
    let policy = opinion.policy;
    let current = policy.id() == app.policy().id();
    if current {
        canvas.text(area.x + 1, area.y, 1, "*", theme.tag());
    }
    let mut put = |(x, width): (u16, u16), text: &str, style: Style| {
        if width > 0 {
            canvas.text(area.x + x, area.y, width, text, style);
        }
    };
    put(fields.policy, policy.id(), if current { theme.strong() } else { theme.plain() });
    let style = match opinion.here {
        KillerHere::Running => theme.good(),
        KillerHere::Configured => theme.plain(),
        KillerHere::No => theme.dim(),
    };
    put(fields.here, opinion.here.word(), style);
    let context = RowContext { policy, ..*context };
    let (dies, style) = dies(opinion, &context, fields.dies.1, theme);
    put(fields.dies, &dies, style);
    let kills = opinion.dies().is_some();
    if let Some(action) = opinion.action.filter(|_| kills) {
        put(fields.signal, action.signal.short(), theme.plain());
    }
    if let Some(margin) = opinion.margin.filter(|_| kills) {
        let text = lead(&context, margin);
        put(fields.margin, &format!("{text:>0$}", usize::from(MARGIN)), theme.plain());
    }
    let ready = opinion.armed.ready;
    let style = if ready { theme.plain() } else { theme.dim() };
    if fields.waits.1 > 0 {
        put(fields.armed, if ready { "yes" } else { "no" }, style);
        let distance = distance(app, opinion, fields.waits.1);
        let waits = distance.map_or_else(|| waits_in(opinion, fields.waits.1), Cow::from);
        put(fields.waits, &waits, style);
    } else {
        let distance = distance(app, opinion, fields.armed.1);
        put(fields.armed, &distance.unwrap_or_else(|| armed(opinion)), style);
    }
}

/// How far the killer is from acting, and when it does if that is forecast: `available 34%, acts at 3%, in
/// ~2m`; of the kernel who and where: `in ~9s: 225 node in container 7e1c`. The longest form that fits; the time is the last to go.
fn distance(app: &App, opinion: &KillerOpinion, room: u16) -> Option<String> {
    let is_kernel = opinion.policy.info().kind.is_kernel();
    let killer = if is_kernel { KERNEL } else { opinion.policy.id() };
    let running = opinion.here == KillerHere::Running;
    let death = app.deaths.first_by(killer).filter(|_| running);
    let soon = death.and_then(|death| death.when);
    let soon = soon.map(|when| numbers_and_names::in_soon(when.middle));
    let level = killer_here::farthest(&opinion.rules);
    let forms: Vec<String> = match (level, soon) {
        (Some(level), Some(soon)) => {
            let [long, short, bare] = level_forms(level);
            let levels = [long, short, bare].map(|level| format!("{level}, {soon}"));
            levels.into_iter().chain([format!("acts {soon}")]).collect()
        }
        (Some(level), None) => {
            let [long, short, _] = level_forms(level);
            vec![long, short]
        }
        (None, Some(soon)) => {
            let places = death
                .map_or_else(Vec::new, |it| numbers_and_names::domain_forms(it.domain.as_str()));
            let victim = death.and_then(NextDeath::victim);
            let victim = victim.map(|it| format!("{} {}", it.id.pid, it.comm));
            let placed = |place: &String| match &victim {
                Some(victim) => format!("{soon}: {victim} in {place}"),
                None => format!("{soon}: in {place}"),
            };
            let mut forms: Vec<String> = places.iter().map(placed).collect();
            forms.extend(victim.iter().map(|victim| format!("{soon}: {victim}")));
            forms.push(format!("acts {soon}"));
            forms
        }
        (None, None) => return None,
    };
    let fitting = forms.iter().find(|text| cells(text) <= room).or(forms.last());
    fitting.cloned()
}

/// A measured value and the threshold at which the killer acts, long and short, and the value alone.
fn level_forms(level: &TriggerLevel) -> [String; 3] {
    let what = match level.quantity {
        TriggerQuantity::AvailableMemory => "available",
        TriggerQuantity::FreeMemory => "free",
        TriggerQuantity::FreeSwap => "free swap",
        TriggerQuantity::Zram => "zram",
        TriggerQuantity::Pressure => "pressure",
        TriggerQuantity::Reclaim => "reclaim",
    };
    let value = |value: f64| match level.percent(value) {
        Some(percent) if percent < 10.0 => {
            format!("{}%", format!("{percent:.1}").trim_end_matches(".0"))
        }
        Some(percent) => format!("{percent:.0}%"),
        None if level.quantity == TriggerQuantity::Reclaim => format!("{value:.0}"),
        None => human_size(Kib(value.max(0.0) as u64).bytes()),
    };
    let now = level.present.map_or_else(|| "?".to_owned(), value);
    let at = value(level.acts_at);
    let bare = format!("{what} {now}");
    [format!("{bare}, acts at {at}"), format!("{bare}, at {at}"), bare]
}

/// What the killer waits for: in its own words, or where those do not fit its unmet conditions.
fn waits_in(opinion: &KillerOpinion, room: u16) -> Cow<'_, str> {
    let armed = &opinion.armed;
    if cells(&armed.why) <= room {
        return armed.why.as_str().into();
    }
    let unmet = armed.triggers.iter().filter(|trigger| trigger.met == Some(false));
    let unmet: Vec<String> =
        unmet.map(|it| format!("{} {}, needs {}", it.what, it.now, it.wants)).collect();
    if unmet.is_empty() && armed.ready && opinion.policy.info().kind.is_kernel() {
        return "memory to run out".into();
    }
    match &unmet[..] {
        [] => text::whole_clauses(&armed.why, room).into(),
        unmet => unmet.join("; ").into(),
    }
}

/// What the killer waits for, in a few words: the first reason why it would not act now.
fn armed(opinion: &KillerOpinion) -> String {
    let armed = &opinion.armed;
    let unmet = armed.triggers.iter().find(|trigger| trigger.met == Some(false));
    let unseen = armed.triggers.iter().filter(|trigger| trigger.met.is_none()).count();
    match (armed.ready, unmet, unseen) {
        (true, ..) if opinion.policy.info().kind.is_kernel() => "memory to run out".to_owned(),
        (true, _, 0) => "nothing: acts now".to_owned(),
        (true, ..) => format!("nothing, {unseen} unknown"),
        (false, Some(trigger), _) => format!("no: {} {}", trigger.what, trigger.now),
        // The column before says that it is not here; the line below the list says why in full.
        (false, None, _) if opinion.here == KillerHere::No => "-".to_owned(),
        (false, None, _) => format!("no: {}", armed.why),
    }
}

/// A margin in its unit, in few cells.
fn lead(context: &RowContext<'_>, points: Points) -> String {
    let bare = context.policy.info().unit == BadnessUnit::Bare;
    match points.0 {
        // A bare number may have any size; its first digits are enough.
        many if bare && many >= 1_000_000 => format!("{}M points", many / 1_000_000),
        many if bare && many >= 1000 => format!("{}k points", many / 1000),
        _ => text::lead(context, points),
    }
}

/// The process that would die, in the longest form that fits, and its style.
fn dies(
    opinion: &KillerOpinion,
    context: &RowContext<'_>,
    room: u16,
    theme: Theme,
) -> (Cow<'static, str>, Style) {
    let outcome = &opinion.outcome;
    let certain = outcome.overridden.is_none() && !outcome.too_close();
    if let (true, Some((other, _)), Some(chosen)) = (certain, opinion.instead, outcome.chosen) {
        let (other, chosen) = (text::name(context, other), text::name(context, chosen));
        let long = format!("{other}, for {chosen}");
        let text = if cells(&long) <= room { long } else { other };
        return (text.into(), theme.plain());
    }
    if outcome.overridden.is_some() || outcome.victim.is_none() {
        let text = text::victim(context, outcome);
        let short = outcome.overridden.is_none() && cells(&text) > room;
        return (if short { "nobody".into() } else { text.into() }, theme.dim());
    }
    let close = outcome.too_close();
    let forms = text::outcome_forms(context, outcome);
    let mut text = forms.iter().find(|it| cells(it) <= room).unwrap_or(&forms[2]).clone();
    if close {
        // The number of candidates is more useful than half a name.
        let count = outcome.candidates;
        let short = format!(
            "one of {count}: {}",
            outcome.victim.map_or_else(String::new, |id| text::name(context, id))
        );
        text = if cells(&text) <= room { text } else { short };
    }
    (text.into(), if close { theme.candidate() } else { theme.plain() })
}

/// What the killer waits for, and that nothing dies by it now where it is not armed.
fn waits_for(opinion: &KillerOpinion, theme: Theme) -> Line<'static> {
    let KillerOpinion { policy, armed, .. } = opinion;
    if armed.ready {
        let text = format!("{}: {}", policy.id(), armed.why);
        return Line::styled(text, theme.dim());
    }
    Line::from(vec![
        Span::styled("! not armed, so nothing dies by it now: ", theme.warn()),
        Span::raw(armed.why.clone()),
    ])
}

//! MIND: state and a message in, state and requests out. No terminal, no clock, no files: the same
//! messages give the same state, in a test as at three in the morning.

pub mod adj_rules;
pub mod dialog;
pub mod incident;
pub mod input;
pub mod keymap;
mod message;
pub mod page;
pub mod refresh;
pub mod session;
pub mod view;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::columns::{Column, CommandStyle, RowContext, SizeUnit, column};
use crate::forecast::at_limit;
use crate::forecast::at_limit::FirstLimit;
use crate::forecast::trend;
use crate::model::{Comm, Names, ProcId, Process, Reading, Scene, Scope, Snapshot};
use crate::policy::site::SitePolicy;
use crate::policy::{self, Override, Policy, SparedReason};
use crate::rank::growth;
use crate::rank::{Placement, Ranked, Ranking};
use crate::units::{Millis, Points};

pub use crate::app::input::dialogs::parse_delay;
pub use message::{
    ActingMode, CursorAnchor, HeaderLevel, LoadedPolicy, Msg, Notice, NoticeLevel, Request,
    Viewport,
};

use crate::alarm::Alarms;
use crate::app::adj_rules::rules::ActiveRules;
use crate::app::dialog::mode::{KeyPress, Mode, ViewKind};
use crate::app::dialog::sysctl::SysctlHistory;
use crate::app::incident::report::ShownReport;
use crate::app::incident::timeline::Timeline;
use crate::app::page::commitments::CommitmentsPage;
use crate::app::refresh::pace::Pace;
use crate::app::refresh::playback::Playback;
use crate::app::refresh::self_check::SelfCheck;
use crate::app::session::journal::Journal;
use crate::app::view::cgroups::CgroupsView;
use crate::app::view::memory::MemoryView;
use crate::app::view::verdicts::VerdictsView;
use crate::rows::arrange::{Sort, TableLine, TableSettings};
use crate::rows::filter::Filter;

/// So many of those who grow most are named.
const GROWING: usize = 3;

/// How the program was started.
#[derive(Clone)]
pub struct Setup {
    /// doomtop itself; pid 0 when what is shown is a recording.
    pub own: ProcId,
    /// Whether it may act.
    pub acting: ActingMode,
    /// Whose rule ranks.
    pub policy: &'static dyn Policy,
    /// The domain to look at.
    pub scope: Scope,
    /// Columns named by the user.
    pub columns: Option<Vec<&'static Column>>,
    /// A filter to begin with.
    pub filter: Filter,
    /// An order to begin with.
    pub sort: Option<Sort>,
    /// Time between looks.
    pub delay: Millis,
    /// Seconds that local time is ahead of UTC.
    pub utc_offset: i32,
    /// A live machine, not a recording.
    pub live: bool,
}

/// Everything the program knows and shows.
pub struct App {
    /// How it was started, and what of that was changed since.
    pub setup: Setup,
    /// The moment, once there was a look.
    pub scene: Option<Scene>,
    /// The order of death.
    pub ranking: Ranking,
    /// The order one look before.
    pub ranking_before: Ranking,
    /// The wall that is hit first, and who dies there.
    pub first_limit: Option<FirstLimit>,
    /// Those who grow most, with pages a minute, where that is shown.
    pub growing: Option<Vec<(ProcId, Points)>>,
    /// Computed scores against the kernel's.
    pub check: SelfCheck,
    /// Users and command lines.
    pub names: Names,
    /// Which rows, in which order.
    pub view: TableSettings,
    /// The lines of the table.
    pub lines: Vec<TableLine>,
    /// The view.
    pub screen: ViewKind,
    /// The view of memory cgroups.
    pub cgroups: CgroupsView,
    /// The view of verdicts.
    pub verdicts: VerdictsView,
    /// The page of promises.
    pub commitments: CommitmentsPage,
    /// The view of memory.
    pub memory: MemoryView,
    /// What has the keys.
    pub mode: Mode,
    /// To what the cursor holds.
    pub anchor: CursorAnchor,
    /// The cursor's line.
    pub cursor: usize,
    /// The first line on the screen.
    pub top: usize,
    /// Columns scrolled off to the left.
    pub skipped: usize,
    /// Columns that the user switched on or off, whatever the width.
    pub switched: Vec<(&'static Column, bool)>,
    /// Tagged processes.
    pub tags: BTreeSet<ProcId>,
    /// What is searched for.
    pub search: Filter,
    /// Whether the cursor follows its process.
    pub follow: bool,
    /// Whether new looks are left aside: they are kept, and not shown.
    pub paused: bool,
    /// What was seen so far, and which look is on the screen.
    pub playback: Playback,
    /// Every kill that was heard of.
    pub timeline: Timeline,
    /// The report that stands where a look would.
    pub report: Option<ShownReport>,
    /// How much header.
    pub header: HeaderLevel,
    /// Unit of the table.
    pub scale: SizeUnit,
    /// Unit of the header.
    pub header_scale: SizeUnit,
    /// What COMMAND shows; by the width where the user did not say.
    pub command: Option<CommandStyle>,
    /// The bottom line's message.
    pub notice: Option<Notice>,
    /// What was done in this session.
    pub journal: Journal,
    /// The kernel's switches that were turned in this session.
    pub sysctl_history: SysctlHistory,
    /// The rules of adj that stick, where some were given.
    pub adj_rules: Option<ActiveRules>,
    /// How soon the next look comes.
    pub pace: Pace,
    /// What rings, where some was asked for.
    pub alarms: Alarms,
    /// What is now, while the screen shows something else: alarms go by it.
    aside: Option<Scene>,
    /// Why no further look comes.
    pub lost: Option<String>,
    /// What the painter showed last.
    pub viewport: Viewport,
    /// Kills that the kernel had counted when the program began.
    pub kills_at_start: Option<u64>,
    now: Millis,
    pressed: Option<Millis>,
    stale_lines: bool,
    spare: Ranking,
    spent: Option<Arc<Snapshot>>,
    asked: HashMap<ProcId, Comm>,
    /// The site's own rule, where one was loaded: it stands after all others.
    site: Option<&'static dyn Policy>,
    /// Why the rule failed on some process, as it was said last.
    trouble: Option<String>,
}

/// Rows hold still for this long after a key.
const HOLD: Millis = Millis(1500);

/// So many command lines of processes that are gone are remembered, for looking back.
const SPARE_NAMES: usize = 4096;

/// A message stays this long.
const NOTICE: Millis = Millis(6000);

/// The order in which the table begins.
#[must_use]
pub fn by_badness() -> Sort {
    let column = column("badness").unwrap_or(&crate::columns::COLUMNS[0]);
    Sort { column, descending: true }
}

impl App {
    /// Before the first look.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        let sort = setup.sort.unwrap_or_else(by_badness);
        let view = TableSettings {
            sort,
            filter: setup.filter.clone(),
            user: None,
            kernel_threads: false,
            hide_spared: false,
            tree: false,
            folded: HashSet::new(),
        };
        let is_site = setup.policy.id().starts_with(SitePolicy::PREFIX);
        let site = is_site.then_some(setup.policy);
        Self {
            setup,
            site,
            trouble: None,
            scene: None,
            ranking: Ranking::default(),
            ranking_before: Ranking::default(),
            first_limit: None,
            growing: None,
            check: SelfCheck::default(),
            names: Names::default(),
            view,
            lines: Vec::new(),
            screen: ViewKind::Processes,
            cgroups: CgroupsView::default(),
            verdicts: VerdictsView::default(),
            commitments: CommitmentsPage::default(),
            memory: MemoryView::default(),
            mode: Mode::Browse,
            anchor: CursorAnchor::First,
            cursor: 0,
            top: 0,
            skipped: 0,
            switched: Vec::new(),
            tags: BTreeSet::new(),
            search: Filter::default(),
            follow: true,
            paused: false,
            playback: Playback::default(),
            timeline: Timeline::default(),
            report: None,
            header: HeaderLevel::Full,
            scale: SizeUnit::Auto,
            header_scale: SizeUnit::Auto,
            command: None,
            notice: None,
            journal: Journal::default(),
            sysctl_history: SysctlHistory::default(),
            adj_rules: None,
            pace: Pace::default(),
            alarms: Alarms::default(),
            aside: None,
            lost: None,
            viewport: Viewport::default(),
            kills_at_start: None,
            now: Millis(0),
            pressed: None,
            stale_lines: false,
            spare: Ranking::default(),
            spent: None,
            asked: HashMap::new(),
        }
    }

    /// Takes a message; what the shell shall do about it comes back.
    pub fn update(&mut self, msg: Msg) -> Vec<Request> {
        let asked = self.take(msg);
        self.watch_growth();
        asked
    }

    fn take(&mut self, msg: Msg) -> Vec<Request> {
        match msg {
            Msg::Key(key, at) => {
                self.now = self.now.max(at);
                self.pace.stirred(at);
                let before = self.pressed.replace(at);
                let alone = before.is_none_or(|it| {
                    at.0 >= it.0.saturating_add(crate::app::dialog::mode::QUIET.0)
                });
                return self.key(key, KeyPress { at, alone });
            }
            Msg::Paste(text) => self.paste(&text),
            Msg::Sampled(snapshot) => {
                let rung = self.sampled(snapshot);
                let mut asked = self.apply_adj_rules();
                asked.extend(rung);
                return asked;
            }
            Msg::Played(sample) => self.take_played(sample),
            Msg::AllPlayed => self.all_played(),
            Msg::Recording(on) => self.playback.set_recording_since(on.then_some(self.now)),
            Msg::Log(news) => self.hear(news),
            Msg::SamplingFailed(why) => self.say(NoticeLevel::Warn, why),
            Msg::SourceLost(why) => self.lost = Some(why),
            Msg::Tick(now) => self.tick(now),
            Msg::Drawn(viewport, at) => self.drawn(viewport, at),
            Msg::Outcome(outcome) => self.take_outcome(outcome),
            Msg::Detail(study) => self.take_detail(*study),
            Msg::Breakdowns(found) => self.take_breakdowns(found),
            Msg::Users(users) => {
                self.names.learn_users(users);
                self.stale_lines = true;
            }
            Msg::Commands(lines) => {
                for (id, line) in lines {
                    if let Some(process) = self.scene.as_ref().and_then(|scene| scene.find(id)) {
                        self.names.learn_command(process, line);
                    }
                }
                self.stale_lines |= self.view.filter.wants_command_lines();
            }
            Msg::Notice(level, text) => self.say(level, text),
            Msg::Rule(LoadedPolicy(rule)) => self.take_rule(rule),
            Msg::AdjRules(news) => self.take_adj_rules(news),
            Msg::PressureWatch(watch, whose) => self.watching(watch, whose),
            Msg::Pressure => {
                self.pace.pressed(self.now);
                return vec![Request::SampleNow];
            }
        }
        Vec::new()
    }

    /// What a row is seen in.
    #[must_use]
    pub fn context(&self) -> Option<RowContext<'_>> {
        Some(RowContext {
            scene: self.scene.as_ref()?,
            policy: self.setup.policy,
            ranking: &self.ranking,
            names: &self.names,
            scale: self.scale,
            command: self.command_style(),
        })
    }

    /// What COMMAND shows: where there is room, the command line.
    #[must_use]
    pub fn command_style(&self) -> CommandStyle {
        self.command.unwrap_or(if self.viewport.width >= 160 {
            CommandStyle::Short
        } else {
            CommandStyle::Name
        })
    }

    /// The process under the cursor.
    #[must_use]
    pub fn selected(&self) -> Option<&Process> {
        let line = self.lines.get(self.cursor)?;
        self.scene.as_ref()?.find(line.id)
    }

    /// Whether rows hold still: a dialog is open, or a key was pressed just now.
    #[must_use]
    pub fn held(&self) -> bool {
        let just_now = |at: Millis| self.now.0 < at.0.saturating_add(HOLD.0);
        self.mode.is_dialog() || self.pressed.is_some_and(just_now)
    }

    /// A snapshot that nobody needs any more, for its buffers.
    pub fn take_spent(&mut self) -> Option<Arc<Snapshot>> {
        self.spent.take()
    }

    /// Whether the table has the keys.
    #[must_use]
    pub const fn mode_is_browse(&self) -> bool {
        matches!(self.mode, Mode::Browse)
    }

    /// Whether something changes by itself soon: a message that ends, rows that are let go.
    #[must_use]
    pub const fn wants_tick(&self) -> bool {
        self.notice.is_some()
            || self.stale_lines
            || self.playback.is_playing()
            || self.alarms.flashes()
    }

    /// Whether that has come by now, so that another picture is worth painting.
    #[must_use]
    pub fn is_due(&self, now: Millis) -> bool {
        let ends = self.notice.as_ref().is_some_and(|notice| notice.until < now);
        let let_go = self.pressed.is_none_or(|at| now.0 >= at.0.saturating_add(HOLD.0));
        let ends = ends || self.alarms.flash_ends(now);
        ends || self.playback.is_playing() || (self.stale_lines && !self.mode.is_dialog() && let_go)
    }

    /// The clock as the mind knows it.
    #[must_use]
    pub const fn clock(&self) -> Millis {
        self.now
    }

    /// How far the ranking moved the process up since the look before (down, when negative).
    #[must_use]
    pub fn moved(&self, process: &Process) -> Option<i64> {
        let scene = self.scene.as_ref()?;
        let before = scene.before()?;
        let then =
            before.position(process.id.pid).filter(|&at| before.processes[at].id == process.id)?;
        let now = scene.now().position(process.id.pid)?;
        let (old, was) = self.ranking_before.place(then)?;
        let (new, is) = self.ranking.place(now)?;
        was.placement.points()?;
        is.placement.points()?;
        Some(old as i64 - new as i64)
    }

    fn sampled(&mut self, mut snapshot: Arc<Snapshot>) -> Vec<Request> {
        // A rule that asks for command lines has those that were learned: none is read in the look.
        if self.setup.policy.needs().cmdline
            && let Some(snapshot) = Arc::get_mut(&mut snapshot)
        {
            for process in &mut snapshot.processes {
                if let Some(line) = self.names.line(process) {
                    process.cmdline = Reading::Value(line);
                }
            }
        }
        if self.kills_at_start.is_none() {
            self.kills_at_start = snapshot.traffic.oom_kills.value();
        }
        if !snapshot.users.is_empty() {
            self.names.learn_users(Arc::clone(&snapshot.users));
        }
        let unseen = self.shows_other_sample().then(|| Arc::clone(&snapshot));
        self.take_sample(snapshot);
        self.take_live_sample(unseen)
    }

    /// Shows a look as the one that follows the one on the screen. Gives back what nobody needs any more.
    fn show_sample(&mut self, sample: Arc<Snapshot>) -> Option<Arc<Snapshot>> {
        let mut spent = None;
        match &mut self.scene {
            Some(scene) => spent = scene.advance(sample),
            None => {
                let scope = self.setup.scope.clone();
                self.scene = Some(Scene::scoped(sample, None, scope));
            }
        }
        if let Some(scene) = &mut self.scene {
            scene.set_forecast(trend::forecast(
                &self.playback.history,
                &self.playback.past,
                scene.now(),
            ));
        }
        std::mem::swap(&mut self.ranking, &mut self.ranking_before);
        self.rank();
        if let Some(scene) = &self.scene {
            self.check.update(scene);
            // Who is gone now may come back to the screen with an earlier look.
            if !self.playback.is_past() {
                let all = scene.now().processes.len();
                self.names.forget(all + SPARE_NAMES, |id| scene.find(id).is_some());
                self.asked.retain(|&id, _| scene.find(id).is_some());
                self.tags.retain(|&id| scene.find(id).is_some());
            }
        }
        self.refresh_lines();
        self.arrange_groups();
        self.arrange_verdicts();
        self.arrange_memory();
        self.renew_preview();
        self.renew_persist();
        self.renew_commitments();
        self.renew_sysctl_forecast();
        self.close_if_another();
        self.report_rule_errors();
        spent
    }

    /// A process that runs another program now is not the one that a dialog speaks of.
    fn close_if_another(&mut self) {
        let (Mode::Signal(confirm), Some(scene)) = (&self.mode, &self.scene) else { return };
        let Some(process) = scene.find(confirm.who) else { return };
        let comm = process.comm.to_string();
        if comm != confirm.name {
            let text =
                format!("{} {} became {comm}: nothing was signalled", confirm.who, confirm.name);
            self.mode = Mode::Browse;
            self.say(NoticeLevel::Warn, text);
        }
    }

    /// A new version of the site's rule takes the place of the old one.
    fn take_rule(&mut self, rule: &'static dyn Policy) {
        let used = self.setup.policy.id().starts_with(SitePolicy::PREFIX);
        self.site = Some(rule);
        let mut text = format!("{} was read again", rule.id());
        if used {
            self.setup.policy = rule;
            self.rank_anew();
            self.refresh_lines();
        } else {
            text.push_str("; v ranks by it");
        }
        self.say(NoticeLevel::Good, text);
        self.trouble = None;
        self.report_rule_errors();
    }

    /// Says why the rule failed on some process, once for each cause.
    fn report_rule_errors(&mut self) {
        let Some(scene) = &self.scene else { return };
        let failed = |row: &&Ranked| row.placement == Placement::Spared(SparedReason::Failed);
        let rows = self.ranking.rows().iter().filter(failed);
        let found = rows.filter_map(|row| scene.find(row.id));
        let found = policy::site::troubles(self.setup.policy, scene, found);
        let (cause, line) = found.map_or((None, None), |(cause, line)| (Some(cause), Some(line)));
        let is_new = self.trouble != cause;
        self.trouble = cause;
        if let Some(line) = line.filter(|_| is_new) {
            self.say(NoticeLevel::Warn, line);
        }
    }

    /// Ranks the same look in another way: nobody has moved since.
    fn rank_anew(&mut self) {
        self.rank();
        self.ranking_before = self.ranking.clone();
        self.arrange_groups();
        self.arrange_verdicts();
        self.renew_preview();
    }

    /// Finds who grows most, once a look, where that is shown: in the panels and on the explain page,
    /// of killers by which whoever asks for memory dies.
    fn watch_growth(&mut self) {
        let shown = self.viewport.panels > 0 || matches!(self.mode, Mode::Explain(_));
        let Some(scene) = self.scene.as_ref().filter(|_| shown && self.growing.is_none()) else {
            return;
        };
        let so = if self.screen == ViewKind::Verdicts {
            self.opinion().and_then(|opinion| opinion.outcome.overridden)
        } else {
            self.setup.policy.overridden(scene)
        };
        // The machine's panel names them under any rule.
        if self.viewport.panels > 0 || so.is_some_and(Override::kills_allocating_task) {
            self.growing = Some(growth::fastest(scene, GROWING));
        }
    }

    /// Ranks again: a new look, or another policy.
    fn rank(&mut self) {
        self.growing = None;
        if let Some(scene) = &self.scene {
            self.ranking.update(self.setup.policy, scene);
            self.first_limit = Some(at_limit::first(self.setup.policy, scene, &self.ranking));
        }
    }

    /// New facts for the same rows, or new rows where nothing holds them.
    fn refresh_lines(&mut self) {
        if self.held() && !self.lines.is_empty() {
            if let Some(scene) = &self.scene {
                crate::rows::arrange::hold(&mut self.lines, scene.now());
            }
            self.stale_lines = true;
        } else {
            self.arrange();
        }
    }

    /// Puts the rows in order and the cursor where it belongs.
    fn arrange(&mut self) {
        self.stale_lines = false;
        let mut lines = std::mem::take(&mut self.lines);
        if let Some(context) = self.context() {
            self.view.arrange(&context, &mut lines);
        }
        self.lines = lines;
        let last = self.lines.len().saturating_sub(1);
        self.cursor = match self.anchor {
            CursorAnchor::First => self.victim_line(),
            CursorAnchor::Row(row) => row.min(last),
            CursorAnchor::Process(id) => {
                let found = self.lines.iter().position(|line| line.id == id);
                found.unwrap_or_else(|| self.cursor.min(last))
            }
        };
        self.drop_exited();
        self.keep_cursor_in_view();
    }

    /// The line of the predicted victim, whatever the order; the first line where it is not shown.
    fn victim_line(&self) -> usize {
        let victim = self.ranking.victim().map(|row| row.id);
        self.lines.iter().position(|line| Some(line.id) == victim).unwrap_or(0)
    }

    /// A followed process that is gone hands the cursor to whoever stands in its row now.
    fn drop_exited(&mut self) {
        let CursorAnchor::Process(id) = self.anchor else { return };
        let gone = self.scene.as_ref().is_some_and(|scene| scene.find(id).is_none());
        if let Some(line) = self.lines.get(self.cursor).filter(|_| gone) {
            self.anchor = CursorAnchor::Process(line.id);
        }
    }

    fn keep_cursor_in_view(&mut self) {
        let rows = usize::from(self.viewport.rows).max(1);
        let last_top = self.lines.len().saturating_sub(rows);
        self.top =
            self.top.clamp((self.cursor + 1).saturating_sub(rows), self.cursor).min(last_top);
    }

    fn tick(&mut self, now: Millis) {
        self.now = self.now.max(now);
        if self.notice.as_ref().is_some_and(|notice| notice.until < self.now) {
            self.notice = None;
        }
        self.alarms.tick(now);
        self.keep_playing();
        if self.stale_lines && !self.held() {
            self.arrange();
        }
    }

    fn drawn(&mut self, viewport: Viewport, at: Millis) {
        self.now = self.now.max(at);
        let resized = viewport.rows != self.viewport.rows;
        self.viewport = viewport;
        if resized {
            self.keep_cursor_in_view();
            self.keep_group_in_view();
            self.keep_verdict_in_view();
            self.keep_event_in_view();
        }
        match &mut self.mode {
            Mode::Adjust(edit) => edit.shown.drawn(at, viewport.dialog),
            Mode::Signal(confirm) => confirm.shown.drawn(at, viewport.dialog),
            Mode::Revert(revert) => revert.shown.drawn(at, viewport.dialog),
            Mode::Bulk(several) => several.drawn(at, viewport.dialog, viewport.page),
            Mode::Sysctl(edit) => edit.shown.drawn(at, viewport.dialog),
            Mode::RuleConsent(ask) => ask.shown.drawn(at, viewport.dialog),
            Mode::ConfirmSysctl(sure) => sure.shown.drawn(at, viewport.dialog),
            _ => {}
        }
    }

    /// Shows a message on the bottom line.
    fn say(&mut self, level: NoticeLevel, text: impl Into<String>) {
        let until = Millis(self.now.0.saturating_add(NOTICE.0));
        self.notice = Some(Notice { level, text: text.into(), until });
    }
}

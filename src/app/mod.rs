//! The state of the program, changed by messages; requests to the shell come out. No terminal, no clock,
//! no files: the same messages always give the same state.
//!
//! A file here holds either state or behaviour. State (`keymap`, `adj_rules`, `session`, `incident`,
//! `refresh`, `view`, `dialog`, `page`, `mode`) does not mention [`App`]; `update` (messages) and `input`
//! (keys) are blocks of `impl App` above it.

pub mod adj_rules;
pub mod dialog;
pub mod incident;
pub(crate) mod input;
pub mod keymap;
pub mod message;
pub mod mode;
pub mod page;
pub mod refresh;
pub mod session;
pub mod setup;
pub(crate) mod update;
pub mod view;

use std::collections::HashSet;
use std::sync::Arc;

use crate::app::incident::Incidents;
use crate::app::keymap::bindings::{Action, KeyContext, Keymap};
use crate::app::mode::Mode;
use crate::app::page::commitments::CommitmentsPage;
use crate::app::refresh::Refresh;
use crate::app::refresh::playback::Playback;
use crate::app::refresh::showing::Showing;
use crate::app::session::Session;
use crate::app::setup::{KeySettings, Settings, StartOptions};
use crate::app::view::Views;
use crate::app::view::display::Display;
use crate::app::view::struck_row::StruckRow;
use crate::app::view::table::Table;
use crate::columns::{Column, CommandStyle, RowContext, column, fitting};
use crate::forecast::limits::ReachableLimit;
use crate::forecast::next_death::Deaths;
use crate::forecast::oom_at_limit::FirstLimit;
use crate::forecast::race::Race;
use crate::model::{Domain, Names, ProcId, Process, Scene, Scope, Snapshot};
use crate::policy::Policy;
use crate::policy::site::SitePolicy;
use crate::rank::Ranking;
use crate::rows::arrange::{Sort, TableSettings};
use crate::units::{Millis, Points};
use crate::words::memory_sheet::FutileKill;

pub use crate::app::message::{LoadedPolicy, Msg, Request};
pub use crate::app::session::notice::{Notice, NoticeLevel};
pub use crate::app::setup::{ActingMode, Setup};
pub use crate::app::view::display::HeaderLevel;
pub use crate::app::view::last_frame::Viewport;
pub use crate::app::view::table::CursorAnchor;

/// The rows of the table keep their order for this long after a key.
const HOLD: Millis = Millis(1500);

/// Everything the program knows and shows.
pub struct App {
    /// How it was started.
    pub start: StartOptions,
    /// What the user changed since.
    pub settings: Settings,
    /// The sample on the screen and the one before it; nothing before the first sample.
    pub scene: Option<Scene>,
    /// The processes in the order in which the policy would kill them.
    pub ranking: Ranking,
    /// The ranking of the sample before.
    pub ranking_before: Ranking,
    /// The limit that is reached first, and the outcome there.
    pub first_limit: Option<FirstLimit>,
    /// The limits with the least left, by their share.
    pub tightest_limits: Vec<ReachableLimit>,
    /// The deaths that are predicted at the sample on the screen.
    pub deaths: Deaths,
    /// The race for the next kill; nothing where the screen does not show it.
    pub race: Option<Race>,
    /// Why no kill in the domain of that race can help, where that is so.
    pub futile_kill: Option<FutileKill>,
    /// The processes that grow fastest, with pages a minute; nothing where the screen does not show them.
    pub growing: Option<Vec<(ProcId, Points)>>,
    /// User names and command lines.
    pub names: Names,
    /// The table of processes.
    pub table: Table,
    /// The other views.
    pub views: Views,
    /// What has the keys.
    pub mode: Mode,
    /// The page of commitments.
    pub commitments: CommitmentsPage,
    /// The samples that are kept, and which one is on the screen.
    pub playback: Playback,
    /// OOM events and reports.
    pub incidents: Incidents,
    /// What was done in this session.
    pub session: Session,
    /// What follows each new sample.
    pub refresh: Refresh,
    /// How things are shown.
    pub display: Display,
    /// The keys in force.
    pub keys: Keymap,
    /// The newest time that a message told.
    now: Millis,
    /// When the last key was pressed.
    pressed: Option<Millis>,
    /// Why the policy failed on some process, as it was said last.
    policy_error: Option<String>,
    /// A ranking whose buffers are reused.
    spare: Ranking,
    /// A snapshot whose buffers may be reused.
    spent: Option<Arc<Snapshot>>,
}

/// The order of the table at the start.
#[must_use]
pub fn by_badness() -> Sort {
    let column = column("badness").unwrap_or(&crate::columns::COLUMNS[0]);
    Sort { column, descending: true }
}

impl App {
    /// The state before the first sample.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        let Setup { own, acting, policy, scope, columns, filter, sort, delay, utc_offset, live } =
            setup;
        let table = TableSettings {
            sort: sort.unwrap_or_else(by_badness),
            filter,
            user: None,
            kernel_threads: false,
            hide_spared: false,
            tree: false,
            folded: HashSet::new(),
        };
        let is_site = policy.id().starts_with(SitePolicy::PREFIX);
        let site_policy = is_site.then_some(policy);
        Self {
            start: StartOptions { own, acting, utc_offset, live },
            settings: Settings {
                policy,
                site_policy,
                scope,
                columns,
                delay,
                keys: KeySettings::default(),
            },
            scene: None,
            ranking: Ranking::default(),
            ranking_before: Ranking::default(),
            first_limit: None,
            tightest_limits: Vec::new(),
            deaths: Deaths::default(),
            race: None,
            futile_kill: None,
            growing: None,
            names: Names::default(),
            table: Table::new(table),
            views: Views::default(),
            mode: Mode::Browse,
            commitments: CommitmentsPage::default(),
            playback: Playback::default(),
            incidents: Incidents::default(),
            session: Session::default(),
            refresh: Refresh::default(),
            display: Display::default(),
            keys: Keymap::default(),
            now: Millis(0),
            pressed: None,
            policy_error: None,
            spare: Ranking::default(),
            spent: None,
        }
    }

    /// What the screen shows.
    #[must_use]
    pub fn showing(&self) -> Showing {
        match (&self.incidents.report, self.playback.at()) {
            (Some(report), _) => Showing::Report(report.number),
            (None, Some(at)) if self.playback.is_past() => Showing::Past(at),
            _ => Showing::Now,
        }
    }

    /// Whether the screen shows an earlier sample, a recording or a report, and stays there while new
    /// samples come.
    #[must_use]
    pub fn is_past(&self) -> bool {
        self.showing() != Showing::Now
    }

    /// Whether the rows are of another time of this machine. A pid there may belong to another process by
    /// now, so nothing can be acted on.
    #[must_use]
    pub fn is_over(&self) -> bool {
        match self.showing() {
            Showing::Now => false,
            Showing::Past(_) => self.start.live,
            Showing::Report(_) => true,
        }
    }

    /// The policy that ranks what is on the screen.
    #[must_use]
    pub fn policy(&self) -> &'static dyn Policy {
        let report = self.incidents.report.as_ref();
        report.and_then(|shown| shown.kernel_policy).unwrap_or(self.settings.policy)
    }

    /// The context in which rows are shown.
    #[must_use]
    pub fn context(&self) -> Option<RowContext<'_>> {
        Some(RowContext {
            scene: self.scene.as_ref()?,
            policy: self.policy(),
            ranking: &self.ranking,
            names: &self.names,
            scale: self.display.scale,
            command: self.command_style(),
        })
    }

    /// What the column COMMAND shows: the command line where there is room.
    #[must_use]
    pub fn command_style(&self) -> CommandStyle {
        self.display.command.unwrap_or(if self.display.viewport.width >= 116 {
            CommandStyle::Short
        } else {
            CommandStyle::Name
        })
    }

    /// The process under the cursor.
    #[must_use]
    pub fn selected(&self) -> Option<&Process> {
        let line = self.table.line()?;
        self.scene.as_ref()?.find(line.id)
    }

    /// The row under the cursor, where that is of a process that was killed a moment ago.
    #[must_use]
    pub fn struck_under_cursor(&self) -> Option<&StruckRow> {
        let line = self.table.line().filter(|line| line.at.is_none())?;
        self.table.struck_row(line.id)
    }

    /// Whether the order of the rows is frozen: a dialog is open, or a key was pressed just now.
    #[must_use]
    pub fn held(&self) -> bool {
        let just_now = |at: Millis| self.now.0 < at.0.saturating_add(HOLD.0);
        self.mode.is_dialog() || self.pressed.is_some_and(just_now)
    }

    /// A snapshot that is not needed any more, for its buffers.
    pub fn take_spent(&mut self) -> Option<Arc<Snapshot>> {
        self.spent.take()
    }

    /// Whether the view has the keys.
    #[must_use]
    pub const fn mode_is_browse(&self) -> bool {
        matches!(self.mode, Mode::Browse)
    }

    /// Whether something will change by itself soon: a message disappears, frozen rows are released.
    #[must_use]
    pub const fn wants_tick(&self) -> bool {
        self.display.notice.is_some()
            || self.table.stale
            || self.playback.is_playing()
            || self.refresh.alarms.flashes()
    }

    /// Whether something has changed by now, so that another frame is worth drawing.
    #[must_use]
    pub fn is_due(&self, now: Millis) -> bool {
        let ends = self.display.notice.as_ref().is_some_and(|notice| notice.until < now);
        let let_go = self.pressed.is_none_or(|at| now.0 >= at.0.saturating_add(HOLD.0));
        let ends = ends || self.refresh.alarms.flash_ends(now);
        ends || self.playback.is_playing() || (self.table.stale && !self.mode.is_dialog() && let_go)
    }

    /// The newest time that a message told.
    #[must_use]
    pub const fn clock(&self) -> Millis {
        self.now
    }

    /// The number of places that the process moved up since the sample before; negative when it moved
    /// down.
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

    /// The name of the key of an action, for a sentence.
    #[must_use]
    pub fn key_name(&self, action: Action) -> String {
        self.keys.name_of(KeyContext::Browse, action)
    }

    /// The columns on the screen, before scrolling.
    #[must_use]
    pub fn columns(&self) -> Vec<&'static Column> {
        self.columns_on(self.display.viewport.width)
    }

    /// The same on a terminal of this width. A tree and whole command lines need room.
    #[must_use]
    pub fn columns_on(&self, width: u16) -> Vec<&'static Column> {
        let command = match self.display.command {
            _ if self.table.settings.tree => width / 4,
            Some(CommandStyle::Line | CommandStyle::Short) => width / 4,
            None if self.command_style() != CommandStyle::Name => width / 5,
            _ => 0,
        };
        let has_parts = self.context().is_none_or(|context| context.has_parts());
        let switch = |id: &str| {
            let chosen = self.table.switched.iter().find(|(it, _)| it.id == id);
            // A bar of other parts would have no meaning.
            chosen.map(|(_, on)| *on).or((id == "parts" && !has_parts).then_some(false))
        };
        fitting(width, self.display.scale, command, self.settings.columns.as_deref(), &switch)
    }

    /// Whether there is neither a sample nor a report to show.
    #[must_use]
    pub fn has_nothing(&self) -> bool {
        self.scene.is_none() && self.timeline().events().is_empty()
    }

    /// Whether another domain than the whole machine is ranked.
    #[must_use]
    pub fn is_scoped(&self) -> bool {
        self.scene.as_ref().is_some_and(|scene| !scene.domain().is_global())
    }

    /// The domain of a scope in the sample on the screen.
    pub(crate) fn domain_of(&self, scope: &Scope) -> Option<Domain> {
        Some(Domain::of(scope, self.scene.as_ref()?.now()))
    }
}

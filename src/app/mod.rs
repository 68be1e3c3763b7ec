//! MIND: state and a message in, state and requests out. No terminal, no clock, no files: the same
//! messages give the same state, in a test as at three in the morning.

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

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::alarm::Alarms;
use crate::app::adj_rules::rules::ActiveRules;
use crate::app::incident::report::ShownReport;
use crate::app::incident::timeline::Timeline;
use crate::app::mode::Mode;
use crate::app::page::commitments::CommitmentsPage;
use crate::app::refresh::pace::Pace;
use crate::app::refresh::playback::Playback;
use crate::app::refresh::self_check::SelfCheck;
use crate::app::session::journal::Journal;
use crate::app::session::sysctl_history::SysctlHistory;
use crate::app::view::cgroups::CgroupsView;
use crate::app::view::kind::ViewKind;
use crate::app::view::memory::MemoryView;
use crate::app::view::verdicts::VerdictsView;
use crate::columns::{Column, CommandStyle, RowContext, SizeUnit, column, fitting};
use crate::forecast::at_limit::FirstLimit;
use crate::model::{Comm, Domain, Names, ProcId, Process, Scene, Scope, Snapshot};
use crate::policy::Policy;
use crate::policy::site::SitePolicy;
use crate::rank::Ranking;
use crate::rows::arrange::{Sort, TableLine, TableSettings};
use crate::rows::filter::Filter;
use crate::units::{Millis, Points};

pub use crate::app::message::{LoadedPolicy, Msg, Request};
pub use crate::app::session::notice::{Notice, NoticeLevel};
pub use crate::app::setup::{ActingMode, Setup};
pub use crate::app::view::display::HeaderLevel;
pub use crate::app::view::table::CursorAnchor;
pub use crate::app::view::viewport::Viewport;

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

    /// The columns on the screen, before scrolling.
    #[must_use]
    pub fn columns(&self) -> Vec<&'static Column> {
        self.columns_on(self.viewport.width)
    }

    /// The same on a terminal of this width. A tree and whole command lines want room.
    #[must_use]
    pub fn columns_on(&self, width: u16) -> Vec<&'static Column> {
        let plain = !self.view.tree && self.command_style() == CommandStyle::Name;
        let command = if plain { 0 } else { width / 4 };
        let switch = |id: &str| self.switched.iter().find(|(it, _)| it.id == id).map(|(_, on)| *on);
        fitting(width, self.scale, command, self.setup.columns.as_deref(), &switch)
    }

    /// Whether anything but the whole machine is looked at.
    #[must_use]
    pub fn is_scoped(&self) -> bool {
        self.scene.as_ref().is_some_and(|scene| !scene.domain().is_global())
    }

    /// The domain of a scope in the present look.
    pub(crate) fn domain_of(&self, scope: &Scope) -> Option<Domain> {
        Some(Domain::of(scope, self.scene.as_ref()?.now()))
    }
}

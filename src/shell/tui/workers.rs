//! The threads of the screen, and what the main loop asks of them.

use std::sync::mpsc::Sender;
use std::time::Instant;

use crate::alarm::RaisedAlarm;
use crate::app::{App, Msg, NoticeLevel};
use crate::model::{ProcId, Snapshot};
use crate::sample::proc_root::{LiveRoot, ProcRoot};
use crate::shell::event::Inbox;
use crate::shell::worker::adj_rules::AdjRulesWatch;
use crate::shell::worker::alarm_command::{AlarmCommandWorker, AlarmCommands};
use crate::shell::worker::log_sources::LogSources;
use crate::shell::worker::lookup_root::LookupRoot;
use crate::shell::worker::psi_trigger::TriggerWorker;
use crate::shell::worker::sampler::Sampler;
use crate::shell::worker::site_rules::SiteRuleWatch;
use crate::shell::worker::usage_readings::UsageWorker;
use crate::shell::worker::{
    adj_rules, alarm_command, breakdowns, command_lines, detail, psi_trigger, site_rules,
    usage_readings,
};

/// The proc tree, opened once for each thread that reads it.
pub(crate) struct LiveTrees {
    /// For command lines and the names of users.
    pub(crate) command_lines: LookupRoot,
    /// For the process of a dialog.
    pub(crate) detail: LookupRoot,
    /// For what the memory of processes consists of.
    pub(crate) breakdowns: ProcRoot,
    /// For the pressure file.
    pub(crate) pressure: ProcRoot,
    /// For the usage of domains near their limit, with zero of the clock of the samples. `None` where names
    /// are redacted: a redacted path opens nothing.
    pub(crate) usage: Option<(ProcRoot, Instant)>,
}

/// The threads. `None`: not needed, or the system has no resources for it.
#[derive(Default)]
pub(super) struct Workers {
    pub(super) sampler: Option<Sampler>,
    command_lines: Option<Sender<Vec<ProcId>>>,
    detail: Option<Sender<Vec<ProcId>>>,
    breakdowns: Option<Sender<Vec<ProcId>>>,
    site_rules: Option<Sender<()>>,
    adj_rules: Option<Sender<()>>,
    psi_trigger: Option<TriggerWorker>,
    usage: Option<UsageWorker>,
    alarm_command: Option<AlarmCommandWorker>,
    log_sources: Option<LogSources>,
}

impl Workers {
    /// None but the sampler. A recording that is played has none.
    pub(super) fn new(sampler: Option<Sampler>) -> Self {
        Self { sampler, ..Self::default() }
    }

    pub(super) fn watch_adj_rules(&mut self, watch: AdjRulesWatch, inbox: &Inbox) {
        self.adj_rules = adj_rules::start(watch, inbox.clone());
    }

    pub(super) fn watch_site_rules(&mut self, watch: SiteRuleWatch, inbox: &Inbox) {
        self.site_rules = site_rules::start(watch, inbox.clone());
    }

    pub(super) fn follow_logs(&mut self, inbox: &Inbox) {
        self.log_sources = Some(LogSources::start(inbox));
    }

    /// Follows the logs that this sample shows a need for.
    pub(super) fn follow_more_logs(&mut self, sample: &Snapshot) {
        self.log_sources.iter_mut().for_each(|it| it.follow(sample));
    }

    pub(super) fn run_alarms(&mut self, commands: AlarmCommands, inbox: &Inbox) {
        self.alarm_command = alarm_command::start(commands, inbox.clone());
    }

    /// Starts the threads that read the live tree.
    pub(super) fn look_up(&mut self, trees: LiveTrees, inbox: &Inbox) {
        let root = LiveRoot::prove(trees.pressure).ok();
        self.psi_trigger = root.and_then(|root| psi_trigger::start(root, inbox.clone()));
        let usage = trees.usage;
        self.usage =
            usage.and_then(|(root, started)| usage_readings::start(root, started, inbox.clone()));
        self.command_lines = command_lines::start(trees.command_lines, inbox.clone());
        self.detail = detail::start(trees.detail, inbox.clone());
        self.breakdowns = breakdowns::start(trees.breakdowns, inbox.clone());
    }

    /// A sample was requested: the watched files are checked with it.
    pub(super) fn check_files(&mut self) {
        self.log_sources.iter_mut().for_each(LogSources::sample);
        for watch in [&self.site_rules, &self.adj_rules].into_iter().flatten() {
            let _ = watch.send(());
        }
    }

    /// Requests what the app does not know yet about the processes that it shows.
    pub(super) fn request_lookups(&self, app: &mut App) {
        let wanted = app.wanted_command_lines();
        if let Some(command_lines) = self.command_lines.as_ref().filter(|_| !wanted.is_empty()) {
            let _ = command_lines.send(wanted);
        }
        let wanted = app.wanted_breakdowns();
        if let Some(breakdowns) = self.breakdowns.as_ref().filter(|_| !wanted.is_empty()) {
            let _ = breakdowns.send(wanted);
        }
        if let Some(detail) = &self.detail
            && let Some(id) = app.wanted_detail()
        {
            let _ = detail.send(vec![id]);
        }
    }

    /// Watches the pressure of the cgroup that the app shows, or of the machine.
    pub(super) fn follow_pressure(&mut self, app: &App) {
        if let Some(trigger) = &mut self.psi_trigger {
            trigger.follow(app.pressure_of());
        }
    }

    /// Reads the usage of the domains that are near their limits, until the next sample.
    pub(super) fn follow_usage(&mut self, app: &App) {
        if let Some(usage) = &mut self.usage {
            usage.follow(app.near_domains());
        }
    }

    /// Runs the command for an alarm. Returns why it will not run.
    pub(super) fn run_alarm(&self, raised: Box<RaisedAlarm>) -> Option<Msg> {
        match &self.alarm_command {
            Some(worker) => worker.run(raised),
            None => Some(Msg::Notice(
                NoticeLevel::Warn,
                "the alarm's command was not run: no thread could be started".to_owned(),
            )),
        }
    }
}

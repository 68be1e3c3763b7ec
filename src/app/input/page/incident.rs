//! Opens the page about one OOM event; its keys.

use crate::app::incident::event_text::{
    killer_sentence, prediction_sentence, time_sentence, victim_sentence, victim_text,
};
use crate::app::input::global::sent;
use crate::app::keymap::bindings::{Action, Key, KeyContext};
use crate::app::mode::Mode;
use crate::app::page::incident::IncidentPage;
use crate::app::session::notice::NoticeLevel;
use crate::app::view::kind::ViewKind;
use crate::app::{App, Request};
use crate::model::{EventTime, OomEvent, Process};
use crate::units::Adj;
use crate::words::incident::ExplainedReport;
use crate::words::incident::line::{IncidentLine, IncidentTopic};
use crate::words::next_death::forecast_sentence;
use crate::words::remedy::{self, Remedy, RemedyAct};

impl App {
    /// Opens the page about an event.
    pub(crate) fn open_incident(&mut self, event: &OomEvent) {
        let timeline = &self.incidents.timeline;
        let report = event.report.and_then(|number| timeline.report(number));
        let explained = report.map(|report| {
            let policy = Some(self.policy()).filter(|policy| !policy.is_running_kernel());
            ExplainedReport::new(report, &self.incidents.common(), policy)
        });
        let differs = explained.as_ref().is_some_and(ExplainedReport::differs);
        let (mut lines, remedies) = match explained {
            Some(explained) => (explained.facts(), explained.remedies()),
            None => (self.lines_without_report(event), remedy::of_daemon_kill(event)),
        };
        if report.is_some() && event.time != EventTime::Order {
            let time = time_sentence(event, self.start.utc_offset);
            lines.insert(0, IncidentLine::new(IncidentTopic::Clock, time));
        }
        let forecast = forecast_sentence(event.forecast);
        lines.extend(forecast.map(|text| IncidentLine::new(IncidentTopic::Forecast, text)));
        let predicted = prediction_sentence(event.prediction);
        lines.extend(predicted.map(|text| IncidentLine::new(IncidentTopic::Predicted, text)));
        let title = format!("{}: {}", event.by.word(), victim_text(event));
        let page = IncidentPage { title, lines, remedies, differs, scroll: 0 };
        self.mode = Mode::Incident(Box::new(page));
    }

    fn lines_without_report(&self, event: &OomEvent) -> Vec<IncidentLine> {
        let line = IncidentLine::new;
        let mut lines = vec![
            line(IncidentTopic::When, time_sentence(event, self.start.utc_offset)),
            line(IncidentTopic::What, killer_sentence(event)),
            line(IncidentTopic::Killed, victim_sentence(event)),
        ];
        lines.extend(event.domain.as_ref().map(|it| line(IncidentTopic::Domain, it.to_string())));
        let cgroup = event.cgroup.as_ref().filter(|path| event.domain.as_ref() != Some(path));
        lines.extend(cgroup.map(|path| line(IncidentTopic::Cgroup, path.to_string())));
        lines.extend(event.said.as_ref().map(|said| line(IncidentTopic::Said, said.to_string())));
        if self.incidents.timeline.is_unproven(event.nth) {
            let text = "only a log file reports it, and any user can write there (logger -t)";
            lines.push(line(IncidentTopic::Proof, text.to_owned()));
        }
        lines
    }

    pub(crate) fn incident_key(&mut self, key: Key) -> Vec<Request> {
        if self.keys.meaning(KeyContext::Incident, key) != Some(Action::Remedy) {
            return self.page_key(key);
        }
        let Mode::Incident(page) = &self.mode else { return Vec::new() };
        let nth = key.digit().and_then(|digit| digit.to_digit(10)).unwrap_or_default();
        let nth = usize::try_from(nth).unwrap_or_default().checked_sub(1);
        match nth.and_then(|nth| page.remedies.get(nth)).cloned() {
            Some(remedy) => self.make_change(&remedy),
            None => {
                self.say(NoticeLevel::Plain, "there is no change of that number");
                Vec::new()
            }
        }
    }

    /// Does what doomtop can do about a remedy.
    fn make_change(&mut self, remedy: &Remedy) -> Vec<Request> {
        match (remedy.act, &remedy.command) {
            // What the editor shows is this machine, not the one of a log.
            (RemedyAct::Sysctls, _) if self.start.live => {
                self.leave_report();
                self.mode = Mode::Browse;
                self.open_sysctls();
                Vec::new()
            }
            (RemedyAct::Persist(pid, adj), _) => self.persist_for_successor(pid, adj),
            (_, Some(command)) => self.copy(command.clone()),
            // It is done outside doomtop: for the ticket.
            (_, None) => self.copy(remedy.text.clone()),
        }
    }

    /// Opens the page of the ways to set an adj, for the process that has the name of `pid` in the report
    /// now. Where none runs it copies the line for a unit.
    fn persist_for_successor(&mut self, pid: i32, adj: Adj) -> Vec<Request> {
        let name = self.name_in_report(pid);
        let newest = self.playback.past.newest().filter(|_| self.start.live);
        let newest = newest.and_then(|nth| self.playback.past.sample(nth));
        let same = |it: &&Process| Some(it.comm.to_string()) == name;
        let found = newest.as_ref().and_then(|sample| {
            let exact = sample.processes.iter().filter(same).find(|it| it.id.pid == pid);
            exact.or_else(|| sample.processes.iter().find(same)).cloned()
        });
        let Some(process) = found else {
            let name = name.unwrap_or_else(|| pid.to_string());
            let line = format!("OOMScoreAdjust={adj}");
            let asked = self.copy(line.clone());
            self.say(
                NoticeLevel::Plain,
                format!("no {name} runs here now; for its unit, {}", sent(&line)),
            );
            return asked;
        };
        self.leave_report();
        self.go_to_now();
        self.views.kind = ViewKind::Processes;
        self.mode = Mode::Browse;
        self.arrange();
        self.jump_to(process.id);
        self.show_persist(&process, adj)
    }

    /// The name of a process in the report on the screen.
    fn name_in_report(&self, pid: i32) -> Option<String> {
        let number = self.incidents.report.as_ref()?.number;
        let report = self.incidents.timeline.report(number)?;
        let task = report.tasks.iter().find(|task| task.pid == pid);
        let killed = || report.killed.iter().find(|it| it.pid == pid).map(|it| it.name.clone());
        task.map(|task| task.name.clone()).or_else(killed)
    }
}

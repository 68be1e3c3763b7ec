//! Opens the page about one OOM event.

use crate::app::App;
use crate::app::incident::event_text::{
    killer_sentence, prediction_sentence, time_sentence, victim_sentence, victim_text,
};
use crate::app::mode::Mode;
use crate::app::page::incident::IncidentPage;
use crate::model::{EventTime, OomEvent};
use crate::words::incident::ExplainedReport;
use crate::words::next_death::forecast_sentence;

impl App {
    /// Opens the page about an event.
    pub(crate) fn open_incident(&mut self, event: &OomEvent) {
        let timeline = &self.incidents.timeline;
        let report = event.report.and_then(|number| timeline.report(number));
        let explained = report.map(|report| {
            let policy = Some(self.policy()).filter(|policy| !policy.is_running_kernel());
            ExplainedReport::new(report, &timeline.common(), policy)
        });
        let differs = explained.as_ref().is_some_and(ExplainedReport::differs);
        let mut lines = match explained {
            Some(explained) => explained.lines(),
            None => self.lines_without_report(event),
        };
        if report.is_some() && event.time != EventTime::Order {
            lines.insert(0, ("clock", time_sentence(event, self.start.utc_offset)));
        }
        lines.extend(forecast_sentence(event.forecast).map(|text| ("forecast", text)));
        lines.extend(prediction_sentence(event.prediction).map(|text| ("seen", text)));
        let title = format!("{}: {}", event.by.word(), victim_text(event));
        self.mode = Mode::Incident(Box::new(IncidentPage { title, lines, differs, scroll: 0 }));
    }

    fn lines_without_report(&self, event: &OomEvent) -> Vec<(&'static str, String)> {
        let mut lines = vec![
            ("when", time_sentence(event, self.start.utc_offset)),
            ("what", killer_sentence(event)),
            ("killed", victim_sentence(event)),
        ];
        lines.extend(event.domain.as_ref().map(|path| ("domain", path.to_string())));
        let cgroup = event.cgroup.as_ref().filter(|path| event.domain.as_ref() != Some(path));
        lines.extend(cgroup.map(|path| ("cgroup", path.to_string())));
        lines.extend(event.said.as_ref().map(|said| ("said", said.to_string())));
        if self.incidents.timeline.is_unproven(event.nth) {
            let text = "only a log file reports it, and any user can write there (logger -t)";
            lines.push(("proof", text.to_owned()));
        }
        lines
    }
}

//! Opens the page about one OOM event.

use crate::app::App;
use crate::app::incident::event_text::{civil, what_words, whom, whom_words};
use crate::app::mode::Mode;
use crate::app::page::incident::IncidentPage;
use crate::columns::span_of;
use crate::model::{EventTime, OomEvent, PredictionResult};
use crate::words::incident::ExplainedReport;

impl App {
    pub(crate) fn open_incident(&mut self, happening: &OomEvent) {
        let mut lines = Vec::new();
        let report = happening.report.and_then(|number| self.timeline.report(number).cloned());
        if let Some(report) = &report {
            let common = self.timeline.common();
            let policy = Some(self.setup.policy).filter(|policy| !policy.is_running_kernel());
            lines = ExplainedReport::new(report, &common, policy).lines();
        }
        let seen = match happening.prediction {
            PredictionResult::NoSample | PredictionResult::AlsoKilled => None,
            PredictionResult::NotSeen => {
                Some("it was not in the look before: it lived too short".to_owned())
            }
            PredictionResult::Rank(1) => {
                Some("the look before named it the next victim".to_owned())
            }
            PredictionResult::Rank(rank) => Some(format!("the look before gave it rank {rank}")),
            PredictionResult::Candidate(_) => {
                Some("the look before called several too close, it among them".to_owned())
            }
            PredictionResult::Spared => {
                Some("by the look before it could not be chosen".to_owned())
            }
        };
        if report.is_none() {
            lines.push(("when", self.when_words(happening)));
            lines.push(("what", what_words(happening)));
            lines.push(("killed", whom_words(happening)));
            if let Some(path) = &happening.domain {
                lines.push(("domain", path.to_string()));
            }
            if let Some(path) =
                happening.cgroup.as_ref().filter(|path| happening.domain.as_ref() != Some(path))
            {
                lines.push(("cgroup", path.to_string()));
            }
            lines.extend(happening.said.as_ref().map(|said| ("said", said.to_string())));
            if self.timeline.is_unproven(happening.nth) {
                let text = "told by a log file only, where anybody may write (logger -t)";
                lines.push(("proof", text.to_owned()));
            }
        } else if happening.time != EventTime::Order {
            lines.insert(0, ("clock", self.when_words(happening)));
        }
        lines.extend(seen.map(|seen| ("seen", seen)));
        let title = format!("{}: {}", happening.by.word(), whom(happening));
        self.mode = Mode::Incident(Box::new(IncidentPage { title, lines, scroll: 0 }));
    }

    fn when_words(&self, happening: &OomEvent) -> String {
        let local = happening.unix_ms.div_euclid(1000) + i64::from(self.setup.utc_offset);
        let second = local.rem_euclid(86_400);
        let (year, month, day) = civil(local.div_euclid(86_400));
        let time = format!(
            "{year}-{month:02}-{day:02} {:02}:{:02}:{:02}",
            second / 3600,
            second / 60 % 60,
            second % 60
        );
        match happening.time {
            EventTime::Live | EventTime::Clock => time,
            EventTime::Stamp => format!(
                "about {time}: the log's own clock drifts, and stands still while the machine sleeps"
            ),
            EventTime::Within(span) => {
                format!("in the {} before {time}", span_of(span.0.div_ceil(1000)))
            }
            EventTime::Order => "not told".to_owned(),
        }
    }
}

//! What `doomtop doctor` finds.

use serde::Serialize;

/// How good it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FindingState {
    /// A fact, or something that works.
    Ok,
    /// A right or a source that is not there: doomtop works without it.
    Missing,
    /// Something is wrong: status 1.
    Problem,
}

/// A line of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// The part of the report.
    pub(crate) section: &'static str,
    /// What was looked at.
    pub(crate) name: String,
    /// How good it is.
    pub(crate) state: FindingState,
    /// What was found.
    pub(crate) value: String,
    /// What it is needed for, where it is a right or a source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) gives: Option<&'static str>,
}

/// The report while it is made.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) rows: Vec<Finding>,
}

impl Findings {
    /// A fact.
    pub(crate) fn fact(&mut self, section: &'static str, name: &str, value: impl ToString) {
        self.add(section, name, FindingState::Ok, value.to_string(), None);
    }

    /// Something that is there or not, and what it is needed for, if there is anything to say.
    pub(crate) fn source(
        &mut self,
        section: &'static str,
        name: &str,
        found: Result<String, String>,
        gives: impl Into<Option<&'static str>>,
    ) {
        let (state, value) = match found {
            Ok(value) => (FindingState::Ok, value),
            Err(why) => (FindingState::Missing, why),
        };
        self.add(section, name, state, value, gives.into());
    }

    /// Something that is wrong.
    pub(crate) fn problem(&mut self, section: &'static str, name: &str, what: impl ToString) {
        self.add(section, name, FindingState::Problem, what.to_string(), None);
    }

    fn add(
        &mut self,
        section: &'static str,
        name: &str,
        state: FindingState,
        value: String,
        gives: Option<&'static str>,
    ) {
        // Names of files and variables come from outside.
        let value = crate::model::neutral(value.replace('\n', " ").as_bytes());
        self.rows.push(Finding { section, name: name.to_owned(), state, value, gives });
    }

    /// Whether anything is wrong.
    pub(crate) fn has_problem(&self) -> bool {
        self.rows.iter().any(|row| row.state == FindingState::Problem)
    }

    /// The report as text.
    pub(crate) fn text(&self) -> String {
        let width = self.rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
        let (mut text, mut section) = (String::new(), "");
        for row in &self.rows {
            if row.section != section {
                let gap = if text.is_empty() { "" } else { "\n" };
                text.push_str(&format!("{gap}{}\n", row.section));
                section = row.section;
            }
            let mark = match row.state {
                FindingState::Ok => ' ',
                FindingState::Missing => '-',
                FindingState::Problem => '!',
            };
            text.push_str(&format!("{mark} {:width$}  {}", row.name, row.value));
            if let Some(gives) = row.gives {
                text.push_str(&format!(" ({gives})"));
            }
            text.push('\n');
        }
        text.push_str(match self.has_problem() {
            true => "\nresult: problems found; see the lines marked !\n",
            false => {
                "\nresult: no problems (- marks a right or source that is missing; doomtop works without it)\n"
            }
        });
        text
    }

    /// The report as JSON, on one line.
    pub(crate) fn json(&self) -> String {
        let status = if self.has_problem() { "problem" } else { "ok" };
        let value = serde_json::json!({
            "schema": "doomtop-doctor/1",
            "status": status,
            "findings": self.rows,
        });
        format!("{value}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_marked_and_what_came_from_outside_is_harmless() {
        let mut found = Findings::default();
        found.fact("terminal", "TERM", "x\x1b[2J\ny");
        found.source("rights", "CAP_KILL", Err("no".to_owned()), "needed to act");
        found.source("sources", "BPF OOM", Err("not supported".to_owned()), None);
        assert!(!found.has_problem());
        assert!(found.text().contains("- CAP_KILL  no (needed to act)\n"), "{}", found.text());
        assert!(found.text().contains("- BPF OOM   not supported\n"), "{}", found.text());
        assert!(!found.text().contains('\x1b'));
        found.problem("settings", "file", "bad");
        assert!(found.text().contains("! file      bad\n"), "{}", found.text());
        let json: serde_json::Value = serde_json::from_str(&found.json()).expect("JSON");
        assert_eq!(json["status"], "problem");
        assert_eq!(json["findings"][1]["state"], "missing");
        assert_eq!(found.json().lines().count(), 1);
    }
}

//! An alarm that was raised, and what a command is told about it.

use std::sync::Arc;

use crate::model::{ProcId, Text};

/// An alarm that was raised, with what a command is told about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RaisedAlarm {
    /// The alarm as the user wrote it: `psi-some>20%`.
    pub alarm: String,
    /// The name of the quantity.
    pub what: &'static str,
    /// The value that was found, and its unit; nothing where something happened.
    pub value: Option<(String, &'static str)>,
    /// What happened or is predicted, where the alarm is about a death, a kill or a stall.
    pub incident: Option<AlarmIncident>,
    /// The domain of the limit, as `/proc/PID/cgroup` prints it, or `global`.
    pub limit: Option<Arc<Text>>,
    /// The predicted victim and its name.
    pub victim: Option<(ProcId, String)>,
    /// The policy that predicted the victim.
    pub policy: &'static str,
    /// The domain whose victim is predicted.
    pub domain: Arc<Text>,
}

/// The death, the kill or the stall that an alarm is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlarmIncident {
    /// The process that dies or was killed, where it is known.
    pub pid: Option<i32>,
    /// Its name.
    pub comm: Option<String>,
    /// `global`, or the path of the cgroup, where it is known.
    pub domain: Option<Arc<Text>>,
    /// The killer: `kernel`, or a policy; nothing where nobody is killed.
    pub by: Option<&'static str>,
    /// Who was killed is a guess: no log and no tracepoint named it so far.
    pub guessed: bool,
    /// Seconds until a predicted death.
    pub seconds: Option<String>,
}

/// The environment variables that a command gets, and their meaning.
pub const FACTS: &[(&str, &str)] = &[
    ("DOOMTOP_ALARM", "the alarm, as `psi-some>20%`"),
    ("DOOMTOP_WHAT", "what it watches, as `psi-some`"),
    ("DOOMTOP_VALUE", "the measured value, a number; not set for an event"),
    ("DOOMTOP_UNIT", "its unit: `%`, `KiB` or `s`; not set without a value"),
    ("DOOMTOP_LIMIT", "the domain of the limit: `global`, or a cgroup's path"),
    ("DOOMTOP_WALL", "the same, by its earlier name"),
    ("DOOMTOP_POLICY", "the policy that predicts the victim"),
    ("DOOMTOP_SCOPE", "the ranked domain: `global`, or a cgroup's path"),
    ("DOOMTOP_VICTIM_PID", "the predicted victim's pid"),
    (
        "DOOMTOP_VICTIM",
        "the victim as PID@START, for `doomtop set` and `doomtop sacrifice`: never matches a later \
         process with the same pid",
    ),
    ("DOOMTOP_VICTIM_COMM", "its name, safe to print; any process may choose any name"),
    (
        "DOOMTOP_PID",
        "`death`: who is predicted to die, if one is named; `oom-kill`: who was killed",
    ),
    ("DOOMTOP_COMM", "its name, safe to print"),
    ("DOOMTOP_DOMAIN", "`death`, `oom-kill`, `stalled`: where: `global`, or a cgroup's path"),
    ("DOOMTOP_BY", "`death`, `oom-kill`: the killer: `kernel`, or a policy"),
    (
        "DOOMTOP_GUESSED",
        "`oom-kill`: 1 while no log has named the killed process; DOOMTOP_PID is then a guess: the largest \
         process that exited",
    ),
    ("DOOMTOP_SECONDS", "`death`: seconds until then"),
];

/// Help for `--on-alarm`: how the command runs, and the variables that it gets.
#[must_use]
pub fn command_help() -> String {
    let mut text = "Let an alarm run this command with `sh -c`. One command runs at a time; its standard \
                    input and output are /dev/null. It also runs with --read-only, because it is your own \
                    command. Its environment holds:\n"
        .to_owned();
    for (name, about) in FACTS {
        text.push_str(&format!("  {name:<20} {about}\n"));
    }
    text.push_str(
        "Quote the variables and never `eval` them: anyone can choose the name of a process",
    );
    text
}

impl RaisedAlarm {
    /// The environment of a command: the value of every name in [`FACTS`]; nothing where it is not set.
    #[must_use]
    pub fn facts(&self) -> Vec<(&'static str, Option<String>)> {
        let (victim, incident) = (self.victim.as_ref(), self.incident.as_ref());
        let of = |name: &str| match name {
            "DOOMTOP_ALARM" => Some(self.alarm.clone()),
            "DOOMTOP_WHAT" => Some(self.what.to_owned()),
            "DOOMTOP_VALUE" => self.value.as_ref().map(|it| it.0.clone()),
            "DOOMTOP_UNIT" => self.value.as_ref().map(|it| it.1.to_owned()),
            "DOOMTOP_LIMIT" | "DOOMTOP_WALL" => {
                self.limit.as_ref().map(|limit| limit.as_str().to_owned())
            }
            "DOOMTOP_POLICY" => Some(self.policy.to_owned()),
            "DOOMTOP_SCOPE" => Some(self.domain.as_str().to_owned()),
            "DOOMTOP_VICTIM_PID" => victim.map(|it| it.0.pid.to_string()),
            "DOOMTOP_VICTIM" => victim.map(|it| format!("{}@{}", it.0.pid, it.0.born.0)),
            "DOOMTOP_VICTIM_COMM" => victim.map(|it| it.1.clone()),
            "DOOMTOP_PID" => incident.and_then(|it| it.pid).map(|pid| pid.to_string()),
            "DOOMTOP_COMM" => incident.and_then(|it| it.comm.clone()),
            "DOOMTOP_DOMAIN" => {
                incident.and_then(|it| it.domain.as_ref()).map(|it| it.as_str().to_owned())
            }
            "DOOMTOP_BY" => incident.and_then(|it| it.by).map(str::to_owned),
            "DOOMTOP_GUESSED" => incident.filter(|it| it.guessed).map(|_| "1".to_owned()),
            "DOOMTOP_SECONDS" => incident.and_then(|it| it.seconds.clone()),
            _ => None,
        };
        FACTS.iter().map(|&(name, _)| (name, of(name))).collect()
    }
}

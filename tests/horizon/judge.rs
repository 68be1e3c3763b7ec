//! What was said before each death, compared with what happened.

use doomtop::forecast::next_death::{DeathCertainty, Deaths};
use doomtop::model::is_within;

use crate::world::{BASELINES, Said, World};

/// Seconds before the kill at which the prediction is looked at.
pub const LEADS: [u32; 5] = [20, 10, 5, 3, 1];
/// More candidates than this are no prediction.
pub const MOST: usize = 3;
/// A growth that began less than this times the lead before the kill does not count.
const TWICE: f64 = 2.0;
/// Deaths in less time than this are a false alarm where nobody dies.
const SOON: f64 = 60.0;
/// False alarms that follow each other within this time are one, in microseconds.
const APART: i64 = 15_000_000;

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The forecaster.
    Model,
    /// The forecaster that always sees the first sample.
    Frozen,
    /// One of the simple rules.
    Baseline(usize),
}

impl Method {
    /// All of them.
    pub fn all() -> Vec<Self> {
        let rules = (0..BASELINES.len()).map(Self::Baseline);
        [Self::Model, Self::Frozen].into_iter().chain(rules).collect()
    }

    /// Its name in the table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Model => "doomtop: the next death",
            Self::Frozen => "the same, first sample only",
            Self::Baseline(at) => BASELINES[at],
        }
    }
}

/// What became of one prediction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// One process was named, and it died.
    Named,
    /// It was one of at most [`MOST`].
    Among,
    /// It was one of more than that.
    Wide,
    /// Another one was named.
    Wrong,
    /// Nothing was said.
    Silent,
}

/// The counts of one method at one lead.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// By [`Outcome`].
    pub counts: [usize; 5],
    /// Errors of the time as a share of the lead.
    pub errors: Vec<f64>,
    /// How many candidates there were, where anything was said.
    pub widths: Vec<usize>,
}

impl Tally {
    /// Deaths that count.
    pub fn all(&self) -> usize {
        self.counts.iter().sum()
    }

    /// Deaths of which the victim was named, or one of a few.
    pub const fn right(&self) -> usize {
        self.counts[0] + self.counts[1]
    }

    /// These as a share of all.
    pub fn share(&self) -> f64 {
        self.right() as f64 / self.all().max(1) as f64
    }
}

/// The middle of these.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// A death that was judged.
#[derive(Clone, Debug)]
pub struct Death {
    /// The pattern.
    pub pattern: String,
    /// Of whom.
    pub pid: i32,
    /// What the model said at each of [`LEADS`], in words; nothing where the lead does not count.
    pub said: Vec<Option<(Outcome, String)>>,
    /// How often the domain of the headline changed in the last 20 s.
    pub changes: Option<usize>,
}

/// A death within a minute that was said where nobody died.
#[derive(Clone, Debug)]
pub struct FalseAlarm {
    /// What was said, and when.
    pub text: String,
    /// How much of the domain was left then, in per cent.
    pub free: u64,
}

/// Ordinary work that was watched.
#[derive(Clone, Debug)]
pub struct Work {
    /// What it was.
    pub name: String,
    /// For how long, in seconds.
    pub seconds: f64,
    /// What was said of it wrongly.
    pub alarms: Vec<FalseAlarm>,
}

/// What is known of all trials.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// By method and lead.
    pub tallies: Vec<[Tally; LEADS.len()]>,
    /// By pattern, of the model.
    pub patterns: Vec<(String, [Tally; LEADS.len()])>,
    /// How often the domain of the headline changed in the last 20 s, of each death.
    pub changes: Vec<usize>,
    /// All deaths.
    pub deaths: Vec<Death>,
    /// Where nobody died.
    pub ordinary: Vec<Work>,
}

/// What a method said: who, where and when.
struct Answer<'a> {
    pids: Vec<i32>,
    domain: Option<&'a str>,
    /// Seconds from the time at which it was said.
    seconds: Option<f64>,
}

fn of_deaths(deaths: &Deaths) -> Option<Answer<'_>> {
    let next = deaths.next.as_ref()?;
    let said = matches!(next.certainty, DeathCertainty::Named | DeathCertainty::TooClose);
    let candidates = next.candidates.iter().map(|it| it.id.pid);
    Some(Answer {
        pids: candidates.filter(|_| said).collect(),
        domain: Some(next.domain.as_str()),
        seconds: next.when.map(|when| when.middle.0 as f64 / 1000.0),
    })
}

fn answer<'a>(method: Method, said: &'a Said, domain: &str) -> Option<Answer<'a>> {
    let one = |pid: Option<i32>| Some(Answer { pids: vec![pid?], domain: None, seconds: None });
    match method {
        Method::Model => of_deaths(&said.deaths),
        Method::Frozen => of_deaths(&said.frozen),
        Method::Baseline(at @ 0..4) => one(said.simple.machine[at]),
        Method::Baseline(at) => {
            let found = said.simple.domains.iter().find(|it| it.0 == domain)?;
            one(found.1[at - 4])
        }
    }
}

fn judge(answer: Option<&Answer<'_>>, pid: i32) -> Outcome {
    match answer {
        None => Outcome::Silent,
        Some(answer) if !answer.pids.contains(&pid) => Outcome::Wrong,
        Some(answer) => match answer.pids.len() {
            1 => Outcome::Named,
            2..=MOST => Outcome::Among,
            _ => Outcome::Wide,
        },
    }
}

/// The last that was said by this time.
fn standing(said: &[Said], at: i64) -> Option<&Said> {
    said.iter().rev().find(|it| it.at <= at)
}

impl Table {
    /// An empty one.
    pub fn new() -> Self {
        Self {
            tallies: Method::all().iter().map(|_| Default::default()).collect(),
            ..Self::default()
        }
    }

    /// Judges a trial in which somebody was to die.
    pub fn judge(&mut self, pattern: &str, world: &World) {
        let Some(begun) = world.begun else { return };
        let mut before = begun;
        for (at, pid, comm, scope) in &world.kills {
            let place = scope.as_deref().or_else(|| world.lives_in(*pid)).unwrap_or_default();
            let mut death = Death {
                pattern: pattern.to_owned(),
                pid: *pid,
                said: vec![None; LEADS.len()],
                changes: None,
            };
            for (nth, lead) in LEADS.iter().enumerate() {
                let then = at - i64::from(*lead) * 1_000_000;
                let grew = (at - before) as f64 / 1e6;
                if grew < f64::from(*lead) * TWICE {
                    continue;
                }
                let standing = standing(&world.said, then);
                for (method, tallies) in Method::all().into_iter().zip(&mut self.tallies) {
                    let answer = standing.and_then(|said| answer(method, said, place));
                    let outcome = judge(answer.as_ref(), *pid);
                    let passed = standing.map_or(0, |said| then - said.at) as f64 / 1e6;
                    let tally = &mut tallies[nth];
                    note(tally, outcome, answer.as_ref(), passed, *lead);
                    if method == Method::Model {
                        let known = self.patterns.iter().position(|it| it.0 == pattern);
                        let known = known.unwrap_or_else(|| {
                            self.patterns.push((pattern.to_owned(), Default::default()));
                            self.patterns.len() - 1
                        });
                        let tally = &mut self.patterns[known].1[nth];
                        note(tally, outcome, answer.as_ref(), passed, *lead);
                        let words = words(answer.as_ref(), passed, comm);
                        death.said[nth] = Some((outcome, words));
                    }
                }
            }
            if death.said[0].is_some() {
                let changes = changes(&world.said, at - 20_000_000, *at);
                death.changes = Some(changes);
                self.changes.push(changes);
            }
            self.deaths.push(death);
            before = *at;
        }
    }

    /// Counts the false alarms of a trial in which nobody was to die, or after the last death of another.
    pub fn watch(&mut self, pattern: &str, world: &World, from: i64, to: i64) {
        let mut alarms: Vec<FalseAlarm> = Vec::new();
        let mut last = i64::MIN / 2;
        for said in world.said.iter().filter(|said| (from..to).contains(&said.at)) {
            let Some(next) = &said.deaths.next else { continue };
            let Some(when) = next.when else { continue };
            let seconds = when.middle.0 as f64 / 1000.0;
            if seconds > SOON {
                continue;
            }
            if said.at - last > APART {
                let free = next.left.0 * 100 / next.limit.0.max(1);
                let name = next.candidates.first().map(|it| it.comm.to_string());
                let text = format!(
                    "after {:.1} s: {} in {seconds:.1} s in {}, {free} % free",
                    (said.at - from) as f64 / 1e6,
                    name.unwrap_or_default(),
                    next.domain
                );
                alarms.push(FalseAlarm { text, free });
            }
            last = said.at;
        }
        let watched = (to - from).max(0) as f64 / 1e6;
        match self.ordinary.iter_mut().find(|it| it.name == pattern) {
            Some(known) => {
                known.seconds += watched;
                known.alarms.append(&mut alarms);
            }
            None => {
                self.ordinary.push(Work { name: pattern.to_owned(), seconds: watched, alarms });
            }
        }
    }
}

fn note(tally: &mut Tally, outcome: Outcome, answer: Option<&Answer<'_>>, passed: f64, lead: u32) {
    tally.counts[outcome as usize] += 1;
    let Some(answer) = answer else { return };
    tally.widths.push(answer.pids.len());
    if matches!(outcome, Outcome::Named | Outcome::Among | Outcome::Wide)
        && let Some(seconds) = answer.seconds
    {
        let lead = f64::from(lead);
        tally.errors.push(((seconds - passed).max(0.0) - lead).abs() / lead);
    }
}

fn words(answer: Option<&Answer<'_>>, passed: f64, comm: &str) -> String {
    let Some(answer) = answer else { return format!("nothing ({comm} died)") };
    let seconds = answer.seconds.map_or(f64::NAN, |it| it - passed);
    let domain = answer.domain.and_then(|it| it.rsplit('/').next()).unwrap_or_default();
    format!("{:?} in {seconds:.1} s in {domain} ({comm} died)", answer.pids)
}

/// How often what the headline speaks of changed between these times.
fn changes(said: &[Said], from: i64, to: i64) -> usize {
    let shown = |said: &Said| said.deaths.next.as_ref().map(|next| next.domain.clone());
    let mut now = standing(said, from).and_then(shown);
    let mut count = 0;
    for said in said.iter().filter(|said| said.at > from && said.at < to) {
        let next = shown(said);
        count += usize::from(next != now);
        now = next;
    }
    count
}

/// Whether a kill belongs to one of these cgroups.
pub fn is_ours(path: &str, own: &[String]) -> bool {
    own.iter().any(|it| is_within(path, it))
}

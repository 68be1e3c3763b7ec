//! Alarms: what can be watched, one row each; a threshold as text; when one rings, and that it rings
//! once.

use std::fmt::{self, Write};
use std::sync::Arc;

use crate::columns::human_size;
use crate::forecast::limits;
use crate::forecast::limits::ReachableLimit;
use crate::model::{ProcId, PsiLine, Reading, Scene, Text};
use crate::rank::Ranking;
use crate::units::{Kib, Millis};

/// What just happened stands for so long, and a new alarm flashes for [`FLASH`].
const STANDS: Millis = Millis(30_000);
/// So long the line of a new alarm flashes.
const FLASH: Millis = Millis(5000);

/// In what a quantity is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlarmUnit {
    /// A share, in percent.
    Percent,
    /// A size, in KiB.
    Kib,
    /// Time, in seconds.
    Seconds,
}

impl AlarmUnit {
    /// As a script is told.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Percent => "%",
            Self::Kib => "KiB",
            Self::Seconds => "s",
        }
    }
}

/// On which side of its value an alarm stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThresholdSide {
    /// Over it.
    Over,
    /// Under it.
    Under,
    /// It has no value: it happens.
    Happens,
}

/// What an alarm is told from: the newest look.
#[derive(Clone, Copy)]
pub struct AlarmInput<'a> {
    /// The look and the one before.
    pub scene: &'a Scene,
    /// The order of death in it.
    pub ranking: &'a Ranking,
    /// By whose rule.
    pub policy: &'static str,
}

/// What was found, and whose wall that is where it is one.
type Found = (f64, Option<Arc<Text>>);

/// A row of the table of what can be watched.
pub struct AlarmQuantity {
    /// Its name in `--alarm`.
    pub name: &'static str,
    /// As a user may type it, with a value that makes sense.
    pub example: &'static str,
    /// On which side it rings.
    pub side: ThresholdSide,
    /// In what it may be told; the first one where a value has no unit.
    pub units: &'static [AlarmUnit],
    /// The most that its value can be, in percent or seconds.
    most: f64,
    /// What it is, for help and documents.
    pub about: &'static str,
    reads: Reads,
}

/// How a look is asked.
#[derive(Clone, Copy)]
enum Reads {
    /// For a value; nothing where it cannot be read here.
    Value(fn(&AlarmInput<'_>, AlarmUnit) -> Option<Found>),
    /// Whether another one became the victim.
    Victim,
    /// Whether the kernel counted a kill.
    Kills,
}

impl fmt::Debug for AlarmQuantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

const PERCENT: &[AlarmUnit] = &[AlarmUnit::Percent];

/// Everything that an alarm can watch.
pub static QUANTITIES: &[AlarmQuantity] = &[
    AlarmQuantity {
        name: "psi-some",
        example: "psi-some>20%",
        side: ThresholdSide::Over,
        units: PERCENT,
        most: 100.0,
        about: "share of the last 10 s in which some task of the machine waited for memory",
        reads: Reads::Value(|seen, _| average(&seen.scene.now().pressure.some)),
    },
    AlarmQuantity {
        name: "psi-full",
        example: "psi-full>5%",
        side: ThresholdSide::Over,
        units: PERCENT,
        most: 100.0,
        about: "share of the last 10 s in which every task waited for memory",
        reads: Reads::Value(|seen, _| average(&seen.scene.now().pressure.full)),
    },
    AlarmQuantity {
        name: "psi-io",
        example: "psi-io>40%",
        side: ThresholdSide::Over,
        units: PERCENT,
        most: 100.0,
        about: "share of the last 10 s in which some task waited for a disk",
        reads: Reads::Value(|seen, _| average(&seen.scene.now().pressure.io_some)),
    },
    AlarmQuantity {
        name: "available",
        example: "available<500M",
        side: ThresholdSide::Under,
        units: &[AlarmUnit::Percent, AlarmUnit::Kib],
        most: 100.0,
        about: "MemAvailable, as a share of RAM or a size (K M G T)",
        reads: Reads::Value(|seen, unit| {
            let memory = seen.scene.now().memory;
            let available = memory.available_kib.value()?;
            let share = || share(available, memory.total_kib);
            Some((if unit == AlarmUnit::Kib { available.0 as f64 } else { share() }, None))
        }),
    },
    AlarmQuantity {
        name: "swap",
        example: "swap>80%",
        side: ThresholdSide::Over,
        units: PERCENT,
        most: 100.0,
        about: "swap in use; none where there is no swap",
        reads: Reads::Value(|seen, _| {
            let swap = seen.scene.now().swap;
            (swap.total_kib.0 > 0).then(|| (share(swap.used(), swap.total_kib), None))
        }),
    },
    AlarmQuantity {
        name: "commit",
        example: "commit>95%",
        side: ThresholdSide::Over,
        units: PERCENT,
        most: f64::MAX,
        about: "memory promised, as a share of the commit limit",
        reads: Reads::Value(|seen, _| {
            let charge = seen.scene.now().overcommit.charge()?;
            Some((share(charge.committed, charge.limit), None))
        }),
    },
    AlarmQuantity {
        name: "wall",
        example: "wall<5%",
        side: ThresholdSide::Under,
        units: PERCENT,
        most: 100.0,
        about: "room left at the tightest wall: the machine's, or that of a cgroup with a limit",
        reads: Reads::Value(|seen, _| {
            let wall = least(seen.scene, |wall| Some(wall.left_permille()))?;
            Some((wall.left_permille() as f64 / 10.0, Some(wall.name)))
        }),
    },
    AlarmQuantity {
        name: "wall-in",
        example: "wall-in<60s",
        side: ThresholdSide::Under,
        units: &[AlarmUnit::Seconds],
        most: 600.0,
        about: "time until a wall is hit at the present rate, where one is approached (600 s at most)",
        reads: Reads::Value(|seen, _| {
            // Nothing is approached: far away, not unknown.
            let Some(wall) = least(seen.scene, |wall| wall.hit_in) else {
                return Some((f64::INFINITY, None));
            };
            Some((wall.hit_in?.0 as f64 / 1000.0, Some(wall.name)))
        }),
    },
    AlarmQuantity {
        name: "victim",
        example: "victim",
        side: ThresholdSide::Happens,
        units: &[],
        most: 0.0,
        about: "another process became the predicted victim",
        reads: Reads::Victim,
    },
    AlarmQuantity {
        name: "oom-kill",
        example: "oom-kill",
        side: ThresholdSide::Happens,
        units: &[],
        most: 0.0,
        about: "the kernel's OOM killer killed",
        reads: Reads::Kills,
    },
];

fn average(stall: &Reading<PsiLine>) -> Option<Found> {
    stall.value().map(|stall| (f64::from(stall.avg10), None))
}

fn share(part: Kib, whole: Kib) -> f64 {
    part.0 as f64 * 100.0 / whole.0.max(1) as f64
}

/// The wall with the least of something, of those that have it.
fn least<T: Ord>(
    scene: &Scene,
    by: impl Fn(&ReachableLimit) -> Option<T>,
) -> Option<ReachableLimit> {
    let groups = scene.now().cgroups.limited().filter_map(|group| limits::of_cgroup(group, scene));
    let all = std::iter::once(limits::of_machine(scene)).chain(groups);
    all.filter_map(|wall| Some((by(&wall)?, wall))).min_by(|a, b| a.0.cmp(&b.0)).map(|it| it.1)
}

/// A threshold that was understood.
#[derive(Clone, Debug)]
pub struct Alarm {
    quantity: &'static AlarmQuantity,
    level: f64,
    unit: AlarmUnit,
}

impl Alarm {
    /// `WHAT>VALUE`, `WHAT<VALUE`, or the name of what happens.
    ///
    /// # Errors
    /// What it should have been, in one line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let at = text.find(['>', '<']);
        let (name, rest) = at.map_or((text, ""), |at| text.split_at(at));
        let name = name.trim();
        let Some(quantity) = QUANTITIES.iter().find(|it| it.name == name) else {
            let names: Vec<&str> = QUANTITIES.iter().map(|it| it.name).collect();
            return Err(format!("an alarm watches one of {}", names.join(", ")));
        };
        let mut given = rest.chars();
        let side = match given.next() {
            Some('>') => ThresholdSide::Over,
            Some(_) => ThresholdSide::Under,
            None => ThresholdSide::Happens,
        };
        if quantity.side != side {
            return Err(quantity.wanted());
        }
        let Some(&usual) = quantity.units.first() else {
            return Ok(Self { quantity, level: 0.0, unit: AlarmUnit::Percent });
        };
        let (level, unit) = value(given.as_str().trim(), usual)
            .filter(|(_, unit)| quantity.units.contains(unit))
            .ok_or_else(|| quantity.wanted())?;
        // What can never be crossed is a slip.
        let most = if unit == AlarmUnit::Kib { (1_u64 << 50) as f64 } else { quantity.most };
        let can = match side {
            ThresholdSide::Over => level < most,
            _ => level > 0.0 && level <= most,
        };
        if can { Ok(Self { quantity, level, unit }) } else { Err(quantity.wanted()) }
    }

    /// What it watches.
    #[must_use]
    pub const fn what(&self) -> &'static str {
        self.quantity.name
    }

    /// Whether a value is beyond the threshold.
    fn is_over(&self, value: f64) -> bool {
        match self.quantity.side {
            ThresholdSide::Over => value > self.level,
            ThresholdSide::Under => value < self.level,
            ThresholdSide::Happens => false,
        }
    }

    /// Whether a value is back by a tenth, so that the next crossing is a new one.
    fn is_back(&self, value: f64) -> bool {
        let tenth = self.level / 10.0;
        match (self.quantity.side, self.unit) {
            (ThresholdSide::Over, _) => value <= self.level - tenth,
            // Not further than half of the way that is left.
            (ThresholdSide::Under, AlarmUnit::Percent) => {
                value >= self.level + tenth.min((100.0 - self.level).max(0.0) / 2.0)
            }
            (ThresholdSide::Under, _) => value >= self.level + tenth,
            (ThresholdSide::Happens, _) => true,
        }
    }

    fn shown(&self, value: f64) -> String {
        match self.unit {
            AlarmUnit::Percent if value < 10.0 => format!("{}%", trimmed(value)),
            AlarmUnit::Percent => format!("{value:.0}%"),
            AlarmUnit::Kib => human_size(Kib(value as u64).bytes()),
            AlarmUnit::Seconds => format!("{value:.0}s"),
        }
    }
}

/// One digit behind the point, where it says something.
fn trimmed(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or_else(|| text.clone(), str::to_owned)
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.quantity.name)?;
        match self.quantity.side {
            ThresholdSide::Over => write!(f, ">{}", self.shown(self.level)),
            ThresholdSide::Under => write!(f, "<{}", self.shown(self.level)),
            ThresholdSide::Happens => Ok(()),
        }
    }
}

impl AlarmQuantity {
    fn wanted(&self) -> String {
        format!("{} wants the form {}", self.name, self.example)
    }
}

/// The table in the words of `--help`.
#[must_use]
pub fn help() -> String {
    let mut text =
        "Ring when a value is crossed, once a crossing; may be given again:\n".to_owned();
    for row in QUANTITIES {
        let _ = writeln!(text, "  {:<16} {}", row.example, row.about);
    }
    text.push_str("An alarm that rang rings again only after its value was back by a tenth");
    text
}

/// Help for `--on-alarm`: how the command runs, and the variables that it gets.
#[must_use]
pub fn command_help() -> String {
    let mut text = "Let an alarm run this command with `sh -c`. One command runs at a time; its standard \
                    input and output are /dev/null. It also runs with --read-only, because it is your own \
                    command. Its environment holds:\n"
        .to_owned();
    for (name, about) in FACTS {
        let _ = writeln!(text, "  {name:<20} {about}");
    }
    text.push_str(
        "Quote the variables and never `eval` them: anyone can choose the name of a process",
    );
    text
}

/// A number and its unit.
fn value(text: &str, usual: AlarmUnit) -> Option<(f64, AlarmUnit)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: f64 = number.parse().ok()?;
    let kib = |exponent: i32| (number * 1024_f64.powi(exponent), AlarmUnit::Kib);
    let unit = unit.trim().to_ascii_lowercase();
    Some(match unit.strip_suffix("ib").unwrap_or(&unit) {
        "" => (number, usual),
        "%" => (number, AlarmUnit::Percent),
        "s" => (number, AlarmUnit::Seconds),
        "k" => kib(0),
        "m" => kib(1),
        "g" => kib(2),
        "t" => kib(3),
        _ => return None,
    })
}

/// One that rang, with what a script is told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RaisedAlarm {
    /// The alarm as it was asked for: `psi-some>20%`.
    pub alarm: String,
    /// What it watches.
    pub what: &'static str,
    /// What was found, without its unit; nothing where something happened.
    pub value: Option<(String, &'static str)>,
    /// Whose wall it is, as `/proc/PID/cgroup` prints it, or `global`.
    pub wall: Option<Arc<Text>>,
    /// The predicted victim, by whose rule, and its name.
    pub victim: Option<(ProcId, String)>,
    /// By whose rule.
    pub policy: &'static str,
    /// In which domain.
    pub domain: Arc<Text>,
}

/// What a command is told in its environment, and what it means.
pub const FACTS: &[(&str, &str)] = &[
    ("DOOMTOP_ALARM", "the alarm, as `psi-some>20%`"),
    ("DOOMTOP_WHAT", "what it watches, as `psi-some`"),
    ("DOOMTOP_VALUE", "the value that was found, a number; not set where something happened"),
    ("DOOMTOP_UNIT", "its unit: `%`, `KiB` or `s`; not set where there is no value"),
    ("DOOMTOP_WALL", "whose wall it is: `global`, or a cgroup's path"),
    ("DOOMTOP_POLICY", "by whose rule the victim is predicted"),
    ("DOOMTOP_SCOPE", "in which domain: `global`, or a cgroup's path"),
    ("DOOMTOP_VICTIM_PID", "the predicted victim's pid"),
    (
        "DOOMTOP_VICTIM",
        "the same as PID@START, which `doomtop set` and `doomtop sacrifice` take: never somebody who \
         got the same pid since",
    ),
    ("DOOMTOP_VICTIM_COMM", "its name, harmless to print; anyone may choose any name"),
];

impl RaisedAlarm {
    /// The environment of a command: of every name in [`FACTS`] the value, or that there is none.
    #[must_use]
    pub fn facts(&self) -> Vec<(&'static str, Option<String>)> {
        let victim = self.victim.as_ref();
        let of = |name: &str| match name {
            "DOOMTOP_ALARM" => Some(self.alarm.clone()),
            "DOOMTOP_WHAT" => Some(self.what.to_owned()),
            "DOOMTOP_VALUE" => self.value.as_ref().map(|it| it.0.clone()),
            "DOOMTOP_UNIT" => self.value.as_ref().map(|it| it.1.to_owned()),
            "DOOMTOP_WALL" => self.wall.as_ref().map(|wall| wall.as_str().to_owned()),
            "DOOMTOP_POLICY" => Some(self.policy.to_owned()),
            "DOOMTOP_SCOPE" => Some(self.domain.as_str().to_owned()),
            "DOOMTOP_VICTIM_PID" => victim.map(|it| it.0.pid.to_string()),
            "DOOMTOP_VICTIM" => victim.map(|it| format!("{}@{}", it.0.pid, it.0.born.0)),
            "DOOMTOP_VICTIM_COMM" => victim.map(|it| it.1.clone()),
            _ => None,
        };
        FACTS.iter().map(|&(name, _)| (name, of(name))).collect()
    }
}

/// How it is with an alarm.
#[derive(Clone, Debug, Default, PartialEq)]
enum AlarmState {
    /// On the quiet side, or not looked at yet.
    #[default]
    Quiet,
    /// Beyond its threshold since then, with what was found last.
    Stands(Millis, String),
    /// It was beyond its threshold, since when, and until then; now there is nothing to measure.
    Fades(Millis, Millis, String),
    /// What it watches cannot be read here.
    Unreadable,
}

impl AlarmState {
    /// A value was read, or could not be; where that crosses the threshold, it comes back.
    fn found(&mut self, alarm: &Alarm, found: Option<Found>, now: Millis) -> Option<Option<Found>> {
        let (since, last) = match self {
            Self::Stands(since, _) => (Some(*since), now),
            Self::Fades(since, last, _) => (Some(*since), *last),
            _ => (None, now),
        };
        let Some((value, wall)) = found else {
            *self = Self::Unreadable;
            return None;
        };
        // A wall that nothing moves towards in one look may be moved towards in the next.
        let unsure = value.is_infinite() && now.0 < last.0.saturating_add(STANDS.0);
        if let Some(since) = since.filter(|_| unsure) {
            if let Self::Stands(_, words) = self {
                *self = Self::Fades(since, now, std::mem::take(words));
            }
            return None;
        }
        if !alarm.is_over(value) && (since.is_none() || alarm.is_back(value)) {
            *self = Self::Quiet;
            return None;
        }
        *self = Self::Stands(since.unwrap_or(now), words(alarm, value, wall.as_deref()));
        since.is_none().then_some(Some((value, wall)))
    }

    /// Something happened, or did not: it stands for a while, and each time rings.
    fn happened(
        &mut self,
        happened: bool,
        now: Millis,
        words: impl FnOnce() -> String,
    ) -> Option<Option<Found>> {
        if happened {
            *self = Self::Stands(now, words());
        } else if !matches!(self, Self::Stands(at, _) if now.0 < at.0.saturating_add(STANDS.0)) {
            *self = Self::Quiet;
        }
        happened.then_some(None)
    }
}

#[derive(Clone, Debug)]
struct ActiveAlarm {
    alarm: Alarm,
    state: AlarmState,
}

/// The alarms of this run.
#[derive(Clone, Debug, Default)]
pub struct Alarms {
    list: Vec<ActiveAlarm>,
    /// `--bell`: the terminal's bell rings.
    pub bell: bool,
    /// `--on-alarm`: a command is run.
    pub command: bool,
    /// The victim that was named last, and by which rule in which domain.
    victim: Option<(&'static str, Arc<Text>, ProcId)>,
    /// Kills that were counted last.
    kills: Option<u64>,
    flash_until: Option<Millis>,
}

impl Alarms {
    /// These, and nothing has rung yet.
    #[must_use]
    pub fn new(list: Vec<Alarm>, bell: bool, command: bool) -> Self {
        let quiet = |alarm| ActiveAlarm { alarm, state: AlarmState::Quiet };
        Self { list: list.into_iter().map(quiet).collect(), bell, command, ..Self::default() }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.list.len()
    }

    /// Those beyond their threshold, in words: `psi-some 34% > 20%`.
    pub fn standing(&self) -> impl Iterator<Item = String> {
        self.list.iter().filter_map(|it| match &it.state {
            AlarmState::Stands(_, text) => Some(text.clone()),
            _ => None,
        })
    }

    /// Those that watch what cannot be read here.
    pub fn unreadable(&self) -> impl Iterator<Item = &Alarm> {
        self.list.iter().filter(|it| it.state == AlarmState::Unreadable).map(|it| &it.alarm)
    }

    /// Whether one rang just now.
    #[must_use]
    pub const fn flashes(&self) -> bool {
        self.flash_until.is_some()
    }

    /// Whether the flash has ended by now.
    #[must_use]
    pub fn flash_ends(&self, now: Millis) -> bool {
        self.flash_until.is_some_and(|until| until <= now)
    }

    /// Time passed.
    pub fn tick(&mut self, now: Millis) {
        if self.flash_ends(now) {
            self.flash_until = None;
        }
    }

    /// A new look came: those that ring come back.
    pub fn sample(&mut self, seen: &AlarmInput<'_>, now: Millis) -> Vec<RaisedAlarm> {
        if self.list.is_empty() {
            return Vec::new();
        }
        let changed = self.victim_changed(seen);
        let kills = seen.scene.now().traffic.oom_kills.value();
        let before = self.kills;
        self.kills = kills.or(before);
        let mut rung = Vec::new();
        for ActiveAlarm { alarm, state } in &mut self.list {
            let came = match alarm.quantity.reads {
                Reads::Value(read) => state.found(alarm, read(seen, alarm.unit), now),
                Reads::Victim => state.happened(changed, now, || victim_now(seen)),
                Reads::Kills if kills.is_none() => {
                    *state = AlarmState::Unreadable;
                    None
                }
                Reads::Kills => state.happened(kills > before && before.is_some(), now, || {
                    format!("oom-kill: {} since boot", kills.unwrap_or_default())
                }),
            };
            rung.extend(came.map(|found| ring(alarm, seen, found)));
        }
        if !rung.is_empty() {
            self.flash_until = Some(Millis(now.0.saturating_add(FLASH.0)));
        }
        rung
    }

    /// Whether another one became the victim. Who is too close to call is not, and another rule or
    /// domain is another question.
    fn victim_changed(&mut self, seen: &AlarmInput<'_>) -> bool {
        let Some(victim) = seen.ranking.dies().filter(|_| !seen.ranking.too_close()) else {
            return false;
        };
        let domain = &seen.scene.domain().name;
        let before = self.victim.replace((seen.policy, Arc::clone(domain), victim));
        before.is_some_and(|(policy, name, who)| {
            policy == seen.policy && name == *domain && who != victim
        })
    }
}

/// `psi-some 34% > 20%`, `wall /batch.slice 3% < 5%`.
fn words(alarm: &Alarm, value: f64, wall: Option<&Text>) -> String {
    let sign = if alarm.quantity.side == ThresholdSide::Over { '>' } else { '<' };
    let mut text = alarm.what().to_owned();
    if let Some(wall) = wall {
        let _ = write!(text, " {wall}");
    }
    let _ = write!(text, " {} {sign} {}", alarm.shown(value), alarm.shown(alarm.level));
    text
}

fn victim_now(seen: &AlarmInput<'_>) -> String {
    victim(seen).map_or_else(
        || "victim: nobody".to_owned(),
        |(who, name)| format!("victim now {who} {name}"),
    )
}

fn victim(seen: &AlarmInput<'_>) -> Option<(ProcId, String)> {
    let found = seen.scene.find(seen.ranking.dies()?)?;
    Some((found.id, found.comm.to_string()))
}

fn ring(alarm: &Alarm, seen: &AlarmInput<'_>, found: Option<Found>) -> RaisedAlarm {
    let (value, wall) = match found {
        Some((value, wall)) => {
            let number =
                if alarm.unit == AlarmUnit::Kib { format!("{value:.0}") } else { trimmed(value) };
            (Some((number, alarm.unit.word())), wall)
        }
        None => (None, None),
    };
    RaisedAlarm {
        alarm: alarm.to_string(),
        what: alarm.what(),
        value,
        wall,
        victim: victim(seen),
        policy: seen.policy,
        domain: Arc::clone(&seen.scene.domain().name),
    }
}

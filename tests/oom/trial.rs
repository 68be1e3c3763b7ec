//! Provokes kills in a situation, one by one: start a load, wait until doomtop has sampled it, provoke the
//! kill, compare.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::param::page_size;
use serde_json::{Value, json};

use crate::cause::Cause;
use crate::cgroup::Cgroup;
use crate::clock::now;
use crate::explained::{Choice, contradiction, explain};
use crate::hog::{Hog, Load};
use crate::kmsg::{Event, Kill, Kmsg};
use crate::memory::disk;
use crate::mix::{Dice, families, grower, medley, near_ties, race, reclaimable};
use crate::oracle::{Claim, Frame, Oracle};
use crate::tally::{Outcome, Tally};
use crate::terminal::Terminal;

/// Limit of the cgroup in bytes.
const LIMIT: u64 = 96 << 20;
/// How long anything may take before it counts as broken, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(300);
/// So long the kernel may take to kill; then the mix is left for another one.
const NO_KILL: Duration = Duration::from_secs(60);

/// Number of samples after which the start of the load no longer counts as growth.
const CALM: usize = 12;
/// Number of samples after a kill or a write of adj.
const AGAIN: usize = 2;

/// A situation in which kills are provoked.
pub struct Field {
    cause: Cause,
    kmsg: Kmsg,
    /// `None` before the first load: doomtop does not find an empty cgroup.
    oracle: Option<Oracle>,
    dice: Dice,
    stop: Arc<AtomicBool>,
    lowest_adj: i32,
    /// The results so far.
    pub tally: Tally,
    /// Details of each wrong prediction.
    pub misses: Vec<Value>,
    /// The kills whose reports can be explained.
    choices: Vec<Choice>,
    /// Every process that the kernel killed.
    pub killed: Vec<i32>,
    /// Time and pid of the last kill.
    last: Option<(i64, i32)>,
    /// When the growth for the next kill began.
    released: i64,
    /// A cgroup without a limit of its own in it, if doomtop looks at such a one.
    inner: Option<Cgroup>,
    // The last field, so that it is dropped last.
    cgroup: Option<Cgroup>,
}

impl Field {
    /// Prepares a situation. An error says why it is impossible here.
    pub fn new(cause: Cause, seed: u64, stop: Arc<AtomicBool>) -> Result<Self, String> {
        let kmsg = Kmsg::open().map_err(|error| format!("/dev/kmsg: {error}"))?;
        let cgroup = cause.in_cgroup().then(|| Cgroup::make(LIMIT)).transpose()?;
        if cause == Cause::Group {
            let cgroup = cgroup.as_ref().ok_or("no cgroup")?;
            cgroup.set("memory.oom.group", "1").map_err(|error| format!("oom.group: {error}"))?;
        }
        if cause == Cause::Dump && !dumps_hang() {
            return Err("core_pattern is no pipe to a program that does not read".to_owned());
        }
        let inner = match (&cgroup, cause) {
            (Some(cgroup), Cause::Scope) => Some(cgroup.below("scope")?),
            _ => None,
        };
        let own = cause.title(cgroup.as_ref().map_or(0, |own| own.version));
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let tally = Tally {
            kernel: kernel.trim().to_owned(),
            situation: format!("{own}{}", swap()),
            ..Tally::default()
        };
        Ok(Self {
            cause,
            kmsg,
            oracle: None,
            dice: Dice(seed),
            stop,
            lowest_adj: lowest_adj(),
            tally,
            misses: Vec::new(),
            choices: Vec::new(),
            killed: Vec::new(),
            last: None,
            released: 0,
            inner,
            cgroup,
        })
    }

    /// Provokes and compares this many kills.
    pub fn run(&mut self, kills: usize) -> Result<(), String> {
        let wanted = self.tally.kills + kills;
        let mut fruitless = 0;
        while self.tally.kills < wanted {
            let before = self.tally.kills;
            self.trial(wanted)?;
            fruitless = if self.tally.kills > before { 0 } else { fruitless + 1 };
            if fruitless > 5 {
                return Err("the kernel does not kill here".to_owned());
            }
        }
        self.explain()
    }

    /// Runs `doomtop explain` on the log, at the end, when there is enough memory.
    fn explain(&mut self) -> Result<(), String> {
        if self.choices.is_empty() {
            return Ok(());
        }
        let lines = explain(&std::mem::take(&mut self.kmsg.log))?;
        for choice in self.choices.drain(..) {
            self.tally.dumps += 1;
            match contradiction(choice, &lines) {
                None => self.tally.explained += 1,
                Some(what) => self.misses.push(json!({
                    "situation": self.tally.situation,
                    "kernel": self.tally.kernel,
                    "explained": what,
                })),
            }
        }
        Ok(())
    }

    /// Starts one load and provokes kills until too few hogs are left.
    fn trial(&mut self, wanted: usize) -> Result<(), String> {
        let mut hogs = self.load();
        for hog in &mut hogs {
            if !hog.ready(Instant::now() + PATIENCE) {
                // The memory may be full already; the next load is another one.
                return self.wait_for_nobody(&mut hogs);
            }
        }
        let scope = self.inner.as_ref().or(self.cgroup.as_ref()).map(|cgroup| cgroup.path.as_str());
        self.oracle.get_or_insert_with(|| Oracle::start(scope));
        self.kmsg.compare_clocks().map_err(|error| format!("/dev/kmsg: {error}"))?;
        if self.cause == Cause::Dump {
            // The one that would be chosen, or another one: it is not waited for, and can be chosen.
            let at = self.dice.between(0, hogs.len() - 2);
            hogs[at].abort();
        }
        let mut samples = CALM;
        while self.tally.kills < wanted {
            let gone = self.last.map(|(_, pid)| pid);
            // A list of a scope has the processes in it.
            let listed = hogs.iter().filter(|hog| match &self.inner {
                Some(inner) => hog.is_in(inner.dir()),
                None => true,
            });
            let pids: Vec<i32> = listed.map(Hog::pid).collect();
            let seen = |frame: &Frame| {
                pids.iter().all(|&pid| frame.shows(pid) || !lives(pid))
                    && gone.is_none_or(|pid| !can_die(frame, pid))
            };
            self.settled(samples, seen)?;
            samples = AGAIN;
            // The growth may have caused another kill before it was stopped.
            hogs.retain_mut(|hog| hog.ended().is_none());
            let growers = hogs.iter().filter(|hog| hog.load.grows()).count();
            if hogs.len() < 2 || (!self.cause.asked() && growers == 0) {
                return Ok(());
            }
            if self.cause == Cause::Lowered {
                self.save_the_victim()?;
            }
            let Some(kill) = self.provoke(&mut hogs)? else { return Ok(()) };
            self.judge(&kill, &hogs);
            let whole = self.cause != Cause::Group || self.all_die(&mut hogs)?;
            if !whole {
                return Err("memory.oom.group is set, but not all of the cgroup died".to_owned());
            }
            hogs.retain_mut(|hog| hog.pid() != kill.pid);
        }
        Ok(())
    }

    fn oracle(&self) -> &Oracle {
        self.oracle.as_ref().expect("it starts with the first load")
    }

    fn settled(&self, samples: usize, wanted: impl Fn(&Frame) -> bool) -> Result<(), String> {
        self.interrupted()?;
        self.oracle().settled(now(), samples, Instant::now() + PATIENCE, wanted)
    }

    fn interrupted(&self) -> Result<(), String> {
        if self.stop.load(Ordering::Relaxed) { Err("interrupted".to_owned()) } else { Ok(()) }
    }

    /// Starts a load that fits.
    fn load(&mut self) -> Vec<Hog> {
        let room = match &self.cgroup {
            Some(_) => LIMIT / page_size() as u64,
            None => available_pages(),
        };
        let room = usize::try_from(room).expect("a small machine");
        let (dice, lowest) = (&mut self.dice, self.lowest_adj);
        let mut loads = if self.cause.asked() {
            // sysrq-f needs no full memory, and only near-ties are interesting.
            let percent = dice.between(10, 40);
            near_ties(dice, room * percent / 100, lowest)
        } else if dice.once_in(3) && !self.cause.has_own_mix() {
            race(dice, room, lowest)
        } else {
            let reclaimable =
                |dice: &mut Dice, pages, lowest| reclaimable(dice, pages, lowest, disk().is_some());
            let mix: &dyn Fn(&mut Dice, usize, i32) -> Vec<Load> = match self.cause {
                Cause::Reclaim | Cause::MachineReclaim => &reclaimable,
                Cause::Forks => &families,
                _ if dice.once_in(2) => &near_ties,
                _ => &medley,
            };
            let taken = room * dice.between(30, 60) / 100;
            let mut loads = mix(dice, taken, lowest);
            let adj = dice.adj(lowest);
            loads.push(grower(dice, room - taken, adj));
            loads
        };
        if self.cause == Cause::Group && self.lowest_adj < 0 && self.dice.once_in(2) {
            // One that must survive.
            loads[0].adj = -1000;
        }
        let outer = self.cgroup.as_ref().map(Cgroup::dir);
        let inner = self.inner.as_ref().map(Cgroup::dir).or(outer);
        let place = |at| if at % 2 == 0 { inner } else { outer };
        loads.into_iter().enumerate().map(|(at, load)| Hog::start(load, place(at))).collect()
    }

    /// The load filled the memory before it was sampled. The kills that it caused are not compared.
    fn wait_for_nobody(&mut self, hogs: &mut Vec<Hog>) -> Result<(), String> {
        hogs.clear();
        while let Some(event) = self.kmsg.event(0).map_err(|error| error.to_string())? {
            self.tally.unseen += usize::from(matches!(event, Event::Chosen(_)));
        }
        self.interrupted()
    }

    /// Makes the kernel kill once and stops the growth.
    fn provoke(&mut self, hogs: &mut [Hog]) -> Result<Option<Kill>, String> {
        if self.cause.asked() {
            fs::write("/proc/sysrq-trigger", "f").map_err(|error| format!("sysrq: {error}"))?;
        }
        for hog in hogs.iter_mut().filter(|hog| hog.load.grows()) {
            hog.grow(true);
        }
        self.released = now();
        let deadline = Instant::now() + NO_KILL;
        let chosen = loop {
            self.interrupted()?;
            match self.kmsg.event(50).map_err(|error| format!("/dev/kmsg: {error}"))? {
                Some(Event::Chosen(kill)) if self.is_ours(&kill, hogs) => break Some(*kill),
                None if Instant::now() > deadline => break None,
                _ => {}
            }
        };
        for hog in hogs.iter_mut().filter(|hog| hog.load.grows()) {
            hog.grow(false);
        }
        Ok(chosen)
    }

    /// On a shared machine only kills of our own processes count.
    fn is_ours(&self, kill: &Kill, hogs: &[Hog]) -> bool {
        let is_of = |hog: &Hog| hog.pid() == kill.pid || hog.children().contains(&kill.pid);
        !self.cause.in_cgroup() || hogs.iter().any(is_of)
    }

    fn judge(&mut self, kill: &Kill, hogs: &[Hog]) {
        self.killed.push(kill.pid);
        if !kill.table.is_empty() {
            self.choices.push(Choice { stamp: kill.stamp, pid: kill.pid });
        }
        let moment = self.kmsg.moment(kill.stamp);
        // doomtop must have sampled the kill before, and the growth twice. Three, because the first
        // sample to arrive may have been taken before the growth.
        let unseen = self.last.is_some_and(|(then, pid)| {
            self.oracle().samples(then, moment, |frame| !can_die(frame, pid)) == 0
        }) || !self.cause.asked()
            && self.oracle().samples(self.released, moment, |_| true) < 3;
        self.last = Some((moment, kill.pid));
        let sample = self.oracle().before(moment).filter(|_| !unseen);
        let Some((frame, age)) = sample else {
            self.tally.unseen += 1;
            return;
        };
        let claim = self.claim(&frame);
        if self.tally.count(&frame, &claim, kill.pid, age) == Outcome::Missed {
            let rows: Vec<_> = frame.processes.iter().filter(|row| row.rank.is_some()).collect();
            let loads: Vec<_> = hogs.iter().map(|hog| (hog.pid(), &hog.load)).collect();
            self.misses.push(json!({
                "situation": self.tally.situation,
                "kernel": self.tally.kernel,
                "kill": kill,
                "look_age_us": age,
                "history_of_the_killed": self.oracle().history(moment, kill.pid),
                "victim": frame.victim,
                "candidates": frame.candidates,
                "claim": claim,
                "at_limit": frame.at_limit,
                "deaths": frame.deaths,
                "off": frame.off,
                "margin_pages": frame.margin_pages,
                "slack_pages": frame.slack_pages,
                "domain": frame.domain,
                "rows": rows,
                "loads": loads,
            }));
        }
    }

    /// What doomtop said of the kill that is provoked.
    fn claim(&self, frame: &Frame) -> Claim {
        let domain = self.cgroup.as_ref().map_or("global", |cgroup| cgroup.path.as_str());
        match self.cause {
            Cause::Scope => frame.above_the_scope(domain),
            cause if cause.has_own_mix() => frame.at_the_limit(domain),
            _ => frame.now(),
        }
    }

    /// Lowers the adj of the predicted victim in doomtop's dialog, so that another one may be next.
    fn save_the_victim(&self) -> Result<(), String> {
        let Some((frame, _)) = self.oracle().before(i64::MAX) else { return Ok(()) };
        let victim = frame.victim.as_ref().map_or(0, |victim| victim.pid);
        let adj_in = |frame: &Frame| {
            frame.processes.iter().find(|row| row.pid == victim).and_then(|row| row.oom_score_adj)
        };
        let adj = (adj_in(&frame).ok_or("a victim without adj")? - 100).max(-999);
        let file = format!("/proc/{victim}/oom_score_adj");
        let written =
            |_: &str| fs::read_to_string(&file).is_ok_and(|is| is.trim() == adj.to_string());
        let mut screen = Terminal::run(100, 30, &[&format!("--filter=pid:{victim}")]);
        screen.wait_for("the victim", |text| text.contains(&victim.to_string()));
        screen.send("a");
        screen.wait_for("the editor", |text| text.contains("oom_score_adj"));
        screen.send(&adj.to_string());
        screen.answer("\r", "the write", written);
        drop(screen);
        self.settled(AGAIN, |frame| adj_in(frame) == Some(adj))
    }

    /// Waits until all hogs that must die have died. Returns whether the others still live.
    fn all_die(&mut self, hogs: &mut [Hog]) -> Result<bool, String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.interrupted()?;
            if hogs.iter_mut().all(|hog| hog.load.adj == -1000 || hog.ended().is_some()) {
                break;
            }
            if Instant::now() > deadline {
                return Ok(false);
            }
            let _ = self.kmsg.event(20);
        }
        Ok(hogs.iter_mut().all(|hog| hog.load.adj != -1000 || hog.ended().is_none()))
    }
}

/// Whether the sample ranks this process.
fn can_die(frame: &Frame, pid: i32) -> bool {
    frame.processes.iter().any(|row| row.pid == pid && row.rank.is_some())
}

/// Whether the process exists and is not a zombie.
fn lives(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// Whether a process that dumps core stays in its dump: the guest is set up so.
fn dumps_hang() -> bool {
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap_or_default();
    pattern.starts_with('|') && pattern.contains("sleep")
}

/// The kind of swap, as a suffix of the situation.
fn swap() -> String {
    let swaps = fs::read_to_string("/proc/swaps").unwrap_or_default();
    match swaps.lines().nth(1).and_then(|line| line.split_whitespace().next()) {
        None => String::new(),
        Some(device) if device.contains("zram") => ", zram swap".to_owned(),
        Some(_) => ", disk swap".to_owned(),
    }
}

fn available_pages() -> u64 {
    let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = meminfo.lines().find(|line| line.starts_with("MemAvailable:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024 / page_size() as u64
}

/// The lowest adj that the test may write: 0 without CAP_SYS_RESOURCE. Found by trying on itself and
/// restored.
fn lowest_adj() -> i32 {
    const FILE: &str = "/proc/self/oom_score_adj";
    let before = fs::read_to_string(FILE).unwrap_or_default();
    let free = fs::write(FILE, "-1000").is_ok();
    let _ = fs::write(FILE, before.trim());
    if free { -900 } else { 0 }
}

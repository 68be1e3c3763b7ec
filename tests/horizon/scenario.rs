//! What happens in the cgroups of one trial: who holds what, and who grows how.

use std::path::{Path, PathBuf};

use crate::dice::Dice;
use crate::pattern::Pattern;
use crate::worker::{Build, Part};

/// What each process costs its cgroup beside its base, in MiB: page tables, stack, the program itself.
const OVERHEAD: f64 = 0.8;

/// A cgroup of a trial.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its limit in MiB.
    pub limit: Option<usize>,
    /// The one that it is in, by its place in the list.
    pub inside: Option<usize>,
}

/// A trial before it begins.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The pattern's name.
    pub name: &'static str,
    /// Whether somebody must die.
    pub deadly: bool,
    /// The cgroups.
    pub places: Vec<Place>,
    /// Who lives in which.
    pub parts: Vec<(usize, Part)>,
}

/// Makes one.
pub type Make = fn(&mut Builder<'_>);

/// The patterns that end in a death.
pub const DEADLY: &[(&str, Make)] = &[
    ("linear", linear),
    ("fast", fast),
    ("steps", steps),
    ("leaking saw", leaking_saw),
    ("accelerating", accelerating),
    ("overtaking", overtaking),
    ("workers", workers),
    ("siblings", siblings),
    ("file mapper", file_mapper),
    ("adj", other_adj),
    ("nested", nested),
    ("newborn", newborn),
    ("late overtaker", late_overtaker),
    ("cache and leak", cache_and_leak),
    ("build and leak", build_and_leak),
    ("restless bystanders", restless_bystanders),
    ("memory files", memory_files),
    ("two containers", two_containers),
    ("bursts", bursts),
    ("slowing down", slowing_down),
];

/// Ordinary work, in which nobody dies.
pub const ORDINARY: &[(&str, Make)] = &[
    ("idle", idle),
    ("build", build),
    ("page cache", page_cache),
    ("collector", collector),
    ("start", start),
];

/// Makes a scenario.
pub fn scenario(kind: (&'static str, Make), deadly: bool, dice: &mut Dice, dir: &Path) -> Scenario {
    let mut builder =
        Builder { dice, dir, places: Vec::new(), parts: Vec::new(), filled: Vec::new() };
    kind.1(&mut builder);
    let Builder { places, parts, .. } = builder;
    Scenario { name: kind.0, deadly, places, parts }
}

/// A scenario in the making.
pub struct Builder<'a> {
    dice: &'a mut Dice,
    /// Where files may lie: on a disk.
    dir: &'a Path,
    places: Vec<Place>,
    parts: Vec<(usize, Part)>,
    /// What the processes of each place hold from the start, in MiB.
    filled: Vec<f64>,
}

impl Builder<'_> {
    fn limit(&mut self) -> usize {
        [48, 64, 96, 128, 192, 256][self.dice.between(0, 5)]
    }

    fn place(&mut self, limit: Option<usize>, inside: Option<usize>) -> usize {
        self.places.push(Place { limit, inside });
        self.filled.push(0.0);
        self.places.len() - 1
    }

    fn part(&mut self, place: usize, part: Part) {
        let mut at = Some(place);
        while let Some(here) = at {
            self.filled[here] += part.base + OVERHEAD;
            at = self.places[here].inside;
        }
        self.parts.push((place, part));
    }

    /// A share of a limit, in MiB.
    fn share(&mut self, limit: usize, from: usize, to: usize) -> f64 {
        limit as f64 * self.dice.between(from, to) as f64 / 100.0
    }

    /// So many bystanders that hold about this share of the limit together.
    fn bystanders(&mut self, place: usize, limit: usize, percent: usize) {
        let count = self.dice.between(2, 4);
        for at in 0..count {
            let base = self.share(limit, percent / 2, percent + percent / 2) / count as f64;
            self.part(place, named(&format!("other{at}"), base));
        }
    }

    /// What is left below the limit of this place, in MiB.
    fn room(&self, place: usize) -> f64 {
        let limit = self.places[place].limit.unwrap_or(256) as f64;
        (limit - self.filled[place]).max(4.0)
    }

    /// In how many seconds a limit is reached.
    fn time(&mut self) -> f64 {
        self.dice.between(44, 62) as f64
    }

    fn file(&mut self, mib: u64) -> PathBuf {
        let path = self.dir.join(format!("file-{}", self.dice.next()));
        // Nothing is written: reading holes fills the page cache all the same.
        let file = std::fs::File::create(&path).expect("a file of our own");
        file.set_len(mib << 20).expect("a size");
        path
    }
}

fn named(name: &str, base: f64) -> Part {
    Part { name: name.to_owned(), base, ..Part::default() }
}

fn linear(b: &mut Builder<'_>) {
    let limit = b.limit();
    let place = b.place(Some(limit), None);
    let others = [30, 45, 55][b.dice.between(0, 2)];
    b.bystanders(place, limit, others);
    let base = b.share(limit, 5, 20);
    let time = b.time();
    let rate = (b.room(place) - base) / time;
    b.part(place, Part { pattern: Pattern::Linear(rate), ..named("leak", base) });
}

/// 2 to 4 MiB a second: the limit is reached in less than half a minute.
fn fast(b: &mut Builder<'_>) {
    let place = b.place(Some(64), None);
    b.bystanders(place, 64, 20);
    let base = b.share(64, 5, 10);
    let rate = b.dice.between(20, 40) as f64 / 10.0;
    b.part(place, Part { pattern: Pattern::Linear(rate), ..named("leak", base) });
}

fn steps(b: &mut Builder<'_>) {
    let limit = b.limit();
    let place = b.place(Some(limit), None);
    b.bystanders(place, limit, 30);
    let base = b.share(limit, 5, 15);
    let (time, every) = (b.time(), b.dice.between(2, 6) as f64);
    let size = (b.room(place) - base) / time * every;
    b.part(place, Part { pattern: Pattern::Steps { size, every }, ..named("leak", base) });
}

fn leaking_saw(b: &mut Builder<'_>) {
    let limit = b.limit();
    let place = b.place(Some(limit), None);
    b.bystanders(place, limit, 20);
    let base = b.share(limit, 5, 15);
    let height = b.share(limit, 12, 22);
    let (time, every) = (b.time(), b.dice.between(5, 8) as f64);
    let leak = (b.room(place) - base - height) / time * every;
    let pattern = Pattern::Saw { height, leak, every };
    b.part(place, Part { pattern, ..named("leak", base) });
}

fn accelerating(b: &mut Builder<'_>) {
    let limit = b.limit();
    let place = b.place(Some(limit), None);
    b.bystanders(place, limit, 30);
    let base = b.share(limit, 5, 15);
    let (time, every) = (b.time(), b.dice.between(14, 24) as f64);
    let pace = std::f64::consts::LN_2 / every;
    let rate = (b.room(place) - base) * pace / ((time * pace).exp() - 1.0);
    b.part(place, Part { pattern: Pattern::Doubling { rate, every }, ..named("leak", base) });
}

/// The smaller one grows faster. It overtakes the other one before the limit is reached, or would after it.
fn overtaking(b: &mut Builder<'_>) {
    let limit = b.limit();
    let place = b.place(Some(limit), None);
    b.bystanders(place, limit, 10);
    let (first, second) = (limit as f64 * 0.28, limit as f64 * 0.08);
    let time = b.time();
    let room = b.room(place) - first - second;
    let crossing = time * [0.5, 0.7, 0.85, 0.95, 1.05, 1.2, 1.5][b.dice.between(0, 6)];
    let difference = (first - second) / crossing;
    let slower = ((room / time - difference) / 2.0).max(0.0);
    b.part(place, Part { pattern: Pattern::Linear(slower), ..named("first", first) });
    let pattern = Pattern::Linear(slower + difference);
    b.part(place, Part { pattern, ..named("second", second) });
}

/// Equals that one process started. One of them leaks.
fn workers(b: &mut Builder<'_>) {
    let limit = [96, 128, 192][b.dice.between(0, 2)];
    let place = b.place(Some(limit), None);
    let count = b.dice.between(8, 12);
    let base = limit as f64 * 0.45 / count as f64;
    let time = b.time();
    let filled = (base + OVERHEAD) * count as f64 + 2.0;
    let rate = (limit as f64 - filled) / time;
    let leaks = b.dice.between(0, count - 1);
    let children = (0..count)
        .map(|at| Part {
            pattern: if at == leaks { Pattern::Linear(rate) } else { Pattern::Still },
            ..named("worker", base)
        })
        .collect();
    b.part(place, Part { children, ..named("master", 2.0) });
}

/// Three containers. One leaks, another one grows so slowly that its limit is minutes away.
fn siblings(b: &mut Builder<'_>) {
    for nth in 0..3 {
        let limit = b.limit();
        let place = b.place(Some(limit), None);
        b.bystanders(place, limit, 40);
        let base = b.share(limit, 5, 15);
        let room = b.room(place) - base;
        let pattern = match nth {
            0 => Pattern::Linear(room / b.time()),
            1 => Pattern::Linear(room / 400.0),
            _ => Pattern::Still,
        };
        b.part(place, Part { pattern, ..named("service", base) });
    }
}

/// The largest process holds file pages, which reclaim takes back.
fn file_mapper(b: &mut Builder<'_>) {
    let limit = [64, 96, 128][b.dice.between(0, 2)];
    let place = b.place(Some(limit), None);
    let size = b.share(limit, 40, 55);
    let file = b.file(size as u64);
    b.part(place, Part { maps: Some(file), ..named("mapper", 4.0) });
    b.bystanders(place, limit, 12);
    let base = b.share(limit, 5, 10);
    let rate = (b.room(place) - base) / b.time();
    b.part(place, Part { pattern: Pattern::Linear(rate), ..named("leak", base) });
}

/// Others have a higher adj, so that they may be ahead of a larger process.
fn other_adj(b: &mut Builder<'_>) {
    let limit = b.limit();
    let place = b.place(Some(limit), None);
    let count = b.dice.between(2, 4);
    let base = b.share(limit, 5, 15);
    let others: Vec<f64> = (0..count).map(|_| b.share(limit, 4, 14)).collect();
    // What the leak holds in the end, and what the others count for then.
    let end = limit as f64 - others.iter().sum::<f64>() - OVERHEAD * (count + 1) as f64;
    for (at, size) in others.into_iter().enumerate() {
        let counts = end * b.dice.between(40, 115) as f64 / 100.0;
        let adj = ((counts - size) / limit as f64 * 1000.0).clamp(0.0, 1000.0) as i32;
        b.part(place, Part { adj, ..named(&format!("other{at}"), size) });
    }
    let rate = (b.room(place) - base) / b.time();
    b.part(place, Part { pattern: Pattern::Linear(rate), ..named("leak", base) });
}

/// The limit is that of a pod with two containers, which have none of their own.
fn nested(b: &mut Builder<'_>) {
    let limit = b.limit();
    let pod = b.place(Some(limit), None);
    let (one, other) = (b.place(None, Some(pod)), b.place(None, Some(pod)));
    b.bystanders(one, limit, 30);
    b.bystanders(other, limit, 12);
    let base = b.share(limit, 3, 10);
    let rate = (b.room(pod) - base) / b.time();
    b.part(other, Part { pattern: Pattern::Linear(rate), ..named("leak", base) });
}

/// The one that leaks is started when the growth begins.
fn newborn(b: &mut Builder<'_>) {
    let limit = b.limit();
    let place = b.place(Some(limit), None);
    b.bystanders(place, limit, 30);
    let rate = b.room(place) / b.time();
    b.part(place, Part { late: true, pattern: Pattern::Linear(rate), ..named("leak", 1.0) });
}

/// The leak becomes the largest process, or nearly, just before the limit is reached.
fn late_overtaker(b: &mut Builder<'_>) {
    let limit = [96, 128, 192, 256][b.dice.between(0, 3)];
    let place = b.place(Some(limit), None);
    let base = limit as f64 * 0.04;
    // What the leak holds in the end, as a share of the largest of the others.
    let share = [0.8, 0.9, 1.1, 1.2, 1.3, 1.5][b.dice.between(0, 5)];
    let largest = limit as f64 * 0.22;
    let end = largest * share;
    let overhead = OVERHEAD * 4.0;
    let rest = (limit as f64 - end - largest - overhead) / 2.0;
    b.part(place, named("other0", largest));
    b.part(place, named("other1", rest.min(largest * 0.95)));
    b.part(place, named("other2", rest.min(largest * 0.9)));
    let rate = (b.room(place) - base) / b.time();
    b.part(place, Part { pattern: Pattern::Linear(rate), ..named("leak", base) });
}

/// Page cache fills whatever is free, and is taken back as the leak grows.
fn cache_and_leak(b: &mut Builder<'_>) {
    let limit = [64, 96, 128][b.dice.between(0, 2)];
    let place = b.place(Some(limit), None);
    let file = b.file(200);
    b.part(place, Part { reads: Some(file), ..named("reader", 4.0) });
    b.bystanders(place, limit, 25);
    let base = b.share(limit, 5, 10);
    let rate = (b.room(place) - base) / b.time();
    b.part(place, Part { pattern: Pattern::Linear(rate), ..named("leak", base) });
}

/// Compilers come and go beside the leak.
fn build_and_leak(b: &mut Builder<'_>) {
    let limit = 256;
    let place = b.place(Some(limit), None);
    let build = Build { jobs: 4, size: 20 };
    b.part(place, Part { build: Some(build), ..named("make", 2.0) });
    let base = 10.0;
    let rate = (b.room(place) - base - 25.0) / b.time();
    b.part(place, Part { pattern: Pattern::Linear(rate), ..named("leak", base) });
}

/// The others go up and down all the time.
fn restless_bystanders(b: &mut Builder<'_>) {
    let limit = b.limit();
    let place = b.place(Some(limit), None);
    for at in 0..3 {
        let base = b.share(limit, 5, 12);
        let (height, every) = (b.share(limit, 2, 5), b.dice.between(4, 11) as f64);
        let wave = Pattern::Wave { height, every };
        let saw = Pattern::Saw { height, leak: 0.0, every };
        let pattern = if b.dice.once_in(2) { wave } else { saw };
        b.part(place, Part { pattern, ..named(&format!("other{at}"), base) });
    }
    let base = b.share(limit, 5, 10);
    let rate = (b.room(place) - base) * 0.95 / b.time();
    b.part(place, Part { pattern: Pattern::Linear(rate), ..named("leak", base) });
}

/// What grows is in no process: memory files that are mapped nowhere.
fn memory_files(b: &mut Builder<'_>) {
    let limit = b.limit();
    let place = b.place(Some(limit), None);
    b.bystanders(place, limit, 30);
    let largest = b.share(limit, 20, 26);
    b.part(place, named("largest", largest));
    let rate = b.room(place) / b.time();
    b.part(place, Part { files: true, pattern: Pattern::Linear(rate), ..named("writer", 2.0) });
}

/// Two containers leak; one reaches its limit first.
fn two_containers(b: &mut Builder<'_>) {
    for first in [true, false] {
        let limit = b.limit();
        let place = b.place(Some(limit), None);
        b.bystanders(place, limit, 35);
        let base = b.share(limit, 5, 15);
        let time = if first { b.time() } else { b.time() + 20.0 };
        let rate = (b.room(place) - base) / time;
        b.part(place, Part { pattern: Pattern::Linear(rate), ..named("service", base) });
    }
}

/// It grows for some seconds, and rests for some.
fn bursts(b: &mut Builder<'_>) {
    let limit = b.limit();
    let place = b.place(Some(limit), None);
    b.bystanders(place, limit, 30);
    let base = b.share(limit, 5, 15);
    let (time, every) = (b.time(), b.dice.between(6, 12) as f64);
    let size = (b.room(place) - base) / time * every;
    b.part(place, Part { pattern: Pattern::Bursts { size, every }, ..named("leak", base) });
}

/// It grows ever more slowly, but reaches the limit.
fn slowing_down(b: &mut Builder<'_>) {
    let limit = b.limit();
    let place = b.place(Some(limit), None);
    b.bystanders(place, limit, 25);
    let base = b.share(limit, 5, 10);
    let (time, room) = (b.time(), b.room(place) - base);
    b.part(
        place,
        Part { pattern: Pattern::Root { size: room, over: time }, ..named("leak", base) },
    );
}

fn idle(b: &mut Builder<'_>) {
    let limit = b.limit();
    let place = b.place(Some(limit), None);
    b.bystanders(place, limit, 50);
    let pattern = Pattern::Wave { height: limit as f64 * 0.04, every: 9.0 };
    b.part(place, Part { pattern, ..named("server", limit as f64 * 0.2) });
}

fn build(b: &mut Builder<'_>) {
    let limit = 256;
    let place = b.place(Some(limit), None);
    let build = Build { jobs: 6, size: 32 };
    b.part(place, Part { build: Some(build), ..named("make", 2.0) });
}

fn page_cache(b: &mut Builder<'_>) {
    let limit = 64;
    let place = b.place(Some(limit), None);
    let file = b.file(200);
    b.bystanders(place, limit, 30);
    b.part(place, Part { reads: Some(file), ..named("reader", 4.0) });
}

fn collector(b: &mut Builder<'_>) {
    let limit = b.limit();
    let place = b.place(Some(limit), None);
    b.bystanders(place, limit, 15);
    let base = b.share(limit, 5, 15);
    let (height, every) = (b.share(limit, 25, 45), b.dice.between(6, 14) as f64);
    let pattern = Pattern::Saw { height, leak: 0.0, every };
    b.part(place, Part { pattern, ..named("java", base) });
}

/// A service that fills its caches when it starts, and no further.
fn start(b: &mut Builder<'_>) {
    let limit = b.limit();
    let place = b.place(Some(limit), None);
    b.bystanders(place, limit, 10);
    let pattern =
        Pattern::Ramp { size: b.share(limit, 30, 55), over: b.dice.between(4, 12) as f64 };
    b.part(place, Part { pattern, ..named("database", 4.0) });
}

//! Random mixes of hogs: sizes, adj, kinds of memory, near-ties, families.

pub use crate::dice::Dice;
use crate::hog::Load;

/// Maximum difference of near-ties in pages.
const NEAR: usize = 24;

/// Hogs that differ by nothing but a few pages, or by nothing at all.
pub fn near_ties(dice: &mut Dice, pages: usize, lowest_adj: i32) -> Vec<Load> {
    let count = dice.between(5, 9);
    let (base, adj) = (pages / count, dice.adj(lowest_adj));
    // Sometimes with many page tables, which few tools count.
    let sparse = if dice.once_in(3) { base / 8 } else { 0 };
    let load = |dice: &mut Dice, at| Load {
        name: format!("hog{at:02}"),
        adj,
        anon: base - 2 * sparse + dice.between(0, NEAR),
        sparse,
        ..Load::default()
    };
    (0..count).map(|at| load(dice, at)).collect()
}

/// Hogs of all sizes and kinds.
pub fn medley(dice: &mut Dice, pages: usize, lowest_adj: i32) -> Vec<Load> {
    let count = dice.between(3, 7);
    let shares: Vec<usize> = (0..count).map(|_| dice.between(1, 100)).collect();
    let all: usize = shares.iter().sum();
    let load = |(at, share): (usize, &usize)| {
        let pages = pages * share / all;
        let kind = dice.between(0, 5);
        Load {
            name: format!("hog{at:02}"),
            adj: dice.adj(lowest_adj),
            // All anonymous, half page tables, or half a file that is in no RSS.
            anon: if kind <= 2 { pages } else { pages / 2 },
            sparse: if kind == 3 || kind == 4 { pages / 4 } else { 0 },
            file: if kind == 5 { pages / 2 } else { 0 },
            ..Load::default()
        }
    };
    shares.iter().enumerate().map(load).collect()
}

/// Hogs with nearly the same memory of their own; some have as much again that reclaim takes before the kernel kills:
/// pages of a file (if there is a disk), shared memory, pages given back. By the sizes of now they are far ahead.
pub fn reclaimable(dice: &mut Dice, pages: usize, lowest_adj: i32, disk: bool) -> Vec<Load> {
    let count = dice.between(3, 6);
    let (base, adj) = (pages / count * 2 / 3, dice.adj(lowest_adj));
    let load = |dice: &mut Dice, at| {
        let extra = base * dice.between(20, 90) / 100;
        let kind = dice.between(0, 4);
        Load {
            name: format!("hog{at:02}"),
            adj,
            anon: base + dice.between(0, base / 4),
            mapped: if kind == 0 && disk { extra } else { 0 },
            shared: if kind == 1 { extra } else { 0 },
            given_back: if kind == 2 || (kind == 0 && !disk) { extra } else { 0 },
            ..Load::default()
        }
    };
    (0..count).map(|at| load(dice, at)).collect()
}

/// Hogs that forked: each child has its parent's memory in its RSS, and some pages more of its own.
pub fn families(dice: &mut Dice, pages: usize, lowest_adj: i32) -> Vec<Load> {
    let count = dice.between(2, 3);
    let (base, adj) = (pages / count * 2 / 3, dice.adj(lowest_adj));
    let load = |dice: &mut Dice, at| {
        let children = dice.between(1, 4);
        Load {
            name: format!("hog{at:02}"),
            adj,
            anon: base + dice.between(0, base / 8),
            children,
            // Half of them are equals of their parent but for the youngest's pages.
            own_of_child: if dice.once_in(2) { base / 4 / children } else { 0 },
            ..Load::default()
        }
    };
    (0..count).map(|at| load(dice, at)).collect()
}

/// Hogs of about the same size, and one that grows to about their size when the memory is full.
pub fn race(dice: &mut Dice, room: usize, lowest_adj: i32) -> Vec<Load> {
    let count = dice.between(2, 4);
    let share = room / (count + 1);
    let adj = dice.adj(lowest_adj);
    let load = |dice: &mut Dice, at| Load {
        name: format!("hog{at:02}"),
        adj,
        anon: share * dice.between(92, 100) / 100,
        ..Load::default()
    };
    let mut loads: Vec<Load> = (0..count).map(|at| load(dice, at)).collect();
    loads.push(grower(dice, share, adj));
    loads
}

/// A hog that keeps growing. It starts with a part of the free memory.
pub fn grower(dice: &mut Dice, left: usize, adj: i32) -> Load {
    Load {
        name: "grower".to_owned(),
        adj,
        anon: left * dice.between(50, 80) / 100,
        step: 16 * dice.between(2, 6),
        pause: 10,
        ..Load::default()
    }
}

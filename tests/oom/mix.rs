//! Random mixes of hogs: sizes, adj, kinds of memory, near-ties.

use crate::hog::Load;

/// Maximum difference of near-ties in pages.
const NEAR: usize = 24;

/// Reproducible random numbers: splitmix64.
pub struct Dice(pub u64);

impl Dice {
    /// Any number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number in `from..=to`.
    pub fn between(&mut self, from: usize, to: usize) -> usize {
        from + usize::try_from(self.next() % (to - from + 1) as u64).expect("a small number")
    }

    /// True with a probability of 1 / `many`.
    pub fn once_in(&mut self, many: usize) -> bool {
        self.between(1, many) == 1
    }

    /// An adj: 0 in a third of all cases, else any value from `lowest` to 1000.
    pub fn adj(&mut self, lowest: i32) -> i32 {
        if self.once_in(3) {
            return 0;
        }
        let span = usize::try_from(1000 - lowest).expect("a range");
        lowest + i32::try_from(self.between(0, span)).expect("an adj")
    }
}

/// Hogs of the same kind that differ by a few pages or not at all.
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

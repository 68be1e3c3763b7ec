//! Random numbers that can be repeated.

/// A generator with a seed: splitmix64.
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

    /// A number of `from..=to`.
    pub fn between(&mut self, from: usize, to: usize) -> usize {
        from + usize::try_from(self.next() % (to - from + 1) as u64).expect("a small number")
    }

    /// Once in so many.
    pub fn once_in(&mut self, many: usize) -> bool {
        self.between(1, many) == 1
    }

    /// 0, or anything from the lowest to 1000.
    pub fn adj(&mut self, lowest: i32) -> i32 {
        if self.once_in(3) {
            return 0;
        }
        let span = usize::try_from(1000 - lowest).expect("a range");
        lowest + i32::try_from(self.between(0, span)).expect("an adj")
    }
}

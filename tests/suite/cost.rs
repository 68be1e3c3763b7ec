//! What work costs: in CPU time of its own thread, since time by the clock depends on who else is busy.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// CPU time that this thread takes for some work, and what the work comes to.
pub fn cpu_time<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let now = || Duration::from(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("a clock"));
    let begun = now();
    let result = work();
    (now() - begun, result)
}

/// Checks that eight times as many cost less than 24 times as much: quadratic would be 64 times. Others
/// may take the caches away while the many are counted, but not each time.
pub fn assert_linear(few: i32, cost: impl Fn(i32) -> Duration) {
    let mut tried = Vec::new();
    while tried.len() < 5 {
        let (less, more) = (cost(few), cost(few * 8));
        if more < less * 24 {
            return;
        }
        tried.push((less, more));
    }
    panic!("{few}, then {} cost {tried:?}", few * 8);
}

//! The load: takes memory as it is told.

use std::process::ExitCode;
use std::time::{Duration, Instant};

/// The first argument of a load.
pub const ARGUMENT: &str = "__hog";

/// `MIB SECONDS [MIB_PER_SECOND]`: takes memory at once, more of it every tenth of a second, and ends.
pub fn live(arguments: &[String]) -> ExitCode {
    let number = |at: usize| arguments.get(at).map_or(0.0, |it| it.parse().expect("a number"));
    let (size, seconds, rate) = (number(0), number(1), number(2));
    let mut held = vec![taken(size)];
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    while Instant::now() < end {
        std::thread::sleep(Duration::from_millis(100));
        if rate > 0.0 {
            held.push(taken(rate / 10.0));
        }
    }
    std::hint::black_box(&held);
    ExitCode::SUCCESS
}

/// So much memory, every page of it written.
fn taken(mib: f64) -> Vec<u8> {
    let mut memory = vec![0_u8; (mib * 1_048_576.0) as usize];
    memory.iter_mut().step_by(4096).for_each(|byte| *byte = 1);
    memory
}

//! Forecasts when memory, swap and the headroom of each cgroup run out at the rate of the last minutes.

use crate::forecast::cgroup_trends::of_groups;
use crate::forecast::headroom_trend::{HeadroomAt, WINDOWS, trend_of};
use crate::model::{Forecast, MachineHistory, MachineSample, SampleHistory, Snapshot, Trend};
use crate::units::{Bytes, Millis};

/// Available memory.
fn available(sample: &MachineSample) -> Bytes {
    let free = sample.memory.free_kib + sample.memory.cache_kib;
    sample.memory.available_kib.value().unwrap_or(free).bytes()
}

/// The forecast at the time of sample `now`, from it and the samples before it.
#[must_use]
pub fn forecast(history: &MachineHistory, past: &SampleHistory, now: &Snapshot) -> Forecast {
    let newest = history.place(now.clock.monotonic_ms).map_or(0, |place| place + 1);
    let since = |at: Millis| now.clock.monotonic_ms.saturating_sub(at) <= WINDOWS[0];
    let same = |it: &&MachineSample| {
        it.memory.total_kib == now.memory.total_kib && it.swap.total_kib == now.swap.total_kib
    };
    let samples = history.iter().take(newest).rev().take_while(same);
    let mut samples: Vec<&MachineSample> = samples.take_while(|it| since(it.at)).collect();
    samples.reverse();
    let trend = |of: &dyn Fn(&MachineSample) -> Bytes| -> Trend {
        trend_of(&samples.iter().map(|sample| (sample.at, of(sample))).collect::<Vec<HeadroomAt>>())
    };
    let swap = |sample: &MachineSample| sample.swap.free_kib.bytes();
    let has_swap = now.swap.total_kib.0 > 0;
    Forecast {
        ram: trend(&available),
        swap: if has_swap { trend(&swap) } else { Trend::Unknown },
        both: trend(&|sample| available(sample) + swap(sample)),
        groups: of_groups(past, now),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Reading;
    use crate::units::Kib;

    fn sample(second: u64, available: u64, swap: (u64, u64)) -> Snapshot {
        let mut sample = Snapshot::default();
        sample.clock.monotonic_ms = Millis(second * 1000);
        sample.memory.total_kib = Kib(16_000_000);
        sample.memory.available_kib = Reading::Value(Kib(available));
        (sample.swap.total_kib, sample.swap.free_kib) = (Kib(swap.0), Kib(swap.1));
        sample
    }

    #[test]
    fn a_change_of_swap_starts_a_new_history() {
        let (mut history, past) = (MachineHistory::default(), SampleHistory::new(Millis(1), 0));
        let mut at = |sample: &Snapshot| {
            history.push(MachineSample::of(sample));
            forecast(&history, &past, sample)
        };
        let mut last = Forecast::default();
        for nth in 1..=60 {
            last = at(&sample(nth * 2, 8_000_000 - nth * 20_000, (4_000_000, 4_000_000)));
        }
        let seconds = |trend: Trend| trend.arrival().map(|it| it.likely.0.div_ceil(1000));
        assert_eq!(seconds(last.ram), Some(680));
        assert_eq!((last.swap, seconds(last.both)), (Trend::Steady, Some(1080)));
        let first = sample(122, 6_780_000, (8_000_000, 8_000_000));
        assert_eq!(at(&first).both, Trend::Unknown, "another size of swap");
        let then = sample(40, 7_600_000, (4_000_000, 4_000_000));
        let back = forecast(&history, &past, &then);
        assert_eq!(seconds(back.ram), Some(760), "as it was then");
    }
}

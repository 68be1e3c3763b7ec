//! When a burst of OOM kills is over, so that the samples around it are written to a file once.

use crate::events::DaemonLogReader;
use crate::model::{Snapshot, unescape};

/// Samples without another kill after which a burst is over.
const QUIET: u32 = 5;
/// Maximum length of a burst, in samples.
const LONGEST: u32 = 30;
/// Maximum number of files written for bursts in one run.
pub(crate) const MAX_FILES: u32 = 50;

/// Follows the kernel's count of kills, and the kills that daemons report.
#[derive(Debug, Default)]
pub(crate) struct KillBurst {
    kills: Option<u64>,
    /// Samples since the first and since the last kill of the burst that is going on.
    samples: Option<(u32, u32)>,
    /// Bursts that are over.
    pub(crate) count: u32,
    /// Kills by daemons, which the kernel does not count.
    by_daemons: u64,
    daemons: DaemonLogReader,
}

impl KillBurst {
    /// Takes a new sample. Returns whether a burst is over with it.
    pub(crate) fn take(&mut self, sample: &Snapshot) -> bool {
        for line in sample.log.iter() {
            let Some(daemon) = line.by.daemon() else { continue };
            let text = unescape(line.text.as_str());
            let kill = self.daemons.take(daemon, &String::from_utf8_lossy(&text));
            self.by_daemons += u64::from(kill.is_some_and(|kill| !kill.undone));
        }
        let kills = sample.traffic.oom_kills.value();
        self.sample(kills.map(|kills| kills.saturating_add(self.by_daemons)))
    }

    /// Takes the number of kills in a new sample.
    fn sample(&mut self, kills: Option<u64>) -> bool {
        let more = self.kills.zip(kills).is_some_and(|(before, now)| now > before);
        self.kills = kills.or(self.kills);
        self.samples = match self.samples {
            None if more => Some((0, 0)),
            None => None,
            Some((first, _)) if more => Some((first + 1, 0)),
            Some((first, last)) => Some((first + 1, last + 1)),
        };
        let over = self.samples.is_some_and(|(first, last)| last >= QUIET || first >= LONGEST);
        over && self.end()
    }

    /// No further sample comes. Returns whether that ends a burst.
    pub(crate) fn end(&mut self) -> bool {
        let is_going_on = self.samples.take().is_some();
        self.count += u32::from(is_going_on);
        is_going_on
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_of_kills_is_one_and_ends() {
        let mut burst = KillBurst::default();
        let mut over = Vec::new();
        let counts = [3, 3, 4, 4, 5, 5, 5, 5, 5, 5, 5, 5, 6, 6, 6, 6, 6, 6];
        for (at, kills) in counts.into_iter().enumerate() {
            if burst.sample(Some(kills)) {
                over.push(at);
            }
        }
        assert_eq!(over, [9, 17], "five samples after its last kill");
        // A burst that does not end is cut.
        let mut burst = KillBurst::default();
        let over: Vec<u64> = (0..100).filter(|&kills| burst.sample(Some(kills))).collect();
        assert_eq!(over, [31, 62, 93]);
        assert!(!burst.sample(None) && KillBurst::default().kills.is_none());
        // The program ends within five samples of a kill.
        let mut burst = KillBurst::default();
        assert!(!burst.end() && !burst.sample(Some(1)) && !burst.end());
        assert!(!burst.sample(Some(2)) && !burst.sample(Some(2)));
        assert!(burst.end() && !burst.end() && burst.count == 1);
    }
}

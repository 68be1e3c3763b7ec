//! The threshold of an alarm, as the user writes it.

use std::fmt;

use crate::alarm::quantity::{AlarmQuantity, AlarmUnit, QUANTITIES, Reads, ThresholdSide};
use crate::columns::human_size;
use crate::units::Kib;

/// A quantity and its threshold.
#[derive(Clone, Debug)]
pub struct Alarm {
    pub(super) quantity: &'static AlarmQuantity,
    pub(super) level: f64,
    pub(super) unit: AlarmUnit,
}

impl Alarm {
    /// Parses `WHAT>VALUE`, `WHAT<VALUE`, or the name of an event.
    ///
    /// # Errors
    /// What it should have been, in one line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let at = text.find(['>', '<']);
        let (name, rest) = at.map_or((text, ""), |at| text.split_at(at));
        let name = name.trim();
        let Some(quantity) = QUANTITIES.iter().find(|it| it.name == name || it.alias == Some(name))
        else {
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
        let parse = if usual == AlarmUnit::Seconds { duration } else { value };
        let (level, unit) = parse(given.as_str().trim(), usual)
            .filter(|(_, unit)| quantity.units.contains(unit))
            .ok_or_else(|| quantity.wanted())?;
        // A threshold that can never be crossed is a typing error.
        let most = if unit == AlarmUnit::Kib { (1_u64 << 50) as f64 } else { quantity.most };
        let can = match side {
            ThresholdSide::Over => level < most,
            _ => level > 0.0 && level <= most,
        };
        if can { Ok(Self { quantity, level, unit }) } else { Err(quantity.wanted()) }
    }

    /// The name of the quantity.
    #[must_use]
    pub const fn what(&self) -> &'static str {
        self.quantity.name
    }

    /// What is watched, in a sentence.
    #[must_use]
    pub const fn about(&self) -> &'static str {
        self.quantity.about
    }

    /// Whether a value is beyond the threshold.
    pub(super) fn is_over(&self, value: f64) -> bool {
        match self.quantity.side {
            ThresholdSide::Over => value > self.level,
            ThresholdSide::Under => value < self.level,
            ThresholdSide::Happens => false,
        }
    }

    /// Whether a value is back by a tenth of the threshold, so that the next crossing is a new one.
    pub(super) fn is_back(&self, value: f64) -> bool {
        let tenth = self.level / 10.0;
        match (self.quantity.side, self.unit) {
            // A forecast moves more than a measured value.
            _ if matches!(self.quantity.reads, Reads::Death) => value >= self.level * 1.5,
            (ThresholdSide::Over, _) => value <= self.level - tenth,
            // At most half of what is left to 100 %.
            (ThresholdSide::Under, AlarmUnit::Percent) => {
                value >= self.level + tenth.min((100.0 - self.level).max(0.0) / 2.0)
            }
            (ThresholdSide::Under, _) => value >= self.level + tenth,
            (ThresholdSide::Happens, _) => true,
        }
    }

    pub(super) fn shown(&self, value: f64) -> String {
        match self.unit {
            AlarmUnit::Percent if value < 10.0 => format!("{}%", trimmed(value)),
            AlarmUnit::Percent => format!("{value:.0}%"),
            AlarmUnit::Kib => human_size(Kib(value as u64).bytes()),
            AlarmUnit::Seconds => format!("{value:.0}s"),
        }
    }
}

/// One decimal digit, left out where it is 0.
pub(super) fn trimmed(value: f64) -> String {
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

/// A span of time, with the units of all times that a user types.
fn duration(text: &str, usual: AlarmUnit) -> Option<(f64, AlarmUnit)> {
    let (number, unit) = text.split_at(text.trim_end_matches(char::is_alphabetic).len());
    let number: f64 = number.trim().parse().ok().filter(|it: &f64| it.is_finite())?;
    let seconds = match unit {
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    Some((number * seconds, usual))
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

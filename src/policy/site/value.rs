//! What an expression may be worth, and what may go wrong while it is worked out.

use std::borrow::Cow;
use std::cell::Cell;
use std::cmp::Ordering;
use std::fmt;

use crate::policy::site::diagnostic::Location;

/// The type of a fact or of an expression: known before any process is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    /// true or false.
    Bool,
    /// A whole number of 64 bits.
    Int,
    /// A number with a fraction.
    Double,
    /// A text.
    Text,
}

impl ValueType {
    /// As CEL names it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Double => "double",
            Self::Text => "string",
        }
    }

    /// Whether it can be counted with.
    #[must_use]
    pub const fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::Double)
    }
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// true or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Double(f64),
    /// A text: borrowed wherever the facts hold it as it is.
    Text(Cow<'a, str>),
}

impl<'a> Value<'a> {
    /// A text that somebody else holds.
    #[must_use]
    pub const fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    /// A count, which no machine has more of than fit.
    #[must_use]
    pub fn count(number: u64) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }

    /// Its type.
    #[must_use]
    pub const fn kind(&self) -> ValueType {
        match self {
            Self::Bool(_) => ValueType::Bool,
            Self::Int(_) => ValueType::Int,
            Self::Double(_) => ValueType::Double,
            Self::Text(_) => ValueType::Text,
        }
    }

    /// How two of them stand to each other; nothing where they cannot be compared (not a number).
    #[must_use]
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(b)),
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(b)),
            (Self::Double(a), Self::Double(b)) => a.partial_cmp(b),
            (Self::Int(a), Self::Double(b)) => mixed(*a, *b),
            (Self::Double(a), Self::Int(b)) => mixed(*b, *a).map(Ordering::reverse),
            (Self::Text(a), Self::Text(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }
}

/// A whole number against one with a fraction, exactly: 2^53 + 1 is no double.
fn mixed(whole: i64, other: f64) -> Option<Ordering> {
    const END: f64 = 9_223_372_036_854_775_808.0;
    if other.is_nan() {
        None
    } else if other >= END {
        Some(Ordering::Less)
    } else if other < -END {
        Some(Ordering::Greater)
    } else {
        let floor = other.floor();
        let order = whole.cmp(&(floor as i64));
        Some(order.then(if other > floor { Ordering::Less } else { Ordering::Equal }))
    }
}

/// What judging one process may still cost, in units of about ten nanoseconds. It is counted, not
/// timed, so the same process under the same rule always comes out the same.
#[derive(Debug)]
pub struct EvalBudget(Cell<u64>);

impl EvalBudget {
    /// What a rule may cost for all processes of a look together: well within a second.
    pub const REFRESH: u64 = 40_000_000;

    /// The share of one of so many processes.
    #[must_use]
    pub fn among(processes: usize) -> Self {
        Self(Cell::new(Self::REFRESH / (processes as u64).max(1)))
    }

    /// Spends some; whether there was enough.
    pub fn spend(&self, units: u64) -> bool {
        let left = self.0.get().saturating_sub(units);
        self.0.set(left);
        left > 0
    }

    /// Whether nothing is left.
    #[must_use]
    pub fn is_out(&self) -> bool {
        self.0.get() == 0
    }
}

/// Why a rule could not be worked out for a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvalFailure {
    /// This fact is not there.
    Absent(&'static str),
    /// A division by zero.
    Zero,
    /// A whole number left 64 bits.
    Overflow,
    /// A number with a fraction became infinite or no number, or is too large for a whole one.
    Range,
    /// It costs more than one process may cost where there are so many.
    Costs,
}

/// Where and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EvalError {
    /// In the file.
    pub spot: Location,
    /// The cause.
    pub why: EvalFailure,
}

/// `3:9: p.swap is not known; ask has(p.swap) first`
impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.spot)?;
        match self.why {
            EvalFailure::Absent(fact) => write!(f, "{fact} is not known; ask has({fact}) first"),
            EvalFailure::Zero => f.write_str("it divides by zero"),
            EvalFailure::Overflow => {
                f.write_str("a number leaves 64 bits; double(…) holds larger ones")
            }
            EvalFailure::Range => f.write_str("a number is out of range"),
            EvalFailure::Costs => {
                f.write_str("it takes too long with so many processes; shorten the rule")
            }
        }
    }
}

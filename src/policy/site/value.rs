//! Types and values of expressions, the budget of an evaluation, and the errors in one.

use std::borrow::Cow;
use std::cell::Cell;
use std::cmp::Ordering;
use std::fmt;

use crate::policy::site::diagnostic::Location;

/// The type of a fact or of an expression, known when the rule is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    /// `true` or `false`.
    Bool,
    /// A signed integer of 64 bits.
    Int,
    /// A floating-point number of 64 bits.
    Double,
    /// A string.
    Text,
}

impl ValueType {
    /// The name of the type in CEL.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Double => "double",
            Self::Text => "string",
        }
    }

    /// Whether it is `int` or `double`.
    #[must_use]
    pub const fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::Double)
    }
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// `true` or `false`.
    Bool(bool),
    /// A signed integer of 64 bits.
    Int(i64),
    /// A floating-point number of 64 bits.
    Double(f64),
    /// A string; borrowed where the facts hold it unchanged.
    Text(Cow<'a, str>),
}

impl<'a> Value<'a> {
    /// A borrowed string.
    #[must_use]
    pub const fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    /// A count; larger ones become the largest integer.
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

    /// Compares two values. `None` for NaN and for types that cannot be compared.
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

/// Compares an integer with a double exactly: 2^53 + 1 has no double.
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

/// The remaining cost allowed for judging one process, in units of about ten nanoseconds. It is
/// counted, not timed, so the result for a process does not depend on the speed of the machine.
#[derive(Debug)]
pub struct EvalBudget(Cell<u64>);

impl EvalBudget {
    /// Maximum cost for all processes of a sample together: well below a second.
    pub const REFRESH: u64 = 40_000_000;

    /// The share of one process among this many.
    #[must_use]
    pub fn among(processes: usize) -> Self {
        Self(Cell::new(Self::REFRESH / (processes as u64).max(1)))
    }

    /// Spends units. Returns whether some are left.
    pub fn spend(&self, units: u64) -> bool {
        let left = self.0.get().saturating_sub(units);
        self.0.set(left);
        left > 0
    }

    /// Whether the budget is spent.
    #[must_use]
    pub fn is_out(&self) -> bool {
        self.0.get() == 0
    }
}

/// Why an evaluation failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvalFailure {
    /// This fact is absent.
    Absent(&'static str),
    /// A division by zero.
    Zero,
    /// An integer exceeded 64 bits.
    Overflow,
    /// A double became infinite or NaN, or is too large for an integer.
    Range,
    /// The budget of the process is spent.
    Costs,
}

/// A failed evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EvalError {
    /// The failed expression in the file.
    pub location: Location,
    /// The cause.
    pub why: EvalFailure,
}

impl EvalError {
    /// A failure of the rule as a whole, located at the beginning of the file.
    #[must_use]
    pub const fn in_file(why: EvalFailure) -> Self {
        Self { location: Location { line: 1, column: 1 }, why }
    }
}

/// `3:9: p.swap is absent; test has(p.swap) first`
impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.location)?;
        match self.why {
            EvalFailure::Absent(fact) => write!(f, "{fact} is absent; test has({fact}) first"),
            EvalFailure::Zero => f.write_str("division by zero"),
            EvalFailure::Overflow => {
                f.write_str("integer overflow; double(…) holds larger numbers")
            }
            EvalFailure::Range => f.write_str("number out of range"),
            EvalFailure::Costs => {
                f.write_str("this takes too long with so many processes; shorten the rule")
            }
        }
    }
}

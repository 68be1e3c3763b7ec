//! The value that a column sorts its rows by.

use std::cmp::Ordering;

use crate::model::Reading;

/// The value that a column sorts a row by.
#[derive(Clone, Debug, PartialEq)]
pub enum SortKey {
    /// A number.
    Number(i64),
    /// A text.
    Text(String),
    /// No value: sorts last in either direction.
    Absent,
}

impl SortKey {
    pub(crate) fn of<T>(reading: Reading<T>, with: impl FnOnce(T) -> i64) -> Self {
        reading.value().map_or(Self::Absent, |value| Self::Number(with(value)))
    }

    /// Compares two keys; an absent value is last in either direction.
    #[must_use]
    pub fn order(&self, other: &Self, descending: bool) -> Ordering {
        let plain = match (self, other) {
            (Self::Number(mine), Self::Number(theirs)) => mine.cmp(theirs),
            (Self::Text(mine), Self::Text(theirs)) => mine.cmp(theirs),
            (Self::Absent, Self::Absent) => return Ordering::Equal,
            (Self::Absent, _) => return Ordering::Greater,
            (_, Self::Absent) => return Ordering::Less,
            (Self::Number(_), Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Number(_)) => Ordering::Greater,
        };
        if descending { plain.reverse() } else { plain }
    }
}

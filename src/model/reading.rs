//! A fact that may be absent, with the reason why. Absent is not zero.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The result of an attempt to read a fact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Reading<T> {
    /// The fact was read.
    Value(T),
    /// The kernel refused (EACCES, EPERM).
    Denied,
    /// The kernel does not provide this fact here: an older kernel, a kernel thread, a process that
    /// is gone.
    Missing,
    /// No part of the program needed the fact, so it was not read.
    #[default]
    NotAsked,
}

impl<T> Reading<T> {
    /// The value, if it was read.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            _ => None,
        }
    }

    /// A borrowed view.
    pub fn as_ref(&self) -> Reading<&T> {
        match self {
            Self::Value(value) => Reading::Value(value),
            Self::Denied => Reading::Denied,
            Self::Missing => Reading::Missing,
            Self::NotAsked => Reading::NotAsked,
        }
    }

    /// Converts the value, and keeps the reason of an absence.
    pub fn map<U>(self, with: impl FnOnce(T) -> U) -> Reading<U> {
        match self {
            Self::Value(value) => Reading::Value(with(value)),
            Self::Denied => Reading::Denied,
            Self::Missing => Reading::Missing,
            Self::NotAsked => Reading::NotAsked,
        }
    }

    /// Whether the fact was not asked for.
    pub const fn is_not_asked(&self) -> bool {
        matches!(self, Self::NotAsked)
    }

    /// The sign that stands for an absent value on the screen, a different one for each reason;
    /// empty for a value.
    pub const fn dash(&self) -> &'static str {
        match self {
            Self::Value(_) => "",
            Self::Denied => "!",
            Self::Missing => "-",
            Self::NotAsked => "?",
        }
    }
}

/// How an absence is written in JSON: `{"unreadable": "denied"}` for `Denied`, `null` for
/// `Missing`; a field that was not asked for is left out.
#[derive(Serialize, Deserialize)]
enum Absence {
    #[serde(rename = "denied")]
    Denied,
}

impl<T: Serialize> Serialize for Reading<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Unreadable {
            unreadable: Absence,
        }
        match self {
            Self::Value(value) => value.serialize(serializer),
            Self::Denied => Unreadable { unreadable: Absence::Denied }.serialize(serializer),
            Self::Missing | Self::NotAsked => serializer.serialize_none(),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Reading<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form<T> {
            Value(T),
            Unreadable {
                #[allow(dead_code, reason = "its presence is the message")]
                unreadable: Absence,
            },
        }
        Ok(match Option::<Form<T>>::deserialize(deserializer)? {
            Some(Form::Value(value)) => Self::Value(value),
            Some(Form::Unreadable { .. }) => Self::Denied,
            None => Self::Missing,
        })
    }
}

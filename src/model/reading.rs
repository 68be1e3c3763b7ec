//! A fact that may be absent, and why: absent is not zero.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What came of trying to read a fact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Reading<T> {
    /// It was read.
    Value(T),
    /// The kernel refused (EACCES, EPERM).
    Denied,
    /// There is no such fact here (an older kernel, a kernel thread, already gone).
    Missing,
    /// Nobody needed it, so nobody looked.
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

    /// The same reading of another thing.
    pub fn map<U>(self, with: impl FnOnce(T) -> U) -> Reading<U> {
        match self {
            Self::Value(value) => Reading::Value(with(value)),
            Self::Denied => Reading::Denied,
            Self::Missing => Reading::Missing,
            Self::NotAsked => Reading::NotAsked,
        }
    }

    /// Whether nobody looked.
    pub const fn is_not_asked(&self) -> bool {
        matches!(self, Self::NotAsked)
    }

    /// What stands on the screen in place of the value: four different dashes.
    pub const fn dash(&self) -> &'static str {
        match self {
            Self::Value(_) => "",
            Self::Denied => "!",
            Self::Missing => "-",
            Self::NotAsked => "?",
        }
    }
}

/// How the two absences are written in JSON; `NotAsked` is left out altogether.
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

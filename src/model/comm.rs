//! The short name of a process or thread.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::text::{harmless, neutral, unescape};

/// The `comm` of a process: its first 31 bytes, stored inline. The kernel keeps 15 bytes
/// (`TASK_COMM_LEN`); only kernel workers show more in `/proc/PID/stat`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Comm {
    length: u8,
    bytes: [u8; Self::ROOM],
}

impl Comm {
    const ROOM: usize = 31;

    /// Takes the first 31 bytes of `bytes`.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        let length = bytes.len().min(Self::ROOM);
        let mut room = [0; Self::ROOM];
        room[..length].copy_from_slice(&bytes[..length]);
        Self { length: length as u8, bytes: room }
    }

    /// The bytes, not escaped.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

impl Default for Comm {
    fn default() -> Self {
        Self::new(b"")
    }
}

/// The escaped form; see [`crate::model::escape_bytes`].
impl fmt::Display for Comm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match std::str::from_utf8(self.bytes()) {
            Ok(plain) if plain.chars().all(harmless) => f.pad(plain),
            _ => f.pad(&neutral(self.bytes())),
        }
    }
}

impl fmt::Debug for Comm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

impl Serialize for Comm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Comm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::new(&unescape(&String::deserialize(deserializer)?)))
    }
}

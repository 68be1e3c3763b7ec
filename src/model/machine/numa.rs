//! NUMA nodes, and sets of them.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::units::Pages;

/// A NUMA node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumaNode {
    /// Number of the node.
    pub id: u32,
    /// Pages of physical memory, including those of the kernel (`/proc/zoneinfo` `present`).
    #[serde(rename = "present_pages")]
    pub present: Pages,
}

/// A set of the nodes 0 to 63.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeSet(u64);

impl NodeSet {
    /// Parses a list as the kernel prints it, such as `0-1,3`. `None` for anything else, for an
    /// empty list, and for nodes above 63.
    #[must_use]
    pub fn parse(list: &str) -> Option<Self> {
        let number = |digits: &str| {
            let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            digits.parse::<u32>().ok().filter(|&node| plain && node < 64)
        };
        let mut set = 0;
        for part in list.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (number(first)?, number(last)?);
            if first > last {
                return None;
            }
            set |= (first..=last).fold(0, |set, node| set | 1 << node);
        }
        Some(Self(set))
    }

    /// The set whose bit N stands for node N.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// Whether a node is in the set.
    #[must_use]
    pub const fn has(self, node: u32) -> bool {
        node < 64 && self.0 & 1 << node != 0
    }

    /// Whether the sets have a node in common.
    #[must_use]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The set of these nodes.
    #[must_use]
    pub fn of(nodes: &[NumaNode]) -> Self {
        Self(nodes.iter().filter(|node| node.id < 64).fold(0, |set, node| set | 1 << node.id))
    }
}

/// The list as the kernel prints it.
impl fmt::Display for NodeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut node = 0;
        let mut comma = "";
        while node < 64 {
            if !self.has(node) {
                node += 1;
                continue;
            }
            let first = node;
            while self.has(node + 1) {
                node += 1;
            }
            write!(f, "{comma}{first}")?;
            if node > first {
                write!(f, "-{node}")?;
            }
            comma = ",";
            node += 1;
        }
        Ok(())
    }
}

impl Serialize for NodeSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for NodeSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let list = String::deserialize(deserializer)?;
        Self::parse(&list).ok_or_else(|| de::Error::custom("a list of nodes, such as 0-1,3"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lists_are_parsed_and_printed_as_the_kernel_does() {
        for list in ["0", "0-1", "0-1,3", "63", "1,3,5-7", "0-63"] {
            assert_eq!(NodeSet::parse(list).map(|set| set.to_string()).as_deref(), Some(list));
        }
        for bad in ["", "64", "1-", "-1", "2-1", "a", "0,,1", "+1", "0-64"] {
            assert_eq!(NodeSet::parse(bad), None, "{bad:?}");
        }
        let set = NodeSet::parse("0-1,3").unwrap();
        assert!(set.has(1) && !set.has(2) && !set.has(99));
        assert!(set.intersects(NodeSet::parse("3").unwrap()));
        assert!(!set.intersects(NodeSet::parse("2").unwrap()));
    }

    proptest! {
        #[test]
        fn every_set_survives_printing_and_parsing(bits in 1_u64..) {
            let set = NodeSet(bits);
            prop_assert_eq!(NodeSet::parse(&set.to_string()), Some(set));
        }

        #[test]
        fn no_text_panics(text in ".{0,20}") {
            let _ = NodeSet::parse(&text);
        }
    }
}

//! All memory cgroups, in the order of their tree.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::model::Reading;
use crate::model::cgroup::group::Cgroup;
use crate::model::cgroup::limit::Hierarchy;
use crate::units::Millis;

/// The memory cgroups that are visible to doomtop.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cgroups {
    /// The version of the hierarchy; missing if there is no memory controller, or if it is not
    /// mounted.
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub hierarchy: Reading<Hierarchy>,
    /// When they were read, on the snapshot's monotonic clock.
    #[serde(default)]
    pub read_ms: Millis,
    /// In tree order: a parent before its children, and the groups of a subtree one after the
    /// other.
    #[serde(default)]
    pub list: Vec<Cgroup>,
}

impl Cgroups {
    /// The cgroup with this path.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<&Cgroup> {
        let at = self.list.binary_search_by(|group| tree_order(group.path.as_str(), path)).ok()?;
        Some(&self.list[at])
    }

    /// The topmost visible cgroup: the root of the hierarchy, or that of a container.
    #[must_use]
    pub fn top(&self) -> Option<&Cgroup> {
        self.list.first()
    }

    /// The cgroup at `path` and its ancestors, nearest first. Ancestors above the root of the
    /// cgroup namespace are not in any path below it, and so not included.
    pub fn upwards<'a>(&'a self, path: &'a str) -> impl Iterator<Item = &'a Cgroup> {
        let parent = |path: &&'a str| {
            let path = path.trim_end_matches('/');
            let at = path.rfind('/').filter(|_| !path.ends_with("/.."))?;
            Some(if at == 0 { "/" } else { &path[..at] })
        };
        std::iter::successors(Some(path), parent).filter_map(|path| self.find(path))
    }

    /// The cgroups with a limit of their own.
    pub fn limited(&self) -> impl Iterator<Item = &Cgroup> {
        self.list.iter().filter(|group| group.is_limited())
    }
}

/// Tree order: compares paths component by component, so the paths of a subtree are neighbours.
#[must_use]
pub fn tree_order(a: &str, b: &str) -> Ordering {
    // Paths have long beginnings in common, which are skipped in blocks.
    const BLOCK: usize = 16;
    let (mut a, mut b) = (without_last_slash(a), without_last_slash(b));
    while let (Some((a_block, a_rest)), Some((b_block, b_rest))) =
        (a.split_first_chunk::<BLOCK>(), b.split_first_chunk::<BLOCK>())
        && a_block == b_block
    {
        (a, b) = (a_rest, b_rest);
    }
    // A slash sorts before every other byte, so `/a/b` comes before `/a-b`.
    let key = |byte: &u8| if *byte == b'/' { 0 } else { u16::from(*byte) + 1 };
    a.iter().map(key).cmp(b.iter().map(key))
}

/// A path without the slashes at its end.
fn without_last_slash(path: &str) -> &[u8] {
    let mut path = path.as_bytes();
    while let [rest @ .., b'/'] = path {
        path = rest;
    }
    path
}

/// Whether `path` is `domain` or below it. Paths outside of the cgroup namespace begin with `/..`
/// and are not below its root.
#[must_use]
pub fn is_within(path: &str, domain: &str) -> bool {
    let domain = domain.trim_end_matches('/');
    path.strip_prefix(domain).is_some_and(|rest| match rest.strip_prefix('/') {
        Some(below) => below != ".." && !below.starts_with("../"),
        None => rest.is_empty(),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::model::Text;

    #[test]
    fn the_groups_of_a_subtree_are_neighbours() {
        let mut paths = ["/a-b", "/a", "/", "/a/c", "/b", "/a/b/x", "/a/b"];
        paths.sort_by(|a, b| tree_order(a, b));
        assert_eq!(paths, ["/", "/a", "/a/b", "/a/b/x", "/a/c", "/a-b", "/b"]);
        assert!(is_within("/a/b", "/a") && is_within("/a", "/a") && is_within("/a", "/"));
        assert!(!is_within("/a-b", "/a") && !is_within("/", "/a"));
        assert!(!is_within("/../x", "/") && !is_within("/..", "/") && is_within("/..x", "/"));
        assert!(is_within("/../x/y", "/../x"));
    }

    #[test]
    fn upwards_ends_at_the_root() {
        let list = ["/", "/a", "/a/b"]
            .map(|path| Cgroup { path: Arc::new(Text::new(path.as_bytes())), ..Cgroup::default() });
        let groups = Cgroups { list: list.to_vec(), ..Cgroups::default() };
        let up =
            |path| groups.upwards(path).map(|g| g.path.as_str().to_owned()).collect::<Vec<_>>();
        assert_eq!(up("/a/b"), ["/a/b", "/a", "/"]);
        assert_eq!(up("/a/gone/x"), ["/a", "/"]);
        assert_eq!(up("/"), ["/"]);
    }

    proptest! {
        #[test]
        fn the_order_is_that_of_the_components(
            a in "(/[ab-]{0,9}){0,5}", b in "(/[ab-]{0,9}){0,5}", common in "(/[ab-]{0,20}){0,3}",
        ) {
            let (a, b) = (common.clone() + &a, common + &b);
            let components = |path: &str| {
                path.trim_end_matches('/').split('/').map(str::to_owned).collect::<Vec<_>>()
            };
            prop_assert_eq!(tree_order(&a, &b), components(&a).cmp(&components(&b)));
        }

        #[test]
        fn a_group_never_sorts_before_its_ancestor(a in "(/[a-c-]{1,2}){0,3}", b in "(/[a-c-]{1,2}){0,3}") {
            if is_within(&a, &b) {
                prop_assert_ne!(tree_order(&a, &b), Ordering::Less);
            }
        }
    }
}

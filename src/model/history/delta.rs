//! A sorted list, stored whole or as its difference from the list before.

use std::cmp::Ordering;
use std::mem::size_of;
use std::sync::Arc;

use crate::model::{Cgroup, ProcId, Process, Text, tree_order};

/// A list sorted by name, stored whole or as its difference from the list before.
#[derive(Clone, Debug)]
pub(crate) enum Rows<T, N> {
    Whole(Vec<T>),
    Since { changed: Vec<T>, gone: Vec<N> },
}

/// An item with a name by which its list is sorted.
pub(crate) trait Named: Clone + PartialEq {
    type Name: Clone;
    fn name(&self) -> Self::Name;
    fn cmp(a: &Self::Name, b: &Self::Name) -> Ordering;
}

impl Named for Process {
    type Name = ProcId;

    fn name(&self) -> ProcId {
        self.id
    }

    fn cmp(a: &ProcId, b: &ProcId) -> Ordering {
        a.cmp(b)
    }
}

impl Named for Cgroup {
    type Name = Arc<Text>;

    fn name(&self) -> Self::Name {
        Arc::clone(&self.path)
    }

    fn cmp(a: &Self::Name, b: &Self::Name) -> Ordering {
        tree_order(a.as_str(), b.as_str()).then_with(|| a.as_str().cmp(b.as_str()))
    }
}

impl<T: Named> Rows<T, T::Name> {
    /// The difference from `old` to `new`. Stored whole if there is no old list, if the difference
    /// is not smaller, or if a list is not sorted.
    pub(crate) fn between(old: Option<&[T]>, new: &[T]) -> Self {
        let Some(old) = old else { return Self::Whole(new.to_vec()) };
        let ordered = |list: &[T]| {
            list.windows(2).all(|pair| T::cmp(&pair[0].name(), &pair[1].name()).is_lt())
        };
        if !ordered(new) || !ordered(old) {
            return Self::Whole(new.to_vec());
        }
        let (mut changed, mut gone) = (Vec::new(), Vec::new());
        let mut then = old.iter().peekable();
        for row in new {
            let name = row.name();
            while let Some(lost) = then.next_if(|was| T::cmp(&was.name(), &name).is_lt()) {
                gone.push(lost.name());
            }
            let was = then.next_if(|was| T::cmp(&was.name(), &name).is_eq());
            if was.is_none_or(|was| was != row) {
                changed.push(row.clone());
            }
        }
        gone.extend(then.map(Named::name));
        if changed.len() == new.len() {
            return Self::Whole(changed);
        }
        changed.shrink_to_fit();
        Self::Since { changed, gone }
    }

    /// Turns the list before into this one.
    pub(crate) fn apply(&self, list: &mut Vec<T>) {
        match self {
            Self::Whole(rows) => list.clone_from(rows),
            Self::Since { changed, gone } => {
                let mut gone = gone.iter().peekable();
                let some_gone = gone.peek().is_some();
                if some_gone {
                    list.retain(|row| {
                        let name = row.name();
                        while gone.next_if(|lost| T::cmp(lost, &name).is_lt()).is_some() {}
                        gone.next_if(|lost| T::cmp(lost, &name).is_eq()).is_none()
                    });
                }
                for row in changed {
                    let name = row.name();
                    match list.binary_search_by(|other| T::cmp(&other.name(), &name)) {
                        Ok(at) => list[at] = row.clone(),
                        Err(at) => list.insert(at, row.clone()),
                    }
                }
            }
        }
    }

    pub(crate) const fn is_whole(&self) -> bool {
        matches!(self, Self::Whole(_))
    }

    /// Approximate size in bytes.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Whole(rows) => rows.len() * size_of::<T>(),
            Self::Since { changed, gone } => {
                changed.len() * size_of::<T>() + gone.len() * size_of::<T::Name>()
            }
        }
    }
}

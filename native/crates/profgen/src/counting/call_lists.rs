//! Lists of calls. Each distinct list is stored once.

use std::hash::Hash;

use rustc_hash::FxHashMap;

/// A list of calls, from the outermost inwards, in [`CallLists`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ListId(u32);

impl ListId {
    /// The list without calls.
    pub(crate) const EMPTY: Self = Self(0);
    /// Stands for the absence of a list.
    pub(crate) const NOWHERE: Self = Self(u32::MAX);

    /// Returns the number of the list. Each list of one [`CallLists`] has a number of its own.
    pub(super) fn number(self) -> u32 {
        self.0
    }
}

/// Distinct lists of calls. Each is stored as its last call and the list before that call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CallLists<C: Eq + Hash> {
    /// For each list except the empty one: the list without its last call, the last call, and the number of
    /// calls.
    lists: Vec<(ListId, C, u32)>,
    index: FxHashMap<(ListId, C), ListId>,
}

impl<C: Eq + Hash> Default for CallLists<C> {
    fn default() -> Self {
        Self {
            lists: Vec::new(),
            index: FxHashMap::default(),
        }
    }
}

impl<C: Copy + Eq + Hash> CallLists<C> {
    /// Returns the list that consists of `list` and one more call at its end.
    pub(crate) fn behind(&mut self, list: ListId, call: C) -> ListId {
        let Self { lists, index } = self;
        *index.entry((list, call)).or_insert_with(|| {
            let length = (list.0 as usize).checked_sub(1).map_or(0, |before| lists[before].2);
            lists.push((list, call, length + 1));
            let number = u32::try_from(lists.len()).ok().filter(|&number| number < u32::MAX);
            ListId(number.expect("fewer than 2^32 distinct calling contexts"))
        })
    }

    /// Returns the last call of a list, and the list without this call; `None` if the list is empty.
    pub(crate) fn last(&self, list: ListId) -> Option<(ListId, C)> {
        let (before, call, _) = self.lists.get((list.0 as usize).checked_sub(1)?)?;
        Some((*before, *call))
    }

    /// Returns the number of calls of a list.
    pub(crate) fn length(&self, list: ListId) -> usize {
        let last = (list.0 as usize).checked_sub(1).and_then(|last| self.lists.get(last));
        last.map_or(0, |&(.., length)| length as usize)
    }

    /// Returns the calls of a list, from the outermost inwards.
    pub(crate) fn calls(&self, list: ListId) -> Vec<C> {
        let mut calls = Vec::new();
        let mut rest = list;
        while let Some((before, call)) = self.last(rest) {
            calls.push(call);
            rest = before;
        }
        calls.reverse();
        calls
    }

    /// Returns every call of every list, in no particular order.
    pub(crate) fn all_calls(&self) -> impl Iterator<Item = C> {
        self.lists.iter().map(|&(_, call, _)| call)
    }

    /// Maps each list to a value, the empty list to `empty`. `next` gets the value of the list without its
    /// last call, and that call.
    pub(super) fn map<T: Copy>(&self, empty: T, mut next: impl FnMut(T, C) -> T) -> Mapped<T> {
        let mut all = Vec::with_capacity(self.lists.len() + 1);
        all.push(empty);
        for &(before, call, _) in &self.lists {
            all.push(next(all[before.0 as usize], call));
        }
        Mapped(all)
    }

    /// Adds the lists of `other`. Returns the list of `self` for each list of `other`.
    pub(super) fn merge(&mut self, other: &Self) -> Mapped<ListId> {
        other.map(ListId::EMPTY, |list, call| self.behind(list, call))
    }
}

/// The values that [`CallLists::map`] made of lists, by the number of the list.
pub(super) struct Mapped<T>(Vec<T>);

impl<T: Copy> Mapped<T> {
    /// Returns the value for a list; `None` for [`ListId::NOWHERE`].
    pub(super) fn of(&self, list: ListId) -> Option<T> {
        self.0.get(list.0 as usize).copied()
    }
}

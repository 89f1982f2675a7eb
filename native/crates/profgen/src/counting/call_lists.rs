//! Lists of calls, each kept once.

use std::hash::Hash;

use rustc_hash::FxHashMap;

/// A list of calls, from the outermost inwards, in [`CallLists`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ListId(u32);

impl ListId {
    /// No call is known.
    pub(crate) const EMPTY: Self = Self(0);
    /// No list.
    pub(crate) const NOWHERE: Self = Self(u32::MAX);

    /// No two lists of the same [`CallLists`] have the same.
    pub(super) fn number(self) -> u32 {
        self.0
    }
}

/// Distinct lists of calls, each as its last call behind another list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CallLists<C: Eq + Hash> {
    /// Of each list but the empty one: the list without its last call, that call, and the number of calls.
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
    /// The list that has one more call at its end.
    pub(crate) fn behind(&mut self, list: ListId, call: C) -> ListId {
        let Self { lists, index } = self;
        *index.entry((list, call)).or_insert_with(|| {
            let length = (list.0 as usize).checked_sub(1).map_or(0, |before| lists[before].2);
            lists.push((list, call, length + 1));
            let number = u32::try_from(lists.len()).ok().filter(|&number| number < u32::MAX);
            ListId(number.expect("fewer than 2^32 distinct calling contexts"))
        })
    }

    /// The last call of a list, and the list without it. Nothing, if the list is empty.
    pub(crate) fn last(&self, list: ListId) -> Option<(ListId, C)> {
        let (before, call, _) = self.lists.get((list.0 as usize).checked_sub(1)?)?;
        Some((*before, *call))
    }

    /// How many calls a list has.
    pub(crate) fn length(&self, list: ListId) -> usize {
        let last = (list.0 as usize).checked_sub(1).and_then(|last| self.lists.get(last));
        last.map_or(0, |&(.., length)| length as usize)
    }

    /// The calls, from the outermost inwards.
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

    /// Every call of every list, in no particular order.
    pub(crate) fn all_calls(&self) -> impl Iterator<Item = C> {
        self.lists.iter().map(|&(_, call, _)| call)
    }

    /// What each list is made into, the empty one into `empty`: `next` gets what a list without its last call became, and that call.
    pub(super) fn map<T: Copy>(&self, empty: T, mut next: impl FnMut(T, C) -> T) -> Mapped<T> {
        let mut all = Vec::with_capacity(self.lists.len() + 1);
        all.push(empty);
        for &(before, call, _) in &self.lists {
            all.push(next(all[before.0 as usize], call));
        }
        Mapped(all)
    }

    /// Adds the lists of `other`; tells which they are here.
    pub(super) fn merge(&mut self, other: &Self) -> Mapped<ListId> {
        other.map(ListId::EMPTY, |list, call| self.behind(list, call))
    }
}

/// What lists were made into.
pub(super) struct Mapped<T>(Vec<T>);

impl<T: Copy> Mapped<T> {
    /// Nothing, for what is no list.
    pub(super) fn of(&self, list: ListId) -> Option<T> {
        self.0.get(list.0 as usize).copied()
    }
}

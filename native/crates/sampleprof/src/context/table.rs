use std::fmt;
use std::hash::BuildHasher;

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

use crate::{LineLocation, NameId};

/// A caller, and the location of the call in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Frame {
    /// Name of the caller.
    pub function: NameId,
    /// Location of the call.
    pub location: LineLocation,
}

/// Index of a calling context in a [`ContextTable`]. Equal ids of one table mean equal contexts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContextId(u32);

impl ContextId {
    /// The context without callers. All functions of a profile without contexts have this context.
    pub const BASE: Self = Self(0);

    /// Returns the id as an index into columns that are kept beside the table.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A table of distinct lists of callers, each stored once.
#[derive(Clone, Default)]
pub struct ContextTable {
    frames: Vec<Frame>,
    /// For each context except [`ContextId::BASE`], the position in `frames` at which it ends. A context starts where
    /// the one before ends.
    ends: Vec<usize>,
    /// Ids, hashed by the frames of their contexts.
    index: HashTable<u32>,
}

impl ContextTable {
    /// Returns the id of the context with these callers, the outermost first. Adds the context if the table does not
    /// have it.
    ///
    /// # Panics
    /// When there are 2^32 contexts, which take more than 64 GiB.
    pub fn intern(&mut self, callers: &[Frame]) -> ContextId {
        if callers.is_empty() {
            return ContextId::BASE;
        }
        let Self { frames, ends, index } = self;
        let found = index.entry(
            hash(callers),
            |&id| resolve(frames, ends, id) == callers,
            |&id| hash(resolve(frames, ends, id)),
        );
        let vacant = match found {
            hashbrown::hash_table::Entry::Occupied(found) => return ContextId(*found.get()),
            hashbrown::hash_table::Entry::Vacant(vacant) => vacant,
        };
        let id = u32::try_from(ends.len() + 1).expect("fewer than 2^32 contexts");
        vacant.insert(id);
        frames.extend_from_slice(callers);
        ends.push(frames.len());
        ContextId(id)
    }

    /// Iterates over the callers of each context, in the order of the ids. The first context is [`ContextId::BASE`].
    pub fn iter(&self) -> impl Iterator<Item = &[Frame]> {
        (0..=self.ends.len()).map(|id| resolve(&self.frames, &self.ends, id as u32))
    }

    /// Returns the callers of the context `id`, the outermost first.
    ///
    /// # Panics
    /// When `id` is not of this table.
    #[must_use]
    pub fn get(&self, id: ContextId) -> &[Frame] {
        resolve(&self.frames, &self.ends, id.0)
    }
}

impl fmt::Debug for ContextTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

fn resolve<'a>(frames: &'a [Frame], ends: &[usize], id: u32) -> &'a [Frame] {
    let Some(position) = (id as usize).checked_sub(1) else {
        return &[];
    };
    let start = position.checked_sub(1).map_or(0, |before| ends[before]);
    &frames[start..ends[position]]
}

fn hash(frames: &[Frame]) -> u64 {
    FxBuildHasher.hash_one(frames)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(function: u32, line: u32) -> Frame {
        Frame {
            function: NameId(function),
            location: LineLocation::new(line, 0),
        }
    }

    #[test]
    fn a_context_has_one_id() {
        let mut table = ContextTable::default();
        let one = table.intern(&[frame(0, 1)]);
        let two = table.intern(&[frame(0, 1), frame(1, 2)]);
        assert_eq!(table.intern(&[]), ContextId::BASE);
        assert_eq!(table.intern(&[frame(0, 1)]), one);
        assert_eq!(table.intern(&[frame(0, 1), frame(1, 2)]), two);
        assert_ne!(one, two);
        assert_eq!(table.get(ContextId::BASE), []);
        assert_eq!(table.get(one), [frame(0, 1)]);
        assert_eq!(table.get(two), [frame(0, 1), frame(1, 2)]);
    }
}

//! Stores each byte string once, one after the other.

use rustc_hash::{FxBuildHasher, FxHashMap};

/// Interns names. Ids count up from 0 in the order of first appearance.
#[derive(Default)]
pub(crate) struct NameInterner<'a> {
    ids: FxHashMap<&'a [u8], u32>,
    names: Names,
}

/// The interned names.
#[derive(Debug, Default)]
pub(crate) struct Names {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl<'a> NameInterner<'a> {
    /// Makes an interner with room for `count` names.
    pub(crate) fn with_capacity(count: usize) -> Self {
        Self {
            ids: FxHashMap::with_capacity_and_hasher(count, FxBuildHasher),
            names: Names::default(),
        }
    }

    pub(crate) fn intern(&mut self, name: &'a [u8]) -> u32 {
        *self.ids.entry(name).or_insert_with(|| self.names.push(name))
    }

    pub(crate) fn get(&self, id: u32) -> &[u8] {
        self.names.get(id)
    }

    pub(crate) fn finish(self) -> Names {
        self.names
    }
}

impl Names {
    fn push(&mut self, name: &[u8]) -> u32 {
        let id = u32::try_from(self.ends.len()).expect("fewer than 2^32 names: each takes a DIE");
        self.bytes.extend_from_slice(name);
        self.ends.push(self.bytes.len());
        id
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn get(&self, id: u32) -> &[u8] {
        let id = id as usize;
        let start = if id == 0 { 0 } else { self.ends[id - 1] };
        &self.bytes[start..self.ends[id]]
    }
}

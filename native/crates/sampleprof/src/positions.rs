use rustc_hash::FxHashMap;

use crate::{ContextId, FunctionSamples, NameId};

/// The key that tells functions apart that are not inlined: the name and the context.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct FunctionKey {
    pub(crate) name: NameId,
    pub(crate) context: ContextId,
}

impl FunctionKey {
    pub(crate) fn of(function: &FunctionSamples) -> Self {
        Self {
            name: function.name,
            context: function.context,
        }
    }
}

/// The position of each function in a list of functions.
pub(crate) struct Positions {
    /// Positions of the functions without callers, indexed by name. Most profiles have only such functions.
    base: Vec<usize>,
    /// Positions of the functions with callers.
    called: FxHashMap<FunctionKey, usize>,
}

/// The position of a function that is not in the list.
const NOWHERE: usize = usize::MAX;

impl Positions {
    /// Makes an index without functions. The ids of the names of functions that are added later must be below `names`.
    pub(crate) fn new(names: usize) -> Self {
        Self {
            base: vec![NOWHERE; names],
            called: FxHashMap::default(),
        }
    }

    pub(crate) fn get(&self, key: FunctionKey) -> Option<usize> {
        if key.context == ContextId::BASE {
            Some(self.base[key.name.index()]).filter(|&position| position != NOWHERE)
        } else {
            self.called.get(&key).copied()
        }
    }

    /// Returns the position of the function `key`. If the function has no position yet, gives it `position` and
    /// returns `None`.
    pub(crate) fn find_or_insert(&mut self, key: FunctionKey, position: usize) -> Option<usize> {
        let known = if key.context == ContextId::BASE {
            &mut self.base[key.name.index()]
        } else {
            self.called.entry(key).or_insert(NOWHERE)
        };
        if *known == NOWHERE {
            *known = position;
            return None;
        }
        Some(*known)
    }

    /// Returns the position of the function `key` in `functions`. If the function is not there, appends it without
    /// counts.
    pub(crate) fn get_or_add(&mut self, key: FunctionKey, functions: &mut Vec<FunctionSamples>) -> usize {
        self.find_or_insert(key, functions.len()).unwrap_or_else(|| {
            functions.push(FunctionSamples {
                context: key.context,
                ..FunctionSamples::new(key.name)
            });
            functions.len() - 1
        })
    }
}

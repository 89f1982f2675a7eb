use rustc_hash::FxHashMap;

use crate::{ContextId, FunctionSamples, NameId};

/// What tells functions apart that are not inlined.
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

/// Where in a list of functions each is.
pub(crate) struct Positions {
    /// Of functions without callers, which are all of most profiles, by name.
    base: Vec<usize>,
    /// Of the others.
    called: FxHashMap<FunctionKey, usize>,
}

/// The position of a function that is not in the list.
const NOWHERE: usize = usize::MAX;

impl Positions {
    /// Of no functions yet, which will have ids below `names`.
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

    /// The position of a function; if it has none, it gets `position`.
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

    /// The position of a function in `functions`, to the end of which it is added, without counts, if it is not there.
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

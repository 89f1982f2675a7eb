//! The profile while it grows: one node for each function in each inline context, one record for each line in it.

use rustc_hash::FxHashMap;
use sampleprof::{
    BodyRecord, CallTarget, FunctionSamples, LineLocation, MAX_INLINE_DEPTH, NameId, NameTable, WriteError,
};

/// A function in an inline context. A parent's id is smaller than its children's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ContextId(u32);

/// A line of a context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct RecordId(u32);

struct Context {
    /// The caller and the call site, unless this is a top-level function.
    inlined_at: Option<(ContextId, LineLocation)>,
    name: NameId,
    /// How many functions it is inlined into.
    depth: usize,
    /// Without what is inlined into it.
    total: u64,
    head: u64,
}

struct Record {
    context: ContextId,
    location: LineLocation,
    count: u64,
}

/// All contexts of a profile.
#[derive(Default)]
pub(crate) struct Contexts {
    contexts: Vec<Context>,
    by_place: FxHashMap<(Option<(ContextId, LineLocation)>, NameId), ContextId>,
    records: Vec<Record>,
    record_by_line: FxHashMap<(ContextId, LineLocation), RecordId>,
    targets: FxHashMap<(RecordId, NameId), u64>,
}

impl Contexts {
    /// With room for so many records.
    pub(crate) fn with_room_for(records: usize) -> Self {
        let mut contexts = Self::default();
        contexts.records.reserve(records);
        contexts.record_by_line.reserve(records);
        contexts
    }

    /// The context of `name` inlined at a call site, or the top-level function.
    pub(crate) fn context(&mut self, inlined_at: Option<(ContextId, LineLocation)>, name: NameId) -> ContextId {
        *self.by_place.entry((inlined_at, name)).or_insert_with(|| {
            let id = ContextId(index(self.contexts.len()));
            let depth = inlined_at.map_or(0, |(caller, _)| self.contexts[caller.0 as usize].depth + 1);
            self.contexts.push(Context {
                inlined_at,
                name,
                depth,
                total: 0,
                head: 0,
            });
            id
        })
    }

    /// The record of a line, created with count 0.
    pub(crate) fn record(&mut self, context: ContextId, location: LineLocation) -> RecordId {
        *self.record_by_line.entry((context, location)).or_insert_with(|| {
            let id = RecordId(index(self.records.len()));
            self.records.push(Record {
                context,
                location,
                count: 0,
            });
            id
        })
    }

    /// Adds to the total of the record's context, and so to those of all that it is inlined into.
    pub(crate) fn add_total(&mut self, record: RecordId, amount: u64) {
        let context = self.records[record.0 as usize].context;
        let total = &mut self.contexts[context.0 as usize].total;
        *total = total.saturating_add(amount);
    }

    /// A line was executed as often as its most executed instruction.
    pub(crate) fn raise_count(&mut self, record: RecordId, count: u64) {
        let record = &mut self.records[record.0 as usize];
        record.count = record.count.max(count);
    }

    /// A probe was passed, or the instructions of a line were sampled, that often.
    pub(crate) fn add_count(&mut self, record: RecordId, count: u64) {
        let record = &mut self.records[record.0 as usize];
        record.count = record.count.saturating_add(count);
    }

    pub(crate) fn add_call(&mut self, record: RecordId, callee: NameId, count: u64) {
        let target = self.targets.entry((record, callee)).or_insert(0);
        *target = target.saturating_add(count);
    }

    /// A function was entered. Nobody asks how often an inlined one was.
    pub(crate) fn add_head(&mut self, context: ContextId, count: u64) {
        let context = &mut self.contexts[context.0 as usize];
        if context.inlined_at.is_none() {
            context.head = context.head.saturating_add(count);
        }
    }

    /// The finished top-level functions, in no particular order.
    ///
    /// # Errors
    /// [`WriteError::TooDeep`], before there is a tree that is too deep to walk.
    pub(crate) fn into_functions(self, names: &NameTable) -> Result<Vec<FunctionSamples>, WriteError> {
        if let Some(context) = self.contexts.iter().find(|context| context.depth > MAX_INLINE_DEPTH) {
            let name = names.get(context.name).to_string();
            return Err(WriteError::TooDeep { name });
        }
        let mut targets: Vec<_> = self.targets.into_iter().collect();
        targets.sort_unstable();
        let mut records: Vec<_> = self.records.into_iter().enumerate().collect();
        records.sort_unstable_by_key(|(_, record)| (record.context, record.location));

        let mut functions: Vec<FunctionSamples> = self
            .contexts
            .iter()
            .map(|context| FunctionSamples::new(context.name))
            .collect();
        for (id, record) in records {
            let first = targets.partition_point(|((owner, _), _)| (owner.0 as usize) < id);
            let calls = targets[first..]
                .iter()
                .take_while(|((owner, _), _)| owner.0 as usize == id);
            functions[record.context.0 as usize].body.push(BodyRecord {
                location: record.location,
                count: record.count,
                targets: calls.map(|&((_, name), count)| CallTarget { name, count }).collect(),
            });
        }
        // Children follow their parents, so from the end each function is complete when it is handed over.
        let mut top_level = Vec::new();
        for context in self.contexts.into_iter().rev() {
            let Some(mut function) = functions.pop() else { break };
            function.total = function.total.saturating_add(context.total);
            function.head = context.head;
            function
                .inlinees
                .sort_by(|a, b| (a.0, names.get(a.1.name)).cmp(&(b.0, names.get(b.1.name))));
            match context.inlined_at {
                Some((caller, call_site)) => {
                    let caller = &mut functions[caller.0 as usize];
                    caller.total = caller.total.saturating_add(function.total);
                    caller.inlinees.push((call_site, function));
                }
                None => top_level.push(function),
            }
        }
        Ok(top_level)
    }
}

/// Contexts and records come from debug information that is smaller than 4 GiB times its entry size.
fn index(length: usize) -> u32 {
    u32::try_from(length).expect("fewer than 2^32 lines in a profile")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_deep_to_walk_is_refused_before_it_is_built() {
        for depth in [MAX_INLINE_DEPTH, MAX_INLINE_DEPTH + 1, 1_000_000] {
            let (mut names, mut contexts) = (NameTable::default(), Contexts::default());
            let name = names.intern(b"f");
            let mut inner = contexts.context(None, name);
            for _ in 0..depth {
                inner = contexts.context(Some((inner, LineLocation::new(1, 0))), name);
            }
            let functions = contexts.into_functions(&names);
            assert_eq!(functions.is_err(), depth > MAX_INLINE_DEPTH, "{depth}");
        }
    }
}

//! The profile while it grows: one node for each function in each inline context, and records of the lines in
//! the function.

use rayon::prelude::*;
use rustc_hash::FxHashMap;
use sampleprof::{
    BodyRecord, CallTarget, Combine, FunctionSamples, LineLocation, MAX_INLINE_DEPTH, NameId, NameTable, WriteError,
    add_up_targets,
};

use crate::counting::counters::MANY;

/// A function in an inline context. A parent's id is smaller than its children's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ContextId(u32);

/// A count of a line of a context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RecordId(u32);

struct Context {
    /// The caller and the call site; `None` for a top-level function.
    inlined_at: Option<(ContextId, LineLocation)>,
    name: NameId,
    /// Number of functions that the function is inlined into.
    depth: usize,
    /// Total of the function, without the functions inlined into it.
    total: u64,
    head: u64,
    /// Number of records of the function's lines.
    records: usize,
    /// Number of functions that are inlined directly into the function.
    inlinees: usize,
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
    /// Calls, in any order. The counts of one record and callee add up.
    calls: Vec<(RecordId, CallTarget)>,
}

impl Contexts {
    /// Makes an empty profile with room for `records` records.
    pub(crate) fn with_room_for(records: usize) -> Self {
        let mut contexts = Self::default();
        contexts.records.reserve(records);
        contexts
    }

    /// Returns the context of `name` inlined at a call site, or of the top-level function `name`.
    pub(crate) fn context(&mut self, inlined_at: Option<(ContextId, LineLocation)>, name: NameId) -> ContextId {
        *self.by_place.entry((inlined_at, name)).or_insert_with(|| {
            let id = ContextId(index(self.contexts.len()));
            let depth = inlined_at.map_or(0, |(caller, _)| {
                let caller = &mut self.contexts[caller.0 as usize];
                caller.inlinees += 1;
                caller.depth + 1
            });
            self.contexts.push(Context {
                inlined_at,
                name,
                depth,
                total: 0,
                head: 0,
                records: 0,
                inlinees: 0,
            });
            id
        })
    }

    /// Adds a record of a line, with count 0. A line may have several records.
    pub(crate) fn record(&mut self, context: ContextId, location: LineLocation) -> RecordId {
        let id = RecordId(index(self.records.len()));
        self.contexts[context.0 as usize].records += 1;
        self.records.push(Record {
            context,
            location,
            count: 0,
        });
        id
    }

    /// Adds `amount` to the total of the record's context. The totals of the functions around this context
    /// include it.
    pub(crate) fn add_total(&mut self, record: RecordId, amount: u64) {
        let context = self.records[record.0 as usize].context;
        let total = &mut self.contexts[context.0 as usize].total;
        *total = total.saturating_add(amount);
    }

    /// Raises the count of a record to `count` if it is lower. A line was executed as often as its most
    /// executed instruction.
    pub(crate) fn raise_count(&mut self, record: RecordId, count: u64) {
        let record = &mut self.records[record.0 as usize];
        record.count = record.count.max(count);
    }

    /// Adds `count` to a record: a probe was passed, or the instructions of a line were sampled, so many
    /// times.
    pub(crate) fn add_count(&mut self, record: RecordId, count: u64) {
        let record = &mut self.records[record.0 as usize];
        record.count = record.count.saturating_add(count);
    }

    pub(crate) fn add_call(&mut self, record: RecordId, callee: NameId, count: u64) {
        self.calls.push((record, CallTarget { name: callee, count }));
    }

    /// Adds `count` entries of a function. The number of entries of an inlined function is not kept, because
    /// no profile has it.
    pub(crate) fn add_head(&mut self, context: ContextId, count: u64) {
        let context = &mut self.contexts[context.0 as usize];
        if context.inlined_at.is_none() {
            context.head = context.head.saturating_add(count);
        }
    }

    /// Returns the finished top-level functions, in no particular order.
    ///
    /// # Errors
    /// [`WriteError::TooDeep`], before a tree is made that is too deep to walk.
    pub(crate) fn into_functions(
        mut self,
        names: &NameTable,
        combine: Combine,
    ) -> Result<Vec<FunctionSamples>, WriteError> {
        if let Some(context) = self.contexts.iter().find(|context| context.depth > MAX_INLINE_DEPTH) {
            let name = names.get(context.name).to_string();
            return Err(WriteError::TooDeep { name });
        }
        self.calls.par_sort_unstable_by_key(|(record, _)| *record);
        let calls = CallsByRecord::new(&self.calls, self.records.len());
        let (records, ends) = self.records_by_context();
        let function = |own: &mut Vec<RecordId>, (context, &end): (&Context, &usize)| {
            own.clear();
            own.extend_from_slice(&records[end - context.records..end]);
            FunctionSamples {
                body: self.body(own, &calls, combine),
                inlinees: Vec::with_capacity(context.inlinees),
                ..FunctionSamples::new(context.name)
            }
        };
        let mut functions: Vec<FunctionSamples> = if self.contexts.len() < MANY {
            let mut own = Vec::new();
            let contexts = self.contexts.iter().zip(&ends);
            contexts.map(|context| function(&mut own, context)).collect()
        } else {
            let contexts = self.contexts.par_iter().zip(&ends);
            contexts.map_init(Vec::new, function).collect()
        };
        // Children have higher ids than their parents. So if the walk begins at the end, each function is
        // complete when it is moved to its parent.
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

    /// Returns all records in the order of their contexts, and the end of the records of each context.
    fn records_by_context(&self) -> (Vec<RecordId>, Vec<usize>) {
        let starts = self.contexts.iter().scan(0, |next, context| {
            let start = *next;
            *next += context.records;
            Some(start)
        });
        let mut ends: Vec<usize> = starts.collect();
        let mut records = vec![RecordId(0); self.records.len()];
        for (id, record) in self.records.iter().enumerate() {
            let end = &mut ends[record.context.0 as usize];
            records[*end] = RecordId(index(id));
            *end += 1;
        }
        (records, ends)
    }

    /// Returns the lines of one context.
    fn body(&self, records: &mut [RecordId], calls: &CallsByRecord<'_>, combine: Combine) -> Vec<BodyRecord> {
        records.sort_unstable_by_key(|id| (self.records[id.0 as usize].location, *id));
        let mut body: Vec<BodyRecord> = Vec::with_capacity(records.len());
        for id in records {
            let record = &self.records[id.0 as usize];
            let line = match body.last_mut() {
                Some(last) if last.location == record.location => {
                    last.count = match combine {
                        Combine::Most => last.count.max(record.count),
                        Combine::Sum => last.count.saturating_add(record.count),
                    };
                    last
                }
                _ => {
                    body.push(BodyRecord {
                        location: record.location,
                        count: record.count,
                        targets: Vec::new(),
                    });
                    let end = body.len() - 1;
                    &mut body[end]
                }
            };
            line.targets.extend(calls.of(*id).iter().map(|(_, target)| *target));
        }
        for line in &mut body {
            add_up_targets(&mut line.targets);
        }
        body
    }
}

/// Calls in the order of their records, and the end of the calls of each record.
struct CallsByRecord<'a> {
    calls: &'a [(RecordId, CallTarget)],
    ends: Vec<u32>,
}

impl<'a> CallsByRecord<'a> {
    fn new(calls: &'a [(RecordId, CallTarget)], records: usize) -> Self {
        let mut ends = vec![0; records];
        for (number, (record, _)) in calls.iter().enumerate() {
            ends[record.0 as usize] = index(number + 1);
        }
        let mut end = 0;
        for known in &mut ends {
            end = end.max(*known);
            *known = end;
        }
        Self { calls, ends }
    }

    fn of(&self, record: RecordId) -> &'a [(RecordId, CallTarget)] {
        let number = record.0 as usize;
        let first = if number == 0 { 0 } else { self.ends[number - 1] };
        &self.calls[first as usize..self.ends[number] as usize]
    }
}

/// Returns `length` as an index of 32 bits. The index fits, because contexts and records come from debug
/// information smaller than 4 GiB times its entry size, and calls from branches in code of 32-bit offsets.
fn index(length: usize) -> u32 {
    u32::try_from(length).expect("fewer than 2^32 lines in a profile")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inline_stacks_that_are_too_deep_are_refused_before_they_are_built() {
        for depth in [MAX_INLINE_DEPTH, MAX_INLINE_DEPTH + 1, 1_000_000] {
            let (mut names, mut contexts) = (NameTable::default(), Contexts::default());
            let name = names.intern(b"f");
            let mut inner = contexts.context(None, name);
            for _ in 0..depth {
                inner = contexts.context(Some((inner, LineLocation::new(1, 0))), name);
            }
            let functions = contexts.into_functions(&names, Combine::Sum);
            assert_eq!(functions.is_err(), depth > MAX_INLINE_DEPTH, "{depth}");
        }
    }
}

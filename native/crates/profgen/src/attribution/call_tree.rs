//! A context-sensitive profile while it grows: a tree that has functions below their callers.

use rustc_hash::FxHashMap;
use sampleprof::{BodyRecord, CallTarget, Frame, FunctionSamples, LineLocation, NameId, NameTable, Profile};

/// A function called through certain calls. A caller's id is smaller than the ids of its callees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct CallNode(u32);

struct Node {
    /// The caller, and the place of the call in it.
    caller: Option<(CallNode, LineLocation)>,
    name: NameId,
    /// Counts of the function; `None` until something is counted for it.
    samples: Option<FunctionSamples>,
}

/// All functions, by their callers.
#[derive(Default)]
pub(crate) struct CallTree {
    nodes: Vec<Node>,
    index: FxHashMap<(Option<(CallNode, LineLocation)>, NameId), CallNode>,
}

impl CallTree {
    /// Returns the function `name` that is called at a place of its caller, or whose caller is not known.
    pub(crate) fn callee(&mut self, caller: Option<(CallNode, LineLocation)>, name: NameId) -> CallNode {
        let Self { nodes, index } = self;
        *index.entry((caller, name)).or_insert_with(|| {
            let id = CallNode(u32::try_from(nodes.len()).expect("fewer than 2^32 functions in contexts"));
            nodes.push(Node {
                caller,
                name,
                samples: None,
            });
            id
        })
    }

    /// Returns the function `name` below these callers, the outermost of which comes first.
    pub(crate) fn behind(&mut self, callers: &[Frame], name: NameId) -> CallNode {
        let mut caller = None;
        for frame in callers {
            let node = self.callee(caller, frame.function);
            caller = Some((node, frame.location));
        }
        self.callee(caller, name)
    }

    /// Returns the caller of a function and the place of the call, if they are known.
    pub(crate) fn caller(&self, node: CallNode) -> Option<(CallNode, LineLocation)> {
        self.nodes[node.0 as usize].caller
    }

    /// Returns the counts of a function, and creates them if it has none.
    pub(crate) fn samples(&mut self, node: CallNode) -> &mut FunctionSamples {
        let Node { name, samples, .. } = &mut self.nodes[node.0 as usize];
        samples.get_or_insert_with(|| FunctionSamples::new(*name))
    }

    /// Counts the inlined calls, which are no branches, by the executions of their callees (llvm-profgen:
    /// `populateInferredFunctionSamples`).
    pub(crate) fn infer_inlined_calls(&mut self) {
        // Callees come before their callers, because their counts add to those of the callers.
        for index in (0..self.nodes.len()).rev() {
            let Node { caller, name, samples } = &self.nodes[index];
            let (Some((caller, location)), Some(samples)) = (*caller, samples) else {
                continue;
            };
            if samples.head > 0 {
                continue;
            }
            let calls = match samples.head_estimate() {
                0 if samples.body.is_empty() => 1,
                estimate => estimate,
            };
            let name = *name;
            let caller = self.samples(caller);
            caller.total = caller.total.saturating_add(calls);
            let record = record_at(caller, location);
            record.count = record.count.saturating_add(calls);
            add_call(record, name, calls);
        }
    }

    /// Returns the profile of all functions that have counts.
    pub(crate) fn into_profile(mut self, names: NameTable) -> Profile {
        let mut profile = Profile {
            names,
            ..Profile::default()
        };
        profile.flags.context_sensitive = true;
        for index in 0..self.nodes.len() {
            let Some(mut samples) = self.nodes[index].samples.take() else {
                continue;
            };
            samples.context = profile.contexts.intern(&self.callers(CallNode(index as u32)));
            profile.functions.push(samples);
        }
        profile
    }

    /// Returns the name of the function.
    pub(crate) fn name(&self, node: CallNode) -> NameId {
        self.nodes[node.0 as usize].name
    }

    /// Returns the callers of a function, the outermost first.
    pub(crate) fn callers(&self, node: CallNode) -> Vec<Frame> {
        let mut callers = Vec::new();
        let mut next = self.nodes[node.0 as usize].caller;
        while let Some((caller, location)) = next {
            let node = &self.nodes[caller.0 as usize];
            callers.push(Frame {
                function: node.name,
                location,
            });
            next = node.caller;
        }
        callers.reverse();
        callers
    }
}

/// Returns the record of a place, and creates it with count 0 if there is none.
pub(crate) fn record_at(function: &mut FunctionSamples, location: LineLocation) -> &mut BodyRecord {
    let found = function.body.binary_search_by_key(&location, |record| record.location);
    let position = found.unwrap_or_else(|position| {
        let record = BodyRecord {
            location,
            ..BodyRecord::default()
        };
        function.body.insert(position, record);
        position
    });
    &mut function.body[position]
}

/// Adds calls of a function to a record.
pub(crate) fn add_call(record: &mut BodyRecord, callee: NameId, count: u64) {
    match record.targets.iter_mut().find(|target| target.name == callee) {
        Some(target) => target.count = target.count.saturating_add(count),
        None => record.targets.push(CallTarget { name: callee, count }),
    }
}

//! Attributes the counts of runs and branches to pseudo probes, with the calls that were in progress. It is
//! the counterpart of [`crate::attribution::attribute_probes`] for profiles with calling contexts.

use elf::{Svma, canonical_name};
use pseudoprobe::{Guid, NodeId, Probe, ProbeKind};
use rustc_hash::{FxHashMap, FxHashSet};
use sampleprof::{Frame, LineLocation, NameId, NameTable, Profile, attribute};
use symbolize::FunctionId;

use crate::attribution::attribute_probes::{ProbeSource, set_checksums};
use crate::attribution::call_contexts::CallContexts;
use crate::attribution::call_tree::{CallNode, CallTree, add_call, record_at};
use crate::attribution::missing_frames::MissingFrames;
use crate::attribution::recursion::Shortening;
use crate::counting::counter::{Counted, Counter};

/// Makes the profile of the counts in `contexts`. With `missing`, it infers the frames that tail calls left
/// out.
pub(crate) fn attribute_context_probes(
    source: &ProbeSource<'_>,
    contexts: &CallContexts,
    shortening: Shortening,
    missing: Option<MissingFrames<'_>>,
) -> Profile {
    let mut attribution = Attribution {
        source,
        shortening,
        missing,
        names: NameTable::default(),
        tree: CallTree::default(),
        name_of_guid: FxHashMap::default(),
        passed: FxHashSet::default(),
    };
    for (calls, counted) in contexts {
        attribution.count(calls, counted);
    }
    attribution.add_zeros();
    let Attribution { names, tree, .. } = attribution;
    let mut profile = tree.into_profile(names);
    profile.flags.probe_based = true;
    set_checksums(&mut profile, source.probes);
    profile
}

struct Attribution<'a> {
    source: &'a ProbeSource<'a>,
    shortening: Shortening,
    missing: Option<MissingFrames<'a>>,
    names: NameTable,
    tree: CallTree,
    /// Name of each function by its GUID; `None` for a function without a descriptor.
    name_of_guid: FxHashMap<Guid, Option<NameId>>,
    /// Functions with a probe of a block that was passed: as the compiler inlined them, and as they are in
    /// the profile.
    passed: FxHashSet<(NodeId, CallNode)>,
}

/// The calls before a sample, and the frames of these calls.
struct Behind<'c> {
    calls: &'c [Svma],
    /// The callers, by the function that is executed if callers are inferred, because they depend on this
    /// function.
    callers: FxHashMap<Option<FunctionId>, Vec<Frame>>,
    nodes: FxHashMap<(Option<FunctionId>, NodeId), Option<CallNode>>,
}

/// The functions that a function is inlined into, the outermost first.
struct Inliners {
    frames: Vec<Frame>,
    /// True if no call between the functions has lost its probe.
    are_all: bool,
}

impl Inliners {
    /// Appends the functions to `outer`, the frames around them. If a call has lost its probe, these frames
    /// are not known and are removed.
    fn append_to(self, outer: &mut Vec<Frame>) {
        if !self.are_all {
            outer.clear();
        }
        outer.extend(self.frames);
    }
}

impl<'a> Attribution<'a> {
    fn count(&mut self, calls: &[Svma], counted: &Counted) {
        let mut behind = Behind {
            calls,
            callers: FxHashMap::default(),
            nodes: FxHashMap::default(),
        };
        for range in &counted.ranges {
            self.count_range(&mut behind, range);
        }
        for branch in &counted.branches {
            self.count_branch(&mut behind, branch);
        }
    }

    /// Returns the frames of calls, from the outermost inwards. A call without a probe cannot be named, and
    /// neither can the calls around it.
    fn frames_of(&mut self, calls: &[Svma]) -> Vec<Frame> {
        let source: &'a ProbeSource<'a> = self.source;
        let probes = calls.iter().rev().map_while(|&call| source.probes.table.call_at(call));
        let mut frames = Vec::new();
        for probe in probes.collect::<Vec<_>>().into_iter().rev() {
            let callers = self.callers_of(probe.node);
            let function = self.name(source.probes.table.node(probe.node).guid);
            match callers.zip(function) {
                Some((callers, function)) => {
                    callers.append_to(&mut frames);
                    frames.push(Frame {
                        function,
                        location: LineLocation::new(probe.index, 0),
                    });
                }
                None => frames.clear(),
            }
        }
        frames
    }

    /// Returns the functions that the function of a node is inlined into; `None` if one of them has no name. A
    /// call that lost its probe (index 0) cannot be named, and neither can the calls around it.
    fn callers_of(&mut self, node: NodeId) -> Option<Inliners> {
        let source: &'a ProbeSource<'a> = self.source;
        let mut callers = Inliners {
            frames: Vec::new(),
            are_all: true,
        };
        for (guid, index) in source.probes.table.callers(node) {
            if index == 0 {
                callers.are_all = false;
                break;
            }
            callers.frames.push(Frame {
                function: self.name(guid)?,
                location: LineLocation::new(index, 0),
            });
        }
        callers.frames.reverse();
        Some(callers)
    }

    /// Returns the function that a probe belongs to, below its callers; `None` if the function has no name.
    fn function(&mut self, behind: &mut Behind<'_>, probe: &Probe) -> Option<CallNode> {
        let source: &'a ProbeSource<'a> = self.source;
        let executed = self.missing.as_ref().and_then(|_| source.functions.find(probe.address));
        let executed = executed.map(|found| found.function);
        if let Some(&known) = behind.nodes.get(&(executed, probe.node)) {
            return known;
        }
        let callers = match behind.callers.get(&executed) {
            Some(known) => known,
            None => {
                let inferred = self
                    .missing
                    .as_mut()
                    .map(|missing| missing.complete(behind.calls, probe.address));
                let callers = self.frames_of(inferred.as_deref().unwrap_or(behind.calls));
                behind.callers.entry(executed).or_insert(callers)
            }
        };
        let found = self.new_function(callers, probe.node);
        behind.nodes.insert((executed, probe.node), found);
        found
    }

    fn new_function(&mut self, callers: &[Frame], node: NodeId) -> Option<CallNode> {
        let mut callers = callers.to_vec();
        self.callers_of(node)?.append_to(&mut callers);
        let inline_node = self.source.probes.table.node(node);
        let name = self.name(inline_node.guid)?;
        self.shortening.apply(&mut callers);
        let function = self.tree.behind(&callers, name);
        let samples = self.tree.samples(function);
        if inline_node.inlined_at.is_some() {
            samples.attributes |= attribute::WAS_INLINED;
        }
        Some(function)
    }

    /// Counts every probe of a block in the range as often as the range was executed. The copies of
    /// duplicated code have their own probes, so the counts of the copies add up.
    fn count_range(&mut self, behind: &mut Behind<'_>, range: &Counter) {
        let source: &'a ProbeSource<'a> = self.source;
        let end = Svma(range.second.0.saturating_add(1));
        for probe in source.probes.table.within(range.first..end) {
            let counts = probe.kind == ProbeKind::Block && source.code.class_at(probe.address).is_some();
            if !counts {
                continue;
            }
            let Some(function) = self.function(behind, probe) else {
                continue;
            };
            self.passed.insert((probe.node, function));
            self.count_probe(function, location(probe), range.count);
            if probe.is_entry() {
                self.count_entry(function, probe.node, range.count);
            }
        }
    }

    fn count_probe(&mut self, function: CallNode, location: LineLocation, count: u64) {
        let samples = self.tree.samples(function);
        samples.total = samples.total.saturating_add(count);
        let record = record_at(samples, location);
        record.count = record.count.saturating_add(count);
    }

    /// Counts the entry of an inlined function as a call, because an inlined call is no branch.
    fn count_entry(&mut self, function: CallNode, node: NodeId, count: u64) {
        let samples = self.tree.samples(function);
        samples.head = samples.head.saturating_add(count);
        let name = samples.name;
        if self.source.probes.table.node(node).inlined_at.is_none() {
            return;
        }
        if let Some((caller, call)) = self.tree.caller(function) {
            self.count_probe(caller, call, count);
            add_call(record_at(self.tree.samples(caller), call), name, count);
        }
    }

    /// Counts a branch from a call's probe. The probe of the block counts here, too, because the run may have
    /// ended in another context.
    fn count_branch(&mut self, behind: &mut Behind<'_>, branch: &Counter) {
        let source: &'a ProbeSource<'a> = self.source;
        let Some(probe) = source.probes.table.call_at(branch.first) else {
            return;
        };
        let Some(function) = self.function(behind, probe) else {
            return;
        };
        self.count_probe(function, LineLocation::new(probe.index, 0), branch.count);
        let Some(entered) = source.entries.entry_at(branch.second) else {
            return;
        };
        let name = source.probes.source_name(entered.function);
        let name = name.unwrap_or_else(|| source.functions.name(entered.function));
        let callee = self.names.intern(canonical_name(name));
        add_call(
            record_at(self.tree.samples(function), location(probe)),
            callee,
            branch.count,
        );
    }

    /// Adds zeros for the probes that were not passed of functions with other probes that were passed: such
    /// code is known to be never executed.
    fn add_zeros(&mut self) {
        let mut of_node: FxHashMap<NodeId, Vec<CallNode>> = FxHashMap::default();
        for &(node, function) in &self.passed {
            of_node.entry(node).or_default().push(function);
        }
        for probe in self.source.probes.table.probes() {
            for &function in of_node.get(&probe.node).map_or(&[][..], Vec::as_slice) {
                record_at(self.tree.samples(function), location(probe));
            }
        }
    }

    fn name(&mut self, guid: Guid) -> Option<NameId> {
        *self.name_of_guid.entry(guid).or_insert_with(|| {
            let descriptor = self.source.probes.descriptor(guid)?;
            Some(self.names.intern(descriptor.name))
        })
    }
}

fn location(probe: &Probe) -> LineLocation {
    LineLocation::new(probe.index, probe.discriminator)
}

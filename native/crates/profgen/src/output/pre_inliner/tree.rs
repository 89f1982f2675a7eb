//! All contexts as a tree that can be changed. A context that is not inlined moves below the root (LLVM:
//! `SampleContextTracker`).

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;

use rustc_hash::FxHashMap;
use sampleprof::{Frame, FunctionSamples, LineLocation, NameId, NameTable, Profile, attribute, call_site_hash};

/// A function called through certain calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NodeId(u32);

/// The counts of a function in a context. They may move to another node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SamplesId(u32);

pub(super) struct Node {
    pub caller: Option<NodeId>,
    pub name: NameId,
    /// Place of the call in the caller.
    pub location: LineLocation,
    pub samples: Option<SamplesId>,
    /// Callees by their [`call_site_hash`], which is LLVM's order.
    callees: BTreeMap<u64, NodeId>,
}

struct Samples {
    /// Counts; `None` after they were added to others.
    counted: Option<FunctionSamples>,
    node: NodeId,
    inlined: bool,
}

/// The tree. Its root is no function.
pub(super) struct Tree {
    nodes: Vec<Node>,
    samples: Vec<Samples>,
    /// The GUID of each name.
    guids: Vec<u64>,
    /// The counts of each function as they were found. Counts nearest to the root come first.
    of_function: FxHashMap<NameId, Vec<SamplesId>>,
}

impl Tree {
    pub(super) const ROOT: NodeId = NodeId(0);

    /// Makes the tree of the functions of `profile`, which has no functions afterwards.
    pub(super) fn new(profile: &mut Profile) -> Self {
        let mut guids = vec![0; profile.names.len()];
        for (name, text) in profile.names.iter() {
            guids[name.index()] = text.guid();
        }
        let root = Node {
            caller: None,
            name: NameId(u32::MAX),
            location: LineLocation::default(),
            samples: None,
            callees: BTreeMap::new(),
        };
        let mut tree = Self {
            nodes: vec![root],
            samples: Vec::with_capacity(profile.functions.len()),
            guids,
            of_function: FxHashMap::default(),
        };
        for function in std::mem::take(&mut profile.functions) {
            let (mut caller, mut location) = (Self::ROOT, LineLocation::default());
            for frame in profile.contexts.get(function.context) {
                caller = tree.callee_or_new(caller, location, frame.function);
                location = frame.location;
            }
            let node = tree.callee_or_new(caller, location, function.name);
            let id = SamplesId(tree.samples.len() as u32);
            tree.samples.push(Samples {
                counted: Some(function),
                node,
                inlined: false,
            });
            tree.nodes[node.0 as usize].samples = Some(id);
        }
        for node in tree.by_distance() {
            let Node { name, samples, .. } = tree.nodes[node.0 as usize];
            if let Some(samples) = samples {
                tree.of_function.entry(name).or_default().push(samples);
            }
        }
        tree
    }

    pub(super) fn node(&self, node: NodeId) -> &Node {
        &self.nodes[node.0 as usize]
    }

    pub(super) fn guid(&self, name: NameId) -> u64 {
        self.guids[name.index()]
    }

    /// Returns the callees of a node in LLVM's order.
    pub(super) fn callees(&self, node: NodeId) -> impl Iterator<Item = NodeId> {
        self.node(node).callees.values().copied()
    }

    /// Returns the counts of a node.
    pub(super) fn samples(&self, node: NodeId) -> Option<&FunctionSamples> {
        self.samples[self.node(node).samples?.0 as usize].counted.as_ref()
    }

    /// Returns how often a function was called in its context: the count at the call, or the count of entries
    /// if that is greater; `None` if the function has no counts. A caller without counts has no count at the
    /// call.
    pub(super) fn calls_of(&self, callee: NodeId) -> Option<u64> {
        let samples = self.samples(callee)?;
        let entries = match samples.head {
            0 => samples.head_estimate(),
            head => head,
        };
        let node = self.node(callee);
        let caller = self.samples(node.caller?)?;
        let found = caller
            .body
            .binary_search_by_key(&node.location, |record| record.location);
        let targets = found.map_or(&[][..], |index| &caller.body[index].targets);
        let calls = targets.iter().find(|target| target.name == node.name);
        Some(entries.max(calls.map_or(0, |target| target.count)))
    }

    /// Returns the node that has these samples.
    pub(super) fn node_of(&self, samples: SamplesId) -> NodeId {
        self.samples[samples.0 as usize].node
    }

    /// Returns all nodes but the root: callers before their callees, and nodes with fewer calls to the root
    /// first.
    pub(super) fn by_distance(&self) -> Vec<NodeId> {
        let mut order = Vec::with_capacity(self.nodes.len());
        let mut next: VecDeque<NodeId> = self.callees(Self::ROOT).collect();
        while let Some(node) = next.pop_front() {
            order.push(node);
            next.extend(self.callees(node));
        }
        order
    }

    /// Marks that the call of the node's function is worth inlining.
    pub(super) fn mark_inlined(&mut self, node: NodeId) {
        let Some(id) = self.node(node).samples else { return };
        let samples = &mut self.samples[id.0 as usize];
        samples.inlined = true;
        if let Some(counted) = &mut samples.counted {
            counted.attributes |= attribute::SHOULD_BE_INLINED;
        }
    }

    /// Moves all contexts of a function that are not inlined below the root, where they are added up. Returns
    /// the node there; `None` if no context has samples (LLVM: `getBaseSamplesFor`).
    pub(super) fn base_of(&mut self, name: NameId, names: &NameTable) -> Option<NodeId> {
        for id in self.of_function.get(&name).cloned().unwrap_or_default() {
            let Samples { counted, node, inlined } = &self.samples[id.0 as usize];
            let node = *node;
            if *inlined || counted.is_none() || self.node(node).caller == Some(Self::ROOT) {
                continue;
            }
            self.promote(node, names);
        }
        let base = self.callee(Self::ROOT, LineLocation::default(), name)?;
        self.node(base).samples.map(|_| base)
    }

    /// Drops the counts after calls that are not inlined. They were added to the function's own counts.
    pub(super) fn drop_not_inlined(&mut self) {
        for node in self.by_distance() {
            let Node { caller, samples, .. } = self.nodes[node.0 as usize];
            let is_kept = caller == Some(Self::ROOT) || samples.is_some_and(|id| self.samples[id.0 as usize].inlined);
            if !is_kept {
                self.nodes[node.0 as usize].samples = None;
            }
        }
    }

    /// Gives `profile` its functions back.
    pub(super) fn finish(mut self, profile: &mut Profile) {
        let mut open = vec![(Self::ROOT, self.callees(Self::ROOT).collect::<Vec<_>>().into_iter())];
        // The callers of the nodes that are being visited.
        let mut callers: Vec<Frame> = Vec::new();
        while let Some((_, left)) = open.last_mut() {
            let Some(node) = left.next() else {
                open.pop();
                callers.pop();
                continue;
            };
            let Node {
                name,
                location,
                samples,
                ..
            } = self.nodes[node.0 as usize];
            if let Some(last) = callers.last_mut() {
                last.location = location;
            }
            let counted = samples.and_then(|id| self.samples[id.0 as usize].counted.take());
            if let Some(mut function) = counted {
                function.context = profile.contexts.intern(&callers);
                profile.functions.push(function);
            }
            open.push((node, self.callees(node).collect::<Vec<_>>().into_iter()));
            callers.push(Frame {
                function: name,
                location: LineLocation::default(),
            });
        }
    }

    /// Moves a node and its callees below the root (LLVM: `promoteMergeContextSamplesTree`). The walk uses no
    /// recursion, because the input decides how deep contexts are.
    fn promote(&mut self, node: NodeId, names: &NameTable) {
        let Node {
            caller, location, name, ..
        } = self.nodes[node.0 as usize];
        let mut open = Vec::new();
        if let Some(into) = self.put_below(node, Self::ROOT, LineLocation::default(), names) {
            open.push((node, into, None));
        }
        while let Some((from, into, done)) = open.last_mut() {
            let (from, into) = (*from, *into);
            let after = done.map_or(Bound::Unbounded, Bound::Excluded);
            // Callees that were added after the last visited callee are visited, too.
            let next = self.node(from).callees.range((after, Bound::Unbounded)).next();
            let Some((&hash, &callee)) = next else {
                self.nodes[from.0 as usize].callees.clear();
                open.pop();
                continue;
            };
            *done = Some(hash);
            let location = self.node(callee).location;
            if let Some(into) = self.put_below(callee, into, location, names) {
                open.push((callee, into, None));
            }
        }
        if let Some(caller) = caller {
            let hash = self.hash(name, location);
            self.nodes[caller.0 as usize].callees.remove(&hash);
        }
    }

    /// Moves a node with all nodes below it, or adds its samples to the samples of the node that is there
    /// already. Returns the node at the new place.
    fn put_below(&mut self, node: NodeId, caller: NodeId, location: LineLocation, names: &NameTable) -> Option<NodeId> {
        let name = self.node(node).name;
        let Some(into) = self.callee(caller, location, name) else {
            let hash = self.hash(name, location);
            self.nodes[caller.0 as usize].callees.insert(hash, node);
            let moved = &mut self.nodes[node.0 as usize];
            moved.caller = Some(caller);
            moved.location = location;
            return None;
        };
        if let Some(from) = self.node(node).samples {
            match self.node(into).samples {
                Some(samples) => self.add(from, samples, names),
                None => {
                    self.nodes[into.0 as usize].samples = Some(from);
                    self.samples[from.0 as usize].node = into;
                }
            }
        }
        Some(into)
    }

    fn add(&mut self, from: SamplesId, into: SamplesId, names: &NameTable) {
        let Some(from) = self.samples[from.0 as usize].counted.take() else {
            return;
        };
        if let Some(into) = &mut self.samples[into.0 as usize].counted {
            into.attributes |= from.attributes & attribute::SHOULD_BE_INLINED;
            into.add(from, names);
        }
    }

    fn hash(&self, name: NameId, location: LineLocation) -> u64 {
        call_site_hash(self.guids[name.index()], location)
    }

    fn callee(&self, caller: NodeId, location: LineLocation, name: NameId) -> Option<NodeId> {
        self.node(caller).callees.get(&self.hash(name, location)).copied()
    }

    fn callee_or_new(&mut self, caller: NodeId, location: LineLocation, name: NameId) -> NodeId {
        if let Some(known) = self.callee(caller, location, name) {
            return known;
        }
        let id = NodeId(u32::try_from(self.nodes.len()).expect("fewer than 2^32 functions in contexts"));
        self.nodes.push(Node {
            caller: Some(caller),
            name,
            location,
            samples: None,
            callees: BTreeMap::new(),
        });
        let hash = self.hash(name, location);
        self.nodes[caller.0 as usize].callees.insert(hash, id);
        id
    }
}

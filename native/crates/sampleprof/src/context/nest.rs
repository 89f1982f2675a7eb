use thiserror::Error;

use crate::combine::{Checksums, merge_function};
use crate::positions::{FunctionKey, Positions};
use crate::{
    ContextId, ContextTable, FunctionSamples, LineLocation, MAX_INLINE_DEPTH, NameId, NameTable, Profile, attribute,
};
use rustc_hash::FxHashMap;

/// The reason why contexts cannot become inlined functions.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{context} is inlined more than {MAX_INLINE_DEPTH} levels deep")]
pub struct NestError {
    /// The last part of the context.
    context: String,
}

impl Profile {
    /// Turns contexts into inlined functions. A context whose caller has counts, too, becomes a function that is
    /// inlined into the caller. Every other context becomes a function of its own, in which the contexts of one
    /// function are added up (LLVM: `ProfileConverter::convertCSProfiles`).
    ///
    /// With `merged_base`, the counts of an inlined function are also added to the function of its own, and marked so
    /// that a summary does not count them twice. Returns the number of contexts that were left out because of their
    /// checksums.
    ///
    /// # Errors
    /// When functions would be inlined deeper than [`MAX_INLINE_DEPTH`]. The profile then has no functions.
    pub fn nest_contexts(&mut self, merged_base: bool) -> Result<u64, NestError> {
        let mut tree = Tree::default();
        for function in std::mem::take(&mut self.functions) {
            tree.insert(function, &self.contexts);
        }
        let mut nesting = Nesting {
            names: &self.names,
            merged_base,
            positions: Positions::new(self.names.len()),
            functions: Vec::new(),
            mismatches: 0,
        };
        nesting.run(tree)?;
        let Nesting {
            functions, mismatches, ..
        } = nesting;
        self.functions = functions;
        self.contexts = ContextTable::default();
        self.flags.context_sensitive = false;
        Ok(mismatches)
    }
}

/// A tree of all contexts, in which a function is a child of its caller.
#[derive(Default)]
struct Tree {
    nodes: Vec<Node>,
    /// Index of each node by its caller's node, the location of the call in the caller, and the function.
    index: FxHashMap<(Option<usize>, LineLocation, NameId), usize>,
}

struct Node {
    caller: Option<usize>,
    /// Location of the call in the caller.
    location: LineLocation,
    name: NameId,
    /// Counts of the function. `None` if only functions that this one calls have counts.
    samples: Option<FunctionSamples>,
    /// Number of levels of inlined functions in `samples`.
    levels: usize,
}

impl Tree {
    fn insert(&mut self, function: FunctionSamples, contexts: &ContextTable) {
        let mut caller = None;
        let mut location = LineLocation::default();
        for frame in contexts.get(function.context) {
            caller = Some(self.child(caller, location, frame.function));
            location = frame.location;
        }
        let leaf = self.child(caller, location, function.name);
        self.nodes[leaf].samples = Some(function);
    }

    fn child(&mut self, caller: Option<usize>, location: LineLocation, name: NameId) -> usize {
        let new = self.nodes.len();
        let node = *self.index.entry((caller, location, name)).or_insert(new);
        if node == new {
            self.nodes.push(Node {
                caller,
                location,
                name,
                samples: None,
                levels: 0,
            });
        }
        node
    }

    /// Returns the nodes, callees before their callers. The callees of one function are in the order of a hash, as in
    /// LLVM. This order decides which of several checksums and attributes of a function stay.
    fn callees_first(&self, names: &NameTable) -> Vec<usize> {
        let mut children: FxHashMap<Option<usize>, Vec<(u64, usize)>> = FxHashMap::default();
        for (index, node) in self.nodes.iter().enumerate() {
            let hash = call_site_hash(names.get(node.name).guid(), node.location);
            children.entry(node.caller).or_default().push((hash, index));
        }
        for list in children.values_mut() {
            list.sort_unstable();
        }
        let list = |node: Option<usize>| children.get(&node).map_or(&[][..], Vec::as_slice);
        let mut order = Vec::with_capacity(self.nodes.len());
        // Functions whose callees are being visited, with the callees that are left.
        let mut open = vec![(None, list(None).iter())];
        while let Some((node, left)) = open.last_mut() {
            match left.next() {
                Some(&(_, child)) => open.push((Some(child), list(Some(child)).iter())),
                None => {
                    order.extend(*node);
                    open.pop();
                }
            }
        }
        order
    }
}

/// Returns the hash by which LLVM's tables of contexts know a callee, made of its GUID and the location of the call in
/// the caller (LLVM: `FunctionSamples::getCallSiteHash`).
#[must_use]
pub fn call_site_hash(callee: u64, location: LineLocation) -> u64 {
    let location = u64::from(location.discriminator) << 32 | u64::from(location.line_offset);
    callee.wrapping_add(location << 5).wrapping_add(location)
}

struct Nesting<'a> {
    names: &'a NameTable,
    merged_base: bool,
    positions: Positions,
    /// Functions that are not inlined.
    functions: Vec<FunctionSamples>,
    mismatches: u64,
}

impl Nesting<'_> {
    fn run(&mut self, mut tree: Tree) -> Result<(), NestError> {
        for index in tree.callees_first(self.names) {
            let Node {
                caller,
                location,
                levels,
                ref mut samples,
                name,
            } = tree.nodes[index];
            let Some(mut samples) = samples.take() else { continue };
            samples.context = ContextId::BASE;
            samples
                .inlinees
                .sort_by(|a, b| a.0.cmp(&b.0).then_with(|| self.names.compare(a.1.name, b.1.name)));
            match caller.map(|caller| &mut tree.nodes[caller]) {
                Some(Node {
                    samples: Some(into),
                    levels: outer,
                    ..
                }) => {
                    *outer = (levels + 1).max(*outer);
                    if *outer > MAX_INLINE_DEPTH {
                        let context = self.names.get(name).to_string();
                        return Err(NestError { context });
                    }
                    self.inline(into, location, samples);
                }
                _ => self.promote(samples),
            }
        }
        Ok(())
    }

    fn inline(&mut self, into: &mut FunctionSamples, location: LineLocation, mut callee: FunctionSamples) {
        into.total = into.total.saturating_add(callee.total);
        remove_call(into, location, callee.name);
        if self.merged_base {
            self.promote(callee.clone());
            callee.attributes |= attribute::DUPLICATED_INTO_BASE;
        }
        callee.head = 0;
        into.inlinees.push((location, callee));
    }

    fn promote(&mut self, function: FunctionSamples) {
        let known = self
            .positions
            .find_or_insert(FunctionKey::of(&function), self.functions.len());
        match known {
            Some(position) => {
                let sum = &mut self.functions[position];
                self.mismatches += merge_function(sum, function, self.names, Checksums::Match);
            }
            None => self.functions.push(function),
        }
    }
}

/// Subtracts the counts of a call that is now inlined.
fn remove_call(function: &mut FunctionSamples, location: LineLocation, callee: NameId) {
    let Ok(position) = function.body.binary_search_by_key(&location, |record| record.location) else {
        return;
    };
    let record = &mut function.body[position];
    let mut count = 0;
    record.targets.retain(|target| {
        let other = target.name != callee;
        if !other {
            count = target.count;
        }
        other
    });
    count = count.min(record.count);
    record.count -= count;
    if record.count == 0 {
        function.body.remove(position);
    }
    function.total = function.total.saturating_sub(count);
}

//! Counts of runs and branches behind calls to source lines, the counterpart of [`crate::attribution::attribute`] for profiles with
//! calling contexts.

use elf::{Instruction, Svma, canonical_name};
use rustc_hash::FxHashMap;
use sampleprof::{Frame, LineLocation, NameTable, Profile, attribute};
use symbolize::FrameId;

use crate::attribution::attribute::Source;
use crate::attribution::call_tree::{CallNode, CallTree, add_call, record_at};
use crate::attribution::disjoint::disjoint_ranges;
use crate::attribution::recursion::Shortening;
use crate::counting::context_counts::{ContextCounts, PathId};
use crate::counting::counters::{Counter, EXTERNAL};

/// Makes the profile of `counts`, and says how many contexts there were before calls and heads were counted.
pub(crate) fn attribute_contexts(
    source: &Source<'_>,
    counts: &ContextCounts,
    shortening: Shortening,
) -> (Profile, usize) {
    let mut attribution = Attribution {
        source,
        counts,
        shortening,
        names: NameTable::default(),
        tree: CallTree::default(),
        callers: FxHashMap::default(),
        is_inlined: FxHashMap::default(),
        by_context: FxHashMap::default(),
    };
    attribution.sort_ranges();
    attribution.sort_branches();
    let contexts = attribution.by_context.len();
    attribution.count();
    let Attribution { names, mut tree, .. } = attribution;
    tree.infer_inlined_calls();
    (tree.into_profile(names), contexts)
}

/// What was counted for one function behind certain calls.
#[derive(Default)]
struct Counted {
    ranges: Vec<Counter>,
    branches: Vec<Counter>,
}

struct Attribution<'a> {
    source: &'a Source<'a>,
    counts: &'a ContextCounts,
    shortening: Shortening,
    names: NameTable,
    tree: CallTree,
    /// The frames of calls; nothing, if one has no line.
    callers: FxHashMap<PathId, Option<Vec<Frame>>>,
    /// Whether a function is inlined wherever it was executed in this context. Where contexts with and without have become the same,
    /// llvm-profgen takes what its hash table has first.
    is_inlined: FxHashMap<CallNode, bool>,
    /// Without a key: where the callers are not known to the last.
    by_context: FxHashMap<Option<CallNode>, Counted>,
}

impl Attribution<'_> {
    /// Divides runs where they pass from one function to another that is inlined, and finds the context of each part.
    fn sort_ranges(&mut self) {
        let mut ranges: Vec<_> = self.counts.ranges.iter().map(|(&key, &count)| (key, count)).collect();
        ranges.sort_unstable();
        for ((path, first, last), count) in ranges {
            let mut start = first;
            let mut before: Option<Svma> = None;
            for Instruction { svma, .. } in self.source.code.instructions(first, last) {
                if let Some(before) = before.filter(|&before| !self.in_one_function(before, svma)) {
                    self.add_range(path, start, before, count);
                    start = svma;
                }
                before = Some(svma);
            }
            self.add_range(path, start, before.unwrap_or(last), count);
        }
    }

    fn add_range(&mut self, path: PathId, first: Svma, second: Svma, count: u64) {
        let context = self.context(path, first);
        let counted = self.by_context.entry(context).or_default();
        counted.ranges.push(Counter { first, second, count });
    }

    fn sort_branches(&mut self) {
        let mut branches: Vec<_> = self.counts.branches.iter().map(|(&key, &count)| (key, count)).collect();
        branches.sort_unstable();
        for ((path, first, second), count) in branches {
            let context = if first == EXTERNAL {
                None
            } else {
                self.context(path, first)
            };
            let counted = self.by_context.entry(context).or_default();
            counted.branches.push(Counter { first, second, count });
        }
    }

    /// Whether two instructions are of the same function inlined at the same place.
    fn in_one_function(&self, one: Svma, other: Svma) -> bool {
        let frames = self.source.frames;
        let (Some(one), Some(other)) = (frames.lookup(one), frames.lookup(other)) else {
            return false;
        };
        one == other || frames.stack(one).skip(1).eq(frames.stack(other).skip(1))
    }

    /// The function that the instruction at `address` is of, behind the calls of `path`.
    fn context(&mut self, path: PathId, address: Svma) -> Option<CallNode> {
        let leaf = self.source.frames.lookup(address)?;
        if !self.callers.contains_key(&path) {
            let callers = self.frames_of(path);
            self.callers.insert(path, callers);
        }
        let mut callers = self.callers[&path].clone()?;
        self.push_frames(leaf, &mut callers);
        let Frame { function, .. } = callers.pop()?;
        self.shortening.apply(&mut callers);
        let node = self.tree.behind(&callers, function);
        *self.is_inlined.entry(node).or_insert(true) &= self.source.frames.frame(leaf).inlined_into.is_some();
        Some(node)
    }

    fn frames_of(&mut self, path: PathId) -> Option<Vec<Frame>> {
        let mut frames = Vec::new();
        for call in self.counts.paths.calls(path) {
            let leaf = self.source.frames.lookup(call)?;
            self.push_frames(leaf, &mut frames);
        }
        Some(frames)
    }

    /// Appends the functions that are inlined around an instruction, the outermost first, each with the line of it in there.
    fn push_frames(&mut self, leaf: FrameId, into: &mut Vec<Frame>) {
        let start = into.len();
        for frame in self.source.frames.stack(leaf) {
            into.push(Frame {
                function: self.names.intern(self.source.frames.name(frame.function)),
                location: LineLocation::new(frame.line_offset, self.source.discriminators.base(frame.discriminator)),
            });
        }
        into[start..].reverse();
    }

    fn count(&mut self) {
        let mut contexts: Vec<_> = std::mem::take(&mut self.by_context).into_iter().collect();
        contexts.sort_unstable_by_key(|(context, _)| *context);
        for (context, Counted { ranges, branches }) in contexts {
            if let Some(node) = context {
                let samples = self.tree.samples(node);
                if self.is_inlined.get(&node) == Some(&true) {
                    samples.attributes |= attribute::WAS_INLINED;
                }
                for range in disjoint_ranges(&ranges).iter().filter(|range| range.count > 0) {
                    self.count_range(node, range);
                }
            }
            for branch in &branches {
                self.count_branch(context, branch);
            }
        }
    }

    /// Every instruction of the range was executed as often. A line counts as often as its most executed instruction.
    fn count_range(&mut self, node: CallNode, range: &Counter) {
        let Source { code, frames, .. } = self.source;
        for Instruction { svma, .. } in code.instructions(range.first, range.second) {
            let Some(leaf) = frames.lookup(svma) else { continue };
            let frame = frames.frame(leaf);
            let copies = self.source.discriminators.duplication_factor(frame.discriminator);
            let location = LineLocation::new(frame.line_offset, self.source.discriminators.base(frame.discriminator));
            let samples = self.tree.samples(node);
            samples.total = samples.total.saturating_add(range.count);
            let record = record_at(samples, location);
            record.count = record.count.max(range.count.wrapping_mul(copies.into()));
        }
    }

    /// A branch to a function's entry is a call from the source's line, whatever the instruction.
    fn count_branch(&mut self, context: Option<CallNode>, branch: &Counter) {
        let Some(entered) = self.source.entries.entry_at(branch.second) else {
            return;
        };
        let name = canonical_name(self.source.functions.name(entered.function));
        let callee = self.names.intern(name);
        let caller = context.map(|node| {
            let Some(leaf) = self.source.frames.lookup(branch.first) else {
                return (node, LineLocation::default());
            };
            let frame = self.source.frames.frame(leaf);
            let base = self.source.discriminators.base(frame.discriminator);
            let location = LineLocation::new(frame.line_offset, base);
            add_call(record_at(self.tree.samples(node), location), callee, branch.count);
            // llvm-profgen has the discriminator as it is in the debug information here.
            (node, LineLocation::new(frame.line_offset, frame.discriminator))
        });
        let node = self.tree.callee(caller, callee);
        let samples = self.tree.samples(node);
        samples.head = samples.head.saturating_add(branch.count);
    }
}

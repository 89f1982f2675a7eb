//! Attributes the counts of runs and branches to source lines, with the calls that were in progress. It is
//! the counterpart of [`crate::attribution::attribute`] for profiles with calling contexts.

use elf::{Instruction, canonical_name};
use rustc_hash::FxHashMap;
use sampleprof::{LineLocation, NameTable, Profile, attribute};

use crate::attribution::attribute::Source;
use crate::attribution::call_tree::{CallNode, CallTree, add_call, record_at};
use crate::attribution::disjoint::disjoint_ranges;
use crate::attribution::line_contexts::LineContexts;
use crate::counting::counter::{Counted, Counter};

/// Makes the profile of the counts in `contexts`.
pub(crate) fn attribute_contexts(source: &Source<'_>, contexts: LineContexts) -> Profile {
    let LineContexts {
        names,
        tree,
        is_inlined,
        counted,
        without_lines: _,
    } = contexts;
    let mut attribution = Attribution {
        source,
        names,
        tree,
        is_inlined,
    };
    attribution.count(counted);
    let Attribution { names, mut tree, .. } = attribution;
    tree.infer_inlined_calls();
    tree.into_profile(names)
}

struct Attribution<'a> {
    source: &'a Source<'a>,
    names: NameTable,
    tree: CallTree,
    is_inlined: FxHashMap<CallNode, bool>,
}

impl Attribution<'_> {
    fn count(&mut self, counted: FxHashMap<Option<CallNode>, Counted>) {
        let mut contexts: Vec<_> = counted.into_iter().collect();
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

    /// Counts every instruction of the range as often as the range was executed. The count of a line is the
    /// count of its most executed instruction.
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

    /// Counts a branch to a function's entry as a call from the source's line, whatever the instruction.
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
            // llvm-profgen uses the discriminator here as the debug information has it.
            (node, LineLocation::new(frame.line_offset, frame.discriminator))
        });
        let node = self.tree.callee(caller, callee);
        let samples = self.tree.samples(node);
        samples.head = samples.head.saturating_add(branch.count);
    }
}

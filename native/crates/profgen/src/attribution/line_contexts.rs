//! Counts of runs and branches by the functions of the calls in progress, as the debug information has them:
//! llvm-profgen's counters for profiles by lines.

use elf::{Instruction, Svma};
use rustc_hash::FxHashMap;
use sampleprof::{Frame, FullName, LineLocation, NameTable};
use symbolize::FrameId;

use crate::attribution::attribute::Source;
use crate::attribution::call_tree::{CallNode, CallTree};
use crate::attribution::recursion::Shortening;
use crate::counting::call_lists::ListId;
use crate::counting::context_counts::{ContextCounter, ContextCounts};
use crate::counting::counter::{Counted, Counter, EXTERNAL};
use crate::counting::read_contexts::{Context, ReadContext};

/// Counts by context.
#[derive(Default)]
pub(crate) struct LineContexts {
    pub names: NameTable,
    pub tree: CallTree,
    /// True for a context if the function is inlined wherever it was executed in this context. Where contexts
    /// with and without inlining have become the same, llvm-profgen takes the one that comes first in its
    /// hash table.
    pub is_inlined: FxHashMap<CallNode, bool>,
    /// Counts by context. The key is `None` if the callers are not all known.
    pub counted: FxHashMap<Option<CallNode>, Counted>,
    pub without_lines: CallsWithoutLines,
}

/// Executions without a context, because the code of a call in progress has no debug information.
#[derive(Default)]
pub(crate) struct CallsWithoutLines {
    /// Number of executions of runs that have lines.
    pub runs: u64,
    /// Number of executions after such calls, by the outermost of these calls.
    pub behind: FxHashMap<Svma, u64>,
}

impl LineContexts {
    /// Groups the counts of samples by context.
    pub(crate) fn of(source: &Source<'_>, counts: &ContextCounts, shortening: Shortening) -> Self {
        let mut sorting = Sorting {
            source,
            counts,
            shortening,
            callers: None,
            contexts: Self::default(),
        };
        sorting.sort_ranges();
        sorting.sort_branches();
        sorting.contexts
    }

    /// Takes over counts that a file has by context. Returns `None` if contexts are addresses.
    pub(crate) fn read(groups: &[ReadContext]) -> Option<Self> {
        let mut contexts = Self::default();
        for group in groups {
            let mut frames = match &group.context {
                Context::Frames(frames) => frames
                    .iter()
                    .map(|(name, location)| Frame {
                        function: contexts.names.intern(name),
                        location: *location,
                    })
                    .collect(),
                Context::Calls(calls) if calls.is_empty() => Vec::new(),
                Context::Calls(_) => return None,
            };
            let leaf = frames.pop();
            let node = leaf.map(|leaf| contexts.tree.behind(&frames, leaf.function));
            let counted = contexts.counted.entry(node).or_default();
            counted.add(&group.counted);
        }
        Some(contexts)
    }

    /// Returns each context as text, such as `main:3 @ foo:1.2 @ leaf`, with its counts.
    pub(crate) fn texts(self) -> Vec<(Vec<u8>, Counted)> {
        let Self {
            names, tree, counted, ..
        } = self;
        let text = |node| {
            let mut text = Vec::new();
            FullName::new(&names, &tree.callers(node), tree.name(node)).push(&mut text);
            text
        };
        counted
            .into_iter()
            .map(|(node, counted)| (node.map_or_else(Vec::new, text), counted))
            .collect()
    }
}

struct Sorting<'a> {
    source: &'a Source<'a>,
    counts: &'a ContextCounts,
    shortening: Shortening,
    /// The calls of the last query with their frames, or with the outermost call that has no line.
    callers: Option<(ListId, Result<Vec<Frame>, Svma>)>,
    contexts: LineContexts,
}

impl Sorting<'_> {
    /// Divides runs where they pass from one function to another that is inlined, and finds the context of
    /// each part.
    fn sort_ranges(&mut self) {
        for &ContextCounter {
            path,
            first,
            second: last,
            count,
        } in &self.counts.ranges
        {
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

    fn add_range(&mut self, path: ListId, first: Svma, second: Svma, count: u64) {
        let context = self.context(path, first);
        if self.source.frames.lookup(first).is_some() {
            let without_lines = &mut self.contexts.without_lines;
            without_lines.runs = without_lines.runs.saturating_add(count);
            if let Some((_, Err(call))) = &self.callers {
                let behind = without_lines.behind.entry(*call).or_default();
                *behind = behind.saturating_add(count);
            }
        }
        let counted = self.contexts.counted.entry(context).or_default();
        counted.ranges.push(Counter { first, second, count });
    }

    fn sort_branches(&mut self) {
        for &ContextCounter {
            path,
            first,
            second,
            count,
        } in &self.counts.branches
        {
            let context = if first == EXTERNAL {
                None
            } else {
                self.context(path, first)
            };
            let counted = self.contexts.counted.entry(context).or_default();
            counted.branches.push(Counter { first, second, count });
        }
    }

    /// Returns true if two instructions belong to the same function, inlined at the same place.
    fn in_one_function(&self, one: Svma, other: Svma) -> bool {
        let frames = self.source.frames;
        let (Some(one), Some(other)) = (frames.lookup(one), frames.lookup(other)) else {
            return false;
        };
        one == other || frames.stack(one).skip(1).eq(frames.stack(other).skip(1))
    }

    /// Returns the function of the instruction at `address`, below the calls of `path`.
    fn context(&mut self, path: ListId, address: Svma) -> Option<CallNode> {
        let leaf = self.source.frames.lookup(address)?;
        if self.callers.as_ref().is_none_or(|(known, _)| *known != path) {
            self.callers = Some((path, self.frames_of(path)));
        }
        let (_, callers) = self.callers.as_ref()?;
        let mut callers = callers.clone().ok()?;
        self.push_frames(leaf, &mut callers);
        let Frame { function, .. } = callers.pop()?;
        self.shortening.apply(&mut callers);
        let node = self.contexts.tree.behind(&callers, function);
        *self.contexts.is_inlined.entry(node).or_insert(true) &= self.source.frames.frame(leaf).inlined_into.is_some();
        Some(node)
    }

    fn frames_of(&mut self, path: ListId) -> Result<Vec<Frame>, Svma> {
        let mut frames = Vec::new();
        for call in self.counts.paths.calls(path) {
            let leaf = self.source.frames.lookup(call).ok_or(call)?;
            self.push_frames(leaf, &mut frames);
        }
        Ok(frames)
    }

    /// Appends the functions that are inlined around an instruction, the outermost first, each with the line
    /// of the instruction or call in it.
    fn push_frames(&mut self, leaf: FrameId, into: &mut Vec<Frame>) {
        let start = into.len();
        for frame in self.source.frames.stack(leaf) {
            into.push(Frame {
                function: self.contexts.names.intern(self.source.frames.name(frame.function)),
                location: LineLocation::new(frame.line_offset, self.source.discriminators.base(frame.discriminator)),
            });
        }
        into[start..].reverse();
    }
}

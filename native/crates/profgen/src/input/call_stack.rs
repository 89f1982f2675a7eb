//! Call stacks of samples: which are taken at their word, by llvm-profgen's rules, and what was counted behind which calls.

use std::collections::BTreeMap;

use elf::{InstructionClass, Svma};
use perfdata::Avma;
use rustc_hash::FxHashSet;
use symbolize::FunctionTable;

use crate::addresses::locate::{Place, View};
use crate::binaries::code_space::{CodeOffset, OUTSIDE};
use crate::binaries::id::{BinaryId, ByBinary};
use crate::binaries::target::{Target, Targets};
use crate::counting::context_counts::ContextCounts;
use crate::counting::counter::EXTERNAL;
use crate::counting::unwind::{call_before, unwind};

/// So many frames of a call stack are used. Linux records 127 unless it is told otherwise, and contexts that inline deeper than this cannot be
/// written.
pub(crate) const MAX_FRAMES: usize = 1024;

/// What call stacks came to.
#[derive(Default)]
pub(crate) struct CallStackStats {
    /// What llvm-profgen counts as samples: of a text, comments and empty lines, too. With several targets, a sample counts for each that
    /// it touches.
    pub items: u64,
    pub external_leaves: u64,
    /// Those with more than [`MAX_FRAMES`] frames.
    pub cut: u64,
    /// Return addresses that follow no call, with the id of their target.
    pub broken_at: FxHashSet<(BinaryId, u64)>,
    /// A hash of each distinct branch stack, unless contexts tell. llvm-profgen states shares of them, so they are held apart, at 8 bytes
    /// each.
    pub distinct: FxHashSet<u64>,
}

impl CallStackStats {
    fn merge(&mut self, other: Self) {
        self.items += other.items;
        self.external_leaves += other.external_leaves;
        self.cut += other.cut;
        self.broken_at.extend(other.broken_at);
        self.distinct.extend(other.distinct);
    }
}

/// What a job counts by call stacks.
#[derive(Default)]
pub(crate) struct CallStacks {
    pub stats: CallStackStats,
    /// Counts by calling context, if these are wanted.
    pub contexts: Option<BTreeMap<BinaryId, ContextCounts>>,
}

impl CallStacks {
    /// Adds what another thread has counted.
    pub(crate) fn merge(&mut self, other: Self) {
        self.stats.merge(other.stats);
        let Some(others) = other.contexts else { return };
        let all = self.contexts.get_or_insert_default();
        for (id, counts) in others {
            match all.entry(id) {
                std::collections::btree_map::Entry::Vacant(vacant) => {
                    vacant.insert(counts);
                }
                std::collections::btree_map::Entry::Occupied(sum) => sum.into_mut().merge(&counts),
            }
        }
    }

    /// How many distinct samples there were. With contexts, samples of the same branches behind other calls are other samples.
    pub(crate) fn distinct(&self) -> usize {
        match &self.contexts {
            Some(contexts) => contexts.values().map(|counts| counts.doubts.len()).sum(),
            None => self.stats.distinct.len(),
        }
    }
}

/// A place in the code of a target.
#[derive(Clone, Copy)]
struct Frame {
    target: BinaryId,
    svma: Svma,
}

/// Takes the frames of one sample after another.
pub(crate) struct CallStackReader<'a> {
    targets: &'a Targets<'a>,
    functions: &'a ByBinary<&'a FunctionTable>,
    pub found: CallStacks,
    /// The innermost first; nothing stands for neighbours outside the code of all targets.
    told: Vec<Option<Frame>>,
    is_cut: bool,
    /// As a target sees them: the address that is executed, then the calls in progress.
    frames: Vec<Svma>,
    ends: Vec<(Svma, Svma)>,
}

impl<'a> CallStackReader<'a> {
    /// `functions` are those of the targets.
    pub(crate) fn new(
        targets: &'a Targets<'a>,
        functions: &'a ByBinary<&'a FunctionTable>,
        wants_contexts: bool,
    ) -> Self {
        let contexts = || {
            targets
                .iter()
                .map(|target| (target.id, ContextCounts::default()))
                .collect()
        };
        Self {
            targets,
            functions,
            found: CallStacks {
                stats: CallStackStats::default(),
                contexts: wants_contexts.then(contexts),
            },
            told: Vec::new(),
            is_cut: false,
            frames: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// Another sample.
    pub(crate) fn begin(&mut self) {
        self.told.clear();
        self.is_cut = false;
    }

    /// Adds a frame, from the innermost outwards; false if those further out do not matter.
    pub(crate) fn push(&mut self, address: u64, view: &mut View<'_>) -> bool {
        let frame = match view.locate_target(Avma(address)) {
            Place::Code(offset, target) => Some(Frame {
                target,
                svma: self.targets.space().owner(offset).svma(offset),
            }),
            Place::Preamble(_) | Place::Misplaced(_) | Place::Lost(_) => None,
        };
        if frame.is_none() && matches!(self.told.last(), Some(None)) {
            return true;
        }
        if self.told.len() == MAX_FRAMES {
            self.is_cut = true;
            return false;
        }
        self.told.push(frame);
        true
    }

    /// Whether the last frame is a return address behind no call, so that what a text has behind it is not read. Several targets
    /// may disagree, so they read on.
    pub(crate) fn is_broken(&self) -> bool {
        match self.told[..] {
            [_, .., Some(Frame { target, svma })] if self.targets.len() == 1 => {
                call_before(&self.targets[target].code, svma) == Svma(0)
            }
            _ => false,
        }
    }

    /// Whether the sample counts. It does not while a function is entered or left, because frames are unsure then. With contexts of several
    /// targets, each decides for itself.
    pub(crate) fn is_kept(&mut self) -> bool {
        let targets = self.targets;
        if targets.len() == 1 {
            return self.see(targets.first());
        }
        match self.told.first() {
            None => false,
            Some(leaf) => match leaf {
                Some(leaf) if self.found.contexts.is_none() => self.is_sure(&targets[leaf.target], leaf.svma),
                _ => true,
            },
        }
    }

    /// Counts a sample that is kept, which has these ends of branches, for each target.
    pub(crate) fn count(&mut self, ends: impl Iterator<Item = (CodeOffset, CodeOffset)>, times: u64) {
        let space = self.targets.space();
        if self.targets.len() == 1 {
            let region = space.owner(0);
            let svma = |offset| match offset {
                OUTSIDE => EXTERNAL,
                offset => region.svma(offset),
            };
            self.ends.clear();
            self.ends.extend(ends.map(|(from, to)| (svma(from), svma(to))));
            return self.unwind(self.targets.first().id, times);
        }
        let ends: Vec<_> = ends.collect();
        let touched = ends
            .iter()
            .flat_map(|&(from, to)| [from, to])
            .filter(|&end| end != OUTSIDE);
        let mut touched: Vec<BinaryId> = touched.map(|end| space.owner(end).binary).collect();
        touched.sort_unstable();
        touched.dedup();
        for id in touched {
            if !self.see(&self.targets[id]) {
                continue;
            }
            let svma = |offset| match offset {
                OUTSIDE => EXTERNAL,
                offset => Some(space.owner(offset))
                    .filter(|owner| owner.binary == id)
                    .map_or(EXTERNAL, |owner| owner.svma(offset)),
            };
            self.ends.clear();
            let own = ends.iter().map(|&(from, to)| (svma(from), svma(to)));
            self.ends.extend(own.filter(|&entry| entry != (EXTERNAL, EXTERNAL)));
            self.unwind(id, times);
        }
    }

    /// Whether contexts are counted.
    pub(crate) fn has_contexts(&self) -> bool {
        self.found.contexts.is_some()
    }

    fn unwind(&mut self, id: BinaryId, times: u64) {
        if let Some(counts) = self.found.contexts.as_mut().and_then(|all| all.get_mut(&id)) {
            unwind(counts, &self.targets[id].code, &self.ends, &self.frames, times);
        }
    }

    /// Looks at the frames as one target sees them: all other code is outside. True if the target counts the sample.
    fn see(&mut self, target: &Target<'_>) -> bool {
        let stats = &mut self.found.stats;
        stats.items += 1;
        self.frames.clear();
        let mut leaf = None;
        let mut is_broken = false;
        for (index, frame) in self.told.iter().enumerate() {
            let own = frame.filter(|frame| frame.target == target.id).map(|frame| frame.svma);
            match own {
                _ if index == 0 => {
                    leaf = own;
                    self.frames.push(own.unwrap_or(EXTERNAL));
                }
                Some(svma) => {
                    let call = call_before(&target.code, svma);
                    if call == Svma(0) {
                        stats.broken_at.insert((target.id, svma.0));
                        is_broken = true;
                        break;
                    }
                    self.frames.push(call);
                }
                None if self.frames.last() != Some(&EXTERNAL) => self.frames.push(EXTERNAL),
                None => {}
            }
        }
        // What called the outermost function is not known then, either.
        if self.frames.len() > 1 && self.frames.last() == Some(&EXTERNAL) {
            self.frames.pop();
        }
        stats.cut += u64::from(self.is_cut && !is_broken);
        let is_external = !self.told.is_empty() && leaf.is_none();
        stats.external_leaves += u64::from(is_external);
        is_external || leaf.is_some_and(|leaf| self.is_sure(target, leaf))
    }

    fn is_sure(&self, target: &Target<'_>, leaf: Svma) -> bool {
        !is_prologue(target, leaf, self.functions[&target.id]) && !is_epilogue(target, leaf)
    }
}

/// The first two instructions of every range of a function.
fn is_prologue(target: &Target<'_>, svma: Svma, functions: &FunctionTable) -> bool {
    let starts_at = |svma| functions.entry_at(svma).is_some();
    let before = target.code.instruction_before(svma);
    starts_at(svma) || before.is_some_and(|instruction| starts_at(instruction.svma))
}

/// Every return, and the instruction before it.
fn is_epilogue(target: &Target<'_>, svma: Svma) -> bool {
    let mut two = target.code.instructions(svma, Svma(u64::MAX)).take(2);
    two.any(|instruction| instruction.class == InstructionClass::Return)
}

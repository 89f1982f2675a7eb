//! Reads the call stacks of samples. Decides by llvm-profgen's rules which of them are believed, and counts
//! samples by the calls in progress.

use std::collections::btree_map::Entry;
use std::hash::BuildHasher;

use elf::{InstructionClass, Svma};
use perfdata::Avma;
use rustc_hash::{FxBuildHasher, FxHashSet};
use symbolize::FunctionTable;

use crate::addresses::locate::{Place, View};
use crate::binaries::code_space::{CodeOffset, NO_CALL, OUTSIDE};
use crate::binaries::id::{BinaryId, ByBinary};
use crate::binaries::target::{BySide, Side, Target, Targets};
use crate::counting::context_counts::ContextCounts;
use crate::counting::context_steps::ContextSteps;
use crate::counting::stack::Except;
use crate::counting::unwind::{Flow, MAX_FRAMES};
use crate::input::events::HasCallChains;
use crate::request::options::GenerateOptions;
use crate::request::words::Words;

/// Number of slots of the cache of facts about addresses.
const SLOTS: usize = 1 << 12;

/// Numbers about call stacks.
#[derive(Default)]
pub(crate) struct CallStackStats {
    /// Number of samples as llvm-profgen counts them: in a text, comments and empty lines count, too. With
    /// several targets, a sample counts for each target that it touches.
    pub items: u64,
    pub external_leaves: u64,
    /// Number of call stacks with more than [`MAX_FRAMES`] frames.
    pub cut: u64,
    /// Number of call stacks with a return address that follows no call.
    pub broken: u64,
    /// These return addresses, with the id of their target.
    pub broken_at: FxHashSet<(BinaryId, u64)>,
    /// A hash of each distinct branch stack, if llvm-profgen's words are wanted and no contexts are counted,
    /// which have these numbers, too. llvm-profgen states shares of distinct samples.
    pub distinct: FxHashSet<u64>,
}

impl CallStackStats {
    fn merge(&mut self, other: Self) {
        self.items += other.items;
        self.external_leaves += other.external_leaves;
        self.cut += other.cut;
        self.broken += other.broken;
        self.broken_at.extend(other.broken_at);
        self.distinct.extend(other.distinct);
    }
}

/// The counts of a job by call stacks.
#[derive(Default)]
pub(crate) struct CallStacks {
    pub stats: CallStackStats,
    /// Counts by calling context; `None` if they are not wanted.
    contexts: Option<ByBinary<ContextSteps>>,
}

impl CallStacks {
    /// Adds the counts of another worker.
    pub(crate) fn merge(&mut self, other: Self) {
        self.stats.merge(other.stats);
        let Some(others) = other.contexts else { return };
        let all = self.contexts.get_or_insert_default();
        for (id, steps) in others {
            match all.entry(id) {
                Entry::Vacant(vacant) => {
                    vacant.insert(steps);
                }
                Entry::Occupied(sum) => sum.into_mut().merge(steps),
            }
        }
    }

    /// Returns the number of distinct samples, or 0 if it is not known. With contexts, samples with the same
    /// branches and different calls are different samples.
    pub(crate) fn distinct(&self) -> usize {
        match &self.contexts {
            Some(contexts) => contexts.values().filter_map(ContextSteps::distinct).sum(),
            None => self.stats.distinct.len(),
        }
    }

    /// Returns the counts by calling context of the targets on these sides; `None` if contexts are not wanted.
    pub(crate) fn into_contexts(self, targets: &Targets<'_>, sides: BySide<bool>) -> Option<ByBinary<ContextCounts>> {
        let contexts = self.contexts?.into_iter();
        let of_sides = contexts.filter(|(id, _)| *sides.of(targets[*id].side()));
        let counts = of_sides.map(|(id, steps)| (id, steps.into_counts(Flow::of(targets, id))));
        Some(counts.collect())
    }
}

/// A place in a call stack, with what is known about it.
#[derive(Clone, Copy)]
struct Frame {
    target: BinaryId,
    offset: CodeOffset,
}

/// A cache of facts about places in the code of targets, by offset in the space of all code. A place may lose
/// its slot to another place.
struct Remembered<T>(Box<[(CodeOffset, T)]>);

impl<T: Copy> Remembered<T> {
    /// Makes an empty cache. `anything` fills its slots.
    fn nothing(anything: T) -> Self {
        Self(vec![(OUTSIDE, anything); SLOTS].into())
    }

    fn of(&mut self, offset: CodeOffset, find_out: impl FnOnce() -> T) -> T {
        // Instructions of AArch64 are four bytes apart.
        let slot = &mut self.0[(offset ^ offset >> SLOTS.trailing_zeros()) as usize % SLOTS];
        if slot.0 != offset {
            *slot = (offset, find_out());
        }
        slot.1
    }
}

/// Reads the frames of one sample after another.
pub(crate) struct CallStackReader<'a> {
    targets: &'a Targets<'a>,
    sides: BySide<bool>,
    functions: &'a ByBinary<&'a FunctionTable>,
    pub found: CallStacks,
    /// The ends of the branch entries of the sample that count.
    pub entries: Vec<(CodeOffset, CodeOffset)>,
    keeps_distinct: bool,
    /// The frames, the innermost first. `None` stands for neighbouring frames outside the code of all
    /// targets.
    told: Vec<Option<Frame>>,
    is_cut: bool,
    /// The frames that the sample's event has.
    chains: HasCallChains,
    /// Number of samples that have these stacks.
    items: u64,
    /// The calls in progress as one target sees them, the innermost first.
    calls: Vec<CodeOffset>,
    /// The calls that return to places.
    calls_before: Remembered<CodeOffset>,
    /// True for places at which frames are sure.
    sure: Remembered<bool>,
}

impl<'a> CallStackReader<'a> {
    /// Makes a reader. `functions` are the functions of the targets.
    pub(crate) fn new(
        targets: &'a Targets<'a>,
        functions: &'a ByBinary<&'a FunctionTable>,
        options: &GenerateOptions,
    ) -> Self {
        let keeps_distinct = options.policy.words == Words::LlvmProfgen;
        let contexts = || {
            targets
                .iter()
                .map(|target| (target.id, ContextSteps::new(keeps_distinct)))
                .collect()
        };
        Self {
            targets,
            sides: targets.sides(),
            functions,
            found: CallStacks {
                stats: CallStackStats::default(),
                contexts: (!options.ignore_stack_samples).then(contexts),
            },
            entries: Vec::new(),
            keeps_distinct,
            told: Vec::new(),
            is_cut: false,
            chains: HasCallChains::WHOLE,
            items: 1,
            calls: Vec::new(),
            calls_before: Remembered::nothing(NO_CALL),
            sure: Remembered::nothing(false),
        }
    }

    /// Begins another sample, with the call chains that its event has. `items` is the number of samples that have these
    /// stacks, for [`CallStackStats::items`].
    pub(crate) fn begin(&mut self, items: u64, chains: HasCallChains) {
        self.items = items;
        self.chains = chains;
        self.told.clear();
        self.entries.clear();
        self.is_cut = false;
    }

    /// Adds a frame, from the innermost outwards. Returns false if the frames further out do not matter.
    pub(crate) fn push(&mut self, address: u64, view: &mut View<'_>) -> bool {
        let frame = match view.locate_target(Avma(address)) {
            Place::Code(offset, target) => Some(Frame { target, offset }),
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

    /// Returns true if the last frame is a return address that follows no call. The rest of such a call stack
    /// in a text is not read. If there are several targets, they may disagree, so the rest is read.
    pub(crate) fn is_broken(&mut self) -> bool {
        match self.told[..] {
            [_, .., Some(frame)] if self.targets.len() == 1 => self.call_before(frame) == NO_CALL,
            _ => false,
        }
    }

    /// Returns true if the sample counts for any target. A sample does not count while a function is entered or left,
    /// because its frames are not sure then. Of several targets, each decides for itself. The samples of a target on a
    /// side of which no event has frames count without call stacks.
    pub(crate) fn is_kept(&mut self) -> bool {
        let targets = self.targets;
        if targets.len() == 1 {
            return self.see(targets.first().id);
        }
        let counts_all = |side| *self.sides.of(side) && self.chains.0.of(side).is_none();
        !self.told.is_empty() || counts_all(Side::Kernel) || counts_all(Side::User)
    }

    /// Returns the targets that do not count a sample that is kept; `None` if all count it.
    pub(crate) fn except(&mut self) -> Option<Except<'a>> {
        let targets = self.targets;
        if targets.len() == 1 {
            return None;
        }
        let leaf = self.told.first().copied().flatten();
        let target = leaf.filter(|leaf| !self.is_sure(*leaf)).map(|leaf| leaf.target);
        let is_empty = self.told.is_empty();
        let sides = self.chains.0.map(|_, has| has.is_some_and(|has| !has || is_empty));
        (target.is_some() || sides != BySide::default()).then_some(Except { targets, sides, target })
    }

    /// Counts a sample that is kept, with these [`entries`](Self::entries), for each target. `times` is the
    /// number of such samples.
    pub(crate) fn count(&mut self, times: u64) {
        let targets = self.targets;
        if self.found.contexts.is_none() {
            if self.keeps_distinct && !self.entries.is_empty() {
                self.found.stats.distinct.insert(FxBuildHasher.hash_one(&self.entries));
            }
            return;
        }
        if targets.len() == 1 {
            return self.count_for(targets.first().id, times);
        }
        let space = targets.space();
        let all = std::mem::take(&mut self.entries);
        let ends = all.iter().flat_map(|&(from, to)| [from, to]);
        let mut touched: Vec<BinaryId> = ends
            .filter(|&end| end != OUTSIDE)
            .map(|end| space.owner(end).binary)
            .collect();
        touched.sort_unstable();
        touched.dedup();
        for id in touched {
            if self.chains.0.of(targets[id].side()).is_none() || !self.see(id) {
                continue;
            }
            let own = |offset| match offset {
                OUTSIDE => OUTSIDE,
                offset if space.owner(offset).binary == id => offset,
                _ => OUTSIDE,
            };
            self.entries.clear();
            let entries = all.iter().map(|&(from, to)| (own(from), own(to)));
            self.entries
                .extend(entries.filter(|&entry| entry != (OUTSIDE, OUTSIDE)));
            self.count_for(id, times);
        }
    }

    fn count_for(&mut self, id: BinaryId, times: u64) {
        if let Some(steps) = self.found.contexts.as_mut().and_then(|all| all.get_mut(&id)) {
            steps.count(Flow::of(self.targets, id), &self.entries, &self.calls, times);
        }
    }

    fn call_before(&mut self, Frame { target, offset }: Frame) -> CodeOffset {
        self.calls_before
            .of(offset, || Flow::of(self.targets, target).call_before(offset))
    }

    /// Looks at the frames as one target sees them: all other code is outside. Returns true if the target
    /// counts the sample.
    fn see(&mut self, id: BinaryId) -> bool {
        let items = self.items;
        let stats = &mut self.found.stats;
        stats.items = stats.items.saturating_add(items);
        self.calls.clear();
        let told = std::mem::take(&mut self.told);
        let own = |frame: &Option<Frame>| frame.filter(|frame| frame.target == id);
        let leaf = told.first().and_then(own);
        let mut is_broken = false;
        for frame in told.iter().skip(1) {
            let call = own(frame).map_or(OUTSIDE, |frame| self.call_before(frame));
            if let (NO_CALL, Some(Frame { target, offset })) = (call, own(frame)) {
                let svma = self.targets.space().owner(offset).svma(offset);
                self.found.stats.broken_at.insert((target, svma.0));
                is_broken = true;
                break;
            }
            let inner = self.calls.last().copied();
            let is_outside = inner.map_or(leaf.is_none(), |inner| inner == OUTSIDE);
            if call != OUTSIDE || !is_outside {
                self.calls.push(call);
            }
        }
        // The caller of the outermost function is not known then, either.
        if self.calls.last() == Some(&OUTSIDE) {
            self.calls.pop();
        }
        let is_external = !told.is_empty() && leaf.is_none();
        self.told = told;
        let stats = &mut self.found.stats;
        let add = |sum: &mut u64, is_true: bool| *sum = sum.saturating_add(if is_true { items } else { 0 });
        add(&mut stats.cut, self.is_cut && !is_broken);
        add(&mut stats.broken, is_broken);
        add(&mut stats.external_leaves, is_external);
        is_external || leaf.is_some_and(|leaf| self.is_sure(leaf))
    }

    fn is_sure(&mut self, Frame { target, offset }: Frame) -> bool {
        let (targets, functions) = (self.targets, self.functions);
        self.sure.of(offset, || {
            let target = &targets[target];
            let svma = targets.space().owner(offset).svma(offset);
            !is_prologue(target, svma, functions[&target.id]) && !is_epilogue(target, svma)
        })
    }
}

/// Returns true for the first two instructions of every range of a function.
fn is_prologue(target: &Target<'_>, svma: Svma, functions: &FunctionTable) -> bool {
    let starts_at = |svma| functions.entry_at(svma).is_some();
    let before = target.code.instruction_before(svma);
    starts_at(svma) || before.is_some_and(|instruction| starts_at(instruction.svma))
}

/// Returns true for every return, and for the instruction before a return.
fn is_epilogue(target: &Target<'_>, svma: Svma) -> bool {
    let mut two = target.code.instructions(svma, Svma(u64::MAX)).take(2);
    two.any(|instruction| instruction.class == InstructionClass::Return)
}

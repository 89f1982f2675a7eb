//! Counts the steps of branch stacks that are walked together with call stacks. One look-up serves a branch,
//! the straight run after it and the calls in progress.

use std::hash::BuildHasher;

use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::binaries::code_space::{CodeOffset, NO_CALL, NO_END, OUTSIDE};
use crate::counting::call_lists::ListId;
use crate::counting::context_counts::{CallPaths, ContextCounter, ContextCounts, Doubts, added_up};
use crate::counting::counter::EXTERNAL;
use crate::counting::unwind::{Before, CallStacks, Doubt, Flow, LOST, Step, step_back};

/// Number of slots of the cache, which takes 224 KiB.
const SLOTS: usize = 1 << 13;

#[derive(Clone, Copy)]
struct Slot {
    step: Step,
    before: Before,
    count: u32,
}

const _: () = assert!(size_of::<Slot>() == 28);

const EMPTY: Slot = Slot {
    step: Step {
        stack: LOST,
        from: OUTSIDE,
        to: OUTSIDE,
        end: NO_END,
    },
    before: Before {
        stack: LOST,
        has_run: false,
        doubt: Doubt::NONE,
    },
    count: 0,
};

/// Counts of steps in the code of one binary.
///
/// In front of the hash table stands a direct-mapped cache, because loops take the same steps again and again.
pub(crate) struct ContextSteps {
    slots: Box<[Slot; SLOTS]>,
    steps: FxHashMap<Step, (Before, u64)>,
    stacks: CallStacks,
    /// The calls of the last sample, the outermost first, each with the list that ends with it.
    latest: Vec<(CodeOffset, ListId)>,
    /// The doubts of each distinct sample, by a hash of the sample. llvm-profgen states shares of these
    /// samples. `None` if they are not wanted.
    distinct: Option<FxHashMap<u64, Doubts>>,
}

impl ContextSteps {
    /// Makes an empty table. `keeps_distinct` keeps the doubts of each distinct sample, which takes memory
    /// for each.
    pub(crate) fn new(keeps_distinct: bool) -> Self {
        Self {
            // The array is made on the heap, because some stacks are too small for it.
            slots: vec![EMPTY; SLOTS].try_into().unwrap_or_else(|_| unreachable!()),
            steps: FxHashMap::default(),
            stacks: CallStacks::default(),
            latest: Vec::new(),
            distinct: keeps_distinct.then(FxHashMap::default),
        }
    }

    /// Counts a sample: its branch entries, the newest first, and the calls in progress, the innermost first.
    /// At least one end of each entry is not [`OUTSIDE`].
    pub(crate) fn count(
        &mut self,
        flow: Flow<'_>,
        entries: &[(CodeOffset, CodeOffset)],
        calls: &[CodeOffset],
        times: u64,
    ) {
        if entries.is_empty() {
            return;
        }
        let mut stack = self.stack_of(calls);
        let mut end = NO_END;
        let mut doubts = Doubts::default();
        for &(from, to) in entries {
            let step = Step { stack, from, to, end };
            let before = if times == 1 {
                self.add(flow, step)
            } else {
                self.add_times(flow, step, times)
            };
            if !before.doubt.is_none() {
                doubts.add(before.doubt, 1);
            }
            (stack, end) = (before.stack, from);
        }
        doubts.entries = entries.len() as u64;
        if let Some(distinct) = &mut self.distinct {
            distinct.insert(FxBuildHasher.hash_one((entries, calls)), doubts);
        }
    }

    #[inline]
    fn add(&mut self, flow: Flow<'_>, step: Step) -> Before {
        let index = slot_of(step);
        let slot = &mut self.slots[index];
        if slot.step == step && slot.count < u32::MAX {
            slot.count += 1;
            return slot.before;
        }
        let full = *slot;
        if full.count > 0 {
            self.settle(full);
        }
        let before = self.add_times(flow, step, 0);
        self.slots[index] = Slot { step, before, count: 1 };
        before
    }

    fn settle(&mut self, slot: Slot) {
        if let Some((_, count)) = self.steps.get_mut(&slot.step) {
            *count = count.wrapping_add(u64::from(slot.count));
        }
    }

    /// Counts a step without the cache. The table has a row for the step afterwards, even if `times` is 0.
    fn add_times(&mut self, flow: Flow<'_>, step: Step, times: u64) -> Before {
        let stacks = &mut self.stacks;
        let (before, count) = self
            .steps
            .entry(step)
            .or_insert_with(|| (step_back(stacks, flow, step), 0));
        *count = count.wrapping_add(times);
        *before
    }

    /// Returns the list of these calls, the innermost of which comes first. Neighbouring samples have most
    /// calls in common, so the lists of the last sample are used again.
    fn stack_of(&mut self, calls: &[CodeOffset]) -> ListId {
        let known = self.latest.iter().zip(calls.iter().rev());
        let known = known.take_while(|(latest, call)| latest.0 == **call).count();
        self.latest.truncate(known);
        let mut list = self.latest.last().map_or(ListId::EMPTY, |latest| latest.1);
        for &call in calls.iter().rev().skip(known) {
            list = self.stacks.behind(list, call);
            self.latest.push((call, list));
        }
        list
    }

    /// Returns the number of distinct samples; `None` if distinct samples were not kept.
    pub(crate) fn distinct(&self) -> Option<usize> {
        self.distinct.as_ref().map(FxHashMap::len)
    }

    fn flush(&mut self) {
        for index in 0..SLOTS {
            let full = std::mem::replace(&mut self.slots[index], EMPTY);
            if full.count > 0 {
                self.settle(full);
            }
        }
    }

    /// Adds the counts of another worker.
    pub(crate) fn merge(&mut self, mut other: Self) {
        other.flush();
        let lists = self.stacks.merge(&other.stacks);
        for (step, (before, count)) in other.steps {
            let here = |list| lists.of(list).unwrap_or(LOST);
            let step = Step {
                stack: here(step.stack),
                ..step
            };
            let before = Before {
                stack: here(before.stack),
                ..before
            };
            let (_, sum) = self.steps.entry(step).or_insert((before, 0));
            *sum = sum.wrapping_add(count);
        }
        match (&mut self.distinct, other.distinct) {
            (Some(all), Some(more)) => all.extend(more),
            (all, more) => *all = all.take().or(more),
        }
    }

    /// Divides the steps into runs and branches, each with the calls that are known without a gap. Calls from
    /// other files are left out.
    pub(crate) fn into_counts(mut self, flow: Flow<'_>) -> ContextCounts {
        self.flush();
        let svma = |offset| match offset {
            OUTSIDE => EXTERNAL,
            offset => flow.region.svma(offset),
        };
        let mut paths = CallPaths::default();
        // Each list comes with a mark that says whether one of its calls is outside.
        let known = self
            .stacks
            .map((ListId::EMPTY, false), |(path, is_external), call| match call {
                OUTSIDE => (ListId::EMPTY, true),
                // A return to a place with no call before it: the caller is not known, but the callers
                // further out are.
                NO_CALL => (path, is_external),
                call => (paths.behind(path, svma(call)), is_external),
            });
        let mut has_external_callers = false;
        let mut path_of = |stack| {
            let (path, is_external) = known.of(stack).unwrap_or((ListId::EMPTY, false));
            has_external_callers |= is_external;
            path
        };
        let mut counts = ContextCounts::default();
        for (step, (before, count)) in self.steps {
            counts.doubts.add(before.doubt, count);
            if before.has_run {
                counts.ranges.push(ContextCounter {
                    path: path_of(step.stack),
                    first: svma(step.to),
                    second: svma(step.end),
                    count,
                });
            }
            if step.to != OUTSIDE {
                let path = if step.from == OUTSIDE {
                    ListId::EMPTY
                } else {
                    path_of(before.stack)
                };
                counts.branches.push(ContextCounter {
                    path,
                    first: svma(step.from),
                    second: svma(step.to),
                    count,
                });
            }
        }
        counts.paths = paths;
        counts.ranges = added_up(counts.ranges);
        counts.branches = added_up(counts.branches);
        if let Some(distinct) = self.distinct {
            counts.doubts = Doubts::default();
            distinct.values().for_each(|doubts| counts.doubts += *doubts);
        }
        counts.has_external_callers = has_external_callers;
        counts
    }
}

#[inline]
fn slot_of(Step { stack, from, to, end }: Step) -> usize {
    const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
    let entry = (u64::from(from) << 32 | u64::from(to)).wrapping_mul(MULTIPLIER);
    let behind = (u64::from(stack.number()) << 32 | u64::from(end)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    ((entry ^ behind.rotate_left(32)).wrapping_mul(MULTIPLIER) >> (u64::BITS - SLOTS.trailing_zeros())) as usize
}

#[cfg(test)]
mod tests {
    use elf::{Code, DecodePolicy, Image, InstructionClass, Svma};
    use proptest::prelude::*;

    use super::*;
    use crate::binaries::code_space::CodeSpace;
    use crate::binaries::id::BinaryId;
    use crate::counting::unwind::MAX_CALLS;

    type Picks = (Vec<(usize, usize)>, Vec<usize>);

    fn sample() -> impl Strategy<Value = Picks> {
        let entries = prop::collection::vec((0usize..400, 0usize..400), 0..80);
        (entries, prop::collection::vec(0usize..400, 0..300))
    }

    proptest! {
        /// The samples have frames and branches that may or may not fit together: in loops, outside of all code, at no
        /// instruction. Each branch to the binary must count once, and no impossible run may count. The
        /// result must not depend on how samples are shared between threads, or on how many equal samples are
        /// counted at once.
        #[test]
        fn each_branch_counts_once(samples in prop::collection::vec(sample(), 0..6), times in 1u64..4, split in 0usize..6) {
            let image = Image::open(&testkit::Fixture::named("calc-x86_64").program()).expect("a fixture");
            let code = Code::new(&image, DecodePolicy::FULL).expect("code");
            let space = CodeSpace::new([(BinaryId::of(0), code.base(), code.span())]).expect("small");
            let flow = Flow { code: &code, region: space.owner(0) };
            let instructions: Vec<Svma> = code.instructions(Svma(0), Svma(u64::MAX)).map(|found| found.svma).collect();
            let place = |pick: usize| match pick % 7 {
                0 => OUTSIDE,
                _ => flow.region.offset(instructions[pick % instructions.len()]),
            };
            let samples: Vec<(Vec<_>, Vec<_>)> = samples
                .iter()
                .map(|(entries, calls)| {
                    let entries = entries.iter().map(|&(from, to)| (place(from), place(to)));
                    let entries = entries.filter(|&entry| entry != (OUTSIDE, OUTSIDE)).collect();
                    (entries, calls.iter().map(|&call| place(call)).collect())
                })
                .collect();
            let counted = |samples: &[(Vec<_>, Vec<_>)], repeat: u64, times: u64| {
                let mut steps = ContextSteps::new(true);
                for (entries, calls) in samples {
                    (0..repeat).for_each(|_| steps.count(flow, entries, calls, times));
                }
                steps
            };
            let counts = counted(&samples, 1, times).into_counts(flow);
            let inside = samples.iter().flat_map(|(entries, _)| entries).filter(|(_, to)| *to != OUTSIDE).count() as u64;
            prop_assert_eq!(counts.branches.iter().map(|branch| branch.count).sum::<u64>(), times * inside);
            for run in &counts.ranges {
                prop_assert!(code.is_valid_fall_through(run.first, run.second));
            }
            let pairs: usize = samples.iter().map(|(entries, _)| entries.len().saturating_sub(1)).sum();
            prop_assert!(counts.ranges.iter().map(|run| run.count).sum::<u64>() <= times * pairs as u64);

            let (first, second) = samples.split_at(split.min(samples.len()));
            let mut parts = counted(first, times, 1);
            parts.merge(counted(second, times, 1));
            prop_assert_eq!(texts(&parts.into_counts(flow)), texts(&counts));
        }
    }

    #[test]
    fn returns_lead_no_deeper_than_to_the_limit() {
        let image = Image::open(&testkit::Fixture::named("calc-x86_64").program()).expect("a fixture");
        let code = Code::new(&image, DecodePolicy::FULL).expect("code");
        let space = CodeSpace::new([(BinaryId::of(0), code.base(), code.span())]).expect("small");
        let flow = Flow {
            code: &code,
            region: space.owner(0),
        };
        let all: Vec<_> = code.instructions(Svma(0), Svma(u64::MAX)).collect();
        // A function that calls another function and returns straight afterwards seems to return to itself.
        let is_return = |behind: &[elf::Instruction]| {
            let end = behind.iter().find(|found| found.class.is_barrier())?;
            (end.class == InstructionClass::Return).then_some(end.svma)
        };
        let found = (1..all.len()).find_map(|index| {
            let is_call = all[index - 1].class == InstructionClass::Call;
            is_call.then(|| Some((is_return(&all[index..])?, all[index].svma)))?
        });
        let (from, to) = found.expect("a call before a return");
        let entry = (flow.region.offset(from), flow.region.offset(to));
        let mut steps = ContextSteps::new(false);
        steps.count(flow, &[entry; 100_000], &[], 1);
        let counts = steps.into_counts(flow);
        let longest = counts
            .branches
            .iter()
            .map(|branch| counts.paths.length(branch.path))
            .max();
        assert_eq!(longest, Some(MAX_CALLS));
        assert_eq!(counts.branches.iter().map(|branch| branch.count).sum::<u64>(), 100_000);
        assert_eq!((counts.doubts.entries, counts.doubts.deep), (100_000, 1));
    }

    /// Returns the counters as text, without the numbers of lists of calls, which depend on the order of the
    /// samples.
    fn texts(counts: &ContextCounts) -> (Vec<String>, Doubts, bool) {
        let text = |counter: &ContextCounter| {
            let ContextCounter {
                path,
                first,
                second,
                count,
            } = counter;
            format!("{:?} {first:?} {second:?} {count}", counts.paths.calls(*path))
        };
        let mut all: Vec<_> = counts.ranges.iter().chain(&counts.branches).map(text).collect();
        all.sort_unstable();
        (all, counts.doubts, counts.has_external_callers)
    }
}

//! Makes counters from sampled addresses: the flow inside of each function, and of calls between functions.

use elf::{Code, InstructionClass, Svma};
use flow::{Block, Edge, Gate, Graph, Inference, Measure, SCALE, infer};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use symbolize::FunctionRange;

use crate::counting::call_sites::CallSite;
use crate::counting::counter::{Counter, EXTERNAL};
use crate::counting::counters::CounterTable;
use crate::counting::sampled::TargetAddresses;
use crate::inference::binary::Binary;
use crate::inference::blocks::Blocks;
use crate::inference::callers::Callers;
use crate::inference::measures::{Samples, measures};

/// Most blocks of a function that is solved.
const MOST_BLOCKS: usize = 60_000;

/// Number of times that the executions of calls are passed on to the called functions.
const ROUNDS: usize = 3;

/// Weight of the calls of a function as a measure of its entries, in samples.
const WEIGHT_OF_CALLS: f64 = 20.0;

/// Counters that were inferred from sampled addresses.
#[derive(Debug, Default)]
pub(crate) struct Inferred {
    pub ranges: CounterTable,
    pub branches: CounterTable,
    pub report: InferenceReport,
}

/// Quality of the inferred counters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct InferenceReport {
    /// Number of samples at instructions of the binary.
    pub samples: u64,
    /// Number of these samples that state the sampled instruction itself.
    pub exact: u64,
    /// Number of samples that lie in no function.
    pub homeless: u64,
    /// Number of functions with samples.
    pub functions: usize,
    /// Number of these functions whose blocks keep the counts of their own samples, because no flow was
    /// found.
    pub unsolved: usize,
    /// Number of blocks that were executed.
    pub blocks: usize,
    /// Number of these blocks that have samples.
    pub sampled_blocks: usize,
}

/// The samples of a binary.
pub(crate) struct Sampled<'a> {
    pub addresses: &'a TargetAddresses,
    /// Call sites of the samples' call chains; empty if the samples have none.
    pub call_sites: &'a [CallSite],
    /// True if the event counts instructions, not time.
    pub by_instructions: bool,
}

/// Returns the counters that the samples make most likely.
pub(crate) fn infer_counters(binary: &Binary<'_>, sampled: &Sampled<'_>) -> Inferred {
    let addresses = sampled.addresses;
    let sum =
        |part: fn(&crate::counting::sampled::Hits) -> u64| addresses.iter().map(|(_, hits)| part(hits)).sum::<u64>();
    let (all, exact) = (sum(|hits| hits.sum()), sum(|hits| hits.exact));
    let samples = Samples {
        addresses,
        exact_share: if all == 0 { 1.0 } else { exact as f64 / all as f64 },
        by_instructions: sampled.by_instructions,
    };
    let callers = Callers::of(binary, sampled.call_sites);
    let mut stretches = sampled_stretches(binary, addresses);
    stretches.extend(callers.functions().filter_map(|start| binary.functions.find(start)));
    stretches = unique(stretches);
    let mut solved = solve(binary, &samples, &stretches, &Calls::default(), Vec::new());
    for _ in 1..ROUNDS {
        let calls = Calls {
            entered: calls(binary, &solved),
            executed: callers.measures(|start| executions(&solved, start), WEIGHT_OF_CALLS),
        };
        stretches = with_called(binary, stretches, &calls.entered);
        solved = solve(binary, &samples, &stretches, &calls, solved);
    }
    let mut inferred = counters(binary, &solved, &callers);
    let in_functions: u64 = solved.iter().map(|function| function.samples).sum();
    inferred.report.samples = all;
    inferred.report.exact = exact;
    inferred.report.homeless = all.saturating_sub(in_functions);
    inferred
}

/// Executions of calls.
#[derive(Default)]
struct Calls {
    /// Number of calls and jumps to each place from other stretches.
    entered: FxHashMap<Svma, f64>,
    /// Executions of calls, as call chains tell them.
    executed: FxHashMap<Svma, Measure>,
}

/// Returns how often the function that starts at `start` was entered there; `None` if it was not solved.
fn executions(solved: &[Solved], start: Svma) -> Option<f64> {
    let index = solved
        .binary_search_by_key(&start, |function| function.range.start)
        .ok()?;
    let entries = solved[index].counts.entries.first()?;
    Some(*entries as f64 / SCALE)
}

/// A stretch of code with the counts of its blocks.
struct Solved {
    range: FunctionRange,
    samples: u64,
    blocks: Blocks,
    /// Measures of the blocks by their own samples.
    measures: Vec<Option<Measure>>,
    /// The graph that has these counts.
    graph: Graph,
    counts: Inference,
    has_flow: bool,
}

/// Returns the stretches of functions that have samples, in ascending order.
fn sampled_stretches(binary: &Binary<'_>, addresses: &TargetAddresses) -> Vec<FunctionRange> {
    let mut found: Vec<FunctionRange> = Vec::new();
    for (svma, _) in addresses {
        if found
            .last()
            .is_some_and(|range| *svma >= range.start && *svma < range.end)
        {
            continue;
        }
        found.extend(binary.functions.find(*svma));
    }
    unique(found)
}

fn unique(mut stretches: Vec<FunctionRange>) -> Vec<FunctionRange> {
    stretches.sort_unstable_by_key(|range| range.start);
    stretches.dedup_by_key(|range| range.start);
    stretches
}

/// Returns the stretches and the functions that are called from them.
fn with_called(
    binary: &Binary<'_>,
    mut stretches: Vec<FunctionRange>,
    calls: &FxHashMap<Svma, f64>,
) -> Vec<FunctionRange> {
    let called = calls.iter().filter(|(_, count)| **count * 2.0 > 1.0);
    stretches.extend(called.filter_map(|(target, _)| binary.functions.find(*target)));
    unique(stretches)
}

/// Returns the number of calls and jumps to each place from other stretches.
fn calls(binary: &Binary<'_>, solved: &[Solved]) -> FxHashMap<Svma, f64> {
    let mut calls: FxHashMap<Svma, f64> = FxHashMap::default();
    for function in solved {
        function.for_each_call(binary.code, |_, target, count| {
            *calls.entry(target).or_default() += count as f64 / SCALE;
        });
    }
    calls
}

/// Solves stretches, which are in ascending order. `known` are the results of an earlier round, in the same order.
fn solve(
    binary: &Binary<'_>,
    samples: &Samples<'_>,
    stretches: &[FunctionRange],
    calls: &Calls,
    known: Vec<Solved>,
) -> Vec<Solved> {
    let mut known = known.into_iter().peekable();
    let work: Vec<(FunctionRange, Option<Solved>)> = stretches
        .iter()
        .map(|range| (*range, known.next_if(|solved| solved.range == *range)))
        .collect();
    let solve = |(range, known): (FunctionRange, Option<Solved>)| match known {
        Some(known) => Some(known.solved_again(calls)),
        None => Solved::of(binary, samples, range, calls),
    };
    work.into_par_iter().filter_map(solve).collect()
}

impl Solved {
    fn of(binary: &Binary<'_>, samples: &Samples<'_>, range: FunctionRange, calls: &Calls) -> Option<Self> {
        let blocks = Blocks::of(binary.image, binary.code, range.start, range.end)?;
        let (measures, total) = measures(samples, &blocks, binary.code, binary.image.arch());
        let unsolved = Self {
            range,
            samples: total,
            blocks,
            measures,
            graph: Graph::default(),
            counts: Inference::default(),
            has_flow: false,
        };
        Some(unsolved.solved_again(calls))
    }

    /// Infers the counts again, with other executions of calls. The code and its samples are the same.
    fn solved_again(mut self, calls: &Calls) -> Self {
        let mut measures = self.measures.clone();
        add_calls(&self.blocks, &calls.executed, &mut measures);
        let graph = graph(&self.blocks, &measures, &calls.entered);
        if graph == self.graph {
            return self;
        }
        let has_few_blocks = self.blocks.blocks.len() <= MOST_BLOCKS;
        let flow = has_few_blocks.then(|| infer(&graph)).flatten();
        self.has_flow = flow.is_some();
        self.counts = flow.unwrap_or_else(|| by_themselves(&measures));
        self.graph = graph;
        self
    }

    /// Returns true if the block with this number was sampled.
    fn is_sampled(&self, block: usize) -> bool {
        self.measures[block].is_some_and(|measure| measure.samples > 0.0)
    }

    /// Calls `visit` with the address, the target and the count of each direct call and of each jump out of
    /// the stretch.
    fn for_each_call(&self, code: &Code<'_>, mut visit: impl FnMut(Svma, Svma, u64)) {
        for (index, block) in self.blocks.blocks.iter().enumerate() {
            let count = self.counts.blocks[index];
            if count == 0 {
                continue;
            }
            for instruction in &self.blocks.instructions[block.first..=block.last] {
                if instruction.class == InstructionClass::Call
                    && let Some(target) = code.direct_target(instruction.svma)
                {
                    visit(instruction.svma, target, count);
                }
            }
            let leaving = self.counts.exits.get(index).copied().unwrap_or(0);
            if let (Some(target), true) = (block.jumps_to, leaving > 0) {
                visit(self.blocks.instructions[block.last].svma, target, leaving);
            }
        }
    }
}

/// Adds the measures of calls to the measures of their blocks. Both measure the same executions.
fn add_calls(blocks: &Blocks, executed: &FxHashMap<Svma, Measure>, measures: &mut [Option<Measure>]) {
    if executed.is_empty() {
        return;
    }
    for (block, measure) in blocks.blocks.iter().zip(measures) {
        let instructions = &blocks.instructions[block.first..=block.last];
        for more in instructions
            .iter()
            .filter_map(|instruction| executed.get(&instruction.svma))
        {
            let known = measure.get_or_insert(Measure {
                samples: 0.0,
                per_execution: 0.0,
            });
            known.samples += more.samples;
            known.per_execution += more.per_execution;
        }
    }
}

fn graph(blocks: &Blocks, measures: &[Option<Measure>], calls: &FxHashMap<Svma, f64>) -> Graph {
    let block = |(index, (block, measure)): (usize, (&crate::inference::blocks::CodeBlock, &Option<Measure>))| {
        let called = calls.get(&blocks.instructions[block.first].svma).copied();
        Block {
            measure: *measure,
            entry: match called {
                _ if index == 0 => Gate::Open,
                Some(_) => Gate::Open,
                None if !block.has_predecessor => Gate::Unlikely,
                None => Gate::Closed,
            },
            entered: called.filter(|count| *count > 0.0).map(|count| Measure {
                samples: WEIGHT_OF_CALLS.min(count),
                per_execution: WEIGHT_OF_CALLS.min(count) / count,
            }),
            exit: if block.leaves {
                Gate::Open
            } else if block.may_end {
                Gate::Unlikely
            } else {
                Gate::Closed
            },
        }
    };
    let edge = |&(from, to): &(u32, u32)| Edge {
        from,
        to,
        measure: None,
    };
    Graph {
        blocks: blocks.blocks.iter().zip(measures).enumerate().map(block).collect(),
        edges: blocks.edges.iter().map(edge).collect(),
    }
}

/// Returns the counts that each block has by its own samples.
fn by_themselves(measures: &[Option<Measure>]) -> Inference {
    let count = |measure: &Option<Measure>| {
        measure.map_or(0, |measure| {
            (measure.samples / measure.per_execution * SCALE).round() as u64
        })
    };
    Inference {
        blocks: measures.iter().map(count).collect(),
        ..Inference::default()
    }
}

fn counters(binary: &Binary<'_>, solved: &[Solved], callers: &Callers) -> Inferred {
    let (mut ranges, mut branches) = (Vec::new(), Vec::new());
    let mut report = InferenceReport::default();
    let mut entered: FxHashMap<Svma, u64> = FxHashMap::default();
    for function in solved {
        report.functions += usize::from(function.samples > 0);
        report.unsolved += usize::from(!function.has_flow);
        for (index, block) in function.blocks.blocks.iter().enumerate() {
            let count = function.counts.blocks[index];
            if count == 0 {
                continue;
            }
            report.blocks += 1;
            report.sampled_blocks += usize::from(function.is_sampled(index));
            let instructions = &function.blocks.instructions[block.first..=block.last];
            for run in instructions.chunk_by(|instruction, _| !instruction.class.is_barrier()) {
                if let (Some(first), Some(last)) = (run.first(), run.last()) {
                    ranges.push(Counter {
                        first: first.svma,
                        second: last.svma,
                        count,
                    });
                }
            }
        }
        function.for_each_call(binary.code, |from, to, count| {
            branches.push(Counter {
                first: from,
                second: to,
                count,
            });
            *entered.entry(to).or_default() += count;
        });
    }
    // These executions entered a function and came from no known call.
    for function in solved {
        let start = function.range.start;
        let in_all = function.counts.entries.first().copied().unwrap_or(0);
        let known = entered.get(&start).copied().unwrap_or(0);
        if let Some(count) = in_all.checked_sub(known).filter(|count| *count > 0) {
            let (calls, unknown) = callers.divide(start, count);
            let from_outside = (unknown > 0).then_some((EXTERNAL, unknown));
            branches.extend(calls.into_iter().chain(from_outside).map(|(first, count)| Counter {
                first,
                second: start,
                count,
            }));
        }
    }
    Inferred {
        ranges: CounterTable::new(ranges),
        branches: CounterTable::new(branches),
        report,
    }
}

//! Which pairs of neighbouring branch entries are straight-line runs, and what is wrong with the others.

use elf::{Code, Svma};
use rayon::prelude::*;
use symbolize::{FunctionTable, NameOrigin};

use crate::counting::counter::{Counter, EXTERNAL};
use crate::counting::counters::{CounterTable, MANY};

/// How many of all executions of runs are doubtful, by reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunQuality {
    /// Distinct runs, external ends included.
    pub pairs: usize,
    /// Executions of these.
    pub total: u64,
    /// An end is not at an instruction, or the last instruction cannot branch.
    pub off_boundary: u64,
    /// The run starts in no function of the debug information.
    pub no_function: u64,
    /// The run starts in a function that the symbol table tells of, alone or with another name.
    pub recovered: u64,
    /// The run starts in a function that only the symbol table tells of.
    pub named_by_symbol: u64,
    /// The run leaves the function that it starts in.
    pub crosses_function: u64,
    /// Of the runs in functions: a call, return or jump lies inside, or the run ends before it starts.
    pub broken: u64,
    /// All such runs, in functions or not. These, and only these, are dropped.
    pub dropped: u64,
    /// Runs that are kept although they start in no function: there is no source line to count them for.
    pub homeless: u64,
    /// The run ends in the binary, at an instruction that cannot branch. `off_boundary` has these, too.
    pub ends_at_no_branch: u64,
    /// What is wrong with which pair, if that was asked for.
    pub details: Vec<(Svma, Svma, RunProblem)>,
}

impl RunQuality {
    /// Adds what was found of pairs behind these.
    fn absorb(&mut self, other: Self) {
        let Self {
            pairs,
            total,
            off_boundary,
            no_function,
            recovered,
            named_by_symbol,
            crosses_function,
            broken,
            dropped,
            homeless,
            ends_at_no_branch,
            details,
        } = other;
        self.pairs += pairs;
        for (sum, count) in [
            (&mut self.total, total),
            (&mut self.off_boundary, off_boundary),
            (&mut self.no_function, no_function),
            (&mut self.recovered, recovered),
            (&mut self.named_by_symbol, named_by_symbol),
            (&mut self.crosses_function, crosses_function),
            (&mut self.broken, broken),
            (&mut self.dropped, dropped),
            (&mut self.homeless, homeless),
            (&mut self.ends_at_no_branch, ends_at_no_branch),
        ] {
            add(sum, count);
        }
        self.details.extend(details);
    }
}

/// What can be wrong with a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunProblem {
    /// See [`RunQuality::off_boundary`].
    OffBoundary,
    /// See [`RunQuality::no_function`].
    NoFunction,
    /// See [`RunQuality::crosses_function`].
    CrossesFunction,
    /// See [`RunQuality::broken`].
    Broken,
}

/// How runs are judged.
#[derive(Debug, Clone, Copy, Default)]
pub struct Judgement {
    /// The pairs are sampled addresses, which need not be branches.
    pub addresses_only: bool,
    /// Keep what is wrong with each pair.
    pub details: bool,
}

/// The runs that are real, and the quality of all. `pairs` holds (target, next source) of neighbouring entries.
#[must_use]
pub fn select_runs(
    pairs: &CounterTable,
    code: &Code<'_>,
    functions: &FunctionTable,
    judgement: Judgement,
) -> (CounterTable, RunQuality) {
    let judge_all = |pairs: &[Counter]| {
        let mut quality = RunQuality {
            pairs: pairs.len(),
            ..RunQuality::default()
        };
        let mut keep = |pair: &&Counter| {
            add(&mut quality.total, pair.count);
            judge(pair, code, functions, judgement, &mut quality)
        };
        let runs: Vec<Counter> = pairs.iter().filter(&mut keep).copied().collect();
        (runs, quality)
    };
    let mut parts: Vec<_> = pairs.rows().par_chunks(MANY).map(judge_all).collect();
    let (runs, quality) = if parts.len() == 1 {
        parts.remove(0)
    } else {
        let mut runs = Vec::with_capacity(parts.iter().map(|(runs, _)| runs.len()).sum());
        let mut quality = RunQuality::default();
        for (some, of_these) in parts {
            runs.extend(some);
            quality.absorb(of_these);
        }
        (runs, quality)
    };
    (CounterTable::of_ascending(runs), quality)
}

/// Adds one pair to the account; true if it is a straight-line run.
fn judge(
    pair: &Counter,
    code: &Code<'_>,
    functions: &FunctionTable,
    judgement: Judgement,
    quality: &mut RunQuality,
) -> bool {
    let (starts, ends) = (pair.first != EXTERNAL, pair.second != EXTERNAL);
    if !starts && !ends {
        return false;
    }
    let valid = starts && ends && code.is_valid_fall_through(pair.first, pair.second);
    let transfers = ends && code.may_transfer_at(pair.second);
    if starts && ends && !valid {
        add(&mut quality.dropped, pair.count);
    }
    let mut detail = |problem| {
        if judgement.details {
            quality.details.push((pair.first, pair.second, problem));
        }
    };
    if !judgement.addresses_only && starts && ends && !transfers {
        add(&mut quality.ends_at_no_branch, pair.count);
    }
    if !judgement.addresses_only && (!starts || !transfers) {
        add(&mut quality.off_boundary, pair.count);
        detail(RunProblem::OffBoundary);
    }
    let Some(function) = functions.find(pair.first) else {
        add(&mut quality.no_function, pair.count);
        detail(RunProblem::NoFunction);
        // An entry of a jump table has no line to lose: the call counts for the function behind it.
        let is_homeless = valid && code.jump_at(pair.first).is_none();
        add(&mut quality.homeless, if is_homeless { pair.count } else { 0 });
        return valid;
    };
    let origin = functions.origin(function.function);
    if origin != NameOrigin::DebugInfo {
        add(&mut quality.recovered, pair.count);
    }
    if origin == NameOrigin::Symbol {
        add(&mut quality.named_by_symbol, pair.count);
    }
    if pair.second >= function.end {
        add(&mut quality.crosses_function, pair.count);
        detail(RunProblem::CrossesFunction);
    }
    if starts && ends && !valid {
        add(&mut quality.broken, pair.count);
        detail(RunProblem::Broken);
    }
    valid
}

/// Sums wrap around, as those of llvm-profgen do: a text may state any count.
fn add(sum: &mut u64, count: u64) {
    *sum = sum.wrapping_add(count);
}

/// Executions of runs that come to bytes which no instruction is known for, and the lowest address of such bytes.
pub(crate) fn unknown_code(pairs: &CounterTable, code: &Code<'_>) -> Option<(u64, Svma)> {
    let inside = pairs
        .rows()
        .iter()
        .filter(|pair| pair.first != EXTERNAL && pair.second != EXTERNAL);
    let found = inside.filter_map(|pair| Some((pair.count, code.unknown_between(pair.first, pair.second)?)));
    found.reduce(|(sum, lowest), (count, at)| (sum.wrapping_add(count), lowest.min(at)))
}

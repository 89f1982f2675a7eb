//! Decides which pairs of neighbouring branch entries are straight-line runs, and says what is wrong with the
//! other pairs.

use elf::{Code, Svma};
use rayon::prelude::*;
use symbolize::{FunctionTable, NameOrigin};

use crate::counting::counter::{Counter, EXTERNAL};
use crate::counting::counters::{CounterTable, MANY};

/// Numbers of executions of runs that are doubtful, by reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunQuality {
    /// Number of distinct runs, external ends included.
    pub pairs: usize,
    /// Number of executions of these runs.
    pub total: u64,
    /// Executions of runs with an end that is not at an instruction, or with a last instruction that cannot
    /// branch.
    pub off_boundary: u64,
    /// Executions of runs that start in no function of the debug information.
    pub no_function: u64,
    /// Executions of runs that start in a function that the symbol table names, alone or with another name
    /// than the debug information.
    pub recovered: u64,
    /// Executions of runs that start in a function that only the symbol table names.
    pub named_by_symbol: u64,
    /// Executions of runs that leave the function that they start in.
    pub crosses_function: u64,
    /// Executions of runs in functions that have a call, return or jump inside, or that end before they
    /// start.
    pub broken: u64,
    /// Executions of all runs that are broken in this way, in functions or not. These runs, and no others,
    /// are dropped.
    pub dropped: u64,
    /// Executions of runs that are kept although they start in no function. No source line gets their counts.
    pub homeless: u64,
    /// Executions of runs that end in the binary at an instruction that cannot branch. `off_boundary`
    /// includes them.
    pub ends_at_no_branch: u64,
    /// Each problem of each pair; empty unless [`Judgement::details`] is set.
    pub details: Vec<(Svma, Svma, RunProblem)>,
}

impl RunQuality {
    /// Adds the quality of pairs that come after these.
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

/// A problem of a run.
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
    /// True if the pairs are sampled addresses, which need not be branches.
    pub addresses_only: bool,
    /// True if the problems of each pair are kept.
    pub details: bool,
}

/// Returns the runs that are real, and the quality of all. `pairs` holds (target, next source) of
/// neighbouring entries.
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

/// Adds one pair to the quality. Returns true if the pair is a straight-line run.
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
        // An entry of a jump table has no line that could lose counts: the call counts for the function
        // after the entry.
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

/// Adds `count` to `sum`. Sums wrap around, as llvm-profgen's do, because a text may state any count.
fn add(sum: &mut u64, count: u64) {
    *sum = sum.wrapping_add(count);
}

/// Returns the number of executions of runs that reach bytes which decode to no instruction, and the lowest
/// address of these bytes; `None` if there are no such runs.
pub(crate) fn unknown_code(pairs: &CounterTable, code: &Code<'_>) -> Option<(u64, Svma)> {
    let inside = pairs
        .rows()
        .iter()
        .filter(|pair| pair.first != EXTERNAL && pair.second != EXTERNAL);
    let found = inside.filter_map(|pair| Some((pair.count, code.first_unknown_between(pair.first, pair.second)?)));
    found.reduce(|(sum, lowest), (count, at)| (sum.wrapping_add(count), lowest.min(at)))
}

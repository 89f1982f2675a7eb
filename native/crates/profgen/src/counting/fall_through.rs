//! Which pairs of neighbouring branch entries are straight-line runs, and what is wrong with the others.

use elf::Code;
use job::{Diagnostic, DiagnosticCode};
use symbolize::{FunctionTable, NameOrigin};

use crate::counting::counters::{Counter, CounterTable, EXTERNAL};

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
    /// The run starts in a function that the symbol table had to tell of.
    pub recovered: u64,
    /// The run leaves the function that it starts in.
    pub crosses_function: u64,
    /// Of the runs in functions: a call, return or jump lies inside, or the run ends before it starts.
    pub broken: u64,
    /// All such runs, in functions or not. These, and only these, are dropped.
    pub dropped: u64,
    /// Runs that are kept although they start in no function: there is no source line to count them for.
    pub homeless: u64,
    /// What is wrong with which pair, if that was asked for.
    pub details: Vec<Diagnostic>,
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
    let mut quality = RunQuality {
        pairs: pairs.rows().len(),
        ..RunQuality::default()
    };
    let mut runs = pairs.clone();
    runs.retain(|pair| {
        add(&mut quality.total, pair.count);
        judge(pair, code, functions, judgement, &mut quality)
    });
    (runs, quality)
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
    let mut detail = |text: &str| {
        if judgement.details {
            let message = format!("[{:8x},{:8x}]: {text}", pair.first.0, pair.second.0);
            quality
                .details
                .push(Diagnostic::warning(DiagnosticCode::RangeDetail, message));
        }
    };
    if !judgement.addresses_only && (!starts || !transfers) {
        add(&mut quality.off_boundary, pair.count);
        detail("Range is not on instruction boundary, likely due to profile and binary mismatch.");
    }
    let Some(function) = functions.find(pair.first) else {
        add(&mut quality.no_function, pair.count);
        detail("Range does not belong to any functions, likely from PLT, .init or .fini section.");
        add(&mut quality.homeless, if valid { pair.count } else { 0 });
        return valid;
    };
    if functions.origin(function.function) != NameOrigin::DebugInfo {
        quality.recovered += pair.count;
    }
    if pair.second >= function.end {
        add(&mut quality.crosses_function, pair.count);
        detail("Fall through range should not cross function boundaries, likely due to profile and binary mismatch.");
    }
    if starts && ends && !valid {
        add(&mut quality.broken, pair.count);
        detail("Range start is after or too far from range end.");
    }
    valid
}

impl RunQuality {
    /// The warnings that llvm-profgen prints for these numbers, in its order.
    #[must_use]
    pub fn diagnostics(self) -> Vec<Diagnostic> {
        if self.pairs == 0 {
            return vec![Diagnostic::warning(
                DiagnosticCode::NoSamples,
                "No samples in perf script!",
            )];
        }
        let texts = [
            (
                self.off_boundary,
                DiagnosticCode::OffBoundary,
                "of samples are from ranges that are not on instruction boundary.",
            ),
            (
                self.no_function,
                DiagnosticCode::NoFunction,
                "of samples are from ranges that do not belong to any functions.",
            ),
            (
                self.recovered,
                DiagnosticCode::RecoveredFunction,
                "of samples are from ranges that belong to functions recovered from symbol table.",
            ),
            (
                self.crosses_function,
                DiagnosticCode::CrossesFunction,
                "of samples are from ranges that do cross function boundaries.",
            ),
            (
                self.broken,
                DiagnosticCode::CrossesBarrier,
                "of samples are from ranges that have range start after or too far from range end acrossing the unconditinal jmp.",
            ),
        ];
        let shares = texts
            .into_iter()
            .filter(|(count, ..)| *count > 0)
            .map(|(count, code, text)| Diagnostic::warning(code, format!("{} {text}", share(count, self.total))));
        self.details.into_iter().chain(shares).collect()
    }
}

/// Sums wrap around, as those of llvm-profgen do: a text may state any count.
fn add(sum: &mut u64, count: u64) {
    *sum = sum.wrapping_add(count);
}

/// `12.34%(x/y)`, as llvm-profgen prints shares.
pub(crate) fn share(part: u64, total: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a percentage with two decimals")]
    let percent = part as f64 * 100.0 / total as f64;
    format!("{percent:.2}%({part}/{total})")
}

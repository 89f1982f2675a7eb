//! Finds out from call chains how often each call entered a function.
//!
//! A function takes about the same time for each caller. So each caller's share of the executions is its
//! share of the samples in the function and in the functions that it calls.

use elf::{InstructionClass, Svma};
use flow::Measure;
use rustc_hash::FxHashMap;

use crate::counting::call_sites::CallSite;
use crate::inference::binary::Binary;

/// The callers of each function, by the function's first address.
#[derive(Debug, Default)]
pub(super) struct Callers {
    of: FxHashMap<Svma, Vec<Caller>>,
}

/// A call of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Caller {
    /// Address of the call; `None` if the call is in another file, or if its callee jumped to the function
    /// (tail call).
    pub call: Option<Svma>,
    /// True if the call is direct, so that its code tells how often it is executed.
    pub is_direct: bool,
    /// Number of samples of the function, and of the functions that it calls, below this call.
    pub samples: u64,
}

impl Callers {
    pub(super) fn of(binary: &Binary<'_>, sites: &[CallSite]) -> Self {
        let mut counts: FxHashMap<(Svma, Option<Svma>), (bool, u64)> = FxHashMap::default();
        for site in sites {
            let Some(function) = binary.functions.find(site.inside) else {
                continue;
            };
            let before = site.returns_to.and_then(|svma| binary.code.instruction_before(svma));
            let call = before
                .filter(|before| before.class == InstructionClass::Call)
                .map(|before| before.svma);
            let target = call.and_then(|call| binary.code.direct_target(call));
            let call = call.filter(|_| target.is_none_or(|target| target == function.start));
            let known = counts.entry((function.start, call)).or_default();
            known.0 = target.is_some() && call.is_some();
            known.1 += site.samples;
        }
        let mut of: FxHashMap<Svma, Vec<Caller>> = FxHashMap::default();
        for ((function, call), (is_direct, samples)) in counts {
            of.entry(function).or_default().push(Caller {
                call,
                is_direct,
                samples,
            });
        }
        of.values_mut()
            .for_each(|callers| callers.sort_unstable_by_key(|caller| caller.call));
        Self { of }
    }

    /// Returns the functions that were on a call chain.
    pub(super) fn functions(&self) -> impl Iterator<Item = Svma> {
        self.of.keys().copied()
    }

    /// Divides the executions of a function among its indirect callers. Returns the calls with their counts,
    /// and the executions left for calls that are not known.
    pub(super) fn divide(&self, function: Svma, executions: u64) -> (Vec<(Svma, u64)>, u64) {
        let callers = self.of.get(&function).map(Vec::as_slice).unwrap_or_default();
        let unnamed = || callers.iter().filter(|caller| !caller.is_direct);
        let all: u64 = unnamed().map(|caller| caller.samples).sum();
        let mut left = executions;
        let mut divided = Vec::new();
        for caller in unnamed() {
            let count = (u128::from(executions) * u128::from(caller.samples) / u128::from(all.max(1))) as u64;
            if let (Some(call), true) = (caller.call, count > 0) {
                divided.push((call, count));
                left -= count;
            }
        }
        (divided, left)
    }

    /// Returns, from the executions of functions, how often calls were executed. The weight of each measure
    /// is at most `most` samples. `executions` returns the executions of a function that was solved.
    pub(super) fn measures(&self, executions: impl Fn(Svma) -> Option<f64>, most: f64) -> FxHashMap<Svma, Measure> {
        let mut sums: FxHashMap<Svma, (f64, f64)> = FxHashMap::default();
        for (function, callers) in &self.of {
            let all: u64 = callers.iter().map(|caller| caller.samples).sum();
            let Some(executions) = executions(*function).filter(|executions| *executions > 0.0) else {
                continue;
            };
            for caller in callers {
                let Some(call) = caller.call else { continue };
                let share = caller.samples as f64 / all as f64;
                let sum = sums.entry(call).or_default();
                sum.0 += executions * share;
                sum.1 += caller.samples as f64;
            }
        }
        let measure = |(call, (executions, samples)): (Svma, (f64, f64))| {
            let samples = samples.min(most);
            let measure = Measure {
                samples,
                per_execution: samples / executions,
            };
            (call, measure)
        };
        sums.into_iter().map(measure).collect()
    }
}

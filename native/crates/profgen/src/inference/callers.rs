//! What call chains say of which call entered a function how often.
//!
//! A function takes about as long whoever calls it, so of its executions each caller has the share that it has of the samples in the function
//! and behind it.

use elf::{InstructionClass, Svma};
use flow::Measure;
use rustc_hash::FxHashMap;

use crate::counting::call_sites::CallSite;
use crate::inference::binary::Binary;

/// The callers of each function, by its start.
#[derive(Debug, Default)]
pub(super) struct Callers {
    of: FxHashMap<Svma, Vec<Caller>>,
}

/// A call of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Caller {
    /// The call; `None` if it is in another file, or calls what then jumps to the function.
    pub call: Option<Svma>,
    /// It names the function, so that the code tells how often it is executed.
    pub is_direct: bool,
    /// Samples of the function, and of what it calls, behind this call.
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

    /// The functions that were on a chain.
    pub(super) fn functions(&self) -> impl Iterator<Item = Svma> {
        self.of.keys().copied()
    }

    /// Executions of a function divided among the calls that do not name it, and what is left for calls of which nothing is known.
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

    /// What the executions of functions say of how often calls were executed, with a weight of so many samples at most. `executions`: of a
    /// function, if it was solved.
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

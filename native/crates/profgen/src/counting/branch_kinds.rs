//! Counts branches by kind: the branches that were recorded, and the branches inside of runs that are not
//! straight.

use elf::{Code, InstructionClass};

use crate::counting::counter::{Counter, EXTERNAL};
use crate::counting::counters::CounterTable;

/// Most instructions of a run that are searched. If branches were left out, the next branch is near.
const LOOKED_AT: usize = 256;

const NAMES: [&str; 4] = [
    "calls",
    "returns",
    "direct jumps",
    "conditional branches or indirect jumps",
];
const JUMP: usize = 2;
const BRANCH: usize = 3;

/// Number of executions of each kind of branch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct BranchKinds([u64; NAMES.len()]);

impl BranchKinds {
    /// Adds `count` branches from an instruction of this class.
    pub(crate) fn add(&mut self, class: InstructionClass, count: u64) {
        if let Some(kind) = kind_of(class) {
            self.0[kind] = self.0[kind].wrapping_add(count);
        }
    }

    pub(crate) fn sum(self, other: Self) -> Self {
        Self(std::array::from_fn(|kind| self.0[kind].wrapping_add(other.0[kind])))
    }

    /// Counts, for the runs that are not straight, the executions that must have taken a branch inside, by
    /// the kind of this branch. A run that ends before it starts must have taken a jump. Runs with bytes that
    /// are no known instruction are left out, because the bytes after these may be no instructions either.
    pub(crate) fn inside_of_runs(pairs: &CounterTable, code: &Code<'_>) -> Self {
        let mut found = Self::default();
        let has_ends = |run: &&Counter| run.first != EXTERNAL && run.second != EXTERNAL;
        for run in pairs.rows().iter().filter(has_ends) {
            let mut inside = [false; NAMES.len()];
            if run.second < run.first {
                (inside[JUMP], inside[BRANCH]) = (true, true);
            } else if code.first_unknown_between(run.first, run.second).is_none() {
                let instructions = code.instructions(run.first, run.second).take(LOOKED_AT);
                let passed = instructions.filter(|found| found.svma < run.second && found.class.is_barrier());
                passed
                    .filter_map(|found| kind_of(found.class))
                    .for_each(|kind| inside[kind] = true);
            }
            for (sum, _) in found.0.iter_mut().zip(inside).filter(|(_, is_inside)| *is_inside) {
                *sum = sum.wrapping_add(run.count);
            }
        }
        found
    }

    /// Returns the kinds of branches that `others` has many of and these counts have none of.
    pub(crate) fn missing(&self, others: &Self, is_many: impl Fn(u64) -> bool) -> Vec<&'static str> {
        let kinds = self.0.iter().zip(others.0).zip(NAMES);
        kinds
            .filter(|((own, other), _)| **own == 0 && is_many(*other))
            .map(|(_, name)| name)
            .collect()
    }
}

fn kind_of(class: InstructionClass) -> Option<usize> {
    match class {
        InstructionClass::Call => Some(0),
        InstructionClass::Return => Some(1),
        InstructionClass::Jump => Some(JUMP),
        InstructionClass::Branch => Some(BRANCH),
        InstructionClass::Other => None,
    }
}

//! Whether the branches that were taken are branches of the binary's code.

use elf::{Code, InstructionClass, Svma};
use rayon::prelude::*;

use crate::counting::branch_kinds::BranchKinds;
use crate::counting::counter::{Counter, EXTERNAL};
use crate::counting::counters::{CounterTable, MANY};

/// How many branches within a binary fit its code, weighed by how often they were taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Agreement {
    /// Branches with both ends in the binary's code.
    pub judged: u64,
    /// Of these, with an end at no instruction, from an instruction that is no branch, or to where the instruction does not go.
    pub wrong: u64,
    /// What the branches start at.
    pub sources: BranchKinds,
}

impl Agreement {
    /// `branches` are those of samples, whose targets are instructions; `misplaced` more have an end at no instruction.
    pub(crate) fn of(branches: &CounterTable, misplaced: u64, code: &Code<'_>) -> Self {
        let of_some = |branches: &[Counter]| {
            let mut found = Self::default();
            for branch in branches.iter().filter(|branch| branch.first != EXTERNAL) {
                found.add(branch.first, branch.second, branch.count, code);
            }
            found
        };
        let misplaced = Self {
            judged: misplaced,
            wrong: misplaced,
            ..Self::default()
        };
        let found = branches.rows().par_chunks(MANY).map(of_some);
        misplaced.sum(found.reduce(Self::default, Self::sum))
    }

    fn sum(self, other: Self) -> Self {
        Self {
            judged: self.judged.wrapping_add(other.judged),
            wrong: self.wrong.wrapping_add(other.wrong),
            sources: self.sources.sum(other.sources),
        }
    }

    /// Of branches whose ends may be anywhere. Where nothing is decoded, such as in `.plt`, nothing is judged. Nor are conditional branches to
    /// the next instruction: Arm SPE samples those that were not taken, too.
    pub(crate) fn of_any(branches: impl Iterator<Item = (Svma, Svma, u64)>, code: &Code<'_>) -> Self {
        let mut found = Self::default();
        let is_judged = |&(from, to, _): &(Svma, Svma, u64)| {
            code.is_decoded_at(from) && code.is_decoded_at(to) && !goes_straight_on(from, to, code)
        };
        for (from, to, count) in branches.filter(is_judged) {
            if code.class_at(to).is_some() {
                found.add(from, to, count, code);
            } else {
                found.judged = found.judged.wrapping_add(count);
                found.wrong = found.wrong.wrapping_add(count);
            }
        }
        found
    }

    fn add(&mut self, from: Svma, to: Svma, count: u64, code: &Code<'_>) {
        self.judged = self.judged.wrapping_add(count);
        let class = code.class_at(from);
        if !class.is_some_and(|class| code.agrees_with(from, class, to)) {
            self.wrong = self.wrong.wrapping_add(count);
        }
        if let Some(class) = class {
            self.sources.add(class, count);
        }
    }
}

/// Whether the instruction at `from` is a conditional branch, and that at `to` the next one.
fn goes_straight_on(from: Svma, to: Svma, code: &Code<'_>) -> bool {
    code.class_at(from) == Some(InstructionClass::Branch)
        && code.instructions(from, to).nth(1).is_some_and(|next| next.svma == to)
}

//! Checks whether the branches that were taken are branches of the binary's code.

use elf::{Code, InstructionClass, Svma};
use rayon::prelude::*;

use crate::counting::branch_kinds::BranchKinds;
use crate::counting::counter::{Counter, EXTERNAL};
use crate::counting::counters::{CounterTable, MANY};

/// Number of branches within a binary, and of those that do not fit its code. Each branch counts as often as
/// it was taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Agreement {
    /// Number of branches with both ends in the binary's code.
    pub judged: u64,
    /// Number of these branches that have an end at no instruction, that start at an instruction which is no
    /// branch, or that go to an address which the instruction does not go to.
    pub wrong: u64,
    /// Number of branches by the kind of the instruction at the source.
    pub sources: BranchKinds,
}

impl Agreement {
    /// Judges the `branches` of samples, whose targets are instructions. `misplaced` further branches have an
    /// end at no instruction.
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

    /// Judges branches whose ends may lie at any address. Branches in code that is not decoded, such as
    /// `.plt`, are left out. So are conditional branches to the next instruction, because Arm SPE also
    /// samples branches that were not taken.
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

/// Returns true if the instruction at `from` is a conditional branch, and the instruction at `to` is the next
/// one.
fn goes_straight_on(from: Svma, to: Svma, code: &Code<'_>) -> bool {
    code.class_at(from) == Some(InstructionClass::Branch)
        && code.instructions(from, to).nth(1).is_some_and(|next| next.svma == to)
}

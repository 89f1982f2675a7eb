//! Whether the branches that were taken are branches of the binary's code.

use elf::{Code, InstructionClass};

use crate::counting::counter::EXTERNAL;
use crate::counting::counters::CounterTable;

/// How many branches within a binary fit its code, weighed by how often they were taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Agreement {
    /// Branches with both ends in the binary's code.
    pub judged: u64,
    /// Of these, with an end at no instruction, from an instruction that is no branch, or to where the instruction does not go.
    pub wrong: u64,
    /// Branches that start at calls, at returns, at direct jumps, and at conditional branches or indirect jumps.
    sources: [u64; 4],
}

impl Agreement {
    /// `branches` are those whose target is code; `misplaced` more have an end at no instruction.
    pub(crate) fn of(branches: &CounterTable, misplaced: u64, code: &Code<'_>) -> Self {
        let mut found = Self {
            judged: misplaced,
            wrong: misplaced,
            ..Self::default()
        };
        for branch in branches.rows().iter().filter(|branch| branch.first != EXTERNAL) {
            found.judged = found.judged.wrapping_add(branch.count);
            if !code.agrees_with(branch.first, branch.second) {
                found.wrong = found.wrong.wrapping_add(branch.count);
            }
            let source = match code.class_at(branch.first) {
                Some(InstructionClass::Call) => 0,
                Some(InstructionClass::Return) => 1,
                Some(InstructionClass::Jump) => 2,
                Some(InstructionClass::Branch) => 3,
                Some(InstructionClass::Other) | None => continue,
            };
            found.sources[source] = found.sources[source].wrapping_add(branch.count);
        }
        found
    }

    /// The kind of instruction that all branches start at, if it is one.
    pub(crate) fn only_kind(&self) -> Option<&'static str> {
        const KINDS: [&str; 4] = [
            "calls",
            "returns",
            "direct jumps",
            "conditional branches or indirect jumps",
        ];
        let mut found = self.sources.iter().zip(KINDS).filter(|(count, _)| **count > 0);
        let (_, kind) = found.next()?;
        found.next().is_none().then_some(kind)
    }
}

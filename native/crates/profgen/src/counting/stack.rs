//! Counts the entries of a branch stack as traces.

use perfdata::{Avma, Branch, Speculation};

use crate::account::ledger::EntryClass;
use crate::addresses::locate::{Place, View, stronger};
use crate::binaries::code_space::{CodeOffset, NO_END, OUTSIDE};
use crate::binaries::id::BinaryId;
use crate::binaries::target::{BySide, Targets};
use crate::counting::ends::{Ends, Noted, OneEnd};
use crate::counting::resolved::{RawEntry, Resolved};
use crate::counting::trace::TraceTable;
use crate::request::policy::Policy;

/// The rules that decide which entries of a stack are branches that happened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EntryRules {
    /// True if entries on wrong paths and slots that the CPU had not filled are dropped.
    drops_unreal: bool,
}

impl EntryRules {
    /// The rules for entries that a collection has kept: all of them are branches that happened.
    pub(crate) const KEPT: Self = Self { drops_unreal: false };

    /// Returns the rules that the job's policy asks for.
    pub(crate) fn of(policy: Policy) -> Self {
        Self {
            drops_unreal: policy.drops_unreal_entries,
        }
    }

    /// Returns true if the CPU had not filled this slot.
    pub(crate) fn is_unfilled(self, branch: Branch) -> bool {
        self.drops_unreal && branch.from.0 | branch.to.0 == 0
    }
}

/// The targets that do not count a sample, although other targets may.
#[derive(Clone, Copy)]
pub(crate) struct Except<'a> {
    pub targets: &'a Targets<'a>,
    /// True for each side whose targets do not count the sample.
    pub sides: BySide<bool>,
    /// Another target that does not count it.
    pub target: Option<BinaryId>,
}

impl Except<'_> {
    fn has(&self, id: BinaryId) -> bool {
        self.target == Some(id) || *self.sides.of(self.targets[id].side())
    }
}

/// A branch stack, the newest entry first.
pub(crate) struct Stack<'a, I> {
    pub branches: I,
    /// Number of samples that have this stack.
    pub times: u64,
    /// Number of the view of the process's address space.
    pub view: u16,
    /// `None` if all targets count the sample.
    pub except: Option<Except<'a>>,
}

impl<I: Iterator<Item = Branch>> Stack<'_, I> {
    /// Pairs each entry with the newer entry next to it. A target does not see the entries that have no end
    /// in it, so a call into another file and the return from it are neighbours. Returns true if any entry
    /// was used.
    #[inline]
    pub(crate) fn count(self, view: &mut View<'_>, rules: EntryRules, traces: &mut TraceTable) -> bool {
        match traces.ends.take() {
            None => self.walk(&mut OneEnd::new(), view, rules, traces),
            Some(mut ends) => {
                ends.begin();
                let used = self.walk(&mut ends, view, rules, traces);
                traces.ends = Some(ends);
                used
            }
        }
    }

    /// Counts the stack as [`Stack::count`] does, and appends the ends of the entries that were used.
    pub(crate) fn count_noting(
        self,
        view: &mut View<'_>,
        rules: EntryRules,
        traces: &mut TraceTable,
        entries: &mut Vec<(CodeOffset, CodeOffset)>,
    ) -> bool {
        match traces.ends.take() {
            None => self.walk(&mut Noted::new(OneEnd::new(), entries), view, rules, traces),
            Some(mut ends) => {
                ends.begin();
                let mut ends = Noted::new(ends, entries);
                let used = self.walk(&mut ends, view, rules, traces);
                traces.ends = Some(ends.into_inner());
                used
            }
        }
    }

    #[inline]
    fn walk(self, ends: &mut impl Ends, view: &mut View<'_>, rules: EntryRules, traces: &mut TraceTable) -> bool {
        let mut newer = Avma(0);
        let is_usual = self.times == 1 && self.except.is_none();
        for branch in self.branches {
            if is_wrong_path(branch, rules) {
                traces.add_lost(EntryClass::WrongPath, self.times);
                continue;
            }
            let entry = RawEntry {
                from: branch.from.0,
                to: branch.to.0,
                view: self.view,
            };
            let resolved = if is_usual {
                traces.add(entry, newer, ends, || resolve(branch, view, rules))
            } else {
                let mut resolved = resolve(branch, view, rules);
                if let Some(except) = self.except {
                    resolved = resolved.without(|id| except.has(id));
                }
                traces.add_times(ends.of(&resolved), resolved, self.times);
                resolved
            };
            ends.note(&resolved);
            newer = branch.from;
        }
        ends.latest() != NO_END
    }
}

/// Returns the number of events that each run of one stack stands for: `events` divided by the number of
/// runs. A stack has one run less than it has used entries.
pub(crate) fn events_of(
    events: u64,
    branches: impl Iterator<Item = Branch>,
    view: &mut View<'_>,
    rules: EntryRules,
) -> u64 {
    let mut is_used = |branch: &Branch| {
        !is_wrong_path(*branch, rules) && matches!(resolve(*branch, view, rules), Resolved::Used { .. })
    };
    let used = branches.filter(&mut is_used).count() as u64;
    events / used.saturating_sub(1).max(1)
}

/// Returns true if the CPU recorded a branch that did not happen. llvm-profgen counts such branches as well.
#[inline]
pub(crate) fn is_wrong_path(branch: Branch, rules: EntryRules) -> bool {
    rules.drops_unreal && branch.flags.speculation() == Speculation::WrongPath
}

fn resolve(branch: Branch, view: &mut View<'_>, rules: EntryRules) -> Resolved {
    if rules.is_unfilled(branch) {
        return Resolved::Lost(EntryClass::UnfilledSlot);
    }
    resolved(view.locate_source(branch.from), view.locate_target(branch.to))
}

/// Returns the branch between two places.
pub(crate) fn resolved(source: Place, destination: Place) -> Resolved {
    let places = (source, destination);
    let (from, to, from_target, to_target) = match places {
        // This is a branch on the way into a function that is counted already.
        (Place::Preamble(function), Place::Code(to, _)) if to == function => return Resolved::Lost(EntryClass::Stub),
        (Place::Code(from, from_target), Place::Code(to, to_target)) => (from, to, from_target, to_target),
        (Place::Code(from, target), _) => (from, OUTSIDE, target, target),
        (_, Place::Code(to, target)) => (OUTSIDE, to, target, target),
        (Place::Misplaced(target), _) | (_, Place::Misplaced(target)) => return Resolved::Misplaced(target),
        (from, to) => return Resolved::Lost(stronger(from.class(), to.class())),
    };
    Resolved::Used {
        from,
        to,
        from_target,
        to_target,
        misplaced: match places {
            (Place::Misplaced(target), _) | (_, Place::Misplaced(target)) => Some(target),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binaries::id::BinaryId;

    #[test]
    fn an_end_at_no_instruction_counts_against_the_binary_that_it_is_in() {
        let [one, other] = [1, 2].map(BinaryId::of);
        let code = Place::Code(7, one);
        let used = |from, to, misplaced| Resolved::Used {
            from,
            to,
            from_target: one,
            to_target: one,
            misplaced,
        };
        for target in [one, other] {
            let misplaced = Place::Misplaced(target);
            assert_eq!(resolved(code, misplaced), used(7, OUTSIDE, Some(target)));
            assert_eq!(resolved(misplaced, code), used(OUTSIDE, 7, Some(target)));
        }
        let unmapped = Place::Lost(EntryClass::Unmapped);
        assert_eq!(resolved(code, unmapped), used(7, OUTSIDE, None));
        assert_eq!(resolved(unmapped, Place::Misplaced(other)), Resolved::Misplaced(other));
    }
}

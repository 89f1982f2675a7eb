//! From the entries of a branch stack to counted traces.

use perfdata::{Branch, Speculation};

use crate::ledger::EntryClass;
use crate::locate::{Place, View, stronger};
use crate::options::Compat;
use crate::trace::{NO_END, OUTSIDE, RawTrace, Resolved, TraceTable};

/// A branch stack, newest entry first.
pub(crate) struct Stack<I> {
    pub branches: I,
    /// How often it was sampled.
    pub times: u64,
    /// Number of the view of its address space.
    pub view: u16,
}

impl<I: Iterator<Item = Branch>> Stack<I> {
    /// Pairs each entry with the one newer than it. Entries that have no end in the binary are dropped first, so that a call into another
    /// file and the return from it are neighbours. True if any entry was used.
    #[inline]
    pub(crate) fn count(self, view: &mut View<'_>, compat: Compat, traces: &mut TraceTable) -> bool {
        let mut end = NO_END;
        for branch in self.branches {
            if let Some(class) = artefact(branch, compat) {
                traces.add_lost(class, self.times);
                continue;
            }
            let trace = RawTrace {
                from: branch.from.0,
                to: branch.to.0,
                end,
                view: self.view,
            };
            let resolved = if self.times == 1 {
                traces.add(trace, || resolve(branch, view))
            } else {
                let resolved = resolve(branch, view);
                traces.add_times(end, resolved, self.times);
                resolved
            };
            if let Resolved::Used { from, .. } = resolved {
                end = from;
            }
        }
        end != NO_END
    }
}

/// What the CPU recorded although it did not happen. llvm-profgen counts that as well.
#[inline]
fn artefact(branch: Branch, compat: Compat) -> Option<EntryClass> {
    if compat == Compat::LlvmProfgen {
        None
    } else if branch.from.0 | branch.to.0 == 0 {
        Some(EntryClass::UnfilledSlot)
    } else if branch.flags.speculation() == Speculation::WrongPath {
        Some(EntryClass::WrongPath)
    } else {
        None
    }
}

fn resolve(branch: Branch, view: &mut View<'_>) -> Resolved {
    match (view.locate_source(branch.from), view.locate_target(branch.to)) {
        (Place::Lost(from), Place::Lost(to)) => Resolved::Lost(stronger(from, to)),
        (Place::Code(from), Place::Lost(_)) => Resolved::Used { from, to: OUTSIDE },
        (Place::Lost(_), Place::Code(to)) => Resolved::Used { from: OUTSIDE, to },
        (Place::Code(from), Place::Code(to)) => Resolved::Used { from, to },
    }
}

//! Counts sampled branches, each of which is a sample of its own (Arm SPE), and the straight code that was
//! executed with them.
//!
//! If the CPU records the target of the previous branch, execution went straight from this target to the
//! sampled branch. Each run ends with one taken branch, so the runs of the sampled branches tell how often
//! all runs were executed. Branches that were not taken lie within runs. Their samples are left out: if the
//! part of the run before them counted as well, the beginnings of runs would become too hot.
//!
//! If the CPU does not record that target, execution went on straight from the sampled branch, taken or not,
//! to the next branch, call or return. All code is executed between two such instructions, so these stretches
//! tell how often the code was executed.

use perfdata::{Avma, Sample};

use crate::account::ledger::EntryClass;
use crate::addresses::locate::{Place, View, stronger};
use crate::counting::stack::resolved;
use crate::counting::trace::TraceTable;

/// Returns true for a sampled branch that was not taken, if the CPU recorded the target of the branch before.
pub(crate) fn is_inside_a_run(sample: &Sample<'_>) -> bool {
    let is_taken = |branch: perfdata::Branch| !branch.flags.not_taken();
    sample.one_branch && sample.branches.len() > 1 && !sample.branches.get(0).is_none_or(is_taken)
}

/// Counts a sample that is one branch. `times` is the number of such samples.
pub(crate) fn count(sample: &Sample<'_>, times: u64, view: &mut View<'_>, traces: &mut TraceTable) {
    let Some(branch) = sample.branches.get(0) else { return };
    let run_start: Option<Avma> = sample.branches.get(1).map(|before| before.to);
    match (branch.flags.not_taken(), run_start) {
        (true, Some(_)) => traces.add_lost(EntryClass::NotTaken, times),
        (true, None) => {
            let (source, next) = (view.locate_source(branch.from), view.locate_target(branch.to));
            traces.add_stretch(run_after(source, next), times);
        }
        (false, None) => {
            let branch = resolved(view.locate_source(branch.from), view.locate_target(branch.to));
            traces.add_with_stretch(branch, times);
        }
        (false, Some(start)) => {
            let (source, destination) = (view.locate_source(branch.from), view.locate_target(branch.to));
            traces.add_with_run(
                resolved(source, destination),
                [view.locate_target(start), source],
                times,
            );
        }
    }
}

/// Returns the place where the run after a branch that was not taken begins: the next instruction. If no code of
/// a binary is there, the class of the place also depends on the place of the branch. A trace shard has only rows
/// of mapped files, so it cannot tell other mapped files from memory where nothing is mapped.
pub(crate) fn run_after(branch: Place, next: Place) -> Place {
    match (branch.class(), next) {
        (_, Place::Code(..)) => next,
        (EntryClass::Used, lost) => Place::Lost(stronger(EntryClass::OutsideBinary, lost.class())),
        (class, lost) => Place::Lost(stronger(class, lost.class())),
    }
}

//! Counting sampled branches, each of which is a sample of its own (Arm SPE), and the straight code that ran with them.
//!
//! If the CPU says where the previous branch went, execution went straight from there to the sampled branch. Each run ends with one taken branch,
//! so the runs of the sampled ones tell how often all were executed. Branches that were not taken lie within runs: to count the part of
//! the run before them as well would make the beginnings of runs too hot, so these samples are left out.
//!
//! If the CPU does not say so, execution went on straight from where the sampled branch led to, taken or not, to the next branch, call or return.
//! All code is executed between two such instructions, so these stretches tell how often it was.

use perfdata::{Avma, Sample};

use crate::account::ledger::EntryClass;
use crate::addresses::locate::View;
use crate::counting::stack::resolved;
use crate::counting::trace::TraceTable;

/// True for a sampled branch that was not taken, where the CPU says where the branch before went.
pub(crate) fn is_inside_a_run(sample: &Sample<'_>) -> bool {
    let is_taken = |branch: perfdata::Branch| !branch.flags.not_taken();
    sample.one_branch && sample.branches.len() > 1 && !sample.branches.get(0).is_none_or(is_taken)
}

/// Counts a sample that is one branch, so many times.
pub(crate) fn count(sample: &Sample<'_>, times: u64, view: &mut View<'_>, traces: &mut TraceTable) {
    let Some(branch) = sample.branches.get(0) else { return };
    let run_start: Option<Avma> = sample.branches.get(1).map(|before| before.to);
    match (branch.flags.not_taken(), run_start) {
        (true, Some(_)) => traces.add_lost(EntryClass::NotTaken, times),
        (true, None) => {
            let behind = view.locate_target(branch.to);
            traces.add_stretch(behind, times);
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

//! Traces as text: BOLT's pre-aggregated profile (LLVM: bolt/include/bolt/Profile/DataAggregator.h).
//!
//! ```text
//! T <branch> <target> <last of the run after it> <count>
//! B <branch> <target> <count> <mispredictions>
//! F <first of a run> <last of it> <count>
//! ```
//!
//! Addresses are addresses of the file, in hexadecimal digits; 0 stands for every place outside of the binary. A line
//! of `T` has no place for mispredictions. So each branch also has a line of `B`: it has the mispredictions of all
//! traces of the branch, and the count of the traces without a run.

use std::collections::BTreeMap;
use std::fmt::Write;

use elf::Svma;

use crate::counting::bolt::{Taken, TargetTraces};

/// Returns the text of the traces of a binary.
#[must_use]
pub(crate) fn write(traces: &TargetTraces) -> String {
    let address = |end: Option<Svma>| end.map_or(0, |end| end.0);
    let mut branches: BTreeMap<(u64, u64), Taken> = BTreeMap::new();
    let mut out = String::new();
    for (trace, taken) in traces {
        if trace.is_run {
            let _ = writeln!(
                out,
                "F {:x} {:x} {}",
                address(trace.to),
                address(trace.end),
                taken.count
            );
            continue;
        }
        let (from, to) = (address(trace.from), address(trace.to));
        let branch = branches.entry((from, to)).or_default();
        branch.mispredictions = branch.mispredictions.wrapping_add(taken.mispredictions);
        match trace.end {
            Some(end) => {
                let _ = writeln!(out, "T {from:x} {to:x} {:x} {}", end.0, taken.count);
            }
            None => branch.count = branch.count.wrapping_add(taken.count),
        }
    }
    for ((from, to), taken) in branches {
        if taken != Taken::default() {
            let _ = writeln!(out, "B {from:x} {to:x} {} {}", taken.count, taken.mispredictions);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counting::bolt::BoltTrace;

    #[test]
    fn mispredictions_of_all_traces_of_a_branch_are_in_one_line() {
        let trace = |from, to, end, count, mispredictions| {
            let trace = BoltTrace {
                from: (from != 0).then_some(Svma(from)),
                to: (to != 0).then_some(Svma(to)),
                end: (end != 0).then_some(Svma(end)),
                is_run: false,
            };
            (trace, Taken { count, mispredictions })
        };
        let mut run = trace(0, 0x60, 0x68, 9, 0);
        run.0.is_run = true;
        let traces = vec![
            trace(0, 0x40, 0x44, 3, 0),
            trace(0x10, 0x20, 0, 2, 1),
            trace(0x10, 0x20, 0x2c, 7, 2),
            trace(0x10, 0x20, 0x3c, 5, 0),
            trace(0x50, 0, 0, 4, 0),
            run,
        ];
        let expected = "T 0 40 44 3\nT 10 20 2c 7\nT 10 20 3c 5\nF 60 68 9\nB 10 20 2 3\nB 50 0 4 0\n";
        assert_eq!(write(&traces), expected);
    }
}

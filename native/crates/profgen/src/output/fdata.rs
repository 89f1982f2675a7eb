//! Traces as text: BOLT's own profile (LLVM: bolt/include/bolt/Profile/DataReader.h), as perf2bolt writes it.
//!
//! ```text
//! 1 <function> <offset> 1 <function> <offset> <mispredictions> <count>
//! 1 <function> <offset> 0 [unknown] 0 <mispredictions> <count>
//! ```
//!
//! Each line is a branch, or an edge that runs pass between two neighbouring blocks of a function. Returns have
//! no line.

use std::collections::BTreeMap;
use std::fmt::Write;

use bolt::{Before, Place, Program, Run};
use elf::{Arch, Code, Image, Svma};
use job::{Error, ErrorCode};
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::counting::bolt::{Taken, TargetTraces};

/// Target of a branch. `None` stands for code outside of the program, and comes first.
type Destination<'a> = Option<(&'a str, u64)>;

/// Branches by their source and their target.
type Lines<'a> = BTreeMap<(u64, Destination<'a>), Taken>;

/// Name of the section in which BOLT notes the addresses that code had before BOLT moved it.
const TRANSLATION: &str = ".note.bolt_bat";

/// Refuses programs whose addresses mean something else to BOLT.
pub(crate) fn check(image: &Image) -> Result<(), Error> {
    let refused = |what: &str, hint: &str| {
        let message = format!("{}: {what}", image.path().display());
        Err(Error::new(ErrorCode::Unsupported, message)
            .path(image.path())
            .hint(hint))
    };
    if image.arch() == Arch::X86 {
        return refused(
            "the program is for i386, and BOLT takes programs for x86-64 and AArch64 only",
            "Build the program for x86-64.",
        );
    }
    if image.section(TRANSLATION).is_some() {
        return refused(
            "BOLT has already rearranged the program, and only perf2bolt can translate its addresses back",
            "Write {--format=preaggregated}, and give that to `perf2bolt -pa`.",
        );
    }
    Ok(())
}

/// Returns the text of the traces of a binary.
#[must_use]
pub(crate) fn write(traces: &TargetTraces, image: &Image, code: &Code<'_>) -> String {
    let program = Program::of(image, code);
    let mut branches: FxHashMap<(Option<Place>, Option<Place>), Taken> = FxHashMap::default();
    let mut runs: FxHashMap<usize, Vec<(Run, bool, u64)>> = FxHashMap::default();
    for (trace, taken) in traces {
        let after_return = trace.from.is_some_and(|from| program.is_return(from));
        let place = |end: Option<Svma>| end.and_then(|svma| program.find(svma));
        let (from, to) = (place(trace.from), place(trace.to));
        if !trace.is_run && !after_return && (from.is_some() || to.is_some()) {
            branches.entry((from, to)).or_default().add(*taken);
        }
        if let (Some(to), Some(first), Some(through)) = (to, trace.to, trace.end)
            && place(trace.end).is_some_and(|end| end.function == to.function)
        {
            let run = Run {
                before: match trace.from {
                    _ if trace.is_run => Before::Unknown,
                    None => Before::Elsewhere,
                    Some(from) => Before::Branch(from),
                },
                from: first,
                through,
            };
            let of_function = runs.entry(to.function).or_default();
            of_function.push((run, after_return, taken.count));
        }
    }
    for (edge, count) in edges(&program, runs) {
        let taken = Taken {
            count,
            mispredictions: 0,
        };
        branches.entry(edge).or_default().add(taken);
    }
    text(&program, &branches)
}

type Edge = (Option<Place>, Option<Place>);

/// Returns the number of runs that go from each block to the next.
fn edges(program: &Program<'_>, runs: FxHashMap<usize, Vec<(Run, bool, u64)>>) -> Vec<(Edge, u64)> {
    let of_function = |(function, runs): (usize, Vec<(Run, bool, u64)>)| {
        let mut counts: FxHashMap<Edge, u64> = FxHashMap::default();
        let Some(blocks) = program.blocks(function) else {
            return counts;
        };
        let start = program.functions()[function].start;
        let place = |svma: Svma| {
            Some(Place {
                function,
                offset: svma.0.wrapping_sub(start.0),
            })
        };
        for (run, after_return, count) in runs {
            for (from, to) in blocks.edges(run, after_return).unwrap_or_default() {
                let known = counts.entry((place(from), place(to))).or_default();
                *known = known.wrapping_add(count);
            }
        }
        counts
    };
    runs.into_par_iter().flat_map_iter(of_function).collect()
}

/// Returns the text: functions by name, and for each function first the branches that leave it.
fn text(program: &Program<'_>, branches: &FxHashMap<Edge, Taken>) -> String {
    let name = |place: Place| (program.functions()[place.function].name.as_str(), place.offset);
    let mut of_functions: BTreeMap<&str, (Lines<'_>, BTreeMap<u64, Taken>)> = BTreeMap::new();
    for (&(from, to), taken) in branches {
        match (from.map(name), to.map(name)) {
            (Some((function, offset)), to) => {
                let lines = &mut of_functions.entry(function).or_default().0;
                lines.entry((offset, to)).or_default().add(*taken);
            }
            (None, Some((function, offset))) => {
                let entries = &mut of_functions.entry(function).or_default().1;
                entries.entry(offset).or_default().add(*taken);
            }
            (None, None) => {}
        }
    }
    let mut out = String::new();
    for (function, (lines, entries)) in of_functions {
        for ((offset, to), taken) in lines {
            location(&mut out, Some((function, offset)));
            location(&mut out, to);
            counts(&mut out, taken);
        }
        for (offset, taken) in entries {
            location(&mut out, None);
            location(&mut out, Some((function, offset)));
            counts(&mut out, taken);
        }
    }
    out
}

fn location(out: &mut String, place: Destination<'_>) {
    match place {
        None => out.push_str("0 [unknown] 0 "),
        Some((name, offset)) => {
            out.push_str("1 ");
            for character in name.chars() {
                if matches!(character, ' ' | '\\') {
                    out.push('\\');
                }
                out.push(character);
            }
            let _ = write!(out, " {offset:x} ");
        }
    }
}

fn counts(out: &mut String, taken: Taken) {
    let _ = writeln!(out, "{} {}", taken.mispredictions, taken.count);
}

//! Counters of one binary to its profile.

use image::{Code, Image, Svma};
use sampleprof::Profile;
use symbolize::{DebugInfo, FrameTable, FunctionTable};

use crate::attribute::{Counting, Source, attribute};
use crate::counters::{Counter, Counters};
use crate::discriminator::DiscriminatorKind;
use crate::disjoint::disjoint_ranges;
use crate::entry_points::EntryPoints;
use crate::error::Error;
use crate::failure::symbolize_error;
use crate::observer::{Observer, Phase, Progress, keep_going};
use crate::options::GenerateOptions;

/// A binary with everything that is known of its code.
pub(crate) struct Binary<'a> {
    pub image: &'a Image,
    pub code: &'a Code<'a>,
    pub debug: &'a DebugInfo,
    pub functions: &'a FunctionTable,
    pub entries: EntryPoints<'a>,
}

/// Symbolizes `counters`.
pub(crate) fn profile(
    binary: &Binary<'_>,
    counters: &Counters,
    options: &GenerateOptions,
    observer: &dyn Observer,
) -> Result<Profile, Error> {
    let Binary {
        image,
        code,
        debug,
        functions,
        entries,
    } = binary;
    observer.progress(Progress {
        phase: Phase::Symbolize,
        done: 0,
        total: 0,
    });
    let ranges = disjoint_ranges(&with_zero_ranges(
        counters.ranges.rows(),
        functions,
        options.fill_zero_for_all_funcs,
    ));
    let branches = counters.branches.rows();
    let keep_going = keep_going(observer);
    let frames =
        FrameTable::build(debug, &places_of_interest(&ranges, branches), &keep_going).map_err(symbolize_error)?;

    observer.progress(Progress {
        phase: Phase::Attribute,
        done: 0,
        total: 0,
    });
    let discriminators = if image.has_fs_discriminators() {
        DiscriminatorKind::FlowSensitive
    } else {
        DiscriminatorKind::Packed
    };
    let source = Source {
        code,
        frames: &frames,
        entries,
        functions,
        discriminators,
        counting: if options.leading_ip_only {
            Counting::Sum
        } else {
            Counting::Most
        },
    };
    let mut profile = attribute(&source, &ranges, branches);
    profile.raise_callsites();
    if options.update_total_samples {
        profile.update_total_samples();
    }
    if options.populate_profile_symbol_list {
        let mut names: Vec<&[u8]> = functions
            .start_ranges()
            .map(|range| functions.name(range.function))
            .collect();
        names.sort_unstable();
        names.dedup();
        profile.symbols = Some(names.into_iter().map(|name| profile.names.intern(name)).collect());
    }
    Ok(profile)
}

/// Adds a zero count for all code of the functions that ranges start in, so that lines never executed are known as such.
///
/// A function is all code of its name: a hit on one static `init` fills the others too, as in llvm-profgen.
fn with_zero_ranges(ranges: &[Counter], functions: &FunctionTable, all: bool) -> Vec<Counter> {
    let mut filled = ranges.to_vec();
    let mut touched: Vec<_> = if all {
        functions.functions().collect()
    } else {
        ranges
            .iter()
            .filter_map(|range| functions.find(range.first))
            .map(|found| found.function)
            .collect()
    };
    touched.sort_unstable();
    touched.dedup();
    for function in touched {
        for &(start, end) in functions.ranges_of(function) {
            let (first, second) = (start, Svma(end.0.wrapping_sub(1)));
            // An identical range that was executed keeps its count: it is no edge of "never executed".
            if ranges
                .binary_search_by_key(&(first, second), |range| (range.first, range.second))
                .is_err()
            {
                filled.push(Counter {
                    first,
                    second,
                    count: 0,
                });
            }
        }
    }
    filled
}

/// Where lines must be known: in all ranges, and at the sources of branches. Ascending, disjoint, half-open.
fn places_of_interest(ranges: &[Counter], branches: &[Counter]) -> Vec<(Svma, Svma)> {
    let sources = branches
        .iter()
        .map(|branch| (branch.first, branch.first.wrapping_add(1)));
    let mut places: Vec<_> = ranges
        .iter()
        .map(|range| (range.first, Svma(range.second.0.saturating_add(1))))
        .chain(sources)
        .collect();
    places.sort_unstable();
    places.dedup_by(|next, kept| {
        let joins = next.0 <= kept.1;
        if joins {
            kept.1 = kept.1.max(next.1);
        }
        joins
    });
    places
}

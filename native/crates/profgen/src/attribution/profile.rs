//! Makes the profile of one binary from its counters.

use elf::{Code, Image, Svma};
use job::failure::{probe_error, symbolize_error, write_error};
use job::{Diagnostic, Error, Observer, Phase, Progress, keep_going};
use sampleprof::Profile;
use symbolize::{DebugInfo, FrameTable, FunctionId, FunctionTable, Piece};

use crate::attribution::attribute::{Counting, Source, attribute, calls, heads};
use crate::attribution::attribute_probes::{ProbeSource, attribute_probes};
use crate::attribution::damage;
use crate::attribution::discriminator::DiscriminatorKind;
use crate::attribution::disjoint::disjoint_ranges;
use crate::attribution::entry_points::EntryPoints;
use crate::attribution::probes::Probes;
use crate::binaries::debug::profiles_by_probes;
use crate::counting::counter::Counter;
use crate::counting::counters::Counters;
use crate::request::options::GenerateOptions;
use crate::request::words::Words;

/// A binary, its code and its debug information.
pub(crate) struct Binary<'a> {
    pub image: &'a Image,
    pub code: &'a Code<'a>,
    pub debug: &'a DebugInfo,
    pub functions: &'a FunctionTable,
    pub entries: EntryPoints<'a>,
}

/// Attributes `counters` to probes if the binary has them, or else to source lines. There may be millions of
/// lines, so the counters are freed before functions are built from the lines.
pub(crate) fn profile(
    binary: &Binary<'_>,
    counters: Counters,
    options: &GenerateOptions,
    observer: &dyn Observer,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<Profile, Error> {
    observer.progress(Progress::start(Phase::Symbolize));
    let ranges = disjoint_ranges(&with_zero_ranges(
        counters.ranges.rows(),
        binary.functions,
        options.fill_zero_for_all_funcs,
    ));
    let mut profile = if profiles_by_probes(binary.image, options) {
        by_probes(binary, &ranges, &counters, options, observer, diagnostics)?
    } else {
        by_lines(binary, ranges, counters, options, observer, diagnostics)?
    };
    profile.raise_callsites();
    if options.update_total_samples {
        profile.update_total_samples();
    }
    add_symbol_list(&mut profile, binary.functions, options);
    Ok(profile)
}

/// Adds the functions of the binary to the profile's symbol list, if the options ask for it.
pub(crate) fn add_symbol_list(profile: &mut Profile, functions: &FunctionTable, options: &GenerateOptions) {
    if options.populate_profile_symbol_list {
        let mut names: Vec<&[u8]> = functions
            .start_ranges()
            .map(|range| functions.name(range.function))
            .collect();
        names.sort_unstable();
        names.dedup();
        profile.symbols = Some(names.into_iter().map(|name| profile.names.intern(name)).collect());
    }
}

fn by_lines(
    binary: &Binary<'_>,
    ranges: Vec<Counter>,
    counters: Counters,
    options: &GenerateOptions,
    observer: &dyn Observer,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<Profile, Error> {
    let Counters {
        ranges: counted,
        branches,
        ..
    } = counters;
    let places = places_of_interest(&ranges, branches.rows());
    let calls = calls(binary.code, &binary.entries, branches.rows());
    drop(branches);
    observer.progress(Progress::start(Phase::Attribute));
    // The facts about the binary are found once, not for each of its units.
    let no_frames = FrameTable::default();
    let source = line_source(binary, &no_frames, options);
    let attribute_unit = |pieces: &[Piece], frames: FrameTable| {
        let frames = &frames;
        attribute(&Source { frames, ..source }, pieces, &ranges, &calls)
    };
    let read = FrameTable::by_unit(binary.debug, &places, &keep_going(observer), attribute_unit);
    let (units, faults) = read.map_err(symbolize_error)?;
    let debug = (binary.debug, binary.functions, &faults[..]);
    let mut samples = counted.rows().iter().map(|range| (range.first, range.count));
    damage::check(binary.image, debug, &mut samples, options, diagnostics)?;
    let mut units: Vec<Profile> = units.into_iter().collect::<Result<_, _>>().map_err(write_error)?;
    units.push(heads(&calls, binary.functions));
    drop((ranges, calls, counted));
    let mut profile = Profile::join(units, source.counting.combine());
    profile.flags.fs_discriminators = source.discriminators == DiscriminatorKind::FlowSensitive;
    Ok(profile)
}

/// Returns the source that attribution by lines needs.
pub(crate) fn line_source<'a>(binary: &'a Binary<'a>, frames: &'a FrameTable, options: &GenerateOptions) -> Source<'a> {
    Source {
        code: binary.code,
        frames,
        entries: &binary.entries,
        functions: binary.functions,
        discriminators: if binary.image.has_fs_discriminators() {
            DiscriminatorKind::FlowSensitive
        } else {
            DiscriminatorKind::Packed
        },
        counting: if options.leading_ip_only {
            Counting::Sum
        } else {
            Counting::Most
        },
    }
}

fn by_probes(
    binary: &Binary<'_>,
    ranges: &[Counter],
    counters: &Counters,
    options: &GenerateOptions,
    observer: &dyn Observer,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<Profile, Error> {
    let probes = Probes::read(binary.image, binary.functions, &binary.entries, counters, options)
        .map_err(|error| probe_error(error, binary.image.path()))?;
    observer.progress(Progress::start(Phase::Attribute));
    let source = ProbeSource {
        code: binary.code,
        probes: &probes,
        entries: &binary.entries,
        functions: binary.functions,
    };
    let (mut profile, unnamed) = attribute_probes(&source, ranges, counters.branches.rows()).map_err(write_error)?;
    profile.flags.fs_discriminators = binary.image.has_fs_discriminators();
    if options.policy.words == Words::Own {
        diagnostics.extend(probes.diagnostics(unnamed, options));
    }
    Ok(profile)
}

/// Adds a zero count for all code of the functions that ranges start in, so that a profile says which lines
/// were never executed. `ranges` ascend.
///
/// A function is all code of its name. So a sample in one static `init` adds zeros for all others, too, as in
/// llvm-profgen.
fn with_zero_ranges(ranges: &[Counter], functions: &FunctionTable, all: bool) -> Vec<Counter> {
    let mut filled = ranges.to_vec();
    let mut touched: Vec<_> = if all {
        functions.functions().collect()
    } else {
        functions_at(ranges.iter().map(|range| range.first), functions)
    };
    touched.dedup();
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

/// Returns the functions that have these ascending addresses.
fn functions_at(addresses: impl Iterator<Item = Svma>, functions: &FunctionTable) -> Vec<FunctionId> {
    let mut starts = functions.start_ranges().peekable();
    let mut last = None;
    let found = addresses.filter_map(|svma| {
        while let Some(next) = starts.next_if(|next| next.start <= svma) {
            last = Some(next);
        }
        last.filter(|range| svma < range.end)
    });
    found.map(|range| range.function).collect()
}

/// Returns the code whose lines must be known: all ranges, and the sources of branches. The result is
/// ascending, disjoint and half-open.
pub(crate) fn places_of_interest(ranges: &[Counter], branches: &[Counter]) -> Vec<(Svma, Svma)> {
    let sources = branches
        .iter()
        .map(|branch| (branch.first, branch.first.wrapping_add(1)));
    let mut places: Vec<_> = ranges
        .iter()
        .map(|range| (range.first, Svma(range.second.0.saturating_add(1))))
        .chain(sources)
        .collect();
    // A stable sort is fast here, because ranges and sources are ascending runs.
    places.sort();
    places.dedup_by(|next, kept| {
        let joins = next.0 <= kept.1;
        if joins {
            kept.1 = kept.1.max(next.1);
        }
        joins
    });
    places.shrink_to_fit();
    places
}

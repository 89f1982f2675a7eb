//! Makes counters of the samples of a binary, and accounts for the samples that are lost.

use job::Error;

use crate::account::share::Share;
use crate::account::statistics::{BinaryStatistics, Statistics};
use crate::attribution::profile::Binary;
use crate::binaries::target::Target;
use crate::counting::agreement::Agreement;
use crate::counting::bolt::TargetTraces;
use crate::counting::branch_kinds::BranchKinds;
use crate::counting::counters::{ContextCounters, CounterTable, Counters};
use crate::counting::fall_through::{Judgement, select_runs, unknown_code};
use crate::counting::stretches::pairs_of;
use crate::counting::trace::TargetCounters;
use crate::inference::{self, infer_counters};
use crate::input::samples::TargetSamples;
use crate::report::part::Report;
use crate::report::run_report::{self, Circumstances};
use crate::report::{address_report, plausibility};
use crate::request::options::GenerateOptions;

/// Makes counters of traces, and accounts for the runs that are lost.
pub(crate) fn counters_of_samples(
    samples: TargetSamples,
    binary: &Binary<'_>,
    options: &GenerateOptions,
    statistics: &Statistics,
    report: &mut Report,
) -> Result<Counters, Error> {
    if statistics.by_addresses {
        return Ok(counters_of_addresses(
            &samples,
            binary,
            statistics.by_instructions,
            report,
        ));
    }
    let TargetCounters {
        branches,
        pairs,
        stretches,
        entries,
        misplaced,
    } = samples.counters;
    let judgement = Judgement {
        addresses_only: options.leading_ip_only,
        details: options.show_detailed_warning,
    };
    binary.code.note_pokes(&samples.pokes);
    let pairs = match pairs_of(&stretches, binary.code) {
        more if more.is_empty() => pairs,
        more => CounterTable::new([pairs.rows(), &more].concat()),
    };
    let (ranges, quality) = select_runs(&pairs, binary.code, binary.functions, judgement);
    report.statistics = BinaryStatistics {
        entries,
        crosses_barrier: quality.dropped,
        no_function: if binary.functions.is_empty() {
            0
        } else {
            quality.homeless
        },
        mappings: samples.mappings,
        processes: samples.processes,
        ranges: ranges.rows().len() as u64,
        branches: branches.rows().len() as u64,
        ..BinaryStatistics::default()
    };
    let doubt = if options.policy.refuses_implausible && !options.leading_ip_only {
        let agreement = Agreement::of(&branches, misplaced, binary.code);
        let doubt = plausibility::check_binary(&agreement, binary.image, options)?;
        // If the branches are of other code, the instructions at their sources are not known.
        if doubt.is_none() {
            let passed = || BranchKinds::inside_of_runs(&pairs, binary.code);
            plausibility::check_kinds(&agreement, &quality, passed, binary.image)?;
        }
        doubt
    } else {
        None
    };
    let entries = statistics.ledger.entries();
    let is_looked_for = Share::of_entries(quality.dropped, entries).is_noteworthy() && !options.leading_ip_only;
    let known = Circumstances {
        unknown: if is_looked_for {
            unknown_code(&pairs, binary.code)
        } else {
            None
        },
        entries,
        same_build: samples.same_build,
        is_doubtful: doubt.is_some(),
        patches_itself: Circumstances::patches_itself(binary.image.kind(), binary.code),
    };
    report.sample_diagnostics.extend(doubt);
    report
        .sample_diagnostics
        .extend(run_report::diagnostics(&quality, &known, options.policy.words));
    Ok(Counters {
        ranges,
        branches,
        contexts: samples.contexts.map(ContextCounters::Sampled),
    })
}

/// Checks that counters from a file can be counters of the binary.
pub(crate) fn check_counters(counters: &Counters, target: &Target<'_>, options: &GenerateOptions, report: &mut Report) {
    if options.policy.refuses_implausible && !options.leading_ip_only {
        let branches = counters.branches.rows().iter();
        let branches = branches.map(|branch| (branch.first, branch.second, branch.count));
        let agreement = Agreement::of_any(branches, &target.code);
        report
            .sample_diagnostics
            .extend(plausibility::doubt_counters(&agreement, target.image));
    }
}

/// Makes counters of sampled addresses.
fn counters_of_addresses(
    samples: &TargetSamples,
    binary: &Binary<'_>,
    by_instructions: bool,
    report: &mut Report,
) -> Counters {
    binary.code.note_pokes(&samples.pokes);
    let code = inference::Binary {
        image: binary.image,
        code: binary.code,
        functions: binary.functions,
    };
    let inferred = infer_counters(
        &code,
        &inference::Sampled {
            addresses: &samples.addresses,
            call_sites: &samples.call_sites,
            by_instructions,
        },
    );
    report.statistics = BinaryStatistics {
        entries: inferred.report.samples,
        no_function: if binary.functions.is_empty() {
            0
        } else {
            inferred.report.homeless
        },
        mappings: samples.mappings,
        processes: samples.processes,
        ranges: inferred.ranges.rows().len() as u64,
        branches: inferred.branches.rows().len() as u64,
        ..BinaryStatistics::default()
    };
    report
        .sample_diagnostics
        .extend(address_report::diagnostics(&inferred.report));
    Counters {
        ranges: inferred.ranges,
        branches: inferred.branches,
        contexts: None,
    }
}

/// Returns the traces of a binary for BOLT, and accounts for them.
pub(crate) fn traces_of_samples(
    mut samples: TargetSamples,
    target: &Target<'_>,
    options: &GenerateOptions,
    report: &mut Report,
) -> Result<TargetTraces, Error> {
    if let Some(error) = samples.failure.take() {
        return Err(error);
    }
    target.code.note_pokes(&samples.pokes);
    let traces = samples.bolt.iter();
    let branches = traces.filter_map(|(trace, taken)| Some((trace.from?, trace.to?, taken.count)));
    let agreement = Agreement::of_any(branches, &target.code);
    let doubt = plausibility::check_binary(&agreement, target.image, options)?;
    report.sample_diagnostics.extend(doubt);
    let runs = samples.bolt.iter().filter(|(trace, _)| trace.end.is_some());
    report.statistics = BinaryStatistics {
        entries: samples
            .bolt
            .iter()
            .fold(0, |sum, (_, taken)| sum.wrapping_add(taken.count)),
        mappings: samples.mappings,
        processes: samples.processes,
        ranges: runs.count() as u64,
        branches: samples
            .bolt
            .chunk_by(|(a, _), (b, _)| (a.from, a.to) == (b.from, b.to))
            .count() as u64,
        ..BinaryStatistics::default()
    };
    Ok(samples.bolt)
}

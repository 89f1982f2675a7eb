//! Post-processes a finished profile before it is written, with llvm-profgen's steps in llvm-profgen's order.

use job::{Diagnostic, DiagnosticCode};
use sampleprof::{ColdContexts, FunctionSamples, NestError, Profile, ProfileSummary, attribute};

use crate::account::statistics::BinaryStatistics;
use crate::attribution::code_sizes::CodeSizes;
use crate::output::pre_inliner::pre_inline;
use crate::request::options::GenerateOptions;

/// Trims and cleans `profile`, reports its density and fills the profile's part of `statistics`.
pub(crate) fn postprocess(
    profile: &mut Profile,
    sizes: Option<&CodeSizes>,
    options: &GenerateOptions,
    by_addresses: bool,
    statistics: &mut BinaryStatistics,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<(), NestError> {
    if profile.flags.context_sensitive {
        shorten_contexts(profile, sizes, options)?;
    } else if options.trim_cold_profile {
        let summary = ProfileSummary::compute(profile);
        let cut_off = || summary.count_at_cutoff(options.profile_summary_cutoff_cold);
        profile.trim_cold(options.profile_summary_cold_count.or_else(cut_off).unwrap_or(0));
    }
    profile.remove_ambiguous_initializers();
    if options.mark_all_context_preinlined {
        profile.functions.iter_mut().for_each(mark_preinlined);
        profile.flags.pre_inlined = true;
    }

    let finished: &Profile = profile;
    let (density, summary) = rayon::join(
        || sampleprof::density(finished, options.profile_density_cutoff_hot).density,
        || ProfileSummary::compute(finished),
    );
    // Counts that were inferred from addresses are not samples. The account of these counts states the number
    // of samples.
    if !by_addresses {
        diagnostics.extend(density_diagnostic(density, options));
    }
    statistics.functions = summary.num_functions;
    statistics.total_count = summary.total_count;
    statistics.max_count = summary.max_count;
    statistics.density = density;
    Ok(())
}

/// Keeps the contexts that the pre-inliner chooses, adds up contexts that are not hot, and inlines the rest,
/// as far as the options ask for it.
fn shorten_contexts(
    profile: &mut Profile,
    sizes: Option<&CodeSizes>,
    options: &GenerateOptions,
) -> Result<(), NestError> {
    let summary = ProfileSummary::compute(profile);
    let cut_off = |cut_off| summary.count_at_cutoff(cut_off);
    let hot = options
        .profile_summary_hot_count
        .or_else(|| cut_off(options.profile_summary_cutoff_hot));
    let cold = options
        .profile_summary_cold_count
        .or_else(|| cut_off(options.profile_summary_cutoff_cold));
    if options.csspgo_preinliner {
        pre_inline(profile, sizes, &summary, cold.unwrap_or(0), &options.pre_inlining);
    }
    profile.merge_cold_contexts(ColdContexts {
        threshold: hot.unwrap_or(0),
        merge: options.csprof_merge_cold_context.unwrap_or(!options.csspgo_preinliner),
        trim: options.trim_cold_profile,
        frames: options.csprof_max_cold_context_depth as usize,
        base_only: options.csspgo_preinliner,
    });
    if options.gen_cs_nested_profile {
        profile.nest_contexts(options.generate_merged_base_profiles)?;
    }
    Ok(())
}

/// Marks a function, and the functions inlined into it, for clang to inline.
fn mark_preinlined(function: &mut FunctionSamples) {
    function.attributes |= attribute::SHOULD_BE_INLINED;
    function
        .inlinees
        .iter_mut()
        .for_each(|(_, inlinee)| mark_preinlined(inlinee));
}

fn density_diagnostic(density: f64, options: &GenerateOptions) -> Option<Diagnostic> {
    let (threshold, words) = (options.profile_density_threshold, options.policy.words);
    if density == 0.0 {
        return Some(words.warning(
            DiagnosticCode::DensityZero,
            || "no function is in the hot part of the profile, so its density is not known".to_owned(),
            || {
                "The output profile is empty or the --profile-density-cutoff-hot option is set too low. Please check your command."
                    .to_owned()
            },
        ));
    }
    let times = threshold / density;
    (density < threshold).then(|| {
        words.warning(
            DiagnosticCode::DensityLow,
            || {
                // The number is rounded up, because a recording 1.0 times as long would not help.
                let times = (times * 10.0).ceil() / 10.0;
                format!(
                    "the profile is thin: it has {density:.1} samples for each instruction line of its hot part, and {threshold:.0} are \
                     recommended. Record {times:.1} times as long, or merge recordings"
                )
            },
            || {
                format!(
                    "Sample PGO is estimated to optimize better with {times:.1}x more samples. Please consider increasing sampling rate or \
                     profiling for longer duration to get more samples."
                )
            },
        )
    })
}

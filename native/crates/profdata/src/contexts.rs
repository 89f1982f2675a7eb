//! Calling contexts of a merged profile: cold ones, and layouts without contexts.

use job::failure::nest_error;
use job::{Diagnostic, DiagnosticCode, Error};
use sampleprof::{ColdContexts, Profile, ProfileSummary};

/// Below what total something is cold.
#[derive(Debug, Clone, Copy)]
pub enum ColdThreshold {
    /// The count at this cut-off of the summary, in millionths.
    Cutoff(u32),
    /// This count.
    Count(u64),
}

impl ColdThreshold {
    /// The threshold as a count; nothing if the cut-off exceeds those of all summaries.
    pub(crate) fn of(self, profile: &Profile) -> Option<u64> {
        match self {
            Self::Count(count) => Some(count),
            Self::Cutoff(cutoff) => ProfileSummary::compute(profile).count_at_cutoff(cutoff),
        }
    }
}

/// How functions with calling contexts become functions without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Each function once; what is inlined becomes a function of its own, too.
    Flat,
    /// What has a caller with counts is inlined into it.
    Nest {
        /// It is also added to the function of its own.
        merged_base: bool,
    },
}

/// What to do with calling contexts once profiles are merged.
#[derive(Debug, Clone, Copy)]
pub struct ContextOptions {
    /// Add up cold contexts with the same last frames.
    pub merge_cold: bool,
    /// Drop cold contexts.
    pub trim_cold: bool,
    /// How many frames stay of contexts that are added up, the function itself included; at least 1.
    pub cold_frames: u32,
    /// What is cold.
    pub cold: ColdThreshold,
    /// The layout of the result; absent: that of the inputs.
    pub layout: Option<Layout>,
}

/// Changes the contexts of `profile` as `options` say, and returns how many were dropped for being cold.
pub(crate) fn arrange(
    profile: &mut Profile,
    options: &ContextOptions,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<usize, Error> {
    let mut dropped = 0;
    let cold = options.merge_cold || options.trim_cold;
    let nest = matches!(options.layout, Some(Layout::Nest { .. }));
    // Functions without contexts can be too cold, too: these are dropped, as by llvm-profdata.
    if (options.merge_cold || nest) && !profile.flags.context_sensitive {
        let flag = if nest {
            "{--convert-sample-profile-layout=nest}"
        } else {
            "{--sample-merge-cold-context}"
        };
        diagnostics.push(Diagnostic::warning(
            DiagnosticCode::ContextsAbsent,
            format!("the functions have no calling contexts, so {flag} changes nothing"),
        ));
    } else {
        if cold && let Some(threshold) = options.cold.of(profile) {
            dropped = profile.merge_cold_contexts(ColdContexts {
                threshold,
                merge: options.merge_cold,
                trim: options.trim_cold,
                frames: options.cold_frames as usize,
                base_only: false,
            });
        }
        if let Some(Layout::Nest { merged_base }) = options.layout {
            let mismatches = profile.nest_contexts(merged_base).map_err(nest_error)?;
            diagnostics.extend(mismatch(mismatches));
        }
    }
    if options.layout == Some(Layout::Flat) {
        diagnostics.extend(mismatch(profile.flatten()));
    }
    Ok(dropped as usize)
}

/// The warning about contexts of another version of their function.
fn mismatch(count: u64) -> Option<Diagnostic> {
    (count > 0).then(|| {
        Diagnostic::warning(
            DiagnosticCode::ChecksumMismatch,
            format!(
                "{count} contexts were left out, because the checksum of their function differs from that in another \
                 context, which was added up before"
            ),
        )
    })
}

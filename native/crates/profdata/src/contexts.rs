//! Changes the calling contexts of a merged profile: cold contexts, and layouts without contexts.

use job::failure::nest_error;
use job::{Diagnostic, DiagnosticCode, Error, count_of, form};
use sampleprof::{ColdContexts, Profile, ProfileSummary};

/// The total below which a function or context is cold.
#[derive(Debug, Clone, Copy)]
pub enum ColdThreshold {
    /// The count at this cut-off of the summary, in millionths.
    Cutoff(u32),
    /// This count.
    Count(u64),
}

impl ColdThreshold {
    /// Returns the threshold as a count. Returns `None` if the cut-off exceeds those of all summaries.
    pub(crate) fn of(self, profile: &Profile) -> Option<u64> {
        match self {
            Self::Count(count) => Some(count),
            Self::Cutoff(cutoff) => ProfileSummary::compute(profile).count_at_cutoff(cutoff),
        }
    }
}

/// The way in which functions with calling contexts become functions without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Each function occurs once. Inlined functions become functions of their own, too.
    Flat,
    /// Functions whose caller has counts are inlined into the caller.
    Nest {
        /// True if the counts of an inlined function are also added to the function of its own.
        merged_base: bool,
    },
}

/// The treatment of calling contexts after profiles have been merged.
#[derive(Debug, Clone, Copy)]
pub struct ContextOptions {
    /// True to add up cold contexts with the same last frames.
    pub merge_cold: bool,
    /// True to drop cold contexts.
    pub trim_cold: bool,
    /// Number of frames that are kept of contexts that are added up, the function itself included; at least 1.
    pub cold_frames: u32,
    /// The threshold below which a context is cold.
    pub cold: ColdThreshold,
    /// The layout of the result; `None` for the layout of the inputs.
    pub layout: Option<Layout>,
}

/// Changes the contexts of `profile` as `options` say. Returns the number of contexts that were dropped because
/// they are cold.
pub(crate) fn apply_layout(
    profile: &mut Profile,
    options: &ContextOptions,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<usize, Error> {
    let mut dropped = 0;
    let cold = options.merge_cold || options.trim_cold;
    let nest = matches!(options.layout, Some(Layout::Nest { .. }));
    // A cold function without contexts is dropped, too, as llvm-profdata does.
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
            diagnostics.extend(mismatch_warning(mismatches));
        }
    }
    if options.layout == Some(Layout::Flat) {
        diagnostics.extend(mismatch_warning(profile.flatten()));
    }
    Ok(dropped as usize)
}

/// Warns of contexts that belong to another version of their function.
fn mismatch_warning(count: u64) -> Option<Diagnostic> {
    (count > 0).then(|| {
        Diagnostic::warning(
            DiagnosticCode::ChecksumMismatch,
            format!(
                "{} left out, because the checksum of the function differs from that in another context, which was added up before",
                count_of(count, "context") + form(count, " was", " were")
            ),
        )
    })
}

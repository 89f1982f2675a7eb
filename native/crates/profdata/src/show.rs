//! Describes a profile.

use std::path::PathBuf;

use job::{Diagnostic, DiagnosticCode, Error, Observer, SmallerCounts, profile_warnings};
use sampleprof::{
    Format, HotFunctions, Profile, ProfileFlags, ProfileSummary, SectionInfo, density, format_of, hot_functions, read,
    render_hot_functions, render_sections, sections,
};

use crate::file::read_file;
use job::failure::profile_error;

/// Share of the samples that the density covers, in millionths (llvm-profgen: `--profile-density-cutoff-hot`).
const DENSITY_CUTOFF: u32 = 990_000;

/// The profile to describe, and the parts of the description.
#[derive(Debug, Clone, Default)]
pub struct ShowRequest {
    /// Path of the profile; `-` is standard input.
    pub path: PathBuf,
    /// Number of functions in [`Description::functions`].
    pub top: usize,
    /// True to add the section table to [`Description::text`]. The text has the requested parts in the order of
    /// these fields, each as `llvm-profdata show --sample` prints it. With the section table, the text has nothing
    /// else.
    pub sections: bool,
    /// True to add the detailed summary to the text; see `sections`.
    pub detailed_summary: bool,
    /// True to add the hot functions to the text; see `sections`.
    pub hot_functions: bool,
    /// Largest number of hot functions in the text; `None` for all of them.
    pub top_hot: Option<usize>,
}

/// A function and its counts.
#[derive(Debug)]
pub struct FunctionLine {
    /// Name of the function as in text profiles; in a context-sensitive profile with its callers.
    pub name: String,
    /// Number of samples, inlined callees included.
    pub total: u64,
    /// Number of times that the function was entered.
    pub head: u64,
}

/// The content of a profile.
#[derive(Debug)]
pub struct Description {
    /// Encoding of the profile.
    pub format: Format,
    /// Size in bytes.
    pub size: u64,
    /// Marks of the profile.
    pub flags: ProfileFlags,
    /// Number of functions in contexts, if the profile distinguishes functions by context.
    pub contexts: Option<usize>,
    /// True if some names are known only by their MD5.
    pub md5_names: bool,
    /// Number of names on the profile symbol list, if there is one.
    pub symbols: Option<usize>,
    /// Distribution of the counts.
    pub summary: ProfileSummary,
    /// Number of samples for each line of the hot part.
    pub density: f64,
    /// Sum of the totals of all functions.
    pub total_samples: u128,
    /// Sum of the body counts. The sum in `summary`, which compilers read, is modulo 2^64.
    pub total_count: u128,
    /// The smallest hot count.
    pub hot_threshold: u64,
    /// Number of functions with a hot count.
    pub hot_functions: usize,
    /// The hottest functions, by total descending, then name.
    pub functions: Vec<FunctionLine>,
    /// The sections of an extbinary profile.
    pub sections: Vec<SectionInfo>,
    /// The requested parts in the words of llvm-profdata.
    pub text: String,
    /// Reasons why counts are not the true ones, and what the profile does not tell.
    pub diagnostics: Vec<Diagnostic>,
}

/// Describes a profile.
///
/// # Errors
/// Fails if the profile cannot be read, or if `observer` cancels the job while standard input is read.
pub fn show(request: &ShowRequest, observer: &dyn Observer) -> Result<Description, Error> {
    let (name, bytes) = read_file(&request.path, observer)?;
    let format = format_of(&bytes, &name).map_err(profile_error)?;
    let profile = read(&bytes, &name).map_err(profile_error)?;
    let sections = sections(&bytes, &name).map_err(profile_error)?;
    let summary = ProfileSummary::compute(&profile);
    let hot = hot_functions(&profile);
    let mut diagnostics = profile_warnings(&profile, Format::ExtBinary, SmallerCounts::Division);
    if request.sections && format != Format::ExtBinary {
        diagnostics.push(Diagnostic::warning(
            DiagnosticCode::NoSections,
            "only profiles in the extbinary format have sections",
        ));
    }
    Ok(Description {
        format,
        size: bytes.len() as u64,
        flags: profile.flags,
        contexts: profile.flags.context_sensitive.then_some(profile.functions.len()),
        md5_names: profile.names.has_guids(),
        symbols: profile.symbols.as_ref().map(Vec::len),
        density: density(&profile, DENSITY_CUTOFF).density,
        total_samples: profile
            .functions
            .iter()
            .map(|function| u128::from(function.total))
            .sum(),
        total_count: profile.total_count(),
        hot_threshold: hot.threshold,
        hot_functions: hot.functions.len(),
        functions: hottest_functions(&profile, request.top),
        text: text(request, &profile, &sections, &summary, &hot),
        summary,
        sections,
        diagnostics,
    })
}

fn hottest_functions(profile: &Profile, top: usize) -> Vec<FunctionLine> {
    let mut functions: Vec<_> = profile.functions.iter().collect();
    functions.sort_unstable_by(|a, b| {
        b.total
            .cmp(&a.total)
            .then_with(|| profile.full_name(a).cmp(&profile.full_name(b)))
    });
    let lines = functions.into_iter().take(top).map(|function| FunctionLine {
        name: profile.full_name(function).to_string(),
        total: function.total,
        head: function.head,
    });
    lines.collect()
}

fn text(
    request: &ShowRequest,
    profile: &Profile,
    sections: &[SectionInfo],
    summary: &ProfileSummary,
    hot: &HotFunctions,
) -> String {
    let mut text = String::new();
    if request.sections {
        return if sections.is_empty() {
            text
        } else {
            render_sections(sections)
        };
    }
    if request.detailed_summary {
        text += &render_summary(summary);
    }
    if request.hot_functions {
        text += &render_hot_functions(hot, profile, request.top_hot.unwrap_or(usize::MAX));
    }
    text
}

/// Returns the text that `llvm-profdata show --sample --detailed-summary` prints after the functions.
fn render_summary(summary: &ProfileSummary) -> String {
    let blocks = summary.num_counts;
    let mut text = format!(
        "Total functions: {}\nMaximum function count: {}\n\
         Maximum internal block count: 0\n\
         Total number of blocks: {blocks}\nTotal count: {}\nDetailed summary:\n",
        summary.num_functions, summary.max_function_count, summary.total_count,
    );
    for entry in &summary.entries {
        let share = if blocks == 0 {
            0.0
        } else {
            100.0 * entry.num_counts as f64 / blocks as f64
        };
        text += &format!(
            "{} blocks ({share:.2}%) with count >= {} account for {}% of the total counts.\n",
            entry.num_counts,
            entry.min_count,
            f64::from(entry.cutoff) / 10_000.0,
        );
    }
    text
}

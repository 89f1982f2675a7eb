//! Compares two profiles: computes llvm-profdata's numbers, and the largest changes.

use std::path::PathBuf;

use job::{Diagnostic, DiagnosticCode, Error, ErrorCode, Observer};
use sampleprof::{
    FunctionOverlap, OverlapError, OverlapReport, Profile, overlap, read, render_function_overlap, render_overlap,
};

use crate::call_targets::{TargetShift, target_shifts};
use crate::file::read_file;
use job::failure::profile_error;

/// The profiles to compare, and how.
#[derive(Debug, Clone, Default)]
pub struct CompareRequest {
    /// Path of the older profile; `-` is standard input.
    pub base: PathBuf,
    /// Path of the newer profile.
    pub test: PathBuf,
    /// The bytes of the newer profile, if they were not written to a file. [`Self::test`] then only names the
    /// profile.
    pub test_bytes: Option<Vec<u8>>,
    /// Largest number of entries in each list of changes.
    pub top: usize,
    /// Count from which on functions of the test profile are added to [`Comparison::text`].
    pub value_cutoff: Option<u64>,
    /// Similarity in millionths below which functions are added to [`Comparison::text`].
    pub similarity_cutoff: Option<u64>,
}

/// The differences between two profiles.
#[derive(Debug)]
pub struct Comparison {
    /// llvm-profdata's numbers, including every function.
    pub report: OverlapReport,
    /// Functions that only the test profile has, the one with the largest weight first.
    pub gained: Vec<FunctionOverlap>,
    /// Functions that only the base profile has, the one with the largest weight first.
    pub lost: Vec<FunctionOverlap>,
    /// Functions of both profiles that differ. The function that lowers the similarity of the profiles most comes
    /// first.
    pub changed: Vec<FunctionOverlap>,
    /// Calls whose targets have changed.
    pub target_shifts: Vec<TargetShift>,
    /// The output of `llvm-profdata overlap --sample`.
    pub text: String,
    /// Reasons why the numbers may mislead.
    pub diagnostics: Vec<Diagnostic>,
}

/// Compares two profiles.
///
/// # Errors
/// Fails if a profile cannot be read, if the profiles cannot be compared, or if `observer` cancels the job while
/// standard input is read.
pub fn compare(request: &CompareRequest, observer: &dyn Observer) -> Result<Comparison, Error> {
    let open = |name: String, bytes: &[u8]| {
        let profile = read(bytes, &name).map_err(profile_error)?;
        Ok((name, profile))
    };
    let open_file = |path| {
        let (name, bytes) = read_file(path, observer)?;
        open(name, &bytes)
    };
    let (base_name, base) = open_file(&request.base)?;
    let (test_name, test) = match &request.test_bytes {
        Some(bytes) => open(request.test.to_string_lossy().into_owned(), bytes)?,
        None => open_file(&request.test)?,
    };
    let report = overlap(&base, &test).map_err(|error| overlap_error(&error))?;
    let mut text = render_overlap(&report, &base_name, &test_name);
    if request.value_cutoff.is_some() || request.similarity_cutoff.is_some() {
        let similarity = request.similarity_cutoff.unwrap_or(0) as f64 / 1_000_000.0;
        text += &render_function_overlap(&report, request.value_cutoff.unwrap_or(u64::MAX), similarity);
    }
    let top = |choose: fn(&FunctionOverlap) -> bool| most_different(&report, choose, request.top);
    Ok(Comparison {
        gained: top(|function| !function.in_base),
        lost: top(|function| !function.in_test),
        changed: top(|function| function.in_base && function.in_test && function.similarity < 1.0),
        target_shifts: target_shifts(&base, &test, request.top),
        diagnostics: name_diagnostics(&base, &test),
        text,
        report,
    })
}

/// Returns the amount by which a function lowers the similarity of the profiles. That similarity is the sum of the
/// similarities of the functions, each weighted by the mean of its shares in both profiles.
#[must_use]
pub fn lost_similarity(function: &FunctionOverlap) -> f64 {
    (1.0 - function.similarity) * (function.base_weight + function.test_weight) / 2.0
}

fn most_different(report: &OverlapReport, choose: fn(&FunctionOverlap) -> bool, top: usize) -> Vec<FunctionOverlap> {
    let mut chosen: Vec<_> = report.details.iter().filter(|function| choose(function)).collect();
    chosen.sort_by(|a, b| {
        lost_similarity(b)
            .total_cmp(&lost_similarity(a))
            .then_with(|| a.name.cmp(&b.name))
    });
    chosen.into_iter().take(top).cloned().collect()
}

/// Warns if one profile has names and the other one hashes. The comparison, as that of llvm-profdata, treats a name
/// and its hash as different functions.
fn name_diagnostics(base: &Profile, test: &Profile) -> Vec<Diagnostic> {
    if base.names.has_guids() == test.names.has_guids() {
        return Vec::new();
    }
    vec![Diagnostic::warning(
        DiagnosticCode::NamesDiffer,
        "one profile has names and the other only their MD5, so no function is found in both; \
         {convert --use-md5} makes them alike",
    )]
}

fn overlap_error(error: &OverlapError) -> Error {
    let code = match error {
        OverlapError::NoSamples { .. } => ErrorCode::EmptyProfile,
        _ => ErrorCode::Unsupported,
    };
    Error::new(code, error.to_string())
}

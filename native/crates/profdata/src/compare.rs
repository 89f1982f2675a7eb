//! How two profiles differ: llvm-profdata's numbers, and what changed most.

use std::path::PathBuf;

use job::{Diagnostic, DiagnosticCode, Error, ErrorCode};
use sampleprof::{
    FunctionOverlap, OverlapError, OverlapReport, Profile, overlap, read, render_function_overlap, render_overlap,
};

use crate::call_targets::{TargetShift, target_shifts};
use crate::file::read_file;
use job::failure::profile_error;

/// What to compare.
#[derive(Debug, Clone, Default)]
pub struct CompareRequest {
    /// The older profile; `-` is standard input.
    pub base: PathBuf,
    /// The newer one.
    pub test: PathBuf,
    /// What [`Self::test`] would hold: a profile that was not written to a file.
    pub test_bytes: Option<Vec<u8>>,
    /// Most entries in each list of changes.
    pub top: usize,
    /// Add functions of the test profile with a count of at least this to [`Comparison::text`].
    pub value_cutoff: Option<u64>,
    /// Add functions less similar than this, in millionths, to [`Comparison::text`].
    pub similarity_cutoff: Option<u64>,
}

/// How two profiles differ.
#[derive(Debug)]
pub struct Comparison {
    /// llvm-profdata's numbers, with every function.
    pub report: OverlapReport,
    /// Functions that only the test profile has, by weight.
    pub gained: Vec<FunctionOverlap>,
    /// Functions that only the base profile has, by weight.
    pub lost: Vec<FunctionOverlap>,
    /// Functions of both, by what they take from the similarity of the profiles.
    pub changed: Vec<FunctionOverlap>,
    /// Calls that went elsewhere.
    pub target_shifts: Vec<TargetShift>,
    /// What `llvm-profdata overlap --sample` prints.
    pub text: String,
    /// Why the numbers may mislead.
    pub diagnostics: Vec<Diagnostic>,
}

/// Compares two profiles.
///
/// # Errors
/// When one cannot be read, or they cannot be compared.
pub fn compare(request: &CompareRequest) -> Result<Comparison, Error> {
    let open = |name: String, bytes: &[u8]| {
        let profile = read(bytes, &name).map_err(profile_error)?;
        Ok((name, profile))
    };
    let open_file = |path| {
        let (name, bytes) = read_file(path)?;
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

/// What a function takes from the similarity of the profiles, which is the sum of the functions' similarities, each
/// weighted by the mean of its two shares.
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

/// A name and its hash are different functions to the comparison, as they are to llvm-profdata.
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

//! Merging, and converting, which is merging one.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::PathBuf;

use job::failure::{merge_error, write_error};
use job::{
    Diagnostic, DiagnosticCode, Error, ErrorCode, InputFiles, Observer, Output, Phase, Progress, SmallerCounts, check,
    keep_going, on_threads, repeated_inputs, system_reason, write_atomically,
};
use sampleprof::{
    Content, InputError, MergeInput, MergeOptions, Merged, NameFilter, Profile, ProfileSummary, WriteOptions, write,
    write_within,
};

use crate::contexts::{ColdThreshold, ContextOptions, arrange};
use crate::file::{STDIN, is_stdin, read_file, read_stdin};
use crate::losses::losses;

/// Skipped inputs that get a diagnostic of their own; the rest is counted.
const SKIPPED_SHOWN: usize = 20;

/// A profile and what its counts are multiplied by.
#[derive(Debug, Clone)]
pub struct WeightedFile {
    /// The file; `-` is standard input.
    pub path: PathBuf,
    /// Every count is multiplied by it.
    pub weight: u64,
}

/// What to merge, and how.
#[derive(Debug, Clone)]
pub struct MergeRequest {
    /// The profiles, in order.
    pub inputs: Vec<WeightedFile>,
    /// Where the result goes.
    pub output: Output,
    /// How it is encoded.
    pub encoding: WriteOptions,
    /// How counts are added up.
    pub merging: MergeOptions,
    /// Mark the result as partial if an input is. `llvm-profdata merge` drops that mark.
    pub keep_partial: bool,
    /// A file of names to add to the profile symbol list.
    pub symbol_list: Option<PathBuf>,
    /// More files that the result must not replace: those that `inputs` were read from.
    pub lists: Vec<PathBuf>,
    /// What to do with calling contexts, before functions are chosen.
    pub contexts: ContextOptions,
    /// Only functions that match this regular expression.
    pub include: Option<String>,
    /// No functions that match this one.
    pub exclude: Option<String>,
    /// Drop cold functions.
    pub trim: Option<ColdThreshold>,
    /// Drop the coldest functions until the result has at most so many bytes.
    pub size_limit: Option<usize>,
    /// Worker threads; 0 is one for each processor.
    pub jobs: usize,
}

/// What came of merging.
#[derive(Debug)]
pub struct MergeOutcome {
    /// The profile, when no output file was named.
    pub bytes: Option<Vec<u8>>,
    /// Its size in bytes.
    pub size: u64,
    /// How many inputs are in it.
    pub inputs: usize,
    /// Inputs that could not be read: file and reason.
    pub skipped: Vec<(String, String)>,
    /// How many functions were dropped by name, for being cold or for the size limit.
    pub dropped: usize,
    /// The summary of what was written.
    pub summary: ProfileSummary,
    /// Sum of the body counts. That of `summary`, which compilers read, is modulo 2^64.
    pub total_count: u128,
    /// What was lost, and other things to look at.
    pub diagnostics: Vec<Diagnostic>,
}

/// Merges profiles.
///
/// # Errors
/// When an input cannot be read or is of another kind, or the result cannot be written. Then the output file is
/// neither created nor replaced.
pub fn merge(request: &MergeRequest, observer: &dyn Observer) -> Result<MergeOutcome, Error> {
    let filter = NameFilter::new(request.include.as_deref(), request.exclude.as_deref()).map_err(|error| {
        Error::new(ErrorCode::InvalidOptions, format!("not a regular expression: {error}"))
            .hint("Patterns may match anywhere in a name; escape special characters with \\.")
    })?;
    let files = input_files(request);
    request.output.check(&files)?;
    on_threads(request.jobs, || run(request, &filter, &files, observer))
}

/// What the result must not replace.
fn input_files(request: &MergeRequest) -> InputFiles {
    let mut files = InputFiles::default();
    let inputs = request.inputs.iter().map(|input| &input.path);
    inputs
        .chain(&request.symbol_list)
        .chain(&request.lists)
        .for_each(|path| files.add_stream(path));
    files
}

fn run(
    request: &MergeRequest,
    filter: &NameFilter,
    files: &InputFiles,
    observer: &dyn Observer,
) -> Result<MergeOutcome, Error> {
    let inputs: Vec<MergeInput> = request.inputs.iter().map(open).collect::<Result<_, _>>()?;
    let goes_on = keep_going(observer);
    let after_each = |done: usize| {
        observer.progress(Progress::of(Phase::Merge, done as u64, inputs.len() as u64));
        if goes_on() {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    };
    let mut merged =
        sampleprof::merge(&inputs, request.merging, after_each).map_err(|error| merge_error(error, inputs.len()))?;
    let mut diagnostics = input_diagnostics(&merged, request);
    let profile = &mut merged.profile;
    profile.flags.partial |= request.keep_partial && merged.partial_input;
    if let Some(path) = &request.symbol_list {
        let (_, list) = read_file(path)?;
        profile.add_symbols(&list);
    }
    let cold = arrange(profile, &request.contexts, &mut diagnostics)?;
    let before = profile.functions.len() + cold;
    filter.apply(profile);
    if let Some(threshold) = request.trim.and_then(|trim| trim.of(profile)) {
        profile.trim_cold(threshold);
    }
    let smaller = if request.inputs.iter().any(|input| input.weight > 1) {
        SmallerCounts::Weights
    } else {
        SmallerCounts::Division
    };
    diagnostics.extend(losses(profile, &request.encoding, smaller));
    let bytes = encode(profile, request)?;
    if profile.functions.is_empty() {
        diagnostics.push(Diagnostic::warning(
            DiagnosticCode::EmptyProfile,
            "the result has no functions",
        ));
    }
    let size = bytes.len() as u64;
    let bytes = match &request.output {
        Output::Memory | Output::Stdout => Some(bytes),
        Output::File(path) => {
            // The last moment at which a cancelled job leaves nothing behind.
            check(observer)?;
            write_atomically(path, &bytes, files)?;
            None
        }
    };
    Ok(MergeOutcome {
        bytes,
        size,
        inputs: merged.inputs,
        skipped: merged.skipped.iter().map(describe_skipped).collect(),
        dropped: before - merged.profile.functions.len(),
        summary: ProfileSummary::compute(&merged.profile),
        total_count: merged.profile.total_count(),
        diagnostics,
    })
}

fn open(input: &WeightedFile) -> Result<MergeInput, Error> {
    let (name, content) = if is_stdin(&input.path) {
        (STDIN.to_owned(), Content::Bytes(read_stdin()?))
    } else {
        let name = input.path.to_string_lossy().into_owned();
        (name, Content::File(input.path.clone()))
    };
    Ok(MergeInput {
        name,
        weight: input.weight,
        content,
    })
}

fn encode(profile: &mut Profile, request: &MergeRequest) -> Result<Vec<u8>, Error> {
    let Some(limit) = request.size_limit else {
        return write(profile, &request.encoding).map_err(write_error);
    };
    let written = write_within(profile, &request.encoding, limit).map_err(write_error)?;
    written.ok_or_else(|| {
        Error::new(
            ErrorCode::EmptyProfile,
            format!("not even the hottest function fits into {limit} bytes"),
        )
        .hint("Raise {--output-size-limit}.")
    })
}

fn describe_skipped(error: &InputError) -> (String, String) {
    match error {
        InputError::Io { file, source } => (file.clone(), format!("{file}: {}", system_reason(source))),
        InputError::Read(error) => (error.file.clone(), error.to_string()),
        _ => (String::new(), error.to_string()),
    }
}

/// Warnings about what was read.
fn input_diagnostics(merged: &Merged, request: &MergeRequest) -> Vec<Diagnostic> {
    let mut diagnostics = repeated_inputs(request.inputs.iter().map(|input| input.path.as_path()));
    for error in merged.skipped.iter().take(SKIPPED_SHOWN) {
        let (_, message) = describe_skipped(error);
        diagnostics.push(Diagnostic::warning(
            DiagnosticCode::InputSkipped,
            format!("left out: {message}"),
        ));
    }
    if let Some(more) = merged.skipped.len().checked_sub(SKIPPED_SHOWN).filter(|&more| more > 0) {
        let message = format!("{more} more inputs were left out");
        diagnostics.push(Diagnostic::warning(DiagnosticCode::InputSkipped, message));
    }
    if let Some(first) = merged.mismatches.first() {
        let files: BTreeSet<&str> = merged
            .mismatches
            .iter()
            .map(|mismatch| mismatch.input.as_str())
            .collect();
        diagnostics.push(Diagnostic::warning(
            DiagnosticCode::ChecksumMismatch,
            format!(
                "counts of {} functions were left out, because another version of the function was merged before: \
                 for example {} in {} (one of at least {} such inputs)",
                merged.mismatch_count,
                first.function,
                first.input,
                files.len()
            ),
        ));
    }
    if merged.partial_input && !request.keep_partial && !request.merging.partial {
        diagnostics.push(Diagnostic::warning(
            DiagnosticCode::PartialInput,
            "an input is marked as partial and the result is not; {--gen-partial-profile} marks it",
        ));
    }
    diagnostics
}

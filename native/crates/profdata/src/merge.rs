//! Merges profiles. A conversion is a merge of one profile.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use job::failure::{merge_error, write_error};
use job::{
    Diagnostic, DiagnosticCode, Error, ErrorCode, InputFiles, Observer, Output, Phase, Progress, SmallerCounts, check,
    count_of, form, keep_going, on_threads, read_stdin, repeated_inputs, system_reason, write_atomically,
};
use sampleprof::{
    Content, InputError, MergeInput, MergeOptions, Merged, NameFilter, Profile, ProfileSummary, WriteOptions, write,
    write_within,
};

use crate::contexts::{ColdThreshold, ContextOptions, apply_layout};
use crate::file::{STDIN, is_stdin, read_file};
use crate::losses::losses;

/// Number of skipped inputs that get a diagnostic of their own; the others are only counted.
const MAX_SKIPPED_SHOWN: usize = 20;

/// A profile and the factor of its counts.
#[derive(Debug, Clone)]
pub struct WeightedFile {
    /// Path of the file; `-` is standard input.
    pub path: PathBuf,
    /// Factor by which every count is multiplied.
    pub weight: u64,
}

/// The profiles to merge, and how.
#[derive(Debug, Clone)]
pub struct MergeRequest {
    /// The profiles, in order.
    pub inputs: Vec<WeightedFile>,
    /// Destination of the result.
    pub output: Output,
    /// Encoding of the result.
    pub encoding: WriteOptions,
    /// The way in which counts are added.
    pub merging: MergeOptions,
    /// True to mark the result as partial if an input is partial. `llvm-profdata merge` drops the mark.
    pub keep_partial: bool,
    /// Path of a file of names that are added to the profile symbol list.
    pub symbol_list: Option<PathBuf>,
    /// Paths of further files that the result must not replace: the files from which the list of `inputs` was read.
    pub lists: Vec<PathBuf>,
    /// The treatment of calling contexts. It comes before functions are selected.
    pub contexts: ContextOptions,
    /// Regular expression; only functions that match are kept.
    pub include: Option<String>,
    /// Regular expression; functions that match are dropped.
    pub exclude: Option<String>,
    /// Threshold below which functions are dropped as cold.
    pub trim: Option<ColdThreshold>,
    /// Largest size of the result in bytes. The coldest functions are dropped until the result fits.
    pub size_limit: Option<usize>,
    /// Number of worker threads; 0 stands for one for each processor.
    pub jobs: usize,
}

/// The outcome of a merge.
#[derive(Debug)]
pub struct MergeOutcome {
    /// The bytes of the result, if no output file was named.
    pub bytes: Option<Vec<u8>>,
    /// Size of the result in bytes.
    pub size: u64,
    /// Number of inputs that were merged.
    pub inputs: usize,
    /// Inputs that could not be read: file and reason.
    pub skipped: Vec<(String, String)>,
    /// Number of functions that were dropped by name, because they are cold, or for the size limit.
    pub dropped: usize,
    /// Summary of the profile that was written.
    pub summary: ProfileSummary,
    /// Sum of the body counts. The sum in `summary`, which compilers read, is modulo 2^64.
    pub total_count: u128,
    /// Diagnostics: losses, and other facts that users should look at.
    pub diagnostics: Vec<Diagnostic>,
}

/// Merges profiles.
///
/// # Errors
/// Fails if an input cannot be read or is of another kind, or if the result cannot be written. The output file is
/// then neither created nor replaced.
pub fn merge(request: &MergeRequest, observer: &dyn Observer) -> Result<MergeOutcome, Error> {
    let filter = NameFilter::new(request.include.as_deref(), request.exclude.as_deref()).map_err(|error| {
        Error::new(ErrorCode::InvalidOptions, format!("not a regular expression: {error}"))
            .hint("Patterns may match anywhere in a name; escape special characters with \\.")
    })?;
    let files = input_files(request);
    request.output.check(&files)?;
    on_threads(request.jobs, || run(request, &filter, &files, observer))
}

/// Returns the files that the result must not replace.
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
    let open = |input| open(input, observer);
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
        let (_, list) = read_file(path, observer)?;
        profile.add_symbols(&list);
    }
    let cold = apply_layout(profile, &request.contexts, &mut diagnostics)?;
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
            // This is the last moment at which a cancelled job leaves no file behind.
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

fn open(input: &WeightedFile, observer: &dyn Observer) -> Result<MergeInput, Error> {
    let (name, content) = if is_stdin(&input.path) {
        (
            STDIN.to_owned(),
            Content::Bytes(read_stdin(Path::new(STDIN), observer)?),
        )
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

/// Returns warnings about the inputs.
fn input_diagnostics(merged: &Merged, request: &MergeRequest) -> Vec<Diagnostic> {
    let mut diagnostics = repeated_inputs(request.inputs.iter().map(|input| input.path.as_path()));
    for error in merged.skipped.iter().take(MAX_SKIPPED_SHOWN) {
        let (_, message) = describe_skipped(error);
        diagnostics.push(Diagnostic::warning(
            DiagnosticCode::InputSkipped,
            format!("left out: {message}"),
        ));
    }
    if let Some(more) = merged
        .skipped
        .len()
        .checked_sub(MAX_SKIPPED_SHOWN)
        .filter(|&more| more > 0)
    {
        let message = count_of(more as u64, "more input") + form(more as u64, " was left out", " were left out");
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
                "counts of {} were left out, because another version of the function was merged before: for example those of {} in {}. At \
                 least {} {} such counts",
                count_of(merged.mismatch_count, "function"),
                first.function,
                first.input,
                count_of(files.len() as u64, "input"),
                form(files.len() as u64, "has", "have")
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

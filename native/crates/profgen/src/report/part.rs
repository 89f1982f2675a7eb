//! One binary on its way through the stages: its state so far, or the reason why it has no profile, and the
//! report about it.

use std::collections::BTreeMap;

use job::{Diagnostic, DiagnosticCode, Error, ErrorCode, count_of};

use crate::account::names::list;
use crate::account::statistics::BinaryStatistics;
use crate::binaries::failures;
use crate::binaries::id::{BinaryId, ByBinary};
use crate::binaries::open::Subject;
use crate::report::outcome::BinaryOutcome;
use crate::report::sample_survey::SampleSurvey;

/// The report about a binary, without its result.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub statistics: BinaryStatistics,
    pub survey: Option<SampleSurvey>,
    /// Diagnostics about the file.
    pub file_diagnostics: Vec<Diagnostic>,
    /// Diagnostics about its samples and its profile.
    pub sample_diagnostics: Vec<Diagnostic>,
}

/// A binary after a stage. A binary that has failed takes no part in further stages.
#[derive(Debug)]
pub(crate) struct Part<T> {
    pub report: Report,
    pub content: Result<T, Error>,
}

impl<T> Part<T> {
    /// Runs the first stage.
    pub(crate) fn begin(stage: impl FnOnce(&mut Report) -> Result<T, Error>) -> Self {
        let mut report = Report::default();
        let content = stage(&mut report);
        Self { report, content }
    }

    /// Runs the next stage.
    pub(crate) fn then<U>(self, stage: impl FnOnce(&mut Report, T) -> Result<U, Error>) -> Part<U> {
        let Self { mut report, content } = self;
        let content = content.and_then(|content| stage(&mut report, content));
        Part { report, content }
    }
}

/// Ends a job in which no binary is left; see [`failures::stop_if_all_failed`].
pub(crate) fn stop_if_all_failed<T>(parts: &ByBinary<Part<T>>) -> Result<(), Error> {
    failures::stop_if_all_failed(parts.values().map(|part| part.content.as_ref().err()))
}

/// Returns all diagnostics of a job in llvm-profgen's order: about the files, about the samples, about the
/// results. If there can be several binaries, each diagnostic names its binary.
pub(crate) fn all_diagnostics<T>(
    parts: &ByBinary<Part<T>>,
    subjects: &ByBinary<Subject>,
    job_diagnostics: Vec<Diagnostic>,
    several: bool,
) -> Vec<Diagnostic> {
    let named = |id: &BinaryId, found: &Diagnostic| {
        let mut found = found.clone();
        if several {
            found.message = format!("{}: {}", subjects[id].path().display(), found.message);
        }
        found
    };
    let file_diagnostics = parts
        .iter()
        .flat_map(|(id, part)| part.report.file_diagnostics.iter().map(move |found| named(id, found)));
    let sample_diagnostics = parts
        .iter()
        .flat_map(|(id, part)| part.report.sample_diagnostics.iter().map(move |found| named(id, found)));
    file_diagnostics
        .chain(job_diagnostics)
        .chain(sample_diagnostics)
        .chain(without_profile(parts, subjects))
        .collect()
}

/// Returns diagnostics about binaries that have failed: a warning for each binary that the caller named, and
/// a note for those that were only found.
fn without_profile<T>(parts: &ByBinary<Part<T>>, subjects: &ByBinary<Subject>) -> Vec<Diagnostic> {
    let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut diagnostics = Vec::new();
    for (id, part) in parts {
        let (Err(error), subject) = (&part.content, &subjects[id]) else {
            continue;
        };
        if subject.named {
            let hint = error.hint.as_deref().unwrap_or_default();
            let message = format!("no profile: {error}. {hint}");
            diagnostics.push(Diagnostic::warning(
                DiagnosticCode::BinaryWithoutProfile,
                message.trim_end(),
            ));
        } else {
            found.entry(short_reason(error.code)).or_default().push(&subject.name);
        }
    }
    diagnostics.extend(found.into_iter().map(|(reason, names)| {
        let files = count_of(names.len() as u64, "file");
        let message = format!("no profile of {files} that {reason}: {}", list(&names));
        Diagnostic::note(DiagnosticCode::FoundWithoutProfile, message)
    }));
    diagnostics
}

/// Returns the words that complete "files that ...".
fn short_reason(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::NoDebugInfo => "have no debug information",
        ErrorCode::NoSymbols => "have no symbols",
        ErrorCode::EmptyProfile | ErrorCode::NoMapping => "have no samples",
        ErrorCode::BuildIdMismatch | ErrorCode::BinaryMismatch => "are of another build",
        _ => "cannot be profiled",
    }
}

/// Returns the outcome of a binary.
pub(crate) fn binary_outcome(part: Part<Vec<u8>>, subject: &Subject) -> BinaryOutcome {
    let Part { report, content } = part;
    let (bytes, failure) = match content {
        Ok(bytes) => (Some(bytes), None),
        Err(error) => (None, Some(error)),
    };
    BinaryOutcome {
        path: subject.image.path().to_owned(),
        name: subject.name.clone(),
        build_id: subject.image.build_id().map(<[u8]>::to_vec),
        output: None,
        size: bytes.as_ref().map_or(0, |bytes| bytes.len() as u64),
        bytes,
        statistics: report.statistics,
        survey: report.survey,
        diagnostics: report
            .file_diagnostics
            .into_iter()
            .chain(report.sample_diagnostics)
            .collect(),
        failure,
    }
}

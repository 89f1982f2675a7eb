//! Failures of `sampleprof` as users see them.

use std::path::Path;

use profgen::{Error, ErrorCode};
use sampleprof::{Foreign, InputError, MergeError, ReadError, ReadErrorKind, WriteError};

/// What to do about a profile that cannot be read.
fn remedy(kind: &ReadErrorKind) -> &'static str {
    match kind {
        ReadErrorKind::Foreign(
            Foreign::RawInstrumentation | Foreign::IndexedInstrumentation | Foreign::TextInstrumentation,
        ) => "Instrumentation profiles have tools of their own: `llvm-profdata merge` without --sample.",
        ReadErrorKind::Foreign(Foreign::PerfData) => {
            "Make a profile of it first: `autofdo-gen --binary FILE --perfdata FILE`."
        }
        ReadErrorKind::Foreign(_) => "Name sample profiles, as autofdo-gen and llvm-profgen write them.",
        ReadErrorKind::Unsupported(_) => {
            "Context-sensitive profiles can be flattened: `llvm-profdata merge --sample --convert-sample-profile-layout=nest`."
        }
        ReadErrorKind::UnsupportedVersion { .. } => "The profile is of another release of LLVM; make it again.",
        _ => "The file is damaged or was cut; copy or make it again.",
    }
}

pub(crate) fn read_error(error: &ReadError) -> Error {
    let code = match error.kind {
        ReadErrorKind::Unsupported(_) => ErrorCode::Unsupported,
        _ => ErrorCode::InputInvalid,
    };
    Error::new(code, error.to_string())
        .path(Path::new(&error.file))
        .hint(remedy(&error.kind))
}

pub(crate) fn io_error(file: &str, source: &std::io::Error) -> Error {
    Error::new(ErrorCode::InputUnreadable, format!("{file}: {source}"))
        .path(Path::new(file))
        .hint("Check the path and your permission to read it.")
}

pub(crate) fn input_error(error: &InputError) -> Error {
    match error {
        InputError::Io { file, source } => io_error(file, source),
        InputError::Read(error) => read_error(error),
        error => Error::new(ErrorCode::InputInvalid, error.to_string()),
    }
}

pub(crate) fn merge_error(error: MergeError) -> Error {
    match error {
        MergeError::Cancelled => Error::aborted(),
        MergeError::Input(error) => {
            let error = input_error(&error);
            let hint = error.hint.clone().unwrap_or_default();
            error.hint(format!("{hint} --keep-going leaves such files out."))
        }
        MergeError::NothingUsable { ref first, .. } => Error {
            message: error.to_string(),
            ..input_error(first)
        },
        MergeError::MixedLocations { .. } => Error::new(ErrorCode::Unsupported, error.to_string())
            .hint("Merge profiles of builds with -fpseudo-probe-for-profiling apart from the others."),
        error => Error::new(ErrorCode::Internal, error.to_string()),
    }
}

pub(crate) fn write_error(error: &WriteError) -> Error {
    Error::new(ErrorCode::Unsupported, error.to_string()).hint("Write another --format.")
}

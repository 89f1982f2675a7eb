//! Refuses jobs that a text cannot serve, and says what to do instead.

use std::path::Path;

use job::{Error, ErrorCode};

use crate::request::options::GenerateOptions;

/// Refuses selections by data that a text does not have.
pub(super) fn check_selection(options: &GenerateOptions) -> Result<(), Error> {
    let select = &options.select;
    let impossible = [
        (!select.tids.is_empty(), "tid"),
        (!select.cpus.is_empty(), "cpu"),
        (select.time.is_some(), "time"),
    ];
    match impossible.into_iter().find(|(given, _)| *given) {
        None => Ok(()),
        Some((_, flag)) => Err(Error::new(
            ErrorCode::InvalidOptions,
            format!("{{--{flag}}} cannot select samples of a text, because the text does not have the fields that it compares"),
        )
        .hint(format!(
            "Give the recording itself with {{--perfdata}}, or print the text with `perf script --{flag}`."
        ))),
    }
}

/// Returns the error that profiles with contexts and without cannot be mixed.
pub(super) fn mixed_kinds(path: &Path) -> Error {
    let message = format!(
        "some texts have call stacks and others have not; {} differs from the first one",
        path.display()
    );
    Error::new(ErrorCode::InvalidOptions, message).hint(
        "Give them to jobs of their own, or use {--ignore-stack-samples} for a profile by the branch stacks alone.",
    )
}

/// Refuses options that do not go together with calling contexts.
pub(super) fn check_contexts(options: &GenerateOptions) -> Result<(), &'static str> {
    let impossible = [
        (
            options.leading_ip_only,
            "{--leading-ip-only} leaves out the branches, and contexts need them",
        ),
        (
            options.sample_period.is_some(),
            "{--sample-period} does not support samples with call stacks",
        ),
        (
            options.fill_zero_for_all_funcs,
            "{--fill-zero-for-all-funcs} does not support contexts",
        ),
    ];
    match impossible.into_iter().find(|(given, _)| *given) {
        None => Ok(()),
        Some((_, message)) => Err(message),
    }
}

pub(super) fn has_call_stacks(path: &Path, message: &str) -> Error {
    let message = format!(
        "{} has call stacks, which give a context-sensitive profile, but {message}",
        path.display()
    );
    Error::new(ErrorCode::Unsupported, message)
        .hint("Use {--ignore-stack-samples} for a profile by the branch stacks alone.")
}

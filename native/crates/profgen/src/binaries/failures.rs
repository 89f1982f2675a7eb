//! Ends a job in which no binary is left.

use job::{Error, ErrorCode};

/// Ends a job in which every binary has failed. A cancelled job and a defect of this program end the job at
/// once. `failures` has one element for each binary: the reason of its failure, or `None`.
pub(crate) fn stop_if_all_failed<'e>(failures: impl Iterator<Item = Option<&'e Error>>) -> Result<(), Error> {
    let failures: Vec<_> = failures.collect();
    let failed: Vec<&Error> = failures.iter().copied().flatten().collect();
    let is_fatal = |error: &&&Error| matches!(error.code, ErrorCode::Aborted | ErrorCode::Internal);
    if let Some(fatal) = failed.iter().find(is_fatal) {
        return Err((*fatal).clone());
    }
    match failed.as_slice() {
        [only] if failures.len() == 1 => Err((*only).clone()),
        [first, rest @ ..] if failed.len() == failures.len() => {
            let rest: Vec<_> = rest.iter().map(ToString::to_string).collect();
            Err(Error {
                message: format!("no binary has a profile: {first}; {}", rest.join("; ")),
                ..(*first).clone()
            })
        }
        _ => Ok(()),
    }
}

//! The order of the stages; no other file knows it.

use crate::error::{Error, ErrorCode};
use crate::observer::Observer;
use crate::options::GenerateOptions;
use crate::outcome::Outcome;

/// Runs a whole job on a thread pool of its own.
///
/// # Errors
/// See [`ErrorCode`]. On any error the output file is neither created nor replaced.
pub fn generate(options: &GenerateOptions, observer: &dyn Observer) -> Result<Outcome, Error> {
    let _ = (options, observer);
    Err(Error::new(ErrorCode::Unsupported, "the pipeline is not complete yet"))
}

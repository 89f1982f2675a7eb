//! The result of a merge, or the reason why nothing was merged.

use thiserror::Error;

use crate::{Profile, ReadError};

/// The result of a merge.
#[derive(Debug, Default)]
pub struct Merged {
    /// The sum of the inputs. Flags about the meaning of counts are set if any input has them.
    pub profile: Profile,
    /// Number of inputs in the sum.
    pub inputs: usize,
    /// Inputs that could not be read.
    pub skipped: Vec<InputError>,
    /// Number of functions, inlined ones included, that were left out of some input because of their checksums.
    pub mismatch_count: u64,
    /// Descriptions of some of the functions that were left out.
    pub mismatches: Vec<ChecksumMismatch>,
    /// True if an input was marked as partial.
    pub partial_input: bool,
}

/// Counts that were left out because they belong to another version of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChecksumMismatch {
    /// Name of the input.
    pub input: String,
    /// Name of the function that is not inlined.
    pub function: String,
    /// Number of functions that were left out: the function itself, or functions that are inlined into it.
    pub count: u64,
}

/// The reason why one input cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InputError {
    /// The file cannot be read.
    #[error("{file}: {source}")]
    Io {
        /// Name of the input.
        file: String,
        /// The error that the system returned.
        source: std::io::Error,
    },
    /// The file is damaged, or it is not a profile.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// The reason why nothing was merged.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MergeError {
    /// One input is unusable.
    #[error(transparent)]
    Input(#[from] InputError),
    /// No input could be read.
    #[error("none of the {count} profiles can be read; the first fails with: {first}")]
    NothingUsable {
        /// Number of inputs.
        count: usize,
        /// The error of the first input.
        first: InputError,
    },
    /// Some inputs are based on pseudo probes and others are not, so their locations mean different things.
    #[error("{probe_based} is based on pseudo probes and {other} is not; they cannot be merged")]
    MixedLocations {
        /// Name of an input with probes.
        probe_based: String,
        /// Name of an input without probes.
        other: String,
    },
    /// Some inputs are context-sensitive and others are not, so one function would have to be added to many.
    #[error("{context_sensitive} is context-sensitive and {other} is not; they cannot be merged")]
    MixedContexts {
        /// Name of an input with contexts.
        context_sensitive: String,
        /// Name of an input without contexts.
        other: String,
    },
    /// The caller ended the work.
    #[error("merging was cancelled")]
    Cancelled,
}

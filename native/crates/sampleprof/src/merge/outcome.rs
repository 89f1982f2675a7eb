//! What came of merging, and why nothing did.

use thiserror::Error;

use crate::{Profile, ReadError};

/// What came of merging.
#[derive(Debug, Default)]
pub struct Merged {
    /// The sum of the inputs. Flags about the meaning of counts are set if any input has them.
    pub profile: Profile,
    /// How many inputs are in it.
    pub inputs: usize,
    /// Inputs that could not be read.
    pub skipped: Vec<InputError>,
    /// How many functions, inlined ones included, were left out of some input because of their checksum.
    pub mismatch_count: u64,
    /// Some of them.
    pub mismatches: Vec<ChecksumMismatch>,
    /// Whether an input was marked as partial.
    pub partial_input: bool,
}

/// Counts that were left out because they belong to another version of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChecksumMismatch {
    /// The input.
    pub input: String,
    /// The function that is not inlined.
    pub function: String,
    /// How many functions in it were left out: itself, or some that are inlined into it.
    pub count: u64,
}

/// Why one input cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InputError {
    /// The file cannot be read.
    #[error("{file}: {source}")]
    Io {
        /// The input.
        file: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The profile is damaged or is none.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Why nothing was merged.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MergeError {
    /// One input is unusable.
    #[error(transparent)]
    Input(#[from] InputError),
    /// Not one input could be read.
    #[error("none of {count} profiles can be read; the first: {first}")]
    NothingUsable {
        /// How many inputs there are.
        count: usize,
        /// What is wrong with the first.
        first: InputError,
    },
    /// Their locations mean different things.
    #[error("{probe_based} is based on pseudo probes and {other} is not; they cannot be merged")]
    MixedLocations {
        /// An input with probes.
        probe_based: String,
        /// An input without.
        other: String,
    },
    /// Functions of one would have to be added to many of the other.
    #[error("{context_sensitive} is context-sensitive and {other} is not; they cannot be merged")]
    MixedContexts {
        /// An input with contexts.
        context_sensitive: String,
        /// An input without.
        other: String,
    },
    /// The caller wanted no more.
    #[error("merging was cancelled")]
    Cancelled,
}

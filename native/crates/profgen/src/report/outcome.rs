//! The report of a finished job.

use std::path::PathBuf;

use job::{Diagnostic, Error, Phase};

use crate::account::statistics::{BinaryStatistics, Statistics};
use crate::report::sample_survey::SampleSurvey;

/// The result and the report of a finished job.
#[derive(Debug)]
pub struct Outcome {
    /// The profile or counters, if `Output::Memory` was asked for and there is one result: of the only
    /// binary, or of all binaries merged.
    pub bytes: Option<Vec<u8>>,
    /// Size of all results in bytes.
    pub size: u64,
    /// Numbers about the inputs and the results, all binaries together.
    pub statistics: Statistics,
    /// Outcome of each binary: in the order of `GenerateOptions::binaries`, then the binaries that were
    /// found, by name.
    pub binaries: Vec<BinaryOutcome>,
    /// Warnings and notes, in the order in which llvm-profgen prints its own.
    pub diagnostics: Vec<Diagnostic>,
    /// Wall-clock time of each phase in milliseconds, in order of execution.
    pub timings: Vec<(Phase, f64)>,
}

/// The outcome of one binary.
#[derive(Debug)]
pub struct BinaryOutcome {
    /// Path of the binary.
    pub path: PathBuf,
    /// File name of the binary. For a binary that was found, the file name in the recording.
    pub name: String,
    /// Build id of the binary; `None` if it has none.
    pub build_id: Option<Vec<u8>>,
    /// Path of the file with its result.
    pub output: Option<PathBuf>,
    /// Its profile or counters, if `Output::Memory` was asked for and there can be several results.
    pub bytes: Option<Vec<u8>>,
    /// Size of its result in bytes, before merging if that was asked for; 0 if there is no result.
    pub size: u64,
    /// The numbers of the binary.
    pub statistics: BinaryStatistics,
    /// Survey of its samples, if the options asked for one.
    pub survey: Option<SampleSurvey>,
    /// The diagnostics about the binary, worded as in a job with no other binary.
    pub diagnostics: Vec<Diagnostic>,
    /// Why the binary has no result although others have one.
    pub failure: Option<Error>,
}

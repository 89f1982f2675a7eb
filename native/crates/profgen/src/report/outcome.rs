//! What a finished job reports.

use std::path::PathBuf;

use job::{Diagnostic, Error, Phase};

use crate::account::statistics::{BinaryStatistics, Statistics};
use crate::report::sample_survey::SampleSurvey;

/// A finished job.
#[derive(Debug)]
pub struct Outcome {
    /// The profile or counters when `Output::Memory` was asked for and there is one result: of the only binary, or of all merged.
    pub bytes: Option<Vec<u8>>,
    /// Size of all results.
    pub size: u64,
    /// What was read and what came of it, all binaries together.
    pub statistics: Statistics,
    /// What came of each binary: in the order of `GenerateOptions::binaries`, then those that were found, by name.
    pub binaries: Vec<BinaryOutcome>,
    /// Warnings and notes, in the order llvm-profgen prints its own.
    pub diagnostics: Vec<Diagnostic>,
    /// Wall-clock time of each phase in milliseconds, in order of execution.
    pub timings: Vec<(Phase, f64)>,
}

/// What came of one binary.
#[derive(Debug)]
pub struct BinaryOutcome {
    /// The binary.
    pub path: PathBuf,
    /// Its file name; of one that was found, the one in the recording.
    pub name: String,
    /// Its build id.
    pub build_id: Option<Vec<u8>>,
    /// The file that has its result.
    pub output: Option<PathBuf>,
    /// Its profile or counters when `Output::Memory` was asked for and there can be several results.
    pub bytes: Option<Vec<u8>>,
    /// Size of its result, before merging if that was asked for; 0 if there is none.
    pub size: u64,
    /// Its part of the numbers.
    pub statistics: BinaryStatistics,
    /// What its samples lie in, if that was asked for.
    pub survey: Option<SampleSurvey>,
    /// The diagnostics about it, as a job with no other binary has them.
    pub diagnostics: Vec<Diagnostic>,
    /// Why it has no result although others do.
    pub failure: Option<Error>,
}

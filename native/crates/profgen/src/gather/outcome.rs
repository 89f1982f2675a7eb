//! The result of a collection.

use std::path::PathBuf;

use job::{Diagnostic, Phase};
use traceshard::Loss;

/// The result of a collection.
#[derive(Debug, Clone, Default)]
pub struct CollectOutcome {
    /// The files, in the order in which they were finished.
    pub shards: Vec<WrittenShard>,
    /// True if the job was cancelled before a stream had ended, or before all inputs were read.
    pub interrupted: bool,
    /// The numbers of the ledger: what was read, and which parts of it are in no row of a branch.
    pub ledger: Vec<(Loss, u64)>,
    /// Warnings and notes.
    pub diagnostics: Vec<Diagnostic>,
    /// Time of each phase, in milliseconds.
    pub timings: Vec<(Phase, f64)>,
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenShard {
    /// Path of the file.
    pub path: PathBuf,
    /// Number of rows.
    pub rows: u64,
    /// Size of the file in bytes.
    pub bytes: u64,
}

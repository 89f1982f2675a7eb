//! What came of a collection.

use std::path::PathBuf;

use job::{Diagnostic, Phase};
use traceshard::Loss;

/// What came of a collection.
#[derive(Debug, Clone, Default)]
pub struct CollectOutcome {
    /// The files, in the order that they were finished.
    pub shards: Vec<WrittenShard>,
    /// What was read, and what of it is in no row of a branch.
    pub ledger: Vec<(Loss, u64)>,
    /// Warnings and notes.
    pub diagnostics: Vec<Diagnostic>,
    /// Milliseconds of each phase.
    pub timings: Vec<(Phase, f64)>,
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenShard {
    /// Where it is.
    pub path: PathBuf,
    /// How many rows it has.
    pub rows: u64,
    /// Its size in bytes.
    pub bytes: u64,
}

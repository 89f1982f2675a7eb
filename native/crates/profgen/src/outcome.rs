//! What a finished job reports.

use crate::ledger::Ledger;
use crate::observer::Phase;

/// A finished job.
#[derive(Debug)]
pub struct Outcome {
    /// The profile or counters when `Output::Memory` was asked for.
    pub bytes: Option<Vec<u8>>,
    /// Size of the result.
    pub size: u64,
    /// What was read and what came of it.
    pub statistics: Statistics,
    /// Warnings and notes, in the order llvm-profgen prints its own.
    pub diagnostics: Vec<Diagnostic>,
    /// Wall-clock time of each phase in milliseconds, in order of execution.
    pub timings: Vec<(Phase, f64)>,
}

/// Numbers about a job.
#[derive(Debug, Clone, Default)]
pub struct Statistics {
    /// Bytes of the inputs that were read.
    pub input_bytes: u64,
    /// Samples read.
    pub samples: u64,
    /// Of these, with a branch stack of at least one entry.
    pub branch_samples: u64,
    /// What became of every branch entry.
    pub ledger: Ledger,
    /// Records that the kernel could not deliver, as it reported them.
    pub lost_records: u64,
    /// Mappings of the binary that were followed.
    pub mappings: u64,
    /// Processes these belong to.
    pub processes: u64,
    /// Distinct straight-line ranges.
    pub ranges: u64,
    /// Distinct branches.
    pub branches: u64,
    /// Top-level functions in the profile.
    pub functions: u64,
    /// Sum of all body counts.
    pub total_count: u64,
    /// Largest body count.
    pub max_count: u64,
    /// Samples for each instruction line of the hot part; see llvm-profgen's `--show-density`.
    pub density: f64,
}

/// How serious a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Something that the user should look at.
    Warning,
    /// Something good to know.
    Note,
}

/// A warning or note. Where llvm-profgen has the same, the message is its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable identifier, kebab-case.
    pub code: &'static str,
    /// How serious it is.
    pub severity: Severity,
    /// One paragraph without a trailing line break.
    pub message: String,
}

impl Diagnostic {
    /// Something to look at.
    #[must_use]
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Warning,
            message: message.into(),
        }
    }

    /// Something good to know.
    #[must_use]
    pub fn note(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Note,
            message: message.into(),
        }
    }
}

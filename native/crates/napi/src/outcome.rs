//! A finished job as JavaScript sees it: the bytes without a copy, everything else a small object.

use napi::bindgen_prelude::Buffer;
use napi_derive::napi;
use profgen::{Diagnostic, EntryClass, Outcome, Severity, Statistics};

/// A count as a JavaScript number, clamped to the largest that is exact (2^53 - 1).
pub fn count(value: u64) -> f64 {
    const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;
    value.min(MAX_SAFE_INTEGER) as f64
}

/// A job that succeeded.
#[napi(object, object_from_js = false)]
pub struct BindingSuccess {
    /// Tells a success from a failure.
    #[napi(ts_type = "true")]
    pub ok: bool,
    /// What came of it.
    pub value: BindingOutcome,
}

/// What a job reports.
#[napi(object, object_from_js = false)]
pub struct BindingOutcome {
    /// The profile, when no output file was named.
    pub bytes: Option<Buffer>,
    /// Its size in bytes.
    pub size: f64,
    /// Numbers about the job.
    pub statistics: BindingStatistics,
    /// Warnings and notes.
    pub diagnostics: Vec<BindingDiagnostic>,
    /// Time of each phase, in order.
    pub timings: Vec<BindingTiming>,
}

/// Numbers about a job.
#[napi(object, object_from_js = false)]
pub struct BindingStatistics {
    /// Bytes of input read.
    pub input_bytes: f64,
    /// Samples read.
    pub samples: f64,
    /// Samples with a branch stack.
    pub branch_samples: f64,
    /// Branch entries read.
    pub branch_entries: f64,
    /// What became of them.
    pub entry_classes: Vec<BindingEntryClass>,
    /// Records that the kernel lost.
    pub lost_records: f64,
    /// Mappings of the binary.
    pub mappings: f64,
    /// Processes that mapped it.
    pub processes: f64,
    /// Distinct ranges.
    pub ranges: f64,
    /// Distinct branches.
    pub branches: f64,
    /// Functions in the profile.
    pub functions: f64,
    /// Sum of body counts.
    pub total_count: f64,
    /// Largest body count.
    pub max_count: f64,
    /// Density of the hot part.
    pub density: f64,
}

/// One class of the ledger.
#[napi(object, object_from_js = false)]
pub struct BindingEntryClass {
    /// Its name.
    pub name: String,
    /// Branch entries that ended in it.
    pub entries: f64,
}

/// A warning or note.
#[napi(object, object_from_js = false)]
pub struct BindingDiagnostic {
    /// Stable identifier.
    pub code: String,
    /// How serious it is.
    #[napi(ts_type = "'warning' | 'note'")]
    pub severity: String,
    /// One paragraph.
    pub message: String,
}

/// Time of one phase.
#[napi(object, object_from_js = false)]
pub struct BindingTiming {
    /// The phase.
    #[napi(ts_type = "'open' | 'scan' | 'decode' | 'symbolize' | 'attribute' | 'write'")]
    pub phase: String,
    /// Wall-clock milliseconds.
    pub milliseconds: f64,
}

impl From<Outcome> for BindingOutcome {
    fn from(outcome: Outcome) -> Self {
        Self {
            bytes: outcome.bytes.map(Buffer::from),
            size: count(outcome.size),
            statistics: (&outcome.statistics).into(),
            diagnostics: outcome.diagnostics.into_iter().map(BindingDiagnostic::from).collect(),
            timings: outcome
                .timings
                .into_iter()
                .map(|(phase, milliseconds)| BindingTiming {
                    phase: phase.as_str().to_owned(),
                    milliseconds,
                })
                .collect(),
        }
    }
}

impl From<Diagnostic> for BindingDiagnostic {
    fn from(diagnostic: Diagnostic) -> Self {
        Self {
            code: diagnostic.code.to_owned(),
            severity: match diagnostic.severity {
                Severity::Warning => "warning".to_owned(),
                Severity::Note => "note".to_owned(),
            },
            message: diagnostic.message,
        }
    }
}

impl From<&Statistics> for BindingStatistics {
    fn from(from: &Statistics) -> Self {
        Self {
            input_bytes: count(from.input_bytes),
            samples: count(from.samples),
            branch_samples: count(from.branch_samples),
            branch_entries: count(from.ledger.entries()),
            entry_classes: EntryClass::ALL
                .into_iter()
                .map(|class| BindingEntryClass {
                    name: class.as_str().to_owned(),
                    entries: count(from.ledger[class]),
                })
                .collect(),
            lost_records: count(from.lost_records),
            mappings: count(from.mappings),
            processes: count(from.processes),
            ranges: count(from.ranges),
            branches: count(from.branches),
            functions: count(from.functions),
            total_count: count(from.total_count),
            max_count: count(from.max_count),
            density: from.density,
        }
    }
}

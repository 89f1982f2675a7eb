//! Converts the outcome of a job for JavaScript: the bytes without a copy, everything else as small objects.

use job::{Diagnostic, Phase, Severity};
use napi::bindgen_prelude::{BigInt, Buffer};
use napi_derive::napi;
use profgen::{BinaryOutcome, BinaryStatistics, EntryClass, Outcome, SampleSurvey, SharedName, Statistics};

use crate::doctor::BindingCompiler;
use crate::failure::BindingError;
use crate::number::count;

/// The result of a job that succeeded.
#[napi(object, object_from_js = false)]
pub struct BindingSuccess {
    /// True, which distinguishes a success from a failure.
    #[napi(ts_type = "true")]
    pub ok: bool,
    /// The report of the job.
    pub value: BindingOutcome,
}

/// The report of a job.
#[napi(object, object_from_js = false)]
pub struct BindingOutcome {
    /// The bytes of the profile, if no output file was named and there is a profile.
    pub bytes: Option<Buffer>,
    /// Size of all results in bytes.
    pub size: f64,
    /// Numbers about the job.
    pub statistics: BindingStatistics,
    /// The outcome for each binary.
    pub binaries: Vec<BindingBinaryOutcome>,
    /// Warnings and notes.
    pub diagnostics: Vec<BindingDiagnostic>,
    /// Wall-clock time of each phase, in order.
    pub timings: Vec<BindingTiming>,
}

/// The outcome for one binary.
#[napi(object, object_from_js = false)]
pub struct BindingBinaryOutcome {
    /// Path of the binary.
    pub path: String,
    /// Name of the binary.
    pub name: String,
    /// Build id of the binary in hexadecimal digits.
    pub build_id: Option<String>,
    /// Path of the file that has the result for this binary.
    pub output: Option<String>,
    /// The bytes of its profile, if no output was named and there can be several profiles.
    pub bytes: Option<Buffer>,
    /// Size of its result in bytes.
    pub size: f64,
    /// Numbers about this binary.
    pub statistics: BindingBinaryStatistics,
    /// The kinds of code that its samples lie in, if the caller asked for them.
    pub survey: Option<BindingSampleSurvey>,
    /// Warnings and notes about this binary.
    pub diagnostics: Vec<BindingDiagnostic>,
    /// Why this binary has no result.
    pub error: Option<BindingError>,
}

/// The kinds of code that the samples of a binary lie in.
#[napi(object, object_from_js = false)]
pub struct BindingSampleSurvey {
    /// Number of samples in functions.
    #[napi(ts_type = "bigint")]
    pub samples: BigInt,
    /// Samples by compiler; the numbers count samples instead of units.
    pub compilers: Vec<BindingCompiler>,
    /// Number of functions with code.
    pub functions: f64,
    /// Number of functions with samples.
    pub sampled_functions: f64,
    /// Names that functions of several units share.
    pub shared: Vec<BindingSharedName>,
    /// Number of samples in all functions with shared names.
    #[napi(ts_type = "bigint")]
    pub shared_samples: BigInt,
}

/// A name that functions of several units share.
#[napi(object, object_from_js = false)]
pub struct BindingSharedName {
    /// The shared name.
    pub name: String,
    /// Number of units.
    pub units: f64,
    /// Number of samples in all functions of this name.
    #[napi(ts_type = "bigint")]
    pub samples: BigInt,
}

/// Numbers about one binary.
#[napi(object, object_from_js = false)]
pub struct BindingBinaryStatistics {
    /// Number of branch entries whose source or target lies in the binary.
    #[napi(ts_type = "bigint")]
    pub branch_entries: BigInt,
    /// Number of these that are followed by an impossible straight-line range.
    #[napi(ts_type = "bigint")]
    pub crosses_barrier: BigInt,
    /// Number of these that are followed by a straight-line range outside of any function.
    #[napi(ts_type = "bigint")]
    pub no_function: BigInt,
    /// Number of mappings of the binary.
    pub mappings: f64,
    /// Number of processes that mapped the binary.
    pub processes: f64,
    /// Number of distinct ranges.
    pub ranges: f64,
    /// Number of distinct branches.
    pub branches: f64,
    /// Number of functions in the profile of the binary.
    pub functions: f64,
    /// Sum of the body counts.
    #[napi(ts_type = "bigint")]
    pub total_count: BigInt,
    /// Largest body count.
    #[napi(ts_type = "bigint")]
    pub max_count: BigInt,
    /// Density of the hot part of the profile.
    pub density: f64,
}

/// Numbers about a job.
#[napi(object, object_from_js = false)]
pub struct BindingStatistics {
    /// Number of bytes of input that were read.
    pub input_bytes: f64,
    /// Number of samples that were read.
    #[napi(ts_type = "bigint")]
    pub samples: BigInt,
    /// Number of samples with a branch stack.
    #[napi(ts_type = "bigint")]
    pub branch_samples: BigInt,
    /// True if sampled addresses were counted, not branch stacks.
    pub by_addresses: bool,
    /// Number of branch entries, or of sampled addresses, that were read.
    #[napi(ts_type = "bigint")]
    pub branch_entries: BigInt,
    /// Numbers of branch entries by class of the ledger.
    pub entry_classes: Vec<BindingEntryClass>,
    /// Number of records that the kernel lost.
    #[napi(ts_type = "bigint")]
    pub lost_records: BigInt,
    /// Number of mappings of the binary.
    pub mappings: f64,
    /// Number of processes that mapped the binary.
    pub processes: f64,
    /// Number of distinct ranges.
    pub ranges: f64,
    /// Number of distinct branches.
    pub branches: f64,
    /// Number of functions in the profile.
    pub functions: f64,
    /// Sum of the body counts.
    #[napi(ts_type = "bigint")]
    pub total_count: BigInt,
    /// Largest body count.
    #[napi(ts_type = "bigint")]
    pub max_count: BigInt,
    /// Density of the hot part of the profile.
    pub density: f64,
}

/// One class of the ledger.
#[napi(object, object_from_js = false)]
pub struct BindingEntryClass {
    /// Name of the class.
    #[napi(ts_type = "BindingEntryClassName")]
    pub name: String,
    /// Number of branch entries that ended in the class.
    #[napi(ts_type = "bigint")]
    pub entries: BigInt,
}

/// A warning or a note.
#[napi(object, object_from_js = false)]
pub struct BindingDiagnostic {
    /// Stable identifier of the diagnostic.
    #[napi(ts_type = "BindingDiagnosticCode")]
    pub code: String,
    /// Severity of the diagnostic.
    #[napi(ts_type = "'warning' | 'note'")]
    pub severity: String,
    /// Text of the diagnostic, one paragraph.
    pub message: String,
}

/// Duration of one phase.
#[napi(object, object_from_js = false)]
pub struct BindingTiming {
    /// Name of the phase.
    #[napi(ts_type = "'open' | 'scan' | 'decode' | 'symbolize' | 'attribute' | 'write'")]
    pub phase: String,
    /// Wall-clock time in milliseconds.
    pub milliseconds: f64,
}

impl From<Outcome> for BindingOutcome {
    fn from(outcome: Outcome) -> Self {
        Self {
            bytes: outcome.bytes.map(Buffer::from),
            size: count(outcome.size),
            statistics: (&outcome.statistics).into(),
            binaries: outcome.binaries.into_iter().map(BindingBinaryOutcome::from).collect(),
            diagnostics: outcome.diagnostics.into_iter().map(BindingDiagnostic::from).collect(),
            timings: outcome.timings.into_iter().map(BindingTiming::from).collect(),
        }
    }
}

impl From<(Phase, f64)> for BindingTiming {
    fn from((phase, milliseconds): (Phase, f64)) -> Self {
        Self {
            phase: phase.as_str().to_owned(),
            milliseconds,
        }
    }
}

impl From<BinaryOutcome> for BindingBinaryOutcome {
    fn from(from: BinaryOutcome) -> Self {
        let hex = |id: Vec<u8>| id.iter().map(|byte| format!("{byte:02x}")).collect();
        Self {
            path: from.path.to_string_lossy().into_owned(),
            name: from.name,
            build_id: from.build_id.map(hex),
            output: from.output.map(|path| path.to_string_lossy().into_owned()),
            bytes: from.bytes.map(Buffer::from),
            size: count(from.size),
            statistics: (&from.statistics).into(),
            survey: from.survey.map(BindingSampleSurvey::from),
            diagnostics: from.diagnostics.into_iter().map(BindingDiagnostic::from).collect(),
            error: from.failure.map(BindingError::from),
        }
    }
}

impl From<SampleSurvey> for BindingSampleSurvey {
    fn from(from: SampleSurvey) -> Self {
        let shared = |name: SharedName| BindingSharedName {
            name: name.name,
            units: count(name.units),
            samples: BigInt::from(name.samples),
        };
        Self {
            samples: BigInt::from(from.samples),
            compilers: from.units.compilers.into_iter().map(BindingCompiler::from).collect(),
            functions: count(from.functions),
            sampled_functions: count(from.sampled_functions),
            shared: from.shared.into_iter().map(shared).collect(),
            shared_samples: BigInt::from(from.shared_samples),
        }
    }
}

impl From<&BinaryStatistics> for BindingBinaryStatistics {
    fn from(from: &BinaryStatistics) -> Self {
        Self {
            branch_entries: BigInt::from(from.entries),
            crosses_barrier: BigInt::from(from.crosses_barrier),
            no_function: BigInt::from(from.no_function),
            mappings: count(from.mappings),
            processes: count(from.processes),
            ranges: count(from.ranges),
            branches: count(from.branches),
            functions: count(from.functions),
            total_count: BigInt::from(from.total_count),
            max_count: BigInt::from(from.max_count),
            density: from.density,
        }
    }
}

impl From<Diagnostic> for BindingDiagnostic {
    fn from(diagnostic: Diagnostic) -> Self {
        Self {
            code: diagnostic.code.as_str().to_owned(),
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
            samples: BigInt::from(from.samples),
            branch_samples: BigInt::from(from.branch_samples),
            by_addresses: from.by_addresses,
            branch_entries: BigInt::from(from.ledger.entries()),
            entry_classes: EntryClass::ALL
                .into_iter()
                .map(|class| BindingEntryClass {
                    name: class.as_str().to_owned(),
                    entries: BigInt::from(from.ledger[class]),
                })
                .collect(),
            lost_records: BigInt::from(from.lost_records),
            mappings: count(from.mappings),
            processes: count(from.processes),
            ranges: count(from.ranges),
            branches: count(from.branches),
            functions: count(from.functions),
            total_count: BigInt::from(from.total_count),
            max_count: BigInt::from(from.max_count),
            density: from.density,
        }
    }
}

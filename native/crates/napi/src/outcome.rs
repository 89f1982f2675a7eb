//! A finished job as JavaScript sees it: the bytes without a copy, everything else a small object.

use job::{Diagnostic, Phase, Severity};
use napi::bindgen_prelude::{BigInt, Buffer};
use napi_derive::napi;
use profgen::{BinaryOutcome, BinaryStatistics, EntryClass, Outcome, SampleSurvey, SharedName, Statistics};

use crate::doctor::BindingCompiler;
use crate::failure::BindingError;
use crate::number::count;

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
    /// The profile, when no output file was named and there is one.
    pub bytes: Option<Buffer>,
    /// Size of all results in bytes.
    pub size: f64,
    /// Numbers about the job.
    pub statistics: BindingStatistics,
    /// What came of each binary.
    pub binaries: Vec<BindingBinaryOutcome>,
    /// Warnings and notes.
    pub diagnostics: Vec<BindingDiagnostic>,
    /// Time of each phase, in order.
    pub timings: Vec<BindingTiming>,
}

/// What came of one binary.
#[napi(object, object_from_js = false)]
pub struct BindingBinaryOutcome {
    /// Its file.
    pub path: String,
    /// Its name.
    pub name: String,
    /// Its build id in hexadecimal digits.
    pub build_id: Option<String>,
    /// The file that has its result.
    pub output: Option<String>,
    /// Its profile, when no output was named and there can be several.
    pub bytes: Option<Buffer>,
    /// Size of its result.
    pub size: f64,
    /// Its part of the numbers.
    pub statistics: BindingBinaryStatistics,
    /// What its samples lie in, if that was asked for.
    pub survey: Option<BindingSampleSurvey>,
    /// Warnings and notes about it.
    pub diagnostics: Vec<BindingDiagnostic>,
    /// Why it has no result.
    pub error: Option<BindingError>,
}

/// What the samples of a binary lie in.
#[napi(object, object_from_js = false)]
pub struct BindingSampleSurvey {
    /// Samples in functions.
    #[napi(ts_type = "bigint")]
    pub samples: BigInt,
    /// Samples by compiler; the numbers are of samples instead of units.
    pub compilers: Vec<BindingCompiler>,
    /// Functions with code.
    pub functions: f64,
    /// Those with samples.
    pub sampled_functions: f64,
    /// Names of functions of several units.
    pub shared: Vec<BindingSharedName>,
    /// Samples in all such functions.
    #[napi(ts_type = "bigint")]
    pub shared_samples: BigInt,
}

/// A name that functions of several units have.
#[napi(object, object_from_js = false)]
pub struct BindingSharedName {
    /// The name.
    pub name: String,
    /// Units.
    pub units: f64,
    /// Samples of all of them.
    #[napi(ts_type = "bigint")]
    pub samples: BigInt,
}

/// Numbers about one binary.
#[napi(object, object_from_js = false)]
pub struct BindingBinaryStatistics {
    /// Branch entries with an end in it.
    #[napi(ts_type = "bigint")]
    pub branch_entries: BigInt,
    /// Of these, followed by an impossible run.
    #[napi(ts_type = "bigint")]
    pub crosses_barrier: BigInt,
    /// Of these, followed by a run outside any function.
    #[napi(ts_type = "bigint")]
    pub no_function: BigInt,
    /// Mappings of it.
    pub mappings: f64,
    /// Processes that mapped it.
    pub processes: f64,
    /// Distinct ranges.
    pub ranges: f64,
    /// Distinct branches.
    pub branches: f64,
    /// Functions in its profile.
    pub functions: f64,
    /// Sum of body counts.
    #[napi(ts_type = "bigint")]
    pub total_count: BigInt,
    /// Largest body count.
    #[napi(ts_type = "bigint")]
    pub max_count: BigInt,
    /// Density of the hot part.
    pub density: f64,
}

/// Numbers about a job.
#[napi(object, object_from_js = false)]
pub struct BindingStatistics {
    /// Bytes of input read.
    pub input_bytes: f64,
    /// Samples read.
    #[napi(ts_type = "bigint")]
    pub samples: BigInt,
    /// Samples with a branch stack.
    #[napi(ts_type = "bigint")]
    pub branch_samples: BigInt,
    /// Sampled addresses count, not branch stacks.
    pub by_addresses: bool,
    /// Branch entries read, or sampled addresses.
    #[napi(ts_type = "bigint")]
    pub branch_entries: BigInt,
    /// What became of them.
    pub entry_classes: Vec<BindingEntryClass>,
    /// Records that the kernel lost.
    #[napi(ts_type = "bigint")]
    pub lost_records: BigInt,
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
    #[napi(ts_type = "bigint")]
    pub total_count: BigInt,
    /// Largest body count.
    #[napi(ts_type = "bigint")]
    pub max_count: BigInt,
    /// Density of the hot part.
    pub density: f64,
}

/// One class of the ledger.
#[napi(object, object_from_js = false)]
pub struct BindingEntryClass {
    /// Its name.
    #[napi(ts_type = "BindingEntryClassName")]
    pub name: String,
    /// Branch entries that ended in it.
    #[napi(ts_type = "bigint")]
    pub entries: BigInt,
}

/// A warning or note.
#[napi(object, object_from_js = false)]
pub struct BindingDiagnostic {
    /// Stable identifier.
    #[napi(ts_type = "BindingDiagnosticCode")]
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

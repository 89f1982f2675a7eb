//! A finished job as JavaScript sees it: the bytes without a copy, everything else a small object.

use job::{Diagnostic, Phase, Severity};
use napi::bindgen_prelude::Buffer;
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
    pub samples: f64,
    /// Samples by compiler; the numbers are of samples instead of units.
    pub compilers: Vec<BindingCompiler>,
    /// Functions with code.
    pub functions: f64,
    /// Those with samples.
    pub sampled_functions: f64,
    /// Names of functions of several units.
    pub shared: Vec<BindingSharedName>,
    /// Samples in all such functions.
    pub shared_samples: f64,
}

/// A name that functions of several units have.
#[napi(object, object_from_js = false)]
pub struct BindingSharedName {
    /// The name.
    pub name: String,
    /// Units.
    pub units: f64,
    /// Samples of all of them.
    pub samples: f64,
}

/// Numbers about one binary.
#[napi(object, object_from_js = false)]
pub struct BindingBinaryStatistics {
    /// Branch entries with an end in it.
    pub branch_entries: f64,
    /// Of these, followed by an impossible run.
    pub crosses_barrier: f64,
    /// Of these, followed by a run outside any function.
    pub no_function: f64,
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
    pub total_count: f64,
    /// Largest body count.
    pub max_count: f64,
    /// Density of the hot part.
    pub density: f64,
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
    /// Sampled addresses count, not branch stacks.
    pub by_addresses: bool,
    /// Branch entries read, or sampled addresses.
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
            samples: count(name.samples),
        };
        Self {
            samples: count(from.samples),
            compilers: from.units.compilers.into_iter().map(BindingCompiler::from).collect(),
            functions: count(from.functions),
            sampled_functions: count(from.sampled_functions),
            shared: from.shared.into_iter().map(shared).collect(),
            shared_samples: count(from.shared_samples),
        }
    }
}

impl From<&BinaryStatistics> for BindingBinaryStatistics {
    fn from(from: &BinaryStatistics) -> Self {
        Self {
            branch_entries: count(from.entries),
            crosses_barrier: count(from.crosses_barrier),
            no_function: count(from.no_function),
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
            samples: count(from.samples),
            branch_samples: count(from.branch_samples),
            by_addresses: from.by_addresses,
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

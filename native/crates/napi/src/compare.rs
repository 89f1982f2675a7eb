//! Compares two profiles.

use napi::bindgen_prelude::{AsyncTask, BigInt, Buffer};
use napi_derive::napi;
use profdata::{CompareRequest, Comparison, TargetShift, lost_similarity};
use sampleprof::{FunctionOverlap, Shares};

use crate::job::BindingCancelToken;
use crate::number::count;
use crate::options::parse_u64;
use crate::outcome::BindingDiagnostic;
use crate::task::{JobTask, Success, run_job};

/// The profiles to compare, and how.
#[napi(object, object_to_js = false)]
pub struct BindingCompareOptions {
    /// Path of the older profile.
    pub base: String,
    /// Path of the newer profile.
    pub test: String,
    /// The bytes of the newer profile, if they were not written to a file.
    pub test_bytes: Option<Buffer>,
    /// Largest number of entries in each list.
    pub top: u32,
    /// Count from which on functions of the test profile are added to `text`.
    #[napi(ts_type = "bigint")]
    pub value_cutoff: Option<BigInt>,
    /// Similarity in millionths below which functions are added to `text`.
    pub similarity_cutoff: Option<u32>,
}

/// The result of a comparison that succeeded.
#[napi(object, object_from_js = false)]
pub struct BindingCompareSuccess {
    /// True, which distinguishes a success from a failure.
    #[napi(ts_type = "true")]
    pub ok: bool,
    /// The comparison.
    pub value: BindingComparison,
}

/// The differences between two profiles.
#[napi(object, object_from_js = false)]
pub struct BindingComparison {
    /// Similarity of the profiles, from 0 to 1.
    pub similarity: f64,
    /// Overlap of the samples.
    pub samples: BindingSampleOverlap,
    /// Overlap of the functions.
    pub functions: BindingShares,
    /// Overlap of the functions with a hot count.
    pub hot_functions: BindingShares,
    /// Overlap of the locations with a hot count.
    pub hot_blocks: BindingShares,
    /// Functions that only the test profile has.
    pub gained: Vec<BindingFunctionChange>,
    /// Functions that only the base profile has.
    pub lost: Vec<BindingFunctionChange>,
    /// Functions that both profiles have and that differ.
    pub changed: Vec<BindingFunctionChange>,
    /// Calls whose targets have changed.
    pub target_shifts: Vec<BindingTargetShift>,
    /// The output of `llvm-profdata overlap --sample`.
    pub text: String,
    /// Warnings.
    pub diagnostics: Vec<BindingDiagnostic>,
}

/// Overlap of the samples of two profiles.
#[napi(object, object_from_js = false)]
pub struct BindingSampleOverlap {
    /// Common part of the union of the samples, from 0 to 1.
    pub overlap: f64,
    /// Number of samples in the base profile.
    #[napi(ts_type = "bigint")]
    pub base: BigInt,
    /// Number of samples in the test profile.
    #[napi(ts_type = "bigint")]
    pub test: BigInt,
    /// Share of the base profile at locations that only the base profile has.
    pub base_unique_share: f64,
    /// Share of the test profile at locations that only the test profile has.
    pub test_unique_share: f64,
}

/// Numbers of functions or locations that both profiles have, or only one.
#[napi(object, object_from_js = false)]
pub struct BindingShares {
    /// Share of those that both profiles have, from 0 to 1.
    pub overlap: f64,
    /// Number of those that both profiles have.
    pub common: f64,
    /// Number of those that only the base profile has.
    pub base_only: f64,
    /// Number of those that only the test profile has.
    pub test_only: f64,
}

/// A function that differs between the profiles.
#[napi(object, object_from_js = false)]
pub struct BindingFunctionChange {
    /// Name of the function.
    pub name: String,
    /// Similarity of the function in both profiles, from 0 to 1.
    pub similarity: f64,
    /// Share of the function in the samples of the base profile.
    pub base_weight: f64,
    /// Share of the function in the samples of the test profile.
    pub test_weight: f64,
    /// Number of its samples in the base profile.
    #[napi(ts_type = "bigint")]
    pub base_samples: BigInt,
    /// Number of its samples in the test profile.
    #[napi(ts_type = "bigint")]
    pub test_samples: BigInt,
    /// The amount by which the function lowers the similarity of the profiles.
    pub lost_similarity: f64,
}

/// A call whose targets have changed.
#[napi(object, object_from_js = false)]
pub struct BindingTargetShift {
    /// Location of the call, callers first.
    pub place: String,
    /// Share of the calls that go to another target than before.
    pub shift: f64,
    /// Number of calls in the base profile.
    #[napi(ts_type = "bigint")]
    pub base_calls: BigInt,
    /// Number of calls in the test profile.
    #[napi(ts_type = "bigint")]
    pub test_calls: BigInt,
    /// Targets of the call, the one that changed most first.
    pub targets: Vec<BindingTargetShare>,
}

/// The share of one target in the calls of a call site.
#[napi(object, object_from_js = false)]
pub struct BindingTargetShare {
    /// Name of the callee.
    pub name: String,
    /// Share in the base profile.
    pub base: f64,
    /// Share in the test profile.
    pub test: f64,
}

/// Compares two profiles.
#[napi(ts_return_type = "Promise<BindingCompareSuccess | BindingFailure>")]
pub fn compare_profiles(options: BindingCompareOptions, cancel: &BindingCancelToken) -> AsyncTask<JobTask<Comparison>> {
    let test_bytes = options.test_bytes.map(|bytes| bytes.to_vec());
    run_job(cancel, None, move |job| {
        let request = CompareRequest {
            base: options.base.into(),
            test: options.test.into(),
            test_bytes,
            top: options.top as usize,
            value_cutoff: options.value_cutoff.as_ref().map(parse_u64).transpose()?,
            similarity_cutoff: options.similarity_cutoff.map(u64::from),
        };
        Ok(profdata::compare(&request, job)?)
    })
}

impl Success for Comparison {
    type Object = BindingCompareSuccess;

    fn into_object(self) -> BindingCompareSuccess {
        let samples = &self.report.samples;
        let functions = |list: &[FunctionOverlap]| list.iter().map(BindingFunctionChange::from).collect();
        let value = BindingComparison {
            similarity: self.report.similarity,
            samples: BindingSampleOverlap {
                overlap: samples.overlap(),
                base: BigInt::from(samples.base),
                test: BigInt::from(samples.test),
                base_unique_share: samples.base_unique_share(),
                test_unique_share: samples.test_unique_share(),
            },
            functions: (&self.report.functions).into(),
            hot_functions: (&self.report.hot_functions).into(),
            hot_blocks: (&self.report.hot_blocks).into(),
            gained: functions(&self.gained),
            lost: functions(&self.lost),
            changed: functions(&self.changed),
            target_shifts: self.target_shifts.into_iter().map(BindingTargetShift::from).collect(),
            text: self.text,
            diagnostics: self.diagnostics.into_iter().map(BindingDiagnostic::from).collect(),
        };
        BindingCompareSuccess { ok: true, value }
    }
}

impl From<&Shares> for BindingShares {
    fn from(from: &Shares) -> Self {
        Self {
            overlap: from.overlap(),
            common: count(from.common),
            base_only: count(from.base_only),
            test_only: count(from.test_only),
        }
    }
}

impl From<&FunctionOverlap> for BindingFunctionChange {
    fn from(from: &FunctionOverlap) -> Self {
        Self {
            name: String::from_utf8_lossy(&from.name).into_owned(),
            similarity: from.similarity,
            base_weight: from.base_weight,
            test_weight: from.test_weight,
            base_samples: BigInt::from(from.samples.base),
            test_samples: BigInt::from(from.samples.test),
            lost_similarity: lost_similarity(from),
        }
    }
}

impl From<TargetShift> for BindingTargetShift {
    fn from(from: TargetShift) -> Self {
        let targets = from.targets.into_iter().map(|target| BindingTargetShare {
            name: target.name,
            base: target.base,
            test: target.test,
        });
        Self {
            place: from.place,
            shift: from.shift,
            base_calls: BigInt::from(from.base_calls),
            test_calls: BigInt::from(from.test_calls),
            targets: targets.collect(),
        }
    }
}

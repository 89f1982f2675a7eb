//! How two profiles differ.

use napi::bindgen_prelude::{AsyncTask, BigInt, Buffer};
use napi_derive::napi;
use profdata::{CompareRequest, Comparison, TargetShift, lost_similarity};
use sampleprof::{FunctionOverlap, Shares};

use crate::job::BindingCancelToken;
use crate::number::count;
use crate::options::parse_u64;
use crate::outcome::BindingDiagnostic;
use crate::task::{JobTask, Success, run_job};

/// What to compare.
#[napi(object, object_to_js = false)]
pub struct BindingCompareOptions {
    /// The older profile.
    pub base: String,
    /// The newer one.
    pub test: String,
    /// What the newer one would hold: a profile that was not written to a file.
    pub test_bytes: Option<Buffer>,
    /// Most entries in each list.
    pub top: u32,
    /// Add hot functions of the test profile to `text`.
    #[napi(ts_type = "bigint")]
    pub value_cutoff: Option<BigInt>,
    /// Add functions less similar than this to `text`, in millionths.
    pub similarity_cutoff: Option<u32>,
}

/// A comparison that succeeded.
#[napi(object, object_from_js = false)]
pub struct BindingCompareSuccess {
    /// Tells a success from a failure.
    #[napi(ts_type = "true")]
    pub ok: bool,
    /// What was found.
    pub value: BindingComparison,
}

/// How two profiles differ.
#[napi(object, object_from_js = false)]
pub struct BindingComparison {
    /// From 0 to 1.
    pub similarity: f64,
    /// Samples.
    pub samples: BindingSampleOverlap,
    /// Functions.
    pub functions: BindingShares,
    /// Functions with a hot count.
    pub hot_functions: BindingShares,
    /// Places with a hot count.
    pub hot_blocks: BindingShares,
    /// Functions that only the test profile has.
    pub gained: Vec<BindingFunctionChange>,
    /// Functions that only the base profile has.
    pub lost: Vec<BindingFunctionChange>,
    /// Functions of both that differ.
    pub changed: Vec<BindingFunctionChange>,
    /// Calls that go elsewhere.
    pub target_shifts: Vec<BindingTargetShift>,
    /// What llvm-profdata prints.
    pub text: String,
    /// Warnings.
    pub diagnostics: Vec<BindingDiagnostic>,
}

/// Samples of two profiles.
#[napi(object, object_from_js = false)]
pub struct BindingSampleOverlap {
    /// The common part of the union, from 0 to 1.
    pub overlap: f64,
    /// Of the base profile.
    #[napi(ts_type = "bigint")]
    pub base: BigInt,
    /// Of the test profile.
    #[napi(ts_type = "bigint")]
    pub test: BigInt,
    /// The part of the base profile at places that only it has.
    pub base_unique_share: f64,
    /// The part of the test profile at places that only it has.
    pub test_unique_share: f64,
}

/// Counts of things in both profiles or one.
#[napi(object, object_from_js = false)]
pub struct BindingShares {
    /// The part that is in both, from 0 to 1.
    pub overlap: f64,
    /// In both.
    pub common: f64,
    /// Only in the base profile.
    pub base_only: f64,
    /// Only in the test profile.
    pub test_only: f64,
}

/// A function that differs.
#[napi(object, object_from_js = false)]
pub struct BindingFunctionChange {
    /// Its name.
    pub name: String,
    /// From 0 to 1.
    pub similarity: f64,
    /// Share of the base samples.
    pub base_weight: f64,
    /// Share of the test samples.
    pub test_weight: f64,
    /// Samples in the base profile.
    #[napi(ts_type = "bigint")]
    pub base_samples: BigInt,
    /// Samples in the test profile.
    #[napi(ts_type = "bigint")]
    pub test_samples: BigInt,
    /// What it takes from the similarity of the profiles.
    pub lost_similarity: f64,
}

/// A call that goes elsewhere.
#[napi(object, object_from_js = false)]
pub struct BindingTargetShift {
    /// Where it is, callers first.
    pub place: String,
    /// The part of the calls that goes elsewhere.
    pub shift: f64,
    /// Calls in the base profile.
    #[napi(ts_type = "bigint")]
    pub base_calls: BigInt,
    /// Calls in the test profile.
    #[napi(ts_type = "bigint")]
    pub test_calls: BigInt,
    /// Its targets, by change.
    pub targets: Vec<BindingTargetShare>,
}

/// A target's share of a call.
#[napi(object, object_from_js = false)]
pub struct BindingTargetShare {
    /// The callee.
    pub name: String,
    /// In the base profile.
    pub base: f64,
    /// In the test profile.
    pub test: f64,
}

/// Compares two profiles.
#[napi(ts_return_type = "Promise<BindingCompareSuccess | BindingFailure>")]
pub fn compare_profiles(options: BindingCompareOptions, cancel: &BindingCancelToken) -> AsyncTask<JobTask<Comparison>> {
    let test_bytes = options.test_bytes.map(|bytes| bytes.to_vec());
    run_job(cancel, None, move |_| {
        Ok(profdata::compare(&CompareRequest {
            base: options.base.into(),
            test: options.test.into(),
            test_bytes,
            top: options.top as usize,
            value_cutoff: options.value_cutoff.as_ref().map(parse_u64).transpose()?,
            similarity_cutoff: options.similarity_cutoff.map(u64::from),
        })?)
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

//! Collects traces.

use napi::bindgen_prelude::{AsyncTask, BigInt};
use napi_derive::napi;
use profgen::{CollectOptions, CollectOutcome, Rotation};

use crate::failure::BindingError;
use crate::job::{BindingCancelToken, ProgressFunction};
use crate::number::count;
use crate::options::{BindingSelection, parse_samples};
use crate::outcome::{BindingDiagnostic, BindingTiming};
use crate::task::{JobTask, Success, run_job};

/// The recordings to collect from, and the destination of the shards.
#[napi(object, object_to_js = false)]
pub struct BindingCollectOptions {
    /// perf.data files, directories or streams.
    pub perf_data: Vec<String>,
    /// A `.parquet` file or a folder for the shards.
    pub output: String,
    /// Time or size at which a file is finished and the next one begins.
    pub rotate: Option<String>,
    /// True to write the name of the host into the shards.
    pub host: Option<bool>,
    /// The samples that count.
    pub select: BindingSelection,
    /// The part of the samples that counts: branch stacks or addresses.
    #[napi(ts_type = "'branches' | 'addresses'")]
    pub samples: Option<String>,
    /// True to leave out the call chains of samples with branch stacks.
    pub ignore_stack_samples: Option<bool>,
    /// True if damage of an input is an error.
    pub strict: Option<bool>,
    /// Number of worker threads; 0 stands for one for each processor.
    pub jobs: Option<u32>,
}

/// The result of a collection that succeeded.
#[napi(object, object_from_js = false)]
pub struct BindingCollectSuccess {
    /// True, which distinguishes a success from a failure.
    #[napi(ts_type = "true")]
    pub ok: bool,
    /// The report of the collection.
    pub value: BindingCollectOutcome,
}

/// The report of a collection.
#[napi(object, object_from_js = false)]
pub struct BindingCollectOutcome {
    /// The files that were written, in the order in which they were finished.
    pub shards: Vec<BindingWrittenShard>,
    /// True if the job was cancelled before a stream had ended, or before all inputs were read.
    pub interrupted: bool,
    /// Numbers of what was read, and of what is in no row of a branch or of an address.
    pub ledger: Vec<BindingCounted>,
    /// Warnings and notes.
    pub diagnostics: Vec<BindingDiagnostic>,
    /// Wall-clock time of each phase in milliseconds.
    pub timings: Vec<BindingTiming>,
}

/// A shard that was written.
#[napi(object, object_from_js = false)]
pub struct BindingWrittenShard {
    /// Path of the file.
    pub path: String,
    /// Number of rows.
    pub rows: f64,
    /// Size in bytes.
    pub size: f64,
}

/// A number of occurrences, with its name.
#[napi(object, object_from_js = false)]
pub struct BindingCounted {
    /// Name of what was counted.
    pub name: String,
    /// Number of occurrences.
    #[napi(ts_type = "bigint")]
    pub count: BigInt,
}

/// Collects the traces of recordings.
#[napi(ts_return_type = "Promise<BindingCollectSuccess | BindingFailure>")]
pub fn collect_traces(
    options: BindingCollectOptions,
    cancel: &BindingCancelToken,
    #[napi(ts_arg_type = "((progress: BindingProgress) => void) | undefined")] on_progress: Option<ProgressFunction>,
) -> AsyncTask<JobTask<CollectOutcome>> {
    run_job(cancel, on_progress, |job| {
        let options = CollectOptions::try_from(options)?;
        Ok(profgen::collect(&options, job)?)
    })
}

impl TryFrom<BindingCollectOptions> for CollectOptions {
    type Error = BindingError;

    fn try_from(from: BindingCollectOptions) -> Result<Self, BindingError> {
        let rotate = from.rotate.map(|text| {
            Rotation::parse(&text).ok_or_else(|| {
                BindingError::invalid_options(format!(
                    "{{--rotate}} is '{text}'; it must be a time such as 10m or 1h, or a size such as 64MiB"
                ))
            })
        });
        let samples = from.samples.map(|name| parse_samples(&name)).transpose()?;
        Ok(Self {
            samples: samples.unwrap_or_default(),
            ignore_stack_samples: from.ignore_stack_samples.unwrap_or_default(),
            rotate: rotate.transpose()?,
            host: from.host.unwrap_or_default(),
            select: from.select.try_into()?,
            strict: from.strict.unwrap_or_default(),
            jobs: from.jobs.map_or(0, |jobs| jobs as usize),
            ..Self::new(from.perf_data.into_iter().map(Into::into).collect(), from.output)
        })
    }
}

impl Success for CollectOutcome {
    type Object = BindingCollectSuccess;

    fn into_object(self) -> BindingCollectSuccess {
        let shards = self.shards.into_iter().map(|shard| BindingWrittenShard {
            path: shard.path.to_string_lossy().into_owned(),
            rows: count(shard.rows),
            size: count(shard.bytes),
        });
        let ledger = self.ledger.into_iter().map(|(what, sum)| BindingCounted {
            name: what.as_str().to_owned(),
            count: BigInt::from(sum),
        });
        let value = BindingCollectOutcome {
            shards: shards.collect(),
            interrupted: self.interrupted,
            ledger: ledger.collect(),
            diagnostics: self.diagnostics.into_iter().map(BindingDiagnostic::from).collect(),
            timings: self.timings.into_iter().map(BindingTiming::from).collect(),
        };
        BindingCollectSuccess { ok: true, value }
    }
}

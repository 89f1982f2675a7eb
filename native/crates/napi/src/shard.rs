//! Describes trace shards.

use ::inspect::{ShardInspection, inspect_shard};
use napi::bindgen_prelude::{AsyncTask, BigInt};
use napi_derive::napi;

use crate::collect::BindingCounted;
use crate::job::BindingCancelToken;
use crate::number::count;
use crate::task::{JobTask, Success, run_job};

/// The result of an inspection that succeeded.
#[napi(object, object_from_js = false)]
pub struct BindingShardSuccess {
    /// True, which distinguishes a success from a failure.
    #[napi(ts_type = "true")]
    pub ok: bool,
    /// The description of the shard.
    pub value: BindingShard,
}

/// The content of a shard.
#[napi(object, object_from_js = false)]
pub struct BindingShard {
    /// Size in bytes.
    pub size: f64,
    /// Number of rows.
    pub rows: f64,
    /// Number of row groups.
    pub groups: f64,
    /// Version of the schema, if the file states it.
    pub schema_version: Option<u32>,
    /// Name of the program that collected the shard.
    pub tool: Option<String>,
    /// Times of the first and the last sample in nanoseconds, in decimal digits.
    #[napi(ts_type = "[string, string]")]
    pub sample_times: Option<Vec<String>>,
    /// Time at which the shard was finished, in seconds since 1970.
    pub written: Option<f64>,
    /// Name of the host.
    pub host: Option<String>,
    /// The files that were mapped, the one with most branches first.
    pub binaries: Vec<BindingShardBinary>,
    /// Numbers of branches and of sampled addresses by event.
    pub events: Vec<BindingCounted>,
    /// Numbers of what was read, and of what is in no row of a branch or of an address.
    pub ledger: Vec<BindingCounted>,
}

/// A file that was mapped.
#[napi(object, object_from_js = false)]
pub struct BindingShardBinary {
    /// Build id in hexadecimal digits.
    pub build_id: Option<String>,
    /// Path of the file in the mapping.
    pub path: String,
    /// Kind of the file.
    #[napi(ts_type = "'user' | 'kernel' | 'module'")]
    pub kind: String,
    /// Number of rows of branches, addresses, calls and whole samples.
    pub rows: f64,
    /// Number of times that branches of the file were taken.
    #[napi(ts_type = "bigint")]
    pub count: BigInt,
    /// Number of times that branches of the file were mispredicted.
    #[napi(ts_type = "bigint")]
    pub mispredicted: BigInt,
    /// Number of sampled addresses in the file.
    #[napi(ts_type = "bigint")]
    pub addresses: BigInt,
    /// Number of whole samples with call chains.
    #[napi(ts_type = "bigint")]
    pub stacks: BigInt,
}

/// Reads a shard and describes it.
#[napi(
    js_name = "inspectShard",
    ts_return_type = "Promise<BindingShardSuccess | BindingFailure>"
)]
pub fn read_shard(path: String, cancel: &BindingCancelToken) -> AsyncTask<JobTask<ShardInspection>> {
    run_job(cancel, None, move |job| Ok(inspect_shard(path.as_ref(), job)?))
}

impl Success for ShardInspection {
    type Object = BindingShardSuccess;

    fn into_object(self) -> BindingShardSuccess {
        let counted = |name: &str, sum: u64| BindingCounted {
            name: name.to_owned(),
            count: BigInt::from(sum),
        };
        let metadata = self.metadata;
        let binaries = self.binaries.into_iter().map(|(binary, counts)| BindingShardBinary {
            build_id: binary.build_id,
            path: binary.path,
            kind: binary.kind.as_str().to_owned(),
            rows: count(counts.rows),
            count: BigInt::from(counts.count),
            mispredicted: BigInt::from(counts.mispredicted),
            addresses: BigInt::from(counts.addresses),
            stacks: BigInt::from(counts.stacks),
        });
        let value = BindingShard {
            size: count(self.bytes),
            rows: count(self.rows),
            groups: count(self.groups),
            schema_version: metadata.schema_version,
            tool: metadata.tool,
            sample_times: metadata
                .sample_times
                .map(|(first, last)| vec![first.to_string(), last.to_string()]),
            written: metadata.written.map(count),
            host: metadata.host,
            binaries: binaries.collect(),
            events: self.events.iter().map(|(name, sum)| counted(name, *sum)).collect(),
            ledger: self
                .ledger
                .iter()
                .map(|(what, sum)| counted(what.as_str(), *sum))
                .collect(),
        };
        BindingShardSuccess { ok: true, value }
    }
}

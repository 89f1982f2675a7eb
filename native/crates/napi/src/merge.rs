//! Merges and converts profiles.

use napi::bindgen_prelude::{AsyncTask, BigInt, Buffer};
use napi_derive::napi;
use profdata::{ColdThreshold, ContextOptions, Layout, MergeOutcome, MergeRequest, WeightedFile};
use sampleprof::{MergeOptions, SymbolListEncoding, WriteOptions};

use crate::failure::BindingError;
use crate::job::{BindingCancelToken, ProgressFunction};
use crate::number::count;
use crate::options::{parse_output, parse_u64};
use crate::outcome::BindingDiagnostic;
use crate::task::{JobTask, Success, run_job};

/// The profiles to merge, and how.
#[napi(object, object_to_js = false)]
pub struct BindingMergeOptions {
    /// The profiles, in order.
    pub inputs: Vec<BindingWeightedFile>,
    /// Path of the result; if absent, the bytes are returned.
    pub output: Option<String>,
    /// True if the caller prints the bytes.
    pub to_stdout: Option<bool>,
    /// Encoding of the result.
    #[napi(ts_type = "'extbinary' | 'binary' | 'text'")]
    pub format: Option<String>,
    /// True to write names as MD5 hashes.
    pub use_md5: Option<bool>,
    /// True to compress every section.
    pub compress_all_sections: Option<bool>,
    /// True to write functions without inlined functions into sections of their own.
    pub split_layout: Option<bool>,
    /// Path of a file with names for the profile symbol list.
    pub prof_sym_list: Option<String>,
    /// Paths of the files from which the list of inputs was read.
    pub lists: Option<Vec<String>>,
    /// True to write no profile symbol list.
    pub drop_profile_symbol_list: Option<bool>,
    /// True to mark the result as partial.
    pub gen_partial_profile: Option<bool>,
    /// True to mark the result as partial if an input is partial.
    pub keep_partial: Option<bool>,
    /// Largest size of the result in bytes.
    pub output_size_limit: Option<f64>,
    /// Regular expression; only functions that match are kept.
    pub function: Option<String>,
    /// Regular expression; functions that match are dropped.
    pub no_function: Option<String>,
    /// True to drop cold functions.
    pub trim_cold: Option<bool>,
    /// Cold cut-off of the summary in millionths.
    pub profile_summary_cutoff_cold: Option<u32>,
    /// Cold threshold as a count.
    #[napi(ts_type = "bigint")]
    pub profile_summary_cold_count: Option<BigInt>,
    /// True to add up cold contexts.
    pub sample_merge_cold_context: Option<bool>,
    /// True to drop cold contexts.
    pub sample_trim_cold_context: Option<bool>,
    /// Number of frames that are kept of cold contexts.
    pub sample_frame_depth_for_cold_context: Option<u32>,
    /// The way in which functions with contexts become functions without.
    #[napi(ts_type = "'flat' | 'nest'")]
    pub convert_sample_profile_layout: Option<String>,
    /// True if functions that become inlined also stay functions of their own.
    pub generate_merged_base_profiles: Option<bool>,
    /// True to leave out inputs that cannot be read.
    pub keep_going: Option<bool>,
    /// Number of worker threads; 0 stands for one for each processor.
    pub jobs: Option<u32>,
}

/// A profile and its weight.
#[napi(object, object_to_js = false)]
pub struct BindingWeightedFile {
    /// Path of the profile.
    pub path: String,
    /// Factor by which the counts are multiplied.
    #[napi(ts_type = "bigint")]
    pub weight: BigInt,
}

/// The result of a merge that succeeded.
#[napi(object, object_from_js = false)]
pub struct BindingMergeSuccess {
    /// True, which distinguishes a success from a failure.
    #[napi(ts_type = "true")]
    pub ok: bool,
    /// The report of the merge.
    pub value: BindingMergeOutcome,
}

/// The report of a merge.
#[napi(object, object_from_js = false)]
pub struct BindingMergeOutcome {
    /// The bytes of the result, if no output file was named.
    pub bytes: Option<Buffer>,
    /// Size of the result in bytes.
    pub size: f64,
    /// Number of profiles that were merged.
    pub inputs: f64,
    /// Profiles that could not be read.
    pub skipped: Vec<BindingSkippedFile>,
    /// Number of functions that were dropped.
    pub dropped: f64,
    /// Number of functions in the result.
    pub functions: f64,
    /// Sum of the body counts.
    #[napi(ts_type = "bigint")]
    pub total_count: BigInt,
    /// Largest body count.
    #[napi(ts_type = "bigint")]
    pub max_count: BigInt,
    /// Warnings and notes.
    pub diagnostics: Vec<BindingDiagnostic>,
}

/// A profile that could not be read.
#[napi(object, object_from_js = false)]
pub struct BindingSkippedFile {
    /// Path of the profile.
    pub path: String,
    /// Description of the damage, and its position.
    pub message: String,
}

/// Merges profiles.
#[napi(ts_return_type = "Promise<BindingMergeSuccess | BindingFailure>")]
pub fn merge_profiles(
    options: BindingMergeOptions,
    cancel: &BindingCancelToken,
    #[napi(ts_arg_type = "((progress: BindingProgress) => void) | undefined")] on_progress: Option<ProgressFunction>,
) -> AsyncTask<JobTask<MergeOutcome>> {
    run_job(cancel, on_progress, |job| {
        let request = MergeRequest::try_from(options)?;
        Ok(profdata::merge(&request, job)?)
    })
}

impl TryFrom<BindingMergeOptions> for MergeRequest {
    type Error = BindingError;

    fn try_from(from: BindingMergeOptions) -> Result<Self, BindingError> {
        let inputs = from.inputs.into_iter().map(|input| {
            Ok(WeightedFile {
                path: input.path.into(),
                weight: parse_u64(&input.weight)?,
            })
        });
        let encoding = WriteOptions {
            format: from
                .format
                .map_or(Ok(sampleprof::Format::default()), |name| parse_format(&name))?,
            use_md5: from.use_md5.unwrap_or_default(),
            symbol_list: SymbolListEncoding::default(),
            compress: from.compress_all_sections.unwrap_or_default(),
            split_layout: from.split_layout.unwrap_or_default(),
        };
        let cold_count = from.profile_summary_cold_count.as_ref().map(parse_u64).transpose()?;
        let cutoff = from.profile_summary_cutoff_cold.unwrap_or(COLD_CUTOFF);
        let cold = cold_count.map_or(ColdThreshold::Cutoff(cutoff), ColdThreshold::Count);
        let merged_base = from.generate_merged_base_profiles.unwrap_or_default();
        Ok(Self {
            inputs: inputs.collect::<Result<_, BindingError>>()?,
            output: parse_output(from.output, from.to_stdout),
            encoding,
            merging: MergeOptions {
                keep_going: from.keep_going.unwrap_or_default(),
                drop_symbols: from.drop_profile_symbol_list.unwrap_or_default(),
                partial: from.gen_partial_profile.unwrap_or_default(),
            },
            keep_partial: from.keep_partial.unwrap_or_default(),
            symbol_list: from.prof_sym_list.map(Into::into),
            lists: from.lists.into_iter().flatten().map(Into::into).collect(),
            contexts: ContextOptions {
                merge_cold: from.sample_merge_cold_context.unwrap_or_default(),
                trim_cold: from.sample_trim_cold_context.unwrap_or_default(),
                cold_frames: from.sample_frame_depth_for_cold_context.unwrap_or(1),
                cold,
                layout: from
                    .convert_sample_profile_layout
                    .map(|name| parse_layout(&name, merged_base))
                    .transpose()?,
            },
            include: from.function,
            exclude: from.no_function,
            trim: from.trim_cold.unwrap_or_default().then_some(cold),
            size_limit: from.output_size_limit.map(|limit| limit as usize),
            jobs: from.jobs.map_or(0, |jobs| jobs as usize),
        })
    }
}

/// The default of llvm-profgen's `--profile-summary-cutoff-cold`.
const COLD_CUTOFF: u32 = 999_999;

fn parse_format(name: &str) -> Result<sampleprof::Format, BindingError> {
    match name {
        "extbinary" => Ok(sampleprof::Format::ExtBinary),
        "binary" => Ok(sampleprof::Format::Binary),
        "text" => Ok(sampleprof::Format::Text),
        _ => Err(BindingError::invalid_options(format!("unknown format {name:?}"))),
    }
}

fn parse_layout(name: &str, merged_base: bool) -> Result<Layout, BindingError> {
    match name {
        "flat" => Ok(Layout::Flat),
        "nest" => Ok(Layout::Nest { merged_base }),
        _ => Err(BindingError::invalid_options(format!("unknown layout {name:?}"))),
    }
}

impl Success for MergeOutcome {
    type Object = BindingMergeSuccess;

    fn into_object(self) -> BindingMergeSuccess {
        let skipped = self.skipped.into_iter();
        let value = BindingMergeOutcome {
            bytes: self.bytes.map(Buffer::from),
            size: count(self.size),
            inputs: count(self.inputs as u64),
            skipped: skipped
                .map(|(path, message)| BindingSkippedFile { path, message })
                .collect(),
            dropped: count(self.dropped as u64),
            functions: count(self.summary.num_functions),
            total_count: BigInt::from(self.total_count),
            max_count: BigInt::from(self.summary.max_count),
            diagnostics: self.diagnostics.into_iter().map(BindingDiagnostic::from).collect(),
        };
        BindingMergeSuccess { ok: true, value }
    }
}

//! Options as JavaScript passes them. `src/options/check.ts` validates them and explains errors to users.

use std::path::PathBuf;

use job::Output;
use napi::bindgen_prelude::BigInt;
use napi_derive::napi;
use profgen::{BoltFormat, Format, GenerateOptions, Input, Policy, PreInlining, SampleUse, Selection};

use crate::failure::BindingError;

/// All options of a job; an absent option has profgen's default.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct BindingGenerateOptions {
    /// Paths of the profiled executables.
    pub binaries: Vec<String>,
    /// Folders in which further binaries are searched.
    pub binary_dirs: Option<Vec<String>>,
    /// True to profile all mapped files that exist on this machine.
    pub all_binaries: Option<bool>,
    /// True to make one profile of all binaries.
    pub merge_binaries: Option<bool>,
    /// Paths of perf.data files, directories or streams. Exactly one of the five kinds of inputs is given.
    pub perf_data: Option<Vec<String>>,
    /// Paths of texts of `perf script`.
    pub perf_script: Option<Vec<String>>,
    /// Paths of trace shards, or of folders with trace shards.
    pub traces: Option<Vec<String>>,
    /// Path of a text with counters.
    pub unsymbolized_profile: Option<String>,
    /// Path of a finished profile.
    pub llvm_sample_profile: Option<String>,
    /// Path of the result; if absent, the bytes are returned.
    pub output: Option<String>,
    /// True if the caller prints the bytes.
    pub to_stdout: Option<bool>,
    /// Encoding of the profile.
    #[napi(ts_type = "'extbinary' | 'binary' | 'text' | 'preaggregated' | 'fdata'")]
    pub format: Option<String>,
    /// Compatibility: with `llvm-profgen`, the result equals that of llvm-profgen even where llvm-profgen is known
    /// to be wrong.
    #[napi(ts_type = "'llvm-profgen'")]
    pub compat: Option<String>,
    /// True if the binary is a vmlinux, false if not; if absent, this is detected.
    pub kernel: Option<bool>,
    /// Path of the ELF file that has the DWARF.
    pub debug_binary: Option<String>,
    /// Path of the cache of the debuginfod client.
    pub debuginfod_cache: Option<String>,
    /// Path of the DWARF package.
    pub dwp: Option<String>,
    /// True to use mappings of a binary whose build id differs.
    pub ignore_build_id: Option<bool>,
    /// The samples that count.
    pub select: BindingSelection,
    /// True to use only the branch stacks of a text with call stacks.
    pub ignore_stack_samples: Option<bool>,
    /// True if the pre-inliner decides which functions are inlined.
    pub csspgo_preinliner: Option<bool>,
    /// True if the pre-inliner takes the size of a function from its inlined code.
    pub use_context_cost_for_preinliner: Option<bool>,
    /// True to inline the functions that were inlined before.
    pub csspgo_replay_preinline: Option<bool>,
    /// True to begin with the functions of a cycle that call most.
    pub sort_profiled_scc_member: Option<bool>,
    /// Factor by which a hot callee may be larger if it was inlined before.
    pub csspgo_preinliner_multiplier_for_previous_inlining: Option<i32>,
    /// A hundredth of the largest size that the callee of the hottest calls may have.
    pub sample_profile_hot_inline_threshold: Option<i32>,
    /// Largest size that the callee of a cold call may have.
    pub sample_profile_cold_inline_threshold: Option<i32>,
    /// Largest size of a function after inlining, as a multiple of its size before.
    pub sample_profile_inline_growth_limit: Option<i32>,
    /// Size up to which any function may grow.
    pub sample_profile_inline_limit_min: Option<i32>,
    /// Size above which no function may grow.
    pub sample_profile_inline_limit_max: Option<i32>,
    /// True to infer the frames that tail calls leave out.
    pub infer_missing_frames: Option<bool>,
    /// Largest number of tail calls in a row that are searched.
    pub max_search_depth: Option<u32>,
    /// True if inlined functions also become functions of their own.
    pub generate_merged_base_profiles: Option<bool>,
    /// True to mark all functions for clang to inline.
    pub mark_all_context_preinlined: Option<bool>,
    /// True to inline contexts into their callers.
    pub gen_cs_nested_profile: Option<bool>,
    /// Largest length of a sequence of recursive calls whose repetitions are left out.
    pub compress_recursion: Option<u32>,
    /// Largest number of calls that are kept of a context.
    pub csprof_max_context_depth: Option<u32>,
    /// Largest number of calls that are kept before their functions are known.
    pub csprof_max_unsymbolized_context_depth: Option<u32>,
    /// True to add up contexts that are not hot.
    pub csprof_merge_cold_context: Option<bool>,
    /// Largest number of frames that are kept of contexts that are not hot.
    pub csprof_max_cold_context_depth: Option<u32>,
    /// Hot cut-off of the summary in millionths.
    pub profile_summary_cutoff_hot: Option<u32>,
    /// Hot threshold as a count.
    #[napi(ts_type = "bigint")]
    pub profile_summary_hot_count: Option<BigInt>,
    /// True to count the sampled addresses instead of the branch stacks.
    pub leading_ip_only: Option<bool>,
    /// The part of the samples that counts: branch stacks or addresses.
    #[napi(ts_type = "'branches' | 'addresses'")]
    pub samples: Option<String>,
    /// Number of events for one sample.
    pub sample_period: Option<BigInt>,
    /// True to report the mappings of the recording.
    pub show_mmap_events: Option<bool>,
    /// True to report each doubtful thing.
    pub show_detailed_warning: Option<bool>,
    /// True to write zero counts for all functions.
    pub fill_zero_for_all_funcs: Option<bool>,
    /// True if totals are sums of body counts.
    pub update_total_samples: Option<bool>,
    /// True to drop cold functions.
    pub trim_cold_profile: Option<bool>,
    /// True to write names as MD5 hashes.
    pub use_md5: Option<bool>,
    /// True to list the symbols of the binary in the profile.
    pub populate_profile_symbol_list: Option<bool>,
    /// True to write counters instead of a profile.
    pub skip_symbolization: Option<bool>,
    /// True to write counters with offsets instead of addresses.
    pub use_offset: Option<bool>,
    /// True if offsets count from the first loadable segment.
    pub use_first_loadable_segment_as_base: Option<bool>,
    /// True to use DWARF instead of pseudo probes.
    pub use_dwarf_correlation: Option<bool>,
    /// True to read functions from the symbol table, with pseudo probes.
    pub load_function_from_symbol: Option<bool>,
    /// Density below which more samples are recommended.
    pub profile_density_threshold: Option<f64>,
    /// Share of the samples that the density covers, in millionths.
    pub profile_density_cutoff_hot: Option<u32>,
    /// Cold cut-off of the summary in millionths.
    pub profile_summary_cutoff_cold: Option<u32>,
    /// Cold threshold as a count.
    #[napi(ts_type = "bigint")]
    pub profile_summary_cold_count: Option<BigInt>,
    /// Percentage of lost branch entries above which the job fails.
    pub max_loss: Option<f64>,
    /// True to report the kinds of code that the samples lie in.
    pub survey_samples: Option<bool>,
    /// True if damage of an input is an error.
    pub strict: Option<bool>,
    /// Number of worker threads; 0 stands for one for each processor.
    pub jobs: Option<u32>,
}

/// The samples that count. An absent field selects all samples.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct BindingSelection {
    /// Names of events.
    pub events: Option<Vec<String>>,
    /// Process ids.
    pub pids: Option<Vec<i32>>,
    /// Thread ids.
    pub tids: Option<Vec<i32>>,
    /// Numbers of processors.
    pub cpus: Option<Vec<u32>>,
    /// First and last time stamp in nanoseconds, inclusive.
    #[napi(ts_type = "[bigint, bigint]")]
    pub time: Option<Vec<BigInt>>,
}

impl TryFrom<BindingSelection> for Selection {
    type Error = BindingError;

    fn try_from(from: BindingSelection) -> Result<Self, BindingError> {
        Ok(Self {
            events: from.events.unwrap_or_default(),
            pids: from.pids.unwrap_or_default(),
            tids: from.tids.unwrap_or_default(),
            cpus: from.cpus.unwrap_or_default(),
            time: from.time.map(|bounds| parse_time(&bounds)).transpose()?,
        })
    }
}

/// Converts the destination of a result.
pub(crate) fn parse_output(path: Option<String>, to_stdout: Option<bool>) -> Output {
    match path {
        Some(path) => Output::File(path.into()),
        None if to_stdout == Some(true) => Output::Stdout,
        None => Output::Memory,
    }
}

fn pre_inlining(from: &BindingGenerateOptions) -> PreInlining {
    let default = PreInlining::default();
    PreInlining {
        use_context_cost: from.use_context_cost_for_preinliner.unwrap_or(default.use_context_cost),
        replay: from.csspgo_replay_preinline.unwrap_or(default.replay),
        sort_recursive: from.sort_profiled_scc_member.unwrap_or(default.sort_recursive),
        previously_inlined_multiplier: from
            .csspgo_preinliner_multiplier_for_previous_inlining
            .unwrap_or(default.previously_inlined_multiplier),
        hot_threshold: from
            .sample_profile_hot_inline_threshold
            .unwrap_or(default.hot_threshold),
        cold_threshold: from
            .sample_profile_cold_inline_threshold
            .unwrap_or(default.cold_threshold),
        growth_limit: from.sample_profile_inline_growth_limit.unwrap_or(default.growth_limit),
        size_limit_min: from.sample_profile_inline_limit_min.unwrap_or(default.size_limit_min),
        size_limit_max: from.sample_profile_inline_limit_max.unwrap_or(default.size_limit_max),
    }
}

impl TryFrom<BindingGenerateOptions> for GenerateOptions {
    type Error = BindingError;

    fn try_from(from: BindingGenerateOptions) -> Result<Self, BindingError> {
        let pre_inlining = pre_inlining(&from);
        let paths = |names: Vec<String>| names.into_iter().map(PathBuf::from).collect();
        let inputs = [
            from.perf_data.map(|names| Input::PerfData(paths(names))),
            from.perf_script.map(|names| Input::PerfScript(paths(names))),
            from.traces.map(|names| Input::Traces(paths(names))),
            from.unsymbolized_profile
                .map(|path| Input::UnsymbolizedProfile(path.into())),
            from.llvm_sample_profile.map(|path| Input::SampleProfile(path.into())),
        ];
        let mut inputs = inputs.into_iter().flatten();
        let input = match (inputs.next(), inputs.next()) {
            (Some(input), None) => input,
            _ => {
                return Err(BindingError::invalid_options(
                    "expected exactly one kind of input".to_owned(),
                ));
            }
        };
        let default = Self::new(PathBuf::new(), input);
        Ok(Self {
            binaries: paths(from.binaries),
            binary_dirs: paths(from.binary_dirs.unwrap_or_default()),
            all_binaries: from.all_binaries.unwrap_or(default.all_binaries),
            merge_binaries: from.merge_binaries.unwrap_or(default.merge_binaries),
            output: parse_output(from.output, from.to_stdout),
            for_bolt: from.format.as_deref().and_then(parse_bolt_format),
            format: match from.format.as_deref() {
                Some(name) if parse_bolt_format(name).is_none() => parse_format(name)?,
                _ => default.format,
            },
            policy: from.compat.map_or(Ok(default.policy), |name| parse_compat(&name))?,
            kernel: from.kernel,
            debug_binary: from.debug_binary.map(PathBuf::from),
            debuginfod_cache: from.debuginfod_cache.map(PathBuf::from),
            dwp: from.dwp.map(PathBuf::from),
            ignore_build_id: from.ignore_build_id.unwrap_or(default.ignore_build_id),
            select: from.select.try_into()?,
            ignore_stack_samples: from.ignore_stack_samples.unwrap_or(default.ignore_stack_samples),
            csspgo_preinliner: from.csspgo_preinliner.unwrap_or(default.csspgo_preinliner),
            pre_inlining,
            infer_missing_frames: from.infer_missing_frames.unwrap_or(default.infer_missing_frames),
            max_search_depth: from.max_search_depth.unwrap_or(default.max_search_depth),
            generate_merged_base_profiles: from
                .generate_merged_base_profiles
                .unwrap_or(default.generate_merged_base_profiles),
            mark_all_context_preinlined: from
                .mark_all_context_preinlined
                .unwrap_or(default.mark_all_context_preinlined),
            gen_cs_nested_profile: from.gen_cs_nested_profile.unwrap_or(default.gen_cs_nested_profile),
            compress_recursion: from.compress_recursion,
            csprof_max_context_depth: from.csprof_max_context_depth,
            csprof_max_unsymbolized_context_depth: from.csprof_max_unsymbolized_context_depth,
            csprof_merge_cold_context: from.csprof_merge_cold_context,
            csprof_max_cold_context_depth: from
                .csprof_max_cold_context_depth
                .unwrap_or(default.csprof_max_cold_context_depth),
            profile_summary_cutoff_hot: from
                .profile_summary_cutoff_hot
                .unwrap_or(default.profile_summary_cutoff_hot),
            profile_summary_hot_count: from.profile_summary_hot_count.as_ref().map(parse_u64).transpose()?,
            samples: from.samples.map_or(Ok(default.samples), |name| parse_samples(&name))?,
            leading_ip_only: from.leading_ip_only.unwrap_or(default.leading_ip_only),
            sample_period: from.sample_period.as_ref().map(parse_u64).transpose()?,
            show_mmap_events: from.show_mmap_events.unwrap_or(default.show_mmap_events),
            show_detailed_warning: from.show_detailed_warning.unwrap_or(default.show_detailed_warning),
            fill_zero_for_all_funcs: from.fill_zero_for_all_funcs.unwrap_or(default.fill_zero_for_all_funcs),
            update_total_samples: from.update_total_samples.unwrap_or(default.update_total_samples),
            trim_cold_profile: from.trim_cold_profile.unwrap_or(default.trim_cold_profile),
            use_md5: from.use_md5.unwrap_or(default.use_md5),
            populate_profile_symbol_list: from
                .populate_profile_symbol_list
                .unwrap_or(default.populate_profile_symbol_list),
            skip_symbolization: from.skip_symbolization.unwrap_or(default.skip_symbolization),
            use_offset: from.use_offset.unwrap_or(default.use_offset),
            use_first_loadable_segment_as_base: from
                .use_first_loadable_segment_as_base
                .unwrap_or(default.use_first_loadable_segment_as_base),
            use_dwarf_correlation: from.use_dwarf_correlation.unwrap_or(default.use_dwarf_correlation),
            load_function_from_symbol: from
                .load_function_from_symbol
                .unwrap_or(default.load_function_from_symbol),
            profile_density_threshold: from
                .profile_density_threshold
                .unwrap_or(default.profile_density_threshold),
            profile_density_cutoff_hot: from
                .profile_density_cutoff_hot
                .unwrap_or(default.profile_density_cutoff_hot),
            profile_summary_cutoff_cold: from
                .profile_summary_cutoff_cold
                .unwrap_or(default.profile_summary_cutoff_cold),
            profile_summary_cold_count: from.profile_summary_cold_count.as_ref().map(parse_u64).transpose()?,
            max_loss: from.max_loss,
            survey_samples: from.survey_samples.unwrap_or(default.survey_samples),
            strict: from.strict.unwrap_or(default.strict),
            jobs: from.jobs.map_or(default.jobs, |jobs| jobs as usize),
            input: default.input,
        })
    }
}

/// Parses the names of the BOLT formats, which are no encodings of a profile.
fn parse_bolt_format(name: &str) -> Option<BoltFormat> {
    match name {
        "preaggregated" => Some(BoltFormat::PreAggregated),
        "fdata" => Some(BoltFormat::Fdata),
        _ => None,
    }
}

fn parse_format(name: &str) -> Result<Format, BindingError> {
    match name {
        "extbinary" => Ok(Format::ExtBinary),
        "binary" => Ok(Format::Binary),
        "text" => Ok(Format::Text),
        _ => Err(BindingError::invalid_options(format!("unknown format {name:?}"))),
    }
}

pub(crate) fn parse_compat(name: &str) -> Result<Policy, BindingError> {
    match name {
        "llvm-profgen" => Ok(Policy::LLVM_PROFGEN),
        _ => Err(BindingError::invalid_options(format!(
            "unknown compatibility mode {name:?}"
        ))),
    }
}

pub(crate) fn parse_samples(name: &str) -> Result<SampleUse, BindingError> {
    match name {
        "branches" => Ok(SampleUse::Branches),
        "addresses" => Ok(SampleUse::Addresses),
        _ => Err(BindingError::invalid_options(format!(
            "unknown use of samples {name:?}"
        ))),
    }
}

fn parse_time(bounds: &[BigInt]) -> Result<(u64, u64), BindingError> {
    match bounds {
        [first, last] => Ok((parse_u64(first)?, parse_u64(last)?)),
        _ => Err(BindingError::invalid_options(
            "time needs a first and a last stamp".to_owned(),
        )),
    }
}

/// Converts the number if it has 64 bits and no sign.
pub fn parse_u64(value: &BigInt) -> Result<u64, BindingError> {
    match value.get_u64() {
        (false, value, true) => Ok(value),
        _ => Err(BindingError::invalid_options(
            "expected an unsigned 64-bit number".to_owned(),
        )),
    }
}

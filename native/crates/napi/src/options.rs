//! Options as JavaScript gives them. Validation for people happens in `src/options/check.ts`.

use std::path::PathBuf;

use job::Output;
use napi::bindgen_prelude::BigInt;
use napi_derive::napi;
use profgen::{BoltFormat, Format, GenerateOptions, Input, Policy, PreInlining, SampleUse, Selection};

use crate::failure::BindingError;

/// Everything a job needs to know; absent means profgen's default.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct BindingGenerateOptions {
    /// The profiled executables.
    pub binaries: Vec<String>,
    /// Folders to look for more in.
    pub binary_dirs: Option<Vec<String>>,
    /// Profile all files of this machine that are mapped.
    pub all_binaries: Option<bool>,
    /// One profile of all binaries.
    pub merge_binaries: Option<bool>,
    /// perf.data files, directories or streams; exactly one of the five inputs is given.
    pub perf_data: Option<Vec<String>>,
    /// Texts of `perf script`.
    pub perf_script: Option<Vec<String>>,
    /// Trace shards, or folders of them.
    pub traces: Option<Vec<String>>,
    /// Counters as text.
    pub unsymbolized_profile: Option<String>,
    /// A finished profile.
    pub llvm_sample_profile: Option<String>,
    /// Where to write; absent: the bytes are returned.
    pub output: Option<String>,
    /// The caller prints the bytes.
    pub to_stdout: Option<bool>,
    /// Encoding of the profile.
    #[napi(ts_type = "'extbinary' | 'binary' | 'text' | 'preaggregated' | 'fdata'")]
    pub format: Option<String>,
    /// Be equal to llvm-profgen where it is known to be wrong.
    #[napi(ts_type = "'llvm-profgen'")]
    pub compat: Option<String>,
    /// Treat the binary as a vmlinux, or not; absent: recognise one.
    pub kernel: Option<bool>,
    /// ELF file that has the DWARF.
    pub debug_binary: Option<String>,
    /// Cache of the debuginfod client.
    pub debuginfod_cache: Option<String>,
    /// DWARF package.
    pub dwp: Option<String>,
    /// Follow a binary whose build id differs.
    pub ignore_build_id: Option<bool>,
    /// Which samples count.
    pub select: BindingSelection,
    /// Of text with call stacks, use the branch stacks alone.
    pub ignore_stack_samples: Option<bool>,
    /// Let the pre-inliner decide what is inlined.
    pub csspgo_preinliner: Option<bool>,
    /// A function is as large as its code is where it is inlined.
    pub use_context_cost_for_preinliner: Option<bool>,
    /// Inline what was inlined before.
    pub csspgo_replay_preinline: Option<bool>,
    /// Begin with those functions of a cycle that call most.
    pub sort_profiled_scc_member: Option<bool>,
    /// How much larger a hot callee may be that was inlined before.
    pub csspgo_preinliner_multiplier_for_previous_inlining: Option<i32>,
    /// A hundredth of the size of the hottest callees.
    pub sample_profile_hot_inline_threshold: Option<i32>,
    /// Size of cold callees.
    pub sample_profile_cold_inline_threshold: Option<i32>,
    /// So many times its size a function may become.
    pub sample_profile_inline_growth_limit: Option<i32>,
    /// No function is kept smaller.
    pub sample_profile_inline_limit_min: Option<i32>,
    /// No function becomes larger.
    pub sample_profile_inline_limit_max: Option<i32>,
    /// Infer the frames that tail calls leave out.
    pub infer_missing_frames: Option<bool>,
    /// How many tail calls in a row are looked for.
    pub max_search_depth: Option<u32>,
    /// Of what is inlined make functions of their own, too.
    pub generate_merged_base_profiles: Option<bool>,
    /// Mark all functions for clang to inline.
    pub mark_all_context_preinlined: Option<bool>,
    /// Inline contexts into their callers.
    pub gen_cs_nested_profile: Option<bool>,
    /// Longest sequence of recursive calls of which repetitions are left out.
    pub compress_recursion: Option<u32>,
    /// Calls that are kept of a context.
    pub csprof_max_context_depth: Option<u32>,
    /// Calls that are kept before it is known what functions they are in.
    pub csprof_max_unsymbolized_context_depth: Option<u32>,
    /// Add up contexts that are not hot.
    pub csprof_merge_cold_context: Option<bool>,
    /// Frames that stay of those.
    pub csprof_max_cold_context_depth: Option<u32>,
    /// Hot cut-off in millionths.
    pub profile_summary_cutoff_hot: Option<u32>,
    /// Hot threshold as a count.
    #[napi(ts_type = "bigint")]
    pub profile_summary_hot_count: Option<BigInt>,
    /// Count the sampled addresses instead of the branch stacks.
    pub leading_ip_only: Option<bool>,
    /// What of the samples counts.
    #[napi(ts_type = "'branches' | 'addresses'")]
    pub samples: Option<String>,
    /// Events for one sample.
    pub sample_period: Option<BigInt>,
    /// Report the mappings of the recording.
    pub show_mmap_events: Option<bool>,
    /// Report each doubtful thing.
    pub show_detailed_warning: Option<bool>,
    /// Zero counts for all functions.
    pub fill_zero_for_all_funcs: Option<bool>,
    /// Totals are sums of body counts.
    pub update_total_samples: Option<bool>,
    /// Drop cold functions.
    pub trim_cold_profile: Option<bool>,
    /// Names as MD5 prefixes.
    pub use_md5: Option<bool>,
    /// List the binary's symbols.
    pub populate_profile_symbol_list: Option<bool>,
    /// Counters out.
    pub skip_symbolization: Option<bool>,
    /// Counters hold offsets.
    pub use_offset: Option<bool>,
    /// Base of the offsets.
    pub use_first_loadable_segment_as_base: Option<bool>,
    /// DWARF instead of pseudo probes.
    pub use_dwarf_correlation: Option<bool>,
    /// Functions of the symbol table, with pseudo probes.
    pub load_function_from_symbol: Option<bool>,
    /// Density below which more samples are recommended.
    pub profile_density_threshold: Option<f64>,
    /// Share of samples that density covers, in millionths.
    pub profile_density_cutoff_hot: Option<u32>,
    /// Cold cut-off in millionths.
    pub profile_summary_cutoff_cold: Option<u32>,
    /// Cold threshold as a count.
    #[napi(ts_type = "bigint")]
    pub profile_summary_cold_count: Option<BigInt>,
    /// Percentage of lost entries that makes the job fail.
    pub max_loss: Option<f64>,
    /// Report what the samples lie in.
    pub survey_samples: Option<bool>,
    /// Damage is an error.
    pub strict: Option<bool>,
    /// Worker threads; 0 is one for each processor.
    pub jobs: Option<u32>,
}

/// Which samples count; what is absent selects everything.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct BindingSelection {
    /// Event names.
    pub events: Option<Vec<String>>,
    /// Process ids.
    pub pids: Option<Vec<i32>>,
    /// Thread ids.
    pub tids: Option<Vec<i32>>,
    /// Processor numbers.
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

/// Where a result goes.
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

/// The formats that are no encodings of a profile.
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

fn parse_samples(name: &str) -> Result<SampleUse, BindingError> {
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

/// The number, if it has 64 bits and no sign.
pub fn parse_u64(value: &BigInt) -> Result<u64, BindingError> {
    match value.get_u64() {
        (false, value, true) => Ok(value),
        _ => Err(BindingError::invalid_options(
            "expected an unsigned 64-bit number".to_owned(),
        )),
    }
}

//! The options of a job.

use std::path::PathBuf;

use job::{InputFiles, Output};
use perfdata::Sample;

use crate::request::policy::Policy;
use crate::request::pre_inlining::PreInlining;

/// The forms of traces that BOLT reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BoltFormat {
    /// Traces by address. perf2bolt makes the other form of them.
    PreAggregated,
    /// Branches by function and offset, and the edges between blocks.
    Fdata,
}

impl BoltFormat {
    /// Returns the ending of the names of such files.
    pub(crate) fn ending(self) -> &'static str {
        match self {
            Self::PreAggregated => "preagg",
            Self::Fdata => "fdata",
        }
    }
}

/// The options of `generate`. The names of the fields follow llvm-profgen's flags.
#[derive(Debug, Clone)]
pub struct GenerateOptions {
    /// The profiled executables, shared objects or vmlinux. Each gets a profile.
    pub binaries: Vec<PathBuf>,
    /// Folders with further binaries. Those that the recordings map are profiled.
    pub binary_dirs: Vec<PathBuf>,
    /// Profile every file of this machine that the recordings map and that has debug information.
    pub all_binaries: bool,
    /// Add up all profiles to one profile.
    pub merge_binaries: bool,
    /// The source of the samples.
    pub input: Input,
    /// The destination of the result.
    pub output: Output,
    /// The encoding of the profile.
    pub format: Format,
    /// The differences from llvm-profgen that apply.
    pub policy: Policy,
    /// `Some(true)`: treat the binary as a vmlinux. `None`: recognise a vmlinux.
    pub kernel: Option<bool>,
    /// ELF file that has the DWARF of the binary, and its symbols if the binary is stripped.
    pub debug_binary: Option<PathBuf>,
    /// The cache of the debuginfod client. Debug files are looked for there last.
    pub debuginfod_cache: Option<PathBuf>,
    /// DWARF package (`.dwp`) of the binary; default is the binary's path with `.dwp` appended.
    pub dwp: Option<PathBuf>,
    /// Follow a binary whose build id differs from the build id in the recording.
    pub ignore_build_id: bool,
    /// Which samples count.
    pub select: Selection,
    /// Use only the branch stacks of a text that has call stacks, too.
    pub ignore_stack_samples: bool,
    /// Let the pre-inliner of context-sensitive profiles decide what is inlined.
    pub csspgo_preinliner: bool,
    /// Thresholds and switches of the pre-inliner.
    pub pre_inlining: PreInlining,
    /// Infer the frames that tail calls leave out, in contexts by probes.
    pub infer_missing_frames: bool,
    /// Most tail calls in a row that are searched to infer frames.
    pub max_search_depth: u32,
    /// When contexts are inlined into their callers, also add them to the functions' own profiles.
    pub generate_merged_base_profiles: bool,
    /// Mark all functions of the profile for clang to inline.
    pub mark_all_context_preinlined: bool,
    /// Inline the contexts of a context-sensitive profile into their callers.
    pub gen_cs_nested_profile: bool,
    /// Greatest number of recursive calls in a sequence whose repetitions are left out of contexts; absent:
    /// any number.
    pub compress_recursion: Option<u32>,
    /// Most calls of a context that are kept; absent: all.
    pub csprof_max_context_depth: Option<u32>,
    /// In contexts by probes, most calls that are kept before the functions of the calls are known; absent:
    /// all.
    pub csprof_max_unsymbolized_context_depth: Option<u32>,
    /// Add up contexts that are not hot; absent: add them up unless the pre-inliner has chosen the contexts.
    pub csprof_merge_cold_context: Option<bool>,
    /// Most frames that are kept of contexts that are not hot, the function itself included.
    pub csprof_max_cold_context_depth: u32,
    /// Which part of the samples counts.
    pub samples: SampleUse,
    /// Count the sampled addresses instead of the branch stacks.
    pub leading_ip_only: bool,
    /// Number of events for one sample. With it, counts are numbers of events instead of samples.
    pub sample_period: Option<u64>,
    /// Write zero counts for all functions, not only for those that have samples.
    pub fill_zero_for_all_funcs: bool,
    /// Replace each function's total by the sum of its body counts.
    pub update_total_samples: bool,
    /// Drop top-level functions colder than the cold threshold.
    pub trim_cold_profile: bool,
    /// extbinary: write names as 64-bit MD5 prefixes.
    pub use_md5: bool,
    /// extbinary: list the symbols of the binary, so that clang knows functions without samples from new
    /// functions.
    pub populate_profile_symbol_list: bool,
    /// Write the range and branch counters as text instead of a profile.
    pub skip_symbolization: bool,
    /// Write traces for BOLT as text instead of a profile.
    pub for_bolt: Option<BoltFormat>,
    /// Counters hold addresses relative to the preferred base.
    pub use_offset: bool,
    /// Counters hold addresses relative to the first loadable segment instead.
    pub use_first_loadable_segment_as_base: bool,
    /// Ignore pseudo probes in favour of DWARF.
    pub use_dwarf_correlation: bool,
    /// With pseudo probes: take functions without debug information from the symbol table.
    pub load_function_from_symbol: bool,
    /// Density below which more samples are recommended.
    pub profile_density_threshold: f64,
    /// Share of samples, in millionths, that the density figure covers.
    pub profile_density_cutoff_hot: u32,
    /// Cut-off, in millionths, whose count separates hot contexts from those that are added up.
    pub profile_summary_cutoff_hot: u32,
    /// Hot threshold as a count; overrides the cut-off.
    pub profile_summary_hot_count: Option<u64>,
    /// Cut-off, in millionths, whose count separates cold from warm.
    pub profile_summary_cutoff_cold: u32,
    /// Cold threshold as a count; overrides the cut-off.
    pub profile_summary_cold_count: Option<u64>,
    /// Fail if more than this percentage of the branch entries is lost.
    pub max_loss: Option<f64>,
    /// Report the mappings of the recording, one note for each.
    pub show_mmap_events: bool,
    /// Report each doubtful thing, not only the number of doubtful things.
    pub show_detailed_warning: bool,
    /// Report a survey of the samples; see [`SampleSurvey`](crate::SampleSurvey).
    pub survey_samples: bool,
    /// Damage in an input is an error instead of a diagnostic.
    pub strict: bool,
    /// Number of worker threads; 0 stands for one thread for each processor.
    pub jobs: usize,
}

impl GenerateOptions {
    /// Returns true if samples of Arm SPE count as single branches.
    pub(crate) fn reads_arm_spe(&self) -> bool {
        self.policy.reads_arm_spe && !self.leading_ip_only
    }

    /// Returns llvm-profgen's defaults for `binary` and `input`. The profile is returned in memory.
    #[must_use]
    pub fn new(binary: impl Into<PathBuf>, input: Input) -> Self {
        Self {
            binaries: vec![binary.into()],
            binary_dirs: Vec::new(),
            all_binaries: false,
            merge_binaries: false,
            input,
            output: Output::Memory,
            format: Format::ExtBinary,
            policy: Policy::OWN,
            kernel: None,
            debug_binary: None,
            debuginfod_cache: None,
            dwp: None,
            ignore_build_id: false,
            select: Selection::default(),
            ignore_stack_samples: false,
            csspgo_preinliner: true,
            pre_inlining: PreInlining::default(),
            infer_missing_frames: true,
            max_search_depth: u32::MAX - 1,
            generate_merged_base_profiles: false,
            mark_all_context_preinlined: false,
            gen_cs_nested_profile: true,
            compress_recursion: None,
            csprof_max_context_depth: None,
            csprof_max_unsymbolized_context_depth: None,
            csprof_merge_cold_context: None,
            csprof_max_cold_context_depth: 1,
            samples: SampleUse::Any,
            leading_ip_only: false,
            sample_period: None,
            fill_zero_for_all_funcs: false,
            update_total_samples: false,
            trim_cold_profile: false,
            use_md5: false,
            populate_profile_symbol_list: false,
            skip_symbolization: false,
            for_bolt: None,
            use_offset: true,
            use_first_loadable_segment_as_base: false,
            use_dwarf_correlation: false,
            load_function_from_symbol: true,
            profile_density_threshold: 50.0,
            profile_density_cutoff_hot: 990_000,
            profile_summary_cutoff_hot: 990_000,
            profile_summary_hot_count: None,
            profile_summary_cutoff_cold: 999_999,
            profile_summary_cold_count: None,
            max_loss: None,
            show_mmap_events: false,
            show_detailed_warning: false,
            survey_samples: false,
            strict: false,
            jobs: 0,
        }
    }
}

impl GenerateOptions {
    /// Returns the files that are named as inputs, except traces, which are looked for in folders. No result replaces one
    /// of them.
    #[must_use]
    pub fn input_files(&self) -> InputFiles {
        let mut files = InputFiles::default();
        let binaries = self.binaries.iter().chain(&self.debug_binary).chain(&self.dwp);
        binaries.for_each(|path| files.add(path));
        match &self.input {
            Input::PerfData(paths) | Input::PerfScript(paths) => paths.iter().for_each(|path| files.add_stream(path)),
            Input::Traces(_) => {}
            Input::UnsymbolizedProfile(path) | Input::SampleProfile(path) => files.add(path),
        }
        files
    }

    /// Returns true if there can be more than one binary: several are named, or binaries are looked for.
    pub(crate) fn has_several_binaries(&self) -> bool {
        self.binaries.len() != 1 || self.looks_for_binaries()
    }

    /// Returns true if counts come from samples.
    pub(crate) fn is_sampled(&self) -> bool {
        matches!(self.input, Input::PerfData(_) | Input::PerfScript(_) | Input::Traces(_))
    }

    /// Returns true if there can be more than one result.
    pub(crate) fn has_several_results(&self) -> bool {
        self.has_several_binaries() && !self.merge_binaries
    }

    /// Returns true if the recordings decide which binaries there are.
    pub(crate) fn looks_for_binaries(&self) -> bool {
        self.all_binaries || !self.binary_dirs.is_empty()
    }
}

/// The part of samples that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SampleUse {
    /// Branch stacks, or the sampled addresses if there are no branch stacks.
    #[default]
    Any,
    /// Branch stacks.
    Branches,
    /// Sampled addresses. The executions are inferred from them.
    Addresses,
}

/// The source of the samples.
#[derive(Debug, Clone)]
pub enum Input {
    /// perf.data files, directories or streams; `-` is standard input.
    PerfData(Vec<PathBuf>),
    /// Texts that `perf script` printed; `-` is standard input.
    PerfScript(Vec<PathBuf>),
    /// Trace shards, or folders with files of them.
    Traces(Vec<PathBuf>),
    /// Counters, in the form that `skip_symbolization` writes.
    UnsymbolizedProfile(PathBuf),
    /// A finished sample profile that is only post-processed.
    SampleProfile(PathBuf),
}

/// Encoding of the profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// LLVM's extensible binary form, the default of clang's tools.
    ExtBinary,
    /// The older raw binary form.
    Binary,
    /// The text form.
    Text,
}

/// The samples of a perf.data that count. An empty list selects everything.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Event names, as `perf evlist` prints them.
    pub events: Vec<String>,
    /// Process ids.
    pub pids: Vec<i32>,
    /// Thread ids.
    pub tids: Vec<i32>,
    /// Processor numbers.
    pub cpus: Vec<u32>,
    /// First and last time stamp, in nanoseconds of the recording's clock, inclusive.
    pub time: Option<(u64, u64)>,
}

impl Selection {
    /// Returns true if samples of every process, thread, processor and time are selected.
    pub(crate) fn has_all(&self) -> bool {
        self.pids.is_empty() && self.tids.is_empty() && self.cpus.is_empty() && self.time.is_none()
    }

    /// Returns true if the process, the thread, the processor and the time of a sample are selected. The
    /// reader of events checks the event.
    #[inline]
    pub(crate) fn has(&self, sample: &Sample<'_>) -> bool {
        let any = |list: &[i32], value: i32| list.is_empty() || list.contains(&value);
        any(&self.pids, sample.pid)
            && any(&self.tids, sample.tid)
            && (self.cpus.is_empty() || self.cpus.contains(&sample.cpu))
            && self
                .time
                .is_none_or(|(first, last)| (first..=last).contains(&sample.time))
    }
}

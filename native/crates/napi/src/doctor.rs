//! What a binary says about itself.

use ::doctor::{Examination, ExamineRequest};
use elf::{Arch, ImageKind};
use napi::bindgen_prelude::AsyncTask;
use napi_derive::napi;
use symbolize::{Compiler, DebugFileSource};

use crate::job::BindingCancelToken;
use crate::number::count;
use crate::task::{JobTask, Success, run_job};

/// What to examine.
#[napi(object, object_to_js = false)]
pub struct BindingExamineOptions {
    /// The binary.
    pub binary: String,
    /// ELF file that has the DWARF.
    pub debug_binary: Option<String>,
    /// Cache of the debuginfod client.
    pub debuginfod_cache: Option<String>,
    /// DWARF package.
    pub dwp: Option<String>,
}

/// An examination that succeeded.
#[napi(object, object_from_js = false)]
pub struct BindingExamineSuccess {
    /// Tells a success from a failure.
    #[napi(ts_type = "true")]
    pub ok: bool,
    /// What was found.
    pub value: BindingExamination,
}

/// What a binary says about itself.
#[napi(object, object_from_js = false)]
pub struct BindingExamination {
    /// Its size in bytes.
    pub size: f64,
    /// Hexadecimal digits.
    pub build_id: Option<String>,
    /// What sort of ELF file it is.
    #[napi(ts_type = "'executable' | 'shared-object' | 'kernel' | 'module'")]
    pub kind: String,
    /// Its instruction set.
    #[napi(ts_type = "'x86-64' | 'x32' | 'i386' | 'aarch64'")]
    pub machine: String,
    /// Symbols in its code.
    pub code_symbols: f64,
    /// The debug file that has its symbols.
    pub symbol_file: Option<String>,
    /// Discriminators are flow-sensitive.
    pub flow_sensitive: bool,
    /// It carries pseudo probes.
    pub pseudo_probes: bool,
    /// File name in its debug link.
    pub debuglink: Option<String>,
    /// Where its DWARF was found.
    pub debug_file: Option<String>,
    /// How that was found; absent if it is the binary, or was named.
    #[napi(ts_type = "'build-id' | 'debuglink' | 'path' | 'debuginfod' | 'supplementary'")]
    pub debug_file_source: Option<String>,
    /// How debug sections are compressed.
    #[napi(ts_type = "'zlib' | 'zstd'")]
    pub compression: Option<String>,
    /// Skeleton units of split DWARF.
    pub skeleton_units: f64,
    /// Those of them whose other half was found.
    pub split_units_found: f64,
    /// What compiled it.
    pub compilers: Vec<BindingCompiler>,
    /// The format of its debug information, if that is not DWARF.
    #[napi(ts_type = "'STABS' | 'DWARF 1' | 'CTF' | 'BTF' | 'MiniDebugInfo'")]
    pub other_format: Option<String>,
    /// The file of dwz that is missing.
    pub missing_supplementary: Option<String>,
    /// The build ids of files that the debuginfod cache lacks, as hexadecimal digits.
    pub missing_build_ids: Vec<String>,
    /// What was not found or cannot be read.
    pub diagnostics: Vec<String>,
    /// Of a vmlinux or a module.
    pub kernel: Option<BindingKernel>,
}

/// The units of one compiler, language and version of DWARF.
#[napi(object, object_from_js = false)]
pub struct BindingCompiler {
    /// Its name and version.
    pub name: String,
    /// As DWARF names it.
    pub language: String,
    /// Version of DWARF.
    pub dwarf_version: u32,
    /// How many.
    pub units: f64,
    /// With line rows.
    pub with_lines: f64,
    /// With a discriminator.
    pub with_discriminators: f64,
    /// With a discriminator at the call of an inlined function.
    pub with_call_discriminators: f64,
    /// With functions.
    pub with_functions: f64,
    /// With functions that have the line of their declaration.
    pub with_declaration_lines: f64,
    /// With types or variables.
    pub with_types: f64,
    /// With a recorded command line.
    pub with_command_line: f64,
    /// With `-fdebug-info-for-profiling` in it.
    pub with_profiling_flag: f64,
}

/// What a vmlinux or a module says about itself.
#[napi(object, object_from_js = false)]
pub struct BindingKernel {
    /// What is printed at boot; of a module the kernel it is for.
    pub banner: Option<String>,
    /// The configuration is embedded.
    pub has_config: bool,
    /// Options that matter.
    pub options: Vec<BindingConfigOption>,
}

/// `CONFIG_NAME=value`.
#[napi(object, object_from_js = false)]
pub struct BindingConfigOption {
    /// With `CONFIG_`.
    pub name: String,
    /// Without quotes.
    pub value: String,
}

/// The build id of an ELF file of any kind, as hexadecimal digits; absent if it has none or is none.
#[napi]
pub fn build_id_of(path: String) -> Option<String> {
    let id = symbolize::build_id_of(path.as_ref()).ok()??;
    Some(id.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Examines a binary.
#[napi(ts_return_type = "Promise<BindingExamineSuccess | BindingFailure>")]
pub fn examine_binary(options: BindingExamineOptions, cancel: &BindingCancelToken) -> AsyncTask<JobTask<Examination>> {
    run_job(cancel, None, move |_| {
        Ok(::doctor::examine(&ExamineRequest {
            path: options.binary.into(),
            debug_binary: options.debug_binary.map(Into::into),
            debuginfod_cache: options.debuginfod_cache.map(Into::into),
            dwp: options.dwp.map(Into::into),
        })?)
    })
}

impl Success for Examination {
    type Object = BindingExamineSuccess;

    fn into_object(self) -> BindingExamineSuccess {
        let kind = match self.kind {
            ImageKind::Executable => "executable",
            ImageKind::SharedObject => "shared-object",
            ImageKind::Kernel => "kernel",
            ImageKind::Module => "module",
        };
        let machine = match self.arch {
            Arch::X86_64 if self.is_x32 => "x32",
            Arch::X86_64 => "x86-64",
            Arch::X86 => "i386",
            Arch::AArch64 => "aarch64",
        };
        let source = self
            .debug_file
            .as_ref()
            .and_then(|file| file.source)
            .map(|source| match source {
                DebugFileSource::BuildId => "build-id",
                DebugFileSource::DebugLink => "debuglink",
                DebugFileSource::Path => "path",
                DebugFileSource::Debuginfod => "debuginfod",
                DebugFileSource::Supplementary => "supplementary",
            });
        let kernel = self.kernel.map(|kernel| BindingKernel {
            banner: kernel.banner,
            has_config: kernel.has_config,
            options: kernel
                .options
                .into_iter()
                .map(|option| BindingConfigOption {
                    name: option.name,
                    value: option.value,
                })
                .collect(),
        });
        let value = BindingExamination {
            size: count(self.size),
            build_id: self.build_id,
            kind: kind.to_owned(),
            machine: machine.to_owned(),
            code_symbols: count(self.code_symbols),
            symbol_file: self.symbol_file.map(|path| path.to_string_lossy().into_owned()),
            flow_sensitive: self.flow_sensitive,
            pseudo_probes: self.pseudo_probes,
            debuglink: self.debuglink,
            debug_file_source: source.map(str::to_owned),
            debug_file: self.debug_file.map(|file| file.path.to_string_lossy().into_owned()),
            compression: self.survey.compression.map(str::to_owned),
            skeleton_units: count(self.survey.split.skeletons),
            split_units_found: count(self.survey.split.found),
            compilers: self.survey.compilers.into_iter().map(BindingCompiler::from).collect(),
            other_format: self.other_format,
            missing_supplementary: self.missing_supplementary,
            missing_build_ids: self.missing_build_ids,
            diagnostics: self.diagnostics,
            kernel,
        };
        BindingExamineSuccess { ok: true, value }
    }
}

impl From<Compiler> for BindingCompiler {
    fn from(compiler: Compiler) -> Self {
        let counts = compiler.counts;
        Self {
            name: compiler.name,
            language: compiler.language,
            dwarf_version: u32::from(compiler.dwarf_version),
            units: count(counts.units),
            with_lines: count(counts.with_lines),
            with_discriminators: count(counts.with_discriminators),
            with_call_discriminators: count(counts.with_call_discriminators),
            with_functions: count(counts.with_functions),
            with_declaration_lines: count(counts.with_declaration_lines),
            with_types: count(counts.with_types),
            with_command_line: count(counts.with_command_line),
            with_profiling_flag: count(counts.with_profiling_flag),
        }
    }
}

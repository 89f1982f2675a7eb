//! Examines binaries.

use ::doctor::{Examination, ExamineRequest};
use elf::{Arch, ImageKind};
use napi::bindgen_prelude::AsyncTask;
use napi_derive::napi;
use symbolize::{Compiler, DebugFileSource};

use crate::job::BindingCancelToken;
use crate::number::count;
use crate::task::{JobTask, Success, run_job};

/// The binary to examine.
#[napi(object, object_to_js = false)]
pub struct BindingExamineOptions {
    /// Path of the binary.
    pub binary: String,
    /// Path of the ELF file that has the DWARF.
    pub debug_binary: Option<String>,
    /// Path of the cache of the debuginfod client.
    pub debuginfod_cache: Option<String>,
    /// Path of the DWARF package.
    pub dwp: Option<String>,
}

/// The result of an examination that succeeded.
#[napi(object, object_from_js = false)]
pub struct BindingExamineSuccess {
    /// True, which distinguishes a success from a failure.
    #[napi(ts_type = "true")]
    pub ok: bool,
    /// The facts that were found.
    pub value: BindingExamination,
}

/// The facts about a binary.
#[napi(object, object_from_js = false)]
pub struct BindingExamination {
    /// Size of the file in bytes.
    pub size: f64,
    /// Build id in hexadecimal digits.
    pub build_id: Option<String>,
    /// Type of the ELF file.
    #[napi(ts_type = "'executable' | 'shared-object' | 'kernel' | 'module'")]
    pub kind: String,
    /// Instruction set.
    #[napi(ts_type = "'x86-64' | 'x32' | 'i386' | 'aarch64'")]
    pub machine: String,
    /// Number of symbols in the code.
    pub code_symbols: f64,
    /// Path of the debug file that has the symbols.
    pub symbol_file: Option<String>,
    /// True if discriminators are flow-sensitive.
    pub flow_sensitive: bool,
    /// True if the binary has pseudo probes.
    pub pseudo_probes: bool,
    /// File name in the debug link of the binary.
    pub debuglink: Option<String>,
    /// Path of the file in which the DWARF was found.
    pub debug_file: Option<String>,
    /// The way in which that file was found; absent if the file is the binary itself, or was named by the caller.
    #[napi(ts_type = "'build-id' | 'debuglink' | 'path' | 'debuginfod' | 'supplementary'")]
    pub debug_file_source: Option<String>,
    /// Compression of the debug sections.
    #[napi(ts_type = "'zlib' | 'zstd'")]
    pub compression: Option<String>,
    /// Number of skeleton units of split DWARF.
    pub skeleton_units: f64,
    /// Number of skeleton units whose split unit was found.
    pub split_units_found: f64,
    /// The compilers that made the units.
    pub compilers: Vec<BindingCompiler>,
    /// Format of the debug information, if the format is not DWARF.
    #[napi(ts_type = "'STABS' | 'DWARF 1' | 'CTF' | 'BTF' | 'MiniDebugInfo'")]
    pub other_format: Option<String>,
    /// Path of the supplementary file of dwz, if the file is missing.
    pub missing_supplementary: Option<String>,
    /// Build ids, as hexadecimal digits, of the files that the debuginfod cache lacks.
    pub missing_build_ids: Vec<String>,
    /// Descriptions of what was not found or cannot be read.
    pub diagnostics: Vec<String>,
    /// The facts about a vmlinux or a kernel module.
    pub kernel: Option<BindingKernel>,
}

/// The units of one compiler, language and version of DWARF.
#[napi(object, object_from_js = false)]
pub struct BindingCompiler {
    /// Name and version of the compiler.
    pub name: String,
    /// Name of the language in DWARF.
    pub language: String,
    /// Version of DWARF.
    pub dwarf_version: u32,
    /// Number of units.
    pub units: f64,
    /// Number of units with line rows.
    pub with_lines: f64,
    /// Number of units with a discriminator.
    pub with_discriminators: f64,
    /// Number of units with a discriminator at the call of an inlined function.
    pub with_call_discriminators: f64,
    /// Number of units with functions.
    pub with_functions: f64,
    /// Number of units whose functions have the line of their declaration.
    pub with_declaration_lines: f64,
    /// Number of units with types or variables.
    pub with_types: f64,
    /// Number of units with a recorded command line.
    pub with_command_line: f64,
    /// Number of units with `-fdebug-info-for-profiling` in their command line.
    pub with_profiling_flag: f64,
}

/// The facts about a vmlinux or a kernel module.
#[napi(object, object_from_js = false)]
pub struct BindingKernel {
    /// The line that a vmlinux prints at boot; for a module, the kernel that the module was built for.
    pub banner: Option<String>,
    /// True if the configuration is embedded.
    pub has_config: bool,
    /// The options that matter for profiles.
    pub options: Vec<BindingConfigOption>,
}

/// An option of the configuration, `CONFIG_NAME=value`.
#[napi(object, object_from_js = false)]
pub struct BindingConfigOption {
    /// Name of the option, with `CONFIG_`.
    pub name: String,
    /// Value of the option, without quotes.
    pub value: String,
}

/// Returns the build id of an ELF file of any kind, as hexadecimal digits. Returns nothing if the file has no build
/// id, or is no ELF file.
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

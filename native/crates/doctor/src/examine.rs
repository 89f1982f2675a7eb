//! One binary and its debug information.

use std::path::{Path, PathBuf};

use elf::{Arch, Image, ImageKind};
use job::failure::{debug_file_as_binary, image_error, symbolize_error};
use job::{Error, on_threads};
use symbolize::{DebugFileSource, DebugInfo, DebugOptions, DebugSurvey, Diagnostic, LocalFiles, add_symbols};

use crate::kernel::Kernel;

/// Diagnostics that are passed on; a damaged or split file can have one for each unit.
const MAX_DIAGNOSTICS: usize = 20;

/// What to examine.
#[derive(Debug, Clone)]
pub struct ExamineRequest {
    /// The binary.
    pub path: PathBuf,
    /// ELF file that has the DWARF of the binary, and its symbols if it is stripped.
    pub debug_binary: Option<PathBuf>,
    /// The cache of the debuginfod client, where debug files are looked for last.
    pub debuginfod_cache: Option<PathBuf>,
    /// DWARF package of the binary.
    pub dwp: Option<PathBuf>,
}

/// What a binary says about itself.
#[derive(Debug, Clone)]
pub struct Examination {
    /// Its size in bytes.
    pub size: u64,
    /// As 40 or so hexadecimal digits.
    pub build_id: Option<String>,
    /// What sort of ELF file it is.
    pub kind: ImageKind,
    /// Its instruction set.
    pub arch: Arch,
    /// It is a program for the x32 ABI: 64-bit code in an ELF file of 32 bits.
    pub is_x32: bool,
    /// Symbols of `.symtab` in its code; 0 if it is stripped and no debug file has them.
    pub code_symbols: u64,
    /// The debug file that has the symbols of the stripped binary.
    pub symbol_file: Option<PathBuf>,
    /// Discriminators are flow-sensitive: `__llvm_fs_discriminator__` is there.
    pub flow_sensitive: bool,
    /// It carries pseudo probes.
    pub pseudo_probes: bool,
    /// File name in its `.gnu_debuglink`.
    pub debuglink: Option<String>,
    /// Where its DWARF was found; `None` if it has none.
    pub debug_file: Option<DebugFile>,
    /// What the DWARF says.
    pub survey: DebugSurvey,
    /// The format of its debug information, if that is not DWARF.
    pub other_format: Option<String>,
    /// The file of dwz that is missing; names of functions are in it.
    pub missing_supplementary: Option<String>,
    /// The build ids, as hexadecimal digits, of files that a debuginfod server may have: they were looked for last in the cache, and were
    /// not there. Empty without a cache.
    pub missing_build_ids: Vec<String>,
    /// What was not found, or cannot be read, on the way to the DWARF.
    pub diagnostics: Vec<String>,
    /// Of a vmlinux or a module.
    pub kernel: Option<Kernel>,
}

/// Where DWARF was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebugFile {
    /// The file.
    pub path: PathBuf,
    /// How it was found; `None`: it is the binary itself, or was named by the caller.
    pub source: Option<DebugFileSource>,
}

/// Examines a binary on a thread pool of its own.
///
/// # Errors
/// If the binary, or a debug binary that the request names, is no ELF file that profiles can be made for.
pub fn examine(request: &ExamineRequest) -> Result<Examination, Error> {
    on_threads(0, || examine_here(request))
}

fn examine_here(request: &ExamineRequest) -> Result<Examination, Error> {
    let path = &request.path;
    let mut image = Image::open(path).map_err(|error| image_error(error, path))?;
    if image.is_debug_file() {
        return Err(debug_file_as_binary(path));
    }
    let options = DebugOptions {
        debug_binary: request.debug_binary.clone(),
        dwp: request.dwp.clone(),
        ..DebugOptions::default()
    };
    let files = LocalFiles::new(request.debuginfod_cache.clone());
    let without_symbols = add_symbols(&mut image, &options, &files).map_err(symbolize_error)?;
    let debug = DebugInfo::of_image(&image, &options, &files).map_err(symbolize_error)?;
    // A file that has neither is told of once.
    let without_symbols = without_symbols.iter().filter(|d| !debug.diagnostics().contains(d));
    let diagnostics = without_symbols
        .chain(debug.diagnostics())
        .filter(|d| !matches!(d, Diagnostic::DebugFile { .. } | Diagnostic::OtherFormat { .. }));
    Ok(Examination {
        size: image.data().len() as u64,
        build_id: image.build_id().map(hex),
        kind: image.kind(),
        arch: image.arch(),
        is_x32: image.is_x32(),
        code_symbols: image.code_symbols().count() as u64,
        symbol_file: image.symbol_file().map(Path::to_owned),
        flow_sensitive: image.has_fs_discriminators(),
        pseudo_probes: image.has_pseudo_probes(),
        debuglink: debuglink(&image),
        debug_file: debug_file(&debug),
        survey: debug.survey(),
        other_format: debug.diagnostics().iter().find_map(|diagnostic| match diagnostic {
            Diagnostic::OtherFormat { format, .. } => Some(format.to_string()),
            _ => None,
        }),
        missing_supplementary: debug.diagnostics().iter().find_map(|diagnostic| match diagnostic {
            Diagnostic::SupplementaryMissing { name, .. } => Some(name.clone()),
            _ => None,
        }),
        missing_build_ids: files.missing().iter().map(|id| hex(id)).collect(),
        diagnostics: diagnostics.take(MAX_DIAGNOSTICS).map(ToString::to_string).collect(),
        kernel: Kernel::of(&image),
    })
}

fn debug_file(debug: &DebugInfo) -> Option<DebugFile> {
    let frames: &Path = debug.frames_path();
    let source = debug.diagnostics().iter().find_map(|diagnostic| match diagnostic {
        Diagnostic::DebugFile { path, source } if path == frames => Some(*source),
        _ => None,
    });
    (debug.unit_count() > 0).then(|| DebugFile {
        path: frames.to_owned(),
        source,
    })
}

/// The name in `.gnu_debuglink`: a string, padding and a checksum (gdb manual, "Debugging Information in Separate Files").
fn debuglink(image: &Image) -> Option<String> {
    let section = image.section(".gnu_debuglink")?;
    let name = section.data.split(|byte| *byte == 0).next()?;
    (!name.is_empty()).then(|| String::from_utf8_lossy(name).into_owned())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

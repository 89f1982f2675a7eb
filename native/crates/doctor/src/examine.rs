//! Examines one binary and its debug information.

use std::path::{Path, PathBuf};

use elf::{Arch, Image, ImageKind};
use job::failure::{debug_file_as_binary, image_error, symbolize_error};
use job::{Error, check_exist, on_threads};
use symbolize::{DebugFileSource, DebugInfo, DebugOptions, DebugSurvey, Diagnostic, LocalFiles, add_symbols};

use crate::kernel::Kernel;

/// Largest number of diagnostics that are passed on. A damaged or split file can have one for each unit.
const MAX_DIAGNOSTICS: usize = 20;

/// The binary to examine, and where its debug files may be.
#[derive(Debug, Clone)]
pub struct ExamineRequest {
    /// Path of the binary.
    pub path: PathBuf,
    /// Path of the ELF file that has the DWARF of the binary, and its symbols if the binary is stripped.
    pub debug_binary: Option<PathBuf>,
    /// Path of the cache of the debuginfod client, in which debug files are looked for last.
    pub debuginfod_cache: Option<PathBuf>,
    /// Path of the DWARF package of the binary.
    pub dwp: Option<PathBuf>,
}

/// The facts about a binary.
#[derive(Debug, Clone)]
pub struct Examination {
    /// Size of the file in bytes.
    pub size: u64,
    /// Build id in hexadecimal digits, usually 40.
    pub build_id: Option<String>,
    /// Type of the ELF file.
    pub kind: ImageKind,
    /// Instruction set.
    pub arch: Arch,
    /// True if the binary is a program for the x32 ABI: 64-bit code in an ELF file of the 32-bit class.
    pub is_x32: bool,
    /// Number of symbols of `.symtab` in the code; 0 if the binary is stripped and no debug file has its symbols.
    pub code_symbols: u64,
    /// Path of the debug file that has the symbols of the stripped binary.
    pub symbol_file: Option<PathBuf>,
    /// True if discriminators are flow-sensitive, which the symbol `__llvm_fs_discriminator__` marks.
    pub flow_sensitive: bool,
    /// True if the binary has pseudo probes.
    pub pseudo_probes: bool,
    /// File name in `.gnu_debuglink`.
    pub debuglink: Option<String>,
    /// The file in which the DWARF was found; `None` if there is no DWARF.
    pub debug_file: Option<DebugFile>,
    /// The facts that the DWARF states.
    pub survey: DebugSurvey,
    /// Format of the debug information, if the format is not DWARF.
    pub other_format: Option<String>,
    /// Path of the supplementary file of dwz, if the file is missing. Names of functions are in that file.
    pub missing_supplementary: Option<String>,
    /// Build ids, as hexadecimal digits, of the files that a debuginfod server may have: these files were looked
    /// for last in the cache, and were not there. Empty without a cache.
    pub missing_build_ids: Vec<String>,
    /// Descriptions of what was not found or cannot be read in the search for DWARF.
    pub diagnostics: Vec<String>,
    /// The facts about a vmlinux or a kernel module.
    pub kernel: Option<Kernel>,
}

/// The file in which DWARF was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebugFile {
    /// Path of the file.
    pub path: PathBuf,
    /// The way in which the file was found; `None` if the file is the binary itself, or was named by the caller.
    pub source: Option<DebugFileSource>,
}

/// Examines a binary on a separate thread pool.
///
/// # Errors
/// Fails if the binary, or a debug binary that the request names, is no ELF file that profiles can be made for; and
/// if the package that the request names does not exist.
pub fn examine(request: &ExamineRequest) -> Result<Examination, Error> {
    on_threads(0, || examine_here(request))
}

fn examine_here(request: &ExamineRequest) -> Result<Examination, Error> {
    let path = &request.path;
    let mut image = Image::open(path).map_err(|error| image_error(error, path))?;
    if image.is_debug_file() {
        return Err(debug_file_as_binary(path));
    }
    check_exist(&request.dwp)?;
    let options = DebugOptions {
        debug_binary: request.debug_binary.clone(),
        dwp: request.dwp.clone(),
        ..DebugOptions::default()
    };
    let files = LocalFiles::new(request.debuginfod_cache.clone());
    let without_symbols = add_symbols(&mut image, &options, &files).map_err(symbolize_error)?;
    let debug = DebugInfo::of_image(&image, &options, &files).map_err(symbolize_error)?;
    // A file that has neither symbols nor DWARF is reported once, not twice.
    let without_symbols = without_symbols.iter().filter(|d| !debug.diagnostics().contains(d));
    let diagnostics = without_symbols
        .chain(debug.diagnostics())
        .filter(|d| !has_a_place_of_its_own(d));
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

/// Returns true if other facts of the examination, or the options, tell the same.
fn has_a_place_of_its_own(diagnostic: &Diagnostic) -> bool {
    use Diagnostic as D;
    matches!(
        diagnostic,
        D::DebugFile { .. } | D::OtherFormat { .. } | D::PackageUnused { .. }
    )
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

/// Returns the name in `.gnu_debuglink`: a string, padding and a checksum (gdb manual, "Debugging Information in
/// Separate Files").
fn debuglink(image: &Image) -> Option<String> {
    let section = image.section(".gnu_debuglink")?;
    let name = section.data.split(|byte| *byte == 0).next()?;
    (!name.is_empty()).then(|| String::from_utf8_lossy(name).into_owned())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

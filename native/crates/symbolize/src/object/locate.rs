//! Where a file's debug information lies, as LLVM's symbolizer and gdb search for it (gdb manual, "Debugging
//! Information in Separate Files").

use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use std::ffi::OsStr;

use super::sections::{ElfFile, FileData, Supplement, Wanted};
use crate::diagnostics::{DebugFileSource, Diagnostic, Rejection};
use crate::error::SymbolizeError;
use crate::options::DebugOptions;

/// Maps a file, or uncompresses it if it is compressed as a whole.
pub(crate) fn open_file(path: &Path) -> Result<FileData, SymbolizeError> {
    let data = map_file(path).map_err(|source| SymbolizeError::Read {
        path: path.to_owned(),
        source,
    })?;
    let content = elf::decompress_file((*data).as_ref(), path)?;
    Ok(content.map_or(data, |content| Arc::new(content) as FileData))
}

/// Maps a file.
pub(crate) fn map_file(path: &Path) -> io::Result<FileData> {
    // Names come out of files; opening a FIFO could wait for ever.
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    let file = File::open(path)?;
    if metadata.len() == 0 {
        return Ok(Arc::new(Vec::new()));
    }
    // SAFETY: the map is private and read-only. What mapping cannot rule out is another process that changes
    // the file meanwhile; debug files are replaced by renaming, not rewritten, and nothing here relies on two
    // reads of one byte being equal for memory safety: every offset is checked where it is used.
    let map = unsafe { memmap2::Mmap::map(&file)? };
    Ok(Arc::new(map))
}

/// The file that was found, and how.
pub(crate) struct Located {
    pub(crate) elf: ElfFile,
    pub(crate) source: DebugFileSource,
}

/// `.build-id/xx/yyyy.debug`
fn build_id_path(id: &[u8]) -> Option<PathBuf> {
    let (first, rest) = id.split_first()?;
    if rest.is_empty() {
        return None;
    }
    let rest: String = rest.iter().map(|byte| format!("{byte:02x}")).collect();
    Some(PathBuf::from(format!(".build-id/{first:02x}/{rest}.debug")))
}

/// Where the debuginfod client keeps the debug file of this build id.
fn debuginfod_path(options: &DebugOptions, id: &[u8]) -> Option<PathBuf> {
    let cache = options.debuginfod_cache.as_ref()?;
    let name: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    (!name.is_empty()).then(|| cache.join(name).join("debuginfo"))
}

/// The build id of an ELF file of any kind.
///
/// # Errors
/// If it cannot be read as ELF.
pub fn build_id_of(path: &Path) -> Result<Option<Vec<u8>>, SymbolizeError> {
    let file = open_file(path)?;
    Ok(ElfFile::parse(path, file)?.build_id)
}

/// Searches for a separate debug file with what is wanted: by build id, then by debug link, then by path.
pub(crate) fn locate(
    named: &ElfFile,
    build_id: Option<&[u8]>,
    wanted: Wanted,
    options: &DebugOptions,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Located> {
    let links = options.follow_links;
    let build_id = build_id.or(named.build_id.as_deref());
    if links.build_id
        && let Some(id) = build_id
        && let Some(relative) = build_id_path(id)
    {
        for directory in &options.debug_directories {
            let path = directory.join(&relative);
            if let Some(elf) = candidate(&path, named, wanted, diagnostics, |elf| check_build_id(elf, id)) {
                let source = DebugFileSource::BuildId;
                return Some(Located { elf, source });
            }
        }
    }
    if links.debuglink
        && let Some((name, crc)) = &named.debuglink
    {
        for path in debuglink_paths(&named.path, name, options) {
            let checked = candidate(&path, named, wanted, diagnostics, |elf| check_crc(elf, *crc));
            if let Some(elf) = checked {
                let source = DebugFileSource::DebugLink;
                return Some(Located { elf, source });
            }
        }
    }
    if links.path
        && !named.has(wanted)
        && let Some(id) = build_id
    {
        for path in same_paths(&named.path, options) {
            if let Some(elf) = candidate(&path, named, wanted, diagnostics, |elf| check_build_id(elf, id)) {
                let source = DebugFileSource::Path;
                return Some(Located { elf, source });
            }
        }
    }
    // What was fetched is for files that are not complete themselves.
    if !named.has(wanted)
        && let Some(id) = build_id
        && let Some(path) = debuginfod_path(options, id)
        && let Some(elf) = candidate(&path, named, wanted, diagnostics, |elf| check_build_id(elf, id))
    {
        let source = DebugFileSource::Debuginfod;
        return Some(Located { elf, source });
    }
    None
}

/// The directories of a file as below the root: with links resolved, and as it was named, if that is another one. Where /lib is a
/// link to /usr/lib, packages have files in either.
fn directories_below_root(file: &Path) -> Vec<PathBuf> {
    let real = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let below = |file: &Path| Some(file.parent()?.strip_prefix("/").ok()?.to_owned());
    let mut directories: Vec<PathBuf> = [below(&real), below(file)].into_iter().flatten().collect();
    directories.dedup();
    directories
}

/// Where a debug file of the same name is, without what a compressed file's name ends in.
fn same_paths(file: &Path, options: &DebugOptions) -> Vec<PathBuf> {
    let Some(name) = file.file_name() else {
        return Vec::new();
    };
    let name = name.as_bytes();
    let compressed = [b".xz".as_slice(), b".zst", b".gz"];
    let plain = compressed
        .iter()
        .find_map(|suffix| name.strip_suffix(*suffix))
        .unwrap_or(name);
    let with_suffix = [plain, b".debug"].concat();
    let mut paths = Vec::new();
    for tree in &options.debug_directories {
        for directory in directories_below_root(file) {
            let names = [plain, with_suffix.as_slice()];
            paths.extend(names.map(|name| tree.join(&directory).join(OsStr::from_bytes(name))));
        }
    }
    paths
}

fn debuglink_paths(binary: &Path, name: &[u8], options: &DebugOptions) -> Vec<PathBuf> {
    let name = Path::new(OsStr::from_bytes(name));
    // The link is a plain file name; anything else could lead anywhere.
    let Some(name) = name.file_name() else {
        return Vec::new();
    };
    let beside = binary.parent().unwrap_or(Path::new("")).to_owned();
    let real = std::fs::canonicalize(binary).unwrap_or_else(|_| binary.to_owned());
    let directory = real.parent().unwrap_or(Path::new("/"));
    let mut paths = vec![beside.join(name), beside.join(".debug").join(name)];
    if !same_file(directory, &beside.join(".")) {
        paths.extend([directory.join(name), directory.join(".debug").join(name)]);
    }
    for tree in &options.debug_directories {
        let directories = directories_below_root(binary).into_iter();
        paths.extend(directories.map(|directory| tree.join(directory).join(name)));
    }
    paths
}

/// The supplementary file of dwz: where the link says, from the directory of the file that has the link, or by
/// its build id.
pub(crate) fn supplementary(
    elf: &ElfFile,
    options: &DebugOptions,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Located> {
    let Supplement { name, id } = elf.supplementary.as_ref()?;
    if !options.follow_links.supplementary {
        return None;
    }
    let name = Path::new(OsStr::from_bytes(name));
    let real = std::fs::canonicalize(&elf.path).unwrap_or_else(|_| elf.path.clone());
    let mut paths: Vec<PathBuf> = [elf.path.parent(), real.parent()]
        .into_iter()
        .flatten()
        .map(|directory| directory.join(name))
        .collect();
    paths.dedup();
    if let Some(relative) = build_id_path(id) {
        let trees = options.debug_directories.iter();
        paths.extend(trees.map(|tree| tree.join(&relative)));
    }
    // Debian installs these in a tree of their own.
    if let Some(file) = name.file_name() {
        let trees = options.debug_directories.iter();
        paths.extend(trees.map(|tree| tree.join(".dwz").join(file)));
    }
    paths.extend(debuginfod_path(options, id));
    for path in paths {
        let checked = candidate(&path, elf, Wanted::DebugInfo, diagnostics, |elf| {
            if elf.supplementary_id.as_ref() == Some(id) {
                return Ok(());
            }
            check_build_id(elf, id)
        });
        if let Some(found) = checked {
            let source = DebugFileSource::Supplementary;
            return Some(Located { elf: found, source });
        }
    }
    diagnostics.push(Diagnostic::SupplementaryMissing {
        name: name.to_string_lossy().into_owned(),
        id: id.clone(),
    });
    None
}

/// Opens a candidate; a file that is not there is none, one that does not fit is reported.
fn candidate(
    path: &Path,
    named: &ElfFile,
    wanted: Wanted,
    diagnostics: &mut Vec<Diagnostic>,
    check: impl Fn(&ElfFile) -> Result<(), Rejection>,
) -> Option<ElfFile> {
    let file = map_file(path).ok()?;
    // A link may lead back to the file it stands in.
    if same_file(path, &named.path) {
        return None;
    }
    let opened = ElfFile::parse(path, file)
        .map_err(|error| Rejection::Unreadable(error.to_string()))
        .and_then(|elf| {
            check(&elf)?;
            if !elf.has(wanted) {
                return Err(match wanted {
                    Wanted::DebugInfo => Rejection::NoDebugInfo,
                    Wanted::Symbols => Rejection::NoSymbols,
                });
            }
            elf.with_addresses(diagnostics)
                .map_err(|error| Rejection::Unreadable(error.to_string()))
        });
    match opened {
        Ok(elf) => Some(elf),
        Err(reason) => {
            diagnostics.push(Diagnostic::CandidateRejected {
                path: path.to_owned(),
                reason,
            });
            None
        }
    }
}

fn same_file(a: &Path, b: &Path) -> bool {
    matches!((std::fs::canonicalize(a), std::fs::canonicalize(b)), (Ok(a), Ok(b)) if a == b)
}

fn check_build_id(elf: &ElfFile, expected: &[u8]) -> Result<(), Rejection> {
    if elf.build_id.as_deref() == Some(expected) {
        return Ok(());
    }
    Err(Rejection::BuildId {
        expected: expected.to_vec(),
        found: elf.build_id.clone(),
    })
}

fn check_crc(elf: &ElfFile, expected: u32) -> Result<(), Rejection> {
    let mut crc = flate2::Crc::new();
    crc.update((*elf.file).as_ref());
    let found = crc.sum();
    if found == expected {
        return Ok(());
    }
    Err(Rejection::Crc { expected, found })
}

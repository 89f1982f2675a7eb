//! Lists the places where a debug file may be, in the order of LLVM's symbolizer and gdb (gdb manual, "Debugging
//! Information in Separate Files").

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::provider::{DebugFileProvider, FileRequest};
use crate::diagnostics::DebugFileSource;
use crate::elf_file::{ElfFile, Supplement, Wanted};
use crate::options::DebugOptions;

/// A place where a debug file may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) place: Place,
    pub(super) source: DebugFileSource,
    pub(super) identity: Identity,
}

/// The request for a candidate that a provider gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Path(PathBuf),
    BuildId(Vec<u8>),
}

impl Place {
    pub(super) fn request(&self) -> FileRequest<'_> {
        match self {
            Self::Path(path) => FileRequest::Path(path),
            Self::BuildId(id) => FileRequest::BuildId(id),
        }
    }
}

/// The mark by which the file that is looked for is recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Identity {
    /// The build id of the file.
    BuildId(Vec<u8>),
    /// The CRC-32 of all bytes of the file.
    Crc(u32),
    /// The build id of the file, or its checksum in `.debug_sup`.
    Supplement(Vec<u8>),
}

/// Returns the candidates for the separate debug file of `named`: by build id, then by debug link, then by path. If
/// `named` cannot do without the file, the last candidate asks for it by build id.
pub(super) fn separate(
    named: &ElfFile,
    build_id: Option<&[u8]>,
    wanted: Wanted,
    options: &DebugOptions,
    files: &dyn DebugFileProvider,
) -> Vec<Candidate> {
    let links = options.follow_links;
    let build_id = build_id.or(named.build_id.as_deref()).filter(|id| !id.is_empty());
    let real = files.real_path(&named.path);
    let mut candidates = Vec::new();
    let mut add = |path, source, identity| {
        candidates.push(Candidate {
            place: Place::Path(path),
            source,
            identity,
        });
    };
    if let Some(id) = build_id.filter(|_| links.build_id) {
        for path in build_id_paths(id, options) {
            add(path, DebugFileSource::BuildId, Identity::BuildId(id.to_vec()));
        }
    }
    if let Some((name, crc)) = named.debuglink.as_ref().filter(|_| links.debuglink) {
        for path in debuglink_paths(&named.path, &real, name, options) {
            add(path, DebugFileSource::DebugLink, Identity::Crc(*crc));
        }
    }
    if named.has(wanted) {
        return candidates;
    }
    if let Some(id) = build_id {
        if links.path {
            for path in same_paths(&named.path, &real, options) {
                add(path, DebugFileSource::Path, Identity::BuildId(id.to_vec()));
            }
        }
        candidates.push(Candidate {
            place: Place::BuildId(id.to_vec()),
            source: DebugFileSource::Debuginfod,
            identity: Identity::BuildId(id.to_vec()),
        });
    }
    candidates
}

/// Returns the candidates for the supplementary file of dwz: the path in the link, seen from the folder of the file
/// that has the link, or the build id.
pub(super) fn supplementary(
    elf: &ElfFile,
    supplement: &Supplement,
    options: &DebugOptions,
    files: &dyn DebugFileProvider,
) -> Vec<Candidate> {
    let Supplement { name, id } = supplement;
    let name = Path::new(OsStr::from_bytes(name));
    let real = files.real_path(&elf.path);
    let folders = [elf.path.parent(), real.parent()].into_iter().flatten();
    let mut paths: Vec<PathBuf> = folders.map(|folder| folder.join(name)).collect();
    paths.dedup();
    paths.extend(build_id_paths(id, options));
    // Debian installs supplementary files in a separate tree.
    if let Some(file) = name.file_name() {
        let trees = options.debug_directories.iter();
        paths.extend(trees.map(|tree| tree.join(".dwz").join(file)));
    }
    let places = paths.into_iter().map(Place::Path);
    let by_id = (!id.is_empty()).then(|| Place::BuildId(id.clone()));
    places
        .chain(by_id)
        .map(|place| Candidate {
            place,
            source: DebugFileSource::Supplementary,
            identity: Identity::Supplement(id.clone()),
        })
        .collect()
}

/// Returns the paths where a `.dwo` file may be: the path that the compiler wrote, or beside one of `objects`, for
/// objects that were moved together with their `.dwo` files.
pub(super) fn split_unit(name: &[u8], directory: &[u8], objects: &[&Path], options: &DebugOptions) -> Vec<PathBuf> {
    let name = Path::new(OsStr::from_bytes(name));
    let mut paths = vec![Path::new(OsStr::from_bytes(directory)).join(name)];
    if options.follow_links.moved_split_units {
        for object in objects {
            let beside = object.parent().unwrap_or(Path::new(""));
            paths.push(beside.join(name));
            paths.extend(name.file_name().map(|name| beside.join(name)));
        }
    }
    paths.dedup();
    paths
}

/// Returns the paths where the package of split units may be if the caller named none: beside one of `objects`.
pub(super) fn packages(objects: &[&Path]) -> Vec<PathBuf> {
    let beside = objects.iter().map(|object| {
        let mut name = object.as_os_str().to_owned();
        name.push(".dwp");
        PathBuf::from(name)
    });
    beside.collect()
}

/// Returns the path `.build-id/xx/yyyy.debug` in each tree of debug files.
fn build_id_paths(id: &[u8], options: &DebugOptions) -> Vec<PathBuf> {
    let Some((first, rest)) = id.split_first().filter(|(_, rest)| !rest.is_empty()) else {
        return Vec::new();
    };
    let rest: String = rest.iter().map(|byte| format!("{byte:02x}")).collect();
    let relative = format!(".build-id/{first:02x}/{rest}.debug");
    options
        .debug_directories
        .iter()
        .map(|tree| tree.join(&relative))
        .collect()
}

/// Returns the folders of a file as relative paths from the root: the folder with links resolved, and the folder as
/// it was named, if they differ. If /lib is a link to /usr/lib, packages have files in either.
fn folders_below_root(file: &Path, real: &Path) -> Vec<PathBuf> {
    let below = |file: &Path| Some(file.parent()?.strip_prefix("/").ok()?.to_owned());
    let mut folders: Vec<PathBuf> = [below(real), below(file)].into_iter().flatten().collect();
    folders.dedup();
    folders
}

/// Returns the paths of debug files with the same path as the file, without the suffix of a compressed file.
fn same_paths(file: &Path, real: &Path, options: &DebugOptions) -> Vec<PathBuf> {
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
        for folder in folders_below_root(file, real) {
            let names = [plain, with_suffix.as_slice()];
            paths.extend(names.map(|name| tree.join(&folder).join(OsStr::from_bytes(name))));
        }
    }
    paths
}

fn debuglink_paths(binary: &Path, real: &Path, name: &[u8], options: &DebugOptions) -> Vec<PathBuf> {
    let name = Path::new(OsStr::from_bytes(name));
    // A debug link is a plain file name. Any other text could lead to any place.
    let Some(name) = name.file_name() else {
        return Vec::new();
    };
    let beside = binary.parent().unwrap_or(Path::new(""));
    let mut paths = vec![beside.join(name), beside.join(".debug").join(name)];
    let folder = real.parent().unwrap_or(Path::new("/"));
    if folder != beside {
        paths.extend([folder.join(name), folder.join(".debug").join(name)]);
    }
    for tree in &options.debug_directories {
        let folders = folders_below_root(binary, real).into_iter();
        paths.extend(folders.map(|folder| tree.join(folder).join(name)));
    }
    paths
}

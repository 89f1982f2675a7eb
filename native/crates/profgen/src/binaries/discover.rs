//! Looks for the files that recordings map: in folders by build id, or at the recorded paths of this machine.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use elf::{Image, ImageKind};
use job::{Diagnostic, DiagnosticCode, Error, ErrorCode, Observer, keep_going, system_reason};
use perfdata::BuildId;
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use walkdir::WalkDir;

use crate::binaries::kernel_module;
use crate::binaries::mapped::Mapped;
use crate::binaries::target::file_name;

/// Greatest depth of folders that are searched, links included.
const MAX_DEPTH: usize = 64;

/// Most files and folders that are looked at. A folder with more is not a folder of binaries.
const MAX_ENTRIES: usize = 1_000_000;

/// Paths of distributions for the kernel with its symbols. The kernel's release replaces `*`.
const KERNELS: [&str; 5] = [
    "/usr/lib/debug/boot/vmlinux-*",
    "/usr/lib/debug/lib/modules/*/vmlinux",
    "/usr/lib/debug/vmlinux-*",
    "/lib/modules/*/build/vmlinux",
    "/boot/vmlinux-*",
];

/// Paths of distributions for kernel modules. Modules with debug information come first.
const MODULES: [&str; 2] = ["/usr/lib/debug/lib/modules/*", "/lib/modules/*"];

/// A file that a recording maps.
pub(crate) struct Found {
    pub image: Image,
    /// File name in the recording, without folders.
    pub name: String,
}

/// Returns the ELF files in `folders` that are mapped: by build id, or by name where no build id is known. Of
/// several copies of a build, the copy with the most symbols and debug information comes first.
pub(crate) fn in_folders(
    folders: &[PathBuf],
    mapped: &Mapped,
    ignore_build_id: bool,
    observer: &dyn Observer,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<Vec<Found>, Error> {
    let wanted = Wanted::new(mapped, ignore_build_id);
    let mut found = Vec::new();
    for folder in folders {
        let paths = files(folder, observer, diagnostics)?;
        let images: Vec<Found> = paths.par_iter().filter_map(|path| wanted.open(path)).collect();
        found.extend(images);
    }
    put_richest_first(&mut found);
    Ok(found)
}

/// Sorts the files by [`richness`]: of the copies of a build, the first is used.
fn put_richest_first(found: &mut [Found]) {
    // The sort is stable: among equal files, the order of the folders and of the names in them decides.
    found.sort_by_key(|found| std::cmp::Reverse(richness(&found.image)));
}

/// Returns the mapped files of this machine, except those that are known to be other builds by now.
pub(crate) fn on_this_machine(
    mapped: &Mapped,
    ignore_build_id: bool,
    observer: &dyn Observer,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<Vec<Found>, Error> {
    let candidates: Vec<_> = mapped.files.iter().collect();
    let user = candidates.par_iter().filter_map(|(path, ids)| {
        let image = open_elf(Path::new(path))?;
        let same = ignore_build_id || ids.iter().any(|id| may_be(*id, &image));
        let name = file_name(path).to_owned();
        (same && image.kind() != ImageKind::Kernel).then_some(Found { image, name })
    });
    let mut found: Vec<_> = user.collect();
    for path in of_releases(mapped, &KERNELS) {
        let Some(image) = open_elf(&path) else { continue };
        let same = mapped.kernel.iter().any(|id| ignore_build_id || may_be(*id, &image));
        if same && image.kind() == ImageKind::Kernel {
            let name = own_name(&path);
            found.push(Found { image, name });
        }
    }
    if !mapped.modules.is_empty() {
        let wanted = Wanted::new(mapped, ignore_build_id);
        for folder in of_releases(mapped, &MODULES).filter(|folder| folder.is_dir()) {
            let paths = files(&folder, observer, diagnostics)?;
            let modules = paths.par_iter().filter_map(|path| wanted.open_module(path));
            found.extend(modules.collect::<Vec<_>>());
        }
    }
    put_richest_first(&mut found);
    Ok(found)
}

/// Returns `places` for the releases of the kernels that made the recordings.
fn of_releases(mapped: &Mapped, places: &'static [&'static str]) -> impl Iterator<Item = PathBuf> {
    let releases = mapped.releases.iter();
    // The release in a recording must not lead out of these folders.
    let releases = releases.filter(|release| !release.contains('/') && !release.starts_with('.'));
    releases.flat_map(|release| {
        places
            .iter()
            .map(move |place| PathBuf::from(place.replace('*', release)))
    })
}

fn own_name(path: &Path) -> String {
    file_name(&path.to_string_lossy()).to_owned()
}

/// Returns false if both builds are known and differ.
fn may_be(recorded: Option<BuildId>, image: &Image) -> bool {
    recorded
        .zip(image.build_id())
        .is_none_or(|(recorded, own)| recorded.matches(own))
}

/// Ranks a file by its use for a profile: first by symbols of code, then by debug information.
fn richness(image: &Image) -> (bool, bool) {
    (image.has_code_symbols(), image.section(".debug_info").is_some())
}

/// The files to look for in a folder.
struct Wanted<'m> {
    mapped: &'m Mapped,
    /// File names by build id. The empty name stands for the kernel.
    by_build_id: FxHashMap<Vec<u8>, String>,
    /// File names, each with a mark that is true if the recording lacks a build id for it.
    by_name: FxHashMap<String, bool>,
    kernel: Option<bool>,
    ignore_build_id: bool,
}

impl<'m> Wanted<'m> {
    fn new(mapped: &'m Mapped, ignore_build_id: bool) -> Self {
        let mut wanted = Self {
            mapped,
            by_build_id: FxHashMap::default(),
            by_name: FxHashMap::default(),
            kernel: (!mapped.kernel.is_empty()).then(|| mapped.kernel.contains(&None)),
            ignore_build_id,
        };
        for (path, ids) in &mapped.files {
            let name = file_name(path);
            for id in ids {
                if let Some(id) = id {
                    wanted.by_build_id.insert(key(id.as_bytes()), name.to_owned());
                }
                *wanted.by_name.entry(name.to_owned()).or_default() |= id.is_none();
            }
        }
        for id in mapped.kernel.iter().flatten() {
            wanted.by_build_id.insert(key(id.as_bytes()), String::new());
        }
        wanted
    }

    /// Opens a file. Returns `None` if the file is not wanted.
    fn open(&self, path: &Path) -> Option<Found> {
        let own = own_name(path);
        if is_module(&own) {
            return self.open_module(path);
        }
        let image = open_elf(path)?;
        if let Some(name) = image.build_id().and_then(|id| self.by_build_id.get(&key(id))) {
            let name = if name.is_empty() { own } else { name.clone() };
            return Some(Found { image, name });
        }
        let unidentified = if image.kind() == ImageKind::Kernel {
            self.kernel
        } else {
            self.by_name.get(&own).copied()
        }?;
        let by_name = unidentified || image.build_id().is_none() || self.ignore_build_id;
        by_name.then_some(Found { image, name: own })
    }

    /// Opens a kernel module; `None` if it is not wanted. The module may be compressed, so its name is
    /// checked first.
    fn open_module(&self, path: &Path) -> Option<Found> {
        let name = own_name(path);
        let ids = self
            .mapped
            .modules
            .get(&kernel_module::key(&name))
            .filter(|_| is_module(&name))?;
        let image = Image::open(path).ok()?;
        let same = self.ignore_build_id || ids.iter().any(|id| may_be(*id, &image));
        same.then_some(Found { image, name })
    }
}

fn is_module(name: &str) -> bool {
    name.ends_with(".ko")
        || [".ko.xz", ".ko.zst", ".ko.gz"]
            .iter()
            .any(|suffix| name.ends_with(suffix))
}

/// Returns a build id as perf compares it: at most 20 bytes, without trailing zeros.
fn key(id: &[u8]) -> Vec<u8> {
    let id = &id[..id.len().min(20)];
    let len = id.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    id[..len].to_vec()
}

/// Returns the files below a folder, sorted by path. Links are followed, but not in circles.
fn files(folder: &Path, observer: &dyn Observer, diagnostics: &mut Vec<Diagnostic>) -> Result<Vec<PathBuf>, Error> {
    let keep_going = keep_going(observer);
    let reason = match folder.metadata() {
        Err(error) => Some(system_reason(&error)),
        Ok(found) => (!found.is_dir()).then(|| "is not a folder".to_owned()),
    };
    if let Some(reason) = reason {
        let message = format!("{}: {reason}", folder.display());
        return Err(Error::new(ErrorCode::BinaryUnreadable, message)
            .path(folder)
            .hint("Name the folder that holds the binaries with {--binary-dir}."));
    }
    let mut files = Vec::new();
    let mut unreadable = Vec::new();
    let walk = WalkDir::new(folder)
        .follow_links(true)
        .max_depth(MAX_DEPTH)
        .sort_by_file_name();
    for (index, entry) in walk.into_iter().enumerate() {
        if index == MAX_ENTRIES {
            return Err(Error::new(
                ErrorCode::Unsupported,
                format!("{} has more than {MAX_ENTRIES} files and folders", folder.display()),
            )
            .path(folder)
            .hint("Name the folder below it that holds the binaries."));
        }
        if !keep_going() {
            return Err(Error::aborted());
        }
        match entry {
            Ok(entry) if entry.file_type().is_file() => files.push(entry.into_path()),
            Ok(_) => {}
            // A link in a circle leads to files that are seen anyway, and a broken link leads to no file.
            Err(error) if error.loop_ancestor().is_some() => {}
            Err(error)
                if error
                    .io_error()
                    .is_some_and(|error| error.kind() == std::io::ErrorKind::NotFound) => {}
            Err(error) => unreadable.push(error.to_string()),
        }
    }
    if let Some(first) = unreadable.first() {
        let message = format!(
            "{} folders cannot be read, so binaries may be missing: {first}",
            unreadable.len()
        );
        diagnostics.push(Diagnostic::warning(DiagnosticCode::FolderUnreadable, message));
    }
    Ok(files)
}

fn is_elf(path: &Path) -> bool {
    let mut magic = [0; 4];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut magic));
    read.is_ok() && &magic == b"\x7fELF"
}

/// Opens a file if it is an ELF file that can be profiled: a program, a library or a kernel. Returns `None`
/// for other files. A debug file is one of these: it has the same build id, and names the sections with code
/// without their content.
fn open_elf(path: &Path) -> Option<Image> {
    let is_file = path.metadata().is_ok_and(|metadata| metadata.is_file());
    let image = (is_file && is_elf(path)).then(|| Image::open(path).ok()).flatten();
    image.filter(|image| image.executable_sections().next().is_some())
}

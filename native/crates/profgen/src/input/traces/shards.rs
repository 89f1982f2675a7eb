//! The files of traces, and what of them is read.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use job::failure::shard_error;
use job::{Error, ErrorCode, system_reason};
use perfdata::{Avma, BuildId, CpuMode, MappedFile, Mapping};
use traceshard::{Binary, BinaryKind, Shard};
use walkdir::WalkDir;

use crate::binaries::target::Targets;
use crate::request::options::GenerateOptions;

/// Folders are not followed deeper than this.
const MAX_DEPTH: usize = 64;

/// How a kernel's addresses are told from others: they count from the symbol of its mapping, which is put here.
pub(crate) const KERNEL_SYMBOL: u64 = 1 << 62;

/// The files that paths name: of folders, all below them whose names end in `.parquet`. Engines begin the names of files that are no
/// data with `.` or `_`.
pub(crate) fn shard_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let is_hidden = |name: &std::ffi::OsStr| matches!(name.as_encoded_bytes().first(), Some(b'.' | b'_'));
        let entries = WalkDir::new(path)
            .max_depth(MAX_DEPTH)
            .follow_links(true)
            .sort_by_file_name();
        let known = files.len();
        for entry in entries
            .into_iter()
            .filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry.file_name()))
        {
            let entry = entry.map_err(|error| {
                let reason = error.io_error().map_or_else(|| error.to_string(), system_reason);
                Error::new(ErrorCode::InputUnreadable, format!("{}: {reason}", path.display()))
                    .path(path)
                    .hint("Check the path and your permission to read it.")
            })?;
            if entry.file_type().is_file() && entry.path().extension().is_some_and(|extension| extension == "parquet") {
                files.push(entry.into_path());
            }
        }
        if files.len() == known {
            return Err(Error::new(
                ErrorCode::InputUnreadable,
                format!("{} has no file whose name ends in .parquet", path.display()),
            )
            .path(path)
            .hint("Name the files that `autofdo-gen collect` wrote, or a folder with them."));
        }
    }
    Ok(files)
}

pub(crate) fn open(path: &Path) -> Result<Shard, Error> {
    Shard::open(path).map_err(|error| shard_error(error, path))
}

/// The mapping that stands for all of a file's: addresses are those of its rows.
pub(crate) fn mapping_of(binary: &Binary) -> Mapping {
    let cpumode = match binary.kind {
        BinaryKind::User => CpuMode::User,
        BinaryKind::Kernel | BinaryKind::Module => CpuMode::Kernel,
    };
    Mapping {
        pid: 0,
        tid: 0,
        start: Avma(0),
        len: 1 << 63,
        pgoff: if binary.kind == BinaryKind::Kernel {
            KERNEL_SYMBOL
        } else {
            0
        },
        executable: true,
        cpumode,
        file: Arc::new(MappedFile {
            name: binary.path.clone(),
            build_id: binary.build_id.as_deref().and_then(build_id),
        }),
    }
}

/// The bytes of a build id; `None` for none, or for what is no build id.
fn build_id(digits: &str) -> Option<BuildId> {
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| {
        let plain = pair.iter().all(u8::is_ascii_hexdigit);
        plain
            .then(|| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok())
            .flatten()
    };
    let bytes: Option<Vec<u8>> = pairs.iter().map(byte).collect();
    BuildId::new(&bytes.filter(|_| rest.is_empty())?)
}

/// Whether rows of a group can be of a target, or of the ledger.
pub(crate) fn may_have(shard: &Shard, group: usize, targets: &Targets<'_>, options: &GenerateOptions) -> bool {
    let Some((lowest, highest)) = shard.build_ids_of(group) else {
        return true;
    };
    options.ignore_build_id
        || targets.iter().any(|target| {
            // A binary without a build id goes by its name.
            let Some(own) = target.image.build_id() else {
                return true;
            };
            // Older perf fills short ids up with zeros.
            let own: String = own.iter().take(20).map(|byte| format!("{byte:02x}")).collect();
            let shortest = own.trim_end_matches('0');
            let longest = format!("{own:0<40}");
            shortest <= highest && lowest <= longest.as_str()
        })
}

/// An error of a file.
pub(crate) fn invalid(path: &Path, message: &str, hint: &str) -> Error {
    Error::new(ErrorCode::InputInvalid, format!("{}: {message}", path.display()))
        .path(path)
        .hint(hint)
}

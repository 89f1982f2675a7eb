//! Finds the files of traces, and the parts of them that are read.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use job::failure::shard_error;
use job::{Error, ErrorCode, system_reason};
use perfdata::{Avma, BuildId, CpuMode, MappedFile, Mapping};
use traceshard::{Binary, BinaryKind, Shard, shown};
use walkdir::WalkDir;

use crate::binaries::target::Targets;
use crate::request::options::GenerateOptions;

/// Greatest depth of folders that are searched.
const MAX_DEPTH: usize = 64;

/// Address of the symbol of a kernel's mapping. A kernel's addresses count from this symbol, so they differ
/// from all other addresses.
pub(crate) const KERNEL_SYMBOL: u64 = 1 << 62;

/// Returns the files that `paths` name. Of a folder, these are all files below it whose names end in
/// `.parquet`. Names that begin with `.` or `_` are left out: engines use them for files that are no data.
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
                let at = error.path().unwrap_or(path);
                let (reason, hint) = match (error.io_error(), error.loop_ancestor()) {
                    (_, Some(ancestor)) => (
                        format!("it is a link to the folder {} that it is in", ancestor.display()),
                        "Remove the link, or name the folders and files that have the traces.",
                    ),
                    (Some(error), None) => (system_reason(error), "Check the path and your permission to read it."),
                    (None, None) => (error.to_string(), "Check the path and your permission to read it."),
                };
                Error::new(ErrorCode::InputUnreadable, format!("{}: {reason}", at.display()))
                    .path(at)
                    .hint(hint)
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

/// Returns the mapping that stands for all mappings of a file. Its addresses are those of the rows.
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

/// Returns the bytes of a build id; `None` if `digits` is empty or no build id.
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

/// Returns true if rows of a group may belong to a target, or to the ledger.
pub(crate) fn may_have(shard: &Shard, group: usize, targets: &Targets<'_>, options: &GenerateOptions) -> bool {
    let Some((lowest, highest)) = shard.build_ids_of(group) else {
        return true;
    };
    options.ignore_build_id
        || targets.iter().any(|target| {
            // A binary without a build id is found by its name.
            let Some(own) = target.image.build_id() else {
                return true;
            };
            // Older perf versions fill short build ids up with zeros.
            let own: String = own.iter().take(20).map(|byte| format!("{byte:02x}")).collect();
            let shortest = own.trim_end_matches('0');
            let longest = format!("{own:0<40}");
            // Rows of other programs may have all bytes of a longer build id.
            shortest <= highest && lowest.get(..longest.len()).unwrap_or(lowest) <= longest.as_str()
        })
}

/// Returns an error about a file.
pub(crate) fn invalid(path: &Path, message: &str, hint: &str) -> Error {
    Error::new(ErrorCode::InputInvalid, format!("{}: {message}", path.display()))
        .path(path)
        .hint(hint)
}

/// Returns an error about a cell.
pub(crate) fn invalid_cell(path: &Path, column: &str, text: &str) -> Error {
    invalid(
        path,
        &format!(
            "the column `{column}` has the value {}, which no version of the schema allows",
            shown(text)
        ),
        "docs/trace-shards.md describes each column.",
    )
}

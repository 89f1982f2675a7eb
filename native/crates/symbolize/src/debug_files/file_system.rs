//! Opens debug files of this machine.

use std::io;
use std::path::{Path, PathBuf};

use elf::{FileData, map_file};

use super::provider::{DebugFileProvider, FileRequest, OpenedFile};
use crate::elf_file::ElfFile;
use crate::error::SymbolizeError;

/// Opens files by their paths.
#[derive(Debug, Clone, Copy, Default)]
pub struct FileSystem;

impl DebugFileProvider for FileSystem {
    fn open(&self, request: FileRequest<'_>) -> io::Result<OpenedFile> {
        match request {
            FileRequest::Path(path) => Ok(OpenedFile {
                path: path.to_owned(),
                data: map_file(path)?,
            }),
            FileRequest::BuildId(_) => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn real_path(&self, path: &Path) -> PathBuf {
        std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
    }
}

/// Returns the build id of an ELF file of any kind. The file may be compressed as a whole.
///
/// # Errors
/// Fails if the file cannot be read as ELF.
pub fn build_id_of(path: &Path) -> Result<Option<Vec<u8>>, SymbolizeError> {
    let data = map_file(path).map_err(|source| SymbolizeError::Read {
        path: path.to_owned(),
        source,
    })?;
    Ok(ElfFile::parse(path, uncompressed(data, path)?)?.build_id)
}

/// Returns the content of a file, which may be compressed as a whole.
pub(super) fn uncompressed(data: FileData, path: &Path) -> Result<FileData, SymbolizeError> {
    let content = elf::decompress_file((*data).as_ref(), path)?;
    Ok(content.map_or(data, |content| std::sync::Arc::new(content) as FileData))
}

//! Opens debug files that a debuginfod client has fetched.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use elf::map_file;

use super::file_system::FileSystem;
use super::provider::{DebugFileProvider, FileRequest, OpenedFile};

/// Opens files from the file system, and after that from the cache of elfutils' debuginfod client, if one is given:
/// a folder that has `<build id>/debuginfo` (debuginfod_find_debuginfo(3)). Remembers the build ids that were
/// requested and are not in the cache, so that a client can fetch the files.
#[derive(Debug, Default)]
pub struct LocalFiles {
    debuginfod_cache: Option<PathBuf>,
    missing: Mutex<BTreeSet<Vec<u8>>>,
}

impl LocalFiles {
    /// Makes a provider with the cache in this folder. The folder need not exist.
    #[must_use]
    pub fn new(debuginfod_cache: Option<PathBuf>) -> Self {
        Self {
            debuginfod_cache,
            missing: Mutex::default(),
        }
    }

    /// Returns the build ids of the files that were requested and are not in the cache. Returns nothing without a
    /// cache.
    #[must_use]
    pub fn missing(&self) -> Vec<Vec<u8>> {
        let missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        missing.iter().cloned().collect()
    }

    fn cached(folder: &Path, id: &[u8]) -> io::Result<OpenedFile> {
        let name: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        if name.is_empty() {
            return Err(io::ErrorKind::NotFound.into());
        }
        let path = folder.join(name).join("debuginfo");
        let data = map_file(&path)?;
        // An empty file says that no server had the file (debuginfod-client-config(7), `cache_miss_s`).
        if (*data).as_ref().is_empty() {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(OpenedFile { path, data })
    }
}

impl DebugFileProvider for LocalFiles {
    fn open(&self, request: FileRequest<'_>) -> io::Result<OpenedFile> {
        let FileRequest::BuildId(id) = request else {
            return FileSystem.open(request);
        };
        let Some(folder) = &self.debuginfod_cache else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let found = Self::cached(folder, id);
        if found.is_err() {
            let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
            missing.insert(id.to_vec());
        }
        found
    }

    fn real_path(&self, path: &Path) -> PathBuf {
        FileSystem.real_path(path)
    }
}

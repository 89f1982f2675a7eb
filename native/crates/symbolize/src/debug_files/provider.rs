//! The interface of those who open debug files.

use std::io;
use std::path::{Path, PathBuf};

use elf::FileData;

/// A request for a debug file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileRequest<'a> {
    /// The file at this path.
    Path(&'a Path),
    /// The debug file with this build id, at any place. This request comes last, and only if the binary cannot do
    /// without the file.
    BuildId(&'a [u8]),
}

/// A file that a provider has opened.
#[derive(Clone)]
pub struct OpenedFile {
    /// Name of the file in messages. Files beside it are looked for in its folder.
    pub path: PathBuf,
    /// Content of the file.
    pub data: FileData,
}

/// Opens debug files: from the file system ([`FileSystem`](super::FileSystem)), from the file system and a cache
/// ([`LocalFiles`](super::LocalFiles)), or from any other place that the caller knows.
pub trait DebugFileProvider: Sync {
    /// Opens the file. The resolver checks that the file belongs to the right build.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if there is no such file; the resolver then requests the next candidate. Any
    /// other error is reported with the name of the file.
    fn open(&self, request: FileRequest<'_>) -> io::Result<OpenedFile>;

    /// Returns the path without symbolic links. Returns the path itself if it has no links, or if there is no such
    /// file.
    fn real_path(&self, path: &Path) -> PathBuf {
        path.to_owned()
    }
}

//! Who opens debug files.

use std::io;
use std::path::{Path, PathBuf};

use elf::FileData;

/// A debug file that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileRequest<'a> {
    /// The file at this path.
    Path(&'a Path),
    /// The debug file of this build id, wherever it is. It is asked for last, and only if the binary cannot do without it.
    BuildId(&'a [u8]),
}

/// A file that a provider opened.
#[derive(Clone)]
pub struct OpenedFile {
    /// Its name in messages, and where the files beside it are looked for.
    pub path: PathBuf,
    /// Its bytes.
    pub data: FileData,
}

/// Opens debug files: from the file system ([`FileSystem`](super::FileSystem)), from a cache as well
/// ([`LocalFiles`](super::LocalFiles)), or from wherever the caller has them.
pub trait DebugFileProvider: Sync {
    /// Opens the file. The resolver checks that it is of the right build.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if there is no such file, and the resolver asks for the next one. What else keeps a file
    /// that is there from being opened is reported with the file's name.
    fn open(&self, asked: FileRequest<'_>) -> io::Result<OpenedFile>;

    /// The path without symbolic links; the path itself where there are no links, or no such file.
    fn real_path(&self, path: &Path) -> PathBuf {
        path.to_owned()
    }
}

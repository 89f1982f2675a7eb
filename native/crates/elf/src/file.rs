//! The bytes of files, mapped into memory.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// The bytes of a file, shared by all that read them: a memory map, or a vector.
pub type FileData = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// Maps a regular file.
///
/// # Errors
/// What the system says; `InvalidInput` if the path names a directory, a device or a pipe, whose opening could wait for ever.
pub fn map_file(path: &Path) -> io::Result<FileData> {
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() {
        let found = if metadata.is_dir() {
            "a directory"
        } else {
            "no regular file"
        };
        return Err(io::Error::new(io::ErrorKind::InvalidInput, found));
    }
    let file = File::open(path)?;
    if metadata.len() == 0 {
        return Ok(Arc::new(Vec::new()));
    }
    // SAFETY: the map is private and read-only, and its slice never outlives it. What mapping cannot rule out is another process
    // that overwrites or truncates the file meanwhile; build tools and package managers replace executables and debug files by
    // renaming, which leaves this map untouched. Nothing relies on two reads of one byte being equal for memory safety: every
    // offset is checked where it is used.
    let map = unsafe { memmap2::Mmap::map(&file)? };
    Ok(Arc::new(map))
}

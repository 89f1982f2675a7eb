//! Maps files into memory.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// The bytes of a file: a memory map or a vector.
pub trait FileBytes: AsRef<[u8]> + Send + Sync {
    /// Gives back the memory of bytes that will hardly be read again. The bytes can still be read afterwards: a
    /// memory map then reads them from the file cache of the system. A vector ignores the call.
    fn release(&self, _range: Range<usize>) {}
}

impl FileBytes for Vec<u8> {}

/// The bytes of a file, shared by all readers.
pub type FileData = Arc<dyn FileBytes>;

struct FileMap(memmap2::Mmap);

impl AsRef<[u8]> for FileMap {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl FileBytes for FileMap {
    #[cfg(target_os = "linux")]
    fn release(&self, range: Range<usize>) {
        if range.start >= range.end || range.end > self.0.len() {
            return;
        }
        // SAFETY: the map is private and nobody writes to it, so the file has the same bytes as the pages that are
        // dropped, and the next reader of these pages gets them from the file. See `map_file` for files that other
        // processes change.
        let dropped = unsafe {
            self.0
                .unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, range.start, range.len())
        };
        // If the system refuses, the memory stays in use, which does no harm.
        let _ = dropped;
    }
}

/// Maps a regular file.
///
/// # Errors
/// Returns the error of the system, or `InvalidInput` if the path names a directory, a device or a pipe. (To open a
/// pipe could block for ever.)
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
    // SAFETY: the map is private and read-only, and its slice never outlives it. The map cannot rule out that
    // another process overwrites or truncates the file meanwhile. Build tools and package managers replace
    // executables and debug files by renaming, which leaves this map untouched. Memory safety never relies on two
    // reads of one byte being equal: every offset is checked where it is used.
    let map = unsafe { memmap2::Mmap::map(&file)? };
    Ok(Arc::new(FileMap(map)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_were_given_back_can_be_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        let content: Vec<u8> = (0..100_000u32).flat_map(u32::to_le_bytes).collect();
        std::fs::write(&path, &content).expect("it can be written");
        let mapped = map_file(&path).expect("it can be mapped");
        for data in [mapped, Arc::new(content.clone())] {
            for range in [
                0..content.len(),
                5000..70_001,
                7..7,
                content.len() - 1..content.len() + 1,
            ] {
                data.release(range);
                assert!((*data).as_ref() == content);
            }
        }
    }
}

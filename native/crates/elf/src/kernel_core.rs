//! The memory of a running kernel, as `perf record --kcore` copies it from /proc/kcore: an ELF core file with the
//! code of the kernel and of its modules at run-time addresses (perf: tools/perf/util/symbol-elf.c, `kcore_copy`).

use std::ops::Range;
use std::path::Path;

use object::elf;
use object::read::elf::{FileHeader as _, ProgramHeader as _};

use crate::file::{FileData, map_file};
use crate::format::{ENDIAN, Elf};
use crate::{ImageError, Svma};

/// A copy of a kernel's memory.
pub struct KernelCore {
    data: FileData,
    /// Ranges of run-time addresses, each with the offset of its bytes in the file.
    segments: Vec<(Range<u64>, usize)>,
}

impl std::fmt::Debug for KernelCore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KernelCore")
            .field("segments", &self.segments)
            .finish_non_exhaustive()
    }
}

impl KernelCore {
    /// Opens a 64-bit little-endian core file.
    ///
    /// # Errors
    /// Fails if the file cannot be read, or is no 64-bit little-endian core file.
    pub fn open(path: &Path) -> Result<Self, ImageError> {
        let data = map_file(path).map_err(|source| ImageError::from_open_error(path, source))?;
        let segments = segments((*data).as_ref()).map_err(|what| ImageError::Malformed {
            path: path.into(),
            what,
        })?;
        Ok(Self { data, segments })
    }

    /// Returns the `len` bytes that were at a run-time address; `None` unless the file has all of them.
    fn bytes(&self, avma: u64, len: usize) -> Option<&[u8]> {
        let (range, start) = self.segments.iter().find(|(range, _)| range.contains(&avma))?;
        let skipped = usize::try_from(avma - range.start).ok()?;
        let size = usize::try_from(range.end - range.start).ok()?;
        (*self.data)
            .as_ref()
            .get(*start..start + size)?
            .get(skipped..)?
            .get(..len)
    }
}

/// Returns all loadable segments whose bytes are in the file.
fn segments(data: &[u8]) -> Result<Vec<(Range<u64>, usize)>, String> {
    let header = Elf::parse(data).map_err(|error| error.to_string())?;
    if !header.is_little_endian() || header.e_type(ENDIAN) != elf::ET_CORE {
        return Err("is not a little-endian core file".to_owned());
    }
    let headers = header
        .program_headers(ENDIAN, data)
        .map_err(|error| error.to_string())?;
    let loaded = headers.iter().filter(|header| header.p_type(ENDIAN) == elf::PT_LOAD);
    let segments = loaded.filter_map(|header| {
        let start = header.p_vaddr(ENDIAN);
        let offset = usize::try_from(header.p_offset(ENDIAN)).ok()?;
        let size = header
            .p_filesz(ENDIAN)
            .min((data.len() as u64).checked_sub(offset as u64)?);
        Some((start..start.checked_add(size)?, offset))
    });
    Ok(segments.collect())
}

/// The bytes of code in memory, for [`Code::with_live_text`](crate::Code::with_live_text).
#[derive(Debug, Clone, Copy)]
pub struct LiveText<'c> {
    /// The copy of the memory.
    pub core: &'c KernelCore,
    /// Number that is added to a run-time address to get the address in the file, modulo 2^64.
    pub delta: u64,
}

impl<'c> LiveText<'c> {
    /// Returns the bytes that were in memory for the section at `svma` with the bytes `in_file`. Returns `None` if
    /// some of the bytes are missing, or if the memory had other code.
    pub(crate) fn section_bytes(&self, svma: Svma, in_file: &[u8]) -> Option<&'c [u8]> {
        let live = self.core.bytes(svma.0.wrapping_sub(self.delta), in_file.len())?;
        // Relocations and patched code make up a third of a section at most. In unrelated code one byte in ten is
        // equal.
        let alike = live
            .iter()
            .zip(in_file)
            .filter(|(live, in_file)| live == in_file)
            .count();
        (alike >= in_file.len() / 2).then_some(live)
    }
}

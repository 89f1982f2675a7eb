//! One ELF image: the facts of its headers, and access to its bytes.

mod relocations;
mod symbol_file;
mod symbols;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::file::{FileData, map_file};
use crate::headers::{self, Headers, LoadSegment, SectionHeader};
use crate::kind::{Arch, ImageKind};
use crate::strings::{string_at, string_is};
use crate::symbol::Symbol;
use crate::{DecodePolicy, FileOffset, ImageError, LayoutProblem, Svma, decompress_file, isa, lay_out};
pub use relocations::Slot;
pub use symbol_file::SymbolFileProblem;

/// Bits of an address inside of a page. llvm-profgen assumes this page size everywhere.
const PAGE_MASK: u64 = 0xfff;

/// Name of the section with the addresses of pseudo probes (LLVM: `MCObjectFileInfo.cpp`).
pub const PSEUDO_PROBE: &str = ".pseudo_probe";
/// Name of the section with the names and checksums of the functions that have pseudo probes.
pub const PSEUDO_PROBE_DESC: &str = ".pseudo_probe_desc";

/// A section and its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section<'i> {
    /// Address, `sh_addr`.
    pub svma: Svma,
    /// Offset of the content in the file, in bytes.
    pub offset: FileOffset,
    /// The content as it is in the file (compressed sections stay compressed); empty for `SHT_NOBITS`.
    pub data: &'i [u8],
}

/// The addresses at which a section is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SectionExtent<'i> {
    /// Name of the section.
    pub name: &'i [u8],
    /// Address of the first byte, `sh_addr`.
    pub start: Svma,
    /// Address after the last byte.
    pub end: Svma,
    /// True if the section is loaded (`SHF_ALLOC`).
    pub is_allocated: bool,
    /// True if the section has instructions (`SHF_EXECINSTR`).
    pub is_executable: bool,
}

/// A section whose bytes are instructions.
#[derive(Debug, Clone, Copy)]
pub struct ExecutableSection<'i> {
    /// Index of the section header, as in [`Symbol::section`].
    pub index: u32,
    /// Name of the section.
    pub name: &'i [u8],
    /// Address, `sh_addr`.
    pub svma: Svma,
    /// The content of the section.
    pub bytes: &'i [u8],
    /// True if the section is disassembled. `.plt` is not.
    pub has_code: bool,
}

impl ExecutableSection<'_> {
    /// Decodes instructions from the offset `start` while the offset is below `end`. Calls `visit` with each
    /// offset, the number of bytes there, and whether they are an instruction. The last instruction may reach
    /// beyond `end`.
    pub fn decode(
        &self,
        arch: Arch,
        policy: DecodePolicy,
        start: usize,
        end: usize,
        mut visit: impl FnMut(usize, u8, bool),
    ) {
        isa::walk(arch, policy, self.bytes, start, end, |offset, step| {
            visit(offset, step.length, step.class.is_some());
        });
    }
}

/// An executable, shared object, kernel or kernel module whose headers have been checked.
pub struct Image {
    path: PathBuf,
    data: FileData,
    headers: Headers,
    layout_problems: Vec<LayoutProblem>,
    symbol_file: Option<Box<SymbolFile>>,
    symbols: OnceLock<Box<[Symbol]>>,
}

/// The debug file that has the symbols of a stripped image.
struct SymbolFile {
    image: Image,
    /// For each section of the debug file, the index of the same section in the stripped image.
    sections: Box<[Option<u32>]>,
}

impl Image {
    /// Opens and maps the ELF file at `path`. The file may be compressed with gzip, xz or zstd.
    pub fn open(path: &Path) -> Result<Self, ImageError> {
        let data = map_file(path).map_err(|source| ImageError::from_open_error(path, source))?;
        Self::from_data(data, path)
    }

    /// Makes an image of `bytes`, the content of an ELF file. `path` serves for messages only.
    pub fn from_bytes(bytes: Vec<u8>, path: &Path) -> Result<Self, ImageError> {
        Self::from_data(Arc::new(bytes), path)
    }

    /// As [`Self::from_bytes`], with bytes that other readers share.
    pub fn from_data(mut data: FileData, path: &Path) -> Result<Self, ImageError> {
        if let Some(content) = decompress_file((*data).as_ref(), path)? {
            data = Arc::new(content);
        }
        let (mut code, mut layout_problems) = (None, Vec::new());
        if headers::is_kernel_module((*data).as_ref()) {
            let laid_out = lay_out((*data).as_ref(), path)?;
            data = Arc::new(laid_out.bytes);
            layout_problems = laid_out.problems;
            code = Some(laid_out.code);
        }
        let headers = headers::read_headers((*data).as_ref(), path, code.as_deref())?;
        Ok(Self {
            path: path.into(),
            data,
            headers,
            layout_problems,
            symbol_file: None,
            symbols: OnceLock::new(),
        })
    }

    /// Returns the path by which the image was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the bytes of the whole file, uncompressed. In a relocatable file, sections and symbols have
    /// addresses (see [`lay_out`](crate::lay_out)).
    pub fn data(&self) -> &[u8] {
        (*self.data).as_ref()
    }

    /// Returns the bytes of [`data`](Self::data) as a shared handle, for readers that keep them.
    pub fn shared_data(&self) -> FileData {
        Arc::clone(&self.data)
    }

    /// Returns the instruction set.
    pub fn arch(&self) -> Arch {
        self.headers.arch
    }

    /// Returns true if the image is for the x32 ABI: x86-64 code with 32-bit pointers in an ELF file of the 32-bit
    /// class.
    pub fn is_x32(&self) -> bool {
        const EI_CLASS: usize = 4;
        const ELFCLASS32: u8 = 1;
        self.headers.arch == Arch::X86_64 && self.data().get(EI_CLASS) == Some(&ELFCLASS32)
    }

    /// Returns the type of ELF file that the image is.
    pub fn kind(&self) -> ImageKind {
        self.headers.kind
    }

    /// Returns the build id that the linker wrote to `.note.gnu.build-id`.
    pub fn build_id(&self) -> Option<&[u8]> {
        self.headers.build_id.clone().and_then(|range| self.data().get(range))
    }

    /// Returns the name by which the kernel knows this module: each `-` is replaced by `_`. Returns `None` if the
    /// image is no module, or does not state its name.
    pub fn module_name(&self) -> Option<&[u8]> {
        if self.kind() != ImageKind::Module {
            return None;
        }
        let info = self.section(".modinfo")?.data;
        let mut entries = info.split(|byte| *byte == 0);
        entries.find_map(|entry| entry.strip_prefix(b"name="))
    }

    /// Returns what may be wrong with the addresses of a relocatable file.
    pub fn layout_problems(&self) -> &[LayoutProblem] {
        &self.layout_problems
    }

    /// Returns all `PT_LOAD` segments in the order of the program headers.
    pub fn load_segments(&self) -> &[LoadSegment] {
        &self.headers.segments
    }

    /// Returns the first executable segment. llvm-profgen takes this segment for "the" text segment.
    pub fn text_segment(&self) -> LoadSegment {
        // The image has such a segment: `read_headers` refuses files without one.
        let text = self.headers.segments.iter().find(|segment| segment.executable);
        text.copied().expect("an image has an executable segment")
    }

    /// Returns the address of the page in which the text segment starts. llvm-profgen calls this the preferred base
    /// address.
    pub fn preferred_base(&self) -> Svma {
        Svma(self.text_segment().svma.0 & !PAGE_MASK)
    }

    /// Returns the page address of the first segment. With `zero_is_unset`, returns the page address of the first
    /// segment that does not lie on page zero, or zero if all segments do. llvm-profgen up to 23 counts this way
    /// (`--use-first-loadable-segment-as-base`); later releases do not.
    pub fn first_loadable_address(&self, zero_is_unset: bool) -> Svma {
        let mut pages = self.headers.segments.iter().map(|segment| segment.svma.0 & !PAGE_MASK);
        Svma(pages.find(|&page| page != 0 || !zero_is_unset).unwrap_or(0))
    }

    /// Returns the address at which the byte at `offset` of the file is loaded. If several segments share the byte,
    /// the executable segment counts.
    pub fn svma_of_file_offset(&self, offset: FileOffset) -> Option<Svma> {
        let holding = |executable: bool| {
            let mut segments = self
                .headers
                .segments
                .iter()
                .filter(move |segment| segment.executable == executable);
            segments.find_map(|segment| segment.svma_of_file_offset(offset))
        };
        holding(true).or_else(|| holding(false))
    }

    /// Returns the bytes that are loaded at `svma` and after it, up to the end of the content that the file has
    /// for that segment. Returns an empty slice if nothing is loaded at `svma`.
    pub fn loaded_bytes(&self, svma: Svma) -> &[u8] {
        let bytes = |segment: &LoadSegment| {
            let inside = svma.0.checked_sub(segment.svma.0)?;
            let rest = segment.file_size.checked_sub(inside)?;
            let start = usize::try_from(segment.offset.0.checked_add(inside)?).ok()?;
            self.data().get(start..start.checked_add(usize::try_from(rest).ok()?)?)
        };
        self.headers.segments.iter().find_map(bytes).unwrap_or_default()
    }

    /// Returns the section named `name`, or the first one if there are several.
    pub fn section(&self, name: &str) -> Option<Section<'_>> {
        self.sections_named(name).next()
    }

    /// Returns all sections named `name`. A relocatable file can have one section of a name for each function.
    pub fn sections_named(&self, name: &str) -> impl Iterator<Item = Section<'_>> {
        let found = self
            .sections()
            .iter()
            .filter(move |section| self.has_name(section, name));
        found.map(|section| Section {
            svma: section.svma,
            offset: FileOffset(section.data.start as u64),
            data: self.bytes_at(&section.data),
        })
    }

    /// Returns true if the image, or the debug file that its symbols were taken from, has pseudo probes.
    pub fn has_pseudo_probes(&self) -> bool {
        [PSEUDO_PROBE, PSEUDO_PROBE_DESC]
            .into_iter()
            .all(|name| self.pseudo_probe_sections(name).next().is_some())
    }

    /// Returns the sections named `name`, which is [`PSEUDO_PROBE`] or [`PSEUDO_PROBE_DESC`]. These sections are
    /// not loaded, so some strip programs (llvm-strip, eu-strip) move them to the debug file.
    pub fn pseudo_probe_sections(&self, name: &str) -> impl Iterator<Item = Section<'_>> {
        let holder = if self.section(name).is_some() {
            self
        } else {
            self.symbol_image()
        };
        holder.sections_named(name)
    }

    /// Returns true if the file has executable sections, but none of them has content. `objcopy --only-keep-debug`
    /// writes such files.
    pub fn is_debug_file(&self) -> bool {
        let executable = || {
            self.sections()
                .iter()
                .filter(|section| section.executable && section.size > 0)
        };
        executable().next().is_some() && executable().all(|section| section.data.is_empty())
    }

    /// Returns the executable sections with content, in the order of the section headers.
    pub fn executable_sections(&self) -> impl Iterator<Item = ExecutableSection<'_>> {
        let sections = (0u32..).zip(self.sections());
        let executable = sections.filter(|(_, section)| section.executable && !section.data.is_empty());
        executable.map(|(index, section)| ExecutableSection {
            index,
            name: self.section_name(index),
            svma: section.svma,
            bytes: self.bytes_at(&section.data),
            has_code: self.has_code(index),
        })
    }

    /// Returns the addresses of each section, in the order of the section headers.
    pub fn section_extents(&self) -> impl Iterator<Item = SectionExtent<'_>> {
        (0u32..).zip(self.sections()).map(|(index, section)| SectionExtent {
            name: self.section_name(index),
            start: section.svma,
            end: section.svma.wrapping_add(section.size),
            is_allocated: section.allocated,
            is_executable: section.executable,
        })
    }

    pub(crate) fn sections(&self) -> &[SectionHeader] {
        &self.headers.sections
    }

    /// Returns the name of the section with this index.
    pub(crate) fn section_name(&self, index: u32) -> &[u8] {
        let names = self.bytes_at(&self.headers.section_strings);
        self.sections()
            .get(index as usize)
            .map_or(b"", |section| string_at(names, section.name))
    }

    fn has_name(&self, section: &SectionHeader, name: &str) -> bool {
        string_is(
            self.bytes_at(&self.headers.section_strings),
            section.name,
            name.as_bytes(),
        )
    }

    fn symbol_image(&self) -> &Self {
        self.symbol_file.as_ref().map_or(self, |file| &file.image)
    }

    /// Returns the bytes of a range that was checked when the headers were read.
    pub(crate) fn bytes_at(&self, range: &Range<usize>) -> &[u8] {
        self.data().get(range.clone()).unwrap_or_default()
    }

    /// Returns true if llvm-profgen disassembles the section with this index: the section is allocated, executable
    /// and not empty, and is not `.plt`. (llvm-profgen never disassembles the stubs of `.plt`, so calls through
    /// them count as calls to the outside.)
    pub(crate) fn has_code(&self, index: u32) -> bool {
        self.sections().get(index as usize).is_some_and(|section| {
            section.allocated && section.executable && !section.data.is_empty() && !self.has_name(section, ".plt")
        })
    }
}

impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Image")
            .field("path", &self.path)
            .field("arch", &self.arch())
            .finish_non_exhaustive()
    }
}

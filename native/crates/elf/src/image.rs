//! One ELF image: what its headers say, and access to its bytes.

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

/// The page size that llvm-profgen assumes everywhere.
const PAGE_MASK: u64 = 0xfff;

/// The section with the places of pseudo probes (LLVM: `MCObjectFileInfo.cpp`).
pub const PSEUDO_PROBE: &str = ".pseudo_probe";
/// The section with the names and checksums of the functions that have probes.
pub const PSEUDO_PROBE_DESC: &str = ".pseudo_probe_desc";

/// A section with its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section<'i> {
    /// `sh_addr`.
    pub svma: Svma,
    /// Where in the file the content begins.
    pub offset: FileOffset,
    /// The content as the file has it (compressed sections stay compressed); empty for `SHT_NOBITS`.
    pub data: &'i [u8],
}

/// Where a section is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SectionExtent<'i> {
    /// Its name.
    pub name: &'i [u8],
    /// `sh_addr`.
    pub start: Svma,
    /// Behind its last byte.
    pub end: Svma,
    /// Whether it is loaded (`SHF_ALLOC`).
    pub is_allocated: bool,
    /// Whether it is executed (`SHF_EXECINSTR`).
    pub is_executable: bool,
}

/// A section whose bytes are instructions.
#[derive(Debug, Clone, Copy)]
pub struct ExecutableSection<'i> {
    /// Its number, as [`Symbol::section`] has it.
    pub index: u32,
    /// Its name.
    pub name: &'i [u8],
    /// `sh_addr`.
    pub svma: Svma,
    /// Its content.
    pub bytes: &'i [u8],
    /// Whether it is disassembled, which `.plt` is not.
    pub has_code: bool,
}

impl ExecutableSection<'_> {
    /// Decodes from the offset `start` on while below `end`: calls `visit` with each offset, the length there, and whether there is an
    /// instruction. The last one may reach beyond `end`.
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

/// An executable, shared object, kernel or kernel module, opened and checked.
pub struct Image {
    path: PathBuf,
    data: FileData,
    headers: Headers,
    layout_problems: Vec<LayoutProblem>,
    symbol_file: Option<Box<SymbolFile>>,
    symbols: OnceLock<Box<[Symbol]>>,
}

/// The debug file of a stripped image.
struct SymbolFile {
    image: Image,
    /// By section of the debug file: which of the stripped image it is.
    sections: Box<[Option<u32>]>,
}

impl Image {
    /// Opens and maps the ELF file at `path`, which may be compressed with gzip, xz or zstd.
    pub fn open(path: &Path) -> Result<Self, ImageError> {
        let data = map_file(path).map_err(|source| ImageError::of_opening(path, source))?;
        Self::from_data(data, path)
    }

    /// Takes `bytes` as the content of the ELF file `path`, which serves for messages only.
    pub fn from_bytes(bytes: Vec<u8>, path: &Path) -> Result<Self, ImageError> {
        Self::from_data(Arc::new(bytes), path)
    }

    /// As [`Self::from_bytes`], with bytes that others have as well.
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

    /// The path the image was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The whole file: uncompressed, and if it is relocatable with addresses for sections and symbols (see
    /// [`lay_out`](crate::lay_out)).
    pub fn data(&self) -> &[u8] {
        (*self.data).as_ref()
    }

    /// The same, to be kept by whoever reads the file beside the image.
    pub fn shared_data(&self) -> FileData {
        Arc::clone(&self.data)
    }

    /// The instruction set.
    pub fn arch(&self) -> Arch {
        self.headers.arch
    }

    /// Whether it is for the x32 ABI: the code of x86-64, with pointers of 32 bits, in an ELF file of 32 bits.
    pub fn is_x32(&self) -> bool {
        const EI_CLASS: usize = 4;
        const ELFCLASS32: u8 = 1;
        self.headers.arch == Arch::X86_64 && self.data().get(EI_CLASS) == Some(&ELFCLASS32)
    }

    /// What sort of ELF file it is.
    pub fn kind(&self) -> ImageKind {
        self.headers.kind
    }

    /// The build id that the linker left in `.note.gnu.build-id`.
    pub fn build_id(&self) -> Option<&[u8]> {
        self.headers.build_id.clone().and_then(|range| self.data().get(range))
    }

    /// The name under which the kernel knows this module: with `_` for each `-`. `None` for what is no module, or does not say.
    pub fn module_name(&self) -> Option<&[u8]> {
        if self.kind() != ImageKind::Module {
            return None;
        }
        let info = self.section(".modinfo")?.data;
        let mut entries = info.split(|byte| *byte == 0);
        entries.find_map(|entry| entry.strip_prefix(b"name="))
    }

    /// What may be wrong with the addresses of a relocatable file.
    pub fn layout_problems(&self) -> &[LayoutProblem] {
        &self.layout_problems
    }

    /// All `PT_LOAD` segments in the order of the program headers.
    pub fn load_segments(&self) -> &[LoadSegment] {
        &self.headers.segments
    }

    /// The first executable segment: what llvm-profgen takes for "the" text segment.
    pub fn text_segment(&self) -> LoadSegment {
        // `read_headers` refuses files without one.
        let text = self.headers.segments.iter().find(|segment| segment.executable);
        text.copied().expect("an image has an executable segment")
    }

    /// The address of the text segment's page: what llvm-profgen calls the preferred base address.
    pub fn preferred_base(&self) -> Svma {
        Svma(self.text_segment().svma.0 & !PAGE_MASK)
    }

    /// The page address of the first segment. `zero_is_unset`: of the first one that does not lie on page zero, or zero when all do;
    /// llvm-profgen has it so up to 23 (`--use-first-loadable-segment-as-base`), and later ones do not.
    pub fn first_loadable_address(&self, zero_is_unset: bool) -> Svma {
        let mut pages = self.headers.segments.iter().map(|segment| segment.svma.0 & !PAGE_MASK);
        Svma(pages.find(|&page| page != 0 || !zero_is_unset).unwrap_or(0))
    }

    /// The address at which the byte at `offset` of the file is loaded. Where segments share bytes of the
    /// file, the executable one counts.
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

    /// What is loaded at `svma` and behind it, up to the end of what the file has of that segment. Empty if nothing is.
    pub fn loaded_bytes(&self, svma: Svma) -> &[u8] {
        let bytes = |segment: &LoadSegment| {
            let inside = svma.0.checked_sub(segment.svma.0)?;
            let rest = segment.file_size.checked_sub(inside)?;
            let start = usize::try_from(segment.offset.0.checked_add(inside)?).ok()?;
            self.data().get(start..start.checked_add(usize::try_from(rest).ok()?)?)
        };
        self.headers.segments.iter().find_map(bytes).unwrap_or_default()
    }

    /// The section named `name`; the first one if there are several.
    pub fn section(&self, name: &str) -> Option<Section<'_>> {
        self.sections_named(name).next()
    }

    /// All sections named `name`: relocatable files have one of a kind for each function.
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

    /// Whether the image carries pseudo probes, or the debug file that its symbols are from does.
    pub fn has_pseudo_probes(&self) -> bool {
        [PSEUDO_PROBE, PSEUDO_PROBE_DESC]
            .into_iter()
            .all(|name| self.pseudo_probe_sections(name).next().is_some())
    }

    /// The sections [`PSEUDO_PROBE`] or [`PSEUDO_PROBE_DESC`]. They are not loaded, so some strip programs (llvm-strip, eu-strip)
    /// move them to the debug file.
    pub fn pseudo_probe_sections(&self, name: &str) -> impl Iterator<Item = Section<'_>> {
        let holder = if self.section(name).is_some() {
            self
        } else {
            self.with_symbols()
        };
        holder.sections_named(name)
    }

    /// Whether the code was taken out of the file, as `objcopy --only-keep-debug` does: it has executable sections, and none has content.
    pub fn is_debug_file(&self) -> bool {
        let executable = || {
            self.sections()
                .iter()
                .filter(|section| section.executable && section.size > 0)
        };
        executable().next().is_some() && executable().all(|section| section.data.is_empty())
    }

    /// The executable sections with content, in the order of the section headers.
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

    /// Where each section is loaded, in the order of the section headers.
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

    /// The name of the section with this index.
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

    fn with_symbols(&self) -> &Self {
        self.symbol_file.as_ref().map_or(self, |file| &file.image)
    }

    /// The bytes of a range that was checked when the headers were read.
    pub(crate) fn bytes_at(&self, range: &Range<usize>) -> &[u8] {
        self.data().get(range.clone()).unwrap_or_default()
    }

    /// Whether llvm-profgen disassembles the section with this index: allocated, executable and not
    /// empty, but never the stubs of `.plt`, so that calls through them count as calls to the outside.
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

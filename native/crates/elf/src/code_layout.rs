//! Cuts the executable sections into chunks; each chunk is decoded as a whole.

use std::ops::Range;

use crate::{Arch, DecodePolicy, Image, ImageError, LiveText, Svma};

/// Largest span of code in bytes. Offsets into the code are 32 bits wide, and `u32::MAX` stands for "none".
const MAX_SPAN: u64 = u32::MAX as u64 - 1;

/// Largest distance in bytes between code and `.plt` for offsets to reach `.plt`, too. Linkers leave less between them.
const NEAR: u64 = 64 << 20;

/// An executable section. Offsets count from the address of the lowest one.
pub(crate) struct TextSection<'i> {
    pub(crate) start: u32,
    pub(crate) bytes: &'i [u8],
}

impl TextSection<'_> {
    pub(crate) fn end(&self) -> u32 {
        // The cast loses no bits: `lay_out_code` refuses sections beyond `MAX_SPAN`.
        self.start + self.bytes.len() as u32
    }
}

/// The offsets of a chunk: code from the address of one symbol up to the address of the next. Decoding starts anew
/// in each chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// The executable sections and the chunks of an image.
pub(crate) struct CodeLayout<'i> {
    pub(crate) base: Svma,
    pub(crate) span: u32,
    /// Executable sections, ascending and disjoint.
    pub(crate) sections: Vec<TextSection<'i>>,
    /// Chunks, ascending and disjoint; each lies inside one section. Bytes before the first symbol of a section lie
    /// in no chunk.
    pub(crate) chunks: Vec<Bounds>,
}

impl<'i> CodeLayout<'i> {
    /// Replaces the bytes of sections by the bytes that were in memory. Returns the number of sections replaced.
    pub(crate) fn use_live_text(&mut self, live: LiveText<'i>) -> usize {
        let mut taken = 0;
        for section in &mut self.sections {
            let svma = self.base.wrapping_add(u64::from(section.start));
            if let Some(bytes) = live.section_bytes(svma, section.bytes) {
                section.bytes = bytes;
                taken += 1;
            }
        }
        taken
    }

    /// Returns the offsets of the `length` bytes at `svma` if all of them are code of one section.
    pub(crate) fn code_range(&self, svma: Svma, length: u8) -> Option<Range<u32>> {
        let start = u32::try_from(svma.0.checked_sub(self.base.0)?).ok()?;
        let end = start.checked_add(u32::from(length)).filter(|&end| start < end)?;
        let section = self.sections.partition_point(|section| section.end() <= start);
        let section = self.sections.get(section)?;
        (section.start <= start && end <= section.end()).then_some(start..end)
    }
}

pub(crate) fn lay_out_code(image: &Image, policy: DecodePolicy) -> Result<CodeLayout<'_>, ImageError> {
    let mut indices: Vec<u32> = (0..image.sections().len() as u32)
        .filter(|&index| image.has_code(index))
        .collect();
    let header = |index: u32| &image.sections()[index as usize];
    indices.sort_by_key(|&index| header(index).svma);

    let lowest = indices.first().map_or(Svma(0), |&index| header(index).svma);
    let stubs = stubs(image).filter(|_| !indices.is_empty());
    let is_near = |distance: Option<u64>| distance.is_some_and(|distance| distance <= NEAR);
    let stubs_before = stubs
        .as_ref()
        .filter(|stubs| is_near(lowest.0.checked_sub(stubs.start)));
    let base = stubs_before.map_or(lowest, |stubs| Svma(stubs.start));
    let mut layout = CodeLayout {
        base,
        span: 0,
        sections: Vec::new(),
        chunks: Vec::new(),
    };
    let symbols = image.symbols();
    // Several sections may share bytes of the file, but together they may not have more code than the file has
    // bytes.
    let mut budget = image.data().len();
    for index in indices {
        let bytes = image.bytes_at(&header(index).data);
        let start = header(index).svma.0 - base.0;
        let end = start.saturating_add(bytes.len() as u64);
        if end > MAX_SPAN {
            return Err(ImageError::CodeSpan {
                path: image.path().into(),
                span: end,
                limit: MAX_SPAN,
            });
        }
        budget = budget.checked_sub(bytes.len()).ok_or_else(|| ImageError::Malformed {
            path: image.path().into(),
            what: "executable sections are larger than the file".into(),
        })?;
        let section = TextSection {
            start: start as u32,
            bytes,
        };
        // No linker makes sections of code overlap. If they do, the section with the lower address counts.
        if section.start < layout.span {
            continue;
        }
        layout.span = section.end();
        let first = symbols.partition_point(|symbol| symbol.section < index);
        let last = symbols.partition_point(|symbol| symbol.section <= index);
        let marks = symbols[first..last].iter().filter_map(|symbol| {
            let offset = u32::try_from(symbol.svma.0.checked_sub(base.0)?).ok()?;
            (section.start..section.end())
                .contains(&offset)
                .then(|| (offset, image.symbol_name(symbol)))
        });
        if image.arch() == Arch::AArch64 && policy.aarch64_extensions {
            cut_outside_data(marks, section.end(), &mut layout.chunks);
        } else {
            cut_at_symbols(marks.map(|(offset, _)| offset), section.end(), &mut layout.chunks);
        }
        layout.sections.push(section);
    }
    let end_of_stubs = stubs.and_then(|stubs| stubs.end.checked_sub(base.0));
    if let Some(end) = end_of_stubs.filter(|end| is_near(end.checked_sub(u64::from(layout.span)))) {
        layout.span = u32::try_from(end)
            .ok()
            .filter(|_| end <= MAX_SPAN)
            .unwrap_or(layout.span);
    }
    Ok(layout)
}

/// Returns the addresses of the stubs in `.plt`, which are not code here. GNU ld places this section between sections of
/// code, and lld after them.
fn stubs(image: &Image) -> Option<Range<u64>> {
    let mut sections = image.executable_sections();
    let section = sections.find(|section| !section.has_code && section.name == b".plt")?;
    let start = section.svma.0;
    Some(start..start.saturating_add(section.bytes.len() as u64))
}

/// Cuts the code at each of the ascending `offsets`, whatever symbol lies there.
fn cut_at_symbols(offsets: impl Iterator<Item = u32>, end: u32, chunks: &mut Vec<Bounds>) {
    let mut open: Option<u32> = None;
    for offset in offsets {
        if let Some(start) = open.filter(|&start| start < offset) {
            chunks.push(Bounds { start, end: offset });
        }
        open = Some(offset);
    }
    chunks.extend(open.map(|start| Bounds { start, end }));
}

/// Cuts the code at each of the ascending `(offset, symbol name)` marks, and leaves out the data between a `$d` and
/// the next `$x` (ELF for the Arm 64-bit Architecture, "Mapping symbols"). If both are at one address, the region
/// of the first is empty; marks at one address are in order of name, so the `$x` counts.
fn cut_outside_data<'n>(marks: impl Iterator<Item = (u32, &'n [u8])>, end: u32, chunks: &mut Vec<Bounds>) {
    let mut open: Option<(u32, bool)> = None;
    let mut in_data = false;
    for (offset, name) in marks {
        if let Some((start, data)) = open.filter(|&(start, _)| start < offset) {
            push_aligned(start, offset, data, chunks);
        }
        match mapping_symbol(name) {
            Some(b'x') => in_data = false,
            Some(b'd') => in_data = true,
            _ => {}
        }
        open = Some((offset, in_data));
    }
    if let Some((start, data)) = open {
        push_aligned(start, end, data, chunks);
    }
}

/// Adds the whole words from `start` to `end` as a chunk, unless they are data.
fn push_aligned(start: u32, end: u32, data: bool, chunks: &mut Vec<Bounds>) {
    let start = start.next_multiple_of(4);
    if !data && start < end {
        chunks.push(Bounds { start, end });
    }
}

/// Returns the kind of a mapping symbol, which is the letter after the `$`: `x` for code, `d` for data. A suffix
/// may follow, as in `$x.7`. Returns `None` for other symbols.
fn mapping_symbol(name: &[u8]) -> Option<u8> {
    match name {
        [b'$', kind, rest @ ..] if rest.first().is_none_or(|&next| next == b'.') => Some(*kind),
        _ => None,
    }
}

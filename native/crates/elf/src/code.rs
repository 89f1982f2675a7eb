//! The code of an image: where instructions start, how long they are and what class they have.

mod agreement;
mod decoded;
mod poke;
mod preambles;
mod start_map;
mod thunk;

use std::ops::Range;
use std::sync::OnceLock;

use crate::code_layout::{Bounds, CodeLayout, TextSection, lay_out_code};
use crate::isa;
use crate::{Arch, DecodePolicy, Image, ImageError, InstructionClass, LiveText, PatchSites, Svma, Symbol};
use decoded::{DecodedChunk, invalid_runs};
pub use poke::TextPoke;
use preambles::Preambles;
use start_map::StartMap;

/// Stands for "no barrier" in the place of an offset. No code lies at this offset.
const NO_BARRIER: u32 = u32::MAX;

/// One instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    /// Address of the first byte.
    pub svma: Svma,
    /// Length in bytes.
    pub length: u8,
    /// Effect on the flow of control.
    pub class: InstructionClass,
}

/// The instructions of one image.
///
/// Code is what llvm-profgen disassembles: the content of each allocated executable section but `.plt`, linearly
/// from each symbol to the next. The code between two symbols is a chunk. A chunk is decoded when a caller first
/// asks about an address inside, on the thread of that caller, and the result is kept.
///
/// With [`DecodePolicy::patched_text`], `Code` knows the instructions that a kernel rewrites. Such an instruction
/// is no barrier if execution may go straight on after its replacement.
pub struct Code<'i> {
    arch: Arch,
    policy: DecodePolicy,
    base: Svma,
    span: u32,
    sections: Vec<TextSection<'i>>,
    chunks: Vec<Bounds>,
    decoded: Box<[OnceLock<DecodedChunk>]>,
    starts: StartMap,
    patch_sites: PatchSites,
    /// Code that a recording saw rewritten; see [`note_pokes`](Self::note_pokes).
    poked: OnceLock<PatchSites>,
    live_sections: usize,
    preambles: Preambles,
}

impl<'i> Code<'i> {
    /// Finds the chunks of code of `image`. Decodes nothing yet.
    pub fn new(image: &'i Image, policy: DecodePolicy) -> Result<Self, ImageError> {
        Self::build(image, policy, None)
    }

    /// As [`new`](Self::new), but takes the bytes from `live` for each section whose bytes in memory are known.
    pub fn with_live_text(image: &'i Image, policy: DecodePolicy, live: LiveText<'i>) -> Result<Self, ImageError> {
        Self::build(image, policy, Some(live))
    }

    fn build(image: &'i Image, policy: DecodePolicy, live: Option<LiveText<'i>>) -> Result<Self, ImageError> {
        let mut layout = lay_out_code(image, policy)?;
        let live_sections = live.map_or(0, |live| layout.use_live_text(live));
        let (patch_sites, preambles) = if policy.patched_text {
            let offset_of = |symbol: &Symbol| layout.code_range(symbol.svma, 1).map(|range| range.start);
            (PatchSites::read(image, &layout), Preambles::find(image, offset_of))
        } else {
            Default::default()
        };
        let CodeLayout {
            base,
            span,
            sections,
            chunks,
        } = layout;
        let decoded = chunks.iter().map(|_| OnceLock::new()).collect();
        Ok(Self {
            arch: image.arch(),
            policy,
            base,
            span,
            sections,
            chunks,
            decoded,
            starts: StartMap::new(span),
            patch_sites,
            poked: OnceLock::new(),
            live_sections,
            preambles,
        })
    }

    /// Returns the number of sections whose bytes were taken from memory, not from the file.
    pub fn live_sections(&self) -> usize {
        self.live_sections
    }

    /// Returns the address of the lowest executable section, `.plt` included. Offsets count from this address.
    pub fn base(&self) -> Svma {
        self.base
    }

    /// Returns the offset at which the highest executable section ends, `.plt` included, in bytes.
    pub fn span(&self) -> u32 {
        self.span
    }

    /// Returns true if the image has no chunk of code. An image without symbols has none.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// Returns true if an instruction starts `offset` bytes after [`base`](Self::base).
    #[inline]
    pub fn is_instruction(&self, offset: u32) -> bool {
        match self.starts.get(offset) {
            Some(known) => known,
            None => self.look_up(offset),
        }
    }

    /// Returns true if an instruction is known to start `offset` bytes after [`base`](Self::base). Decodes nothing,
    /// so the result is false for code that was not decoded yet.
    #[inline]
    pub fn is_known_instruction(&self, offset: u32) -> bool {
        self.starts.get(offset) == Some(true)
    }

    /// Returns true if the byte `offset` bytes after [`base`](Self::base) lies in a chunk of code. `.plt`, and
    /// bytes before the first symbol of a section, lie in no chunk.
    pub fn is_decoded(&self, offset: u32) -> bool {
        self.chunk_at(offset).is_some()
    }

    /// Returns true if the byte at the address `svma` lies in a chunk of code; see
    /// [`is_decoded`](Self::is_decoded).
    pub fn is_decoded_at(&self, svma: Svma) -> bool {
        self.offset_of(svma).is_some_and(|offset| self.is_decoded(offset))
    }

    /// Returns the instructions that start at or after `from` and at or before `through`, in ascending order of
    /// address.
    pub fn instructions(&self, from: Svma, through: Svma) -> Instructions<'_> {
        let bounds = self
            .offset_from(from)
            .zip(self.offset_through(through))
            .filter(|(first, last)| first <= last);
        let Some((first, last)) = bounds else {
            return Instructions {
                code: self,
                chunk: self.chunks.len(),
                decoded: None,
                next: 0,
                last: 0,
            };
        };
        let chunk = self.chunks.partition_point(|chunk| chunk.end <= first);
        let decoded = (chunk < self.chunks.len()).then(|| self.decoded(chunk));
        let next = decoded.map_or(0, |decoded| decoded.starts.partition_point(|&start| start < first));
        Instructions {
            code: self,
            chunk,
            decoded,
            next,
            last,
        }
    }

    /// Returns the last instruction that starts before `svma`.
    pub fn instruction_before(&self, svma: Svma) -> Option<Instruction> {
        let through = self.offset_through(Svma(svma.0.checked_sub(1)?))?;
        let end = self.chunks.partition_point(|chunk| chunk.start <= through);
        (0..end).rev().find_map(|chunk| {
            let (start, shape) = self.decoded(chunk).last_through(through)?;
            Some(Instruction {
                svma: self.svma(start),
                length: shape.length,
                class: shape.class,
            })
        })
    }

    /// Returns the first address between `start` and `end` at which straight-line execution from `start` meets
    /// bytes that are no known instruction. Returns `None` if execution reaches `end`, or a barrier, before such
    /// bytes. The time is proportional to the number of instructions in between.
    pub fn first_unknown_between(&self, start: Svma, end: Svma) -> Option<Svma> {
        let mut next = start;
        for Instruction { svma, length, class } in self.instructions(start, end) {
            if svma != next {
                return Some(next);
            }
            if svma >= end || class.is_barrier() {
                return None;
            }
            next = svma.wrapping_add(u64::from(length));
        }
        (next < end).then_some(next)
    }

    /// Returns the class of the instruction that starts at `svma`; `None` if no instruction starts there.
    pub fn class_at(&self, svma: Svma) -> Option<InstructionClass> {
        let offset = self.offset_of(svma)?;
        let chunk = self.chunk_at(offset)?;
        self.decoded(chunk).at(offset).map(|shape| shape.class)
    }

    /// Returns the code that the tables of the kernel or module say it rewrites.
    pub fn patch_sites(&self) -> &PatchSites {
        &self.patch_sites
    }

    /// Returns true if the instruction at `svma` can be the source of a branch, as it is in the file or as the
    /// kernel patched it.
    pub fn may_transfer_at(&self, svma: Svma) -> bool {
        let is_transfer = self.class_at(svma).is_some_and(InstructionClass::is_transfer);
        is_transfer
            || self
                .offset_of(svma)
                .is_some_and(|offset| self.is_patched(offset..offset + 1))
    }

    /// Returns the offset of the instruction in the file that stands for a branch from `offset`: the instruction
    /// that starts at `offset`, or the patched instruction that has `offset` inside. Returns `None` if there is
    /// neither.
    #[inline]
    pub fn source_at(&self, offset: u32) -> Option<u32> {
        if self.is_instruction(offset) {
            return Some(offset);
        }
        self.patched_instruction_around(offset).map(|(start, _)| start)
    }

    /// Returns true if the instruction at `svma` traps, so that execution never goes on after it: `ud2`, `hlt` and
    /// `int3` on x86; `brk` and `udf` on AArch64.
    #[must_use]
    pub fn is_trap(&self, svma: Svma) -> bool {
        let bytes = self.bytes_of(svma).unwrap_or_default();
        match self.arch {
            Arch::X86_64 | Arch::X86 => matches!(bytes, [0x0f, 0x0b] | [0xf4] | [0xcc]),
            Arch::AArch64 => {
                let word = bytes.first_chunk().map_or(0, |word| u32::from_le_bytes(*word));
                word & 0xffe0_001f == 0xd420_0000 || word >> 16 == 0
            }
        }
    }

    /// Returns the offset of the instruction in the file at which execution went on after a branch to `offset`: the
    /// instruction that starts at `offset`, or the one after the patched instruction that has `offset` inside. (A
    /// kernel can replace a call by a shorter one, which returns into the bytes of the original call. That call
    /// must not be counted again.) For a branch into the [preamble of a function](Self::function_behind) this is
    /// the start of the function. Returns `None` if no instruction is found.
    #[inline]
    pub fn target_at(&self, offset: u32) -> Option<u32> {
        if let Some(function) = self.function_of_preamble(offset) {
            return self.is_instruction(function).then_some(function);
        }
        if self.is_instruction(offset) {
            return Some(offset);
        }
        let (_, end) = self.patched_instruction_around(offset)?;
        self.is_instruction(end).then_some(end)
    }

    /// Returns the offset of the function whose preamble has the byte at `offset`. A kernel puts preambles before
    /// functions: padding that counts the depth of calls, or the check of an indirect call.
    #[inline]
    pub fn function_of_preamble(&self, offset: u32) -> Option<u32> {
        self.preambles.function_of_preamble(offset)
    }

    /// Returns the start and the end of the patched instruction that has `offset` inside.
    #[cold]
    fn patched_instruction_around(&self, offset: u32) -> Option<(u32, u32)> {
        if self.patch_sites.is_empty() {
            return None;
        }
        let (start, end) = self.decoded(self.chunk_at(offset)?).instruction_around(offset)?;
        self.is_patched(start..end).then_some((start, end))
    }

    fn is_patched(&self, range: Range<u32>) -> bool {
        !self.patch_sites.overlapping(range.clone()).is_empty() || !self.pokes_in(range).is_empty()
    }

    /// Returns true if execution can have run straight from `start` to `end`: no call, return or direct jump starts
    /// at or after `start` and before `end`, except where the kernel can have patched the instruction away.
    pub fn is_valid_fall_through(&self, start: Svma, end: Svma) -> bool {
        if start > end {
            return false;
        }
        let Some(first) = self.offset_from(start) else {
            return true;
        };
        let mut next = self.barrier_from(first);
        while let Some(barrier) = next.filter(|barrier| self.svma(*barrier) < end) {
            if !self.pokes_in(barrier..barrier + 1).iter().any(|poke| poke.passable) {
                return false;
            }
            next = self.barrier_from(barrier + 1);
        }
        true
    }

    /// Returns the runs of bytes that do not decode, as the addresses of the first and last byte of each run,
    /// distinct and ascending. Decodes all chunks.
    pub fn invalid_instructions(&self) -> Vec<(Svma, Svma)> {
        let runs = (0..self.chunks.len()).flat_map(|chunk| {
            let section = self.section_of(chunk);
            invalid_runs(section.start, |visit| self.walk(chunk, section, visit))
        });
        let mut runs: Vec<_> = runs.map(|run| (self.svma(run.start), self.svma(run.end - 1))).collect();
        runs.sort_unstable();
        runs.dedup();
        runs
    }

    fn svma(&self, offset: u32) -> Svma {
        self.base.wrapping_add(u64::from(offset))
    }

    /// Returns the offset of an address inside the span; `None` for an address outside.
    fn offset_of(&self, svma: Svma) -> Option<u32> {
        let offset = u32::try_from(svma.0.checked_sub(self.base.0)?).ok()?;
        (offset < self.span).then_some(offset)
    }

    /// Returns the offset of the first byte at or after `svma` inside the span; `None` if `svma` lies after the
    /// span.
    fn offset_from(&self, svma: Svma) -> Option<u32> {
        self.offset_of(svma.max(self.base))
    }

    /// Returns the offset of the last byte at or before `svma` inside the span; `None` if `svma` lies before the
    /// span.
    fn offset_through(&self, svma: Svma) -> Option<u32> {
        let offset = svma.0.checked_sub(self.base.0)?;
        let last = self.span.checked_sub(1)?;
        Some(u32::try_from(offset).unwrap_or(last).min(last))
    }

    fn chunk_at(&self, offset: u32) -> Option<usize> {
        let chunk = self.chunks.partition_point(|chunk| chunk.end <= offset);
        (self.chunks.get(chunk)?.start <= offset).then_some(chunk)
    }

    fn section_of(&self, chunk: usize) -> &TextSection<'i> {
        let start = self.chunks[chunk].start;
        &self.sections[self.sections.partition_point(|section| section.end() <= start)]
    }

    fn walk(&self, chunk: usize, section: &TextSection<'_>, visit: impl FnMut(usize, isa::Step)) {
        let Bounds { start, end } = self.chunks[chunk];
        let position = |offset: u32| (offset - section.start) as usize;
        isa::walk(
            self.arch,
            self.policy,
            section.bytes,
            position(start),
            position(end),
            visit,
        );
    }

    /// Returns the instructions of a chunk. The first call for a chunk decodes the chunk.
    fn decoded(&self, chunk: usize) -> &DecodedChunk {
        self.decoded[chunk].get_or_init(|| {
            let section = self.section_of(chunk);
            let Bounds { start, end } = self.chunks[chunk];
            let patched = self.patch_sites.overlapping(start..end);
            let decoded = DecodedChunk::collect(section.start, patched, |visit| self.walk(chunk, section, visit));
            self.starts.fill(start, end, &decoded.starts);
            decoded
        })
    }

    #[cold]
    fn look_up(&self, offset: u32) -> bool {
        if offset >= self.span {
            return false;
        }
        match self.chunk_at(offset) {
            Some(chunk) => self.decoded(chunk).at(offset).is_some(),
            None => {
                // The byte lies in a section, but before the first symbol of the section or among data. Gaps
                // between sections are not remembered, because the size of the file does not bound theirs.
                let section = self.sections.partition_point(|section| section.end() <= offset);
                if self
                    .sections
                    .get(section)
                    .is_some_and(|section| section.start <= offset)
                {
                    self.starts.fill(offset, offset + 1, &[]);
                }
                false
            }
        }
    }

    /// Returns the offset of the first barrier at or after `offset`.
    ///
    /// The search does not stop where the range of the caller ends, and every chunk on the way remembers the
    /// result. So a file with many chunks and no barriers costs one pass, not one pass for each range.
    fn barrier_from(&self, offset: u32) -> Option<u32> {
        let first = self.chunks.partition_point(|chunk| chunk.end <= offset);
        let mut chunk = first;
        let barrier = loop {
            if chunk == self.chunks.len() {
                break NO_BARRIER;
            }
            let decoded = self.decoded(chunk);
            if let Some(barrier) = decoded.barrier_from(offset) {
                break barrier;
            }
            if let Some(&barrier) = decoded.next_barrier.get() {
                break barrier;
            }
            chunk += 1;
        };
        for passed in first..chunk {
            self.decoded(passed).next_barrier.get_or_init(|| barrier);
        }
        (barrier != NO_BARRIER).then_some(barrier)
    }
}

impl std::fmt::Debug for Code<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Code")
            .field("base", &self.base)
            .field("span", &self.span)
            .finish_non_exhaustive()
    }
}

/// Iterator over the instructions of an address range; see [`Code::instructions`].
#[derive(Debug)]
pub struct Instructions<'c> {
    code: &'c Code<'c>,
    chunk: usize,
    decoded: Option<&'c DecodedChunk>,
    next: usize,
    last: u32,
}

impl Iterator for Instructions<'_> {
    type Item = Instruction;

    fn next(&mut self) -> Option<Instruction> {
        loop {
            if let Some((start, shape)) = self.decoded?.nth(self.next) {
                if start > self.last {
                    self.decoded = None;
                    return None;
                }
                self.next += 1;
                return Some(Instruction {
                    svma: self.code.svma(start),
                    length: shape.length,
                    class: shape.class,
                });
            }
            self.chunk += 1;
            let more = self
                .code
                .chunks
                .get(self.chunk)
                .is_some_and(|chunk| chunk.start <= self.last);
            self.decoded = more.then(|| self.code.decoded(self.chunk));
            self.next = 0;
        }
    }
}

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
use decoded::{Decoded, invalid_runs};
pub use poke::TextPoke;
use preambles::Preambles;
use start_map::StartMap;

/// Stands for "no barrier" among offsets; no code lies so far out.
const NO_BARRIER: u32 = u32::MAX;

/// One instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    /// Where it starts.
    pub svma: Svma,
    /// Its length in bytes.
    pub length: u8,
    /// Its class.
    pub class: InstructionClass,
}

/// The instructions of one image.
///
/// Code is what llvm-profgen disassembles: in each allocated executable section but `.plt`, linearly from
/// each symbol to the next. A chunk between two symbols is decoded when it is first asked about, by
/// whichever thread asks, and kept.
///
/// With [`DecodePolicy::patched_text`], what a kernel rewrites is known: it is no barrier where execution may go straight on.
pub struct Code<'i> {
    arch: Arch,
    policy: DecodePolicy,
    base: Svma,
    span: u32,
    sections: Vec<TextSection<'i>>,
    chunks: Vec<Bounds>,
    decoded: Box<[OnceLock<Decoded>]>,
    starts: StartMap,
    patch_sites: PatchSites,
    /// What was seen to be rewritten; see [`note_pokes`](Self::note_pokes).
    poked: OnceLock<PatchSites>,
    live_sections: usize,
    preambles: Preambles,
}

impl<'i> Code<'i> {
    /// Finds the chunks of code of `image`; decodes nothing yet.
    pub fn new(image: &'i Image, policy: DecodePolicy) -> Result<Self, ImageError> {
        Self::build(image, policy, None)
    }

    /// The same, with the bytes that were in memory in place of the file's where they are known.
    pub fn with_live_text(image: &'i Image, policy: DecodePolicy, live: LiveText<'i>) -> Result<Self, ImageError> {
        Self::build(image, policy, Some(live))
    }

    fn build(image: &'i Image, policy: DecodePolicy, live: Option<LiveText<'i>>) -> Result<Self, ImageError> {
        let mut layout = lay_out_code(image, policy)?;
        let live_sections = live.map_or(0, |live| layout.take(live));
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

    /// How many sections have the bytes that were in memory.
    pub fn live_sections(&self) -> usize {
        self.live_sections
    }

    /// The address of the lowest executable section, from which offsets count.
    pub fn base(&self) -> Svma {
        self.base
    }

    /// The offset at which the highest executable section ends.
    pub fn span(&self) -> u32 {
        self.span
    }

    /// Whether there is no code at all, as in an image without symbols.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// Whether an instruction starts `offset` bytes after [`base`](Self::base).
    #[inline]
    pub fn is_instruction(&self, offset: u32) -> bool {
        match self.starts.get(offset) {
            Some(known) => known,
            None => self.look_up(offset),
        }
    }

    /// Whether the code `offset` bytes after [`base`](Self::base) is decoded at all: not in `.plt`, not before the first symbol
    /// of its section.
    pub fn is_decoded(&self, offset: u32) -> bool {
        self.chunk_at(offset).is_some()
    }

    /// The same of an address.
    pub fn is_decoded_at(&self, svma: Svma) -> bool {
        self.offset_of(svma).is_some_and(|offset| self.is_decoded(offset))
    }

    /// The instructions that start at or after `from` and not after `through`, ascending.
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

    /// The last instruction that starts before `svma`.
    pub fn instruction_before(&self, svma: Svma) -> Option<Instruction> {
        let through = self.offset_through(Svma(svma.0.checked_sub(1)?))?;
        let behind = self.chunks.partition_point(|chunk| chunk.start <= through);
        (0..behind).rev().find_map(|chunk| {
            let (start, shape) = self.decoded(chunk).last_through(through)?;
            Some(Instruction {
                svma: self.svma(start),
                length: shape.length,
                class: shape.class,
            })
        })
    }

    /// Where execution that goes straight from `start` to `end` comes to bytes that no instruction is known for; `None` if it does not, or if
    /// it comes to a barrier before. It takes time for each instruction.
    pub fn unknown_between(&self, start: Svma, end: Svma) -> Option<Svma> {
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

    /// The class of the instruction that starts at `svma`; `None` when none does.
    pub fn class_at(&self, svma: Svma) -> Option<InstructionClass> {
        let offset = self.offset_of(svma)?;
        let chunk = self.chunk_at(offset)?;
        self.decoded(chunk).at(offset).map(|shape| shape.class)
    }

    /// What of the code a kernel rewrites.
    pub fn patch_sites(&self) -> &PatchSites {
        &self.patch_sites
    }

    /// Whether a branch can have come from the instruction at `svma`, as it is in the file or as it was patched.
    pub fn may_transfer_at(&self, svma: Svma) -> bool {
        let is_transfer = self.class_at(svma).is_some_and(InstructionClass::is_transfer);
        is_transfer
            || self
                .offset_of(svma)
                .is_some_and(|offset| self.is_patched(offset..offset + 1))
    }

    /// The instruction of the file that stands for the one that branched from `offset`: the one that starts there, or the one that
    /// was patched there.
    #[inline]
    pub fn source_at(&self, offset: u32) -> Option<u32> {
        if self.is_instruction(offset) {
            return Some(offset);
        }
        self.patched_around(offset).map(|(start, _)| start)
    }

    /// Whether nothing runs behind the instruction at `svma`: `ud2`, `hlt`, `int3`; `brk`, `udf`.
    #[must_use]
    pub fn traps(&self, svma: Svma) -> bool {
        let bytes = self.bytes_of(svma).unwrap_or_default();
        match self.arch {
            Arch::X86_64 | Arch::X86 => matches!(bytes, [0x0f, 0x0b] | [0xf4] | [0xcc]),
            Arch::AArch64 => {
                let word = bytes.first_chunk().map_or(0, |word| u32::from_le_bytes(*word));
                word & 0xffe0_001f == 0xd420_0000 || word >> 16 == 0
            }
        }
    }

    /// The instruction of the file from which execution went on after a branch to `offset`: the one that starts there, or the one
    /// behind what was patched there. So a call that became shorter is not counted again when it returns. A branch into
    /// [what is before a function](Self::function_behind) goes on in the function.
    #[inline]
    pub fn target_at(&self, offset: u32) -> Option<u32> {
        if let Some(function) = self.function_behind(offset) {
            return self.is_instruction(function).then_some(function);
        }
        if self.is_instruction(offset) {
            return Some(offset);
        }
        let (_, end) = self.patched_around(offset)?;
        self.is_instruction(end).then_some(end)
    }

    /// The function that `offset` is before, in code that a kernel puts there for itself: padding that counts the depth of calls, or the
    /// check of an indirect call.
    #[inline]
    pub fn function_behind(&self, offset: u32) -> Option<u32> {
        self.preambles.function_behind(offset)
    }

    /// The patched instruction that has `offset` inside.
    #[cold]
    fn patched_around(&self, offset: u32) -> Option<(u32, u32)> {
        if self.patch_sites.is_empty() {
            return None;
        }
        let (start, end) = self.decoded(self.chunk_at(offset)?).around(offset)?;
        self.is_patched(start..end).then_some((start, end))
    }

    fn is_patched(&self, range: Range<u32>) -> bool {
        !self.patch_sites.touching(range.clone()).is_empty() || !self.pokes_in(range).is_empty()
    }

    /// Whether execution can have run straight from `start` to `end`: no call, return or direct jump lies
    /// at or after `start` and before `end`, but such as the kernel patches away.
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

    /// The runs of bytes that don't decode, as addresses of first and last byte, distinct and ascending.
    /// Decodes everything.
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

    /// The offset of an address inside the span.
    fn offset_of(&self, svma: Svma) -> Option<u32> {
        let offset = u32::try_from(svma.0.checked_sub(self.base.0)?).ok()?;
        (offset < self.span).then_some(offset)
    }

    /// The offset of the first place at or after `svma`; `None` behind the span.
    fn offset_from(&self, svma: Svma) -> Option<u32> {
        self.offset_of(svma.max(self.base))
    }

    /// The offset of the last place at or before `svma`; `None` before the span.
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

    /// The instructions of a chunk, decoded at the first call.
    fn decoded(&self, chunk: usize) -> &Decoded {
        self.decoded[chunk].get_or_init(|| {
            let section = self.section_of(chunk);
            let Bounds { start, end } = self.chunks[chunk];
            let patched = self.patch_sites.touching(start..end);
            let decoded = Decoded::collect(section.start, patched, |visit| self.walk(chunk, section, visit));
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
                // In a section, but before its first symbol or among data. Gaps between sections aren't
                // remembered: their size is not bounded by the file's.
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

    /// The first barrier at or after `offset`.
    ///
    /// It is looked for without regard to where the caller's range ends, and remembered by every chunk
    /// passed on the way: so a file of many chunks without barriers costs one pass, not one for each range.
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
            if let Some(&barrier) = decoded.barrier_behind.get() {
                break barrier;
            }
            chunk += 1;
        };
        for passed in first..chunk {
            self.decoded(passed).barrier_behind.get_or_init(|| barrier);
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
    decoded: Option<&'c Decoded>,
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

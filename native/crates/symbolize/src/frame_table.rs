//! A table from addresses to inline stacks.

use elf::Svma;
use rayon::prelude::*;

use crate::debug_info::DebugInfo;
use crate::error::SymbolizeError;
use crate::names::{NameInterner, Names};
use crate::unit_frames::{UnitFrames, read_unit_frames};
use dwarf::{Piece, Resolver, UnitFault};

/// Number of a frame in a [`FrameTable`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameId(pub u32);

/// Number of a function name in a [`FrameTable`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameId(pub u32);

/// One frame of an inline stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Frame {
    /// Name of the function, inlined or not.
    pub function: NameId,
    /// Number of lines from the declaration of the function, modulo 2^16.
    pub line_offset: u32,
    /// Discriminator as in DWARF.
    pub discriminator: u32,
    /// Frame of the caller at the call site; `None` for the outermost function.
    pub inlined_into: Option<FrameId>,
}

/// The addresses `start..end` whose innermost frame is `frame`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameRange {
    /// First address.
    pub start: Svma,
    /// Address after the last one.
    pub end: Svma,
    /// Innermost frame.
    pub frame: FrameId,
}

/// Inline stacks by address. Equal stacks of one unit have equal ids. The id of a caller's frame is smaller than
/// that of its callee.
#[derive(Debug, Default)]
pub struct FrameTable {
    names: Names,
    frames: Vec<Frame>,
    rows: Vec<FrameRange>,
    faults: Vec<UnitFault>,
}

impl FrameTable {
    /// Reads the frames of the addresses in `ranges_of_interest` (half-open, ascending, disjoint). Reads only the
    /// units that own some of these addresses.
    ///
    /// An address has no row if no function with a name owns it. If an inlined function has no name, the stack ends
    /// before it: the call site in the last function with a name stands for all code that is inlined there.
    ///
    /// `keep_going` is called once for each unit.
    ///
    /// # Errors
    /// [`SymbolizeError::Cancelled`] if `keep_going` returns false.
    pub fn build(
        debug: &DebugInfo,
        ranges_of_interest: &[(Svma, Svma)],
        keep_going: &(dyn Fn() -> bool + Sync),
    ) -> Result<Self, SymbolizeError> {
        let (units, faults) = Self::read_units(debug, ranges_of_interest, keep_going, |_, frames| frames)?;
        Ok(Self {
            faults,
            ..Self::merge(units)
        })
    }

    /// Reads the frames of the addresses in `ranges_of_interest` as [`build`](Self::build) does, but makes a table for
    /// each unit, and passes it to `each` with the addresses that belong to the unit. The tables need much memory, so
    /// each is freed before the thread reads the next unit, unless `each` keeps it. Returns the results of `each` in the
    /// order of the units, and the units that have a fault, ascending.
    ///
    /// # Errors
    /// [`SymbolizeError::Cancelled`] if `keep_going` returns false.
    pub fn by_unit<T: Send>(
        debug: &DebugInfo,
        ranges_of_interest: &[(Svma, Svma)],
        keep_going: &(dyn Fn() -> bool + Sync),
        each: impl Fn(&[Piece], Self) -> T + Sync,
    ) -> Result<(Vec<T>, Vec<UnitFault>), SymbolizeError> {
        Self::read_units(debug, ranges_of_interest, keep_going, |pieces, frames| {
            each(pieces, Self::merge(vec![frames]))
        })
    }

    fn read_units<'a, T: Send>(
        debug: &'a DebugInfo,
        ranges_of_interest: &[(Svma, Svma)],
        keep_going: &(dyn Fn() -> bool + Sync),
        each: impl Fn(&[Piece], UnitFrames<'a>) -> T + Sync,
    ) -> Result<(Vec<T>, Vec<UnitFault>), SymbolizeError> {
        let view = debug.frames();
        let wanted = ranges_of_interest.iter().map(|(low, high)| (low.0, high.0));
        let mut pieces = view.cu_map.intersect(wanted);
        // A stable sort keeps the order of addresses inside of a unit.
        pieces.sort_by_key(|piece| piece.unit);
        let units: Vec<&[Piece]> = pieces.chunk_by(|a, b| a.unit == b.unit).collect();
        let read: Vec<(T, Option<UnitFault>)> = units
            .par_iter()
            .map_init(Resolver::default, |resolver, pieces| {
                if !keep_going() {
                    return Err(SymbolizeError::Cancelled);
                }
                let number = pieces[0].unit;
                let split = view.split.binary_search_by_key(&number, |(unit, _)| *unit);
                let split = split.ok().map(|index| &view.split[index].1);
                let unit = view.main.unit(number);
                let frames = read_unit_frames(resolver, &view, unit, split, pieces);
                view.sections.note_unit_read(unit.end.0 - unit.offset.0);
                if let Some(offset) = unit.line_program {
                    view.sections.note_line_program_read(offset);
                }
                let fault = frames.fault.map(|fault| UnitFault { unit: number, fault });
                Ok((each(pieces, frames), fault))
            })
            .collect::<Result<_, _>>()?;
        let (found, faults): (Vec<T>, Vec<Option<UnitFault>>) = read.into_iter().unzip();
        Ok((found, faults.into_iter().flatten().collect()))
    }

    /// Returns the units that were read and have a fault, ascending.
    #[must_use]
    pub fn faults(&self) -> &[UnitFault] {
        &self.faults
    }

    /// One table of the frames of all units. Each unit's frames are freed when the table has them.
    fn merge(units: Vec<UnitFrames<'_>>) -> Self {
        let mut names = NameInterner::default();
        let mut frames = Vec::with_capacity(units.iter().map(|unit| unit.frames.len()).sum());
        let mut rows = Vec::with_capacity(units.iter().map(|unit| unit.rows.len()).sum());
        for unit in units {
            let name_ids: Vec<NameId> = unit.names.iter().map(|name| NameId(names.intern(name))).collect();
            let first = u32::try_from(frames.len()).expect("each frame takes bytes of DWARF");
            frames.extend(unit.frames.iter().map(|frame| Frame {
                function: name_ids[frame.name as usize],
                line_offset: frame.line_offset,
                discriminator: frame.discriminator,
                inlined_into: frame.caller.map(|caller| FrameId(first + caller)),
            }));
            rows.extend(unit.rows.iter().map(|&(start, end, frame)| FrameRange {
                start: Svma(start),
                end: Svma(end),
                frame: FrameId(first + frame),
            }));
        }
        // A stable sort is used because it is fast if units are runs.
        rows.sort_by_key(|row| row.start);
        rows.dedup_by(|next, last| {
            let goes_on = last.end == next.start && last.frame == next.frame;
            if goes_on {
                last.end = next.end;
            }
            goes_on
        });
        Self {
            names: names.finish(),
            frames,
            rows,
            faults: Vec::new(),
        }
    }

    /// Returns the ranges, ascending and disjoint. Adjacent ranges have different frames.
    #[must_use]
    pub fn rows(&self) -> &[FrameRange] {
        &self.rows
    }

    /// Returns the innermost frame at an address.
    #[must_use]
    pub fn lookup(&self, svma: Svma) -> Option<FrameId> {
        let after = self.rows.partition_point(|row| row.start <= svma);
        let row = self.rows[after.checked_sub(1)?];
        (svma < row.end).then_some(row.frame)
    }

    /// Returns the frame with this id.
    #[must_use]
    pub fn frame(&self, id: FrameId) -> Frame {
        self.frames[id.0 as usize]
    }

    /// Returns the number of frames. All ids are below this number.
    #[must_use]
    pub fn frame_count(&self) -> usize {
        self.frames.len()
    }

    /// Returns the frames of the stack, from this frame outwards.
    pub fn stack(&self, leaf: FrameId) -> impl Iterator<Item = Frame> {
        let mut next = Some(leaf);
        std::iter::from_fn(move || {
            let frame = self.frame(next?);
            next = frame.inlined_into;
            Some(frame)
        })
    }

    /// Returns the name of a function.
    #[must_use]
    pub fn name(&self, id: NameId) -> &[u8] {
        self.names.get(id.0)
    }

    /// Returns the number of names. All ids are below this number.
    #[must_use]
    pub fn name_count(&self) -> usize {
        self.names.len()
    }
}

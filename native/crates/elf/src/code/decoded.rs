//! The instructions of one chunk of code, after decoding.

use std::sync::OnceLock;

use crate::InstructionClass;
use crate::code_layout::Bounds;
use crate::isa::Step;
use crate::patch_sites::Stretch;

/// The instructions of a chunk, as columns.
#[derive(Debug)]
pub(super) struct DecodedChunk {
    /// Offsets at which instructions start, ascending.
    pub(super) starts: Box<[u32]>,
    /// Length and class of each instruction, in the order of `starts`.
    shapes: Box<[Shape]>,
    /// Offsets of the instructions that are barriers. Patched instructions after which execution may go on are
    /// left out.
    barriers: Box<[u32]>,
    /// Offset of the first barrier after this chunk, `u32::MAX` if there is none. It is set by the first search
    /// for this barrier.
    pub(super) next_barrier: OnceLock<u32>,
}

/// Length and class of an instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) length: u8,
    pub(super) class: InstructionClass,
}

impl DecodedChunk {
    /// Collects the instructions that `walk` visits. `walk` counts positions from `section_start`. `patched` are
    /// the rewritten stretches that overlap this chunk.
    pub(super) fn collect(
        section_start: u32,
        patched: &[Stretch],
        walk: impl FnOnce(&mut dyn FnMut(usize, Step)),
    ) -> Self {
        let (mut starts, mut shapes, mut barriers) = (Vec::new(), Vec::new(), Vec::new());
        walk(&mut |position, step| {
            let Some(class) = step.class else { return };
            let offset = section_start + position as u32;
            starts.push(offset);
            shapes.push(Shape {
                length: step.length,
                class,
            });
            if class.is_barrier() {
                barriers.push(offset);
            }
        });
        remove_passable(&mut barriers, patched, &starts);
        Self {
            starts: starts.into(),
            shapes: shapes.into(),
            barriers: barriers.into(),
            next_barrier: OnceLock::new(),
        }
    }

    /// Returns length and class of the instruction that starts at `offset`.
    pub(super) fn at(&self, offset: u32) -> Option<Shape> {
        self.starts.binary_search(&offset).ok().map(|index| self.shapes[index])
    }

    /// Returns the start and end of the instruction that starts before `offset` and ends after it.
    pub(super) fn instruction_around(&self, offset: u32) -> Option<(u32, u32)> {
        let index = self.starts.partition_point(|&start| start < offset).checked_sub(1)?;
        let start = self.starts[index];
        let end = start + u32::from(self.shapes[index].length);
        (offset < end).then_some((start, end))
    }

    /// Returns the offset, length and class of the instruction with the number `index` of this chunk.
    pub(super) fn nth(&self, index: usize) -> Option<(u32, Shape)> {
        Some((*self.starts.get(index)?, self.shapes[index]))
    }

    /// Returns the offset, length and class of the last instruction that starts at or before `offset`.
    pub(super) fn last_through(&self, offset: u32) -> Option<(u32, Shape)> {
        self.nth(self.starts.partition_point(|&start| start <= offset).checked_sub(1)?)
    }

    /// Returns the offset of the first barrier of this chunk at or after `offset`.
    pub(super) fn barrier_from(&self, offset: u32) -> Option<u32> {
        self.barriers
            .get(self.barriers.partition_point(|&barrier| barrier < offset))
            .copied()
    }
}

/// Removes the barriers that the kernel can have patched away at run time. Ignores a stretch that begins inside an
/// instruction of this chunk.
fn remove_passable(barriers: &mut Vec<u32>, patched: &[Stretch], starts: &[u32]) {
    let (Some(&first), false) = (starts.first(), patched.is_empty()) else {
        return;
    };
    let mut rest = patched;
    barriers.retain(|&barrier| {
        while rest.first().is_some_and(|stretch| stretch.end <= barrier) {
            rest = &rest[1..];
        }
        let passable = rest.first().is_some_and(|stretch| {
            let believed = stretch.start < first || starts.binary_search(&stretch.start).is_ok();
            stretch.passable && stretch.start <= barrier && believed
        });
        !passable
    });
}

/// Returns the runs of undecodable bytes that `walk` meets in `bounds`, as offsets of the first and last byte of
/// each run.
pub(super) fn invalid_runs(section_start: u32, walk: impl FnOnce(&mut dyn FnMut(usize, Step))) -> Vec<Bounds> {
    let mut runs: Vec<Bounds> = Vec::new();
    let mut open: Option<Bounds> = None;
    walk(&mut |position, step| {
        let start = section_start + position as u32;
        match (step.class, &mut open) {
            (Some(_), _) => runs.extend(open.take()),
            (None, Some(run)) => run.end = start + u32::from(step.length),
            (None, None) => {
                open = Some(Bounds {
                    start,
                    end: start + u32::from(step.length),
                })
            }
        }
    });
    runs.extend(open);
    runs
}

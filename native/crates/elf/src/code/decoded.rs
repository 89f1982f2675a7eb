//! One chunk of code, decoded.

use std::sync::OnceLock;

use crate::InstructionClass;
use crate::code_layout::Bounds;
use crate::isa::Step;
use crate::patch_sites::Stretch;

/// The instructions of a chunk, as columns.
#[derive(Debug)]
pub(super) struct Decoded {
    /// Where they start, ascending.
    pub(super) starts: Box<[u32]>,
    /// Length and class of each.
    shapes: Box<[Shape]>,
    /// The starts of those that are barriers, which patched ones are not.
    barriers: Box<[u32]>,
    /// The first barrier behind this chunk, `u32::MAX` for none; set once it was looked for.
    pub(super) barrier_behind: OnceLock<u32>,
}

/// Length and class of an instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) length: u8,
    pub(super) class: InstructionClass,
}

impl Decoded {
    /// Collects what `walk` visits, with positions counted from `section_start`. `patched` are the stretches
    /// that have code here.
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
            barrier_behind: OnceLock::new(),
        }
    }

    /// The instruction that starts at `offset`.
    pub(super) fn at(&self, offset: u32) -> Option<Shape> {
        self.starts.binary_search(&offset).ok().map(|index| self.shapes[index])
    }

    /// The instruction that starts before `offset` and ends behind it, by start and end.
    pub(super) fn around(&self, offset: u32) -> Option<(u32, u32)> {
        let index = self.starts.partition_point(|&start| start < offset).checked_sub(1)?;
        let start = self.starts[index];
        let end = start + u32::from(self.shapes[index].length);
        (offset < end).then_some((start, end))
    }

    /// The instruction with this number, and where it starts.
    pub(super) fn nth(&self, index: usize) -> Option<(u32, Shape)> {
        Some((*self.starts.get(index)?, self.shapes[index]))
    }

    /// The last instruction that starts at or before `offset`, and where.
    pub(super) fn last_through(&self, offset: u32) -> Option<(u32, Shape)> {
        self.nth(self.starts.partition_point(|&start| start <= offset).checked_sub(1)?)
    }

    /// The first barrier at or after `offset`.
    pub(super) fn barrier_from(&self, offset: u32) -> Option<u32> {
        self.barriers
            .get(self.barriers.partition_point(|&barrier| barrier < offset))
            .copied()
    }
}

/// Removes the barriers that may be gone at run time. A stretch that begins amid an instruction of this chunk is
/// not believed.
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

/// The runs of undecodable bytes that `walk` meets in `bounds`, as offsets of first and last byte.
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

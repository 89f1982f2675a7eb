//! The newest branches of a stack.

use crate::gather::entry::{NOTHING, Newest};
use crate::gather::files::{FileId, NO_FILE};
use crate::gather::slots::Side;

/// The newest branch of each file in a stack.
#[derive(Default)]
pub(crate) struct Latest {
    /// Newest branches by file, each with the number of its stack.
    by_file: Vec<(u64, Newest)>,
    stack: u64,
}

// These functions are inlined. As calls, they would store in parts a value that is loaded as a whole right
// after, which takes long.
impl Latest {
    /// Forgets the branches of the last stack.
    #[inline]
    pub(crate) fn begin_stack(&mut self) {
        self.stack += 1;
    }

    /// Returns the newest branch of a file.
    #[inline(always)]
    pub(crate) fn of(&self, file: FileId) -> Newest {
        match self.by_file.get(file as usize) {
            Some((stack, newest)) if *stack == self.stack => *newest,
            _ => NOTHING,
        }
    }

    /// Makes a branch the newest branch of a file.
    #[inline(always)]
    pub(crate) fn set(&mut self, file: FileId, newest: Newest) {
        match self.by_file.get_mut(file as usize) {
            Some(known) => *known = (self.stack, newest),
            None => self.add(file, newest),
        }
    }

    #[cold]
    fn add(&mut self, file: FileId, newest: Newest) {
        self.by_file.resize(file as usize, (0, NOTHING));
        self.by_file.push((self.stack, newest));
    }
}

impl Latest {
    /// Makes the branch of a slot the newest branch of its files. Returns false, and changes nothing, if a newer
    /// branch is not the one of the last execution. `next` is as for [`Side::fits`].
    #[inline]
    pub(crate) fn advance(&mut self, from: u64, sides: &[Side; 2], next: u64) -> bool {
        let sides = sides.iter().filter(|side| side.file != NO_FILE);
        let fits = sides.clone().all(|side| side.fits(&self.of(side.file), next));
        if fits {
            sides.for_each(|side| self.set(side.file, side.newest(from)));
        }
        fits
    }

    /// Returns a number that depends on the tails of the newest branches of the files.
    pub(crate) fn seen(&self, sides: &[Side; 2]) -> u32 {
        let [first, second] = sides.map(|side| self.of(side.file).seen.bits());
        first ^ second.rotate_left(16)
    }
}

//! The code before an indirect jump, in which its jump table is searched.

/// Number of instructions before an indirect jump in which its loads and the comparison of its index are searched.
pub(super) const LOOK_BACK: usize = 24;

/// Largest number of entries of a table. A longer table is not trusted.
pub(super) const MAX_ENTRIES: usize = 4096;

/// The instructions before one instruction.
pub(super) struct PrecedingCode<'a, T> {
    /// Reads the instruction with this number.
    pub read: &'a dyn Fn(usize) -> T,
    pub count: usize,
}

impl<T> Clone for PrecedingCode<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for PrecedingCode<'_, T> {}

impl<'a, T> PrecedingCode<'a, T> {
    /// Returns the first `count` of the instructions.
    pub(super) fn up_to(self, count: usize) -> Self {
        Self { count, ..self }
    }

    /// Returns the nearest `limit` instructions with their numbers, last one first.
    pub(super) fn backwards(self, limit: usize) -> impl Iterator<Item = (usize, T)> + use<'a, T> {
        let first = self.count.saturating_sub(limit);
        (first..self.count).rev().map(move |at| (at, (self.read)(at)))
    }
}

//! Finds the end of the run after the next entry of a stack, for each target.
//!
//! A stack is walked from the newest entry to the oldest. A target ignores the entries that have no end in
//! it, as if its file were the only one. So each target has an end of its own: the source of the last entry
//! with an end in this target.

use crate::binaries::code_space::{CodeOffset, NO_END, OUTSIDE};
use crate::binaries::id::BinaryId;
use crate::counting::resolved::Resolved;

/// The ends of runs while one stack is walked.
pub(crate) trait Ends {
    /// Returns the source of the last entry that was used.
    fn latest(&self) -> CodeOffset;

    /// Returns the ends of the run in the target of the entry's source, and in the target of its destination.
    fn of(&self, resolved: &Resolved) -> [CodeOffset; 2];

    /// Returns true if `ends` are the ends of the run after the entry.
    fn are(&self, ends: [CodeOffset; 2], resolved: &Resolved) -> bool;

    /// Takes note of an entry: its source is the end of the next run.
    fn note(&mut self, resolved: &Resolved);
}

/// The end of the run if there is one target.
pub(crate) struct OneEnd(CodeOffset);

impl OneEnd {
    /// Makes the end for the newest entry of a stack, which is not known.
    pub(crate) fn new() -> Self {
        Self(NO_END)
    }
}

impl Ends for OneEnd {
    #[inline]
    fn latest(&self) -> CodeOffset {
        self.0
    }

    #[inline]
    fn of(&self, _: &Resolved) -> [CodeOffset; 2] {
        [self.0; 2]
    }

    #[inline]
    fn are(&self, [_, end]: [CodeOffset; 2], _: &Resolved) -> bool {
        end == self.0
    }

    #[inline]
    fn note(&mut self, resolved: &Resolved) {
        if let Resolved::Used { from, .. } = resolved {
            self.0 = *from;
        }
    }
}

/// The ends of the run if there are several targets.
pub(crate) struct ManyEnds {
    /// For each target, by [`BinaryId::index`]: the number of the last stack with an entry in the target, and
    /// the end in this stack.
    ends: Box<[(u64, CodeOffset)]>,
    stack: u64,
    latest: CodeOffset,
}

impl ManyEnds {
    /// Makes room for the ends of `places` targets.
    pub(crate) fn new(places: usize) -> Self {
        Self {
            ends: vec![(0, NO_END); places].into_boxed_slice(),
            stack: 0,
            latest: NO_END,
        }
    }

    /// Begins another stack.
    pub(crate) fn begin(&mut self) {
        self.stack += 1;
        self.latest = NO_END;
    }

    #[inline]
    fn end(&self, target: BinaryId) -> CodeOffset {
        let (stack, end) = self.ends[target.index()];
        if stack == self.stack { end } else { NO_END }
    }
}

impl Ends for ManyEnds {
    #[inline]
    fn latest(&self) -> CodeOffset {
        self.latest
    }

    #[inline]
    fn of(&self, resolved: &Resolved) -> [CodeOffset; 2] {
        match *resolved {
            Resolved::Used {
                from_target, to_target, ..
            } => [self.end(from_target), self.end(to_target)],
            Resolved::Misplaced(_) | Resolved::Lost(_) => [NO_END; 2],
        }
    }

    #[inline]
    fn are(&self, ends: [CodeOffset; 2], resolved: &Resolved) -> bool {
        self.of(resolved) == ends
    }

    #[inline]
    fn note(&mut self, resolved: &Resolved) {
        if let Resolved::Used {
            from,
            from_target,
            to_target,
            ..
        } = *resolved
        {
            if to_target != from_target {
                self.ends[to_target.index()] = (self.stack, OUTSIDE);
            }
            self.ends[from_target.index()] = (self.stack, from);
            self.latest = from;
        }
    }
}

/// Ends of runs that also note all entries that were used, each with its own ends.
pub(crate) struct Noted<'n, E> {
    ends: E,
    entries: &'n mut Vec<(CodeOffset, CodeOffset)>,
}

impl<'n, E: Ends> Noted<'n, E> {
    pub(crate) fn new(ends: E, entries: &'n mut Vec<(CodeOffset, CodeOffset)>) -> Self {
        Self { ends, entries }
    }

    pub(crate) fn into_inner(self) -> E {
        self.ends
    }
}

impl<E: Ends> Ends for Noted<'_, E> {
    fn latest(&self) -> CodeOffset {
        self.ends.latest()
    }

    fn of(&self, resolved: &Resolved) -> [CodeOffset; 2] {
        self.ends.of(resolved)
    }

    fn are(&self, ends: [CodeOffset; 2], resolved: &Resolved) -> bool {
        self.ends.are(ends, resolved)
    }

    fn note(&mut self, resolved: &Resolved) {
        if let Resolved::Used { from, to, .. } = *resolved {
            self.entries.push((from, to));
        }
        self.ends.note(resolved);
    }
}

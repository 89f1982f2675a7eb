//! Where the run behind the next entry of a stack ends, in each target.
//!
//! A stack is walked from the newest entry to the oldest. Entries with no end in a target are nothing to that target (as if its file were
//! the only one), so each target has an end of its own: the source of the last entry that touched it.

use crate::binaries::code_space::{CodeOffset, NO_END, OUTSIDE};
use crate::binaries::id::BinaryId;
use crate::counting::resolved::Resolved;

/// The ends while one stack is walked.
pub(crate) trait Ends {
    /// The source of the last entry that was used.
    fn latest(&self) -> CodeOffset;

    /// The ends in the targets of the source and of the destination of an entry.
    fn of(&self, resolved: &Resolved) -> [CodeOffset; 2];

    /// True if these are the ends of the entry.
    fn are(&self, ends: [CodeOffset; 2], resolved: &Resolved) -> bool;

    /// Takes note of an entry.
    fn note(&mut self, resolved: &Resolved);
}

/// The end when there is one target.
pub(crate) struct OneEnd(CodeOffset);

impl OneEnd {
    /// For the newest entry.
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

/// The ends when there are several.
pub(crate) struct ManyEnds {
    /// By [`BinaryId::index`]: the stack that it was touched in last, and the end in that.
    ends: Box<[(u64, CodeOffset)]>,
    stack: u64,
    latest: CodeOffset,
}

impl ManyEnds {
    /// With places for all targets.
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

/// Ends, and a note of all entries that were used, by their own ends.
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

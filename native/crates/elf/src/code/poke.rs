//! Code that was seen to be rewritten while it ran.

use std::ops::Range;

use super::Code;
use crate::isa;
use crate::patch_sites::{PatchSites, Stretch};
use crate::{InstructionClass, Svma};

/// The breakpoint that kprobes put in place of an instruction: what follows is not what comes next.
const INT3: u8 = 0xcc;

/// A rewriting of code (PERF_RECORD_TEXT_POKE).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextPoke {
    /// Where the code is.
    pub svma: Svma,
    /// The bytes that were there.
    pub old: Box<[u8]>,
    /// The bytes that are there since.
    pub new: Box<[u8]>,
}

impl Code<'_> {
    /// Takes note of code that was rewritten. Both versions were there for a while, so a run may go on where one of them lets it, and a
    /// branch may have come from there. Only the first call counts.
    pub fn note_pokes<'p>(&self, pokes: impl IntoIterator<Item = &'p TextPoke>) {
        let stretches = pokes.into_iter().filter_map(|poke| self.stretch_of(poke));
        self.poked.get_or_init(|| PatchSites::of(stretches.collect()));
    }

    fn stretch_of(&self, poke: &TextPoke) -> Option<Stretch> {
        let start = self.offset_of(poke.svma).filter(|&start| self.is_instruction(start))?;
        let length = poke.old.len().max(poke.new.len());
        let end = start.saturating_add(u32::try_from(length).ok()?).min(self.span);
        (start < end).then(|| Stretch {
            start,
            end,
            passable: [&poke.old, &poke.new].into_iter().any(|bytes| self.is_passable(bytes)),
        })
    }

    /// Whether these are whole instructions behind which execution goes on.
    fn is_passable(&self, bytes: &[u8]) -> bool {
        let mut passable = !bytes.is_empty() && bytes != [INT3];
        isa::walk(self.arch, self.policy, bytes, 0, bytes.len(), |_, step| {
            passable &= step.class.is_some_and(|class: InstructionClass| !class.is_barrier());
        });
        passable
    }

    /// The poked stretches with a byte in `range`.
    pub(super) fn pokes_in(&self, range: Range<u32>) -> &[Stretch] {
        self.poked.get().map_or(&[], |poked| poked.touching(range))
    }
}

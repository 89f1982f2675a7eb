//! Code that a recording saw rewritten while it ran (PERF_RECORD_TEXT_POKE).

use std::ops::Range;

use super::Code;
use crate::isa;
use crate::patch_sites::{PatchSites, Stretch};
use crate::{InstructionClass, Svma};

/// The breakpoint that kprobes put in place of an instruction. Execution does not go straight on after it.
const INT3: u8 = 0xcc;

/// One rewriting of code (PERF_RECORD_TEXT_POKE).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextPoke {
    /// Address of the first rewritten byte.
    pub svma: Svma,
    /// The bytes before the rewriting.
    pub old: Box<[u8]>,
    /// The bytes after the rewriting.
    pub new: Box<[u8]>,
}

impl Code<'_> {
    /// Notes code that was rewritten. Both versions were in memory for a while. So a straight-line range may go on
    /// after the code if one of the versions allows it, and a branch may have come from the code. Only the first
    /// call has an effect.
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

    /// Returns true if `bytes` are whole instructions after which execution goes straight on.
    fn is_passable(&self, bytes: &[u8]) -> bool {
        let mut passable = !bytes.is_empty() && bytes != [INT3];
        isa::walk(self.arch, self.policy, bytes, 0, bytes.len(), |_, step| {
            passable &= step.class.is_some_and(|class: InstructionClass| !class.is_barrier());
        });
        passable
    }

    /// Returns the rewritten stretches that have a byte in `range`.
    pub(super) fn pokes_in(&self, range: Range<u32>) -> &[Stretch] {
        self.poked.get().map_or(&[], |poked| poked.overlapping(range))
    }
}

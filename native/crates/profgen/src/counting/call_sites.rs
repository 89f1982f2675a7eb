//! Counts the callers of sampled code, from the call chains of samples that have addresses and no branch
//! stacks.

use perfdata::{Avma, CallChain};
use rustc_hash::FxHashMap;

use crate::addresses::locate::{Place, View};
use crate::binaries::code_space::{CodeOffset, CodeSpace, OUTSIDE};
use crate::binaries::id::ByBinary;
use elf::Svma;

/// An address on a call chain (a sampled instruction or a return address), and the return address in the
/// caller of its function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CallSite {
    /// Address of the instruction after the call; `None` if the call was in another file.
    pub returns_to: Option<Svma>,
    pub inside: Svma,
    pub samples: u64,
}

/// Number of times that each call site was on a call chain.
#[derive(Default)]
pub(crate) struct CallSites {
    counts: FxHashMap<(CodeOffset, CodeOffset), u64>,
}

impl CallSites {
    /// Counts the calls of a call chain.
    pub(crate) fn add(&mut self, chain: CallChain<'_>, view: &mut View<'_>) {
        if chain.is_empty() {
            return;
        }
        let mut inside = None;
        for address in chain.addresses() {
            let place = view.locate_target(Avma(address));
            if let Some(inside) = inside {
                self.add_times(place, inside, 1);
            }
            inside = Some(place);
        }
    }

    /// Counts a call that was on `count` call chains. `returns_to` is the place after the call, `inside` a place
    /// in the function that was called.
    pub(crate) fn add_times(&mut self, returns_to: Place, inside: Place, count: u64) {
        let Place::Code(inside, _) = inside else { return };
        let returns_to = match returns_to {
            Place::Code(offset, _) => offset,
            _ => OUTSIDE,
        };
        *self.counts.entry((returns_to, inside)).or_default() += count;
    }

    /// Adds the counts of another worker.
    pub(crate) fn merge(&mut self, other: Self) {
        for (site, samples) in other.counts {
            *self.counts.entry(site).or_default() += samples;
        }
    }

    /// Returns the call sites of each target, in ascending order.
    pub(crate) fn into_sites(self, space: &CodeSpace) -> ByBinary<Vec<CallSite>> {
        let mut sorted: Vec<_> = self.counts.into_iter().collect();
        sorted.sort_unstable();
        let mut found: ByBinary<Vec<CallSite>> = ByBinary::new();
        for ((returns_to, inside), samples) in sorted {
            let owner = space.owner(inside);
            let caller = (returns_to != OUTSIDE).then(|| space.owner(returns_to));
            let caller = caller.filter(|caller| caller.binary == owner.binary);
            found.entry(owner.binary).or_default().push(CallSite {
                returns_to: caller.map(|caller| caller.svma(returns_to)),
                inside: owner.svma(inside),
                samples,
            });
        }
        found
    }
}

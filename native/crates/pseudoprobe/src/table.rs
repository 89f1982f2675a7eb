//! Probes by address.

use std::ops::Range;

use elf::Svma;

use crate::decode::{self, Decoded, Selection};
use crate::error::DecodeError;
use crate::probe::{Guid, InlineNode, NodeId, Probe};

/// The probes of a program, or of some of its functions.
#[derive(Debug, Default)]
pub struct ProbeTable {
    nodes: Vec<InlineNode>,
    /// Ascending by address; at one address in the order of the section.
    probes: Vec<Probe>,
    unplaced: u64,
}

impl ProbeTable {
    /// Decodes the sections named `.pseudo_probe`, of which relocatable files have many. What is not wanted is skipped and takes no
    /// memory.
    ///
    /// # Errors
    /// A section is cut, or holds what no compiler writes.
    pub fn decode<'a>(
        sections: impl IntoIterator<Item = &'a [u8]>,
        selection: &Selection<'_>,
    ) -> Result<Self, DecodeError> {
        let mut decoded = Decoded::default();
        for section in sections {
            decode::decode(section, selection, &mut decoded)?;
        }
        let Decoded {
            nodes,
            mut probes,
            unplaced,
        } = decoded;
        probes.sort_by_key(|probe| probe.address);
        Ok(Self {
            nodes,
            probes,
            unplaced,
        })
    }

    /// The probes of the instruction at `address`.
    #[must_use]
    pub fn at(&self, address: Svma) -> &[Probe] {
        let first = self.lower_bound(address);
        let length = self.probes[first..]
            .iter()
            .take_while(|probe| probe.address == address)
            .count();
        &self.probes[first..first + length]
    }

    /// The probes at `range.start` or later and before `range.end`.
    #[must_use]
    pub fn within(&self, range: Range<Svma>) -> &[Probe] {
        let first = self.lower_bound(range.start);
        let end = self.lower_bound(range.end);
        &self.probes[first..end.max(first)]
    }

    /// The probe of the call at `address`. Where same-named static functions share a start there may be more; the first counts, as in
    /// llvm-profgen.
    #[must_use]
    pub fn call_at(&self, address: Svma) -> Option<&Probe> {
        self.at(address).iter().find(|probe| probe.kind.is_call())
    }

    /// All probes, by address.
    #[must_use]
    pub fn probes(&self) -> &[Probe] {
        &self.probes
    }

    /// A function in its inline context.
    ///
    /// # Panics
    /// When `id` is not of this table.
    #[must_use]
    pub fn node(&self, id: NodeId) -> InlineNode {
        self.nodes[id.index()]
    }

    /// All functions in their inline contexts, callers before what is inlined into them.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = &InlineNode> {
        self.nodes.iter()
    }

    /// How many nodes there are; their indices are below it.
    #[must_use]
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// The functions that `id` is inlined into and where, innermost first.
    #[must_use]
    pub fn callers(&self, id: NodeId) -> Callers<'_> {
        Callers { table: self, next: id }
    }

    /// The function in whose code `id` is.
    #[must_use]
    pub fn top_level(&self, id: NodeId) -> Guid {
        let outermost = self.callers(id).last();
        outermost.map_or(self.node(id).guid, |(caller, _)| caller)
    }

    /// How many probes are left out because the start of their function is not known.
    #[must_use]
    pub fn unplaced(&self) -> u64 {
        self.unplaced
    }

    fn lower_bound(&self, address: Svma) -> usize {
        self.probes.partition_point(|probe| probe.address < address)
    }
}

/// Callers of an inlined function, from the inside out: the caller, and the index of the call's probe in it.
#[derive(Debug, Clone)]
pub struct Callers<'t> {
    table: &'t ProbeTable,
    next: NodeId,
}

impl Iterator for Callers<'_> {
    type Item = (Guid, u32);

    fn next(&mut self) -> Option<Self::Item> {
        let (caller, call_site) = self.table.node(self.next).inlined_at?;
        self.next = caller;
        Some((self.table.node(caller).guid, call_site))
    }
}

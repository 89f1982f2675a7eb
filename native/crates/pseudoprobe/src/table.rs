//! A table of probes by address.

use std::ops::Range;

use elf::Svma;
use rustc_hash::FxHashMap;

use crate::decode::{self, Decoded, Selection};
use crate::error::DecodeError;
use crate::probe::{Guid, InlineNode, NodeId, Probe};

/// The probes of a program, or of some of its functions.
#[derive(Debug, Default)]
pub struct ProbeTable {
    nodes: Vec<InlineNode>,
    /// Probes, ascending by address; at one address in the order of the section.
    probes: Vec<Probe>,
    unplaced: FxHashMap<Guid, u64>,
}

impl ProbeTable {
    /// Decodes the sections named `.pseudo_probe`. A relocatable file can have many. Functions that are not wanted
    /// are skipped and take no memory.
    ///
    /// # Errors
    /// Fails if a section is cut off, or has content that no compiler writes.
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

    /// Returns the probes of the instruction at `address`.
    #[must_use]
    pub fn at(&self, address: Svma) -> &[Probe] {
        let first = self.lower_bound(address);
        let length = self.probes[first..]
            .iter()
            .take_while(|probe| probe.address == address)
            .count();
        &self.probes[first..first + length]
    }

    /// Returns the probes at `range.start` or later and before `range.end`.
    #[must_use]
    pub fn within(&self, range: Range<Svma>) -> &[Probe] {
        let first = self.lower_bound(range.start);
        let end = self.lower_bound(range.end);
        &self.probes[first..end.max(first)]
    }

    /// Returns the probe of the call at `address`. If static functions of one name share a start, there may be
    /// several; the first one counts, as in llvm-profgen.
    #[must_use]
    pub fn call_at(&self, address: Svma) -> Option<&Probe> {
        self.at(address).iter().find(|probe| probe.kind.is_call())
    }

    /// Returns all probes, ascending by address.
    #[must_use]
    pub fn probes(&self) -> &[Probe] {
        &self.probes
    }

    /// Returns the node with this number.
    ///
    /// # Panics
    /// Panics if `id` does not belong to this table.
    #[must_use]
    pub fn node(&self, id: NodeId) -> InlineNode {
        self.nodes[id.index()]
    }

    /// Returns all nodes. Callers come before the functions that are inlined into them.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = &InlineNode> {
        self.nodes.iter()
    }

    /// Returns the functions that are not inlined into another one, in the order of their records, each with its GUID. A function whose code
    /// is in parts has several records.
    pub fn records(&self) -> impl Iterator<Item = (Guid, NodeId)> {
        let all = (0..).map(NodeId).zip(&self.nodes);
        all.filter(|(_, node)| node.inlined_at.is_none())
            .map(|(id, node)| (node.guid, id))
    }

    /// Returns the record of the function whose code has the inlined copy `id`, and the GUID of the function.
    #[must_use]
    pub fn record_of(&self, id: NodeId) -> (NodeId, Guid) {
        let mut record = id;
        while let Some((caller, _)) = self.node(record).inlined_at {
            record = caller;
        }
        (record, self.node(record).guid)
    }

    /// Returns the number of nodes. All indices of nodes are below this number.
    #[must_use]
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// Returns the callers that `id` is inlined into and their call sites, innermost first.
    #[must_use]
    pub fn callers(&self, id: NodeId) -> Callers<'_> {
        Callers { table: self, next: id }
    }

    /// Returns the GUID of the function whose code has the inlined copy `id`.
    #[must_use]
    pub fn top_level(&self, id: NodeId) -> Guid {
        self.record_of(id).1
    }

    /// Returns the number of probes that are left out because the selection does not have the start of their function or part, by the GUID
    /// of its symbol.
    #[must_use]
    pub fn unplaced(&self) -> &FxHashMap<Guid, u64> {
        &self.unplaced
    }

    fn lower_bound(&self, address: Svma) -> usize {
        self.probes.partition_point(|probe| probe.address < address)
    }
}

/// Iterator over the callers of an inlined function, innermost first: the caller, and the index of the call's probe
/// in the caller.
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

//! Sizes of the code of functions, by the functions that they are inlined into. The pre-inliner takes the
//! size that a function has in the most similar context of the profiled program (LLVM:
//! `BinarySizeContextTracker`).

use std::collections::BTreeMap;

use elf::{Code, Svma};
use pseudoprobe::{Guid, NodeId, ProbeTable};
use rustc_hash::{FxHashMap, FxHashSet};
use sampleprof::{LineLocation, Name, call_site_hash};
use symbolize::{FrameId, FrameTable};

/// Sizes of functions, by inline stack.
#[derive(Debug)]
pub(crate) struct CodeSizes {
    /// A tree that has functions below its root, the functions that these are inlined into below them, and so
    /// on.
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    /// Size in bytes; `None` if no code is known to have exactly this inline stack.
    size: Option<u32>,
    /// Nodes of the callers, by [`call_site_hash`].
    callers: BTreeMap<u64, u32>,
}

/// How the places of calls are identified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallSites {
    /// By line and discriminator.
    Lines,
    /// By the pseudo probe in the discriminator.
    Probes,
}

impl CodeSizes {
    pub(crate) fn new() -> Self {
        Self {
            nodes: vec![Node::default()],
        }
    }

    /// Adds the code of `ranges`. `frames` has the lines of this code.
    pub(crate) fn add_code(&mut self, code: &Code<'_>, frames: &FrameTable, ranges: &[(Svma, Svma)], sites: CallSites) {
        let mut guids: FxHashMap<symbolize::NameId, u64> = FxHashMap::default();
        let mut nodes: FxHashMap<FrameId, u32> = FxHashMap::default();
        for &(start, end) in ranges.iter().filter(|(start, end)| start < end) {
            for instruction in code.instructions(start, Svma(end.0 - 1)) {
                let leaf = frames.lookup(instruction.svma);
                let node = leaf.map_or(0, |leaf| {
                    *nodes
                        .entry(leaf)
                        .or_insert_with(|| self.node_of(frames, leaf, sites, &mut guids))
                });
                let size = &mut self.nodes[node as usize].size;
                *size = Some(size.unwrap_or(0).wrapping_add(instruction.length.into()));
            }
        }
    }

    /// Adds the functions that were inlined into `functions` and then optimized away, so that only their
    /// probes are left.
    ///
    /// As in llvm-profgen, the last record of the section with the name of a function counts for this name.
    /// Parts of a coroutine are functions whose names no record has.
    pub(crate) fn add_probes(&mut self, table: &ProbeTable, functions: &FxHashSet<Guid>) {
        let last: FxHashMap<Guid, NodeId> = table.records().collect();
        let is_told = |node: NodeId| {
            let (record, guid) = table.record_of(node);
            functions.contains(&guid) && last.get(&guid) == Some(&record)
        };
        let probed: FxHashSet<NodeId> = table.probes().iter().map(|probe| probe.node).collect();
        for inlined in probed.into_iter().filter(|&node| is_told(node)) {
            let mut node = self.caller(0, table.node(inlined).guid.0, LineLocation::default());
            for (caller, call) in table.callers(inlined) {
                node = self.caller(node, caller.0, LineLocation::new(call, 0));
            }
            self.nodes[node as usize].size.get_or_insert(0);
        }
    }

    /// Returns the size of a function with the callers of `stack`. `stack` has GUIDs from the inside out,
    /// each with the place of the call in its caller.
    pub(crate) fn of(&self, stack: impl Iterator<Item = (u64, LineLocation)>) -> u32 {
        let mut node = &self.nodes[0];
        let mut size = None;
        let mut site = LineLocation::default();
        for (guid, location) in stack {
            let Some(&caller) = node.callers.get(&call_site_hash(guid, site)) else {
                break;
            };
            node = &self.nodes[caller as usize];
            size = node.size.or(size);
            site = location;
        }
        // If no node has callers like these, any other size will do.
        while size.is_none()
            && let Some(&caller) = node.callers.values().next()
        {
            node = &self.nodes[caller as usize];
            size = node.size;
        }
        size.unwrap_or(0)
    }

    fn node_of(
        &mut self,
        frames: &FrameTable,
        leaf: FrameId,
        sites: CallSites,
        guids: &mut FxHashMap<symbolize::NameId, u64>,
    ) -> u32 {
        let mut node = 0;
        for (depth, frame) in frames.stack(leaf).enumerate() {
            let name = frames.name(frame.function);
            let guid = *guids.entry(frame.function).or_insert_with(|| Name::Text(name).guid());
            let location = match sites {
                _ if depth == 0 => LineLocation::default(),
                CallSites::Lines => LineLocation::new(frame.line_offset, frame.discriminator),
                CallSites::Probes => LineLocation::new(probe_index(frame.discriminator), 0),
            };
            node = self.caller(node, guid, location);
        }
        node
    }

    fn caller(&mut self, node: u32, guid: u64, location: LineLocation) -> u32 {
        let new = u32::try_from(self.nodes.len()).expect("fewer than 2^32 inline stacks");
        let callers = &mut self.nodes[node as usize].callers;
        let caller = *callers.entry(call_site_hash(guid, location)).or_insert(new);
        if caller == new {
            self.nodes.push(Node::default());
        }
        caller
    }
}

/// Returns the index of the probe in a discriminator (LLVM:
/// `PseudoProbeDwarfDiscriminator::extractProbeIndex`).
fn probe_index(discriminator: u32) -> u32 {
    const HAS_DWARF_BASE: u32 = 1 << 28;
    let mask = if discriminator & HAS_DWARF_BASE != 0 {
        0x1fff
    } else {
        0xffff
    };
    (discriminator >> 3) & mask
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(stacks: &[(&[(u64, u32)], u32)]) -> CodeSizes {
        let mut sizes = CodeSizes::new();
        for (stack, bytes) in stacks {
            let mut node = 0;
            for &(guid, line) in *stack {
                node = sizes.caller(node, guid, LineLocation::new(line, 0));
            }
            sizes.nodes[node as usize].size = Some(*bytes);
        }
        sizes
    }

    fn size_of(sizes: &CodeSizes, stack: &[(u64, u32)]) -> u32 {
        sizes.of(stack.iter().map(|&(guid, line)| (guid, LineLocation::new(line, 0))))
    }

    #[test]
    fn the_most_similar_context_counts() {
        let sizes = sizes(&[
            (&[(7, 0)], 100),
            (&[(7, 0), (8, 3)], 20),
            (&[(7, 0), (8, 3), (9, 1)], 10),
            (&[(6, 0), (8, 5)], 4),
        ]);
        assert_eq!(size_of(&sizes, &[(7, 0)]), 100);
        // Function 7 is called in line 3 of function 8, which has no caller, or in line 1 or 2 of function 9.
        assert_eq!(size_of(&sizes, &[(7, 3), (8, 0)]), 20);
        assert_eq!(size_of(&sizes, &[(7, 3), (8, 1), (9, 0)]), 10);
        assert_eq!(size_of(&sizes, &[(7, 3), (8, 2), (9, 0)]), 20);
        assert_eq!(size_of(&sizes, &[(7, 4), (8, 1)]), 100);
        // The size of function 6 is known only where it is inlined.
        assert_eq!(size_of(&sizes, &[(6, 4), (8, 1)]), 4);
        assert_eq!(
            size_of(&sizes, &[(5, 0)]),
            4,
            "nothing is known: LLVM takes what its table has first"
        );
    }
}

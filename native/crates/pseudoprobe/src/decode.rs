//! Decodes `.pseudo_probe`: a record for each function, with the tree of its inlined functions (LLVM:
//! `MCPseudoProbe.h`).

use elf::Svma;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::cursor::Cursor;
use crate::error::{DecodeError, Problem};
use crate::probe::{Guid, InlineNode, NodeId, Probe, ProbeKind};

const SECTION: &str = ".pseudo_probe";

/// Largest depth of nested inlining. Compilers stop long before: depths above 50 are rare.
pub const MAX_INLINE_DEPTH: usize = 1024;

/// Flag in the byte after the index of a probe: the address is a delta. The other bits are four bits of kind and
/// three bits of attributes.
const ADDRESS_DELTA: u8 = 0x80;
const SENTINEL: u8 = 2;
const HAS_DISCRIMINATOR: u8 = 4;

/// The records that are wanted, and the start addresses of their functions.
#[derive(Debug, Clone, Copy)]
pub struct Selection<'a> {
    /// Address of the first instruction of functions and of parts of functions, by the GUID of their symbol.
    pub starts: &'a FxHashMap<Guid, Svma>,
    /// The functions whose records are kept, with all functions that are inlined into them. `None` stands for all
    /// functions.
    pub functions: Option<&'a FxHashSet<Guid>>,
    /// The treatment of a wanted function whose start is not known.
    pub unknown_start: UnknownStart,
}

/// The treatment of a function whose start is not known because its symbol was stripped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownStart {
    /// The probes have no address, so they are left out.
    Skip,
    /// The addresses of the probes count from the end of the record before, as in llvm-profgen.
    FollowPrevious,
}

/// The nodes and probes of the records, in the order of the section.
#[derive(Debug, Default)]
pub(crate) struct Decoded {
    pub nodes: Vec<InlineNode>,
    pub probes: Vec<Probe>,
    /// Number of probes of wanted functions whose address is not known, by the GUID of the function or part whose start is not known.
    pub unplaced: FxHashMap<Guid, u64>,
}

/// Appends the nodes and probes of one section to `decoded`.
pub(crate) fn decode(section: &[u8], selection: &Selection<'_>, decoded: &mut Decoded) -> Result<(), DecodeError> {
    let mut decoder = Decoder {
        cursor: Cursor::new(section),
        selection,
        decoded,
        previous: Some(0),
        part: Guid(0),
        has_absolute_addresses: false,
    };
    while !decoder.cursor.is_at_end() {
        decoder.tree().map_err(|problem| DecodeError {
            section: SECTION,
            offset: decoder.cursor.position(),
            problem,
        })?;
    }
    Ok(())
}

struct Decoder<'a> {
    cursor: Cursor<'a>,
    selection: &'a Selection<'a>,
    decoded: &'a mut Decoded,
    /// Address from which the next delta counts.
    previous: Option<u64>,
    /// The function, or the part of one, whose start deltas count from.
    part: Guid,
    /// True if the section has the old form (before LLVM 16), in which the first probe has an address and no start
    /// is needed.
    has_absolute_addresses: bool,
}

/// A record whose inlined functions have not all been read.
struct Open {
    /// Number of the node; `None` if the record is not wanted.
    node: Option<NodeId>,
    inlinees: u32,
}

impl Decoder<'_> {
    /// Reads one top-level function and all functions that are inlined into it.
    fn tree(&mut self) -> Result<(), Problem> {
        let mut open = vec![self.top_level()?];
        while let Some(caller) = open.last_mut() {
            let Some(left) = caller.inlinees.checked_sub(1) else {
                open.pop();
                continue;
            };
            caller.inlinees = left;
            let node = caller.node;
            if open.len() > MAX_INLINE_DEPTH {
                return Err(Problem::TooDeep);
            }
            let call_site = self.cursor.number32()?;
            let guid = Guid(self.cursor.fixed64()?);
            let node = match node {
                Some(caller) => Some(self.node(guid, Some((caller, call_site)))?),
                None => None,
            };
            open.push(self.body(node)?);
        }
        Ok(())
    }

    fn top_level(&mut self) -> Result<Open, Problem> {
        let guid = Guid(self.cursor.fixed64()?);
        self.part = guid;
        let wanted = self
            .selection
            .functions
            .is_none_or(|functions| functions.contains(&guid));
        let node = if wanted { Some(self.node(guid, None)?) } else { None };
        if !self.has_absolute_addresses {
            let start = self.selection.starts.get(&guid).map(|start| start.0);
            match self.selection.unknown_start {
                UnknownStart::Skip => self.previous = start,
                UnknownStart::FollowPrevious if wanted => self.previous = start.or(self.previous),
                UnknownStart::FollowPrevious => {}
            }
        }
        self.body(node)
    }

    /// Reads the body of a record after its GUID: two counts, then the probes.
    fn body(&mut self, node: Option<NodeId>) -> Result<Open, Problem> {
        let probes = self.cursor.number32()?;
        let inlinees = self.cursor.number32()?;
        for _ in 0..probes {
            self.probe(node)?;
        }
        Ok(Open { node, inlinees })
    }

    fn probe(&mut self, node: Option<NodeId>) -> Result<(), Problem> {
        let index = self.cursor.number32()?;
        let packed = self.cursor.byte()?;
        let attributes = (packed & !ADDRESS_DELTA) >> 4;
        let is_sentinel = attributes & SENTINEL != 0;
        let address = if packed & ADDRESS_DELTA != 0 {
            let delta = self.cursor.signed()?;
            self.previous.map(|previous| previous.wrapping_add_signed(delta))
        } else {
            let value = self.cursor.fixed64()?;
            if is_sentinel {
                self.part = Guid(value);
                self.sentinel(self.part)
            } else {
                self.has_absolute_addresses = true;
                Some(value)
            }
        };
        let discriminator = if attributes & HAS_DISCRIMINATOR != 0 {
            self.cursor.number32()?
        } else {
            0
        };
        self.previous = address;
        let Some(node) = node.filter(|_| !is_sentinel) else {
            return Ok(());
        };
        match address {
            Some(address) => self.decoded.probes.push(Probe {
                address: Svma(address),
                index,
                discriminator,
                node,
                kind: ProbeKind::new(packed & 0xf),
                attributes,
            }),
            None => *self.decoded.unplaced.entry(self.part).or_default() += 1,
        }
        Ok(())
    }

    /// Returns the start of a part of a function that has a symbol of its own, such as the cold part (LLVM:
    /// "sentinel probe").
    fn sentinel(&self, part: Guid) -> Option<u64> {
        match (self.selection.starts.get(&part), self.selection.unknown_start) {
            (Some(start), _) => Some(start.0),
            (None, UnknownStart::Skip) => None,
            (None, UnknownStart::FollowPrevious) => Some(part.0),
        }
    }

    fn node(&mut self, guid: Guid, inlined_at: Option<(NodeId, u32)>) -> Result<NodeId, Problem> {
        let nodes = &mut self.decoded.nodes;
        let id = u32::try_from(nodes.len()).map_err(|_| Problem::TooMany)?;
        nodes.push(InlineNode { guid, inlined_at });
        Ok(NodeId(id))
    }
}

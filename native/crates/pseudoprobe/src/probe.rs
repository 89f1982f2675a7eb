//! The nodes and probes of the decoded sections.

use elf::Svma;

/// Identifies a function: the first eight bytes of the MD5 of its linkage name, read as a little-endian number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Guid(pub u64);

impl Guid {
    /// Returns the GUID of the function that has this name in the source. Sample profiles use the same name.
    #[must_use]
    pub fn of(name: &[u8]) -> Self {
        Self(sampleprof::Name::Text(name).guid())
    }
}

/// Number of an [`InlineNode`] in its [`ProbeTable`](crate::ProbeTable).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(crate) u32);

impl NodeId {
    /// Returns the number as an index into columns that are kept beside the table.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A function that has code of its own, or an inlined copy of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InlineNode {
    /// GUID of the function.
    pub guid: Guid,
    /// The node that this copy is inlined into, and the index of the call's probe there; 0 if the call lost its
    /// probe. `None` for a function with code of its own.
    pub inlined_at: Option<(NodeId, u32)>,
}

/// The kind of place that a probe marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProbeKind {
    /// A basic block.
    Block,
    /// An indirect call.
    IndirectCall,
    /// A direct call.
    DirectCall,
    /// A kind that LLVM 22 does not define.
    Other(u8),
}

impl ProbeKind {
    /// Decodes the low four bits of the byte after the index (LLVM: `PseudoProbeType`).
    pub(crate) fn new(bits: u8) -> Self {
        match bits {
            0 => Self::Block,
            1 => Self::IndirectCall,
            2 => Self::DirectCall,
            other => Self::Other(other),
        }
    }

    /// Returns true if the probe marks a call.
    #[must_use]
    pub fn is_call(self) -> bool {
        matches!(self, Self::IndirectCall | Self::DirectCall)
    }
}

/// A probe at an instruction. Duplicated code has its probes several times; removed code has no probes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// Address of the instruction after the probe; for a call, the address of the call instruction.
    pub address: Svma,
    /// Number of the probe in its function, from 1.
    pub index: u32,
    /// Number that distinguishes copies of one probe (flow-sensitive AutoFDO), otherwise 0.
    pub discriminator: u32,
    /// Node of the function that the probe belongs to, in its inline context.
    pub node: NodeId,
    /// The kind of place that the probe marks.
    pub kind: ProbeKind,
    /// Three bits of attributes (LLVM: `PseudoProbeAttributes`): 1 reserved, 2 sentinel, 4 has a discriminator.
    pub attributes: u8,
}

impl Probe {
    /// Returns true if this is the probe of the entry block of its function.
    #[must_use]
    pub fn is_entry(&self) -> bool {
        self.index == 1
    }
}

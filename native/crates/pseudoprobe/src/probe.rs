//! What the decoded sections consist of.

use elf::Svma;

/// Identifies a function: the first eight bytes, read as little endian, of its linkage name's MD5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Guid(pub u64);

impl Guid {
    /// The number of the function that has this name in the source, which is what sample profiles call it, too.
    #[must_use]
    pub fn of(name: &[u8]) -> Self {
        Self(sampleprof::Name::Text(name).guid())
    }
}

/// Number of an [`InlineNode`] in its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(crate) u32);

impl NodeId {
    /// The number as an index into columns kept beside the table.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A function that has code of its own, or a copy of one that is inlined somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InlineNode {
    /// The function.
    pub guid: Guid,
    /// What it is inlined into, and the index of the call's probe there. 0: the call lost its probe.
    pub inlined_at: Option<(NodeId, u32)>,
}

/// What a probe marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProbeKind {
    /// A basic block.
    Block,
    /// A call through a pointer.
    IndirectCall,
    /// A call of a known function.
    DirectCall,
    /// Something that LLVM 22 does not know.
    Other(u8),
}

impl ProbeKind {
    /// The low four bits of the byte behind the index (LLVM: `PseudoProbeType`).
    pub(crate) fn new(bits: u8) -> Self {
        match bits {
            0 => Self::Block,
            1 => Self::IndirectCall,
            2 => Self::DirectCall,
            other => Self::Other(other),
        }
    }

    /// Whether it marks a call.
    #[must_use]
    pub fn is_call(self) -> bool {
        matches!(self, Self::IndirectCall | Self::DirectCall)
    }
}

/// A probe at an instruction. Code that was duplicated has its probes more than once, removed code has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// The instruction before which it stands; for a call, the call itself.
    pub address: Svma,
    /// Its number in the function, from 1.
    pub index: u32,
    /// Tells copies of one probe apart (flow-sensitive AutoFDO), else 0.
    pub discriminator: u32,
    /// The function it belongs to, in its inline context.
    pub node: NodeId,
    /// What it marks.
    pub kind: ProbeKind,
    /// Three bits (LLVM: `PseudoProbeAttributes`): 1 reserved, 2 sentinel, 4 has a discriminator.
    pub attributes: u8,
}

impl Probe {
    /// Whether it is the probe of the function's entry block.
    #[must_use]
    pub fn is_entry(&self) -> bool {
        self.index == 1
    }
}

//! Records of sampled operations.

use crate::packet::{Address, Packet};

/// Bits of an events packet.
mod event {
    pub(super) const RETIRED: u64 = 1 << 1;
    pub(super) const NOT_TAKEN: u64 = 1 << 6;
    pub(super) const MISPREDICTED: u64 = 1 << 7;
}

/// The class of branches and of returns from exceptions.
const BRANCH: u8 = 2;

/// What the CPU says about one sampled operation. What it left out is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Record {
    /// Where the instruction is.
    pub pc: Option<Address>,
    /// Where the branch went; of one that was not taken, the next instruction.
    pub target: Option<Address>,
    /// Where the last taken branch before it went. Execution went straight from there to `pc`.
    pub previous_target: Option<Address>,
    /// What happened, a bit an event.
    pub events: Option<u64>,
    /// The number of the thread.
    pub context: Option<u32>,
    /// The generic timer.
    pub timestamp: Option<u64>,
    /// Class and kind of the operation.
    pub operation: Option<(u8, u8)>,
}

impl Record {
    /// Takes in a packet. True if the record ends with it.
    pub(crate) fn take(&mut self, packet: Packet) -> bool {
        match packet {
            Packet::End => return true,
            Packet::Timestamp(value) => {
                self.timestamp = Some(value);
                return true;
            }
            Packet::Pc(address) => self.pc = Some(address),
            Packet::Target(address) => self.target = Some(address),
            Packet::PreviousTarget(address) => self.previous_target = Some(address),
            Packet::Events(bits) => self.events = Some(bits),
            Packet::Context(id) => self.context = Some(id),
            Packet::Operation { class, kind } => self.operation = Some((class, kind)),
            Packet::Padding | Packet::Irrelevant | Packet::Unknown => {}
        }
        false
    }

    /// The operation was a branch, or a return from an exception.
    #[must_use]
    pub fn is_branch(&self) -> bool {
        self.operation.is_some_and(|(class, _)| class == BRANCH)
    }

    /// The operation was really executed, and not only on a path that was predicted wrongly. True also if the record does not say.
    #[must_use]
    pub fn is_retired(&self) -> bool {
        self.events.is_none_or(|bits| bits & event::RETIRED != 0)
    }

    /// The branch was conditional, and execution went on behind it.
    #[must_use]
    pub fn is_not_taken(&self) -> bool {
        self.has(event::NOT_TAKEN)
    }

    /// The CPU predicted the branch wrongly.
    #[must_use]
    pub fn is_mispredicted(&self) -> bool {
        self.has(event::MISPREDICTED)
    }

    fn has(&self, bit: u64) -> bool {
        self.events.is_some_and(|bits| bits & bit != 0)
    }
}

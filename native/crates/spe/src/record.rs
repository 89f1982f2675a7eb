//! Records of sampled operations.

use crate::packet::{Address, Packet};

/// Bits of an events packet.
mod event {
    pub(super) const RETIRED: u64 = 1 << 1;
    pub(super) const NOT_TAKEN: u64 = 1 << 6;
    pub(super) const MISPREDICTED: u64 = 1 << 7;
}

/// Class of branches and of returns from exceptions.
const BRANCH: u8 = 2;

/// The facts that the CPU recorded about one sampled operation. A fact that it did not record is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Record {
    /// Address of the instruction.
    pub pc: Option<Address>,
    /// Target of the branch. For a branch that was not taken, the next instruction.
    pub target: Option<Address>,
    /// Target of the last branch that was taken before. Execution went straight from this target to `pc`.
    pub previous_target: Option<Address>,
    /// Events of the operation, one bit for each.
    pub events: Option<u64>,
    /// Id of the thread.
    pub context: Option<u32>,
    /// Value of the generic timer.
    pub timestamp: Option<u64>,
    /// Class and kind of the operation.
    pub operation: Option<(u8, u8)>,
}

impl Record {
    /// Adds the facts of a packet. Returns true if the packet ends the record.
    pub(crate) fn add_packet(&mut self, packet: Packet) -> bool {
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

    /// Returns true if the operation was a branch, or a return from an exception.
    #[must_use]
    pub fn is_branch(&self) -> bool {
        self.operation.is_some_and(|(class, _)| class == BRANCH)
    }

    /// Returns true if the operation was architecturally executed, not only on a mispredicted path. Returns true,
    /// too, if the record does not say.
    #[must_use]
    pub fn is_retired(&self) -> bool {
        self.events.is_none_or(|bits| bits & event::RETIRED != 0)
    }

    /// Returns true if the branch was conditional and was not taken.
    #[must_use]
    pub fn is_not_taken(&self) -> bool {
        self.has(event::NOT_TAKEN)
    }

    /// Returns true if the CPU mispredicted the branch.
    #[must_use]
    pub fn is_mispredicted(&self) -> bool {
        self.has(event::MISPREDICTED)
    }

    fn has(&self, bit: u64) -> bool {
        self.events.is_some_and(|bits| bits & bit != 0)
    }
}

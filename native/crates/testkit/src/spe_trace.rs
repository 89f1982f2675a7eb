//! Records of Arm's Statistical Profiling Extension, as the CPU writes them.
//!
//! ```
//! use testkit::SpeRecord;
//!
//! let record = SpeRecord::taken(0x40_0010, 0x40_0100).after_branch_to(0x40_0000).in_thread(7).at(1000);
//! assert_eq!(record.encode()[0], 0xb0);
//! ```

const RETIRED: u16 = 1 << 1;
const NOT_TAKEN: u16 = 1 << 6;
const MISPREDICTED: u16 = 1 << 7;

const INSTRUCTION_BYTES: u64 = 4;

/// A sampled operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpeRecord {
    /// Address of the instruction.
    pub pc: u64,
    /// Target of the branch, or the next instruction.
    pub target: u64,
    /// Target of the taken branch before, if the CPU records it.
    pub previous_target: Option<u64>,
    /// Bits of events.
    pub events: u16,
    /// Id of the thread, if the CPU records it.
    pub context: Option<u32>,
    /// Value of the timer, if the CPU records it.
    pub timestamp: Option<u64>,
    /// Class and kind of the operation.
    pub operation: (u8, u8),
    /// Exception level: 0 for processes, 1 or 2 for the kernel.
    pub exception_level: u8,
}

impl SpeRecord {
    /// Makes a record of a branch that was taken and retired.
    #[must_use]
    pub fn taken(pc: u64, target: u64) -> Self {
        Self {
            pc,
            target,
            previous_target: None,
            events: RETIRED,
            context: None,
            timestamp: None,
            operation: (2, 0),
            exception_level: 0,
        }
    }

    /// Makes a record of a conditional branch that was not taken.
    #[must_use]
    pub fn not_taken(pc: u64) -> Self {
        Self {
            events: RETIRED | NOT_TAKEN,
            operation: (2, 1),
            ..Self::taken(pc, pc + INSTRUCTION_BYTES)
        }
    }

    /// Makes a record of a load.
    #[must_use]
    pub fn load(pc: u64) -> Self {
        Self {
            operation: (1, 0),
            ..Self::taken(pc, 0)
        }
    }

    /// Sets the target of the branch before.
    #[must_use]
    pub fn after_branch_to(mut self, previous_target: u64) -> Self {
        self.previous_target = Some(previous_target);
        self
    }

    /// Sets the thread.
    #[must_use]
    pub fn in_thread(mut self, thread: u32) -> Self {
        self.context = Some(thread);
        self
    }

    /// Sets the value of the timer.
    #[must_use]
    pub fn at(mut self, timestamp: u64) -> Self {
        self.timestamp = Some(timestamp);
        self
    }

    /// Marks the branch as mispredicted.
    #[must_use]
    pub fn mispredicted(mut self) -> Self {
        self.events |= MISPREDICTED;
        self
    }

    /// Marks the operation as never executed.
    #[must_use]
    pub fn speculative(mut self) -> Self {
        self.events &= !RETIRED;
        self
    }

    /// Sets the exception level of the kernel.
    #[must_use]
    pub fn in_kernel(mut self) -> Self {
        self.exception_level = 2;
        self
    }

    /// Returns the packets of the record, without padding.
    #[must_use]
    pub fn packets(&self) -> Vec<Vec<u8>> {
        let address = |index: u8, address: u64| {
            let tag = 1 << 7 | self.exception_level << 5;
            let mut packet = vec![0xb0 | index];
            packet.extend(&address.to_le_bytes()[..7]);
            packet.push(tag);
            packet
        };
        let (class, kind) = self.operation;
        let is_branch = class == 2;
        let mut packets = vec![address(0, self.pc)];
        if let Some(thread) = self.context {
            packets.push([&[0x64 | u8::from(self.exception_level == 2)][..], &thread.to_le_bytes()].concat());
        }
        packets.push(vec![0x48 | class, kind]);
        packets.push([&[0x52][..], &self.events.to_le_bytes()].concat());
        packets.push(vec![0x99, 4, 0]);
        packets.push(vec![0x98, 12, 0]);
        if is_branch {
            packets.push(address(1, self.target));
        } else {
            packets.push(address(2, 0xff_0e37_0309_6b28));
        }
        packets.extend(self.previous_target.map(|target| address(4, target)));
        packets.push(match self.timestamp {
            Some(value) => [&[0x71][..], &value.to_le_bytes()].concat(),
            None => vec![1],
        });
        packets
    }

    /// Returns the bytes of the record: 64 or a multiple, as a CPU aligns them.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        const ALIGNMENT: usize = 64;
        let mut packets = self.packets();
        let end = packets.pop().unwrap_or_default();
        let mut bytes = packets.concat();
        let padded = (bytes.len() + end.len()).next_multiple_of(ALIGNMENT);
        bytes.resize(padded - end.len(), 0);
        bytes.extend(end);
        bytes
    }
}

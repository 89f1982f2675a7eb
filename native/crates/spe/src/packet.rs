//! Reads packets: a header of one or two bytes, and a payload of 1, 2, 4 or 8 bytes.

/// Length of the longest packet in bytes, header included. An alignment packet has no payload; padding follows its
/// header.
pub(crate) const MAX_PACKET_LENGTH: usize = 10;

/// Numbers of address packets.
mod address_index {
    pub(super) const PC: u8 = 0;
    pub(super) const TARGET: u8 = 1;
    pub(super) const PREVIOUS_TARGET: u8 = 4;
}

/// An address of code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    /// Virtual address. The packet has bits 55 to 0. The bits above are copies of bit 55, which distinguishes the
    /// two halves of the address space.
    pub virtual_address: u64,
    /// Exception level: 0 for processes; 1 and 2 for kernels and hypervisors; 3 for firmware.
    pub exception_level: u8,
}

impl Address {
    /// Decodes a payload: bits 55 to 0 are the address, bits 62 and 61 the exception level.
    fn from_payload(payload: u64) -> Self {
        const UNUSED: u32 = 8;
        Self {
            virtual_address: ((payload << UNUSED).cast_signed() >> UNUSED).cast_unsigned(),
            exception_level: (payload >> 61 & 3) as u8,
        }
    }
}

/// A packet, by its meaning for a profile of branches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packet {
    /// Padding, which aligns records.
    Padding,
    /// The end of a record without a timestamp.
    End,
    /// The end of a record, with the value of the generic timer.
    Timestamp(u64),
    /// Address of the sampled instruction.
    Pc(Address),
    /// Target of the sampled branch. For a branch that was not taken, the next instruction.
    Target(Address),
    /// Target of the last branch that was taken before the sampled operation (`FEAT_SPE_PBT`).
    PreviousTarget(Address),
    /// Events of the operation, one bit for each.
    Events(u64),
    /// Value of `CONTEXTIDR_ELx`, which Linux sets to the id of the thread.
    Context(u32),
    /// The class of the operation, which has two bits, and the details in its packet.
    Operation {
        /// 0: another operation; 1: load, store or atomic; 2: branch or return from an exception.
        class: u8,
        /// Kind of the operation within its class.
        kind: u8,
    },
    /// A packet of a known type that says nothing about branches: latency, address of data, or source of data.
    Irrelevant,
    /// A packet of an unknown type. Its header states its length.
    Unknown,
}

/// The content at one position of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parsed {
    /// A packet, and the number of bytes up to the next one.
    Packet(Packet, usize),
    /// The beginning of a packet. The number is the length of the packet in bytes, which is more than the bytes
    /// that are there.
    Incomplete(usize),
    /// The bytes begin no packet.
    Invalid,
}

/// Reads the packet at the start of `bytes`, which lie `offset` bytes after the start of the buffer of the trace.
/// The offset matters because padding up to a boundary depends on it. Empty `bytes` are the beginning of a header.
#[must_use]
pub fn parse(bytes: &[u8], offset: u64) -> Parsed {
    let Some(&first) = bytes.first() else {
        return Parsed::Incomplete(1);
    };
    match first {
        0 => return Parsed::Packet(Packet::Padding, 1),
        1 => return Parsed::Packet(Packet::End, 1),
        _ => {}
    }
    // In a header of two bytes, the first byte has the upper bits of the index, and the second byte is like a
    // header of one byte.
    let is_extended = first & 0xfc == 0x20;
    let (header, upper) = if is_extended {
        match bytes.get(1) {
            None => return Parsed::Incomplete(2),
            Some(0) => {
                let alignment = 2_u64 << (first & 3);
                return Parsed::Packet(Packet::Padding, (alignment - offset % alignment) as usize);
            }
            Some(&second) => (second, (first & 3) << 3),
        }
    } else {
        (first, 0)
    };
    // Headers that begin with the bits 00 are handled above; no other packet is without a payload. No header begins
    // with the bits 11.
    if !matches!(header >> 6, 1 | 2) {
        return Parsed::Invalid;
    }
    let at = 1 + usize::from(is_extended);
    let size = 1 << (header >> 4 & 3);
    let Some(payload) = bytes.get(at..at + size) else {
        return Parsed::Incomplete(at + size);
    };
    let value = payload
        .iter()
        .rev()
        .fold(0, |value, byte| value << 8 | u64::from(*byte));
    let packet = match header {
        header if header & 0xf8 == 0xb0 => match upper | header & 7 {
            address_index::PC => Packet::Pc(Address::from_payload(value)),
            address_index::TARGET => Packet::Target(Address::from_payload(value)),
            address_index::PREVIOUS_TARGET => Packet::PreviousTarget(Address::from_payload(value)),
            _ => Packet::Irrelevant,
        },
        header if header & 0xf8 == 0x98 => Packet::Irrelevant,
        _ if is_extended => Packet::Unknown,
        0x71 => Packet::Timestamp(value),
        header if header & 0xcf == 0x42 => Packet::Events(value),
        header if header & 0xcf == 0x43 => Packet::Irrelevant,
        header if header & 0xfc == 0x64 => Packet::Context(value as u32),
        header if header & 0xfc == 0x48 => Packet::Operation {
            class: header & 3,
            kind: value as u8,
        },
        _ => Packet::Unknown,
    };
    Parsed::Packet(packet, at + size)
}

//! Packets: a header of one or two bytes, and a payload of 1, 2, 4 or 8 bytes.

/// No packet is longer, header included; an alignment packet has no bytes of its own but its header.
pub(crate) const LONGEST: usize = 10;

/// Numbers of address packets.
mod address_index {
    pub(super) const PC: u8 = 0;
    pub(super) const TARGET: u8 = 1;
    pub(super) const PREVIOUS_TARGET: u8 = 4;
}

/// An address of code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    /// The virtual address. The packet has bits 55 to 0 of it; those above are copies of bit 55, which tells the two halves of the address
    /// space apart.
    pub virtual_address: u64,
    /// The exception level: 0 for processes; 1 and 2 for kernels and hypervisors; 3 for firmware.
    pub exception_level: u8,
}

impl Address {
    /// Bits 55 to 0 are the address, 62 and 61 the exception level.
    fn of(payload: u64) -> Self {
        const UNUSED: u32 = 8;
        Self {
            virtual_address: ((payload << UNUSED).cast_signed() >> UNUSED).cast_unsigned(),
            exception_level: (payload >> 61 & 3) as u8,
        }
    }
}

/// A packet, by what it means to a profile of branches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packet {
    /// Nothing, so that records are aligned.
    Padding,
    /// The record ends here, and has no time.
    End,
    /// The record ends here; this is the value of the generic timer.
    Timestamp(u64),
    /// Where the sampled instruction is.
    Pc(Address),
    /// Where the sampled branch went, or would have gone on to.
    Target(Address),
    /// Where the branch went that was taken last before the sampled operation (`FEAT_SPE_PBT`).
    PreviousTarget(Address),
    /// What happened to the operation, a bit an event.
    Events(u64),
    /// `CONTEXTIDR_ELx`, which Linux sets to the number of the thread.
    Context(u32),
    /// What the operation was: a class of two bits, and what its packet says more.
    Operation {
        /// 0: none of these; 1: load, store or atomic; 2: branch or return from an exception.
        class: u8,
        /// What of that class.
        kind: u8,
    },
    /// A packet of a known type that says nothing about branches: latencies, addresses of data, where data came from.
    Irrelevant,
    /// A packet of a type that is not known here. Its header says how long it is.
    Unknown,
}

/// What stands at some place of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A packet, and the bytes up to the next one.
    Packet(Packet, usize),
    /// The beginning of a packet of so many bytes, more than are there.
    Short(usize),
    /// No packet begins like that.
    Bad,
}

/// Reads the packet at the start of `bytes`, which lie `offset` bytes behind the start of the trace's buffer: padding up to a boundary
/// depends on where it begins. An empty `bytes` is short of a header.
#[must_use]
pub fn parse(bytes: &[u8], offset: u64) -> Step {
    let Some(&first) = bytes.first() else {
        return Step::Short(1);
    };
    match first {
        0 => return Step::Packet(Packet::Padding, 1),
        1 => return Step::Packet(Packet::End, 1),
        _ => {}
    }
    // A header of two bytes: the first has the upper bits of the index, the second is like a header of one byte.
    let is_extended = first & 0xfc == 0x20;
    let (header, upper) = if is_extended {
        match bytes.get(1) {
            None => return Step::Short(2),
            Some(0) => {
                let alignment = 2_u64 << (first & 3);
                return Step::Packet(Packet::Padding, (alignment - offset % alignment) as usize);
            }
            Some(&second) => (second, (first & 3) << 3),
        }
    } else {
        (first, 0)
    };
    // Headers that begin with 00 are those above; no other packet is without a payload. None begins with 11 either.
    if !matches!(header >> 6, 1 | 2) {
        return Step::Bad;
    }
    let at = 1 + usize::from(is_extended);
    let size = 1 << (header >> 4 & 3);
    let Some(payload) = bytes.get(at..at + size) else {
        return Step::Short(at + size);
    };
    let value = payload
        .iter()
        .rev()
        .fold(0, |value, byte| value << 8 | u64::from(*byte));
    let packet = match header {
        header if header & 0xf8 == 0xb0 => match upper | header & 7 {
            address_index::PC => Packet::Pc(Address::of(value)),
            address_index::TARGET => Packet::Target(Address::of(value)),
            address_index::PREVIOUS_TARGET => Packet::PreviousTarget(Address::of(value)),
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
    Step::Packet(packet, at + size)
}

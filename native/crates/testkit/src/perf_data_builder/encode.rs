//! Encodes integers, strings and record headers in either byte order.

/// A byte order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endian {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

/// Encodes numbers in one byte order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Encoder {
    pub(super) endian: Endian,
}

/// Positions and widths of the fields of the branch flags on a little-endian machine, in bits.
const BRANCH_FLAG_FIELDS: [(u32, u32); 11] = [
    (0, 1),
    (1, 1),
    (2, 1),
    (3, 1),
    (4, 16),
    (20, 4),
    (24, 2),
    (26, 4),
    (30, 3),
    (33, 1),
    (34, 30),
];

impl Encoder {
    pub(super) fn new(endian: Endian) -> Self {
        Self { endian }
    }

    pub(super) fn u16(&self, value: u16) -> [u8; 2] {
        match self.endian {
            Endian::Little => value.to_le_bytes(),
            Endian::Big => value.to_be_bytes(),
        }
    }

    pub(super) fn u32(&self, value: u32) -> [u8; 4] {
        match self.endian {
            Endian::Little => value.to_le_bytes(),
            Endian::Big => value.to_be_bytes(),
        }
    }

    pub(super) fn u64(&self, value: u64) -> [u8; 8] {
        match self.endian {
            Endian::Little => value.to_le_bytes(),
            Endian::Big => value.to_be_bytes(),
        }
    }

    pub(super) fn words(&self, values: &[u64]) -> Vec<u8> {
        values.iter().flat_map(|&value| self.u64(value)).collect()
    }

    pub(super) fn halves(&self, values: &[u32]) -> Vec<u8> {
        values.iter().flat_map(|&value| self.u32(value)).collect()
    }

    /// Encodes a header and the body.
    ///
    /// # Panics
    /// Panics if the result is longer than a record can be.
    pub(super) fn record(&self, record_type: u32, misc: u16, body: &[u8]) -> Vec<u8> {
        let size = u16::try_from(body.len() + 8).expect("a record is at most 65535 bytes");
        let mut record = self.u32(record_type).to_vec();
        record.extend(self.u16(misc));
        record.extend(self.u16(size));
        record.extend_from_slice(body);
        record
    }

    /// Encodes a name in a record: ended by a NUL and padded to a multiple of 8.
    pub(super) fn name(&self, text: &str) -> Vec<u8> {
        let mut name = text.as_bytes().to_vec();
        name.resize((text.len() + 1).next_multiple_of(8), 0);
        name
    }

    /// Encodes a string in a feature section: u32 length, then the text padded to a multiple of 64.
    pub(super) fn string(&self, text: &str) -> Vec<u8> {
        let len = (text.len() + 1).next_multiple_of(64);
        let mut string = self.u32(len as u32).to_vec();
        string.extend_from_slice(text.as_bytes());
        string.resize(4 + len, 0);
        string
    }

    /// Encodes a word of bit-fields of one bit each. Big-endian machines allocate such fields from the top.
    pub(super) fn bits(&self, bits: u64) -> u64 {
        match self.endian {
            Endian::Little => bits,
            Endian::Big => bits.reverse_bits(),
        }
    }

    /// Encodes the flags of a branch entry. `flags` are in little-endian numbering.
    pub(super) fn branch_flags(&self, flags: u64) -> u64 {
        match self.endian {
            Endian::Little => flags,
            Endian::Big => BRANCH_FLAG_FIELDS.iter().fold(0, |word, &(at, width)| {
                word | (flags >> at & ((1 << width) - 1)) << (64 - at - width)
            }),
        }
    }
}

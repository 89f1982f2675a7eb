//! The branch stack of a sample: the latest taken branches, newest first.

use crate::address::Avma;
use crate::byte_order::ByteOrder;

/// Size of one entry in bytes: u64 from, u64 to, u64 flags (Linux: struct perf_branch_entry).
pub(crate) const ENTRY_SIZE: usize = 24;

/// A borrowed branch stack. Entry 0 is the newest. The code between the target of entry i+1 and the source of entry i
/// is a straight-line range.
#[derive(Debug, Clone, Copy, Default)]
pub struct BranchStack<'a> {
    entries: &'a [[u8; ENTRY_SIZE]],
}

/// One taken branch: an entry of a branch stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Branch {
    /// Address of the branch instruction.
    pub from: Avma,
    /// Address of the branch target.
    pub to: Avma,
    /// Flags that the CPU recorded with the branch.
    pub flags: BranchFlags,
}

impl<'a> BranchStack<'a> {
    /// Makes a stack of little-endian entries. Ignores bytes at the end that do not fill an entry.
    #[inline]
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self {
            entries: bytes.as_chunks().0,
        }
    }

    /// Returns the number of entries, unfilled slots included.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns true if the stack has no entries.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the entry at `index`, or `None` if the stack has fewer entries.
    #[must_use]
    #[inline]
    pub fn get(&self, index: usize) -> Option<Branch> {
        self.entries.get(index).map(decode)
    }

    /// Iterates over the entries, newest first.
    #[inline]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Branch> + DoubleEndedIterator + Clone + use<'a> {
        self.entries.iter().map(decode)
    }
}

#[inline]
fn decode(entry: &[u8; ENTRY_SIZE]) -> Branch {
    let (words, _) = entry.as_chunks::<8>();
    Branch {
        from: Avma(u64::from_le_bytes(words[0])),
        to: Avma(u64::from_le_bytes(words[1])),
        flags: BranchFlags(u64::from_le_bytes(words[2])),
    }
}

/// Appends `entries`, whose byte order is `order`, to `out` as little-endian entries, flag fields included.
pub(crate) fn normalise_entries(entries: &[u8], order: ByteOrder, out: &mut Vec<u8>) {
    for entry in entries.as_chunks::<ENTRY_SIZE>().0 {
        for (index, word) in entry.as_chunks::<8>().0.iter().enumerate() {
            let value = match (order, index) {
                (ByteOrder::Little, _) => u64::from_le_bytes(*word),
                (ByteOrder::Big, 2) => BranchFlags::from_big_endian_fields(u64::from_be_bytes(*word)).0,
                (ByteOrder::Big, _) => u64::from_be_bytes(*word),
            };
            out.extend_from_slice(&value.to_le_bytes());
        }
    }
}

/// The flags word of an entry, in the bit numbering of a little-endian machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(transparent)]
pub struct BranchFlags(pub u64);

/// Speculation status of an entry, on CPUs that report it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speculation {
    /// The CPU reports no status.
    NotReported,
    /// The branch was executed speculatively on a path that was not taken in the end. It did not happen.
    WrongPath,
    /// The branch was not executed speculatively.
    NotSpeculated,
    /// The branch was executed speculatively on the path that was taken in the end.
    RightPath,
}

/// Position and width of the fields in bits, from the lowest bit (Linux: struct perf_branch_entry).
const FIELDS: [(u32, u32); 11] = [
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

impl BranchFlags {
    /// Flags that only say that the branch was on a path that was not taken in the end.
    pub const WRONG_PATH: Self = Self(1 << 24);

    /// Makes the flags of one sampled branch.
    pub(crate) fn of_one_branch(mispredicted: bool, not_taken: bool) -> Self {
        let prediction = if mispredicted { 1 } else { 1 << 1 };
        Self(prediction | u64::from(not_taken) << 33)
    }

    /// Converts a flags word of a big-endian machine, which allocates bit-fields from the top, to the little-endian
    /// numbering.
    fn from_big_endian_fields(word: u64) -> Self {
        Self(FIELDS.iter().fold(0, |flags, &(at, width)| {
            flags | (word >> (64 - at - width) & ((1 << width) - 1)) << at
        }))
    }

    #[inline]
    fn field(self, at: u32, width: u32) -> u64 {
        self.0 >> at & ((1 << width) - 1)
    }

    /// Returns true if the branch was mispredicted. Returns false if the CPU does not report predictions.
    #[must_use]
    #[inline]
    pub fn mispredicted(self) -> bool {
        self.field(0, 1) != 0
    }

    /// Returns true if the branch was predicted correctly. Returns false if the CPU does not report predictions.
    #[must_use]
    #[inline]
    pub fn predicted(self) -> bool {
        self.field(1, 1) != 0
    }

    /// Returns true if the branch was inside a hardware transaction.
    #[must_use]
    pub fn in_transaction(self) -> bool {
        self.field(2, 1) != 0
    }

    /// Returns true if a transaction was aborted at the branch.
    #[must_use]
    pub fn transaction_abort(self) -> bool {
        self.field(3, 1) != 0
    }

    /// Returns the number of CPU cycles since the branch before; 0 if the CPU does not report it.
    #[must_use]
    pub fn cycles(self) -> u16 {
        self.field(4, 16) as u16
    }

    /// Returns the type of the branch (PERF_BR_*). Trust it only if [`crate::EventAttr::has_branch_types`].
    #[must_use]
    pub fn branch_type(self) -> u8 {
        self.field(20, 4) as u8
    }

    /// Returns the new type of the branch (PERF_BR_NEW_*), which counts if the type is 15.
    #[must_use]
    pub fn new_type(self) -> u8 {
        self.field(26, 4) as u8
    }

    /// Returns the speculation status of the branch (AMD LBRv2).
    #[must_use]
    #[inline]
    pub fn speculation(self) -> Speculation {
        match self.field(24, 2) {
            0 => Speculation::NotReported,
            1 => Speculation::WrongPath,
            2 => Speculation::NotSpeculated,
            _ => Speculation::RightPath,
        }
    }

    /// Returns true if a conditional branch was not taken, so that execution went on after it. Only tools that
    /// convert a trace set this flag (perf: struct branch_flags).
    #[must_use]
    pub fn not_taken(self) -> bool {
        self.field(33, 1) != 0
    }

    /// Returns the privilege level of the target: 0 unknown, 1 user, 2 kernel, 3 hypervisor.
    #[must_use]
    pub fn privilege(self) -> u8 {
        self.field(30, 3) as u8
    }
}

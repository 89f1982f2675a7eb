//! The branch stack of a sample: the latest taken branches, newest first.

use crate::address::Avma;
use crate::byte_order::ByteOrder;

/// Bytes of one entry: u64 from, u64 to, u64 flags (Linux: struct perf_branch_entry).
pub(crate) const ENTRY_SIZE: usize = 24;

/// A borrowed branch stack. Entry 0 is the newest; the code between entry i+1's target and entry i's source ran
/// straight through.
#[derive(Debug, Clone, Copy, Default)]
pub struct BranchStack<'a> {
    entries: &'a [[u8; ENTRY_SIZE]],
}

/// One taken branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Branch {
    /// The branch instruction.
    pub from: Avma,
    /// Where it went.
    pub to: Avma,
    /// What the CPU said about it.
    pub flags: BranchFlags,
}

impl<'a> BranchStack<'a> {
    /// Views little-endian entries; a rest shorter than an entry is ignored.
    #[inline]
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self {
            entries: bytes.as_chunks().0,
        }
    }

    /// How many entries there are, unfilled slots included.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True if there are none.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entry at `index`.
    #[must_use]
    #[inline]
    pub fn get(&self, index: usize) -> Option<Branch> {
        self.entries.get(index).map(decode)
    }

    /// The entries, newest first.
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

/// Appends entries in `order` to `out` as little-endian ones, flag fields included.
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

/// What a CPU that speculates says about an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speculation {
    /// Nothing.
    NotReported,
    /// Speculated and on a path that was not taken in the end: it did not happen.
    WrongPath,
    /// Not speculated.
    NotSpeculated,
    /// Speculated, and rightly so.
    RightPath,
}

/// Position and width of the fields, from the lowest bit (Linux: struct perf_branch_entry).
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
    /// Nothing but that the branch was on a path that was not taken in the end.
    pub const WRONG_PATH: Self = Self(1 << 24);

    /// Those of a sampled branch.
    pub(crate) fn of_one_branch(mispredicted: bool, not_taken: bool) -> Self {
        let prediction = if mispredicted { 1 } else { 1 << 1 };
        Self(prediction | u64::from(not_taken) << 33)
    }

    /// Brings a flags word of a big-endian machine, which allocates bit-fields from the top, to the little-endian
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

    /// The branch was mispredicted. False also if the CPU does not say.
    #[must_use]
    #[inline]
    pub fn mispredicted(self) -> bool {
        self.field(0, 1) != 0
    }

    /// The branch was predicted. False also if the CPU does not say.
    #[must_use]
    #[inline]
    pub fn predicted(self) -> bool {
        self.field(1, 1) != 0
    }

    /// Inside a hardware transaction.
    #[must_use]
    pub fn in_transaction(self) -> bool {
        self.field(2, 1) != 0
    }

    /// A transaction was aborted here.
    #[must_use]
    pub fn transaction_abort(self) -> bool {
        self.field(3, 1) != 0
    }

    /// Cycles since the entry before; 0 if not reported.
    #[must_use]
    pub fn cycles(self) -> u16 {
        self.field(4, 16) as u16
    }

    /// PERF_BR_*; trust it only if [`crate::EventAttr::has_branch_types`].
    #[must_use]
    pub fn branch_type(self) -> u8 {
        self.field(20, 4) as u8
    }

    /// PERF_BR_NEW_*, if the type is 15.
    #[must_use]
    pub fn new_type(self) -> u8 {
        self.field(26, 4) as u8
    }

    /// What the CPU says about speculation (AMD LBRv2).
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

    /// A conditional branch, and execution went on behind it. Only tools say so, of what they made of a trace (perf: struct branch_flags).
    #[must_use]
    pub fn not_taken(self) -> bool {
        self.field(33, 1) != 0
    }

    /// Privilege of the target: 0 unknown, 1 user, 2 kernel, 3 hypervisor.
    #[must_use]
    pub fn privilege(self) -> u8 {
        self.field(30, 3) as u8
    }
}

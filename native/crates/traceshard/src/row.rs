//! One row of a shard.

/// The kind of fact that a row records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Record {
    /// A branch that was taken, and the straight-line range behind it.
    Branch,
    /// Code that the kernel rewrote while the kernel ran.
    Patch,
    /// A number of what was read, or of what is in no other row.
    Ledger,
}

impl Record {
    const ALL: [Self; 3] = [Self::Branch, Self::Patch, Self::Ledger];

    /// Returns the spelling in the column.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Branch => "branch",
            Self::Patch => "patch",
            Self::Ledger => "ledger",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|record| record.as_str() == text)
    }
}

/// Address that stands for the symbol which the path of a kernel names. It is not zero, so that code before the
/// symbol has an address, too.
pub const KERNEL_BIAS: u64 = 1 << 24;

/// Address at which the kernel begins in memory. BOLT uses this address on every machine (LLVM:
/// bolt/lib/Profile/DataAggregator.cpp, `KernelBaseAddr`).
pub const KERNEL_START: u64 = 0xffff_8000_0000_0000;

/// The kind of a mapped file, which decides where its addresses count from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BinaryKind {
    /// A program or a library: addresses are offsets in the file.
    User,
    /// The kernel image: addresses count from [`KERNEL_BIAS`] before the symbol that the path names.
    Kernel,
    /// A kernel module: addresses count from where its code was loaded.
    Module,
}

impl BinaryKind {
    const ALL: [Self; 3] = [Self::User, Self::Kernel, Self::Module];

    /// Returns the spelling in the column.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Kernel => "kernel",
            Self::Module => "module",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A mapped file, as rows name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Binary {
    /// Build id in lower-case hexadecimal, if the recording has it.
    pub build_id: Option<String>,
    /// Path of the file in the mapping.
    pub path: String,
    /// Kind of the file.
    pub kind: BinaryKind,
}

/// The classes that the rows of the ledger count. The column `path` has the name of the class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Loss {
    /// Number of samples that were read.
    Samples,
    /// Number of these samples that had branch entries.
    BranchSamples,
    /// Number of branch entries that were read.
    Entries,
    /// Number of branch entries that the options of the collection left out.
    Deselected,
    /// Number of branch entries of samples that were taken in guests.
    Guest,
    /// Number of branch entries that the CPU recorded on wrong paths.
    WrongPath,
    /// Number of branch entries in slots that the CPU had not filled.
    UnfilledSlot,
    /// Number of branch entries whose source and target both lie where no file was mapped.
    Unmapped,
    /// Number of branch entries whose source and target both lie in no file that has rows, as in memory that no
    /// file backs.
    OtherMemory,
    /// Number of records that the kernel lost because it had no room.
    LostRecords,
    /// Number of samples with branch entries whose call chain was left out.
    CallChains,
}

impl Loss {
    /// All classes.
    pub const ALL: [Self; 11] = [
        Self::Samples,
        Self::BranchSamples,
        Self::Entries,
        Self::Deselected,
        Self::Guest,
        Self::WrongPath,
        Self::UnfilledSlot,
        Self::Unmapped,
        Self::OtherMemory,
        Self::LostRecords,
        Self::CallChains,
    ];

    /// Returns the spelling in the column `path`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Samples => "samples",
            Self::BranchSamples => "samples with branches",
            Self::Entries => "entries",
            Self::Deselected => "entries deselected",
            Self::Guest => "entries of guests",
            Self::WrongPath => "entries on wrong paths",
            Self::UnfilledSlot => "entries in unfilled slots",
            Self::Unmapped => "entries where nothing was mapped",
            Self::OtherMemory => "entries in memory of no file",
            Self::LostRecords => "records lost",
            Self::CallChains => "call chains left out",
        }
    }

    /// Returns the class with this spelling.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|loss| loss.as_str() == text)
    }
}

/// One row. `docs/trace-shards.md` documents the meaning of each column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row<'a> {
    /// Kind of fact that the row records.
    pub record: Record,
    /// Build id of the file, in lower-case hexadecimal, if the recording has it.
    pub build_id: Option<&'a str>,
    /// Path of the file in the mapping; for the ledger, the name of the class.
    pub path: &'a str,
    /// Kind of the file; `None` for the ledger.
    pub kind: Option<BinaryKind>,
    /// Name of the event in perf; `None` for rows that belong to no event.
    pub event: Option<&'a str>,
    /// Name of the machine from `uname -m`, if the recording states it.
    pub arch: Option<&'a str>,
    /// Address of the branch, or of the rewritten code; `None` outside of the file.
    pub from: Option<u64>,
    /// Target of the branch; `None` outside of the file.
    pub to: Option<u64>,
    /// Address at which the straight-line range behind the branch ended: the source of the next newer branch;
    /// `None` outside of the file.
    pub end: Option<u64>,
    /// True if no newer branch of the stack touches the file, so that the end of the straight-line range is
    /// unknown.
    pub newest: bool,
    /// Source of the next newer entry of the whole stack, if the source lies in this file. If the branch neither
    /// starts nor ends in the kernel, entries that do are skipped. `None` if the branch goes to another file.
    pub stack_end: Option<u64>,
    /// True if either the source or the target of the branch lies in the kernel ([`KERNEL_START`]), but not both.
    /// If this is `None`, `stack_end` is unknown, too.
    pub crosses_kernel: Option<bool>,
    /// Newer branches that may turn out not to be branches of the code of the file; see
    /// [`parse_via`](crate::parse_via).
    pub via: Option<&'a str>,
    /// The bytes before and after the rewriting; see [`parse_patch`](crate::parse_patch).
    pub patch: Option<&'a str>,
    /// Number of occurrences.
    pub count: u64,
    /// Number of times that the branch was mispredicted.
    pub mispredicted: u64,
}

impl Row<'_> {
    /// Makes a row of the ledger.
    #[must_use]
    #[inline]
    pub fn ledger(what: Loss, count: u64) -> Self {
        Self {
            record: Record::Ledger,
            build_id: None,
            path: what.as_str(),
            kind: None,
            event: None,
            arch: None,
            from: None,
            to: None,
            end: None,
            newest: false,
            stack_end: None,
            crosses_kernel: None,
            via: None,
            patch: None,
            count,
            mispredicted: 0,
        }
    }
}

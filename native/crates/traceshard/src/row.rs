//! One row of a shard.

/// What a row records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Record {
    /// A branch that was taken, and the run behind it.
    Branch,
    /// Code that the kernel rewrote while it ran.
    Patch,
    /// What was read, and what of it is in no other row.
    Ledger,
}

impl Record {
    const ALL: [Self; 3] = [Self::Branch, Self::Patch, Self::Ledger];

    /// How the column spells it.
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

/// What the symbol that the path of a kernel names has as its address, so that code before it has one, too.
pub const KERNEL_BIAS: u64 = 1 << 24;

/// Where the kernel begins in memory. BOLT takes this address on every machine (LLVM: bolt/lib/Profile/DataAggregator.cpp,
/// `KernelBaseAddr`).
pub const KERNEL_START: u64 = 0xffff_8000_0000_0000;

/// What kind of file was mapped, which decides what its addresses count from.
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

    /// How the column spells it.
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

/// A file that was mapped, as rows name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Binary {
    /// In lower-case hexadecimal, if the recording had it.
    pub build_id: Option<String>,
    /// As it was mapped.
    pub path: String,
    /// What kind of file it is.
    pub kind: BinaryKind,
}

/// What the rows of the ledger count. The spelling stands in the column `path`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Loss {
    /// Samples that were read.
    Samples,
    /// Those of them that had branch entries.
    BranchSamples,
    /// Branch entries that were read.
    Entries,
    /// Entries that the options of the collection left out.
    Deselected,
    /// Entries of samples that were taken in guests.
    Guest,
    /// Entries that the CPU recorded on wrong paths.
    WrongPath,
    /// Entries in slots that the CPU had not filled.
    UnfilledSlot,
    /// Entries with no end where a file was mapped.
    Unmapped,
    /// Entries with no end in a file that has rows, as in memory that no file backs.
    OtherMemory,
    /// Records that the kernel had no room for.
    LostRecords,
    /// Samples with branch entries whose call chain was left out.
    CallChains,
}

impl Loss {
    /// All of them.
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

    /// How the column `path` spells it.
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

    /// The class that a text names.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|loss| loss.as_str() == text)
    }
}

/// One row. The documented meaning of each column is in `docs/trace-shards.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row<'a> {
    /// What it records.
    pub record: Record,
    /// The build id of the file, in lower-case hexadecimal, if the recording had it.
    pub build_id: Option<&'a str>,
    /// The path of the file, as it was mapped; for the ledger, what is counted.
    pub path: &'a str,
    /// What kind of file it is; `None` for the ledger.
    pub kind: Option<BinaryKind>,
    /// The event, as perf names it; `None` for what belongs to none.
    pub event: Option<&'a str>,
    /// The machine, as `uname -m` says it, if the recording did.
    pub arch: Option<&'a str>,
    /// Where the branch was, or where the rewritten code is; `None` outside the file.
    pub from: Option<u64>,
    /// Where it went; `None` outside the file.
    pub to: Option<u64>,
    /// Where the run behind it ended: the source of the next newer branch; `None` outside the file.
    pub end: Option<u64>,
    /// No newer branch of the stack touches the file, so nothing tells where the run ended.
    pub newest: bool,
    /// The source of the next newer entry of the whole stack, if that is in this file. If the branch has no end in the kernel, entries that
    /// have one are passed over. `None` if the branch goes elsewhere.
    pub stack_end: Option<u64>,
    /// One end of the branch is in the kernel, and the other is not ([`KERNEL_START`]). Where this is `None`, `stack_end` is not known either.
    pub crosses_kernel: Option<bool>,
    /// Newer branches that may turn out to be none of the file's code; see [`parse_via`](crate::parse_via).
    pub via: Option<&'a str>,
    /// The rewritten bytes; see [`parse_patch`](crate::parse_patch).
    pub patch: Option<&'a str>,
    /// How often.
    pub count: u64,
    /// How often the branch was mispredicted.
    pub mispredicted: u64,
}

impl Row<'_> {
    /// A row of the ledger.
    #[must_use]
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

//! One row of a shard.

/// The kind of fact that a row records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Record {
    /// A branch of a branch stack, and the straight-line range after it.
    Branch,
    /// A branch that was sampled by itself (Arm SPE), and the straight-line range before or after it.
    SampledBranch,
    /// A sampled address.
    Address,
    /// A call on the call chain of a sampled address.
    Call,
    /// A whole sample with a call chain: the entries of its branch stack that touch the file, and its call chain.
    Stack,
    /// Code that the kernel rewrote while the kernel ran.
    Patch,
    /// A number of what was read, or of what is in no other row.
    Ledger,
}

impl Record {
    const ALL: [Self; 7] = [
        Self::Branch,
        Self::SampledBranch,
        Self::Address,
        Self::Call,
        Self::Stack,
        Self::Patch,
        Self::Ledger,
    ];

    /// The spellings of all records, for messages.
    pub(crate) const SPELLINGS: &str = "branch, sampled_branch, address, call, stack, patch or ledger";

    /// Returns the spelling in the column.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Branch => "branch",
            Self::SampledBranch => "sampled_branch",
            Self::Address => "address",
            Self::Call => "call",
            Self::Stack => "stack",
            Self::Patch => "patch",
            Self::Ledger => "ledger",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|record| record.as_str() == text)
    }

    /// Returns true if rows of this record count samples of the code of a file.
    #[must_use]
    pub const fn is_of_samples(self) -> bool {
        !matches!(self, Self::Patch | Self::Ledger)
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
    /// Number of branch entries that are sampled branches which were not taken, if the CPU recorded where the branch
    /// before went (Arm SPE). They lie inside of straight-line ranges.
    NotTaken,
    /// Number of sampled addresses that were read.
    Addresses,
    /// Number of sampled addresses that the options of the collection left out.
    AddressesDeselected,
    /// Number of addresses that were sampled in guests.
    AddressesOfGuests,
    /// Number of sampled addresses where no file was mapped.
    AddressesUnmapped,
    /// Number of sampled addresses in no file that has rows, as in memory that no file backs.
    AddressesInOtherMemory,
}

impl Loss {
    /// All classes.
    pub const ALL: [Self; 17] = [
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
        Self::NotTaken,
        Self::Addresses,
        Self::AddressesDeselected,
        Self::AddressesOfGuests,
        Self::AddressesUnmapped,
        Self::AddressesInOtherMemory,
    ];

    /// Returns true if branch entries or sampled addresses of this class are in no row.
    #[must_use]
    pub const fn is_of_traces(self) -> bool {
        match self {
            Self::Samples
            | Self::BranchSamples
            | Self::Entries
            | Self::LostRecords
            | Self::CallChains
            | Self::Addresses => false,
            Self::Deselected
            | Self::Guest
            | Self::WrongPath
            | Self::UnfilledSlot
            | Self::Unmapped
            | Self::OtherMemory
            | Self::NotTaken
            | Self::AddressesDeselected
            | Self::AddressesOfGuests
            | Self::AddressesUnmapped
            | Self::AddressesInOtherMemory => true,
        }
    }

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
            Self::NotTaken => "entries that were not taken",
            Self::Addresses => "addresses",
            Self::AddressesDeselected => "addresses deselected",
            Self::AddressesOfGuests => "addresses of guests",
            Self::AddressesUnmapped => "addresses where nothing was mapped",
            Self::AddressesInOtherMemory => "addresses in memory of no file",
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
    /// Address of the branch, the sampled address, or the address of the rewritten code. For a call, the address
    /// that it returns to. `None` outside of the file.
    pub from: Option<u64>,
    /// Target of the branch, or of a branch that was not taken the next instruction. For a call, the address in the
    /// function that was called: a sampled address, or the address that a further call returns to. `None` outside of
    /// the file.
    pub to: Option<u64>,
    /// Address at which the straight-line range after the branch ended: the source of the next newer branch;
    /// `None` outside of the file.
    pub end: Option<u64>,
    /// True if no newer branch of the stack touches the file, so that the end of the straight-line range is
    /// unknown. For a branch that was sampled by itself: true if the CPU did not record where the branch before went.
    pub newest: bool,
    /// Source of the next newer entry of the whole stack, if the source lies in this file. If the branch neither
    /// starts nor ends in the kernel, entries that do are skipped. `None` if the branch goes to another file.
    pub stack_end: Option<u64>,
    /// True if either the source or the target of the branch lies in the kernel ([`KERNEL_START`]), but not both.
    /// If this is `None`, `stack_end` is unknown, too.
    pub crosses_kernel: Option<bool>,
    /// Newer branches that may turn out not to be branches of the code of the file; see
    /// [`branches_of`](crate::branches_of).
    pub via: Option<&'a str>,
    /// The bytes before and after the rewriting; see [`parse_patch`](crate::parse_patch).
    pub patch: Option<&'a str>,
    /// For a sampled address: true if it is the sampled instruction itself, and not an instruction that was executed
    /// later. `None` for other records.
    pub exact: Option<bool>,
    /// For a branch that was sampled by itself: true if it was taken. `None` for other records.
    pub taken: Option<bool>,
    /// For a branch that was sampled by itself: the target of the branch before, where the straight-line range that
    /// ends with the sampled branch begins. `None` outside of the file, or if the CPU did not record it.
    pub run_start: Option<u64>,
    /// For a whole sample: the entries of the branch stack that start or end in the file; see
    /// [`parse_branch_stack`](crate::parse_branch_stack). `None` for other records.
    pub branch_stack: Option<&'a str>,
    /// For a whole sample: the call chain; see [`parse_call_chain`](crate::parse_call_chain). `None` if the chain has
    /// no frames, and for other records.
    pub call_chain: Option<&'a str>,
    /// For a branch, or a branch that was sampled by itself: true if the samples of the event have call chains, so that
    /// rows of [`Record::Stack`] state the same branches of branch stacks; false if only the samples of another event
    /// of the recording have call chains. `None` if no call chains were collected, and for other records.
    pub has_call_chain: Option<bool>,
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
            exact: None,
            taken: None,
            run_start: None,
            branch_stack: None,
            call_chain: None,
            has_call_chain: None,
            count,
            mispredicted: 0,
        }
    }
}

//! Events: `perf_event_attr` in all its sizes (Linux: include/uapi/linux/perf_event.h).

use crate::byte_order::ByteOrder;

/// Bits of `sample_type` that this reader needs. They tell which fields a sample has.
pub(crate) mod sample_type {
    pub(crate) const IP: u64 = 1 << 0;
    pub(crate) const TID: u64 = 1 << 1;
    pub(crate) const TIME: u64 = 1 << 2;
    pub(crate) const ADDR: u64 = 1 << 3;
    pub(crate) const READ: u64 = 1 << 4;
    pub(crate) const CALLCHAIN: u64 = 1 << 5;
    pub(crate) const ID: u64 = 1 << 6;
    pub(crate) const CPU: u64 = 1 << 7;
    pub(crate) const PERIOD: u64 = 1 << 8;
    pub(crate) const STREAM_ID: u64 = 1 << 9;
    pub(crate) const RAW: u64 = 1 << 10;
    pub(crate) const BRANCH_STACK: u64 = 1 << 11;
    pub(crate) const STACK_USER: u64 = 1 << 13;
    pub(crate) const IDENTIFIER: u64 = 1 << 16;
}

/// Bits of `read_format`, which tell the layout of counter values.
pub(crate) mod read_format {
    pub(crate) const ENABLED: u64 = 1 << 0;
    pub(crate) const RUNNING: u64 = 1 << 1;
    pub(crate) const ID: u64 = 1 << 2;
    pub(crate) const GROUP: u64 = 1 << 3;
    pub(crate) const LOST: u64 = 1 << 4;
}

/// Bits of `branch_sample_type`, which tell which branches were recorded.
pub(crate) mod branch_sample_type {
    pub(crate) const ANY: u64 = 1 << 3;
    pub(crate) const IN_TX: u64 = 1 << 8;
    pub(crate) const NO_TX: u64 = 1 << 9;
    pub(crate) const CALL_STACK: u64 = 1 << 11;
    pub(crate) const TYPE_SAVE: u64 = 1 << 16;
    pub(crate) const HW_INDEX: u64 = 1 << 17;
}

/// Bits of `branch_sample_type` that select kinds of branches, with the words that perf accepts after `-j`.
const BRANCH_KINDS: [(u64, &str); 9] = [
    (1 << 4, "any_call"),
    (1 << 5, "any_ret"),
    (1 << 6, "ind_call"),
    (1 << 7, "abort_tx"),
    (branch_sample_type::IN_TX, "in_tx"),
    (branch_sample_type::NO_TX, "no_tx"),
    (1 << 10, "cond"),
    (1 << 12, "ind_jmp"),
    (1 << 13, "call"),
];

/// Numbers of the flag bits, counted from the lowest bit of a little-endian machine.
mod flag {
    pub(super) const FREQ: u32 = 10;
    pub(super) const SAMPLE_ID_ALL: u32 = 18;
    pub(super) const EXCLUDE_CALLCHAIN_KERNEL: u32 = 21;
    pub(super) const EXCLUDE_CALLCHAIN_USER: u32 = 22;
    pub(super) const COMM_EXEC: u32 = 24;
    pub(super) const USE_CLOCKID: u32 = 25;
}

/// Size in bytes of the first published `perf_event_attr` (PERF_ATTR_SIZE_VER0). A size of 0 means the same.
pub(crate) const MIN_ATTR_SIZE: u32 = 64;

/// One event of a recording, with the ids of its counters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventAttr {
    /// Name under which the event was recorded, if the file has the name.
    pub name: Option<String>,
    /// Type of the event (PERF_TYPE_*): 0 hardware, 1 software, 2 tracepoint, 3 cache, 4 raw; larger numbers are PMUs
    /// of the machine.
    pub event_type: u32,
    /// Number of the event within its type.
    pub config: u64,
    /// `config1` of perf, for PMUs whose events need more than `config`.
    pub config1: u64,
    /// `config2` of perf, for PMUs whose events need more than `config1`.
    pub config2: u64,
    /// Period in events, or frequency in Hz if [`EventAttr::is_frequency`].
    pub sample_period: u64,
    /// Fields of the event's samples (PERF_SAMPLE_*).
    pub sample_type: u64,
    /// Layout of counter values inside samples (PERF_FORMAT_*).
    pub read_format: u64,
    /// Flag bits, in little-endian numbering.
    pub flags: u64,
    /// Kinds of branches that were recorded (PERF_SAMPLE_BRANCH_*). 0 for stacks that `perf inject` made.
    pub branch_sample_type: u64,
    /// Registers in dumps of the user registers, one bit each.
    pub sample_regs_user: u64,
    /// Ids of the event's counters, one for each CPU or thread.
    pub ids: Vec<u64>,
}

impl EventAttr {
    /// Reads an attr from `bytes`, which may be longer or shorter than the attr that is known here. Fields that the
    /// writing perf did not know are 0. Fields that are not known here are ignored.
    pub(crate) fn parse(bytes: &[u8], order: ByteOrder) -> Option<Self> {
        let size = declared_size(bytes, order)?;
        let valid = &bytes[..bytes.len().min(size as usize)];
        let field = |at| order.u64(valid, at).unwrap_or(0);
        let flags = field(40);
        Some(Self {
            name: None,
            event_type: order.u32(valid, 0)?,
            config: field(8),
            config1: field(56),
            config2: field(64),
            sample_period: field(16),
            sample_type: field(24),
            read_format: field(32),
            // Big-endian machines allocate bit-fields from the top.
            flags: if order == ByteOrder::Big {
                flags.reverse_bits()
            } else {
                flags
            },
            branch_sample_type: field(72),
            sample_regs_user: field(80),
            ids: Vec::new(),
        })
    }

    /// Returns true if times are those of a clock that was chosen (`perf record -k`), and not those of the kernel's own
    /// clock, which the CPU's timer can be converted to.
    pub(crate) fn has_own_clock(&self) -> bool {
        self.flag(flag::USE_CLOCKID)
    }

    /// Returns true if samples of this event have a time.
    #[must_use]
    pub fn has_time(&self) -> bool {
        self.sample_type & sample_type::TIME != 0
    }

    /// Returns true if samples of this event have an instruction pointer and a process id.
    #[must_use]
    pub fn has_address_and_process(&self) -> bool {
        const BOTH: u64 = sample_type::IP | sample_type::TID;
        self.sample_type & BOTH == BOTH
    }

    /// Returns true if samples of this event have a branch stack.
    #[must_use]
    pub fn has_branch_stack(&self) -> bool {
        self.sample_type & sample_type::BRANCH_STACK != 0
    }

    /// Returns true if samples of this event have a call chain (`perf record -g`).
    #[must_use]
    pub fn has_call_chain(&self) -> bool {
        self.sample_type & sample_type::CALLCHAIN != 0
    }

    /// Returns true if call chains have frames of user space. They have none if user space was excluded, or if perf
    /// recorded pieces of the stack for a later unwinder (`perf record --call-graph dwarf`).
    #[must_use]
    pub fn has_user_call_chain(&self) -> bool {
        self.has_call_chain()
            && self.sample_type & sample_type::STACK_USER == 0
            && !self.flag(flag::EXCLUDE_CALLCHAIN_USER)
    }

    /// Returns true if call chains have frames of the kernel.
    #[must_use]
    pub fn has_kernel_call_chain(&self) -> bool {
        self.has_call_chain() && !self.flag(flag::EXCLUDE_CALLCHAIN_KERNEL)
    }

    /// Returns true if the "branch stack" holds call frames (`--call-graph lbr`). Call frames are not consecutive
    /// branches, so they are of no use for a profile.
    #[must_use]
    pub fn is_call_stack(&self) -> bool {
        self.has_branch_stack() && self.branch_sample_type & branch_sample_type::CALL_STACK != 0
    }

    /// Returns the kinds of branches that were recorded, as perf names them after `-j`. Empty if all kinds were
    /// recorded, or if the attr does not tell. If some kinds were left out, the code between two entries is not a
    /// straight-line range.
    #[must_use]
    pub fn branch_kinds(&self) -> Vec<&'static str> {
        use branch_sample_type::{ANY, CALL_STACK, IN_TX, NO_TX};
        const TRANSACTIONS: u64 = IN_TX | NO_TX;
        let asked = self.branch_sample_type;
        if !self.has_branch_stack() || asked & CALL_STACK != 0 {
            return Vec::new();
        }
        // With `any`, the other kinds add nothing. The restriction to branches inside of transactions also holds for
        // those kinds.
        let counts = if asked & ANY == 0 {
            u64::MAX
        } else if asked & TRANSACTIONS == IN_TX {
            IN_TX
        } else {
            0
        };
        let named = BRANCH_KINDS.iter().filter(|(bit, _)| asked & counts & bit != 0);
        named.map(|(_, name)| *name).collect()
    }

    /// Returns true if all kinds of branches were recorded, except inside of transactions (`-j any,no_tx`). Programs
    /// without transactions lose nothing by that. In other programs no entry shows the code that ran inside of a
    /// transaction.
    #[must_use]
    pub fn leaves_out_transactions(&self) -> bool {
        use branch_sample_type::{ANY, CALL_STACK, IN_TX, NO_TX};
        let asked = self.branch_sample_type;
        self.has_branch_stack() && asked & CALL_STACK == 0 && asked & (ANY | IN_TX | NO_TX) == ANY | NO_TX
    }

    /// Returns true if the branch type in the entries' flags can be trusted.
    #[must_use]
    pub fn has_branch_types(&self) -> bool {
        self.branch_sample_type & branch_sample_type::TYPE_SAVE != 0
    }

    /// Returns true if `sample_period` is a frequency in Hz.
    #[must_use]
    pub fn is_frequency(&self) -> bool {
        self.flag(flag::FREQ)
    }

    /// Returns true if records other than samples end in a trailer with time, process and CPU.
    #[must_use]
    pub fn sample_id_all(&self) -> bool {
        self.flag(flag::SAMPLE_ID_ALL)
    }

    /// Returns true if COMM records tell an exec from a mere change of the name.
    #[must_use]
    pub fn comm_exec(&self) -> bool {
        self.flag(flag::COMM_EXEC)
    }

    fn flag(&self, bit: u32) -> bool {
        self.flags >> bit & 1 != 0
    }

    /// Returns the recorded name, or a name made from type and config: `cycles`, `cpu-clock`, `r1c2`.
    #[must_use]
    pub fn label(&self) -> String {
        const HARDWARE: [&str; 10] = [
            "cycles",
            "instructions",
            "cache-references",
            "cache-misses",
            "branches",
            "branch-misses",
            "bus-cycles",
            "stalled-cycles-frontend",
            "stalled-cycles-backend",
            "ref-cycles",
        ];
        const SOFTWARE: [&str; 12] = [
            "cpu-clock",
            "task-clock",
            "page-faults",
            "context-switches",
            "cpu-migrations",
            "minor-faults",
            "major-faults",
            "alignment-faults",
            "emulation-faults",
            "dummy",
            "bpf-output",
            "cgroup-switches",
        ];
        if let Some(name) = &self.name {
            return name.clone();
        }
        // On hybrid machines, the upper half of a generic event's config names the PMU.
        let generic = (self.config & u64::from(u32::MAX)) as usize;
        let known = match self.event_type {
            0 => HARDWARE.get(generic),
            1 => SOFTWARE.get(generic),
            _ => None,
        };
        match (known, self.event_type) {
            (Some(name), _) => (*name).to_owned(),
            (None, 4) => format!("r{:x}", self.config),
            (None, kind) => format!("type {kind} config {:#x}", self.config),
        }
    }
}

/// Returns the size in bytes that an attr states. 0 means the first published size.
pub(crate) fn declared_size(bytes: &[u8], order: ByteOrder) -> Option<u32> {
    match order.u32(bytes, 4)? {
        0 => Some(MIN_ATTR_SIZE),
        size => Some(size),
    }
}

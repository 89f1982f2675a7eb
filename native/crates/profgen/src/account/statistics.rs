//! The numbers of a job and of each of its binaries.

use job::Error;

use crate::account::ledger::Ledger;

/// Numbers about a job.
#[derive(Debug, Clone, Default)]
pub struct Statistics {
    /// Bytes of the inputs that were read.
    pub input_bytes: u64,
    /// Samples read.
    pub samples: u64,
    /// Of these, with a branch stack of at least one entry.
    pub branch_samples: u64,
    /// Sampled addresses count, because there are no branch stacks, or because that was asked for.
    pub by_addresses: bool,
    /// Of these: they are those of instructions, whatever time these take.
    pub by_instructions: bool,
    /// What became of every branch entry, or of every sampled address. With `Policy::LLVM_PROFGEN` and several binaries it is the sum of the ledgers of one job for each.
    pub ledger: Ledger,
    /// Records that the kernel could not deliver, as it reported them.
    pub lost_records: u64,
    /// Where the first input that is damaged ends early, and why.
    pub damage: Option<String>,
    /// Mappings of the binary that were followed.
    pub mappings: u64,
    /// Processes these belong to.
    pub processes: u64,
    /// Distinct straight-line ranges.
    pub ranges: u64,
    /// Distinct branches.
    pub branches: u64,
    /// Top-level functions in the profile.
    pub functions: u64,
    /// Sum of all body counts.
    pub total_count: u64,
    /// Largest body count.
    pub max_count: u64,
    /// Samples for each instruction line of the hot part; see llvm-profgen's `--show-density`.
    pub density: f64,
}

impl Statistics {
    /// An error that something is missing in the inputs: if an input ends early, that is the probable cause.
    pub(crate) fn missing(&self, error: Error) -> Error {
        match &self.damage {
            Some(damage) => error.hint(format!(
                "A part of the input is missing, and what was needed may have been in it ({damage}). Copy the file again from where it was \
                 recorded, or record again."
            )),
            None => error,
        }
    }

    /// Adds what came of a binary that has a result.
    pub(crate) fn add(&mut self, binary: &BinaryStatistics, is_first: bool) {
        self.mappings += binary.mappings;
        self.processes += binary.processes;
        self.ranges += binary.ranges;
        self.branches += binary.branches;
        self.functions += binary.functions;
        self.total_count = self.total_count.saturating_add(binary.total_count);
        self.max_count = self.max_count.max(binary.max_count);
        self.density = if is_first {
            binary.density
        } else {
            self.density.min(binary.density)
        };
    }
}

/// Numbers about one binary. Those of a job are their sums; the largest count and the density are the largest and the lowest of all.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct BinaryStatistics {
    /// Branch entries with at least one end in the binary. An entry from one binary to another is an entry of both.
    pub entries: u64,
    /// Of these, followed by a run across a call, return or jump.
    pub crosses_barrier: u64,
    /// Of these, followed by a run that starts in no function of the debug information.
    pub no_function: u64,
    /// See [`Statistics::mappings`].
    pub mappings: u64,
    /// See [`Statistics::processes`].
    pub processes: u64,
    /// See [`Statistics::ranges`].
    pub ranges: u64,
    /// See [`Statistics::branches`].
    pub branches: u64,
    /// See [`Statistics::functions`].
    pub functions: u64,
    /// See [`Statistics::total_count`].
    pub total_count: u64,
    /// See [`Statistics::max_count`].
    pub max_count: u64,
    /// See [`Statistics::density`].
    pub density: f64,
}

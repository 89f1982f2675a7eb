//! The numbers of a job and of each of its binaries.

use job::Error;

use crate::account::ledger::Ledger;

/// Numbers about a job.
#[derive(Debug, Clone, Default)]
pub struct Statistics {
    /// Number of bytes of the inputs that were read.
    pub input_bytes: u64,
    /// Number of samples that were read.
    pub samples: u64,
    /// Number of samples with a branch stack of at least one entry.
    pub branch_samples: u64,
    /// True if sampled addresses count, because there are no branch stacks, or because the caller asked for
    /// it.
    pub by_addresses: bool,
    /// True if sampled addresses count, and the event counts instructions, whatever time they take.
    pub by_instructions: bool,
    /// The ledger of all branch entries, or of all sampled addresses. With `Policy::LLVM_PROFGEN` and several
    /// binaries, the sum of the ledgers of one job for each binary.
    pub ledger: Ledger,
    /// Number of records that the kernel reported as lost.
    pub lost_records: u64,
    /// Where the first damaged input ends early, and why; `None` if no input is damaged.
    pub damage: Option<String>,
    /// Number of mappings of the binary that were followed.
    pub mappings: u64,
    /// Number of processes that these mappings belong to.
    pub processes: u64,
    /// Number of distinct straight-line ranges.
    pub ranges: u64,
    /// Number of distinct branches.
    pub branches: u64,
    /// Number of top-level functions in the profile.
    pub functions: u64,
    /// Sum of all body counts.
    pub total_count: u64,
    /// Largest body count.
    pub max_count: u64,
    /// Number of samples for each instruction line of the hot part; see llvm-profgen's `--show-density`.
    pub density: f64,
}

impl Statistics {
    /// Completes an error about something that is missing in the inputs. If an input ends early, the error
    /// names this as the probable cause.
    pub(crate) fn missing(&self, error: Error) -> Error {
        match &self.damage {
            Some(damage) => error.hint(format!(
                "A part of the input is missing, and the records for this binary may have been in that part ({damage}). Copy the file again from where it was \
                 recorded, or record again."
            )),
            None => error,
        }
    }

    /// Adds the numbers of a binary that has a result.
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

/// Numbers about one binary. The numbers of a job are the sums of these, except that the largest count is the
/// largest of all, and the density is the lowest of all.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct BinaryStatistics {
    /// Number of branch entries with at least one end in the binary. An entry from one binary to another
    /// counts for both.
    pub entries: u64,
    /// Number of these entries that are followed by a run across a call, return or jump.
    pub crosses_barrier: u64,
    /// Number of these entries that are followed by a run which starts in no function of the debug
    /// information.
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

//! The counts of the inputs of a job, whatever form the inputs have.

use elf::TextPoke;
use job::{Diagnostic, Error};
use rustc_hash::FxHashSet;

use crate::account::ledger::Ledger;
use crate::account::statistics::Statistics;
use crate::binaries::code_space::CodeSpace;
use crate::binaries::id::ByBinary;
use crate::binaries::mapped::Mapped;
use crate::counting::bolt::TargetTraces;
use crate::counting::call_sites::{CallSite, CallSites};
use crate::counting::context_counts::ContextCounts;
use crate::counting::sampled::{AddressCounts, TargetAddresses};
use crate::counting::trace::TargetCounters;

/// The counts of the inputs.
pub(crate) struct Samples {
    pub targets: ByBinary<TargetSamples>,
    pub statistics: Statistics,
    pub diagnostics: Vec<Diagnostic>,
    /// The mappings of the inputs, if binaries are looked for.
    pub mapped: Mapped,
}

/// The counts of one target.
#[derive(Default)]
pub(crate) struct TargetSamples {
    pub counters: TargetCounters,
    /// Traces for BOLT, instead of the counts above, if they are wanted.
    pub bolt: TargetTraces,
    /// Sampled addresses, instead of the counts above, if addresses count.
    pub addresses: TargetAddresses,
    /// The call sites in the call chains of these samples.
    pub call_sites: Vec<CallSite>,
    /// Counts by calling context; `None` if they are not wanted or not known.
    pub contexts: Option<Box<ContextCounts>>,
    /// Number of mappings of the target.
    pub mappings: u64,
    /// Number of processes that these mappings belong to.
    pub processes: u64,
    /// True if a mapping of the target has the target's build id in the recording.
    pub same_build: bool,
    /// Code of the target that was rewritten while it was recorded.
    pub pokes: FxHashSet<TextPoke>,
    /// The reason why the target has no samples, although other targets may have some.
    pub failure: Option<Error>,
}

/// Gives each target its sampled addresses and their call sites. Returns the ledger of the addresses.
pub(crate) fn add_addresses(
    targets: &mut ByBinary<TargetSamples>,
    addresses: AddressCounts,
    call_sites: CallSites,
    space: &CodeSpace,
) -> Ledger {
    let (addresses, ledger) = addresses.into_addresses(space);
    for (id, addresses) in addresses {
        let samples = targets.entry(id).or_default();
        samples.counters.entries = addresses.iter().map(|(_, hits)| hits.sum()).sum();
        samples.addresses = addresses;
    }
    for (id, sites) in call_sites.into_sites(space) {
        targets.entry(id).or_default().call_sites = sites;
    }
    ledger
}

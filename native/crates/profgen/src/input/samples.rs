//! What the inputs of a job came to, whatever their form.

use elf::TextPoke;
use job::{Diagnostic, Error};
use rustc_hash::FxHashSet;

use crate::account::statistics::Statistics;
use crate::binaries::id::ByBinary;
use crate::binaries::mapped::Mapped;
use crate::counting::bolt::TargetTraces;
use crate::counting::call_sites::CallSite;
use crate::counting::context_counts::ContextCounts;
use crate::counting::sampled::TargetAddresses;
use crate::counting::trace::TargetCounters;

/// What the inputs came to.
pub(crate) struct Samples {
    pub targets: ByBinary<TargetSamples>,
    pub statistics: Statistics,
    pub diagnostics: Vec<Diagnostic>,
    /// What was mapped, if binaries are looked for.
    pub mapped: Mapped,
}

/// What they came to for one target.
#[derive(Default)]
pub(crate) struct TargetSamples {
    pub counters: TargetCounters,
    /// Instead of these, if that is wanted.
    pub bolt: TargetTraces,
    /// Instead of these, if addresses count.
    pub addresses: TargetAddresses,
    /// What the call chains of these samples say.
    pub call_sites: Vec<CallSite>,
    /// The same by calling context, if that is wanted and known.
    pub contexts: Option<Box<ContextCounts>>,
    /// Mappings of it.
    pub mappings: u64,
    /// Processes that these belong to.
    pub processes: u64,
    /// A mapping of it in the recording has its build id.
    pub same_build: bool,
    /// Code of it that was rewritten meanwhile.
    pub pokes: FxHashSet<TextPoke>,
    /// Why there are no samples of it, although there may be of others.
    pub failure: Option<Error>,
}

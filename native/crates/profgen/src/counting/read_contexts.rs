//! Counts by calling context that come from a file instead of from samples.

use elf::Svma;
use sampleprof::LineLocation;

use crate::counting::counter::Counted;

/// Counts of one context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadContext {
    /// The context that the counts belong to.
    pub context: Context,
    /// Ranges and branches of the context.
    pub counted: Counted,
}

/// The callers of a context, the outermost first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Context {
    /// The addresses of the calls, in counters for a profile by probes.
    Calls(Vec<Svma>),
    /// The names of the functions, the executed function included, each with the place of the call in it, in
    /// counters for a profile by lines.
    Frames(Vec<(Vec<u8>, LineLocation)>),
}

//! Counts by calling context that come from a file instead of samples.

use elf::Svma;
use sampleprof::LineLocation;

use crate::counting::counter::Counted;

/// What was counted in one context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadContext {
    /// The context.
    pub context: Context,
    /// What was counted.
    pub counted: Counted,
}

/// Callers, the outermost first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Context {
    /// The addresses of the calls: in counters for a profile by probes.
    Calls(Vec<Svma>),
    /// The names of the functions, the one that was executed included, each with the place of the call in it: in counters for a profile by lines.
    Frames(Vec<(Vec<u8>, LineLocation)>),
}

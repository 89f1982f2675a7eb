//! Jobs on existing profiles: merge, convert, show, compare.
//!
//! `sampleprof` does the work in memory. This crate reads and writes the files, warns of problems, and prepares
//! what users see.

mod call_targets;
mod compare;
mod contexts;
mod demangle;
mod file;
mod losses;
mod merge;
mod show;

pub use call_targets::{TargetShare, TargetShift};
pub use compare::{CompareRequest, Comparison, compare, lost_similarity};
pub use contexts::{ColdThreshold, ContextOptions, Layout};
pub use demangle::demangle;
pub use merge::{MergeOutcome, MergeRequest, WeightedFile, merge};
pub use show::{Description, FunctionLine, ShowRequest, show};

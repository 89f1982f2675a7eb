//! LLVM sample profiles: the data model, summary, text, binary and extbinary forms, merging.
//!
//! A [`Profile`] is plain data: a [`NameTable`] and a list of [`FunctionSamples`] that refer to it by [`NameId`].
//! [`write`] turns one into bytes, [`read`] does the reverse for every encoding that `llvm-profdata` 22 writes.
//!
//! Facts about the encodings come from LLVM's `SampleProf.h`, `SampleProfReader.cpp` and `SampleProfWriter.cpp`
//! (release 22) and from comparing with `llvm-profdata` and `llvm-profgen` of that release.

mod binary;
mod combine;
mod context;
mod coroutines;
mod density;
mod extbinary;
mod filter;
mod join;
mod leb128;
mod location;
mod merge;
mod model;
mod name_table;
mod overlap;
mod positions;
mod postprocess;
mod prune;
mod read;
mod render;
mod spelling;
mod stats;
mod summary;
mod text;
mod write;

pub use combine::add_up_targets;
pub use context::{ColdContexts, ContextId, ContextTable, Frame, FullName, NestError, call_site_hash};
pub use density::{DensityReport, density};
pub use extbinary::SectionInfo;
pub use filter::NameFilter;
pub use join::Combine;
pub use location::LineLocation;
pub use merge::{ChecksumMismatch, Content, InputError, MergeError, MergeInput, MergeOptions, Merged, merge};
pub use model::{BodyRecord, CallTarget, FunctionSamples, MAX_INLINE_DEPTH, Mark, Profile, ProfileFlags, attribute};
pub use name_table::{Name, NameId, NameTable};
pub use overlap::{FunctionOverlap, OverlapError, OverlapReport, SampleOverlap, Shares, overlap};
pub use prune::write_within;
pub use read::{Foreign, Place, ReadError, ReadErrorKind, format_of, read, sections};
pub use render::{render_function_overlap, render_hot_functions, render_overlap, render_sections};
pub use stats::{HOT_CUTOFF, HotFunction, HotFunctions, hot_functions};
pub use summary::{DEFAULT_CUTOFFS, ProfileSummary, SummaryEntry};
pub use text::{names_that_text_changes, parse_context};
pub use write::{Format, SymbolListEncoding, WriteError, WriteOptions, write};

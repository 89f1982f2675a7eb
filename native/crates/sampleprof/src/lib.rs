//! LLVM sample profiles: the data model, summary, text, binary and extbinary forms, merging.
//!
//! A [`Profile`] is plain data: a [`NameTable`] and a list of [`FunctionSamples`] that refer to it by [`NameId`].
//! [`write`] turns one into bytes, [`read`] does the reverse for every encoding that `llvm-profdata` 22 writes.
//!
//! Facts about the encodings come from LLVM's `SampleProf.h`, `SampleProfReader.cpp` and `SampleProfWriter.cpp`
//! (release 22) and from comparing with `llvm-profdata` and `llvm-profgen` of that release.

mod binary;
mod combine;
mod density;
mod extbinary;
mod leb128;
mod location;
mod merge;
mod model;
mod name_table;
mod postprocess;
mod read;
mod summary;
mod text;
mod write;

pub use density::{DensityReport, density};
pub use extbinary::SectionInfo;
pub use location::LineLocation;
pub use merge::{ChecksumMismatch, Content, InputError, MergeError, MergeInput, MergeOptions, Merged, merge};
pub use model::{BodyRecord, CallTarget, FunctionSamples, MAX_INLINE_DEPTH, Profile, ProfileFlags, attribute};
pub use name_table::{Name, NameId, NameTable};
pub use read::{Foreign, Place, ReadError, ReadErrorKind, format_of, read, sections};
pub use summary::{DEFAULT_CUTOFFS, ProfileSummary, SummaryEntry};
pub use write::{Format, SymbolListEncoding, WriteError, WriteOptions, write};

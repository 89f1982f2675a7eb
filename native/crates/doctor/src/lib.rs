//! What a binary says about its fitness for AutoFDO: facts, without a judgement.
//!
//! Nothing is decoded and no function is read; a vmlinux of 600 MB takes a fraction of a second. What the facts mean for a
//! profile, and what to do about it, is told in `src/diagnosis` of the package.

mod examine;
mod kernel;
mod places;

pub use examine::{DebugFile, Examination, ExamineRequest, examine};
pub use kernel::{ConfigOption, Kernel};
pub use places::{PlacesRequest, source_places};

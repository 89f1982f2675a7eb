//! States facts about how well a binary suits AutoFDO, without a judgement.
//!
//! No instruction is decoded and no function is read, so a vmlinux of 600 MB takes a fraction of a second.
//! `src/diagnosis` of the package says what the facts mean for a profile, and what users can do.

mod examine;
mod kernel;
mod places;

pub use examine::{DebugFile, Examination, ExamineRequest, examine};
pub use kernel::{ConfigOption, Kernel};
pub use places::{PlacesRequest, source_places};

//! From branch stacks to a sample profile: counters, ranges, attribution; the pipeline.

mod error;
mod ledger;
mod observer;
mod options;
mod outcome;
mod pipeline;

pub use error::{Error, ErrorCode};
pub use ledger::{EntryClass, Ledger};
pub use observer::{Observer, Phase, Progress, Silent};
pub use options::{Compat, Format, GenerateOptions, Input, Output, Selection};
pub use outcome::{Diagnostic, Outcome, Severity, Statistics};
pub use pipeline::generate;

//! From branch stacks to a sample profile: counters, ranges, attribution; the pipeline.

mod addresses;
mod attribution;
mod binaries;
mod counting;
mod input;
mod job;
mod output;
mod pipeline;
mod report;

pub use asm::Syntax;
pub use job::options::{Compat, Format, GenerateOptions, Input, Output, Selection};
pub use output::files::write_atomically;
pub use pipeline::generate;
pub use report::error::{Error, ErrorCode};
pub use report::failure::{image_error, symbolize_error};
pub use report::ledger::{EntryClass, Ledger};
pub use report::listing::{ListingOptions, list_code};
pub use report::observer::{Observer, Phase, Progress, Silent};
pub use report::outcome::{BinaryOutcome, BinaryStatistics, Diagnostic, Outcome, Severity, Statistics};

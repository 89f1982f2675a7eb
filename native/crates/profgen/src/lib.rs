//! From branch stacks to a sample profile: counters, ranges, attribution; the pipeline.

mod addresses;
mod attribution;
mod binaries;
mod counting;
mod input;
mod output;
mod pipeline;
mod report;
mod request;

pub use disasm::Syntax;
pub use job::{Diagnostic, Error, ErrorCode, Observer, Output, Phase, Progress, Severity, Silent};
pub use pipeline::generate;
pub use report::ledger::{EntryClass, Ledger};
pub use report::listing::{ListingOptions, list_code};
pub use report::outcome::{BinaryOutcome, BinaryStatistics, Outcome, Statistics};
pub use request::options::{Compat, Format, GenerateOptions, Input, Selection};

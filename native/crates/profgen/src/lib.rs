//! Makes a sample profile from branch stacks: counters, ranges, attribution, and the pipeline.

mod account;
mod addresses;
mod attribution;
mod binaries;
mod counting;
mod gather;
mod inference;
mod input;
mod output;
mod pipeline;
mod report;
mod request;

pub use account::ledger::{EntryClass, Ledger};
pub use account::statistics::{BinaryStatistics, Statistics};
pub use disasm::{ListingOptions, Syntax};
pub use gather::{CollectOptions, CollectOutcome, Rotation, WrittenShard, collect};
pub use job::{Diagnostic, Error, ErrorCode, Observer, Output, Phase, Progress, Severity, Silent};
pub use output::listing::list_code;
pub use pipeline::generate;
pub use report::outcome::{BinaryOutcome, Outcome};
pub use report::sample_survey::{SampleSurvey, SharedName};
pub use request::options::{BoltFormat, Format, GenerateOptions, Input, SampleUse, Selection};
pub use request::policy::Policy;
pub use request::pre_inlining::PreInlining;
pub use request::words::Words;
pub use traceshard::Loss;

//! From branch stacks to a sample profile: counters, ranges, attribution; the pipeline.

mod attribute;
mod binding;
mod collect;
mod compat;
mod contexts;
mod counters;
mod counters_text;
mod debug_report;
mod discriminator;
mod disjoint;
mod entry_points;
mod error;
mod explain;
mod failure;
mod fall_through;
mod ledger;
mod locate;
mod observer;
mod options;
mod outcome;
mod output;
mod pipeline;
mod postprocess;
mod profile;
mod sampling;
mod stack;
mod target;
mod trace;

pub use error::{Error, ErrorCode};
pub use ledger::{EntryClass, Ledger};
pub use observer::{Observer, Phase, Progress, Silent};
pub use options::{Compat, Format, GenerateOptions, Input, Output, Selection};
pub use outcome::{Diagnostic, Outcome, Severity, Statistics};
pub use output::write_atomically;
pub use pipeline::generate;

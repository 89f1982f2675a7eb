//! The parts that all jobs share: errors with remedies, diagnostics, progress and cancellation, threads, output.
//!
//! The crates of the stages (`perfdata`, `elf`, `symbolize`, ...) have their own error types and do not depend on
//! this crate. This crate translates their errors into the one type that callers see. The crates of the jobs
//! (`profgen`, `profdata`, `doctor`) depend on this crate, but not on each other.

mod diagnostic;
mod diagnostic_code;
mod error;
pub mod failure;
mod input_files;
mod number;
mod observer;
mod output;
mod profile_warnings;
mod repeated_inputs;
mod sample_workers;
mod standard_input;
mod system;
mod threads;

pub use diagnostic::{Diagnostic, Severity};
pub use diagnostic_code::DiagnosticCode;
pub use error::{Error, ErrorCode};
pub use input_files::{InputFiles, check_exist};
pub use number::{count_of, form};
pub use observer::{InputNumber, InputObserver, Observer, Phase, Progress, Silent, check, keep_going};
pub use output::{GrowingFile, Output, make_output_folder, write_atomically, write_folder};
pub use profile_warnings::{SmallerCounts, profile_warnings};
pub use repeated_inputs::repeated_inputs;
pub use sample_workers::{SampleWorker, SampleWorkers, TakeSamples};
pub use standard_input::read_stdin;
pub use system::system_reason;
pub use threads::on_threads;

//! The job's line to whoever started it: progress out, cancellation in.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::Error;

/// A stage of the pipeline, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Reading and adding up profiles; the only phase of a job that merges.
    Merge,
    /// Opening the binary and the inputs.
    Open,
    /// Finding record boundaries and mappings.
    Scan,
    /// Counting branch stacks; at the same time the function table is read.
    Decode,
    /// Reading lines and inline stacks.
    Symbolize,
    /// Attributing counts to source lines.
    Attribute,
    /// Encoding and writing the profile.
    Write,
}

impl Phase {
    /// The phase as users see it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Open => "open",
            Self::Scan => "scan",
            Self::Decode => "decode",
            Self::Symbolize => "symbolize",
            Self::Attribute => "attribute",
            Self::Write => "write",
        }
    }
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The running stage.
    pub phase: Phase,
    /// Units of work done in this stage (bytes of input when decoding, profiles when merging).
    pub done: u64,
    /// Units in all, 0 when not known (a stream).
    pub total: u64,
}

/// Receives progress, from several threads and often: it must be cheap.
pub trait Observer: Sync {
    /// Called at the start of each phase and after every block of work.
    fn progress(&self, progress: Progress);
    /// Set to end the job; it is looked at every few milliseconds of work.
    fn cancel_flag(&self) -> Arc<AtomicBool>;
}

/// Ignores all progress and never cancels.
pub struct Silent;

impl Observer for Silent {
    fn progress(&self, _: Progress) {}
    fn cancel_flag(&self) -> Arc<AtomicBool> {
        Arc::default()
    }
}

/// Looks whether the job goes on.
///
/// # Errors
/// `Aborted` if it was cancelled.
pub fn check(observer: &dyn Observer) -> Result<(), Error> {
    if observer.cancel_flag().load(Ordering::Relaxed) {
        Err(Error::aborted())
    } else {
        Ok(())
    }
}

/// False once the job was cancelled.
pub fn keep_going(observer: &dyn Observer) -> impl Fn() -> bool + Sync + use<> {
    let flag = observer.cancel_flag();
    move || !flag.load(Ordering::Relaxed)
}

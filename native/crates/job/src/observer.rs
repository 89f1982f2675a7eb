//! Progress and cancellation: a running job reports its progress, and its caller may cancel the job.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::Error;

/// A stage of the pipeline, in the order in which the stages run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// The job reads and adds profiles. This is the only phase of a job that merges.
    Merge,
    /// The job opens the binary and the inputs.
    Open,
    /// The job finds the boundaries of records, and the mappings.
    Scan,
    /// The job counts branch stacks. At the same time it reads the function table.
    Decode,
    /// The job reads source lines and inline stacks.
    Symbolize,
    /// The job attributes counts to source lines.
    Attribute,
    /// The job encodes and writes the profile.
    Write,
}

impl Phase {
    /// Returns the name of the phase as users see it.
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

/// The progress of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The phase that is running.
    pub phase: Phase,
    /// Number of units of work done in this phase (bytes of input while decoding, profiles while merging).
    pub done: u64,
    /// Number of units of work in this phase; 0 if the number is not known, as for a stream.
    pub total: u64,
    /// Number of the input that is being read, if there are several inputs.
    pub input: Option<InputNumber>,
}

/// The place of an input among several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InputNumber {
    /// Number of the input that is being read, from 1.
    pub number: u64,
    /// Number of all inputs.
    pub count: u64,
}

impl Progress {
    /// Makes the progress of a phase that has just begun.
    #[must_use]
    pub fn start(phase: Phase) -> Self {
        Self::of(phase, 0, 0)
    }

    /// Makes the progress of a phase after `done` of `total` units of work; `total` is 0 if it is not known.
    #[must_use]
    pub fn of(phase: Phase, done: u64, total: u64) -> Self {
        Self {
            phase,
            done,
            total,
            input: None,
        }
    }
}

/// Receives progress. Several threads call it often, so it must be cheap.
pub trait Observer: Sync {
    /// Receives the progress at the start of each phase and after every block of work.
    fn progress(&self, progress: Progress);
    /// Returns the flag that cancels the job when it is set. The job reads the flag every few milliseconds of work.
    fn cancel_flag(&self) -> Arc<AtomicBool>;
}

/// Reports the progress in one of several inputs as progress in all inputs.
pub struct InputObserver<'a> {
    observer: &'a dyn Observer,
    input: InputNumber,
    /// Number of bytes in the inputs before this one.
    before: u64,
    /// Number of bytes in all inputs; 0 if one of them is a stream.
    total: u64,
}

impl<'a> InputObserver<'a> {
    /// Returns one observer for each input, in order.
    #[must_use]
    pub fn for_each(paths: &[PathBuf], observer: &'a dyn Observer) -> Vec<Self> {
        let sizes: Vec<Option<u64>> = paths.iter().map(|path| size(path)).collect();
        let total = sizes.iter().copied().sum::<Option<u64>>().unwrap_or(0);
        let count = paths.len() as u64;
        let mut before = 0;
        (1..)
            .zip(sizes)
            .map(|(number, size)| {
                let input = InputNumber { number, count };
                let this = Self {
                    observer,
                    input,
                    before,
                    total,
                };
                before += size.unwrap_or(0);
                this
            })
            .collect()
    }
}

impl Observer for InputObserver<'_> {
    fn progress(&self, progress: Progress) {
        let progress = if progress.phase == Phase::Decode && self.input.count > 1 {
            Progress {
                done: self.before + progress.done,
                total: self.total,
                input: Some(self.input),
                ..progress
            }
        } else {
            progress
        };
        self.observer.progress(progress);
    }

    fn cancel_flag(&self) -> Arc<AtomicBool> {
        self.observer.cancel_flag()
    }
}

/// Returns the size in bytes of a file, or of all files in the folder that `perf record --threads` makes. Returns
/// `None` for a stream, and for an input that does not exist; the reader of that input reports the error.
fn size(path: &Path) -> Option<u64> {
    let Ok(metadata) = path.metadata() else {
        return (path != Path::new("-")).then_some(0);
    };
    if metadata.is_dir() {
        let files = path.read_dir().ok()?.filter_map(|entry| entry.ok()?.metadata().ok());
        return Some(files.filter(Metadata::is_file).map(|file| file.len()).sum());
    }
    metadata.is_file().then_some(metadata.len())
}

/// An observer that ignores all progress and never cancels.
pub struct Silent;

impl Observer for Silent {
    fn progress(&self, _: Progress) {}
    fn cancel_flag(&self) -> Arc<AtomicBool> {
        Arc::default()
    }
}

/// Checks that the job has not been cancelled.
///
/// # Errors
/// `Aborted` if the job was cancelled.
pub fn check(observer: &dyn Observer) -> Result<(), Error> {
    if observer.cancel_flag().load(Ordering::Relaxed) {
        Err(Error::aborted())
    } else {
        Ok(())
    }
}

/// Returns a function that returns false once the job was cancelled.
pub fn keep_going(observer: &dyn Observer) -> impl Fn() -> bool + Sync + use<> {
    let flag = observer.cancel_flag();
    move || !flag.load(Ordering::Relaxed)
}

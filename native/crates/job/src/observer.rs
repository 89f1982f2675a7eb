//! What a running job and its caller tell each other: the job reports progress, the caller may cancel.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::Error;

/// A stage of the pipeline, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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
    /// Which of several inputs is being read, if there are several.
    pub input: Option<InputNumber>,
}

/// The place of an input among several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InputNumber {
    /// Of the input that is being read, from 1.
    pub number: u64,
    /// How many there are.
    pub count: u64,
}

impl Progress {
    /// A phase has begun.
    #[must_use]
    pub fn start(phase: Phase) -> Self {
        Self::of(phase, 0, 0)
    }

    /// Work done in a phase; `total` is 0 if it is not known.
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

/// Receives progress, from several threads and often: it must be cheap.
pub trait Observer: Sync {
    /// Called at the start of each phase and after every block of work.
    fn progress(&self, progress: Progress);
    /// Set to end the job; it is looked at every few milliseconds of work.
    fn cancel_flag(&self) -> Arc<AtomicBool>;
}

/// Reports the reading of one of several inputs as a part of reading them all.
pub struct InputObserver<'a> {
    observer: &'a dyn Observer,
    input: InputNumber,
    /// Bytes in the inputs before it.
    before: u64,
    /// Bytes in all inputs, 0 if one of them is a stream.
    total: u64,
}

impl<'a> InputObserver<'a> {
    /// An observer for each of the inputs.
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

/// Bytes of a file, or of the files in the folder that `perf record --threads` makes; `None` for a stream. An input that does not exist
/// has none: the one who opens it says so.
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

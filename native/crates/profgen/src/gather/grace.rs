//! The time in which a stream may end by itself after the job was cancelled.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use job::{Observer, Progress};

use crate::input::recording::STANDARD_INPUT;

/// Longest time that a cancelled job reads on. Ctrl-C also reaches perf, which then writes what it still holds and
/// closes the pipe. Container runtimes kill a process 10 seconds after they asked it to end.
const GRACE: Duration = Duration::from_secs(5);

/// Time between two looks at the flag of the job.
const PAUSE: Duration = Duration::from_millis(50);

/// An observer whose flag is set when the job is cancelled, or some time later if a [grace](Grace::grant) was granted.
pub(crate) struct Grace<'a> {
    observer: &'a dyn Observer,
    /// `None`: the input is a file, and needs no grace.
    watch: Option<Watch>,
}

struct Watch {
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    is_granted: AtomicBool,
    is_over: Arc<AtomicBool>,
    ends: AtomicBool,
}

impl<'a> Grace<'a> {
    /// Observes the reading of an input. An input that is no file is watched by a thread.
    pub(crate) fn new(path: &Path, observer: &'a dyn Observer) -> Self {
        let is_stored = path.as_os_str() != STANDARD_INPUT && (path.is_file() || path.is_dir());
        let watch = (!is_stored).then(|| Watch::new(observer.cancel_flag())).flatten();
        Self { observer, watch }
    }

    /// Lets the input be read for 5 seconds more after the job was cancelled.
    pub(crate) fn grant(&self) {
        if let Some(watch) = &self.watch {
            watch.shared.is_granted.store(true, Ordering::Relaxed);
        }
    }

    /// Returns true if the input was cut off.
    pub(crate) fn is_over(&self) -> bool {
        self.cancel_flag().load(Ordering::Relaxed)
    }
}

impl Observer for Grace<'_> {
    fn progress(&self, progress: Progress) {
        self.observer.progress(progress);
    }

    fn cancel_flag(&self) -> Arc<AtomicBool> {
        match &self.watch {
            Some(watch) => Arc::clone(&watch.shared.is_over),
            None => self.observer.cancel_flag(),
        }
    }
}

impl Watch {
    /// Returns `None` if the system cannot start a thread. Then there is no grace.
    fn new(cancelled: Arc<AtomicBool>) -> Option<Self> {
        let shared = Arc::new(Shared::default());
        let seen = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("grace of a stream".to_owned())
            .spawn(move || seen.watch(&cancelled));
        Some(Self {
            shared,
            thread: thread.ok()?,
        })
    }
}

impl Shared {
    fn watch(&self, cancelled: &AtomicBool) {
        let mut since = None;
        while !self.ends.load(Ordering::Relaxed) {
            if cancelled.load(Ordering::Relaxed) {
                let since: &Instant = since.get_or_insert_with(Instant::now);
                if !self.is_granted.load(Ordering::Relaxed) || since.elapsed() >= GRACE {
                    self.is_over.store(true, Ordering::Relaxed);
                    return;
                }
            }
            thread::park_timeout(PAUSE);
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.ends.store(true, Ordering::Relaxed);
        self.thread.thread().unpark();
    }
}

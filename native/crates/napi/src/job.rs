//! Connects a running job with JavaScript: reports progress, and receives the cancellation.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use job::{Observer, Phase, Progress};
use napi::Status;
use napi::bindgen_prelude::Unknown;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi_derive::napi;

use crate::number::count;

/// Shortest time between two reports of one phase.
const REPORT_INTERVAL: Duration = Duration::from_millis(100);

/// A JavaScript callback that never keeps the process alive (weak) and never makes a worker wait. A job makes one
/// report for each phase and ten reports a second, so no report has to be dropped however long JavaScript is busy.
pub type ProgressFunction =
    ThreadsafeFunction<BindingProgress, Unknown<'static>, BindingProgress, Status, false, true, 0>;

/// The progress of a job.
#[napi(object, object_from_js = false)]
pub struct BindingProgress {
    /// The phase that is running.
    #[napi(ts_type = "'open' | 'scan' | 'decode' | 'symbolize' | 'attribute' | 'write' | 'merge'")]
    pub phase: String,
    /// Number of units of work done in this phase (bytes of input while decoding).
    pub done: f64,
    /// Number of units of work in this phase; 0 if it is not known.
    pub total: f64,
    /// Number of the input that is being read, from 1, if there are several.
    pub file: Option<f64>,
    /// Number of inputs, if there are several.
    pub files: Option<f64>,
}

/// Cancels the job that it was given to. The abort signals of Node-API cannot stop a task that runs, so the token
/// is a flag that the job reads.
#[napi]
#[derive(Default)]
pub struct BindingCancelToken {
    flag: Arc<AtomicBool>,
}

#[napi]
impl BindingCancelToken {
    /// Makes a token that does not cancel yet.
    #[napi(constructor)]
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancels the job within milliseconds. Further calls have no effect.
    #[napi]
    pub fn cancel(&self) {
        self.flag.store(true, Ordering::Relaxed);
    }

    pub(crate) fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.flag)
    }
}

/// Connects a job with its JavaScript caller.
pub struct Job {
    cancelled: Arc<AtomicBool>,
    on_progress: Option<ProgressFunction>,
    last_report: Mutex<Option<Report>>,
}

/// The last report to JavaScript.
#[derive(Clone, Copy)]
struct Report {
    phase: Phase,
    time: Instant,
}

impl Job {
    pub(crate) fn new(cancelled: Arc<AtomicBool>, on_progress: Option<ProgressFunction>) -> Self {
        Self {
            cancelled,
            on_progress,
            last_report: Mutex::new(None),
        }
    }

    /// Reports to JavaScript if a new phase begins or the interval has passed. Phases overlap, because blocks are
    /// decoded while later ones are scanned. Listeners hear only of the latest phase, and reports reach them in
    /// order.
    fn report(&self, progress: Progress) {
        let Some(report) = &self.on_progress else {
            return;
        };
        // The lock costs little: this runs once for each block of work, which takes far longer.
        let mut last = self.last_report.lock().unwrap_or_else(PoisonError::into_inner);
        let time = Instant::now();
        let Progress {
            phase,
            done,
            total,
            input,
        } = progress;
        let due =
            last.is_none_or(|last| phase > last.phase || (phase == last.phase && time - last.time >= REPORT_INTERVAL));
        if !due {
            return;
        }
        *last = Some(Report { phase, time });
        // Any status but "ok" means that nobody listens any more, which is no error.
        let _ = report.call(
            BindingProgress {
                phase: phase.as_str().to_owned(),
                done: count(done),
                total: count(total),
                file: input.map(|input| count(input.number)),
                files: input.map(|input| count(input.count)),
            },
            ThreadsafeFunctionCallMode::NonBlocking,
        );
    }
}

impl Observer for Job {
    fn progress(&self, progress: Progress) {
        self.report(progress);
    }

    fn cancel_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.cancelled)
    }
}

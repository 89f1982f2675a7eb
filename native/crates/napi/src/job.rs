//! What a running job and JavaScript tell each other: progress out, cancellation in.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use job::{Observer, Phase, Progress};
use napi::Status;
use napi::bindgen_prelude::Unknown;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi_derive::napi;

use crate::number::count;

/// Least time between two reports of one phase.
const REPORT_INTERVAL: Duration = Duration::from_millis(100);

/// A JavaScript callback that never keeps the process alive (weak) and never makes a worker wait. Reports are so few that none has to be
/// dropped, however long JavaScript is busy: one for each phase and ten a second.
pub type ProgressFunction =
    ThreadsafeFunction<BindingProgress, Unknown<'static>, BindingProgress, Status, false, true, 0>;

/// How far a job is.
#[napi(object, object_from_js = false)]
pub struct BindingProgress {
    /// The running stage.
    #[napi(ts_type = "'open' | 'scan' | 'decode' | 'symbolize' | 'attribute' | 'write' | 'merge'")]
    pub phase: String,
    /// Units of work done in this stage (bytes of input when decoding).
    pub done: f64,
    /// Units in all, 0 when not known.
    pub total: f64,
    /// Number of the input that is being read, from 1, if there are several.
    pub file: Option<f64>,
    /// How many inputs there are, if there are several.
    pub files: Option<f64>,
}

/// Ends the job it was given to. Node-API's own abort signals cannot stop a task that runs, so this is a flag
/// that the job looks at.
#[napi]
#[derive(Default)]
pub struct BindingCancelToken {
    flag: Arc<AtomicBool>,
}

#[napi]
impl BindingCancelToken {
    /// A token that was not used yet.
    #[napi(constructor)]
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the job to end; it does so within milliseconds. Idempotent.
    #[napi]
    pub fn cancel(&self) {
        self.flag.store(true, Ordering::Relaxed);
    }

    pub(crate) fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.flag)
    }
}

/// The job's view of its caller.
pub struct Job {
    cancelled: Arc<AtomicBool>,
    on_progress: Option<ProgressFunction>,
    last_report: Mutex<Option<Report>>,
}

/// What was reported last.
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

    /// Reports to JavaScript if a new phase begins or the interval has passed. Phases overlap, as blocks are decoded while later ones are
    /// scanned; listeners hear of the latest one only, and reports reach them in order.
    fn report(&self, progress: Progress) {
        let Some(report) = &self.on_progress else {
            return;
        };
        // Called once for a block of work, which takes far longer than this.
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
        // Any status but "ok" means that nobody listens any more, which is fine.
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

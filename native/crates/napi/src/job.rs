//! What a running job and JavaScript tell each other: progress out, cancellation in.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use job::{Observer, Progress};
use napi::Status;
use napi::bindgen_prelude::Unknown;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi_derive::napi;

use crate::outcome::count;

/// Least time between two reports of one phase.
const REPORT_INTERVAL: Duration = Duration::from_millis(100);

/// A JavaScript callback that never keeps the process alive (weak) and never makes a worker wait: when one
/// report is still queued, the next is dropped.
pub type ProgressFunction =
    ThreadsafeFunction<BindingProgress, Unknown<'static>, BindingProgress, Status, false, true, 1>;

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
    started: Instant,
    /// Milliseconds after `started` of the last report, and above them one more than the phase it was about.
    last_report: AtomicU64,
}

impl Job {
    pub(crate) fn new(cancelled: Arc<AtomicBool>, on_progress: Option<ProgressFunction>) -> Self {
        Self {
            cancelled,
            on_progress,
            started: Instant::now(),
            last_report: AtomicU64::new(0),
        }
    }

    /// Reports to JavaScript, if it is time for that.
    fn report(&self, Progress { phase, done, total }: Progress) {
        let Some(report) = &self.on_progress else {
            return;
        };
        if !self.claim_report(phase as u64) {
            return;
        }
        // Any status but "ok" means that nobody listens any more or that one is on its way: both are fine.
        let _ = report.call(
            BindingProgress {
                phase: phase.as_str().to_owned(),
                done: count(done),
                total: count(total),
            },
            ThreadsafeFunctionCallMode::NonBlocking,
        );
    }

    /// True for one thread only, when a new phase begins or the interval has passed. Phases overlap, as blocks
    /// are decoded while later ones are scanned; listeners see the latest phase only.
    fn claim_report(&self, phase: u64) -> bool {
        const PHASE_SHIFT: u32 = 56;
        let elapsed = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(0);
        let now = ((phase + 1) << PHASE_SHIFT) | elapsed;
        let last = self.last_report.load(Ordering::Relaxed);
        let interval = u64::try_from(REPORT_INTERVAL.as_millis()).unwrap_or(u64::MAX);
        let later_phase = now >> PHASE_SHIFT > last >> PHASE_SHIFT;
        (later_phase || now.saturating_sub(last) >= interval)
            && self
                .last_report
                .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
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

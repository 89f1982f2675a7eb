//! Runs jobs as tasks of libuv's thread pool.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use napi::bindgen_prelude::{AsyncTask, Either, ToNapiValue, TypeName};
use napi::{Env, Result, Task};

use crate::failure::{BindingError, BindingFailure};
use crate::job::{BindingCancelToken, Job, ProgressFunction};

/// The conversion of a job's result for JavaScript.
pub trait Success: Send + 'static {
    /// The type of an object with `ok: true` and the result in `value`.
    type Object: ToNapiValue + TypeName;

    /// Converts the result to that object.
    fn into_object(self) -> Self::Object;
}

type Work<T> = Box<dyn FnOnce(&Job) -> std::result::Result<T, BindingError> + Send>;

/// A job that waits for a thread.
pub struct JobTask<T> {
    work: Option<Work<T>>,
    cancelled: Arc<AtomicBool>,
    on_progress: Option<ProgressFunction>,
}

/// Runs `work` off the main thread. The promise is always fulfilled: a failed job gives a value with `ok: false`,
/// because an error that napi throws cannot carry a code of this project.
pub fn run_job<T: Success>(
    cancel: &BindingCancelToken,
    on_progress: Option<ProgressFunction>,
    work: impl FnOnce(&Job) -> std::result::Result<T, BindingError> + Send + 'static,
) -> AsyncTask<JobTask<T>> {
    AsyncTask::new(JobTask {
        work: Some(Box::new(work)),
        cancelled: cancel.flag(),
        on_progress,
    })
}

impl<T: Success> Task for JobTask<T> {
    type Output = std::result::Result<T, BindingError>;
    type JsValue = Either<T::Object, BindingFailure>;

    fn compute(&mut self) -> Result<Self::Output> {
        let Some(work) = self.work.take() else {
            return Ok(Err(BindingError::invalid_options("the job ran before".to_owned())));
        };
        let job = Job::new(Arc::clone(&self.cancelled), self.on_progress.take());
        // A panic must not unwind into C, and must not end the Node process. Nothing that the closure touches is
        // used after a panic, so nobody can see broken invariants.
        Ok(catch_unwind(AssertUnwindSafe(|| work(&job)))
            .unwrap_or_else(|panic| Err(BindingError::from_panic(panic.as_ref()))))
    }

    fn resolve(&mut self, _: Env, output: Self::Output) -> Result<Self::JsValue> {
        Ok(match output {
            Ok(value) => Either::A(value.into_object()),
            Err(error) => Either::B(BindingFailure { ok: false, error }),
        })
    }
}

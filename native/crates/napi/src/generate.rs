//! One profile generation as a task of libuv's thread pool.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use napi::bindgen_prelude::{AsyncTask, Either};
use napi::{Env, Result, Task};
use napi_derive::napi;
use profgen::{GenerateOptions, Outcome};

use crate::failure::{BindingError, BindingFailure};
use crate::job::{BindingCancelToken, Job, ProgressFunction};
use crate::options::BindingGenerateOptions;
use crate::outcome::{BindingOutcome, BindingSuccess};

/// Runs one job off the main thread. The promise is always fulfilled; a failed job is a value with `ok: false`,
/// because an error that napi throws cannot carry a code of our own.
#[napi(ts_return_type = "Promise<BindingSuccess | BindingFailure>")]
pub fn generate(
    options: BindingGenerateOptions,
    cancel: &BindingCancelToken,
    #[napi(ts_arg_type = "((progress: BindingProgress) => void) | undefined")] on_progress: Option<ProgressFunction>,
) -> AsyncTask<GenerateTask> {
    AsyncTask::new(GenerateTask {
        options: options.try_into(),
        cancelled: cancel.flag(),
        on_progress,
    })
}

/// A job that waits for a thread.
pub struct GenerateTask {
    options: std::result::Result<GenerateOptions, BindingError>,
    cancelled: Arc<AtomicBool>,
    on_progress: Option<ProgressFunction>,
}

impl Task for GenerateTask {
    type Output = std::result::Result<Outcome, BindingError>;
    type JsValue = Either<BindingSuccess, BindingFailure>;

    fn compute(&mut self) -> Result<Self::Output> {
        let options = match &self.options {
            Ok(options) => options,
            Err(error) => return Ok(Err(error.clone())),
        };
        let job = Job::new(Arc::clone(&self.cancelled), self.on_progress.take());
        // A panic must not unwind into C, and must not end someone's Node process. Nothing that the closure
        // touches is used after a panic, so broken invariants cannot be seen.
        let outcome = catch_unwind(AssertUnwindSafe(|| profgen::generate(options, &job)));
        Ok(match outcome {
            Ok(Ok(outcome)) => Ok(outcome),
            Ok(Err(error)) => Err(error.into()),
            Err(panic) => Err(BindingError::from_panic(panic.as_ref())),
        })
    }

    fn resolve(&mut self, _: Env, output: Self::Output) -> Result<Self::JsValue> {
        Ok(match output {
            Ok(outcome) => Either::A(BindingSuccess {
                ok: true,
                value: BindingOutcome::from(outcome),
            }),
            Err(error) => Either::B(BindingFailure { ok: false, error }),
        })
    }
}

//! Generates profiles.

use napi::bindgen_prelude::AsyncTask;
use napi_derive::napi;
use profgen::{GenerateOptions, Outcome};

use crate::job::{BindingCancelToken, ProgressFunction};
use crate::options::BindingGenerateOptions;
use crate::outcome::{BindingOutcome, BindingSuccess};
use crate::task::{JobTask, Success, run_job};

/// Generates a profile from branch samples.
#[napi(ts_return_type = "Promise<BindingSuccess | BindingFailure>")]
pub fn generate(
    options: BindingGenerateOptions,
    cancel: &BindingCancelToken,
    #[napi(ts_arg_type = "((progress: BindingProgress) => void) | undefined")] on_progress: Option<ProgressFunction>,
) -> AsyncTask<JobTask<Outcome>> {
    run_job(cancel, on_progress, |job| {
        let options = GenerateOptions::try_from(options)?;
        Ok(profgen::generate(&options, job)?)
    })
}

impl Success for Outcome {
    type Object = BindingSuccess;

    fn into_object(self) -> BindingSuccess {
        BindingSuccess {
            ok: true,
            value: BindingOutcome::from(self),
        }
    }
}

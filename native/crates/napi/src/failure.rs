//! Returns failures as values.

use std::any::Any;

use job::{Error, ErrorCode};
use napi_derive::napi;

/// The result of a job that failed.
#[napi(object, object_from_js = false)]
pub struct BindingFailure {
    /// False, which distinguishes a failure from a success.
    #[napi(ts_type = "false")]
    pub ok: bool,
    /// The error of the job.
    pub error: BindingError,
}

/// Why a job failed.
#[napi(object, object_from_js = false)]
#[derive(Clone)]
pub struct BindingError {
    /// Stable identifier of the failure.
    #[napi(ts_type = "BindingErrorCode")]
    pub code: String,
    /// The facts: what was found, and what was expected.
    pub message: String,
    /// The remedy: what the user can do next.
    pub hint: Option<String>,
    /// Path of the file that the failure is about.
    pub path: Option<String>,
}

impl BindingError {
    pub(crate) fn invalid_options(message: String) -> Self {
        Self {
            code: ErrorCode::InvalidOptions.as_str().to_owned(),
            message,
            hint: None,
            path: None,
        }
    }

    pub(crate) fn from_panic(panic: &(dyn Any + Send)) -> Self {
        let what = panic
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("unknown cause");
        Self {
            code: ErrorCode::Internal.as_str().to_owned(),
            message: format!("internal error: {what}"),
            hint: Some("this is a defect of autofdo-gen; please report it with the input that shows it".to_owned()),
            path: None,
        }
    }
}

impl From<Error> for BindingError {
    fn from(error: Error) -> Self {
        Self {
            code: error.code.as_str().to_owned(),
            message: error.message,
            hint: error.hint,
            path: error.path.map(|path| path.to_string_lossy().into_owned()),
        }
    }
}

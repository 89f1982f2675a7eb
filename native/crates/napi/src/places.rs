//! Finds the places where functions are declared.

use ::doctor::PlacesRequest;
use napi::bindgen_prelude::AsyncTask;
use napi_derive::napi;
use symbolize::SourcePlace;

use crate::job::BindingCancelToken;
use crate::task::{JobTask, Success, run_job};

/// The functions to find, and the binary that has them.
#[napi(object, object_to_js = false)]
pub struct BindingPlacesOptions {
    /// Path of the binary.
    pub binary: String,
    /// Path of the ELF file that has the DWARF.
    pub debug_binary: Option<String>,
    /// Path of the cache of the debuginfod client.
    pub debuginfod_cache: Option<String>,
    /// Path of the DWARF package.
    pub dwp: Option<String>,
    /// Names of functions, as profiles have them.
    pub names: Vec<String>,
}

/// The result of a search that succeeded.
#[napi(object, object_from_js = false)]
pub struct BindingPlacesSuccess {
    /// True, which distinguishes a success from a failure.
    #[napi(ts_type = "true")]
    pub ok: bool,
    /// The functions that were found, by name.
    pub value: Vec<BindingSourcePlace>,
}

/// The place where a function is declared.
#[napi(object, object_from_js = false)]
pub struct BindingSourcePlace {
    /// Name of the function.
    pub name: String,
    /// Path of the source file, as the compiler recorded it.
    pub file: String,
    /// Line number, from 1.
    pub line: u32,
}

/// Finds the file and line of functions.
#[napi(ts_return_type = "Promise<BindingPlacesSuccess | BindingFailure>")]
pub fn find_source_places(
    options: BindingPlacesOptions,
    cancel: &BindingCancelToken,
) -> AsyncTask<JobTask<Vec<SourcePlace>>> {
    run_job(cancel, None, move |job| {
        let request = PlacesRequest {
            path: options.binary.into(),
            debug_binary: options.debug_binary.map(Into::into),
            debuginfod_cache: options.debuginfod_cache.map(Into::into),
            dwp: options.dwp.map(Into::into),
            names: options.names,
        };
        Ok(::doctor::source_places(&request, job)?)
    })
}

impl Success for Vec<SourcePlace> {
    type Object = BindingPlacesSuccess;

    fn into_object(self) -> BindingPlacesSuccess {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let places = self.iter().map(|place| BindingSourcePlace {
            name: text(&place.name),
            file: text(&place.file),
            line: place.line,
        });
        BindingPlacesSuccess {
            ok: true,
            value: places.collect(),
        }
    }
}

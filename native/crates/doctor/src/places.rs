//! Finds the places where the functions of a binary are declared.

use std::collections::HashSet;
use std::path::PathBuf;

use elf::Image;
use job::failure::{image_error, symbolize_error};
use job::{Error, Observer, check_exist, keep_going, on_threads};
use symbolize::{DebugInfo, DebugOptions, LocalFiles, SourcePlace};

/// The functions to find, and the binary that has them.
#[derive(Debug, Clone)]
pub struct PlacesRequest {
    /// Path of the binary.
    pub path: PathBuf,
    /// Path of the ELF file that has the DWARF of the binary.
    pub debug_binary: Option<PathBuf>,
    /// Path of the cache of the debuginfod client, in which debug files are looked for last.
    pub debuginfod_cache: Option<PathBuf>,
    /// Path of the DWARF package of the binary.
    pub dwp: Option<PathBuf>,
    /// Names of functions, as profiles have them.
    pub names: Vec<String>,
}

/// Finds the file and line of functions, sorted by name. Leaves out functions that the debug information does not
/// state.
///
/// # Errors
/// Fails if the binary, or a debug binary that the request names, is no ELF file that profiles can be made for; if
/// the package that the request names does not exist; and if `job` is cancelled.
pub fn source_places(request: &PlacesRequest, job: &dyn Observer) -> Result<Vec<SourcePlace>, Error> {
    on_threads(0, || {
        let path = &request.path;
        check_exist(&request.dwp)?;
        let image = Image::open(path).map_err(|error| image_error(error, path))?;
        let options = DebugOptions {
            debug_binary: request.debug_binary.clone(),
            dwp: request.dwp.clone(),
            ..DebugOptions::default()
        };
        let files = LocalFiles::new(request.debuginfod_cache.clone());
        let debug = DebugInfo::of_image(&image, &options, &files).map_err(symbolize_error)?;
        let wanted: HashSet<&[u8]> = request.names.iter().map(String::as_bytes).collect();
        debug.source_places(&wanted, &keep_going(job)).map_err(symbolize_error)
    })
}

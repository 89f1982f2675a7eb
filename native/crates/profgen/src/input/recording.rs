//! Opens one recording.

use std::path::Path;

use job::Error;
use job::failure::recording_error;
use perfdata::PerfData;

/// The name that stands for standard input.
pub(crate) const STANDARD_INPUT: &str = "-";

/// Opens a file or folder that `perf record` wrote, or standard input.
pub(crate) fn open(path: &Path) -> Result<PerfData, Error> {
    let input = if path.as_os_str() == STANDARD_INPUT {
        PerfData::from_stdin()
    } else {
        PerfData::open(path)
    };
    input.map_err(|error| recording_error(error).path(path))
}

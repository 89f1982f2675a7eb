//! Opens one recording.

use std::path::Path;

use job::failure::recording_error;
use job::{Error, Observer};
use perfdata::PerfData;

/// The name that stands for standard input.
pub(crate) const STANDARD_INPUT: &str = "-";

/// Opens a file or folder that `perf record` wrote, or standard input. Reading ends when the job is cancelled.
pub(crate) fn open(path: &Path, observer: &dyn Observer) -> Result<PerfData, Error> {
    let cancel = observer.cancel_flag();
    let input = if path.as_os_str() == STANDARD_INPUT {
        PerfData::from_stdin(cancel)
    } else {
        PerfData::open_cancellable(path, cancel)
    };
    input.map_err(|error| recording_error(error).path(path))
}

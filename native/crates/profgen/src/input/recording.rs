//! Opens one recording.

use std::path::Path;

use job::Error;
use job::failure::recording_error;
use perfdata::{Mapping, PerfData};

use crate::addresses::binding::KERNEL_MAP;

/// The name that stands for standard input.
pub(crate) const STANDARD_INPUT: &str = "-";

/// The name that a recording's table of build ids has for a mapping's file.
pub(crate) fn listed_name(mapping: &Mapping) -> &str {
    let name = mapping.file.name.as_str();
    if name.starts_with(KERNEL_MAP) { KERNEL_MAP } else { name }
}

/// Opens a file or folder that `perf record` wrote, or standard input.
pub(crate) fn open(path: &Path) -> Result<PerfData, Error> {
    let input = if path.as_os_str() == STANDARD_INPUT {
        PerfData::from_stdin()
    } else {
        PerfData::open(path)
    };
    input.map_err(|error| recording_error(error).path(path))
}

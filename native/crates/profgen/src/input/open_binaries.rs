//! Finds the binaries of a job if they depend on its recordings: reads the mappings of the recordings before
//! anything is counted.

use std::path::{Path, PathBuf};

use job::failure::recording_error;
use job::{Diagnostic, Error, ErrorCode, Observer};
use perfdata::Change;

use crate::addresses::build_ids::BuildIds;
use crate::binaries::debug::check_named;
use crate::binaries::id::ByBinary;
use crate::binaries::mapped::Mapped;
use crate::binaries::open::{Subject, check_options, open as open_known};
use crate::input::recording::{STANDARD_INPUT, open};
use crate::input::traces;
use crate::request::options::{GenerateOptions, Input};

/// Opens all binaries of a job that are known from the beginnings of the recordings. Returns the mappings
/// there, too.
///
/// The mappings of a recording are known for certain only when all of it was read. The stage that reads the
/// samples does so, and finds out whether there are further binaries.
pub(crate) fn open_binaries(
    options: &GenerateOptions,
    observer: &dyn Observer,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<(ByBinary<Subject>, Mapped), Error> {
    check_options(options)?;
    traces::check_options(options)?;
    check_named(options)?;
    if let (Input::Traces(paths), true) = (&options.input, options.looks_for_binaries()) {
        let mapped = traces::read_mappings(paths, observer)?;
        return Ok((open_known(options, &mapped, observer, diagnostics)?, mapped));
    }
    let (Input::PerfData(paths), true) = (&options.input, options.looks_for_binaries()) else {
        let mapped = Mapped::default();
        return Ok((open_known(options, &mapped, observer, diagnostics)?, mapped));
    };
    let mapped = read_mappings(paths, Extent::Beginning, observer)?;
    match open_known(options, &mapped, observer, diagnostics) {
        Err(error) if error.code == ErrorCode::NoMapping => {}
        opened => return Ok((opened?, mapped)),
    }
    diagnostics.clear();
    let mapped = read_mappings(paths, Extent::All, observer)?;
    Ok((open_known(options, &mapped, observer, diagnostics)?, mapped))
}

/// The part of the recordings that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    Beginning,
    All,
}

/// Reads the mappings of all recordings. It reads either all of each recording, or its beginning, where most
/// mappings are (up to where no new mapping comes for a while).
fn read_mappings(paths: &[PathBuf], extent: Extent, observer: &dyn Observer) -> Result<Mapped, Error> {
    let mut mapped = Mapped::default();
    for path in paths {
        refuse_stream(path)?;
        let mut input = open(path, observer)?;
        let mut build_ids = BuildIds::default();
        // The first segment has the mappings of the whole file, unless the file is read once.
        if extent == Extent::Beginning {
            input.read_once();
        }
        while let Some(segment) = input.next_segment().map_err(recording_error)? {
            let known = mapped.len();
            let metadata = input.metadata();
            build_ids.extend(segment.side_records(), metadata);
            for record in segment.side_records() {
                if let Change::Map(mapping) = &record.change {
                    mapped.add(mapping, build_ids.of(mapping));
                }
            }
            mapped.add_release(metadata);
            if extent == Extent::All || mapped.len() == known {
                break;
            }
        }
    }
    Ok(mapped)
}

/// Refuses a stream, because it cannot be read twice.
fn refuse_stream(path: &Path) -> Result<(), Error> {
    let (file, name) = if path.as_os_str() == STANDARD_INPUT {
        (Path::new("/dev/stdin"), "standard input".to_owned())
    } else {
        (path, path.display().to_string())
    };
    // The stage that opens a file reports that it does not exist.
    match file.metadata() {
        Ok(metadata) if !metadata.is_file() && !metadata.is_dir() => Err(Error::new(
            ErrorCode::Unsupported,
            format!("{name} is a stream: what it maps is known only when its samples have gone by, so no binaries can be looked for"),
        )
        .path(path)
        .hint("Write the recording to a file first, or name each binary with {--binary}.")),
        _ => Ok(()),
    }
}

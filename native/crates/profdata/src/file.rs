//! Reads a whole file or standard input.

use std::fs;
use std::path::Path;

use job::failure::unreadable;
use job::{Error, Observer, read_stdin};

/// Name of standard input in errors.
pub(crate) const STDIN: &str = "<stdin>";

/// Returns true if `path` stands for standard input.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

/// Returns the name of `path` in errors, and its content.
pub(crate) fn read_file(path: &Path, observer: &dyn Observer) -> Result<(String, Vec<u8>), Error> {
    if is_stdin(path) {
        return Ok((STDIN.to_owned(), read_stdin(Path::new(STDIN), observer)?));
    }
    let name = path.to_string_lossy().into_owned();
    let bytes = fs::read(path).map_err(|error| unreadable(error, path))?;
    Ok((name, bytes))
}

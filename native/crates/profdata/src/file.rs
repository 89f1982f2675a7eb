//! Reads a whole file or standard input.

use std::fs;
use std::io::Read;
use std::path::Path;

use job::Error;

use job::failure::unreadable;

/// Name of standard input in errors.
pub(crate) const STDIN: &str = "<stdin>";

/// Returns true if `path` stands for standard input.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

/// Returns the name of `path` in errors, and its content.
pub(crate) fn read_file(path: &Path) -> Result<(String, Vec<u8>), Error> {
    if is_stdin(path) {
        return Ok((STDIN.to_owned(), read_stdin()?));
    }
    let name = path.to_string_lossy().into_owned();
    let bytes = fs::read(path).map_err(|error| unreadable(error, path))?;
    Ok((name, bytes))
}

/// Reads all bytes of standard input.
pub(crate) fn read_stdin() -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(error, Path::new(STDIN)))?;
    Ok(bytes)
}

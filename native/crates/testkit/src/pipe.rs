//! Makes named pipes.

use std::path::Path;
use std::process::Command;

/// Makes a named pipe.
///
/// # Panics
/// Panics if the system cannot make one there.
pub fn make_named_pipe(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status();
    assert!(made.expect("mkfifo runs").success(), "{}", path.display());
}

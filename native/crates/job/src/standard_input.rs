//! Reads standard input.

use std::io::Read;
use std::path::Path;

use perfdata::Interruptible;

use crate::error::Error;
use crate::failure::unreadable;
use crate::observer::Observer;

/// Reads all bytes of standard input. `name` is its name in messages.
///
/// # Errors
/// `InputUnreadable` if the system fails to read, and `Aborted` if the job is cancelled, also while nothing comes.
pub fn read_stdin(name: &Path, observer: &dyn Observer) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let read = Interruptible::stdin(observer.cancel_flag()).and_then(|mut input| input.read_to_end(&mut bytes));
    match read {
        Ok(_) => Ok(bytes),
        Err(error) if Interruptible::is_interruption(&error) => Err(Error::aborted()),
        Err(error) => Err(unreadable(error, name)),
    }
}

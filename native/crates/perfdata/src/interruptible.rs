//! A stream whose reader stops when the job is cancelled, although nothing comes.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A pipe, FIFO, terminal or file. While nothing comes, the reader looks at the flag that cancels the job. On systems other
/// than Unix, the reader looks at the flag only before it waits.
#[derive(Debug)]
pub struct Interruptible {
    file: File,
    cancel: Arc<AtomicBool>,
}

/// The reason why a read from an [`Interruptible`] failed: the job was cancelled.
#[derive(Debug, thiserror::Error)]
#[error("cancelled")]
struct Interruption;

impl Interruptible {
    /// Makes a reader of an open file. `cancel` ends the waiting.
    #[must_use]
    pub fn new(file: File, cancel: Arc<AtomicBool>) -> Self {
        Self { file, cancel }
    }

    /// Makes a reader of standard input. `cancel` ends the waiting.
    ///
    /// # Errors
    /// If standard input is closed.
    pub fn stdin(cancel: Arc<AtomicBool>) -> io::Result<Self> {
        Ok(Self::new(clone_stdin()?, cancel))
    }

    /// Opens a file of any kind. A FIFO is opened without waiting for its writer. `cancel` ends the waiting.
    ///
    /// # Errors
    /// If the file cannot be opened.
    pub fn open(path: &Path, cancel: Arc<AtomicBool>) -> io::Result<Self> {
        Ok(Self::new(open(path)?, cancel))
    }

    /// Returns the size of the file in bytes; 0 for a stream.
    ///
    /// # Errors
    /// If the system does not tell the size.
    pub fn size(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Returns true if a read failed because the job was cancelled.
    #[must_use]
    pub fn is_interruption(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|inner| inner.is::<Interruption>())
    }
}

impl Read for Interruptible {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.cancel.load(Ordering::Relaxed) {
                return Err(io::Error::other(Interruption));
            }
            if !may_read(&self.file)? {
                continue;
            }
            match self.file.read(buffer) {
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
                result => return result,
            }
        }
    }
}

/// Opens a file. A FIFO is opened without waiting for its writer.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};

        if path.metadata()?.file_type().is_fifo() {
            let flags = rustix::fs::OFlags::NONBLOCK.bits();
            return File::options().read(true).custom_flags(flags.cast_signed()).open(path);
        }
    }
    File::open(path)
}

/// Waits for a tenth of a second until bytes or the end of the stream can be read. Returns false if nothing came.
#[cfg(unix)]
fn may_read(file: &File) -> io::Result<bool> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    const WAIT: Timespec = Timespec {
        tv_sec: 0,
        tv_nsec: 100_000_000,
    };
    match poll(&mut [PollFd::new(file, PollFlags::IN)], Some(&WAIT)) {
        Ok(ready) => Ok(ready > 0),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(unix))]
fn may_read(_: &File) -> io::Result<bool> {
    Ok(true)
}

#[cfg(unix)]
pub(crate) fn clone_stdin() -> io::Result<File> {
    use std::os::fd::AsFd;
    io::stdin().as_fd().try_clone_to_owned().map(File::from)
}

#[cfg(windows)]
pub(crate) fn clone_stdin() -> io::Result<File> {
    use std::os::windows::io::AsHandle;
    io::stdin().as_handle().try_clone_to_owned().map(File::from)
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Write;
    use std::os::fd::OwnedFd;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_reader_that_waits_stops_when_the_job_is_cancelled() {
        let (reader, mut writer) = io::pipe().expect("a pipe");
        let cancel = Arc::new(AtomicBool::new(false));
        let mut input = Interruptible::new(File::from(OwnedFd::from(reader)), Arc::clone(&cancel));
        writer.write_all(b"abc").expect("written");
        let mut bytes = [0; 8];
        assert_eq!(input.read(&mut bytes).expect("bytes"), 3);
        let flag = Arc::clone(&cancel);
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(150));
            flag.store(true, Ordering::Relaxed);
        });
        let error = input.read_to_end(&mut Vec::new()).expect_err("cancelled");
        assert!(Interruptible::is_interruption(&error), "{error:?}");
        drop(writer);
    }

    #[test]
    fn a_fifo_is_read_from_its_first_writer_to_its_last() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("fifo");
        testkit::make_named_pipe(&path);
        let file = open(&path).expect("opened without a writer");
        let mut input = Interruptible::new(file, Arc::default());
        let writer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(150));
            let mut fifo = File::options().write(true).open(path).expect("a reader is there");
            fifo.write_all(b"abc").expect("written");
        });
        let mut bytes = Vec::new();
        input.read_to_end(&mut bytes).expect("read");
        assert_eq!(bytes, b"abc");
        writer.join().expect("the writer");
    }
}

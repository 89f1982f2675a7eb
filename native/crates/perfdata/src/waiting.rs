//! A stream that may deliver nothing for a long time.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

/// Number of bytes that are read at once, and number of such reads that may be done ahead.
const CHUNK: usize = 64 << 10;
const AHEAD: usize = 4;

/// Longest time that a reader waits before it can stop, for instance because the job is cancelled.
const WAIT: Duration = Duration::from_millis(100);

/// A stream that a thread of its own reads, so that its user need not wait. If nothing comes for [`WAIT`], reading
/// fails with [`io::ErrorKind::TimedOut`] and can be tried again.
pub(crate) struct Waiting {
    chunks: Receiver<io::Result<Vec<u8>>>,
    chunk: Vec<u8>,
    taken: usize,
}

impl Waiting {
    /// Starts the thread. The thread ends with the stream, or when the stream delivers bytes after the reader was
    /// dropped.
    pub(crate) fn new(mut input: Box<dyn Read + Send>) -> io::Result<Self> {
        let (sender, chunks) = sync_channel(AHEAD);
        thread::Builder::new()
            .name("perf.data stream".to_owned())
            .spawn(move || {
                loop {
                    let mut bytes = vec![0; CHUNK];
                    let read = match input.read(&mut bytes) {
                        Ok(0) => break,
                        Ok(count) => {
                            bytes.truncate(count);
                            Ok(bytes)
                        }
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                        Err(error) => Err(error),
                    };
                    let failed = read.is_err();
                    if sender.send(read).is_err() || failed {
                        break;
                    }
                }
            })?;
        Ok(Self {
            chunks,
            chunk: Vec::new(),
            taken: 0,
        })
    }
}

impl Read for Waiting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.chunk.len() {
            self.chunk = match self.chunks.recv_timeout(WAIT) {
                Ok(read) => read?,
                Err(RecvTimeoutError::Timeout) => return Err(io::ErrorKind::TimedOut.into()),
                Err(RecvTimeoutError::Disconnected) => return Ok(0),
            };
            self.taken = 0;
        }
        let count = (&self.chunk[self.taken..]).read(buffer)?;
        self.taken += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_come_late_are_not_lost() {
        let (reader, mut writer) = io::pipe().expect("a pipe");
        let mut waiting = Waiting::new(Box::new(reader)).expect("a thread");
        let mut buffer = [0; 8];
        let nothing = waiting.read(&mut buffer).expect_err("nothing came");
        assert_eq!(nothing.kind(), io::ErrorKind::TimedOut);
        io::Write::write_all(&mut writer, b"abc").expect("written");
        drop(writer);
        let mut all = Vec::new();
        while !all.ends_with(b"c") {
            let count = waiting.read(&mut buffer[..2]).unwrap_or(0);
            all.extend(&buffer[..count]);
        }
        assert_eq!(all, b"abc");
        assert_eq!(waiting.read(&mut buffer).expect("the end"), 0);
    }
}

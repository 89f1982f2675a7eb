//! An opened recording.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::directory::{MAIN_FILE, thread_files};
use crate::error::{Error, Lookalike, check_cancelled};
use crate::file_container::{open_file, read_events, read_header};
use crate::header::{MAGIC_LEN, Magic, PIPE_HEADER_LEN};
use crate::look_ahead::LookAhead;
use crate::metadata::Metadata;
use crate::once::Once;
use crate::pipe::{FileInPipe, Pipe};
use crate::record_stream::RecordStream;
use crate::recording::Recording;
use crate::seekable::{FilePart, Seekable};
use crate::segment::Segment;
use crate::source::Source;
use crate::stats::{Damage, DamageKind};

/// Of a file that comes through a pipe, what precedes the records must be kept until they begin. perf puts a few KiB
/// there.
const MAX_PREFIX: u64 = 64 << 20;

/// A recording that is being read: a file, a directory or a stream.
#[derive(Debug)]
pub struct PerfData {
    recording: Recording,
    container: Container,
    cancel: Option<Arc<AtomicBool>>,
}

#[derive(Debug)]
enum Container {
    Seekable(Seekable),
    Once(Box<LookAhead<Once>>),
    Pipe(Box<LookAhead<Pipe>>),
}

impl PerfData {
    /// Opens a file, a FIFO, or a directory that `perf record --threads` or `--kcore` wrote.
    ///
    /// # Errors
    /// If it cannot be read or is not perf.data.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let name = path.display().to_string();
        if path.is_dir() {
            return Self::open_directory(path, name);
        }
        match File::open(path) {
            Ok(file) => Self::from_file(file, &name),
            Err(source) => Err(Error::Io { name, source }),
        }
    }

    /// Reads an open file, which may also be a pipe; `name` is for messages. What can be read at any position is read
    /// from its beginning, wherever the file's cursor is.
    ///
    /// # Errors
    /// If it cannot be read or is not perf.data.
    pub fn from_file(file: File, name: &str) -> Result<Self, Error> {
        if file.metadata().is_ok_and(|metadata| metadata.is_file()) {
            let (recording, part) = open_seekable(Source::file(file, name.to_owned())?)?;
            return Ok(Self::new(recording, Container::Seekable(Seekable::new(vec![part]))));
        }
        Self::from_reader(Box::new(file), name)
    }

    /// Reads standard input: a pipe, or a file that it was redirected from.
    ///
    /// # Errors
    /// If it cannot be read or is not perf.data.
    pub fn from_stdin() -> Result<Self, Error> {
        let name = "standard input";
        match clone_stdin() {
            Ok(file) => Self::from_file(file, name),
            Err(source) => Err(Error::Io {
                name: name.to_owned(),
                source,
            }),
        }
    }

    /// Reads a recording that is in memory as a whole; `name` is for messages.
    ///
    /// # Errors
    /// If it is not perf.data.
    pub fn from_bytes(bytes: Vec<u8>, name: &str) -> Result<Self, Error> {
        let (recording, part) = open_seekable(Source::memory(0, bytes, name.to_owned()))?;
        Ok(Self::new(recording, Container::Seekable(Seekable::new(vec![part]))))
    }

    /// Reads a stream; `name` is for messages.
    ///
    /// # Errors
    /// If its beginning cannot be read or is not perf.data.
    pub fn from_reader(mut reader: Box<dyn Read + Send>, name: &str) -> Result<Self, Error> {
        let name = name.to_owned();
        let mut start = Vec::new();
        read_up_to(&mut reader, PIPE_HEADER_LEN, &mut start, &name)?;
        // A pipe's header is shorter than what tells a version 1 file's byte order.
        if !Magic::parse(&start).is_some_and(|magic| magic.pipe) {
            read_up_to(&mut reader, MAGIC_LEN, &mut start, &name)?;
        }
        let Some(magic) = Magic::parse(&start) else {
            return Err(Error::NotPerfData {
                name,
                found: Lookalike::of(&start),
            });
        };
        let mut recording = Recording::new(magic.order, magic.pipe);
        recording.metadata.version = magic.version;
        if magic.pipe {
            let stream = RecordStream::new(reader, u64::MAX, name, magic.order, start.len() as u64);
            return Ok(Self::new(recording, pipe(Pipe::new(stream, None))));
        }
        read_up_to(&mut reader, crate::header::HEADER_LEN, &mut start, &name)?;
        let header = read_header(&Source::memory(0, start.clone(), name.clone()), magic.order)?;
        let data = header.data;
        if data.offset > MAX_PREFIX {
            return Err(Error::PrefixTooLong {
                name,
                found: data.offset,
                limit: MAX_PREFIX,
            });
        }
        if header.attrs.end() > data.offset {
            return Err(Error::EventsBehindRecords { name });
        }
        read_up_to(&mut reader, data.offset, &mut start, &name)?;
        // A 72-byte header may be followed by records at once.
        let ahead = start.split_off(start.len().min(data.offset as usize));
        read_events(&Source::memory(0, start, name.clone()), &header, &mut recording)?;
        let len = if data.size == 0 { u64::MAX } else { data.size };
        let input = Box::new(io::Cursor::new(ahead).chain(reader));
        let stream = RecordStream::new(input, len, name.clone(), magic.order, data.offset);
        Ok(Self::new(
            recording,
            pipe(Pipe::new(stream, Some(FileInPipe { name, header }))),
        ))
    }

    fn open_directory(path: &Path, name: String) -> Result<Self, Error> {
        let main = path.join(MAIN_FILE);
        if !main.is_file() {
            return Err(Error::NotPerfDirectory { name });
        }
        let open = |path: &Path| {
            let name = path.display().to_string();
            File::open(path).map_err(|source| Error::Io { name, source })
        };
        let (recording, part) = open_seekable(Source::file(open(&main)?, main.display().to_string())?)?;
        let mut parts = vec![part];
        let files = thread_files(path).map_err(|source| Error::Io { name, source })?;
        for (expected, (number, path)) in (0..).zip(files) {
            // perf numbers the files without gaps.
            let missing = (number > expected && parts.iter().all(|part: &FilePart| part.damage.is_none()))
                .then_some(DamageKind::ThreadFileMissing { number: expected });
            let source = Arc::new(Source::file(open(&path)?, path.display().to_string())?);
            let range = 0..source.size();
            parts.push(FilePart {
                source,
                range,
                damage: missing.map(|kind| Damage { offset: 0, kind }),
            });
        }
        Ok(Self::new(recording, Container::Seekable(Seekable::new(parts))))
    }

    fn new(recording: Recording, container: Container) -> Self {
        Self {
            recording,
            container,
            cancel: None,
        }
    }

    /// What the recording says about itself; of a stream, what has been read so far.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.recording.metadata
    }

    /// Bytes of records, compressed or not, if that is known before all has been read: of one file.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        match &self.container {
            Container::Seekable(files) => files.size(),
            Container::Once(file) => Some(file.reader.size()),
            Container::Pipe(_) => None,
        }
    }

    /// Makes [`PerfData::next_segment`] end with [`Error::Cancelled`] soon after `flag` is set.
    pub fn set_cancel(&mut self, flag: Arc<AtomicBool>) {
        self.cancel = Some(flag);
    }

    /// Reads the next stretch of the input; `None` at its end.
    ///
    /// The first segment of a file or directory holds the side records and the statistics of all of it. Those of a
    /// stream, and of a file that is read once, come with each segment.
    ///
    /// # Errors
    /// If reading fails or is cancelled. Damage is no error: it ends the input and stands in the statistics.
    pub fn next_segment(&mut self) -> Result<Option<Segment>, Error> {
        let cancel = self.cancel.as_deref();
        // Of a stream that is cancelled, what was read is handed out.
        if !matches!(self.container, Container::Pipe(_)) {
            check_cancelled(cancel)?;
        }
        match &mut self.container {
            Container::Seekable(files) => files.next_segment(&mut self.recording, cancel),
            Container::Once(file) => file.next_segment(&mut self.recording, cancel),
            Container::Pipe(pipe) => pipe.next_segment(&mut self.recording, cancel),
        }
    }

    /// Chooses to read a file once, for half the time, before anything of it has been read. False if that cannot be done: a stream is read
    /// once anyway, and the files of a directory are not.
    ///
    /// Segments are then like those of a stream: each has side records and statistics of its own, and what a sample
    /// needs to know may come in a later segment. Who decodes them must look out for that
    /// ([`AddressSpaces::contradict`](crate::AddressSpaces::contradict)), and read the file the other way if it happens.
    pub fn read_once(&mut self) -> bool {
        let Container::Seekable(files) = &mut self.container else {
            return false;
        };
        match files.take_single() {
            Some(part) => {
                self.container = Container::Once(Box::new(LookAhead::new(Once::new(part))));
                true
            }
            None => false,
        }
    }

    /// Of a stream, hands a segment out so long after it was begun, even if it is not full, or empty: what comes slowly or not at all does
    /// not wait. Records of different CPUs are then put in order within so long only. A stream of records that is cancelled ends, and what was
    /// read of it is handed out. Files do not wait.
    ///
    /// # Errors
    /// If the system has no thread to read the stream on.
    pub fn hand_out_after(&mut self, patience: Duration) -> Result<(), Error> {
        match &mut self.container {
            Container::Pipe(pipe) => pipe.reader.set_patience(patience),
            _ => Ok(()),
        }
    }

    /// Takes back a segment that is done with, to use its memory again.
    pub fn reuse(&mut self, segment: Segment) {
        if let Container::Once(file) = &mut self.container {
            file.reader.reuse(segment);
        }
    }
}

fn pipe(pipe: Pipe) -> Container {
    Container::Pipe(Box::new(LookAhead::new(pipe)))
}

/// Opens a file with a header, which may be that of a pipe whose output went to a file.
fn open_seekable(source: Source) -> Result<(Recording, FilePart), Error> {
    let source = Arc::new(source);
    let mut start = [0; MAGIC_LEN as usize];
    let start = &mut start[..source.size().min(MAGIC_LEN) as usize];
    source.read_exact_at(start, 0)?;
    let Some(magic) = Magic::parse(start) else {
        return Err(Error::NotPerfData {
            name: source.name().to_owned(),
            found: Lookalike::of(start),
        });
    };
    let mut recording = Recording::new(magic.order, magic.pipe);
    recording.metadata.version = magic.version;
    if magic.pipe {
        let range = PIPE_HEADER_LEN..source.size();
        return Ok((
            recording,
            FilePart {
                source,
                range,
                damage: None,
            },
        ));
    }
    let section = open_file(&source, &mut recording)?;
    Ok((
        recording,
        FilePart {
            source,
            range: section.range,
            damage: section.damage,
        },
    ))
}

#[cfg(unix)]
fn clone_stdin() -> io::Result<File> {
    use std::os::fd::AsFd;
    io::stdin().as_fd().try_clone_to_owned().map(File::from)
}

#[cfg(windows)]
fn clone_stdin() -> io::Result<File> {
    use std::os::windows::io::AsHandle;
    io::stdin().as_handle().try_clone_to_owned().map(File::from)
}

/// Reads on until `bytes` holds `wanted` of them or the input ends.
fn read_up_to(reader: &mut impl Read, wanted: u64, bytes: &mut Vec<u8>, name: &str) -> Result<(), Error> {
    let missing = wanted.saturating_sub(bytes.len() as u64);
    match reader.take(missing).read_to_end(bytes) {
        Ok(_) => Ok(()),
        Err(source) => Err(Error::Io {
            name: name.to_owned(),
            source,
        }),
    }
}

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
use crate::interruptible::{self, Interruptible, clone_stdin};
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

/// Largest number of bytes before the records of a file that comes through a pipe. These bytes must be kept until the
/// records begin. perf writes a few KiB there.
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
    /// If the input cannot be read or is not perf.data.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::open_cancellable(path, Arc::default())
    }

    /// Opens a recording as [`PerfData::open`] does. Opening and reading end with [`Error::Cancelled`] soon after
    /// `cancel` is set, even if they wait for bytes of a stream.
    ///
    /// # Errors
    /// If the input cannot be read or is not perf.data, or if `cancel` is set.
    pub fn open_cancellable(path: &Path, cancel: Arc<AtomicBool>) -> Result<Self, Error> {
        let name = path.display().to_string();
        if path.is_dir() {
            let opened = Self::open_directory(path, name)?;
            return Ok(opened.cancelled_by(cancel));
        }
        match interruptible::open(path) {
            Ok(file) => Self::from_file(file, &name, cancel),
            Err(source) => Err(Error::Io { name, source }),
        }
    }

    /// Reads an open file, which may also be a pipe. `name` is the name in messages. If the file can be read at any
    /// position, it is read from its beginning, wherever its cursor is.
    fn from_file(file: File, name: &str, cancel: Arc<AtomicBool>) -> Result<Self, Error> {
        let opened = if file.metadata().is_ok_and(|metadata| metadata.is_file()) {
            let (recording, part) = open_seekable(Source::file(file, name.to_owned())?)?;
            Self::new(recording, Container::Seekable(Seekable::new(vec![part])))
        } else {
            Self::from_reader(Box::new(Interruptible::new(file, Arc::clone(&cancel))), name)?
        };
        Ok(opened.cancelled_by(cancel))
    }

    /// Reads standard input, which is a pipe or a redirected file. `cancel` has the meaning that it has for
    /// [`PerfData::open_cancellable`].
    ///
    /// # Errors
    /// If standard input cannot be read or is not perf.data, or if `cancel` is set.
    pub fn from_stdin(cancel: Arc<AtomicBool>) -> Result<Self, Error> {
        let name = "standard input";
        match clone_stdin() {
            Ok(file) => Self::from_file(file, name, cancel),
            Err(source) => Err(Error::Io {
                name: name.to_owned(),
                source,
            }),
        }
    }

    /// Reads a recording that is in memory as a whole. `name` is the name in messages.
    ///
    /// # Errors
    /// If the bytes are not perf.data.
    pub fn from_bytes(bytes: Vec<u8>, name: &str) -> Result<Self, Error> {
        let (recording, part) = open_seekable(Source::memory(0, bytes, name.to_owned()))?;
        Ok(Self::new(recording, Container::Seekable(Seekable::new(vec![part]))))
    }

    /// Reads a stream. `name` is the name in messages.
    ///
    /// # Errors
    /// If the beginning of the stream cannot be read or is not perf.data.
    pub fn from_reader(mut reader: Box<dyn Read + Send>, name: &str) -> Result<Self, Error> {
        let name = name.to_owned();
        let mut start = Vec::new();
        read_up_to(&mut reader, PIPE_HEADER_LEN, &mut start, &name)?;
        // The header of a pipe is shorter than the bytes that show the byte order of a version 1 file.
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
        // Records may follow a header of 72 bytes at once.
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

    /// Returns the facts that the recording states about itself. For a stream, the facts that have been read so far.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.recording.metadata
    }

    /// Returns the number of bytes of records, compressed or not. Returns `None` for a stream, and for files that are
    /// read twice after their first reading.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        match &self.container {
            Container::Seekable(files) => files.size(),
            Container::Once(file) => Some(file.reader.size()),
            Container::Pipe(_) => None,
        }
    }

    /// Makes [`PerfData::next_segment`] end with [`Error::Cancelled`] soon after `flag` is set.
    fn cancelled_by(mut self, flag: Arc<AtomicBool>) -> Self {
        self.cancel = Some(flag);
        self
    }

    /// Reads the next stretch of the input. Returns `None` at the end of the input.
    ///
    /// The first segment of a file or directory holds the side records and the statistics of the whole input. In a
    /// stream, and in a file that is read once, each segment has its own.
    ///
    /// # Errors
    /// If reading fails or is cancelled. Damage gives no error: it ends the input, and the statistics describe it.
    pub fn next_segment(&mut self) -> Result<Option<Segment>, Error> {
        let cancel = self.cancel.as_deref();
        // When a stream is cancelled, the records that were read are still handed out.
        if !matches!(self.container, Container::Pipe(_)) {
            check_cancelled(cancel)?;
        }
        match &mut self.container {
            Container::Seekable(files) => files.next_segment(&mut self.recording, cancel),
            Container::Once(file) => file.next_segment(&mut self.recording, cancel),
            Container::Pipe(pipe) => pipe.next_segment(&mut self.recording, cancel),
        }
    }

    /// Chooses to read a file once, which takes half the time. To be called before anything of the file has been read.
    /// Returns false if the file cannot be read once: a stream is read once anyway, and the files of a directory are
    /// read twice.
    ///
    /// Segments are then like those of a stream. Each has its own side records and statistics, and facts that a sample
    /// needs may come in a later segment. The caller must check for this
    /// ([`AddressSpaces::contradict`](crate::AddressSpaces::contradict)), and if it happens, read the file the other
    /// way.
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

    /// Limits the time that a segment of a stream collects records: after `patience` the segment is handed out, even
    /// if it is not full or is empty, so that slow streams do not delay their records. Records of different CPUs are
    /// then put in order only within `patience`. When a stream of records is cancelled, it ends, and the records that
    /// were read are handed out. Files do not wait.
    ///
    /// # Errors
    /// If the system cannot start a thread to read the stream.
    pub fn hand_out_after(&mut self, patience: Duration) -> Result<(), Error> {
        match &mut self.container {
            Container::Pipe(pipe) => pipe.reader.set_patience(patience),
            _ => Ok(()),
        }
    }

    /// Returns true if this is a stream of records that ends when it is cancelled, and hands out what was read. Other
    /// inputs end with an error.
    #[must_use]
    pub fn is_kept_when_cancelled(&self) -> bool {
        matches!(&self.container, Container::Pipe(pipe) if pipe.reader.is_kept_when_cancelled())
    }

    /// Takes back a segment that the caller no longer needs, to use its memory again.
    pub fn reuse(&mut self, segment: Segment) {
        if let Container::Once(file) = &mut self.container {
            file.reader.reuse(segment);
        }
    }
}

fn pipe(pipe: Pipe) -> Container {
    Container::Pipe(Box::new(LookAhead::new(pipe)))
}

/// Opens a file with a header, which may be the header of a pipe whose output was stored in a file.
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

/// Reads until `bytes` holds `wanted` bytes, or the input ends.
fn read_up_to(reader: &mut impl Read, wanted: u64, bytes: &mut Vec<u8>, name: &str) -> Result<(), Error> {
    let missing = wanted.saturating_sub(bytes.len() as u64);
    match reader.take(missing).read_to_end(bytes) {
        Ok(_) => Ok(()),
        Err(error) => Err(Error::of_read(error, name)),
    }
}

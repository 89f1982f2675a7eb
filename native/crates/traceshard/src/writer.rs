//! Writes a trace shard.

use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::column::writer::{ColumnCloseResult, get_column_writer, get_typed_column_writer};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr, WriterVersion};
use parquet::file::writer::{SerializedFileWriter, SerializedPageWriter, TrackedWrite};
use parquet::schema::types::{ColumnDescPtr, ColumnPath};
use rayon::prelude::*;

use crate::error::Error;
use crate::metadata::Metadata;
use crate::row::{BinaryKind, Row};
use crate::schema::{COLUMNS, column, message};

/// Largest number of rows of a row group. A reader that needs one build skips the groups of other builds.
pub const MAX_GROUP_ROWS: usize = 1 << 17;

/// Number of row groups after which a file should be finished. A reader takes a description of 16 MiB, and the
/// description of a group has up to four thousand bytes.
pub const MAX_GROUPS: usize = 3000;

/// Number of rows below which builds share a group, because each group costs a few hundred bytes for each column.
const MIN_GROUP_ROWS: usize = 1 << 13;

/// Longest text of the statistics of a column, in bytes. Longer texts are cut off there, so that the description of a
/// file does not grow with the texts of its branch stacks. Build ids and nearly all paths are shorter.
const MAX_STATISTICS_TEXT: usize = 256;

/// Compression level: the default of zstd.
const ZSTD_LEVEL: i32 = 3;

/// Writes rows as row groups of a Parquet file.
pub struct ShardWriter<W: Write + Send> {
    file: SerializedFileWriter<W>,
    groups: usize,
    /// Number of bytes of the finished groups.
    written: u64,
    /// The columns of the last group.
    last: Vec<Chunk>,
}

impl<W: Write + Send> ShardWriter<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// [`Error::Io`] if `sink` refuses the bytes.
    pub fn new(sink: W) -> Result<Self, Error> {
        let zstd = ZstdLevel::try_new(ZSTD_LEVEL).map_err(write_error)?;
        let mut properties = WriterProperties::builder()
            .set_writer_version(WriterVersion::PARQUET_1_0)
            .set_created_by(concat!("autofdo-gen ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_compression(Compression::ZSTD(zstd))
            .set_max_row_group_row_count(Some(MAX_GROUP_ROWS))
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_statistics_truncate_length(Some(MAX_STATISTICS_TEXT))
            .set_offset_index_disabled(true);
        for number in [
            column::FROM,
            column::TO,
            column::END,
            column::STACK_END,
            column::RUN_START,
            column::COUNT,
            column::MISPREDICTED,
        ] {
            let path = ColumnPath::from(COLUMNS[number].0);
            properties = properties
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
        }
        // Most texts of these columns are there once, so a dictionary would be as large as the texts.
        for number in [column::VIA, column::BRANCH_STACK] {
            properties = properties.set_column_dictionary_enabled(ColumnPath::from(COLUMNS[number].0), false);
        }
        Ok(Self {
            file: SerializedFileWriter::new(sink, message(), Arc::new(properties.build())).map_err(write_error)?,
            groups: 0,
            written: 0,
            last: Vec::new(),
        })
    }

    /// Adds rows. The rows should be sorted, so that each build is in few groups.
    ///
    /// # Errors
    /// [`Error::Io`] if the sink refuses the bytes. The file is unusable then.
    pub fn write(&mut self, rows: &[Row<'_>]) -> Result<(), Error> {
        let mut rest = rows;
        while !rest.is_empty() {
            let same = |a: &Row<'_>, b: &Row<'_>| (a.record, a.build_id, a.path) == (b.record, b.build_id, b.path);
            let (group, behind) = rest.split_at(group_len(rest, same));
            self.write_group(group)?;
            rest = behind;
        }
        Ok(())
    }

    /// Returns the number of finished groups.
    pub fn groups(&self) -> usize {
        self.groups
    }

    /// Returns the number of bytes of the finished groups.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Completes the file.
    ///
    /// # Errors
    /// [`Error::Io`] if the sink refuses the bytes.
    pub fn finish(mut self, metadata: &Metadata) -> Result<W, Error> {
        for pair in metadata.to_pairs() {
            self.file.append_key_value_metadata(pair);
        }
        self.file.into_inner().map_err(write_error)
    }

    /// Adds one group of rows; see [`group_len`]. The threads of the current pool encode different columns at the
    /// same time.
    ///
    /// # Errors
    /// [`Error::Io`] if the sink refuses the bytes. The file is unusable then.
    pub fn write_group(&mut self, group: &(impl RowGroup + ?Sized)) -> Result<(), Error> {
        let (schema, properties) = (self.file.schema_descr(), self.file.properties());
        let encode = |number| {
            let column = Column {
                descriptor: schema.column(number),
                properties: Arc::clone(properties),
                rows: group.len(),
                last: self.last.get(number),
            };
            match number {
                column::RECORD => column.text(|at| Some(group.row(at).record.as_str())),
                column::BUILD_ID => column.text(|at| group.row(at).build_id),
                column::PATH => column.text(|at| Some(group.row(at).path)),
                column::KIND => column.text(|at| group.row(at).kind.map(BinaryKind::as_str)),
                column::EVENT => column.text(|at| group.row(at).event),
                column::ARCH => column.text(|at| group.row(at).arch),
                column::FROM => column.number(|at| group.row(at).from),
                column::TO => column.number(|at| group.row(at).to),
                column::END => column.number(|at| group.row(at).end),
                column::NEWEST => column.encode::<BoolType>(|at| Some(group.row(at).newest)),
                column::STACK_END => column.number(|at| group.row(at).stack_end),
                column::CROSSES_KERNEL => column.encode::<BoolType>(|at| group.row(at).crosses_kernel),
                column::VIA => column.text(|at| group.row(at).via),
                column::PATCH => column.text(|at| group.row(at).patch),
                column::EXACT => column.encode::<BoolType>(|at| group.row(at).exact),
                column::TAKEN => column.encode::<BoolType>(|at| group.row(at).taken),
                column::RUN_START => column.number(|at| group.row(at).run_start),
                column::BRANCH_STACK => column.text(|at| group.row(at).branch_stack),
                column::CALL_CHAIN => column.text(|at| group.row(at).call_chain),
                column::HAS_CALL_CHAIN => column.encode::<BoolType>(|at| group.row(at).has_call_chain),
                column::COUNT => column.number(|at| Some(group.row(at).count)),
                column::MISPREDICTED => column.number(|at| Some(group.row(at).mispredicted)),
                other => unreachable!("the schema has no column {other}"),
            }
        };
        let columns = (0..COLUMNS.len()).into_par_iter().with_max_len(1).map(encode);
        self.last = columns.collect::<Result<_, _>>().map_err(write_error)?;
        let mut group = self.file.next_row_group().map_err(write_error)?;
        for chunk in &self.last {
            let appended = group.append_column(&chunk.bytes, chunk.close.clone());
            appended.map_err(write_error)?;
        }
        let finished = group.close().map_err(write_error)?;
        self.groups += 1;
        self.written += finished.compressed_size().cast_unsigned();
        Ok(())
    }
}

/// The rows of a group.
pub trait RowGroup: Sync {
    /// Returns the number of rows.
    fn len(&self) -> usize;

    /// Returns true if there are no rows.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns a row; `at` is less than [`len`](Self::len). The writer asks for all rows again for each column, so
    /// that it keeps no copy of them. Inline this function always: then the compiler leaves out all fields but the
    /// one that the column needs.
    fn row(&self, at: usize) -> Row<'_>;
}

impl RowGroup for [Row<'_>] {
    fn len(&self) -> usize {
        <[Row<'_>]>::len(self)
    }

    #[inline(always)]
    fn row(&self, at: usize) -> Row<'_> {
        self[at]
    }
}

/// Returns the number of `rows` that make the next group: rows of one build, or of several builds with few rows
/// each. `same` returns true if two rows are of one build.
pub fn group_len<R>(rows: &[R], same: impl Fn(&R, &R) -> bool) -> usize {
    let most = rows.len().min(MAX_GROUP_ROWS);
    let mut len = 0;
    while len < most && len < MIN_GROUP_ROWS {
        let run = rows[len..most].iter().take_while(|row| same(row, &rows[len])).count();
        if len > 0 && run >= MIN_GROUP_ROWS {
            break;
        }
        len += run;
    }
    len
}

/// An encoded column of a group.
#[derive(Clone)]
struct Chunk {
    bytes: Bytes,
    close: ColumnCloseResult,
    /// The text that all rows have, if all rows have the same.
    same: Option<Option<Box<str>>>,
}

/// A column of a group before it is encoded.
struct Column<'l> {
    descriptor: ColumnDescPtr,
    properties: WriterPropertiesPtr,
    /// Number of rows of the group.
    rows: usize,
    /// The same column of the last group.
    last: Option<&'l Chunk>,
}

/// Number of values that are encoded together. They fit into the second-level cache of a core.
const BATCH: usize = 1 << 12;

impl Column<'_> {
    fn text<'r>(&self, text: impl Fn(usize) -> Option<&'r str>) -> Result<Chunk, ParquetError> {
        let mut texts = (0..self.rows).map(&text);
        let same = texts.next().filter(|first| texts.all(|text| is_same(text, *first)));
        if let (Some(same), Some(last)) = (same, self.last)
            && last.close.rows_written == self.rows as u64
            && last.same.as_ref().map(Option::as_deref) == Some(same)
        {
            return Ok(last.clone());
        }
        // Neighbouring rows share most texts, so the last text is kept.
        let mut last: Option<(&str, ByteArray)> = None;
        let chunk = self.encode::<ByteArrayType>(|row| {
            let text = text(row)?;
            match &last {
                Some((known, bytes)) if is_same(Some(known), Some(text)) => Some(bytes.clone()),
                _ => Some(last.insert((text, ByteArray::from(text))).1.clone()),
            }
        })?;
        Ok(Chunk {
            same: same.map(|text| text.map(Box::from)),
            ..chunk
        })
    }

    fn number(&self, number: impl Fn(usize) -> Option<u64>) -> Result<Chunk, ParquetError> {
        self.encode::<Int64Type>(|row| number(row).map(u64::cast_signed))
    }

    fn encode<T: DataType>(&self, mut value: impl FnMut(usize) -> Option<T::T>) -> Result<Chunk, ParquetError> {
        let may_lack = self.descriptor.max_def_level() > 0;
        let mut sink = TrackedWrite::new(Vec::new());
        let pages = Box::new(SerializedPageWriter::new(&mut sink));
        let column = get_column_writer(Arc::clone(&self.descriptor), Arc::clone(&self.properties), pages);
        let mut column = get_typed_column_writer::<T>(column);
        let (mut values, mut levels) = (Vec::with_capacity(BATCH), Vec::with_capacity(BATCH));
        for begin in (0..self.rows).step_by(BATCH) {
            values.clear();
            levels.clear();
            for value in (begin..self.rows.min(begin + BATCH)).map(&mut value) {
                levels.push(i16::from(value.is_some()));
                values.extend(value);
            }
            column.write_batch(&values, may_lack.then_some(&levels[..]), None)?;
        }
        let close = column.close()?;
        let bytes = Bytes::from(sink.into_inner()?);
        let same = None;
        Ok(Chunk { bytes, close, same })
    }
}

/// Returns true if both texts are the same. Most texts that are the same are in one place, so that their bytes need
/// not be compared.
#[inline]
fn is_same(a: Option<&str>, b: Option<&str>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => std::ptr::eq(a, b) || a == b,
        (a, b) => a.is_none() && b.is_none(),
    }
}

/// Makes the error for a failed write: only the sink can fail.
fn write_error(error: ParquetError) -> Error {
    match error {
        ParquetError::External(cause) => match cause.downcast::<std::io::Error>() {
            Ok(error) => Error::Io(*error),
            Err(cause) => Error::Io(std::io::Error::other(cause)),
        },
        other => Error::Io(std::io::Error::other(other)),
    }
}

//! Writes a trace shard.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::ColumnPath;

use crate::error::Error;
use crate::metadata::Metadata;
use crate::row::{BinaryKind, Row};
use crate::schema::{COLUMNS, column, message};

/// Largest number of rows of a row group. A reader that needs one build skips the groups of other builds.
pub const MAX_GROUP_ROWS: usize = 1 << 17;

/// Number of rows below which builds share a group, because each group costs a few hundred bytes for each column.
const MIN_GROUP_ROWS: usize = 1 << 13;

/// Compression level: the default of zstd.
const ZSTD_LEVEL: i32 = 3;

/// Writes rows as row groups of a Parquet file.
pub struct ShardWriter<W: Write + Send> {
    file: SerializedFileWriter<W>,
    /// Number of bytes of the finished groups.
    written: u64,
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
            .set_statistics_truncate_length(None)
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
        Ok(Self {
            file: SerializedFileWriter::new(sink, message(), Arc::new(properties.build())).map_err(write_error)?,
            written: 0,
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
            self.write_group(group, |row| *row)?;
            rest = behind;
        }
        Ok(())
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

    /// Adds one group of rows; see [`group_len`]. `row` gives each row as it is written. It is asked again for each column, so that no row needs
    /// to be kept.
    ///
    /// # Errors
    /// [`Error::Io`] if the sink refuses the bytes. The file is unusable then.
    pub fn write_group<'r, R>(&mut self, rows: &'r [R], row: impl Fn(&'r R) -> Row<'r>) -> Result<(), Error> {
        let mut columns = Columns {
            group: self.file.next_row_group().map_err(write_error)?,
            rows,
        };
        columns.text(|at| Some(row(at).record.as_str()))?;
        columns.text(|at| row(at).build_id)?;
        columns.text(|at| Some(row(at).path))?;
        columns.text(|at| row(at).kind.map(BinaryKind::as_str))?;
        columns.text(|at| row(at).event)?;
        columns.text(|at| row(at).arch)?;
        columns.number(|at| row(at).from)?;
        columns.number(|at| row(at).to)?;
        columns.number(|at| row(at).end)?;
        columns.write::<BoolType>(|at| Some(row(at).newest))?;
        columns.number(|at| row(at).stack_end)?;
        columns.write::<BoolType>(|at| row(at).crosses_kernel)?;
        columns.text(|at| row(at).via)?;
        columns.text(|at| row(at).patch)?;
        columns.write::<BoolType>(|at| row(at).exact)?;
        columns.write::<BoolType>(|at| row(at).taken)?;
        columns.number(|at| row(at).run_start)?;
        columns.number(|at| Some(row(at).count))?;
        columns.number(|at| Some(row(at).mispredicted))?;
        let finished = columns.group.close().map_err(write_error)?;
        self.written += finished.compressed_size().cast_unsigned();
        Ok(())
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

/// The columns of a group, which are written one after the other.
struct Columns<'f, 'r, W: Write, R> {
    group: SerializedRowGroupWriter<'f, W>,
    rows: &'r [R],
}

impl<'r, W: Write + Send, R> Columns<'_, 'r, W, R> {
    fn text(&mut self, text: impl Fn(&'r R) -> Option<&'r str>) -> Result<(), Error> {
        // Neighbouring rows share most texts, so the last text is kept.
        let mut last: Option<(&str, ByteArray)> = None;
        self.write::<ByteArrayType>(|row| {
            let text = text(row)?;
            match &last {
                Some((known, bytes)) if *known == text => Some(bytes.clone()),
                _ => Some(last.insert((text, ByteArray::from(text))).1.clone()),
            }
        })
    }

    fn number(&mut self, number: impl Fn(&'r R) -> Option<u64>) -> Result<(), Error> {
        self.write::<Int64Type>(|row| number(row).map(u64::cast_signed))
    }

    fn write<T: DataType>(&mut self, value: impl FnMut(&'r R) -> Option<T::T>) -> Result<(), Error> {
        let column = self.group.next_column().map_err(write_error)?;
        let mut column = column.unwrap_or_else(|| unreachable!("the schema has this column"));
        let typed = column.typed::<T>();
        let may_lack = typed.get_descriptor().max_def_level() > 0;
        let mut values = Vec::with_capacity(self.rows.len());
        if may_lack {
            let mut levels = Vec::with_capacity(self.rows.len());
            for value in self.rows.iter().map(value) {
                levels.push(i16::from(value.is_some()));
                values.extend(value);
            }
            typed.write_batch(&values, Some(&levels), None).map_err(write_error)?;
        } else {
            values.extend(self.rows.iter().filter_map(value));
            typed.write_batch(&values, None, None).map_err(write_error)?;
        }
        column.close().map_err(write_error)
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

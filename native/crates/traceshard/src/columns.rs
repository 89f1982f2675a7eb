//! Reads the cells of consecutive rows of one column.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use parquet::basic::Type as Physical;
use parquet::column::reader::{ColumnReaderImpl, get_column_reader, get_typed_column_reader};
use parquet::data_type::{BoolType, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::serialized_reader::SerializedPageReader;

use crate::error::Error;
use crate::pages::{CheckedPages, OpenPages, PageSource, Source};
use crate::schema::{COLUMNS, Source as Column};

/// The cells of consecutive rows.
pub(crate) enum Cells {
    /// Every row has the same text, which the name of the folder or the statistics state.
    Constant(Option<Box<str>>),
    Text(Reader<ByteArrayType>),
    Wide(Reader<Int64Type>, bool),
    Narrow(Reader<Int32Type>, bool),
    Flag(Reader<BoolType>),
}

/// A reader of one column, and the cells that it read last.
pub(crate) struct Reader<T: DataType> {
    column: ColumnReaderImpl<T>,
    required: bool,
    values: Vec<T::T>,
    levels: Vec<i16>,
    /// Number of cells that were taken.
    taken: usize,
    values_taken: usize,
}

impl Cells {
    /// Opens the column of a row group.
    pub(crate) fn open(
        source: &Source,
        open: &Arc<OpenPages>,
        group: &RowGroupMetaData,
        column: Column,
    ) -> Result<Self, Error> {
        let chunk = group.column(column.index);
        let rows = usize::try_from(group.num_rows()).unwrap_or(0);
        let pages = PageSource::new(source.clone(), Arc::clone(open));
        let reader = guarded(|| SerializedPageReader::new(Arc::new(pages), chunk, rows, None))?;
        let checked = Box::new(CheckedPages {
            pages: reader,
            physical: column.physical,
            rows: rows as u64,
            open: Arc::clone(open),
        });
        let descriptor = chunk.column_descr_ptr();
        let required = descriptor.max_def_level() == 0;
        let column_reader = guarded(|| Ok(get_column_reader(descriptor, checked)))?;
        Ok(match column.physical {
            Physical::BYTE_ARRAY => Self::Text(Reader::new(get_typed_column_reader(column_reader), required)),
            Physical::INT32 => Self::Narrow(
                Reader::new(get_typed_column_reader(column_reader), required),
                column.signed,
            ),
            Physical::BOOLEAN => Self::Flag(Reader::new(get_typed_column_reader(column_reader), required)),
            _ => Self::Wide(
                Reader::new(get_typed_column_reader(column_reader), required),
                column.signed,
            ),
        })
    }

    /// Reads the cells of the next `rows` rows.
    pub(crate) fn fill(&mut self, rows: usize) -> Result<(), Error> {
        match self {
            Self::Constant(_) => Ok(()),
            Self::Text(reader) => reader.fill(rows),
            Self::Wide(reader, _) => reader.fill(rows),
            Self::Narrow(reader, _) => reader.fill(rows),
            Self::Flag(reader) => reader.fill(rows),
        }
    }

    /// Returns the next cell of a column of texts.
    pub(crate) fn text(&mut self, number: usize, row: u64) -> Result<Option<&str>, Error> {
        let cell = match self {
            Self::Constant(text) => return Ok(text.as_deref()),
            Self::Text(reader) => reader.next(),
            _ => None,
        };
        let Some(bytes) = cell else {
            return Ok(None);
        };
        str::from_utf8(bytes.data())
            .map(Some)
            .map_err(|_| wrong(number, row, "bytes", "text in UTF-8"))
    }

    /// Returns the next cell of a column of numbers.
    pub(crate) fn number(&mut self, number: usize, row: u64) -> Result<Option<u64>, Error> {
        let (value, signed) = match self {
            Self::Wide(reader, signed) => (reader.next().copied(), *signed),
            // The 32-bit number has no sign, so the upper half of the 64 bits is zero.
            Self::Narrow(reader, true) => (reader.next().map(|value| i64::from(*value)), true),
            Self::Narrow(reader, false) => (reader.next().map(|value| i64::from(value.cast_unsigned())), false),
            _ => (None, false),
        };
        match value {
            Some(value) if signed && value < 0 => Err(wrong(number, row, &value.to_string(), "no negative number")),
            value => Ok(value.map(i64::cast_unsigned)),
        }
    }

    /// Returns the next cell of a column of truth values.
    pub(crate) fn flag(&mut self) -> Option<bool> {
        match self {
            Self::Flag(reader) => reader.next().copied(),
            _ => None,
        }
    }
}

impl<T: DataType> Reader<T> {
    fn new(column: ColumnReaderImpl<T>, required: bool) -> Self {
        Self {
            column,
            required,
            values: Vec::new(),
            levels: Vec::new(),
            taken: 0,
            values_taken: 0,
        }
    }

    fn fill(&mut self, rows: usize) -> Result<(), Error> {
        self.values.clear();
        self.levels.clear();
        (self.taken, self.values_taken) = (0, 0);
        let Self {
            column, values, levels, ..
        } = self;
        let (read, ..) = guarded(|| column.read_records(rows, Some(levels), None, values))?;
        if read == rows {
            Ok(())
        } else {
            Err(Error::Damaged("its columns have different numbers of rows".to_owned()))
        }
    }

    fn next(&mut self) -> Option<&T::T> {
        let has_value = self.required || self.levels.get(self.taken).is_some_and(|level| *level > 0);
        self.taken += 1;
        if !has_value {
            return None;
        }
        self.values_taken += 1;
        self.values.get(self.values_taken - 1)
    }
}

/// Makes the error for a cell with a value that it must not have.
pub(crate) fn wrong(number: usize, row: u64, found: &str, expected: &'static str) -> Error {
    Error::WrongValue {
        column: COLUMNS[number].0,
        row,
        found: found.to_owned(),
        expected,
    }
}

/// Calls the Parquet library and catches its panics. The library panics on some kinds of damage.
pub(crate) fn guarded<R>(call: impl FnOnce() -> Result<R, ParquetError>) -> Result<R, Error> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(ParquetError::External(cause))) => match cause.downcast::<std::io::Error>() {
            Ok(error) => Err(Error::Io(*error)),
            Err(cause) => Err(Error::Damaged(cause.to_string())),
        },
        Ok(Err(error)) => Err(Error::damaged(&error)),
        Err(_) => Err(Error::Damaged("the Parquet library could not read it".to_owned())),
    }
}

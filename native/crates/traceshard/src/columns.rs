//! Reads the cells of consecutive rows of one column.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use parquet::basic::Type as Physical;
use parquet::column::reader::{ColumnReaderImpl, get_column_reader, get_typed_column_reader};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::RowGroupMetaData;

use crate::error::Error;
use crate::pages::{CheckedPages, OpenPages, PageSource, Source};
use crate::schema::{COLUMNS, Kind, Source as Column, kind_of};

/// The cells of consecutive rows.
pub(crate) enum Cells {
    /// Every row has the same text or none, which the name of the folder or the statistics state.
    Constant(Option<Box<str>>),
    /// Every row has the same number or none, which the name of the folder states.
    ConstantNumber(Option<u64>),
    /// Every row has the same truth value or none, which the name of the folder states.
    ConstantFlag(Option<bool>),
    /// The cells are not read, because nothing needs them.
    Skipped,
    Text(Reader<ByteArrayType, ByteArray>),
    /// Numbers of 64 bits, and true if they are stored as signed numbers.
    Wide(Reader<Int64Type, u64>, bool),
    /// Numbers of 32 bits, and true if they are stored as signed numbers.
    Narrow(Reader<Int32Type, u64>, bool),
    Flag(Reader<BoolType, bool>),
}

/// A reader of one column, and the cells that it read last.
pub(crate) struct Reader<T: DataType, V> {
    column: ColumnReaderImpl<T>,
    required: bool,
    /// The values of the cells that have a value, as the library returns them.
    values: Vec<T::T>,
    levels: Vec<i16>,
    cells: Vec<Option<V>>,
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
        let checked = Box::new(guarded(|| CheckedPages::new(pages, chunk, rows))?);
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

    /// Makes the cells of a column from the value that the name of a folder states. `number` is the number of the column.
    pub(crate) fn of_folder(number: usize, text: Option<&str>) -> Result<Self, Error> {
        let wrong = |expected| Error::WrongFolder {
            column: COLUMNS[number].0,
            found: format!("{:?}", text.unwrap_or_default()),
            expected,
        };
        Ok(match kind_of(number) {
            Kind::Text => Self::Constant(text.map(Into::into)),
            Kind::Number => {
                let parse = |text: &str| text.parse().map_err(|_| wrong("a whole number that is not negative"));
                Self::ConstantNumber(text.map(parse).transpose()?)
            }
            Kind::Flag => {
                let parse = |text: &str| text.to_ascii_lowercase().parse().map_err(|_| wrong("true or false"));
                Self::ConstantFlag(text.map(parse).transpose()?)
            }
        })
    }

    /// Reads the cells of the next `rows` rows. `number` is the number of the column, and `first` is the number of
    /// the first of these rows in the shard.
    pub(crate) fn fill(&mut self, rows: usize, number: usize, first: u64) -> Result<(), Error> {
        let numbers = match self {
            Self::Constant(_) | Self::ConstantNumber(_) | Self::ConstantFlag(_) | Self::Skipped => return Ok(()),
            Self::Text(reader) => return reader.fill(rows, |text| text),
            Self::Flag(reader) => return reader.fill(rows, |flag| flag),
            Self::Wide(reader, signed) => {
                reader.fill(rows, i64::cast_unsigned)?;
                signed.then_some(&reader.cells)
            }
            Self::Narrow(reader, true) => {
                reader.fill(rows, |value| i64::from(value).cast_unsigned())?;
                Some(&reader.cells)
            }
            Self::Narrow(reader, false) => {
                reader.fill(rows, |value| value.cast_unsigned().into())?;
                None
            }
        };
        let negative = |cell: &Option<u64>| cell.map(u64::cast_signed).filter(|value| *value < 0);
        let mut cells = numbers.into_iter().flatten().zip(first..);
        match cells.find_map(|(cell, row)| Some((negative(cell)?, row))) {
            Some((value, row)) => Err(wrong(number, row, &value.to_string(), "0 or greater")),
            None => Ok(()),
        }
    }

    /// Sets the element of `changes` for each row whose text differs from the text of the row before. The first row
    /// has no row before.
    pub(crate) fn mark_changes(&self, changes: &mut [bool]) {
        if let Self::Text(reader) = self {
            for (change, pair) in changes.iter_mut().skip(1).zip(reader.cells.windows(2)) {
                *change |= !is_same(pair[0].as_ref(), pair[1].as_ref());
            }
        }
    }

    /// Returns the text of a row. `at` counts from the first row that was read last, `number` is the number of the
    /// column, and `row` is the number of the row in the shard.
    #[inline]
    pub(crate) fn text(&self, at: usize, number: usize, row: u64) -> Result<Option<&str>, Error> {
        match self {
            Self::Constant(text) => Ok(text.as_deref()),
            Self::Text(reader) => match reader.cells.get(at) {
                Some(Some(bytes)) => str::from_utf8(bytes.data())
                    .map(Some)
                    .map_err(|_| wrong(number, row, "bytes", "text in UTF-8")),
                _ => Ok(None),
            },
            _ => Ok(None),
        }
    }

    /// Returns the number of a row, which counts from the first row that was read last.
    #[inline]
    pub(crate) fn number(&self, at: usize) -> Option<u64> {
        match self {
            Self::Wide(Reader { cells, .. }, _) | Self::Narrow(Reader { cells, .. }, _) => {
                cells.get(at).copied().flatten()
            }
            Self::ConstantNumber(number) => *number,
            _ => None,
        }
    }

    /// Returns the truth value of a row, which counts from the first row that was read last.
    #[inline]
    pub(crate) fn flag(&self, at: usize) -> Option<bool> {
        match self {
            Self::Flag(reader) => reader.cells.get(at).copied().flatten(),
            Self::ConstantFlag(flag) => *flag,
            _ => None,
        }
    }
}

/// Returns true if two texts are the same. Equal texts of a dictionary are mostly the same bytes in memory, so they
/// are not compared.
fn is_same(one: Option<&ByteArray>, other: Option<&ByteArray>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => std::ptr::eq(one.data(), other.data()) || one.data() == other.data(),
        (None, None) => true,
        _ => false,
    }
}

impl<T: DataType, V> Reader<T, V> {
    fn new(column: ColumnReaderImpl<T>, required: bool) -> Self {
        Self {
            column,
            required,
            values: Vec::new(),
            levels: Vec::new(),
            cells: Vec::new(),
        }
    }

    fn fill(&mut self, rows: usize, value_of: impl Fn(T::T) -> V) -> Result<(), Error> {
        let Self {
            column,
            values,
            levels,
            cells,
            ..
        } = self;
        values.clear();
        levels.clear();
        cells.clear();
        let (read, ..) = guarded(|| column.read_records(rows, Some(levels), None, values))?;
        if read != rows {
            return Err(Error::Damaged("its columns have different numbers of rows".to_owned()));
        }
        let mut values = values.drain(..).map(value_of);
        if self.required {
            cells.extend(values.map(Some));
        } else {
            cells.extend(levels.iter().map(|level| (*level > 0).then(|| values.next())?));
        }
        Ok(())
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

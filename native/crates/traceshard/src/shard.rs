//! Reads a trace shard.

use std::fs::File;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::Compression;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData};
use parquet::file::reader::Length;
use parquet::file::statistics::Statistics;

use crate::block::{Batches, Block, Needs, build_id};
use crate::codec::Codec;
use crate::columns::{Cells, guarded};
use crate::error::Error;
use crate::footer::has_sound_schema;
use crate::metadata::Metadata;
use crate::pages::{OpenPages, Source};
use crate::row::{Binary, BinaryKind, Record, Row};
use crate::schema::{COLUMNS, Source as Column, column, find_columns};
use crate::text::is_build_id;

/// Largest size of the description of a file in bytes. A row group takes about two thousand bytes.
const MAX_FOOTER: u64 = 16 << 20;
/// Largest number of rows for each byte of a group. Rows differ, so one bit for each row is little, but some rows
/// take no bytes at all.
const ROWS_OF_A_BYTE: u64 = 64;
const FREE_ROWS: u64 = 1 << 16;

/// An opened shard.
#[derive(Debug)]
pub struct Shard {
    source: Source,
    parquet: ParquetMetaData,
    metadata: Metadata,
    columns: [Option<Column>; COLUMNS.len()],
    /// The keys and values in the names of the folders that the file is in: `key=value`, as Hive names partitions.
    partition: Vec<(String, Option<String>)>,
}

impl Shard {
    /// Opens a file. The file may lack columns that the names of its folders state (`build_id=.../day=.../`).
    ///
    /// # Errors
    /// See [`Error`].
    pub fn open(path: &Path) -> Result<Self, Error> {
        // To open a FIFO would wait until another process writes to it.
        if !std::fs::metadata(path)?.is_file() {
            return Err(Error::NotParquet("it is not a regular file".to_owned()));
        }
        let file = File::open(path)?;
        let len = file.metadata()?.len();
        Self::read(Source::File(Arc::new(file), len), partition_of(path))
    }

    /// Opens the bytes of a file.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Result<Self, Error> {
        Self::read(Source::Memory(bytes.into()), Vec::new())
    }

    fn read(source: Source, partition: Vec<(String, Option<String>)>) -> Result<Self, Error> {
        const MAGIC: &[u8] = b"PAR1";
        const ENCRYPTED: &[u8] = b"PARE";
        let len = source.len();
        let not_parquet = |text: &str| Error::NotParquet(text.to_owned());
        if len < 12 {
            return Err(not_parquet("it is too short"));
        }
        let ends = [(0, 4), (len - 8, 8)].map(|(at, bytes)| guarded(|| chunk(&source, at, bytes)));
        let [first, last] = ends;
        let (first, last) = (first?, last?);
        if *first == *ENCRYPTED && last[4..] == *ENCRYPTED {
            return Err(Error::Encrypted);
        }
        if *first == *MAGIC && last[4..] != *MAGIC {
            return Err(Error::Damaged(
                "it does not end with PAR1, so its end is missing, or it is still being written".to_owned(),
            ));
        }
        if *first == *b"PERF" || *first == *b"2ELI" {
            return Err(not_parquet("it begins as a perf.data file does"));
        }
        if *first != *MAGIC || last[4..] != *MAGIC {
            return Err(not_parquet("it does not begin and end with PAR1"));
        }
        let footer = u64::from(u32::from_le_bytes([last[0], last[1], last[2], last[3]]));
        if footer > MAX_FOOTER {
            return Err(Error::Damaged(format!(
                "its description has {footer} bytes, more than the {MAX_FOOTER} that are read"
            )));
        }
        let at = (len - 8).checked_sub(footer);
        let at = at.ok_or_else(|| Error::Damaged("its description is longer than the file".to_owned()))?;
        // The cast loses no bits: the footer is no longer than `MAX_FOOTER`.
        if !has_sound_schema(&guarded(|| chunk(&source, at, footer as usize))?) {
            return Err(Error::Damaged("its schema is not a tree of columns".to_owned()));
        }
        let parquet = guarded(|| ParquetMetaDataReader::new().parse_and_finish(&source))?;
        let metadata = Metadata::of(parquet.file_metadata().key_value_metadata())?;
        let given = |name: &str| partition.iter().any(|(key, _)| key == name);
        let has_values = |index| {
            parquet
                .row_groups()
                .iter()
                .any(|group| !is_without_values(group, index))
        };
        let columns = find_columns(parquet.file_metadata().schema_descr(), given, has_values)?;
        for group in parquet.row_groups() {
            check_rows(group)?;
            check_compression(group, &columns)?;
        }
        Ok(Self {
            source,
            parquet,
            metadata,
            columns,
            partition,
        })
    }

    /// Returns the metadata of the file.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Returns the size of the file in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.source.len()
    }

    /// Returns the number of row groups.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.parquet.num_row_groups()
    }

    /// Returns the number of rows of a group.
    ///
    /// # Panics
    /// Panics if there is no such group.
    #[must_use]
    pub fn rows_of(&self, group: usize) -> u64 {
        self.parquet.row_group(group).num_rows().cast_unsigned()
    }

    /// Returns the lowest and the highest build id of a group, if every row has a build id and the file states
    /// these. Rows with build ids outside of this range are in other groups. Returns `None` if one of these texts is
    /// not a build id, so that a reader finds the fault.
    ///
    /// # Panics
    /// Panics if there is no such group.
    #[must_use]
    pub fn build_ids_of(&self, group: usize) -> Option<(&str, &str)> {
        let Some(column) = self.columns[column::BUILD_ID] else {
            let given = self.given("build_id")?.as_deref().filter(|text| is_build_id(text))?;
            return Some((given, given));
        };
        let statistics = self.parquet.row_group(group).column(column.index).statistics()?;
        let lowest = str::from_utf8(statistics.min_bytes_opt()?).ok()?;
        let highest = str::from_utf8(statistics.max_bytes_opt()?).ok()?;
        // A maximum that was cut off is lower than the texts that it stands for.
        let exact = statistics.max_is_exact() && statistics.min_is_exact();
        let sound = is_build_id(lowest) && is_build_id(highest);
        (exact && sound && statistics.null_count_opt() == Some(0)).then_some((lowest, highest))
    }

    /// Returns the record of all rows of a group, if the file states that all have the same.
    ///
    /// # Panics
    /// Panics if there is no such group.
    #[must_use]
    pub fn record_of(&self, group: usize) -> Option<Record> {
        let column = self.columns[column::RECORD]?;
        Record::parse(&constant(self.parquet.row_group(group), column)??)
    }

    /// Reads the rows of a group, and passes each row to `visit`.
    ///
    /// # Errors
    /// See [`Error`]; also the errors of `visit`.
    ///
    /// # Panics
    /// Panics if there is no such group.
    pub fn read_group<E: From<Error>>(
        &self,
        group: usize,
        mut visit: impl FnMut(&Row<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.read_blocks(group, Needs::All, |block| {
            for row in block.rows() {
                visit(&row?)?;
            }
            Ok(())
        })
    }

    /// Reads the rows of a group, and passes each block of rows to `visit`, in order.
    ///
    /// # Errors
    /// See [`Error`]; also the errors of `visit`.
    ///
    /// # Panics
    /// Panics if there is no such group.
    pub fn read_blocks<E: From<Error>>(
        &self,
        group: usize,
        needs: Needs,
        mut visit: impl FnMut(&Block<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut batches = self.open_columns(group, |number| needs.include(number))?;
        while let Some(batch) = batches.next()? {
            for block in batch.blocks() {
                visit(&block?)?;
            }
        }
        Ok(())
    }

    /// Reads only the files that the rows of a group belong to. Rows of the ledger belong to no file.
    ///
    /// # Errors
    /// See [`Error`].
    ///
    /// # Panics
    /// Panics if there is no such group.
    pub fn read_binaries(&self, group: usize, mut visit: impl FnMut(&Binary)) -> Result<(), Error> {
        const NEEDED: [usize; 4] = [column::RECORD, column::BUILD_ID, column::PATH, column::KIND];
        let mut batches = self.open_columns(group, |number| NEEDED.contains(&number))?;
        batches.shorten_if_constant(&NEEDED);
        let mut last: Option<Binary> = None;
        while let Some(batch) = batches.next()? {
            for rows in batch.ranges() {
                let (at, row) = (rows.start, batch.first + rows.start as u64);
                let text = |number: usize| batch.cells[number].text(at, number, row);
                let build_id = build_id(text(column::BUILD_ID)?, row)?;
                let path = text(column::PATH)?.unwrap_or_default();
                let has_samples = text(column::RECORD)?
                    .and_then(Record::parse)
                    .is_some_and(Record::is_of_samples);
                let Some(kind) = text(column::KIND)?.and_then(BinaryKind::parse) else {
                    continue;
                };
                let same =
                    |last: &Binary| last.build_id.as_deref() == build_id && last.path == path && last.kind == kind;
                if has_samples && !last.as_ref().is_some_and(same) {
                    visit(last.insert(Binary {
                        build_id: build_id.map(str::to_owned),
                        path: path.to_owned(),
                        kind,
                    }));
                }
            }
        }
        Ok(())
    }

    /// Opens the columns of a group that are `needed`.
    fn open_columns(&self, group: usize, needed: impl Fn(usize) -> bool) -> Result<Batches, Error> {
        let metadata = self.parquet.row_group(group);
        let open = Arc::new(OpenPages::default());
        let mut cells = Vec::with_capacity(COLUMNS.len());
        for (number, column) in self.columns.iter().enumerate() {
            cells.push(match column {
                _ if !needed(number) => Cells::Skipped,
                Some(column) => match constant(metadata, *column) {
                    Some(text) => Cells::Constant(text),
                    None => Cells::open(&self.source, &open, metadata, *column)?,
                },
                None => {
                    let given = self.given(COLUMNS[number].0).and_then(Option::as_deref);
                    Cells::of_folder(number, given)?
                }
            });
        }
        let cells = cells
            .try_into()
            .map_err(|_| Error::Damaged("it has more columns than a shard".to_owned()))?;
        let next: u64 = (0..group).map(|before| self.rows_of(before)).sum();
        Ok(Batches::new(cells, next..next + self.rows_of(group)))
    }

    fn given(&self, name: &str) -> Option<&Option<String>> {
        self.partition
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }
}

fn chunk(source: &Source, at: u64, bytes: usize) -> Result<Bytes, parquet::errors::ParquetError> {
    use parquet::file::reader::ChunkReader;
    source.get_bytes(at, bytes)
}

/// Refuses a group that claims more rows than its bytes can hold. Without this check such a group would yield empty
/// rows for hours.
fn check_rows(group: &RowGroupMetaData) -> Result<(), Error> {
    let bytes = u64::try_from(group.compressed_size()).unwrap_or(0);
    let rows = u64::try_from(group.num_rows());
    let most = bytes.saturating_mul(ROWS_OF_A_BYTE).saturating_add(FREE_ROWS);
    match rows {
        Ok(rows) if rows <= most => Ok(()),
        _ => Err(Error::Damaged(format!(
            "a group of {bytes} bytes claims {} rows",
            group.num_rows()
        ))),
    }
}

/// Refuses codecs for which the library was not built, although it knows their names.
fn check_compression(group: &RowGroupMetaData, columns: &[Option<Column>]) -> Result<(), Error> {
    for (column, (name, _)) in columns.iter().zip(COLUMNS) {
        let compression = column.map(|column| group.column(column.index).compression());
        match compression {
            None => {}
            Some(Compression::UNCOMPRESSED | Compression::SNAPPY | Compression::ZSTD(_)) => {}
            Some(compression) if Codec::of(compression).is_some() => {}
            Some(other) => {
                return Err(Error::Compression {
                    column: name,
                    // The level is cut off: `BROTLI(BrotliLevel(1))`.
                    found: format!("{other}").split('(').next().unwrap_or_default().to_lowercase(),
                });
            }
        }
    }
    Ok(())
}

/// Returns true if the statistics state that no row of a group has a value in a column.
fn is_without_values(group: &RowGroupMetaData, index: usize) -> bool {
    let without_value = group.column(index).statistics().and_then(Statistics::null_count_opt);
    without_value.is_some_and(|rows| i64::try_from(rows) == Ok(group.num_rows()))
}

/// Returns the text that all rows of a group have, if the statistics state it; `None` inside if the rows of a column
/// of any type have no value.
fn constant(group: &RowGroupMetaData, column: Column) -> Option<Option<Box<str>>> {
    let statistics = group.column(column.index).statistics()?;
    if is_without_values(group, column.index) {
        return Some(None);
    }
    (statistics.null_count_opt()? == 0).then_some(())?;
    if column.physical != parquet::basic::Type::BYTE_ARRAY {
        return None;
    }
    let (lowest, highest) = (statistics.min_bytes_opt()?, statistics.max_bytes_opt()?);
    let exact = statistics.min_is_exact() && statistics.max_is_exact();
    let text = str::from_utf8(lowest).ok()?;
    (exact && lowest == highest).then(|| Some(text.into()))
}

/// Returns the keys and values in the names of the folders that a file is in (Hive: `key=value`, with `%` and two
/// digits for characters that a name cannot have). If two folders have the same key, the first one counts.
fn partition_of(path: &Path) -> Vec<(String, Option<String>)> {
    let current = if path.is_relative() {
        std::env::current_dir().unwrap_or_default()
    } else {
        PathBuf::new()
    };
    partition_in(&current, path)
}

/// As engines do, takes the outermost of the folders in `path` that have the same key. The folders that `current`, the
/// current folder, is in come after all of them, from the inside out.
fn partition_in(current: &Path, path: &Path) -> Vec<(String, Option<String>)> {
    const NO_VALUE: &str = "__HIVE_DEFAULT_PARTITION__";
    let mut outer: Vec<_> = current.components().collect();
    let mut own = Vec::new();
    for folder in path.parent().into_iter().flat_map(Path::components) {
        match folder {
            Component::Normal(_) => own.push(folder),
            Component::ParentDir if own.pop().is_none() => {
                outer.pop();
            }
            Component::ParentDir | Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    let folders = own.into_iter().chain(outer.into_iter().rev());
    folders
        .filter_map(|folder| {
            let (key, value) = folder.as_os_str().to_str()?.split_once('=')?;
            Some((key.to_owned(), (value != NO_VALUE).then(|| unescape(value))))
        })
        .collect()
}

fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        let digits = behind.get(..2).and_then(|digits| str::from_utf8(digits).ok());
        let escaped = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escaped {
            Some(escaped) if byte == b'%' => {
                bytes.push(escaped);
                rest = &behind[2..];
            }
            _ => {
                bytes.push(byte);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_name_columns() {
        let path = Path::new(
            "/data/build_id=ab12/day=2026-11-29/path=%2Fbin%2Fa%3Db/event=__HIVE_DEFAULT_PARTITION__/x=1.parquet",
        );
        let expected = [
            ("build_id", Some("ab12")),
            ("day", Some("2026-11-29")),
            ("path", Some("/bin/a=b")),
            ("event", None),
        ];
        let expected = expected.map(|(key, value)| (key.to_owned(), value.map(str::to_owned)));
        assert_eq!(partition_of(path), expected);
    }

    #[test]
    fn folders_are_those_that_the_file_is_in() {
        let keys = |current: &str, path: &str| {
            let found = partition_in(Path::new(current), Path::new(path));
            let texts = found
                .into_iter()
                .map(|(key, value)| format!("{key}={}", value.unwrap_or_default()));
            texts.collect::<Vec<_>>().join(" ")
        };
        let current = "/data/month=11/build_id=ab/day=1";
        let all = "day=1 build_id=ab month=11";
        for path in ["x.parquet", "./x.parquet", "more/../x.parquet", "../day=1/x.parquet"] {
            assert_eq!(keys(current, path), all, "{path}");
        }
        assert_eq!(keys(current, "day=2/x.parquet"), format!("day=2 {all}"));
        assert_eq!(keys(current, "../x.parquet"), "build_id=ab month=11");
        assert_eq!(keys(current, "../day=2/x.parquet"), "day=2 build_id=ab month=11");
        assert_eq!(keys(current, "../../../../../../x.parquet"), "");
        assert_eq!(keys("", "/a=1/../b=2/./c=3/x.parquet"), "b=2 c=3");
        assert_eq!(keys("", "/a=1/a=2/x.parquet"), "a=1 a=2");
    }
}

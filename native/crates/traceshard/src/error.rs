//! Errors of reading and writing trace shards.

use parquet::errors::ParquetError;

/// Why a shard cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system refused to read or write.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The file is not a Parquet file.
    #[error("it is not a Parquet file: {0}")]
    NotParquet(String),
    /// The file is a Parquet file that is damaged, or that was made to do harm.
    #[error("the Parquet file is damaged: {0}")]
    Damaged(String),
    /// The file is a Parquet file, but no trace shard.
    #[error("the Parquet file holds no traces: it has no column {}", quoted(missing))]
    Foreign {
        /// Names of the columns that a shard has and this file has not.
        missing: Vec<&'static str>,
    },
    /// The file is a trace shard, but for some columns.
    #[error("the traces have no column {}", quoted(missing))]
    Incomplete {
        /// Names of the columns that a shard has and this file has not.
        missing: Vec<&'static str>,
    },
    /// Several columns have the same name.
    #[error("it has several columns `{column}`")]
    Twice {
        /// Name of the columns.
        column: &'static str,
    },
    /// The file is a Parquet file whose description is encrypted.
    #[error("the Parquet file is encrypted")]
    Encrypted,
    /// The metadata state a version of the schema that is no number.
    #[error("its metadata has the `autofdo.schema_version` {found}, and it must be a number from 1 on")]
    Version {
        /// The beginning of the text, in quotes.
        found: String,
    },
    /// A later version of this program wrote the file.
    #[error("the traces have version {found} of the schema, and this program reads versions up to {known}")]
    Newer {
        /// Version of the schema that the file states.
        found: String,
        /// Newest version of the schema that this program can read.
        known: u32,
    },
    /// A column is compressed with a codec that this program does not read.
    #[error(
        "column `{column}` is compressed with {found}; a column must be compressed with zstd, snappy, gzip or lz4_raw, or not at all"
    )]
    Compression {
        /// Name of the column.
        column: &'static str,
        /// Name of the codec.
        found: String,
    },
    /// A column has a type that it must not have.
    #[error("column `{column}` is {found}, and it must be {expected}")]
    WrongType {
        /// Name of the column.
        column: &'static str,
        /// Type of the column.
        found: String,
        /// Types that the column can have.
        expected: &'static str,
    },
    /// The name of a folder states a value that the column must not have.
    #[error("the folder of the file gives the column `{column}` the value {found}, and it must be {expected}")]
    WrongFolder {
        /// Name of the column.
        column: &'static str,
        /// The value that was found.
        found: String,
        /// The values that are allowed.
        expected: &'static str,
    },
    /// A cell has a value that it must not have.
    #[error("column `{column}` has {found} in row {row}, and it must be {expected}")]
    WrongValue {
        /// Name of the column.
        column: &'static str,
        /// Number of the row, from 0.
        row: u64,
        /// The value that was found.
        found: String,
        /// The values that are allowed.
        expected: &'static str,
    },
}

impl Error {
    /// Makes the error for damage that the Parquet library reports in a file that was recognised as a Parquet file.
    pub(crate) fn damaged(error: &ParquetError) -> Self {
        Self::Damaged(words(error))
    }
}

fn quoted(columns: &[&str]) -> String {
    let quoted: Vec<_> = columns.iter().map(|column| format!("`{column}`")).collect();
    quoted.join(", ")
}

/// Returns the message of the library without the library's prefix.
pub(crate) fn words(error: &ParquetError) -> String {
    match error {
        ParquetError::General(text) | ParquetError::EOF(text) | ParquetError::NYI(text) => text.clone(),
        other => other.to_string(),
    }
}

//! What can be wrong with a shard.

use parquet::errors::ParquetError;

/// Why a shard cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system refused.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// It is no Parquet file.
    #[error("it is no Parquet file: {0}")]
    NotParquet(String),
    /// It is a Parquet file with damage, or one that was made to harm.
    #[error("the Parquet file is damaged: {0}")]
    Damaged(String),
    /// It is a Parquet file of something else.
    #[error("the Parquet file holds no traces: it has no column {}", missing.join(", "))]
    Foreign {
        /// The columns that a shard has and this file has not.
        missing: Vec<&'static str>,
    },
    /// A later version of this program wrote it.
    #[error("the traces have version {found} of the schema, and this program knows version {known}")]
    Newer {
        /// The version of the file.
        found: String,
        /// The newest version that can be read.
        known: u32,
    },
    /// A column is compressed in a way that is not read.
    #[error("column `{column}` is compressed with {found}, and zstd, snappy and no compression are read")]
    Compression {
        /// The column.
        column: &'static str,
        /// How it is compressed.
        found: String,
    },
    /// A column has a type that it must not have.
    #[error("column `{column}` is {found}, and it must be {expected}")]
    WrongType {
        /// The column.
        column: &'static str,
        /// Its type.
        found: String,
        /// The types it can have.
        expected: &'static str,
    },
    /// A cell has a value that it must not have.
    #[error("column `{column}` has {found} in row {row}, and it must be {expected}")]
    WrongValue {
        /// The column.
        column: &'static str,
        /// The row, from 0 on.
        row: u64,
        /// What is there.
        found: String,
        /// What can be there.
        expected: &'static str,
    },
}

impl Error {
    /// What the Parquet library says about a file that was recognised as one.
    pub(crate) fn damaged(error: &ParquetError) -> Self {
        Self::Damaged(words(error))
    }
}

/// The message without the library's prefix.
pub(crate) fn words(error: &ParquetError) -> String {
    match error {
        ParquetError::General(text) | ParquetError::EOF(text) | ParquetError::NYI(text) => text.clone(),
        other => other.to_string(),
    }
}

//! Trace shards: how often which branch was taken, and where the straight run behind it ended, as a Parquet file whose
//! rows add up (`docs/trace-shards.md`).
//!
//! The columns `count` and `mispredicted` are numbers that add up, and every other column is a key. So files of any number
//! of hosts, days and recordings become one by `SUM(...) GROUP BY ALL` in any SQL engine, and [`Shard`] reads what that
//! gives. All input is hostile: sizes are checked before memory is taken, and what is wrong is an [`Error`].

mod columns;
mod error;
mod footer;
mod metadata;
mod pages;
mod row;
mod schema;
mod shard;
mod text;
mod writer;

pub use error::Error;
pub use metadata::Metadata;
pub use row::{Binary, BinaryKind, KERNEL_BIAS, KERNEL_START, Loss, Record, Row};
pub use schema::{COLUMNS, SCHEMA_VERSION};
pub use shard::Shard;
pub use text::{Ends, parse_patch, parse_via, write_patch, write_via};
pub use writer::{MAX_GROUP_ROWS, ShardWriter, group_len};

//! Trace shards: Parquet files that state how often each branch was taken, and where the straight-line range after
//! the branch ended. Their rows can be added up (`docs/trace-shards.md`).
//!
//! The columns `count` and `mispredicted` are numbers that can be added, and every other column is a key. So
//! `SUM(...) GROUP BY ALL` in any SQL engine makes one file of the files of any number of hosts, days and
//! recordings, and [`Shard`] reads the result. All input is hostile: sizes are checked before memory is allocated,
//! and every problem is an [`Error`].

mod block;
mod codec;
mod columns;
mod error;
mod footer;
mod hexadecimal;
mod metadata;
mod pages;
mod row;
mod schema;
mod shard;
mod stack_text;
mod text;
mod writer;

pub use block::{Block, Needs};
pub use error::Error;
pub use metadata::Metadata;
pub use row::{Binary, BinaryKind, KERNEL_BIAS, KERNEL_START, Loss, Record, Row};
pub use schema::{COLUMNS, SCHEMA_VERSION};
pub use shard::Shard;
pub use stack_text::{MAX_CHAIN_FRAMES, MAX_STACK_ENTRIES, parse_branch_stack, parse_call_chain, write_call_chain};
pub use text::{Ends, branches_of, parse_patch, push_branches, shown, write_patch};
pub use writer::{MAX_GROUP_ROWS, MAX_GROUPS, RowGroup, ShardWriter, group_len};

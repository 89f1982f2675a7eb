//! Collects trace shards from recordings, without a binary: the number of executions of each branch and where
//! the run behind it may have ended, or the number of samples of each address (`docs/trace-shards.md`).

mod chain;
mod files;
mod job;
mod options;
mod outcome;
mod row_groups;
mod rows;
mod sampled;
mod shard_file;
mod spots;
mod table;
mod worker;

pub use job::collect;
pub use options::{CollectOptions, Rotation};
pub use outcome::{CollectOutcome, WrittenShard};

//! Collects trace shards from recordings, without a binary: the number of executions of each branch and where
//! the run after it may have ended, the samples with call chains, or the number of samples of each address
//! (`docs/trace-shards.md`).

mod about_input;
mod cache_size;
mod chain;
mod chosen;
mod entry;
mod files;
mod grace;
mod job;
mod known_samples;
mod latest;
mod lives;
mod options;
mod order;
mod outcome;
mod output;
mod packed;
mod places;
mod reading;
mod row_groups;
mod row_table;
mod rows;
mod sampled;
mod shard_file;
mod slots;
mod spots;
mod stacks;
mod states;
mod sums;
mod table;
mod worker;

pub use job::collect;
pub use options::{CollectOptions, Rotation};
pub use outcome::{CollectOutcome, WrittenShard};

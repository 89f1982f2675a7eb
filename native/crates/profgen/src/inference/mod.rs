//! Counters of a recording without branch stacks: sampled addresses to executions of blocks and calls.

mod blocks;
mod cost;
mod counters;
mod jump_table;
mod measures;

pub(crate) use counters::{Binary, InferenceReport, infer_counters};

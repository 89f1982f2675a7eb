//! Makes counters of a recording without branch stacks: from sampled addresses to executions of blocks and
//! calls.

mod binary;
mod blocks;
mod callers;
mod cost;
mod counters;
mod measures;

pub(crate) use binary::Binary;
pub(crate) use counters::{InferenceReport, Sampled, infer_counters};

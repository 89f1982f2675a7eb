//! Counts the entries of branch stacks as traces, and makes ranges and branches of the traces.

pub(crate) mod agreement;
pub(crate) mod bolt;
pub(crate) mod branch_kinds;
pub(crate) mod call_lists;
pub(crate) mod call_sites;
pub(crate) mod context_counts;
pub(crate) mod context_steps;
pub(crate) mod counter;
pub(crate) mod counters;
pub(crate) mod ends;
pub(crate) mod fall_through;
pub(crate) mod one_branch;
pub(crate) mod read_contexts;
pub(crate) mod resolved;
pub(crate) mod sampled;
pub(crate) mod stack;
pub(crate) mod stretches;
pub(crate) mod trace;
pub(crate) mod trace_counts;
pub(crate) mod unwind;

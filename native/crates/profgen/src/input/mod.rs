//! Reads recordings, texts and counters, and makes traces and counts of their samples.

pub(crate) mod arm_spe;
pub(crate) mod call_stack;
pub(crate) mod call_stack_report;
pub(crate) mod collect;
pub(crate) mod counters_text;
pub(crate) mod events;
pub(crate) mod load;
pub(crate) mod open_binaries;
pub(crate) mod other_mappings;
pub(crate) mod perf_data;
pub(crate) mod recording;
pub(crate) mod samples;
pub(crate) mod script;
pub(crate) mod traces;
pub(crate) mod usable;

//! From recordings, texts and counters to traces and samples.

pub(crate) mod collect;
pub(crate) mod counters_text;
pub(crate) mod perf_data;
pub(crate) mod script;

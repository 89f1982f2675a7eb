//! Supports tests: builds perf.data bytes in memory and finds the fixtures.

mod fixtures;
mod perf_data_builder;
mod spe_trace;

pub use fixtures::Fixture;
pub use perf_data_builder::{Compression, Endian, EventSpec, MapSpec, PerfDataBuilder, SampleSpec};
pub use spe_trace::SpeRecord;

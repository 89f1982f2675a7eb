//! Supports tests: builds perf.data bytes in memory, finds the fixtures, counts memory and makes named pipes.

mod fixtures;
mod memory;
mod perf_data_builder;
mod pipe;
mod spe_trace;

pub use fixtures::Fixture;
pub use memory::CountingAllocator;
pub use perf_data_builder::{Compression, Endian, EventSpec, MapSpec, PerfDataBuilder, SampleSpec};
pub use pipe::make_named_pipe;
pub use spe_trace::SpeRecord;

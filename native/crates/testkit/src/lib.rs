//! Test support: builds perf.data bytes in memory and finds the fixtures.

mod fixtures;

pub use fixtures::Fixture;

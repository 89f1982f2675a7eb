//! Test support: builds perf.data bytes in memory and finds the fixtures.

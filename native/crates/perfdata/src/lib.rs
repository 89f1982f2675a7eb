//! perf.data: bytes to records, samples, branch stacks and address spaces.

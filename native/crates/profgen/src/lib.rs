//! From branch stacks to a sample profile: counters, ranges, attribution; the pipeline.

//! The N-API addon: the only crate that knows Node.

//! What a job is asked to do.

pub(crate) mod options;
pub(crate) mod policy;
pub(crate) mod pre_inlining;
pub(crate) mod words;

//! The request of a job: options and policy.

pub(crate) mod options;
pub(crate) mod policy;
pub(crate) mod pre_inlining;
pub(crate) mod words;

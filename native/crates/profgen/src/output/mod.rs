//! Writes finished profiles as bytes and files.

pub(crate) mod destination;
pub(crate) mod encode;
pub(crate) mod fdata;
pub(crate) mod listing;
pub(crate) mod merging;
pub(crate) mod postprocess;
pub(crate) mod pre_inliner;
pub(crate) mod preaggregated;

//! What a job tells: the account of all branch entries, statistics, findings, failures.

pub(crate) mod debug_report;
pub(crate) mod error;
pub(crate) mod explain;
pub(crate) mod failure;
pub(crate) mod ledger;
pub(crate) mod listing;
pub(crate) mod observer;
pub(crate) mod outcome;
pub(crate) mod part;

//! What a job tells: the account of all branch entries, statistics, findings, failures.

pub(crate) mod debug_report;
pub(crate) mod events;
pub(crate) mod explain;
pub(crate) mod ledger;
pub(crate) mod outcome;
pub(crate) mod part;

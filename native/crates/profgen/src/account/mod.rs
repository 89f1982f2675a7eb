//! The account of a job: the ledger of all branch entries, statistics, shares, and their texts in messages.

pub(crate) mod ledger;
pub(crate) mod names;
pub(crate) mod share;
pub(crate) mod statistics;

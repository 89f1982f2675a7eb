//! What is counted of a job on its way: the ledger of all branch entries, statistics, shares and how they are told.

pub(crate) mod ledger;
pub(crate) mod names;
pub(crate) mod share;
pub(crate) mod statistics;

//! What a job tells: the account of all branch entries, statistics, findings, failures.

pub(crate) mod account;
pub(crate) mod address_report;
pub(crate) mod call_stack_report;
pub(crate) mod context_report;
pub(crate) mod damage;
pub(crate) mod debug_report;
pub(crate) mod empty;
pub(crate) mod frame_pointers;
pub(crate) mod ledger;
pub(crate) mod names;
pub(crate) mod outcome;
pub(crate) mod part;
pub(crate) mod plausibility;
pub(crate) mod refusals;
pub(crate) mod run_report;
pub(crate) mod sample_survey;
pub(crate) mod share;

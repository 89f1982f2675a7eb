//! Reports at the end of a job: findings about counts, failures, and the outcome.

pub(crate) mod address_report;
pub(crate) mod counters;
pub(crate) mod debug_report;
pub(crate) mod empty;
pub(crate) mod outcome;
pub(crate) mod part;
pub(crate) mod plausibility;
pub(crate) mod refusals;
pub(crate) mod run_report;
pub(crate) mod sample_survey;
pub(crate) mod unused_files;

//! The N-API addon, the only crate that depends on Node.
//!
//! This crate only converts: options, outcomes and failures, progress and cancellation. The name of every type that
//! crosses the border starts with `Binding`. `src/native.ts` is the only importer of these types.

// In a test build napi-derive exports nothing, so all of this code would count as dead. The crate is tested from
// JavaScript.
#![cfg(not(test))]
// When a variant is added to an enum of the core, this crate does not compile until the variant has a name here.
#![deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants)]

mod collect;
mod compare;
mod doctor;
mod failure;
mod generate;
mod inspect;
mod job;
mod listing;
mod merge;
mod number;
mod options;
mod outcome;
mod places;
mod shard;
mod show;
mod task;
mod write;

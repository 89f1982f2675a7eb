//! The N-API addon: the only crate that knows Node.
//!
//! It converts and nothing else: options in, outcome or failure out, progress and cancellation in between.
//! Everything that crosses is named `Binding*`; `src/native.ts` is its only importer.

// napi-derive exports nothing in a test build, where all of this would count as dead code; it is tested from
// JavaScript.
#![cfg(not(test))]
// A value that is added to an enum of the core must be given a name here before this compiles.
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

//! Reads perf.data: turns bytes into records, samples, branch stacks and address spaces.
//!
//! [`PerfData`] opens a recording and hands it out in [`Segment`]s. All records of a segment except its samples have
//! already been read, and any thread may decode any chunk of samples. [`AddressSpaces`] has the mappings of all
//! processes at all times.
//!
//! All input is hostile. Everything before some damage is read, the damage is reported, and no number is used without
//! a check.

mod address;
mod address_spaces;
mod attr;
mod branch_stack;
mod buffer;
mod build_id;
mod byte_order;
mod call_chain;
mod chunks;
mod decompress;
mod deferred_chains;
mod directory;
mod error;
mod event_names;
mod event_table;
mod feature;
mod file_container;
mod header;
mod interruptible;
mod look_ahead;
mod mapped_range;
mod metadata;
mod once;
mod perf_data;
mod pipe;
mod range_tree;
mod record;
mod record_stream;
mod recording;
mod sample;
mod sample_layout;
mod sampled_address;
mod scan;
mod seekable;
mod segment;
mod side_record;
mod source;
mod spool;
mod stats;
mod trace;
mod trace_buffer;
mod trace_chunk;
mod trace_clock;
mod trace_facts;
mod trace_sections;
mod views;
mod waiting;
mod walk;

pub use address::{Avma, Moment, Period};
pub use address_spaces::{AddressSpaces, Consulted, Space, is_memory_without_file};
pub use attr::EventAttr;
pub use branch_stack::{Branch, BranchFlags, BranchStack, Speculation};
pub use build_id::{BuildId, BuildIdEntry};
pub use byte_order::ByteOrder;
pub use call_chain::CallChain;
pub use error::{Error, Lookalike};
pub use interruptible::Interruptible;
pub use mapped_range::{MapId, MappedRange};
pub use metadata::{Metadata, TraceFormat};
pub use perf_data::PerfData;
pub use record::{CpuMode, record_type};
pub use sample::Sample;
pub use sampled_address::{SampleSink, SampledAddress};
pub use segment::{ChunkBuffer, ChunkStats, Segment};
pub use side_record::{Change, KERNEL_IMAGE, MappedFile, Mapping, SideRecord, TextPoke, image_name};
pub use stats::{Damage, DamageKind, RecordStats, TraceStats};
pub use trace::TraceToCome;
pub use views::{LastView, Views};

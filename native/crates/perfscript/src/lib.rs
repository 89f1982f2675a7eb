//! Reads the text that `perf script -F ip,brstack --show-mmap-events` and similar commands print.
//!
//! A sample is a line of branch entries, newest first. The sampled address or other fields may stand in front of them.
//! If call stacks were recorded, a sample is some lines of addresses and then the line of branch entries. A line that
//! is a number says how many times the sample after it was taken. Mappings have lines of their own:
//!
//! ```text
//! PERF_RECORD_MMAP2 42/42: [0x555555555000(0x1000) @ 0x1000 08:01 7 0]: r-xp /bin/app
//!     555555555140 0x555555555140/0x555555555180/P/-/-/1  0x555555555190/0x555555555130/M/-/-/4
//! ```
//!
//! The structure of the text is not reliable, so this crate follows llvm-profgen's reader to the letter wherever that
//! reader accepts something.
//!
//! [`Windows`] cuts a stream into windows, [`blocks`] cuts a window into blocks for as many threads, and a [`Parser`]
//! reads a block.

mod branches;
mod chars;
mod kind;
mod mapping;
mod number;
mod parser;
mod windows;

pub use branches::{BranchEntry, BranchLine, Branches, Dialect, InvalidAddress, ends_with_event_name};
pub use kind::{SampleKind, detect};
pub use mapping::MappingLine;
pub use parser::{CallStack, Item, Line, Parser};
pub use windows::{Window, Windows, blocks, mappings};

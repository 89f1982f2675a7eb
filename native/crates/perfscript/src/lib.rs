//! Reads what `perf script -F ip,brstack --show-mmap-events` and its relatives print.
//!
//! A sample is a line of branch entries, newest first, perhaps with the sampled address or more in front; or, if call stacks were recorded,
//! some lines of addresses and then the line of branch entries. A line that is a number says how often the sample behind it was taken.
//! Mappings have lines of their own:
//!
//! ```text
//! PERF_RECORD_MMAP2 42/42: [0x555555555000(0x1000) @ 0x1000 08:01 7 0]: r-xp /bin/app
//!     555555555140 0x555555555140/0x555555555180/P/-/-/1  0x555555555190/0x555555555130/M/-/-/4
//! ```
//!
//! Text has no structure that could be relied on, so this crate follows llvm-profgen's reader to the letter where that accepts something.
//!
//! [`Windows`] cuts a stream into pieces, [`blocks`] cuts a piece further for as many threads, a [`Parser`] reads a block.

mod branches;
mod chars;
mod kind;
mod mapping;
mod number;
mod parser;
mod windows;

pub use branches::{BranchEntry, BranchLine, Branches, Dialect, InvalidAddress, names_event};
pub use kind::{SampleKind, detect};
pub use mapping::MappingLine;
pub use parser::{CallStack, Item, Line, Parser};
pub use windows::{Window, Windows, blocks, mappings};

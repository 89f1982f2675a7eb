//! Files: which one holds the debug information, and the bytes of its sections.

mod locate;
mod sections;

pub use locate::build_id_of;
pub(crate) use locate::{Located, locate, map_file, open_file, supplementary};
pub use sections::FileData;
pub(crate) use sections::{ElfFile, SectionSet, Sections, Slice, Wanted, dwarf};
